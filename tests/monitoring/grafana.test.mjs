// Grafana: the dashboards are well-formed, and every query of every panel gives something, on the real things.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { installSystem, start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "../e2e/support/token.mjs";
import { within } from "../e2e/support/wait.mjs";
import { conf, Prometheus } from "./support.mjs";

const dashboards = ["runtime", "platform"].map((name) => JSON.parse(readFileSync(`${conf}grafana/dashboards/${name}.json`, "utf8")));
const [runtime, platform] = dashboards;

const database = await createDatabase();
await installSystem(database);
const daemon = await start(database, {
  cache: { enabled: true, stats: { sample: 1 }, operations: { Few: { mode: "always", ttl: "60s" }, Seldom: { mode: "always", ttl: "60s" } } },
  errors: { enabled: true, codes: ["GRAPHQL_VALIDATION_FAILED"], queue: { flush_interval: "200ms" } },
  jobs: { definitions: { statistics: { schedule: "@every 1s" } } },
  observability: { tracing: { enabled: true, ratio: 1 }, otel_metrics: { enabled: true, interval: "500ms" } },
});
const prometheus = await Prometheus.start(daemon.adminAddress, "dashboards");
after(() => Promise.all([daemon.stop(), prometheus.stop()]));

/** Requests of several kinds, tenants and outcomes. */
async function traffic() {
  for (let i = 0; i < 20; i++) {
    await daemon.post("query Few { projects(limit: 3) { id name } }", { token: tokenFor(i % 2 ? ACME : GLOBEX) });
    await daemon.post("query Wrong { nothing }");
    await daemon.post(`query Other${i} { projects(limit: 1) { id } }`);
    await daemon.post("query Seldom($limit: Int) { projects(limit: $limit) { id } }", { variables: { limit: i + 1 } });
  }
}

await traffic();
await within(15000, "statistics of operations are there", async () => (await shared.sql(database, "select count(*) > 0 from fraiseql.turbo_stats")) === "t");
await traffic();
await within(15000, "and errors are recorded", async () => (await shared.sql(database, "select count(*) > 0 from fraiseql.tb_error_log")) === "t");
await within(15000, "so are those of the result cache", async () => (await shared.sql(database, "select count(*) > 0 from fraiseql.cache_stats where hit_rate_pct < 60")) === "t");
await within(30000, "Prometheus has seen it several times", async () => (await prometheus.query("count_over_time(fraiseql_db_up[1m]) >= 5")).length > 0);

test("each dashboard has an id, unique panels that do not overlap, and its data source by a variable", () => {
  for (const d of dashboards) {
    assert.ok(d.uid && d.title && d.schemaVersion >= 38);
    const source = d.templating.list.find((v) => v.type === "datasource");
    const taken = new Set();
    assert.equal(new Set(d.panels.map((p) => p.id)).size, d.panels.length);
    assert.equal(new Set(d.panels.map((p) => p.title)).size, d.panels.length);
    for (const p of d.panels) {
      assert.ok(p.gridPos.x + p.gridPos.w <= 24);
      for (let x = p.gridPos.x; x < p.gridPos.x + p.gridPos.w; x++) {
        for (let y = p.gridPos.y; y < p.gridPos.y + p.gridPos.h; y++) {
          assert.ok(!taken.has(`${x},${y}`), `${d.uid}: ${p.title} overlaps`);
          taken.add(`${x},${y}`);
        }
      }
      assert.ok(p.targets.length > 0);
      for (const t of p.targets) {
        assert.deepEqual(t.datasource, { type: source.query, uid: `\${${source.name}}` });
      }
    }
  }
});

const expanded = (expression) => expression.replaceAll("$__rate_interval", "5s").replaceAll("$instance", ".*");

for (const panel of runtime.panels) {
  test(`runtime: ${panel.title}`, async () => {
    for (const target of panel.targets) {
      const result = await prometheus.query(expanded(target.expr));
      assert.ok(result.length > 0, target.expr);
    }
  });
}

/** Grafana's macros, as its documentation has them. */
const macros = (sql) =>
  sql
    .replace(/\$__timeFilter\(([^)]*)\)/g, "$1 between now() - interval '1 hour' and now()")
    .replace(/\$__timeGroupAlias\(([^,]*), *\$__interval\)/g, 'floor(extract(epoch from $1) / 60) * 60 as "time"');

for (const panel of platform.panels) {
  test(`platform: ${panel.title}`, async () => {
    for (const target of panel.targets) {
      const sql = macros(target.rawSql);
      assert.doesNotMatch(sql, /\$__/);
      const rows = await shared.rows(database, sql);
      assert.ok(rows.length > 0, target.rawSql);
      assert.ok(panel.type !== "stat" || Object.values(rows[0])[0] !== null, `${target.rawSql}: null`);
      if (target.format === "time_series") {
        assert.ok("time" in rows[0], target.rawSql);
      }
    }
  });
}

test("a role with the grants that docs/operations.md gives it can be Grafana's user, and reads no answers of tenants", async () => {
  const text = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const [, grants] = /create role grafana login[^\n]*\n([^`]*)```/.exec(text);
  const role = `grafana_${process.pid}`;
  await shared.sql(database, `create role ${role}; ${grants.replaceAll("to grafana;", `to ${role};`)}`);
  for (const panel of platform.panels) {
    for (const target of panel.targets) {
      await shared.sql(database, `set role ${role}; ${macros(target.rawSql)}`);
    }
  }
  for (const table of ["cache_entries", "idempotency_key"]) {
    await assert.rejects(shared.sql(database, `set role ${role}; select * from fraiseql.${table}`), /permission denied/);
  }
  await shared.sql(database, `drop owned by ${role}; drop role ${role}`);
});
