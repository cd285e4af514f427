// Statistics of operations in SQL: what daemons add to fraiseql.turbo_stats.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { test } from "node:test";
import { installSystem, start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const unique = () => `S${randomBytes(4).toString("hex")}`;

async function installed() {
  const database = await createDatabase();
  await installSystem(database);
  return database;
}

const statistics = (database, columns = "hits, misses, hit_rate_pct, registered") => shared.sql(database, `select operation_name, ${columns} from fraiseql.turbo_statistics order by 1`);

async function send(daemon, query, n, options) {
  for (let i = 0; i < n; i++) {
    await daemon.data(query, options);
  }
}

test("uses of several daemons add up, and what came once is not there", async () => {
  const database = await installed();
  const name = unique();
  const query = `query ${name} { projects(limit: 1) { id } }`;
  for (const n of [4, 6]) {
    const daemon = await start(database);
    await send(daemon, query, n);
    await send(daemon, query, n, { operationName: name });
    await send(daemon, `query ${unique()} { projects(limit: 1) { name } }`, 1);
    await daemon.stop();
  }
  assert.equal(await statistics(database), `${name}|16|4|80.00|f`);
  const row = await shared.sql(database, "select hash, daemon, mean_cost_us between 1 and 1e7, last_used_at > now() - interval '1 minute' from fraiseql.turbo_statistics");
  assert.equal(row, `${sha256(query)}|${hostname()}|t|t`);
});

test("they are added while the daemon runs, not by each request", async () => {
  const database = await installed();
  const daemon = await start(database);
  const written = () => shared.sql(database, "select coalesce(sum(n_tup_ins + n_tup_upd), 0) from pg_stat_user_tables where relname = 'turbo_stats'");
  const name = unique();
  await send(daemon, `query ${name} { projects(limit: 1) { id } }`, 200);
  await within(12000, "they are there", async () => (await statistics(database)) === `${name}|199|1|99.50|f`);
  await daemon.stop();
  await within(5000, "PostgreSQL has counted", async () => Number(await written()) >= 1);
  assert.ok(Number(await written()) <= 3, await written());
});

test("the mean follows what the database takes, whatever the first took", async () => {
  const database = await installed();
  const name = unique();
  const query = `query ${name} { projects(limit: 1) { id } }`;
  await shared.sql(database, `insert into fraiseql.turbo_stats values ('\\x${sha256(query)}', '${name}', 0, 0, 1e9, now(), '')`);
  const daemon = await start(database);
  await send(daemon, query, 8);
  await daemon.stop();
  // (7/8)^8 of it is left.
  const mean = Number(await shared.sql(database, "select mean_cost_us from fraiseql.turbo_stats"));
  assert.ok(Math.abs(mean / 1e9 - 0.875 ** 8) < 0.01, String(mean));
});

test("what an operation was used for is not lost when the schema is another", async () => {
  const database = await installed();
  const daemon = await start(database);
  const name = unique();
  const query = `query ${name} { projects(limit: 1) { id } }`;
  await send(daemon, query, 3);
  await shared.sql(database, "create view v_more as select 1 as id; grant select on v_more to app_user; notify fraiseqld, 'schema'");
  await within(5000, "the schema is another", async () => daemon.logged("schema loaded").length === 2);
  await send(daemon, query, 3);
  await daemon.stop();
  assert.equal(await statistics(database), `${name}|5|1|83.33|f`);
});

test("what is registered is there before it is used", async () => {
  const database = await installed();
  await shared.sql(database, "select fraiseql.register_turbo_query('query Never { __typename }', 'Never')");
  assert.equal(await statistics(database), "Never|0|0||t");
});

test("the table holds at most 10,000: those used longest ago go", async () => {
  const database = await installed();
  await shared.sql(database, "insert into fraiseql.turbo_stats select sha256(i::text::bytea), '', 1, 1, 1, now() - i * interval '1 hour', '' from generate_series(1, 10050) i");
  const daemon = await start(database);
  await send(daemon, `query ${unique()} { projects(limit: 1) { id } }`, 2);
  await daemon.stop();
  assert.equal(await shared.sql(database, "select count(*), max(now() - last_used_at) < interval '10000 hours' from fraiseql.turbo_stats"), "10000|t");
});

test("without the table the log says so once, and off nothing is written", async () => {
  const bare = await createDatabase();
  const daemon = await start(bare);
  await send(daemon, "{ projects(limit: 1) { id } }", 3);
  await daemon.stop();
  assert.equal(daemon.logged("statistics of operations are not kept").length, 1);
  const database = await installed();
  const off = await start(database, { turborouter: { stats: false } });
  await send(off, "{ projects(limit: 1) { id } }", 3);
  await off.stop();
  assert.equal(await statistics(database), "");
  await assert.rejects(shared.sql(database, "set role app_user; select * from fraiseql.turbo_statistics"));
});
