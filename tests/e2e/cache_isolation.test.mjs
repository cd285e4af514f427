// The result cache under random requests and writes: never another's rows, never what a change has ended.
//
// CACHE_SECONDS=60 has each part go on for so long (5).

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

const seed = Number(process.env.CACHE_SEED ?? Date.now() % 1000000);

test(`answers from the cache are those of a daemon without one (CACHE_SEED=${seed})`, async () => {
  const random = randomly(seed);
  const pick = (list) => list[random(list.length)];
  const database = await installed();
  // Views of their owner, policies by other settings, a table of everybody's, one that is not tracked.
  await shared.sql(
    database,
    `create role cache_owner_${seed}; grant usage on schema public to cache_owner_${seed}; grant select on projects, users, tasks to cache_owner_${seed};
     create policy owner_sees on projects for select to cache_owner_${seed} using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);
     create view v_owned with (security_invoker = false) as select id, name, tenant_id from projects; alter view v_owned owner to cache_owner_${seed};
     create view v_mine with (security_invoker = true) as select id, name, owner_id from projects where owner_id = nullif(current_setting('app.user_id', true), '')::uuid;
     create table note (id int primary key, user_id uuid, body text); alter table note enable row level security, force row level security;
     create policy mine on note using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
     insert into note select i, ('00000000-0000-4000-8001-' || lpad(to_hex(i % 40 + 1), 12, '0'))::uuid, 'note ' || i from generate_series(1, 400) i;
     create view v_note with (security_invoker = true) as select * from note;
     create table word (id int primary key, text text); insert into word select i, md5(i::text) from generate_series(1, 50) i; create view v_word as select * from word;
     grant select on v_owned, v_mine, v_note, note, v_word to app_user;
     select fraiseql.track_changes('note'), fraiseql.track_changes('word')`,
  );
  const names = Array.from({ length: 8 }, unique);
  const lists = [
    "projects(orderBy: [{ id: ASC }], limit: $limit) { id name tenantId }",
    "projects(orderBy: [{ id: ASC }], limit: $limit) { id name tasks(orderBy: [{ id: ASC }], limit: 3) { id title } }",
    "users(orderBy: [{ id: ASC }], limit: $limit) { id name }",
    "tasks(orderBy: [{ id: ASC }], limit: $limit) { id title project { name owner { name } } }",
    "owneds(orderBy: [{ id: ASC }], limit: $limit) { id name tenantId }",
    "mines(orderBy: [{ id: ASC }], limit: $limit) { id name ownerId }",
    "notes(orderBy: [{ id: ASC }], limit: $limit) { id userId body }",
    "words(orderBy: [{ id: ASC }], limit: $limit) { id text }",
  ];
  const schema = { expose: { schemas: ["public"], views: ["v_*"] } };
  const operations = Object.fromEntries(names.map((name, i) => [name, { mode: "always", ...(i % 3 === 0 ? { ttl: "30s" } : {}) }]));
  const cached = await start(database, { schema, server: { server_timing: true }, cache: { enabled: true, default_ttl: "30s", stale_while_revalidate: "10s", operations } });
  const plain = await start(database, { schema });
  const told = { hit: 0, miss: 0, bypass: 0, stale: 0 };
  const tokens = Array.from({ length: 24 }, (_, i) => {
    const tenant = id.tenant((i % 6) + 1);
    return { tenant, token: sign(claims({ tenant, user: id.user((i % 40) + 1) })) };
  });
  let requests = 0;
  const until = Date.now() + seconds * 1000;
  const one = async () => {
    while (Date.now() < until) {
      const n = random(names.length);
      const query = `query ${names[n]}($limit: Int) { ${lists[n]} }`;
      const { tenant, token } = pick(tokens);
      const options = { token, variables: { limit: [1, 2, 5, null][random(4)] } };
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
  await shared.sql(database, `drop owned by cache_owner_${seed} cascade; drop role cache_owner_${seed}`);
});

test(`no reader sees what a change that was committed before has ended (CACHE_SEED=${seed})`, async () => {
  const random = randomly(seed);
  const database = await installed();
  // A counter for each of some rows of each tenant; what is written is never written again.
  await shared.sql(
    database,
    `create table counter (id int primary key, tenant_id uuid not null, n int not null); alter table counter enable row level security, force row level security;
     create policy own on counter using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
     insert into counter select i, ('00000000-0000-4000-8000-' || lpad((i % 3 + 1)::text, 12, '0'))::uuid, 0 from generate_series(0, 8) i;
     create view v_counter with (security_invoker = true) as select * from counter;
     create function fn_count(id int) returns void language sql as $$ update counter c set n = n + 1 where c.id = fn_count.id $$;
     grant select, update on counter, v_counter to app_user; grant execute on function fn_count(int) to app_user;
     select fraiseql.track_changes('counter', 'tenant_id')`,
  );
  const name = unique();
  const more = { server: { server_timing: true }, schema: { expose: { schemas: ["public"], views: ["v_*"], functions: ["fn_*"] } }, cache: { enabled: true, stale_while_revalidate: "5s", operations: { [name]: { mode: "always" } } } };
  const daemons = await Promise.all([start(database, more), start(database, more)]);
  const committed = Array(9).fill(0); // as known to have been committed
  const begun = Array(9).fill(0); // the most that may be
  const tenants = [1, 2, 3].map((n) => ({ tenant: id.tenant(n), token: sign(claims({ tenant: id.tenant(n) })) }));
  const told = { hit: 0, miss: 0, bypass: 0, stale: 0 };
  const until = Date.now() + seconds * 1000;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const reader = async () => {
    while (Date.now() < until) {
      const n = random(3);
      const least = [...committed];
      const reply = await daemons[random(2)].post(`query ${name} { counters(orderBy: [{ id: ASC }]) { id n } }`, { token: tenants[n].token });
      assert.equal(reply.body.errors, undefined, reply.text);
      told[outcome(reply)]++;
      assert.deepEqual(reply.body.data.counters.map((c) => Number(c.id)), [n, n + 3, n + 6]);
      for (const { id: row, n: seen } of reply.body.data.counters) {
        assert.ok(seen >= least[row], `${outcome(reply)}: ${seen} of row ${row}, where ${least[row]} had been committed`);
        assert.ok(seen <= begun[row], `${outcome(reply)}: ${seen} of row ${row}, where no more than ${begun[row]} was written`);
      }
      await pause(random(4));
    }
  };
  // Each writer has rows of its own: what it has committed is what is there.
  const bySql = async (rows) => {
    const session = new Session(database);
    while (Date.now() < until) {
      const some = rows.filter(() => random(2) === 0);
      if (some.length === 0) {
        continue;
      }
      const undone = random(4) === 0;
      if (!undone) {
        some.forEach((row) => begun[row]++);
      }
      await session.run(`begin; update counter set n = n + ${undone ? 1000 : 1} where id in (${some})`);
      await pause(random(30));
      await session.run(undone ? "rollback" : "commit");
      if (!undone) {
        some.forEach((row) => committed[row]++);
      }
      await pause(random(60));
    }
    await session.end();
  };
  const byMutation = async (row) => {
    while (Date.now() < until) {
      begun[row]++;
      await daemons[random(2)].data(`mutation { count(input: { id: ${row} }) }`, { token: tenants[row % 3].token });
      committed[row]++;
      await pause(random(80));
    }
  };
  await Promise.all([...Array.from({ length: 6 }, reader), bySql([0, 1, 2]), bySql([3, 4]), bySql([5]), byMutation(6), byMutation(7), byMutation(8)]);
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  assert.ok(told.hit > 50 && told.miss > 50, JSON.stringify(told));
  assert.ok(committed.every((n) => n > 0));
});
