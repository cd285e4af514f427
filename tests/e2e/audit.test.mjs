// Where row security does not keep tenants apart is found, and what is printed to mend it does.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { configuration, Daemon, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const setting = "(select nullif(current_setting('app.current_tenant_id', true), '')::uuid)";
const policy = (table, role = "app_user") =>
  `alter table ${table} enable row level security; create policy p on ${table} to ${role} using (tenant_id = ${setting});`;
const rows = `(id, tenant_id) values (1, '${ACME}'), (2, '${GLOBEX}'), (3, '${GLOBEX}')`;
const exposed = {
  schema: { expose: { schemas: ["bad"], views: ["*"], tables: ["*"], materialized_views: true, functions: ["fn_*"], exclude: ["hidden", "*shut"] } },
};

/** One relation of each kind: the good ones first. */
async function createBad() {
  const database = await createDatabase();
  const tables = ["guarded", "hidden", "open", "silent", "owned"];
  await shared.sql(database, `
    create schema bad;
    grant usage on schema bad to app_user;
    create table bad.parents (id int primary key, tenant_id uuid);
    create table bad.children (tenant_id uuid, "a b" int references bad.parents, behind int references bad.parents,
      first int references bad.parents, partly int references bad.parents);
    create index on bad.children (tenant_id, behind);
    create index on bad.children (first);
    create index on bad.children (partly) where partly > 3;
    grant select on bad.parents, bad.children to app_user;
    ${policy("bad.parents")} ${policy("bad.children")}
    ${tables.map((name) => `create table bad.${name} (id int primary key, tenant_id uuid); insert into bad.${name} ${rows};`).join("\n")}
    ${policy("bad.guarded")} ${policy("bad.hidden")} ${policy("bad.owned")}
    alter table bad.owned owner to app_user;
    alter table bad.silent enable row level security;
    create view bad.v_invoker with (security_invoker = on) as select * from bad.guarded;
    create materialized view bad.mv_shut as select * from bad.guarded;
    create view bad.v_declared with (security_barrier) as select * from bad.mv_shut where tenant_id = ${setting};
    comment on view bad.v_declared is E'Totals.\\n@fraiseql:type\\ntenant_column: tenant_id';
    create view bad."v_Own""er" as select id, tenant_id from bad.hidden;
    create view bad.v_nested with (security_invoker = true) as select * from bad."v_Own""er";
    create materialized view bad.mv_total as select tenant_id, id from bad.guarded;
    create view bad.v_copied as select tenant_id, id from bad.mv_total;
    comment on view bad.v_copied is 'It''s a copy.';
    create view bad.v_anonymous as select id from bad.mv_shut;
    create foreign data wrapper nowhere;
    create server nowhere foreign data wrapper nowhere;
    create foreign table bad.remote (id int, tenant_id uuid) server nowhere;
    create foreign table bad.remote_bare (id int) server nowhere;
    create materialized view bad.mv_bare as select id, tenant_id from bad.guarded;
    create function bad.fn_loose(n int) returns int language sql volatile security definer as 'select n';
    create function bad.fn_read() returns int language sql stable security definer as 'select 1';
    create function bad.fn_of_row(o bad.guarded) returns int language sql stable security definer as 'select 1';
    create function bad.fn_pinned(n int) returns int language sql volatile security definer set search_path = '' as 'select n';
    create function bad.fn_user(n int) returns int language sql volatile security definer set search_path = "$user", bad as 'select n';
    grant select on bad.guarded, bad.open, bad.silent, bad.owned, bad.v_invoker, bad.v_declared, bad."v_Own""er", bad.v_nested,
                    bad.mv_total, bad.v_copied, bad.v_anonymous, bad.remote, bad.remote_bare to app_user;
    grant select (id) on bad.mv_bare to app_user`);
  return database;
}

async function check(database, more = {}, args = []) {
  const ended = await program(["check", "--connect", ...args, "-c", writeConfiguration(configuration(database, { ...exposed, ...more }))]);
  return { ...ended, json: args.includes("json") ? JSON.parse(ended.stdout) : undefined };
}

const fail = { tenancy: { enabled: true, claim: "tenant_id", enforce_rls_check: "fail" } };
const json = ["--format", "json"];
const bad = await createBad();

test("each kind of relation that row security does not guard is found, and no other", async () => {
  const { code, json: said } = await check(bad, {}, json);
  assert.equal(code, 0);
  assert.equal(said.valid, true);
  assert.deepEqual(said.findings.map(({ finding, object }) => `${finding} ${object}`).sort(), [
    'foreign_table foreign table "bad.remote_bare"',
    'materialized_view materialized view "bad.mv_bare"',
    'no_index foreign key "children_a b_fkey" of table "bad.children"',
    'no_index foreign key "children_partly_fkey" of table "bad.children"',
    'no_policy table "bad.silent"',
    'not_enabled table "bad.open"',
    'role_owns table "bad.owned"',
    "search_path function bad.fn_loose(n integer)",
    "search_path function bad.fn_of_row(o bad.guarded)",
    "search_path function bad.fn_read()",
    "search_path function bad.fn_user(n integer)",
    'view_of_owner view "bad.v_Own"er"',
    'view_of_owner view "bad.v_anonymous"',
    'view_of_owner view "bad.v_copied"',
  ]);
  assert.equal((await check(bad, fail)).code, 1);
});

test("a schema with findings is served with a warning for each", async () => {
  const daemon = await start(bad, exposed);
  await daemon.stop();
  // What it wrote has come whole only when it has ended.
  const warned = daemon.logged("tenants may not be isolated");
  const slow = daemon.logged("requests may be slow, or fail");
  assert.equal(warned.length, 12);
  assert.equal(slow.length, 2);
  for (const line of [...warned, ...slow]) {
    assert.equal(line.level, "warn");
    assert.ok(line.finding && line.object && line.problem && line.fix, JSON.stringify(line));
  }
});

test("under tenancy.enforce_rls_check: fail it is not served until what is printed has mended it", async () => {
  const daemon = new Daemon(configuration(bad, { ...exposed, ...fail, database: { pool: { retry_backoff: ["50ms", "100ms"] } } }));
  await daemon.listening();
  await within(15000, "the schema is refused", () => daemon.logged("refused to serve the schema").length > 0);
  assert.equal((await daemon.admin("/readyz")).status, 503);
  assert.equal((await daemon.post("{ guardeds { id } }")).status, 503);
  const { stdout } = await check(bad, fail);
  await shared.sql(bad, stdout);
  await daemon.ready();
  const fields = ["guardeds", "opens", "silents", "owneds", "invokers", "declareds", "ownErs", "nesteds", "totals", "copieds", "bares"];
  const seen = await daemon.post(`{ ${fields.map((field) => `${field} { tenantId }`).join(" ")} }`, { token: tokenFor(GLOBEX) });
  await daemon.stop();
  assert.equal(seen.body.errors, undefined, seen.text);
  assert.deepEqual(seen.body, { data: Object.fromEntries(fields.map((field) => [field, [{ tenantId: GLOBEX }, { tenantId: GLOBEX }]])) });

  const { code, json: said } = await check(bad, fail, json);
  assert.deepEqual(said.findings, []);
  assert.equal(code, 0);
  // In the database as well, where row security can see to it.
  for (const relation of ["guarded", "open", "silent", "owned", "v_invoker", "v_declared", '"v_Own""er"', "v_nested"]) {
    const counted = await shared.sql(bad, `set role app_user; set app.current_tenant_id = '${GLOBEX}'; select count(*), count(distinct tenant_id) from bad.${relation}`);
    assert.equal(counted, "2|1", relation);
  }
  assert.equal(await shared.sql(bad, `select has_table_privilege('app_user', 'bad.remote_bare', 'select') or has_table_privilege('app_user', 'bad.v_anonymous', 'select')`), "f");
  assert.match(await shared.sql(bad, "select obj_description('bad.v_copied'::regclass)"), /^It's a copy\.\n@fraiseql:type\n/);
});

test("advice is no reason not to serve", async () => {
  await shared.sql(bad, "drop index bad.children_first_idx");
  const { code, json: said } = await check(bad, fail, json);
  assert.deepEqual(said.findings.map(({ finding }) => finding), ["no_index"]);
  assert.equal(code, 0);
  await (await start(bad, { ...exposed, ...fail })).stop();
});

for (const [what, attribute] of [["bypassrls", "bypassrls"], ["superuser", "superuser"]]) {
  test(`a role of requests that is ${what} is found`, async () => {
    const role = `audit_${randomBytes(4).toString("hex")}`;
    const database = await createDatabase();
    await shared.sql(database, `create role ${role} ${attribute}; grant app_user, ${role} to fraiseqld; grant app_user to ${role}`);
    // Which a superuser could read.
    const schema = { expose: { schemas: ["public"], views: ["v_*"], exclude: ["v_tenant_project_summary"] } };
    const options = { ...fail, schema, database: { role } };
    const first = await check(database, options, json);
    assert.deepEqual(first.json.findings.map(({ finding }) => finding), ["role_bypasses"]);
    await shared.sql(database, first.json.findings[0].fix);
    const second = await check(database, options, json);
    assert.deepEqual(second.json.findings, []);
  });
}

test("in the demo nothing is found", async () => {
  const database = await createDatabase();
  const file = writeConfiguration(configuration(database, { ...fail, schema: { expose: { functions: ["fn_*"] } } }));
  const { code, stdout, stderr } = await program(["check", "--connect", "-c", file]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, /0 findings/);
});

test("a database that is not there is 69, a catalog without relations 65, and --dump another question", async () => {
  const absent = await check("nowhere_at_all", { database: { url: "postgresql://fraiseqld@127.0.0.1:1/x" } });
  assert.equal(absent.code, 69, absent.stderr);
  const empty = await check(bad, { schema: { expose: { schemas: ["nowhere"], views: ["*"] } } });
  assert.equal(empty.code, 65, empty.stderr);
  assert.equal((await check(bad, {}, ["--dump"])).code, 64);
});

test("without tenancy nothing is looked at", async () => {
  const { code, json: said, stderr } = await check(bad, { tenancy: { enabled: false, enforce_rls_check: "fail" } }, json);
  assert.equal(code, 0);
  assert.equal(said.findings, undefined);
  assert.match(stderr, /tenancy\.enabled is false/);
});

test("indexes of no use or missing, and policies that fail, are advised of; the printed policy shows nothing instead", async () => {
  const database = await createDatabase();
  await shared.sql(database, `
    create schema bad;
    grant usage on schema bad to app_user;
    create type bad.state as enum ('ON', 'OFF');
    create table bad.items (id int primary key, tenant_id uuid, state bad.state, price numeric, note text, plain text);
    create index on bad.items (state);
    create index on bad.items (tenant_id, price);
    create index on bad.items (plain) where plain > 'a';
    create index on bad.items (lower(note));
    create table bad.orders (id int primary key, tenant_id uuid, note text);
    create table bad.small (id int primary key, tenant_id uuid, note text);
    insert into bad.orders values (1, '${ACME}');
    ${policy("bad.items")} ${policy("bad.small")}
    alter table bad.orders enable row level security;
    create policy "p q" on bad.orders to app_user using (tenant_id = current_setting('app.current_tenant_id', true)::uuid);
    create policy r on bad.orders as restrictive to app_user using (id > (select current_setting('app.current_tenant_id', true)::text = '')::int - 2);
    update pg_class set reltuples = 200000 where oid in ('bad.items'::regclass, 'bad.orders'::regclass);
    grant select on bad.items, bad.orders, bad.small to app_user`);
  const { code, json: said } = await check(database, {}, json);
  assert.equal(code, 0);
  assert.deepEqual(said.findings.map(({ finding, object }) => `${finding} ${object}`).sort(), [
    'fails_unset policy "p q" of table "bad.orders"',
    'no_index filters of table "bad.items"',
    'no_index filters of table "bad.orders"',
    'no_index table "bad.orders"',
    'not_leakproof table "bad.items"',
  ]);
  const fix = (name) => said.findings.find(({ finding, object }) => `${finding} ${object}`.startsWith(name)).fix;
  assert.match(fix("not_leakproof"), /: "state", "price"$/);
  assert.match(fix("no_index filters of table \"bad.items"), /: "note", "plain"$/);
  const unset = "set role app_user; select set_config('app.current_tenant_id', '', false); select * from bad.orders";
  await assert.rejects(shared.sql(database, unset), /invalid input syntax for type uuid/);
  await shared.sql(database, fix("fails_unset"));
  await shared.sql(database, unset);
  assert.deepEqual(
    await shared.rows(database, `select qual from pg_policies where policyname = 'p q'`),
    [{ qual: "(tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)" }],
  );
  const again = await check(database, {}, json);
  assert.ok(!again.json.findings.some(({ finding }) => finding === "fails_unset"));
});
