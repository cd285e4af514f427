// Functions with one jsonb argument whose members a composite type declares.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create schema app;
   grant usage on schema app to app_user;
   create type app.mood as enum ('fine', 'so so');
   create type app.place as (city_name text, "Zip ""Code" int);
   create domain app.stars as int check (value between 1 and 5);
   create type app.type_contact_input as (first_name text, born date, salary numeric, big bigint, ratio float8, vip boolean, mood app.mood,
     moods app.mood[], home_place app.place, other_places app.place[], tags text[], extra jsonb, "odd ""key" text, dns_1_ip inet, rank app.stars,
     matrix int[], id uuid, secret text);
   comment on column app.type_contact_input.first_name is '@fraiseql:field name=firstName,type=String!,required=true,description=What they are called.';
   comment on column app.type_contact_input.id is '@fraiseql:field name=contactId,type=ID';
   comment on column app.type_contact_input.secret is '@fraiseql:field name=secret,hide=true';
   create function public.fn_create_contact(auth_tenant_id uuid, who uuid, input_payload jsonb) returns jsonb language sql volatile
     as $$ select jsonb_build_object('tenant', auth_tenant_id, 'who', who, 'input', input_payload, 'null', input_payload is null) $$;
   comment on function public.fn_create_contact is 'Adds somebody.
@fraiseql:mutation
name: createContact
success_type: Contact
error_type: ContactError
input_type: app.type_contact_input
context_params: {tenant_id: auth_tenant_id, user_id: who}';
   create type public.type_save_note_input as (note_text text, parent app.place);
   create function public.fn_save_note(payload jsonb default '{"by": "default"}') returns jsonb language sql volatile as 'select payload';
   create function public.fn_any_json(payload jsonb) returns jsonb language sql volatile as 'select payload';
   create function public.fn_two(a jsonb, b jsonb default null) returns jsonb language sql volatile as 'select a';
   create type public.type_two_input as (x int);`,
);
const daemon = await start(database);
after(() => daemon.stop());

const create = `mutation ($input: CreateContactInput!) { createContact(input: $input) }`;
const given = async (input) => (await daemon.data(create, { variables: { input } })).createContact;

test("members have the names of the database at every level, and the values that were given", async () => {
  const input = {
    firstName: "Ada",
    born: "1815-12-10",
    salary: "12.50",
    big: "9007199254740993",
    ratio: 0.5,
    vip: false,
    mood: "SO_SO",
    moods: ["fine", null, "SO_SO"],
    homePlace: { cityName: "Ulm", zipCode: 89073 },
    otherPlaces: [{ cityName: null }, null, {}],
    tags: ["a", null, 'q"\\'],
    extra: { firstName: [1, { camelCase: null }] },
    oddKey: "x",
    dns1Ip: "10.0.0.1/8",
    rank: 9,
    matrix: [1, 2],
    contactId: "not checked here",
  };
  assert.deepEqual(await given(input), {
    tenant: ACME,
    who: ADA,
    null: false,
    input: {
      first_name: "Ada",
      born: "1815-12-10",
      salary: "12.50",
      big: "9007199254740993",
      ratio: 0.5,
      vip: false,
      mood: "so so",
      moods: ["fine", null, "so so"],
      home_place: { city_name: "Ulm", 'Zip "Code': 89073 },
      other_places: [{ city_name: null }, null, {}],
      tags: ["a", null, 'q"\\'],
      extra: { firstName: [1, { camelCase: null }] },
      'odd "key': "x",
      dns_1_ip: "10.0.0.1/8",
      rank: 9,
      matrix: [1, 2],
      id: "not checked here",
    },
  });
});

test("what is absent is absent, what is null is null", async () => {
  assert.deepEqual((await given({ firstName: "A" })).input, { first_name: "A" });
  assert.deepEqual((await given({ firstName: "A", born: null, homePlace: null, tags: null, extra: null, vip: null, mood: null })).input, {
    first_name: "A",
    born: null,
    home_place: null,
    tags: null,
    extra: null,
    vip: null,
    mood: null,
  });
});

test("literals and variables within them are the same", async () => {
  const query = `mutation ($name: String!, $born: Date, $tags: [String], $vip: Boolean, $mood: Mood, $place: PlaceInput, $city: String, $extra: JSON) {
    a: createContact(input: {firstName: $name, born: $born, tags: $tags, vip: $vip, mood: $mood, homePlace: $place, extra: {x: $extra, y: [$city]}
      otherPlaces: [{cityName: $city}, $place]})
    b: createContact(input: {firstName: "lit", tags: "one", moods: [SO_SO], mood: fine, matrix: 3, big: 1234567890123, salary: 1.10, ratio: 2, homePlace: {cityName: null}})
  }`;
  const none = await daemon.data(query, { variables: { name: "n" } });
  assert.deepEqual(none.a.input, { first_name: "n", extra: { y: [null] }, other_places: [{}, null] });
  assert.deepEqual(none.b.input, {
    first_name: "lit", tags: ["one"], moods: ["so so"], mood: "fine", matrix: [3], ratio: 2, salary: 1.1, home_place: { city_name: null },
    big: 1234567890123,
  });
  const all = await daemon.data(query, {
    variables: { name: "n", born: "2000-01-01", tags: ["t"], vip: true, mood: "SO_SO", place: { zipCode: 1 }, city: "C", extra: [{ k: 1.50 }] },
  });
  assert.deepEqual(all.a.input, {
    first_name: "n", born: "2000-01-01", tags: ["t"], vip: true, mood: "so so", home_place: { 'Zip "Code': 1 }, extra: { x: [{ k: 1.5 }], y: ["C"] },
    other_places: [{ city_name: "C" }, { 'Zip "Code': 1 }],
  });
});

test("numbers keep their digits", async () => {
  const { text } = await daemon.post(`mutation { createContact(input: {firstName: "x", salary: 1.10, big: 9223372036854775807, extra: {n: 1.000000000000000000001}}) }`);
  assert.match(text, /"salary": 1\.10[,}]/);
  assert.match(text, /"big": 9223372036854775807[,}]/);
  assert.match(text, /"n": 1\.000000000000000000001[,}]/);
});

test("what does not fit its type is refused before it reaches the database", async () => {
  for (const input of [{}, { firstName: null }, { firstName: 1 }, { firstName: "A", unknown: 1 }, { firstName: "A", secret: "s" }, { firstName: "A", first_name: "B" },
    { firstName: "A", mood: "so so" }, { firstName: "A", moods: [["fine"]] }, { firstName: "A", homePlace: "Ulm" }, { firstName: "A", homePlace: { city_name: "x" } },
    { firstName: "A", vip: "yes" }, { firstName: "A", ratio: "x" }, { firstName: "A", matrix: ["1"] }, { firstName: "A", otherPlaces: [[{}]] },
    [], "x", null]) {
    const error = await daemon.refusal(create, { variables: { input } });
    assert.equal(error.extensions.code, "BAD_USER_INPUT", JSON.stringify(input));
  }
  for (const literal of ["{}", "{firstName: null}", '{firstName: "A", mood: "fine"}', '{firstName: "A", secret: "s"}', '{firstName: "A", homePlace: {zip: 1}}']) {
    const error = await daemon.refusal(`mutation { createContact(input: ${literal}) }`);
    assert.equal(error.extensions.code, "GRAPHQL_VALIDATION_FAILED", literal);
  }
});

test("large documents and many shapes", async () => {
  const tags = Array.from({ length: 900 }, (_, i) => `tag ${i} ${"ü".repeat(100)}`);
  assert.deepEqual((await given({ firstName: "A", tags })).input.tags, tags);
  const names = ["born", "salary", "vip", "tags", "extra", "homePlace"];
  for (let bits = 0; bits < 64; bits++) {
    const chosen = names.filter((_, i) => bits & (1 << i));
    const { input } = await given({ firstName: "A", ...Object.fromEntries(chosen.map((name) => [name, null])) });
    assert.equal(Object.keys(input).length, 1 + chosen.length);
  }
});

test("the convention names the type, the argument's default holds when there is no input", async () => {
  assert.deepEqual(await daemon.data(`mutation { saveNote(input: {noteText: "n", parent: {cityName: "C"}}) }`), {
    saveNote: { note_text: "n", parent: { city_name: "C" } },
  });
  assert.deepEqual(await daemon.data(`mutation { saveNote }`), { saveNote: { by: "default" } });
  assert.deepEqual(await daemon.data(`mutation { saveNote(input: null) }`), { saveNote: null });
  assert.deepEqual(await daemon.data(`mutation ($i: SaveNoteInput) { saveNote(input: $i) }`), { saveNote: { by: "default" } });
  assert.deepEqual(await daemon.data(`mutation ($i: SaveNoteInput) { saveNote(input: $i) }`, { variables: { i: {} } }), { saveNote: {} });
});

test("without a declared type, or with other arguments, a jsonb argument is JSON", async () => {
  assert.deepEqual(await daemon.data(`mutation { anyJson(input: {payload: {a: [1]}}) two(input: {a: {x: 1}}) }`), { anyJson: { a: [1] }, two: { x: 1 } });
});

test("the schema has the fields, with what their comments say", async () => {
  const { input, nested, __schema } = await daemon.data(`{
    input: __type(name: "CreateContactInput") { inputFields { name description type { kind name ofType { kind name } } } }
    nested: __type(name: "PlaceInput") { inputFields { name } }
    __schema { mutationType { fields { name description args { name type { kind ofType { name } } } } } } }`);
  const fields = Object.fromEntries(input.inputFields.map((f) => [f.name, f]));
  assert.deepEqual(Object.keys(fields), ["firstName", "born", "salary", "big", "ratio", "vip", "mood", "moods", "homePlace", "otherPlaces", "tags", "extra", "oddKey",
    "dns1Ip", "rank", "matrix", "contactId"]);
  assert.deepEqual(fields.firstName, { name: "firstName", description: "What they are called.", type: { kind: "NON_NULL", name: null, ofType: { kind: "SCALAR", name: "String" } } });
  assert.equal(fields.contactId.type.name, "ID");
  assert.equal(fields.homePlace.type.name, "PlaceInput");
  assert.deepEqual(nested.inputFields.map((f) => f.name), ["cityName", "zipCode"]);
  const field = __schema.mutationType.fields.find((f) => f.name === "createContact");
  assert.equal(field.description, "Adds somebody.");
  assert.deepEqual(field.args, [{ name: "input", type: { kind: "NON_NULL", ofType: { name: "CreateContactInput" } } }]);
});

test("what a comment says wrong stops the load, with all of it told at once", async () => {
  const other = await createDatabase();
  await shared.sql(
    other,
    `create type public.t_input as (a text);
     comment on column public.t_input.a is '@fraiseql:field name=a,type=Int';
     create function public.fn_a(p jsonb) returns int language sql volatile as 'select 1';
     comment on function public.fn_a is '@fraiseql:mutation
name: a
input_type: public.no_such_type';
     create function public.fn_b(p text) returns int language sql volatile as 'select 1';
     comment on function public.fn_b is '@fraiseql:mutation
name: b
input_type: t_input';
     create function public.fn_c(p jsonb) returns int language sql volatile as 'select 1';
     comment on function public.fn_c is '@fraiseql:mutation
name: c
input_type: t_input
context_params: [nobody]';`,
  );
  const { code, stdout } = await program(["check", "--connect", "-c", writeConfiguration(configuration(other)), "--format", "json"]);
  assert.equal(code, 65);
  assert.deepEqual(JSON.parse(stdout).errors.map((e) => `${e.place}: ${e.message}`).sort(), [
    'comment on attribute "a" of type "public.t_input":1:1: attribute "a" of type "public.t_input" is of type String',
    'comment on function "public.fn_a":3:13: there is no composite type "public.no_such_type"',
    'comment on function "public.fn_b":3:13: function "public.fn_b" has no single jsonb argument for an input_type',
    'comment on function "public.fn_c":4:18: function "public.fn_c" has no parameter "nobody"',
  ]);
});

test("the shape may be an input of the SDL file", async () => {
  const other = await createDatabase();
  await shared.sql(
    other,
    `create type public.colour as enum ('red', 'dark blue');
     create function public.fn_paint(payload jsonb) returns jsonb language sql volatile as 'select payload';
     create function public.fn_plain(payload jsonb) returns jsonb language sql volatile as 'select payload'`,
  );
  const sdl = writeFile(
    "graphql",
    `"What to paint."
     input PaintInput {
       "How it is called."
       objectName: String! @column(name: "Name")
       baseColour: Colour
       layers: [LayerInput!]
       extra: JSON
     }
     input LayerInput { thickMm: Decimal below: LayerInput colours: [Colour] }
     input PlainInput { payload: JSON! }`,
  );
  const one = await start(other, { schema: { sdl_file: sdl } });
  try {
    const input = {
      objectName: "door",
      baseColour: "DARK_BLUE",
      layers: [{ thickMm: "1.50", below: { thickMm: 2, below: null, colours: ["red"] } }, {}],
      extra: { camelCase: 1 },
    };
    const { paint } = await one.data("mutation ($input: PaintInput!) { paint(input: $input) }", { variables: { input } });
    assert.deepEqual(paint, {
      Name: "door",
      base_colour: "dark blue",
      layers: [{ thick_mm: "1.50", below: { thick_mm: 2, below: null, colours: ["red"] } }, {}],
      extra: { camelCase: 1 },
    });
    assert.deepEqual(await one.data("mutation { plain(input: {payload: {a: 1}}) }"), { plain: { a: 1 } });
    for (const wrong of [{}, { objectName: "x", baseColour: "dark blue" }, { objectName: "x", layers: [null] }, { objectName: "x", Name: "y" }]) {
      assert.equal((await one.refusal("mutation ($input: PaintInput!) { paint(input: $input) }", { variables: { input: wrong } })).extensions.code, "BAD_USER_INPUT");
    }
    const { __type } = await one.data(`{ __type(name: "PaintInput") { description inputFields { name description } } }`);
    assert.equal(__type.description, "What to paint.");
    assert.deepEqual(__type.inputFields[0], { name: "objectName", description: "How it is called." });
  } finally {
    await one.stop();
  }
  const bad = writeFile("graphql", "input PaintInput {\n  a: Nothing\n  b: Int = 3\n  c: Query\n}");
  const { code, stdout } = await program(["check", "--connect", "-c", writeConfiguration(configuration(other, { schema: { sdl_file: bad } })), "--format", "json"]);
  assert.equal(code, 65);
  assert.deepEqual(JSON.parse(stdout).errors.map((e) => `${e.place.split(":").slice(-2).join(":")}: ${e.message}`), [
    '2:6: there is no input type "Nothing"',
    "3:3: a member of a document has no default: it is absent or given",
    '4:6: there is no input type "Query"',
  ]);
});
