// Every filter operator of every type that has it, over data with nulls and edges: what GraphQL finds is
// what SQL finds. Which operators there are is asked of the schema, so one without a case here fails.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

// Addresses and what they are, by RFC 6890 and IANA's registries; each is v4 or v6 besides.
const ADDRESSES = {
  "10.1.2.3": ["isPrivate"],
  "172.16.0.0": ["isPrivate"],
  "172.31.255.255": ["isPrivate"],
  "172.32.0.0": ["isPublic"],
  "192.168.0.1": ["isPrivate"],
  "192.169.0.1": ["isPublic"],
  "8.8.8.8": ["isPublic"],
  "127.0.0.1": ["isLoopback"],
  "127.255.0.1": ["isLoopback"],
  "224.0.0.1": ["isMulticast"],
  "239.255.255.255": ["isMulticast"],
  "240.0.0.1": ["isReserved"],
  "255.255.255.255": ["isBroadcast"],
  "169.254.1.1": ["isLinkLocal"],
  "192.0.2.1": ["isDocumentation"],
  "198.51.100.7": ["isDocumentation"],
  "203.0.113.9": ["isDocumentation"],
  "100.64.0.1": ["isCarrierGrade"],
  "100.128.0.1": ["isPublic"],
  "0.0.0.0": [],
  "192.0.0.1": [],
  "198.18.0.1": [],
  "::": [],
  "::1": ["isLoopback"],
  "::ffff:10.0.0.1": [],
  "ff02::1": ["isMulticast"],
  "fe80::1": ["isLinkLocal"],
  "fc00::1": ["isPrivate", "isUniqueLocal"],
  "fdff::1": ["isPrivate", "isUniqueLocal"],
  "fec0::1": ["isSiteLocal"],
  "2001:db8::1": ["isDocumentation", "isGlobalUnicast"],
  "3fff::1": ["isDocumentation", "isGlobalUnicast"],
  "2002::1": ["isGlobalUnicast"],
  "2606:4700::1111": ["isPublic", "isGlobalUnicast"],
  "64:ff9b::808:808": ["isPublic"],
};
const NETWORKS = {
  "10.1.0.0/16": ["isPrivate"],
  "10.0.0.0/8": ["isPrivate"],
  "10.0.0.0/7": [],
  "0.0.0.0/0": [],
  "8.8.8.0/24": ["isPublic"],
  "2606:4700::/32": ["isPublic", "isGlobalUnicast"],
  "2001:db8:1::/48": ["isDocumentation", "isGlobalUnicast"],
  "2000::/3": ["isGlobalUnicast"],
  "10.1.2.3/32": ["isPrivate"],
};

const TEXTS = ["", "a", "A", "abc", "a%c", "a_c", "a\\c", "it's", 'say "so"', "Ünïcode é漢🎉", "100% sure", "null", " a "];

const columns = {
  yes: ["boolean", ["true", "false"]],
  small: ["smallint", ["-32768", "0", "7"]],
  whole: ["integer", ["-2147483648", "0", "2147483647"]],
  large: ["bigint", ["-9223372036854775808", "0", "9007199254740993"]],
  real_number: ["real", ["-1.5", "0", "3.25"]],
  double_number: ["double precision", ["-0.1", "1e300", "0.1"]],
  exact: ["numeric", ["-0.5", "123456789012345678901234567890.123456789", "2.50"]],
  words: ["text", TEXTS],
  searched: ["text", ["the fat cat", "a cat sat on the fat mat", "dogs and cats", "", "nothing"]],
  code: ["varchar(20)", TEXTS],
  padded: ["char(9)", ["a", "abc", "a%c"]],
  folded: ["ext.citext", ["a", "ABC", "a%c", "É"]],
  catalog_name: ["name", ["a", "abc"]],
  email: ["email", ["a@b", "A@c"]],
  day: ["date", ["0001-01-01", "2024-02-29", "2026-11-26"]],
  clock: ["time", ["00:00:00", "23:59:59.999999"]],
  zoned_clock: ["timetz", ["00:00:00+00", "23:59:59+02"]],
  local_moment: ["timestamp", ["1969-12-31 23:59:59.999", "2024-02-29 12:00:00"]],
  moment: ["timestamptz", ["1969-12-31 23:59:59.999+00", "2024-02-29 12:00:00+02"]],
  duration: ["interval", ["-1 day", "1 mon 2 days 03:04:05", "0"]],
  key: ["uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"]],
  bytes: ["bytea", ["\\x", "\\x00ff10"]],
  raw: ["json", ['{"a": 1}', "null"]],
  document: ["jsonb", ['{"a": 1, "b": {"c": [1, 2]}}', '["a", "b"]', "null", "{}", '{"b": 2, "weird \\"key": null}']],
  address: ["inet", [...Object.keys(ADDRESSES), "10.1.2.3/8"]],
  network: ["cidr", Object.keys(NETWORKS)],
  mac: ["macaddr", ["08:00:2b:01:02:03", "00:00:00:00:00:00"]],
  path: ["ext.ltree", ["Top", "Top.Science", "Top.Science.Astronomy.Stars", "Other", ""]],
  days: ["daterange", ["[2026-01-01,2027-01-01)", "[2027-01-01,2028-01-01)", "empty", "(,)", "[2026-06-01,)"]],
  wholes: ["int4range", ["[1,10)", "[10,20)", "empty", "(,5)"]],
  larges: ["int8range", ["[1,10)", "[9007199254740993,)"]],
  exacts: ["numrange", ["[1.5,2.5]", "(2.5,3)"]],
  local_moments: ["tsrange", ["[2026-01-01,2026-01-02)", "[2026-01-02,)"]],
  moments: ["tstzrange", ["[2026-01-01 00:00+00,2026-01-02 00:00+00)", "empty"]],
  many_wholes: ["int4multirange", ["{[1,3),[5,7)}", "{}"]],
  search: ["tsvector", ["'cat':3 'fat':2", "'dog':1 'cat':3", ""]],
  mood: ["mood", ["HAPPY", "not so happy"]],
  cash: ["money", ["1.50", "0"]],
  bits: ["bit(4)", ["1010", "0000"]],
  pairs: ["ext.hstore", ["a=>1", "b=>NULL", ""]],
  spot: ["point", ["(1,2)", "(0,0)"]],
  embedding: ["vector", ["[1,0,0]", "[0,1,0]", "[0.5,0.5,0.25]"]],
  word_list: ["text[]", ["{}", "{a}", '{a,b,"c,d",NULL}', '{"it\'s","say \\"so\\""}', "{a,a}"]],
  number_list: ["integer[]", ["{}", "{1}", "{1,2,3,NULL}", "{1,1}"]],
  key_list: ["uuid[]", ["{}", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"]],
  mood_list: ["mood[]", ["{HAPPY}", '{"not so happy",HAPPY}']],
  moment_list: ["timestamptz[]", ["{2024-02-29 12:00:00+02}", "{}"]],
  folded_list: ["ext.citext[]", ["{a,B}", "{}"]],
  address_list: ["inet[]", ["{10.1.2.3,::1}", "{}"]],
};

const quote = (value) => `'${String(value).replaceAll("'", "''")}'`;
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

// Debian 12 has no pgvector: a type of the same name with its operators and the same text form. The
// extensions are in a schema that no search_path leads to.
const vector = `
  create type public.vector;
  create function public.vector_in(cstring) returns public.vector language internal immutable strict as 'textin';
  create function public.vector_out(public.vector) returns cstring language internal immutable strict as 'textout';
  create type public.vector (input = public.vector_in, output = public.vector_out, like = text, collatable = true);
  create cast (public.vector as text) without function as implicit;
  create function public.vector_cmp(public.vector, public.vector) returns int language internal immutable strict as 'bttextcmp';
  create function public.vector_eq(public.vector, public.vector) returns bool language internal immutable strict as 'texteq';
  create function public.vector_ne(public.vector, public.vector) returns bool language internal immutable strict as 'textne';
  create function public.vector_lt(public.vector, public.vector) returns bool language internal immutable strict as 'text_lt';
  create function public.vector_le(public.vector, public.vector) returns bool language internal immutable strict as 'text_le';
  create function public.vector_gt(public.vector, public.vector) returns bool language internal immutable strict as 'text_gt';
  create function public.vector_ge(public.vector, public.vector) returns bool language internal immutable strict as 'text_ge';
  create operator public.= (leftarg = public.vector, rightarg = public.vector, function = public.vector_eq);
  create operator public.<> (leftarg = public.vector, rightarg = public.vector, function = public.vector_ne);
  create operator public.< (leftarg = public.vector, rightarg = public.vector, function = public.vector_lt);
  create operator public.<= (leftarg = public.vector, rightarg = public.vector, function = public.vector_le);
  create operator public.> (leftarg = public.vector, rightarg = public.vector, function = public.vector_gt);
  create operator public.>= (leftarg = public.vector, rightarg = public.vector, function = public.vector_ge);
  create operator class public.vector_ops default for type public.vector using btree as
    operator 1 public.<, operator 2 public.<=, operator 3 public.=, operator 4 public.>=, operator 5 public.>,
    function 1 public.vector_cmp(public.vector, public.vector);
  create function public.vector_array(public.vector) returns float8[] language sql immutable strict
    as $$ select array_agg(x::float8) from jsonb_array_elements_text($1::text::jsonb) x $$;
  create function public.dot(public.vector, public.vector) returns float8 language sql immutable strict
    as $$ select sum(a * b) from unnest(public.vector_array($1), public.vector_array($2)) u(a, b) $$;
  create function public.cosine(public.vector, public.vector) returns float8 language sql immutable strict
    as $$ select 1 - public.dot($1, $2) / sqrt(public.dot($1, $1) * public.dot($2, $2)) $$;
  create function public.l2(public.vector, public.vector) returns float8 language sql immutable strict
    as $$ select sqrt(sum((a - b) ^ 2)) from unnest(public.vector_array($1), public.vector_array($2)) u(a, b) $$;
  create function public.negative_inner(public.vector, public.vector) returns float8 language sql immutable strict
    as $$ select -public.dot($1, $2) $$;
  create operator public.<=> (leftarg = public.vector, rightarg = public.vector, function = public.cosine);
  create operator public.<-> (leftarg = public.vector, rightarg = public.vector, function = public.l2);
  create operator public.<#> (leftarg = public.vector, rightarg = public.vector, function = public.negative_inner);`;

const database = await createDatabase();
await shared.sql(database, `alter database "${database}" set search_path = public, ext`);
const nrows = Math.max(...Object.values(columns).map(([, values]) => values.length)) + 1;
await shared.sql(
  database,
  `create schema ext;
   create extension citext schema ext;
   create extension ltree schema ext;
   create extension hstore schema ext;
   grant usage on schema ext to app_user;
   ${vector}
   create domain public.email as text check (value like '%@%');
   create type public.mood as enum ('HAPPY', 'not so happy', 'sad');
   set search_path = public, ext;
   create table public.samples (id integer primary key,
     ${Object.entries(columns).map(([name, [type]]) => `${name} ${type}`).join(", ")});
   create view public.v_sample with (security_invoker = true) as select * from public.samples;
   grant select on public.samples, public.v_sample to app_user;
   ${Array.from({ length: nrows }, (_, i) => {
     const values = Object.values(columns).map(([, list]) => (i < list.length ? quote(list[i]) : "null"));
     return `insert into public.samples values (${i}, ${values.join(", ")});`;
   }).join("\n")}`,
);
const daemon = await start(database, { schema: { filters: { full_text: ["v_sample.search*"] } }, database: { search_path: ["public"] } });
const safe = await start(database, { schema: { filters: { null_safe: true } }, database: { search_path: ["public"] } });
after(() => Promise.all([daemon.stop(), safe.stop()]));

/** What the schema offers: field of the where input -> {type, operators}. */
async function offered() {
  const { __type: where } = await daemon.data(
    `{ __type(name: "SampleWhereInput") { inputFields { name type { name inputFields { name type { kind name ofType { name } } } } } } }`,
  );
  return new Map(
    where.inputFields
      .filter(({ name }) => !["AND", "OR", "NOT"].includes(name))
      .map(({ name, type }) => [name, { type: type.name, operators: type.inputFields.map((f) => f.name) }]),
  );
}

/** The values as GraphQL has them, in the order of the rows. */
async function outputs(field) {
  const { samples } = await daemon.data(`{ samples(limit: 1000) { id ${field} } }`);
  return samples.map((row) => [row.id, row[field]]).filter(([, value]) => value !== null);
}

const found = async (from, where) =>
  (await from.data(`query($where: SampleWhereInput) { samples(where: $where, limit: 1000) { id } }`, { variables: { where } })).samples.map(
    ({ id }) => Number(id),
  );

/** The code of the error that a filter is answered with. */
async function mistake(where) {
  const query = "query($where: SampleWhereInput) { samples(where: $where) { id } }";
  const { body, text } = await daemon.post(query, { variables: { where } });
  assert.equal(body?.errors?.length, 1, text);
  return body.errors[0].extensions.code;
}

/** The ids of the rows that fulfil each of the conditions, all in one statement. */
async function expected(conditions) {
  const lists = conditions.map((c) => `coalesce((select json_agg(id order by id) from public.samples where ${c}), '[]')`);
  const parts = [];
  for (let i = 0; i < lists.length; i += 90) {
    parts.push(`json_build_array(${lists.slice(i, i + 90).join(", ")})`);
  }
  const [row] = await shared.rows(database, `select json_build_array(${parts.join(", ")}) as found`);
  return row.found.flat();
}

// For operators whose operand is a value of the column: [operand, condition] from each value there is.
// Operators of extensions are resolved by a search_path here and by their schema in the daemon.
const compare = (sql) => (column, values) =>
  values.map(([id, value]) => [value, sql(column, `(select ${column} from public.samples where id = ${id})`)]);
const infix = (operator) => compare((column, other) => `${column} ${operator} ${other}`);

const TEXT_OPERANDS = ["a", "A", "%", "_", "\\", "'", '"', "é", "🎉", "", "c", "100%", "x' or true --"];
const texts = (operands, sql) => (column) => operands.map((text) => [text, sql(column, quote(text))]);
const like = (operator, operands = ["a%", "%C", "_b_", "%\\%%", "", "a\\\\c"]) =>
  texts(operands, (column, text) => `${column} ${operator} ${text}`);
const regex = (operator) => like(operator, ["^a", "C$", ".", "", "\\\\", "^.{3}$"]);
const numbers = (list, sql) => (column) => list.map((n) => [n, sql(column, n)]);
const both = (sql) => (column) => [
  [true, sql(column)],
  [false, `not (${sql(column)})`],
];
const lower = (column) => `lower(${textOf(column)})`;
// bpchar is text with its blanks here, which a cast to text drops.
const textOf = (column) => (column === "padded" ? `rpad(${column}::text, 9)` : `${column}::text`);
const isFolded = (column) => column.startsWith("folded");
const strpos = (column, text) => (isFolded(column) ? `strpos(${lower(column)}, lower(${text}))` : `strpos(${textOf(column)}, ${text})`);

const those = (column, values) => `select ${column} from public.samples where id in (${values.map(([id]) => id)})`;

const any = {
  isnull: both((column) => `${column} is null`),
};
const equal = {
  ...any,
  eq: (column, values) => [...infix("=")(column, values), [null, `${column} is null`]],
  neq: (column, values) => [...infix("<>")(column, values), [null, `${column} is not null`]],
  in: (column, values) => [
    [[], "false"],
    [values.map(([, value]) => value), `${column} in (${those(column, values)})`],
    [values.slice(0, 1).map(([, value]) => value), `${column} in (${those(column, values.slice(0, 1))})`],
  ],
  nin: (column, values) => [
    [[], "true"],
    [values.map(([, value]) => value), `${column} not in (${those(column, values)})`],
    [values.slice(0, 1).map(([, value]) => value), `${column} not in (${those(column, values.slice(0, 1))})`],
  ],
};
const ordered = { ...equal, gt: infix(">"), gte: infix(">="), lt: infix("<"), lte: infix("<=") };
const string = {
  ...ordered,
  contains: texts(TEXT_OPERANDS, (column, text) => `${strpos(column, text)} > 0`),
  icontains: texts(TEXT_OPERANDS, (column, text) => `strpos(${lower(column)}, lower(${text})) > 0`),
  startswith: texts(TEXT_OPERANDS, (column, text) =>
    isFolded(column) ? `starts_with(${lower(column)}, lower(${text}))` : `starts_with(${textOf(column)}, ${text})`),
  istartswith: texts(TEXT_OPERANDS, (column, text) => `starts_with(${lower(column)}, lower(${text}))`),
  endswith: texts(TEXT_OPERANDS, (column, text) =>
    isFolded(column)
      ? `right(${lower(column)}, length(${text})) = lower(${text})`
      : `right(${textOf(column)}, length(${text})) = ${text}`),
  iendswith: texts(TEXT_OPERANDS, (column, text) => `right(${lower(column)}, length(${text})) = lower(${text})`),
  like: like("like"),
  ilike: like("ilike"),
  nlike: like("not like"),
  nilike: like("not ilike"),
  regex: regex("~"),
  iregex: regex("~*"),
  nregex: regex("!~"),
  niregex: regex("!~*"),
};
const tsquery = (make) => (operands) => texts(operands, (column, text) => `${make.document(column)} @@ ${make.query}(${text})`);
const search = (document) => {
  const by = (query, operands) => tsquery({ document, query })(operands);
  return {
    matches: by("to_tsquery", ["cat", "cat & !dog", "fat <-> cat", "c:*"]),
    plain_query: by("plainto_tsquery", ["fat cats", "the", "", "cat & dog"]),
    phrase_query: by("phraseto_tsquery", ["fat cat", "cat fat"]),
    websearch_query: by("websearch_to_tsquery", ['"fat cat"', "cat -dog", "dog or nothing", '"']),
  };
};
const range = (name, operands, cast) => ({
  ...equal,
  [name]: (column) => operands.map((value) => [value, `${column} @> ${quote(value)}::${cast}`]),
  overlaps: infix("&&"),
  adjacent: infix("-|-"),
  strictly_left: infix("<<"),
  strictly_right: infix(">>"),
  not_left: infix("&>"),
  not_right: infix("&<"),
});
const LENGTHS = [0, 1, 2, 3];
const comparisons = { eq: "=", neq: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" };
const counted = (prefix, sql) =>
  Object.fromEntries(
    Object.entries(comparisons).map(([name, operator]) => [
      `${prefix}_${name}`,
      numbers(LENGTHS, (column, n) => `${sql(column)} ${operator} ${n}`),
    ]),
  );
const elements = (sql) => (column, values) =>
  values.flatMap(([id, list]) =>
    list.flatMap((value, i) =>
      value === null ? [] : [[value, sql(column, `(select ${column}[${i + 1}] from public.samples where id = ${id})`)]]));
const list = {
  ...equal,
  contains: infix("@>"),
  contained_by: infix("<@"),
  overlaps: infix("&&"),
  any_eq: elements((column, value) => `array_position(${column}, ${value}) is not null`),
  all_eq: elements((column, value) => `not exists (select from unnest(${column}) u (x) where x is distinct from ${value}) and ${column} is not null`),
  ...counted("len", (column) => `cardinality(${column})`),
};
const flags = Object.fromEntries(
  [...new Set(Object.values(ADDRESSES).flat())].map((flag) => [
    flag,
    (column) => {
      const known = column === "address" ? ADDRESSES : NETWORKS;
      const those = (is) => Object.keys(known).filter((one) => known[one].includes(flag) === is).map(quote).join(", ") || "null";
      const name = column === "address" ? `host(${column})` : `${column}::text`;
      // One address has a mask besides, which makes it a place in a network.
      return [true, false].map((is) => [is, `${name} in (${those(is)})`, `coalesce(masklen(${column}) <> 8, true)`]);
    },
  ]),
);
const network = {
  ...equal,
  ...flags,
  inSubnet: texts(["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "::/0", "2606:4700::/32"], (column, text) => `${column} <<= ${text}::inet`),
  inRange: (column) =>
    [["10.0.0.0", "10.255.255.255"], ["8.8.8.0", "8.8.8.255"], ["::", "ffff::"], ["9.0.0.0", "1.0.0.0"]].map(([from, to]) => [
      { from, to },
      `host(${column})::inet >= ${quote(from)} and host(${column === "network" ? `broadcast(${column})` : column})::inet <= ${quote(to)}`,
    ]),
  isIPv4: both((column) => `family(${column}) = 4`),
  isIPv6: both((column) => `family(${column}) = 6`),
};

const byType = {
  NullFilter: any,
  BooleanFilter: equal,
  IDFilter: equal,
  IntFilter: ordered,
  BigIntFilter: ordered,
  FloatFilter: ordered,
  DecimalFilter: ordered,
  StringFilter: string,
  StringSearchFilter: { ...string, ...search((column) => `to_tsvector(${column})`) },
  DateFilter: ordered,
  TimeFilter: ordered,
  DateTimeFilter: ordered,
  LocalDateTimeFilter: ordered,
  IntervalFilter: ordered,
  UUIDFilter: equal,
  BytesFilter: equal,
  MacAddressFilter: equal,
  MoodFilter: equal,
  MoneyFilter: equal,
  BitFilter: equal,
  HstoreFilter: equal,
  Int4multirangeFilter: equal,
  JSONFilter: {
    ...equal,
    // null is the operand's null, not the JSON value.
    eq: (column, values) => equal.eq(column, values),
    contains: (column) => ['{"b": {}}', '"a"', "[]", "{}"].map((json) => [JSON.parse(json), `${column} @> ${quote(json)}`]),
    contained_by: (column) => ['{"a": 1, "b": 2, "weird \\"key": null}', '["a", "b", "c"]'].map((json) => [JSON.parse(json), `${column} <@ ${quote(json)}`]),
    has_key: texts(["a", "b", 'weird "key', "?", ""], (column, text) => `${column} ? ${text}`),
    has_any_keys: (column) => [[["a", 'weird "key'], `${column} ?| array['a', 'weird "key']`], [[], "false"]],
    has_all_keys: (column) => [[["a", "b"], `${column} ?& array['a', 'b']`], [[], `${column} is not null`]],
    path_exists: texts(["$.b.c", "$[*] ? (@ == \"a\")"], (column, text) => `${column} @? ${text}::jsonpath`),
    path_match: texts(["$.a == 1"], (column, text) => `${column} @@ ${text}::jsonpath`),
  },
  IpAddressFilter: network,
  CIDRFilter: network,
  LTreeFilter: {
    ...ordered,
    ancestor_of: infix("@>"),
    descendant_of: infix("<@"),
    matches_lquery: texts(["Top.*", "*.Stars", "*", "!Top"], (column, text) => `${column} ~ ${text}::lquery`),
    matches_ltxtquery: texts(["Stars", "Science & !Stars", "sci*@"], (column, text) => `${column} @ ${text}::ltxtquery`),
    matches_any_lquery: (column) => [[["Other", "*.Stars"], `${column} ? array['Other', '*.Stars']::lquery[]`], [[], "false"]],
    ...counted("depth", (column) => `nlevel(${column})`),
  },
  DateRangeFilter: range("contains_date", ["2026-01-01", "2027-01-01", "1999-12-31"], "date"),
  IntRangeFilter: range("contains_value", [1, 10, -5], "integer"),
  BigIntRangeFilter: range("contains_value", ["9007199254740993", "5"], "bigint"),
  DecimalRangeFilter: range("contains_value", ["2.5", "1.50"], "numeric"),
  LocalDateTimeRangeFilter: range("contains_value", ["2026-01-01T12:00:00", "2026-01-02T00:00:00"], "timestamp"),
  DateTimeRangeFilter: range("contains_value", ["2026-01-01T12:00:00+02:00"], "timestamptz"),
  TSVectorFilter: { ...equal, ...search((column) => column) },
  VectorFilter: {
    ...equal,
    ...Object.fromEntries(
      [["cosine_distance", "cosine"], ["l2_distance", "l2"], ["inner_product", "negative_inner"]].map(([name, f]) => [
        name,
        (column) =>
          [[[1, 0, 0], 0.5], [[0.5, 0.5, 0.25], 0], ["[0,1,0]", -0.4]].map(([to, distance_within]) => [
            { to, distance_within },
            `${f}(${column}, ${quote(typeof to === "string" ? to : JSON.stringify(to))}::vector) <= ${distance_within}`,
          ]),
      ]),
    ),
  },
};
const casesOf = (type) => byType[type] ?? (type.endsWith("ListFilter") ? list : undefined);

const schema = await offered();
const names = new Map(Object.keys(columns).map((name) => [camel(name), name]));

test("every column can be filtered, and every operator of its type has a case", () => {
  assert.deepEqual([...schema.keys()].sort(), ["id", ...names.keys()].sort());
  for (const { type, operators } of schema.values()) {
    assert.deepEqual(operators.filter((operator) => casesOf(type)?.[operator] === undefined), [], type);
  }
});

test("every type that the page of the documentation names is filtered here", async () => {
  const types = [...schema.values()].map(({ type }) => type);
  for (const type of Object.keys(byType)) {
    assert.ok(types.includes(type), type);
  }
});

for (const [field, column] of names) {
  test(`${column}: ${schema.get(field).operators.join(" ")}`, async () => {
    const { type, operators } = schema.get(field);
    const values = await outputs(field);
    const cases = operators.flatMap((operator) =>
      casesOf(type)[operator](column, values).map(([operand, condition, among = "true"]) => ({ operator, operand, condition, among })));
    const rows = await expected(cases.map(({ condition, among }) => `(${condition}) and ${among}`));
    const considered = await expected(cases.map(({ among }) => among));
    let some = 0;
    for (const [i, { operator, operand }] of cases.entries()) {
      const result = await found(daemon, { [field]: { [operator]: operand } });
      assert.deepEqual(result.filter((id) => considered[i].includes(id)), rows[i], `${operator}: ${JSON.stringify(operand)}`);
      some += rows[i].length;
    }
    assert.ok(some > 0);
  });
}

test("null as an operand is an error but for eq and neq", async () => {
  for (const [field, { operators }] of schema) {
    for (const operator of operators) {
      const where = { [field]: { [operator]: null } };
      if (operator === "eq" || operator === "neq") {
        continue;
      }
      assert.equal(await mistake(where), "BAD_USER_INPUT", `${field} ${operator}`);
    }
  }
});

test("neq and nin keep nulls where schema.filters.null_safe says so, and only there", async () => {
  const cases = [
    [{ words: { neq: "a" } }, "words is distinct from 'a'"],
    [{ words: { nin: ["a", "abc"] } }, "words is null or words not in ('a', 'abc')"],
    [{ NOT: { words: { neq: "a" } } }, "words = 'a'"],
    [{ folded: { neq: "abc" } }, "folded is null or lower(folded::text) <> 'abc'"],
    [{ wordList: { neq: ["a"] } }, "word_list is distinct from '{a}'"],
    [{ words: { neq: null } }, "words is not null"],
    [{ words: { neq: "a", like: "a%" } }, "words <> 'a' and words like 'a%'"],
  ];
  const rows = await expected(cases.map(([, condition]) => condition));
  for (const [i, [where]] of cases.entries()) {
    assert.deepEqual(await found(safe, where), rows[i], JSON.stringify(where));
  }
  assert.deepEqual(await found(daemon, { words: { neq: "a" } }), (await expected(["words <> 'a'"]))[0]);
});

test("words that are no query, no path and no pattern are the client's mistake", async () => {
  for (const where of [
    { search: { matches: "cat &" } },
    { path: { matches_lquery: "a..b" } },
    { path: { matches_ltxtquery: "a & & b" } },
    { path: { matches_ltxtquery: "" } },
    { path: { eq: "a b" } },
    { words: { regex: "(" } },
    { document: { path_exists: "$." } },
    { address: { inSubnet: "10.0.0.0/33" } },
    { address: { inRange: { from: "10.0.0.1", to: "nowhere" } } },
  ]) {
    assert.equal(await mistake(where), "BAD_USER_INPUT", JSON.stringify(where));
  }
});

test("lists are sorted by the distance from a vector, both ways, and pages of them too", async () => {
  const functions = { cosine_distance: "cosine", l2_distance: "l2", inner_product: "negative_inner" };
  const sorted = async (orderBy, more = "") =>
    (await daemon.data(`query($orderBy: [SampleOrderByInput!]) { samples(orderBy: $orderBy, limit: 1000 ${more}) { id } }`, {
      variables: { orderBy },
    })).samples.map(({ id }) => Number(id));
  for (const [name, f] of Object.entries(functions)) {
    for (const [direction, sql] of [[undefined, ""], ["DESC", "desc"], ["ASC_NULLS_FIRST", "nulls first"]]) {
      const to = [0.9, 0.2, 0.1];
      const rows = await shared.rows(database, `select id from public.samples order by ${f}(embedding, '${JSON.stringify(to)}') ${sql}, id`);
      assert.deepEqual(await sorted([{ embedding: { [name]: { to, direction } } }]), rows.map(({ id }) => id), `${name} ${direction}`);
      assert.deepEqual(await sorted([{ embedding: { [name]: { to, direction } } }], ", offset: 1"), rows.slice(1).map(({ id }) => id));
    }
  }
  const { samples } = await daemon.data(`{ samples(orderBy: [{embedding: {l2_distance: {to: [0, 1, 0]}}}, {id: ASC}], limit: 1) { embedding } }`);
  assert.deepEqual(samples, [{ embedding: [0, 1, 0] }]);
  for (const query of [
    `{ samples(orderBy: [{embedding: ASC}]) { id } }`,
    `{ samples(orderBy: [{embedding: {}}]) { id } }`,
    `{ samples(orderBy: [{embedding: {l2_distance: {}}}]) { id } }`,
    `{ samples(orderBy: [{embedding: {l2_distance: {to: null}}}]) { id } }`,
    `{ samplesConnection(orderBy: [{embedding: {l2_distance: {to: [0, 1, 0]}}}]) { nodes { id } } }`,
  ]) {
    const { body } = await daemon.post(query);
    assert.match(body.errors[0].extensions.code, /^(BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED)$/, query);
  }
});
