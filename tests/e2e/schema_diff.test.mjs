// schema diff: the reference implementation's verdict, and what goes in and comes out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSchema, findBreakingChanges, findDangerousChanges, introspectionFromSchema } from "graphql";
import { configuration, program, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

const OPEN = { tenancy: { enabled: false } };

async function diff(...args) {
  const { code, stdout, stderr } = await program(["schema", "diff", "--format", "json", ...args]);
  assert.ok(code === 0 || code === 1, stderr);
  const changes = JSON.parse(stdout);
  assert.equal(code, changes.breaking.length > 0 ? 1 : 0);
  return changes;
}

/** Numbers from 0 to below n, the same in every run. */
function numbers(seed) {
  return (n) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((seed / 0x80000000) * n);
  };
}

/** A schema of few names, so that two of them have much in common. */
function randomSchema(random) {
  const pick = (list) => list[random(list.length)];
  const some = (list, of = 4) => list.filter(() => random(of) > 0);
  const kinds = Object.fromEntries(some(["A", "B", "C", "D", "E", "F", "G", "H"], 8).map((name, i) =>
    [name, random(12) === 0 ? pick(["type", "enum", "input", "interface", "union", "scalar"]) : ["type", "type", "enum", "input", "interface", "union", "scalar", "input"]["ABCDEFGH".indexOf(name)]]));
  const of = (...wanted) => Object.keys(kinds).filter((name) => wanted.includes(kinds[name]));
  const wrap = (name) => pick([name, name, `${name}!`, `[${name}]`, `[${name}!]!`, `[[${name}]!]`]);
  const output = () => wrap(pick(["Int", "String", "ID", "Float", ...of("type", "enum", "interface", "union", "scalar")]));
  const input = () => pick([...["", "", " = null"].map((d) => wrap(pick(["Int", ...of("enum", "input", "scalar")])) + d),
    `Int = ${random(3)}`, `Float = ${pick(["1", "1.0", "2e0"])}`, `[Int!] = [1, ${random(2)}]`, 'String = "a"', "Boolean = true"].map((t) => t.replace("! = null", "")));
  const inputs = (names) => some(names).map((name) => `${name}: ${input()}`).join(" ");
  const fields = () => ["id", "f0", "f1", "f2", "f3"].filter((name) => name === "id" || random(5) > 0)
    .map((name) => `${name}${name !== "id" && random(2) ? `(first: Int ${inputs(["a0", "a1"])})` : ""}: ${name === "id" ? "ID" : output()}`).join(" ");
  const define = {
    type: (name) => `type ${name} ${of("interface").length && random(2) ? `implements ${pick(of("interface"))}` : ""} { ${fields()} }`,
    interface: (name) => `interface ${name} { ${fields()} }`,
    enum: (name) => `enum ${name} { X ${some(["Y", "Z", "W"]).join(" ")} }`,
    input: (name) => `input ${name} { i: Int ${inputs(["i0", "i1", "i2"])} }`,
    union: (name) => `union ${name} = Query ${some(of("type")).map((t) => `| ${t}`).join(" ")}`,
    scalar: (name) => `scalar ${name}`,
  };
  return [
    `type Query { ${fields()} }`,
    ...Object.entries(kinds).map(([name, kind]) => define[kind](name)),
    ...some(["d0", "d1"]).map((name) => `directive @${name}(a: Int ${inputs(["b", "c"])})${random(2) ? " repeatable" : ""} on FIELD ${some(["QUERY", "OBJECT"]).map((p) => `| ${p}`).join(" ")}`),
  ].join("\n");
}

const key = (change) => `${change.type}: ${change.type === "ARG_DEFAULT_VALUE_CHANGE" ? change.description.replace(/2e0/g, "2").replace(/1\.0/g, "1").replace(/[ ,]/g, "") : change.description}`;
const keys = (changes) => changes.map(key).sort();

test("what breaks and what is dangerous is what graphql-js says, for many schemas", async () => {
  let total = 0;
  for (let i = 0; i < 60; i++) {
    const random = numbers(i + 1);
    const [before, after] = [randomSchema(random), randomSchema(random)];
    const build = (text) => buildSchema(text, { assumeValid: true, assumeValidSDL: true });
    const changes = await diff(writeFile("graphql", before), writeFile("graphql", after));
    const breaking = findBreakingChanges(build(before), build(after));
    assert.deepEqual(keys(changes.breaking), keys(breaking), `${before}\n---\n${after}`);
    assert.deepEqual(keys(changes.dangerous), keys(findDangerousChanges(build(before), build(after))), `${before}\n---\n${after}`);
    total += breaking.length;
  }
  assert.ok(total > 500, String(total));
});

test("the answer to an introspection query says the same as definitions do", async () => {
  for (let i = 0; i < 20; i++) {
    const random = numbers(i + 1000);
    const [before, after] = [randomSchema(random), randomSchema(random)];
    const json = (text) => introspectionFromSchema(buildSchema(text, { assumeValid: true }), { inputValueDeprecation: true, directiveIsRepeatable: true });
    const [a, b] = [writeFile("json", JSON.stringify(json(before))), writeFile("json", JSON.stringify({ data: json(after) }))];
    const expected = await diff(writeFile("graphql", before), writeFile("graphql", after));
    const got = await diff(a, b);
    for (const severity of ["breaking", "dangerous", "safe"]) {
      assert.deepEqual(keys(got[severity]), keys(expected[severity]));
    }
  }
});

test("extensions count, deprecation is safe, and the text has a line for each change", async () => {
  const old = writeFile("graphql", "type Query { a: Int b: String } enum E { X Y }");
  const now = writeFile("graphql", `type Query { a: Int! } extend type Query { c: E b: String @deprecated } enum E { X } extend enum E { Z }`);
  const { code, stdout } = await program(["schema", "diff", old, now]);
  assert.equal(code, 1);
  assert.equal(stdout, `breaking   Y was removed from enum type E.
dangerous  Z was added to enum type E.
safe       Query.a changed type from Int to Int!.
safe       Query.b is now deprecated.
safe       Query.c was added.
`);
  const { code: same, stdout: nothing } = await program(["schema", "diff", old, "-"], { input: "enum E { X Y } type Query { b: String a: Int }" });
  assert.deepEqual([same, nothing], [0, ""]);
});

test("a database against what it printed before", async () => {
  const database = await createDatabase();
  const config = writeConfiguration(configuration(database, OPEN));
  const files = [];
  for (const format of ["sdl", "json"]) {
    const { stdout } = await program(["schema", "print", "-c", config, "--format", format]);
    files.push(writeFile(format, stdout));
  }
  for (const file of files) {
    assert.deepEqual(await diff("-c", config, file), { breaking: [], dangerous: [], safe: [] });
  }
  await shared.sql(database, "create view v_more as select 1 as id; grant select on v_more to app_user; drop view v_comment cascade");
  for (const file of files) {
    const changes = await diff("-c", config, file);
    assert.ok(changes.breaking.some((c) => c.type === "TYPE_REMOVED" && c.description === "Comment was removed."));
    assert.ok(changes.safe.some((c) => c.type === "TYPE_ADDED" && c.description === "More was added."));
  }
});

test("files that are no schemas", async () => {
  const good = writeFile("graphql", "type Query { a: Int }");
  for (const [text, message] of [["type A {", /:1:9: syntax error/], ["{}", /not an answer to an introspection query/], ['{"data":{"__schema":{"types":[{"kind":"OBJECT","name":"A B","fields":[]}]}}}', /syntax error/],
    ["{", /:1:1: /], ['{"__schema":{"types":7}}', /not an answer/]]) {
    const { code, stderr } = await program(["schema", "diff", writeFile("x", text), good]);
    assert.equal(code, 65, stderr);
    assert.match(stderr, message);
  }
  assert.equal((await program(["schema", "diff", "/nowhere/x", good])).code, 66);
  for (const args of [["diff"], ["diff", good, good, good], ["diff", "--format", "sdl", good, good], ["diff", "--from-db", good, good], ["print", "--format", "text"]]) {
    assert.equal((await program(["schema", ...args])).code, 64);
  }
});
