// Relay: its compiler on the printed schema, its runtime on the daemon.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { buildClientSchema, getIntrospectionQuery, printSchema } from "graphql";
import relay from "relay-runtime";
import { start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ADA, id } from "../e2e/support/token.mjs";
import { Project } from "./support/project.mjs";
import { wire } from "./support/wire.mjs";

const database = await createDatabase();
const daemon = await start(database);
after(() => daemon.stop());

const schema = printSchema(buildClientSchema(await daemon.data(getIntrospectionQuery())));

const APP = `
import { graphql } from "relay-runtime";

export const query = graphql\`
  query AppProjectsQuery($limit: Int!, $open: TaskWhereInput) {
    projects(limit: $limit) {
      id
      ...App_project
      tasks(where: $open, limit: 2) { id title status }
    }
  }
\`;

export const fragment = graphql\`
  fragment App_project on Project {
    name
    owner { id name }
  }
\`;
`;

const PAGES = `
import { graphql } from "relay-runtime";

export const pages = graphql\`
  query PagesQuery($count: Int!, $cursor: String) { ...Pages_tasks @arguments(count: $count, cursor: $cursor) }
\`;

export const list = graphql\`
  fragment Pages_tasks on Query
  @argumentDefinitions(count: {type: "Int", defaultValue: 10}, cursor: {type: "String"})
  @refetchable(queryName: "PagesRefetchQuery") {
    tasksConnection(orderBy: [{title: ASC}], first: $count, after: $cursor) @connection(key: "Pages_tasksConnection") {
      edges { node { id title } }
    }
  }
\`;

export const one = graphql\`
  fragment Pages_project on Project @refetchable(queryName: "PagesProjectQuery") { name }
\`;

export const projects = graphql\`
  query PagesProjectsQuery { projects(limit: 1) { nodeId ...Pages_project } }
\`;
`;

const config = {
  src: "./src",
  schema: "./schema.graphql",
  language: "javascript",
  eagerEsModules: true,
  schemaConfig: { nodeInterfaceIdField: "nodeId" },
};
const files = (app) => ({ "relay.config.json": JSON.stringify(config), "schema.graphql": schema, "src/App.js": app, "src/Pages.js": PAGES });

const project = new Project(files(APP));
const compiled = await project.run("relay-compiler");

// Bundlers find modules without their suffix, which Node does not.
for (const file of compiled.code === 0 ? readdirSync(project.path("src/__generated__")) : []) {
  const path = project.path(`src/__generated__/${file}`);
  writeFileSync(path, readFileSync(path, "utf8").replace(/(from |import\()(['"]\.\/\w+\.graphql)(['"])/g, "$1$2.js$3"));
}

const artifact = async (name) => (await import(project.path(`src/__generated__/${name}.graphql.js`))).default;

function environment(options) {
  const { fetch, sent } = wire(options);
  const network = relay.Network.create(async ({ text, name }, variables) => {
    const response = await fetch(`${daemon.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: text, operationName: name, variables }),
    });
    return response.json();
  });
  const store = new relay.Store(new relay.RecordSource());
  return { environment: new relay.Environment({ network, store }), sent };
}

test("Relay's compiler takes the schema and what is asked of it", () => {
  assert.equal(compiled.code, 0, compiled.output);
});

test("Relay's compiler refuses a field that the schema does not have", async () => {
  const wrong = new Project(files(APP.replace("title status", "title nope")));
  const { code, output } = await wrong.run("relay-compiler");
  assert.notEqual(code, 0);
  assert.match(output, /nope/);
});

test("a compiled query fills Relay's store, in which each row is once", async () => {
  const { environment: relays } = environment();
  const request = await artifact("AppProjectsQuery");
  const variables = { limit: 20, open: { status: { neq: "DONE" } } };
  const data = await relay.fetchQuery(relays, request, variables).toPromise();
  const expected = await shared.rows(
    database,
    `select id, name from projects where tenant_id = '${id.tenant(1)}' order by id limit 20`,
  );
  assert.deepEqual(data.projects.map((p) => p.id), expected.map((p) => p.id));
  const fragment = await artifact("App_project");
  const read = data.projects.map((p) => relays.lookup(relay.getSingularSelector(fragment, p)).data);
  assert.deepEqual(read.map((p) => p.name), expected.map((p) => p.name));
  const records = relays.getStore().getSource();
  assert.equal(records.get(ADA).name, "Ada Lovelace");
  assert.equal(records.get(ADA).__typename, "User");
  assert.ok(data.projects.flatMap((p) => p.tasks).every((task) => task.status !== "DONE"));
});

test("Relay's own connections put the pages of one together", async () => {
  const { environment: relays } = environment();
  const fragment = await artifact("Pages_tasks");
  const first = await artifact("PagesQuery");
  const read = () => {
    const owner = relay.createOperationDescriptor(first, { count: 7 });
    const selector = relay.getSingularSelector(fragment, relays.lookup(owner.fragment).data);
    return relays.lookup(selector).data.tasksConnection;
  };
  await relay.fetchQuery(relays, first, { count: 7 }).toPromise();
  relays.retain(relay.createOperationDescriptor(first, { count: 7 }));
  assert.equal(read().edges.length, 7);
  while (read().pageInfo.hasNextPage && read().edges.length < 30) {
    await relay.fetchQuery(relays, await artifact("PagesRefetchQuery"), { count: 7, cursor: read().pageInfo.endCursor }).toPromise();
  }
  const expected = await shared.rows(
    database,
    `select id, title from tasks where tenant_id = '${id.tenant(1)}' order by title, tasks.id limit 35`,
  );
  assert.deepEqual(read().edges.map(({ node }) => ({ id: node.id, title: node.title })), expected);
});

test("a fragment is fetched again by the nodeId of its row", async () => {
  const { environment: relays } = environment();
  const { projects } = await relay.fetchQuery(relays, await artifact("PagesProjectsQuery"), {}).toPromise();
  const again = await artifact("PagesProjectQuery");
  assert.match(again.params.text, /node\(/);
  const data = await relay.fetchQuery(relays, again, { nodeId: projects[0].nodeId, id: projects[0].nodeId }).toPromise();
  const selector = relay.getSingularSelector(await artifact("Pages_project"), data.node);
  const [expected] = await shared.rows(database, `select name from projects where tenant_id = '${id.tenant(1)}' order by projects.id limit 1`);
  assert.deepEqual(relays.lookup(selector).data, { ...expected, nodeId: projects[0].nodeId });
});

test("a refused request rejects with the daemon's message", async () => {
  const { environment: relays } = environment({ token: null });
  const request = await artifact("AppProjectsQuery");
  await assert.rejects(relay.fetchQuery(relays, request, { limit: 1 }).toPromise(), (error) => {
    assert.equal(error.source.errors[0].extensions.code, "UNAUTHENTICATED");
    return true;
  });
});
