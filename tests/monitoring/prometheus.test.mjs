// Prometheus: the exposition as promtool reads it, a real one that scrapes, and the alert rules.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { installSystem, start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { within } from "../e2e/support/wait.mjs";
import { conf, Prometheus, run } from "./support.mjs";

const database = await createDatabase();
await installSystem(database);
const daemon = await start(database, { observability: { tracing: { enabled: true, ratio: 1 } } });
const prometheus = await Prometheus.start(daemon.adminAddress, "scraped");
after(() => Promise.all([daemon.stop(), prometheus.stop()]));

const promtool = (args, input) =>
  new Promise((resolve) => {
    const child = spawn("promtool", args);
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    child.on("close", (code) => resolve({ code, output }));
    child.stdin.end(input ?? "");
  });

test("promtool has nothing to say about the metrics", async () => {
  const { code, output } = await promtool(["check", "metrics"], (await daemon.admin("/metrics")).text);
  assert.deepEqual({ code, output }, { code: 0, output: "" });
});

test("promtool accepts the configuration and the rules", async () => {
  await run("promtool", ["check", "config", `${conf}prometheus/prometheus.yml`]);
  const { stdout } = await run("promtool", ["check", "rules", `${conf}prometheus/fraiseqld.rules.yml`]);
  assert.match(stdout, /SUCCESS: \d+ rules found/);
});

test("every alert is raised by what it is for, and not by what it is not for", async () => {
  const rules = readFileSync(`${conf}prometheus/fraiseqld.rules.yml`, "utf8");
  const tests = readFileSync(`${conf}prometheus/fraiseqld.test.yml`, "utf8");
  const names = [...rules.matchAll(/- alert: (\w+)/g)].map((m) => m[1]);
  assert.ok(names.length >= 18);
  for (const name of names) {
    assert.equal(tests.split(`alertname: ${name}\n`).length - 1, 2, name);
  }
  const { code, output } = await promtool(["test", "rules", `${conf}prometheus/fraiseqld.test.yml`]);
  assert.equal(code, 0, output);
});

test("a real Prometheus scrapes it, and sees what was asked", async () => {
  for (let i = 0; i < 25; i++) {
    await daemon.post("query Few { projects(limit: 1) { id } }");
  }
  const value = async (query) => Number((await prometheus.query(query))[0]?.value[1]);
  await within(15000, "it has scraped", async () => (await value('fraiseql_graphql_requests_total{type="query",status="ok"}')) === 25);
  assert.equal(await value("up"), 1);
  assert.equal(await value("fraiseql_db_up"), 1);
  assert.equal(await value("fraiseql_http_request_duration_seconds_count"), 25);
  assert.equal(await value("db_pool_utilization"), await value("fraiseql_db_pool_utilization_ratio"));
  assert.ok((await value("fraiseql_http_request_bytes_total")) > 25 * 40);
  assert.ok((await value("fraiseql_http_response_bytes_total")) > 25 * 20);
  assert.ok((await value("fraiseql_worker_loop_lag_seconds")) < 1);
  assert.ok((await value("histogram_quantile(0.5, fraiseql_db_pool_acquire_duration_seconds_bucket)")) < 1);
});

test("Prometheus has evaluated every rule, on series that are there, and raises none", async () => {
  const samples = (await daemon.admin("/metrics")).text;
  const rules = async () => (await prometheus.get("rules")).groups.flatMap((g) => g.rules);
  await within(15000, "they are evaluated", async () => (await rules()).every((r) => r.health === "ok"));
  for (const rule of await rules()) {
    assert.equal(rule.state, "inactive", rule.name);
    for (const [metric] of rule.query.matchAll(/\b(?:fraiseql|process)_\w+/g)) {
      assert.ok(samples.includes(`\n${metric}`), `${rule.name}: ${metric}`);
    }
  }
});

test("Prometheus has exemplars, and their traces are in the database", async () => {
  await daemon.post("query Traced { projects(limit: 1) { id } }");
  const range = { query: "fraiseql_http_request_duration_seconds_bucket", start: Date.now() / 1000 - 600, end: Date.now() / 1000 + 600 };
  const found = await within(20000, "it has some", async () => {
    const series = await prometheus.get("query_exemplars", range);
    return series.length > 0 && series.flatMap((one) => one.exemplars);
  });
  const [{ labels, value, timestamp }] = found;
  assert.match(labels.trace_id, /^[0-9a-f]{32}$/);
  assert.ok(Number(value) > 0 && Number(value) < 60);
  assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 600);
  await within(10000, "its spans are written", async () => (await shared.sql(database, `select count(*) > 0 from fraiseql.otel_traces where trace_id = '${labels.trace_id}'`)) === "t");
});
