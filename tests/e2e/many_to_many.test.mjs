// Join tables: the far side as a list, its filters and pages, and that tenants stay apart.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, GLOBEX, id, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
// Tag n of a tenant is on the tasks whose number n divides; one row connects tasks and tags of two tenants.
await shared.sql(
  database,
  `create table "odd ""tags" (
     tenant_id uuid not null references tenants, id int, "the ""word" text, primary key (tenant_id, id));
   create table task_tags (
     tenant_id uuid not null references tenants, task_id uuid not null references tasks, tag_id int not null,
     weight real,
     primary key (tenant_id, task_id, tag_id),
     foreign key (tenant_id, tag_id) references "odd ""tags");
   create table follows (
     follower_id uuid references users, followee_id uuid references users, unique (follower_id, followee_id));
   create table secret_marks (
     user_id uuid references users, task_id uuid references tasks, primary key (user_id, task_id));
   insert into "odd ""tags" select t.id, n, case when n % 3 > 0 then 'tag ' || n end
     from tenants t, generate_series(1, 12) n;
   insert into task_tags select t.tenant_id, t.id, n, n / 2.0
     from (select id, tenant_id, row_number() over (partition by tenant_id order by id) as k from tasks) t,
          generate_series(1, 12) n where t.k % n = 0;
   insert into task_tags values ('${GLOBEX}', '${id.task(1)}', 12, 99) on conflict do nothing;
   insert into follows select a.id, b.id from users a join users b using (tenant_id)
     where a.id <> b.id and hashtext(a.id || b.id::text) % 3 = 0;
   create view v_tag with (security_invoker) as select tenant_id, id, "the ""word" from "odd ""tags";
   create view v_task_tag with (security_invoker) as select tenant_id, task_id, tag_id, weight from task_tags;
   create view v_follow with (security_invoker) as select * from follows;
   create view v_secret_mark with (security_invoker) as select * from secret_marks;
   alter table "odd ""tags" enable row level security;
   alter table task_tags enable row level security;
   create policy one_tenant on "odd ""tags" to app_user
     using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
   create policy one_tenant on task_tags to app_user
     using (tenant_id = (select nullif(current_setting('app.current_tenant_id', true), '')::uuid));
   grant select on "odd ""tags", task_tags, follows, v_tag, v_task_tag, v_follow to app_user`,
);
const daemon = await start(database, {
  schema: { pagination: { default_limit: 1000 } },
  security: { max_complexity: 0 },
});
after(() => daemon.stop());

const rows = (query) => shared.rows(database, query);
const TAGS = `"odd ""tags" g join task_tags c on (c.tenant_id, c.tag_id) = (g.tenant_id, g.id)`;

for (const tenant of [ACME, GLOBEX]) {
  test(`a task has its tags, a tag its tasks, for ${tenant}`, async () => {
    const data = await daemon.data(
      `{ tasks { id tags(orderBy: [{theWord: DESC_NULLS_LAST}], limit: 4, offset: 1) { id theWord } taskTags { tagId weight } }
         tags { id tasks(where: {priority: {lt: 3}}) { id } } }`,
      { token: tokenFor(tenant) },
    );
    assert.deepEqual(
      data.tasks,
      await rows(`select t.id,
          (select coalesce(json_agg(s), '[]') from (select g.id::text, g."the ""word" as "theWord" from ${TAGS}
            where c.task_id = t.id and g.tenant_id = t.tenant_id
            order by g."the ""word" desc nulls last, g.id limit 4 offset 1) s) as tags,
          (select coalesce(json_agg(s), '[]') from (select c.tag_id::text as "tagId", c.weight from task_tags c
            where c.task_id = t.id and c.tenant_id = t.tenant_id order by c.tag_id) s) as "taskTags"
        from tasks t where t.tenant_id = '${tenant}' order by t.id`),
    );
    assert.ok(data.tasks.some((task) => task.tags.length === 4));
    assert.deepEqual(
      data.tags,
      await rows(`select g.id::text,
          (select coalesce(json_agg(s), '[]') from (select t.id from tasks t join task_tags c on c.task_id = t.id
            where (c.tenant_id, c.tag_id) = (g.tenant_id, g.id) and t.tenant_id = g.tenant_id and t.priority < 3
            order by t.id) s) as tasks
        from "odd ""tags" g where g.tenant_id = '${tenant}' order by g.id`),
    );
  });
}

const has = (condition) =>
  `exists (select from ${TAGS} where c.task_id = t.id and c.tenant_id = t.tenant_id and ${condition})`;

for (const [filter, condition] of [
  [`{some: {id: {eq: 7}}}`, has("g.id = 7")],
  [`{some: {}}`, has("true")],
  [`{none: {id: {in: [2, 3]}}}`, `not ${has("g.id in (2, 3)")}`],
  [`{every: {theWord: {isnull: false}}}`, `not ${has(`g."the ""word" is null`)}`],
  [`{every: {theWord: {neq: "tag 2"}}}`, `not ${has(`coalesce(g."the ""word" = 'tag 2', true)`)}`],
  [`{some: {tasks: {some: {id: {eq: "${id.task(12)}"}}}}}`, has(`g.id in (select tag_id from task_tags where task_id = '${id.task(12)}')`)],
]) {
  test(`tasks(where: {tags: ${filter}})`, async () => {
    const expected = await rows(`select id from tasks t where tenant_id = '${ACME}' and ${condition} order by id limit 1000`);
    assert.ok(expected.length > 0 && expected.length < 1000);
    assert.deepEqual((await daemon.data(`{ tasks(where: {tags: ${filter}}) { id } }`)).tasks, expected);
  });
}

test("the far side has pages and aggregates as other lists", async () => {
  const data = await daemon.data(`{
    tasks(limit: 30) {
      id
      tagsConnection(orderBy: [{id: DESC}], first: 2) { totalCount nodes { id } pageInfo { hasNextPage } }
      tagsAggregate(where: {theWord: {isnull: false}}) { count min { theWord } }
    }
  }`);
  const of = "c.task_id = t.id and g.tenant_id = t.tenant_id";
  const expected = await rows(`select t.id,
      (select count(*)::int from ${TAGS} where ${of}) as n,
      (select coalesce(json_agg(s), '[]') from (select g.id::text from ${TAGS} where ${of} order by g.id desc limit 2) s) as nodes,
      (select json_build_object('count', count(*), 'min', json_build_object('theWord', min(g."the ""word")))
        from ${TAGS} where ${of} and g."the ""word" is not null) as "tagsAggregate"
    from tasks t where tenant_id = '${ACME}' order by t.id limit 30`);
  assert.ok(expected.some(({ n }) => n > 2));
  assert.deepEqual(
    data.tasks,
    expected.map(({ id, n, nodes, tagsAggregate }) => ({
      id,
      tagsConnection: { totalCount: n, nodes, pageInfo: { hasNextPage: n > 2 } },
      tagsAggregate,
    })),
  );
});

test("a join table of a relation with itself gives both directions, each with the name of its column", async () => {
  const data = await daemon.data(`{ user(id: "${ADA}") { usersByFollowFolloweeId { id } usersByFollowFollowerId { id } } }`);
  const [expected] = await rows(`select
    (select json_agg(s) from (select followee_id as id from follows where follower_id = '${ADA}' order by 1) s) as "usersByFollowFolloweeId",
    (select json_agg(s) from (select follower_id as id from follows where followee_id = '${ADA}' order by 1) s) as "usersByFollowFollowerId"`);
  assert.ok(expected.usersByFollowFolloweeId.length > 0 && expected.usersByFollowFollowerId.length > 0);
  assert.deepEqual(data.user, expected);
});

test("a join table that the role cannot read gives nothing", async () => {
  const { code } = (await daemon.refusal(`{ user(id: "${ADA}") { tasksBySecretMark { id } } }`)).extensions;
  assert.equal(code, "GRAPHQL_VALIDATION_FAILED");
  const data = await daemon.data(`{ __type(name: "User") { fields { name } } }`);
  assert.deepEqual(
    data.__type.fields.map((field) => field.name).filter((name) => /^tasks(By|$)/.test(name)),
    ["tasks"],
  );
});
