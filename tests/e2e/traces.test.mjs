// Traces in PostgreSQL and by OTLP, metrics in PostgreSQL, and slow operations in the log.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import { test } from "node:test";
import { installSystem, start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const FEW = "query Few { projects(limit: 1) { id } }";

async function installed() {
  const database = await createDatabase();
  await installSystem(database);
  await shared.sql(
    database,
    `create function public.fn_slow(seconds float8) returns text language plpgsql stable as $$begin perform pg_sleep(seconds); return 'done'; end$$;
     create function public.fn_broken() returns text language plpgsql stable as $$begin raise exception using errcode = 'XX000'; end$$;
     grant execute on all functions in schema public to app_user`,
  );
  return database;
}

const proxied = (tracing, more = {}) => ({ server: { trusted_proxies: ["127.0.0.1/32"], ...more }, observability: { tracing: { enabled: true, ratio: 0, ...tracing } } });
const json = async (database, sql) => JSON.parse(await shared.sql(database, `select coalesce(json_agg(t), '[]') from (${sql}) t`));
const spans = (database, where = "true") => json(database, `select * from fraiseql.otel_traces where ${where} order by start_time, duration_ms desc`);
const counter = async (daemon, name) => Number(new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (\\d+)$`, "m").exec((await daemon.admin("/metrics")).text)[1]);

test("a sampled request is a tree of spans: the request, the operation, its stages", async () => {
  const database = await installed();
  const daemon = await start(database, proxied({}));
  const before = Date.now();
  const { headers } = await daemon.post(FEW, { headers: { traceparent: `00-${TRACE}-${SPAN}-01`, "user-agent": "a \"test\"" } });
  await daemon.stop();
  const all = await spans(database);
  assert.deepEqual(new Set(all.map((s) => s.trace_id)), new Set([TRACE]));
  const byName = Object.fromEntries(all.map((s) => [s.operation_name, s]));
  assert.deepEqual(Object.keys(byName).sort(), ["POST /graphql", "authenticate", "database", "plan", "query", "respond", "validate", "wait"]);
  const root = byName["POST /graphql"];
  assert.equal(root.parent_span_id, SPAN);
  assert.equal(root.span_id, headers.traceresponse.split("-")[2]);
  assert.deepEqual([root.span_kind, root.status_code, root.status_message, root.service_name], ["SERVER", "OK", null, "fraiseqld"]);
  assert.equal(root.attributes["http.request.method"], "POST");
  assert.equal(root.attributes["http.response.status_code"], 200);
  assert.equal(root.attributes["user_agent.original"], "a \"test\"");
  assert.equal(root.attributes["graphql.operation.name"], "Few");
  assert.equal(root.attributes["fraiseql.request_id"], headers["x-request-id"]);
  assert.equal(root.attributes["fraiseql.tenant_id"], ACME);
  assert.ok(Math.abs(Date.parse(root.start_time) - before) < 5000);
  assert.equal(byName.query.parent_span_id, root.span_id);
  assert.equal(byName.authenticate.parent_span_id, root.span_id);
  for (const name of ["validate", "plan", "wait", "database", "respond"]) {
    const span = byName[name];
    assert.equal(span.parent_span_id, byName.query.span_id, name);
    assert.ok(Date.parse(span.start_time) >= Date.parse(root.start_time) - 1, name);
    assert.ok(Date.parse(span.end_time) <= Date.parse(root.end_time) + 1, name);
    assert.ok(span.duration_ms <= root.duration_ms, name);
  }
  const db = byName.database;
  assert.equal(db.span_kind, "CLIENT");
  assert.match(db.attributes["db.query.text"], /^select/i);
  assert.equal(db.attributes["fraiseql.sql_digest"], createHash("sha256").update(db.attributes["db.query.text"]).digest("hex").slice(0, 16));
  assert.equal(root.resource_attributes["deployment.environment.name"], "development");
  assert.ok(new Set(all.map((s) => s.span_id)).size === all.length);
});

test("what was not sampled is not kept, unless it had an error or was slow", async () => {
  const database = await installed();
  const daemon = await start(database, proxied({ slow_always: "250ms" }));
  await daemon.post(FEW);
  await daemon.post("query Bad { nothing }");
  await daemon.post("query Broken { broken }");
  await daemon.post("query Slow { slow(input: {seconds: 0.3}) }");
  await daemon.post(FEW, { token: "no token" });
  await daemon.stop();
  const roots = await spans(database, "span_kind = 'SERVER'");
  assert.deepEqual(
    roots.map((s) => [s.attributes["graphql.operation.name"], s.status_code, s.status_message]),
    [
      [undefined, "ERROR", "GRAPHQL_VALIDATION_FAILED"],
      ["Broken", "ERROR", "INTERNAL_SERVER_ERROR"],
      ["Slow", "OK", null],
      [undefined, "ERROR", "UNAUTHENTICATED"],
    ],
  );
  const [failed] = await spans(database, "operation_name = 'database' and status_code = 'ERROR'");
  assert.equal(failed.attributes["db.response.status_code"], "XX000");
  const slow = await json(database, "select * from fraiseql.v_slow_traces");
  assert.equal(slow[0].graphql_operation_name, "Slow");
  assert.ok(slow[0].p95_duration_ms >= 300);
});

test("errors_always: false and slow_always: 0s keep what was sampled only", async () => {
  const database = await installed();
  const daemon = await start(database, proxied({ errors_always: false, slow_always: "0s" }));
  await daemon.post("{ nothing }");
  await daemon.post("{ slow(input: {seconds: 0.01}) }");
  await daemon.post("{ nothing }", { headers: { traceparent: `00-${TRACE}-${SPAN}-01` } });
  await daemon.stop();
  assert.equal((await spans(database, "span_kind = 'SERVER'")).length, 1);
});

test("each operation of a batch has its spans", async () => {
  const database = await installed();
  const daemon = await start(database, proxied({}, { batching: { enabled: true } }));
  const body = JSON.stringify([{ query: FEW }, { query: "query Bad { nothing }" }, { query: "query Other { projects(limit: 2) { name } }" }]);
  const { status } = await daemon.request(`${daemon.url}/graphql`, { method: "POST", body, headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor(ACME)}`, traceparent: `00-${TRACE}-${SPAN}-01` } });
  assert.equal(status, 200);
  await daemon.stop();
  const [root] = await spans(database, "span_kind = 'SERVER'");
  assert.equal(root.attributes["graphql.operation.type"], "batch");
  const operations = await spans(database, `parent_span_id = '${root.span_id}' and operation_name <> 'authenticate'`);
  assert.deepEqual(operations.map((s) => s.attributes["graphql.operation.name"]).sort(), ["Few", "Other", undefined]);
});

test("spans are written in few statements, not by requests, and go to the day's partition", async () => {
  const database = await installed();
  const daemon = await start(database, { observability: { tracing: { enabled: true, ratio: 1 } } });
  for (let i = 0; i < 300; i++) {
    await daemon.post(FEW);
  }
  await within(5000, "they are there", async () => (await spans(database, "span_kind = 'SERVER'")).length === 300);
  assert.match(await shared.sql(database, "select distinct tableoid::regclass from fraiseql.otel_traces"), /otel_traces_\d[\d_]*$/);
  assert.equal(await counter(daemon, 'fraiseql_traces_exported_total{exporter="postgres"}'), 300);
  assert.equal(await counter(daemon, 'fraiseql_traces_dropped_total{reason="queue_full"}'), 0);
  await daemon.stop();
});

test("errors that nobody sampled are at most a hundred a second; the others are counted", async () => {
  const database = await installed();
  const daemon = await start(database, proxied({}));
  for (let i = 0; i < 12; i++) {
    await Promise.all(Array.from({ length: 50 }, () => daemon.post("{ nothing }")));
  }
  const dropped = await counter(daemon, 'fraiseql_traces_dropped_total{reason="rate"}');
  await daemon.stop();
  const kept = (await spans(database, "span_kind = 'SERVER'")).length;
  assert.equal(kept + dropped, 600);
  assert.ok(dropped > 0 && kept >= 100, `${kept} kept`);
});

test("a full queue drops and counts, and requests do not wait", async () => {
  const database = await installed();
  const daemon = await start(database, { observability: { tracing: { enabled: true, ratio: 1, queue: 5 } } });
  const lock = shared.sql(database, "begin; lock table fraiseql.otel_traces; select pg_sleep(2.5)");
  await within(2000, "it is locked", async () => (await shared.sql(database, "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation = 'fraiseql.otel_traces'::regclass")) === "1");
  for (let i = 0; i < 200; i++) {
    await daemon.post(FEW);
  }
  await within(4000, "the writer waits", async () => (await shared.sql(database, "select count(*) from pg_stat_activity where query like 'insert into fraiseql.otel_traces%' and wait_event_type = 'Lock'")) === "1").catch(() => {});
  const since = Date.now();
  for (let i = 0; i < 20; i++) {
    await daemon.post(FEW);
  }
  assert.ok(Date.now() - since < 1500);
  await lock;
  await within(8000, "what was kept is there", async () => {
    const kept = await counter(daemon, 'fraiseql_traces_exported_total{exporter="postgres"}');
    const dropped = await counter(daemon, 'fraiseql_traces_dropped_total{reason="queue_full"}');
    return kept + dropped === 220 && dropped > 0;
  });
  await daemon.stop();
});

test("without the tables the log says so once, and requests are answered", async () => {
  const daemon = await start(await createDatabase(), { observability: { tracing: { enabled: true, ratio: 1 }, otel_metrics: { enabled: true, interval: "100ms" } } });
  for (let i = 0; i < 3; i++) {
    assert.equal((await daemon.post(FEW)).status, 200);
  }
  await within(5000, "both are told", () => daemon.logged("metrics are not kept").length > 0 && daemon.logged("traces are not kept").length > 0);
  await daemon.stop();
  assert.equal(daemon.logged("traces are not kept").length, 1);
  assert.equal(daemon.logged("metrics are not kept").length, 1);
});

test("nothing is kept when it is off", async () => {
  const database = await installed();
  const daemon = await start(database, { observability: { tracing: { enabled: false, ratio: 1 }, otel_metrics: { enabled: false } } });
  await daemon.post("{ nothing }");
  assert.equal((await daemon.post(FEW)).headers.traceresponse, undefined);
  await daemon.stop();
  assert.equal(await shared.sql(database, "select (select count(*) from fraiseql.otel_traces) + (select count(*) from fraiseql.otel_metrics)"), "0");
});

test("requests' roles read neither table", async () => {
  const database = await installed();
  for (const table of ["otel_traces", "otel_metrics", "v_slow_traces"]) {
    await assert.rejects(shared.sql(database, `set role app_user; select * from fraiseql.${table}`));
  }
});

test("metrics are rows at each interval: counters, gauges, histograms with buckets and quantiles", async () => {
  const database = await installed();
  const daemon = await start(database, { observability: { otel_metrics: { enabled: true, interval: "200ms" }, resource_attributes: "k8s.pod.name=pod-1, region = eu" } });
  for (let i = 0; i < 20; i++) {
    await daemon.post(FEW);
  }
  const latest = (name, labels = "{}") => json(database, `select * from fraiseql.otel_metrics where metric_name = '${name}' and labels @> '${labels}' order by timestamp desc limit 1`);
  await within(5000, "they are there", async () => (await latest("fraiseql_graphql_requests_total", '{"type": "query", "status": "ok"}'))[0]?.value === 20);
  const [histogram] = await latest("fraiseql_http_request_duration_seconds");
  assert.equal(histogram.metric_type, "histogram");
  assert.equal(histogram.value, 20);
  assert.equal(histogram.bucket_bounds.counts.reduce((a, b) => a + b), 20);
  assert.equal(histogram.bucket_bounds.bounds.length, histogram.bucket_bounds.counts.length - 1);
  assert.ok(histogram.bucket_bounds.sum > 0 && histogram.quantiles["0.5"] > 0 && histogram.quantiles["0.99"] >= histogram.quantiles["0.5"]);
  assert.deepEqual(histogram.resource_attributes["k8s.pod.name"], "pod-1");
  assert.equal(histogram.resource_attributes.region, "eu");
  const [up] = await latest("fraiseql_db_up");
  assert.deepEqual([up.metric_type, up.value, up.labels], ["gauge", 1, {}]);
  assert.equal((await latest("fraiseql_http_requests_total", '{"code": "505"}')).length, 0, "what never happened is no row");
  await daemon.stop();
  assert.ok(Number(await shared.sql(database, "select count(distinct timestamp) from fraiseql.otel_metrics")) >= 2);
});

test("a slow operation is a line of the log with the digest of its SQL, and counted", async () => {
  const database = await installed();
  const daemon = await start(database, { observability: { log: { access: { slow: "200ms" } }, tracing: { enabled: true, slow_always: "0s" } } });
  await daemon.post(FEW);
  const { headers } = await daemon.post("query Sleeps { slow(input: {seconds: 0.25}) }");
  await within(2000, "it is logged", () => daemon.logged("slow operation").length > 0);
  const [line, ...others] = daemon.logged("slow operation");
  assert.equal(others.length, 0);
  assert.equal(line.level, "warn");
  assert.equal(line.request_id, headers["x-request-id"]);
  assert.equal(line.operation_name, "Sleeps");
  assert.match(line.sql_digest, /^[0-9a-f]{16}$/);
  assert.ok(line.duration_ms >= 250 && line.db_ms >= 250 && line.queue_ms < 100);
  assert.equal(await counter(daemon, "fraiseql_slow_operations_total"), 1);
  await daemon.stop();
});

test("a slow query has its plan in the log, once and without values", async () => {
  const database = await installed();
  await shared.sql(
    database,
    "create view v_drowsy with (security_invoker = true) as select p.*, 7 as lucky from projects p, lateral (select pg_sleep(0.12)) s; grant select on v_drowsy to app_user",
  );
  const daemon = await start(database, { observability: { log: { access: { slow: "100ms" } } } });
  const query = "query Drowsy($name: String!) { drowsies(where: { name: { neq: $name }, lucky: { lt: 4711 } }, limit: 2) { id name } }";
  const { headers, body } = await daemon.post(query, { variables: { name: "O'Secret: 4712" } });
  assert.equal(body.errors, undefined);
  await within(3000, "it is logged", () => daemon.logged("plan of a slow operation").length > 0);
  const [line] = daemon.logged("plan of a slow operation");
  const [slow] = daemon.logged("slow operation");
  assert.equal(line.request_id, headers["x-request-id"]);
  assert.equal(line.operation_name, "Drowsy");
  assert.equal(line.sql_digest, slow.sql_digest);
  assert.match(line.plan, /Scan .*on projects.*cost=\d/);
  assert.match(line.plan, /name <> \?|name <> \$\d/);
  assert.doesNotMatch(daemon.stderr, /Secret|4711|4712/);
  await daemon.post(query, { variables: { name: "other" } });
  await daemon.post("query Sleeps { slow(input: {seconds: 0.25}) }");
  assert.ok(daemon.logged("slow operation").length >= 3);
  await daemon.stop();
  assert.equal(daemon.logged("plan of a slow operation").length, 1, "not again, and no plan of what writes");
});

/** A collector: what it was sent, as it came. */
async function collector(answer = (response) => response.writeHead(200, { "content-type": "application/json" }).end("{}")) {
  const requests = [];
  const server = http.createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part) => (text += part));
    request.on("end", () => {
      requests.push({ path: request.url, method: request.method, headers: request.headers, body: JSON.parse(text) });
      answer(response, requests.length);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { requests, url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => server.close(resolve)) };
}

test("a collector gets the same spans by OTLP, with its headers and the caller's tracestate", async () => {
  const database = await installed();
  const receiver = await collector();
  const daemon = await start(database, proxied({ exporters: ["postgres", "otlp"], otlp: { endpoint: receiver.url, allow_http: true, headers: "x-api-key=abc, x-more=1=2" } }));
  await daemon.post(FEW, { headers: { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "rojo=1,congo=2" } });
  await daemon.post("{ broken }", { headers: { traceparent: `00-${TRACE}-${SPAN}-00` } });
  await daemon.stop();
  await receiver.close();
  const sent = receiver.requests.flatMap((r) => r.body.resourceSpans.flatMap((s) => s.scopeSpans.flatMap((c) => c.spans)));
  const kept = await spans(database);
  assert.deepEqual(sent.map((s) => s.spanId).sort(), kept.map((s) => s.span_id).sort());
  const [first] = receiver.requests;
  assert.deepEqual([first.method, first.path, first.headers["content-type"], first.headers["x-api-key"], first.headers["x-more"]], ["POST", "/v1/traces", "application/json", "abc", "1=2"]);
  const resource = Object.fromEntries(first.body.resourceSpans[0].resource.attributes.map((a) => [a.key, a.value]));
  assert.deepEqual(resource["service.name"], { stringValue: "fraiseqld" });
  const root = sent.find((s) => s.kind === 2 && s.status === undefined);
  assert.deepEqual([root.traceId, root.parentSpanId, root.traceState], [TRACE, SPAN, "rojo=1,congo=2"]);
  const same = kept.find((s) => s.span_id === root.spanId);
  const ms = Number(BigInt(root.endTimeUnixNano) - BigInt(root.startTimeUnixNano)) / 1e6;
  assert.ok(Math.abs(ms - same.duration_ms) < 0.001);
  assert.ok(Math.abs(Number(BigInt(root.startTimeUnixNano) / 1000000n) - Date.parse(same.start_time)) <= 1);
  const attributes = Object.fromEntries(root.attributes.map((a) => [a.key, a.value]));
  assert.deepEqual(attributes["http.response.status_code"], { intValue: "200" });
  assert.deepEqual(attributes["fraiseql.sampled"], { boolValue: true });
  assert.ok(sent.some((s) => s.kind === 2 && s.status?.code === 2 && s.status.message === "INTERNAL_SERVER_ERROR"));
});

test("a collector that refuses is told once, what it did not take is counted, and it is tried again", async () => {
  const receiver = await collector((response, n) => response.writeHead(n < 3 ? 503 : 200).end());
  const daemon = await start(await createDatabase(), proxied({ ratio: 1, exporters: ["otlp"], otlp: { endpoint: `${receiver.url}/v1/traces`, allow_http: true } }));
  for (let i = 1; i <= 3; i++) {
    await daemon.post(FEW);
    await within(5000, "it was sent", () => receiver.requests.length === i);
  }
  await within(2000, "it goes again", () => daemon.logged("traces are taken again").length === 1);
  assert.equal(daemon.logged("could not send traces").length, 1);
  assert.equal(daemon.logged("could not send traces")[0].detail, "status 503");
  assert.equal(await counter(daemon, 'fraiseql_traces_dropped_total{reason="failed"}'), 2);
  assert.equal(await counter(daemon, 'fraiseql_traces_exported_total{exporter="otlp"}'), 1);
  await daemon.stop();
  await receiver.close();
});
