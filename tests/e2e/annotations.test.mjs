// What comments on objects make of the schema, and how they are told to be wrong.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "./support/token.mjs";

const OPEN = { tenancy: { enabled: false } };
const database = await createDatabase();
await shared.sql(
  database,
  `create table tb_machine (pk_machine bigint generated always as identity primary key, id uuid not null unique,
     identifier text not null unique, fk_site bigint not null, "odd ""name" text, secret text, tenant_id uuid not null,
     old_code text);
   create table tb_site (pk_site bigint primary key, id uuid not null unique, name text);
   alter table tb_machine add foreign key (fk_site) references tb_site;
   insert into tb_site values (1, '00000000-0000-4000-8000-0000000000a1', 'North'), (2, '00000000-0000-4000-8000-0000000000a2', null);
   insert into tb_machine (id, identifier, fk_site, "odd ""name", secret, tenant_id, old_code) values
     ('00000000-0000-4000-8000-0000000000b1', 'press', 1, 'p', 's1', '${ACME}', 'o1'),
     ('00000000-0000-4000-8000-0000000000b2', 'lathe', 1, null, 's2', '${ACME}', null),
     ('00000000-0000-4000-8000-0000000000b3', 'mill', 2, 'm', 's3', '${GLOBEX}', 'o3');
   create view v_machine as select * from tb_machine;
   create view v_site as select * from tb_site;
   comment on view v_machine is 'What makes things.
@fraiseql:type
name: Device
trinity: true              # bool, default false
use_projection: false      # bool
description: A thing that makes things
hide: [secret]
filters: {identifier: eq}';
   comment on column v_machine."odd ""name" is 'Its label.
@fraiseql:field name=label,type=String';
   comment on column v_machine.old_code is '@fraiseql:field
name: code
deprecated: use identifier';
   comment on view v_site is '@fraiseql:type {trinity: true}';

   -- Nothing of these is known to the catalog: no key, no foreign key.
   create view v_reading as
     select x.* from (values (1, 10, 1.5::numeric, 'a'::text), (2, 10, 2.5, 'b'), (3, 20, null, 'c')) x (no, device, value, note);
   comment on view v_reading is '@fraiseql:type
key: [no]
expose_fields: [no, device, value]
relations:
- {name: gauge, to: v_gauge, columns: [device], references: [number], list: false, description: What it was read from}
- {to: Gauge, columns: [device], references: [number], list: true, name: gaugeList}';
   create view v_gauge as select x.* from (values (10::bigint, 'thermometer'::text), (30, 'barometer')) x (number, name);
   comment on view v_gauge is '@fraiseql:type
key: number
@fraiseql:relation
name: readings
to: Reading
columns: [number]
references: [device]';
   comment on column v_reading.device is '@fraiseql:relation {name: meter, to: Gauge}';
   create type mood as enum ('happy', 'sad');
   comment on type mood is 'How one is.
@fraiseql:type {name: Humour}';
   create view v_person as select 1 as id, 'sad'::mood as mood, 'x'::text as "select";
   comment on column v_person.id is '@fraiseql:field type=ID,required=true';
   comment on column v_person."select" is '@fraiseql:field {type: String!, hide: false, required: true}';
   grant select on v_machine, v_site, v_reading, v_gauge, v_person to app_user`,
);
const views = ["v_machine", "v_site", "v_reading", "v_gauge", "v_person"];
const daemon = await start(database, { ...OPEN, schema: { expose: { views, functions: [] } } });
after(() => daemon.stop());

const typeOf = (t) => (t.kind === "NON_NULL" ? `${typeOf(t.ofType)}!` : t.kind === "LIST" ? `[${typeOf(t.ofType)}]` : t.name);
async function fields(name) {
  const { __type } = await daemon.data(`{ __type(name: "${name}") { description fields(includeDeprecated: true) {
    name description deprecationReason type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } }`);
  return __type && { ...__type, fields: Object.fromEntries(__type.fields.map((f) => [f.name, { ...f, type: typeOf(f.type) }])) };
}
const columns = (t) => Object.entries(t.fields).filter(([name]) => name !== "nodeId").map(([name, f]) => `${name}: ${f.type}`);

test("a type's name, description and hidden columns", async () => {
  const device = await fields("Device");
  assert.equal(device.description, "A thing that makes things");
  assert.deepEqual(columns(device).filter((c) => !/Connection|Aggregate/.test(c)), [
    "id: ID!", "identifier: String!", "label: String", "tenantId: UUID!", "code: String", "site: Site!"]);
  assert.equal(device.fields.label.description, "Its label.");
  assert.equal(device.fields.code.deprecationReason, "use identifier");
  assert.equal(await fields("Machine"), null);
  for (const name of ["secret", "pkMachine", "fkSite"]) {
    for (const document of [`{ devices { ${name} } }`, `{ devices(where: {${name}: {isnull: true}}) { id } }`,
      `{ devices(orderBy: [{${name}: ASC}]) { id } }`, `{ deviceByPkMachine(pkMachine: 1) { id } }`]) {
      assert.equal((await daemon.refusal(document)).extensions.code, "GRAPHQL_VALIDATION_FAILED", document);
    }
  }
});

test("trinity: id is the key, relations go by the hidden columns", async () => {
  const b1 = "00000000-0000-4000-8000-0000000000b1";
  assert.deepEqual(await daemon.data(`{ device(id: "${b1}") { identifier label site { name devices(orderBy: [{identifier: ASC}]) { identifier } } }
      deviceByIdentifier(identifier: "mill") { label }
      devices(where: {site: {name: {eq: "North"}}}, orderBy: [{site: {name: ASC}}, {id: DESC}], limit: 2, offset: 0) { id site { name } } }`), {
    device: { identifier: "press", label: "p", site: { name: "North", devices: [{ identifier: "lathe" }, { identifier: "press" }] } },
    deviceByIdentifier: { label: "m" },
    devices: [{ id: "00000000-0000-4000-8000-0000000000b2", site: { name: "North" } }, { id: b1, site: { name: "North" } }],
  });
  const pages = [0, 1, 2].map((offset) => daemon.data(`{ devices(limit: 1, offset: ${offset}) { id } }`));
  assert.deepEqual((await Promise.all(pages)).map((p) => p.devices[0].id.slice(-2)), ["b1", "b2", "b3"]);
});

test("a declared key makes a view one whose rows can be asked for", async () => {
  assert.deepEqual(columns(await fields("Reading")).slice(0, 3), ["no: ID", "device: ID", "value: Decimal"]);
  assert.deepEqual(await daemon.data(`{ reading(no: 2) { no value } readings(orderBy: [{device: DESC}]) { no } }`), {
    reading: { no: "2", value: "2.5" },
    readings: [{ no: "3" }, { no: "1" }, { no: "2" }],
  });
});

test("declared relations lead from where to where they say", async () => {
  const reading = await fields("Reading");
  assert.deepEqual(["gauge", "gaugeList", "meter"].map((f) => reading.fields[f].type), ["Gauge", "[Gauge!]!", "Gauge"]);
  assert.equal(reading.fields.gauge.description, "What it was read from");
  assert.deepEqual(await daemon.data(`{ readings { no gauge { name } gaugeList { name } }
      gauges(where: {readings: {some: {value: {gt: "2"}}}}) { name readings(orderBy: [{no: DESC}]) { no } } }`), {
    readings: [
      { no: "1", gauge: { name: "thermometer" }, gaugeList: [{ name: "thermometer" }] },
      { no: "2", gauge: { name: "thermometer" }, gaugeList: [{ name: "thermometer" }] },
      { no: "3", gauge: null, gaugeList: [] },
    ],
    gauges: [{ name: "thermometer", readings: [{ no: "2" }, { no: "1" }] }],
  });
});

test("types of the database and types of columns", async () => {
  assert.deepEqual(columns(await fields("Person")), ["id: ID!", "mood: Humour", "select: String!"]);
  assert.deepEqual(await daemon.data("{ persons: people { id mood select } }"), { persons: [{ id: "1", mood: "sad", select: "x" }] });
  assert.equal((await daemon.data(`{ __type(name: "Humour") { description } }`)).__type.description, "How one is.");
});

/** What `check --connect` says of a database in which these statements were run. */
async function check(statements, more = {}) {
  const other = await createDatabase();
  await shared.sql(other, statements);
  const file = writeConfiguration(configuration(other, { ...OPEN, schema: { expose: { views: ["v_a", "v_b", "v_c"], functions: [] } }, ...more }));
  const { code, stdout } = await program(["check", "--connect", "-c", file, "--format", "json"]);
  return { code, errors: JSON.parse(stdout).errors };
}

test("everything that is wrong is told at once, with the object and the line", async () => {
  const { code, errors } = await check(`create view v_a as select 1 as id, 2 as other, 'x'::text as note, now() as at;
    create table t (id int primary key, maybe int, "it's" text);
    create view v_b as select * from t;
    create view v_c as select 1 as a, 2 as b;
    grant select on v_a, v_b, v_c to app_user;
    comment on view v_a is 'A.
@fraiseql:type
key: [id, ider]
hide: [nowhere]
relations:
- {name: b, to: Nothing, columns: [id]}
- {name: c, to: V_c, columns: [id, other]}
- {name: d, to: B, columns: [note]}
- {name: other, to: B, columns: [id]}
- {name: e, to: C, columns: [id]}
tenant_column: tenant';
    comment on column v_a.note is '@fraiseql:field type=Int';
    comment on column v_a.other is '@fraiseql:field {enum: true, color: red}';
    comment on column v_b."it's" is '@fraiseql:field name=id';
    comment on column t.maybe is '@fraiseql:fields';
    comment on view v_c is '@fraiseql:type
	key: a'`);
  assert.equal(code, 65);
  assert.deepEqual(errors.map((e) => `${e.place}: ${e.message}`).sort(), [
    'comment on column "it\'s" of view "public.v_b":1:1: columns "id" and "it\'s" of view "public.v_b" would both be the field "id"',
    'comment on column "maybe" of table "public.t":1:1: @fraiseql:fields is not an annotation of such an object',
    'comment on column "note" of view "public.v_a":1:1: column "note" of view "public.v_a" is of type String',
    'comment on column "other" of view "public.v_a":1:1: column "other" of view "public.v_a" is no enum',
    'comment on column "other" of view "public.v_a":1:30: unknown key "color" of @fraiseql:field',
    'comment on view "public.v_a":10:3: "C" has no key of 1 column: columns of both have to be named',
    'comment on view "public.v_a":11:16: view "public.v_a" has no column "tenant"',
    'comment on view "public.v_a":3:11: view "public.v_a" has no column "ider"',
    'comment on view "public.v_a":4:8: view "public.v_a" has no column "nowhere"',
    'comment on view "public.v_a":6:17: there is no type or exposed relation "Nothing"',
    'comment on view "public.v_a":7:17: there is no type or exposed relation "V_c"',
    'comment on view "public.v_a":8:3: "note" of type text and "id" of type integer cannot be compared',
    'comment on view "public.v_a":9:10: type "A" would have two fields named "other"',
    'comment on view "public.v_c":2:1: not valid YAML: found character that cannot start any token while scanning for the next token',
  ]);
});

test("a table's nullable column cannot be declared not to be null", async () => {
  const { errors } = await check(`create table v_a (id int primary key, maybe int); grant select on v_a to app_user;
    comment on column v_a.maybe is '@fraiseql:field type=Int!'`, { schema: { expose: { tables: ["v_a"], views: [], functions: [] } } });
  assert.deepEqual(errors.map((e) => e.message), [`column "maybe" of table "public.v_a" may be null`]);
});

test("a function is where its annotation says, unless that would let a query change something", async () => {
  const functions = `create view v_a as select 1 as id; grant select on v_a to app_user;
    create function fn_one() returns int language sql stable as 'select 1';
    comment on function fn_one is E'@fraiseql:mutation\nname: theOne\ndescription: Just one';
    create function fn_two() returns int language sql volatile as 'select 2';`;
  const other = await createDatabase();
  await shared.sql(other, functions);
  const one = await start(other, { ...OPEN, schema: { expose: { views: ["v_a"], functions: ["fn_one", "fn_two"] } } });
  try {
    assert.deepEqual(await one.data("mutation { theOne two }"), { theOne: 1, two: 2 });
    const { __type } = await one.data(`{ __type(name: "Mutation") { fields { name description } } }`);
    assert.equal(__type.fields.find((f) => f.name === "theOne").description, "Just one");
  } finally {
    await one.stop();
  }
  const { code, errors } = await check(`${functions} comment on function fn_two is '@fraiseql:query'`, {
    schema: { expose: { views: ["v_a"], functions: ["fn_one", "fn_two"] } } });
  assert.equal(code, 65);
  assert.match(errors[0].message, /^function "public.fn_two" is volatile/);
});

test("the schema from before stays when a comment is wrong, and the log says where", async () => {
  const other = await createDatabase();
  await shared.sql(other, "create view v_a as select 1 as id, 2 as b; grant select on v_a to app_user");
  const one = await start(other, { ...OPEN, schema: { expose: { views: ["v_a"], functions: [] } } });
  try {
    await shared.sql(other, "comment on view v_a is '@fraiseql:type\nnmae: X'");
    one.signal("SIGHUP");
    const { within } = await import("./support/wait.mjs");
    const [line] = await within(5000, "it is refused", () => one.logged("could not load the schema").length > 0 && one.logged("could not load the schema"));
    assert.deepEqual([line.place, line.error], [`comment on view "public.v_a":2:1`, `unknown key "nmae" of @fraiseql:type`]);
    assert.deepEqual(await one.data("{ as { id b } }"), { as: [{ id: 1, b: 2 }] });
    await shared.sql(other, "comment on view v_a is '@fraiseql:type\nname: Thing'");
    one.signal("SIGHUP");
    await within(5000, "it is loaded", async () => (await one.post("{ things { id } }")).body.errors === undefined);
  } finally {
    await one.stop();
  }
});
