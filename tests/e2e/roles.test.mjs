// Each request runs as the database role that its token names, and sees the schema of what that role may
// use: down to columns, in introspection, suggestions and errors, in what is compiled and prepared.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { buildClientSchema, getIntrospectionQuery, printSchema } from "graphql";
import { configuration, Daemon, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, claims, GLOBEX, sign } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const setting = "(select nullif(current_setting('app.current_tenant_id', true), '')::uuid)";

// Roles are the whole server's.
const prefix = `r${randomBytes(4).toString("hex")}`;
const [viewer, twin, editor, stranger] = ["viewer", "twin", 'Edi "tor"', "stranger"].map((name) => `${prefix} ${name}`);
const quoted = (role) => `"${role.replaceAll('"', '""')}"`;

async function createShop() {
  const database = await createDatabase();
  await shared.sql(database, `
    create schema shop;
    create table shop.things (id int primary key, tenant_id uuid, label text, price_paid numeric, hidden_note text);
    insert into shop.things select n, case n % 2 when 1 then '${ACME}' else '${GLOBEX}' end::uuid, 'thing ' || n, n, 'note' from generate_series(1, 10) n;
    alter table shop.things enable row level security;
    create policy everyone on shop.things using (tenant_id = ${setting});
    create policy few on shop.things as restrictive to ${quoted(viewer)}, ${quoted(twin)} using (id < 6);
    create table shop.secrets (id int primary key, tenant_id uuid, thing_id int references shop.things, word text);
    insert into shop.secrets select id, tenant_id, id, 'secret' from shop.things;
    alter table shop.secrets enable row level security;
    create policy everyone on shop.secrets using (tenant_id = ${setting});
    create view shop.v_me as select 1 as id, current_user::text as name;
    create function shop.fn_name() returns text language sql volatile as 'select current_user::text';
    revoke execute on function shop.fn_name() from public;
    grant usage on schema shop to app_user, ${[viewer, twin, editor].map(quoted)};
    grant select on shop.v_me to app_user, ${[viewer, twin, editor].map(quoted)};
    grant select on shop.things, shop.secrets to ${quoted(editor)};
    grant execute on function shop.fn_name() to ${quoted(editor)};
    grant select (id, tenant_id, label) on shop.things to ${quoted(viewer)}, ${quoted(twin)};
    grant select (id, tenant_id, label, price_paid) on shop.things to app_user`);
  return database;
}

await shared.sql("postgres", `${[viewer, twin, editor, stranger].map((role) => `create role ${quoted(role)}`).join(";")};
  grant ${[viewer, twin, editor].map(quoted)} to fraiseqld`);
const database = await createShop();
after(() => shared.sql("postgres", `drop database ${database} with (force); drop role ${[viewer, twin, editor, stranger].map(quoted)}`).catch(() => {}));

const base = {
  database: { pool: { min: 1, max: 1 } },
  schema: { expose: { schemas: ["shop"], views: ["*"], tables: ["*"], functions: ["fn_*"] } },
  auth: { role_claim: { allowed: [viewer, twin, editor] } },
};
const daemon = await start(database, base);
after(() => daemon.stop());

const tokenAs = (role, more) => sign(claims({ role, ...more }));
const as = (role, more) => ({ token: tokenAs(role, more) });
const nobody = undefined;
const schemaOf = async (role, from = daemon) => buildClientSchema(await from.data(getIntrospectionQuery(), as(role)));
const fieldsOf = async (role, type) => Object.keys((await schemaOf(role)).getType(type)?.getFields() ?? {}).sort();

test("each role has a schema of what it may use, and others' names are nowhere in it", async () => {
  assert.deepEqual(await fieldsOf(nobody, "Thing"), ["id", "label", "nodeId", "pricePaid", "tenantId"]);
  assert.deepEqual(await fieldsOf(viewer, "Thing"), ["id", "label", "nodeId", "tenantId"]);
  assert.deepEqual((await fieldsOf(editor, "Thing")).filter((name) => !/^secrets/.test(name)), ["hiddenNote", "id", "label", "nodeId", "pricePaid", "tenantId"]);
  for (const role of [nobody, viewer, twin]) {
    const text = printSchema(await schemaOf(role));
    assert.doesNotMatch(text, /secret|hidden|note|mutation/i);
    assert.equal(/price/i.test(text), role === nobody);
  }
  assert.match(printSchema(await schemaOf(editor)), /secrets[\s\S]*Mutation/);
});

test("what a role may not use is unknown to it, and not suggested", async () => {
  for (const [document, name] of [
    ["{ secrets { id } }", "secrets"], ["{ things { pricePaidd } }", "pricePaidd"], ["{ things { hiddenNote } }", "hiddenNote"],
    ["{ things(where: {pricePaid: {gt: 1}}) { id } }", "pricePaid"], ["{ things(orderBy: [{pricePaid: ASC}]) { id } }", "pricePaid"],
    ["mutation { name }", "mutation"], ['{ __type(name: "Secret") { name } }', null], ["{ secret { id } }", "secret"],
    ["query ($s: SecretWhereInput) { things { id } }", "SecretWhereInput"],
  ]) {
    const { body } = await daemon.post(document, as(viewer));
    if (name === null) {
      assert.deepEqual(body, { data: { __type: null } });
      continue;
    }
    const text = JSON.stringify(body.errors).replaceAll(name, "");
    assert.ok(body.errors?.length > 0, document);
    assert.doesNotMatch(text, /secret|hidden|note|price/i, document);
  }
  // Nor is it once somebody who may has used it.
  await daemon.data("{ secrets { id } }", as(editor));
  assert.equal((await daemon.refusal("{ secrets { id } }", as(viewer))).code ?? "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_VALIDATION_FAILED");
});

test("only roles that are allowed are taken; without one it is database.role", async () => {
  const me = async (options) => (await daemon.data("{ mes { name } }", options)).mes[0].name;
  assert.equal(await me(as(nobody)), "app_user");
  assert.equal(await me(as(null)), "app_user");
  assert.equal(await me(as(viewer)), viewer);
  assert.equal(await me(as(editor)), editor);
  assert.deepEqual(await daemon.data("mutation { name }", as(editor)), { name: editor });
  for (const role of [stranger, "app_user", "fraiseqld", "postgres", "none", "", viewer.toUpperCase(), `${viewer} `, quoted(viewer), 1, true, [viewer], { name: viewer },
    "x'; drop table shop.things; --"]) {
    const reply = await daemon.post("{ mes { name } }", as(role));
    assert.equal(reply.status, 403, reply.text);
    assert.equal(reply.body.errors[0].extensions.code, "FORBIDDEN");
    assert.ok(!("data" in reply.body));
    assert.ok(typeof role !== "string" || role === "" || !reply.text.includes(String(role)), reply.text);
  }
  assert.equal((await daemon.post("{ __typename }", as(stranger))).status, 403);
});

test("on one connection, the same document gives each role and tenant its own answer", async () => {
  const rows = (n, tenant) => ({ things: Array.from({ length: n }, (_, i) => i + 1).filter((i) => i % 2 === (tenant === ACME ? 1 : 0)).map((i) => ({ id: String(i) })) });
  const queries = Array.from({ length: 400 }, (_, i) => {
    const role = [nobody, viewer, editor, twin][(i * 7) % 4];
    const tenant = [ACME, GLOBEX][(i * 3) % 2];
    return async () => {
      const options = { token: tokenAs(role, { tenant, user: ADA }) };
      const seen = await daemon.data("{ mes { name } things(orderBy: [{id: ASC}]) { id } }", options);
      assert.deepEqual(seen, { mes: [{ name: role ?? "app_user" }], ...rows(role === viewer || role === twin ? 5 : 10, tenant) });
    };
  }).values();
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (const ask of queries) {
      await ask();
    }
  }));
});

test("roles that may use the same share a schema; a grant makes a new one for whom it concerns", async () => {
  const own = await createShop();
  const three = await start(own, { ...base, database: {} });
  const loaded = (from) => three.logged("schema loaded").slice(from).map(({ role, version }) => [role, version]);
  const notify = () => shared.sql(own, "select pg_notify('fraiseqld', 'schema')");
  try {
    // It may be ready before all that it said has been read here.
    await within(5000, "each role's is told", () => loaded(0).length >= 4);
    const versions = Object.fromEntries(loaded(0));
    assert.deepEqual(Object.keys(versions), ["app_user", viewer, twin, editor]);
    assert.equal(versions[viewer], versions[twin]);
    assert.equal(new Set(Object.values(versions)).size, 3);
    // The viewer may use now what the default role may.
    await shared.sql(own, `grant select (price_paid) on shop.things to ${quoted(viewer)}`);
    await notify();
    await within(5000, "it is loaded", () => loaded(4).length > 0);
    assert.deepEqual(loaded(4), [[viewer, versions.app_user]]);
    const priced = (role) => three.post("{ things { pricePaid } }", as(role));
    assert.equal((await priced(viewer)).body.errors, undefined);
    assert.equal((await priced(twin)).body.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    await shared.sql(own, `grant select (price_paid, hidden_note) on shop.things to ${quoted(viewer)}`);
    await notify();
    await within(5000, "it is loaded", () => loaded(5).length > 0);
    assert.deepEqual(loaded(5).map(([role]) => role), [viewer]);
    assert.ok(!Object.values(versions).includes(loaded(5)[0][1]));
    await shared.sql(own, `revoke all on all tables in schema shop from ${quoted(twin)}`);
    await notify();
    await within(5000, "it is refused", () => three.logged("could not load the schema").length > 0);
    const [said] = three.logged("could not load the schema");
    assert.match(said.detail, /twin/);
    assert.equal((await three.post("{ things { id } }", as(twin))).body.errors[0].extensions.code, "FORBIDDEN");
    await three.data("{ things { id } }", as(viewer));
  } finally {
    await three.stop();
  }
});

test("all roles see a change at the same time", async () => {
  const own = await createShop();
  const all = await start(own, { ...base, database: {} });
  try {
    const has = async (role, field) => (await all.post(`{ things { ${field} } }`, as(role))).body.errors === undefined;
    for (let round = 0; round < 10; round++) {
      await shared.sql(own, `alter table shop.things add new${round} int; grant select (new${round}) on shop.things to app_user, ${quoted(viewer)}, ${quoted(twin)};
        select pg_notify('fraiseqld', 'schema')`);
      await within(5000, "one sees it", () => has(viewer, `new${round}`));
      for (const role of [nobody, twin, editor]) {
        assert.ok(await has(role, `new${round}`), `${role} in round ${round}`);
      }
    }
  } finally {
    await all.stop();
  }
});

test("a role that is not there, or that the login role cannot become, is told at the start", async () => {
  for (const [role, text] of [["no such role", /does not exist/], [stranger, /cannot become/]]) {
    const config = { ...base, auth: { role_claim: { allowed: [viewer, role] } } };
    const failing = new Daemon(configuration(database, config));
    await failing.listening();
    await within(5000, "it is said", () => failing.logged("could not load the schema").length > 0);
    const [said] = failing.logged("could not load the schema");
    assert.match(said.error, text);
    assert.match(said.detail, new RegExp(role));
    assert.equal((await failing.admin("/readyz")).status, 503);
    await failing.stop();
    const { code, stderr } = await program(["check", "--connect", "-c", writeConfiguration(configuration(database, config))]);
    assert.equal(code, 65, stderr);
    assert.match(stderr, text);
  }
});

test("commands see a role's schema: schema print --role, explain, check --connect", async () => {
  const file = writeConfiguration(configuration(database, base));
  const print = async (...args) => (await program(["schema", "print", "-c", file, ...args])).stdout;
  assert.match(await print(), /pricePaid/);
  assert.doesNotMatch(await print("--role", viewer), /pricePaid|secret/i);
  assert.match(await print("--role", editor), /secrets/);
  assert.equal((await program(["schema", "print", "-c", file, "--role", "no such role"])).code, 65);
  const explain = (role) => program(["explain", "-c", file, "-e", "{ secrets { id } }", "--claims", JSON.stringify({ ...claims(), role })]);
  assert.match((await explain(editor)).stdout, /role: .*Edi "tor"/);
  assert.equal((await explain(viewer)).code, 65);
  assert.equal((await explain(stranger)).code, 65);
  await shared.sql(database, "create table shop.open (id int primary key); grant select on shop.open to " + quoted(editor));
  const { stdout } = await program(["check", "--connect", "--format", "json", "-c", file]);
  assert.deepEqual(JSON.parse(stdout).findings.filter(({ finding }) => finding === "not_enabled").map(({ object }) => object), ['table "shop.open"']);
});
