// schema print --from-db: the file that makes the same schema of the same database.

import assert from "node:assert/strict";
import { test } from "node:test";
import { configuration, program, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

const OPEN = { tenancy: { enabled: false } };

async function print(config, args = []) {
  const { code, stdout, stderr } = await program(["schema", "print", "-c", writeConfiguration(config), ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Prints the file, and holds the schema made with it against the one made without. */
async function roundTrip(config) {
  const file = await print(config, ["--from-db"]);
  const path = writeFile("graphql", file);
  const withFile = { ...config, schema: { ...config.schema, sdl_file: path } };
  for (const args of [[], ["--format", "json"], ["--from-db"]]) {
    assert.equal(await print(withFile, args), await print(config, args));
  }
  return file;
}

test("the demo's file makes the demo's schema", async () => {
  const database = await createDatabase();
  const file = await roundTrip(configuration(database, OPEN));
  assert.match(file, /^type Project @source\(relation: "public.v_project"\) \{$/m);
  assert.match(file, /^ {2}owner: User @relation\(on: "owner_id"\)$/m);
  assert.match(file, /^ {2}createTask: \w+ @function\(name: "public.fn_create_task"\)$/m);
  assert.match(file, /^enum UserRole \{$/m);
});

test("a file with mutations of rows makes them again", async () => {
  const database = await createDatabase();
  await shared.sql(database, "grant insert, update, delete on v_project, v_task, projects, tasks to app_user");
  const config = configuration(database, { ...OPEN, schema: { mutations: { crud: true } } });
  assert.match(await print(config), /^ {2}insertProjects\($[^]*?^ {2}\): ProjectMutationPayload!$/m);
  await roundTrip(config);
});

test("names that are no names, relations of every kind, comments, changes, composites", async () => {
  const database = await createDatabase();
  await shared.sql(
    database,
    String.raw`create type "odd type" as ("a b" int, "Ünï" text, mood user_role);
    create table "Weird ""Table" ("id" int primary key, "select" text, "a = b" int unique, " spaced " int, "Ünï_cöde" text not null,
      "x"".y" int[], "type" text, value "odd type", "values" "odd type"[], r user_role, "dotted.name" int);
    create table "dot.ted" (id int primary key, weird int not null references "Weird ""Table", weird2 int references "Weird ""Table" ("a = b"),
      pair1 int, pair2 int, unique (pair1, pair2));
    create table pairs (no int primary key, p1 int, p2 int, foreign key (p1, p2) references "dot.ted" (pair1, pair2), self int references pairs);
    create table one (pair_no int primary key references pairs, note text);
    create table many (a int references pairs, b int references one, primary key (a, b));
    create view v_keyless as select 1 as a, 2 as b;
    comment on view v_keyless is '@fraiseql:type {key: [a], hide: [b]}';
    comment on table pairs is E'Quotes """ and \\ and "x"\n\n  indented\n@deprecated not any more\n@fraiseql:type\nname: Couple\nrelations:\n- {name: twin, to: Couple, columns: [p1, p2], references: [p2, p1]}\n- {name: twins, to: Couple, columns: [p1], references: [p1], list: true}';
    comment on column pairs.self is '@fraiseql:field {name: selfId, deprecated: "a \"b\""}';
    comment on column one.note is '"""';
    comment on column pairs.p2 is '@fraiseql:field hide=true';
    comment on column one.pair_no is '@fraiseql:relation {name: couple2, to: Couple}';
    create function "fn_dot.ted"(x int default 1) returns int language sql volatile as 'select 1';
    create function fn_make(a int, b text default 'x') returns pairs language sql volatile as 'select null::pairs';
    comment on function fn_make is E'Makes.\n@fraiseql:mutation\nname: build\ndeprecated: later';
    grant select, insert, update, delete on all tables in schema public to app_user`,
  );
  const expose = { views: ["v_*"], tables: ["Weird*", "dot.ted", "pairs", "one", "many"] };
  const config = configuration(database, { ...OPEN, schema: { expose, mutations: { crud: true } } });
  const file = await roundTrip(config);
  assert.match(file, /^type WeirdTable @source\(relation: "public.Weird \\"Table"\)/m);
  assert.match(file, /^type DotTed @source\(relation: "public.dot.ted"\)/m);
  assert.match(file, /^ {2}dotTed: DotTed @relation\(on: \["p1 = pair1", "p2 = pair2"\]\)$/m);
  assert.match(file, /^ {2}couple2: Couple! @relation\(on: "pair_no"\)$/m);
  assert.match(file, /^ {2}selfId: ID @column\(name: "self"\) @deprecated\(reason: "a \\"b\\""\)$/m);
  assert.match(file, /^ {2}build: Couple @function\(name: "public.fn_make"\) @deprecated\(reason: "later"\)$/m);
  assert.match(file, /^type OddType \{$/m);
  assert.match(file, /^type Keyless @source\(relation: "public.v_keyless", key: \["a"\]\) \{$/m);
});

test("wrong uses", async () => {
  for (const args of [["print", "--from-db", "extra"], ["what"], []]) {
    assert.equal((await program(["schema", ...args])).code, 64);
  }
});
