// Connections: pages by cursor, compared with SQL's order of the same rows.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, GLOBEX, id, tokenFor, ZENITH } from "./support/token.mjs";

const database = await createDatabase();

// Values that are easily lost on the way through a text, in their order.
const TYPES = {
  int2: ["-32768", "0", "32767"],
  int4: ["-2147483648", "7", "2147483647"],
  int8: ["-9223372036854775808", "9007199254740993", "9223372036854775807"],
  float4: ["'-Infinity'", "-1e-45", "0.1", "16777216", "'Infinity'", "'NaN'"],
  float8: ["'-Infinity'", "-1.7e308", "4.9e-324", "0.1", "0.30000000000000004", "'Infinity'", "'NaN'"],
  numeric: ["-1e-40", "0.1", "0.10000000000000000000001", "123456789012345678901234567890", "'NaN'"],
  text: ["''", "' '", "E'a\\\\b\\nc\\t\"d'", "'null'", "'ü€🎉'"],
  "varchar(9)": ["'a'", "'a '", "'b'"],
  "char(5)": ["'a'", "'b'"],
  uuid: ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
  bool: ["false", "true"],
  date: ["'-infinity'", "'4713-01-01 BC'", "'2024-02-29'", "'12024-01-01'", "'infinity'"],
  time: ["'00:00'", "'12:34:56.789012'", "'24:00'"],
  timetz: ["'12:00+02'", "'12:00+00'", "'12:00-03:30'"],
  timestamp: ["'-infinity'", "'0044-03-15 12:00:00.000001 BC'", "'2024-01-01 00:00:00.123456'", "'infinity'"],
  timestamptz: ["'-infinity'", "'0044-03-15 12:00:00.000001+00 BC'", "'2024-01-01 00:00:00.123456+05:30'", "'infinity'"],
  interval: ["'-1 year 2 days'", "'-00:00:00.000001'", "'1 mon -1 day 00:00:01.5'", "'100 years'"],
  bytea: ["''", "'\\x00'", "'\\xff00fe'"],
  user_role: ["'owner'", "'admin'", "'billing contact'"],
  inet: ["'10.0.0.1'", "'10.0.0.1/8'", "'::1'"],
  cidr: ["'10.0.0.0/8'", "'::/0'"],
  macaddr: ["'00:00:00:00:00:00'", "'ff:ff:ff:ff:ff:ff'"],
  oid: ["0", "4294967295"],
  bit: ["B'0'", "B'1'"],
  int4range: ["'empty'", "'[1,5)'", "'[1,)'"],
  "name": ["'a'", "'b'"],
};
const typed = Object.keys(TYPES);

await shared.sql(
  database,
  `create table owners (id int primary key, word text, rank int);
   insert into owners select n, nullif('word ' || n % 5, 'word 3'), nullif(n % 4, 0) from generate_series(1, 12) n;
   create table things (id int primary key, owner_id int references owners, a int, b text, c int not null, d float8 not null,
                        doc jsonb);
   insert into things
     select n, nullif(n % 13, 0), nullif(n % 7, 3), nullif(chr(97 + n % 6), 'd'), n % 5,
            case n % 4 when 0 then 'NaN' when 1 then '-Infinity' else n % 9 / 7.0 end
       from generate_series(1, 1000) n;
   create table "odd ""keys" ("k ""1" text, "k 2" date, part text[], primary key ("k ""1", "k 2", part));
   insert into "odd ""keys" select 'k"' || n % 3, date '2024-01-01' + n % 5, array['x', 'y ' || n] from generate_series(1, 60) n;
   create view v_thing as select * from things;
   create view v_owner as select * from owners;
   create view v_odd_key as select * from "odd ""keys";
   create table parts (pk_part int primary key, id uuid not null unique, title text);
   insert into parts select n, ('00000000-0000-4000-8000-' || lpad((n * 7919 % 100)::text, 12, '0'))::uuid, 'part ' || n % 3
     from generate_series(1, 50) n;
   create view v_part as select * from parts;
   comment on view v_part is E'@fraiseql:type\\ntrinity: true';
   create table marks (pk_mark int primary key, title text, doc json);
   insert into marks select n, 'mark ' || n % 20, json_build_object('n', n % 20) from generate_series(1, 40) n;
   create view v_mark as select * from marks;
   comment on view v_mark is E'@fraiseql:type\\nhide: [pk_mark]';
   create table documents (doc json);
   create view v_document as select * from documents;
   create schema elsewhere; create extension citext schema elsewhere; create extension ltree schema elsewhere;
   grant usage on schema elsewhere to app_user;
   create type spot as (city text, n int);
   create table words (id int primary key, word elsewhere.citext not null, other elsewhere.citext, path elsewhere.ltree, spot spot,
                       data jsonb);
   insert into words select n, (case n % 2 when 0 then 'W' else 'w' end || n % 7)::elsewhere.citext,
       nullif(case n % 3 when 0 then 'X' else 'x' end || n % 5, 'x4')::elsewhere.citext, ('a.' || n % 4)::elsewhere.ltree,
       case when n % 6 > 0 then row(case when n % 5 > 0 then 'c' || n % 4 end, n % 3)::spot end,
       case when n % 8 > 0 then jsonb_build_object('title', 't' || n % 4, 'size', case when n % 3 > 0 then n % 11 * 1.5 end) end
     from generate_series(1, 90) n;
   create view v_word as select * from words;
   comment on view v_word is E'@fraiseql:type\\nfields:\\n  title: String!\\n  size: Decimal';
   create view v_tally as select a, b, count(*) as n, null::json as doc from things group by a, b;
   create table typed (id int primary key, ${typed.map((type, i) => `c${i} ${type}`).join(", ")});
   insert into typed select n, ${typed
     .map((type) => `(array[null, ${TYPES[type].map((value) => `(${value})::${type}`).join(", ")}]::${type}[])[n % ${TYPES[type].length + 1} + 1]`)
     .join(", ")} from generate_series(1, 24) n;
   create view v_typed as select * from typed;
   create table cards (id int primary key, tenant_id uuid not null, title text not null);
   create index on cards (title, id);
   create index on cards (tenant_id, title, id);
   insert into cards select n, case n % 2 when 0 then '${ACME}' else '${GLOBEX}' end::uuid, 'card ' || n / 4 from generate_series(1, 20000) n;
   create view v_card with (security_invoker) as select * from cards;
   alter table cards enable row level security;
   create policy one_tenant on cards to app_user
     using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
   create view v_open_card as select * from cards where tenant_id = '${ACME}';
   analyze;
   grant select on v_thing, v_owner, v_word, v_odd_key, v_tally, v_typed, v_part, v_mark, v_document, cards, v_card, v_open_card to app_user`,
);
const more = { schema: { pagination: { default_limit: 50, max_limit: 1000 } }, security: { max_complexity: 0 } };
const daemon = await start(database, more);
after(() => daemon.stop());

const rows = (query) => shared.rows(database, query);

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const decode = (cursor) => JSON.parse(Buffer.from(cursor, "base64url").toString());

const WALK = (field, node, args = "") => `query ($first: Int, $after: String, $last: Int, $before: String) {
  page: ${field}(${args} first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { ${node} } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

/** All nodes, page by page: in the order of the connection, whichever end it begins at. */
async function walk(query, size, backward, options = {}) {
  const nodes = [];
  let cursor;
  for (let pages = 0; ; pages++) {
    const variables = backward ? { last: size, before: cursor } : { first: size, after: cursor };
    const { page } = await daemon.data(query, { ...options, variables });
    const { edges, pageInfo } = page;
    assert.ok(edges.length <= size && pages < 1200);
    assert.deepEqual(
      [pageInfo.startCursor, pageInfo.endCursor],
      [edges[0]?.cursor ?? null, edges.at(-1)?.cursor ?? null],
    );
    const found = edges.map((edge) => edge.node);
    nodes.splice(backward ? 0 : nodes.length, 0, ...found);
    assert.equal(backward ? pageInfo.hasNextPage : pageInfo.hasPreviousPage, pages > 0);
    if (!(backward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) {
      return nodes;
    }
    assert.equal(edges.length, size);
    cursor = backward ? pageInfo.startCursor : pageInfo.endCursor;
  }
}

const DIRECTIONS = {
  ASC: "asc",
  DESC: "desc",
  ASC_NULLS_FIRST: "asc nulls first",
  ASC_NULLS_LAST: "asc nulls last",
  DESC_NULLS_FIRST: "desc nulls first",
  DESC_NULLS_LAST: "desc nulls last",
};

for (const [first, firstSql] of Object.entries(DIRECTIONS)) {
  test(`1000 rows in pages, both ways, by a ${first} and every other term, are SQL's`, async () => {
    const seconds = Object.entries(DIRECTIONS).flatMap(([direction, sql]) => [
      [`{b: ${direction}}`, `b ${sql}`],
      [`{c: ${direction}}`, `c ${sql}`],
      [`{owner: {word: ${direction}}}`, `o.word ${sql}`],
    ]);
    seconds.push([`{d: DESC}, {id: DESC}`, "d desc, t.id desc"], [`{owner: {rank: DESC}}, {c: DESC}`, "o.rank desc, c desc"]);
    await Promise.all(
      seconds.map(async ([second, secondSql], i) => {
        const expected = await rows(
          `select t.id::text from things t left join owners o on o.id = t.owner_id order by a ${firstSql}, ${secondSql}, t.id`,
        );
        const query = WALK("thingsConnection", "id", `orderBy: [{a: ${first}}, ${second}]`);
        assert.deepEqual(await walk(query, 150 + 7 * i, i % 2 === 0), expected, `${first} ${second}`);
        assert.deepEqual(await walk(query, 250 + i, i % 2 === 1), expected, `${first} ${second}`);
      }),
    );
  });
}

for (const [order, sql] of [
  ["[{c: ASC}]", "c"],
  ["[{c: DESC}]", "c desc"],
  ["[{c: DESC}, {d: DESC}, {id: DESC}]", "c desc, d desc, things.id desc"],
  ["[{d: ASC}, {c: DESC}]", "d, c desc"],
  ["[{d: ASC_NULLS_FIRST}, {c: ASC}, {id: ASC}]", "d, c, things.id"],
  ["[]", "things.id"],
]) {
  test(`rows that cannot be null, by ${order}, are SQL's`, async () => {
    const expected = await rows(`select id::text from things order by ${sql}${sql === "things.id" ? "" : ", things.id"}`);
    const query = WALK("thingsConnection", "id", `orderBy: ${order}`);
    assert.deepEqual(await walk(query, 93, false), expected);
    assert.deepEqual(await walk(query, 93, true), expected);
  });
}

test("a page of one row at a time keeps the values of every type", async () => {
  for (const [i, type] of typed.entries()) {
    for (const [direction, sql] of [["ASC", "asc"], ["DESC_NULLS_LAST", "desc nulls last"]]) {
      const expected = await rows(`select id::text from typed order by c${i} ${sql}, typed.id`);
      const query = WALK("typedsConnection", "id", `orderBy: [{c${i}: ${direction}}]`);
      assert.deepEqual(await walk(query, 1, false), expected, type);
      assert.deepEqual(await walk(query, 5, true), expected, type);
    }
  }
});

for (const [order, sql] of [
  ["[{word: ASC}, {id: ASC}]", "word, id"],
  ["[{other: DESC_NULLS_LAST}, {word: ASC}]", "other desc nulls last, word, id"],
  ["[{path: DESC}, {other: ASC}]", "path desc, other, id"],
  ["[{spot: {city: DESC}}, {spot: {n: ASC_NULLS_FIRST}}]", "(spot).city desc, (spot).n nulls first, id"],
  ["[{title: ASC}, {size: DESC}]", "data->>'title', (data->>'size')::numeric desc, id"],
]) {
  test(`operators of extensions, parts of composites and keys of documents: ${order}`, async () => {
    const expected = (await rows(`select id from words order by ${sql}`)).map((row) => ({ id: String(row.id) }));
    const query = WALK("wordsConnection", "id", `orderBy: ${order}`);
    assert.deepEqual(await walk(query, 4, false), expected);
    assert.deepEqual(await walk(query, 7, true), expected);
  });
}

test("a key of several columns, one of them a list, with names to be quoted, is walked", async () => {
  const expected = await rows(`select "k ""1" as "k1", "k 2" as "k2", part from "odd ""keys" order by 1, 2, 3`);
  const query = WALK("oddKeysConnection", "k1 k2 part");
  assert.deepEqual(await walk(query, 7, false), expected);
  assert.deepEqual(await walk(query, 7, true), expected);
});

test("a relation without key is walked by all columns that have an order", async () => {
  const expected = await rows(`select a, b, n::text from (select a, b, count(*) as n from things group by a, b) t order by n desc, a, b`);
  const query = WALK("talliesConnection", "a b n", "orderBy: [{n: DESC}]");
  assert.deepEqual(await walk(query, 4, false), expected);
  assert.deepEqual(await walk(query, 4, true), expected);
});

test("a cursor holds nothing of a hidden column: another key, or no key, takes its place", async () => {
  const cursors = async (field) =>
    (await daemon.data(`{ page: ${field}(orderBy: [{title: DESC}]) { edges { cursor } } }`)).page.edges.map(({ cursor }) => decode(cursor).slice(1));
  assert.deepEqual(await cursors("partsConnection"), (await rows("select title, id from parts order by title desc, id")).map(({ title, id }) => [title, id]));
  const query = WALK("partsConnection", "id", "orderBy: [{title: DESC}]");
  assert.deepEqual(await walk(query, 7, true), await rows("select id from parts order by title desc, id"));
  // Without a key, rows that agree are one place, behind which the next page begins.
  assert.deepEqual((await cursors("marksConnection"))[0], ["mark 9"]);
  const { page } = await daemon.data(WALK("marksConnection", "title"), { variables: { first: 3 } });
  const next = await daemon.data(WALK("marksConnection", "title"), { variables: { first: 2, after: page.pageInfo.endCursor } });
  assert.deepEqual(
    [page, next.page].map(({ edges }) => edges.map((edge) => edge.node.title)),
    [["mark 0", "mark 0", "mark 1"], ["mark 10", "mark 10"]],
  );
  const { extensions } = await daemon.refusal("{ documentsConnection { totalCount } }");
  assert.equal(extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

test("rows that come and go between the pages neither hide nor repeat the others", async () => {
  const query = WALK("thingsConnection", "id a", "orderBy: [{a: DESC_NULLS_LAST}], where: {c: {lt: 4}}");
  const sql = "select id::text, a from things where c < 4 order by a desc nulls last, things.id";
  const all = await rows(sql);
  const seen = [];
  let after;
  for (let page = 0; ; page++) {
    const { page: { edges, pageInfo } } = await daemon.data(query, { variables: { first: 60, after } });
    seen.push(...edges.map((edge) => edge.node));
    if (!pageInfo.hasNextPage) {
      break;
    }
    after = pageInfo.endCursor;
    // The row of the cursor itself, one already seen, one still to come; and new ones on both sides.
    const gone = [edges.at(-1).node.id, edges[3].node.id];
    await shared.sql(
      database,
      `delete from things where id in (${gone}); insert into things (id, a, c, d) values (${2000 + page}, 99, 0, 0), (${3000 + page}, null, 0, 0)`,
    );
  }
  const late = seen.filter((row) => Number(row.id) >= 3000);
  assert.ok(late.length > 5);
  assert.deepEqual(seen.filter((row) => Number(row.id) < 2000), all);
  assert.equal(new Set(seen.map((row) => row.id)).size, seen.length);
  await shared.sql(
    database,
    `delete from things where id >= 2000;
     insert into things select n, nullif(n % 13, 0), nullif(n % 7, 3), nullif(chr(97 + n % 6), 'd'), n % 5,
       case n % 4 when 0 then 'NaN' when 1 then '-Infinity' else n % 9 / 7.0 end
       from generate_series(1, 1000) n on conflict do nothing`,
  );
});

test("edges, nodes, aliases and relations below are those of the list", async () => {
  const data = await daemon.data(`{
    projectsConnection(where: {status: {eq: "ACTIVE"}}, orderBy: [{owner: {name: DESC}}, {name: ASC}], first: 5) {
      edges { __typename node { id owner { name } tasks(limit: 2) { title } } again: cursor }
      nodes { name tasks(limit: 1, orderBy: [{title: DESC}]) { id } }
      __typename
      more: pageInfo { __typename hasNextPage }
      n: totalCount
    }
    projects(where: {status: {eq: "ACTIVE"}}, orderBy: [{owner: {name: DESC}}, {name: ASC}], limit: 5) {
      id name owner { name } tasks(limit: 2) { title } last: tasks(limit: 1, orderBy: [{title: DESC}]) { id }
    }
  }`);
  const connection = data.projectsConnection;
  const [{ n }] = await rows(`select count(*)::int as n from projects where tenant_id = '${ACME}' and status = 'ACTIVE'`);
  assert.ok(n > 5);
  assert.deepEqual(connection.edges.map((edge) => edge.node), data.projects.map(({ id, owner, tasks }) => ({ id, owner, tasks })));
  assert.deepEqual(connection.nodes, data.projects.map(({ name, last }) => ({ name, tasks: last })));
  assert.equal(connection.n, n);
  assert.equal(connection.__typename, "ProjectConnection");
  assert.equal(connection.edges[0].__typename, "ProjectEdge");
  assert.deepEqual(connection.more, { __typename: "PageInfo", hasNextPage: true });
  assert.equal(new Set(connection.edges.map((edge) => edge.again)).size, 5);
});

test("a connection hangs on each row of its parent", async () => {
  const query = `query ($after: String) {
    projects(limit: 20) {
      id
      tasksConnection(where: {status: {neq: "DONE"}}, orderBy: [{priority: DESC}], first: 3, after: $after) {
        totalCount
        nodes { id }
        pageInfo { hasNextPage hasPreviousPage endCursor }
        edges { node { commentsConnection(last: 1) { totalCount nodes { body } } } }
      }
    }
  }`;
  const data = await daemon.data(query);
  const page = "t.status <> 'DONE' and t.project_id = p.id";
  const expected = await rows(`select p.id,
      (select count(*)::int from tasks t where ${page}) as "totalCount",
      (select coalesce(json_agg(t), '[]') from (select t.id from tasks t where ${page} order by priority desc, id limit 3) t) as nodes,
      (select coalesce(json_agg(t), '[]') from (select t.id,
          (select count(*)::int from comments c where c.task_id = t.id) as n,
          (select c.body from comments c where c.task_id = t.id order by c.id desc limit 1) as body
        from tasks t where ${page} order by priority desc, id limit 3) t) as comments
    from projects p where tenant_id = '${ACME}' order by id limit 20`);
  for (const [i, { id, totalCount, nodes, comments }] of expected.entries()) {
    const { tasksConnection: connection, ...project } = data.projects[i];
    assert.deepEqual({ ...project, totalCount: connection.totalCount, nodes: connection.nodes }, { id, totalCount, nodes });
    assert.equal(connection.pageInfo.hasNextPage, totalCount > 3);
    assert.equal(connection.pageInfo.hasPreviousPage, false);
    assert.deepEqual(
      connection.edges.map((edge) => edge.node.commentsConnection),
      comments.map(({ n, body }) => ({ totalCount: n, nodes: body === null ? [] : [{ body }] })),
    );
  }
  assert.ok(expected.some((project) => project.totalCount > 3));
  // A cursor is a place, whose row need not be of this parent.
  const after = data.projects[0].tasksConnection.pageInfo.endCursor;
  const [{ id: last }] = data.projects[0].tasksConnection.nodes.slice(-1);
  const later = await daemon.data(query, { variables: { after } });
  assert.deepEqual(
    later.projects.map((project) => project.tasksConnection.nodes),
    (
      await rows(`select (select coalesce(json_agg(t), '[]') from (select t.id from tasks t, tasks l
          where l.id = '${last}' and ${page} and (-t.priority, t.id) > (-l.priority, l.id)
          order by t.priority desc, t.id limit 3) t) as nodes
        from projects p where tenant_id = '${ACME}' order by id limit 20`)
    ).map((project) => project.nodes),
  );
});

test("what lies around a page is told for every way to cut it", async () => {
  const ids = (await rows("select id from things order by id limit 10")).map((row) => row.id);
  const query = WALK("thingsConnection", "id", `where: {id: {in: [${ids}]}},`);
  const { page } = await daemon.data(query, { variables: { first: 10 } });
  const cursors = page.edges.map((edge) => edge.cursor);
  const places = [undefined, null, 0, 3, 4, 9];
  for (const after of places) {
    for (const before of places) {
      for (const size of [0, 1, 4, 5, 6, 10, undefined]) {
        for (const way of ["first", "last"]) {
          const from = typeof after === "number" ? after + 1 : 0;
          const to = typeof before === "number" ? before : ids.length;
          const range = ids.slice(from, Math.max(from, to));
          const n = size ?? 50;
          const cut = way === "first" ? range.slice(0, n) : range.slice(Math.max(0, range.length - n));
          const variables = {
            [way]: size,
            after: typeof after === "number" ? cursors[after] : after,
            before: typeof before === "number" ? cursors[before] : before,
          };
          const { page: got } = await daemon.data(query, { variables });
          const forward = way === "first" || size === undefined;
          const expected = forward && size === undefined ? range.slice(0, 50) : cut;
          assert.deepEqual(got.edges.map((edge) => Number(edge.node.id)), expected, JSON.stringify(variables));
          assert.deepEqual(
            { next: got.pageInfo.hasNextPage, previous: got.pageInfo.hasPreviousPage },
            {
              next: (forward && range.length > expected.length) || typeof before === "number",
              previous: (!forward && range.length > expected.length) || typeof after === "number",
            },
            JSON.stringify(variables),
          );
        }
      }
    }
  }
});

test("a page has schema.pagination's default, its maximum, and nothing beyond", async () => {
  const { thingsConnection } = await daemon.data("{ thingsConnection { nodes { id } pageInfo { hasNextPage } } }");
  assert.equal(thingsConnection.nodes.length, 50);
  assert.equal(thingsConnection.pageInfo.hasNextPage, true);
  for (const args of [
    "first: -1",
    "last: -1",
    "first: 1001",
    "last: 1001",
    "first: 1, last: 1",
    `after: ""`,
    `after: "x"`,
    `before: "not base64!"`,
  ]) {
    const literal = await daemon.refusal(`{ thingsConnection(${args}) { totalCount } }`);
    assert.equal(literal.extensions.code, "BAD_USER_INPUT", args);
    assert.equal(literal.locations.length, 1);
  }
  const query = `query ($first: Int, $last: Int, $after: String) {
    thingsConnection(first: $first, last: $last, after: $after) { totalCount }
  }`;
  for (const variables of [{ first: -1 }, { last: -1 }, { first: 1001 }, { last: 1001 }, { first: 1, last: 1 }, { after: "" }, { after: "x" }]) {
    const { extensions } = await daemon.refusal(query, { variables });
    assert.equal(extensions.code, "BAD_USER_INPUT", JSON.stringify(variables));
  }
  const data = await daemon.data(query, { variables: { first: null, last: null, after: null } });
  assert.equal(data.thingsConnection.totalCount, 1000);
});

test("a cursor is refused under another order, and for another relation", async () => {
  const cursorOf = async (field, args) =>
    (await daemon.data(`{ page: ${field}${args} { pageInfo { endCursor } } }`)).page.pageInfo.endCursor;
  const cursor = await cursorOf("thingsConnection", "(orderBy: [{a: ASC}, {owner: {word: DESC}}])");
  const ask = (field, orderBy) =>
    daemon.post(`query ($after: String) { page: ${field}(orderBy: ${orderBy}, after: $after) { nodes { id } } }`, {
      variables: { after: cursor },
    });
  for (const same of ["[{a: ASC}, {owner: {word: DESC}}]", "[{a: ASC_NULLS_LAST}, {owner: {word: DESC_NULLS_FIRST}}]"]) {
    assert.equal((await ask("thingsConnection", same)).body.errors, undefined, same);
  }
  for (const other of [
    "[]",
    "[{a: ASC}]",
    "[{a: DESC}, {owner: {word: DESC}}]",
    "[{a: ASC}, {owner: {word: ASC}}]",
    "[{a: ASC}, {owner: {word: DESC_NULLS_LAST}}]",
    "[{a: ASC}, {b: DESC}]",
    "[{owner: {word: DESC}}, {a: ASC}]",
    "[{a: ASC}, {owner: {word: DESC}}, {c: ASC}]",
  ]) {
    const { body } = await ask("thingsConnection", other);
    assert.equal(body.errors?.[0].extensions.code, "BAD_USER_INPUT", other);
  }
  const card = await cursorOf("cardsConnection", "");
  const open = await daemon.refusal(`{ openCardsConnection(after: "${card}") { totalCount } }`);
  assert.equal(open.extensions.code, "BAD_USER_INPUT");
});

test("a cursor that somebody made up finds a place or is refused, and does nothing else", async () => {
  const orderBy = "[{b: ASC}, {owner: {rank: DESC}}]";
  const { page } = await daemon.data(`{ page: thingsConnection(orderBy: ${orderBy}, first: 500) { pageInfo { endCursor } } }`);
  const [head, ...values] = decode(page.pageInfo.endCursor);
  assert.equal(values.length, 3);
  const query = `query ($after: String) { page: thingsConnection(orderBy: ${orderBy}, after: $after) { nodes { id } } }`;
  const ask = async (after) => {
    const { body } = await daemon.post(query, { variables: { after } });
    const literal = await daemon.post(`{ page: thingsConnection(orderBy: ${orderBy}, after: ${JSON.stringify(after)}) { nodes { id } } }`);
    assert.deepEqual([literal.body.data, literal.body.errors?.[0].extensions.code], [body.data, body.errors?.[0].extensions.code]);
    return body;
  };
  for (const [b, rank, key] of [
    ["c", 2, "77"],
    ["c", null, "77"],
    [null, null, "500"],
    ["'; drop table things; --", 1, "1"],
    ["c", "2", 5],
    ["", -1, "0"],
  ]) {
    const body = await ask(encode([head, b, rank, key]));
    assert.equal(body.errors, undefined, JSON.stringify(body));
    const quoted = b === null ? "null" : `'${b.replaceAll("'", "''")}'`;
    const expected = await rows(`select id::text from (
        select t.id, row_number() over w as n, (t.b is not distinct from ${quoted} and o.rank is not distinct from ${rank}
          and t.id = ${key}) as here from
          (select id, b, owner_id from things union all select ${key}, ${quoted}, -1) t
          left join (select id, rank from owners union all select -1, ${rank}) o on o.id = t.owner_id
          window w as (order by b, rank desc, t.id, t.owner_id = -1)) s
      where n > (select max(n) from (
        select row_number() over (order by b, rank desc, t.id, t.owner_id = -1) as n, t.owner_id from
          (select id, b, owner_id from things union all select ${key}, ${quoted}, -1) t
          left join (select id, rank from owners union all select -1, ${rank}) o on o.id = t.owner_id) m where owner_id = -1)
      order by n limit 50`);
    assert.deepEqual(body.data.page.nodes, expected, JSON.stringify([b, rank, key]));
  }
  for (const forged of [
    encode([head, ...values, 1]),
    encode([head, "a", 1, null]),
    encode([head, ...values.slice(1)]),
    encode([head.toUpperCase() + "x", ...values]),
    encode([values, head]),
    encode([1, ...values]),
    encode([]),
    encode({}),
    encode("null"),
    encode(`["${head}","a",1,"1"`),
    encode([head, ["a"], 1, "1"]),
    encode([head, { a: 1 }, 1, "1"]),
    encode(`["${head}","\\u0000",1,"1"]`),
    encode([head, "a", "x", "1"]),
    encode([head, "a", 1e300, "1"]),
    encode([head, "a", 1, "1; select 1"]),
    encode("[".repeat(5000)),
    `${page.pageInfo.endCursor}A`,
    `${page.pageInfo.endCursor}=`,
    page.pageInfo.endCursor.slice(0, -2),
  ]) {
    const body = await ask(forged);
    assert.equal(body.errors?.length, 1, forged);
    assert.equal(body.errors[0].extensions.code, "BAD_USER_INPUT", forged);
  }
  assert.equal((await rows("select count(*)::int as n from things"))[0].n, 1000);
});

test("a tenant's cursor shows another one nothing but its own rows", async () => {
  const query = WALK("cardsConnection", "id tenantId", `orderBy: [{title: ASC}], where: {title: {lt: "card 2"}},`).replace("edges", "totalCount edges");
  const ids = {};
  for (const tenant of [ACME, GLOBEX, ZENITH]) {
    const token = tokenFor(tenant);
    const own = await rows(`select id::text, tenant_id as "tenantId" from cards where title < 'card 2' and tenant_id = '${tenant}' order by title, cards.id`);
    assert.deepEqual(await walk(query, 400, false, { token }), own);
    assert.deepEqual(await walk(query, 400, true, { token }), own);
    const { page } = await daemon.data(query, { variables: { first: 5 }, token });
    assert.equal(page.totalCount, own.length);
    ids[tenant] = page.pageInfo.endCursor;
  }
  const { page } = await daemon.data(query, { variables: { first: 100, after: ids[ACME] }, token: tokenFor(GLOBEX) });
  const [last] = await rows(`select title, id from cards where title < 'card 2' and tenant_id = '${ACME}' order by title, cards.id offset 4 limit 1`);
  assert.deepEqual(
    page.edges.map((edge) => edge.node),
    await rows(`select id::text, tenant_id as "tenantId" from cards where title < 'card 2' and tenant_id = '${GLOBEX}'
      and (title, id) > ('${last.title}', ${last.id}) order by title, cards.id limit 100`),
  );
  assert.equal(page.pageInfo.hasPreviousPage, true);
  const { page: none } = await daemon.data(query, { variables: { first: 5, after: ids[ACME] }, token: tokenFor(ZENITH) });
  assert.deepEqual([none.edges, none.pageInfo.hasPreviousPage, none.totalCount], [[], false, 0]);
});

test("an index finds where a page begins, also below a policy", async () => {
  const file = writeConfiguration(configuration(database, more));
  const claims = JSON.stringify({ sub: ADA, tenant_id: ACME });
  const plan = async (field, orderBy, after) => {
    const document = `{ ${field}(orderBy: ${orderBy}, first: 10, after: "${after}") { nodes { id title } pageInfo { hasPreviousPage } } }`;
    const { code, stdout, stderr } = await program(["explain", "-c", file, "--claims", claims, "-e", document]);
    assert.equal(code, 0, stderr);
    return stdout.slice(stdout.indexOf("\nplan\n"));
  };
  for (const field of ["openCardsConnection", "cardsConnection"]) {
    for (const direction of ["ASC", "DESC"]) {
      const orderBy = `[{title: ${direction}}, {id: ${direction}}]`;
      const { page } = await daemon.data(`{ page: ${field}(orderBy: ${orderBy}, first: 1000) { pageInfo { endCursor } } }`);
      const text = await plan(field, orderBy, page.pageInfo.endCursor);
      assert.match(text, /Index Cond: .*ROW\((cards\.)?title, (cards\.)?id\) [<>] ROW\(/, text);
      assert.doesNotMatch(text, /Sort Key/, text);
    }
  }
  const { page } = await daemon.data("{ page: openCardsConnection(orderBy: [{title: ASC}, {id: DESC}], first: 9) { pageInfo { endCursor } } }");
  const text = await plan("openCardsConnection", "[{title: ASC}, {id: DESC}]", page.pageInfo.endCursor);
  assert.match(text, /Index Cond: \(.*title >= '/, text);
});

test("a connection counts in complexity as the list of its rows", async () => {
  const limited = await start(database, { ...more, security: { max_complexity: 1000 } });
  const ask = async (query, variables) => (await limited.post(query, { variables })).body.errors?.[0].extensions.code;
  const query = `query ($first: Int, $last: Int) { thingsConnection(first: $first, last: $last) { edges { node { id owner { id } } } } }`;
  assert.equal(await ask(query, { first: 100 }), undefined);
  assert.equal(await ask(query, { first: 300 }), "QUERY_TOO_COMPLEX");
  assert.equal(await ask(query, { last: 300 }), "QUERY_TOO_COMPLEX");
  assert.equal(await ask(`{ thingsConnection(first: 900) { nodes { id } } }`), "QUERY_TOO_COMPLEX");
  assert.equal(await ask(`{ thingsConnection(last: 900) { totalCount nodes { id } } }`), "QUERY_TOO_COMPLEX");
  assert.equal(await ask(`{ thingsConnection(first: 3) { nodes { id } } }`), undefined);
  await limited.stop();
});

test("schema.relay.connections: false leaves them out", async () => {
  const plain = await start(database, { schema: { relay: { connections: false } } });
  const { extensions } = await plain.refusal("{ thingsConnection { totalCount } }");
  assert.equal(extensions.code, "GRAPHQL_VALIDATION_FAILED");
  assert.deepEqual(await plain.data(`{ __type(name: "PageInfo") { name } }`), { __type: null });
  await plain.stop();
});

test("a connection's types give way to relations that have their names", async () => {
  const other = await createDatabase();
  await shared.sql(
    other,
    `create table wires (id int primary key); insert into wires values (1), (2);
     create table wire_edges (id int primary key); insert into wire_edges values (7);
     create table wire_connections (id int primary key);
     create view v_wire as select * from wires; create view v_wire_edge as select * from wire_edges;
     create view v_wire_connection as select * from wire_connections;
     grant select on wires, wire_edges, wire_connections, v_wire, v_wire_edge, v_wire_connection to app_user`,
  );
  const clashing = await start(other);
  try {
    assert.deepEqual(
      await clashing.data("{ wiresConnection(first: 1) { __typename edges { __typename node { id } } } wireEdges { __typename id } wireConnections { __typename } }"),
      {
        wiresConnection: { __typename: "WireConnectionType", edges: [{ __typename: "WireEdgeType", node: { id: "1" } }] },
        wireEdges: [{ __typename: "WireEdge", id: "7" }],
        wireConnections: [],
      },
    );
  } finally {
    await clashing.stop();
  }
});
