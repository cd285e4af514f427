// Daemons behind a real proxy that are restarted one after the other, under load, on connections that stay: nothing fails.
//
// ROLLING_ROUNDS=20 makes it as long as issue 8 wants it (4).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import { createServer } from "node:net";
import { test } from "node:test";
import { running } from "./support/children.mjs";
import { configuration, Daemon, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, tokenFor } from "./support/token.mjs";

const ROUNDS = Number(process.env.ROLLING_ROUNDS ?? 4);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** A daemon that comes back on the same ports. */
class Target {
  static async make(database, more = {}) {
    const t = new Target();
    [t.port, t.adminPort] = [await freePort(), await freePort()];
    t.config = configuration(database, {
      ...more,
      server: { listen: [`127.0.0.1:${t.port}`], admin_listen: `127.0.0.1:${t.adminPort}`, shutdown: { delay: "700ms", drain_timeout: "10s" } },
    });
    await t.start();
    return t;
  }

  async start() {
    this.daemon = new Daemon(this.config);
    await this.daemon.listening();
    await this.daemon.ready();
  }
}

/** haproxy, which asks for readiness every 100 ms, as a load balancer does less often. */
async function startProxy(targets) {
  const port = await freePort();
  const servers = targets.map((t, i) => `  server d${i} 127.0.0.1:${t.port} check port ${t.adminPort} inter 100ms rise 1 fall 1`);
  const file = writeFile(
    "cfg",
    `defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  option http-keep-alive
  option redispatch
  retries 3
  retry-on conn-failure
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  balance roundrobin
  http-reuse safe
  option httpchk GET /readyz
${servers.join("\n")}
`,
  );
  const child = spawn("haproxy", ["-f", file, "-db", "-q"], { stdio: ["ignore", "inherit", "inherit"] });
  running.add(child);
  const ended = new Promise((resolve) => child.on("close", resolve)).finally(() => running.delete(child));
  return { url: `http://127.0.0.1:${port}/graphql`, stop: () => (child.kill("SIGTERM"), ended) };
}

/** Requests on connections that stay, until told to stop; what went wrong. */
function traffic(url, changes) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const told = { requests: 0, failed: [] };
  let on = true;
  const post = (body) =>
    new Promise((resolve, reject) => {
      const request = http.request(url, { method: "POST", agent, headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor(ACME)}`, "content-length": Buffer.byteLength(body) } }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => (text += part)).on("error", reject).on("end", () => resolve({ status: response.statusCode, text }));
      });
      request.on("error", reject).end(body);
    });
  const client = async (n) => {
    for (let i = 0; on; i++) {
      const query = changes && i % 10 === 9 ? `mutation { note(input: { text: "${n} ${i}" }) }` : "{ projects(limit: 3) { id name tasks(limit: 2) { title } } }";
      told.requests++;
      try {
        const { status, text } = await post(JSON.stringify({ query }));
        if (status !== 200 || !text.startsWith('{"data":{')) {
          told.failed.push(`${status} ${text}`);
        }
      } catch (error) {
        told.failed.push(String(error));
      }
    }
  };
  const clients = Array.from({ length: 16 }, (_, n) => client(n));
  return {
    told,
    stop: async () => {
      on = false;
      await Promise.all(clients);
      agent.destroy();
      return told;
    },
  };
}

test(`two daemons behind haproxy, restarted ${ROUNDS} times one after the other: no request fails`, async () => {
  const database = await createDatabase();
  await shared.sql(database, "create table noted (text text); grant insert on noted to app_user; create function fn_note(text text) returns int language sql as 'insert into noted values (text) returning 1'; grant execute on function fn_note(text) to app_user");
  const more = { schema: { expose: { schemas: ["public"], views: ["v_*"], functions: ["fn_*"] } } };
  const targets = [await Target.make(database, more), await Target.make(database, more)];
  const proxy = await startProxy(targets);
  await pause(500);
  const load = traffic(proxy.url, true);
  await pause(500);
  for (let round = 0; round < ROUNDS; round++) {
    const t = targets[round % 2];
    await t.daemon.stop();
    await t.start();
    // The proxy has to see that it is back before the other one goes.
    await pause(600);
  }
  const { requests, failed } = await load.stop();
  assert.deepEqual(failed.slice(0, 3), [], `${failed.length} of ${requests} requests failed`);
  assert.ok(requests > 100 * ROUNDS, String(requests));
  assert.equal(await shared.sql(database, "select count(*) > 100 and count(*) = count(distinct text) from noted"), "t", "each change was made once");
  await Promise.all(targets.map((t) => t.daemon.stop()));
  await proxy.stop();
});

test("a daemon that was killed is ready again at once, and the other one serves meanwhile", async () => {
  const database = await createDatabase();
  const targets = [await Target.make(database), await Target.make(database)];
  const proxy = await startProxy(targets);
  await pause(500);
  const load = traffic(proxy.url, false);
  await pause(500);
  targets[0].daemon.child.kill("SIGKILL");
  await targets[0].daemon.exited;
  const began = Date.now();
  await targets[0].start();
  const took = Date.now() - began;
  await pause(500);
  const before = load.told.failed.length;
  await pause(500);
  const { requests, failed } = await load.stop();
  // What it had in hand is lost, and what came before the proxy saw that it was gone.
  assert.ok(failed.length < requests / 4, failed.slice(0, 5).join("\n"));
  assert.equal(failed.length, before);
  assert.ok(requests > 200);
  // 40 ms on a quiet machine (bench/run); here everything runs beside it.
  assert.ok(took < 10000, `${took} ms`);
  await Promise.all(targets.map((t) => t.daemon.stop()));
  await proxy.stop();
});
