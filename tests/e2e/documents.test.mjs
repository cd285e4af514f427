// Declared jsonb documents: fields, conditions and order by their keys; compared with SQL.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { configuration, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
let daemon;

before(async () => {
  await shared.sql(
    database,
    `create type public.post_state as enum ('OPEN', 'in progress', 'say "so"');
     create type public.place as (street text, "no" int, area numeric, tags text[]);
     create table public.tb_post (
       id uuid primary key, tenant_id uuid not null, n int not null, title text, rating numeric, big bigint, score float8, published bool,
       state public.post_state, made timestamptz, day date, tags text[], ip inet, bytes bytea, place public.place);
     alter table public.tb_post enable row level security;
     create policy tenant on public.tb_post using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);
     create view public.v_post with (security_invoker = true) as
       select id, tenant_id, n, jsonb_build_object(
         'id', id, 'n', n, 'title', title, 'rating', rating, 'big_number', big, 'score', score, 'published', published, 'state', state,
         'made_at', made, 'day', day, 'tags', to_jsonb(tags), 'ip', host(ip), 'bytes', bytes, 'place', place,
         'author', case when n <> 2 then jsonb_build_object('id', n * 10, 'name', 'author ' || n, 'address',
                     jsonb_build_object('city', 'city ' || n, 'spot', jsonb_build_object('lat', n * 1.5, 'lon', null))) end,
         'comments', case when n < 3 then jsonb_build_array(jsonb_build_object('body', 'b' || n, 'likes', jsonb_build_array(n, null)), null) end,
         'extra', jsonb_build_object('any', jsonb_build_array(1, 'x', null, 2.50)),
         'undeclared', 'secret', 'camelKey', 'c' || n, 'we"ird \\ key''s', n, 'snake_case_key', 'k') as data
         from public.tb_post;
     comment on view public.v_post is $$A post.
@fraiseql:type
fields:
  id: UUID!
  title: String
  rating: Decimal
  big_number: BigInt
  score: Float
  published: Boolean
  state: PostState
  made_at: DateTime
  day: Date
  tags: [String!]
  ip: IpAddress
  bytes: Bytes
  place: public.place
  author: {id: ID!, name: String!, address: {city: String, spot: {lat: Float!, lon: Float}}}
  comments: [{body: String!, likes: [Int]}]
  extra: JSON
  camelKey: String
  "we\\"ird \\\\ key's": Int
  snake_case_key: String
  missing: String$$;
     create table public.tv_doc (id int primary key, tenant_id uuid not null, label text, data jsonb);
     alter table public.tv_doc enable row level security;
     create policy tenant on public.tv_doc using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);
     comment on table public.tv_doc is $$
@fraiseql:type
fields:
  s: String
  i: Int
  b: BigInt
  f: Float
  d: Decimal
  t: Boolean
  u: UUID
  day: Date
  at: DateTime
  local: LocalDateTime
  clock: Time
  span: Interval
  state: PostState
  any: JSON
  key: ID
  net: CIDR
  list: [Int]
  strict: [Int!]
  grid: "[[Int!]!]"
  sure: {x: Int!}
  sures: [{x: Int!}]
  parent: Doc
  children: [Doc!]$$;
     create table public.settings (id int primary key, config jsonb, shapes jsonb, list jsonb, plain jsonb);
     comment on column public.settings.config is $$How it is set.
@fraiseql:field
fields: {theme: String!, sizes: [Int]}$$;
     comment on column public.settings.shapes is '@fraiseql:field shape=public.place';
     comment on column public.settings.list is '@fraiseql:field type=[String!]';
     insert into public.settings values
       (1, '{"theme": "dark", "sizes": [1, null], "x": 1}', '{"no": 3, "area": 1.50, "street": "s", "tags": ["t"]}', '["a", "b"]', '{"any": 1}'),
       (2, null, 'null', null, null), (3, '{}', '{}', '[]', '[]');
     -- Stable as far as PostgreSQL knows, so that the view is merged into the query; in truth it counts its calls.
     create function public.counted(of_row int) returns int language plpgsql stable as $f$ begin
       return set_config('test.count', (coalesce(nullif(current_setting('test.count', true), ''), '0')::int + 1)::text, true); end $f$;
     create view public.v_counted with (security_invoker = true) as
       select n as id, jsonb_build_object('a', public.counted(n), 'b', n, 'part', jsonb_build_object('c', n, 'd', n)) as data from generate_series(1, 9) n;
     comment on view public.v_counted is $$@fraiseql:type
fields: {a: Int, b: Int, part: {c: Int, d: Int}}$$;
     grant select on public.v_counted to app_user;
     grant select on public.tb_post, public.v_post, public.tv_doc, public.settings to app_user;
     insert into public.tb_post
       select ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, case when n < 6 then '${ACME}' else '${GLOBEX}' end::uuid, n,
              (array['b "quoted" \\ é 🎉', 'a', '10', '9', null, 'globex'])[n], (array[10, 9.5, 1e20, null, -1, 7])[n], (array[9007199254740993, -1, 10, 9, null, 1])[n],
              (array[1.5, 0.1, -2, null, 1e300, 1])[n], (array[true, false, null, true, false, true])[n],
              (array['OPEN', 'in progress', 'say "so"', null, 'OPEN', 'OPEN'])[n]::public.post_state,
              timestamptz '2024-02-29 12:00:00.5+00' + n * interval '1 day', date '2024-03-01' - n, case n when 2 then '{}' when 3 then null else array['t' || n, 'x,"y'] end,
              inet '10.0.0.1' + n, '\\x00ff', row('street ' || n, n, n * 1.10, array['p'])::public.place
         from generate_series(1, 6) n;`,
  );
  daemon = await start(database, { schema: { expose: { tables: ["tv_doc", "settings"] } } });
});
after(() => daemon?.stop());

const ALL = `id n title rating bigNumber score published state madeAt day tags ip bytes place { street no area tags }
  author { id name address { city spot { lat lon } } } comments { body likes } extra camelKey weIrdKeyS snakeCaseKey missing`;

async function bySql(sql) {
  const rows = await shared.sql(database, `select coalesce(json_agg(x.j order by x.o), '[]') from (${sql}) x`);
  return JSON.parse(rows.trim());
}

test("the keys of a view's document are fields, with the values that SQL has for them", async () => {
  const { posts } = await daemon.data(`{ posts { ${ALL} } }`);
  const expected = await bySql(
    `select n o, json_build_object('id', id, 'n', n, 'title', title, 'rating', rating::text, 'bigNumber', big::text, 'score', score, 'published', published,
       'state', case state when 'in progress' then 'IN_PROGRESS' when 'say "so"' then 'SAY_SO' else state::text end,
       'madeAt', to_jsonb(made), 'day', day, 'tags', to_json(tags), 'ip', host(ip), 'bytes', encode(bytes, 'base64'),
       'place', json_build_object('street', (place).street, 'no', (place)."no", 'area', (place).area::text, 'tags', (place).tags),
       'author', case when n <> 2 then json_build_object('id', (n * 10)::text, 'name', 'author ' || n, 'address',
          json_build_object('city', 'city ' || n, 'spot', json_build_object('lat', n * 1.5, 'lon', null))) end,
       'comments', case when n < 3 then json_build_array(json_build_object('body', 'b' || n, 'likes', json_build_array(n, null)), null) end,
       'extra', json_build_object('any', json_build_array(1, 'x', null, 2.50)), 'camelKey', 'c' || n, 'weIrdKeyS', n, 'snakeCaseKey', 'k', 'missing', null) j
       from public.tb_post where tenant_id = '${ACME}'`,
  );
  assert.deepEqual(posts, expected);
});

test("what is not declared, and the document itself, cannot be selected", async () => {
  for (const field of ["undeclared", "data", "author { secret }"]) {
    assert.equal((await daemon.refusal(`{ posts { ${field} } }`)).extensions.code, "GRAPHQL_VALIDATION_FAILED");
  }
});

test("aliases, fragments, conditions and the order of the response", async () => {
  const { text } = await daemon.post(
    `query ($no: Boolean!) { posts(where: { n: { eq: 1 } }) { z: n ...F a: title author { __typename nick: name ...G id @skip(if: $no) } author { name } b: title tags @include(if: $no) } }
     fragment F on Post { __typename author { address { __typename } } } fragment G on PostAuthor { name }`,
    { variables: { no: false } },
  );
  const title = JSON.stringify('b "quoted" \\ é 🎉');
  assert.equal(
    text,
    `{"data":{"posts":[{"z":1,"__typename":"Post","author":{"address":{"__typename":"PostAuthorAddress"},"__typename":"PostAuthor","nick":"author 1","name":"author 1","id":"10"},"a":${title},"b":${title}}]}}`,
  );
});

test("a view's document is worked out once for each row, whatever is selected of it", async () => {
  const { counteds } = await daemon.data(`{ counteds(limit: 3) { a b part { c } again: part { c d } } }`);
  assert.deepEqual(counteds.map((c) => c.a).sort(), [1, 2, 3], "calls of the function");
  assert.deepEqual(counteds[1], { a: counteds[1].a, b: 2, part: { c: 2 }, again: { c: 2, d: 2 } });
});

const CASES = [
  [`{ title: { eq: "a" } }`, `title = 'a'`],
  [`{ title: { neq: "a" } }`, `title <> 'a'`],
  [`{ title: { isnull: true } }`, `title is null`],
  [`{ title: { gt: "10" } }`, `title > '10'`],
  [`{ title: { contains: "\\"quoted\\" \\\\" } }`, `strpos(title, '"quoted" \\') > 0`],
  [`{ title: { in: ["a", "9"] } }`, `title in ('a', '9')`],
  [`{ rating: { gt: "9" } }`, `rating > 9`],
  [`{ rating: { in: ["10", "9.50"] } }`, `rating in (10, 9.5)`],
  [`{ bigNumber: { eq: "9007199254740993" } }`, `big = 9007199254740993`],
  [`{ bigNumber: { lte: "9" } }`, `big <= 9`],
  [`{ score: { lt: 0.5 } }`, `score < 0.5`],
  [`{ published: { eq: false } }`, `published = false`],
  [`{ published: { isnull: false } }`, `published is not null`],
  [`{ state: { eq: IN_PROGRESS } }`, `state = 'in progress'`],
  [`{ state: { in: [SAY_SO, OPEN] } }`, `state in ('OPEN', 'say "so"')`],
  [`{ madeAt: { gte: "2024-03-03T13:00:00.5+01:00" } }`, `made >= '2024-03-03T13:00:00.5+01:00'`],
  [`{ day: { lt: "2024-02-28" } }`, `day < '2024-02-28'`],
  [`{ tags: { contains: ["t1"] } }`, `tags @> '{t1}'`],
  [`{ tags: { eq: [] } }`, `tags = '{}'`],
  [`{ tags: { isnull: true } }`, `tags is null`],
  [`{ tags: { overlaps: ["x,\\"y", "no"] } }`, `'x,"y' = any (tags)`],
  [`{ ip: { eq: "10.0.0.3" } }`, `ip = '10.0.0.3'`],
  [`{ bytes: { eq: "AP8=" } }`, `true`],
  [`{ place: { no: { gte: 4 }, street: { endswith: "5" } } }`, `n = 5`],
  [`{ place: { area: { eq: "2.2" } } }`, `n = 2`],
  [`{ place: { tags: { contains: ["p"] } } }`, `true`],
  [`{ author: { name: { eq: "author 3" } } }`, `n = 3`],
  [`{ author: { isnull: true } }`, `n = 2`],
  [`{ author: { id: { eq: "30" } } }`, `n = 3`],
  [`{ author: { address: { spot: { lat: { gt: 4 } } } } }`, `n <> 2 and n * 1.5 > 4`],
  [`{ author: { address: { spot: { lon: { isnull: true } } } } }`, `true`],
  [`{ author: { OR: [{ name: { eq: "author 1" } }, { address: { city: { eq: "city 4" } } }] } }`, `n in (1, 4)`],
  [`{ NOT: { author: { name: { eq: "author 1" } } } }`, `n not in (1, 2)`],
  [`{ comments: { isnull: true } }`, `n >= 3`],
  [`{ comments: { some: { body: { eq: "b1" } } } }`, `n = 1`],
  [`{ comments: { some: { likes: { contains: [2] } } } }`, `n = 2`],
  [`{ comments: { some: {} } }`, `n < 3`],
  [`{ comments: { none: { body: { eq: "b1" } } } }`, `n <> 1`],
  [`{ comments: { none: {} } }`, `n >= 3`],
  [`{ comments: { every: { body: { startswith: "b" } } } }`, `n >= 3`], // one of the others is null
  [`{ comments: { some: { NOT: { body: { eq: "b1" } } } } }`, `n = 2`],
  [`{ comments: { some: { body: { isnull: true } } } }`, `n < 3`],
  [`{ extra: { contains: { any: [1] } } }`, `true`],
  [`{ weIrdKeyS: { eq: 4 } }`, `n = 4`],
  [`{ camelKey: { eq: "c2" }, snakeCaseKey: { eq: "k" } }`, `n = 2`],
  [`{ missing: { isnull: true } }`, `true`],
  [`{ missing: { neq: "x" } }`, `false`],
  [`{ id: { eq: "00000000-0000-4000-9000-000000000002" } }`, `n = 2`],
];

test("conditions on keys are those of SQL on the values", async () => {
  for (const [where, sql] of CASES) {
    const expected = await bySql(`select n o, n j from public.tb_post where tenant_id = '${ACME}' and (${sql})`);
    const { posts } = await daemon.data(`{ posts(where: ${where}) { n } }`);
    assert.deepEqual(posts.map((p) => p.n), expected, where);
    // With a list below it, the page is a subquery.
    assert.deepEqual((await daemon.data(`query ($w: PostWhereInput) { posts(where: $w) { n } }`, { variables: { w: { AND: [{ n: { gte: 0 } }] } } })).posts.length, 5);
  }
});

test("order by keys is SQL's order by the values", async () => {
  for (const [order, sql] of [
    ["{ title: ASC }", "title"],
    ["{ rating: DESC }", "rating desc"],
    ["{ bigNumber: ASC_NULLS_FIRST }", "big nulls first"],
    ["{ score: DESC_NULLS_LAST }", "score desc nulls last"],
    ["{ published: ASC }, { day: DESC }", "published, day desc"],
    ["{ state: DESC }", "state desc"],
    ["{ madeAt: DESC }", "made desc"],
    ["{ author: { address: { spot: { lat: DESC_NULLS_LAST } } } }", "case when n <> 2 then n end desc nulls last"],
    ["{ place: { no: DESC } }", "n desc"],
  ]) {
    const rows = await shared.sql(database, `select n from public.tb_post where tenant_id = '${ACME}' order by ${sql}, id`);
    const { posts } = await daemon.data(`{ posts(orderBy: [${order}]) { n } }`);
    assert.deepEqual(posts.map((p) => String(p.n)), rows.trim().split("\n"), order);
  }
  assert.equal((await daemon.refusal("{ posts(orderBy: [{ extra: ASC }]) { n } }")).extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

test("aggregates, groups, distinct rows and pages by keys", async () => {
  const { postsAggregate, postsGroupBy, posts } = await daemon.data(`{
    postsAggregate(where: { title: { isnull: false } }) {
      count sum { rating bigNumber score } avg { rating } min { title day } max { madeAt state } countDistinct(field: published) }
    postsGroupBy(by: [published], orderBy: [{ published: ASC }]) { published count max { rating } }
    posts(distinctOn: [published]) { published n } }`);
  const [expected] = await bySql(
    `select 1 o, json_build_object('count', count(*), 'countDistinct', count(distinct published),
       'sum', json_build_object('rating', sum(rating)::text, 'bigNumber', sum(big)::text, 'score', sum(score)),
       'avg', json_build_object('rating', avg(rating)::text), 'min', json_build_object('title', min(title), 'day', min(day)),
       'max', json_build_object('madeAt', to_char(max(made) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS'), 'state', 'SAY_SO')) j
       from public.tb_post where tenant_id = '${ACME}' and title is not null`,
  );
  const zone = ({ madeAt, ...more }) => ({ ...more, madeAt: madeAt.replace(/0*Z$/, "").replace(/0+$/, "") });
  assert.deepEqual({ ...postsAggregate, count: Number(postsAggregate.count), countDistinct: Number(postsAggregate.countDistinct), max: zone(postsAggregate.max) },
    { ...expected, max: zone(expected.max) });
  assert.deepEqual(postsGroupBy.map((g) => [g.published, Number(g.count), g.max.rating]), [[false, 2, "9.5"], [true, 2, "10"], [null, 1, "100000000000000000000"]]);
  assert.deepEqual(posts.map((p) => p.published).sort(), [false, true, null].sort());
  const pages = [];
  for (let after = null, more = true; more;) {
    const { postsConnection } = await daemon.data(
      `query ($after: String) { postsConnection(orderBy: [{ rating: DESC_NULLS_LAST }, { author: { name: ASC } }], first: 2, after: $after) {
         nodes { n title } pageInfo { hasNextPage endCursor } } }`,
      { variables: { after } },
    );
    pages.push(...postsConnection.nodes.map((node) => node.n));
    ({ hasNextPage: more, endCursor: after } = postsConnection.pageInfo);
  }
  assert.deepEqual(pages, [3, 1, 2, 5, 4]);
});

test("another tenant's documents are neither seen nor found nor counted in an order", async () => {
  const token = tokenFor(GLOBEX);
  assert.deepEqual(await daemon.data(`{ posts(where: { title: { isnull: false } }, orderBy: [{ rating: ASC }]) { n title author { name } } }`, { token }), {
    posts: [{ n: 6, title: "globex", author: { name: "author 6" } }],
  });
  assert.deepEqual(await daemon.data(`{ posts(where: { author: { name: { eq: "author 1" } } }) { n } post(id: "00000000-0000-4000-9000-000000000001") { title } }`, { token }), {
    posts: [],
    post: null,
  });
});

async function doc(json, fields, more = "") {
  await shared.sql(database, `insert into public.tv_doc values (1, '${ACME}', 'l', $j$${json}$j$) on conflict (id) do update set data = excluded.data`);
  const { body } = await daemon.post(`{ doc(id: 1) { ${fields} } }${more}`);
  return body;
}

test("values of the declared kind, as they are", async () => {
  const good = {
    s: 'a"\\\n', i: -2147483648, b: 9223372036854775807n, f: 1.25, d: "12345678901234567890.10", t: false,
    u: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", day: "2024-02-29", at: "2024-02-29T11:00:00+00:00", local: "2024-02-29T11:00:00", clock: "11:00:00",
    span: "P1DT2H", state: "in progress", any: { a: [1, { b: null }] }, key: 5, net: "10.0.0.0/8", list: [1, null, 3], strict: [], grid: [[1], []],
  };
  const json = JSON.stringify(good, (k, v) => (typeof v === "bigint" ? Number(v) : v))
    .replace("9223372036854776000", "9223372036854775807")
    .replace('"12345678901234567890.10"', "12345678901234567890.10");
  const { data, errors } = await doc(json, "s i b f d t u day at local clock span state any key net list strict grid label");
  assert.equal(errors, undefined);
  assert.deepEqual(data.doc, { ...good, b: "9223372036854775807", state: "IN_PROGRESS", key: "5", label: "l" });
  // Strings of numbers, and whole numbers with a point.
  assert.deepEqual((await doc('{"b": "12", "d": "1.50", "i": 3.0, "key": "k", "f": 7}', "b d i key f")).data.doc, { b: "12", d: "1.50", i: 3, key: "k", f: 7 });
});

test("missing keys, JSON's null and SQL's null are null", async () => {
  const nulls = { s: null, i: null, any: null, list: null, sure: null, sures: null, parent: null, label: "l" };
  const fields = "s i any list sure { x } sures { x } parent { s } label";
  for (const json of ["{}", "null", '{"s": null, "i": null, "any": null, "list": null, "sure": null, "sures": null, "parent": null}']) {
    assert.deepEqual(await doc(json, fields), { data: { doc: nulls } }, json);
  }
  await shared.sql(database, "update public.tv_doc set data = null where id = 1");
  assert.deepEqual(await daemon.data(`{ doc(id: 1) { ${fields} } }`), { doc: nulls });
  for (const [json, is] of [["{}", true], ['{"any": null}', true], ['{"any": 1}', false], ['{"any": {}}', false]]) {
    await doc(json, "s");
    assert.deepEqual((await daemon.data(`{ docs(where: { any: { isnull: true } }) { id } }`)).docs.length, is ? 1 : 0, json);
  }
});

test("a value of another kind is null with an error at its path, and the rest stands", async () => {
  const wrong = {
    s: ["1", "true", "{}", "[]"],
    i: ["2147483648", "1.5", '"1"', "true", "[]", "1e20"],
    b: ["9223372036854775808", "1.5", '"x"', "{}"],
    f: ['"1"', '"NaN"', "true"],
    d: ['"x"', "[]", "true"],
    t: ["0", '"true"'],
    u: ['"a0eebc99"', "1", '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g"'],
    day: ['"2024-02-30"', '"yesterday"', "20240229"],
    at: ['"2024-02-29T11:00:00"', '"now"'],
    local: ['"2024-02-29T11:00:00Z"'],
    clock: ['"25:00"'],
    span: ['"1 day"'],
    state: ['"IN_PROGRESS"', '"closed"', "1"],
    key: ["1.5", "true", "{}"],
    net: ['"10.0.0.1/8"', '"x"'],
    list: ["1", '"[]"', "{}"],
  };

  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const { data, errors } = await doc(`{"${field}": ${value}, "zzz": 1}`, `label ${field}`);
      assert.deepEqual(data, { doc: { label: "l", [field]: null } }, value);
      assert.deepEqual(errors.map((e) => [e.path, e.extensions.code]), [[["doc", field], "INTERNAL_SERVER_ERROR"]], value);
    }
  }
  const inside = await doc('{"list": [1, "x", 2], "grid": [[1], ["y"]], "sures": [{"x": 1}, 5, {"x": "z"}, null], "sure": []}', "list grid sures { x } sure { x }");
  assert.deepEqual(inside.data.doc, { list: [1, null, 2], grid: null, sures: [{ x: 1 }, null, null, null], sure: null });
  assert.deepEqual(inside.errors.map((e) => e.path), [
    ["doc", "list", 1],
    ["doc", "grid", 1, 0],
    ["doc", "sures", 1],
    ["doc", "sures", 2, "x"],
    ["doc", "sure"],
  ]);
  const none = await doc("[1]", "s i");
  assert.deepEqual(none.data, { doc: { s: null, i: null } });
  assert.deepEqual(none.errors.map((e) => e.path), [["doc", "s"], ["doc", "i"]]);
});

test("null where none may be goes to the nearest that may", async () => {
  const { data, errors } = await doc('{"strict": [1, null], "grid": [[1], null], "sure": {}, "sures": [{"x": 1}, {"x": null}], "children": [{"s": "a"}, null]}',
    "strict grid sure { x } sures { x } children { s } label");
  assert.deepEqual(data.doc, { strict: null, grid: null, sure: null, sures: [{ x: 1 }, null], children: null, label: "l" });
  assert.deepEqual(errors.map((e) => e.path), [
    ["doc", "strict", 1],
    ["doc", "grid", 1],
    ["doc", "sure", "x"],
    ["doc", "sures", 1, "x"],
    ["doc", "children", 1],
  ]);
});

test("documents in documents, also of the same type", async () => {
  const json = '{"s": "root", "parent": {"s": "up", "i": 7, "parent": {"s": "top"}}, "children": [{"s": "c", "children": [{"i": 1, "label": "in the document"}]}]}';
  assert.deepEqual((await doc(json, "s parent { s i parent { s parent { s } } } children { children { i } }")).data.doc, {
    s: "root",
    parent: { s: "up", i: 7, parent: { s: "top", parent: null } },
    children: [{ children: [{ i: 1 }] }],
  });
  const count = async (where) => (await daemon.data(`{ docs(where: ${where}) { id } }`)).docs.length;
  assert.equal(await count(`{ parent: { parent: { s: { eq: "top" } } } }`), 1);
  assert.equal(await count(`{ parent: { parent: { s: { eq: "up" } } } }`), 0);
  assert.equal((await daemon.data(`{ docs(orderBy: [{ parent: { parent: { i: ASC } } }]) { id } }`)).docs.length, 1);
});

test("large and deep documents", async () => {
  const deep = "[".repeat(2000) + "]".repeat(2000);
  const { data } = await doc(`{"any": ${deep}, "s": "${"x".repeat(100000)}", "list": [${"1,".repeat(9999)}1]}`, "s list any");
  assert.equal(data.doc.s.length, 100000);
  assert.equal(data.doc.list.length, 10000);
  assert.equal(JSON.stringify(data.doc.any), deep);
});

test("a document that no longer fits fails the conditions on it, not the daemon", async () => {
  await doc('{"i": "x"}', "s");
  const { body } = await daemon.post(`{ docs(where: { i: { eq: 1 } }) { id } }`);
  assert.equal(body.errors[0].extensions.code, "BAD_USER_INPUT");
  assert.deepEqual((await daemon.data(`{ docs(where: { i: { eq: 1 } }) { id } }`, { token: tokenFor(GLOBEX) })).docs, [], "row security comes first");
});

test("a column with a document is an object, a list or a shape; without declaration it stays JSON", async () => {
  const { body } = await daemon.post(`{ settings { config { theme sizes } shapes { no area street tags } list plain } }`);
  assert.deepEqual(body.data.settings, [
    { config: { theme: "dark", sizes: [1, null] }, shapes: { no: 3, area: "1.50", street: "s", tags: ["t"] }, list: ["a", "b"], plain: { any: 1 } },
    { config: null, shapes: null, list: null, plain: null },
    { config: null, shapes: { no: null, area: null, street: null, tags: null }, list: [], plain: [] },
  ]);
  assert.deepEqual(body.errors.map((e) => e.path), [["settings", 2, "config", "theme"]]);
  const ids = async (where) => (await daemon.data(`{ settings(where: ${where}, orderBy: [{ config: { theme: ASC } }]) { id } }`)).settings.map((s) => s.id);
  assert.deepEqual(await ids(`{ config: { theme: { eq: "dark" } } }`), ["1"]);
  assert.deepEqual(await ids(`{ shapes: { area: { lt: "2" }, tags: { contains: ["t"] } } }`), ["1"]);
  assert.deepEqual(await ids(`{ shapes: { isnull: true } }`), ["2"]);
  assert.deepEqual(await ids(`{ config: { isnull: false } }`), ["1", "3"]);
  assert.deepEqual(await ids(`{ list: { isnull: true } }`), ["2"]);
});

test("documents declared in an SDL file", async () => {
  const other = await createDatabase();
  await shared.sql(
    other,
    `create table public.tv_post (id uuid primary key, tenant_id uuid not null, data jsonb, extra jsonb);
     alter table public.tv_post enable row level security;
     create policy tenant on public.tv_post using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);
     grant select on public.tv_post to app_user;
     insert into public.tv_post values
       (gen_random_uuid(), '${ACME}', '{"title": "t", "view_count": 3, "Old Name": "o", "writer": {"full_name": "w", "home": {"city": "c"}}, "readers": [{"full_name": "r"}]}', '{"city": "e"}'),
       (gen_random_uuid(), '${GLOBEX}', '{"title": "g", "view_count": 9}', null);`,
  );
  const file = writeFile("graphql", `
    type Post @source(relation: "tv_post", column: "data") {
      id: ID!
      "How it is called."
      title: String!
      viewCount: Int
      name: String @column(name: "Old Name")
      writer: Person
      readers: [Person!]
      extra: Home
    }
    type Person { fullName: String! home: Home }
    type Home { city: String }`);
  const config = { schema: { sdl_file: file, expose: { tables: ["tv_post"] } } };
  const served = await start(other, config);
  try {
    const query = `{ posts(where: { writer: { home: { city: { eq: "c" } } } }, orderBy: [{ viewCount: DESC }]) {
      title viewCount name writer { __typename fullName home { city } } readers { fullName home { city } } extra { __typename city } } }`;
    assert.deepEqual((await served.data(query)).posts, [
      {
        title: "t",
        viewCount: 3,
        name: "o",
        writer: { __typename: "Person", fullName: "w", home: { city: "c" } },
        readers: [{ fullName: "r", home: null }],
        extra: { __typename: "Home", city: "e" },
      },
    ]);
    assert.deepEqual((await served.data(`{ posts(where: { viewCount: { gt: 1 } }) { title } }`, { token: tokenFor(GLOBEX) })).posts, [{ title: "g" }]);
    const { __type } = await served.data(`{ __type(name: "Post") { fields { name description } } }`);
    assert.deepEqual(__type.fields.map((f) => f.name).filter((name) => name !== "nodeId"), ["id", "title", "viewCount", "name", "writer", "readers", "extra"]);
    assert.equal(__type.fields[1].description, "How it is called.");
  } finally {
    await served.stop();
  }
});

test("documents that are printed as SDL with its directives load back as they were", async () => {
  const config = { schema: { expose: { tables: ["tv_doc", "settings"] } } };
  const printed = await program(["schema", "print", "-c", writeConfiguration(configuration(database, config))]);
  const source = await program(["schema", "print", "--from-db", "-c", writeConfiguration(configuration(database, config))]);
  assert.equal(source.code, 0, source.stderr);
  assert.match(source.stdout, /type Post @source\(relation: "public.v_post", column: "data"\)/);
  const again = writeConfiguration(configuration(database, { schema: { ...config.schema, sdl_file: writeFile("graphql", source.stdout) } }));
  const reprinted = await program(["schema", "print", "-c", again]);
  assert.equal(reprinted.stdout, printed.stdout, reprinted.stderr);
});

test("what is wrong with declarations is told all at once, each with its place", async () => {
  const other = await createDatabase();
  await shared.sql(
    other,
    `create type public.pair as (a int); create schema more; create type more.pair as (a int); grant usage on schema more to app_user;
     create table public.one (id int primary key, name text, data jsonb, doc json, text text);
     comment on table public.one is $$@fraiseql:type
fields:
  id: Float
  name: [String]
  x: Nothing
  y: pair
  z: {deep: Unknown}
  a_b: Int
  aB: Int$$;
     comment on column public.one.doc is '@fraiseql:field
fields: {a: Int}';
     create table public.two (id int primary key, body text);
     comment on table public.two is '@fraiseql:type
fields: {a: Int}';
     create table public.three (id int primary key, body text);
     comment on table public.three is '@fraiseql:type
column: body
shape: public.nothing';
     create table public.four (id int primary key, data jsonb);
     comment on table public.four is '@fraiseql:type
shape: public.pair
fields: {a: Int}';
     grant select on public.one, public.two, public.three, public.four to app_user;`,
  );
  const file = writeConfiguration(configuration(other, { schema: { expose: { schemas: ["public", "more"], tables: ["one", "two", "three", "four"] } } }));
  const { status, stderr } = await program(["schema", "print", "-c", file]);
  assert.notEqual(status, 0);
  for (const expected of [
    /"public\.one":3:3: field "id" is declared as Float, but the column of that name is ID/,
    /field "name" is declared as \[String\], but the column of that name is String/,
    /"public\.one":5:6: there is no type "Nothing"/,
    /there are several types "pair"/,
    /"public\.one":7:13: there is no type "Unknown"/,
    /two fields of "One" would be named "aB"/,
    /only a column of type jsonb has a document/,
    /table "public\.two" has no column "data"/,
    /column "body" is not of type jsonb/,
    /there is no composite type "public\.nothing"/,
    /a document has fields or a shape, not both/,
  ]) {
    assert.match(stderr, expected);
  }
});
