// The wall clock is set while the daemon runs: a day ahead, then an hour back. Tokens go by it; nothing that waits does.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { binary, installSystem, metric, start, writeFile } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { claims, id, now, sign } from "../e2e/support/token.mjs";
import { within } from "../e2e/support/wait.mjs";

const QUERY = "{ projects(limit: 3) { id name } }";
const HOUR = 3600;
const DAY = 24 * HOUR;
const preload = `${dirname(binary)}/support/clockjump.so`;

/** Issued some time ago, valid for so long from now, by the true clock. */
const token = (seconds) => sign(claims({ user: id.user(1), iat: now() - 3 * HOUR, exp: now() + seconds }));

test("the wall clock jumps a day ahead and an hour back: tokens go by it, nothing waits for it, jobs neither stop nor storm", async () => {
  const database = await createDatabase();
  await installSystem(database);
  const clock = writeFile("clock", "0");
  const jump = (seconds) => writeFileSync(clock, String(seconds));
  const more = {
    jobs: { enabled: true, jitter: "0ms", definitions: { tick: { schedule: "@every 1s", sql: "select 1" } } },
    errors: { enabled: true },
    observability: { tracing: { enabled: true, ratio: 1 } },
  };
  const daemon = await start(database, more, { env: { LD_PRELOAD: preload, CLOCKJUMP_FILE: clock } });
  const count = async (text) => Number(await shared.sql(database, text));
  const ticks = () => count("select count(*) from fraiseql.job_runs where job = 'tick' and outcome = 'done'");
  const spans = () => count("select count(*) from fraiseql.otel_traces");
  const grows = async (what, number) => {
    const before = await number();
    await within(8000, `${what}: there are more`, async () => {
      await daemon.post(QUERY, { token: token(10 * DAY) });
      return (await number()) > before;
    });
  };
  const status = async (seconds) => (await daemon.post(QUERY, { token: token(seconds) })).status;
  await grows("jobs run", ticks);
  await grows("traces are written", spans);
  assert.equal(await status(HOUR), 200);

  for (const [ahead, valid, expired] of [[DAY, 2 * DAY, HOUR], [-HOUR, 60, -2 * HOUR], [DAY, 2 * DAY, HOUR], [0, HOUR, -HOUR]]) {
    jump(ahead);
    const [ran, began] = [await ticks(), performance.now()];
    assert.equal(await status(expired), 401, `${ahead}: one that has expired by the new clock`);
    assert.equal(await status(valid), 200, `${ahead}: one that has not`);
    const slowest = { ms: 0 };
    const load = (async () => {
      for (let i = 0; i < 200; i++) {
        const at = performance.now();
        assert.equal((await daemon.post(QUERY, { token: token(10 * DAY) })).body.errors, undefined);
        slowest.ms = Math.max(slowest.ms, performance.now() - at);
      }
    })();
    await load;
    assert.ok(slowest.ms < 1000, `${ahead}: a request took ${slowest.ms} ms`);
    await grows(`${ahead}: jobs run`, ticks);
    await grows(`${ahead}: traces are written`, spans);
    const seconds = (performance.now() - began) / 1000;
    assert.ok((await ticks()) - ran <= seconds + 3, `${ahead}: ${(await ticks()) - ran} runs in ${seconds} s`);
    assert.equal((await daemon.admin("/livez")).status, 200);
    assert.equal((await daemon.admin("/readyz")).status, 200);
    assert.ok((await metric(daemon, "fraiseql_worker_loop_lag_seconds")) < 2);
  }
  await daemon.stop();
});
