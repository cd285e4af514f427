// check --connect tells how many connections daemons may want, and how many the server has for them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { configuration, program, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

const database = await createDatabase();
const check = (more, ...args) => program(["check", "--connect", ...args, "-c", writeConfiguration(configuration(database, more))]);

test("what daemons may want is compared with what there is", async () => {
  const there = Number(await shared.sql("postgres", "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"));
  const fits = await check({ database: { pool: { min: 1, max: 10 } } }, "--daemons", "3");
  assert.equal(fits.code, 0, fits.stderr);
  assert.match(fits.stderr, new RegExp(`^fraiseqld: 3 daemons may want 33 connections \\(3 x 11\\), the server has ${there} for them$`, "m"));
  const many = await check({ database: { pool: { min: 1, max: 200 } } }, "--daemons", "6");
  assert.equal(many.code, 0, "it is a warning");
  assert.match(many.stderr, new RegExp(`warning: 6 daemons may want 1206 connections \\(6 x 201\\), the server has ${there} for them: lower database\\.pool\\.max`));
  const { stdout } = await check({ database: { pool: { min: 1, max: 7 }, notify: { listen: false } } }, "--format", "json");
  assert.deepEqual(JSON.parse(stdout).connections, { daemons: 1, each: 7, wanted: 7, there });
});

test("a limit of the role's own counts", async () => {
  await shared.sql("postgres", "create role check_limited login connection limit 9 in role app_user");
  const { stderr } = await check({ database: { url: shared.url(database, "check_limited"), pool: { min: 1, max: 8 } } });
  assert.match(stderr, /1 daemon may want 9 connections \(1 x 9\), the server has 9 for them$/m);
  await shared.sql("postgres", "drop role check_limited");
});

test("arguments that make no sense are refused", async () => {
  for (const args of [["--daemons", "none"], ["--daemons", "0"]]) {
    assert.equal((await check({}, ...args)).code, 64);
  }
  assert.equal((await program(["check", "--daemons", "2", "-c", writeConfiguration(configuration(database))])).code, 64);
});
