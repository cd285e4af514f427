// Rates of addresses, users and tenants, and how many requests of a tenant run at the same time.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, Session, shared } from "./support/postgres.mjs";
import { ACME, ADA, GLOBEX, id, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
const query = "{ __typename }";
const statuses = async (n, send) => (await Promise.all(Array.from({ length: n }, send))).map(({ status }) => status).sort();
const rejected = async (daemon, reason) =>
  Number(new RegExp(`^fraiseql_http_rejected_total{reason="${reason}"} (\\d+)`, "m").exec((await daemon.admin("/metrics")).text)[1]);

async function withLimits(more, run) {
  const daemon = await start(database, more);
  try {
    await run(daemon);
  } finally {
    await daemon.stop();
  }
}

test("an address has its rate, before its token is looked at, and is told when to come again", async () => {
  await withLimits({ security: { rate_limit: { per_ip: 1, burst: 5 } } }, async (daemon) => {
    const all = await statuses(20, () => daemon.post(query, { token: "nonsense" }));
    assert.ok(all.filter((status) => status === 429).length >= 13, all.join());
    assert.ok(all.filter((status) => status === 401).length >= 5, all.join());
    const reply = await within(1000, "one is refused", async () => {
      const one = await daemon.post(query);
      return one.status === 429 && one;
    });
    assert.equal(reply.body.errors[0].extensions.code, "RATE_LIMITED");
    assert.equal(reply.headers["retry-after"], "1");
    assert.equal(reply.headers["cache-control"], "no-store");
    assert.ok((await rejected(daemon, "rate_per_ip")) >= 13);
    await within(5000, "it may again", async () => (await daemon.post(query)).status === 200);
    // Probes are not counted.
    for (let i = 0; i < 20; i++) {
      assert.equal((await daemon.request(`${daemon.url}/health`)).status, 200);
    }
  });
});

test("behind a trusted proxy it is the client's address, IPv6 by its network", async () => {
  await withLimits({ server: { trusted_proxies: ["127.0.0.0/8"] }, security: { rate_limit: { per_ip: 1, burst: 3 } } }, async (daemon) => {
    const from = (address) => daemon.post(query, { headers: { "x-forwarded-for": address } });
    assert.deepEqual(await statuses(3, () => from("192.0.2.1")), [200, 200, 200]);
    assert.equal((await from("192.0.2.1")).status, 429);
    assert.equal((await from("192.0.2.2")).status, 200);
    assert.deepEqual(await statuses(3, (_, n) => from(`2001:db8::${n}`)), [200, 200, 200]);
    assert.equal((await from("2001:db8::ffff")).status, 429);
    assert.equal((await from("2001:db8:0:1::1")).status, 200);
  });
});

test("a user has a rate of their own, whatever the others do", async () => {
  await withLimits({ security: { rate_limit: { per_user: 1, burst: 4 } } }, async (daemon) => {
    const as = (tenant, user) => daemon.post(query, { token: tokenFor(tenant, user) });
    assert.deepEqual(await statuses(4, () => as(ACME, ADA)), [200, 200, 200, 200]);
    assert.equal((await as(ACME, ADA)).status, 429);
    assert.equal((await as(ACME, id.user(2))).status, 200);
    // The same name of another tenant is somebody else.
    assert.equal((await as(GLOBEX, ADA)).status, 200);
    assert.equal(await rejected(daemon, "rate_per_user"), 1);
  });
});

test("a tenant has one, and each operation of a batch counts", async () => {
  const more = { server: { batching: { enabled: true } }, tenancy: { per_tenant: { rate: 1, burst: 10 } } };
  await withLimits(more, async (daemon) => {
    const batch = (n) =>
      daemon.request(`${daemon.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor(ACME)}` },
        body: JSON.stringify(Array.from({ length: n }, () => ({ query }))),
      });
    assert.equal((await batch(8)).status, 200);
    const refused = await batch(8);
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers["retry-after"]) >= 5, refused.headers["retry-after"]);
    assert.equal((await daemon.post(query, { token: tokenFor(GLOBEX) })).status, 200);
    assert.equal(await rejected(daemon, "rate_per_tenant"), 1);
  });
});

test("so many requests of a tenant run at the same time, and the others' go on", async () => {
  const own = await createDatabase();
  const daemon = await start(own, { tenancy: { per_tenant: { max_in_flight: 3 } } });
  const session = new Session(own);
  try {
    await session.run("begin; lock table comments in access exclusive mode");
    const held = Array.from({ length: 3 }, () => daemon.post("{ comments(limit: 1) { id } }"));
    await within(5000, "they wait", async () => (await shared.sql(own, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")) !== "0");
    const refused = await within(5000, "one more is refused", async () => {
      const one = await daemon.post(query);
      return one.status === 429 && one;
    });
    assert.equal(refused.body.errors[0].extensions.code, "RATE_LIMITED");
    assert.equal((await daemon.post(query, { token: tokenFor(GLOBEX) })).status, 200);
    await session.run("rollback");
    assert.deepEqual((await Promise.all(held)).map(({ status }) => status), [200, 200, 200]);
    // What has failed, or been left, is not in flight any more.
    for (let i = 0; i < 10; i++) {
      assert.equal((await daemon.post("{ nothing }")).status, 200);
      await daemon.post(randomBytes(4).toString("hex"));
    }
    assert.equal((await daemon.post(query)).status, 200);
  } finally {
    await session.end();
    await daemon.stop();
  }
});

test("without limits nothing is refused", async () => {
  await withLimits({}, async (daemon) => {
    assert.ok((await statuses(300, () => daemon.post(query))).every((status) => status === 200));
  });
});
