// cache.mjs - what tests of the result cache share.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { installSystem } from "./daemon.mjs";
import { createDatabase, shared } from "./postgres.mjs";
import { within } from "./wait.mjs";

export const unique = () => `Q${randomBytes(4).toString("hex")}`;

/** Answers of an operation of that name are kept at once, whatever they cost. */
export const always = (name, ttl) => ({
  cache: { enabled: true, operations: { [name]: { mode: "always", ...(ttl ? { ttl } : {}) } } },
  server: { server_timing: true },
});

/** A database with what the daemon keeps, and with changes of the demo's tables noted. */
export async function installed({ triggers = true } = {}) {
  const database = await createDatabase();
  await installSystem(database, { args: triggers ? ["--cache-triggers"] : [] });
  return database;
}

export const entries = (database) => shared.sql(database, "select count(*) from fraiseql.cache_entries");

/** What became of an operation: hit, miss, stale, bypass or none. */
export const outcome = (reply) => /cache;desc=(\w+)/.exec(reply.headers["server-timing"])?.[1] ?? "none";

/** Sends it until the daemon knows what its answers depend on. */
export async function known(daemon, query, options) {
  await within(5000, "the operation's rule is known", async () => !/bypass|none/.test(outcome(await daemon.post(query, options))));
}

export async function cached(daemon, query, options) {
  await known(daemon, query, options);
  await within(5000, "the answer is kept", async () => outcome(await daemon.post(query, options)) === "hit");
}

export async function expectOutcome(daemon, query, expected, options) {
  const reply = await daemon.post(query, options);
  assert.equal(outcome(reply), expected, reply.text);
  return reply;
}
