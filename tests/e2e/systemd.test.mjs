// What the daemon and systemd owe each other: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3),
// credentials and the journal's priorities.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import { configuration, Daemon, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared, startServer } from "./support/postgres.mjs";
import { freeze, handover, notifySocket } from "./support/systemd.mjs";
import { SECRET } from "./support/token.mjs";
import { slowness, within } from "./support/wait.mjs";

const database = await createDatabase();
const QUERY = "{ projects(limit: 1) { id } }";

for (const form of ["path", "abstract"]) {
  test(`it tells when it is ready, reloads and stops, at a socket with ${form === "path" ? "a path" : "an abstract name"}`, async () => {
    const manager = await notifySocket(form);
    const config = configuration(database, { server: { shutdown: { delay: "100ms", drain_timeout: "20s" } } });
    const daemon = new Daemon(config, { env: { NOTIFY_SOCKET: manager.address } });
    try {
      await daemon.listening();
      await within(10000, "READY=1", () => manager.with("READY").length === 1);
      // Ready means that it serves.
      await daemon.data(QUERY);
      const [ready] = manager.with("READY");
      assert.equal(ready.READY, "1");
      assert.match(ready.STATUS, /^serving \d+ req\/s, pool \d+\/8$/);
      assert.equal(manager.with("WATCHDOG").length, 0);

      daemon.signal("SIGHUP");
      await within(10000, "ready again", () => manager.with("READY").length === 2);
      const [reloading] = manager.with("RELOADING");
      const order = manager.all.map((datagram) => Object.keys(datagram)[1]);
      assert.ok(order.indexOf("RELOADING") < order.lastIndexOf("READY"), order.join());
      assert.equal(reloading.RELOADING, "1");
      // CLOCK_MONOTONIC, as node has it.
      const now = Number(process.hrtime.bigint() / 1000n);
      assert.ok(Number(reloading.MONOTONIC_USEC) < now && Number(reloading.MONOTONIC_USEC) > now - 60e6, `${reloading.MONOTONIC_USEC} ${now}`);
      assert.equal(daemon.logged("schema unchanged").length, 1);

      await daemon.stop();
      const [stopping] = manager.with("STOPPING");
      assert.equal(stopping.STOPPING, "1");
      assert.match(stopping.STATUS, /^shutting down/);
      // delay, drain_timeout, and what is behind them
      assert.ok(Number(stopping.EXTEND_TIMEOUT_USEC) >= 20.1e6, stopping.EXTEND_TIMEOUT_USEC);
    } finally {
      daemon.child.kill("SIGKILL");
      await manager.end();
    }
  });
}

test("a database that cannot be reached does not keep the unit from starting", async () => {
  const server = await startServer();
  await server.halt();
  const manager = await notifySocket("path");
  const daemon = new Daemon(configuration("demo", { database: { pool: { retry_backoff: ["50ms", "200ms"] } } }, server), {
    env: { NOTIFY_SOCKET: manager.address },
  });
  try {
    await within(15000, "READY=1", () => manager.with("READY").length === 1);
    const [ready] = manager.with("READY");
    assert.equal(ready.STATUS, "waiting for the database");
    assert.ok(ready.ms >= 9000, `after ${ready.ms} ms`);
    await daemon.stop();
  } finally {
    daemon.child.kill("SIGKILL");
    await manager.end();
    await server.stop();
  }
});

test("the watchdog is fed at half of its time while every thread comes round, and not while one is stuck", async () => {
  const manager = await notifySocket("path");
  const daemon = await start(database, {}, { env: { NOTIFY_SOCKET: manager.address, WATCHDOG_USEC: "2000000" } });
  const pings = () => manager.with("WATCHDOG").length;
  try {
    await within(10000, "four pings", () => pings() >= 4);
    const times = manager.with("WATCHDOG").map((datagram) => datagram.ms);
    // The first is told with READY=1.
    for (let i = 2; i < times.length; i++) {
      assert.ok(times[i] - times[i - 1] <= 1500 * slowness, times.join());
    }
    for (const thread of ["worker-0", "worker-1"]) {
      const frozen = await freeze(daemon.child.pid, thread);
      await within(10000, "its status tells", () => manager.all.at(-1).STATUS === "a worker is stuck");
      const before = pings();
      const told = manager.all.length;
      await within(10000, "it goes on telling", () => manager.all.length >= told + 2);
      assert.equal(pings(), before, thread);
      assert.equal(daemon.logged("a worker is stuck: the watchdog is not fed any more").length, thread === "worker-0" ? 1 : 2);
      await frozen.end();
      await within(10000, "it is fed again", () => pings() > before);
    }
    // The loop itself says nothing at all.
    const frozen = await freeze(daemon.child.pid, "loop");
    const before = manager.all.length;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(manager.all.length, before);
    await frozen.end();
    await within(10000, "it is fed again", () => manager.all.length > before && pings() > 0);
    await daemon.stop();
  } finally {
    daemon.child.kill("SIGKILL");
    await manager.end();
  }
});

test("a watchdog that another process has to feed is left to it", async () => {
  const manager = await notifySocket("abstract");
  const daemon = await start(database, {}, { env: { NOTIFY_SOCKET: manager.address, WATCHDOG_USEC: "200000", WATCHDOG_PID: "1" } });
  try {
    await within(5000, "READY=1", () => manager.with("READY").length === 1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(manager.with("WATCHDOG").length, 0);
    await daemon.stop();
  } finally {
    await manager.end();
  }
});

test("a notify socket that is none is told of, and changes nothing else", async () => {
  const daemon = await start(database, {}, { env: { NOTIFY_SOCKET: "vsock:2:1234", WATCHDOG_USEC: "200000" } });
  await within(5000, "a warning", () => daemon.logged("could not use $NOTIFY_SOCKET").length === 1);
  await daemon.data(QUERY);
  await daemon.stop();
});

test("it serves on a socket that systemd-socket-activate hands over", async () => {
  const port = await new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
  const daemon = new Daemon(configuration(database, { server: { listen: ["systemd:http"] } }), {
    under: ["systemd-socket-activate", "-l", `127.0.0.1:${port}`, "--fdname=http"],
  });
  try {
    // It is this request that starts the daemon, and nobody refuses it.
    daemon.url = `http://127.0.0.1:${port}`;
    await within(5000, "systemd listens", () => daemon.stderr.includes("Listening on"));
    await daemon.data(QUERY);
    await daemon.listening();
    assert.equal(daemon.address, `127.0.0.1:${port}`);
    await daemon.stop();
  } finally {
    daemon.child.kill("SIGKILL");
  }
});

/** A daemon below a program that keeps sockets of these names, and the sockets' addresses. */
async function activated(names, config) {
  const daemon = new Daemon(configuration(database, config), { under: handover(...names), stdout: "pipe" });
  let text = "";
  daemon.child.stdout.setEncoding("utf8").on("data", (more) => (text += more));
  await within(5000, "sockets", () => text.trim().split("\n").length === names.length && text.endsWith("\n"));
  return { daemon, addresses: text.trim().split("\n").map((line) => line.split(" ")[1]) };
}

test("sockets are found by their names, several of one name as well, and the admin port's", async () => {
  const names = ["http", "admin", "http", "other"];
  const { daemon, addresses } = await activated(names, { server: { listen: ["systemd:http"], admin_listen: "systemd:admin" } });
  try {
    await within(15000, "three sockets", () => daemon.logged("listening").length === 3);
    daemon.adminUrl = `http://${addresses[1]}`;
    await daemon.ready();
    for (const address of [addresses[0], addresses[2]]) {
      daemon.url = `http://${address}`;
      await daemon.data(QUERY);
    }
    const [warning] = daemon.logged("a socket was handed over that server.listen does not name");
    assert.equal(warning.name, "other");
    await daemon.stop();
  } finally {
    daemon.child.kill("SIGKILL");
  }
});

test("a name that no socket has is a configuration error", async () => {
  const config = writeConfiguration(configuration(database, { server: { listen: ["systemd:http"] } }));
  const { code, stderr } = await program(["serve", "-c", config]);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /systemd:http.*no socket of that name/);
  const health = await program(["health", "-c", writeConfiguration(configuration(database, { server: { admin_listen: "systemd:admin" } }))]);
  assert.equal(health.code, 64, health.stderr);
  assert.match(health.stderr, /--url/);
});

test("with sockets of systemd's the daemon starts anew ten times, and no request fails", async () => {
  const { daemon, addresses } = await activated(["http"], { server: { listen: ["systemd:http"], shutdown: { delay: "100ms" } } });
  daemon.url = `http://${addresses[0]}`;
  let running = true;
  let answered = 0;
  const clients = Array.from({ length: 4 }, async (_, i) => {
    // Half of them connect anew for each request.
    const agent = i % 2 ? false : new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (running) {
      await daemon.data(QUERY, { agent });
      answered++;
    }
    agent && agent.destroy();
  });
  const all = Promise.all(clients);
  all.catch(() => (running = false));
  try {
    for (let i = 1; i <= 10 && running; i++) {
      const before = answered;
      await within(15000, `it serves for the ${i}th time`, () => !running || (daemon.logged("schema loaded").length === i && answered > before + 20));
      daemon.signal("SIGUSR1");
      await within(15000, `it has ended ${i} times`, () => !running || daemon.logged("stopped").length === i);
    }
    await within(15000, "it serves", () => !running || daemon.logged("schema loaded").length === 11);
    running = false;
    await all;
    assert.ok(answered > 200, String(answered));
    await daemon.stop();
  } finally {
    running = false;
    daemon.child.kill("SIGKILL");
  }
});

test("names of secrets are looked for among the credentials first", async () => {
  const directory = `${process.env.E2E_DIR}/credentials`;
  mkdirSync(directory);
  writeFileSync(`${directory}/token-secret`, `${SECRET}\n`);
  const keys = [{ kid: "e2e", alg: "HS256", secret_file: "token-secret" }];
  const daemon = await start(database, { auth: { jwt: { keys } } }, { env: { CREDENTIALS_DIRECTORY: directory } });
  await daemon.data(QUERY);
  await daemon.stop();
});

test("lines of the log have the journal's priorities where standard error is the journal", async () => {
  const config = writeConfiguration(configuration(database, { database: { url: shared.url("nonexistent") } }));
  // The signal may come while the daemon still starts.
  const { lines, code } = await new Promise((resolve) => {
    const child = spawn("sh", ["-c", 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" serve -c "$1"', process.env.FRAISEQLD, config], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (more) => {
      text += more;
      if (text.includes("could not connect to database")) {
        child.kill("SIGTERM");
      }
    });
    child.on("close", (code) => resolve({ code, lines: text.trim().split("\n") }));
  });
  assert.equal(code, 0, lines.join("\n"));
  for (const line of lines) {
    const [, priority, json] = line.match(/^<(\d)>(\{.*\})$/) ?? assert.fail(line);
    assert.equal(priority, { error: "3", warn: "4", info: "6", debug: "7" }[JSON.parse(json).level]);
  }
  assert.ok(lines.some((line) => line.startsWith("<4>")) && lines.some((line) => line.startsWith("<6>")), lines.join("\n"));
});
