// Persisted queries and their table: what it is asked for, what it holds, and that however a document comes
// makes no difference.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { configuration, installSystem, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { operations } from "./support/explore.mjs";
import { createDatabase, Session, shared } from "./support/postgres.mjs";
import { ACME, id, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const extensions = (hash) => ({ persistedQuery: { version: 1, sha256Hash: hash } });
const byHash = (daemon, hash, options = {}) => daemon.post(undefined, { extensions: extensions(hash), ...options });
const register = (daemon, query) => daemon.post(query, { extensions: extensions(sha256(query)) });
const code = (reply) => reply.body.errors?.[0].extensions.code;
const fresh = () => `query Fresh${randomBytes(6).toString("hex")} { projects(limit: 2, orderBy: [{name: ASC}]) { id name } }`;

const database = await createDatabase();
await installSystem(database);
const daemon = await start(database);
after(() => daemon.stop());

const rowsOf = async (hash) => Number(await shared.sql(database, `select count(*) from fraiseql.persisted_queries where hash = '\\x${hash}'`));

async function lookups(d, result) {
  return Number(new RegExp(`^fraiseql_apq_table_lookups_total{result="${result}"} (\\d+)`, "m").exec((await d.admin("/metrics")).text)[1]);
}

test("a hash that is missing is looked for once, and is found when it has come, here at once and from elsewhere within ten seconds", async () => {
  const [here, elsewhere] = [fresh(), fresh()];
  for (const query of [here, elsewhere]) {
    for (let i = 0; i < 5; i++) {
      assert.equal(code(await byHash(daemon, sha256(query))), "PERSISTED_QUERY_NOT_FOUND");
    }
  }
  assert.equal(await lookups(daemon, "miss"), 2);
  assert.equal(await lookups(daemon, "spared"), 8);
  const { text } = await register(daemon, here);
  assert.equal((await byHash(daemon, sha256(here))).text, text);
  const other = await start(database);
  await register(other, elsewhere);
  await other.stop();
  assert.equal(await rowsOf(sha256(elsewhere)), 1);
  await within(11000, "it is found", async () => (await byHash(daemon, sha256(elsewhere))).body.data !== undefined);
  assert.equal(await lookups(daemon, "hit"), 1);
});

test("of random hashes at most a hundred a second are looked for, and what is known is answered meanwhile", async () => {
  const flooded = await start(database);
  const query = fresh();
  await register(flooded, query);
  const begun = Date.now();
  const replies = await Promise.all(Array.from({ length: 1500 }, () => byHash(flooded, randomBytes(32).toString("hex"))));
  const seconds = Math.ceil((Date.now() - begun) / 1000) + 1;
  assert.ok(replies.every((reply) => code(reply) === "PERSISTED_QUERY_NOT_FOUND"));
  const [miss, spared] = [await lookups(flooded, "miss"), await lookups(flooded, "spared")];
  assert.equal(miss + spared, 1500);
  assert.ok(miss > 0 && miss <= 100 * seconds, `${miss} in ${seconds} s`);
  assert.ok((await byHash(flooded, sha256(query))).body.data);
  await flooded.stop();
});

test("the table holds at most apq.max_rows documents: those used longest ago go", async () => {
  const own = await createDatabase();
  await installSystem(own);
  await shared.sql(own, `insert into fraiseql.persisted_queries (hash, query, last_used_at)
    select sha256(convert_to(q, 'UTF8')), q, now() - i * interval '1 hour' from generate_series(1, 50) i, lateral (select 'query Q' || i || ' { __typename }') t(q)`);
  const bounded = await start(own, { apq: { max_rows: 10 } });
  const rows = () => shared.sql(own, "select string_agg(substring(query from 'Q(\\d+)'), ' ' order by last_used_at desc) from fraiseql.persisted_queries");
  await within(5000, "it has ten", async () => (await rows()) === "1 2 3 4 5 6 7 8 9 10");
  await register(bounded, "query Q0 { __typename }");
  await within(15000, "one more, one less", async () => (await rows()) === "0 1 2 3 4 5 6 7 8 9");
  await bounded.stop();
});

test("documents that last less than a day are kept up more often than every six hours", async () => {
  const own = await createDatabase();
  await installSystem(own);
  const short = await start(own, { apq: { ttl: "60s" } });
  const query = fresh();
  await register(short, query);
  const age = () => shared.sql(own, "select extract(epoch from now() - last_used_at) < 40 from fraiseql.persisted_queries");
  await within(5000, "it is stored", async () => (await age()) === "t");
  await shared.sql(own, "update fraiseql.persisted_queries set last_used_at = now() - interval '50 seconds'");
  await byHash(short, sha256(query));
  await within(20000, "its use is noted", async () => (await age()) === "t");
  await short.stop();
});

test("a client that leaves while the table is asked leaves nothing behind", async () => {
  const query = fresh();
  await register(daemon, query);
  await within(5000, "it is stored", async () => (await rowsOf(sha256(query))) === 1);
  const other = await start(database);
  const session = new Session(database);
  await session.run("begin; lock table fraiseql.persisted_queries in access exclusive mode");
  const waiting = () => shared.sql(database, "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%from fraiseql.persisted_queries q where%'");
  const gone = new AbortController();
  const left = Promise.allSettled(Array.from({ length: 4 }, () => byHash(other, sha256(query), { signal: gone.signal })));
  await within(1900, "it waits for the table", async () => Number(await waiting()) > 0);
  gone.abort();
  assert.ok((await left).every((one) => one.status === "rejected"));
  await within(5000, "nothing runs for them any more", async () => /^fraiseql_http_requests_in_flight 0$/m.test((await other.admin("/metrics")).text));
  await session.run("rollback");
  await session.end();
  await within(5000, "the table is asked again", async () => (await byHash(other, sha256(query))).body.data !== undefined);
  await other.stop();
});

// --- a directory of documents ----------------------------------------------------------------------------------

function tree(files) {
  const root = `${process.env.E2E_DIR}/${randomBytes(6).toString("hex")}`;
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    writeFileSync(`${root}/${path}`, text);
  }
  return root;
}

test("apq.queries_dir is read with what is below it, through links within it, but nothing that is hidden", async () => {
  const texts = Array.from({ length: 5 }, fresh);
  const root = tree({ "a.graphql": texts[0], "b/c/d.gql": texts[1], "..data/e.graphql": texts[2], ".hidden/f.graphql": texts[3], "g/notes.txt": texts[4] });
  symlinkSync("..data/e.graphql", `${root}/e.graphql`); // as Kubernetes mounts them
  symlinkSync("..", `${root}/b/loop`);
  symlinkSync("nowhere", `${root}/nowhere.graphql`);
  const reading = await start(database, { apq: { queries_dir: root } });
  const known = await Promise.all(texts.map(async (text) => (await byHash(reading, sha256(text))).body.data !== undefined));
  assert.deepEqual(known, [true, true, true, false, false]);
  await reading.stop();
});

test("links out of apq.queries_dir, and directories without end, are refused", async () => {
  const outside = tree({ "secret.graphql": fresh(), "more/x.graphql": fresh() });
  const [file, directory] = [tree({}), tree({})];
  symlinkSync(`${outside}/secret.graphql`, `${file}/a.graphql`);
  symlinkSync(`${outside}/more`, `${directory}/a`);
  const sibling = tree({});
  mkdirSync(`${sibling}x`);
  writeFileSync(`${sibling}x/a.graphql`, fresh());
  symlinkSync(`${sibling}x/a.graphql`, `${sibling}/a.graphql`);
  const deep = tree({ [`${"d/".repeat(20)}a.graphql`]: fresh() });
  for (const [root, problem] of [[file, /leads out of the directory/], [directory, /leads out of the directory/], [sibling, /leads out of the directory/], [deep, /nested too deep/]]) {
    const { code: status, stderr } = await program(["serve", "-c", writeConfiguration(configuration(database, { apq: { queries_dir: root } }))]);
    assert.equal(status, 78, stderr);
    assert.match(stderr, problem);
  }
});

// --- however it comes ------------------------------------------------------------------------------------------

test("every document gives the same bytes as text, by its hash and by its id", async () => {
  const more = { schema: { expose: { functions: ["fn_*"] }, mutations: { crud: true } }, security: { max_complexity: 0, max_depth: 20 } };
  const plain = await start(database, more);
  const schema = buildClientSchema((await plain.post(getIntrospectionQuery())).body.data);
  const values = { ID: [id.project(1), "nonsense"], UUID: [id.user(1)], String: ["a", ""], Int: [0, 1, -1], Boolean: [true, false], Decimal: ["1.5"], DateTime: ["2026-01-01T00:00:00Z"], Date: ["2026-01-01"], BigInt: ["7"], Float: [0.5] };
  const every = Number(process.env.TURBO_EVERY ?? 8);
  const all = [...operations(schema, values)].filter((_, n) => n % every === 0);
  assert.ok(all.length > 300, String(all.length));
  const manifest = { format: "apollo-persisted-query-manifest", version: 1, operations: all.map((body, n) => ({ id: `id-${n}`, name: `N${n}`, type: "query", body })) };
  const trusting = await start(database, { ...more, trusted_documents: { manifest_files: [writeFile("json", JSON.stringify(manifest))] } });
  const seen = ({ status, text, headers }) => ({ status, text: text.replace(/"requestId":"[^"]*"/g, ""), type: headers["content-type"], cache: headers["cache-control"] });
  const byId = (documentId) =>
    trusting.request(`${trusting.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor(ACME)}` },
      body: JSON.stringify({ documentId }),
    });
  let valid = 0;
  for (const [n, query] of all.entries()) {
    const expected = seen(await plain.post(query));
    assert.deepEqual(seen(await register(plain, query)), expected, query);
    const hashed = await byHash(plain, sha256(query));
    // What is not valid is not kept.
    if (code(hashed) !== "PERSISTED_QUERY_NOT_FOUND") {
      valid++;
      assert.deepEqual(seen(hashed), expected, query);
    }
    assert.deepEqual(seen(await byHash(trusting, sha256(query))), expected, query);
    assert.deepEqual(seen(await byId(`id-${n}`)), expected, query);
  }
  assert.ok(valid > all.length * 0.8, `${valid} of ${all.length}`);
  await plain.stop();
  await trusting.stop();
});
