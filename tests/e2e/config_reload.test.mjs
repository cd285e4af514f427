// The configuration is read again at SIGHUP and when its files change: whole or not at all, and no
// request notices.

import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { configuration, merge, metric, start } from "./support/daemon.mjs";
import { createDatabase } from "./support/postgres.mjs";
import { ACME, ADA, now, sign } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const RELOADED = "configuration reloaded";
const FAILED = "could not reload the configuration: the one in use stays";
const WAITING = "a change of the configuration needs a restart";

/** A daemon whose file can be changed, for as long as run() takes. */
async function withDaemon(more, run) {
  const database = await createDatabase();
  const daemon = await start(database, more);
  const change = (next) => writeFileSync(daemon.file, typeof next === "string" ? next : JSON.stringify(configuration(database, merge(more, next))));
  const reload = async (next) => {
    const before = daemon.logged(RELOADED).length + daemon.logged(FAILED).length;
    change(next);
    daemon.signal("SIGHUP");
    await within(5000, "it is reloaded", () => daemon.logged(RELOADED).length + daemon.logged(FAILED).length > before);
  };
  try {
    await run({ daemon, database, change, reload });
  } finally {
    await daemon.stop();
  }
}

const projects = "{ projects { id } }";
const code = (answer) => answer.body.errors?.[0].extensions.code;

test("limits, the log's level, the path and headers change at SIGHUP", async () => {
  await withDaemon({}, async ({ daemon, reload }) => {
    assert.equal((await daemon.post("{ projects { tasks { project { id } } } }")).status, 200);
    await reload({
      security: { max_depth: 2 },
      observability: { log: { level: "debug" } },
      server: { server_header: true, limits: { max_body_bytes: "2KiB" } },
    });
    assert.match(daemon.logged(RELOADED)[0].changed, /security\.max_depth/);
    assert.match(daemon.logged(RELOADED)[0].changed, /observability\.log\.level/);
    // what was compiled under the limits of before is not served by them
    const deep = await daemon.post("{ projects { tasks { project { id } } } }");
    assert.ok(deep.body.errors, "too deep now");
    assert.ok(deep.headers.server);
    assert.equal((await daemon.post(`{ projects { id } } #${"x".repeat(3000)}`)).status, 413);
    await reload({ server: { graphql_path: "/api" } });
    assert.equal((await daemon.post(projects)).status, 404);
    daemon.url += "/api";
    assert.equal((await daemon.post(projects)).status, 404, "there is no /api/graphql");
    const found = await daemon.request(daemon.url, { headers: { "apollo-require-preflight": "1" } });
    assert.equal(found.status, 401, "it is the endpoint, and nobody is known");
  });
});

test("a configuration with an error changes nothing, and is said with its place", async () => {
  await withDaemon({}, async ({ daemon, reload, change }) => {
    await reload({ security: { max_depth: 1, max_depht: 2 } });
    assert.match(daemon.logged(FAILED)[0].place, /:\d+:\d+$/);
    assert.match(daemon.logged(FAILED)[0].error, /max_depht/);
    assert.equal((await daemon.post("{ projects { id } }")).body.errors, undefined);
    assert.equal(await metric(daemon, "fraiseql_config_last_reload_successful"), 0);
    // what only a module knows
    for (const wrong of [
      { server: { trusted_proxies: ["nowhere"] }, security: { max_depth: 1 } },
      { database: { options: { no_such: "1" } }, security: { max_depth: 1 } },
      { auth: { jwt: { keys: [{ kid: "short", alg: "HS256", secret: "short" }] } }, security: { max_depth: 1 } },
      { jobs: { timezone: "Nowhere/There" }, security: { max_depth: 1 } },
    ]) {
      await reload(wrong);
      assert.equal((await daemon.post("{ projects { tasks { id } } }")).body.errors, undefined, JSON.stringify(wrong));
    }
    change("server: [");
    daemon.signal("SIGHUP");
    await within(5000, "it failed", () => daemon.logged(FAILED).length >= 6);
    await reload({ security: { max_depth: 1 } });
    assert.equal(await metric(daemon, "fraiseql_config_last_reload_successful"), 1);
    assert.ok((await daemon.post("{ projects { tasks { id } } }")).body.errors);
  });
});

test("what needs a restart is named and keeps its value, while the rest is taken over", async () => {
  await withDaemon({}, async ({ daemon, reload }) => {
    await reload({ server: { workers: 1, server_header: true }, turborouter: { enabled: false }, auth: { mode: "optional" } });
    await within(5000, "they are named, behind what was reloaded", () => daemon.logged(WAITING).length >= 3);
    assert.deepEqual(daemon.logged(WAITING).map((line) => line.key).sort(), ["auth.mode", "server.workers", "turborouter.enabled"]);
    assert.equal((await daemon.post(projects, { token: null })).status, 401);
    assert.ok((await daemon.post(projects)).headers.server);
    await reload({ server: { server_header: false } });
    assert.equal(daemon.logged(WAITING).length, 3);
  });
});

test("keys of tokens are exchanged without a restart, and what was remembered is forgotten", async () => {
  const next = "the secret of the time after, which is long enough";
  const old = configuration("x").auth.jwt.keys[0];
  await withDaemon({}, async ({ daemon, reload }) => {
    const newToken = sign({ tenant_id: ACME, sub: ADA, exp: now() + 600 }, { secret: next, header: { kid: "next" } });
    assert.equal((await daemon.post(projects)).status, 200);
    assert.equal((await daemon.post(projects, { token: newToken })).status, 401);
    await reload({ auth: { jwt: { keys: [old, { kid: "next", alg: "HS256", secret: next }] } } });
    assert.equal((await daemon.post(projects)).status, 200);
    assert.equal((await daemon.post(projects, { token: newToken })).status, 200);
    await reload({ auth: { jwt: { keys: [{ kid: "next", alg: "HS256", secret: next }] } } });
    assert.equal((await daemon.post(projects)).status, 401);
    assert.equal((await daemon.post(projects, { token: newToken })).status, 200);
  });
});

test("what is exposed changes with the configuration; a schema that cannot be leaves the one before", async () => {
  await withDaemon({}, async ({ daemon, reload }) => {
    const summaries = "{ tenantSummaries { __typename } }";
    assert.notEqual(code(await daemon.post(summaries)), "GRAPHQL_VALIDATION_FAILED");
    await reload({ schema: { expose: { exclude: ["v_tenant_s*y"] } } });
    await within(5000, "it is gone", async () => code(await daemon.post(summaries)) === "GRAPHQL_VALIDATION_FAILED");
    // functions return tasks
    await reload({ schema: { expose: { exclude: ["v_task"] } } });
    await within(5000, "it is refused", () => daemon.logged("could not load the schema").length > 0);
    assert.equal((await daemon.post("{ tasks { id } }")).body.errors, undefined);
    assert.equal(code(await daemon.post(summaries)), "GRAPHQL_VALIDATION_FAILED");
    await reload({ schema: { expose: { exclude: [] } } });
    await within(5000, "it is there again", async () => code(await daemon.post(summaries)) !== "GRAPHQL_VALIDATION_FAILED");
  });
});

test("requests go on during reloads under load, by one configuration or the other", async () => {
  await withDaemon({ cache: { enabled: false } }, async ({ daemon, change }) => {
    let stop = false;
    let answered = 0;
    const failures = [];
    const client = async () => {
      while (!stop) {
        const answer = await daemon.post("{ projects { id tasks { id } } }");
        answered++;
        if (answer.status !== 200 || answer.body.errors !== undefined) {
          failures.push(answer);
        }
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (let i = 1; i <= 20; i++) {
      change({ server: { header_timeout: `${10 + i}s`, server_header: i % 2 === 0 }, security: { max_depth: 10 + i, rate_limit: { per_ip: 100000 + i } } });
      daemon.signal("SIGHUP");
      await within(5000, `reload ${i}`, () => daemon.logged(RELOADED).length >= i);
    }
    stop = true;
    await Promise.all(clients);
    assert.deepEqual(failures, []);
    assert.ok(answered > 20, String(answered));
    assert.equal((await daemon.post(projects)).headers.server !== undefined, true);
  });
});

test("a new rate holds from now on, and counts go on where the rate stays", async () => {
  await withDaemon({ security: { rate_limit: { per_ip: 1, burst: 2 } } }, async ({ daemon, reload }) => {
    const statuses = async (n) => Promise.all(Array.from({ length: n }, async () => (await daemon.post(projects)).status));
    assert.ok((await statuses(6)).includes(429));
    await reload({ server: { server_header: true } });
    assert.ok((await statuses(3)).includes(429), "a reload does not forget who was too fast");
    await reload({ security: { rate_limit: { per_ip: 1000, burst: 1000 } } });
    assert.deepEqual([...new Set(await statuses(6))], [200]);
  });
});

test("with reload.watch a mounted ConfigMap is followed through its links", async () => {
  const database = await createDatabase();
  const mount = `${process.env.E2E_DIR}/mount-${database}`;
  const version = (name, text) => {
    mkdirSync(`${mount}/${name}`, { recursive: true });
    writeFileSync(`${mount}/${name}/fraiseqld.yaml`, text);
  };
  const yaml = (more) => JSON.stringify(configuration(database, { reload: { watch: true, interval: "100ms" }, ...more }));
  version("..1", yaml({}));
  symlinkSync("..1", `${mount}/..data`);
  symlinkSync("..data/fraiseqld.yaml", `${mount}/fraiseqld.yaml`);
  const daemon = await start(database, {}, { args: ["-c", `${mount}/fraiseqld.yaml`] });
  try {
    version("..2", yaml({ security: { max_depth: 1 } }));
    symlinkSync("..2", `${mount}/..tmp`);
    renameSync(`${mount}/..tmp`, `${mount}/..data`);
    await within(5000, "it is reloaded", () => daemon.logged(RELOADED).length === 1);
    assert.ok((await daemon.post("{ projects { tasks { id } } }")).body.errors);
    // a part that was not there
    mkdirSync(`${mount}/conf.d`);
    writeFileSync(`${mount}/conf.d/10.yaml`, "security: {max_depth: 5}\n");
    await within(5000, "it is reloaded again", () => daemon.logged(RELOADED).length === 2);
    assert.equal((await daemon.post("{ projects { tasks { id } } }")).body.errors, undefined);
    // one that is wrong is told once
    writeFileSync(`${mount}/conf.d/10.yaml`, "security: {max_depth: x}\n");
    await within(5000, "it is refused", () => daemon.logged(FAILED).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(daemon.logged(FAILED).length, 1);
    rmSync(`${mount}/conf.d/10.yaml`);
    await within(5000, "the part is gone", () => daemon.logged(RELOADED).length === 3);
  } finally {
    await daemon.stop();
  }
});
