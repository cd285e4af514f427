// Each limit refuses what is above it, lets pass what is at it, and says so.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, Session, shared } from "./support/postgres.mjs";
import { ACME, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
const daemon = await start(database, {
  server: { limits: { max_body_bytes: "8KiB", max_response_bytes: "16KiB", max_header_bytes: "4KiB", max_uri_bytes: "1KiB" } },
  security: { max_depth: 4, max_aliases: 3, max_root_fields: 2, max_tokens: 60, max_directives: 2, max_fragments: 2, max_document_bytes: "2KiB" },
});
after(() => daemon.stop());

const tooComplex = async (query) => {
  const error = await daemon.refusal(query);
  assert.equal(error.extensions.code, "QUERY_TOO_COMPLEX", error.message);
  assert.equal(error.status, 400);
  return error;
};

test("security.max_depth", async () => {
  await daemon.data("{ projects(limit: 1) { owner { projects(limit: 1) { id } } } }");
  await tooComplex("{ projects(limit: 1) { owner { projects(limit: 1) { owner { id } } } } }");
});

test("security.max_depth counts through fragments", async () => {
  await tooComplex("{ projects { ...A } } fragment A on Project { owner { ...B } } fragment B on User { projects { owner { id } } }");
});

test("security.max_aliases", async () => {
  await daemon.data("{ projects(limit: 1) { a: id b: id c: id } }");
  await tooComplex("{ projects(limit: 1) { a: id b: id c: id d: id } }");
});

test("security.max_root_fields", async () => {
  await daemon.data("{ projects(limit: 1) { id } users(limit: 1) { id } }");
  await tooComplex("{ projects(limit: 1) { id } users(limit: 1) { id } tasks(limit: 1) { id } }");
});

test("security.max_directives", async () => {
  await daemon.data("{ projects(limit: 1) @include(if: true) { id @skip(if: false) } }");
  await tooComplex("{ projects(limit: 1) @include(if: true) { id @skip(if: false) name @skip(if: false) } }");
});

test("security.max_fragments", async () => {
  await tooComplex(`{ projects { ...A ...B ...C } } fragment A on Project { id } fragment B on Project { id } fragment C on Project { id }`);
});

test("security.max_tokens", async () => {
  await daemon.data(`{ projects(limit: 1) { ${"id ".repeat(50)}} }`);
  const error = await daemon.refusal(`{ projects(limit: 1) { ${"id ".repeat(60)}} }`);
  assert.ok(["QUERY_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED"].includes(error.extensions.code), error.message);
});

test("security.max_document_bytes", async () => {
  const document = (bytes) => `{ __typename } #${"x".repeat(bytes)}`;
  await daemon.data(document(2000));
  const error = await daemon.refusal(document(2048));
  assert.ok(["QUERY_TOO_COMPLEX", "PAYLOAD_TOO_LARGE", "GRAPHQL_PARSE_FAILED"].includes(error.extensions.code), error.message);
});

test("server.limits.max_body_bytes", async () => {
  const variables = { padding: "x".repeat(7900) };
  assert.equal((await daemon.post("{ __typename }", { variables })).status, 200);
  const reply = await daemon.post("{ __typename }", { variables: { padding: "x".repeat(9000) }, agent: false });
  assert.equal(reply.status, 413);
});

test("server.limits.max_header_bytes and max_uri_bytes", async () => {
  assert.equal((await daemon.post("{ __typename }", { headers: { "x-padding": "x".repeat(5000) }, agent: false })).status, 431);
  const headers = { authorization: `Bearer ${tokenFor(ACME)}` };
  const get = (bytes) => daemon.request(`${daemon.url}/graphql?query={__typename}&x=${"x".repeat(bytes)}`, { headers, agent: false });
  assert.equal((await get(900)).status, 200);
  assert.equal((await get(1100)).status, 414);
});

test("server.limits.max_response_bytes", async () => {
  const { body } = await daemon.post("{ tasks(limit: 1000) { id title description createdAt updatedAt } }");
  assert.equal(body.data, null);
  assert.equal(body.errors[0].extensions.code, "QUERY_TOO_COMPLEX");
  assert.equal((await daemon.data("{ tasks(limit: 20) { id title } }")).tasks.length, 20);
});

const ORDINARY = "{ projects(limit: 20) { owner { name } tasks(limit: 10) { title assignee { name } } } }";

test("security.max_complexity", async () => {
  // 1 + 20 * (1 + 1 + 1 + 10 * (1 + 1 + 1))
  const own = await start(database, { security: { max_complexity: 661, max_depth: 20 } });
  const refused = async (query, variables) => {
    const error = await own.refusal(query, { variables });
    assert.equal(error.extensions.code, "QUERY_TOO_COMPLEX", error.message);
    assert.equal(error.status, 400);
  };
  const nested = "query($n: Int, $m: Int) { projects(limit: $n) { tasks(limit: $m) { id } } }";
  try {
    await own.data(ORDINARY);
    await refused(ORDINARY.replace("owner { name }", "owner { name id }"));
    await refused(ORDINARY.replace("limit: 20", "limit: 21"));
    // A list without limit has the default one.
    await own.data("{ projects { id name description status } }");
    await refused("{ projects { tasks { id } } }");
    await refused("{ projects { ...A } } fragment A on Project { id tasks { ...B } } fragment B on Task { id }");
    // Values of variables count, those of the same document time and again.
    await own.data(nested, { variables: { n: 10, m: 60 } });
    await refused(nested, { n: 10, m: 70 });
    await refused(nested, { n: 100 });
    await refused(nested, { n: 10, m: null });
    await own.data(nested, { variables: { n: 1, m: 100 } });
    await refused(nested);
    await own.data("{ __schema { types { name fields { name args { name } } } } }");
  } finally {
    await own.stop();
  }
});

test("security.complexity.default_list_factor", async () => {
  const own = await start(database, { security: { max_complexity: 661, complexity: { default_list_factor: 5 } } });
  try {
    await own.data("{ projects { tasks { id } } }");
    await own.data("query($n: Int) { projects(limit: $n) { tasks { id } } }");
    const error = await own.refusal("{ projects(limit: 120) { tasks { id } } }");
    assert.equal(error.extensions.code, "QUERY_TOO_COMPLEX");
  } finally {
    await own.stop();
  }
});

test("the default of security.max_complexity lets two nested lists of 20 fields through, not three", async () => {
  const own = await start(database, { security: { max_tokens: 5000 } });
  const columns = (n) => Array.from({ length: n }, (_, i) => `a${i}: id`).join(" ");
  const aliases = { security: { max_aliases: 1000 } };
  try {
    await own.data(ORDINARY);
    await own.data("{ projects { id name owner { id name } tasks { id title status assignee { id name } } } }");
    const error = await own.refusal("{ users { projects { tasks { id } } } }");
    assert.equal(error.extensions.code, "QUERY_TOO_COMPLEX");
    const wide = await start(database, aliases);
    try {
      await wide.data(`{ projects { ${columns(20)} tasks { ${columns(20)} } } }`);
    } finally {
      await wide.stop();
    }
  } finally {
    await own.stop();
  }
});

test("security.max_list_variables", async () => {
  const own = await start(database, { security: { max_list_variables: 4 } });
  const query = "query($ids: [ID!]) { users(where: {id: {in: $ids}}, limit: 1) { id } }";
  const ids = (n) => Array.from({ length: n }, () => "00000000-0000-4000-8001-000000000001");
  try {
    await own.data(query, { variables: { ids: ids(4) } });
    assert.equal((await own.refusal(query, { variables: { ids: ids(5) } })).extensions.code, "QUERY_TOO_COMPLEX");
    assert.equal((await own.refusal(query, { variables: { ids: ids(3), unused: [[1], 2] } })).extensions.code, "QUERY_TOO_COMPLEX");
  } finally {
    await own.stop();
  }
});

test("each limit counts what it refuses", async () => {
  const own = await start(database, {
    server: { limits: { max_response_bytes: "1KiB" } },
    security: { max_depth: 3, max_aliases: 1, max_root_fields: 1, max_tokens: 100, max_directives: 1, max_fragments: 1, max_document_bytes: "2KiB", max_complexity: 50, max_list_variables: 1 },
  });
  const count = async (limit) => Number(new RegExp(`^fraiseql_graphql_limit_rejections_total\\{limit="${limit}"\\} (\\d+)$`, "m").exec((await own.admin("/metrics")).text)[1]);
  try {
    for (const [limit, query, variables] of [
      ["depth", "{ projects(limit: 1) { owner { projects(limit: 1) { id } } } }"],
      ["aliases", "{ projects(limit: 1) { a: id b: id } }"],
      ["root_fields", "{ projects(limit: 1) { id } users(limit: 1) { id } }"],
      ["tokens", `{ projects(limit: 1) { ${"id ".repeat(100)} } }`],
      ["directives", "{ projects(limit: 1) @include(if: true) { id @skip(if: false) } }"],
      ["fragments", "{ projects { ...A ...B } } fragment A on Project { id } fragment B on Project { id }"],
      ["document_bytes", `{ __typename } #${"x".repeat(2048)}`],
      ["complexity", "{ projects(limit: 50) { id } }"],
      ["complexity", "query($n: Int) { projects(limit: $n) { id } }", { n: 50 }],
      ["list_variables", "query($ids: [ID!]) { users(where: {id: {in: $ids}}, limit: 1) { id } }", { ids: ["1", "2"] }],
      ["response_bytes", "{ projects(limit: 12) { id name description } }"],
    ]) {
      const before = await count(limit);
      const { body } = await own.post(query, { variables });
      assert.equal(body.errors[0].extensions.code, "QUERY_TOO_COMPLEX", limit);
      assert.equal(await count(limit), before + 1, limit);
    }
  } finally {
    await own.stop();
  }
});

test("in production neither names nor PostgreSQL's words reach clients", async () => {
  const own = await start(database, { errors: { environment: "production" }, schema: { introspection: "off" } });
  try {
    for (const query of ["{ project { nam } }", "{ projcts { id } }", "{ projects(limits: 1) { id } }", "query($a: Projct) { __typename }", "{ projects { ... on Projet { id } } }"]) {
      const reply = await own.post(query);
      assert.ok(reply.body.errors.length > 0, query);
      assert.doesNotMatch(reply.text, /did you mean/i, query);
    }
    const developed = await daemon.post("{ projcts { id } }");
    assert.match(developed.text, /did you mean/i, "it is what development has");
    const session = new Session(database);
    await session.run("begin; revoke select on v_project from app_user; commit");
    try {
      const reply = await own.post("{ projects(limit: 1) { id } }");
      assert.equal(reply.body.data, null);
      assert.doesNotMatch(reply.text, /denied for|v_project|relation/i);
    } finally {
      await session.run("grant select on v_project to app_user");
      await session.end();
    }
  } finally {
    await own.stop();
  }
});

/** Requests that wait for a lock until it is released. */
async function stalled(own, n) {
  const session = new Session(database);
  await session.run("begin; lock table projects in access exclusive mode");
  const replies = Array.from({ length: n }, () => own.post("{ projects(limit: 1) { id } }"));
  return {
    replies,
    async release() {
      await session.run("rollback");
      await session.end();
      return Promise.all(replies);
    },
  };
}

const inFlight = async (own) => Number(/^fraiseql_http_requests_in_flight (\d+)$/m.exec((await own.admin("/metrics")).text)[1]);

test("a full queue refuses with 503 and Retry-After, and recovers", async () => {
  const own = await start(database, { server: { limits: { max_queue: 6 } }, database: { pool: { min: 1, max: 2 } } });
  try {
    const stall = await stalled(own, 6);
    await within(5000, "six are in flight", async () => (await inFlight(own)) === 6);
    for (let i = 0; i < 5; i++) {
      const reply = await own.post("{ __typename }");
      assert.equal(reply.status, 503);
      assert.equal(reply.body.errors[0].extensions.code, "SERVICE_UNAVAILABLE");
      assert.ok(Number(reply.headers["retry-after"]) >= 1);
    }
    // Probes are answered under overload.
    assert.equal((await own.admin("/livez")).status, 200);
    assert.equal((await own.admin("/readyz")).status, 200);
    const replies = await stall.release();
    assert.ok(replies.every(({ status, body }) => status === 200 && body.data.projects.length === 1));
    assert.equal((await own.post("{ __typename }")).status, 200);
    const rejected = /^fraiseql_http_rejected_total\{reason="max_queue"\} (\d+)$/m.exec((await own.admin("/metrics")).text);
    assert.equal(Number(rejected[1]), 5);
  } finally {
    await own.stop();
  }
});

test("who gets no connection within database.pool.acquire_timeout is refused", async () => {
  const own = await start(database, { server: { workers: 1 }, database: { pool: { min: 1, max: 1, acquire_timeout: "300ms" }, statement_timeout: "20s" } });
  try {
    const stall = await stalled(own, 1);
    await within(5000, "one waits for the lock", async () =>
      Number(await shared.sql(database, `select count(*) from pg_stat_activity where datname = '${database}' and wait_event_type = 'Lock'`)) === 1,
    );
    const { body } = await own.post("{ users(limit: 1) { id } }");
    assert.ok(["SERVICE_UNAVAILABLE", "TIMEOUT"].includes(body.errors[0].extensions.code), JSON.stringify(body));
    const replies = await stall.release();
    assert.equal(replies[0].status, 200);
    assert.equal((await own.data("{ users(limit: 1) { id } }")).users.length, 1);
  } finally {
    await own.stop();
  }
});

test("server.limits.max_connections", async () => {
  const own = await start(database, { server: { limits: { max_connections: 4 } } });
  const { Raw } = await import("./support/raw.mjs");
  const held = [];
  try {
    for (let i = 0; i < 4; i++) {
      held.push(new Raw(own.address));
      await held.at(-1).connected;
    }
    const extra = new Raw(own.address);
    const text = await extra.all(5000);
    assert.ok(text === "" || text.startsWith("HTTP/1.1 503"), text);
    held.forEach((socket) => socket.close());
    await within(5000, "there is room again", async () => {
      try {
        return (await own.post("{ __typename }", { agent: false })).status === 200;
      } catch {
        return false;
      }
    });
  } finally {
    held.forEach((socket) => socket.close());
    await own.stop();
  }
});
