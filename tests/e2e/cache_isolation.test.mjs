// The result cache under random requests and writes: never another's rows, never what a change has ended.
//
// CACHE_SECONDS=60 has each part go on for so long (5), and longer where a busy machine has not got it far enough by then.

import assert from "node:assert/strict";
import { test } from "node:test";
import { entries, installed, outcome, unique } from "./support/cache.mjs";
import { start } from "./support/daemon.mjs";
import { Session, shared } from "./support/postgres.mjs";
import { id, sign, claims } from "./support/token.mjs";

const seconds = Number(process.env.CACHE_SECONDS ?? 5);

/** A source of numbers that can be had again: the seed is in the test's name. */
function randomly(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** Whether it is to go on: for so many seconds, then until `reached`, but a minute at most. */
function goingOn(reached) {
  const start = Date.now();
  return () => Date.now() - start < seconds * 1000 || (!reached() && Date.now() - start < 60_000);
}

const seed = Number(process.env.CACHE_SEED ?? Date.now() % 1000000);

test(`answers from the cache are those of a daemon without one (CACHE_SEED=${seed})`, async () => {
  const random = randomly(seed);
  const pick = (list) => list[random(list.length)];
  const database = await installed();
  // Views of their owner, policies by other settings, a table of everybody's, one that is not tracked; roles that see less.
  const roles = [`cache_narrow_${seed}`, `cache_other_${seed}`];
  await shared.sql(
    database,
    `create role ${roles[0]} in role app_user; create role ${roles[1]} in role app_user; grant ${roles} to fraiseqld;
     create policy narrow on projects as restrictive for select to ${roles[0]} using (id < '${id.project(1000)}' and right(id::text, 1) < '8');
     create role cache_owner_${seed}; grant usage on schema public to cache_owner_${seed}; grant select on projects, users, tasks to cache_owner_${seed};
     create policy owner_sees on projects for select to cache_owner_${seed} using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);
     create view v_owned with (security_invoker = false) as select id, name, tenant_id from projects; alter view v_owned owner to cache_owner_${seed};
     create view v_mine with (security_invoker = true) as select id, name, owner_id from projects where owner_id = nullif(current_setting('app.user_id', true), '')::uuid;
     create table note (id int primary key, user_id uuid, body text); alter table note enable row level security, force row level security;
     create policy mine on note using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
     insert into note select i, ('00000000-0000-4000-8001-' || lpad(to_hex(i % 40 + 1), 12, '0'))::uuid, 'note ' || i from generate_series(1, 400) i;
     create view v_note with (security_invoker = true) as select * from note;
     create table word (id int primary key, text text); insert into word select i, md5(i::text) from generate_series(1, 50) i; create view v_word as select * from word;
     create view v_who with (security_invoker = true) as select id, current_user::text as name from word where id <= 10;
     grant select on v_owned, v_mine, v_note, note, v_word, v_who, word to app_user;
     select fraiseql.track_changes('note'), fraiseql.track_changes('word')`,
  );
  const lists = [
    "projects(orderBy: [{ id: ASC }], limit: $limit) { id name tenantId }",
    "projects(orderBy: [{ id: ASC }], limit: $limit) { id name tasks(orderBy: [{ id: ASC }], limit: 3) { id title } }",
    "users(orderBy: [{ id: ASC }], limit: $limit) { id name }",
    "tasks(orderBy: [{ id: ASC }], limit: $limit) { id title project { name owner { name } } }",
    "owneds(orderBy: [{ id: ASC }], limit: $limit) { id name tenantId }",
    "mines(orderBy: [{ id: ASC }], limit: $limit) { id name ownerId }",
    "notes(orderBy: [{ id: ASC }], limit: $limit) { id userId body }",
    "words(orderBy: [{ id: ASC }], limit: $limit) { id text }",
    "whos(orderBy: [{ id: ASC }], limit: $limit) { id name }",
    "projects(orderBy: [{ id: ASC }], limit: $limit, where: { name: { gt: $name } }) { id name @include(if: $more) tenantId }",
    "p: projects(orderBy: [{ id: DESC }], limit: $limit) { id: name name: id } words(limit: 1, orderBy: [{ text: DESC }]) { text }",
  ];
  const names = lists.map(unique);
  const schema = { expose: { schemas: ["public"], views: ["v_*"] } };
  const auth = { role_claim: { allowed: roles } };
  const operations = Object.fromEntries(names.map((name, i) => [name, { mode: "always", ...(i % 3 === 0 ? { ttl: "30s" } : {}) }]));
  const cached = await start(database, { schema, auth, server: { server_timing: true }, cache: { enabled: true, default_ttl: "30s", stale_while_revalidate: "10s", operations } });
  const plain = await start(database, { schema, auth });
  const told = { hit: 0, miss: 0, bypass: 0, stale: 0 };
  const tokens = Array.from({ length: 24 }, (_, i) => {
    const tenant = id.tenant((i % 6) + 1);
    return { tenant, token: sign(claims({ tenant, user: id.user((i % 40) + 1), role: [undefined, ...roles][Math.floor(i / 6) % 3] })) };
  });
  let requests = 0;
  const unfinished = goingOn(() => told.hit > 100 && told.hit > told.miss);
  const one = async () => {
    while (unfinished()) {
      const n = random(names.length);
      const declared = "$limit: Int" + (/\$name/.test(lists[n]) ? ", $name: String, $more: Boolean!" : "");
      const query = `query ${names[n]}(${declared}) { ${lists[n]} }`;
      const { tenant, token } = pick(tokens);
      const options = { token, variables: { limit: [1, 2, 5, null][random(4)], name: ["", "M", "null", undefined][random(4)], more: random(2) === 0 } };
      const reply = await cached.post(query, options);
      assert.equal(reply.body.errors, undefined, reply.text);
      told[outcome(reply)]++;
      requests++;
      for (const [, owner] of reply.text.matchAll(/"tenantId":"([^"]*)"/g)) {
        assert.equal(owner, tenant);
      }
      if (outcome(reply) !== "miss" || random(4) === 0) {
        assert.equal(reply.text, (await plain.post(query, options)).text, `${query} ${JSON.stringify(options.variables)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  await Promise.all([cached.stop(), plain.stop()]);
  assert.ok(told.hit > 100 && told.hit > told.miss, JSON.stringify(told));
  assert.ok(Number(await entries(database)) > 50);
  await shared.sql(database, `drop owned by cache_owner_${seed}, ${roles} cascade; drop role cache_owner_${seed}, ${roles}`);
});

test(`no reader sees what a change that was committed before has ended (CACHE_SEED=${seed})`, async () => {
  const random = randomly(seed);
  const database = await installed();
  // A counter for each of some rows of each tenant, in partitions, and one of everybody's; what is written is never written again.
  await shared.sql(
    database,
    `create table counter (id int primary key, tenant_id uuid not null, n int not null) partition by range (id);
     create table counter_low partition of counter for values from (0) to (4); create table counter_high partition of counter for values from (4) to (9);
     alter table counter enable row level security, force row level security;
     create policy own on counter using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
     insert into counter select i, ('00000000-0000-4000-8000-' || lpad((i % 3 + 1)::text, 12, '0'))::uuid, 0 from generate_series(0, 8) i;
     create view v_counter with (security_invoker = true) as select * from counter;
     create table common (id int primary key, n int not null); insert into common values (9, 0);
     create view v_common with (security_invoker = true) as select * from common;
     create view v_total as select 10 as id, sum(n)::int as n from counter;
     create function fn_count(id int) returns void language sql as $$ update counter c set n = n + 1 where c.id = fn_count.id $$;
     grant select, update on counter, v_counter to app_user; grant select on common, v_common, v_total to app_user; grant execute on function fn_count(int) to app_user;
     select fraiseql.track_changes('counter', 'tenant_id'), fraiseql.track_changes('common')`,
  );
  const [own, common, total] = [unique(), unique(), unique()];
  const operations = Object.fromEntries([own, common, total].map((name) => [name, { mode: "always" }]));
  const queries = [
    { text: `query ${own} { counters(orderBy: [{ id: ASC }]) { id n } }`, ids: (n) => [n, n + 3, n + 6] },
    { text: `query ${common} { counters: commons { id n } }`, ids: () => [9] },
    { text: `query ${total} { counters: totals { id n } }`, ids: () => [10] },
  ];
  const sum = (numbers) => numbers.slice(0, 9).reduce((a, b) => a + b, 0);
  const more = { server: { server_timing: true }, schema: { expose: { schemas: ["public"], views: ["v_*"], functions: ["fn_*"] } }, cache: { enabled: true, stale_while_revalidate: "5s", stale_if_error: "5s", operations } };
  const daemons = await Promise.all([start(database, more), start(database, more)]);
  const committed = Array(10).fill(0); // as known to have been committed
  const begun = Array(10).fill(0); // the most that may be
  const tenants = [1, 2, 3].map((n) => ({ tenant: id.tenant(n), token: sign(claims({ tenant: id.tenant(n) })) }));
  const told = { hit: 0, miss: 0, bypass: 0, stale: 0 };
  const unfinished = goingOn(() => told.hit > 50 && told.miss > 50 && committed.every((n) => n > 0));
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const reader = async () => {
    while (unfinished()) {
      const n = random(3);
      const least = [...committed, sum(committed)];
      const { text, ids } = queries[random(3)];
      const reply = await daemons[random(2)].post(text, { token: tenants[n].token });
      const most = [...begun, sum(begun)];
      assert.equal(reply.body.errors, undefined, reply.text);
      told[outcome(reply)]++;
      assert.deepEqual(reply.body.data.counters.map((c) => Number(c.id)), ids(n));
      for (const { id: row, n: seen } of reply.body.data.counters) {
        assert.ok(seen >= least[row], `${outcome(reply)}: ${seen} of row ${row}, where ${least[row]} had been committed`);
        assert.ok(seen <= most[row], `${outcome(reply)}: ${seen} of row ${row}, where no more than ${most[row]} was written`);
      }
      await pause(random(4));
    }
  };
  // Each writer has rows of its own: what it has committed is what is there. Rows of counter by its name, or its partitions'.
  const table = (row) => (row === 9 ? "common" : ["counter", row < 4 ? "counter_low" : "counter_high"][random(2)]);
  const write = (rows, by) => rows.map((row) => `update ${table(row)} set n = n + ${by} where id = ${row}`).join("; ");
  const bySql = async (rows) => {
    const session = new Session(database);
    while (unfinished()) {
      const some = rows.filter(() => random(2) === 0);
      const undone = random(4) === 0;
      if (some.length === 0) {
        continue;
      }
      if (!undone) {
        some.forEach((row) => begun[row]++);
      }
      if (some.length === 1 && !undone && random(2) === 0) {
        await session.run(write(some, 1));
      } else {
        await session.run(`begin; savepoint s; ${write(some, 5000)}; rollback to s; ${write(some, undone ? 1000 : 1)}`);
        await pause(random(30));
        await session.run(undone ? "rollback" : "commit");
      }
      if (!undone) {
        some.forEach((row) => committed[row]++);
      }
      await pause(random(60));
    }
    await session.end();
  };
  const byMutation = async (row) => {
    while (unfinished()) {
      begun[row]++;
      await daemons[random(2)].data(`mutation { count(input: { id: ${row} }) }`, { token: tenants[row % 3].token });
      committed[row]++;
      await pause(random(80));
    }
  };
  await Promise.all([...Array.from({ length: 6 }, reader), bySql([0, 1, 2]), bySql([3, 4]), bySql([5, 9]), byMutation(6), byMutation(7), byMutation(8)]);
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  assert.ok(told.hit > 50 && told.miss > 50, JSON.stringify(told));
  assert.ok(committed.every((n) => n > 0));
});

test(`who waits for an answer, or gets one that is old, gets one of his own tenant (CACHE_SEED=${seed})`, async () => {
  const random = randomly(seed);
  const database = await installed();
  // It takes long, differs by user, and fails every now and then.
  await shared.sql(
    database,
    `create function judge() returns boolean language plpgsql volatile as $$ begin
       if random() < 0.1 then raise exception using errcode = 'XX000'; end if; perform pg_sleep(0.04); return true; end $$;
     create view v_slow with (security_invoker = true) as
       select p.id, p.tenant_id, p.name, current_setting('app.user_id', true) as reader, judge() as ok from (select * from projects order by id limit 3) p`,
  );
  await shared.sql(database, "grant select on v_slow to app_user");
  const name = unique();
  const more = { server: { server_timing: true }, cache: { enabled: true, stale_while_revalidate: "3s", stale_if_error: "3s", operations: { [name]: { mode: "always", ttl: "1s" } } } };
  const daemons = await Promise.all([start(database, more), start(database, more)]);
  const people = Array.from({ length: 12 }, (_, i) => ({ tenant: id.tenant((i % 4) + 1), user: id.user(1 + (i % 3)) })).map((who) => ({ ...who, token: sign(claims(who)) }));
  const told = { hit: 0, miss: 0, bypass: 0, stale: 0, failed: 0 };
  const unfinished = goingOn(() => told.hit > 50 && told.miss > 5 && told.stale > 5 && told.failed > 0);
  const reader = async () => {
    while (unfinished()) {
      const who = people[random(people.length)];
      const n = random(3);
      const reply = await daemons[random(2)].post(`query ${name}($n: Int) { slows(limit: $n) { tenantId reader name ok } }`, { token: who.token, variables: { n: n + 1 } });
      if (reply.body.errors !== undefined) {
        told.failed++;
        assert.equal(reply.body.data?.slows ?? null, null);
        continue;
      }
      told[outcome(reply)]++;
      assert.equal(reply.body.data.slows.length, n + 1);
      for (const row of reply.body.data.slows) {
        assert.deepEqual([row.tenantId, row.reader], [who.tenant, who.user], reply.text);
      }
    }
  };
  await Promise.all(Array.from({ length: 24 }, reader));
  const waits = await Promise.all(daemons.map(async (daemon) => Number(/^fraiseql_cache_waits_total (\d+)$/m.exec((await daemon.admin("/metrics")).text)[1])));
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  assert.ok(told.hit > 50 && told.miss > 5 && told.stale > 5 && told.failed > 0, JSON.stringify(told));
  assert.ok(waits.every((n) => n > 5), String(waits));
});
