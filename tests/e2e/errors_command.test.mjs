// fraiseqld errors: what is recorded, and what becomes of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { configuration, installSystem, program, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

const database = await createDatabase();
const file = writeConfiguration(configuration(database));
const errors = (...args) => program(["errors", ...args, "-c", file], { env: { USER: "ann" } });

test("without the tables it says what to do", async () => {
  const { code, stderr } = await errors("list");
  assert.equal(code, 69);
  assert.match(stderr, /run "fraiseqld db install"/);
  await installSystem(database);
});

async function record(...elements) {
  await shared.sql(database, `select fraiseql.record_errors('${JSON.stringify(elements)}')`);
}
const id = (fingerprint) => shared.sql(database, `select fraiseql.error_id('${fingerprint}', 'production')`);
const status = async (fingerprint) => shared.sql(database, `select concat_ws(' ', status, assigned_to, resolved_by, resolution_notes) from fraiseql.tb_error_group where error_fingerprint = '${fingerprint}'`);
const lines = (text) => text.trimEnd().split("\n");

test("errors are listed by when they happened last, or by how often", async () => {
  const ago = (minutes) => new Date(Date.now() - minutes * 60000).toISOString();
  await record(
    { fingerprint: "often", type: "TIMEOUT", severity: "warning", message: "the database did not answer in time", operation: "Slow", path: "tasks", count: 50, occurred_at: ago(30) },
    { fingerprint: "now", type: "INTERNAL_SERVER_ERROR", sqlstate: "XX000", message: "no room in shelf #", detail: "no room in shelf 7", operation: "Shelf", occurred_at: ago(1), release: "1.0",
      request_id: "the-request", trace_id: "t".repeat(32), stack_trace: "PL/pgSQL function fn_shelf(integer) line 1 at RAISE", request_context: { document: "query Shelf { shelf }" },
      user_context: { tenant_id: "acme", user_id: "bob" }, breadcrumbs: [{ stage: "database", ms: 3 }] },
    { fingerprint: "old", type: "UNKNOWN_OUTCOME", severity: "critical", message: "lost", count: 7, occurred_at: ago(60 * 24 * 3) },
  );
  const listed = await errors("list");
  assert.equal(listed.code, 0, listed.stderr);
  assert.deepEqual(lines(listed.stdout).slice(1).map((line) => line.slice(0, 8)), [await id("now"), await id("often"), await id("old")].map((text) => text.slice(0, 8)));
  assert.match(lines(listed.stdout)[2], /^[0-9a-f]{8}  \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +50 +50  warning +unresolved +TIMEOUT +Slow tasks +production +the database did not answer in time$/);
  const top = await errors("top");
  assert.deepEqual(lines(top.stdout).slice(1).map((line) => line.slice(0, 8)), [await id("often"), await id("now")].map((text) => text.slice(0, 8)), "of the last day");
  assert.match(lines(top.stdout)[0], / 24 h /);
  assert.equal(lines((await errors("top", "--hours", "100", "--limit", "2")).stdout).length, 3);
});

test("one is shown with the times that it happened, by its id, the beginning of it, or a request's id", async () => {
  for (const given of [await id("now"), (await id("now")).slice(0, 6).toUpperCase(), "the-request"]) {
    const { code, stdout, stderr } = await errors("show", given);
    assert.equal(code, 0, stderr);
    for (const part of [/^error +[0-9a-f-]{36}$/m, /^type +INTERNAL_SERVER_ERROR XX000$/m, /^release +1\.0$/m, /no room in shelf 7$/m, /the-request/, /acme/, /bob/, /fn_shelf\(integer\) line 1/, /query Shelf \{ shelf \}/, /"stage": "database"/]) {
      assert.match(stdout, part);
    }
  }
  const { code, stderr } = await errors("show", "ffffffff-0000-0000-0000-000000000000");
  assert.equal(code, 1);
  assert.match(stderr, /there is no error/);
  assert.equal((await errors("show", "'; drop table x; --")).code, 1);
});

test("what becomes of an error is said with who said it", async () => {
  const now = await id("now");
  assert.equal((await errors("resolve", now, "--notes", "fixed in 1.1")).stdout, `${now} is resolved\n`);
  assert.equal(await status("now"), "resolved ann fixed in 1.1");
  assert.ok(!(await errors("list")).stdout.includes(now.slice(0, 8)));
  assert.ok((await errors("list", "--status", "resolved")).stdout.includes(now.slice(0, 8)));
  assert.match((await errors("show", now)).stdout, /^resolved +.*by ann fixed in 1\.1$/m);
  assert.equal((await errors("ignore", await id("often"))).code, 0);
  assert.equal(await status("often"), "ignored");
  assert.equal((await errors("investigate", await id("old"), "--by", "eve")).code, 0);
  assert.equal(await status("old"), "investigating eve");
  assert.equal((await errors("reopen", now)).code, 0);
  assert.match(await status("now"), /^unresolved/);
  assert.equal(lines((await errors("list", "--status", "all")).stdout).length, 4);
  assert.equal((await errors("resolve", "00000000-0000-0000-0000-000000000000")).code, 1);
});

test("two errors that begin alike are not taken for each other", async () => {
  await record(...Array.from({ length: 2000 }, (_, i) => ({ fingerprint: `f${i}`, type: "X" })));
  const [prefix] = (await shared.sql(database, "select left(error_id::text, 4) from fraiseql.tb_error_group group by 1 having count(*) > 1 limit 1")).split("\n");
  const { code, stderr } = await errors("ignore", prefix);
  assert.equal(code, 1);
  assert.match(stderr, /more than one error/);
  assert.equal(await shared.sql(database, "select count(*) from fraiseql.tb_error_group where status = 'ignored'"), "1");
});

test("what is no use of it is told", async () => {
  for (const args of [[], ["nothing"], ["show"], ["show", "a", "b"], ["list", "x"], ["list", "--status", "gone"], ["top", "--hours", "0"], ["list", "--limit", "many"], ["list", "--nothing"]]) {
    assert.equal((await program(["errors", ...args])).code, 64, args.join(" "));
  }
  assert.match((await program(["errors", "--help"])).stdout, /^usage: fraiseqld errors list/);
});
