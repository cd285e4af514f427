// database.pool.fleet_max: daemons of one database have so many connections together, whoever comes, goes or dies.

import assert from "node:assert/strict";
import { test } from "node:test";
import { configuration, metric, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared, startServer } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

const FLEET = 12;
const NAP = "{ naps(limit: 1) { id nap } }";
const database = await createDatabase();
await shared.sql(
  database,
  "create view v_nap as select 1 as id, pg_sleep(0.05)::text as nap; grant select on v_nap to app_user",
);

const settings = (more = {}) => ({ database: { pool: { min: 2, max: 10, fleet_max: FLEET, retry_backoff: ["20ms", "200ms"], ...more } }, jobs: { enabled: false } });
const begin = (server = shared, name = database) => start(name, settings(), { server });
const max = (daemon) => metric(daemon, "fraiseql_db_pool_max_connections");
const size = (daemon) => metric(daemon, "fraiseql_db_fleet_daemons");

/** Those of the pools: the others listen, and count. */
const pooled = async () =>
  Number(
    await shared.sql(
      "postgres",
      `select count(*) from pg_stat_activity a where datname = '${database}' and usename = 'fraiseqld' and query not like 'listen %'
         and not exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory' and l.mode = 'ShareLock')`,
    ),
  );

/** More than there are connections for, until it is stopped: what failed. */
function load(daemons) {
  let stop = false;
  const failed = [];
  const client = async (daemon) => {
    while (!stop) {
      const reply = await daemon.post(NAP);
      if (reply.body.errors) {
        failed.push(reply.text);
      }
    }
  };
  const all = daemons.flatMap((daemon) => Array.from({ length: 12 }, () => client(daemon)));
  return async () => {
    stop = true;
    await Promise.all(all);
    return failed;
  };
}

test("they share what there is: less each when one comes, more when one ends or dies, and never more together", async () => {
  let most = 0;
  let looking = true;
  const look = (async () => {
    while (looking) {
      const n = await pooled();
      most = Math.max(most, n);
    }
  })();
  const first = await begin();
  await within(10000, "alone it has its max", async () => (await max(first)) === 10);
  const end = load([first]);
  await within(10000, "it uses them", async () => (await pooled()) === 10);
  const [second, third] = [await begin(), await begin()];
  const endOthers = load([second, third]);
  for (const daemon of [first, second, third]) {
    await within(10000, "a third each", async () => (await max(daemon)) === 4 && (await size(daemon)) === 3);
  }
  await within(10000, "all of them are used", async () => (await pooled()) === FLEET);
  assert.ok(most <= FLEET + 2 * 2, `${most} connections at the same time: those who come begin with their min`);
  most = 0;
  const failed = [...(await end()), ...(await endOthers())];
  assert.deepEqual(failed, []);
  await second.stop();
  await within(10000, "half each", async () => (await max(first)) === 6 && (await max(third)) === 6);
  const endFirst = load([first]);
  third.child.kill("SIGKILL");
  await within(10000, "all for one", async () => (await max(first)) === 10 && (await size(first)) === 1);
  await within(10000, "which uses them", async () => (await pooled()) === 10);
  assert.deepEqual(await endFirst(), []);
  looking = false;
  await look;
  assert.ok(most <= FLEET, `${most} connections at the same time, of ${FLEET}`);
  assert.ok(first.logged("the share of the fleet's connections is another").length >= 4);
  await first.stop();
});

test("while the database is away nobody is counted, and afterwards they are again", async () => {
  const server = await startServer();
  await server.sql("demo", "create view v_nap as select 1 as id, pg_sleep(0.05)::text as nap; grant select on v_nap to app_user");
  const daemons = [await begin(server, "demo"), await begin(server, "demo")];
  for (const daemon of daemons) {
    await within(10000, "half each", async () => (await max(daemon)) === 6);
  }
  await server.crash();
  await within(5000, "it is told", () => daemons[0].logged("the daemons cannot be counted: the share is the smallest").length === 1);
  assert.deepEqual([await size(daemons[0]), await max(daemons[0])], [0, 2]);
  await server.resume();
  for (const daemon of daemons) {
    await within(15000, "half each again", async () => (await max(daemon)) === 6 && (await size(daemon)) === 2);
  }
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  await server.stop();
});

test("check --connect counts the share of each", async () => {
  const config = writeConfiguration(configuration(database, settings()));
  const { code, stderr } = await program(["check", "--connect", "--daemons", "3", "-c", config]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /3 daemons may want 18 connections \(3 x 6\)/);
  const refused = await program(["check", "-c", writeConfiguration(configuration(database, settings({ min: 8, fleet_max: 4 })))]);
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /database\.pool\.fleet_max must not be less than database\.pool\.min/);
});
