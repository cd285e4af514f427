// TurboRouter: an operation that is found answers, byte for byte, as one that is not.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { start } from "./support/daemon.mjs";
import { operations } from "./support/explore.mjs";
import { createDatabase } from "./support/postgres.mjs";
import { ACME, GLOBEX, id, tokenFor, ZENITH } from "./support/token.mjs";

const database = await createDatabase();
const more = { schema: { expose: { functions: ["fn_*"] }, mutations: { crud: true } }, security: { max_complexity: 0, max_depth: 20 } };
const kept = await start(database, more);
const plain = await start(database, { ...more, turborouter: { enabled: false } });
after(async () => {
  await kept.stop();
  await plain.stop();
});

const counts = async (daemon) => {
  const { text } = await daemon.admin("/metrics");
  return Object.fromEntries(["hit", "miss"].map((result) => [result, Number(new RegExp(`^fraiseql_turbo_lookups_total{result="${result}"} (\\d+)`, "m").exec(text)[1])]));
};

/** What a client sees, without what differs in any two answers. */
const seen = ({ status, text, headers }) => ({ status, text: text.replace(/"requestId":"[^"]*"/g, ""), type: headers["content-type"], cache: headers["cache-control"] });

async function compare(query, options = {}) {
  const expected = seen(await plain.post(query, options));
  for (let i = 0; i < 2; i++) {
    const found = seen(await kept.post(query, options));
    assert.deepEqual(found, expected, query);
  }
}

const introspected = await kept.post(getIntrospectionQuery());
const schema = buildClientSchema(introspected.body.data);
const values = { ID: [id.project(1), "nonsense"], UUID: [id.user(1)], String: ["a", ""], Int: [0, 1, -1], Boolean: [true, false], Decimal: ["1.5"], DateTime: ["2026-01-01T00:00:00Z"], Date: ["2026-01-01"], BigInt: ["7"], Float: [0.5] };

test("whatever can be asked is answered alike when it is found and when it is not", async () => {
  // One in eight, which is of every kind; TURBO_EVERY=1 has all of them.
  const every = Number(process.env.TURBO_EVERY ?? 8);
  const all = [...operations(schema, values)].filter((_, n) => n % every === 0);
  assert.ok(all.length > 300, String(all.length));
  for (const query of all) {
    await compare(query);
  }
  const { hit, miss } = await counts(kept);
  assert.ok(hit > all.length * 0.6, JSON.stringify({ hit, miss, all: all.length }));
  assert.equal((await counts(plain)).hit, 0);
});

test("so is what is wrong", async () => {
  for (const query of ["", "{", "{ nothing }", "{ projects { id } } { projects { id } }", "query A { __typename } query B { __typename }", "{ projects(limit: -1) { id } }", "{ projects(limit: 99999) { id } }", 'mutation { nothing }', "subscription { x }", "{ project(id: null) { id } }", '{ project(id: "x") { id } }', "{ a: __typename a: projects { id } }"]) {
    await compare(query);
    await compare(query, { operationName: "A" });
    await compare(query, { operationName: "C" });
  }
});

test("one document, and every shape of its variables, for every tenant", async () => {
  const query = `query Q($where: ProjectWhereInput, $order: [ProjectOrderByInput!], $n: Int = 3, $with: Boolean! = true, $skip: Boolean = false, $id: ID) {
    projects(where: $where, orderBy: $order, limit: $n) { id name @include(if: $with) owner @skip(if: $skip) { name } tasks(limit: $n) { title } }
    other: projects(where: {OR: [$where, {id: {eq: $id}}]}, limit: 2) { id }
  }`;
  const wheres = [undefined, null, {}, { id: null }, { name: { contains: "a" } }, { name: { contains: "%" } }, { name: { in: [] } }, { name: { in: ["a", null] } }, { id: { eq: id.project(1) } }, { id: { eq: null } }, { AND: [] }, { AND: [{ name: { neq: "x" } }, {}] }, { NOT: { name: { isnull: true } } }, { tasks: { some: { title: { startswith: "W" } } } }, { owner: null }, { owner: { name: { eq: "Ada" } } }, { nope: 1 }, "x"];
  const orders = [undefined, null, [], [{ name: "ASC" }], { name: "DESC" }, [{ name: "DESC" }, { id: "ASC" }], [{}], [{ name: "UP" }]];
  const numbers = [undefined, null, 0, 2, -1, "2", 1.5];
  const booleans = [undefined, true, false, null];
  let n = 0;
  for (const where of wheres) {
    for (const order of orders) {
      // A different one of the others each time: all pairs come up.
      n++;
      const variables = { where, order, n: numbers[n % 7], with: booleans[n % 4], skip: booleans[(n >> 1) % 4], id: [undefined, null, id.project(2)][n % 3] };
      await compare(query, { variables, token: tokenFor([ACME, GLOBEX, ZENITH][n % 3]) });
    }
  }
});

test("a fragment, a directive or a comment more is another document", async () => {
  const documents = [
    "{ projects(limit: 1) { id } }", "{ projects(limit: 1) { id } } ", "{ projects(limit: 1) { id } }#", "{ projects(limit: 2) { id } }", "query { projects(limit: 1) { id } }",
    "{ projects(limit: 1) { ...F } } fragment F on Project { id }", "{ projects(limit: 1) { ...F } } fragment F on Project { name }", "{ projects(limit: 1) { id @skip(if: true) name } }",
    '{ projects(where: {name: {eq: "red # blue"}}) { id } }', '{ projects(where: {name: {eq: "red # green"}}) { id } }', '{ projects(where: {name: {eq: "p, q"}}) { id } }', '{ projects(where: {name: {eq: "p,q"}}) { id } }',
  ];
  const before = await counts(kept);
  for (const query of documents) {
    await compare(query);
  }
  const now = await counts(kept);
  assert.equal(now.miss - before.miss, documents.length, "each is compiled once");
  assert.equal(now.hit - before.hit, documents.length);
});
