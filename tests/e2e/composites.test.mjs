// Composite types: objects, conditions and order by their parts, values given; compared with SQL.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
let daemon;

before(async () => {
  await shared.sql(
    database,
    `create type public.mood as enum ('HAPPY', 'not so happy');
     create domain public.plz as text check (value ~ '^[0-9]*$');
     create type public.geo as (lat double precision, lon double precision);
     create domain public.place as public.geo;
     create type public.address as (
       city text, "Post Code" public.plz, amount numeric, "quoted ""name" int, flag boolean, mood public.mood, seen timestamptz, ip inet,
       span int4range, doc jsonb, tags text[], big bigint, spot public.geo, place public.place, route public.geo[]);
     comment on type public.address is 'Where somebody lives.';
     comment on column public.address.city is 'The town.';
     create domain public.home as public.address;
     create table public.people (
       id int primary key, tenant_id uuid not null, name text, address public.address, home public.home,
       addresses public.address[], boss_id int references public.people);
     alter table public.people enable row level security;
     create policy tenant on public.people using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);
     create view public.v_person with (security_invoker = true) as select * from public.people;
     create type public.person as (nick text, "class" text);
     create table public.sites (id int primary key, address public.address, stops public.address[], twin public.person, rows public.people);
     grant select on public.sites to app_user;
     -- Stable as far as PostgreSQL knows, so that the view is merged into the query; in truth it counts its calls.
     create function public.counted(of_row int) returns int language plpgsql stable as $f$ begin
       return set_config('test.count', (coalesce(nullif(current_setting('test.count', true), ''), '0')::int + 1)::text, true); end $f$;
     create view public.v_computed with (security_invoker = true) as
       select id, row('city ' || id, '1', id * 1.10, 1, true, 'HAPPY', null, null, null, null, null, null, row(1, 2)::public.geo, null,
                      array[row(id, 1)::public.geo, null])::public.address as address,
              row(public.counted(id), 0)::public.geo as once
         from public.people;
     grant select on public.people, public.v_person, public.v_computed to app_user;
     insert into public.people values
       (1, '${ACME}', 'a', row('Ulm', '89073', 1.50, 7, true, 'not so happy', '2024-02-29 12:00+01', '10.0.0.1', '[1,5)', '{"b": [1]}',
            '{a,"b,c",NULL}', 9007199254740993, row(48.4, 9.99), row(1, 2), array[row(1, 2)::public.geo, null, row(null, 3)::public.geo]), null,
            array[row('X', null, null, null, null, null, null, null, null, null, null, null, null, null, '{}')::public.address, null], null),
       (2, '${ACME}', 'b', row('a "b" \\ (c), {d}', '', 'NaN', -2147483648, false, 'HAPPY', null, null, null, 'null', '{}', -1, null, null, null),
            row('Home', null, null, null, null, null, null, null, null, null, null, null, null, null, null), '{}', 1),
       (3, '${ACME}', 'c', row(null, null, null, null, null, null, null, null, null, null, null, null, null, null, null), null, null, 2),
       (4, '${ACME}', 'd', null, null, null, 1),
       (5, '${GLOBEX}', 'secret', row('Globex City', '1', 1, 1, true, 'HAPPY', null, null, null, null, null, null, null, null, null), null, null, null);
     insert into public.sites select id, address, addresses, row('n', 'c')::public.person, row(1, null, 'x', null, null, null, null)::public.people from public.people where id < 3;
     create function public.fn_echo_address(address public.address, tag text default null) returns public.address
       language sql volatile as 'select $1';
     create type public.contact as (mail text, tel text);
     comment on type public.contact is 'How to reach somebody.
@fraiseql:type
name: Reach';
     comment on column public.contact.mail is '@fraiseql:field name=email,type=String!,required=true,description=With an at sign.';
     create function public.fn_echo_contact(contact public.contact) returns public.contact language sql volatile as 'select $1';
     create function public.fn_echo_text(address public.address default null) returns text language sql volatile as 'select $1::text';
     create function public.fn_echo_home(home public.home) returns public.home language sql volatile as 'select $1';
     create function public.fn_echo_addresses(list public.address[]) returns public.address[] language sql volatile as 'select $1';
     create function public.fn_move(person int, "to" public.address) returns public.v_person language sql volatile security definer as
       'update public.people set address = $2 where id = $1 and tenant_id = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid;
        select * from public.v_person where id = $1';
     grant execute on all functions in schema public to app_user;`,
  );
  daemon = await start(database, { schema: { expose: { tables: ["sites"] } } });
});
after(() => daemon?.stop());

const GEO = "lat lon";
const ADDRESS = `city postCode amount quotedName flag mood seen ip span doc tags big spot { ${GEO} } place { ${GEO} } route { ${GEO} }`;

/** What SQL makes of an address in the form of the API. */
const geo = (e) => `case when ${e} is distinct from null then json_build_object('lat', (${e}).lat, 'lon', (${e}).lon) end`;
const address = (e) => `case when ${e} is distinct from null then json_build_object(
  'city', (${e}).city, 'postCode', (${e})."Post Code", 'amount', ((${e}).amount)::text, 'quotedName', (${e})."quoted ""name", 'flag', (${e}).flag,
  'mood', case (${e}).mood when 'not so happy' then 'NOT_SO_HAPPY' else (${e}).mood::text end,
  'seen', to_char((${e}).seen at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'ip', host((${e}).ip), 'span', ((${e}).span)::text,
  'doc', (${e}).doc, 'tags', to_json((${e}).tags), 'big', ((${e}).big)::text, 'spot', ${geo(`(${e}).spot`)},
  'place', ${geo(`((${e}).place)::public.geo`)},
  'route', (select json_agg(${geo("r.v")} order by r.n) from (select v, row_number() over () n from (select unnest((${e}).route) v) u) r)) end`;

async function bySql(sql) {
  const rows = await shared.sql(database, `set timezone = 'UTC'; select coalesce(json_agg(x.j order by x.id), '[]') from (${sql}) x`);
  return JSON.parse(rows.trim().split("\n").at(-1));
}

test("a column of composite type is an object, its parts as SQL says", async () => {
  const { people } = await daemon.data(`{ people { address { ${ADDRESS} } } }`);
  const expected = await bySql(`select id, ${address("address")} j from public.people where tenant_id = '${ACME}'`);
  // An empty array has no items to aggregate.
  assert.deepEqual(people.map((p) => p.address), expected);
  assert.deepEqual(people[2].address.city, null);
  assert.equal(people[3].address, null);
});

test("only what is selected is read, under aliases and with __typename", async () => {
  assert.deepEqual(
    await daemon.data(`query ($no: Boolean!) { people(limit: 1) { a: address { __typename town: city city flag @include(if: $no) } b: address { spot { lat } t: __typename } } }`, {
      variables: { no: false },
    }),
    { people: [{ a: { __typename: "Address", town: "Ulm", city: "Ulm" }, b: { spot: { lat: 48.4 }, t: "Address" } }] },
  );
  assert.deepEqual((await daemon.data(`{ people { address { __typename } } }`)).people.map((p) => p.address?.__typename), [
    "Address",
    "Address",
    "Address",
    undefined,
  ]);
});

test("lists of composites, and domains over them", async () => {
  assert.deepEqual((await daemon.data(`{ people { addresses { city route { lat } } home { city } } }`)).people, [
    { addresses: [{ city: "X", route: [] }, null], home: null },
    { addresses: [], home: { city: "Home" } },
    { addresses: null, home: null },
    { addresses: null, home: null },
  ]);
});

test("of a table as of a view; a taken name gets Value; a row of a relation stays text", async () => {
  const { sites } = await daemon.data(
    `{ sites(where: { twin: { nick: { eq: "n" } } }) { address { city spot { lat } } stops { city } twin { __typename nick class } rows } }`,
  );
  assert.deepEqual(sites[0], {
    address: { city: "Ulm", spot: { lat: 48.4 } },
    stops: [{ city: "X" }, null],
    twin: { __typename: "PersonValue", nick: "n", class: "c" },
    rows: "(1,,x,,,,)",
  });
  assert.deepEqual(sites.map((s) => s.stops?.length), [2, 0]);
});

test("composites below relations and in lists of lists", async () => {
  assert.deepEqual(await daemon.data(`{ person(id: 1) { people(orderBy: [{ id: DESC }]) { id boss { address { city } } people { address { flag } } } } }`), {
    person: {
      people: [
        { id: "4", boss: { address: { city: "Ulm" } }, people: [] },
        { id: "2", boss: { address: { city: "Ulm" } }, people: [{ address: { flag: null } }] },
      ],
    },
  });
});

test("a column of a view that is computed is computed once", async () => {
  const { computeds } = await daemon.data(`{ computeds { address { city amount route { lat } } once { lat lon } } }`);
  assert.equal(computeds.length, 4);
  assert.deepEqual(computeds[1], { address: { city: "city 2", amount: "2.20", route: [{ lat: 2 }, null] }, once: { lat: computeds[1].once.lat, lon: 0 } });
  assert.deepEqual(computeds.map((c) => c.once.lat).sort(), [1, 2, 3, 4], "calls of the function");
});

const ids = async (where, variables) =>
  (await daemon.data(variables ? `query ($w: PersonWhereInput) { people(where: $w) { id } }` : `{ people(where: ${where}) { id } }`, { variables }))
    .people.map((p) => Number(p.id));

test("conditions on parts are those of SQL, for each operator and with nulls", async () => {
  const cases = [
    [`{ address: { city: { eq: "Ulm" } } }`, `(address).city = 'Ulm'`],
    [`{ address: { city: { neq: "Ulm" } } }`, `(address).city <> 'Ulm'`],
    [`{ address: { city: { isnull: true } } }`, `(address).city is null`],
    [`{ address: { city: { contains: "\\\\ (c), {d" } } }`, `strpos((address).city, '\\ (c), {d') > 0`],
    [`{ address: { isnull: true } }`, `address is not distinct from null`],
    [`{ address: { isnull: false } }`, `address is distinct from null`],
    [`{ address: { amount: { gt: "1" } } }`, `(address).amount > 1`],
    [`{ address: { quotedName: { in: [7, 8] } } }`, `(address)."quoted ""name" in (7, 8)`],
    [`{ address: { mood: { eq: NOT_SO_HAPPY } } }`, `(address).mood = 'not so happy'`],
    [`{ address: { tags: { contains: ["a"] } } }`, `(address).tags @> '{a}'`],
    [`{ address: { spot: { lat: { lt: 50 } } } }`, `((address).spot).lat < 50`],
    [`{ address: { place: { lon: { gte: 2 } }, city: { startswith: "U" } } }`, `((address).place).lon >= 2 and (address).city like 'U%'`],
    [`{ address: { OR: [{ city: { eq: "Ulm" } }, { flag: { eq: false } }] } }`, `(address).city = 'Ulm' or not (address).flag`],
    [`{ address: { NOT: { city: { eq: "Ulm" } } } }`, `not ((address).city = 'Ulm')`],
    [`{ OR: [{ address: { city: { eq: "Ulm" } } }, { name: { eq: "d" } }] }`, `(address).city = 'Ulm' or name = 'd'`],
    [`{ address: {} }`, `true`],
    [`{ address: null }`, `true`],
    [`{ boss: { address: { city: { eq: "Ulm" } } } }`, `boss_id in (select id from public.people b where (b.address).city = 'Ulm')`],
    [`{ people: { some: { address: { flag: { isnull: true } } } } }`, `id in (select boss_id from public.people b where (b.address).flag is null)`],
    [`{ addresses: { isnull: true } }`, `addresses is null`],
    [`{ addresses: { some: { city: { eq: "X" } } } }`, `exists (select from unnest(addresses) a where a.city = 'X')`],
    [`{ addresses: { some: {} } }`, `cardinality(addresses) > 0`],
    [`{ addresses: { none: { city: { eq: "X" } } } }`, `not exists (select from unnest(addresses) a where a.city = 'X')`],
    [`{ addresses: { every: { city: { eq: "X" } } } }`, `not exists (select from unnest(addresses) a where coalesce(a.city <> 'X', true))`],
    [`{ address: { route: { some: { lon: { gt: 2 } } } } }`, `exists (select from unnest((address).route) a where a.lon > 2)`],
  ];

  for (const [where, sql] of cases) {
    const expected = await bySql(`select id, id j from public.people where tenant_id = '${ACME}' and (${sql})`);
    assert.deepEqual(await ids(where), expected, where);
  }
  assert.deepEqual(await ids(null, { w: { address: { city: { eq: "Ulm" }, spot: { lat: { gt: 1 } } } } }), [1]);
});

test("order by parts, as SQL has it", async () => {
  for (const [order, sql] of [
    ["{ address: { city: ASC } }", "(address).city, id"],
    ["{ address: { amount: DESC_NULLS_LAST } }", "(address).amount desc nulls last, id"],
    ["{ address: { spot: { lat: DESC } } }, { id: DESC }", "((address).spot).lat desc, id desc"],
    ["{ boss: { address: { city: ASC_NULLS_FIRST } } }", "(select (b.address).city from public.people b where b.id = people.boss_id) nulls first, id"],
  ]) {
    const rows = await shared.sql(database, `select id from public.people where tenant_id = '${ACME}' order by ${sql}`);
    const expected = rows.trim().split("\n");
    // With and without a relation below it, which puts the page in a subquery.
    for (const more of ["", "people { id }"]) {
      const { people } = await daemon.data(`{ people(orderBy: [${order}]) { id ${more} } }`);
      assert.deepEqual(people.map((p) => p.id), expected, order);
    }
  }
});

test("an order names one part", async () => {
  for (const order of ["{ address: {} }", "{ address: { city: ASC, flag: ASC } }", "{ address: null }"]) {
    assert.equal((await daemon.refusal(`{ people(orderBy: [${order}]) { id } }`)).extensions.code, "BAD_USER_INPUT", order);
  }
  assert.equal((await daemon.refusal("{ people(orderBy: [{ address: { doc: ASC } }]) { id } }")).extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

const hostile = {
  city: 'a"b\\c (d), {e}; NULL é 漢 🎉\n',
  postCode: "",
  amount: "123456789012345678901234567890.5",
  quotedName: -1,
  flag: false,
  mood: "NOT_SO_HAPPY",
  seen: "2024-02-29T11:00:00Z",
  ip: "::1",
  span: "[1,5)",
  doc: { a: ['"', "\\", null], "b c": { d: 1.5 } },
  tags: ["", "NULL", null, 'x"y', "a,b", "{}", "\\"],
  big: "-9223372036854775808",
  spot: { lat: 1.5, lon: null },
  place: { lat: 0, lon: -0.25 },
  route: [{ lat: 1, lon: 2 }, null, { lat: null, lon: null }],
};

/** A value as a literal of the language. */
function literal(value, key = "") {
  if (Array.isArray(value)) {
    return `[${value.map((v) => literal(v)).join(", ")}]`;
  }
  if (value !== null && typeof value === "object") {
    return `{ ${Object.entries(value).map(([k, v]) => `${/^\w+$/.test(k) ? k : "b_c"}: ${literal(v, k)}`).join(", ")} }`;
  }
  return key === "mood" ? value : JSON.stringify(value);
}

test("an input object becomes the composite value, whatever is in it: variable, literal, or a mixture", async () => {
  const whole = await daemon.data(`mutation ($a: AddressInput!) { echoAddress(input: { address: $a }) { ${ADDRESS} } }`, { variables: { a: hostile } });
  assert.deepEqual(whole.echoAddress, hostile);
  const plain = { ...hostile, doc: { a: ['"', "\\", null] } };
  const written = await daemon.data(`mutation { echoAddress(input: { address: ${literal(plain)} }) { ${ADDRESS} } }`);
  assert.deepEqual(written.echoAddress, plain);
  const mixed = await daemon.data(
    `mutation ($city: String, $lat: Float, $tag: String, $spot: GeoInput, $doc: JSON, $absent: Int) {
       echoAddress(input: { address: { city: $city, quotedName: $absent, flag: null, doc: { x: $doc }, spot: $spot, mood: HAPPY,
         place: { lat: $lat, lon: 2 }, tags: ["a", $tag, null], route: [{ lat: $lat }, $spot, null], amount: "1.50" } }) { ${ADDRESS} } }`,
    { variables: { city: hostile.city, lat: 0.5, tag: '"', spot: { lon: 3 }, doc: [1] } },
  );
  assert.deepEqual(mixed.echoAddress, {
    ...Object.fromEntries(Object.keys(hostile).map((k) => [k, null])),
    city: hostile.city,
    mood: "HAPPY",
    amount: "1.50",
    doc: { x: [1] },
    spot: { lat: null, lon: 3 },
    place: { lat: 0.5, lon: 2 },
    tags: ["a", '"', null],
    route: [{ lat: 0.5, lon: null }, { lat: null, lon: 3 }, null],
  });
});

test("comments name and describe attributes, and say which are required", async () => {
  const echo = `mutation ($c: ReachInput!) { echoContact(input: { contact: $c }) { email tel } }`;
  assert.deepEqual(await daemon.data(echo, { variables: { c: { email: "a@b" } } }), { echoContact: { email: "a@b", tel: null } });
  for (const c of [{ tel: "1" }, { email: null }]) {
    assert.equal((await daemon.refusal(echo, { variables: { c } })).extensions.code, "BAD_USER_INPUT");
  }
  const { __type } = await daemon.data(`{ __type(name: "Reach") { description fields { name description type { kind } } } }`);
  assert.deepEqual(__type, {
    description: "How to reach somebody.",
    fields: [
      { name: "email", description: "With an at sign.", type: { kind: "SCALAR" } },
      { name: "tel", description: null, type: { kind: "SCALAR" } },
    ],
  });
});

test("lists of composites and domains go in and come out", async () => {
  const list = [{ ...hostile, doc: null }, null];
  assert.deepEqual(
    await daemon.data(`mutation ($l: [AddressInput]!) { echoAddresses(input: { list: $l }) { ${ADDRESS} } }`, { variables: { l: list } }),
    { echoAddresses: list },
  );
  assert.deepEqual(
    await daemon.data(`mutation ($c: String, $g: GeoInput) { echoAddresses(input: { list: [{ city: $c, route: [$g] }, null, { city: "b" }] }) { city route { lat } } }`, {
      variables: { c: "a", g: { lat: 1 } },
    }),
    { echoAddresses: [{ city: "a", route: [{ lat: 1 }] }, null, { city: "b", route: null }] },
  );
  assert.deepEqual(await daemon.data(`mutation { echoHome(input: { home: { city: "here" } }) { __typename city } }`), {
    echoHome: { __typename: "Address", city: "here" },
  });
});

test("an absent member is null, and a null or absent composite is not one of nulls", async () => {
  const text = async (input) => (await daemon.data(`mutation { echoText${input} }`)).echoText;
  assert.equal(await text("(input: { address: {} })"), "(,,,,,,,,,,,,,,)");
  assert.equal(await text("(input: { address: null })"), null);
  assert.equal(await text("(input: {})"), null);
  assert.equal(await text(`(input: { address: { city: "", tags: [] } })`), '("",,,,,,,,,,{},,,,)');
});

test("what does not fit is refused with its place", async () => {
  const bad = async (a) => (await daemon.refusal(`mutation ($a: AddressInput!) { echoAddress(input: { address: $a }) { city } }`, { variables: { a } }));
  for (const a of [{ city: 1 }, { nope: 1 }, { spot: { lat: "x" } }, { mood: "not so happy" }, "x", [], { tags: [1] }]) {
    assert.equal((await bad(a)).extensions.code, "BAD_USER_INPUT", JSON.stringify(a));
  }
  assert.match((await bad({ route: [{ lat: true }] })).message, /\$a\.route\[0\]\.lat/);
  const { body } = await daemon.post(`mutation { echoAddress(input: { address: { postCode: "abc" } }) { city } }`);
  assert.equal(body.errors[0].extensions.code, "BAD_USER_INPUT", "the domain's check");
});

test("a composite written through a function is read back; other tenants see and change nothing", async () => {
  assert.deepEqual(await daemon.data(`mutation ($a: AddressInput!) { move(input: { person: 4, to: $a }) { id address { city spot { lat } } } }`, {
    variables: { a: { city: "moved", spot: { lat: 2 } } },
  }), { move: { id: "4", address: { city: "moved", spot: { lat: 2 } } } });
  const token = tokenFor(GLOBEX);
  assert.deepEqual(await daemon.data(`{ people(where: { address: { isnull: false } }) { address { city } } }`, { token }), {
    people: [{ address: { city: "Globex City" } }],
  });
  assert.deepEqual(await daemon.data(`{ people(where: { address: { OR: [{ city: { isnull: true } }, { city: { isnull: false } }] } }) { id } computeds { address { city } } }`, { token }), {
    people: [{ id: "5" }],
    computeds: [{ address: { city: "city 5" } }],
  });
  assert.deepEqual(await daemon.data(`mutation { move(input: { person: 4, to: { city: "stolen" } }) { id } }`, { token }), { move: null });
  assert.equal((await daemon.data(`{ person(id: 4) { address { city } } }`)).person.address.city, "moved");
});

test("introspection has object, conditions, order and input, with descriptions", async () => {
  const { object, input, where, order } = await daemon.data(`{
    object: __type(name: "Address") { kind description fields { name description type { name kind ofType { name } } } }
    input: __type(name: "AddressInput") { kind inputFields { name type { kind name } } }
    where: __type(name: "AddressWhereInput") { inputFields { name type { name kind } } }
    order: __type(name: "AddressOrderByInput") { inputFields { name type { name } } } }`);
  assert.equal(object.description, "Where somebody lives.");
  assert.deepEqual(object.fields[0], { name: "city", description: "The town.", type: { name: "String", kind: "SCALAR", ofType: null } });
  assert.deepEqual(object.fields.at(-1).type, { name: null, kind: "LIST", ofType: { name: "Geo" } });
  assert.equal(input.inputFields.length, 15);
  assert.deepEqual(input.inputFields.find((f) => f.name === "spot").type, { kind: "INPUT_OBJECT", name: "GeoInput" });
  assert.equal(where.inputFields.find((f) => f.name === "spot").type.name, "GeoWhereInput");
  assert.equal(order.inputFields.find((f) => f.name === "spot").type.name, "GeoOrderByInput");
  assert.ok(!order.inputFields.some((f) => ["doc", "tags", "route"].includes(f.name)));
});
