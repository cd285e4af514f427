// What happens to a database's server: it is killed, promoted, frozen, full, demoted. The daemon lives, says so in one
// line of the log and a metric, answers with codes, and is back within two seconds.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { merge, metric, start } from "../e2e/support/daemon.mjs";
import { startServer, startStandby } from "../e2e/support/postgres.mjs";
import { slowness, within } from "../e2e/support/wait.mjs";

const QUERY = "{ projects(limit: 3) { id name } }";
const MUTATION = 'mutation { createTask(input: { projectId: "00000000-0000-4000-8002-000000000001", title: "mark" }) { __typename } }';
const RECOVERY = 2000 * slowness;
const servers = [];
after(() => Promise.all(servers.map((server) => server.stop())));

async function made(promise) {
  const server = await promise;
  servers.push(server);
  return server;
}
const codes = (reply) => reply.body.errors?.map((error) => error.extensions.code) ?? [];
const settings = (more) => merge({ database: { pool: { min: 4, max: 4, retry_backoff: ["20ms", "200ms"], acquire_timeout: "500ms" } }, jobs: { enabled: false } }, more);

/** Asks all the time, on several connections; each answer with when it came. */
function traffic(daemon, documents, clients = 4) {
  const answers = [];
  let stop = false;
  const client = async () => {
    for (let i = 0; !stop; i++) {
      const document = documents[i % documents.length];
      const began = performance.now();
      const reply = await daemon.post(document).catch((error) => ({ status: 0, body: { errors: [{ extensions: { code: error.message } }] } }));
      answers.push({ document, began, at: performance.now(), codes: codes(reply), status: reply.status });
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  };
  const all = Array.from({ length: clients }, client);
  return { answers, end: async () => ((stop = true), await Promise.all(all), answers) };
}

/** Nothing but these codes, each with a status; and nothing at all from a time on. */
function expectClean(answers, allowed, recovered) {
  for (const answer of answers) {
    assert.ok(answer.status >= 200, answer.codes.join());
    for (const code of answer.codes) {
      assert.ok(allowed.includes(code), `${code}, not one of ${allowed}`);
    }
  }
  const late = answers.filter((answer) => answer.began > recovered && answer.codes.length > 0);
  assert.deepEqual(late, [], "after it had recovered");
  assert.ok(answers.filter((answer) => answer.began > recovered).length > 5, "it was asked after that");
}

const AWAY = ["SERVICE_UNAVAILABLE", "UNKNOWN_OUTCOME", "TIMEOUT"];

/** A fault under traffic; when it is over, how long until all goes well again is at most RECOVERY. */
async function under(daemon, fault, { documents = [QUERY, MUTATION], allowed = AWAY } = {}) {
  const load = traffic(daemon, documents);
  await within(5000, "traffic flows", () => load.answers.length > 20);
  await fault();
  const over = performance.now();
  await new Promise((resolve) => setTimeout(resolve, RECOVERY + 500));
  const answers = await load.end();
  expectClean(answers, allowed, over + RECOVERY);
  return answers.filter((answer) => answer.codes.length > 0);
}

test("the server is killed and comes back", async () => {
  const server = await made(startServer());
  const daemon = await start("demo", settings({}), { server });
  const failed = await under(daemon, async () => {
    await server.crash();
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal((await daemon.admin("/livez")).status, 200);
    assert.equal(await metric(daemon, "fraiseql_db_up"), 0);
    await server.resume();
  });
  assert.ok(failed.length > 0);
  assert.ok(daemon.logged("database can be reached again").length >= 1);
  assert.equal(await metric(daemon, "fraiseql_db_up"), 1);
  await daemon.stop();
});

test("all sessions are terminated, again and again", async () => {
  const server = await made(startServer());
  const daemon = await start("demo", settings({}), { server });
  const failed = await under(daemon, async () => {
    for (let i = 0; i < 10; i++) {
      await server.sql("postgres", "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'fraiseqld'");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  assert.deepEqual(failed.filter((answer) => answer.document === QUERY), [], "queries are sent again");
  assert.ok((await metric(daemon, 'fraiseql_db_connects_total{result="ok"}')) > 8);
  await daemon.stop();
});

test("the primary dies and its standby is promoted", async () => {
  const primary = await made(startServer());
  const standby = await made(startStandby(primary));
  await within(10000, "it streams", async () => (await primary.sql("postgres", "select count(*) from pg_stat_replication where state = 'streaming'")) === "1");
  const url = `postgresql://fraiseqld@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/demo?target_session_attrs=read-write`;
  const daemon = await start("demo", settings({ database: { url } }), { server: primary });
  assert.equal(await metric(daemon, "fraiseql_db_up"), 1);
  await under(daemon, async () => {
    await primary.crash();
    await standby.promote();
  });
  assert.notEqual(await standby.sql("demo", "select count(*) from tasks where title = 'mark'"), "0");
  await daemon.stop();
});

test("the primary is demoted while its sessions go on: the first change that it refuses has all of them made anew", async () => {
  const primary = await made(startServer());
  const standby = await made(startStandby(primary));
  await within(10000, "it streams", async () => (await primary.sql("postgres", "select count(*) from pg_stat_replication where state = 'streaming'")) === "1");
  const url = `postgresql://fraiseqld@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/demo?target_session_attrs=read-write`;
  const daemon = await start("demo", settings({ database: { url } }), { server: primary });
  await within(5000, "the pool is full", async () => (await metric(daemon, 'fraiseql_db_pool_connections{state="idle"}')) === 4);
  await standby.promote();
  await primary.sql("postgres", "alter system set default_transaction_read_only = on");
  await primary.sql("postgres", "select pg_reload_conf()");
  const refused = [];
  await within(5000, "a change is refused", async () => {
    refused.push(...codes(await daemon.post(MUTATION)));
    return refused.length > 0;
  });
  assert.deepEqual(refused, ["SERVICE_UNAVAILABLE"]);
  await within(2000, "all connections are to the new primary", async () => (await primary.sql("postgres", "select count(*) from pg_stat_activity where usename = 'fraiseqld' and application_name = 'fraiseqld' and query not like 'listen%'")) === "0");
  for (let i = 0; i < 8; i++) {
    assert.deepEqual(codes(await daemon.post(MUTATION)), []);
  }
  assert.equal(daemon.logged("the database does not accept changes: all connections are made anew").length, 1);
  assert.equal(await standby.sql("demo", "select count(*) >= 8 from tasks where title = 'mark'"), "t");
  await daemon.stop();
});

test("a server that is only read-only goes on answering queries, and connections are not made anew all the time", async () => {
  const server = await made(startServer());
  const daemon = await start("demo", settings({}), { server });
  await server.sql("postgres", "alter system set default_transaction_read_only = on");
  await server.sql("postgres", "select pg_reload_conf()");
  await within(5000, "changes are refused", async () => codes(await daemon.post(MUTATION)).includes("SERVICE_UNAVAILABLE"));
  for (let i = 0; i < 20; i++) {
    assert.deepEqual(codes(await daemon.post(MUTATION)), ["SERVICE_UNAVAILABLE"]);
    assert.deepEqual(codes(await daemon.post(QUERY)), []);
  }
  assert.equal(daemon.logged("the database does not accept changes: all connections are made anew").length, 1);
  await server.sql("postgres", "alter system reset default_transaction_read_only");
  await server.sql("postgres", "select pg_reload_conf()");
  await within(RECOVERY, "changes are accepted", async () => codes(await daemon.post(MUTATION)).length === 0);
  await daemon.stop();
});

/** Of the server and all its children. */
function processes(server) {
  const postmaster = readFileSync(`${server.dir}/data/postmaster.pid`, "utf8").split("\n")[0];
  return [postmaster, ...execFileSync("pgrep", ["-P", postmaster], { encoding: "utf8" }).trim().split("\n")].map(Number);
}

test("the server is frozen: requests end in time, and nobody waits longer than that", async () => {
  const server = await made(startServer());
  const daemon = await start("demo", settings({ server: { request_timeout: "1s" } }), { server });
  let frozen = 0;
  const failed = await under(daemon, async () => {
    const pids = processes(server);
    pids.forEach((pid) => process.kill(pid, "SIGSTOP"));
    frozen = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    assert.equal((await daemon.admin("/livez")).status, 200);
    pids.forEach((pid) => process.kill(pid, "SIGCONT"));
  });
  assert.ok(failed.length > 0);
  assert.ok((await metric(daemon, "fraiseql_db_given_up_total")) > 0);
  assert.ok(daemon.logged("the database does not answer: connections are given up").length >= 1);
  for (const answer of failed) {
    assert.ok(answer.at - answer.began < 3500 * slowness, `${answer.at - answer.began} ms: ${answer.codes}`);
  }
  // Nor does the daemon's own end wait for it.
  const pids = processes(server);
  pids.forEach((pid) => process.kill(pid, "SIGSTOP"));
  const last = daemon.post(QUERY).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  const stopping = performance.now();
  await daemon.stop().finally(() => pids.forEach((pid) => process.kill(pid, "SIGCONT")));
  assert.ok(performance.now() - stopping < 15000, `${performance.now() - stopping} ms`);
  await last;
});

test("the server has no more connections to give: those that are there serve, and more come when there are", async () => {
  const server = await made(startServer());
  await server.sql("postgres", "alter role fraiseqld connection limit 2");
  const daemon = await start("demo", settings({ database: { pool: { min: 1, max: 8, acquire_timeout: "5s" }, notify: { listen: false } } }), { server });
  const load = traffic(daemon, [QUERY], 16);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await server.sql("postgres", "alter role fraiseqld connection limit -1");
  const before = await metric(daemon, 'fraiseql_db_connects_total{result="error"}');
  assert.ok(before > 0 && before < 200, `${before} attempts`);
  await new Promise((resolve) => setTimeout(resolve, RECOVERY));
  const answers = await load.end();
  assert.deepEqual([...new Set(answers.flatMap((answer) => answer.codes))], []);
  await daemon.stop();
});
