// Automatic persisted queries, as Apollo's clients speak them, and trusted documents.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { configuration, installSystem, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const extensions = (hash, version = 1) => ({ persistedQuery: { version, sha256Hash: hash } });
const byHash = (daemon, hash, options = {}) => daemon.post(undefined, { extensions: extensions(hash), ...options });
const register = (daemon, query, options = {}) => daemon.post(query, { extensions: extensions(sha256(query)), ...options });
const code = (reply) => reply.body.errors?.[0].extensions.code;

let n = 0;
/** A document that nobody has sent before. */
const fresh = (fields = "id name") => `query Fresh${++n}_${randomBytes(4).toString("hex")} { projects(limit: 2, orderBy: [{name: ASC}]) { ${fields} } }`;

const database = await createDatabase();
await installSystem(database);
const daemon = await start(database);
after(() => daemon.stop());

const rowsOf = async (hash) => Number(await shared.sql(database, `select count(*) from fraiseql.persisted_queries where hash = '\\x${hash}'`));

test("an unknown hash is told in Apollo's words, with 200, and not kept by caches", async () => {
  const reply = await byHash(daemon, sha256("nothing"));
  assert.equal(reply.status, 200);
  assert.equal(reply.body.errors[0].message, "PersistedQueryNotFound");
  assert.equal(code(reply), "PERSISTED_QUERY_NOT_FOUND");
  assert.ok(!("data" in reply.body));
  assert.equal(reply.headers["cache-control"], "private, no-cache, must-revalidate");
});

test("a document sent with its hash runs, and from then on the hash alone gives the same bytes", async () => {
  const query = fresh();
  const first = await register(daemon, query);
  assert.equal(first.status, 200, first.text);
  const plain = await daemon.post(query);
  for (const reply of [first, await byHash(daemon, sha256(query)), await byHash(daemon, sha256(query).toUpperCase())]) {
    assert.equal(reply.text, plain.text);
    assert.deepEqual(reply.status, plain.status);
  }
});

test("by GET as well, with variables, but no mutations", async () => {
  const query = `query Get${randomBytes(4).toString("hex")}($n: Int) { projects(limit: $n) { id } }`;
  const get = (parameters) =>
    daemon.request(`${daemon.url}/graphql?${new URLSearchParams(parameters)}`, {
      headers: { authorization: `Bearer ${tokenFor(ACME)}`, "apollo-require-preflight": "true" },
    });
  const hash = JSON.stringify(extensions(sha256(query)));
  assert.equal(code(await get({ extensions: hash })), "PERSISTED_QUERY_NOT_FOUND");
  const first = await get({ query, extensions: hash, variables: '{"n":1}' });
  assert.equal(first.body.data.projects.length, 1);
  const second = await get({ extensions: hash, variables: '{"n":2}' });
  assert.equal(second.body.data.projects.length, 2);
  assert.ok(second.headers.etag);
});

test("a mutation is registered by POST, and not run by GET", async () => {
  const changing = await start(database, { schema: { expose: { functions: ["fn_*"] } } });
  const mutation = "mutation M { __typename }";
  assert.deepEqual((await register(changing, mutation)).body.data, { __typename: "Mutation" });
  assert.deepEqual((await byHash(changing, sha256(mutation))).body.data, { __typename: "Mutation" });
  const get = await changing.request(`${changing.url}/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions(sha256(mutation))))}`, {
    headers: { authorization: `Bearer ${tokenFor(ACME)}`, "apollo-require-preflight": "true" },
  });
  assert.equal(get.status, 405);
  await changing.stop();
});

test("a hash that is not the document's is refused, and nothing is kept under it", async () => {
  const victim = fresh(), other = fresh();
  const reply = await daemon.post(other, { extensions: extensions(sha256(victim)) });
  assert.equal(reply.status, 400);
  assert.equal(reply.body.errors[0].message, "provided sha does not match query");
  assert.equal(code(reply), "BAD_REQUEST");
  assert.equal(code(await byHash(daemon, sha256(victim))), "PERSISTED_QUERY_NOT_FOUND");
  assert.equal(code(await byHash(daemon, sha256(other))), "PERSISTED_QUERY_NOT_FOUND");
});

test("what is not valid is not kept", async () => {
  for (const query of ["{ nothing }", "{ projects { id }", `{ projects { ${"a: id ".repeat(20)} nope } }`]) {
    assert.ok((await register(daemon, query)).body.errors);
    assert.equal(code(await byHash(daemon, sha256(query))), "PERSISTED_QUERY_NOT_FOUND");
  }
});

test("malformed extensions are bad requests", async () => {
  for (const persistedQuery of [
    { version: 2, sha256Hash: sha256("x") },
    { sha256Hash: sha256("x") },
    { version: 1 },
    { version: 1, sha256Hash: 7 },
    { version: 1, sha256Hash: "abc" },
    { version: 1, sha256Hash: `${sha256("x").slice(1)}g` },
    "hash",
    [],
  ]) {
    const reply = await daemon.post(undefined, { extensions: { persistedQuery } });
    assert.equal(reply.status, 400, JSON.stringify(persistedQuery));
    assert.equal(code(reply), "BAD_REQUEST");
  }
  assert.equal((await daemon.post(undefined, {})).status, 400);
});

test("the token is looked at first, and a hash says nothing about who asks", async () => {
  const query = fresh("id tenantId");
  await register(daemon, query, { token: tokenFor(ACME) });
  assert.equal((await byHash(daemon, sha256(query), { token: null })).status, 401);
  assert.equal((await byHash(daemon, sha256("unknown"), { token: null })).status, 401);
  const reply = await byHash(daemon, sha256(query), { token: tokenFor(GLOBEX) });
  assert.ok(reply.body.data.projects.every((project) => project.tenantId === GLOBEX), reply.text);
});

test("the table has it within seconds, and another daemon finds it there, also after a restart", async () => {
  const query = fresh();
  const first = await register(daemon, query);
  await within(5000, "it is stored", async () => (await rowsOf(sha256(query))) === 1);
  const other = await start(database);
  assert.equal((await byHash(other, sha256(query))).text, first.text);
  assert.equal((await byHash(other, sha256(query))).text, first.text);
  await other.stop();
});

test("what is registered just before the end is stored", async () => {
  const query = fresh();
  const other = await start(database);
  await register(other, query);
  await other.stop();
  assert.equal(await rowsOf(sha256(query)), 1);
});

test("the table holds nothing under a hash that is not its own", async () => {
  const query = fresh();
  await assert.rejects(shared.sql(database, `insert into fraiseql.persisted_queries (hash, query) values ('\\x${sha256(query)}', '{ projects { id } }')`));
  await assert.rejects(shared.sql(database, `set role app_user; select * from fraiseql.persisted_queries`));
  await assert.rejects(shared.sql(database, `set role app_user; insert into fraiseql.persisted_queries (hash, query) values (sha256('x'), 'x')`));
});

test("one that the database cannot hold keeps out no other", async () => {
  await shared.sql(database, `alter table fraiseql.persisted_queries add constraint no_emoji check (query not like '%\u{1f389}%')`);
  const odd = `${fresh()} # \u{1f389}`, plain = fresh();
  await Promise.all([register(daemon, odd), register(daemon, plain)]);
  await within(5000, "the other is stored", async () => (await rowsOf(sha256(plain))) === 1);
  assert.ok((await byHash(daemon, sha256(odd))).body.data);
  assert.equal(daemon.logged("persisted queries are kept in memory only").length, 0);
  assert.equal(daemon.logged("the database cannot hold a persisted query").length, 1);
});

test("what nobody uses is deleted", async () => {
  const old = fresh(), kept = fresh();
  await register(daemon, old);
  await register(daemon, kept);
  await within(5000, "both are stored", async () => (await rowsOf(sha256(old))) + (await rowsOf(sha256(kept))) === 2);
  await shared.sql(database, `update fraiseql.persisted_queries set last_used_at = now() - interval '31 days' where hash = '\\x${sha256(old)}'`);
  const other = await start(database);
  await within(5000, "it is gone", async () => (await rowsOf(sha256(old))) === 0);
  assert.equal(await rowsOf(sha256(kept)), 1);
  await other.stop();
});

test("random hashes and many documents stay within bounds", async () => {
  const small = await start(database, { apq: { max_entries: 20 } });
  const queries = Array.from({ length: 60 }, () => fresh());
  for (const query of queries) {
    await register(small, query);
  }
  await Promise.all(Array.from({ length: 500 }, () => byHash(small, randomBytes(32).toString("hex"))));
  const entries = async () => Number(/^fraiseql_apq_entries (\d+)/m.exec((await small.admin("/metrics")).text)[1]);
  assert.ok((await entries()) <= 20);
  await within(5000, "all that was new is in the table, or came too fast", async () => (await rowsOf(sha256(queries.at(-1)))) === 1);
  assert.equal((await byHash(small, sha256(queries.at(-1)))).status, 200);
  await small.stop();
});

test("without the table it works in memory, and the log says so once", async () => {
  const bare = await createDatabase();
  const alone = await start(bare);
  const query = fresh();
  const first = await register(alone, query);
  await within(5000, "it noticed", () => alone.logged("persisted queries are kept in memory only").length === 1);
  assert.equal((await byHash(alone, sha256(query))).text, first.text);
  assert.equal(code(await byHash(alone, sha256("other"))), "PERSISTED_QUERY_NOT_FOUND");
  await alone.stop();
});

test("in memory only, if so configured, nothing is written", async () => {
  const query = fresh();
  const alone = await start(database, { apq: { storage: ["memory"] } });
  await register(alone, query);
  await byHash(alone, sha256(query));
  await alone.stop();
  assert.equal(await rowsOf(sha256(query)), 0);
});

test("off, for GET or longer documents, it is not done", async () => {
  for (const apq of [{ enabled: false }, { mode: "disabled" }]) {
    const off = await start(database, { apq });
    const query = fresh();
    assert.equal((await register(off, query)).status, 200);
    const reply = await byHash(off, sha256(query));
    assert.equal(code(reply), "PERSISTED_QUERY_NOT_SUPPORTED");
    assert.equal(reply.body.errors[0].message, "PersistedQueryNotSupported");
    await off.stop();
  }
  const limited = await start(database, { apq: { allow_get: false, max_query_bytes: "128B" } });
  const long = fresh(`id ${"name ".repeat(40)}`);
  assert.equal((await register(limited, long)).status, 200);
  assert.equal(code(await byHash(limited, sha256(long))), "PERSISTED_QUERY_NOT_FOUND");
  const get = await limited.request(`${limited.url}/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions(sha256(long))))}`, {
    headers: { authorization: `Bearer ${tokenFor(ACME)}` },
  });
  assert.equal(code(get), "PERSISTED_QUERY_NOT_SUPPORTED");
  await limited.stop();
});

test("elements of a batch have hashes of their own", async () => {
  const batching = await start(database, { server: { batching: { enabled: true } } });
  const query = fresh();
  await register(batching, query);
  const reply = await batching.request(`${batching.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor(ACME)}` },
    body: JSON.stringify([{ extensions: extensions(sha256(query)) }, { query: "{ __typename }" }, { extensions: extensions(sha256("no")) }]),
  });
  assert.deepEqual(
    reply.body.map((one) => one.errors?.[0].extensions.code ?? Object.keys(one.data)[0]),
    ["projects", "__typename", "PERSISTED_QUERY_NOT_FOUND"],
  );
  await batching.stop();
});

// --- trusted documents ------------------------------------------------------------------------------------

const TRUSTED = "query Trusted($n: Int) { projects(limit: $n) { id name } }";
const RELAYED = "query Relayed { tasks(limit: 1) { id } }";
const FILED = "query Filed { users(limit: 1) { id } }";
const apollo = writeFile(
  "json",
  JSON.stringify({ format: "apollo-persisted-query-manifest", version: 1, operations: [{ id: "trusted-1", name: "Trusted", type: "query", body: TRUSTED }] }),
);
const relay = writeFile("json", JSON.stringify({ "3f2a": RELAYED }));
const directory = `${process.env.E2E_DIR}/${randomBytes(4).toString("hex")}`;
mkdirSync(directory);
writeFileSync(`${directory}/filed.graphql`, FILED);
writeFileSync(`${directory}/notes.txt`, "query Notes { projects { id } }");
const documents = { apq: { queries_dir: directory }, trusted_documents: { manifest_files: [apollo, relay] } };
const byId = (d, documentId, more = {}) =>
  d.request(`${d.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json", authorization: `Bearer ${tokenFor(ACME)}` },
    body: JSON.stringify({ documentId, ...more }),
  });

test("documents of manifests and of a directory are known by id and hash from the start", async () => {
  const trusting = await start(database, documents);
  const expected = (await trusting.post(TRUSTED, { variables: { n: 2 } })).text;
  for (const id of ["trusted-1", sha256(TRUSTED), `sha256:${sha256(TRUSTED)}`]) {
    assert.equal((await byId(trusting, id, { variables: { n: 2 } })).text, expected, id);
  }
  assert.equal((await byHash(trusting, sha256(TRUSTED), { variables: { n: 2 } })).text, expected);
  assert.ok((await byId(trusting, "3f2a")).body.data.tasks);
  assert.ok((await byHash(trusting, sha256(FILED))).body.data.users);
  const relayed = await trusting.request(`${trusting.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor(ACME)}` },
    body: JSON.stringify({ doc_id: "3f2a" }),
  });
  assert.ok(relayed.body.data.tasks);
  const get = await trusting.request(`${trusting.url}/graphql?documentId=3f2a`, { headers: { authorization: `Bearer ${tokenFor(ACME)}`, "apollo-require-preflight": "1" } });
  assert.ok(get.body.data.tasks, get.text);
  const unknown = await byId(trusting, "nothing");
  assert.equal(code(unknown), "PERSISTED_QUERY_NOT_FOUND");
  assert.equal(code(await byId(trusting, "trusted-1", { query: FILED })), "BAD_REQUEST");
  // Apollo's clients that have a manifest send its ids as if they were hashes.
  assert.equal((await byHash(trusting, "trusted-1", { variables: { n: 2 } })).text, expected);
  assert.equal((await byHash(trusting, sha256(TRUSTED).toUpperCase(), { variables: { n: 2 } })).text, expected);
  assert.equal(code(await byHash(trusting, "trusted-2")), "BAD_REQUEST");
  assert.ok((await trusting.post("{ projects { id } }")).body.data);
  await trusting.stop();
});

test("an id does not register its document under another hash", async () => {
  const trusting = await start(database, documents);
  const victim = sha256(fresh());
  for (const hash of [victim, "0".repeat(64)]) {
    const reply = await byId(trusting, "trusted-1", { extensions: extensions(hash) });
    assert.equal(reply.status, 400, reply.text);
    assert.equal(reply.body.errors[0].message, "provided sha does not match query");
    assert.equal(code(await byHash(trusting, hash)), "PERSISTED_QUERY_NOT_FOUND");
  }
  assert.equal(code(await byId(trusting, "trusted-1", { extensions: extensions("0") })), "BAD_REQUEST");
  assert.ok((await byId(trusting, "trusted-1", { extensions: extensions(sha256(TRUSTED)) })).body.data);
  await trusting.stop();
});

test("enforce: all other documents are refused, whatever comes with them", async () => {
  const strict = await start(database, { ...documents, trusted_documents: { ...documents.trusted_documents, mode: "enforce" } });
  const other = fresh();
  for (const reply of [await strict.post(other), await register(strict, other), await strict.post("{ projects { id }"), await strict.post("{ __schema { types { name } } }")]) {
    assert.equal(reply.status, 403, reply.text);
    assert.equal(code(reply), "FORBIDDEN");
  }
  // One that another daemon has put into the table is no more trusted.
  await register(daemon, other);
  await within(5000, "it is stored", async () => (await rowsOf(sha256(other))) === 1);
  assert.equal(code(await byHash(strict, sha256(other))), "PERSISTED_QUERY_NOT_FOUND");
  assert.ok((await strict.post(TRUSTED)).body.data);
  assert.ok((await register(strict, FILED)).body.data);
  assert.ok((await byId(strict, "trusted-1")).body.data);
  assert.match((await strict.admin("/metrics")).text, /^fraiseql_trusted_documents_total{result="refused"} 4/m);
  await strict.stop();
  const open = await start(database, { ...documents, trusted_documents: { ...documents.trusted_documents, mode: "enforce", allow_introspection: true } });
  assert.ok((await open.post("{ __schema { queryType { name } } a: __typename }")).body.data);
  assert.equal(code(await open.post("{ __typename projects { id } }")), "FORBIDDEN");
  assert.equal(code(await open.post("{ __typename ...F } fragment F on Query { projects { id } }")), "FORBIDDEN");
  await open.stop();
});

test("apq.mode: required is the same for documents that are known", async () => {
  const strict = await start(database, { apq: { mode: "required", queries_dir: directory } });
  assert.equal((await strict.post(fresh())).status, 403);
  assert.ok((await byHash(strict, sha256(FILED))).body.data);
  await strict.stop();
});

test("audit: they run, and are counted and logged", async () => {
  const auditing = await start(database, { ...documents, trusted_documents: { ...documents.trusted_documents, mode: "audit" } });
  assert.ok((await auditing.post(fresh())).body.data);
  assert.ok((await auditing.post(TRUSTED)).body.data);
  assert.match((await auditing.admin("/metrics")).text, /^fraiseql_trusted_documents_total{result="audited"} 1/m);
  assert.equal(auditing.logged("a document that is not trusted").length, 1);
  // Nothing else is different: clients register what they send.
  const other = fresh();
  const first = await register(auditing, other);
  assert.equal((await byHash(auditing, sha256(other))).text, first.text);
  assert.match((await auditing.admin("/metrics")).text, /^fraiseql_trusted_documents_total{result="audited"} 3/m);
  assert.match((await auditing.admin("/metrics")).text, /^fraiseql_trusted_documents_total{result="hit"} 1/m);
  await auditing.stop();
});

test("what is no manifest stops the start, and says which file", async () => {
  const refused = async (more) => {
    const { code: status, stderr } = await program(["serve", "-c", writeConfiguration(configuration(database, more))]);
    assert.equal(status, 78, stderr);
    return stderr;
  };
  const broken = writeFile("json", "{ nope");
  const clash = writeFile("json", JSON.stringify({ format: "apollo-persisted-query-manifest", version: 1, operations: [{ id: "a", body: "{ a }" }, { id: "a", body: "{ b }" }] }));
  const future = writeFile("json", JSON.stringify({ format: "apollo-persisted-query-manifest", version: 2, operations: [] }));
  assert.match(await refused({ trusted_documents: { manifest_files: [broken] } }), new RegExp(broken));
  assert.match(await refused({ trusted_documents: { manifest_files: [clash] } }), /the id \\?"a\\?" has two texts/);
  assert.match(await refused({ trusted_documents: { manifest_files: [future] } }), /another version/);
  assert.match(await refused({ trusted_documents: { manifest_files: ["/nothing/here.json"] } }), /No such file/);
  assert.match(await refused({ apq: { queries_dir: "/nothing/here" } }), /No such file/);
  assert.match(await refused({ trusted_documents: { mode: "enforce" } }), /manifest_files/);
  assert.match(await refused({ apq: { storage: ["redis"] } }), /redis/);
});
