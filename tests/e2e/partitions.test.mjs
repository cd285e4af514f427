// Partitions by time, where more than one session is needed (see tests/sql/partitions.sql for the rest).

import assert from "node:assert/strict";
import { test } from "node:test";
import { installSystem } from "./support/daemon.mjs";
import { createDatabase, Session, shared } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

async function databaseWithLog() {
  const database = await createDatabase();
  await installSystem(database);
  await shared.sql(
    database,
    `create table public.log (at timestamptz not null, n integer) partition by range (at);
     select fraiseql.register_partitions('public.log', 'month', 0, 6)`,
  );
  return database;
}
const partitions = (database) => shared.sql(database, "select count(*) from fraiseql.partitions_of('public.log')");

test("of those who make the same partitions at once, each succeeds, and there is one of each", async () => {
  const database = await databaseWithLog();
  const made = await Promise.all(
    Array.from({ length: 6 }, () => shared.sql(database, "select fraiseql.ensure_partitions('public.log', 4)")),
  );
  assert.deepEqual(made.map(Number).sort(), [0, 0, 0, 0, 0, 4]);
  assert.equal(await partitions(database), "6");
});

test("rows inserted while their partition is made are in it", async () => {
  const database = await databaseWithLog();
  const writer = new Session(database);
  await shared.sql(database, "insert into public.log select now() + interval '1 month', n from generate_series(1, 1000) n");
  await writer.run("begin; insert into public.log values (now() + interval '1 month', 0)");
  const making = shared.sql(database, "select fraiseql.ensure_partitions('public.log', 1)");
  await within(5000, "the default partition is waited for", async () =>
    (await shared.sql(database, "select count(*) from pg_locks where not granted and relation = 'public.log_default'::regclass")) === "1",
  );
  await writer.run("commit");
  await making;
  await writer.end();
  const [row] = await shared.rows(
    database,
    "select count(*), count(*) filter (where tableoid = 'public.log_default'::regclass) as left from public.log",
  );
  assert.deepEqual(row, { count: 1001, left: 0 });
});

test("a partition that is in use is dropped the next time, and nobody waits for it longer than seconds", async () => {
  const database = await databaseWithLog();
  await shared.sql(database, "select fraiseql.create_partition('public.log', '2020-01-01')");
  const reader = new Session(database);
  await reader.run("begin; select count(*) from public.log");
  assert.equal(await shared.sql(database, "select fraiseql.drop_old_partitions('public.log')"), "0");
  await reader.run("commit");
  await reader.end();
  assert.equal(await shared.sql(database, "select fraiseql.drop_old_partitions('public.log')"), "1");
  assert.equal(await partitions(database), "2");
});
