// A database, or something on the way to it, that says what PostgreSQL would not: the daemon lives, every answer is one,
// and what follows on a good connection is as ever.
//
//   HOSTILE_ROUNDS   how many connections are tried (default 60)
//   HOSTILE_SEED     which bytes are changed (default: others each day)

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Link } from "../fault/link.mjs";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

const rounds = Number(process.env.HOSTILE_ROUNDS ?? 60);
const first = Number(process.env.HOSTILE_SEED ?? Math.floor(Date.now() / 86400000) * 1000);

/** Mulberry32: the same numbers for a seed. */
function random(seed) {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Ways of changing what comes, each beginning at a byte of its own. */
const ways = {
  "a bit is another": (at, next) => (part, passed) => {
    const i = at - passed;
    if (i >= 0 && i < part.length) {
      part[i] ^= 1 << Math.floor(next() * 8);
    }
  },
  "a byte is another, now and then": (at, next) => (part, passed) => {
    for (let i = Math.max(0, at - passed); i < part.length; i++) {
      if (next() < 0.01) {
        part[i] = Math.floor(next() * 256);
      }
    }
  },
  "lengths are large": (at) => (part, passed) => {
    for (let i = Math.max(0, at - passed); i + 4 <= part.length && i < at - passed + 4; i++) {
      part[i] = 0x7f;
    }
  },
  "all is noise": (at, next) => (part, passed) => {
    for (let i = Math.max(0, at - passed); i < part.length; i++) {
      part[i] = Math.floor(next() * 256);
    }
  },
  "all is zero": (at) => (part, passed) => part.fill(0, Math.min(part.length, Math.max(0, at - passed))),
};

const documents = [
  "{ projects(limit: 5) { id name status owner { id email } tasks(limit: 3) { id title priority createdAt } } }",
  "{ tasksConnection(first: 3) { edges { cursor node { id title } } pageInfo { hasNextPage } } }",
  'mutation { createProject(input: { name: "hostile" }) { __typename } }',
];
const CODES = ["SERVICE_UNAVAILABLE", "UNKNOWN_OUTCOME", "TIMEOUT", "INTERNAL_SERVER_ERROR"];

const database = await createDatabase();
after(() => shared.sql("postgres", `drop database ${database} with (force)`).catch(() => {}));

test("bytes from the database are changed anywhere", { timeout: 600000 }, async () => {
  const link = await new Link(Number(shared.port)).listen();
  const url = `postgresql://fraiseqld@127.0.0.1:${link.port}/${database}?sslmode=disable&gssencmode=disable`;
  const daemon = await start(database, {
    server: { workers: 1, request_timeout: "1s" },
    database: { url, pool: { min: 0, max: 1, retry_backoff: ["1ms", "5ms"], acquire_timeout: "500ms", connect_timeout: "2s" }, notify: { listen: false } },
    jobs: { enabled: false },
  });
  const good = await daemon.post(documents[0]);
  assert.equal(good.body.errors, undefined, good.text);
  const length = link.passed.in;
  const names = Object.keys(ways);
  const seen = new Map();
  for (let i = 0; i < rounds; i++) {
    const seed = first + i;
    const next = random(seed);
    const what = names[i % names.length];
    link.corrupt(ways[what](Math.floor(next() * (length + 2000)), next));
    await link.drop();
    for (const document of documents) {
      const reply = await daemon.post(document);
      assert.ok(reply.body !== undefined && typeof reply.body === "object", `${what}, seed ${seed}: ${reply.text}`);
      for (const error of reply.body.errors ?? []) {
        const { code } = error.extensions;
        seen.set(code, (seen.get(code) ?? 0) + 1);
        // What PostgreSQL says of a value is the client's; a message that was changed may have any SQLSTATE.
        assert.match(code, /^[A-Z_]+$/);
      }
    }
    assert.equal((await daemon.admin("/livez")).status, 200, `${what}, seed ${seed}`);
  }
  assert.ok(CODES.some((code) => seen.has(code)), "something was noticed");
  link.corrupt(null);
  await link.drop();
  let again;
  for (let i = 0; i < 20; i++) {
    again = await daemon.post(documents[0]);
    if (again.body.errors === undefined) {
      break;
    }
  }
  assert.equal(again.text, good.text);
  await daemon.stop();
  await link.close();
});
