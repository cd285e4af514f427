// A password that a program prints, as tokens of RDS IAM are: for a while, and anew when it is refused.

import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { configuration, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { startServer } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

let server;

before(async () => {
  server = await startServer();
  const file = await server.sql("postgres", "show hba_file");
  writeFileSync(file, `local all fraiseqld scram-sha-256\nhost all fraiseqld all scram-sha-256\n${readFileSync(file, "utf8")}`);
  await server.sql("postgres", "select pg_reload_conf()");
});
after(() => server.stop());

let n = 0;
/** A program that prints what is in a file, and notes that it ran. */
function command(body = (files) => `cat ${files.password}`) {
  const stem = `${process.env.E2E_DIR}/command-${process.pid}-${++n}`;
  const files = { password: `${stem}.password`, runs: `${stem}.runs`, program: stem };
  writeFileSync(files.program, `#!/bin/sh\necho run >> ${files.runs}\n${body(files)}\n`);
  chmodSync(files.program, 0o755);
  return { ...files, count: () => (existsSync(files.runs) ? readFileSync(files.runs, "utf8").split("\n").length - 1 : 0), set: (text) => writeFileSync(files.password, text) };
}
const withCommand = (argv, more = {}) => ({ database: { auth: { password_command: argv, ...more }, pool: { min: 8, max: 8 } } });
const setPassword = (password) => server.sql("postgres", `alter role fraiseqld password '${password}'`);
const terminate = () => server.sql("postgres", "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'fraiseqld'");
const opened = (daemon) => within(5000, "the pool is full", async () => /fraiseql_db_pool_connections\{state="idle"\} 8/.test((await daemon.admin("/metrics")).text));
const connect = (more) => program(["check", "--connect", "-c", writeConfiguration(configuration("demo", more, server))]);

test("it is remembered, and asked for anew when the database refuses it", async () => {
  const asked = command();
  await setPassword("the first");
  asked.set("the first\nand what is below\n");
  const daemon = await start("demo", withCommand([asked.program]), { server });
  await opened(daemon);
  assert.equal((await daemon.post("{ projects { id } }")).body.errors, undefined);
  // Of two threads that connect at the same time each may ask.
  const before = asked.count();
  assert.ok(before <= 3, `${before} for all connections`);
  await setPassword("the second");
  asked.set("the second");
  await terminate();
  await within(10000, "it is connected again", async () => (await daemon.post("{ projects { id } }")).body.errors === undefined);
  await opened(daemon);
  assert.ok(asked.count() - before <= 3, `${asked.count()}`);
  // No longer right, and there is no other: it does not hammer the program, and says why.
  await setPassword("the third");
  await terminate();
  await within(5000, "it is said", async () => {
    await daemon.post("{ projects { id } }");
    return daemon.logged("could not connect to database").some((line) => /password authentication failed/.test(JSON.stringify(line)));
  });
  asked.set("the third");
  await within(15000, "it is connected again", async () => (await daemon.post("{ projects { id } }")).body.errors === undefined);
  await daemon.stop();
  assert.doesNotMatch(daemon.stderr, /the (first|second|third)/);
});

test("its time is up: the next connection has it anew; without time every one does", async () => {
  await setPassword("known");
  const asked = command();
  asked.set("known");
  const daemon = await start("demo", withCommand([asked.program], { password_ttl: "0s" }), { server });
  await opened(daemon);
  assert.ok(asked.count() >= 8);
  await daemon.stop();
});

test("it has its arguments, no shell, and none of the daemon's descriptors", async () => {
  await setPassword("a b*$HOME");
  const asked = command(() => `[ "$#" = 2 ] && [ "$2" = '*' ] && [ -z "$(ls /proc/self/fd | grep -v '^[0-3]$')" ] && [ ! -t 0 ] && printf '%s' "$1"`);
  const { code, stderr } = await connect(withCommand([asked.program, "a b*$HOME", "*"].map((text) => text.replaceAll("$", "$$$$"))));
  assert.equal(code, 0, stderr);
});

test("what goes wrong with it is said, and what it printed is not", async () => {
  for (const [body, message, more] of [
    [() => "echo secret; echo 'no credentials' >&2; echo more >&2; exit 3", /the password command failed with status 3: no credentials/],
    [() => "kill -9 $$", /the password command was ended by signal 9/],
    [() => "exit 0", /the password command printed no password/],
    [() => "head -c 100000 /dev/zero | tr '\\0' x", /the password command printed no password/],
    [() => "echo secret; sleep 60", /the password command takes too long/, { connect_timeout: "500ms" }],
  ]) {
    const asked = command(body);
    const settings = withCommand([asked.program]);
    Object.assign(settings.database.pool, { acquire_timeout: "3s", ...more });
    const since = performance.now();
    const { code, stderr, stdout } = await connect(settings);
    assert.equal(code, 69, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr + stdout, /secret|xxxx/);
    assert.ok(performance.now() - since < 8000);
  }
  const missing = await connect(withCommand(["/nowhere/at/all"]));
  assert.match(missing.stderr, /could not run the password command "\/nowhere\/at\/all": No such file/);
  const relative = await connect(withCommand(["aws"]));
  assert.equal(relative.code, 78);
  assert.match(relative.stderr, /database\.auth\.password_command must begin with an absolute path/);
  const both = withCommand(["/bin/true"]);
  both.database.password_file = writeFile("both", "x");
  const { code, stderr } = await connect(both);
  assert.equal(code, 78);
  assert.match(stderr, /exclude each other/);
});
