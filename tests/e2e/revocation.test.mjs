// Revoked tokens: refused at once by every daemon, though they have not expired.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { installSystem, start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { claims, id, now, sign } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
await installSystem(database);
const more = (revocation = {}) => ({ auth: { revocation: { enabled: true, ...revocation } } });
const daemon = await start(database, more({ poll_interval: "1h" }));
const polling = await start(database, { ...more({ poll_interval: "200ms" }), database: { notify: { listen: false } } });
after(async () => {
  await daemon.stop();
  await polling.stop();
});

const token = (more = {}) => sign(claims({ jti: randomBytes(6).toString("hex"), ...more }));
const status = async (d, t) => (await d.post("{ __typename }", { token: t })).status;
const refused = (t) => within(5000, "both refuse it", async () => (await status(daemon, t)) === 401 && (await status(polling, t)) === 401);

test("a token is refused as soon as it is revoked, also one that is remembered; others go on", async () => {
  const jti = "it's \"one\"";
  const victim = token({ jti });
  const other = token();
  for (const t of [victim, other, victim]) {
    assert.equal(await status(daemon, t), 200);
    assert.equal(await status(polling, t), 200);
  }
  await shared.sql(database, `select fraiseql.revoke_token('${jti.replace("'", "''")}')`);
  await refused(victim);
  assert.equal((await daemon.post("{ __typename }", { token: victim })).body.errors[0].message, "the token was revoked");
  for (const t of [other, token({ jti: undefined }), token({ jti: 7 })]) {
    assert.equal(await status(daemon, t), 200);
  }
});

test("all tokens of a subject that were issued by then are refused, and new ones are not", async () => {
  const user = id.user(3);
  const old = [token({ user }), token({ user, iat: now() - 100 }), token({ user, iat: undefined }), token({ user, jti: undefined })];
  for (const t of old) {
    assert.equal(await status(daemon, t), 200);
  }
  await shared.sql(database, `select fraiseql.revoke_subject('${user}')`);
  for (const t of old) {
    await refused(t);
  }
  assert.equal(await status(daemon, token({ user, iat: now() + 5 })), 200);
  assert.equal(await status(daemon, token({ user: id.user(4) })), 200);
  // As though it had been said a while ago.
  await shared.sql(database, `update fraiseql.revoked_subjects set revoked_at = now() - interval '1 hour'; notify fraiseqld, 'revoked'`);
  await within(5000, "it is read", async () => (await status(daemon, token({ user }))) === 200);
  assert.equal(await status(daemon, token({ user, iat: now() - 7200 })), 401);
});

test("what has expired is of no concern, and can be deleted", async () => {
  const victim = token({ jti: "gone" });
  await shared.sql(database, "select fraiseql.revoke_token('gone', now() - interval '1 second'); select fraiseql.revoke_token('sentinel')");
  await refused(token({ jti: "sentinel" }));
  assert.equal(await status(daemon, victim), 200);
  assert.equal(await shared.sql(database, "select fraiseql.forget_revoked_tokens()"), "1");
});

test("requests' roles can neither read nor change the list", async () => {
  for (const statement of ["select * from fraiseql.revoked_tokens", "delete from fraiseql.revoked_subjects", "select fraiseql.revoke_token('x')", "select fraiseql.forget_revoked_tokens()"]) {
    await assert.rejects(shared.sql(database, `set role app_user; ${statement}`), /permission denied/);
  }
});

test("while the list cannot be read at the start, no token is accepted", async () => {
  const bare = await createDatabase();
  const unsure = await start(bare, more());
  assert.equal(await status(unsure, token()), 503);
  await within(5000, "the log says why", () => unsure.logged("could not read the revoked tokens")[0]?.hint === "run fraiseqld db install");
  await installSystem(bare);
  await within(5000, "it is read", async () => (await status(unsure, token())) === 200);
  assert.equal(unsure.logged("could not read the revoked tokens").length, 1);
  await unsure.stop();
});

test("under load, nobody is refused but who is revoked", async () => {
  let running = true;
  const load = Array.from({ length: 6 }, async () => {
    while (running) {
      assert.equal(await status(daemon, token({ user: id.user(5) })), 200);
    }
  });
  for (let i = 0; i < 20; i++) {
    await shared.sql(database, `select fraiseql.revoke_token('t${i}')`);
    await refused(token({ jti: `t${i}` }));
  }
  running = false;
  await Promise.all(load);
});
