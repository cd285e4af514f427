// Apollo Client: POST, GET, persisted queries, its cache, its errors.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ADA, id } from "../e2e/support/token.mjs";
import { within } from "../e2e/support/wait.mjs";
import { wire } from "./support/wire.mjs";

const database = await createDatabase();
const daemon = await start(database);
after(() => daemon.stop());

/** A client, and what it sent. */
function connect({ useGETForQueries = false, persisted, url = daemon.url, ...options } = {}) {
  const { fetch, sent } = wire(options);
  const http = new HttpLink({ uri: `${url}/graphql`, fetch, useGETForQueries });
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const link = persisted ? new PersistedQueryLink({ sha256, ...persisted }).concat(http) : http;
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  after(() => client.stop());
  return { client, sent };
}

const PROJECTS = gql`
  query Projects($limit: Int!) {
    projects(limit: $limit) {
      id
      name
      owner {
        id
        name
      }
    }
  }
`;

const PROJECT = gql`
  query Project($id: ID!) {
    project(id: $id) {
      id
      name
    }
  }
`;

test("Apollo Client gets data by POST, in the media type it prefers", async () => {
  const { client, sent } = connect();
  const { data, error } = await client.query({ query: PROJECTS, variables: { limit: 5 } });
  const names = await shared.rows(database, "select id, name from projects where tenant_id = '" + id.tenant(1) + "' order by id limit 5");
  assert.equal(error, undefined);
  assert.deepEqual(data.projects.map(({ id, name }) => ({ id, name })), names);
  assert.ok(data.projects.every((p) => p.__typename === "Project" && p.owner.__typename === "User"));
  assert.deepEqual(
    sent.map(({ method, status, type }) => [method, status, type]),
    [["POST", 200, "application/graphql-response+json"]],
  );
});

test("its cache holds each row once, by type and key", async () => {
  const { client, sent } = connect();
  const { data } = await client.query({ query: PROJECTS, variables: { limit: 20 } });
  const cached = client.cache.extract();
  const owners = new Set(data.projects.map((p) => p.owner.id));
  assert.ok(owners.size < 20);
  assert.equal(Object.keys(cached).filter((key) => key.startsWith("Project:")).length, 20);
  assert.deepEqual(
    Object.keys(cached).filter((key) => key.startsWith("User:")).sort(),
    [...owners].map((key) => `User:${key}`).sort(),
  );
  assert.equal(cached[`User:${ADA}`].name, "Ada Lovelace");
  const again = await client.query({ query: PROJECTS, variables: { limit: 20 } });
  assert.deepEqual(again.data, data);
  assert.equal(sent.length, 1);
});

test("a row that comes with one query is renewed in the results of others", async () => {
  const { client } = connect();
  const seen = [];
  const watched = client.watchQuery({ query: PROJECTS, variables: { limit: 3 } });
  const subscription = watched.subscribe(({ data }) => seen.push(data?.projects?.[1].name));
  await within(5000, "the list is there", () => seen.at(-1));
  await shared.sql(database, `update projects set name = 'Renamed' where id = '${id.project(2)}'`);
  await client.query({ query: PROJECT, variables: { id: id.project(2) }, fetchPolicy: "network-only" });
  await within(5000, "the list has the new name", () => seen.at(-1) === "Renamed");
  subscription.unsubscribe();
});

test("its GET requests for queries are answered", async () => {
  const { client, sent } = connect({ useGETForQueries: true });
  const { data } = await client.query({ query: PROJECT, variables: { id: id.project(1) } });
  assert.deepEqual(data.project, { __typename: "Project", id: id.project(1), name: "Website relaunch" });
  assert.deepEqual(
    sent.map(({ method, status }) => [method, status]),
    [["GET", 200]],
  );
});

test("its persisted queries are registered when they come first, and hashes from then on", async () => {
  for (const useGETForHashedQueries of [false, true]) {
    const { client, sent } = connect({ persisted: { useGETForHashedQueries } });
    const query = gql`query ${useGETForHashedQueries ? "ByGet" : "ByPost"}($id: ID!) { project(id: $id) { id name } }`;
    for (const n of [1, 3, 1]) {
      const { data } = await client.query({ query, variables: { id: id.project(n) }, fetchPolicy: "network-only" });
      assert.equal(data.project.id, id.project(n));
    }
    const hashed = useGETForHashedQueries ? "GET" : "POST";
    assert.deepEqual(
      sent.map(({ method, said, status }) => [method, "query" in said, status]),
      [
        [hashed, false, 200],
        ["POST", true, 200],
        [hashed, false, 200],
        [hashed, false, 200],
      ],
    );
  }
});

test("where they are off, it falls back to the query itself, once and for all", async () => {
  const off = await start(database, { apq: { enabled: false } });
  const { client, sent } = connect({ persisted: {}, url: off.url });
  for (const n of [1, 3]) {
    assert.equal((await client.query({ query: PROJECT, variables: { id: id.project(n) } })).data.project.id, id.project(n));
  }
  assert.deepEqual(
    sent.map(({ said }) => "query" in said),
    [false, true, true],
  );
  await off.stop();
});

const rejection = async (promise) => {
  const error = await promise.then(
    () => assert.fail("it went well"),
    (reason) => reason,
  );
  assert.ok(CombinedGraphQLErrors.is(error), String(error));
  return error;
};

test("a field that does not exist is a GraphQL error with code and place", async () => {
  const { client } = connect();
  const error = await rejection(client.query({ query: gql`query { projects { nope } }` }));
  assert.equal(error.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  assert.equal(error.errors[0].locations.length, 1);
});

test("a value of the wrong type is BAD_USER_INPUT", async () => {
  const { client } = connect();
  const error = await rejection(client.query({ query: PROJECTS, variables: { limit: "many" } }));
  assert.equal(error.errors[0].extensions.code, "BAD_USER_INPUT");
});

test("a request without a token is a GraphQL error that says UNAUTHENTICATED", async () => {
  const { client, sent } = connect({ token: null });
  const error = await rejection(client.query({ query: PROJECT, variables: { id: id.project(1) } }));
  assert.equal(error.errors[0].extensions.code, "UNAUTHENTICATED");
  assert.equal(sent[0].status, 401);
});

test("a mutation's row goes into its cache, where lists have it", async () => {
  const { client, sent } = connect({ useGETForQueries: true });
  const create = gql`
    mutation Create($input: CreateTaskInput!) {
      createTask(input: $input) {
        id
        title
        priority
        assignee {
          id
        }
        project {
          id
          name
        }
      }
    }
  `;
  const assign = gql`
    mutation Assign($input: AssignTaskInput!) {
      assignTask(input: $input) {
        id
        assignee {
          id
          name
        }
      }
    }
  `;
  const input = { projectId: id.project(1), title: "Ask Apollo" };
  const created = await client.mutate({ mutation: create, variables: { input } });
  const task = created.data.createTask;
  assert.deepEqual(
    { title: task.title, priority: task.priority, assignee: task.assignee, project: task.project.name },
    { title: "Ask Apollo", priority: 3, assignee: null, project: "Website relaunch" },
  );
  assert.equal(await shared.sql(database, `select title from tasks where id = '${task.id}'`), "Ask Apollo");
  await client.mutate({ mutation: assign, variables: { input: { taskId: task.id, assigneeId: ADA } } });
  const cached = client.cache.extract();
  assert.deepEqual(cached[`Task:${task.id}`].assignee, { __ref: `User:${ADA}` });
  assert.equal(cached[`User:${ADA}`].name, "Ada Lovelace");
  assert.deepEqual(sent.map(({ method, status }) => [method, status]), [["POST", 200], ["POST", 200]]);
});

test("a mutation that the database refuses is an error at its field", async () => {
  const { client } = connect();
  const mutation = gql`
    mutation {
      createTask(input: { projectId: "${id.project(9999)}", title: "Nowhere" }) {
        id
      }
    }
  `;
  const error = await rejection(client.mutate({ mutation }));
  assert.equal(error.errors[0].extensions.code, "NOT_FOUND");
  assert.deepEqual(error.errors[0].path, ["createTask"]);
});

test("with errorPolicy all, a query that fails gives its errors and no data", async () => {
  const { client } = connect();
  const query = gql`query { project(id: "not a key") { id } }`;
  const { data, error } = await client.query({ query, errorPolicy: "all" });
  assert.ok(CombinedGraphQLErrors.is(error));
  assert.equal(error.errors[0].extensions.code, "BAD_USER_INPUT");
  assert.equal(data, null);
});
