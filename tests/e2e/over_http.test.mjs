// GraphQL over HTTP: media types, methods, status codes, and the audits of graphql-http.

import assert from "node:assert/strict";
import http from "node:http";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { serverAudits } from "graphql-http";
import { start } from "./support/daemon.mjs";
import { createDatabase, Session, shared } from "./support/postgres.mjs";
import { ACME, id, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

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

test("the audits are there", () => assert.equal(audits.length, 60));

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

// --- compression ------------------------------------------------------------------------------

/** A request whose reply is looked at byte by byte. */
const bytes = (own, { method = "POST", query, headers = {}, path = "/graphql" }) =>
  new Promise((resolve, reject) => {
    const request = http.request(
      own.url + path,
      { method, agent: false, headers: { authorization, ...(method === "POST" ? { "content-type": JSON_TYPE } : {}), ...headers } },
      (reply) => {
        const parts = [];
        reply.on("data", (part) => parts.push(part));
        reply.on("error", reject);
        reply.on("end", () => resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(parts) }));
      },
    );
    request.on("error", reject);
    request.end(method === "POST" ? JSON.stringify({ query }) : undefined);
  });

const LARGE = "{ tasks(limit: 200, orderBy: [{id: ASC}]) { id title description project { name } } }";

test("a large response is compressed for those who accept gzip, and is the same", async () => {
  const plain = await bytes(daemon, { query: LARGE });
  assert.equal(plain.headers["content-encoding"], undefined);
  assert.match(plain.headers.vary, /\bAccept-Encoding\b/);
  for (const accept of ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.5", "*"]) {
    const packed = await bytes(daemon, { query: LARGE, headers: { "accept-encoding": accept } });
    assert.equal(packed.headers["content-encoding"], "gzip", accept);
    assert.match(packed.headers.vary, /\bAccept-Encoding\b/);
    assert.equal(Number(packed.headers["content-length"]), packed.body.length);
    assert.ok(packed.body.length < plain.body.length / 2);
    assert.deepEqual(gunzipSync(packed.body), plain.body);
  }
});

test("it is not for those who do not, and small ones are not worth it", async () => {
  for (const accept of ["gzip;q=0", "br", "identity", "identity, gzip;q=0.3", "*;q=0", ""]) {
    const reply = await bytes(daemon, { query: LARGE, headers: { "accept-encoding": accept } });
    assert.equal(reply.headers["content-encoding"], undefined, accept);
    JSON.parse(reply.body);
  }
  assert.equal((await bytes(daemon, { query: "{ __typename }", headers: { "accept-encoding": "gzip" } })).headers["content-encoding"], undefined);
});

test("one worker compresses many responses at once", async () => {
  const plain = await bytes(daemon, { query: LARGE });
  const replies = await Promise.all(Array.from({ length: 24 }, () => bytes(daemon, { query: LARGE, headers: { "accept-encoding": "gzip" } })));
  for (const reply of replies) {
    assert.deepEqual(gunzipSync(reply.body), plain.body);
  }
});

test("server.compression.{enabled,level,min_bytes}", async () => {
  const off = await start(database, { server: { compression: { enabled: false } } });
  const eager = await start(database, { server: { compression: { level: 9, min_bytes: "64B" } } });
  const query = "{ projects(limit: 2) { id name description createdAt } }";
  try {
    const never = await bytes(off, { query: LARGE, headers: { "accept-encoding": "gzip" } });
    assert.equal(never.headers["content-encoding"], undefined);
    assert.doesNotMatch(never.headers.vary, /Accept-Encoding/);
    const small = await bytes(eager, { query, headers: { "accept-encoding": "gzip" } });
    assert.equal(small.headers["content-encoding"], "gzip");
    assert.deepEqual(gunzipSync(small.body), (await bytes(eager, { query })).body);
    const best = await bytes(eager, { query: LARGE, headers: { "accept-encoding": "gzip" } });
    const usual = await bytes(daemon, { query: LARGE, headers: { "accept-encoding": "gzip" } });
    assert.ok(best.body.length < usual.body.length, "level 9 is smaller than level 4");
  } finally {
    await Promise.all([off.stop(), eager.stop()]);
  }
});

// --- ETag, Cache-Control ------------------------------------------------------------------------

const USERS = "/graphql?" + new URLSearchParams({ query: "{ users(limit: 100, orderBy: [{id: ASC}]) { id name email } }" });

test("a query by GET has a strong ETag, and 304 answers who has it", async () => {
  const read = (headers, method = "GET") => bytes(daemon, { method, path: USERS, headers });
  const first = await read({});
  assert.equal(first.status, 200);
  assert.match(first.headers.etag, /^"[0-9a-f]{32}"$/);
  assert.equal(first.headers["cache-control"], "private, no-cache");
  assert.match(first.headers.vary, /Accept.*Authorization/);
  assert.equal((await read({})).headers.etag, first.headers.etag);
  for (const match of [first.headers.etag, `"x", W/${first.headers.etag}`, "*"]) {
    for (const method of ["GET", "HEAD"]) {
      const again = await read({ "if-none-match": match }, method);
      assert.equal(again.status, 304, match);
      assert.equal(again.body.length, 0);
      assert.equal(again.headers.etag, first.headers.etag);
      assert.equal(again.headers["content-length"], undefined);
      assert.match(again.headers.vary, /Accept/);
    }
  }
  assert.equal((await read({ "if-none-match": '"other"' })).status, 200);
});

test("another representation has another ETag", async () => {
  const read = (headers) => bytes(daemon, { method: "GET", path: USERS, headers });
  const [json, newer, packed] = [await read({}), await read({ accept: GRAPHQL_TYPE }), await read({ "accept-encoding": "gzip" })];
  assert.equal(packed.headers["content-encoding"], "gzip");
  assert.deepEqual(gunzipSync(packed.body), json.body);
  assert.equal(new Set([json, newer, packed].map((reply) => reply.headers.etag)).size, 3);
  assert.equal((await read({ "accept-encoding": "gzip", "if-none-match": packed.headers.etag })).status, 304);
  assert.equal((await read({ "if-none-match": packed.headers.etag })).status, 200);
});

test("another tenant's data has another ETag, whatever it says it has", async () => {
  const mine = await bytes(daemon, { method: "GET", path: USERS });
  const theirs = await bytes(daemon, { method: "GET", path: USERS, headers: { authorization: `Bearer ${tokenFor(id.tenant(2))}`, "if-none-match": mine.headers.etag } });
  assert.equal(theirs.status, 200);
  assert.notEqual(theirs.headers.etag, mine.headers.etag);
});

test("what failed has no ETag and may not be kept; nor is a POST tagged", async () => {
  for (const accept of [JSON_TYPE, GRAPHQL_TYPE]) {
    const wrong = await get({ query: "{ nothing }" }, { accept, "if-none-match": "*" });
    assert.equal(wrong.headers.etag, undefined);
    assert.equal(wrong.headers["cache-control"], "no-store");
    assert.ok(wrong.body.errors);
  }
  assert.equal((await post({ query: "{ nothing }" })).headers["cache-control"], "no-store");
  const fine = await post({ query: "{ __typename }" }, { "if-none-match": "*" });
  assert.equal(fine.status, 200);
  assert.equal(fine.headers.etag, undefined);
});

// --- batches ------------------------------------------------------------------------------------

test("a batch is answered in order, each operation on its own, as one who asks", async () => {
  const own = await start(database, { server: { batching: { enabled: true, max_operations: 5 } } });
  const batch = (body, headers = {}) =>
    own.request(`${own.url}/graphql`, { method: "POST", headers: { authorization, "content-type": JSON_TYPE, ...headers }, body: JSON.stringify(body) });
  const named = { query: "query A($id: ID!) { project(id: $id) { name } } query B { __typename }", operationName: "A", variables: { id: id.project(1) } };
  try {
    const reply = await batch([{ query: "{ __typename }" }, named, { query: "{ nothing }" }, 1, { query: "{ users(limit: 1) { id } }" }]);
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.body.length, 5);
    assert.deepEqual(reply.body[0], { data: { __typename: "Query" } });
    assert.deepEqual(reply.body[1], { data: { project: { name: "Website relaunch" } } });
    assert.equal(reply.body[2].errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    assert.ok(!("data" in reply.body[2]));
    assert.equal(reply.body[3].errors[0].extensions.code, "BAD_REQUEST");
    assert.equal(reply.body[4].data.users.length, 1);
    assert.deepEqual((await batch([named])).body, [{ data: { project: { name: "Website relaunch" } } }]);
    assert.deepEqual((await batch({ query: "{ __typename }" })).body, { data: { __typename: "Query" } });
    const other = await batch([named, named], { authorization: `Bearer ${tokenFor(id.tenant(2))}` });
    assert.deepEqual(other.body, [{ data: { project: null } }, { data: { project: null } }]);
    assert.equal((await batch([named], { authorization: "Bearer nonsense" })).status, 401);
    for (const wrong of [[], Array(6).fill({ query: "{ __typename }" })]) {
      const refused = await batch(wrong);
      assert.equal(refused.status, 400);
      assert.equal(refused.body.errors[0].extensions.code, "BAD_REQUEST");
    }
    const large = await batch([{ query: LARGE }, { query: LARGE }], { "accept-encoding": "identity" });
    assert.deepEqual(large.body[0], large.body[1]);
    assert.match((await own.admin("/metrics")).text, /^fraiseql_graphql_limit_rejections_total\{limit="batch_operations"\} 1$/m);
    // A query string holds one operation.
    const array = await own.request(`${own.url}/graphql?${new URLSearchParams({ query: '[{"query":"{ __typename }"}]' })}`, { headers: { authorization } });
    assert.ok(!Array.isArray(array.body) && array.body.errors);
  } finally {
    await own.stop();
  }
});

test("server.limits.max_response_bytes holds for a batch as a whole", async () => {
  const own = await start(database, { server: { batching: { enabled: true }, limits: { max_response_bytes: "8KiB" } } });
  const query = "{ tasks(limit: 40) { id title } }";
  try {
    const reply = await own.request(`${own.url}/graphql`, {
      method: "POST",
      headers: { authorization, "content-type": JSON_TYPE },
      body: JSON.stringify([{ query }, { query }, { query }, { query: "{ __typename }" }]),
    });
    const outcomes = reply.body.map((answer) => (answer.data ? "data" : answer.errors[0].extensions.code));
    assert.equal(outcomes[0], "data");
    assert.equal(outcomes[2], "QUERY_TOO_COMPLEX");
    assert.equal(outcomes[3], "data");
  } finally {
    await own.stop();
  }
});

test("mutations of a batch run in its order, each on its own, and never by GET", async () => {
  const other = await createDatabase();
  await shared.sql(
    other,
    `create table public.entries (n int generated always as identity primary key, word text not null check (word <> ''));
     grant select, insert on public.entries to app_user;
     create view public.v_entry with (security_invoker) as select n, word from public.entries;
     grant select on public.v_entry to app_user;
     create function public.fn_enter(word text) returns int language sql volatile
       as 'insert into public.entries (word) values (fn_enter.word) returning n';`,
  );
  const own = await start(other, { server: { batching: { enabled: true } } });
  const enter = (word) => ({ query: "mutation($word: String!) { enter(input: {word: $word}) }", variables: { word } });
  const list = { query: "{ entries(orderBy: [{n: ASC}]) { word } }" };
  try {
    const { body } = await own.request(`${own.url}/graphql`, {
      method: "POST",
      headers: { authorization, "content-type": JSON_TYPE },
      body: JSON.stringify([list, enter("a"), list, enter(""), enter("b"), list]),
    });
    assert.deepEqual(body[0], { data: { entries: [] } });
    assert.deepEqual(body[2], { data: { entries: [{ word: "a" }] } });
    assert.equal(body[3].errors[0].extensions.code, "BAD_USER_INPUT");
    assert.deepEqual(body[5], { data: { entries: [{ word: "a" }, { word: "b" }] } });
    assert.ok(body[1].data.enter < body[4].data.enter);
    const parameters = new URLSearchParams({ query: enter("").query, variables: '{"word":"c"}' });
    for (const accept of [JSON_TYPE, GRAPHQL_TYPE]) {
      const reply = await own.request(`${own.url}/graphql?${parameters}`, { headers: { authorization, accept, "content-type": JSON_TYPE } });
      assert.equal(reply.status, 405);
      assert.equal(reply.headers.allow, "POST");
    }
    assert.equal((await own.post(list.query)).body.data.entries.length, 2);
  } finally {
    await own.stop();
  }
});

test("a batch is not recursion: as many as are allowed, none of which waits", async () => {
  const own = await start(database, { server: { batching: { enabled: true, max_operations: 1000 } } });
  try {
    const reply = await own.request(`${own.url}/graphql`, {
      method: "POST",
      headers: { authorization, "content-type": JSON_TYPE },
      body: JSON.stringify(Array(1000).fill({ query: "{ __typename }" })),
    });
    assert.equal(reply.body.length, 1000);
    assert.ok(reply.body.every((answer) => answer.data.__typename === "Query"));
  } finally {
    await own.stop();
  }
});

test("what is left of a batch is not begun when the client has gone", async () => {
  const own = await start(database, { server: { batching: { enabled: true } } });
  const session = new Session(database);
  const waiting = async () => Number(await shared.sql(database, `select count(*) from pg_stat_activity where datname = '${database}' and wait_event_type = 'Lock'`));
  const asked = async () => [...(await own.admin("/metrics")).text.matchAll(/^fraiseql_graphql_requests_total\{type="query".* (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  const controller = new AbortController();
  try {
    await session.run("begin; lock table projects in access exclusive mode");
    const reply = own.request(`${own.url}/graphql`, {
      method: "POST",
      agent: false,
      signal: controller.signal,
      headers: { authorization, "content-type": JSON_TYPE },
      body: JSON.stringify(Array(5).fill({ query: "{ projects(limit: 1) { id } }" })),
    });
    await within(5000, "the first waits for the lock", async () => (await waiting()) === 1);
    controller.abort();
    await assert.rejects(reply);
    await within(5000, "its statement is cancelled", async () => (await waiting()) === 0);
    await within(5000, "nothing is in flight", async () => /^fraiseql_http_requests_in_flight 0$/m.test((await own.admin("/metrics")).text));
    assert.equal(await asked(), 1);
  } finally {
    await session.run("rollback");
    await session.end();
    await own.stop();
  }
});

// --- Server-Timing ------------------------------------------------------------------------------

test("server.server_timing tells the times, and is off by default", async () => {
  const own = await start(database, { server: { server_timing: true } });
  const timing = (reply) => Object.fromEntries([...reply.headers["server-timing"].matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)]));
  try {
    const miss = timing(await own.post("{ users(limit: 7) { id } }"));
    assert.deepEqual(Object.keys(miss), ["parse", "plan", "db", "total"]);
    assert.ok(miss.parse > 0 && miss.plan > 0 && miss.db > 0);
    assert.ok(miss.total >= miss.parse + miss.plan + miss.db);
    const hit = timing(await own.post("{ users(limit: 7) { id } }"));
    assert.deepEqual([hit.parse, hit.plan], [0, 0]);
    assert.ok(hit.db > 0);
    assert.equal((await daemon.post("{ __typename }")).headers["server-timing"], undefined);
  } finally {
    await own.stop();
  }
});
