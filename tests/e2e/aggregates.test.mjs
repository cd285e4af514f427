// Counts, sums, averages, extremes and deviations are what PostgreSQL says, for each type that has them.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, id, tokenFor, ZENITH } from "./support/token.mjs";

// column, type, values: as many rows as the longest has
const columns = [
  ["small", "smallint", ["32767", "32767", null, "-5"]],
  ["medium", "integer", ["2147483647", "2147483647", null, "1"]],
  ["large", "bigint", ["9223372036854775807", "9223372036854775807", null, "3"]],
  ["exact", "numeric", ["123456789012345678901234567890.123456789", "0.1", null, "-7"]],
  ["money_like", "numeric(14,2)", ["10.50", "0.25", null, "99999999.99"]],
  ["real_value", "real", ["1.5", "0.1", null, "-2.25"]],
  ["double_value", "double precision", ["0.1", "0.2", null, "1e100"]],
  ["duration", "interval", ["1 day 02:00:00", "1 year", null, "-3 hours"]],
  ["price", "money", ["12.34", "0.66", null, "-1"]],
  ["words", "text", ["b", "a", null, "ä \" ' \\"]],
  ["code", "varchar(10)", ["b", "a", null, ""]],
  ["padded", "char(5)", ["b", "ab", null, "c"]],
  ["one", '"char"', ["b", "a", null, "c"]],
  ["title", "name", ["b", "a", null, "c"]],
  ["address", "public.email", ["b@x", "a@x", null, "c@x"]],
  ["loud", "public.loud_text", ["B", "a", null, "C"]],
  ["day", "date", ["2024-02-29", "0001-01-01", null, "1999-12-31"]],
  ["clock", "time", ["23:59:59.999999", "00:00:00", null, "12:00"]],
  ["zoned_clock", "timetz", ["23:59:59+02", "00:00:00-03", null, "12:00+00"]],
  ["moment", "timestamptz", ["2024-02-29 23:59:59.123456+00", "1969-12-31 23:59:59+00", null, "2000-01-01 00:00:00+00"]],
  ["local_moment", "timestamp", ["2024-02-29 23:59:59.1", "1970-01-01 00:00:00", null, "2000-01-01 00:00:00"]],
  ["mood", "public.mood", ["sad", "HAPPY", null, "not so happy"]],
  ["tame_mood", "public.tame_mood", ["sad", "HAPPY", null, "not so happy"]],
  ["numbers", "integer[]", ["{1,2}", "{1}", null, "{}"]],
  ["few", "public.few", ["{1,2}", "{1}", null, "{3}"]],
  ["names", "text[]", ["{b,a}", '{"",NULL}', null, "{}"]],
  ["ip", "inet", ["10.0.0.1", "10.0.0.0/8", null, "::1"]],
  ["net", "cidr", ["10.0.0.0/8", "192.168.1.0/24", null, "10.1.0.0/16"]],
  ["number_of_object", "oid", ["4294967295", "1", null, "7"]],
  ["place", "pg_lsn", ["16/B374D848", "0/1", null, "1/0"]],
  ["tuple", "tid", ["(0,1)", "(0,2)", null, "(3,1)"]],
  ["nothing", "integer", [null, null, null, null]],
  ["alone", "integer", ["5", null, null, null]],
  // without any but counts
  ["flag", "boolean", ["t", "f", null, "t"]],
  ["key", "uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", null, null, null]],
  ["document", "jsonb", ['{"a": 1}', "[]", null, "1"]],
  ["raw", "json", ['{"a": 1}', "[]", null, "1"]],
  ["bytes", "bytea", ["\\x00ff", null, null, null]],
  ["span", "int4range", ["[1,5)", null, null, null]],
  ["hardware", "macaddr", ["08:00:2b:01:02:03", null, null, null]],
  ["bits", "bit(3)", ["101", null, null, null]],
];

const literal = (value) => (value === null ? "null" : `'${value.replaceAll("'", "''")}'`);
const database = await createDatabase();
await shared.sql(
  database,
  `create extension citext;
   create domain public.email as text check (value like '%@%');
   create domain public.loud_text as citext;
   create type public.mood as enum ('HAPPY', 'not so happy', 'sad');
   create domain public.tame_mood as public.mood;
   create domain public.few as integer[] check (cardinality(value) < 5);
   create table public.measures (id bigint primary key, parent_id bigint references public.measures, ${columns.map(([name, type]) => `${name} ${type}`).join(", ")});
   insert into public.measures values ${[0, 1, 2, 3].map((i) => `(${i + 1}, ${i === 0 ? "null" : 1}, ${columns.map(([, , values]) => literal(values[i])).join(", ")})`).join(", ")};
   create view public.v_measure with (security_invoker = true) as select * from public.measures;
   create view public.v_nothing with (security_invoker = true) as select '{}'::json as raw, point(0, 0) as spot;
   create table public.unlucky (id int primary key, count int, sum int, "group" text, "order" text, "Weird "" name" int);
   insert into public.unlucky values (1, 2, 3, 'a', 'b', 4), (2, 5, 6, 'c', null, 7);
   create view public.v_limit with (security_invoker = true) as select * from (values (1::numeric, 'NaN'::float8), ('NaN', 'Infinity')) v (n, f);
   create view public.v_unlucky with (security_invoker = true) as select * from public.unlucky;
   create table public.tags (id int primary key, name text not null, weight int);
   create table public.task_tags (task_id uuid references public.tasks, tag_id int references public.tags, primary key (task_id, tag_id));
   insert into public.tags select i, 'tag ' || i, nullif(i % 4, 0) from generate_series(1, 12) i;
   insert into public.task_tags select t.id, 1 + (n * k) % 12 from (select id, row_number() over (order by id) as n from public.tasks limit 300) t, generate_series(1, 3) k
     on conflict do nothing;
   create view public.v_tag with (security_invoker = true) as select * from public.tags;
   create view public.v_task_tag with (security_invoker = true) as select * from public.task_tags;
   grant select on public.tags, public.task_tags, public.v_tag, public.v_task_tag, public.measures, public.v_measure, public.v_nothing, public.v_limit, public.unlucky, public.v_unlucky to app_user`,
);
const daemon = await start(database);
after(() => daemon.stop());

const FUNCTIONS = ["sum", "avg", "min", "max", "stddev"];
const field = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const single = (type) => (type.kind === "NON_NULL" || type.kind === "LIST" ? single(type.ofType) : type);

/** Fields of sum, avg, …: name to its type. */
async function parts(of) {
  const { __type } = await daemon.data(
    `{ __type(name: "${of}Aggregate") { fields { name type { ofType { fields { name type { kind name ofType { kind name } } } } } } } }`,
  );
  return Object.fromEntries(
    __type.fields
      .filter(({ name }) => FUNCTIONS.includes(name))
      .map(({ name, type }) => [name, Object.fromEntries(type.ofType.fields.map((f) => [f.name, f.type]))]),
  );
}

/** Which of the calls PostgreSQL itself can make: "sum(small)" and so on. */
async function possible(calls) {
  await shared.sql(
    database,
    `create or replace function public.is_possible(call text) returns boolean language plpgsql as
     $$begin execute format('select %s from public.measures', call); return true;
     exception when undefined_function or ambiguous_function then return false; end$$`,
  );
  const rows = await shared.rows(database, `select call from unnest(array[${calls.map(literal).join(", ")}]) call where public.is_possible(call)`);
  return new Set(rows.map(({ call }) => call));
}

// A polymorphic function does not take a domain over an enum for one.
const inSql = (call, name) => `${call}(${name}${name === "tame_mood" ? "::public.mood" : ""})`;

test("each aggregate has the fields that PostgreSQL has it for", async () => {
  const have = await parts("Measure");
  const can = await possible(columns.flatMap(([name]) => FUNCTIONS.map((call) => inSql(call, name))));
  for (const [name] of columns) {
    for (const call of FUNCTIONS) {
      // PostgreSQL would make an interval of a time of day.
      const meant = !(name === "clock" && ["sum", "avg"].includes(call));
      assert.equal(field(name) in have[call], can.has(inSql(call, name)) && meant, inSql(call, name));
    }
  }
});

const expectedTypes = {
  sum: { small: "BigInt", medium: "BigInt", large: "Decimal", exact: "Decimal", realValue: "Float", doubleValue: "Float", duration: "Interval", price: "Money" },
  avg: { small: "Decimal", medium: "Decimal", large: "Decimal", exact: "Decimal", realValue: "Float", doubleValue: "Float", duration: "Interval" },
  stddev: { small: "Decimal", medium: "Decimal", large: "Decimal", moneyLike: "Decimal", realValue: "Float", doubleValue: "Float" },
  min: { id: "ID", parentId: "ID", small: "Int", large: "BigInt", words: "String", mood: "Mood", moment: "DateTime", numbers: "Int", ip: "IpAddress", net: "CIDR" },
};

test("their types are PostgreSQL's results, and all may be null", async () => {
  const have = await parts("Measure");
  for (const [call, fields] of Object.entries(expectedTypes)) {
    for (const [name, type] of Object.entries(fields)) {
      assert.equal(single(have[call][name]).name, type, `${call} ${name}`);
    }
  }
  assert.deepEqual(have.max, have.min);
  for (const fields of Object.values(have)) {
    assert.ok(Object.values(fields).every(({ kind }) => kind !== "NON_NULL"));
  }
  assert.ok(!("id" in have.sum) && !("parentId" in have.avg), "an identifier is no number");
});

// The text of a value in PostgreSQL, from the JSON that was answered: what a client can give back.
const LABELS = { HAPPY: "HAPPY", NOT_SO_HAPPY: "not so happy", sad: "sad" };
const asText = (name, value) => {
  if (value === null) {
    return null;
  }
  if (name === "mood" || name === "tame_mood") {
    return LABELS[value];
  }
  if (Array.isArray(value)) {
    return `{${value.map((item) => (item === null ? "NULL" : `"${item}"`)).join(",")}}`;
  }
  return String(value);
};

// Compared in SQL, by the type of the result, whatever its text. "char" and name become text.
function comparison([call, name, value], where) {
  const text = asText(name, value);
  const given = text === null ? "null" : literal(text) + (name === "one" || name === "title" ? "::text" : "");
  return `select '${call}(${name})' as of, r is not distinct from ${given} as same, r::text as expected from (select ${inSql(call, name)} as r from measures where ${where}) x`;
}

const conditions = [
  ["", "true"],
  ["(where: {id: {in: [1, 2]}})", "id in (1, 2)"],
  ["(where: {words: {isnull: true}})", "words is null"],
  ["(where: {id: {eq: 0}})", "false"],
];

for (const [args, where] of conditions) {
  test(`every aggregate of every type, ${args || "of all"}`, async () => {
    const have = await parts("Measure");
    const selected = FUNCTIONS.map((call) => `${call} { ${Object.keys(have[call]).join(" ")} }`).join(" ");
    const { measuresAggregate: all } = await daemon.data(`{ measuresAggregate${args} { count ${selected} } }`);
    assert.equal(all.count, Number(await shared.sql(database, `select count(*) from measures where ${where}`)));
    const values = columns.flatMap(([name]) =>
      FUNCTIONS.filter((call) => field(name) in have[call]).map((call) => [call, name, all[call][field(name)]]),
    );
    assert.ok(values.length > 80);
    const compared = await shared.rows(database, values.map((value) => comparison(value, where)).join(" union all "));
    assert.deepEqual(compared.filter(({ same }) => !same), []);
  });
}

test("sums and averages lose no digit", async () => {
  const { measuresAggregate: all } = await daemon.data(`{ measuresAggregate { sum { large exact medium } avg { large } stddev { alone } } }`);
  assert.deepEqual(all, {
    sum: { large: "18446744073709551617", exact: "123456789012345678901234567883.223456789", medium: "4294967295" },
    avg: { large: await shared.sql(database, "select avg(large) from measures") },
    stddev: { alone: null },
  });
});

test("distinct values are counted for every field that can be compared, null as none", async () => {
  const { __type } = await daemon.data(`{ __type(name: "MeasureField") { enumValues { name } } }`);
  const names = __type.enumValues.map(({ name }) => name);
  assert.ok(names.length > 30 && names.includes("flag") && names.includes("document") && !names.includes("raw"));
  const all = await daemon.data(`query { measuresAggregate { ${names.map((name) => `${name}: countDistinct(field: ${name})`).slice(0, 30).join(" ")} } }`);
  const rest = await daemon.data(`query { measuresAggregate { ${names.map((name) => `${name}: countDistinct(field: ${name})`).slice(30).join(" ")} } }`);
  const counted = { ...all.measuresAggregate, ...rest.measuresAggregate };
  const comparable = columns.map(([name]) => name).filter((name) => names.includes(field(name)));
  const [expected] = await shared.rows(database, `select ${comparable.map((name) => `count(distinct ${name})::int as "${field(name)}"`).join(", ")} from measures`);
  const { id: ids, parentId: parents, ...others } = counted;
  assert.deepEqual(others, expected);
  assert.deepEqual([ids, parents], [4, 1]);
  const query = `query ($f: MeasureField!) { measuresAggregate { countDistinct(field: $f) } }`;
  for (const [f, n] of [["small", 2], ["nothing", 0], ["id", 4]]) {
    assert.equal((await daemon.data(query, { variables: { f } })).measuresAggregate.countDistinct, n);
  }
  const error = await daemon.refusal(query, { variables: { f: "raw" } });
  assert.equal(error.extensions.code, "BAD_USER_INPUT");
});

test("NaN and infinity: a Decimal is text, a Float an error of its field only", async () => {
  const { body } = await daemon.post(`{ limitsAggregate { count sum { n f } min { n } } }`);
  assert.deepEqual(body.data, { limitsAggregate: { count: 2, sum: { n: "NaN", f: null }, min: { n: "1" } } });
  assert.deepEqual(body.errors.map(({ path }) => path), [["limitsAggregate", "sum", "f"]]);
});

test("columns may be named as aggregates are", async () => {
  assert.deepEqual(
    await daemon.data(`{ unluckiesAggregate(where: {id: {in: ["1", "2"]}}) { count sum { count sum weirdName } min { group order } countDistinct(field: order) } }`),
    { unluckiesAggregate: { count: 2, sum: { count: "7", sum: "9", weirdName: "11" }, min: { group: "a", order: "b" }, countDistinct: 1 } },
  );
});

test("what has nothing to add up or compare has a count", async () => {
  assert.deepEqual(await daemon.data(`{ nothingsAggregate { count __typename } }`), { nothingsAggregate: { count: 1, __typename: "NothingAggregate" } });
  const { __type } = await daemon.data(`{ __type(name: "NothingAggregate") { fields { name } } }`);
  assert.deepEqual(__type.fields, [{ name: "count" }]);
});

test("only type names: one object all the same", async () => {
  assert.deepEqual(await daemon.data(`{ projectsAggregate { __typename sum { __typename } } }`), {
    projectsAggregate: { __typename: "ProjectAggregate", sum: { __typename: "ProjectSum" } },
  });
});

test("an aggregate is of all rows that where leaves, not of a page", async () => {
  const { tasksAggregate, tasks } = await daemon.data(
    `{ tasksAggregate(where: {project: {owner: {active: {eq: true}}}, status: {neq: "DONE"}}) { count sum { minutesSpent } } tasks { id } }`,
  );
  assert.ok(tasksAggregate.count > tasks.length);
  assert.deepEqual(
    [{ count: tasksAggregate.count, sum: tasksAggregate.sum.minutesSpent }],
    await shared.rows(
      database,
      `select count(*)::int as count, sum(minutes_spent)::text as sum
         from tasks t join projects p on p.id = t.project_id join users u on u.id = p.owner_id
        where t.tenant_id = '${ACME}' and u.active and t.status <> 'DONE'`,
    ),
  );
});

test("aggregates of each parent's list, at several levels", async () => {
  const { users } = await daemon.data(
    `query ($status: String) {
       users(limit: 30) {
         id
         projectsAggregate { count sum { budget } max { name } }
         open: tasksAggregate(where: {status: {eq: $status}}) { count avg { estimateHours } countDistinct(field: projectId) }
         projects(limit: 3) { id name tasksAggregate { count min { createdAt } sum { minutesSpent } } }
       }
     }`,
    { variables: { status: "TODO" } },
  );
  const rows = await shared.rows(
    database,
    `select u.id,
            (select json_build_object('count', count(*), 'sum', json_build_object('budget', sum(budget)::text), 'max', json_build_object('name', max(name)))
               from projects p where p.owner_id = u.id) as "projectsAggregate",
            (select json_build_object('count', count(*), 'avg', json_build_object('estimateHours', avg(estimate_hours)::text), 'countDistinct', count(distinct project_id))
               from tasks t where t.assignee_id = u.id and t.status = 'TODO') as open
       from users u where tenant_id = '${ACME}' order by id limit 30`,
  );
  assert.deepEqual(users.map(({ projects, ...user }) => user), rows);
  assert.ok(rows.some(({ open }) => open.count === 0) || rows.some(({ projectsAggregate }) => projectsAggregate.count === 0));
  const projects = await shared.rows(
    database,
    `select p.id, count(t.id)::int, sum(minutes_spent)::text as minutes from projects p left join tasks t on t.project_id = p.id group by 1`,
  );
  const byProject = new Map(projects.map((project) => [project.id, project]));
  for (const { id: key, tasksAggregate: of } of users.flatMap((user) => user.projects)) {
    assert.deepEqual({ id: key, count: of.count, minutes: of.sum.minutesSpent }, byProject.get(key));
  }
});

test("aggregates through a join table count each row once, and no other tenant's", async () => {
  for (const tenant of [ACME, GLOBEX]) {
    const data = await daemon.data(
      `{ tasks(limit: 20) { id tagsAggregate(where: {name: {neq: "tag 3"}}) { count sum { weight } max { name } } } tags { id tasksAggregate { count countDistinct(field: status) } } }`,
      { token: tokenFor(tenant) },
    );
    assert.deepEqual(
      data.tasks,
      await shared.rows(
        database,
        `select id, (select json_build_object('count', count(*), 'sum', json_build_object('weight', sum(weight)::text), 'max', json_build_object('name', max(name)))
                       from tags where name <> 'tag 3' and id in (select tag_id from task_tags where task_id = t.id)) as "tagsAggregate"
           from tasks t where tenant_id = '${tenant}' order by id limit 20`,
      ),
    );
    assert.deepEqual(
      data.tags,
      await shared.rows(
        database,
        `select id::text, (select json_build_object('count', count(*), 'countDistinct', count(distinct status))
                       from tasks where tenant_id = '${tenant}' and id in (select task_id from task_tags where tag_id = g.id)) as "tasksAggregate"
           from tags g order by g.id`,
      ),
    );
    assert.ok(data.tags.some(({ tasksAggregate }) => tasksAggregate.count > 0) || tenant !== ACME);
  }
});

test("an aggregate below a to-one relation, below a key and in a mutation's result", async () => {
  const of = async (project) =>
    (await shared.rows(database, `select count(*)::int as count from tasks where project_id = '${project}'`))[0];
  const data = await daemon.data(
    `query ($id: ID!) { project(id: $id) { tasksAggregate { count } } tasks(limit: 3) { project { id tasksAggregate { count } owner { projectsAggregate { count } } } } }`,
    { variables: { id: id.project(1) } },
  );
  assert.deepEqual(data.project.tasksAggregate, await of(id.project(1)));
  for (const { project } of data.tasks) {
    assert.deepEqual(project.tasksAggregate, await of(project.id));
    assert.ok(project.owner.projectsAggregate.count > 0);
  }
  const created = await daemon.data(
    `mutation { createTask(input: {projectId: "${id.project(1)}", title: "counted"}) { project { id tasksAggregate { count } } } }`,
  );
  assert.deepEqual(created.createTask.project.tasksAggregate, { count: data.project.tasksAggregate.count + 1 });
});

test("no tenant's rows are in another's aggregates", async () => {
  for (const tenant of [ACME, GLOBEX, ZENITH]) {
    const data = await daemon.data(
      `{ projectsAggregate { count countDistinct(field: tenantId) sum { budget } min { tenantId: name } } usersAggregate { count } tenants { id tasksAggregate { count } } }`,
      { token: tokenFor(tenant) },
    );
    const [row] = await shared.rows(
      database,
      `select (select count(*)::int from projects where tenant_id = '${tenant}') as projects,
              (select sum(budget)::text from projects where tenant_id = '${tenant}') as budget,
              (select count(*)::int from users where tenant_id = '${tenant}') as users,
              (select count(*)::int from tasks where tenant_id = '${tenant}') as tasks`,
    );
    assert.deepEqual(
      [data.projectsAggregate.count, data.projectsAggregate.sum.budget, data.usersAggregate.count, data.tenants],
      [row.projects, row.budget, row.users, [{ id: tenant, tasksAggregate: { count: row.tasks } }]],
    );
    assert.equal(data.projectsAggregate.countDistinct, row.projects > 0 ? 1 : 0);
  }
});

test("what is not offered is refused", async () => {
  for (const query of [
    `{ projectsAggregate { sum { name } } }`,
    `{ projectsAggregate { min { id } } }`,
    `{ projectsAggregate { sum } }`,
    `{ projectsAggregate(limit: 1) { count } }`,
    `{ projectsAggregate { countDistinct } }`,
    `{ projectsAggregate { countDistinct(field: null) } }`,
    `{ projectsAggregate { countDistinct(field: settingss) } }`,
  ]) {
    assert.equal((await daemon.refusal(query)).extensions.code, "GRAPHQL_VALIDATION_FAILED", query);
  }
});

test("many aggregates of large lists are too complex", async () => {
  const nested = `{ users(limit: 1000) { projects(limit: 1000) { tasksAggregate { count } } } }`;
  assert.equal((await daemon.refusal(nested)).extensions.code, "QUERY_TOO_COMPLEX");
});
