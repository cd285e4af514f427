// projectsGroupBy is what "group by" is in SQL, with having, order and pages.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, tokenFor, ZENITH } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create type public.mood as enum ('HAPPY', 'not so happy', 'sad');
   create domain public.tame_mood as public.mood;
   create table public.samples (
     id bigint primary key, kind text, small smallint, medium integer, large bigint, exact numeric, real_value real, double_value double precision,
     duration interval, day date, moment timestamptz, clock time, mood public.mood, tame public.tame_mood, tags text[], flag boolean, key uuid, doc jsonb,
     ip inet, net cidr, bytes bytea, span int4range, padded char(3), raw json);
   insert into public.samples
   select i, (array['a', 'b''"\\', null])[1 + i % 3], nullif(i % 5, 0), nullif(i % 7, 3) * 1000000, nullif(i % 4, 1) * 9007199254740993, (nullif(i % 6, 2) / 8.0)::numeric,
          nullif(i % 5, 1) / 4.0, nullif(i % 3, 0) / 8.0, nullif(i % 4, 0) * interval '1 day 02:03:04.5', date '2024-01-01' + nullif(i % 5, 4),
          timestamptz '2024-01-01 00:00:00+00' + nullif(i % 3, 2) * interval '36 hours', time '00:00' + nullif(i % 4, 2) * interval '1 hour',
          (array['HAPPY', 'not so happy', 'sad', null])[1 + i % 4]::mood, (array['sad', 'HAPPY', null])[1 + i % 3]::tame_mood, (array['{a,b}', '{}', null])[1 + i % 3]::text[],
          (array[true, false, null])[1 + i % 3], ('00000000-0000-4000-8000-00000000000' || i % 3)::uuid, (array['{"a": 1}', '[]', null])[1 + i % 3]::jsonb,
          (array['10.0.0.1', '10.0.0.0/8', null])[1 + i % 3]::inet, (array['10.0.0.0/8', '10.1.0.0/16', null])[1 + i % 3]::cidr,
          (array['\\x00', '\\xff', null])[1 + i % 3]::bytea, (array['[1,2)', 'empty', null])[1 + i % 3]::int4range, (array['a', 'b', null])[1 + i % 3], '{}'
     from generate_series(1, 60) i;
   create view public.v_sample with (security_invoker = true) as select * from public.samples;
   create table public.unlucky (id int primary key, count int, count_key text, sum int, "group" text, "true" text, "Weird "" name" int);
   insert into public.unlucky values (1, 2, 'p', 3, 'a', 'x', 4), (2, 2, 'q', 6, null, null, 7), (3, null, 'p', 1, 'a', 'x', 4);
   create view public.v_unlucky with (security_invoker = true) as select * from public.unlucky;
   grant select on public.samples, public.v_sample, public.unlucky, public.v_unlucky to app_user`,
);
const daemon = await start(database, { schema: { pagination: { default_limit: 40, max_limit: 200 } } });
after(() => daemon.stop());

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

test("one group for each value of each type, null among them, in its order", async () => {
  const { __type } = await daemon.data(`{ __type(name: "SampleField") { enumValues { name } } }`);
  const names = (await shared.rows(database, `select attname as name from pg_attribute where attrelid = 'samples'::regclass and attnum > 0 order by attnum`)).map(({ name }) => name);
  assert.deepEqual(__type.enumValues.map(({ name }) => name), names.filter((name) => name !== "raw").map(camel));
  for (const name of names.filter((n) => n !== "raw" && n !== "id")) {
    const field = camel(name);
    const { samplesGroupBy } = await daemon.data(`{ samplesGroupBy(by: [${field}]) { ${field} count countDistinct(field: ${field}) sum { medium } } }`);
    const rows = await shared.rows(
      database,
      `select ${name} is null as none, count(*)::int as count, count(distinct ${name})::int as "countDistinct", json_build_object('medium', sum(medium)::text) as sum from samples group by ${name} order by ${name}`,
    );
    assert.ok(rows.length > 1, name);
    assert.deepEqual(samplesGroupBy.map(({ [field]: value, ...rest }) => ({ none: value === null, ...rest })), rows, name);
  }
});

test("the values of keys are those of the fields", async () => {
  const fields = "kind small large exact mood tags flag key doc ip net bytes span padded day moment clock duration";
  const { samplesGroupBy, samples } = await daemon.data(
    `{ samplesGroupBy(by: [id, ${fields.split(" ").join(", ")}], limit: 60) { id ${fields} } samples(limit: 60) { id ${fields} } }`,
  );
  assert.equal(samplesGroupBy.length, 60);
  assert.deepEqual(samplesGroupBy, samples);
});

// conditions in GraphQL, in SQL
const having = [
  [`{count: {gt: 12}}`, `count(*) > 12`],
  [`{count: {in: [12, 15]}}`, `count(*) in (12, 15)`],
  [`{sum: {small: {gte: "25"}}}`, `sum(small) >= 25`],
  [`{sum: {medium: {lt: "40000000"}}}`, `sum(medium) < 40000000`],
  [`{sum: {large: {gt: "180143985094819860"}}}`, `sum(large) > 180143985094819860`],
  [`{sum: {exact: {eq: "3.125"}}}`, `sum(exact) = 3.125`],
  [`{sum: {realValue: {gt: 6.5}}}`, `sum(real_value) > 6.5`],
  [`{sum: {doubleValue: {isnull: true}}}`, `sum(double_value) is null`],
  [`{sum: {duration: {gt: "P24D"}}}`, `sum(duration) > interval '24 days'`],
  [`{avg: {small: {gt: "2.4"}}}`, `avg(small) > 2.4`],
  [`{avg: {doubleValue: {lte: 0.2}}}`, `avg(double_value) <= 0.2`],
  [`{avg: {duration: {lt: "P2D"}}}`, `avg(duration) < interval '2 days'`],
  [`{stddev: {medium: {gt: "2000000"}}}`, `stddev(medium) > 2000000`],
  [`{stddev: {realValue: {lt: 0.4}}}`, `stddev(real_value) < 0.4`],
  [`{min: {kind: {eq: "a"}}}`, `min(kind) = 'a'`],
  [`{max: {kind: {startswith: "b'\\"\\\\"}}}`, `max(kind) like 'b''"\\\\%'`],
  [`{max: {day: {gte: "2024-01-04"}}}`, `max(day) >= '2024-01-04'`],
  [`{min: {moment: {gt: "2024-01-01T00:00:00Z"}}}`, `min(moment) > '2024-01-01 00:00:00+00'`],
  [`{max: {mood: {eq: NOT_SO_HAPPY}}}`, `max(mood) = 'not so happy'`],
  [`{max: {tame: {neq: sad}}}`, `max(tame::mood) <> 'sad'`],
  [`{min: {tags: {len_eq: 0}}}`, `cardinality(min(tags)) = 0`],
  [`{min: {id: {in: ["1", "2"]}}}`, `min(id) in (1, 2)`],
  [`{min: {ip: {isnull: false}}}`, `min(ip) is not null`],
  [`{OR: [{count: {lt: 12}}, {sum: {small: {gt: "30"}}}], NOT: {min: {id: {eq: "1"}}}}`, `(count(*) < 12 or sum(small) > 30) and not min(id) = 1`],
  [`{AND: [{count: {gte: 12}}, {sum: {small: {lt: "30"}}}]}`, `count(*) >= 12 and sum(small) < 30`],
  [`{}`, `true`],
  [`null`, `true`],
  [`{OR: []}`, `false`],
  [`{OR: [{count: {gt: 1000}}, {}]}`, `true`],
  [`{count: null, sum: {small: null}}`, `true`],
];

for (const by of [["small"], ["kind", "small"], ["day"]]) {
  test(`having, by ${by}`, async () => {
    let found = 0;
    for (const [condition, sql] of having) {
      const { samplesGroupBy } = await daemon.data(`{ samplesGroupBy(by: [${by}], having: ${condition}, limit: 100) { ${by.join(" ")} count min { id } } }`);
      const rows = await shared.rows(
        database,
        `select ${by}, count(*)::int as count, json_build_object('id', min(id)::text) as min from samples group by ${by} having ${sql} order by ${by}`,
      );
      found += rows.length > 0 && !["true", "false"].includes(sql);
      assert.deepEqual(samplesGroupBy, rows, condition);
    }
    assert.ok(found > 12, `${found} conditions find something`);
  });
}

test("conditions may be in a variable", async () => {
  const query = `query ($h: SampleHavingInput, $n: Int, $s: SampleSumHavingInput) {
    a: samplesGroupBy(by: [small], having: $h) { small } b: samplesGroupBy(by: [small], having: {count: {gte: $n}, sum: $s}) { small } }`;
  const of = (sql) => shared.rows(database, `select small from samples group by small having ${sql} order by small`);
  for (const [variables, a, b] of [
    [{ h: { sum: { medium: { gt: "36000000" } } }, n: 12, s: null }, `sum(medium) > 36000000`, `count(*) >= 12`],
    [{ h: { sum: { medium: { gt: "100" } } }, n: 13, s: { large: { gt: "9" } } }, `sum(medium) > 100`, `count(*) >= 13 and sum(large) > 9`],
    [{ h: null, n: 1 }, `true`, `count(*) >= 1`],
    [{ h: { OR: [{ count: { eq: 12 } }, { max: { kind: { isnull: true } } }] }, n: 1 }, `count(*) = 12 or max(kind) is null`, `true`],
  ]) {
    assert.deepEqual(await daemon.data(query, { variables }), { a: await of(a), b: await of(b) });
  }
});

const orders = [
  [`[{count: DESC}]`, `count(*) desc, kind, small`],
  [`[{small: DESC_NULLS_LAST}, {kind: ASC_NULLS_FIRST}]`, `small desc nulls last, kind nulls first`],
  [`[{sum: {medium: DESC}}]`, `sum(medium) desc, kind, small`],
  [`[{avg: {exact: ASC_NULLS_FIRST}}, {small: DESC}]`, `avg(exact) nulls first, small desc, kind`],
  [`[{stddev: {large: DESC_NULLS_LAST}}]`, `stddev(large) desc nulls last, kind, small`],
  [`[{max: {moment: DESC}}, {min: {clock: ASC}}, {max: {mood: DESC}}]`, `max(moment) desc, min(clock), max(mood) desc, kind, small`],
  [`[{sum: {duration: ASC}}]`, `sum(duration), kind, small`],
  [`[]`, `kind, small`],
  [`null`, `kind, small`],
];

for (const [orderBy, sql] of orders) {
  test(`orderBy: ${orderBy}, and pages of it`, async () => {
    const rows = await shared.rows(database, `select kind, small, count(*)::int as count from samples group by kind, small order by ${sql}`);
    const all = await daemon.data(`{ samplesGroupBy(by: [kind, small], orderBy: ${orderBy}) { kind small count } }`);
    assert.deepEqual(all.samplesGroupBy, rows);
    const pages = [];
    for (let offset = 0; offset < rows.length; offset += 4) {
      const query = `query ($o: Int) { samplesGroupBy(by: [kind, small], orderBy: ${orderBy}, limit: 4, offset: $o) { kind small count } }`;
      pages.push(...(await daemon.data(query, { variables: { o: offset } })).samplesGroupBy);
    }
    assert.deepEqual(pages, rows);
  });
}

test("without limit the default holds, above the maximum is an error", async () => {
  const groups = async (args) => (await daemon.data(`{ samplesGroupBy(by: [id]${args}) { id } }`)).samplesGroupBy.length;
  assert.equal(await groups(""), 40);
  assert.equal(await groups(", limit: 60"), 60);
  assert.equal(await groups(", limit: 0"), 0);
  for (const args of ["limit: 201", "limit: -1", "offset: -1"]) {
    assert.equal((await daemon.refusal(`{ samplesGroupBy(by: [id], ${args}) { id } }`)).extensions.code, "BAD_USER_INPUT", args);
  }
});

test("the fields to group by may be in a variable: each list is a plan of its own", async () => {
  const query = `query ($by: [SampleField!]!, $all: Boolean!) { samplesGroupBy(by: $by) { kind @include(if: $all) count } }`;
  const of = (by) => shared.rows(database, `select count(*)::int as count from samples group by ${by} order by ${by}`);
  assert.deepEqual((await daemon.data(query, { variables: { by: ["kind"], all: false } })).samplesGroupBy, await of("kind"));
  assert.deepEqual((await daemon.data(query, { variables: { by: ["small"], all: false } })).samplesGroupBy, await of("small"));
  assert.deepEqual((await daemon.data(query, { variables: { by: ["flag", "small"], all: false } })).samplesGroupBy, await of("flag, small"));
  assert.deepEqual((await daemon.data(query, { variables: { by: "flag", all: false } })).samplesGroupBy, await of("flag"));
  for (const by of [["small"], []]) {
    assert.equal((await daemon.refusal(query, { variables: { by, all: by.length > 0 } })).extensions.code, "BAD_USER_INPUT");
  }
  for (const by of [null, [null], ["raw"], ["kind\"; --"]]) {
    assert.equal((await daemon.refusal(query, { variables: { by, all: false } })).extensions.code, "BAD_USER_INPUT", JSON.stringify(by));
  }
});

test("what is not in by cannot be selected or sorted by", async () => {
  for (const query of [
    `{ samplesGroupBy(by: [kind]) { small } }`,
    `{ samplesGroupBy(by: [kind]) { ...F } } fragment F on SampleGroup { kind small }`,
    `{ samplesGroupBy(by: [kind], orderBy: [{small: ASC}]) { kind } }`,
    `{ samplesGroupBy(by: [kind], orderBy: [{small: ASC, kind: ASC}]) { kind } }`,
    `{ samplesGroupBy(by: [kind], orderBy: [{sum: {}}]) { kind } }`,
    `{ samplesGroupBy(by: [kind], orderBy: [{sum: {small: ASC, medium: ASC}}]) { kind } }`,
    `{ samplesGroupBy(by: []) { count } }`,
    `{ samplesGroupBy(by: [kind], having: {count: {gt: null}}) { kind } }`,
  ]) {
    const error = await daemon.refusal(query);
    assert.equal(error.extensions.code, "BAD_USER_INPUT", query);
    assert.equal(error.status, 400);
  }
  for (const query of [
    `{ samplesGroupBy { count } }`,
    `{ samplesGroupBy(by: [kind]) { raw } }`,
    `{ samplesGroupBy(by: [kind], having: {kind: {eq: "a"}}) { kind } }`,
    `{ samplesGroupBy(by: [kind], having: {sum: {kind: {eq: "a"}}}) { kind } }`,
    `{ samplesGroupBy(by: [kind], having: {stddev: {duration: {isnull: true}}}) { kind } }`,
    `{ samplesGroupBy(by: [kind], orderBy: [{stddev: {duration: ASC}}]) { kind } }`,
  ]) {
    assert.equal((await daemon.refusal(query)).extensions.code, "GRAPHQL_VALIDATION_FAILED", query);
  }
});

test("columns named as aggregates are keys by another name", async () => {
  const data = await daemon.data(
    `{ unluckiesGroupBy(by: [count, countKey, sum, group, true_, weirdName], orderBy: [{countKeyKey: DESC}, {sumKey: DESC}]) {
         countKeyKey countKey sumKey group true weirdName count sum { sum count weirdName } } }`,
  );
  assert.deepEqual(
    data.unluckiesGroupBy,
    await shared.rows(
      database,
      `select u.count as "countKeyKey", u.count_key as "countKey", u.sum as "sumKey", "group", "true", "Weird "" name" as "weirdName", count(*)::int as count,
              json_build_object('sum', sum(u.sum)::text, 'count', sum(u.count)::text, 'weirdName', sum("Weird "" name")::text) as sum
         from unlucky u group by 1, 2, 3, 4, 5, 6 order by u.count desc, u.sum desc`,
    ),
  );
});

test("where comes before the groups, with conditions on relations", async () => {
  const { tasksGroupBy } = await daemon.data(
    `{ tasksGroupBy(by: [status, priority], where: {project: {owner: {active: {eq: true}}}, labels: {len_gt: 0}}, having: {count: {gt: 1}}) {
         status priority count avg { estimateHours } max { createdAt: title } countDistinct(field: assigneeId) } }`,
  );
  const rows = await shared.rows(
    database,
    `select t.status, t.priority, count(*)::int as count, json_build_object('estimateHours', avg(estimate_hours)::text) as avg,
            json_build_object('createdAt', max(title)) as max, count(distinct assignee_id)::int as "countDistinct"
       from tasks t join projects p on p.id = t.project_id join users u on u.id = p.owner_id
      where t.tenant_id = '${ACME}' and u.active and cardinality(t.labels) > 0
      group by 1, 2 having count(*) > 1 order by 1, 2`,
  );
  assert.ok(rows.length > 3);
  assert.deepEqual(tasksGroupBy, rows);
});

test("no tenant's rows are in another's groups", async () => {
  for (const tenant of [ACME, GLOBEX, ZENITH]) {
    const data = await daemon.data(`{ projectsGroupBy(by: [tenantId, status]) { tenantId status count sum { budget } } users: usersGroupBy(by: [role]) { role count } }`, {
      token: tokenFor(tenant),
    });
    assert.deepEqual(
      data.projectsGroupBy,
      await shared.rows(
        database,
        `select tenant_id as "tenantId", status, count(*)::int as count, json_build_object('budget', sum(budget)::text) as sum
           from projects where tenant_id = '${tenant}' group by 1, 2 order by tenant_id, status`,
      ),
    );
    assert.equal(
      data.users.reduce((sum, { count }) => sum + count, 0),
      Number(await shared.sql(database, `select count(*) from users where tenant_id = '${tenant}'`)),
    );
  }
});

test("several groupings, aggregates and lists of one operation see one snapshot", async () => {
  const data = await daemon.data(
    `{ a: samplesGroupBy(by: [kind]) { __typename } b: samplesGroupBy(by: [kind, flag], limit: 1) { kind count } samplesAggregate { count } samples(limit: 1) { id } }`,
  );
  assert.deepEqual(data.a, Array(3).fill({ __typename: "SampleGroup" }));
  assert.equal(data.b.length, 1);
  assert.deepEqual([data.samplesAggregate, data.samples], [{ count: 60 }, [{ id: "1" }]]);
});
