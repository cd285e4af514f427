// Logs and metrics: what operators see.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase } from "./support/postgres.mjs";
import { ACME, sign, claims, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
const daemon = await start(database, { observability: { log: { access: { enabled: true } } } });
after(() => daemon.stop());

const accessLine = (id) => within(2000, "the request is logged", () => daemon.lines.find((l) => l.msg === "request" && l.request_id === id));

/** name{labels} → value; fails on what is no exposition format. */
function parseMetrics(text) {
  const samples = new Map();
  const types = new Map();
  const helped = new Set();
  assert.ok(text.endsWith("\n"));
  for (const line of text.trimEnd().split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (comment) {
      comment[1] === "TYPE" ? types.set(comment[2], comment[3]) : helped.add(comment[2]);
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[\d.]+(?:e[+-]?\d+)?|[+-]?Inf|NaN)$/.exec(line);
    assert.ok(sample, `no sample: ${line}`);
    const family = sample[1].replace(/_(bucket|sum|count)$/, "");
    assert.ok(types.has(sample[1]) || types.get(family) === "histogram", `no type: ${line}`);
    assert.ok(helped.has(sample[1]) || helped.has(family), `no help: ${line}`);
    assert.ok(!samples.has(sample[1] + (sample[2] ?? "")), `twice: ${line}`);
    samples.set(sample[1] + (sample[2] ?? ""), Number(sample[3].replace("Inf", "Infinity")));
  }
  return { samples, types };
}

const metrics = async () => parseMetrics((await daemon.admin("/metrics")).text).samples;

test("each request is one line with who asked what, and how long it took", async () => {
  const { headers } = await daemon.post("query Few { projects(limit: 2) { id } }", { token: tokenFor(ACME) });
  const line = await accessLine(headers["x-request-id"]);
  assert.equal(line.level, "info");
  assert.equal(line.http_method, "POST");
  assert.equal(line.path, "/graphql");
  assert.equal(line.status, 200);
  assert.equal(line.operation_type, "query");
  assert.equal(line.tenant_id, ACME);
  assert.equal(line.remote_ip, "127.0.0.1");
  assert.ok(line.duration_ms > 0 && line.duration_ms < 10000);
  assert.ok(line.db_ms > 0 && line.db_ms <= line.duration_ms);
  assert.ok(line.bytes_out > 20);
  assert.match(line.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("the second time a document comes, its plan is found", async () => {
  const query = "{ projects(limit: 2) { id name turbo: id } }";
  const first = await daemon.post(query);
  const second = await daemon.post(query);
  assert.equal((await accessLine(first.headers["x-request-id"])).turbo, false);
  assert.equal((await accessLine(second.headers["x-request-id"])).turbo, true);
  assert.equal(first.text, second.text);
});

test("refused requests are logged with their status", async () => {
  const { headers } = await daemon.post("{ projects { id } }", { token: null });
  assert.equal((await accessLine(headers["x-request-id"])).status, 401);
});

test("neither tokens nor values reach the log", async () => {
  const token = sign(claims({ note: "a private claim" }));
  const secret = "a value that nobody should read";
  await daemon.post(`query ($v: String) { projects(where: {name: {eq: $v}}) { id } }`, { token, variables: { v: secret } });
  const last = await daemon.post(`{ projects(where: {name: {eq: "${secret}"}}) { id nothing } }`, { token });
  await accessLine(last.headers["x-request-id"]);
  assert.ok(!daemon.stderr.includes(secret));
  assert.ok(!daemon.stderr.includes(token));
  assert.ok(!daemon.stderr.includes(token.split(".")[2]));
});

test("a client cannot write lines of its own into the log", async () => {
  const { headers } = await daemon.post("query A { __typename }", { operationName: 'x"}\n{"msg":"forged"}' });
  await accessLine(headers["x-request-id"]);
  assert.equal(daemon.logged("forged").length, 0);
});

test("every line of the log is JSON", () => {
  for (const line of daemon.stderr.trimEnd().split("\n")) {
    assert.doesNotThrow(() => JSON.parse(line), line);
  }
});

test("a request id is taken over only from whom it may come", async () => {
  const mine = "11111111-2222-3333-4444-555555555555";
  const { headers } = await daemon.post("{ __typename }", { headers: { "x-request-id": mine } });
  assert.notEqual(headers["x-request-id"], mine);
  const trusting = await start(database, { server: { request_id: { accept: "all" } } });
  try {
    assert.equal((await trusting.post("{ __typename }", { headers: { "x-request-id": mine } })).headers["x-request-id"], mine);
    const forged = await trusting.post("{ __typename }", { headers: { "x-request-id": "x y" } });
    assert.notEqual(forged.headers["x-request-id"], "x y");
  } finally {
    await trusting.stop();
  }
});

test("metrics are in Prometheus's format, under one prefix", async () => {
  const reply = await daemon.admin("/metrics");
  assert.equal(reply.status, 200);
  assert.match(reply.headers["content-type"], /^text\/plain; version=0\.0\.4/);
  const { samples, types } = parseMetrics(reply.text);
  for (const [name, type] of types) {
    assert.match(name, /^(fraiseql_|process_|db_pool_utilization$)/);
    assert.ok(["counter", "gauge", "histogram"].includes(type));
    assert.equal(name.endsWith("_total"), type === "counter", name);
  }
  assert.equal(samples.get("fraiseql_db_up"), 1);
  assert.equal(samples.get("fraiseql_db_pool_max_connections"), 8);
  const [loaded] = daemon.logged("schema loaded");
  for (const [kind, logged] of [["relation", "relations"], ["function", "functions"], ["type", "types"]]) {
    assert.equal(samples.get(`fraiseql_schema_objects{kind="${kind}"}`), loaded[logged]);
  }
});

test("requests move the counters", async () => {
  const before = await metrics();
  await daemon.data("{ projects(limit: 1) { id } }");
  await daemon.data("{ projects(limit: 1) { id } }");
  await daemon.refusal("{ nothing }");
  await daemon.post("{ __typename }", { token: "x.y.z" });
  const moved = await within(2000, "the counters have moved", async () => {
    const now = await metrics();
    const by = (name) => (now.get(name) ?? 0) - (before.get(name) ?? 0);
    return by('fraiseql_graphql_requests_total{type="query",status="ok"}') >= 2 && by;
  });
  assert.equal(moved('fraiseql_graphql_requests_total{type="query",status="ok"}'), 2);
  assert.equal(moved('fraiseql_graphql_errors_total{code="GRAPHQL_VALIDATION_FAILED"}'), 1);
  assert.equal(moved('fraiseql_graphql_errors_total{code="UNAUTHENTICATED"}'), 1);
  assert.equal(moved('fraiseql_auth_tokens_total{result="accepted"}'), 3);
  assert.equal(moved('fraiseql_auth_tokens_total{result="refused"}'), 1);
  assert.equal(moved("fraiseql_db_query_duration_seconds_count"), 2);
  assert.equal(moved('fraiseql_http_requests_total{code="401"}'), 1);
  assert.ok(moved('fraiseql_http_requests_total{code="200"}') >= 2);
  assert.ok(moved("fraiseql_http_request_duration_seconds_count") >= 4);
  assert.equal(moved('fraiseql_graphql_request_duration_seconds_count{type="query"}'), 2);
  assert.equal(moved('fraiseql_graphql_request_duration_seconds_count{type="mutation"}'), 0);
  assert.ok(moved('fraiseql_turbo_lookups_total{result="hit"}') >= 1);
  assert.ok(moved('fraiseql_turbo_lookups_total{result="miss"}') >= 1);
});

test("a histogram's buckets grow and end with its count", async () => {
  const { samples, types } = parseMetrics((await daemon.admin("/metrics")).text);
  for (const [name] of [...types].filter(([, type]) => type === "histogram")) {
    const series = new Map();
    for (const [key, value] of samples) {
      const bucket = new RegExp(`^${name}_bucket\\{(.*?),?le="([^"]+)"\\}$`).exec(key);
      if (bucket) {
        series.set(bucket[1], [...(series.get(bucket[1]) ?? []), value]);
      }
    }
    assert.ok(series.size > 0, name);
    for (const [labels, values] of series) {
      assert.deepEqual(values, [...values].sort((a, b) => a - b), name);
      assert.equal(values.at(-1), samples.get(`${name}_count${labels ? `{${labels}}` : ""}`), name);
    }
  }
});

test("metrics can be switched off", async () => {
  const without = await start(database, { observability: { metrics: { enabled: false } } });
  try {
    assert.equal((await without.admin("/metrics")).status, 404);
  } finally {
    await without.stop();
  }
});

test("the log can be logfmt, and quieter", async () => {
  const quiet = await start(database, { observability: { log: { level: "info" } } });
  await quiet.post("{ __typename }");
  await quiet.stop();
  assert.equal(quiet.logged("request").length, 0, "no line per request unless asked for");
});
