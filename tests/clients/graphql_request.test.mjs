// graphql-request: data, raw responses, errors.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ClientError, gql, GraphQLClient } from "graphql-request";
import { start } from "../e2e/support/daemon.mjs";
import { createDatabase } from "../e2e/support/postgres.mjs";
import { GLOBEX, id, tokenFor } from "../e2e/support/token.mjs";
import { wire } from "./support/wire.mjs";

const daemon = await start(await createDatabase());
after(() => daemon.stop());

function connect({ method, ...options } = {}) {
  const { fetch, sent } = wire(options);
  return { client: new GraphQLClient(`${daemon.url}/graphql`, { fetch, method }), sent };
}

const PROJECT = gql`
  query Project($id: ID!) {
    project(id: $id) {
      name
      taskCount
    }
  }
`;

const variables = { id: id.project(1) };

test("graphql-request gets data by POST and by GET", async () => {
  for (const method of ["POST", "GET"]) {
    const { client, sent } = connect({ method });
    const { project } = await client.request(PROJECT, variables);
    assert.equal(project.name, "Website relaunch");
    assert.equal(typeof project.taskCount, "number");
    assert.equal(sent[0].method, method);
  }
});

test("a raw response has status, headers and data", async () => {
  const { client } = connect();
  const { status, headers, data, errors } = await client.rawRequest(PROJECT, variables);
  assert.equal(status, 200);
  assert.equal(errors, undefined);
  assert.equal(data.project.name, "Website relaunch");
  assert.match(headers.get("x-request-id"), /^[0-9a-f-]{36}$/);
});

test("another tenant's token finds nothing", async () => {
  const { client } = connect({ token: tokenFor(GLOBEX) });
  assert.deepEqual(await client.request(PROJECT, variables), { project: null });
});

const refused = async (promise) => {
  const error = await promise.then(
    () => assert.fail("it went well"),
    (reason) => reason,
  );
  assert.ok(error instanceof ClientError, String(error));
  return error.response;
};

test("what is wrong with a request is in the ClientError it throws", async () => {
  const { client } = connect();
  const { errors } = await refused(client.request("{ project { name } }"));
  assert.equal(errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  assert.deepEqual(errors[0].locations, [{ line: 1, column: 3 }]);
});

test("so is a missing token, with its status", async () => {
  const { client } = connect({ token: null });
  const { status, errors } = await refused(client.request(PROJECT, variables));
  assert.equal(status, 401);
  assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");
});
