// GraphQL over HTTP: media types, methods, status codes, and the audits of graphql-http.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { serverAudits } from "graphql-http";
import { start } from "./support/daemon.mjs";
import { createDatabase } from "./support/postgres.mjs";
import { ACME, id, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
const daemon = await start(database);
after(() => daemon.stop());

const token = tokenFor(ACME);
const authorization = `Bearer ${token}`;
const JSON_TYPE = "application/json";
const GRAPHQL_TYPE = "application/graphql-response+json";

const get = (parameters, headers = {}, method = "GET") =>
  daemon.request(`${daemon.url}/graphql?${new URLSearchParams(parameters)}`, { method, headers: { authorization, ...headers } });
const post = (body, headers = {}) =>
  daemon.request(`${daemon.url}/graphql`, {
    method: "POST",
    headers: { authorization, "content-type": JSON_TYPE, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const audits = serverAudits({
  url: `${daemon.url}/graphql`,
  fetchFn: (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, authorization, connection: "close" } }),
});

test("the audits are there", () => assert.ok(audits.length >= 60));

for (const audit of audits) {
  test(`audit ${audit.id}: ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, "ok", result.reason);
  });
}

const type = (reply) => reply.headers["content-type"].split(";")[0];

test("the response has the media type that Accept prefers", async () => {
  for (const [accept, expected] of [
    [undefined, JSON_TYPE],
    ["*/*", JSON_TYPE],
    ["application/*", JSON_TYPE],
    [JSON_TYPE, JSON_TYPE],
    [GRAPHQL_TYPE, GRAPHQL_TYPE],
    [`${GRAPHQL_TYPE}, ${JSON_TYPE}`, GRAPHQL_TYPE],
    [`${JSON_TYPE}, ${GRAPHQL_TYPE}`, GRAPHQL_TYPE],
    [`${GRAPHQL_TYPE};q=0.5, ${JSON_TYPE};q=0.9`, JSON_TYPE],
    [`text/html, ${GRAPHQL_TYPE};q=0.1`, GRAPHQL_TYPE],
    [`${JSON_TYPE};q=0, */*`, GRAPHQL_TYPE],
    ["APPLICATION/JSON", JSON_TYPE],
  ]) {
    const reply = await post({ query: "{ __typename }" }, accept === undefined ? {} : { accept });
    assert.equal(reply.status, 200, accept);
    assert.equal(type(reply), expected, accept);
    assert.match(reply.headers["content-type"], /charset=utf-8/i);
  }
});

test("an Accept that we cannot satisfy is 406", async () => {
  for (const accept of ["text/html", "application/xml", `${JSON_TYPE};q=0, ${GRAPHQL_TYPE};q=0`]) {
    assert.equal((await post({ query: "{ __typename }" }, { accept })).status, 406, accept);
  }
});

test("a body of another type, or in another encoding, is 415", async () => {
  for (const contentType of ["text/plain", "application/graphql", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", `${JSON_TYPE}; charset=utf-16`]) {
    assert.equal((await post({ query: "{ __typename }" }, { "content-type": contentType })).status, 415, contentType);
  }
  for (const contentType of [`${JSON_TYPE}; charset=utf-8`, `${JSON_TYPE};charset="UTF-8"`, "Application/JSON"]) {
    assert.equal((await post({ query: "{ __typename }" }, { "content-type": contentType })).status, 200, contentType);
  }
});

test("a body that is no GraphQL request is 400, under either media type", async () => {
  for (const body of ["", "{", "[]", "null", '"x"', "{}", '{"query":1}', '{"query":"{ __typename }","variables":[]}', '{"query":"{ __typename }"} x', "\ufeff{}"]) {
    for (const accept of [JSON_TYPE, GRAPHQL_TYPE]) {
      const reply = await post(body, { accept });
      assert.equal(reply.status, 400, body);
      assert.equal(type(reply), accept);
      assert.equal(reply.body.errors[0].extensions.code, "BAD_REQUEST");
    }
  }
});

test("a batch of requests is refused", async () => {
  assert.equal((await post([{ query: "{ __typename }" }])).status, 400);
});

test("request errors are 200 as application/json and 400 as the newer media type", async () => {
  for (const query of ["{", "{ nothing }", "query A { __typename } query B { __typename }"]) {
    const older = await post({ query }, { accept: JSON_TYPE });
    const newer = await post({ query }, { accept: GRAPHQL_TYPE });
    assert.deepEqual([older.status, newer.status], [200, 400], query);
    assert.ok(!("data" in newer.body));
    assert.equal(older.body.errors[0].extensions.code, newer.body.errors[0].extensions.code);
  }
});

test("GET carries a query, its variables and its operation's name", async () => {
  const reply = await get({
    query: "query A { __typename } query B($id: ID!) { project(id: $id) { name } }",
    variables: JSON.stringify({ id: id.project(1) }),
    operationName: "B",
  });
  assert.equal(reply.status, 200);
  assert.deepEqual(reply.body, { data: { project: { name: "Website relaunch" } } });
});

test("GET decodes what was percent-encoded", async () => {
  const reply = await get({ query: `{ projects(where: {name: {eq: "é & + % = 漢"}}) { id } }` });
  assert.deepEqual(reply.body, { data: { projects: [] } });
});

test("GET with what cannot be decoded is 400", async () => {
  for (const tail of ["query=%7B%20__typename%2", "query=%zz", "query=%ff", "", "variables={}"]) {
    const reply = await daemon.request(`${daemon.url}/graphql?${tail}`, { headers: { authorization } });
    assert.equal(reply.status, 400, tail);
  }
});

test("a mutation by GET is 405 and names POST", async () => {
  const reply = await get({ query: "mutation { __typename }" });
  // Without any mutation in the schema it is no legal document either.
  if (reply.body.errors[0].extensions.code !== "GRAPHQL_VALIDATION_FAILED" && reply.body.errors[0].extensions.code !== "OPERATION_RESOLUTION_FAILURE") {
    assert.equal(reply.status, 405);
    assert.equal(reply.headers.allow, "POST");
  }
  assert.ok(!("data" in reply.body));
});

test("HEAD answers as GET does, without the body", async () => {
  const whole = await get({ query: "{ __typename }" });
  const head = await get({ query: "{ __typename }" }, {}, "HEAD");
  assert.equal(head.status, 200);
  assert.equal(head.text, "");
  assert.equal(head.headers["content-length"], whole.headers["content-length"]);
});

test("other methods are 405 with the allowed ones", async () => {
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    const reply = await daemon.request(`${daemon.url}/graphql`, { method, headers: { authorization, "content-type": JSON_TYPE }, body: "{}" });
    assert.equal(reply.status, 405, method);
    assert.equal(reply.headers.allow, "GET, POST");
  }
});

test("other paths are 404", async () => {
  for (const path of ["/", "/graphq", "/graphql/", "/GraphQL", "/metrics", "/livez", "/%67raphql"]) {
    assert.equal((await daemon.request(daemon.url + path, { headers: { authorization } })).status, 404, path);
  }
});

test("each response carries a request id of its own, which errors repeat", async () => {
  const one = await post({ query: "{ nothing }" });
  const two = await post({ query: "{ __typename }" });
  assert.match(one.headers["x-request-id"], /^[0-9A-Za-z-]{20,40}$/);
  assert.notEqual(one.headers["x-request-id"], two.headers["x-request-id"]);
  assert.equal(one.body.errors[0].extensions.requestId, one.headers["x-request-id"]);
});

test("introspection builds the schema that clients build", async () => {
  const { body } = await post({ query: getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, directiveIsRepeatable: true }) });
  assert.equal(body.errors, undefined, JSON.stringify(body.errors));
  const schema = buildClientSchema(body.data);
  const fields = schema.getQueryType().getFields();
  for (const name of ["project", "projects", "task", "tasks", "user", "users", "comment", "comments", "tenant", "tenants", "tenantSummary", "tenantSummaries"]) {
    assert.ok(name in fields, name);
  }
  assert.equal(String(schema.getType("Project").getFields().id.type), "ID!");
  assert.equal(String(schema.getType("Project").getFields().tasks.type), "[Task!]!");
  assert.equal(String(schema.getType("Project").getFields().budget.type), "Decimal");
  assert.ok(!("v_tenant_project_summary" in fields) && !("tenantProjectSummaries" in fields), "what the role may not read is not there");
});
