// distinctOn keeps the first row of each combination, in the order of the list.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create table public.odd_things (
     id int primary key, "true" text, "group" int, "Weird "" name" text, tags text[], doc jsonb, raw json, at timestamptz);
   create view public.v_keyless with (security_invoker = true) as select "true" as kind, "group" + 0 as size from public.odd_things;
   create view public.v_odd_thing with (security_invoker = true) as select * from public.odd_things;
   create function public.fn_projects_of(minimum numeric) returns setof public.v_project stable language sql
     as $$select * from public.v_project p where p.budget >= minimum order by p.name desc$$;
   grant execute on all functions in schema public to app_user;
   grant select on public.odd_things, public.v_odd_thing, public.v_keyless to app_user;
   insert into public.odd_things
   select i, (array['a', 'b', null])[1 + i % 3], nullif(i % 4, 0), (array['x', 'ä"', null])[1 + i % 3], (array['{p,q}', '{}', null])[1 + i % 3]::text[],
          (array['{"a": 1}', '[]', null])[1 + i % 3]::jsonb, '{}', (array['2024-01-01', '2024-01-02', null])[1 + i / 7 % 3]::timestamptz
     from generate_series(1, 40) i`,
);
const daemon = await start(database, { schema: { pagination: { max_limit: 5000, default_limit: 5000 } }, security: { max_complexity: 0 } });
after(() => daemon.stop());

/** The first row of each combination, by window functions, in the same order. */
const expected = (from, where, columns, order) =>
  shared.rows(
    database,
    `select id from (select v.id, ${order.length ? `row_number() over (order by ${order}, v.id)` : "row_number() over (order by v.id)"} as place,
                            row_number() over (partition by ${columns} order by ${order.length ? `${order}, ` : ""}v.id) as n
                       from ${from} where ${where}) x
      where n = 1 order by place`,
  );

// arguments in GraphQL, partition in SQL, order in SQL
const projects = [
  [`distinctOn: [status]`, `v.status`, ``],
  [`distinctOn: status, orderBy: [{status: DESC}, {updatedAt: DESC}]`, `v.status`, `v.status desc, v.updated_at desc`],
  [`distinctOn: [ownerId], orderBy: [{updatedAt: DESC}]`, `v.owner_id`, `v.updated_at desc`],
  [`distinctOn: [ownerId, status], orderBy: [{status: ASC}, {name: DESC}]`, `v.owner_id, v.status`, `v.status, v.name desc`],
  [`distinctOn: [budget], orderBy: [{budget: DESC_NULLS_LAST}]`, `v.budget`, `v.budget desc nulls last`],
  [`distinctOn: [dueDate, closed], orderBy: [{budget: ASC_NULLS_FIRST}, {dueDate: ASC}]`, `v.due_date, v.closed`, `v.budget nulls first, v.due_date`],
  [`distinctOn: [status], orderBy: [{owner: {name: DESC}}, {status: ASC}]`, `v.status`, `u.name desc, v.status`],
  [`distinctOn: [labels]`, `v.labels`, ``],
  [`distinctOn: [id], orderBy: [{createdAt: ASC}]`, `v.id`, `v.created_at`],
  [`distinctOn: [status, status, status], where: {budget: {gt: 20000}}`, `v.status`, ``, `v.budget > 20000`],
];

for (const [args, columns, order, where] of projects) {
  test(`projects(${args})`, async () => {
    const from = "v_project v join users u on u.id = v.owner_id";
    const rows = await expected(from, `v.tenant_id = '${ACME}' and ${where ?? "true"}`, columns, order);
    assert.ok(rows.length > 1);
    assert.deepEqual((await daemon.data(`{ projects(${args}) { id } }`)).projects, rows);
    // The same with to-one relations and lists below, and a page of it.
    const nested = await daemon.data(
      `{ projects(${args}, limit: 3, offset: 1) { id owner { id } tasks(limit: 1) { id } tenant { id } } all: projects(${args}) { id owner { id } } }`,
    );
    assert.deepEqual(nested.projects.map(({ id }) => ({ id })), rows.slice(1, 4));
    assert.deepEqual(nested.all.map(({ id }) => ({ id })), rows);
  });
}

const odd = [
  [`distinctOn: [true_]`, `v."true"`, ``],
  [`distinctOn: [group, true_], orderBy: [{at: DESC_NULLS_LAST}]`, `v."group", v."true"`, `v.at desc nulls last`],
  [`distinctOn: [weirdName], orderBy: [{weirdName: DESC}, {id: DESC}]`, `v."Weird "" name"`, `v."Weird "" name" desc, v.id desc`],
  [`distinctOn: [tags]`, `v.tags`, ``],
  [`distinctOn: [doc], orderBy: [{group: ASC}]`, `v.doc`, `v."group"`],
  [`distinctOn: [at]`, `v.at`, ``],
];

for (const [args, columns, order] of odd) {
  test(`oddThings(${args}): nulls are one value`, async () => {
    const rows = await expected("v_odd_thing v", "true", columns, order);
    assert.deepEqual(
      (await daemon.data(`{ oddThings(${args}) { id } }`)).oddThings.map(({ id }) => Number(id)),
      rows.map(({ id }) => id),
    );
  });
}

test("a nested list is distinct within its parent", async () => {
  const { users } = await daemon.data(
    `query ($on: [TaskField!]!) { users(limit: 200) { id tasks(limit: 50, distinctOn: $on, orderBy: [{status: ASC}, {priority: DESC}]) { id project { id } } } }`,
    { variables: { on: ["status"] } },
  );
  const rows = await shared.rows(
    database,
    `select assignee_id as user, array_agg(id order by status) as ids
       from (select distinct on (assignee_id, status) assignee_id, status, id
               from v_task where tenant_id = '${ACME}' order by assignee_id, status, priority desc, id) t
      where assignee_id is not null group by 1`,
  );
  const byUser = new Map(rows.map(({ user, ids }) => [user, ids]));
  assert.ok(rows.some(({ ids }) => ids.length > 2));
  for (const user of users) {
    assert.deepEqual(user.tasks.map(({ id }) => id), byUser.get(user.id) ?? []);
  }
});

test("rows that a function returns can be distinct", async () => {
  const rows = await shared.rows(
    database,
    `select id from (select distinct on (status) id, status, budget from v_project
                      where tenant_id = '${ACME}' and budget >= 1000 order by status, budget desc, id) p order by budget desc, id`,
  );
  assert.ok(rows.length > 1);
  const data = await daemon.data(
    `{ projectsOf(input: {minimum: "1000"}, distinctOn: [status], orderBy: [{budget: DESC}]) { id }
       nested: projectsOf(input: {minimum: "1000"}, distinctOn: [status], orderBy: [{budget: DESC}]) { id owner { id } } }`,
  );
  assert.deepEqual([data.projectsOf, data.nested.map(({ id }) => ({ id }))], [rows, rows]);
});

test("another list of fields in a variable is another plan; none or null is no restriction", async () => {
  const query = `query ($on: [ProjectField!]) { projects(distinctOn: $on) { id } }`;
  const count = async (on) => (await daemon.data(query, { variables: on === undefined ? {} : { on } })).projects.length;
  const distinct = async (columns) =>
    Number(await shared.sql(database, `select count(*) from (select distinct ${columns} from v_project where tenant_id = '${ACME}') d`));
  const all = Number(await shared.sql(database, `select count(*) from projects where tenant_id = '${ACME}'`));
  assert.equal(await count(["status"]), await distinct("status"));
  assert.equal(await count(["ownerId"]), await distinct("owner_id"));
  assert.equal(await count(["ownerId", "status"]), await distinct("owner_id, status"));
  assert.equal(await count("closed"), await distinct("closed"));
  assert.equal(await count([]), all);
  assert.equal(await count(null), all);
  assert.equal(await count(undefined), all);
});

test("a relation without key has as many rows as combinations", async () => {
  const { keylesses } = await daemon.data(`{ keylesses(distinctOn: [size, kind]) { kind size } }`);
  assert.deepEqual(
    keylesses,
    await shared.rows(database, `select distinct kind, size from v_keyless order by size, kind`),
  );
});

test("what cannot be compared is no value of the enum", async () => {
  const { __type } = await daemon.data(`{ __type(name: "OddThingField") { enumValues { name } } }`);
  assert.deepEqual(__type.enumValues.map(({ name }) => name), ["id", "true_", "group", "weirdName", "tags", "doc", "at"]);
  const error = await daemon.refusal(`{ oddThings(distinctOn: [raw]) { id } }`);
  assert.equal(error.extensions.code, "GRAPHQL_VALIDATION_FAILED");
  const other = await daemon.refusal(`query ($on: [ProjectField!]) { projects(distinctOn: $on) { id } }`, { variables: { on: ["id\" --"] } });
  assert.equal(other.extensions.code, "BAD_USER_INPUT");
});

test("another tenant has other rows", async () => {
  for (const tenant of [ACME, GLOBEX]) {
    const { projects } = await daemon.data(`{ projects(distinctOn: [ownerId]) { tenantId ownerId } }`, { token: tokenFor(tenant) });
    assert.ok(projects.length > 0 && projects.every(({ tenantId }) => tenantId === tenant));
    assert.equal(projects.length, Number(await shared.sql(database, `select count(distinct owner_id) from projects where tenant_id = '${tenant}'`)));
  }
});
