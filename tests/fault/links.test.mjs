// The link to the database breaks, after any byte of an exchange, in either direction. Nothing is ever
// done twice, what was acknowledged is there, and only what may have happened is of unknown outcome.
//
//   FAULT_OFFSETS   how many offsets of each direction and operation are tried, or "all" (default 96)
//   FAULT_SEED      which ones (default: another one each day)

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { start } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ACME } from "../e2e/support/token.mjs";
import { slowness } from "../e2e/support/wait.mjs";
import { IN, Link, OUT } from "./link.mjs";

const wanted = process.env.FAULT_OFFSETS ?? "96";
const seed = Number(process.env.FAULT_SEED ?? Math.floor(Date.now() / 86400000));
const LANES = 4;

const database = await createDatabase();
await shared.sql(database, `
  create table public.marks (id int generated always as identity primary key, token text not null check (token <> 'refused'));
  create view public.v_mark with (security_invoker) as select id, token from public.marks;
  grant select, insert on public.marks, public.v_mark to app_user;
  create function public.fn_mark(token text) returns public.v_mark language sql volatile
    as 'insert into public.marks (token) values (token) returning id, token';
  create function public.fn_count(token text) returns int language sql volatile
    as 'insert into public.marks (token) values (token); select 1';
  create function public.fn_try(token text, status text) returns public.mutation_response language plpgsql volatile as $$
    declare made int;
    begin
      insert into public.marks (token) values (fn_try.token) returning id into made;
      return row(status, null, made::text, 'Mark', null, null, null, null)::public.mutation_response;
    end $$;
  comment on function public.fn_try is '@fraiseql:mutation
success_type: Mark
error_type: MarkError'`);
after(() => shared.sql("postgres", `drop database ${database} with (force)`).catch(() => {}));

/** A daemon whose only connection goes over a link of its own. */
async function lane(more = {}) {
  const link = await new Link(Number(shared.port)).listen();
  const url = `postgresql://fraiseqld@127.0.0.1:${link.port}/${database}?sslmode=disable&gssencmode=disable`;
  const daemon = await start(database, {
    server: { workers: 1 },
    database: { url, pool: { min: 0, max: 1, retry_backoff: ["1ms", "5ms"] }, notify: { listen: false } },
    jobs: { enabled: false },
    schema: { expose: { tables: [], views: ["v_mark"], functions: ["fn_mark", "fn_count", "fn_try"] }, mutations: { crud: true, ...more } },
  }).catch((error) => { link.close(); throw error; });
  return { link, daemon, stop: async () => { await daemon.stop(); await link.close(); } };
}

const tokens = (token) => [`${token}a`, `${token}b`];

// What is asked, and from the answer: which marks were acknowledged, which are certainly not there, and
// which may be.
const operations = {
  "a function that returns a row": {
    document: "mutation ($a: String!) { mark(input: {token: $a}) { id token } }",
  },
  "two fields in one transaction": {
    document: "mutation ($a: String!, $b: String!) { mark(input: {token: $a}) { token } count(input: {token: $b}) }",
    both: true,
  },
  "a row that is inserted": {
    document: "mutation ($a: String!) { insertMark(input: {token: $a}) { token } }",
  },
  "a result that says success": {
    document: 'mutation ($a: String!) { try(input: {token: $a, status: "success"}) { __typename } }',
  },
  "a result that says error": {
    document: 'mutation ($a: String!) { try(input: {token: $a, status: "failed:validation"}) { __typename } }',
    never: true,
  },
  "a change that fails": {
    document: 'mutation ($a: String!) { mark(input: {token: $a}) { id } other: mark(input: {token: "refused"}) { id } }',
    never: true,
    fails: "BAD_USER_INPUT",
  },
  "two fields, each a transaction": {
    document: "mutation ($a: String!, $b: String!) { mark(input: {token: $a}) { token } other: mark(input: {token: $b}) { token } }",
    more: { transaction: "field" },
    fields: { mark: "a", other: "b" },
  },
};

/** A few offsets up to a length, the first and last always among them. */
function offsets(length, direction) {
  const all = Array.from({ length: length + 1 }, (_, i) => i);
  const n = wanted === "all" ? all.length : Number(wanted);
  // What decides is at the end: Sync, and the answers to COMMIT and Sync.
  const edge = Math.min(all.length, Math.max(8, Math.floor(n / 3)));
  const step = Math.max(1, Math.floor((length - edge) / Math.max(1, n - edge)));
  const phase = (seed * 7 + direction.length) % step;
  return all.filter((i) => i > length - edge || i % step === phase || i === 0);
}

/** Runs work(item, lane) for all items, on several lanes at a time. */
async function spread(items, lanes, work) {
  const queue = items.values();
  await Promise.all(lanes.map(async (each) => {
    for (const item of queue) {
      await work(item, each);
    }
  }));
}

for (const [what, operation] of Object.entries(operations)) {
  test(`the link is cut anywhere: ${what}`, { timeout: 600000 * slowness }, async () => {
    const lanes = await Promise.all(Array.from({ length: LANES }, () => lane(operation.more)));
    const told = [];
    try {
      const ask = async ({ daemon }, token) => {
        const [a, b] = tokens(token);
        return (await daemon.post(operation.document, { variables: { a, b } })).body;
      };
      // How long a whole exchange is, from the first byte of the connection.
      await lanes[0].link.drop();
      const whole = await ask(lanes[0], "whole");
      assert.equal(whole.errors?.[0].extensions.code, operation.fails, JSON.stringify(whole));
      const length = { ...lanes[0].link.passed };
      assert.ok(length[OUT] > 500 && length[IN] > 300, JSON.stringify(length));

      const cuts = [OUT, IN].flatMap((direction) => offsets(length[direction], direction).map((bytes) => ({ direction, bytes })));
      await spread(cuts, lanes, async ({ direction, bytes }, each) => {
        const token = randomBytes(8).toString("hex");
        each.link.arm(direction, bytes);
        await each.link.drop();
        const body = await ask(each, token);
        told.push({ token, direction, bytes, body });
      });
      // As long as a mark could still come, somebody is at work on it.
      while (await shared.sql(database, `select count(*) from pg_stat_activity where datname = '${database}' and state = 'active' and pid <> pg_backend_pid()`) !== "0");

      const counts = new Map((await shared.rows(database, "select token, count(*)::int as n from public.marks group by token")).map(({ token, n }) => [token, n]));
      const seen = { acknowledged: 0, refused: 0, made: 0, notMade: 0 };
      for (const { token, direction, bytes, body } of told) {
        const where = `${direction} ${bytes}: ${JSON.stringify(body)}`;
        const codes = (body.errors ?? []).map((error) => error.extensions.code);
        const [a, b] = tokens(token).map((t) => counts.get(t) ?? 0);
        assert.ok(a <= 1 && b <= 1, `done twice, ${where}`);
        assert.ok(codes.every((code) => ["UNKNOWN_OUTCOME", "SERVICE_UNAVAILABLE", operation.fails].includes(code)), where);
        if (operation.both) {
          assert.equal(a, b, `done by half, ${where}`);
        }
        if (operation.never) {
          assert.equal(a, 0, `an error left a trace, ${where}`);
          continue;
        }
        if (operation.fields) {
          for (const [field, which] of Object.entries(operation.fields)) {
            if (body.data?.[field]) {
              assert.equal(which === "a" ? a : b, 1, `${field} was acknowledged and is not there, ${where}`);
            }
          }
        }
        if (codes.length === 0) {
          assert.equal(a, 1, `acknowledged and not there, ${where}`);
          seen.acknowledged++;
        } else if (codes.includes("UNKNOWN_OUTCOME")) {
          seen[a === 1 ? "made" : "notMade"]++;
        } else {
          assert.equal(a, 0, `refused, and there, ${where}`);
          seen.refused++;
        }
      }
      // All kinds of ends were met: else the cuts were not where they should have been.
      if (!operation.never) {
        assert.ok(seen.acknowledged > 0 && seen.made > 0 && seen.notMade > 0, JSON.stringify(seen));
      }
      const ncuts = lanes.reduce((n, { link }) => n + link.cuts, 0);
      assert.ok(ncuts >= cuts.length - LANES, `${ncuts} cuts of ${cuts.length}, ${JSON.stringify(length)} ${JSON.stringify(seen)}`);
    } finally {
      await Promise.all(lanes.map((each) => each.stop()));
    }
  });
}

test("the link is cut anywhere: a query, which nobody notices", { timeout: 600000 * slowness }, async () => {
  const lanes = await Promise.all(Array.from({ length: LANES }, () => lane()));
  try {
    const query = "{ marks(limit: 2, orderBy: [{id: ASC}]) { id token } }";
    await lanes[0].link.drop();
    const expected = await lanes[0].daemon.data(query);
    const length = { ...lanes[0].link.passed };
    const cuts = [OUT, IN].flatMap((direction) => offsets(length[direction], direction).map((bytes) => ({ direction, bytes })));
    await spread(cuts, lanes, async ({ direction, bytes }, { link, daemon }) => {
      link.arm(direction, bytes);
      await link.drop();
      const { body } = await daemon.post(query);
      assert.deepEqual(body, { data: expected }, `${direction} ${bytes} ${JSON.stringify(body)}`);
    });
  } finally {
    await Promise.all(lanes.map((each) => each.stop()));
  }
});

test("with no way to the database a change is refused, not unknown", async () => {
  const each = await lane();
  try {
    await each.link.close();
    const { body } = await each.daemon.post('mutation { mark(input: {token: "never"}) { id } }');
    assert.equal(body.errors[0].extensions.code, "SERVICE_UNAVAILABLE");
    assert.equal(await shared.sql(database, "select count(*) from public.marks where token = 'never'"), "0");
  } finally {
    await each.daemon.stop();
  }
});
