// What a daemon may run out of: descriptors, room for its log, room for what it keeps in PostgreSQL; and time, which jumps.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { binary, configuration, installSystem, merge, metric, start, writeConfiguration } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { tokenFor } from "../e2e/support/token.mjs";
import { within } from "../e2e/support/wait.mjs";

const QUERY = "{ projects(limit: 3) { id name } }";

test("descriptors: clients cannot take those of probes and of the database", async () => {
  const database = await createDatabase();
  const daemon = await start(database, { database: { pool: { min: 2, max: 10 } } }, { under: ["prlimit", "--nofile=128"] });
  assert.equal(await metric(daemon, "process_max_fds"), 128);
  const [said] = daemon.logged("the limit of descriptors allows fewer clients than server.limits.max_connections");
  assert.equal(said.connections, 128 - 10 - 64 - 2 * 6);
  assert.equal((await daemon.post(QUERY)).status, 200);
  const [host, port] = daemon.address.split(":");
  const answers = [];
  const sockets = Array.from({ length: 300 }, () => net.connect(Number(port), host).on("error", () => {}).on("data", (data) => answers.push(String(data))));
  await within(5000, "some are turned away", () => answers.length > 200);
  assert.match(answers[0], /^HTTP\/1\.1 503 .*SERVICE_UNAVAILABLE/s);
  for (let i = 0; i < 20; i++) {
    assert.equal((await daemon.post(QUERY)).status, 200, "on a connection that there is");
  }
  const cpu = await metric(daemon, "process_cpu_seconds_total");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok((await metric(daemon, "process_cpu_seconds_total")) - cpu < 0.5, "it does not spin");
  assert.equal((await daemon.admin("/livez")).status, 200);
  assert.ok((await metric(daemon, "process_open_fds")) < 128);
  assert.ok((await metric(daemon, 'fraiseql_http_rejected_total{reason="max_connections"}')) > 200);
  await shared.sql("postgres", `select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '${database}'`);
  await within(5000, "the database is connected to again", async () => (await daemon.post(QUERY)).body.errors === undefined);
  sockets.forEach((socket) => socket.destroy());
  daemon.agent.destroy();
  await within(5000, "new connections are accepted", async () => (await daemon.post(QUERY)).status === 200);
  await daemon.stop();
});

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

test("the log's disk is full: requests are served", async () => {
  const database = await createDatabase();
  const [port, admin] = [await freePort(), await freePort()];
  const file = writeConfiguration(configuration(database, { server: { listen: [`127.0.0.1:${port}`], admin_listen: `127.0.0.1:${admin}` }, observability: { log: { access: { enabled: true } } } }));
  const full = openSync("/dev/full", "w");
  const child = spawn(binary, ["serve", "-c", file], { stdio: ["ignore", full, full] });
  closeSync(full);
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve({ code, signal })));
  await within(15000, "it is ready", () => fetch(`http://127.0.0.1:${admin}/readyz`).then((reply) => reply.status === 200, () => false));
  for (let i = 0; i < 20; i++) {
    const reply = await fetch(`http://127.0.0.1:${port}/graphql`, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor()}` }, body: JSON.stringify({ query: QUERY }) });
    assert.equal(reply.status, 200);
    assert.equal((await reply.json()).errors, undefined);
  }
  child.kill("SIGTERM");
  assert.deepEqual(await ended, { code: 0, signal: null });
});

/** Nothing can be written to a table: as PostgreSQL says when its disk is full. */
const fill = (database, table) =>
  shared.sql(
    database,
    `create or replace function public.no_room() returns trigger language plpgsql as $$begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end$$;
     create trigger no_room before insert on ${table} for each statement execute function public.no_room()`,
  );
const empty = (database, table) => shared.sql(database, `drop trigger no_room on ${table}`);

test("the disk of what the daemon keeps is full: requests are served, the log says so once, and it heals", async () => {
  const database = await createDatabase();
  await installSystem(database, { args: ["--cache-triggers"] });
  await shared.sql(database, "create function public.fn_broken() returns text language plpgsql stable as $$begin raise exception 'broken' using errcode = 'XX000'; end$$; grant execute on function public.fn_broken() to app_user");
  const tables = ["fraiseql.cache_entries", "fraiseql.tb_error_occurrence", "fraiseql.otel_traces"];
  for (const table of tables) {
    await fill(database, table);
  }
  const daemon = await start(
    database,
    merge({ jobs: { enabled: false } }, {
      server: { server_timing: true },
      cache: { enabled: true, operations: { Kept: { mode: "always" } } },
      errors: { enabled: true, queue: { flush_interval: "100ms" } },
      observability: { tracing: { enabled: true, ratio: 1 } },
    }),
  );
  const kept = "query Kept { projects(limit: 3) { id name } }";
  const ask = async (n) => {
    for (let i = 0; i < n; i++) {
      assert.equal((await daemon.post(kept)).body.errors, undefined);
      assert.equal((await daemon.post("{ broken }")).body.errors[0].extensions.code, "INTERNAL_SERVER_ERROR");
    }
  };
  const deadline = performance.now() + 2000;
  while (performance.now() < deadline) {
    await ask(5);
  }
  const said = (text) => daemon.lines.filter((line) => JSON.stringify(line).includes(text));
  assert.ok(said("No space left").length >= 1 && said("No space left").length <= 12, `${said("No space left").length} lines`);
  assert.equal(await shared.sql(database, "select count(*) from fraiseql.cache_entries"), "0");
  for (const table of tables) {
    await empty(database, table);
  }
  await within(20000, "errors are recorded again", async () => {
    await ask(1);
    return Number(await shared.sql(database, "select count(*) from fraiseql.tb_error_occurrence")) > 0;
  });
  await within(20000, "answers are kept again", async () => /cache;desc=hit/.test((await daemon.post(kept)).headers["server-timing"]));
  await within(20000, "traces are written again", async () => Number(await shared.sql(database, "select count(*) from fraiseql.otel_traces")) > 0);
  await daemon.stop();
});

test("memory: what clients can ask for is bounded, and where there is less the process ends at once, with no answer half sent", async () => {
  const database = await createDatabase();
  await shared.sql(database, "create view v_wide as select i as id, repeat('x', 10000) as text from generate_series(1, 1000) i; grant select on v_wide to app_user");
  const more = { server: { limits: { max_response_bytes: "16MiB" } }, schema: { pagination: { max_limit: 1000 } }, database: { pool: { min: 2, max: 20 } } };
  const daemon = await start(database, more);
  const kilobytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${daemon.child.pid}/status`, "utf8"))[1]);
  const ask = async (i) => {
    try {
      const reply = await daemon.post("{ wides(limit: 1000) { id text } }", { variables: { i } });
      return { rows: reply.body?.data?.wides?.length, text: reply.text.length };
    } catch (error) {
      return { error: error.code ?? error.message };
    }
  };
  assert.deepEqual(await ask(0), { rows: 1000, text: (await ask(1)).text });
  // Four at a time, for as long as it takes: memory is reused.
  for (let i = 0; i < 5; i++) {
    await Promise.all([1, 2, 3, 4].map(ask));
  }
  const [four] = [kilobytes("VmHWM")];
  for (let i = 0; i < 10; i++) {
    await Promise.all([1, 2, 3, 4].map(ask));
  }
  assert.ok(kilobytes("VmHWM") - four < 48 * 1024, `${four} kB, then ${kilobytes("VmHWM")} kB`);
  execFileSync("prlimit", ["--pid", String(daemon.child.pid), `--as=${(kilobytes("VmSize") + 32 * 1024) * 1024}`]);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(i)));
  const { signal } = await daemon.exited;
  assert.equal(signal, "SIGABRT");
  assert.match(daemon.stderr, /^fraiseqld: out of memory \(\d+ bytes\)$/m);
  assert.ok(answers.some((answer) => answer.error !== undefined));
  for (const answer of answers.filter((one) => one.error === undefined)) {
    assert.equal(answer.rows, 1000);
  }
  const next = await start(database, more);
  assert.equal((await next.post(QUERY)).body.errors, undefined);
  await next.stop();
});
