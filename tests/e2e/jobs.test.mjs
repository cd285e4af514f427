// Jobs by the clock: of several daemons one runs each, and fraiseql.job_runs tells how it went.

import assert from "node:assert/strict";
import { test } from "node:test";
import { configuration, installSystem, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

async function installed(sql = "") {
  const database = await createDatabase();
  await installSystem(database);
  await shared.sql(
    database,
    `create table public.ticks (n integer generated always as identity, at timestamptz not null default clock_timestamp());
     grant select, insert on public.ticks to fraiseqld; ${sql}`,
  );
  return database;
}

/** Only what a test defines: the others would be in its history too. */
const only = (definitions) => ({
  jobs: {
    jitter: "0ms",
    definitions: { partitions: { schedule: "off" }, retention: { schedule: "off" }, statistics: { schedule: "off" }, ...definitions },
  },
});
const runs = (database, job, columns = "outcome, detail") =>
  shared.rows(database, `select ${columns} from fraiseql.job_runs where job = '${job}' order by run`);
const jobs = (args, database, more = {}) => program(["jobs", ...args, "-c", writeConfiguration(configuration(database, more))]);

test("of two daemons exactly one runs a job each time that it is due", async () => {
  const database = await installed();
  const more = only({ tick: { schedule: "@every 1s", sql: "insert into public.ticks default values" } });
  const daemons = await Promise.all([start(database, more), start(database, more)]);
  await within(20000, "it has run five times", async () => (await runs(database, "tick")).length >= 5);
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  const history = await runs(database, "tick", "outcome, detail, extract(epoch from scheduled_for)::bigint as due, started_at >= scheduled_for as late");
  assert.equal(await shared.sql(database, "select count(*) from public.ticks"), String(history.length));
  assert.equal(new Set(history.map((run) => run.due)).size, history.length);
  for (const run of history) {
    assert.deepEqual({ ...run, due: 0 }, { outcome: "done", detail: "1 rows affected", due: 0, late: true });
  }
});

test("while a run is not over, others of the job are skipped", async () => {
  const database = await installed();
  const more = only({ slow: { schedule: "@every 1s", sql: "select pg_sleep(2.5)" } });
  const daemons = await Promise.all([start(database, more), start(database, more)]);
  const of = async (outcome) => (await runs(database, "slow")).filter((run) => run.outcome === outcome).length;
  await within(30000, "two have run and one was skipped", async () => (await of("done")) >= 2 && (await of("skipped")) >= 1);
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  assert.equal(
    await shared.sql(
      database,
      `select count(*) from fraiseql.job_runs a join fraiseql.job_runs b on a.run < b.run
        where a.outcome <> 'skipped' and b.outcome <> 'skipped' and b.started_at < a.finished_at`,
    ),
    "0",
  );
});

test("a job that takes too long is cancelled, one that fails says why, and both are counted", async () => {
  const database = await installed();
  const daemon = await start(
    database,
    only({
      endless: { schedule: "@every 1s", sql: "select pg_sleep(60)", timeout: "300ms" },
      wrong: { schedule: "@every 1s", sql: "select 1/0" },
      right: { schedule: "@every 1s", sql: "select 1" },
    }),
  );
  await within(20000, "all have run", async () => {
    const [endless] = await runs(database, "endless");
    const [wrong] = await runs(database, "wrong");
    const [right] = await runs(database, "right");
    return endless?.outcome && wrong?.outcome && right?.outcome;
  });
  assert.equal((await runs(database, "endless"))[0].outcome, "timeout");
  assert.deepEqual((await runs(database, "wrong"))[0], { outcome: "failed", detail: "22012: division by zero" });
  assert.deepEqual((await runs(database, "right"))[0], { outcome: "done", detail: "1 rows" });
  const { text } = await daemon.admin("/metrics");
  for (const result of ["ok", "error", "timeout"]) {
    assert.match(text, new RegExp(`^fraiseql_jobs_runs_total\\{job="sql",result="${result}"\\} [1-9]`, "m"));
  }
  assert.match(text, /^fraiseql_job_duration_seconds_count\{job="sql"\} [1-9]/m);
  assert.match(text, /^fraiseql_job_last_success_timestamp_seconds\{job="sql"\} [1-9]/m);
  await daemon.stop();
});

test("a daemon that stops does not wait for a job, and says so in its history", async () => {
  const database = await installed();
  const daemon = await start(database, only({ endless: { schedule: "@every 1s", sql: "select pg_sleep(60)" } }));
  await within(10000, "it runs", async () =>
    (await shared.sql(database, "select count(*) from pg_stat_activity where datname = current_database() and query ~ 'pg_sleep\\(60\\)' and state = 'active'")) === "1",
  );
  await daemon.stop({ ms: 8000 });
  const [run] = await runs(database, "endless");
  assert.equal(run.outcome, "failed");
  assert.match(run.detail, /^57014/);
});

test("a run whose daemon has gone does not keep others from running for ever", async () => {
  const database = await installed();
  const definition = only({ mine: { schedule: "off", sql: "select 1" } });
  await shared.sql(
    database,
    `insert into fraiseql.job_runs (job, scheduled_for, daemon, expires_at) values ('mine', now(), 'gone/1', now() + interval '1 hour')`,
  );
  const busy = await jobs(["run", "mine"], database, definition);
  assert.equal(busy.code, 75, busy.stderr);
  await shared.sql(database, "update fraiseql.job_runs set expires_at = now() where outcome is null");
  assert.equal((await jobs(["run", "mine"], database, definition)).code, 0);
  assert.deepEqual((await runs(database, "mine", "outcome")).map((run) => run.outcome), ["lost", "skipped", "done"]);
});

test("materialized views are refreshed, concurrently where that can be", async () => {
  const database = await installed(
    `create schema reports authorization fraiseqld; set role fraiseqld;
     create materialized view reports.keyed as select count(*) as n, 1 as id from public.ticks;
     create unique index on reports.keyed (id);
     create materialized view reports."Plain one" as select count(*) as n from public.ticks;
     create materialized view reports.empty as select count(*) as n, 1 as id from public.ticks with no data;
     create unique index on reports.empty (id); reset role`,
  );
  const more = { jobs: { refresh: ["reports.keyed", 'reports."Plain one"', "reports.empty", "reports.gone"] } };
  await shared.sql(database, "insert into public.ticks default values");
  const run = async (view) => {
    const { code, stdout, stderr } = await jobs(["run", `refresh_${view}`], database, more);
    return [code, stdout.trim(), stderr];
  };
  assert.deepEqual(await run("reports.keyed"), [0, "refresh_reports.keyed: done: reports.keyed refreshed concurrently", ""]);
  const [code, said, warned] = await run('reports."Plain one"');
  assert.deepEqual([code, said], [0, 'refresh_reports."Plain one": done: reports."Plain one" refreshed while readers wait']);
  assert.match(warned, /unique index/);
  assert.match((await run("reports.empty"))[1], /while readers wait$/);
  assert.match((await run("reports.empty"))[1], /concurrently$/);
  assert.deepEqual((await run("reports.gone"))[0], 1);
  assert.equal(await shared.sql(database, 'select (select n from reports.keyed) + (select n from reports."Plain one") + (select n from reports.empty)'), "3");
});

test("a daemon makes missing partitions when it starts, and tells of rows in default ones", async () => {
  const database = await installed(
    `create table public.log (at timestamptz not null) partition by range (at);
     create table public.log_default partition of public.log default;
     insert into fraiseql.partitioned_tables values ('public.log', 'day', 3, 6);
     insert into public.log values (now()), (now() - interval '40 days')`,
  );
  const daemon = await start(database);
  const partitions = () => shared.sql(database, "select count(*) from fraiseql.partitions_of('public.log')");
  await within(10000, "they are there", async () => (await partitions()) === "5");
  await within(10000, "the rest is told", async () => /^fraiseql_partition_default_rows 1$/m.test((await daemon.admin("/metrics")).text));
  assert.match((await daemon.admin("/metrics")).text, /^fraiseql_partitions_missing 0$/m);
  await daemon.stop();
  const history = await runs(database, "partitions");
  assert.equal(history.length, 1);
  assert.match(history[0].detail, /^4 partitions made, 0 dropped$/);
  assert.deepEqual(await runs(database, "cache_cleanup"), []);
});

test("one table that fails keeps no other from its partitions", async () => {
  const database = await installed(
    `create table public.bad (at timestamptz not null, primary key (at)) partition by range (at);
     create table public.good (at timestamptz not null) partition by range (at);
     select fraiseql.register_partitions(t, 'day', 1, 6) from unnest('{public.bad,public.good}'::regclass[]) t;
     insert into public.bad values (now() + interval '2 days');
     create table public.reference (at timestamptz references public.bad);
     update fraiseql.partitioned_tables set ahead = 2`,
  );
  const { code, stderr } = await jobs(["run", "partitions"], database);
  assert.equal(code, 1);
  assert.match(stderr, /^partitions: failed: public\.bad: 2BP01/);
  assert.equal(await shared.sql(database, "select count(*) from fraiseql.partitions_of('public.good')"), "4");
});

test("retention deletes what has expired", async () => {
  const database = await installed(
    `insert into fraiseql.idempotency_key (scope, key, request, expires_at)
     select repeat('0', 64), i::text, repeat('1', 64), now() + i * interval '1 hour' from generate_series(-2, 2) i;
     insert into fraiseql.job_runs (job, scheduled_for, started_at, outcome, daemon, expires_at)
     select 'old', now() - i * interval '10 days', now() - i * interval '10 days', 'done', 'd', now() from generate_series(1, 4) i`,
  );
  const { code, stdout, stderr } = await jobs(["run", "retention"], database);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /5 rows deleted/);
  assert.equal(await shared.sql(database, "select count(*) from fraiseql.idempotency_key"), "2");
  assert.equal((await runs(database, "old")).length, 2);
});

test("jobs list tells schedules, the next time and the last run", async () => {
  const database = await installed();
  const more = {
    jobs: { timezone: "UTC", refresh: ["v_x"], definitions: { mine: { schedule: "0 0 1 1 *", sql: "select 1" }, retention: { schedule: "off" } } },
  };
  assert.equal((await jobs(["run", "mine"], database, more)).code, 0);
  const { code, stdout } = await jobs(["list"], database, more);
  assert.equal(code, 0);
  const lines = Object.fromEntries(stdout.trim().split("\n").map((line) => [line.split(" ")[0], line]));
  assert.deepEqual(Object.keys(lines), ["cache_cleanup", "cache_warm", "mine", "partitions", "refresh_v_x", "retention", "statistics"]);
  assert.match(lines.mine, /0 0 1 1 \* +\d{4}-01-01 00:00:00Z +done at .* by .*: 1 rows$/);
  assert.match(lines.retention, /off +never/);
  assert.match(lines.cache_cleanup, /\*\/5 \* \* \* \* +\d{4}-\d\d-\d\d \d\d:\d[05]:00Z/);
});

test("jobs without what they need, a database or a name end with statuses that say so", async () => {
  const database = await createDatabase();
  const missing = await jobs(["run", "partitions"], database);
  assert.equal(missing.code, 69);
  assert.equal((await jobs(["list"], database)).code, 69);
  assert.equal((await jobs(["run", "nonsense"], database)).code, 1);
  assert.equal((await jobs(["run"], database)).code, 64);
  assert.equal((await jobs(["stop"], database)).code, 64);
  const away = { database: { url: "postgresql://fraiseqld@127.0.0.1:1/x", pool: { acquire_timeout: "300ms" } } };
  assert.equal((await jobs(["run", "partitions"], database, away)).code, 69);
});

test("what is no job is refused at the start", async () => {
  const wrong = async (settings) => {
    const { code, stderr } = await program(["check", "-c", writeConfiguration(configuration("x", { jobs: settings }))]);
    assert.equal(code, 78, stderr);
    return stderr;
  };
  assert.match(await wrong({ definitions: { a: { schedule: "61 * * * *", sql: "select 1" } } }), /jobs\.definitions\.a\.schedule: the minute/);
  assert.match(await wrong({ definitions: { a: { schedule: "@daily" } } }), /needs one of builtin, refresh and sql/);
  assert.match(await wrong({ definitions: { a: { schedule: "@daily", sql: "select 1", refresh: "v" } } }), /needs one of/);
  assert.match(await wrong({ definitions: { partitions: { schedule: "@daily", sql: "select 1" } } }), /a name of its own/);
  assert.match(await wrong({ definitions: { a: { sql: "select 1" } } }), /has no schedule/);
  assert.match(await wrong({ definitions: { a: { schedule: "@daily", sql: "select 1", timeout: "0s" } } }), /must be a duration/);
  assert.match(await wrong({ timezone: "Mars/Base" }), /there is no time zone/);
});

test("jobs can be switched off", async () => {
  const database = await installed();
  const off = await start(database, { jobs: { enabled: false } });
  const on = await start(database, {});
  await within(10000, "the other has run", () => on.logged("job done").some((line) => line.job === "partitions"));
  assert.equal((await runs(database, "partitions")).length, 1);
  await Promise.all([off.stop(), on.stop()]);
  assert.equal(off.logged("job done").length, 0);
  assert.equal(on.logged("job done").filter((line) => line.job === "partitions").length, 1);
});
