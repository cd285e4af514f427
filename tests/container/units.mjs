// units.mjs - the units, as a real systemd runs them: the image's Debian with systemd added to it.

import assert from "node:assert/strict";
import http from "node:http";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { configuration } from "../e2e/support/daemon.mjs";
import { freeze } from "../e2e/support/systemd.mjs";
import { ACME, SECRET, tokenFor } from "../e2e/support/token.mjs";
import { within } from "../e2e/support/wait.mjs";
import { freePort, get } from "./http.mjs";
import { Machine } from "./machine.mjs";

const UNIT = "fraiseqld.service";

export async function testUnits(database) {
  const machine = await Machine.boot("slim");
  const port = await freePort();
  const adminPort = await freePort();

  /** Writes the configuration; keys of tokens are a credential that only root can read. */
  function configure(more = {}) {
    const settings = configuration(database, {
      server: { listen: [`127.0.0.1:${port}`, "unix:/run/fraiseqld/http.sock"], admin_listen: `127.0.0.1:${adminPort}`, shutdown: { delay: "200ms" }, ...more.server },
      auth: { jwt: { keys: [{ kid: "e2e", alg: "HS256", secret_file: "token-secret" }] }, ...more.auth },
    });
    machine.write("/etc/fraiseqld/fraiseqld.yaml", JSON.stringify(settings));
  }

  async function query(agent = false) {
    const reply = await get(`http://127.0.0.1:${port}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor(ACME)}` },
      body: JSON.stringify({ query: "{ projects(limit: 1) { id } }" }),
      agent,
    });
    assert.equal(reply.status, 200, reply.text);
    assert.equal(JSON.parse(reply.text).data.projects.length, 1, reply.text);
  }

  const messages = async () => (await machine.journal(UNIT)).map(({ MESSAGE, PRIORITY }) => ({ PRIORITY, ...(MESSAGE.startsWith("{") ? JSON.parse(MESSAGE) : { msg: MESSAGE }) }));
  const said = async (msg) => (await messages()).filter((line) => line.msg === msg).length;

  machine.write("/etc/fraiseqld/token-secret", SECRET, 0o600);
  machine.write(`/etc/systemd/system/${UNIT}.d/test.conf`, "[Service]\nLoadCredential=token-secret:/etc/fraiseqld/token-secret\nWatchdogSec=4s\nRestartSec=100ms\n");
  machine.write("/etc/systemd/system/fraiseqld.socket.d/test.conf", `[Socket]\nListenStream=\nListenStream=127.0.0.1:${port}\n`);
  await machine.systemctl("daemon-reload");

  test("systemd: the service starts in its sandbox, and serves with a credential that only root can read", async () => {
    configure();
    await machine.systemctl("start", UNIT);
    // Active means that it serves.
    await query();
    const unit = await machine.show(UNIT);
    assert.equal(unit.ActiveState, "active");
    assert.match(unit.StatusText, /^serving \d+ req\/s, pool \d+\/8$/);
    const status = readFileSync(`/proc/${await machine.mainPid(UNIT)}/status`, "utf8");
    assert.match(status, /^Uid:\t(6[1-5]\d{3})\t\1\t\1\t\1$/m, "a dynamic user");
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^CapBnd:\t0+$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
    await machine.run("fraiseqld", "health", "--url", `http://127.0.0.1:${adminPort}/readyz`);
    await machine.run("test", "-S", "/run/fraiseqld/http.sock");
  });

  test("systemd: the journal knows how serious each line is", async () => {
    const lines = (await messages()).filter((line) => line.level);
    assert.ok(lines.length > 3);
    for (const { PRIORITY, level, msg } of lines) {
      assert.equal(PRIORITY, { error: "3", warn: "4", info: "6", debug: "7" }[level], msg);
    }
  });

  test("systemd: reload reads the schema again", async () => {
    await machine.systemctl("reload", UNIT);
    await within(10000, "it has", () => said("schema unchanged"));
    await within(10000, "it is active again", async () => (await machine.show(UNIT)).SubState === "running");
    await query();
  });

  test("systemd: a daemon with a stuck thread is ended and started anew", async () => {
    const before = await machine.mainPid(UNIT);
    const frozen = await freeze(before, "worker-1");
    await within(20000, "the watchdog", async () => (await machine.show(UNIT)).Result === "watchdog");
    // A thread that a debugger holds does not die; what is stuck by itself does.
    await frozen.end();
    await within(20000, "it serves again", async () => {
      const unit = await machine.show(UNIT);
      return unit.NRestarts === "1" && unit.ActiveState === "active";
    });
    await query();
    assert.equal(await said("a worker is stuck: the watchdog is not fed any more"), 1);
    assert.notEqual(await machine.mainPid(UNIT), before);
  });

  test("systemd: stopping drains, and is a success", async () => {
    await machine.systemctl("stop", UNIT);
    const unit = await machine.show(UNIT);
    assert.equal(unit.ActiveState, "inactive");
    assert.equal(unit.Result, "success");
    assert.equal(await said("stopped"), 1);
  });

  test("systemd: a configuration that is wrong is not tried again", async () => {
    configure({ server: { workers: "many" } });
    await assert.rejects(machine.systemctl("start", UNIT));
    const unit = await machine.show(UNIT);
    assert.equal(unit.ActiveState, "failed");
    assert.equal(unit.ExecMainStatus, "78");
    assert.equal(unit.NRestarts, "0");
    await machine.systemctl("reset-failed", UNIT);
  });

  test("systemd: a request to its socket starts the daemon, and five restarts under load fail none", async () => {
    configure({ server: { listen: ["systemd:http"] } });
    await machine.systemctl("start", "fraiseqld.socket");
    assert.equal((await machine.show(UNIT)).ActiveState, "inactive");
    await query();
    assert.equal((await machine.show(UNIT)).ActiveState, "active");
    let running = true;
    let answered = 0;
    const clients = Promise.all(
      Array.from({ length: 4 }, async (_, i) => {
        const agent = i % 2 ? false : new http.Agent({ keepAlive: true, maxSockets: 1 });
        while (running) {
          await query(agent);
          answered++;
        }
        agent && agent.destroy();
      }),
    );
    clients.catch(() => (running = false));
    for (let i = 0; i < 5 && running; i++) {
      const before = answered;
      await within(15000, "it serves", () => !running || answered > before + 20);
      await machine.systemctl("restart", UNIT);
    }
    running = false;
    await clients;
    assert.ok(answered > 100, String(answered));
  });

  test("systemd: the machine ends", () => machine.end());
}
