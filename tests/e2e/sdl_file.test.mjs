// The file of type definitions: what it makes of the schema, and how it is told to be wrong.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { claims, sign } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const OPEN = { tenancy: { enabled: false } };
const database = await createDatabase();
await shared.sql(
  database,
  `create table owners (id bigint primary key, name text not null, "e-mail" text, secret text);
   create table things (id bigint primary key, owner_id bigint not null references owners, maker_id bigint references owners,
                        label text not null, state user_role, kind_no int);
   create view kinds as select 1 as no, 'big' as name union all select 2, 'small';
   insert into owners values (1, 'Ann', 'a@x', 's'), (2, 'Bob', null, 't');
   insert into things values (10, 1, 2, 'ten', 'owner', 1), (11, 1, null, 'eleven', null, 3), (12, 2, 2, 'twelve', 'member', 2);
   comment on table owners is 'People.
@fraiseql:type
name: Proprietor
hide: [name]';
   comment on column things.label is 'From the catalog.
@fraiseql:field name=caption';
   grant select on owners, things, kinds to app_user;
   create function fn_rename_thing(thing bigint, label text) returns things language sql volatile as
     'update things t set label = fn_rename_thing.label where t.id = thing returning t';
   create function fn_other() returns int language sql volatile as 'select 7';
   alter function fn_rename_thing security definer`,
);
const expose = { tables: ["owners", "things"], views: ["kinds"], functions: ["fn_rename_thing", "fn_other"] };
const SDL = `
directive @source(relation: String!, column: String, key: [String!]) on OBJECT
"Who has things."
type Owner @source(relation: "public.owners") {
  id: ID!
  "What to call one."
  fullName: String! @column(name: "name")
  mail: String @column(name: "e-mail") @deprecated(reason: "write letters")
  things: [Thing!]! @relation(on: "owner_id") @cost(weight: 50)
  made: [Thing!]! @relation(on: "id = maker_id")
}
type Thing @source(relation: "things") {
  kind: Kind @relation(on: "kind_no = no")
  id: ID!
  caption: String @cost(weight: 7)
  state: UserRole
  owner: Owner!
  maker: Owner @relation(on: "maker_id")
}
extend type Kind @source(relation: "kinds", key: ["no"]) { name: String! secondName: String @hide }
extend type Query { owners(limit: Int): [Owner!]! @deprecated }
extend type Mutation { "Gives a name." rename: Int @function(name: "public.fn_other") }
enum UserRole { "Has it." owner admin @deprecated member BILLING_CONTACT }
scalar DateTime
schema { query: Query mutation: Mutation }
`;
const file = writeFile("graphql", SDL);
const daemon = await start(database, { ...OPEN, schema: { expose, sdl_file: file }, security: { max_complexity: 200000 } });
after(() => daemon.stop());

const typeOf = (t) => (t.kind === "NON_NULL" ? `${typeOf(t.ofType)}!` : t.kind === "LIST" ? `[${typeOf(t.ofType)}]` : t.name);
async function fields(name) {
  const { __type } = await daemon.data(`{ __type(name: "${name}") { description fields(includeDeprecated: true) {
    name description deprecationReason type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } }`);
  return __type && { ...__type, fields: Object.fromEntries(__type.fields.map((f) => [f.name, { ...f, type: typeOf(f.type) }])) };
}
// Types that are a Node stay one.
const list = (t) => Object.entries(t.fields).filter(([name]) => name !== "nodeId").map(([name, f]) => `${name}: ${f.type}`);

test("a definition lists the fields of its type, over what comments say", async () => {
  const owner = await fields("Owner");
  assert.equal(owner.description, "Who has things.");
  assert.deepEqual(list(owner), ["id: ID!", "fullName: String!", "mail: String", "things: [Thing!]!", "made: [Thing!]!"]);
  assert.equal(owner.fields.fullName.description, "What to call one.");
  assert.equal(owner.fields.mail.deprecationReason, "write letters");
  assert.equal(await fields("Proprietor"), null);
  assert.equal(owner.fields.nodeId.type, "ID!");
  const thing = await fields("Thing");
  assert.deepEqual(list(thing), ["kind: Kind", "id: ID!", "caption: String", "state: UserRole", "owner: Owner!", "maker: Owner"]);
  assert.equal(thing.fields.caption.description, "From the catalog.");
  for (const where of ["secret: {eq: \"s\"}", "label: {eq: \"s\"}", "thingsByMakerId: {some: {id: {eq: 1}}}"]) {
    assert.equal((await daemon.refusal(`{ owners(where: {${where}}) { id } }`)).extensions.code, "GRAPHQL_VALIDATION_FAILED");
  }
});

test("an extension adds to what is there", async () => {
  const kind = await fields("Kind");
  assert.deepEqual(list(kind).slice(0, 2), ["no: ID", "name: String!"]);
  assert.deepEqual(await daemon.data("{ kind(no: 2) { name } kinds { no } }"), { kind: { name: "small" }, kinds: [{ no: "1" }, { no: "2" }] });
  assert.equal((await fields("Query")).fields.owners.deprecationReason, "No longer supported");
  assert.ok((await fields("Query")).fields.things);
});

test("what is declared is what is read", async () => {
  assert.deepEqual(await daemon.data(`{ owners(where: {made: {some: {caption: {startswith: "t"}}}}) { fullName mail things { caption kind { name } maker { fullName } } made { id } } }`), {
    owners: [{ fullName: "Bob", mail: null, things: [{ caption: "twelve", kind: { name: "small" }, maker: { fullName: "Bob" } }], made: [{ id: "10" }, { id: "12" }] }],
  });
  assert.deepEqual(await daemon.data(`{ things(orderBy: [{kind: {name: DESC}}]) { id kind { no } } }`), {
    things: [{ id: "11", kind: null }, { id: "12", kind: { no: "2" } }, { id: "10", kind: { no: "1" } }],
  });
});

test("functions have the names that are declared", async () => {
  assert.deepEqual(await daemon.data("mutation { rename renameThing(input: {thing: 10, label: \"ten\"}) { caption } }"), {
    rename: 7, renameThing: { caption: "ten" } });
  assert.equal((await fields("Mutation")).fields.rename.description, "Gives a name.");
});

test("enums have descriptions", async () => {
  const { __type } = await daemon.data(`{ __type(name: "UserRole") { enumValues(includeDeprecated: true) { name description } } }`);
  assert.equal(__type.enumValues[0].description, "Has it.");
});

test("@cost counts", async () => {
  await daemon.data("{ owners(limit: 100) { things(limit: 1000) { id } } }");
  assert.equal((await daemon.refusal("{ owners(limit: 100) { things(limit: 1000) { caption } } }")).extensions.code, "QUERY_TOO_COMPLEX");
  assert.equal((await daemon.refusal("{ owners(limit: 1000) { things(limit: 190) { id } } }")).extensions.code, "QUERY_TOO_COMPLEX");
});

/** What `check --connect` says of a file. */
async function check(sdl) {
  const path = writeFile("graphql", sdl);
  const config = writeConfiguration(configuration(database, { ...OPEN, schema: { expose, sdl_file: path } }));
  const { code, stdout } = await program(["check", "--connect", "-c", config, "--format", "json"]);
  return { code, errors: JSON.parse(stdout).errors.map((e) => `${e.place.replace(path, "")} ${e.message}`) };
}

test("everything that is wrong is told at once, with file, line and column", async () => {
  const { code, errors } = await check(`type Thing @source(relation: "nothings") { id: ID! }
type Owner @source(relation: "owners") @tenant(column: "tenant") @cache(ttl: -5) {
  id: Int
  name: String! @column(name: "nmae")
  name: String
  mail: String! @column(name: "e-mail")
  foo: String
  things: Thing
  owned: [Kind!]! @relation(on: "id")
  made: [Thing!]! @relation(on: ["id = maker_id", "name"])
  other: [Thing!]! @relation(on: "name = id") @auth(roles: [])
}
type Document { a: Int }
type Kind { no: Int! name: [String] unknown: Int @hide }
extend type Query { things(first: Int, limit: String): [Thing]! nothing: Int more: Int @function(name: "fn_none") }
type Subscription { a: Int }
union U = Thing
enum UserRole { owner nobody }
input ThingWhereInput { id: Int }
directive @foo on FIELD
query { a }
scalar Foo
interface Node2 { id: ID! }
`);
  assert.equal(code, 65);
  assert.deepEqual(errors, [
    ':2:78 must be a number of seconds, at most 604800',
    ':5:3 field "Owner.name" is declared twice',
    ':11:47 an empty list of roles or scopes: leave it out, or hide it',
    ':20:1 unknown directive "@foo"',
    ':21:1 only definitions of types may stand here',
    ':1:30 there is no exposed relation "nothings"',
    ':4:31 table "public.owners" has no column "nmae"',
    ':10:3 some columns have another to meet, and some have none',
    ':15:104 there is no exposed function "fn_none"',
    ':14:29 column "name" of view "public.kinds" is of type String',
    ':2:56 table "public.owners" has no column "tenant"',
    ':3:7 column "id" of table "public.owners" is of type BigInt',
    ':6:3 column "e-mail" of table "public.owners" may be null',
    ':9:33 view "public.kinds" has no column "id"',
    ':11:3 "name" of type text and "id" of type bigint cannot be compared',
    ':7:3 there is nothing that could be "Owner.foo"',
    ':8:3 there is nothing that could be "Owner.things"',
    ':15:28 "Query.things" has no argument "first"',
    ':15:40 argument "limit" of "Query.things" is of type Int',
    ':15:65 there is nothing that could be "Query.nothing"',
    ':13:6 there is nothing that type "Document" could be',
    ':16:6 there is nothing that type "Subscription" could be',
    ':17:7 there is nothing that type "U" could be',
    ':18:23 enum "UserRole" has no value "nobody"',
    ':18:6 enum "UserRole" has the value "admin" as well',
    ':18:6 enum "UserRole" has the value "member" as well',
    ':18:6 enum "UserRole" has the value "BILLING_CONTACT" as well',
    ':19:25 "ThingWhereInput.id" is of type IDFilter',
    ':19:7 input "ThingWhereInput" has more fields',
    ':22:8 there is nothing that type "Foo" could be',
    ':23:11 there is nothing that type "Node2" could be',
  ]);
});

test("each role sees of it what it may use", async () => {
  const other = await createDatabase();
  const role = `r${randomBytes(4).toString("hex")}`;
  await shared.sql(other, `create role ${role}; grant ${role} to fraiseqld;
    create table things (id int primary key, label text, secret text);
    create view kinds as select 1 as no; create function fn_one() returns int language sql volatile as 'select 1';
    insert into things values (1, 'one', 's'); revoke execute on function fn_one() from public; grant execute on function fn_one() to app_user;
    grant select (id, label) on things to app_user; grant select on kinds to app_user; grant select (id, secret) on things to ${role}`);
  const path = writeFile("graphql", `type Thing @source(relation: "things") { id: ID! title: String @column(name: "label") word: String @column(name: "secret")
      kind: Kind @relation(on: "id = no") }
    type Kind @source(relation: "kinds", key: "no") { no: ID! }
    type Query { thing: Thing things: [Thing!]! kinds: [Kind!]! }
    type Mutation { one: Int @function(name: "fn_one") }`);
  const one = await start(other, { ...OPEN, auth: { role_claim: { allowed: [role] } },
    schema: { expose: { tables: ["things"], views: ["kinds"], functions: ["fn_one"] }, sdl_file: path } });
  try {
    const as = { token: sign(claims({ role })) };
    assert.deepEqual(await one.data("{ things { id title kind { no } } }"), { things: [{ id: "1", title: "one", kind: { no: "1" } }] });
    assert.deepEqual(await one.data("{ things { id word } }", as), { things: [{ id: "1", word: "s" }] });
    assert.deepEqual(await one.data("mutation { one }"), { one: 1 });
    for (const [document, options] of [["{ things { word } }", {}], ["{ things { title } }", as], ["{ kinds { no } }", as], ["mutation { one }", as]]) {
      assert.ok((await one.refusal(document, options)).status === 400, document);
    }
  } finally {
    await one.stop();
    await shared.sql(other, `drop owned by ${role}; drop role ${role}`);
  }
});

test("a file that is not GraphQL", async () => {
  assert.deepEqual(await check("type A {\n  b: \n}"), { code: 65, errors: [":3:1 syntax error: expected name, found \"}\""] });
  assert.equal((await check("type A { b: Int } \xff")).code, 65);
  const config = writeConfiguration(configuration(database, { ...OPEN, schema: { expose, sdl_file: "/nowhere/x.graphql" } }));
  const { code, stderr } = await program(["check", "--connect", "-c", config]);
  assert.equal(code, 65);
  assert.match(stderr, /could not read schema.sdl_file "\/nowhere\/x.graphql": No such file/);
});

test("SIGHUP reads the file again; while it is wrong, the old schema stays", async () => {
  const path = writeFile("graphql", `extend type Thing { label: String }`.replace("label", "caption"));
  const one = await start(database, { ...OPEN, schema: { expose, sdl_file: path } });
  try {
    await one.data("{ things { caption } }");
    writeFileSync(path, "extend type Thing { id: ID! @column(name: \"idd\") }");
    one.signal("SIGHUP");
    const [line] = await within(5000, "it is refused", () => one.logged("could not load the schema").length > 0 && one.logged("could not load the schema"));
    assert.deepEqual([line.place, line.error], [`${path}:1:43`, `table "public.things" has no column "idd"`]);
    await one.data("{ things { caption } }");
    writeFileSync(path, "extend type Thing { title: String! @column(name: \"label\") }");
    one.signal("SIGHUP");
    await within(5000, "it is loaded", async () => (await one.post("{ things { title } }")).body.errors === undefined);
    one.signal("SIGHUP");
    await within(5000, "it is unchanged", () => one.logged("schema unchanged").length > 0);
  } finally {
    await one.stop();
  }
});
