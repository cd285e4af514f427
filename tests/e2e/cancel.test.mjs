// What nobody waits for any more is not computed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { postBytes, Raw } from "./support/raw.mjs";
import { ACME, id, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
let daemon;

before(async () => {
  await shared.sql(
    database,
    `create view public.v_slow with (security_invoker = true) as
       select id, pg_sleep(60)::text as nap from public.projects where id = '${id.project(1)}';
     grant select on public.v_slow to app_user`,
  );
  daemon = await start(database, { database: { statement_timeout: "50s", pool: { min: 1, max: 4 } }, server: { request_timeout: "55s" } });
});
after(() => daemon?.stop());

const token = tokenFor(ACME);
const sleeping = async () =>
  Number(await shared.sql(database, `select count(*) from pg_stat_activity where datname = '${database}' and state = 'active' and wait_event = 'PgSleep'`));

for (const how of ["drop", "close"]) {
  test(`a client that goes away (${how}) has its statement cancelled within a second`, async () => {
    const client = new Raw(daemon.address);
    await client.send(postBytes("{ slows { nap } }", token));
    await within(5000, "the statement runs", async () => (await sleeping()) === 1);
    client[how]();
    await within(1000, "the statement is gone", async () => (await sleeping()) === 0);
    // Nothing of it remains for the next request on the connection.
    assert.equal((await daemon.data("{ projects(limit: 2) { id } }")).projects.length, 2);
  });
}

test("other requests go on while one is cancelled", async () => {
  const client = new Raw(daemon.address);
  await client.send(postBytes("{ slows { nap } }", token));
  await within(5000, "the statement runs", async () => (await sleeping()) === 1);
  const others = Promise.all(Array.from({ length: 30 }, () => daemon.data("{ projects(limit: 5) { id owner { name } } }")));
  client.drop();
  assert.ok((await others).every(({ projects }) => projects.length === 5));
  await within(1000, "the statement is gone", async () => (await sleeping()) === 0);
});

test("many that go away at once leave every connection usable", async () => {
  const clients = Array.from({ length: 12 }, () => new Raw(daemon.address));
  await Promise.all(clients.map((client) => client.send(postBytes("{ slows { nap } }", token))));
  // Not on all connections: one tenant cannot have them all.
  await within(5000, "some statements run", async () => (await sleeping()) >= 2);
  clients.forEach((client) => client.drop());
  await within(2000, "no statement runs", async () => (await sleeping()) === 0);
  const replies = await Promise.all(Array.from({ length: 20 }, () => daemon.data("{ projects(limit: 1) { id } }")));
  assert.ok(replies.every(({ projects }) => projects.length === 1));
  await within(2000, "nothing is in flight", async () => /^fraiseql_http_requests_in_flight 0$/m.test((await daemon.admin("/metrics")).text));
});
