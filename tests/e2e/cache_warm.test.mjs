// Answers that are made before anybody asks: by a job and by a command.

import assert from "node:assert/strict";
import { test } from "node:test";
import { entries, installed, known, outcome, unique } from "./support/cache.mjs";
import { configuration, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, ZENITH, id, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const globex = { token: tokenFor(GLOBEX, id.user(5)) };
const projects = (name) => `query ${name}($n: Int) { projects(limit: $n, orderBy: [{ name: ASC }]) { id name tasks { title } } }`;
/** Answers of these operations are kept, for a minute. */
const kept = (...names) => ({
  server: { server_timing: true },
  cache: { enabled: true, operations: Object.fromEntries(names.map((name) => [name, { mode: "always", ttl: "60s" }])) },
});
const register = (database, name, variables = '{"n": 3}', document = projects(name)) =>
  shared.sql(database, `select fraiseql.register_turbo_query($q$${document}$q$, '${name}', '${variables}')`);
const warm = (args, database, more) => program(["cache", "warm", ...args, "-c", writeConfiguration(configuration(database, more))]);
/** A line of the command's table as numbers: made, held, passed over, failed. */
const counts = (stdout, name = "") => new RegExp(`^${name} +(\\d+) +(\\d+) +(\\d+) +(\\d+)`, "m").exec(stdout)?.slice(1).map(Number);
const jobs = (cache_warm) => ({
  jobs: { jitter: "0ms", definitions: { partitions: { schedule: "off" }, retention: { schedule: "off" }, statistics: { schedule: "off" }, cache_warm } },
});
const runs = (database) => shared.rows(database, "select outcome, detail from fraiseql.job_runs where job = 'cache_warm' order by run");

/** The first answer for which the cache was asked at all was there already, and is what the database would say. */
async function expectWarm(daemon, database, query, options) {
  const before = await entries(database);
  await known(daemon, query, options);
  const reply = await daemon.post(query, options);
  assert.equal(outcome(reply), "hit");
  assert.equal(await entries(database), before, "nothing was added");
  await shared.sql(database, "create table if not exists public.aside as select * from fraiseql.cache_entries; truncate fraiseql.cache_entries");
  const direct = await daemon.post(query, options);
  assert.equal(outcome(direct), "miss");
  assert.equal(direct.text, reply.text);
  await shared.sql(database, "insert into fraiseql.cache_entries select * from public.aside on conflict (key) do nothing; drop table public.aside");
}

test("the job makes answers for tenants that were served lately, as requests would", async () => {
  const database = await installed();
  const name = unique();
  await register(database, name);
  await shared.sql(
    database,
    `insert into fraiseql.cache_access_log (at, key, operation, tenant, outcome, duration_us)
     select now() - i * interval '1 hour', 'x', 'x', t, 'miss', 1 from (values (1, '${ACME}'), (2, '${GLOBEX}'), (30, '${ZENITH}')) v (i, t)`,
  );
  const daemon = await start(database, { ...kept(name), ...jobs({ schedule: "@every 1s", documents: [name] }) });
  await within(10000, "it has run", async () => (await runs(database)).some((run) => run.outcome === "done"));
  const [first] = (await runs(database)).filter((run) => run.outcome === "done");
  assert.equal(first.detail, "1 operations for 2 tenants: 2 answers made, 0 held, 0 passed over, 0 failed");
  await within(5000, "it finds them there", async () => (await runs(database)).some((run) => /0 answers made, 2 held/.test(run.detail)));
  assert.equal(await shared.sql(database, "select string_agg(tenant, ' ' order by tenant) from fraiseql.cache_entries"), [ACME, GLOBEX].sort().join(" "));
  const variables = { n: 3 };
  await expectWarm(daemon, database, projects(name), { variables });
  await expectWarm(daemon, database, projects(name), { variables, ...globex });
  const { text } = await daemon.admin("/metrics");
  assert.match(text, /fraiseql_jobs_runs_total\{job="cache_warm",result="ok"\} [1-9]/);
  await daemon.stop();
  // Nobody has asked for what it made: that is no miss.
  assert.equal(await shared.sql(database, `select miss_count from fraiseql.cache_stats where operation = '${name}'`), "2");
});

test("the command makes them too, under the keys of daemons, and leaves what holds for long", async () => {
  const database = await installed();
  const name = unique();
  const file = writeFile(`${name}.graphql`, projects(name));
  const made = await warm([file, "--tenant", ACME, "--tenant", GLOBEX], database, kept(name));
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(counts(made.stdout, name), [2, 0, 0, 0], made.stdout);
  assert.deepEqual(counts((await warm([file, "--tenant", ACME], database, kept(name))).stdout, name), [0, 1, 0, 0]);
  await shared.sql(database, `update fraiseql.cache_entries set created_at = now() - interval '40 s', expires_at = now() + interval '20 s' where tenant = '${ACME}'`);
  assert.deepEqual(counts((await warm([file], database, kept(name))).stdout, name), [1, 1, 0, 0], "of active tenants: those that have answers");
  const daemon = await start(database, kept(name));
  await expectWarm(daemon, database, projects(name));
  await expectWarm(daemon, database, projects(name), globex);
  // A change ends those of its tenant, as ever.
  await shared.sql(database, `update projects set name = name || '!' where tenant_id = '${ACME}'`);
  assert.deepEqual(counts((await warm([file], database, kept(name))).stdout, name), [1, 1, 0, 0]);
  await daemon.stop();
});

test("what depends on the user, is not kept, or is no query is passed over or refused, and the rest is made", async () => {
  const database = await installed();
  await shared.sql(
    database,
    "create view v_mine with (security_invoker = true) as select * from projects where owner_id = nullif(current_setting('app.user_id', true), '')::uuid; grant select on v_mine to app_user",
  );
  const [mine, all, off, change] = [unique(), unique(), unique(), unique()];
  await register(database, mine, "{}", `query ${mine} { mines { id } }`);
  await register(database, all);
  await register(database, off);
  await register(database, change, "{}", `mutation ${change} { createProject(input: { name: "x" }) { id } }`);
  const more = kept(mine, all);
  more.cache.operations[off] = { mode: "never" };
  const { code, stdout } = await warm(["--tenant", ACME], database, more);
  assert.equal(code, 1);
  assert.deepEqual(counts(stdout, mine), [0, 0, 1, 0], stdout);
  assert.match(stdout, /its answers depend on more than the tenant/);
  assert.deepEqual(counts(stdout, all), [1, 0, 0, 0]);
  assert.deepEqual(counts(stdout, off), [0, 0, 1, 0]);
  assert.match(stdout, /its answers are not kept/);
  assert.deepEqual(counts(stdout, change), [0, 0, 0, 1]);
  assert.equal(await entries(database), "1");
  assert.equal(await shared.sql(database, "select count(*) from projects where name = 'x'"), "0");
  assert.equal((await warm([all, "--tenant", ACME], database, more)).code, 0);
  for (const [args, message] of [
    [["Nowhere"], /no operation "Nowhere" is registered/],
    [["./nowhere.graphql"], /could not read/],
    [[all, "--tenant", "nobody"], /there can be no tenant "nobody"/],
  ]) {
    const refused = await warm(args, database, more);
    assert.equal(refused.code, 65, refused.stderr);
    assert.match(refused.stderr, message);
  }
  assert.equal((await warm([all, "--operation", "x"], database, more)).code, 64);
  const without = await warm([all], database, { cache: { enabled: false } });
  assert.equal(without.code, 78);
  assert.match(without.stderr, /there is no result cache/);
});

test("jobs run does it in the command; a job that has nothing to warm with says so", async () => {
  const database = await installed();
  const name = unique();
  await register(database, name);
  const run = (more) => program(["jobs", "run", "cache_warm", "-c", writeConfiguration(configuration(database, more))]);
  const more = { ...kept(name), ...jobs({ schedule: "@daily", tenants: [ACME] }) };
  const { code, stdout } = await run(more);
  assert.equal(code, 0);
  assert.match(stdout, /1 operations for 1 tenants: 1 answers made/);
  const failed = await run({ cache: { enabled: false }, ...jobs({ schedule: "@daily", tenants: [ACME] }) });
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /there is no result cache/);
  const wrong = await run({ jobs: { definitions: { mine: { schedule: "@daily", sql: "select 1", tenants: [ACME] } } } });
  assert.equal(wrong.code, 78);
  assert.match(wrong.stderr, /jobs\.definitions\.mine is not cache_warm/);
});

test("a daemon that stops does not wait for what is being warmed; time that is up ends it", async () => {
  const database = await installed();
  const name = unique();
  await shared.sql(
    database,
    `create view v_slow with (security_invoker = true) as select p.* from projects p, lateral (select pg_sleep(1)) s;
     grant select on v_slow to app_user`,
  );
  await register(database, name, "{}", `query ${name} { slows { id } }`);
  const more = { ...kept(name), ...jobs({ schedule: "@every 1s", timeout: "1500ms", tenants: [ACME, GLOBEX] }) };
  const daemon = await start(database, more);
  await within(10000, "it has run out of time", async () => (await runs(database)).some((run) => run.outcome === "timeout" && /the time was up/.test(run.detail)));
  await within(5000, "it runs again", async () => (await runs(database)).some((run) => run.outcome === null || run.outcome === ""));
  const before = performance.now();
  await daemon.stop();
  assert.ok(performance.now() - before < 5000, `${performance.now() - before} ms`);
});
