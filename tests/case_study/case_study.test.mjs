// The case study's SQL: every statement of tests/case_study/CASE-STUDY.md runs as it is written there.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, test } from "node:test";
import { installSystem, start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "../e2e/support/token.mjs";

const text = readFileSync(new URL("CASE-STUDY.md", import.meta.url), "utf8");
const system = readdirSync(new URL("../../sql/system/", import.meta.url));

/** What stands in ```sql, statement by statement, and what stands in `…` and is SQL, or a call of a function that it recommends. */
function statements() {
  const blocks = [...text.matchAll(/```sql\n([^`]*)```/g)].flatMap(([, block]) => block.replace(/^\s*--.*$/gm, "").split(";"));
  const inline = [...text.matchAll(/`((?:SELECT|DELETE|INSERT|UPDATE|REFRESH)\b[^`]*)`/g)].map(([, sql]) => sql);
  const calls = [...text.matchAll(/`((?:ensure|drop_old)_error_occurrence_partitions\(\d*\))`/g)].map(([, call]) => `SELECT ${call}`);
  return [...blocks, ...inline, ...calls].map((sql) => sql.trim()).filter((sql) => sql !== "");
}

// How a statement begins; the file of sql/system that it needs, what is done before it in the same transaction, and what
// it has to return. A statement that none of these begins with is a failure of this test, and so is one that is not in the text.
const cases = [
  // An excerpt: "(...)" is no SQL. The table is that of 070_errors.sql.
  { begins: "CREATE TABLE tb_error_occurrence", excerpt: true },
  { begins: "SELECT create_error_occurrence_partition(NOW())", needs: /error/ },
  { begins: "SELECT create_error_occurrence_partition(NOW() + INTERVAL '1 month')", needs: /error/ },
  { begins: "SELECT ensure_error_occurrence_partitions(3)", needs: /error/ },
  { begins: "SELECT ensure_error_occurrence_partitions()", needs: /error/ },
  { begins: "SELECT drop_old_error_occurrence_partitions(6)", needs: /error/ },
  { begins: "SELECT\n    e.error_fingerprint", needs: /error/ },
  { begins: "SELECT COUNT(*) FROM tb_error_log", needs: /error/ },
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
      assert.deepEqual(rows.map((r) => r.key), ["Often#00000001", "Seldom#00000002"], "below 60 %, those asked most first");
      assert.deepEqual(rows.map((r) => Number(r.hit_rate_pct)), [10, 0]);
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
    gives: (rows) => assert.deepEqual(rows.map((r) => Number(r.hit_rate_pct)), [75]),
  },
  { begins: "SELECT key, COUNT(*) FROM cache_entries", gives: (rows) => assert.deepEqual(rows.map((r) => Number(r.count)), [1, 1]) },
  { begins: "DELETE FROM cache_entries", then: ["select count(*) from cache_entries", (rows) => assert.equal(rows, "1", "what has not expired stays")] },
];

const indented = (sql) => sql.replace(/\n {3}(?= )/g, "\n");
const caseOf = (sql) => cases.filter((c) => sql.startsWith(c.begins) || indented(sql).startsWith(c.begins)).sort((a, b) => b.begins.length - a.begins.length)[0];

const database = await createDatabase();
await installSystem(database);
const daemon = await start(database, { errors: { environment: "production" } });
after(() => daemon.stop());

// Traffic of two tenants, part of which fails; and what the result cache keeps, as its daemons keep it.
for (let i = 0; i < 12; i++) {
  const token = tokenFor(i % 2 ? ACME : GLOBEX);
  await daemon.post("query Few { projects(limit: 3) { id name } }", { token });
  await daemon.post("query Wrong { nothing }", { token });
}
await shared.sql(
  database,
  `insert into cache_access_log (key, outcome) select 'Few#00000000', case when i % 4 = 0 then 'miss' else 'hit' end from generate_series(1, 40) i;
   insert into cache_access_log (key, outcome, at) select 'Few#00000000', 'miss', now() - interval '6 minutes' from generate_series(1, 40) i;
   insert into cache_stats (key, hit_count, miss_count) values ('Often#00000001', 10, 90), ('Seldom#00000002', 0, 5), ('Well#00000003', 80, 20);
   insert into cache_entries (key, operation, relations, snapshot, expires_at, stale_until, bytes, value)
   select gen_random_uuid(), 'Few', '{}', pg_current_snapshot(), now() + i * interval '1 minute', now() + interval '1 hour', 2, '{}' from unnest(array[-1, 5]) i`,
);

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
  if (c.needs && !system.some((file) => c.needs.test(file))) {
    test(`${name}: not before the error log is there`, () => assert.rejects(shared.sql(database, sql), /does not exist/));
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
