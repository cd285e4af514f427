// Read replicas: real streaming standbys. Queries run there; nobody misses what he has changed; one that is behind, away
// or something else altogether is not used.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { installSystem, merge, metric, start } from "./support/daemon.mjs";
import { startServer, startStandby } from "./support/postgres.mjs";
import { claims, id, sign } from "./support/token.mjs";
import { slowness, within } from "./support/wait.mjs";

const PROJECT = id.project(1);
const WHERE = `{ wheres(limit: 1, where: { id: { eq: "${PROJECT}" } }) { name standby port } }`;
const rename = (name) => `mutation { renameProject(input: { id: "${PROJECT}", name: "${name}" }) }`;
const user = (n, tenant = 1) => sign(claims({ tenant: id.tenant(tenant), user: id.user(n) }));
const reads = (server, reason = "") => `fraiseql_db_reads_total{server="${server}",reason="${reason}"}`;

let primary;
let standbys;
const servers = [];

async function made(promise) {
  const server = await promise;
  servers.push(server);
  return server;
}

const streaming = (n) =>
  within(10000, "they stream", async () => (await primary.sql("postgres", "select count(*) from pg_stat_replication where state = 'streaming'")) === String(n));

before(async () => {
  primary = await made(startServer());
  await primary.sql(
    "demo",
    `create view v_where with (security_invoker = true) as
       select id, tenant_id, name, pg_is_in_recovery() as standby, inet_server_port() as port from projects;
     create function fn_rename_project(id uuid, name text) returns void language sql as $$ update projects p set name = fn_rename_project.name where p.id = fn_rename_project.id $$;
     grant select on v_where to app_user; grant update on projects to app_user; grant execute on function fn_rename_project(uuid, text) to app_user`,
  );
  standbys = [await made(startStandby(primary)), await made(startStandby(primary))];
  await streaming(2);
});
after(() => Promise.all(servers.map((server) => server.stop())));

/** A daemon with these replicas, which knows how far each is. */
async function withReplicas(replicas, more = {}, { usable = replicas.length } = {}) {
  const urls = replicas.map((server) => (typeof server === "string" ? server : server.url("demo")));
  const base = {
    schema: { expose: { schemas: ["public"], views: ["v_*"], functions: ["fn_*"] } },
    database: { replicas: { urls, sticky_after_write: "0s" }, pool: { min: 2, max: 8, retry_backoff: ["20ms", "200ms"] } },
    jobs: { enabled: false },
  };
  const daemon = await start("demo", merge(base, more), { server: primary });
  await within(5000, "replicas are used", async () => (await metric(daemon, 'fraiseql_db_replicas{state="usable"}')) === usable);
  return daemon;
}

const ask = async (daemon, token = user(9), headers = {}) => (await daemon.data(WHERE, { token, headers })).wheres[0];
const replay = (server, action) => server.sql("postgres", `select pg_wal_replay_${action}()`);

test("queries run on the replicas in turns, under the same policies; mutations on the primary", async () => {
  const daemon = await withReplicas(standbys);
  const ports = new Map();
  for (let i = 0; i < 20; i++) {
    const row = await ask(daemon);
    assert.equal(row.standby, true);
    ports.set(row.port, (ports.get(row.port) ?? 0) + 1);
  }
  assert.deepEqual([...ports.keys()].sort(), standbys.map((s) => Number(s.port)).sort());
  assert.ok([...ports.values()].every((n) => n >= 5), JSON.stringify([...ports]));
  for (const tenant of [1, 2, 3]) {
    const { wheres } = await daemon.data("{ wheres { tenantId standby } }", { token: user(1, tenant) });
    assert.ok(wheres.length > 0 && wheres.every((row) => row.standby && row.tenantId === id.tenant(tenant)), `tenant ${tenant}`);
  }
  assert.equal((await daemon.post(rename("turns"), { token: user(1) })).body.errors, undefined);
  assert.equal(await primary.sql("demo", `select name from projects where id = '${PROJECT}'`), "turns");
  assert.ok((await metric(daemon, reads("replica"))) >= 23);
  assert.ok((await metric(daemon, "fraiseql_db_replica_lag_seconds")) < 1);
  assert.equal(daemon.logged("a replica answers queries").length, 2);
  await daemon.stop();
});

test("whoever changes something sees it at once; who brings its position as well, from another daemon; others when it has come", async () => {
  const [daemon, other] = [await withReplicas([standbys[0]]), await withReplicas([standbys[0]])];
  await daemon.data(rename("before"), { token: user(1) });
  await within(5000, "the replica has it", async () => (await ask(daemon)).name === "before" && (await ask(daemon, user(1))).standby);
  await replay(standbys[0], "pause");
  const reply = await daemon.post(rename("after"), { token: user(1) });
  const position = reply.headers["fraiseql-position"];
  assert.match(position, /^[0-9A-F]+\/[0-9A-F]+$/);
  for (let i = 0; i < 5; i++) {
    const { name, standby } = await ask(daemon, user(1));
    assert.deepEqual([name, standby], ["after", false]);
  }
  const stranger = await ask(daemon, user(2));
  assert.deepEqual([stranger.name, stranger.standby], ["before", true]);
  const elsewhere = await ask(other, user(1));
  assert.deepEqual([elsewhere.name, elsewhere.standby], ["before", true], "another daemon cannot know");
  const told = await ask(other, user(1), { "Fraiseql-Position": position });
  assert.deepEqual([told.name, told.standby], ["after", false]);
  assert.ok((await metric(daemon, reads("primary", "too_old"))) >= 5);
  await replay(standbys[0], "resume");
  await within(5000, "the replica is used again", async () => (await ask(daemon, user(1))).standby);
  assert.equal((await ask(daemon, user(1))).name, "after");
  await within(5000, "there too", async () => (await ask(other, user(1), { "Fraiseql-Position": position })).standby);
  assert.equal((await ask(other, user(1), { "Fraiseql-Position": position })).name, "after");
  await Promise.all([daemon.stop(), other.stop()]);
});

test("with sticky_after_write the primary is asked for so long, though the replica has it", async () => {
  const daemon = await withReplicas([standbys[0]], { database: { replicas: { sticky_after_write: "1500ms" } } });
  const began = performance.now();
  await daemon.data(rename("sticky"), { token: user(3) });
  assert.equal((await ask(daemon, user(3))).standby, false);
  await within(8000, "the replica is used again", async () => (await ask(daemon, user(3))).standby);
  assert.ok(performance.now() - began >= 1500);
  assert.equal((await ask(daemon, user(4))).standby, true, "others are not kept from it");
  await daemon.stop();
});

test("writers and readers at random: nobody misses what he has changed", async () => {
  const daemon = await withReplicas(standbys);
  const people = [11, 12, 13, 14];
  const name = (n, i) => `of ${n}: ${i}`;
  const one = async (n) => {
    const project = id.project(n - 9);
    const where = `{ wheres(where: { id: { eq: "${project}" } }) { name } }`;
    for (let i = 0; i < 10; i++) {
      await daemon.data(`mutation { renameProject(input: { id: "${project}", name: "${name(n, i)}" }) }`, { token: user(n) });
      for (let k = 0; k < 3; k++) {
        assert.equal((await daemon.data(where, { token: user(n) })).wheres[0]?.name, name(n, i));
        await new Promise((resolve) => setTimeout(resolve, 150 * (k + 1)));
      }
    }
  };
  const stir = (async () => {
    for (let i = 0; i < 6; i++) {
      await replay(standbys[i % 2], "pause");
      await new Promise((resolve) => setTimeout(resolve, 300));
      await replay(standbys[i % 2], "resume");
    }
  })();
  await Promise.all([...people.map(one), stir]);
  assert.ok((await metric(daemon, reads("replica"))) > 20, "the replicas were used at all");
  assert.ok((await metric(daemon, reads("primary", "too_old"))) > 20);
  await daemon.stop();
});

test("one that is further behind than max_lag is not used until it has caught up", async () => {
  const daemon = await withReplicas([standbys[0]], { database: { replicas: { max_lag: "1s" } } });
  await replay(standbys[0], "pause");
  await primary.sql("demo", "update projects set name = name");
  await within(5000, "it is not used", async () => !(await ask(daemon)).standby);
  assert.match(daemon.logged("a replica is not used")[0].reason, /^it is [0-9.]+ s behind$/);
  assert.equal(daemon.logged("a replica is not used")[0].replica, `127.0.0.1:${standbys[0].port}`);
  assert.ok((await metric(daemon, "fraiseql_db_replica_lag_seconds")) > 1);
  assert.ok((await metric(daemon, reads("primary", "no_replica"))) > 0);
  await replay(standbys[0], "resume");
  await within(5000, "it is used", async () => (await ask(daemon)).standby);
  await daemon.stop();
});

test("one that was merely idle is not behind", async () => {
  const daemon = await withReplicas([standbys[0]], { database: { replicas: { max_lag: "500ms" } } });
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal((await ask(daemon)).standby, true);
  assert.deepEqual(daemon.logged("a replica is not used"), []);
  await daemon.stop();
});

test("what is to be kept in the result cache is read from the primary", async () => {
  await installSystem("demo", { args: ["--cache-triggers"], server: primary });
  const operations = { Kept: { mode: "always", ttl: "1m" } };
  const daemon = await withReplicas([standbys[0]], { cache: { enabled: true, operations } });
  const text = `query Kept ${WHERE}`;
  await within(5000, "its rule is known", async () => {
    await daemon.data(text, { token: user(5) });
    return (await metric(daemon, reads("primary", "cached"))) > 0;
  });
  await within(5000, "it is found", async () => (await daemon.post(text, { token: user(5) })).headers.age !== undefined);
  assert.equal((await daemon.data(text, { token: user(5) })).wheres[0].standby, false);
  assert.equal((await ask(daemon, user(5))).standby, true, "what is not kept still runs there");
  await daemon.stop();
});

test("what fails on a replica only is run on the primary", async () => {
  const daemon = await withReplicas([standbys[0]]);
  await primary.sql("demo", "create unlogged table scratch (id int primary key, tenant_id uuid); insert into scratch values (1, null); create view v_scratch as select * from scratch; grant select on v_scratch to app_user");
  await primary.sql("demo", "notify fraiseqld, 'schema'");
  await within(10000, "the new view is there", async () => (await daemon.post("{ scratches { id } }")).body.errors === undefined);
  assert.deepEqual(await daemon.data("{ scratches { id } }"), { scratches: [{ id: "1" }] });
  assert.ok((await metric(daemon, reads("primary", "replica_failed"))) > 0);
  // A change of the schema that has not come yet.
  await replay(standbys[0], "pause");
  await primary.sql("demo", "alter table projects add extra text default 'new'; create or replace view v_where with (security_invoker = true) as select id, tenant_id, name, pg_is_in_recovery() as standby, inet_server_port() as port, extra from projects; notify fraiseqld, 'schema'");
  await within(10000, "the new column is there", async () => (await daemon.post("{ wheres(limit: 1) { extra } }")).body.errors === undefined);
  assert.deepEqual(await daemon.data("{ wheres(limit: 1) { extra standby } }"), { wheres: [{ extra: "new", standby: false }] });
  await replay(standbys[0], "resume");
  await within(5000, "it has come", async () => (await daemon.data("{ wheres(limit: 1) { extra standby } }")).wheres[0].standby);
  // An error of the request's own is the primary's.
  const reply = await daemon.post('{ wheres(where: { id: { eq: "00000000-0000-4000-8002-000000000001" }, name: { regex: "(" } }) { id } }');
  assert.equal(reply.body.errors.length, 1);
  await daemon.stop();
});

test("a replica that dies costs no request, and is used again when it is back", async () => {
  const third = await made(startStandby(primary));
  await streaming(3);
  const daemon = await withReplicas([standbys[0], third]);
  let stop = false;
  const failed = [];
  const ports = new Set();
  const client = async () => {
    while (!stop) {
      const reply = await daemon.post(WHERE, { token: user(6) });
      if (reply.body.errors) {
        failed.push(reply.text);
      } else {
        ports.add(reply.body.data.wheres[0].port);
      }
    }
  };
  const clients = Array.from({ length: 4 }, client);
  await within(5000, "both answer", () => ports.size === 2);
  await third.crash();
  await within(5000, "it is known", async () => (await metric(daemon, 'fraiseql_db_replicas{state="unusable"}')) === 1);
  ports.clear();
  await within(5000, "the other one answers", () => ports.size > 0);
  assert.ok(!ports.has(Number(third.port)));
  await third.resume();
  await within(10000, "it answers again", () => ports.has(Number(third.port)));
  stop = true;
  await Promise.all(clients);
  assert.deepEqual(failed, []);
  assert.ok(daemon.logged("a replica is not used").length >= 1);
  await daemon.stop();
});

test("without fallback_to_primary queries fail where no replica can be used, and the primary is left alone", async () => {
  const daemon = await withReplicas(["postgresql://fraiseqld@127.0.0.1:1/demo"], { database: { replicas: { fallback_to_primary: false } } }, { usable: 0 });
  const reply = await daemon.post(WHERE);
  assert.deepEqual([reply.status, reply.body.errors[0].extensions.code], [503, "SERVICE_UNAVAILABLE"]);
  await daemon.data(rename("alone"), { token: user(7) });
  await daemon.stop();
});

test("a server that is no standby of the primary is not used: one that was promoted, another cluster, the primary itself", async () => {
  const promoted = await made(startStandby(primary));
  await promoted.promote();
  const stranger = await made(startServer());
  const daemon = await withReplicas([promoted, stranger, primary], {}, { usable: 0 });
  await within(5000 * slowness, "all are told", () => daemon.logged("a replica is not used").length >= 3);
  const reasons = Object.fromEntries(daemon.logged("a replica is not used").map((line) => [line.replica, line.reason]));
  assert.equal(reasons[`127.0.0.1:${promoted.port}`], "it is no standby");
  assert.match(reasons[`127.0.0.1:${stranger.port}`], /^it is not a copy of the primary/);
  assert.equal(reasons[`127.0.0.1:${primary.port}`], "it is no standby");
  assert.equal((await ask(daemon)).port, Number(primary.port));
  await daemon.stop();
});

test("a position that is none is refused", async () => {
  const daemon = await withReplicas([standbys[0]]);
  for (const position of ["", "1", "1/", "/1", "1/2/3", "x/1", "123456789/1", "0/123456789", "0 /1"]) {
    const reply = await daemon.post(WHERE, { headers: { "Fraiseql-Position": position } });
    assert.deepEqual([reply.status, reply.body.errors?.[0].extensions.code], [400, "BAD_REQUEST"], position);
  }
  assert.equal((await daemon.data(WHERE, { headers: { "Fraiseql-Position": "0/1" } })).wheres[0].standby, true);
  assert.equal((await daemon.data(WHERE, { headers: { "Fraiseql-Position": "FFFFFFFF/FFFFFFFF" } })).wheres[0].standby, false);
  await daemon.stop();
});

test("the primary goes: replicas that had all of it go on answering", async () => {
  const last = await made(startServer());
  const standby = await made(startStandby(last));
  const kept = primary;
  primary = last;
  try {
    await streaming(1);
    const daemon = await withReplicas([standby], { schema: { expose: { schemas: ["public"], views: ["v_*"], functions: [] } } });
    await last.crash();
    for (let i = 0; i < 20; i++) {
      const reply = await daemon.post("{ projects(limit: 1) { id } }", { token: user(8) });
      assert.equal(reply.body.errors, undefined, reply.text);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await daemon.stop();
    await last.resume();
  } finally {
    primary = kept;
  }
});
