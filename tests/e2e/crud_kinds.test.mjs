// Rows of every kind of relation and column are changed as SQL would change them.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create type public.place as (street text, "post code" int, tags text[]);
   create table public.w (n int primary key, c1 text default 'c', u text, one place, many place[]);
   create table public.events (id int, day date not null, what text, primary key (id, day)) partition by range (day);
   create table public.events_2024 partition of public.events for values from ('2024-01-01') to ('2025-01-01');
   create table public.events_2025 partition of public.events for values from ('2025-01-01') to ('2026-01-01');
   create table public.things (id int primary key, "internalName" text, hidden text not null default 'h', kind text);
   comment on table public.things is '@fraiseql:type
name: Gadget
hide: [hidden]';
   create table public.tags (id int primary key, name text unique);
   create table public.thing_tags (thing_id int references public.things, tag_id int references public.tags, primary key (thing_id, tag_id));
   create table public.cells (a int, b int, parent_a int, parent_b int, primary key (a, b), foreign key (parent_a, parent_b) references public.cells);
   create table public.counters (id int primary key, n bigint not null default 0);
   create view public.v_big_counter as select id, n from public.counters where n > 10 with check option;
   create table public.tv_doc (id int primary key, kind text, data jsonb not null default '{}');
   comment on table public.tv_doc is '@fraiseql:type
fields:
  title: String
  pages: Int';
   insert into public.tv_doc values (1, 'k', '{"title": "one", "pages": 3}'), (2, 'k', '{"title": "two"}');
   create table public.writes (id int primary key, value text);
   create function public.audit_writes() returns trigger language plpgsql as $$ begin
     if new.value = 'twelve' then raise exception 'twelve is not allowed' using errcode = 'P0001'; end if;
     if new.value = 'zero' then perform 1 / 0; end if; return new; end $$;
   create trigger audit_writes before insert or update on public.writes for each row execute function public.audit_writes();
   grant all on all tables in schema public to app_user`,
);
const daemon = await start(database, {
  tenancy: { enabled: false },
  auth: { claims: undefined },
  schema: { mutations: { crud: true }, expose: { functions: [], views: ["v_big_counter"], tables: ["w", "events", "things", "tags", "thing_tags", "cells", "counters", "writes", "tv_doc"] } },
});
after(() => daemon.stop());

const rows = (query) => shared.rows(database, query);
async function failure(query, variables) {
  const { body, text } = await daemon.post(query, { variables });
  assert.ok(!body.data, text);
  return body.errors[0];
}

test("composites are stored, one by one and as arrays", async () => {
  const place = { street: 'a "b", (c)', postCode: 7, tags: ["x", null, ""] };
  const data = await daemon.data(
    `mutation ($one: PlaceInput, $rows: [WInsertInput!]!) {
       insertW(input: {n: 1, one: $one, many: [{street: "s"}, null]}) { c1 one { street postCode tags } many { street postCode } }
       many: insertWs(input: $rows) { affectedCount returning { n one { street tags } many { postCode } } }
       updateW(n: 1, input: {one: {postCode: 3}, many: []}) { one { street postCode } many { street } } }`,
    {
      variables: {
        one: place,
        rows: [
          { n: 2, one: place, many: [place, { postCode: 1 }] },
          { n: 3, one: null, many: [] },
          { n: 4, one: { street: "" }, many: null },
        ],
      },
    },
  );
  assert.deepEqual(data.insertW, { c1: "c", one: place, many: [{ street: "s", postCode: null }, null] });
  assert.deepEqual(data.updateW, { one: { street: null, postCode: 3 }, many: [] });
  assert.deepEqual(await rows(`select n, c1, one, many from w where n > 1 order by n`), [
    { n: 2, c1: "c", one: { street: place.street, "post code": 7, tags: place.tags }, many: [{ street: place.street, "post code": 7, tags: place.tags }, { street: null, "post code": 1, tags: null }] },
    { n: 3, c1: "c", one: null, many: [] },
    { n: 4, c1: "c", one: { street: "", "post code": null, tags: null }, many: null },
  ]);
  const deleted = await daemon.data(`mutation { deleteWs(where: {n: {in: [2, 3]}}) { affectedCount returning { n one { street } } } }`);
  assert.deepEqual(deleted.deleteWs, { affectedCount: 2, returning: [{ n: "2", one: { street: place.street } }, { n: "3", one: null }] });
});

test("partitioned tables: rows find their partition, move, and conflict", async () => {
  const data = await daemon.data(`mutation {
    insertEvents(input: [{id: 1, day: "2024-05-01", what: "a"}, {id: 2, day: "2025-05-01", what: "b"}]) { affectedCount returning { id day } }
    moved: updateEvents(where: {id: {eq: 1}}, input: {day: "2025-06-01"}) { affectedCount returning { day what } }
    upsertEvent(input: {id: 2, day: "2025-05-01", what: "c"}) { what }
    deleteEvent(id: 2, day: "2025-05-01") { what } }`);
  assert.deepEqual(data.moved, { affectedCount: 1, returning: [{ day: "2025-06-01", what: "a" }] });
  assert.deepEqual([data.upsertEvent, data.deleteEvent], [{ what: "c" }, { what: "c" }]);
  assert.deepEqual(await rows("select id, day, tableoid::regclass::text as t from events"), [{ id: 1, day: "2025-06-01", t: "events_2025" }]);
  const nowhere = await failure(`mutation { insertEvent(input: {id: 9, day: "2030-01-01"}) { id } }`);
  assert.equal(nowhere.extensions.code, "BAD_USER_INPUT");
});

test("names that comments give are the mutations' names, and hidden columns are no input", async () => {
  const data = await daemon.data(`mutation { insertGadget(input: {id: 1, internalName: "x", thingTags: [{tag: {id: 5, name: "red"}}]}) { internalName tags { name } thingTags { tagId } }
    updateGadgets(where: {tags: {some: {name: {eq: "red"}}}}, input: {kind: "k"}) { affectedCount returning { kind } } }`);
  assert.deepEqual(data.insertGadget, { internalName: "x", tags: [{ name: "red" }], thingTags: [{ tagId: "5" }] });
  assert.deepEqual(data.updateGadgets, { affectedCount: 1, returning: [{ kind: "k" }] });
  const fields = (await daemon.data(`{ __type(name: "GadgetInsertInput") { inputFields { name } } }`)).__type.inputFields.map((f) => f.name);
  assert.deepEqual(fields, ["id", "internalName", "kind", "thingTags"], "a way through a join table is made of rows of the join table");
});

test("keys and foreign keys of several columns are filled together", async () => {
  const data = await daemon.data(`mutation { insertCell(input: {a: 1, b: 2, cells: [{a: 3, b: 4, cells: [{a: 5, b: 6}]}, {a: 7, b: 8}]}) { cells { a b cells { a b } } }
    insertCells(input: [{a: 9, b: 9, cell: {a: 10, b: 10}}, {a: 11, b: 11, parentA: 1, parentB: 2}]) { returning { a parentA parentB } } }`);
  assert.deepEqual(data.insertCell.cells, [{ a: "3", b: "4", cells: [{ a: "5", b: "6" }] }, { a: "7", b: "8", cells: [] }]);
  assert.deepEqual(await rows("select a, parent_a, parent_b from cells order by a"), [
    { a: 1, parent_a: null, parent_b: null },
    { a: 3, parent_a: 1, parent_b: 2 },
    { a: 5, parent_a: 3, parent_b: 4 },
    { a: 7, parent_a: 1, parent_b: 2 },
    { a: 9, parent_a: 10, parent_b: 10 },
    { a: 10, parent_a: null, parent_b: null },
    { a: 11, parent_a: 1, parent_b: 2 },
  ]);
});

test("a view's own check option holds", async () => {
  assert.deepEqual(await daemon.data(`mutation { insertBigCounter(input: {id: 1, n: "11"}) { n } }`), { insertBigCounter: { n: "11" } });
  const small = await failure(`mutation { insertBigCounter(input: {id: 2, n: "1"}) { n } }`);
  assert.equal(small.extensions.code, "BAD_USER_INPUT");
  const under = await failure(`mutation { updateBigCounter(id: 1, input: {n: "2"}) { n } }`);
  assert.equal(under.extensions.code, "BAD_USER_INPUT");
  assert.deepEqual(await rows("select id, n from counters"), [{ id: 1, n: 11 }]);
});

test("what triggers raise is told, and their divisions by zero are no atMost", async () => {
  const said = await failure(`mutation { insertWrite(input: {id: 1, value: "twelve"}) { id } }`);
  assert.equal(said.message, "twelve is not allowed");
  const zero = await failure(`mutation { insertWrites(input: [{id: 1, value: "zero"}], atMost: 5) { affectedCount } }`);
  assert.equal(zero.extensions.code, "BAD_USER_INPUT");
  assert.doesNotMatch(zero.message, /atMost/);
});

test("huge numbers and wrong values are refused with a code", async () => {
  for (const [query, variables] of [
    [`mutation { insertCounter(input: {id: 1, n: "9223372036854775808"}) { id } }`],
    [`mutation ($i: [CounterInsertInput!]!) { insertCounters(input: $i) { affectedCount } }`, { i: [{ id: 99999999999, n: 1 }] }],
    [`mutation ($i: [CounterInsertInput!]!) { insertCounters(input: $i) { affectedCount } }`, { i: [{ id: "x", n: 1 }] }],
    [`mutation ($i: [EventInsertInput!]!) { insertEvents(input: $i) { affectedCount } }`, { i: [{ id: 1, day: "2024-02-30" }] }],
  ]) {
    const error = await failure(query, variables);
    assert.ok(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].includes(error.extensions.code), error.message);
  }
  const many = await failure(`mutation ($i: [CounterInsertInput!]!) { insertCounters(input: $i) { affectedCount } }`, {
    i: Array.from({ length: 1001 }, (_, id) => ({ id })),
  });
  assert.equal(many.extensions.code, "QUERY_TOO_COMPLEX");
});

test("of a declared document the columns beside it are written, and deleted rows have its fields", async () => {
  const fields = (await daemon.data(`{ __type(name: "DocInsertInput") { inputFields { name } } }`)).__type.inputFields.map((f) => f.name);
  assert.deepEqual(fields, ["id", "kind"]);
  const data = await daemon.data(`mutation { insertDoc(input: {id: 3}) { id title pages }
    updateDocs(where: {title: {eq: "one"}}, input: {kind: "x"}) { affectedCount returning { kind title pages } }
    deleteDoc(id: 1) { title pages }
    deleteDocs(where: {pages: {isnull: true}}, atMost: 2) { affectedCount returning { id title } } }`);
  assert.deepEqual(data.insertDoc, { id: "3", title: null, pages: null });
  assert.deepEqual(data.updateDocs, { affectedCount: 1, returning: [{ kind: "x", title: "one", pages: 3 }] });
  assert.deepEqual(data.deleteDoc, { title: "one", pages: 3 });
  assert.deepEqual(data.deleteDocs, { affectedCount: 2, returning: [{ id: "2", title: "two" }, { id: "3", title: null }] });
  assert.deepEqual(await rows("select * from tv_doc"), []);
});
