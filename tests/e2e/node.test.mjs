// Relay's Node: rows of every type by one id, and that an id gives no right.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { program, start, configuration, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, id, tokenFor, ZENITH } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create table "odd ""things" (
     "a ""b" text, n int, at timestamptz, kind user_role, part numeric[], note text, primary key ("a ""b", n, at, kind, part));
   insert into "odd ""things" values
     (E'\\u00fc "q" \\\\', -5, '2024-01-01 00:00:00.000001+00', 'billing contact', '{1.50,NULL,NaN}', 'one'), ('', 0, 'infinity', 'owner', '{}', 'two');
   create view v_odd_thing as select * from "odd ""things";
   create table loose (word text);
   create view v_loose as select * from loose;
   create table parts (pk_part int primary key, id uuid not null unique, title text);
   insert into parts values (77, '${id.project(9)}', 'part');
   create view v_part as select * from parts;
   comment on view v_part is E'@fraiseql:type\\ntrinity: true';
   grant select on v_odd_thing, v_loose, v_part to app_user`,
);
const daemon = await start(database);
after(() => daemon.stop());

const rows = (query) => shared.rows(database, query);
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (nodeId) => JSON.parse(Buffer.from(nodeId, "base64url").toString());

test("each type with a key is a Node, and is found by its nodeId", async () => {
  const { __schema } = await daemon.data("{ __schema { types { name kind interfaces { name } possibleTypes { name } fields { name } } } }");
  const objects = __schema.types.filter(({ kind, fields }) => kind === "OBJECT" && fields.some(({ name }) => name === "nodeId"));
  const node = __schema.types.find(({ name }) => name === "Node");
  assert.equal(node.kind, "INTERFACE");
  assert.deepEqual(node.fields, [{ name: "nodeId" }]);
  assert.deepEqual(node.possibleTypes.map(({ name }) => name).sort(), objects.map(({ name }) => name).sort());
  for (const { name, interfaces } of objects) {
    assert.deepEqual(interfaces, [{ name: "Node" }]);
    const [field] = [`${name[0].toLowerCase()}${name.slice(1)}sConnection`, "tenantSummariesConnection"].filter((field) =>
      __schema.types.find(({ name }) => name === "Query").fields.some((known) => known.name === field),
    );
    const { page } = await daemon.data(`{ page: ${field}(first: 3) { nodes { __typename nodeId } } }`);
    assert.ok(page.nodes.length > 0, name);
    for (const { nodeId } of page.nodes) {
      const found = await daemon.data("query ($id: ID!) { node(id: $id) { __typename nodeId } }", { variables: { id: nodeId } });
      assert.deepEqual(found, { node: { __typename: name, nodeId } });
    }
  }
  for (const without of ["Loose", "ProjectConnection", "Query"]) {
    assert.ok(!objects.some(({ name }) => name === without), without);
  }
});

const PARTS = `query ($id: ID!, $other: ID!, $with: Boolean!) {
  node(id: $id) {
    kind: __typename
    ... on Project { name owner { nodeId name } tasks(limit: 2, orderBy: [{title: ASC}]) { title } }
    ...OfTask
    ... on Node { again: nodeId @include(if: $with) }
  }
  other: node(id: $other) { ...OfTask }
}
fragment OfTask on Task { title project { name } }`;

test("fragments select what belongs to the type, one plan or another", async () => {
  const nodeId = (type, key) => encode([type, key]);
  const [project] = await rows(`select p.name, json_build_object('nodeId', '?', 'name', u.name) as owner,
      (select json_agg(t) from (select title from tasks where project_id = p.id order by title, tasks.id limit 2) t) as tasks
    from projects p join users u on u.id = p.owner_id where p.id = '${id.project(1)}'`);
  const [owner] = await rows(`select owner_id as id from projects where id = '${id.project(1)}'`);
  project.owner.nodeId = nodeId("User", owner.id);
  const [task] = await rows(`select title, (select json_build_object('name', p.name) from projects p where p.id = t.project_id) as project
    from tasks t where id = '${id.task(1)}'`);
  const ask = (a, b, withId) => daemon.data(PARTS, { variables: { id: a, other: b, with: withId } });
  const p = nodeId("Project", id.project(1));
  const t = nodeId("Task", id.task(1));
  const u = nodeId("User", owner.id);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await ask(p, t, true), { node: { kind: "Project", ...project, again: p }, other: task });
    assert.deepEqual(await ask(t, p, false), { node: { kind: "Task", ...task }, other: {} });
    assert.deepEqual(await ask(u, nodeId("Nothing", 1), false), { node: { kind: "User" }, other: null });
  }
  const literal = await daemon.data(`{ node(id: "${p}") { ... on Project { name } } twice: node(id: "${t}") { __typename } projects(limit: 1) { nodeId } }`);
  assert.deepEqual(literal.node, { name: project.name });
  assert.deepEqual(literal.twice, { __typename: "Task" });
  assert.deepEqual(decode(literal.projects[0].nodeId), ["Project", (await rows(`select id from projects where tenant_id = '${ACME}' order by id limit 1`))[0].id]);
});

test("a key of several columns, of any type, comes back", async () => {
  const { oddThings } = await daemon.data("{ oddThings { nodeId note } }");
  assert.deepEqual(oddThings.map(({ note }) => note), ["two", "one"]);
  for (const { nodeId, note } of oddThings) {
    for (const document of [`{ node(id: "${nodeId}") { ... on OddThing { note } } }`, "query ($id: ID!) { node(id: $id) { ... on OddThing { note } } }"]) {
      assert.deepEqual(await daemon.data(document, { variables: { id: nodeId } }), { node: { note } });
    }
  }
});

test("a hidden key is not in the id", async () => {
  const { parts } = await daemon.data("{ parts { nodeId title } }");
  assert.deepEqual(decode(parts[0].nodeId), ["Part", id.project(9)]);
  assert.deepEqual(await daemon.data(`{ node(id: "${parts[0].nodeId}") { ... on Part { title } } }`), { node: { title: "part" } });
});

test("an id gives no right to the row of another tenant", async () => {
  const of = (tenant, n) => rows(`select id from tasks where tenant_id = '${tenant}' order by id limit ${n}`);
  const document = "query ($id: ID!) { node(id: $id) { nodeId ... on Task { title comments { body } } } }";
  for (const { id: key } of await of(GLOBEX, 3)) {
    const variables = { id: encode(["Task", key]) };
    assert.equal((await daemon.data(document, { variables, token: tokenFor(GLOBEX) })).node.nodeId, variables.id);
    assert.deepEqual(await daemon.data(document, { variables }), { node: null });
    assert.deepEqual(await daemon.data(document, { variables, token: tokenFor(ZENITH) }), { node: null });
  }
});

test("an id of a row that is not there, or of a type that is not, is null; one that is none is refused", async () => {
  const document = "query ($id: ID!) { node(id: $id) { __typename } }";
  const key = id.project(1);
  const ask = async (nodeId) => {
    const { body } = await daemon.post(document, { variables: { id: nodeId } });
    const literal = await daemon.post(`{ node(id: ${JSON.stringify(nodeId)}) { __typename } }`);
    assert.deepEqual([literal.body.data, literal.body.errors?.[0].extensions.code], [body.data, body.errors?.[0].extensions.code], nodeId);
    return body;
  };
  for (const value of [
    ["Project", id.project(9999)],
    ["Nothing", key],
    ["Query", key],
    ["Loose", "x"],
    ["ProjectConnection", key],
    ["ProjectWhereInput", key],
    ["Node", key],
    ["String", key],
    ["__Type", key],
    ["", key],
  ]) {
    assert.deepEqual((await ask(encode(value))).data, { node: null }, JSON.stringify(value));
  }
  const good = encode(["Project", key]);
  assert.deepEqual((await ask(good)).data, { node: { __typename: "Project" } });
  for (const nodeId of [
    "",
    "x",
    "not base64!",
    "12345678",
    key,
    encode([]),
    encode({}),
    encode(["Project"]),
    encode(["Project", key, key]),
    encode(["Project", null]),
    encode(["Project", [key]]),
    encode(["Project", "no uuid"]),
    encode(["Project", "' or true --"]),
    encode([1, key]),
    encode(["Pr\u006fject\\", key]),
    Buffer.from(`["Pro\\u006aect", "${key}"]`).toString("base64url"),
    Buffer.from(`["Project", "${key}"`).toString("base64url"),
    encode(["P".repeat(1000), key]),
    `${good}A`,
    `${good}=`,
    encode(["OddThing", "a", 1]),
  ]) {
    const body = await ask(nodeId);
    assert.equal(body.errors?.length, 1, nodeId);
    assert.equal(body.errors[0].extensions.code, "BAD_USER_INPUT", JSON.stringify(body));
  }
  assert.match((await daemon.refusal("{ node(id: \"x\") { __typename } }")).message, /^"id" is not the id of a node$/);
});

test("a fragment on a type that is no Node cannot be spread there", async () => {
  for (const fragment of ["... on Loose { word }", "... on Query { __typename }", "... on PageInfo { hasNextPage }"]) {
    const { extensions } = await daemon.refusal(`{ node(id: "x") { ${fragment} } }`);
    assert.equal(extensions.code, "GRAPHQL_VALIDATION_FAILED", fragment);
  }
  const { extensions } = await daemon.refusal(`{ node(id: "x") { name } }`);
  assert.equal(extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

test("what a mutation returns has its nodeId", async () => {
  const data = await daemon.data(`mutation { createTask(input: {title: "x", projectId: "${id.project(1)}"}) { id nodeId project { nodeId } } }`);
  assert.deepEqual(decode(data.createTask.nodeId), ["Task", data.createTask.id]);
  assert.deepEqual(decode(data.createTask.project.nodeId), ["Project", id.project(1)]);
});

test("schema.relay.node: false leaves all of it out", async () => {
  const plain = await start(database, { schema: { relay: { node: false } } });
  for (const query of [`{ node(id: "x") { __typename } }`, "{ projects { nodeId } }"]) {
    assert.equal((await plain.refusal(query)).extensions.code, "GRAPHQL_VALIDATION_FAILED");
  }
  assert.deepEqual(await plain.data(`{ __type(name: "Node") { name } }`), { __type: null });
  await plain.stop();
});

test("a column of that name, or a type, stops the start and says what to do", async () => {
  const other = await createDatabase();
  await shared.sql(
    other,
    `create table machines (id int primary key, node_id int);
     create view v_machine as select * from machines; create table nodes (id int primary key); create view v_node as select * from nodes;
     grant select on v_machine, v_node to app_user`,
  );
  const check = (more) => program(["check", "--connect", "-c", writeConfiguration(configuration(other, more))]);
  const { code, stderr, stdout } = await check({});
  assert.notEqual(code, 0);
  assert.match(stdout + stderr, /column "node_id" of "public\.v_machine" would be the field "nodeId"/);
  assert.match(stdout + stderr, /"Node" is taken twice/);
  assert.match(stdout + stderr, /schema\.relay\.node/);
  assert.equal((await check({ schema: { relay: { node: false } } })).code, 0);
});
