// Stable functions of the database as fields of Query, and of the types whose rows they take.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, GLOBEX, id, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(database, `alter database ${database} set track_functions = 'all'`);
await shared.sql(database, readFileSync(new URL("functions.sql", import.meta.url), "utf8"));

const daemon = await start(database);
after(() => daemon.stop());

/** Rows as a tenant sees them. */
async function rows(query, tenant = ACME, user = ADA) {
  const text = await shared.sql(
    database,
    `set role app_user; set app.current_tenant_id = '${tenant}'; set app.user_id = '${user}';
     select coalesce(json_agg(r), '[]') from (${query}) r`,
  );
  return JSON.parse(text);
}

/** The error of an operation that was executed and failed as a whole. */
async function failure(query, options) {
  const { status, body, text } = await daemon.post(query, options);
  assert.equal(status, 200, text);
  assert.equal(body.data, null, text);
  assert.equal(body.errors.length, 1, text);
  return body.errors[0];
}

test("a stable function is a field of Query, its arguments the fields of input", async () => {
  const data = await daemon.data(
    `query ($a: Int!, $b: Int) {
       add(input: {a: $a}) both: add(input: {a: 1, b: $b}) null: add(input: {a: 1, b: null})
       role chosen: role(input: {role: owner}) words(input: {sentence: "to be"}) wait doc other: doc(input: {doc: {b: [$a]}})
       rate five: rate(input: {stars: 5})
     }`,
    { variables: { a: 5, b: 2 } },
  );
  assert.deepEqual(data, {
    add: 15, both: 3, null: null, role: "BILLING_CONTACT", chosen: "owner", words: ["to", "be"], wait: "P1DT2H", doc: { a: 1 },
    other: { b: [5] }, rate: 30, five: 50,
  });
  // One that is absent has its default, whatever else there is.
  assert.deepEqual(await daemon.data("query ($b: Int) { add(input: {a: 1, b: $b}) }"), { add: 11 });
  assert.equal((await failure("{ rate(input: {stars: 6}) }")).extensions.code, "BAD_USER_INPUT");
});

test("input is optional where all of its fields are, and not there when there are none", async () => {
  const { __schema } = await daemon.data(`{ __schema { queryType { fields { name args { name type { kind name ofType { name } } } } } } }`);
  const args = (name) => __schema.queryType.fields.find((f) => f.name === name).args;
  assert.deepEqual(args("rate"), [{ name: "input", type: { kind: "INPUT_OBJECT", name: "RateInput", ofType: null } }]);
  assert.deepEqual(args("add"), [{ name: "input", type: { kind: "NON_NULL", name: null, ofType: { name: "AddInput" } } }]);
  assert.deepEqual(args("wait"), []);
  assert.deepEqual(args("byPriority").map((a) => a.name), ["input", ...args("tasks").map((a) => a.name)]);
  assert.deepEqual(args("numbers").map((a) => a.name), ["input", "limit", "offset"]);
  assert.deepEqual(args("extent").map((a) => a.name), ["input"]);
});

test("a variadic argument is a list, empty when it is absent", async () => {
  const query = "query ($n: [Int]) { total(input: {first: 1, numbers: $n}) some: total(input: {first: 1, numbers: [2, 3]}) }";
  assert.deepEqual(await daemon.data(query), { total: "0", some: "6" });
  assert.deepEqual(await daemon.data(query, { variables: { n: [] } }), { total: "0", some: "6" });
  assert.deepEqual(await daemon.data(query, { variables: { n: [10, null, 20] } }), { total: "31", some: "6" });
  assert.deepEqual(await daemon.data(query, { variables: { n: null } }), { total: "0", some: "6" });
});

test("arguments of the identity are filled from the token, and are no arguments", async () => {
  assert.deepEqual(await daemon.data(`{ who hello: who(input: {greeting: "This is"}) }`), {
    who: `I am ${ADA}`,
    hello: `This is ${ADA}`,
  });
  const refused = await daemon.refusal(`{ who(input: {authUserId: "${id.user(2)}"}) }`);
  assert.equal(refused.extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

test("a set of values is a list, a page of it", async () => {
  assert.deepEqual(await daemon.data("{ numbers(input: {upto: 5}) }"), { numbers: [1, 2, null, 4, 5] });
  assert.deepEqual(await daemon.data("query ($n: Int) { numbers(input: {upto: 5}, limit: $n, offset: 1) }", { variables: { n: 2 } }), {
    numbers: [2, null],
  });
  assert.equal((await daemon.data("{ numbers(input: {upto: 500}) }")).numbers.length, 100);
  assert.deepEqual(await daemon.data("{ numbers(input: {upto: 0}) }"), { numbers: [] });
  assert.equal((await daemon.refusal("{ numbers(input: {upto: 500}, limit: 100000) }")).extensions.code, "BAD_USER_INPUT");
});

test("a row of an exposed relation is its type, with all that hangs on it", async () => {
  const data = await daemon.data(`{ currentUser { id name tasks(limit: 2, orderBy: [{title: ASC}]) { title project { name } } }
    projectOf(input: {taskId: "${id.task(1)}"}) { name owner { name } label } noUser { id tasks { id } } }`);
  const [expected] = await rows(`select u.id, u.name, (select json_agg(x) from (
      select t.title, json_build_object('name', p.name) as project from v_task t join v_project p on p.id = t.project_id
       where t.assignee_id = u.id order by t.title, t.id limit 2) x) as tasks from fn_current_user() u`);
  assert.deepEqual(data.currentUser, expected);
  const [project] = await rows(`select p.name, json_build_object('name', u.name) as owner, '#' || left(p.name, 3) as label
      from fn_project_of('${id.task(1)}') p left join v_user u on u.id = p.owner_id`);
  assert.deepEqual(data.projectOf, project);
  assert.equal(data.noUser, null);
  assert.deepEqual(await daemon.data("{ noUser { id } }"), { noUser: null });
  assert.deepEqual(await daemon.data("{ noUser { __typename } currentUser { __typename } }"), {
    noUser: null,
    currentUser: { __typename: "User" },
  });
});

test("rows of an exposed relation are a list in the function's order, or in the one asked for", async () => {
  const given = await daemon.data(`{ byPriority(limit: 7) { id } }`);
  assert.deepEqual(given.byPriority, await rows("select id from fn_by_priority() limit 7"));
  const nested = await daemon.data(`{ byPriority(input: {lowest: 2}, limit: 9, offset: 3) { id project { name } comments(limit: 1) { body } } }`);
  assert.deepEqual(
    nested.byPriority.map(({ id, project }) => ({ id, project })),
    await rows(`select f.id, json_build_object('name', p.name) as project from (select *, row_number() over () as n
      from fn_by_priority(2) limit 9 offset 3) f join v_project p on p.id = f.project_id order by f.n`),
  );
  const sorted = await daemon.data(`query ($s: String!) { byPriority(where: {status: {eq: $s}, project: {name: {neq: "x"}}},
      orderBy: [{project: {name: DESC}}, {title: ASC}], limit: 5) { id project { name } } }`, { variables: { s: "TODO" } });
  assert.deepEqual(
    sorted.byPriority,
    await rows(`select f.id, json_build_object('name', p.name) as project from fn_by_priority() f join v_project p on p.id = f.project_id
      where f.status = 'TODO' order by p.name desc, f.title, f.id limit 5`),
  );
  const first = await daemon.data(`{ byPriority(distinctOn: [status]) { id status project { name } } }`);
  assert.deepEqual(
    first.byPriority,
    await rows(`select f.id, f.status, json_build_object('name', p.name) as project
      from (select distinct on (status) * from fn_by_priority() order by status, id) f join v_project p on p.id = f.project_id order by f.id`),
  );
  assert.equal((await daemon.data("{ byPriority { id } }")).byPriority.length, 100);
});

test("a search by the demo's function finds what the function finds", async () => {
  const data = await daemon.data(`query ($w: String!) { searchTasks(input: {words: $w, maxResults: 50}) { id title } }`, {
    variables: { w: "review or fix" },
  });
  const expected = await rows(`select id, title from fn_search_tasks('review or fix', 50)`);
  assert.ok(expected.length > 0);
  assert.deepEqual(data.searchTasks, expected);
});

test("functions and lists of one query are one statement and one snapshot", async () => {
  const { text } = await daemon.post(
    `{ b: add(input: {a: 1}) project(id: "${id.project(1)}") { name } stats { status n hoursSpent } __typename a: byPriority(limit: 1) { id }
       users(limit: 1, orderBy: [{name: ASC}]) { name } extent(input: {project: "${id.project(1)}"}) { first last } noUser { id } }`,
  );
  const [expected] = await rows(`select 11 as b, (select json_build_object('name', name) from v_project where id = '${id.project(1)}') as project,
    (select json_agg(json_build_object('status', status, 'n', n::text, 'hoursSpent', "hours ""spent"""::text)) from fn_stats()) as stats,
    'Query' as __typename, (select json_agg(json_build_object('id', id)) from (select id from fn_by_priority() limit 1) x) as a,
    (select json_agg(json_build_object('name', name)) from (select name from v_user order by name, id limit 1) x) as users,
    (select row_to_json(e) from fn_extent('${id.project(1)}') e) as extent, null as "noUser"`);
  assert.deepEqual(JSON.parse(text).data, expected);
  assert.deepEqual(Object.keys(JSON.parse(text).data), ["b", "project", "stats", "__typename", "a", "users", "extent", "noUser"]);
});

test("output arguments and tables are objects of their own", async () => {
  const data = await daemon.data(`{ stats(input: {since: "2000-01-01"}, limit: 2, offset: 1) { __typename status n hoursSpent }
    divide(input: {a: 17, b: 5}) { a b } unnamed { column1 column2 } }`);
  assert.deepEqual(
    data.stats,
    await rows(`select 'StatsResult' as __typename, status, n::text, "hours ""spent"""::text as "hoursSpent" from fn_stats('2000-01-01') limit 2 offset 1`),
  );
  assert.deepEqual(data.divide, { a: 3, b: 2 });
  assert.deepEqual(data.unnamed, { column1: 1, column2: "x" });
  assert.deepEqual(await daemon.data(`{ extent(input: {project: "${id.project(99999)}"}) { first } }`), { extent: null });
  const failed = await failure("{ divide(input: {a: 1, b: 0}) { a } }");
  assert.equal(failed.extensions.code, "BAD_USER_INPUT");
  assert.deepEqual(failed.path, ["divide"]);
});

test("a function of a row is a field of its type", async () => {
  const data = await daemon.data(
    `query ($w: Int!) { projects(limit: 4, offset: 2, orderBy: [{name: DESC}]) {
       name label wide: label(width: $w, prefix: "") ownerMail
       lastTask { id title sibling { id sibling { id project { label } } } }
       openTasks(lowest: 2, limit: 3) { id brief mine }
       none: openTasks(lowest: 99) { id } sorted: openTasks(orderBy: [{title: ASC}], where: {priority: {gte: 2}}, limit: 2) { id assignee { brief } }
       hours(limit: 2) { status hours } span { first last } } }`,
    { variables: { w: 6 } },
  );
  const expected = await rows(`select p.name, '#' || left(p.name, 3) as label, left(p.name, 6) as wide, fn_owner_mail(p) as "ownerMail",
      (select json_build_object('id', l.id, 'title', l.title, 'sibling', (select json_build_object('id', s.id, 'sibling',
          (select json_build_object('id', s2.id, 'project', json_build_object('label', '#' || left(p.name, 3))) from fn_sibling(s) s2 where s2.id is not null))
          from fn_sibling(l) s where s.id is not null)) from fn_last_task(p) l where l.id is not null) as "lastTask",
      (select coalesce(json_agg(json_build_object('id', t.id, 'brief', left(t.title, 5), 'mine', t.assignee_id is not distinct from '${ADA}'::uuid)), '[]')
         from (select * from fn_open_tasks(p, 2) limit 3) t) as "openTasks", '[]'::json as none,
      (select coalesce(json_agg(json_build_object('id', t.id, 'assignee',
           (select json_build_object('brief', left(u.name, 5)) from v_user u where u.id = t.assignee_id))), '[]')
         from (select * from fn_open_tasks(p) where priority >= 2 order by title, id limit 2) t) as sorted,
      (select coalesce(json_agg(json_build_object('status', h.status, 'hours', h.hours::text)), '[]') from (select * from fn_project_hours(p) limit 2) h) as hours,
      (select case when not (s is null) then row_to_json(s) end from fn_project_span(p) s) as span
    from (select * from v_project order by name desc, id limit 4 offset 2) p order by p.name desc, p.id`);
  assert.equal(expected.length, 4);
  assert.deepEqual(data.projects, expected);
});

test("functions of a row that is joined are called only where there is one", async () => {
  const data = await daemon.data(`{ tasks(limit: 40, where: {assignee: {name: {neq: "x"}}}) { assignee { refuseNull initials(more: ["Zed"]) } }
    free: tasks(limit: 5, where: {assigneeId: {isnull: true}}) { id assignee { refuseNull initials brief tasks { id } } } }`);
  assert.deepEqual(
    data.tasks,
    await rows(`select json_build_object('refuseNull', u.name, 'initials',
        (select json_agg(left(w, 1)) from unnest(string_to_array(u.name, ' ') || '{Zed}'::text[]) w)) as assignee
      from v_task t join v_user u on u.id = t.assignee_id where u.name <> 'x' order by t.id limit 40`),
  );
  assert.equal(data.free.length, 5);
  assert.ok(data.free.every((task) => task.assignee === null));
});

test("a field of a function can be had by key, in results of mutations, and by fragments", async () => {
  const data = await daemon.data(`query ($yes: Boolean!) { project(id: "${id.project(1)}") { ...L label @skip(if: $yes) } }
    fragment L on Project { l: label(width: 1) progress }`, { variables: { yes: true } });
  assert.deepEqual(
    { project: data.project },
    { project: (await rows(`select '#' || left(p.name, 1) as l, fn_progress(p)::text as progress from v_project p where id = '${id.project(1)}'`))[0] },
  );
  const made = await daemon.data(`mutation { createProject(input: {name: "Nova"}) { label lastTask { id } openTasks { id } owner { brief } } }`);
  assert.deepEqual(made.createProject, { label: "#Nov", lastTask: null, openTasks: [], owner: { brief: "Ada L" } });
});

test("rows have such fields wherever they are read: in connections, by node, when they are changed", async () => {
  const fields = "name label lastTask { title brief } openTasks(limit: 2) { title } span { first }";
  const of = (where) => rows(`select p.name, '#' || left(p.name, 3) as label,
      (select json_build_object('title', l.title, 'brief', left(l.title, 5)) from fn_last_task(p) l where l.id is not null) as "lastTask",
      (select coalesce(json_agg(json_build_object('title', t.title)), '[]') from (select * from fn_open_tasks(p) limit 2) t) as "openTasks",
      (select json_build_object('first', s.first) from fn_project_span(p) s where not (s is null)) as span from v_project p ${where}`);
  const data = await daemon.data(`{ f: projectsConnection(first: 3, orderBy: [{name: ASC}]) { nodes { nodeId ${fields} } edges { cursor node { label } } }
    l: projectsConnection(last: 2, orderBy: [{name: ASC}]) { nodes { ${fields} } } currentUser { projectsConnection(first: 2) { nodes { ${fields} } } } }`);
  const first = await of("order by name, id limit 3");
  assert.deepEqual(data.f.nodes.map(({ nodeId, ...node }) => node), first);
  assert.deepEqual(data.f.edges.map((edge) => edge.node.label), first.map((node) => node.label));
  assert.deepEqual(data.l.nodes, (await of("order by name desc, id desc limit 2")).reverse());
  assert.deepEqual(data.currentUser.projectsConnection.nodes, await of(`where owner_id = '${ADA}' order by id limit 2`));
  const { node } = await daemon.data(`query ($id: ID!) { node(id: $id) { ... on Project { ${fields} } } }`, { variables: { id: data.f.nodes[0].nodeId } });
  assert.deepEqual(node, first[0]);
});

test("rows of a table that has lost a column are whole, read, changed and deleted", async () => {
  const writer = await start(database, { schema: { mutations: { crud: true }, expose: { tables: ["crates"] } } });
  try {
    const data = await writer.data(`mutation {
      insertCrates(input: [{id: 3, label: "three"}, {id: 4}]) { returning { label size next { size } } }
      updateCrate(id: "2", input: {label: "zwei"}) { size next { label next { label } } }
      emptyCrate(input: {wanted: 3}) { label size next { id } } deleteCrate(id: "4") { id size }
      deleteCrates(where: {label: {eq: "zwei"}}) { affectedCount returning { size } returned: returning { id } } }`);
    assert.deepEqual(data, {
      insertCrates: { returning: [{ label: "three", size: 5, next: { size: null } }, { label: null, size: null, next: null }] },
      updateCrate: { size: 4, next: { label: "three", next: { label: null } } },
      emptyCrate: { label: "three", size: 5, next: { id: "4" } },
      deleteCrate: { id: "4", size: null },
      deleteCrates: { affectedCount: 1, returning: [{ size: 4 }], returned: [{ id: "2" }] },
    });
    assert.deepEqual(await writer.data("{ allCrates { id size next { id } } crates(limit: 1) { size } }"), {
      allCrates: [{ id: "1", size: 3, next: null }],
      crates: [{ size: 3 }],
    });
  } finally {
    await writer.stop();
  }
});

test("composite values go in and come out, alone, in sets and as results of rows", async () => {
  const spots = [{ city: `a"(,)'`, lat: "1.50", tagS: ["x", null, ""] }, { city: null, lat: null, tagS: null }, { city: "b" }];
  const data = await daemon.data(
    `query ($spots: [SpotInput]!, $city: String) { home(input: {city: $city}) { city lat tagS } nowhere: home { city }
       homes(input: {spots: $spots}, limit: 3) { city lat tagS } mixed: homes(input: {spots: [{city: $city}, null]}, offset: 1) { city }
       projects(limit: 3) { home { lat tagS } owner { brief } } }`,
    { variables: { spots, city: "Ulm" } },
  );
  assert.deepEqual(data.home, { city: "Ulm", lat: "48.40", tagS: ["a", null] });
  assert.equal(data.nowhere, null);
  assert.deepEqual(data.homes, [spots[0], spots[1], { city: "b", lat: null, tagS: null }]);
  assert.deepEqual(data.mixed, [null]);
  assert.deepEqual(
    data.projects,
    await rows(`select json_build_object('lat', p.budget::text, 'tagS', p.labels) as home,
      (select json_build_object('brief', left(u.name, 5)) from v_user u where u.id = p.owner_id) as owner from v_project p order by p.id limit 3`),
  );
  assert.deepEqual(await daemon.data("mutation { trip { start { city lat } stops { city tagS } n } }"), {
    trip: { start: { city: "x", lat: null }, stops: [{ city: "y", tagS: [] }, null], n: 2 },
  });
});

test("it is called for the rows of the page only, and only when it is selected", async () => {
  const calls = async () =>
    Number(await shared.sql(database, `select coalesce(pg_stat_get_function_calls('public.fn_project_label'::regproc), 0)`));
  const before = await calls();
  await daemon.data("{ projects(limit: 50) { name } }");
  await daemon.data(`{ projects(limit: 3) { name label @include(if: false) } }`);
  assert.equal(await calls(), before);
  await daemon.data("{ projects(limit: 3, offset: 4, orderBy: [{budget: DESC}]) { name label } }");
  assert.equal(await calls(), before + 3);
  await daemon.data("{ projects(limit: 4) { name tasks(limit: 2) { project { label } } } }");
  assert.ok((await calls()) <= before + 3 + 8);
});

test("names with quotes, and columns that are named as ours are, go through", async () => {
  const data = await daemon.data(`query ($a: String) { reversed(limit: 2) { id sayIt(aB: $a) self { t1 row order1 self { id sayIt } } }
      sorted: reversed(orderBy: [{t1: ASC_NULLS_FIRST}]) { id self { id } } odd(id: 2) { t1 sayIt self { id } } }`, {
    variables: { a: `x"'; drop table odd; --` },
  });
  assert.deepEqual(data, {
    reversed: [
      { id: "3", sayIt: `30|rr|oo|xx|x"'; drop table odd; --`, self: { t1: 30, row: "rr", order1: "oo", self: { id: "3", sayIt: "30|rr|oo|xx|ß" } } },
      { id: "2", sayIt: `x"'; drop table odd; --`, self: { t1: null, row: null, order1: null, self: { id: "2", sayIt: "ß" } } },
    ],
    sorted: [2, 1, 3].map((n) => ({ id: String(n), self: { id: String(n) } })),
    odd: { t1: null, sayIt: "ß", self: { id: "2" } },
  });
});

test("rows of mutations have such fields too, with or without key, and sets and tables are served", async () => {
  const data = await daemon.data(`mutation { keepOdd(input: {wanted: 1}) { t1 sayIt } gone: keepOdd(input: {wanted: 9}) { id }
    addPairs(input: {n: 2}) { a t1 sum } log(input: {lines: 2}) { line text } none: log(input: {lines: 0}) { line } counts(input: {n: 150}) }`);
  assert.deepEqual(data, {
    keepOdd: { t1: 10, sayIt: "10|r|o|é|ß" },
    gone: null,
    addPairs: [{ a: 1, t1: null, sum: 101 }, { a: 2, t1: null, sum: 102 }],
    log: [{ line: 1, text: "line 1" }, { line: 2, text: "line 2" }],
    none: [],
    counts: Array.from({ length: 150 }, (_, i) => String(i + 1)),
  });
});

test("a mutation that deletes gives what it deleted, as its function gave it", async () => {
  await daemon.data(`mutation { a: createTask(input: {projectId: "${id.project(1)}", title: "Gone A"}) { id }
    b: createTask(input: {projectId: "${id.project(1)}", title: "Gone B"}) { id } }`);
  const data = await daemon.data(`mutation { dropTasks(input: {titles: ["Gone A", "Gone B"]}) {
    title brief project { id tasks(where: {title: {startswith: "Gone"}}) { id } } comments { id } } }`);
  const project = { id: id.project(1), tasks: [] };
  assert.deepEqual(data.dropTasks, ["Gone B", "Gone A"].map((title) => ({ title, brief: "Gone ", project, comments: [] })));
  assert.deepEqual(await rows("select from v_task where title like 'Gone _'"), []);
  await shared.sql(database, "insert into public.odd values (7, 70, '7', null, '(\"x\",)'), (8, 80, null, null, null)");
  const odd = await daemon.data(`mutation { dropOdd(input: {wanted: 7}) { id t1 row order1 selectX sayIt self { id } }
    dropOddAsOwner(input: {wanted: 8}) { id } none: dropOdd(input: {wanted: 9}) { id } }`);
  assert.deepEqual(odd, {
    dropOdd: { id: "7", t1: 70, row: "7", order1: null, selectX: '("x",)', sayIt: '70|7|("x",)|ß', self: { id: "7" } },
    // It has seen more than the one who asks may.
    dropOddAsOwner: null,
    none: null,
  });
  const theirs = await shared.sql(database, `select id from tasks where tenant_id = '${GLOBEX}' order by id limit 1`);
  assert.deepEqual(await daemon.data(`mutation { theirTask(input: {taskId: "${theirs}"}) { id title } }`), { theirTask: null });
});

test("entities of outcomes have fields of functions, whether they are still there or not", async () => {
  const { createTask: made } = await daemon.data(`mutation { createTask(input: {projectId: "${id.project(1)}", title: "Entity"}) { id } }`);
  const query = `mutation ($gone: Boolean!) { touchTask(input: {taskId: "${made.id}", gone: $gone}) {
    ... on TouchTaskSuccess { task { title brief project { label } } } ... on TouchTaskError { message } } }`;
  const task = { title: "Entity", brief: "Entit", project: { label: `#${(await rows(`select left(name, 3) as l from v_project where id = '${id.project(1)}'`))[0].l}` } };
  assert.deepEqual(await daemon.data(query, { variables: { gone: false } }), { touchTask: { task } });
  assert.deepEqual(await daemon.data(query, { variables: { gone: true } }), { touchTask: { task } });
  assert.deepEqual(await rows(`select from v_task where id = '${made.id}'`), []);
});

test("no function shows what belongs to another tenant", async () => {
  const theirs = await shared.sql(database, `select id from tasks where tenant_id = '${GLOBEX}' order by id limit 1`);
  const user = await shared.sql(database, `select id from users where tenant_id = '${GLOBEX}' order by id limit 1`);
  const query = `query ($task: UUID!) { projectOf(input: {taskId: $task}) { id openTasks { id } } byPriority(limit: 500) { id }
    searchTasks(input: {words: "review or fix or plan", maxResults: 100}) { id }
    projects(limit: 100) { lastTask { id } openTasks(limit: 100) { id } } }`;
  const belongs = new Map((await shared.rows(database, "select id, tenant_id from tasks")).map((t) => [t.id, t.tenant_id]));
  for (const [tenant, who] of [[ACME, ADA], [GLOBEX, user]]) {
    const { complete, ...data } = await daemon.data(query, { variables: { task: theirs }, token: tokenFor(tenant, who) });
    assert.equal(data.projectOf === null, tenant !== GLOBEX);
    const seen = [data.byPriority, data.searchTasks, ...data.projects.map((p) => p.openTasks), data.projects.map((p) => p.lastTask).filter(Boolean)].flat();
    assert.ok(seen.length > 100);
    assert.ok(seen.every((task) => belongs.get(task.id) === tenant));
  }
  assert.equal((await daemon.post("{ byPriority { id } }", { token: null })).status, 401);
});

test("a query cannot change anything, whatever its functions say they are", async () => {
  const before = await shared.sql(database, "select md5(string_agg(name, ',' order by id)) from projects");
  const error = await failure("{ write }");
  assert.equal(error.extensions.code, "INTERNAL_SERVER_ERROR");
  assert.deepEqual(error.path, ["write"]);
  assert.equal(await shared.sql(database, "select md5(string_agg(name, ',' order by id)) from projects"), before);
  assert.deepEqual(await daemon.data("{ add(input: {a: 1}) }"), { add: 11 });
  assert.deepEqual(await daemon.data(`mutation { createProject(input: {name: "After"}) { name } }`), { createProject: { name: "After" } });
});

test("errors of functions have their codes, and only an author's own message is told", async () => {
  const said = async (state) => {
    const error = await failure("query ($s: String!) { fail(input: {state: $s, message: \"my words\"}) }", { variables: { s: state } });
    assert.deepEqual(error.path, ["fail"]);
    return [error.extensions.code, error.message.includes("my words")];
  };
  assert.deepEqual(await said("P0001"), ["BAD_USER_INPUT", true]);
  assert.deepEqual(await said("P0002"), ["NOT_FOUND", false]);
  assert.deepEqual(await said("42501"), ["FORBIDDEN", false]);
});

test("hostile values stay values", async () => {
  for (const value of ["'", '"', "\\", "$1", "'); drop table tasks; --", "{a,b}", "\u{1F600}", "a\tb\nc", "x".repeat(100000)]) {
    const data = await daemon.data("query ($s: String!) { words(input: {sentence: $s}) who(input: {greeting: $s}) }", { variables: { s: value } });
    assert.deepEqual(data, { words: value.split(" "), who: `${value} ${ADA}` });
  }
  for (const [query, variables] of [
    ["query ($n: Int!) { add(input: {a: $n}) }", { n: 2147483648 }],
    ["query ($n: [Int]) { total(input: {first: 1, numbers: $n}) }", { n: ["x"] }],
  ]) {
    const { body } = await daemon.post(query, { variables });
    assert.equal(body.errors[0].extensions.code, "BAD_USER_INPUT", JSON.stringify(body));
  }
  for (const query of ["{ add }", "{ add(input: {}) }", "{ add(input: {a: null}) }", "{ add(input: {a: 1, c: 2}) }", "{ add(a: 1) }",
    "{ projects { label(width: 1, width: 2) } }", "{ projects { openTasks } }", "{ projects { label { x } } }"]) {
    assert.equal((await daemon.refusal(query)).extensions.code, "GRAPHQL_VALIDATION_FAILED", query);
  }
});

test("what is not served is in the log with its reason, and not in the schema", async () => {
  const said = Object.fromEntries(daemon.logged("function not exposed").map((line) => [line.function, line.reason]));
  const reasons = {
    fn_proc: /procedure/, fn_poly: /"a" is of type anyelement/, fn_table_row: /"u" is of type public.users/, fn_nothing: /returns nothing/,
    fn_over: /overloaded/, fn_projects: /"Query" has a field "projects"/, fn_project_name: /"Project" has a field "name"/,
    fn_limited: /"limit"/, fn_lists: /set of lists/,
  };
  for (const [name, reason] of Object.entries(reasons)) {
    assert.match(said[`public.${name}`] ?? "", reason, name);
  }
  assert.equal((await daemon.refusal("{ over }")).extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

test("the file of type definitions that is printed of them makes the same schema", async () => {
  const print = async (more, ...args) => {
    const { code, stdout, stderr } = await program(["schema", "print", ...args, "-c", writeConfiguration(configuration(database, more))]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const file = writeFile("graphql", await print({}, "--from-db"));
  assert.equal(await print({ schema: { sdl_file: file } }), await print({}));
});

test("an overloaded function is served when the others are left out by their types", async () => {
  const other = await start(database, { schema: { expose: { exclude: ["fn_over(text)"], functions: ["fn_over"] } } });
  try {
    assert.deepEqual(await other.data("{ over(input: {a: 1}) }"), { over: 1 });
  } finally {
    await other.stop();
  }
  const text = await start(database, { schema: { expose: { exclude: ["public.fn_over(int*)"], functions: ["fn_over"] } } });
  try {
    assert.deepEqual(await text.data(`{ over(input: {a: "1"}) }`), { over: 2 });
  } finally {
    await text.stop();
  }
});
