// The case study's SQL: every statement of tests/case_study/CASE-STUDY.md runs as it is written there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { installSystem, start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "../e2e/support/token.mjs";
import { within } from "../e2e/support/wait.mjs";

const text = readFileSync(new URL("CASE-STUDY.md", import.meta.url), "utf8");

/** What stands in ```sql, statement by statement, and what stands in `…` and is SQL, or a call of a function that it recommends. */
function statements() {
  const blocks = [...text.matchAll(/```sql\n([^`]*)```/g)].flatMap(([, block]) => block.replace(/^\s*--.*$/gm, "").split(";"));
  const inline = [...text.matchAll(/`((?:SELECT|DELETE|INSERT|UPDATE|REFRESH)\b[^`]*)`/g)].map(([, sql]) => sql);
  const calls = [...text.matchAll(/`((?:ensure|drop_old)_error_occurrence_partitions\(\d*\))`/g)].map(([, call]) => `SELECT ${call}`);
  return [...blocks, ...inline, ...calls].map((sql) => sql.trim()).filter((sql) => sql !== "");
}

/** The partition of the month that is so many away. */
function partition(months) {
  const now = new Date();
  return `tb_error_occurrence_${new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString().slice(0, 7).replace("-", "_")}`;
}

// How a statement begins; what is done before it in the same transaction, and what it has to return. A statement that none of these begins with is a failure of this test, and so is one that is not in the text.
const cases = [
  // An excerpt: "(...)" is no SQL. The table is that of 070_errors.sql.
  { begins: "CREATE TABLE tb_error_occurrence", excerpt: true },
  { begins: "SELECT create_error_occurrence_partition(NOW())", gives: (rows) => assert.deepEqual(Object.values(rows[0]), [partition(0)]) },
  {
    begins: "SELECT create_error_occurrence_partition(NOW() + INTERVAL '1 month')",
    gives: (rows) => assert.deepEqual(Object.values(rows[0]), [partition(1)]),
  },
  {
    begins: "SELECT ensure_error_occurrence_partitions(3)",
    before: `drop table fraiseql.${partition(3)}`,
    then: [`select to_regclass('fraiseql.${partition(3)}')`, (rows) => assert.match(rows, /tb_error_occurrence/)],
  },
  {
    begins: "SELECT ensure_error_occurrence_partitions()",
    before: `drop table fraiseql.${partition(2)}`,
    then: [`select to_regclass('fraiseql.${partition(2)}')`, (rows) => assert.match(rows, /tb_error_occurrence/)],
  },
  {
    // Of eight months ago and of now: the old one goes, with its partition.
    begins: "SELECT drop_old_error_occurrence_partitions(6)",
    before: `select create_error_occurrence_partition(now() - interval '8 months');
      select fraiseql.record_errors(jsonb_build_array(jsonb_build_object('fingerprint', 'old', 'type', 'OLD', 'occurred_at', now() - interval '8 months')))`,
    then: ["select count(*) filter (where error_type = 'OLD'), count(*) > 0 from tb_error_log", (rows) => assert.equal(rows, "0|t")],
  },
  {
    // Those of clients, of another environment, and what somebody has resolved are not among them.
    begins: "SELECT\n    e.error_fingerprint",
    gives: (rows) => {
      assert.deepEqual(
        rows.map((r) => [r.error_type, r.error_message, Number(r.occurrences), Number(r.affected_tenants)]),
        [
          ["INTERNAL_SERVER_ERROR", "shelf # is broken", 24, 2],
          ["INTERNAL_SERVER_ERROR", "no more room", 3, 1],
        ],
      );
      assert.ok(rows.every((r) => /^[0-9a-f]{32}$/.test(r.error_fingerprint) && Date.parse(r.last_occurrence) > Date.now() - 3600_000));
    },
  },
  { begins: "SELECT COUNT(*) FROM tb_error_log", gives: (rows) => assert.equal(Number(rows[0].count), 24 + 3 + 1 + 2, "of the last hour, whatever it was") },
  {
    begins: "CREATE MATERIALIZED VIEW v_tenant_project_summary",
    before: "drop materialized view v_tenant_project_summary cascade",
    then: ["select count(*) from v_tenant_project_summary", (rows) => assert.ok(Number(rows) > 1)],
  },
  {
    // What another session added is seen after it.
    begins: "REFRESH MATERIALIZED VIEW CONCURRENTLY",
    alone: true,
    before: "update projects set task_count = task_count + 1000000 where project_id = (select min(project_id::text)::uuid from projects)",
    then: ["select max(total_tasks) >= 1000000 from v_tenant_project_summary", (rows) => assert.equal(rows, "t")],
  },
  {
    begins: "SELECT\n    key,\n    hit_count",
    gives: (rows) => {
      assert.deepEqual(rows.map((r) => r.key.split("#")[0]), ["Seldom", "Rarely", "Soon"], "below 60 %, those asked most first");
      assert.deepEqual(rows.map((r) => [r.hit_count, r.miss_count]), [[cache.Seldom.hit, cache.Seldom.miss], [0, cache.Rarely.miss], [0, 1]]);
      assert.deepEqual(rows.map((r) => Number(r.hit_rate_pct)), [rate(cache.Seldom), 0, 0]);
    },
  },
  {
    begins: "CREATE POLICY tenant_isolation_policy ON projects",
    before: "drop policy tenant_isolation_policy on projects; drop policy if exists own_references_policy on projects",
    then: [
      `set local role app_user; set local app.current_tenant_id = '${ACME}'; select count(*) > 0 and count(*) filter (where tenant_id <> '${ACME}') = 0 from projects`,
      (rows) => assert.equal(rows, "t"),
    ],
  },
  { begins: "SET LOCAL app.current_tenant_id", then: ["show app.current_tenant_id", (rows) => assert.equal(rows, "tenant-uuid-here")] },
  {
    begins: "SELECT\n       ROUND(\n           SUM(CASE WHEN status = 'hit'",
    gives: (rows) => assert.deepEqual(rows.map((r) => Number(r.hit_rate_pct)), [rate(cache.all)]),
  },
  { begins: "SELECT key, COUNT(*) FROM cache_entries", gives: (rows) => assert.deepEqual(rows.map((r) => Number(r.count)), Array(cache.stored).fill(1)) },
  { begins: "DELETE FROM cache_entries", then: ["select count(*) from cache_entries", (rows) => assert.equal(Number(rows), cache.stored - 1, "what has not expired stays")] },
];

const indented = (sql) => sql.replace(/\n {3}(?= )/g, "\n");
const caseOf = (sql) => cases.filter((c) => sql.startsWith(c.begins) || indented(sql).startsWith(c.begins)).sort((a, b) => b.begins.length - a.begins.length)[0];

const database = await createDatabase();
await installSystem(database);
await shared.sql(
  database,
  `create function public.fn_shelf(number integer) returns text language plpgsql stable as
     $$begin raise exception '%', case when number > 0 then 'shelf ' || number || ' is broken' else 'no more room' end using errcode = 'XX000'; end$$;
   grant execute on function public.fn_shelf(integer) to app_user`,
);
// Few are kept in full, so that what is counted has to be right without them.
const recording = { enabled: true, burst: 2, queue: { flush_interval: "100ms" } };
const exposed = { schema: { expose: { functions: ["fn_shelf"] } } };
const daemon = await start(database, { ...exposed, errors: { ...recording, environment: "production" } });
const staging = await start(database, { ...exposed, errors: { ...recording, environment: "staging" } });
after(() => Promise.all([daemon.stop(), staging.stop()]));

// Traffic of two tenants, part of which fails: of clients' mistakes, and of ours, one of which somebody has resolved.
const shelf = (d, number, token, name = "Shelf") => d.post(`query ${name} { shelf(input: {number: ${number}}) }`, { token });
for (let i = 0; i < 12; i++) {
  const token = tokenFor(i % 2 ? ACME : GLOBEX);
  await daemon.post("query Few { projects(limit: 3) { id name } }", { token });
  await daemon.post("query Wrong { nothing }", { token });
  await Promise.all([shelf(daemon, i + 1, token), shelf(daemon, 100 + i, token)]);
}
for (let i = 0; i < 3; i++) {
  await shelf(daemon, 0, tokenFor(ACME));
}
await shelf(staging, 5, tokenFor(ACME));
await shelf(daemon, 0, tokenFor(ACME), "Solved");
await shelf(daemon, 0, tokenFor(ACME), "Solved");
await within(5000, "30 errors are recorded", async () => (await shared.sql(database, "select count(*) from tb_error_log")) === "30");
await shared.sql(database, "update tb_error_log set status = 'resolved' where operation = 'Solved'");

// Traffic that the result cache has to do with: what is asked often, seldom, and never twice. What came of it the responses
// say; what the tables say has to be the same.
const cache = await cachedTraffic();
const rate = ({ hit, miss }) => Number(((hit / (hit + miss)) * 100).toFixed(2));

async function cachedTraffic() {
  const told = { all: { hit: 0, miss: 0 } };
  const kept = await start(database, {
    server: { server_timing: true },
    cache: {
      enabled: true,
      stats: { sample: 1 },
      operations: Object.fromEntries(Object.entries({ Often: "60s", Seldom: "60s", Rarely: "60s", Soon: "1s" }).map(([name, ttl]) => [name, { mode: "always", ttl }])),
    },
  });
  const send = async (name, limit) => {
    const reply = await kept.post(`query ${name}($limit: Int) { projects(limit: $limit) { id name } }`, { variables: { limit }, token: tokenFor(ACME) });
    const [, outcome] = /cache;desc=(\w+)/.exec(reply.headers["server-timing"]);
    told[name] ??= { hit: 0, miss: 0 };
    if (outcome !== "bypass") {
      told[name][outcome]++;
      told.all[outcome]++;
    }
    await setTimeout(outcome === "hit" ? 0 : 30);
    return outcome;
  };
  for (const name of ["Often", "Seldom", "Rarely", "Soon"]) {
    while ((await send(name, 1)) === "bypass");
  }
  for (let i = 0; i < 30; i++) {
    await send("Often", 1);
    await send("Seldom", i % 20 === 0 ? 1 : i + 10);
  }
  for (let i = 0; i < 10; i++) {
    await send("Rarely", i + 10);
  }
  await kept.stop();
  await within(5000, "one has expired", async () => (await shared.sql(database, "select count(*) from cache_entries where expires_at < now()")) === "1");
  told.stored = Number(await shared.sql(database, "select count(*) from cache_entries"));
  return told;
}

test("every statement of the case study is one of those below, and each of these is there", () => {
  const unknown = statements().filter((sql) => caseOf(sql) === undefined);
  assert.deepEqual(unknown, []);
  const found = new Set(statements().map(caseOf));
  assert.deepEqual(cases.filter((c) => !found.has(c)).map((c) => c.begins), []);
});

for (const sql of statements()) {
  const c = caseOf(sql) ?? {};
  const name = sql.replace(/\s+/g, " ").slice(0, 70);
  if (c.excerpt) {
    continue;
  }
  test(name, async () => {
    if (c.alone) {
      await shared.sql(database, c.before);
      await shared.sql(database, sql);
      c.then[1](await shared.sql(database, c.then[0]));
      return;
    }
    if (c.gives) {
      c.gives(await shared.rows(database, sql.replace(/;$/, "")));
      return;
    }
    const rows = await shared.sql(database, `begin; ${c.before ?? "select"}; ${sql}; ${c.then ? c.then[0] : "select"}; rollback`);
    c.then?.[1](rows.split("\n").filter((line) => line !== "").at(-1));
  });
}
