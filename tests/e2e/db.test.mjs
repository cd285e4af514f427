// fraiseqld db: installs what the daemon keeps in the database.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { configuration, db, installSystem, program, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

const files = readdirSync(new URL("../../sql/system/", import.meta.url)).sort();
const states = (text) => text.trim().split("\n").map((line) => line.split(/ {2,}/));

test("nothing is installed before, and all of it after; status says so", async () => {
  const database = await createDatabase();
  const before = await db("status", database);
  assert.equal(before.code, 1, before.stderr);
  assert.deepEqual(states(before.stdout), files.map((name) => [name, "missing"]));
  await installSystem(database);
  const after = await db("status", database);
  assert.equal(after.code, 0, after.stderr);
  assert.deepEqual(states(after.stdout), files.map((name) => [name, "installed"]));
});

test("it can be done again, and keeps what is there", async () => {
  const database = await createDatabase();
  await installSystem(database);
  await shared.sql(database, `insert into fraiseql.idempotency_key (scope, key, request, expires_at)
    values (repeat('0', 64), 'k', repeat('1', 64), now() + interval '1 day')`);
  await installSystem(database);
  assert.equal((await db("upgrade", database)).code, 0);
  assert.equal(await shared.sql(database, "select count(*) from fraiseql.idempotency_key"), "1");
  assert.equal(await shared.sql(database, "select count(*) from fraiseql.system_file"), String(files.length));
});

test("two at once both succeed", async () => {
  const database = await createDatabase();
  await Promise.all([1, 2, 3, 4].map(() => installSystem(database)));
  assert.equal((await db("status", database)).code, 0);
});

test("a file of another version is told, and brought up to date", async () => {
  const database = await createDatabase();
  await installSystem(database);
  await shared.sql(database, "update fraiseql.system_file set digest = repeat('a', 64) where name = '010_idempotency.sql'");
  const status = await db("status", database);
  assert.equal(status.code, 1);
  assert.match(status.stdout, /^010_idempotency\.sql +of another version$/m);
  await installSystem(database);
  assert.equal((await db("status", database)).code, 0);
});

test("the schema joins the database's search_path, once, unless told not to", async () => {
  const path = async (database) => shared.sql(database, "show search_path");
  const one = await createDatabase();
  await installSystem(one, { args: ["--no-search-path"] });
  assert.equal(await path(one), '"$user", public');
  await installSystem(one);
  await installSystem(one);
  assert.equal(await path(one), '"$user", public, fraiseql');
  await shared.sql(one, "select count(*) from idempotency_key");
});

test("what --dry-run prints does the same in psql", async () => {
  const database = await createDatabase();
  const { code, stdout, stderr } = await db("install", database, { args: ["--dry-run", "--grant-to", "fraiseqld"] });
  assert.equal(code, 0, stderr);
  assert.equal((await db("status", database)).code, 1);
  await shared.script(database, stdout);
  assert.equal((await db("status", database)).code, 0);
});

test("the daemon's role may use the schema, and requests' roles see no table of it", async () => {
  const database = await createDatabase();
  await installSystem(database);
  assert.equal(await shared.sql(database, "select has_schema_privilege('fraiseqld', 'fraiseql', 'usage')"), "t");
  assert.equal(
    await shared.sql(database, `select count(*) from pg_class c where relnamespace = 'fraiseql'::regnamespace and relkind in ('r', 'p', 'v')
      and has_table_privilege('app_user', c.oid, 'select, insert, update, delete, truncate')`),
    "0",
  );
});

test("who may not create a schema is told, and nothing is done", async () => {
  const database = await createDatabase();
  const { code, stderr } = await program(["db", "install", "-c", writeConfiguration(configuration(database))]);
  assert.equal(code, 77, stderr);
  assert.match(stderr, /000_schema\.sql: permission denied for database/);
  assert.equal((await db("status", database)).code, 1);
});

test("a database that cannot be reached is status 69", async () => {
  const more = { database: { url: "postgresql://fraiseqld@127.0.0.1:1/nothing" } };
  assert.equal((await db("install", "nothing", { more })).code, 69);
  assert.equal((await db("status", "nothing", { more })).code, 69);
});

test("uninstall wants to be meant, and drops the schema", async () => {
  const database = await createDatabase();
  await installSystem(database);
  assert.equal((await db("uninstall", database)).code, 64);
  assert.equal((await db("status", database)).code, 0);
  assert.equal((await db("uninstall", database, { args: ["--yes"] })).code, 0);
  assert.equal(await shared.sql(database, "select count(*) from pg_namespace where nspname = 'fraiseql'"), "0");
});

test("an unknown action or argument is status 64", async () => {
  for (const args of [["db"], ["db", "instal"], ["db", "status", "more"], ["db", "install", "--nothing"]]) {
    assert.equal((await program(args)).code, 64, args.join(" "));
  }
});
