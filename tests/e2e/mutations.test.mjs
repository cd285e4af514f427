// Functions of the database as mutations: arguments, results, one transaction, errors.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, GLOBEX, id, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create domain public.rating as int check (value between 1 and 5);
   create function public.fn_echo(a int default 7, words text[] default '{x,y}', roles public.user_role[] default null,
                                  stars public.rating default 3, day date default '2026-01-02', code char(3) default 'abc',
                                  doc jsonb default '{"d": 1}')
     returns jsonb language sql volatile
     as $$ select jsonb_build_object('a', a, 'words', words, 'roles', roles, 'stars', stars, 'day', day, 'code', code,
                                     'doc', doc) $$;
   create function public.fn_who(auth_tenant_id uuid, auth_user_id uuid, auth_locale text) returns text[]
     language sql volatile as $$ select array[auth_tenant_id::text, auth_user_id::text, auth_locale] $$;
   create function public.fn_kept() returns text language sql volatile
     as $$ select concat(current_setting('fraiseql.key1', true), current_setting('fraiseql.rows', true)) $$;
   create function public.fn_nothing() returns void language sql volatile as '';
   create function public.fn_no_task() returns public.v_task language sql volatile as 'select null::public.v_task';
   create function public.fn_rename_tasks(task_ids uuid[], title text) returns setof public.v_task
     language plpgsql volatile as $$
     begin
       update public.tasks t set title = fn_rename_tasks.title where t.id = any (task_ids);
       return query select v.* from unnest(task_ids) with ordinality k(id, n) join public.v_task v on v.id = k.id order by n;
     end $$;
   create function public.fn_fail(state text, message text) returns int language plpgsql volatile
     as $$ begin raise exception using errcode = state, message = message; end $$;
   create table public.notes (project_id uuid references public.projects, "ordinality" text);
   grant select, insert on public.notes to app_user;
   create view public.v_note with (security_invoker) as select project_id, "ordinality" from public.notes;
   grant select on public.v_note to app_user;
   create function public.fn_add_notes(project_id uuid, texts text[]) returns setof public.v_note
     language plpgsql volatile as $$
     begin
       update public.projects p set name = 'noted' where p.id = fn_add_notes.project_id;
       return query insert into public.notes select fn_add_notes.project_id, unnest(texts) returning *;
     end $$;
   create function public.fn_one_note(text text) returns public.v_note
     language sql volatile as $$ select n from public.v_note n where n."ordinality" = text $$;
   create table public.parents (id int primary key);
   create table public.children (parent_id int references public.parents deferrable initially deferred);
   grant insert on public.children to app_user;
   create function public.fn_orphan(parent int) returns void language sql volatile
     as 'insert into public.children values (parent)';
   create function public.fn_over(a int) returns int language sql volatile as 'select 1';
   create function public.fn_over(a text) returns int language sql volatile as 'select 1';`,
);
const daemon = await start(database, {
  auth: { claims: { locale: { path: "locale", setting: "app.locale" } } },
});
after(() => daemon.stop());

const rows = (query) => shared.rows(database, query);
const count = async (table, where) => Number(await shared.sql(database, `select count(*) from ${table} where ${where}`));

/** The errors of an operation that was executed and failed as a whole. */
async function failure(query, options) {
  const { status, body, text } = await daemon.post(query, options);
  assert.equal(status, 200, text);
  assert.equal(body.data, null, text);
  assert.equal(body.errors.length, 1, text);
  return body.errors[0];
}

test("a mutation returns the row, and relations of it as they are after the change", async () => {
  const data = await daemon.data(
    `mutation ($input: CreateTaskInput!) {
       createTask(input: $input) {
         id title priority labels attributes project { id tasks(where: {title: {eq: "Paint it black"}}) { title assignee { name } } }
       }
     }`,
    {
      variables: {
        input: { projectId: id.project(1), title: "Paint it black", assigneeId: ADA, labels: ["a", 'b"c'], attributes: { n: [1] } },
      },
    },
  );
  const [row] = await rows(`select id, title, priority, labels, attributes from tasks where title = 'Paint it black'`);
  const { project, ...task } = data.createTask;
  assert.deepEqual(task, row);
  assert.equal(row.priority, 3);
  assert.deepEqual(project, { id: id.project(1), tasks: [{ title: "Paint it black", assignee: { name: "Ada Lovelace" } }] });
  assert.equal(await count("tasks", `title = 'Paint it black' and tenant_id = '${ACME}'`), 1);
});

test("fn_create_project gives the project to the user who asks", async () => {
  const data = await daemon.data(`mutation { createProject(input: {name: "New", budget: "12.50", dueDate: "2030-01-31"}) {
    name budget dueDate owner { id } tasks { id } } }`);
  assert.deepEqual(data.createProject, { name: "New", budget: "12.50", dueDate: "2030-01-31", owner: { id: ADA }, tasks: [] });
  assert.equal(await count("projects", `name = 'New' and tenant_id = '${ACME}' and owner_id = '${ADA}'`), 1);
});

test("nested lists show what the function changed beside the row it returns", async () => {
  const query = `mutation { archiveProject(input: {projectId: "${id.project(2)}"}) {
    status tasks(where: {status: {nin: ["DONE", "CANCELLED"]}}) { id } } }`;
  assert.ok((await count("tasks", `project_id = '${id.project(2)}' and status not in ('DONE', 'CANCELLED')`)) > 0);
  assert.deepEqual(await daemon.data(query), { archiveProject: { status: "ARCHIVED", tasks: [] } });
  assert.equal(await count("tasks", `project_id = '${id.project(2)}' and status not in ('DONE', 'CANCELLED')`), 0);
});

test("auth_user_id is the token's user, and no argument", async () => {
  const add = `mutation { addComment(input: {taskId: "${id.task(1)}", body: "Mine"}) { body author { id } task { id } } }`;
  assert.deepEqual(await daemon.data(add), { addComment: { body: "Mine", author: { id: ADA }, task: { id: id.task(1) } } });
  assert.equal(await count("comments", `body = 'Mine' and author_id = '${ADA}'`), 1);
  const refused = await daemon.refusal(
    `mutation { addComment(input: {taskId: "${id.task(1)}", body: "x", authUserId: "${id.user(2)}"}) { id } }`,
  );
  assert.equal(refused.extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

test("each auth_ argument has its claim, or null", async () => {
  assert.deepEqual(await daemon.data("mutation { who }"), { who: [ACME, ADA, null] });
});

test("a scalar is a scalar: fn_delete_comment", async () => {
  const mine = await shared.sql(database, `select id from comments where author_id = '${ADA}' order by id limit 1`);
  const drop = `mutation ($id: UUID!) { deleteComment(input: {commentId: $id}) }`;
  assert.deepEqual(await daemon.data(drop, { variables: { id: mine } }), { deleteComment: true });
  assert.equal(await count("comments", `id = '${mine}'`), 0);
  assert.deepEqual(await daemon.data(drop, { variables: { id: mine } }), { deleteComment: false });
});

test("an argument that is absent has its default, one that is null is null", async () => {
  const defaults = { a: 7, words: ["x", "y"], roles: null, stars: 3, day: "2026-01-02", code: "abc", doc: { d: 1 } };
  const nulls = { a: null, words: null, roles: null, stars: null, day: null, code: null, doc: null };
  const query = `mutation ($input: EchoInput!, $a: Int, $words: [String]) {
    whole: echo(input: $input)
    parts: echo(input: {a: $a, words: $words})
  }`;
  assert.deepEqual(await daemon.data(query, { variables: { input: {} } }), { whole: defaults, parts: defaults });
  assert.deepEqual(await daemon.data(query, { variables: { input: nulls, a: null } }), {
    whole: nulls,
    parts: { ...defaults, a: null },
  });
  assert.deepEqual(await daemon.data(query, { variables: { input: { a: 1 }, a: 0, words: [] } }), {
    whole: { ...defaults, a: 1 },
    parts: { ...defaults, a: 0, words: [] },
  });
});

test("arguments keep their values: lists, enums, domains, fixed lengths, JSON", async () => {
  const given = { a: -1, words: ["", 'q"\\{},', null, "NULL"], stars: 5, day: "1999-12-31", code: "xyz", doc: [{ k: null }, "s", 1.5] };
  const data = await daemon.data(
    `mutation ($input: EchoInput!, $word: String, $role: UserRole!) {
       whole: echo(input: $input)
       mixed: echo(input: {words: [$word, "two"], roles: [BILLING_CONTACT, $role], doc: {w: $word}})
     }`,
    { variables: { input: { ...given, roles: ["owner", "BILLING_CONTACT"] }, word: "one", role: "admin" } },
  );
  assert.deepEqual(data.whole, { ...given, roles: ["owner", "billing contact"] });
  assert.deepEqual([data.mixed.words, data.mixed.roles, data.mixed.doc], [["one", "two"], ["billing contact", "admin"], { w: "one" }]);
  const error = await failure("mutation { echo(input: {stars: 6}) }");
  assert.equal(error.extensions.code, "BAD_USER_INPUT");
});

test("void answers true, a null row null", async () => {
  assert.deepEqual(await daemon.data("mutation { nothing noTask { id project { id } } __typename }"), {
    nothing: true,
    noTask: null,
    __typename: "Mutation",
  });
});

test("a set of rows is a list in the function's order", async () => {
  const ids = [3, 1, 2, 1].map(id.task);
  const data = await daemon.data(
    `mutation ($ids: [UUID]!) { renameTasks(input: {taskIds: $ids, title: "Renamed"}) { id title project { tasks(where: {title: {eq: "Renamed"}}) { id } } } }`,
    { variables: { ids } },
  );
  assert.deepEqual(data.renameTasks.map((task) => task.id), ids);
  const [{ ids: expected }] = await rows(`select json_agg(id order by id) as ids from tasks
    where title = 'Renamed' and project_id = (select project_id from tasks where id = '${ids[0]}')`);
  assert.deepEqual(data.renameTasks[0].project.tasks.map((task) => task.id), expected);
  assert.equal(await count("tasks", "title = 'Renamed'"), 3);
  assert.deepEqual(await daemon.data(`mutation { renameTasks(input: {taskIds: [], title: "x"}) { id } }`), { renameTasks: [] });
});

test("rows of a relation without key are what the function returned, with relations as they are then", async () => {
  const texts = ["b", 'a"\\(,)', "", "c"];
  const data = await daemon.data(
    `mutation ($texts: [String]!) {
       addNotes(input: {projectId: "${id.project(3)}", texts: $texts}) { ordinality project { name } }
       oneNote(input: {text: "c"}) { ordinality }
       noNote: oneNote(input: {text: "none"}) { ordinality }
     }`,
    { variables: { texts } },
  );
  assert.deepEqual(data.addNotes, texts.map((ordinality) => ({ ordinality, project: { name: "noted" } })));
  assert.deepEqual([data.oneNote, data.noNote], [{ ordinality: "c" }, null]);
});

test("root fields run in their order, in one transaction", async () => {
  const { text } = await daemon.post(`mutation {
    b: createProject(input: {name: "First"}) { name }
    a: createProject(input: {name: "Second"}) { name owner { projects(where: {name: {in: ["First", "Second"]}}, orderBy: [{name: ASC}]) { name } } }
  }`);
  assert.equal(
    text,
    '{"data":{"b":{"name":"First"},"a":{"name":"Second","owner":{"projects":[{"name":"First"},{"name":"Second"}]}}}}',
  );
  const [{ n }] = await rows(`select count(distinct xmin::text) as n from projects where name in ('First', 'Second')`);
  assert.equal(n, 1);
});

test("when a field fails nothing of the others stays, and the error is at its path", async () => {
  const error = await failure(`mutation {
    one: createProject(input: {name: "Never"}) { id }
    two: createTask(input: {projectId: "${id.project(9999)}", title: "t"}) { id }
    three: createProject(input: {name: "Never"}) { id }
  }`);
  assert.equal(error.extensions.code, "NOT_FOUND");
  assert.deepEqual(error.path, ["two"]);
  assert.equal(error.locations[0].line, 3);
  assert.equal(await count("projects", "name = 'Never'"), 0);
});

test("a constraint that is checked at the end fails the whole", async () => {
  const error = await failure(`mutation { createProject(input: {name: "Deferred"}) { id } orphan(input: {parent: 1}) }`);
  assert.equal(error.extensions.code, "BAD_USER_INPUT");
  assert.equal(error.path, undefined);
  assert.equal(await count("projects", "name = 'Deferred'"), 0);
});

test("what belongs to another tenant is not there", async () => {
  const theirs = await shared.sql(database, `select id from tasks where tenant_id = '${GLOBEX}' order by id limit 1`);
  const before = await rows(`select * from tasks where id = '${theirs}'`);
  for (const query of [
    `mutation ($id: UUID!) { assignTask(input: {taskId: $id}) { id } }`,
    `mutation ($id: UUID!) { addComment(input: {taskId: $id, body: "x"}) { id } }`,
  ]) {
    assert.equal((await failure(query, { variables: { id: theirs } })).extensions.code, "NOT_FOUND");
  }
  const renamed = await daemon.data(`mutation ($id: UUID!) { renameTasks(input: {taskIds: [$id], title: "Stolen"}) { id } }`, {
    variables: { id: theirs },
  });
  assert.deepEqual(renamed, { renameTasks: [] });
  assert.deepEqual(await rows(`select * from tasks where id = '${theirs}'`), before);
  const user = await shared.sql(database, `select id from users where tenant_id = '${GLOBEX}' order by id limit 1`);
  const data = await daemon.data(`mutation ($id: UUID!) { assignTask(input: {taskId: $id, assigneeId: null}) { id assignee { id } } }`, {
    variables: { id: theirs },
    token: tokenFor(GLOBEX, user),
  });
  assert.deepEqual(data, { assignTask: { id: theirs, assignee: null } });
});

test("errors have their codes, and only an author's own message is told", async () => {
  const said = async (state, message) => {
    const error = await failure("mutation ($s: String!, $m: String!) { fail(input: {state: $s, message: $m}) }", {
      variables: { s: state, m: message },
    });
    assert.deepEqual(error.path, ["fail"]);
    return [error.extensions.code, error.message.includes(message)];
  };
  assert.deepEqual(await said("P0001", "not on Sundays"), ["BAD_USER_INPUT", true]);
  assert.deepEqual(await said("23505", "secret words"), ["CONFLICT", false]);
  assert.deepEqual(await said("23514", "secret words"), ["BAD_USER_INPUT", false]);
  assert.deepEqual(await said("22P02", "secret words"), ["BAD_USER_INPUT", false]);
  assert.deepEqual(await said("42501", "secret words"), ["FORBIDDEN", false]);
  assert.deepEqual(await said("P0002", "secret words"), ["NOT_FOUND", false]);
  assert.deepEqual(await said("40001", "secret words"), ["CONFLICT", false]);
  const archived = await failure(`mutation { createTask(input: {projectId: "${id.project(2)}", title: "t"}) { id } }`);
  assert.equal(archived.message, "cannot add a task to an archived project");
});

test("what the statements hand each other does not outlive the operation", async () => {
  for (let i = 0; i < 20; i++) {
    assert.deepEqual(await daemon.data(`mutation { assignTask(input: {taskId: "${id.task(1)}"}) { id } }`), {
      assignTask: { id: id.task(1) },
    });
    assert.deepEqual(await daemon.data("mutation { kept }"), { kept: "" });
  }
});

test("a mutation needs a token, and may not come by GET", async () => {
  const query = "mutation { createProject(input: {name: \"Anonymous\"}) { id } }";
  const refused = await daemon.post(query, { token: null });
  assert.equal(refused.status, 401);
  const get = await daemon.request(`${daemon.url}/graphql?query=${encodeURIComponent(query)}`, {
    headers: { authorization: `Bearer ${tokenFor(ACME)}`, "apollo-require-preflight": "1" },
  });
  assert.equal(get.status, 405);
  assert.equal(await count("projects", "name = 'Anonymous'"), 0);
});

test("the schema has the mutations, and the log what is not one", async () => {
  const data = await daemon.data(`{ __schema { mutationType { name fields { name description args { name type { name kind ofType { name } } } } } }
    __type(name: "CreateTaskInput") { inputFields { name type { kind name ofType { name } } } } }`);
  const field = data.__schema.mutationType.fields.find((f) => f.name === "createTask");
  assert.equal(data.__schema.mutationType.name, "Mutation");
  assert.equal(field.description, "Adds a task to a project.");
  assert.deepEqual(field.args, [{ name: "input", type: { name: null, kind: "NON_NULL", ofType: { name: "CreateTaskInput" } } }]);
  const required = data.__type.inputFields.filter((f) => f.type.kind === "NON_NULL").map((f) => f.name);
  assert.deepEqual(required, ["projectId", "title"]);
  const names = data.__schema.mutationType.fields.map((f) => f.name);
  for (const absent of ["searchTasks", "over", "progress"]) {
    assert.ok(!names.includes(absent), absent);
  }
  const said = Object.fromEntries(daemon.logged("function not exposed").map((line) => [line.function, line.reason]));
  assert.match(said["public.fn_over"], /overloaded/);
});

test("schema.expose.functions and privileges decide which functions there are", async () => {
  await shared.sql(
    database,
    `create function public.do_it() returns int language sql volatile as 'select 1';
     create function public.do_not() returns int language sql volatile as 'select 1';
     revoke execute on function public.do_not() from public`,
  );
  const other = await start(database, { schema: { expose: { functions: ["do_*"] } } });
  try {
    const { __schema } = await other.data("{ __schema { mutationType { fields { name } } } }");
    assert.deepEqual(__schema.mutationType.fields, [{ name: "doIt" }]);
  } finally {
    await other.stop();
  }
  const none = await start(database, { schema: { expose: { functions: [] } } });
  try {
    assert.deepEqual(await none.data("{ __schema { mutationType { name } } }"), { __schema: { mutationType: null } });
    const refused = await none.refusal("mutation { doIt }");
    assert.match(refused.extensions.code, /VALIDATION_FAILED|RESOLUTION_FAILURE/);
  } finally {
    await none.stop();
  }
});
