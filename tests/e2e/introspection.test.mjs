// Introspection: the schema that clients rebuild from it is the one that "schema print" prints, and
// schema.introspection says who may ask.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  isScalarType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
  validateSchema,
} from "graphql";
import { configuration, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

const everything = getIntrospectionQuery({
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});

const database = await createDatabase();
await shared.sql(
  database,
  `comment on view v_project is E'A "quoted" project,\\n  with """three""" quotes\\nand a back\\\\slash.';
   comment on column v_project.budget is E'What may be spent.\\n@deprecated ask "finance"\\\\n instead';
   comment on column v_project.name is E'  leading space'`,
);
const running = new Set();
after(() => Promise.all([...running].map((daemon) => daemon.stop())));

async function daemonWith(more) {
  const daemon = await start(database, more);
  running.add(daemon);
  return daemon;
}

const open = await daemonWith({ auth: { mode: "optional" }, tenancy: { enabled: false } });

function print(args, more = {}) {
  const file = writeConfiguration(configuration(database, more));
  return program(["schema", "print", "-c", file, ...args]);
}

const sorted = (schema) => printSchema(lexicographicSortSchema(schema));

/** What printSchema() leaves out when it is what it would be anyway. */
function specifiedBy(schema) {
  return Object.values(schema.getTypeMap())
    .filter((type) => isScalarType(type) && !isSpecifiedScalarType(type))
    .map((type) => [type.name, type.specifiedByURL ?? null])
    .sort();
}

test("the schema that schema print prints is legal", async () => {
  const { code, stdout, stderr } = await print([]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  assert.deepEqual(validateSchema(buildSchema(stdout)), []);
});

test("clients rebuild from introspection what schema print prints", async () => {
  const fromClient = buildClientSchema(await open.data(everything));
  const { stdout } = await print([]);
  const fromText = buildSchema(stdout);
  assert.deepEqual(validateSchema(fromClient), []);
  assert.equal(sorted(fromClient), sorted(fromText));
  assert.deepEqual(specifiedBy(fromClient), specifiedBy(fromText));
  assert.ok(specifiedBy(fromText).some(([, url]) => url !== null));
});

test("descriptions and deprecations survive quotes, backslashes and spaces", async () => {
  const { stdout } = await print([]);
  for (const schema of [buildClientSchema(await open.data(everything)), buildSchema(stdout)]) {
    const project = schema.getType("Project");
    const { budget, name } = project.getFields();
    assert.equal(project.description, 'A "quoted" project,\n  with """three""" quotes\nand a back\\slash.');
    assert.equal(budget.description, "What may be spent.");
    assert.equal(budget.deprecationReason, 'ask "finance"\\n instead');
    assert.equal(name.description.trim(), "leading space");
  }
});

test("schema print --format json is the answer to introspection", async () => {
  const { code, stdout } = await print(["--format", "json"]);
  assert.equal(code, 0);
  const printed = JSON.parse(stdout);
  assert.deepEqual(printed, { data: await open.data(everything) });
});

test("schema print prints the same each time", async () => {
  const [first, second] = [await print([]), await print([])];
  assert.equal(first.stdout, second.stdout);
});

test("schema print ends with 69 when there is no database, 78 for a wrong configuration, 66 for none", async () => {
  const pool = { acquire_timeout: "300ms" };
  const gone = await print([], { database: { url: "postgresql://fraiseqld@127.0.0.1:1/nowhere", pool } });
  assert.deepEqual([gone.code, gone.stdout], [69, ""]);
  assert.match(gone.stderr, /^fraiseqld: the database cannot be reached\n( {4}.+\n)*$/);
  const absent = await print([], { database: { url: shared.url("no_such_database"), pool } });
  assert.deepEqual([absent.code, absent.stdout], [69, ""]);
  const wrong = await print(["--set", "database.pool.max=none"]);
  assert.deepEqual([wrong.code, wrong.stdout], [78, ""]);
  const missing = await program(["schema", "print", "-c", "/nonexistent.yaml"]);
  assert.deepEqual([missing.code, missing.stdout], [66, ""]);
});

test("schema print ends with 65 when the catalog gives no legal schema", async () => {
  const clash = await createDatabase();
  await shared.sql(clash, "create view v_projects as select * from v_project; grant select on v_projects to app_user");
  const { code, stdout, stderr } = await program(["schema", "print", "-c", writeConfiguration(configuration(clash))]);
  assert.deepEqual([code, stdout], [65, ""], stderr);
});

// --- who may ask --------------------------------------------------------------------------------

const asking = [
  "{ __schema { queryType { name } } }",
  '{ __type(name: "Project") { name } }',
  '{ x: __type(name: "Nothing") { name } }',
  "{ __typename ...F } fragment F on Query { ... on Query { ...G } } fragment G on Query { s: __schema { types { name } } }",
  "query A { __schema { queryType { name } } } query B { __typename }",
];

const innocent = [
  "{ __typename }",
  "{ projects(limit: 1) { __typename } __typename }",
  '{ projects(limit: 1, where: {name: {eq: "__schema"}}) { __schema: __typename } }',
  "# __schema { types { name } }\n{ __typename }",
  "query __type { __typename }",
  "{ __typename __schema @skip(if: true) { queryType { name } } }",
];

async function refused(daemon, query, token, message) {
  const error = await daemon.refusal(query, { token, operationName: query.startsWith("query A") ? "A" : undefined });
  assert.equal(error.extensions.code, "INTROSPECTION_DISABLED", query);
  assert.equal(error.status, 400, query);
  assert.equal(error.locations.length, 1, query);
  assert.match(error.message, message);
}

function byGet(daemon, query) {
  return daemon.request(`${daemon.url}/graphql?query=${encodeURIComponent(query)}`, {
    headers: { accept: "application/graphql-response+json" },
  });
}

const anonymous = { auth: { mode: "optional" }, tenancy: { enabled: false } };

test("off: __schema and __type are refused wherever they stand, __typename is not", async () => {
  const daemon = await daemonWith({ ...anonymous, schema: { introspection: "off" } });
  for (const query of asking) {
    await refused(daemon, query, undefined, /disabled/);
    await refused(daemon, query, undefined, /disabled/); // from the TurboRouter as well
  }
  for (const query of innocent) {
    await daemon.data(query);
  }
  await daemon.data(asking.at(-1), { operationName: "B" });
});

test("off: over GET as over POST", async () => {
  const daemon = await daemonWith({ ...anonymous, schema: { introspection: "off" } });
  for (const query of asking.slice(0, -1)) {
    const { status, body } = await byGet(daemon, query);
    assert.deepEqual([status, body.errors[0].extensions.code], [400, "INTROSPECTION_DISABLED"], query);
  }
  assert.deepEqual((await byGet(daemon, "{ __typename }")).body, { data: { __typename: "Query" } });
});

test("off: names are not suggested", async () => {
  const daemon = await daemonWith({ ...anonymous, schema: { introspection: "off" } });
  assert.doesNotMatch((await daemon.refusal("{ projets { id } }")).message, /projects/);
  assert.match((await open.refusal("{ projets { id } }")).message, /projects/);
});

test("authenticated: with a valid token only", async () => {
  const daemon = await daemonWith({ ...anonymous, schema: { introspection: "authenticated" } });
  for (const query of asking) {
    await refused(daemon, query, null, /authenticated/);
    const operationName = query.startsWith("query A") ? "A" : undefined;
    await daemon.data(query, { operationName });
    await refused(daemon, query, null, /authenticated/); // the plan of another's is no way in
  }
  const bad = await daemon.post(asking[0], { token: "not.a.token" });
  assert.equal(bad.status, 401);
  assert.equal((await byGet(daemon, asking[0])).body.errors[0].extensions.code, "INTROSPECTION_DISABLED");
  assert.doesNotMatch((await daemon.refusal("{ projets { id } }")).message, /projects/);
});

test("auto: off in production, whoever asks; on in development", async () => {
  const daemon = await daemonWith({ ...anonymous, errors: { environment: "production" } });
  await refused(daemon, asking[0], undefined, /disabled/);
  await refused(daemon, asking[0], null, /disabled/);
  await open.data(asking[0], { token: null });
});

test("on: in production too", async () => {
  const daemon = await daemonWith({ ...anonymous, schema: { introspection: "on" }, errors: { environment: "production" } });
  for (const query of asking.slice(0, -1)) {
    await daemon.data(query, { token: null });
  }
});
