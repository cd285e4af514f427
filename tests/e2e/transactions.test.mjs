// schema.mutations.transaction: field. What of an operation with several changes stands when one fails.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create table public.marks (n int primary key, parent int references public.marks deferrable initially deferred,
                              made_by bigint default txid_current());
   grant select, insert on public.marks to app_user;
   create view public.v_mark with (security_invoker) as select n, parent, made_by from public.marks;
   grant select on public.v_mark to app_user;
   create function public.fn_mark(n int, parent int default null) returns public.v_mark language sql volatile
     as 'insert into public.marks (n, parent) values (n, parent) returning n, parent, made_by';
   create function public.fn_marks(n int[]) returns setof public.v_mark language sql volatile
     as 'insert into public.marks (n) select unnest(n) returning n, parent, made_by';
   create function public.fn_try(n int, status text) returns public.mutation_response language plpgsql volatile as $$
     begin
       insert into public.marks (n) values (fn_try.n);
       return row(status, null, n::text, 'Mark', null, null, null, null)::public.mutation_response;
     end $$;
   comment on function public.fn_try is '@fraiseql:mutation
name: try
success_type: Mark
error_type: MarkError';
   create function public.fn_seen() returns int[] language sql volatile
     as 'select coalesce(array_agg(n order by n), ''{}'') from public.marks';
   create function public.fn_sleep(seconds float) returns void language sql volatile as 'select pg_sleep(seconds)';`,
);
const daemon = await start(database, { schema: { mutations: { transaction: "field" } } });
after(() => daemon.stop());

const seen = async () => (await shared.rows(database, "select n from marks order by n")).map((row) => row.n);
const clear = () => shared.sql(database, "delete from marks");

async function answer(query, options) {
  const { status, body, text } = await daemon.post(query, options);
  assert.equal(status, 200, text);
  return body;
}

test("each field is a transaction of its own, in order, and sees those before it", async () => {
  await clear();
  const { data, errors } = await answer("mutation { a: mark(input: {n: 1}) { madeBy } b: mark(input: {n: 2}) { madeBy } seen }");
  assert.equal(errors, undefined);
  assert.notEqual(data.a.madeBy, data.b.madeBy);
  assert.deepEqual(data.seen, [1, 2]);
});

test("a field that fails is null, with its error, and the others stand", async () => {
  await clear();
  const { data, errors } = await answer(`mutation {
    a: mark(input: {n: 1}) { n }
    b: mark(input: {n: 1}) { n }
    c: mark(input: {n: 3}) { n }
    seen
  }`);
  assert.deepEqual(data, { a: { n: "1" }, b: null, c: { n: "3" }, seen: [1, 3] });
  assert.equal(errors.length, 1);
  assert.equal(errors[0].extensions.code, "CONFLICT");
  assert.deepEqual(errors[0].path, ["b"]);
  assert.equal(errors[0].locations[0].line, 3);
  assert.deepEqual(await seen(), [1, 3]);
});

test("a field whose commit fails is null too, though its rows had come", async () => {
  await clear();
  const { data, errors } = await answer("mutation { a: mark(input: {n: 1, parent: 9}) { n } b: mark(input: {n: 2}) { n } }");
  assert.deepEqual(data, { a: null, b: { n: "2" } });
  assert.deepEqual(errors.map((e) => [e.extensions.code, e.path]), [["BAD_USER_INPUT", ["a"]]]);
  assert.deepEqual(await seen(), [2]);
});

test("a field that cannot be null takes the data with it, not the changes", async () => {
  await clear();
  const { data, errors } = await answer("mutation { a: marks(input: {n: [1, 2]}) { n } b: marks(input: {n: [1]}) { n } }");
  assert.equal(data, null);
  assert.deepEqual(errors.map((e) => e.path), [["b"]]);
  assert.deepEqual(await seen(), [1, 2]);
});

test("all of them may fail", async () => {
  await clear();
  const { data, errors } = await answer("mutation { a: mark(input: {n: 1, parent: 9}) { n } b: mark(input: {n: 2, parent: 9}) { n } }");
  assert.deepEqual(data, { a: null, b: null });
  assert.deepEqual(errors.map((e) => e.path), [["a"], ["b"]]);
  assert.deepEqual(await seen(), []);
});

test("one field by itself fails as it does otherwise", async () => {
  const { data, errors } = await answer("mutation { mark(input: {n: 1, parent: 9}) { n } }");
  assert.equal(data, null);
  assert.deepEqual(errors.map((e) => e.path), [["mark"]]);
});

test("results that are errors leave no trace of their field, between fields that fail and fields that do not", async () => {
  await clear();
  const { data, errors } = await answer(`mutation {
    a: try(input: {n: 1, status: "created"}) { __typename ... on TrySuccess { mark { n } } }
    b: try(input: {n: 2, status: "failed:x"}) { __typename ... on MarkError { code } }
    c: try(input: {n: 1, status: "created"}) { __typename }
    d: try(input: {n: 4, status: "created"}) { __typename ... on TrySuccess { mark { n } } }
    seen
  }`);
  assert.deepEqual(data, {
    a: { __typename: "TrySuccess", mark: { n: "1" } },
    b: { __typename: "MarkError", code: 500 },
    c: null,
    d: { __typename: "TrySuccess", mark: { n: "4" } },
    seen: [1, 4],
  });
  assert.deepEqual(errors.map((e) => [e.extensions.code, e.path]), [["CONFLICT", ["c"]]]);
  assert.deepEqual(await seen(), [1, 4]);
});

test("when the client has gone, what was not begun is not", async () => {
  await clear();
  const gone = new AbortController();
  const request = daemon
    .post("mutation { a: mark(input: {n: 1}) { n } sleep(input: {seconds: 20}) b: mark(input: {n: 2}) { n } }", { signal: gone.signal })
    .catch((error) => error.name);
  const sleeping = () => shared.sql(database, "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()");
  await within(10000, "it sleeps", async () => (await sleeping()) === "1");
  gone.abort();
  assert.equal(await request, "AbortError");
  await within(10000, "it was cancelled", async () => (await sleeping()) === "0");
  assert.equal((await answer("mutation { seen }")).data.seen.join(), "1");
});

test("the schema says so", async () => {
  const { data } = await answer("{ __schema { mutationType { description } } }");
  assert.match(data.__schema.mutationType.description, /each in a transaction of its own/);
});
