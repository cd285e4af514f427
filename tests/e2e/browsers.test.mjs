// What browsers ask before they let a script of another origin call the API, and what they send without asking.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, Session } from "./support/postgres.mjs";
import { ACME, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const APP = "https://app.example.com";
const LOCAL = "http://localhost:3000";
const OTHER = "https://evil.example";

const database = await createDatabase();
const plain = await start(database);
const cors = await start(database, {
  server: {
    cors: { enabled: true, allow_origins: [APP, LOCAL], allow_credentials: true, expose_headers: ["x-request-id"], max_age: "5m" },
  },
});
after(() => Promise.all([plain.stop(), cors.stop()]));

const authorization = `Bearer ${tokenFor(ACME)}`;

/** A preflight request, as a browser sends it: without credentials. */
const preflight = (daemon, origin, headers = {}) =>
  daemon.request(`${daemon.url}/graphql`, {
    method: "OPTIONS",
    headers: {
      ...(origin === undefined ? {} : { origin }),
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
      ...headers,
    },
  });

const get = (daemon, headers = {}, method = "GET") =>
  daemon.request(`${daemon.url}/graphql?query={__typename}`, { method, headers: { authorization, ...headers } });

/** The names of headers that grant something. */
const granted = (reply) => Object.keys(reply.headers).filter((name) => name.startsWith("access-control-"));

test("a listed origin's preflight is answered 204 with what is configured", async () => {
  for (const origin of [APP, LOCAL]) {
    const reply = await preflight(cors, origin);
    assert.equal(reply.status, 204);
    assert.equal(reply.text, "");
    assert.equal(reply.headers["access-control-allow-origin"], origin);
    assert.equal(reply.headers["access-control-allow-credentials"], "true");
    assert.equal(reply.headers["access-control-allow-methods"], "GET, POST, OPTIONS");
    assert.match(reply.headers["access-control-allow-headers"], /\bauthorization\b/);
    assert.equal(reply.headers["access-control-max-age"], "300");
    assert.equal(reply.headers.vary, "Origin");
  }
});

test("nothing is granted to an origin that is not listed exactly", async () => {
  for (const origin of [OTHER, "null", "https://app.example.com.evil.example", "https://APP.example.com", `${APP}:443`, "http://app.example.com", "*", undefined]) {
    const reply = await preflight(cors, origin);
    assert.equal(reply.status, 204, origin);
    assert.deepEqual(granted(reply), [], origin);
    assert.equal(reply.headers.vary, "Origin");
  }
});

test("nothing that a preflight asks for is reflected", async () => {
  const reply = await preflight(cors, APP, { "access-control-request-method": "DELETE", "access-control-request-headers": "x-unlisted" });
  assert.ok(!reply.headers["access-control-allow-methods"].includes("DELETE"));
  assert.ok(!reply.headers["access-control-allow-headers"].includes("x-unlisted"));
});

test("replies, errors among them, carry the grant for a listed origin only", async () => {
  const query = (origin, text, token = tokenFor(ACME)) => cors.post(text, { token, headers: { origin } });
  for (const [text, token] of [["{ __typename }"], ["{ nothing }"], ["{ __typename }", null]]) {
    const reply = await query(APP, text, token);
    assert.equal(reply.headers["access-control-allow-origin"], APP, text);
    assert.equal(reply.headers["access-control-allow-credentials"], "true");
    assert.equal(reply.headers["access-control-expose-headers"], "x-request-id");
    assert.match(reply.headers.vary, /\bOrigin\b/);
    const other = await query(OTHER, text, token);
    assert.equal(other.status, reply.status);
    assert.deepEqual(granted(other), []);
    assert.match(other.headers.vary, /\bOrigin\b/);
  }
});

test("a preflight is answered under overload, whose refusal carries the grant too", async () => {
  const own = await start(database, { server: { cors: { enabled: true, allow_origins: [APP] }, limits: { max_queue: 1 } } });
  const session = new Session(database);
  try {
    await session.run("begin; lock table projects in access exclusive mode");
    const stalled = own.post("{ projects(limit: 1) { id } }");
    await within(5000, "one is in flight", async () => /^fraiseql_http_requests_in_flight 1$/m.test((await own.admin("/metrics")).text));
    assert.equal((await preflight(own, APP)).headers["access-control-allow-origin"], APP);
    const refused = await own.post("{ __typename }", { headers: { origin: APP } });
    assert.equal(refused.status, 503);
    assert.equal(refused.headers["access-control-allow-origin"], APP);
    assert.equal(refused.headers["cache-control"], "no-store");
    assert.ok(Number(refused.headers["retry-after"]) >= 1);
    assert.deepEqual(granted(await own.post("{ __typename }", { headers: { origin: OTHER } })), []);
    await session.run("rollback");
    assert.equal((await stalled).status, 200);
  } finally {
    await session.end();
    await own.stop();
  }
});

test("\"*\" is granted to everybody, without credentials", async () => {
  const any = await start(database, { server: { cors: { enabled: true, allow_origins: ["*"] } } });
  try {
    for (const reply of [await preflight(any, OTHER), await any.post("{ __typename }", { headers: { origin: OTHER } })]) {
      assert.equal(reply.headers["access-control-allow-origin"], "*");
      assert.equal(reply.headers["access-control-allow-credentials"], undefined);
    }
    // It is no word about what that origin may have a browser send unasked.
    assert.equal((await get(any, { origin: OTHER })).status, 400);
  } finally {
    await any.stop();
  }
});

test("without server.cors.enabled nothing is granted, and OPTIONS is not a method", async () => {
  const reply = await preflight(plain, APP);
  assert.equal(reply.status, 405);
  assert.deepEqual(granted(reply), []);
  assert.deepEqual(granted(await plain.post("{ __typename }", { headers: { origin: APP } })), []);
});

test("configurations that would grant too much, or nothing, are refused", async () => {
  for (const [section, says] of [
    [{ enabled: true, allow_origins: ["*"], allow_credentials: true }, /allow_credentials/],
    [{ enabled: true, allow_origins: ["*", APP] }, /alone/],
    [{ enabled: true, allow_origins: [] }, /must not be empty/],
    [{ enabled: true, allow_origins: ["null"] }, /origins/],
    [{ enabled: true, allow_origins: [`${APP}/`] }, /origins/],
    [{ enabled: true, allow_origins: ["https://*.example.com"] }, /origins/],
    [{ enabled: true, allow_origins: ["app.example.com"] }, /origins/],
    [{ enabled: true, allow_origins: [APP], allow_headers: ["a\r\nb"] }, /names/],
  ]) {
    const { code, stderr } = await program(["check", "-c", writeConfiguration(configuration(database, { server: { cors: section } }))]);
    assert.equal(code, 78, JSON.stringify(section));
    assert.match(stderr, says);
  }
});

const suspicious = [
  { origin: OTHER },
  { origin: "null" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { cookie: "session=1" },
  { origin: OTHER, "content-type": "text/plain" },
];

test("a GET that another site could have a browser send is refused", async () => {
  for (const headers of suspicious) {
    for (const method of ["GET", "HEAD"]) {
      const reply = await get(plain, headers, method);
      assert.equal(reply.status, 400, JSON.stringify(headers));
      if (method === "GET") {
        assert.equal(reply.body.errors[0].extensions.code, "BAD_REQUEST");
        assert.match(reply.body.errors[0].message, /apollo-require-preflight/);
      }
    }
  }
});

test("a POST that another site could have a browser send is refused", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
    const reply = await plain.request(`${plain.url}/graphql`, {
      method: "POST",
      headers: { authorization, origin: OTHER, "content-type": type },
      body: '{"query":"{ __typename }"}',
    });
    assert.equal(reply.status, 400, type);
  }
});

test("a header that takes a preflight lets them pass", async () => {
  for (const headers of suspicious) {
    for (const more of [{ "apollo-require-preflight": "true" }, { "x-apollo-operation-name": "A" }, { "content-type": "application/json" }]) {
      assert.equal((await get(plain, { ...headers, ...more })).status, 200, JSON.stringify({ ...headers, ...more }));
    }
    assert.equal((await get(plain, { ...headers, "apollo-require-preflight": "" })).status, 400);
  }
  assert.equal((await plain.post("{ __typename }", { headers: { origin: OTHER, cookie: "session=1" } })).status, 200);
});

test("what no other site sent passes without", async () => {
  for (const headers of [{}, { "sec-fetch-site": "same-origin", cookie: "session=1" }, { "sec-fetch-site": "none", cookie: "session=1" }]) {
    assert.equal((await get(plain, headers)).status, 200, JSON.stringify(headers));
  }
  assert.equal((await get(cors, { origin: APP, "sec-fetch-site": "cross-site" })).status, 200, "a listed origin");
  assert.equal((await get(cors, { origin: OTHER, "sec-fetch-site": "cross-site" })).status, 400);
});

test("server.csrf_prevention: false lets everything pass", async () => {
  const open = await start(database, { server: { csrf_prevention: false } });
  try {
    for (const headers of suspicious) {
      assert.equal((await get(open, headers)).status, 200, JSON.stringify(headers));
    }
  } finally {
    await open.stop();
  }
});
