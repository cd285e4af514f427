// Changes of the database while requests go on: no answer is ever wrong.
//
// Every value follows from its row's id, whatever type its column has at the moment; every row that a
// mutation makes has a number of its own, so that one made twice, or made and denied, is found.

import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

const ROUNDS = 60;

/** What the columns may be: a is 7 times the id in some form, b the id, c its negative. */
const SHAPES = [
  "id, id * 7 as a, id as b, -id as c",
  "id, (id * 7)::text as a, -id as c, id as b",
  "id, (id * 7)::bigint as a, id as b",
  "id, (id * 7)::numeric as a, -id as c, (id)::smallint as b",
  "id, array[id * 7] as a, id::text as b, -id as c",
  "id, -id as c, id as b, lpad((id * 7)::text, 4, '0') as a",
  "id, (id * 7)::float8 as a, (-id)::text as c, id as b, now() as added",
  "id, jsonb_build_object('v', id * 7) as a, id as b, -id as c",
];

const number = (value) => {
  const one = Array.isArray(value) ? value[0] : value;
  return Number(typeof one === "object" && one !== null ? one.v : one);
};

/** Codes that a client may meet meanwhile, as docs/operations.md says. */
const ALLOWED = new Set(["GRAPHQL_VALIDATION_FAILED", "SERVICE_UNAVAILABLE", "CONFLICT"]);

/** As migrations do: readers hold locks in another order, and one of both has to begin again. */
async function migrate(database, text) {
  for (let left = 5; ; left--) {
    try {
      return await shared.sql(database, text);
    } catch (error) {
      if (left === 0 || !/deadlock detected/.test(error.message)) {
        throw error;
      }
    }
  }
}

async function storm(more) {
  const database = await createDatabase();
  await shared.sql(
    database,
    `create table items (id int primary key, m int not null);
     insert into items select n, n * 3 from generate_series(1, 50) n;
     create table made (n int, by_round int);
     create view v_item as select ${SHAPES[0]} from items;
     create view v_base as select id, m from items;
     grant select on items, v_item, v_base, made to app_user; grant insert on made to app_user;
     create function fn_make(n int) returns int language sql volatile as 'insert into made values (n, 0) returning n'`,
  );
  const daemon = await start(database, more);
  let running = true;
  const seen = { right: 0, refused: 0, made: [], denied: [] };
  const check = ({ text, body, status }) => {
    assert.ok(body, `${status} ${text}`);
    if (body.errors === undefined) {
      seen.right++;
      return true;
    }
    for (const error of body.errors) {
      assert.ok(ALLOWED.has(error.extensions.code), text);
    }
    seen.refused++;
    return false;
  };
  const reader = async (query, verify) => {
    while (running) {
      const reply = await daemon.post(query);
      if (check(reply)) {
        verify(reply.body.data, reply.text);
      } else {
        // A refusal is quick: so many of them would say nothing.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  const items = (data, text) => {
    assert.ok(data.items.length > 0, text);
    for (const row of data.items) {
      for (const [name, value] of Object.entries(row)) {
        const expected = { id: 1, a: 7, b: 1, c: -1, __typename: undefined }[name];
        assert.ok(expected === undefined || number(value) === expected * Number(row.id), text);
      }
    }
  };
  let next = 0;
  const writer = async () => {
    while (running) {
      const n = ++next;
      const reply = await daemon.post(`mutation { make(input: {n: ${n}}) }`);
      if (check(reply)) {
        assert.equal(Number(reply.body.data.make), n);
        seen.made.push(n);
      } else {
        seen.denied.push(n);
      }
    }
  };
  const clients = [
    reader("{ items(limit: 20) { id a b } }", items),
    reader("{ items(limit: 20) { id a } bases(limit: 3) { id } }", items),
    reader("{ items(orderBy: [{id: DESC}], limit: 5) { c id __typename } }", items),
    reader("{ items(where: {id: {in: [3, 4, 5]}}) { id b a c } }", items),
    reader("{ bases(limit: 10) { id m } }", (data, text) => data.bases.forEach((row) => assert.equal(Number(row.m), 3 * Number(row.id), text))),
    writer(),
    writer(),
  ];
  const ended = Promise.all(clients).catch((error) => {
    running = false;
    daemon.child.kill("SIGKILL");
    const failed = daemon.logged("statement failed").slice(-3).map(({ sqlstate, detail }) => `${sqlstate} ${detail}`);
    throw new Error(`${error.message}\n${failed.join("\n")}`);
  });
  for (let round = 1; round <= ROUNDS; round++) {
    const before = seen.right;
    const types = ["text using m::text", "int using m::int", "bigint using m::bigint", "numeric"];
    const result = round % 3 === 0 ? ["bigint", "n::bigint"] : ["int", "n"];
    await migrate(
      database,
      `begin; set local lock_timeout = '10s';
       drop view v_item; create view v_item as select ${SHAPES[round % SHAPES.length]} from items; grant select on v_item to app_user;
       ${round % 4 === 0 ? `drop view v_base; alter table items alter m type ${types[(round / 4) % types.length]}; create view v_base as select id, m from items; grant select on v_base to app_user;` : ""}
       ${round % 5 === 0 ? `alter table items add column extra${round} int default ${round};` : ""}
       ${round % 5 === 1 && round > 1 ? `alter table items drop column extra${round - 1};` : ""}
       ${round % 2 === 0 ? `drop function fn_make; create function fn_make(n int) returns ${result[0]} language sql volatile as 'insert into made values (n, ${round}) returning ${result[1]}';` : ""}
       commit`,
    );
    await Promise.race([ended, within(20000, "clients go on", () => seen.right > before + 5)]);
  }
  running = false;
  await ended;
  const made = (await shared.sql(database, "select coalesce(string_agg(n::text, ',' order by n), '') from made")).split(",").map(Number);
  assert.deepEqual(made, [...seen.made].sort((a, b) => a - b), "what was answered is what was made, once each");
  assert.ok(seen.right > ROUNDS * 5 && seen.made.length > 0, JSON.stringify({ ...seen, made: seen.made.length, denied: seen.denied.length }));
  assert.doesNotMatch(daemon.stderr, /cached plan/);
  // And all is well afterwards.
  items(await daemon.data("{ items { id a b } }"), "afterwards");
  await daemon.stop();
  return seen;
}

test("with notifications", async () => {
  const seen = await storm({ schema: { expose: { functions: ["fn_make"], exclude: ["*_internal"] } } });
  assert.ok(seen.right > seen.refused, JSON.stringify({ right: seen.right, refused: seen.refused }));
});

test("when nobody tells that the database has changed", async () => {
  const seen = await storm({ database: { notify: { listen: false } }, schema: { expose: { functions: ["fn_make"] } } });
  assert.ok(seen.right > seen.refused, JSON.stringify({ right: seen.right, refused: seen.refused }));
});
