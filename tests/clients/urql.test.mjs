// urql: GET by preference, its cache, its errors.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { cacheExchange, Client, CombinedError, fetchExchange, gql } from "@urql/core";
import { start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { id } from "../e2e/support/token.mjs";
import { wire } from "./support/wire.mjs";

const database = await createDatabase();
const daemon = await start(database);
after(() => daemon.stop());

function connect({ preferGetMethod, ...options } = {}) {
  const { fetch, sent } = wire(options);
  const exchanges = [cacheExchange, fetchExchange];
  return { client: new Client({ url: `${daemon.url}/graphql`, fetch, exchanges, preferGetMethod }), sent };
}

const TASKS = gql`
  query Tasks($where: TaskWhereInput, $limit: Int) {
    tasks(where: $where, orderBy: [{ title: ASC }], limit: $limit) {
      id
      title
      assignee {
        id
        name
      }
    }
  }
`;

const methods = (sent) => sent.map(({ method, status }) => [method, status]);

test("urql's queries are answered by GET where it prefers that, by POST where not", async () => {
  const expected = await shared.rows(
    database,
    `select id, title from tasks where tenant_id = '${id.tenant(1)}' and status = 'DONE' order by title, id limit 4`,
  );
  for (const [preferGetMethod, method] of [["force", "GET"], ["within-url-limit", "GET"], [true, "GET"], [false, "POST"]]) {
    const { client, sent } = connect({ preferGetMethod });
    const { data, error } = await client.query(TASKS, { where: { status: { eq: "DONE" } }, limit: 4 });
    assert.equal(error, undefined);
    assert.deepEqual(data.tasks.map(({ id, title }) => ({ id, title })), expected);
    assert.deepEqual(methods(sent), [[method, 200]]);
  }
});

test("a query too long for a URL goes by POST", async () => {
  const { client, sent } = connect({ preferGetMethod: "within-url-limit" });
  const where = { title: { in: Array.from({ length: 200 }, (_, i) => `a title that nobody has ${i}`) } };
  const { data, error } = await client.query(TASKS, { where });
  assert.equal(error, undefined);
  assert.deepEqual(data.tasks, []);
  assert.deepEqual(methods(sent), [["POST", 200]]);
});

test("a repeated query comes from its cache", async () => {
  const { client, sent } = connect();
  const first = await client.query(TASKS, { limit: 2 });
  const second = await client.query(TASKS, { limit: 2 });
  assert.deepEqual(second.data, first.data);
  assert.equal(client.readQuery(TASKS, { limit: 2 }).data.tasks.length, 2);
  assert.equal(sent.length, 1);
});

test("a GraphQL error has its code in error.graphQLErrors", async () => {
  for (const preferGetMethod of [false, "force"]) {
    const { client } = connect({ preferGetMethod });
    const { data, error } = await client.query(gql`query { tasks { nope } }`, {});
    assert.ok(error instanceof CombinedError);
    assert.equal(data, undefined);
    assert.equal(error.networkError, undefined);
    assert.equal(error.graphQLErrors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  }
});

test("a request without a token says UNAUTHENTICATED, and has status 401", async () => {
  const { client } = connect({ token: null });
  const { error } = await client.query(TASKS, {});
  assert.equal(error.response.status, 401);
  assert.equal(error.graphQLErrors[0].extensions.code, "UNAUTHENTICATED");
});
