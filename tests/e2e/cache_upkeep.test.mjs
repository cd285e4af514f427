// What is told of the result cache, and what keeps it small: statistics, log, command, jobs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { always, cached, entries, expectOutcome, installed, outcome, unique } from "./support/cache.mjs";
import { configuration, merge, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, id, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const list = (name) => `query ${name} { projects { id name } }`;
const users = (name) => `query ${name} { users { id name } }`;
const globex = { token: tokenFor(GLOBEX, id.user(5)) };

/** The command, run by the database's owner. */
function command(database, ...args) {
  const [action, ...options] = args;
  return program(["cache", action, "-c", writeConfiguration(merge(configuration(database), { database: { url: shared.url(database, shared.user) } })), ...options]);
}

async function printed(database, ...args) {
  const { code, stdout, stderr } = await command(database, ...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

test("the command tells what is kept, and deletes what it is told to", async () => {
  const database = await installed();
  const [one, two] = [unique(), unique()];
  const daemon = await start(database, { server: { server_timing: true }, cache: { enabled: true, operations: { [one]: { mode: "always" }, [two]: { mode: "always" } } } });
  const fill = async () => {
    await cached(daemon, list(one));
    await cached(daemon, list(one), globex);
    await cached(daemon, users(two));
    assert.equal(await entries(database), "3");
  };
  await fill();
  assert.equal(await printed(database, "purge", "--tenant", GLOBEX), "1 deleted\n");
  await expectOutcome(daemon, list(one), "hit");
  await fill();
  assert.equal(await printed(database, "purge", "--operation", one, "--tenant", ACME), "1 deleted\n");
  await fill();
  assert.equal(await printed(database, "purge", "--operation", one), "2 deleted\n");
  await fill();
  assert.equal(await printed(database, "purge", "--relation", "projects"), "2 deleted\n");
  await fill();
  const key = await shared.sql(database, "select key from fraiseql.cache_entries limit 1");
  assert.equal(await printed(database, "purge", "--key", key), "1 deleted\n");
  await fill();
  assert.equal(await printed(database, "purge", "--all"), "3 deleted\n");
  await expectOutcome(daemon, list(one), "miss");
  await daemon.stop();
  const told = await printed(database, "stats");
  assert.match(told, /answers +fresh +size\n +1 +1 +\d+ kB\n/);
  assert.match(told, /\nprojects +tenant_id *\n/);
  assert.match(told, new RegExp(`\n${one}#[0-9a-f]{8} +\\d+ +\\d+ +\\d+ +\\d+\\.\\d\\d +60 +\\d+\\.\\d\\d +\\d+\\.\\d\\d`));
});

test("the command refuses what is not clear", async () => {
  const database = await createDatabase();
  for (const args of [["purge"], ["purge", "--all", "--tenant", "x"], ["empty"], ["stats", "more"]]) {
    assert.equal((await command(database, ...args)).code, 64, String(args));
  }
  const missing = await command(database, "stats");
  assert.equal(missing.code, 69);
  assert.match(missing.stderr, /fraiseqld db install/);
  const there = await installed({ triggers: false });
  const unknown = await command(there, "purge", "--relation", "nothing");
  assert.equal(unknown.code, 69);
  assert.match(unknown.stderr, /"nothing" does not exist/);
  assert.equal((await command(there, "purge", "--key", "no uuid")).code, 70);
});

test("requests are logged, all of them or a part", async () => {
  const database = await installed();
  const name = unique();
  const base = always(name);
  const daemon = await start(database, { ...base, cache: { ...base.cache, stats: { sample: 1 } } });
  await cached(daemon, list(name));
  const sent = { hit: 0, miss: 0 };
  for (let i = 0; i < 20; i++) {
    sent[outcome(await daemon.post(list(name), i % 4 === 0 ? { headers: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } } : {}))]++;
  }
  assert.deepEqual(sent, { hit: 20, miss: 0 });
  await daemon.stop();
  const rows = await shared.rows(database, "select key, operation, tenant, status, count(*) as n, bool_and(duration_us > 0) as timed, bool_and(accessed_at > now() - interval '1 minute') as now, count(trace_id) as traced from fraiseql.cache_access_log group by 1, 2, 3, 4 order by status");
  assert.deepEqual(rows.map((row) => row.status), ["hit", "miss"]);
  assert.ok(rows[0].n >= 21 && rows[1].n >= 1);
  assert.ok(rows.every((row) => row.operation === name && row.tenant === ACME && row.key.startsWith(`${name}#`) && row.timed && row.now && row.traced === row.n));
  const rate = Number(await shared.sql(database, "select round(sum(case when status = 'hit' then 1 else 0 end)::numeric / count(*) * 100, 2) from fraiseql.cache_access_log where accessed_at > now() - interval '5 minutes'"));
  assert.equal(rate, Number(await shared.sql(database, `select hit_rate_pct from fraiseql.cache_stats where operation = '${name}'`)));

  const part = await start(database, { ...base, cache: { ...base.cache, stats: { sample: 0.1 } } });
  await shared.sql(database, "truncate fraiseql.cache_access_log");
  await cached(part, list(name));
  for (let i = 0; i < 200; i++) {
    await part.post(list(name));
  }
  await part.stop();
  const n = Number(await shared.sql(database, "select count(*) from fraiseql.cache_access_log"));
  assert.ok(n >= 15 && n <= 30, String(n));
});

test("what is about to expire is made anew by one, while the others still get it", async () => {
  const database = await installed();
  const name = unique();
  const daemon = await start(database, always(name, "10s"));
  await cached(daemon, list(name));
  const until = () => shared.sql(database, "select expires_at from fraiseql.cache_entries");
  const first = await until();
  const seen = new Set();
  await within(15000, "it was made anew", async () => {
    seen.add(outcome(await daemon.post(list(name))));
    return (await until()) !== first;
  });
  assert.deepEqual([...seen].sort(), ["hit", "miss"]);
  assert.equal(await shared.sql(database, `select count(*) from fraiseql.cache_entries where created_at < '${first}'`), "1");
  await daemon.stop();
});

test("the job deletes what has expired, and what is too much", async () => {
  const database = await installed();
  const fill = (n, state) => shared.sql(database, `insert into fraiseql.cache_entries (key, tenant, operation, relations, snapshot, expires_at, stale_until, bytes, value)
    select gen_random_uuid(), 't', 'Some#00000000', '{}', pg_current_snapshot(), now() + interval '${state}', now() + interval '${state}' + i * interval '1 ms', 3000, string_agg(md5(i::text || j), '') from generate_series(1, ${n}) i, generate_series(1, 90) j group by i`);
  await fill(2500, "-1 minute");
  await fill(1500, "1 hour");
  const file = writeConfiguration(merge(configuration(database, { cache: { enabled: true, cleanup: { batch: 1000 }, max_bytes: "2MiB" } }), {}));
  const { code, stdout, stderr } = await program(["jobs", "run", "cache_cleanup", "-c", file]);
  assert.equal(code, 0, stderr);
  const [, expired, trimmed] = /cache_cleanup: done: (\d+) entries and \d+ changes deleted, (\d+) entries for their size/.exec(stdout);
  assert.equal(expired, "2500");
  const left = Number(await entries(database));
  assert.equal(left, 1500 - Number(trimmed));
  assert.ok(left > 300 && left < 1000, String(left));
  assert.equal(await shared.sql(database, "select min(stale_until) > now() + interval '59 minutes 59 seconds' from fraiseql.cache_entries"), "t");
});
