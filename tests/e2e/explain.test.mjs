// The subcommand explain: what it shows is what the daemon would do, and it changes nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { configuration, program, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, id } from "./support/token.mjs";

const database = await createDatabase();
const CLAIMS = JSON.stringify({ sub: ADA, tenant_id: ACME });

function explain(args, { claims = CLAIMS, more = {} } = {}) {
  const file = writeConfiguration(configuration(database, more));
  return program(["explain", "-c", file, ...(claims === null ? [] : ["--claims", claims]), ...args]);
}

test("a query is shown with session, statement, parameters, policies and plan", async () => {
  const { code, stdout, stderr } = await explain([
    "-e",
    "query($id: ID!) { project(id: $id) { name owner { name } } }",
    "--vars",
    JSON.stringify({ id: id.project(1) }),
  ]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^query, complexity \d+\nsession\n {2}role: app_user\n/);
  assert.ok(stdout.includes(`  app.current_tenant_id = '${ACME}'\n  app.user_id = '${ADA}'\n`), stdout);
  assert.match(stdout, /\nstatement 1\n {2}select t1\."name"/);
  assert.ok(stdout.includes(`  $1 = '${id.project(1)}'\n`), stdout);
  assert.match(stdout, /\npolicies\n( {2}public\.\w+ (permissive|restrictive) \w+: .*\n)+plan\n( {2}.*\n)+$/);
  assert.match(stdout, /public\.users permissive tenant_isolation_policy: .*current_setting/);
  assert.match(stdout, /\(cost=/);
});

test("a quote in a value cannot be taken for its end", async () => {
  const { stdout } = await explain(["-e", `{ projects(where: {name: {eq: "it's"}}) { id } }`]);
  assert.ok(stdout.includes("  $1 = 'it''s'\n"), stdout);
});

test("--analyze runs the query in the session of the claims", async () => {
  const rows = async (claims) => {
    const { code, stdout, stderr } = await explain(["-e", "{ projects(limit: 1000) { id } }", "--analyze"], { claims });
    assert.equal(code, 0, stderr);
    return Number(/actual time=[\d.]+ rows=(\d+)|actual rows=(\d+)/.exec(stdout)[1]);
  };
  const [own] = await shared.rows(database, `select least(count(*), 1000)::int as n from projects where tenant_id = '${ACME}'`);
  assert.equal(await rows(CLAIMS), own.n);
  assert.equal(await rows(JSON.stringify({ sub: ADA, tenant_id: "00000000-0000-4000-8000-00000000ffff" })), 0);
});

test("a mutation is shown, and neither run nor planned", async () => {
  const count = async () => (await shared.rows(database, "select count(*)::int as n from tasks"))[0].n;
  const before = await count();
  const document = `mutation { createTask(input: {title: "x", projectId: "${id.project(1)}"}) { id } }`;
  const { code, stdout, stderr } = await explain(["-e", document]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^mutation, /);
  assert.match(stdout, /\nstatement 1\n(.*\n)+statement 2\n/);
  assert.doesNotMatch(stdout, /^plan$/m);
  const refused = await explain(["-e", document, "--analyze"]);
  assert.deepEqual([refused.code, refused.stdout], [65, ""]);
  assert.match(refused.stderr, /a mutation is not run/);
  assert.equal(await count(), before);
});

test("an operation that reads nothing has no statement", async () => {
  const { stdout } = await explain(["-e", "{ __typename }"]);
  assert.match(stdout, /no statement: /);
});

test("document, variables and claims can come from files", async () => {
  const { code, stdout, stderr } = await explain(
    [
      "-q",
      writeFile("graphql", "query A { __typename } query B($n: Int) { tasks(limit: $n) { id } }"),
      "--operation",
      "B",
      "--vars",
      `@${writeFile("json", '{"n": 7}')}`,
    ],
    { claims: `@${writeFile("json", CLAIMS)}` },
  );
  assert.equal(code, 0, stderr);
  assert.ok(stdout.includes("  $1 = '7'\n"), stdout);
});

test("what cannot be explained is said as it is to clients, with the exit code of its kind", async () => {
  const cases = [
    [["-e", "{ nothing }"], 65, /Cannot query field|nothing/],
    [["-e", "{"], 65, /syntax|expected|end/i],
    [["-e", "query($id: ID!) { project(id: $id) { id } }"], 65, /\$id/],
    [["-e", "{ __typename }", "--vars", "[]"], 65, /--vars must be an object/],
    [["-e", "{ __typename }", "--vars", "@/nonexistent"], 65, /could not read/],
    [["-e", "{ __typename }", "-q", "x"], 64, /one document/],
    [[], 64, /one document/],
    [["-e", "{ __typename }", "extra"], 64, /extra/],
  ];
  for (const [args, status, message] of cases) {
    const { code, stdout, stderr } = await explain(args);
    assert.deepEqual([code, stdout], [status, ""], `${args}: ${stderr}`);
    assert.match(stderr, message);
  }
});

test("claims are needed where a request needs a token, and are checked", async () => {
  const none = await explain(["-e", "{ __typename }"], { claims: null });
  assert.equal(none.code, 65);
  assert.match(none.stderr, /token is required/);
  const bad = await explain(["-e", "{ __typename }"], { claims: '{"tenant_id": "no uuid"}' });
  assert.equal(bad.code, 65);
  assert.match(bad.stderr, /tenant_id/);
});
