// Registered operations: fraiseqld turbo, and daemons that have compiled them before anybody asks.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { configuration, installSystem, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, id } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const unique = () => `N${randomBytes(4).toString("hex")}`;

async function misses(daemon) {
  const { text } = await daemon.admin("/metrics");
  return Number(/^fraiseql_turbo_lookups_total\{result="miss"\} (\d+)/m.exec(text)[1]);
}

/** Does its first request find the plan? */
async function isWarm(daemon, query, options) {
  const before = await misses(daemon);
  await daemon.data(query, options);
  return (await misses(daemon)) === before;
}

async function installed() {
  const database = await createDatabase();
  await installSystem(database);
  return database;
}

const turbo = (database, args, options) => program(["turbo", ...args, "-c", writeConfiguration(configuration(database))], options);

async function register(database, text, args = []) {
  const done = await turbo(database, ["register", "-", ...args], { input: text });
  assert.equal(done.code, 0, done.stderr);
  return done;
}

test("what is registered is compiled at the start, under its name and without, and what is not is not", async () => {
  const database = await installed();
  const name = unique();
  const query = `query ${name} { projects(limit: 1) { id } }`;
  const { stdout } = await register(database, query, ["--note", "the start page"]);
  assert.equal(stdout, `${sha256(query)}  ${name}\n`);
  const daemon = await start(database);
  assert.ok(await isWarm(daemon, query));
  assert.ok(await isWarm(daemon, query, { operationName: name }));
  assert.ok(!(await isWarm(daemon, `${query} `)));
  await daemon.stop();
});

test("a daemon that runs compiles it when it is registered, and after a change of the schema again", async () => {
  const database = await installed();
  const daemon = await start(database);
  const query = `query ${unique()} { projects(limit: 1) { name } }`;
  await register(database, query);
  await within(5000, "it is compiled", async () => daemon.logged("registered operations compiled").length === 1);
  assert.ok(await isWarm(daemon, query));
  await shared.sql(database, "create view v_more as select 1 as id; grant select on v_more to app_user; notify fraiseqld, 'schema'");
  await within(5000, "the schema is another", async () => daemon.logged("schema loaded").length === 2);
  assert.ok(await isWarm(daemon, query));
  daemon.signal("SIGHUP");
  await within(5000, "it is said of each load", async () => daemon.logged("registered operations compiled").length === 3);
  await daemon.stop();
});

test("variables decide which plan is compiled", async () => {
  const database = await installed();
  const query = `query ${unique()}($id: ID!) { project(id: $id) { id } }`;
  await register(database, JSON.stringify([{ query, variables: { id: id.project(1) } }]));
  const daemon = await start(database);
  assert.ok(await isWarm(daemon, query, { variables: { id: id.project(2) } }));
  await daemon.stop();
});

test("each operation of a document, and of a file that the configuration names", async () => {
  const database = await installed();
  const [a, b] = [unique(), unique()];
  const document = `query ${a} { projects(limit: 1) { ...F } } query ${b} { tasks(limit: 1) { id } } fragment F on Project { id }`;
  await register(database, document);
  const own = `query ${unique()} { users(limit: 1) { id } }`;
  const manifest = { format: "apollo-persisted-query-manifest", version: 1, operations: [{ id: "x", name: /query (\w+)/.exec(own)[1], type: "query", body: own }] };
  const daemon = await start(database, { turborouter: { warm: { file: writeFile("json", JSON.stringify(manifest)) } } });
  assert.ok(await isWarm(daemon, document, { operationName: a }));
  assert.ok(await isWarm(daemon, document, { operationName: b }));
  assert.ok(await isWarm(daemon, own));
  await daemon.stop();
});

test("the table and the file can be left alone", async () => {
  const database = await installed();
  const query = `query ${unique()} { projects(limit: 1) { id } }`;
  await register(database, query);
  const daemon = await start(database, { turborouter: { warm: { from_table: false } } });
  assert.ok(!(await isWarm(daemon, query)));
  await daemon.stop();
});

test("a file that cannot be read, and a missing table, keep nobody from serving", async () => {
  const database = await createDatabase();
  const daemon = await start(database, { turborouter: { warm: { file: "/nonexistent/queries.json" } } });
  assert.equal(daemon.logged("could not read turborouter.warm.file").length, 1);
  assert.equal(daemon.logged("could not read the registered operations").length, 0);
  daemon.signal("SIGHUP");
  await within(5000, "it has loaded again", async () => daemon.logged("schema unchanged").length === 1);
  assert.equal(daemon.logged("could not read turborouter.warm.file").length, 1);
  await daemon.stop();
});

test("what is not valid any more is said once, by the log and by turbo list, and hinders nothing", async () => {
  const database = await installed();
  const good = `query ${unique()} { projects(limit: 1) { id } }`, name = unique();
  const bad = `query ${name} { projects(limit: 1) { gone } }`;
  await register(database, good);
  await shared.sql(database, `select fraiseql.register_turbo_query('${bad}', '${name}')`);
  // It is in the file as well, and told once all the same.
  const daemon = await start(database, { turborouter: { warm: { file: writeFile("graphql", bad) } } });
  const said = () => daemon.logged("a registered operation is not valid");
  assert.deepEqual(said().map((line) => [line.hash, line.operation_name]), [[sha256(bad), name]]);
  assert.match(said()[0].error, /gone/);
  assert.ok(await isWarm(daemon, good));
  daemon.signal("SIGHUP");
  await within(5000, "it is loaded again", async () => daemon.logged("registered operations compiled").length === 2);
  assert.equal(said().length, 1);
  assert.ok(await isWarm(daemon, good));
  await daemon.stop();
  const { stdout, code } = await turbo(database, ["list"]);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^${sha256(bad)}  ${name} +0 uses, 0 % found  not valid: .*gone`, "m"));
  assert.match(stdout, new RegExp(`^${sha256(good)}  \\w+ +2 uses, 100.00 % found  valid$`, "m"));
  assert.match((await turbo(database, ["inspect", sha256(good)])).stdout, /^use +2 hits, 0 misses, [0-9.]+ us in the database, last at 2/m);
});

test("of a file that is not valid nothing is registered, and --dry-run registers nothing", async () => {
  const database = await installed();
  const good = "query G { projects { id } }";
  const rows = () => shared.sql(database, "select count(*) from fraiseql.turbo_queries");
  for (const [text, problem] of [[`${good} query H { nope }`, /nope/], ["{ projects { id }", /syntax error/], ["fragment F on Project { id }", /without an operation/], ["[1]", /"query"/], ['{"a": 1}', /"operations"/], ["", /syntax error|without an operation/]]) {
    const { code, stderr } = await turbo(database, ["register", "-"], { input: text });
    assert.equal(code, 65, stderr);
    assert.match(stderr, problem);
  }
  assert.equal((await turbo(database, ["register", "-", "--dry-run"], { input: good })).code, 0);
  assert.equal(await rows(), "0");
  assert.equal((await turbo(database, ["register", "/nonexistent"])).code, 65);
});

test("it is registered once, and may have its note and variables changed", async () => {
  const database = await installed();
  const query = `query ${unique()}($n: Int) { projects(limit: $n) { id } }`;
  await register(database, query, ["--note", "one"]);
  await register(database, query, ["--vars", '{"n": 1}']);
  assert.equal(await shared.sql(database, "select note, variables from fraiseql.turbo_queries"), 'one|{"n": 1}');
  await assert.rejects(shared.sql(database, "insert into fraiseql.turbo_queries (hash, query) values (sha256('x'), 'y')"));
  await assert.rejects(shared.sql(database, "set role app_user; select * from fraiseql.turbo_queries"));
});

test("inspect shows one, by its name or the beginning of its hash, as explain does", async () => {
  const database = await installed();
  const name = unique();
  const query = `query ${name}($id: ID!) { project(id: $id) { id } }`;
  await register(database, query, ["--vars", JSON.stringify({ id: id.project(1) }), "--note", "a page"]);
  const claims = JSON.stringify({ sub: id.user(1), tenant_id: ACME });
  for (const which of [name, sha256(query), sha256(query).slice(0, 12)]) {
    const { code, stdout, stderr } = await turbo(database, ["inspect", which, "--claims", claims]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^hash +${sha256(query)}$`, "m"));
    assert.match(stdout, /^note +a page$/m);
    assert.match(stdout, /^query, complexity \d+$/m);
    assert.match(stdout, /^plan\n +\S/m);
  }
  const none = await turbo(database, ["inspect", "Nothing"]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no operation "Nothing"/);
});

test("wrong arguments are status 64, a database without the table 70 with what to do", async () => {
  for (const args of [["turbo"], ["turbo", "regster"], ["turbo", "register"], ["turbo", "list", "x"], ["turbo", "list", "--nothing"]]) {
    assert.equal((await program(args)).code, 64, args.join(" "));
  }
  const { code, stderr } = await turbo(await createDatabase(), ["list"]);
  assert.equal(code, 70, stderr);
  assert.match(stderr, /fraiseqld db install/);
});
