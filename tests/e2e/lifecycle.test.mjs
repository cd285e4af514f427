// Starting, stopping, and living through what happens to the database.

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { configuration, Daemon, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, Session, shared, startServer } from "./support/postgres.mjs";
import { postBytes, Raw } from "./support/raw.mjs";
import { ACME, tokenFor } from "./support/token.mjs";
import { atMost, slowness, within } from "./support/wait.mjs";

const database = await createDatabase();

/** Holds projects locked, so that requests for them wait, while a function runs. */
async function stalled(run) {
  const session = new Session(database);
  try {
    await session.run("begin; lock table projects in access exclusive mode");
    await run(() => session.run("rollback"));
  } finally {
    await session.end();
  }
}

const waiting = async (n) =>
  within(5000, `${n} requests wait for the lock`, async () =>
    Number(await shared.sql(database, `select count(*) from pg_stat_activity where datname = '${database}' and wait_event_type = 'Lock'`)) >= n,
  );

test("the daemon is ready within a second and says where it listens", async () => {
  const started = performance.now();
  const daemon = await start(database);
  const took = performance.now() - started;
  try {
    assert.ok(took < 1500 * slowness, `${took} ms`);
    assert.match(daemon.address, /^127\.0\.0\.1:\d+$/);
    assert.equal(daemon.logged("started").length, 1);
    await within(1000, "it tells of the schema", () => daemon.logged("schema loaded").length === 1);
  } finally {
    await daemon.stop();
  }
  assert.equal(daemon.logged("stopped").length, 1);
});

test("the probes answer on the admin port, readiness on the API's as well", async () => {
  const daemon = await start(database);
  try {
    for (const path of ["/livez", "/readyz", "/startupz", "/health", "/ready", "/healthz"]) {
      const reply = await daemon.admin(path);
      assert.equal(reply.status, 200, path);
      assert.deepEqual(reply.body, { status: "ok" });
    }
    for (const path of ["/health", "/ready"]) {
      assert.equal((await daemon.request(daemon.url + path)).status, 200, path);
    }
    assert.equal((await daemon.admin("/graphql")).status, 404);
    const posted = await daemon.request(`${daemon.adminUrl}/readyz`, { method: "POST", agent: false });
    assert.equal(posted.status, 405);
    assert.equal(posted.headers.allow, "GET, HEAD");
  } finally {
    await daemon.stop();
  }
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  test(`${signal} lets requests in flight end, refuses new ones, and exits with 0`, async () => {
    const daemon = await start(database);
    await stalled(async (release) => {
      const reply = daemon.post("{ projects(limit: 1) { id } }");
      await waiting(1);
      daemon.signal(signal);
      await within(5000, "it accepts nothing more", async () => {
        const socket = new Raw(daemon.address);
        const outcome = await Promise.race([socket.connected.then(() => "open"), socket.end.then(() => "refused")]);
        socket.close();
        return outcome === "refused";
      });
      assert.equal(daemon.ending, undefined);
      await release();
      const { status, headers } = await reply;
      assert.equal(status, 200);
      assert.equal(headers.connection, "close");
    });
    await daemon.stop();
  });
}

test("during shutdown.delay it serves, but is not ready", async () => {
  const daemon = await start(database, { server: { shutdown: { delay: "1500ms" } } });
  daemon.signal("SIGTERM");
  await within(1000, "it is not ready", async () => (await daemon.admin("/readyz")).status === 503);
  assert.equal((await daemon.admin("/livez")).status, 200);
  const reply = await daemon.post("{ __typename }", { agent: false });
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.connection, "close");
  await daemon.stop();
});

test("a second signal ends it at once", async () => {
  const daemon = await start(database, { server: { shutdown: { drain_timeout: "60s" } } });
  await stalled(async () => {
    const reply = daemon.post("{ projects(limit: 1) { id } }").catch((error) => error);
    await waiting(1);
    daemon.signal("SIGTERM");
    await within(5000, "it shuts down", () => daemon.logged("shutting down").length === 1);
    assert.equal(daemon.ending, undefined);
    daemon.signal("SIGTERM");
    await atMost(5000, "it ends", daemon.exited);
    await reply;
    await daemon.stop();
  });
});

test("signals while it ends do not change how it ends", async () => {
  const daemon = await start(database);
  await daemon.data("{ projects(limit: 1) { id } }");
  await within(10000, "it ends", () => {
    ["SIGTERM", "SIGHUP", "SIGINT"].forEach((signal) => daemon.signal(signal));
    return daemon.ending;
  });
  await daemon.stop();
});

test("requests that outlast drain_timeout do not keep it from ending", async () => {
  const daemon = await start(database, { server: { shutdown: { drain_timeout: "300ms" } } });
  await stalled(async () => {
    const reply = daemon.post("{ projects(limit: 1) { id } }").catch((error) => error);
    await waiting(1);
    await daemon.stop({ ms: 5000 });
    await reply;
  });
  await within(3000, "the statement is gone", async () =>
    (await shared.sql(database, `select count(*) from pg_stat_activity where datname = '${database}' and usename = 'fraiseqld'`)) === "0",
  );
});

test("an idle connection does not keep it from ending", async () => {
  const daemon = await start(database);
  const idle = new Raw(daemon.address);
  const used = new Raw(daemon.address);
  const half = new Raw(daemon.address);
  await used.send(postBytes("{ __typename }", tokenFor(ACME)));
  await half.send("POST /graphql HTTP/1.1\r\nHost: x\r\n");
  await within(5000, "an answer", () => used.text.includes("Query"));
  await idle.connected;
  await daemon.stop({ ms: 8000 });
  [idle, used, half].forEach((socket) => socket.close());
});

test("it starts while the database is down, and is ready once it came up", async () => {
  const server = await startServer();
  await server.halt();
  const daemon = new Daemon(configuration("demo", { database: { pool: { retry_backoff: ["50ms", "200ms"] } } }, server));
  try {
    await daemon.listening();
    assert.equal((await daemon.admin("/livez")).status, 200);
    assert.equal((await daemon.admin("/readyz")).status, 503);
    assert.equal((await daemon.admin("/startupz")).status, 503);
    const reply = await daemon.post("{ __typename }");
    assert.equal(reply.status, 503);
    assert.equal(reply.body.errors[0].extensions.code, "SERVICE_UNAVAILABLE");
    assert.ok(Number(reply.headers["retry-after"]) >= 1);
    await server.resume();
    await daemon.ready(10000);
    assert.equal((await daemon.data("{ projects(limit: 1) { id } }")).projects.length, 1);
    await daemon.stop();
  } finally {
    daemon.signal("SIGKILL");
    await server.stop();
  }
});

test("a database that cannot be reached does not keep it from ending", async () => {
  const server = await startServer();
  const daemon = await start("demo", { database: { pool: { min: 1, max: 2 } } }, { server });
  try {
    await server.halt();
    await daemon.post("{ projects(limit: 1) { id } }");
    // All that writes in the background, and the load, now want a connection.
    daemon.signal("SIGHUP");
    await within(5000, "it reloads", () => daemon.logged("reloading the configuration and the schema").length === 1);
    await daemon.stop({ ms: 2000 });
  } finally {
    daemon.signal("SIGKILL");
    await server.stop();
  }
});

test("a database that restarts costs errors while it is down, and nothing afterwards", async () => {
  const server = await startServer();
  const daemon = await start("demo", { database: { pool: { min: 2, max: 4, retry_backoff: ["50ms", "200ms"] } } }, { server });
  const query = "{ projects(limit: 1) { id } }";
  try {
    await Promise.all(Array.from({ length: 8 }, () => daemon.data(query)));
    await server.halt();
    const { status, body, text } = await daemon.post(query);
    assert.equal(body.errors[0].extensions.code, "SERVICE_UNAVAILABLE", text);
    assert.ok(status === 503 || status === 200, text);
    assert.equal((await daemon.admin("/livez")).status, 200);
    await server.resume();
    await within(10000, "it answers again", async () => (await daemon.post(query)).body.errors === undefined);
    for (let i = 0; i < 20; i++) {
      await daemon.data(query);
    }
    await daemon.stop();
  } finally {
    daemon.signal("SIGKILL");
    await server.stop();
  }
});

test("connections that the database ends are replaced; queries do not notice", async () => {
  const daemon = await start(database, { database: { pool: { min: 2, max: 2, retry_backoff: ["20ms", "100ms"] } } });
  try {
    const query = "{ projects(limit: 1) { id } }";
    await daemon.data(query);
    for (let i = 0; i < 3; i++) {
      await shared.sql(database, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and usename = 'fraiseqld'`);
      await within(5000, "it answers again", async () => (await daemon.post(query)).body.errors === undefined);
    }
  } finally {
    await daemon.stop();
  }
});

test("SIGHUP loads a changed schema, while requests go on", async () => {
  const own = await createDatabase();
  const daemon = await start(own);
  try {
    assert.equal((await daemon.refusal("{ notes { id } }")).extensions.code, "GRAPHQL_VALIDATION_FAILED");
    await shared.sql(own, `create table notes (id integer primary key, body text); insert into notes values (1, 'new');
      create view v_note with (security_invoker = true) as select * from notes; grant select on notes, v_note to app_user`);
    let running = true;
    let answered = 0;
    const load = (async () => {
      while (running) {
        await daemon.data("{ projects(limit: 3) { id owner { name } } }");
        answered++;
      }
    })();
    daemon.signal("SIGHUP");
    await within(5000, "the new field is there", async () => (await daemon.post("{ notes { id body } }")).body.errors === undefined);
    assert.deepEqual(await daemon.data("{ notes { id body } }"), { notes: [{ id: "1", body: "new" }] });
    // Taken away again, and a column with it.
    await shared.sql(own, "drop view v_note; create view v_note with (security_invoker = true) as select id from notes; grant select on v_note to app_user");
    daemon.signal("SIGHUP");
    await within(5000, "the field is gone", async () => (await daemon.post("{ notes { body } }")).body.errors?.[0].extensions.code === "GRAPHQL_VALIDATION_FAILED");
    running = false;
    await load;
    assert.ok(answered > 0);
  } finally {
    await daemon.stop();
  }
});

test("a configuration with errors ends it with 78; each error has its place", async () => {
  const file = writeFile("yaml", `version: 1
server:
  workers: many
database:
  pool:
    max_conection: 5
auth:
  mode: [required
`);
  const syntax = await program(["serve", "-c", file]);
  assert.equal(syntax.code, 78, syntax.stderr);
  assert.match(syntax.stderr, new RegExp(`${file}:\\d+:\\d+: `));

  const wrong = writeFile("yaml", `version: 1
server:
  workers: many
database:
  pool:
    max_conection: 5
  statement_timeout: 25
`);
  const { code, stderr } = await program(["serve", "-c", wrong]);
  assert.equal(code, 78, stderr);
  assert.match(stderr, new RegExp(`${wrong}:3:\\d+: `));
  assert.match(stderr, new RegExp(`${wrong}:6:5: .*max_conection`));
  assert.match(stderr, new RegExp(`${wrong}:7:\\d+: `));
});

test("a configuration file that is not there is an error", async () => {
  const { code } = await program(["serve", "-c", "/nonexistent/fraiseqld.yaml"]);
  assert.ok(code === 66 || code === 78, String(code));
});

test("a port in use ends it with 71", async () => {
  const taken = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.on("listening", resolve));
  try {
    const address = `127.0.0.1:${taken.address().port}`;
    const config = writeConfiguration(configuration(database, { server: { listen: [address] } }));
    const { code, stderr } = await program(["serve", "-c", config]);
    assert.equal(code, 71, stderr);
    assert.match(stderr, new RegExp(address.replaceAll(".", "\\.")));
    // nor is a database waited for that is not there
    const away = configuration("nowhere", { server: { listen: [address] } });
    const before = performance.now();
    assert.equal((await program(["serve", "-c", writeConfiguration(away)])).code, 71);
    assert.ok(performance.now() - before < 5000 * slowness);
  } finally {
    taken.close();
  }
});

test("a command or flag that is not there ends with 64", async () => {
  assert.equal((await program(["frobnicate"])).code, 64);
  assert.equal((await program(["serve", "--frobnicate"])).code, 64);
});
