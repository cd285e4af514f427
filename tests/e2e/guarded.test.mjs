// What row security cannot guard, the daemon guards: materialized views, foreign tables, and what declares
// its tenant's column. Whatever a tenant asks, the answer is the same as if there were no other tenant.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { start } from "./support/daemon.mjs";
import { operations } from "./support/explore.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, GLOBEX, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const setting = "(select nullif(current_setting('app.current_tenant_id', true), '')::uuid)";

// Ours have odd keys, theirs even ones; all of theirs that is text says globex.
const database = await createDatabase();
await shared.sql(database, `
  create schema guard;
  grant usage on schema guard to app_user;
  create table guard.orgs (id int primary key, tenant_id uuid not null, name text not null);
  alter table guard.orgs enable row level security;
  create policy p on guard.orgs to app_user using (tenant_id = ${setting});
  create table guard.items (id int primary key, tenant_id uuid not null, org_id int references guard.orgs,
    label text, amount numeric, added timestamptz);
  comment on table guard.items is E'Things.\\n@fraiseql:type\\ntenant_column: tenant_id';
  create table guard.texts ("Mandant X" text, id int primary key, item_id int references guard.items, body text);
  comment on table guard.texts is E'@fraiseql:type\\ntenant_column: Mandant X';
  create materialized view guard.mv_total as
    select o.id, o.tenant_id, o.name as label, o.id as org_id, count(i.id) as n, sum(i.amount) as total
      from guard.orgs o left join guard.items i on i.org_id = o.id and i.tenant_id = o.tenant_id group by o.id, o.tenant_id, o.name;
  create unique index on guard.mv_total (id);
  create view guard.v_note as select distinct tenant_id, org_id, label as note from guard.items;
  comment on view guard.v_note is E'@fraiseql:type\\ntenant_column: tenant_id';
  create view guard.v_bare with (security_invoker) as select id, org_id, tenant_id, label from guard.items;
  comment on view guard.v_bare is E'@fraiseql:type\\ntenant_column: tenant_id';
  create table guard.tags (id int primary key, tenant_id uuid, tag text);
  comment on table guard.tags is E'@fraiseql:type\\ntenant_column: tenant_id';
  create table guard.item_tags (item_id int references guard.items, tag_id int references guard.tags, tenant_id uuid, primary key (item_id, tag_id));
  comment on table guard.item_tags is E'@fraiseql:type\\ntenant_column: tenant_id';
  create extension postgres_fdw;
  create server self foreign data wrapper postgres_fdw options (host '127.0.0.1', port '${shared.port}', dbname '${database}');
  create user mapping for public server self options (user '${shared.user}', password_required 'false');
  create foreign table guard.remote (id int, tenant_id uuid, label text) server self options (schema_name 'guard', table_name 'items');
  create function guard.fn_items() returns setof guard.items language sql volatile as 'select * from guard.items order by id desc';
  create function guard.fn_item(key int) returns guard.items language sql volatile as 'select * from guard.items where id = key';
  create function guard.fn_totals() returns setof guard.mv_total language sql volatile as 'select * from guard.mv_total order by id desc';
  create function guard.fn_notes() returns setof guard.v_note language sql volatile as 'select * from guard.v_note order by note desc';
  create function guard.fn_note(which text) returns guard.v_note language sql volatile as 'select * from guard.v_note where note = which';
  create function guard.fn_texts() returns setof guard.texts language sql volatile as 'select * from guard.texts order by id';
  create function guard.fn_all_items() returns setof guard.items language sql stable as 'select * from guard.items order by id desc';
  create function guard.fn_some_item(key int default 2) returns guard.items language sql stable as 'select i from guard.items i where id = key';
  create function guard.fn_org_things(org guard.orgs) returns setof guard.items language sql stable as 'select * from guard.items';
  create function guard.fn_org_thing(org guard.orgs, key int default 2) returns guard.items language sql stable
    as 'select i from guard.items i where id = key';
  create function guard.fn_item_next(item guard.items) returns guard.items language sql stable as 'select i from guard.items i where i.id = item.id + 1';
  create function guard.fn_total_others(total guard.mv_total) returns setof guard.mv_total language sql stable
    as 'select * from guard.mv_total t where t.id <> total.id';
  create function guard.fill() returns void language sql as $$
    insert into guard.orgs select n, case n % 2 when 1 then '${ACME}' else '${GLOBEX}' end::uuid, (array['globex', 'acme'])[n % 2 + 1] || n
      from generate_series(1, 6) n;
    insert into guard.items select n, case n % 2 when 1 then '${ACME}' else '${GLOBEX}' end::uuid, nullif(1 + (n * 5 + n % 3) % 6, 3),
        (array['globex', 'acme'])[n % 2 + 1] || n % 7, n * 10, '2026-01-01'::timestamptz + n * interval '1 day' from generate_series(1, 40) n;
    insert into guard.texts select case n % 2 when 1 then '${ACME}' else '${GLOBEX}' end, n, 1 + (n * 3) % 40, (array['globex', 'acme'])[n % 2 + 1]
      from generate_series(1, 20) n;
    insert into guard.tags select n, case n % 2 when 1 then '${ACME}' else '${GLOBEX}' end::uuid, (array['globex', 'acme'])[n % 2 + 1] || n from generate_series(1, 10) n;
    -- Whose the link is does not depend on whose its ends are.
    insert into guard.item_tags select i, t, case (i + t) % 2 when 1 then '${ACME}' else '${GLOBEX}' end::uuid
      from generate_series(1, 40) i, generate_series(1, 10) t where (i * t) % 7 < 2;
    refresh materialized view guard.mv_total $$;
  select guard.fill();
  analyze guard.orgs; analyze guard.items; analyze guard.texts; analyze guard.tags; analyze guard.mv_total;
  grant select on all tables in schema guard to app_user`);

const exposed = { schema: { naming: { strip_prefixes: ["v_", "mv_", "fn_"] }, expose: { schemas: ["guard"], views: ["*"], tables: ["*"], materialized_views: true, functions: ["fn_*"] } } };
// Of what is generated some would be too much to ask.
const fail = { tenancy: { enforce_rls_check: "fail" }, security: { max_complexity: 0 } };
const daemon = await start(database, { ...exposed, ...fail });
after(() => daemon.stop());

const schema = buildClientSchema(await daemon.data(getIntrospectionQuery()));
const values = {
  ID: ["2", "1", "20", "40"],
  Int: [1000, 0],
  String: ["globex2", "acme", "globex"],
  BigInt: ["3", "10"],
  Decimal: ["100", "0"],
  DateTime: ["2026-01-10T00:00:00Z"],
  UUID: [GLOBEX, ACME],
  Boolean: [true, false],
};
const mutations = [
  "mutation { items { id tenantId label org { name } texts { body } } }",
  'mutation { item(input: {key: 2}) { id label } }',
  'mutation { item(input: {key: 1}) { id label } }',
  "mutation { totals { id label n total } }",
  "mutation { notes { note tenantId } }",
  'mutation { note(input: {which: "globex2"}) { note } }',
  'mutation { note(input: {which: "acme1"}) { note } }',
  "mutation { texts { id body item { label } } }",
];

/** Without order: not all relations have one. */
function settle(value) {
  if (Array.isArray(value)) {
    return value.map(settle).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== "requestId").map(([name, v]) => [name, settle(v)]));
}

/** Asked as Acme: every operation's answer. */
async function answers(token = tokenFor(ACME, ADA)) {
  const all = [...operations(schema, values), ...mutations];
  const found = new Map();
  const work = all.values();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (const query of work) {
      const { body } = await daemon.post(query, { token });
      found.set(query, JSON.stringify(settle(body)));
    }
  }));
  return found;
}

test("answers to a tenant are the same, whatever rows others have", async () => {
  const crowded = await answers();
  // Some of ours refer to rows of theirs, which have to go all the same.
  await shared.sql(database, `set session_replication_role = replica; delete from guard.texts where "Mandant X" <> '${ACME}';
    ${["items", "orgs", "tags", "item_tags"].map((table) => `delete from guard.${table} where tenant_id <> '${ACME}';`).join("\n")}
    refresh materialized view guard.mv_total`);
  const alone = await answers();
  await shared.sql(database, "truncate guard.orgs, guard.items, guard.texts, guard.tags, guard.item_tags; select guard.fill()");
  let errors = 0;
  for (const [query, text] of crowded) {
    assert.equal(text, alone.get(query), query);
    assert.doesNotMatch(text, /globex/i, query);
    assert.ok(!text.includes(GLOBEX), query);
    errors += text.includes('"errors"');
  }
  assert.ok(crowded.size > 300, String(crowded.size));
  assert.ok(errors < crowded.size / 10, `${errors} errors of ${crowded.size}: ${[...crowded].find(([, text]) => text.includes('"errors"'))}`);
});

test("each relation shows the tenant's rows, as SQL counts them", async () => {
  for (const [field, relation, column] of [
    ["items", "guard.items", "tenant_id"], ["texts", "guard.texts", '"Mandant X"'], ["totals", "guard.mv_total", "tenant_id"],
    ["remotes", "guard.remote", "tenant_id"], ["notes", "guard.v_note", "tenant_id"], ["bares", "guard.v_bare", "tenant_id"],
  ]) {
    for (const tenant of [ACME, GLOBEX]) {
      const count = Number(await shared.sql(database, `select count(*) from ${relation} where ${column}::text = '${tenant}'`));
      assert.ok(count > 0);
      assert.equal((await daemon.data(`{ ${field} { __typename } }`, { token: tokenFor(tenant, ADA) }))[field].length, count, field);
    }
  }
});

test("where requests have no tenants nothing is guarded", async () => {
  const open = await start(database, { ...exposed, auth: { mode: "optional", claims: { tenant_id: { required: false } } }, tenancy: { enabled: false } });
  try {
    assert.ok((await open.data("{ items { id } }", { token: null })).items.length > 20);
  } finally {
    await open.stop();
  }
});

test("where the column cannot be read, nothing is served past it", async () => {
  await shared.sql(database, `revoke select on guard.items from app_user; grant select (id, label) on guard.items to app_user`);
  daemon.signal("SIGHUP");
  await within(5000, "it is refused", () => daemon.logged("could not load the schema").length > 0);
  assert.match(daemon.logged("could not load the schema")[0].error, /tenant_id.*guard\.items/);
  await shared.sql(database, "grant select on guard.items to app_user");
});
