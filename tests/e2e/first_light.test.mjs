// What a first client asks for: rows by key, lists, relations, variables, fragments.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, id, tokenFor, ZENITH } from "./support/token.mjs";

const database = await createDatabase();
const daemon = await start(database);
after(() => daemon.stop());

const rows = (query) => shared.rows(database, query);
const acme = `tenant_id = '${ACME}'`;

test("a row is found by its key", async () => {
  const data = await daemon.data(`{ project(id: "${id.project(1)}") { id name status } }`);
  assert.deepEqual(data, { project: { id: id.project(1), name: "Website relaunch", status: "ACTIVE" } });
});

test("a key that no row has gives null", async () => {
  assert.deepEqual(await daemon.data(`{ project(id: "${id.project(9999)}") { id } }`), { project: null });
});

test("a list has all rows that the tenant may see, in the order of their key", async () => {
  const data = await daemon.data("{ projects { id name } }");
  assert.deepEqual(data.projects, await rows(`select id, name from projects where ${acme} order by id`));
  assert.equal(data.projects.length, 60);
});

test("where, orderBy, limit and offset are those of SQL", async () => {
  const data = await daemon.data(`{
    tasks(where: {status: {eq: "DONE"}, priority: {lte: 3}}, orderBy: [{priority: DESC}, {title: ASC}], limit: 7, offset: 5) {
      id title priority
    }
  }`);
  const expected = await rows(`select id, title, priority from tasks
    where ${acme} and status = 'DONE' and priority <= 3 order by priority desc, title, id limit 7 offset 5`);
  assert.equal(expected.length, 7);
  assert.deepEqual(data.tasks, expected);
});

test("a list without limit stops at schema.pagination.default_limit", async () => {
  const data = await daemon.data("{ tasks { id } }");
  assert.deepEqual(data.tasks, await rows(`select id from tasks where ${acme} order by id limit 100`));
});

test("each order direction puts nulls where it says", async () => {
  for (const [direction, sql] of [
    ["ASC", "asc"],
    ["DESC", "desc"],
    ["ASC_NULLS_FIRST", "asc nulls first"],
    ["ASC_NULLS_LAST", "asc nulls last"],
    ["DESC_NULLS_FIRST", "desc nulls first"],
    ["DESC_NULLS_LAST", "desc nulls last"],
  ]) {
    const data = await daemon.data(`{ projects(orderBy: [{dueDate: ${direction}}]) { id } }`);
    const expected = await rows(`select id from projects where ${acme} order by due_date ${sql}, id`);
    assert.deepEqual(data.projects, expected, direction);
  }
});

test("an order may be that of a row related to", async () => {
  const data = await daemon.data(`{ projects(orderBy: [{owner: {name: ASC}}, {name: DESC}]) { id } }`);
  assert.deepEqual(
    data.projects,
    await rows(`select p.id from projects p join users u on u.id = p.owner_id
      where p.${acme} order by u.name, p.name desc, p.id`),
  );
});

test("a to-one relation is an object, or null where there is none", async () => {
  const data = await daemon.data(`{ tasks(limit: 100) { id assignee { id name } project { id owner { name } } } }`);
  const expected = await rows(`select t.id,
      case when u.id is null then null else json_build_object('id', u.id, 'name', u.name) end as assignee,
      json_build_object('id', p.id, 'owner', json_build_object('name', o.name)) as project
    from tasks t left join users u on u.id = t.assignee_id
    join projects p on p.id = t.project_id join users o on o.id = p.owner_id
    where t.${acme} order by t.id limit 100`);
  assert.ok(expected.some((task) => task.assignee === null));
  assert.deepEqual(data.tasks, expected);
});

test("a to-many relation takes the arguments of a list", async () => {
  const data = await daemon.data(`{
    projects(limit: 20) {
      id
      tasks(where: {status: {neq: "DONE"}}, orderBy: [{title: ASC}], limit: 3, offset: 1) { id title }
    }
  }`);
  const expected = await rows(`select p.id, coalesce((select json_agg(t) from (
      select t.id, t.title from tasks t where t.project_id = p.id and t.status <> 'DONE'
      order by t.title, t.id limit 3 offset 1) t), '[]') as tasks
    from projects p where p.${acme} order by p.id limit 20`);
  assert.deepEqual(data.projects, expected);
});

test("relations nest: lists in objects in lists", async () => {
  const data = await daemon.data(`{
    project(id: "${id.project(1)}") {
      owner { name projects(limit: 2) { id } }
      tasks { id comments(orderBy: [{createdAt: ASC}]) { body author { name } } }
    }
  }`);
  const [expected] = await rows(`select json_build_object('name', o.name, 'projects',
        (select coalesce(json_agg(q), '[]') from (select id from projects where owner_id = o.id order by id limit 2) q)) as owner,
      (select coalesce(json_agg(t), '[]') from (select t.id,
        (select coalesce(json_agg(c), '[]') from (select c.body, json_build_object('name', a.name) as author
          from comments c join users a on a.id = c.author_id where c.task_id = t.id order by c.created_at, c.id) c) as comments
        from tasks t where t.project_id = p.id order by t.id) t) as tasks
    from projects p join users o on o.id = p.owner_id where p.id = '${id.project(1)}'`);
  assert.ok(expected.tasks.some((task) => task.comments.length > 0));
  assert.deepEqual(data.project, expected);
});

test("fields answer in the order of the selection, under their aliases", async () => {
  const { text } = await daemon.post(`{
    second: project(id: "${id.project(2)}") { b: name a: id }
    first: project(id: "${id.project(1)}") { name }
  }`);
  const name = await shared.sql(database, `select name from projects where id = '${id.project(2)}'`);
  assert.equal(
    text.trim(),
    `{"data":{"second":{"b":"${name}","a":"${id.project(2)}"},"first":{"name":"Website relaunch"}}}`,
  );
});

test("one relation under two aliases is two lists", async () => {
  const { project } = await daemon.data(`{
    project(id: "${id.project(1)}") {
      done: tasks(where: {status: {eq: "DONE"}}) { id }
      open: tasks(where: {status: {neq: "DONE"}}) { id }
    }
  }`);
  const of = (condition) => rows(`select id from tasks where project_id = '${id.project(1)}' and status ${condition} order by id`);
  assert.deepEqual(project, { done: await of("= 'DONE'"), open: await of("<> 'DONE'") });
});

test("fragments, named and inline, merge into one selection", async () => {
  const data = await daemon.data(`
    query { project(id: "${id.project(1)}") { ...Head owner { id } ... on Project { status } ... { name } } }
    fragment Head on Project { name owner { ...Person } }
    fragment Person on User { name }
  `);
  assert.deepEqual(data.project, { name: "Website relaunch", owner: { name: "Ada Lovelace", id: ADA }, status: "ACTIVE" });
});

test("@skip and @include decide by literals and by variables", async () => {
  const query = `query ($yes: Boolean!, $no: Boolean = false) {
    project(id: "${id.project(1)}") {
      id @skip(if: $yes) name @include(if: $yes) status @include(if: $no) createdAt @skip(if: true)
      owner @include(if: $yes) { name @skip(if: $no) }
    }
  }`;
  const one = await daemon.data(query, { variables: { yes: true } });
  assert.deepEqual(one.project, { name: "Website relaunch", owner: { name: "Ada Lovelace" } });
  // The same document again, with other values: a plan that was kept must not answer for them.
  const other = await daemon.data(query, { variables: { yes: false, no: true } });
  assert.deepEqual(other.project, { id: id.project(1), status: "ACTIVE" });
});

test("__typename can be asked for at every level", async () => {
  const data = await daemon.data(`{
    __typename project(id: "${id.project(1)}") { __typename owner { kind: __typename } tasks(limit: 1) { __typename } }
  }`);
  assert.deepEqual(data, {
    __typename: "Query",
    project: { __typename: "Project", owner: { kind: "User" }, tasks: [{ __typename: "Task" }] },
  });
});

test("an operation that asks only for __typename needs no row", async () => {
  assert.deepEqual(await daemon.data("{ __typename }"), { __typename: "Query" });
});

test("several root fields are answered together", async () => {
  const data = await daemon.data(`{
    projects(limit: 2) { id } users(limit: 1) { name } none: task(id: "${id.task(999999)}") { id } tenants { name }
  }`);
  assert.deepEqual(data, {
    projects: await rows(`select id from projects where ${acme} order by id limit 2`),
    users: await rows(`select name from users where ${acme} order by id limit 1`),
    none: null,
    tenants: [{ name: "Acme" }],
  });
});

test("variables stand for values anywhere, also for a whole filter and order", async () => {
  const query = `query Find($where: ProjectWhereInput, $order: [ProjectOrderByInput!], $limit: Int = 3) {
    projects(where: $where, orderBy: $order, limit: $limit) { id name }
  }`;
  const all = await daemon.data(query);
  assert.deepEqual(all.projects, await rows(`select id, name from projects where ${acme} order by id limit 3`));
  const some = await daemon.data(query, {
    variables: { where: { status: { in: ["ACTIVE", "PLANNED"] } }, order: [{ name: "DESC" }], limit: 10 },
  });
  assert.deepEqual(
    some.projects,
    await rows(`select id, name from projects where ${acme} and status in ('ACTIVE', 'PLANNED') order by name desc, id limit 10`),
  );
  const other = await daemon.data(query, { variables: { where: { name: { startswith: "W" } }, order: null, limit: 5 } });
  assert.deepEqual(other.projects, await rows(`select id, name from projects where ${acme} and name like 'W%' order by id limit 5`));
});

test("a variable may be inside a filter", async () => {
  const data = await daemon.data(`query ($status: String!, $ids: [ID!]!) { projects(where: {status: {eq: $status}, id: {in: $ids}}) { id } }`, {
    variables: { status: "ACTIVE", ids: [id.project(1), id.project(2), id.project(3)] },
  });
  assert.deepEqual(
    data.projects,
    await rows(`select id from projects where status = 'ACTIVE' and id <= '${id.project(3)}' and ${acme} order by id`),
  );
});

test("the operation is the one that operationName names", async () => {
  const query = `query One { project(id: "${id.project(1)}") { id } } query Two { users(limit: 1) { id } }`;
  assert.deepEqual(Object.keys(await daemon.data(query, { operationName: "Two" })), ["users"]);
  assert.deepEqual(Object.keys(await daemon.data(query, { operationName: "One" })), ["project"]);
});

test("a field that the type does not have is refused, with its place", async () => {
  const error = await daemon.refusal(`{\n  projects {\n    id\n    nmae\n  }\n}`);
  assert.equal(error.extensions.code, "GRAPHQL_VALIDATION_FAILED");
  assert.deepEqual(error.locations, [{ line: 4, column: 5 }]);
});

test("an unknown argument, and an unknown key of a filter, are refused", async () => {
  for (const query of [
    "{ projects(fist: 3) { id } }",
    `{ projects(where: {nmae: {eq: "x"}}) { id } }`,
    `{ projects(where: {name: {equals: "x"}}) { id } }`,
  ]) {
    assert.equal((await daemon.refusal(query)).extensions.code, "GRAPHQL_VALIDATION_FAILED", query);
  }
  const error = await daemon.refusal("query ($where: ProjectWhereInput) { projects(where: $where) { id } }", {
    variables: { where: { nmae: { eq: "x" } } },
  });
  assert.equal(error.extensions.code, "BAD_USER_INPUT");
});

test("a limit above max_limit, or negative, is an error; limit 0 is an empty list", async () => {
  for (const limit of [1001, -1]) {
    const error = await daemon.refusal("query ($limit: Int) { projects(limit: $limit) { id } }", { variables: { limit } });
    assert.equal(error.extensions.code, "BAD_USER_INPUT", String(limit));
  }
  assert.deepEqual(await daemon.data("{ projects(limit: 0) { id } }"), { projects: [] });
});

test("an order of several fields in one element is refused", async () => {
  const error = await daemon.refusal("{ projects(orderBy: [{name: ASC, id: DESC}]) { id } }");
  assert.equal(error.status, 400);
});

test("a tenant without rows gets empty lists and nulls", async () => {
  const token = tokenFor(id.tenant(77));
  assert.deepEqual(await daemon.data(`{ projects { id } project(id: "${id.project(1)}") { id } }`, { token }), {
    projects: [],
    project: null,
  });
});

test("the smallest tenant sees its one project", async () => {
  const data = await daemon.data("{ projects { id tenant { name } } }", { token: tokenFor(ZENITH) });
  assert.deepEqual(data.projects, [{ id: id.project(300), tenant: { name: "Zenith" } }]);
});

test("a view whose key a comment declares, and a computed column", async () => {
  const data = await daemon.data(`{
    tenantSummaries { tenantId projectCount } task(id: "${id.task(1)}") { closed } project(id: "${id.project(1)}") { closed }
  }`);
  assert.deepEqual(data, {
    tenantSummaries: [{ tenantId: ACME, projectCount: "60" }],
    task: { closed: false },
    project: { closed: false },
  });
});
