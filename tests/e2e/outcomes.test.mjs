// Functions that say whether they succeeded, in FraiseQL's composites: unions, status words, entities, and that an error
// leaves no trace.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, id, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
// The composites as FraiseQL's versions have them; the demo has public.mutation_response already.
await shared.sql(
  database,
  `create schema app;
   grant usage on schema app to app_user;
   create type public.mutation_result as (id uuid, updated_fields text[], status text, message text, object_data jsonb,
                                          extra_metadata jsonb);
   create type app.mutation_error_class as enum ('validation', 'conflict', 'not_found', 'unauthorized', 'forbidden', 'internal',
                                                 'transaction_failed', 'timeout', 'rate_limited', 'service_unavailable');
   create type app.mutation_response as (succeeded boolean, state_changed boolean, error_class app.mutation_error_class,
                                         status_detail text, http_status smallint, message text, entity_id uuid,
                                         entity_type text, entity jsonb, updated_fields text[], cascade jsonb,
                                         error_detail jsonb, metadata jsonb);
   create table public.marks (what text);
   grant select, insert, delete on public.marks to app_user;
   create view public.v_mark with (security_invoker) as select what from public.marks;
   grant select on public.v_mark to app_user;

   create function public.fn_do_it(what text, status text, message text default null, metadata jsonb default null)
     returns public.mutation_response language plpgsql volatile as $$
     begin
       insert into public.marks values (what);
       return row(status, message, null, null, null, array['a', 'b'], '{"updated": []}', metadata)::public.mutation_response;
     end $$;
   create function public.fn_do_that(what text, status text, metadata jsonb default null) returns public.mutation_result
     language plpgsql volatile as $$
     begin
       insert into public.marks values (what);
       return row(null, null, status, 'said', '{"x": {"y": [1, 2.50]}}', metadata)::public.mutation_result;
     end $$;
   create function public.fn_do_other(what text, succeeded boolean, class app.mutation_error_class default null,
                                      status_detail text default null, http_status int default null, detail jsonb default null)
     returns app.mutation_response language plpgsql volatile as $$
     declare r app.mutation_response;
     begin
       insert into public.marks values (what);
       r.succeeded := succeeded; r.error_class := class; r.status_detail := fn_do_other.status_detail;
       r.http_status := fn_do_other.http_status; r.message := 'said'; r.error_detail := detail;
       return r;
     end $$;
   create function public.fn_null_result() returns public.mutation_response language sql volatile as 'select null::public.mutation_response';
   create function public.fn_mark(what text) returns text language sql volatile
     as 'insert into public.marks values (what) returning what';
   create function public.fn_marks() returns text[] language sql volatile
     as 'select coalesce(array_agg(what order by what), ''{}'') from public.marks';
   create function public.fn_break() returns int language plpgsql volatile as $$ begin raise exception 'broken'; end $$;
   create table public.parents (id int primary key);
   create table public.children (parent_id int references public.parents deferrable initially deferred);
   grant insert on public.children to app_user;
   create function public.fn_orphan(status text) returns public.mutation_result language plpgsql volatile as $$
     begin
       insert into public.children values (9);
       return row(null, null, status, null, null, null)::public.mutation_result;
     end $$;

   create function public.fn_change_task(auth_tenant_id uuid, id uuid, title text, status text default 'updated', entity_type text default 'Task',
                                         entity jsonb default null) returns public.mutation_response
     language plpgsql volatile as $$
     begin
       update public.tasks t set title = fn_change_task.title where t.id = fn_change_task.id;
       return row(status, null, id::text, entity_type, entity, array['title'], null, null)::public.mutation_response;
     end $$;
   comment on function public.fn_change_task is 'Renames a task.
@fraiseql:mutation
name: changeTask
success_type: Task
error_type: TaskError';
   create function public.fn_delete_task(id uuid) returns public.mutation_result language plpgsql volatile as $$
     declare entity jsonb;
     begin
       select to_jsonb(t) into entity from public.v_task t where t.id = fn_delete_task.id;
       delete from public.comments c where c.task_id = fn_delete_task.id;
       delete from public.tasks t where t.id = fn_delete_task.id;
       return row(id, null, case when entity is null then 'not_found:no_task' else 'deleted' end, 'gone', entity, null)::public.mutation_result;
     end $$;
   comment on function public.fn_delete_task is '@fraiseql:mutation
name: deleteTask
success_type: DeleteTaskSuccess
error_type: TaskError';
   create function public.fn_move_task(id uuid, entity jsonb) returns app.mutation_response language plpgsql volatile as $$
     declare r app.mutation_response;
     begin
       r.succeeded := true; r.entity := fn_move_task.entity; r.entity_id := fn_move_task.id;
       return r;
     end $$;
   create function public.fn_close_project(id uuid, gone boolean) returns public.mutation_response language plpgsql volatile as $$
     declare entity jsonb;
     begin
       select to_jsonb(v) into entity from public.v_project v where v.id = fn_close_project.id;
       update public.projects p set tenant_id = tenant_id, name = 'closed' where p.id = fn_close_project.id;
       if gone then
         entity := jsonb_set(entity, '{id}', '"00000000-0000-4000-8000-00000000fffe"');
         return row('deleted', null, '00000000-0000-4000-8000-00000000fffe', 'Project', entity, null, null, null)::public.mutation_response;
       end if;
       return row('updated', null, id::text, 'Project', entity, null, null, null)::public.mutation_response;
     end $$;
   create function public.fn_project_shout(project public.v_project) returns text language sql stable as $$ select upper(project.name) $$;
   create function public.fn_steal_task(id uuid) returns public.mutation_response language plpgsql volatile security definer
     set search_path = pg_catalog as $$
     begin
       return (select row('ok', null, t.id::text, null, to_jsonb(t), null, null, null)::public.mutation_response
                 from public.tasks t where t.id = fn_steal_task.id);
     end $$;

   create table public.secrets (id uuid primary key, tenant_id uuid, word text);
   insert into public.secrets values ('${id.task(1)}', '${ACME}', 'ours'), ('${id.task(2)}', '${GLOBEX}', 'theirs');
   create view public.v_secret as select * from public.secrets;
   grant select on public.v_secret to app_user;
   comment on view public.v_secret is '@fraiseql:type
tenant_column: tenant_id';
   create function public.fn_say_secret(id uuid, entity jsonb default null) returns public.mutation_result language sql volatile
     as 'select row(id, null, ''ok'', null, entity, null)::public.mutation_result';

   create schema old;
   create type old.mutation_result as (id uuid, updated_fields text[], status text, message varchar, object_data jsonb,
                                       extra_metadata jsonb);
   create type old.mutation_response as (status text);
   grant usage on schema old to app_user;
   create function public.fn_almost() returns old.mutation_result language sql volatile as 'select null::old.mutation_result';
   create function public.fn_hardly() returns old.mutation_response language sql volatile as 'select null::old.mutation_response';
   create function public.fn_several() returns setof public.mutation_result language sql volatile as 'select null::public.mutation_result';`,
);
const daemon = await start(database);
after(() => daemon.stop());

const seen = async () => (await shared.rows(database, "select what from marks order by what")).map((row) => row.what);
const clear = () => shared.sql(database, "delete from marks");
const count = async (query) => Number(await shared.sql(database, `select count(*) from ${query}`));

async function answer(query, options) {
  const { status, body, text } = await daemon.post(query, options);
  assert.equal(status, 200, text);
  return body;
}

/** What FraiseQL documents (success: 0), and spellings of it. */
const words = {
  success: 0, completed: 0, ok: 0, done: 0, new: 0, existing: 0, updated: 0, deleted: 0, synced: 0, created: 0, cancelled: 0,
  "error": 500, "failed": 500, "validation": 422, "validation_error": 422, "invalid": 422, "unauthorized": 401, "forbidden": 403,
  "not_found": 404, "timeout": 408, "conflict": 409, "duplicate": 409, "exists": 409, "noop": 422, "blocked": 422, "skipped": 422,
  "ignored": 422,
};

test("every status word of the table, in any case, with and without what is behind the colon", async () => {
  await clear();
  const query = `mutation ($what: String!, $status: String!) { doIt(input: {what: $what, status: $status}) {
    __typename
    ... on DoItSuccess { status }
    ... on DoItError { status code errors { code identifier } } } }`;
  const expected = [];
  for (const [word, code] of Object.entries(words)) {
    for (const status of [word, word.toUpperCase(), `${word}:some_reason`, `${word}: two: colons`, `${word}:`]) {
      const { doIt } = await daemon.data(query, { variables: { what: status, status } });
      assert.equal(doIt.status, status);
      assert.equal(doIt.__typename, code === 0 ? "DoItSuccess" : "DoItError", status);
      if (code === 0) {
        expected.push(status);
      } else {
        assert.equal(doIt.code, code, status);
        const identifier = status.includes(":") ? status.slice(status.indexOf(":") + 1) : "general_error";
        assert.deepEqual(doIt.errors, [{ code, identifier }]);
      }
    }
  }
  assert.deepEqual((await seen()).sort(), expected.sort());
});

test("a status that is not in the table is an error, whatever words are in it", async () => {
  await clear();
  const query = `mutation ($status: String!) { doIt(input: {what: "unknown", status: $status}) { __typename ... on DoItError { code status } } }`;
  for (const status of ["", " ", ":ok", "success ", " ok", "great success", "no_failures", "successful", "ok\n", "ко", "ſuccess", "İNVALID",
    "noop_success", "not found", "x".repeat(10000)]) {
    const { doIt } = await daemon.data(query, { variables: { status } });
    assert.deepEqual(doIt, { __typename: "DoItError", code: 500, status });
  }
  assert.deepEqual(await seen(), []);
  // And one that is, whatever is behind the colon.
  assert.equal((await daemon.data(query, { variables: { status: "new:no_failures" } })).doIt.__typename, "DoItSuccess");
});

test("a result that is null is a failure", async () => {
  const { nullResult } = await daemon.data("mutation { nullResult { __typename ... on NullResultError { status code message errors { identifier } } } }");
  assert.deepEqual(nullResult, {
    __typename: "NullResultError",
    status: "failed",
    code: 500,
    message: null,
    errors: [{ identifier: "general_error" }],
  });
});

test("an error result leaves no trace: rows, and the connection is as good as before", async () => {
  await clear();
  for (let i = 0; i < 30; i++) {
    const { doIt, mark } = await daemon.data(
      i % 2 ? `mutation { doIt(input: {what: "never", status: "failed:x"}) { __typename } }` : `mutation { mark(input: {what: "kept"}) }`,
    );
    assert.ok(doIt === undefined ? mark === "kept" : doIt.__typename === "DoItError");
  }
  assert.equal(await count("marks where what = 'never'"), 0);
  assert.equal(await count("marks where what = 'kept'"), 15);
});

test("of several fields only those with an error are rolled back, and each sees those before it", async () => {
  const combinations = 1 << 4;
  for (let bits = 0; bits < combinations; bits++) {
    await clear();
    const fields = [0, 1, 2, 3].map((i) => {
      const status = bits & (1 << i) ? "failed:on_purpose" : "created";
      return i % 2
        ? `f${i}: doThat(input: {what: "f${i}", status: "${status}"}) { __typename } s${i}: marks`
        : `f${i}: doIt(input: {what: "f${i}", status: "${status}"}) { __typename ... on DoItError { errors { identifier } } }`;
    });
    const { data, errors } = await answer(`mutation { ${fields.join(" ")} last: marks }`);
    assert.equal(errors, undefined);
    const kept = [0, 1, 2, 3].filter((i) => !(bits & (1 << i))).map((i) => `f${i}`);
    for (let i = 0; i < 4; i++) {
      const name = i % 2 ? "DoThat" : "DoIt";
      assert.equal(data[`f${i}`].__typename, bits & (1 << i) ? `${name}Error` : `${name}Success`);
      if (i % 2) {
        assert.deepEqual(data[`s${i}`], kept.filter((name) => name <= `f${i}`));
      }
    }
    assert.deepEqual(data.last, kept);
    assert.deepEqual(await seen(), kept);
  }
});

test("an operation of one error and what succeeds is one transaction", async () => {
  await clear();
  const { data } = await answer(`mutation {
    a: mark(input: {what: "a"}) b: doIt(input: {what: "b", status: "noop:nothing"}) { __typename } c: doThat(input: {what: "c", status: "done"}) { __typename } }`);
  assert.deepEqual([data.b.__typename, data.c.__typename], ["DoItError", "DoThatSuccess"]);
  const [{ n, all }] = await shared.rows(database, "select count(distinct xmin::text) as n, array_agg(what order by what) as all from marks");
  // Subtransactions have numbers of their own; what counts is that all of them are there.
  assert.deepEqual(all, ["a", "c"]);
  assert.ok(n >= 1);
});

test("an exception fails the whole operation, beside error results too", async () => {
  for (const [position, fields] of [
    [0, "broken: break a: doIt(input: {what: \"a\", status: \"ok\"}) { __typename } b: doIt(input: {what: \"b\", status: \"failed\"}) { __typename }"],
    [1, "a: doIt(input: {what: \"a\", status: \"ok\"}) { __typename } broken: break b: doIt(input: {what: \"b\", status: \"failed\"}) { __typename }"],
    [2, "a: doIt(input: {what: \"a\", status: \"failed\"}) { __typename } b: doIt(input: {what: \"b\", status: \"ok\"}) { __typename } broken: break"],
    [3, "a: doIt(input: {what: \"a\", status: \"failed\"}) { __typename } broken: break b: mark(input: {what: \"b\"})"],
  ]) {
    await clear();
    const { data, errors } = await answer(`mutation { ${fields} }`);
    assert.equal(data, null, position);
    assert.deepEqual(errors.map((e) => [e.path, e.message]), [[["broken"], "broken"]]);
    assert.deepEqual(await seen(), []);
  }
});

test("a constraint that is checked at the end fails the whole, but owes nothing when its field was rolled back", async () => {
  await clear();
  const failing = await answer(`mutation { mark(input: {what: "m"}) orphan(input: {status: "ok"}) { __typename } }`);
  assert.equal(failing.data, null);
  assert.deepEqual(failing.errors.map((e) => e.extensions.code), ["BAD_USER_INPUT"]);
  assert.deepEqual(await seen(), []);
  const alone = await answer(`mutation { orphan(input: {status: "ok"}) { __typename } }`);
  assert.deepEqual(alone.errors.map((e) => e.extensions.code), ["BAD_USER_INPUT"]);
  const undone = await daemon.data(`mutation { mark(input: {what: "m"}) orphan(input: {status: "failed"}) { __typename } }`);
  assert.deepEqual(undone, { mark: "m", orphan: { __typename: "OrphanError" } });
  assert.deepEqual(await seen(), ["m"]);
});

test("errors of the metadata are those of the answer", async () => {
  const query = `mutation ($metadata: JSON) { doIt(input: {what: "x", status: "validation:form", message: "bad form", metadata: $metadata}) {
    ... on DoItError { errors { code identifier message details } } } }`;
  const said = async (metadata) => (await daemon.data(query, { variables: { metadata } })).doIt.errors;
  const auto = { code: 422, identifier: "form", message: "bad form", details: null };
  assert.deepEqual(await said({ errors: [{ code: 409, identifier: "taken", message: "taken", details: { field: "email", n: [1, null] } }, {}] }), [
    { code: 409, identifier: "taken", message: "taken", details: { field: "email", n: [1, null] } },
    auto,
  ]);
  // Whatever is in there: nothing of it may break the answer.
  for (const metadata of [null, {}, [], 3, "errors", { errors: null }, { errors: [] }, { errors: {} }, { errors: "x" }, { errors: 1e400 }]) {
    assert.deepEqual(await said(metadata), [auto], JSON.stringify(metadata));
  }
  assert.deepEqual(
    await said({ errors: [null, 1, "a sentence", [], { code: "409" }, { code: 99999999999 }, { code: 4.5 }, { code: {} }, { message: 7, identifier: [] }] }),
    [
      auto,
      auto,
      { ...auto, message: "a sentence" },
      auto,
      { ...auto, code: 409 },
      auto,
      auto,
      auto,
      { ...auto, message: "7", identifier: "[]" },
    ],
  );
  const many = Array.from({ length: 900 }, (_, i) => ({ code: i, message: "m".repeat(50) }));
  assert.equal((await said({ errors: many })).length, 900);
});

test("the form with 6 columns: an entity of no known type is JSON, numbers as they are", async () => {
  const { text } = await daemon.post(`mutation { doThat(input: {what: "x", status: "ok"}) { ... on DoThatSuccess { entity message entityId updatedFields } } }`);
  assert.equal(text, '{"data":{"doThat":{"entity":{"x": {"y": [1, 2.50]}},"message":"said","entityId":null,"updatedFields":null}}}');
});

test("the form with 13 columns: succeeded decides, the class and the status have the code", async () => {
  await clear();
  const query = `mutation ($input: DoOtherInput!) { doOther(input: $input) { __typename
    ... on DoOtherSuccess { status } ... on DoOtherError { status code message errors { code identifier details } } } }`;
  const said = async (input) => (await daemon.data(query, { variables: { input: { what: "x", ...input } } })).doOther;
  assert.deepEqual(await said({ succeeded: true }), { __typename: "DoOtherSuccess", status: "success" });
  assert.deepEqual(await said({ succeeded: true, statusDetail: "created" }), { __typename: "DoOtherSuccess", status: "created" });
  const codes = { VALIDATION: 422, CONFLICT: 409, NOT_FOUND: 404, UNAUTHORIZED: 401, FORBIDDEN: 403, INTERNAL: 500, TRANSACTION_FAILED: 500,
    TIMEOUT: 408, RATE_LIMITED: 429, SERVICE_UNAVAILABLE: 503 };
  const { __type } = await daemon.data('{ __type(name: "MutationErrorClass") { enumValues { name } } }');
  assert.deepEqual(__type.enumValues.map((v) => v.name.toUpperCase()).sort(), Object.keys(codes).sort());
  for (const { name } of __type.enumValues) {
    const code = codes[name.toUpperCase()];
    assert.deepEqual(await said({ succeeded: false, class: name, detail: { at: 1 } }), {
      __typename: "DoOtherError",
      status: name.toLowerCase(),
      code,
      message: "said",
      errors: [{ code, identifier: name.toLowerCase(), details: { at: 1 } }],
    });
  }
  const detailed = await said({ succeeded: false, class: __type.enumValues[0].name, statusDetail: "no_budget", httpStatus: 402 });
  assert.deepEqual([detailed.status, detailed.code, detailed.errors[0].identifier], [`${__type.enumValues[0].name.toLowerCase()}:no_budget`, 402, "no_budget"]);
  assert.deepEqual(await said({ succeeded: false }), {
    __typename: "DoOtherError",
    status: "failed",
    code: 500,
    message: "said",
    errors: [{ code: 500, identifier: "general_error", details: null }],
  });
  assert.equal((await seen()).length, 2);
});

test("the entity is the row as it is now, with relations, under the policies", async () => {
  const data = await daemon.data(
    `mutation ($id: UUID!) { changeTask(input: {id: $id, title: "Changed", entity: {id: "x", title: "of the document"}}) {
       __typename ... on ChangeTaskSuccess { updatedFields entityId task { __typename id title project { name tasks(where: {title: {eq: "Changed"}}) { id } } }
         again: task { assignee { id } } } } }`,
    { variables: { id: id.task(1) } },
  );
  const [row] = await shared.rows(database, `select t.id, t.title, p.name, t.assignee_id from tasks t join projects p on p.id = t.project_id where t.id = '${id.task(1)}'`);
  assert.equal(row.title, "Changed");
  assert.deepEqual(data.changeTask, {
    __typename: "ChangeTaskSuccess",
    updatedFields: ["title"],
    entityId: row.id,
    task: { __typename: "Task", id: row.id, title: "Changed", project: { name: row.name, tasks: [{ id: row.id }] } },
    again: { assignee: row.assignee_id && { id: row.assignee_id } },
  });
});

test("only what is selected is read", async () => {
  const data = await daemon.data(`mutation { changeTask(input: {id: "${id.task(1)}", title: "Less"}) { ... on ChangeTaskSuccess { task { title } } } }`);
  assert.deepEqual(data, { changeTask: { task: { title: "Less" } } });
  const type = await daemon.data(`mutation { changeTask(input: {id: "${id.task(1)}", title: "Less"}) { ... on ChangeTaskSuccess { task { __typename } } } }`);
  assert.deepEqual(type, { changeTask: { task: { __typename: "Task" } } });
});

test("an entity of another type than the schema names is null", async () => {
  const said = async (entityType) =>
    (await daemon.data(`mutation ($t: String) { changeTask(input: {id: "${id.task(1)}", title: "T", entityType: $t, entity: {id: "${id.task(1)}"}}) { ... on ChangeTaskSuccess { task { id } } } }`, {
      variables: { t: entityType },
    })).changeTask.task;
  for (const name of ["Task", "task", "TASK", "ta_sk", null]) {
    assert.deepEqual(await said(name), { id: id.task(1) }, name);
  }
  for (const name of ["Project", "", "tasks", "Task "]) {
    assert.equal(await said(name), null, name);
  }
});

test("an entity that is gone is what the function says of it, with relations that are there", async () => {
  const [task] = await shared.rows(database, `select t.id, t.title, t.priority, p.name from tasks t join projects p on p.id = t.project_id
    where t.tenant_id = '${ACME}' and t.id <> '${id.task(1)}' order by t.id desc limit 1`);
  const drop = `mutation ($id: UUID!) { deleteTask(input: {id: $id}) { __typename
    ... on DeleteTaskSuccess { entityId status task { id title priority createdAt labels attributes project { name } comments { id } } }
    ... on TaskError { code message errors { identifier } } } }`;
  const expected = await daemon.data(`query ($id: ID!) { task(id: $id) { id title priority createdAt labels attributes project { name } } }`, { variables: { id: task.id } });
  const data = await daemon.data(drop, { variables: { id: task.id } });
  assert.deepEqual(data.deleteTask, {
    __typename: "DeleteTaskSuccess",
    entityId: task.id,
    status: "deleted",
    task: { ...expected.task, comments: [] },
  });
  assert.equal(await count(`tasks where id = '${task.id}'`), 0);
  const again = await daemon.data(drop, { variables: { id: task.id } });
  assert.deepEqual(again.deleteTask, { __typename: "TaskError", code: 404, message: "gone", errors: [{ identifier: "no_task" }] });
});

test("computed fields of the entity, and of one that is gone", async () => {
  const query = `mutation ($gone: Boolean!) { closeProject(input: {id: "${id.project(4)}", gone: $gone}) { ... on CloseProjectSuccess { project { shout owner { id } } } } }`;
  const [{ name, owner_id }] = await shared.rows(database, `select name, owner_id from projects where id = '${id.project(4)}'`);
  assert.deepEqual(await daemon.data(query, { variables: { gone: true } }), { closeProject: { project: { shout: name.toUpperCase(), owner: { id: owner_id } } } });
  assert.deepEqual(await daemon.data(query, { variables: { gone: false } }), { closeProject: { project: { shout: "CLOSED", owner: { id: owner_id } } } });
  const only = await daemon.data(`mutation { closeProject(input: {id: "${id.project(4)}", gone: false}) { ... on CloseProjectSuccess { project { shout } } } }`);
  assert.deepEqual(only, { closeProject: { project: { shout: "CLOSED" } } });
});

test("documents that do not fit are errors, and nothing stays", async () => {
  const missing = "00000000-0000-4000-8000-00000000ffff";
  const move = async (entity, selected = "id title") =>
    answer(`mutation ($id: UUID!, $entity: JSON!) { moveTask(input: {id: $id, entity: $entity}) { ... on MoveTaskSuccess { task { ${selected} } } } }`, {
      variables: { id: missing, entity },
    });
  // What is no object is no document.
  for (const entity of [[], 1, "x", [{ id: missing }]]) {
    assert.deepEqual(await move(entity), { data: { moveTask: { task: null } } });
  }
  const good = await move({ id: missing, title: "T", priority: "not selected", extra: { deep: [] } });
  assert.deepEqual(good, { data: { moveTask: { task: { id: missing, title: "T" } } } });
  // A member that is not there is null, which a title may not be.
  const without = await move({ id: missing });
  assert.deepEqual(without.data, { moveTask: { task: null } });
  assert.deepEqual(without.errors[0].path, ["moveTask", "task", "title"]);
  const wrong = await move({ id: missing, title: "T", priority: { a: 1 } }, "priority");
  assert.equal(wrong.data, null);
  assert.deepEqual(wrong.errors[0].path, ["moveTask"]);
  const huge = await move({ id: missing, title: "x".repeat(200000) });
  assert.equal(huge.data.moveTask.task.title.length, 200000);
  let deep = 1;
  for (let i = 0; i < 60; i++) {
    deep = [deep];
  }
  assert.deepEqual(await move({ id: missing, title: "T", attributes: deep }, "attributes"), { data: { moveTask: { task: { attributes: deep } } } });
});

test("what belongs to another tenant is not there, whatever the function says", async () => {
  const [theirs] = await shared.rows(database, `select id, title, project_id from tasks where tenant_id = '${GLOBEX}' order by id limit 1`);
  const steal = `mutation ($id: UUID!) { stealTask(input: {id: $id}) { ... on StealTaskSuccess { entityId task { id title } } } }`;
  assert.deepEqual(await daemon.data(steal, { variables: { id: theirs.id } }), { stealTask: { entityId: theirs.id, task: null } });
  const user = await shared.sql(database, `select id from users where tenant_id = '${GLOBEX}' order by id limit 1`);
  assert.deepEqual(await daemon.data(steal, { variables: { id: theirs.id }, token: tokenFor(GLOBEX, user) }), {
    stealTask: { entityId: theirs.id, task: { id: theirs.id, title: theirs.title } },
  });
  const change = `mutation ($id: UUID!) { changeTask(input: {id: $id, title: "Stolen"}) { ... on ChangeTaskSuccess { task { id title } } } }`;
  assert.deepEqual(await daemon.data(change, { variables: { id: theirs.id } }), { changeTask: { task: null } });
  assert.equal(await count(`tasks where id = '${theirs.id}' and title = 'Stolen'`), 0);
  // A document may name what is another tenant's; what hangs on it is still read under the policies.
  const moved = await daemon.data(
    `mutation ($entity: JSON!) { moveTask(input: {id: "${theirs.id}", entity: $entity}) { ... on MoveTaskSuccess { task { id project { id name } comments { id } } } } }`,
    { variables: { entity: { id: theirs.id, project_id: theirs.project_id } } },
  );
  assert.deepEqual(moved, { moveTask: { task: { id: theirs.id, project: null, comments: [] } } });
});

test("a relation that is kept to the tenant by a condition has it for documents too", async () => {
  const say = async (key, entity, selected = "word") =>
    (await daemon.data(`mutation ($id: UUID!, $entity: JSON) { saySecret(input: {id: $id, entity: $entity}) { ... on SaySecretSuccess { secret { ${selected} } } } }`, {
      variables: { id: key, entity },
    })).saySecret.secret;
  assert.deepEqual(await say(id.task(1), null), { word: "ours" });
  assert.equal(await say(id.task(2), null), null);
  assert.equal(await say(id.task(2), { id: id.task(2), tenant_id: GLOBEX, word: "theirs" }), null);
  assert.equal(await say(id.task(2), { id: id.task(2), word: "theirs" }), null);
  assert.deepEqual(await say(id.task(3), { id: id.task(3), tenant_id: ACME, word: "gone" }, "id word"), { id: id.task(3), word: "gone" });
  assert.deepEqual(await say(id.task(3), { tenant_id: ACME }, "__typename"), { __typename: "Secret" });
});

test("the schema: a union of two objects, an error type that functions share", async () => {
  const { __schema, result, success, error } = await daemon.data(`{
    __schema { mutationType { fields { name description type { kind name } } } }
    result: __type(name: "ChangeTaskResult") { kind possibleTypes { name } }
    success: __type(name: "ChangeTaskSuccess") { fields { name type { kind name ofType { name } } } }
    error: __type(name: "TaskError") { fields { name type { kind name ofType { name } } } } }`);
  const field = __schema.mutationType.fields.find((f) => f.name === "changeTask");
  assert.deepEqual(field, { name: "changeTask", description: "Renames a task.", type: { kind: "UNION", name: "ChangeTaskResult" } });
  assert.deepEqual(result, { kind: "UNION", possibleTypes: [{ name: "ChangeTaskSuccess" }, { name: "TaskError" }] });
  assert.deepEqual(success.fields.map((f) => f.name), ["message", "status", "entityId", "updatedFields", "cascade", "task"]);
  assert.equal(success.fields[5].type.name, "Task");
  assert.deepEqual(error.fields.map((f) => f.name), ["message", "status", "code", "errors"]);
  const said = Object.fromEntries(daemon.logged("function not exposed").map((line) => [line.function, line.reason]));
  assert.match(said["public.fn_almost"], /"message" of type character varying, not text/);
  assert.match(said["public.fn_hardly"], /no column "message"/);
  assert.match(said["public.fn_several"], /set/);
});

test("beside changes of rows", async () => {
  await shared.sql(database, "create table public.stamps (id int primary key, what text); grant all on public.stamps to app_user");
  const other = await start(database, { schema: { mutations: { crud: true }, expose: { tables: ["stamps"] } } });
  const stamps = () => shared.sql(database, "select coalesce(string_agg(id::text, ',' order by id), '') from stamps");
  try {
    await clear();
    const data = await other.data(`mutation {
      a: insertStamp(input: {id: 1, what: "a"}) { id }
      b: doIt(input: {what: "b", status: "failed"}) { __typename }
      c: insertStamp(input: {id: 2, what: "c"}) { what }
      d: doIt(input: {what: "d", status: "ok"}) { __typename }
      e: deleteStamps(where: {id: {eq: 1}}, atMost: 1) { affectedCount } }`);
    assert.deepEqual([data.b.__typename, data.c, data.d.__typename, data.e], ["DoItError", { what: "c" }, "DoItSuccess", { affectedCount: 1 }]);
    assert.deepEqual([await stamps(), await seen()], ["2", ["d"]]);
    const failed = await other.post(`mutation {
      a: insertStamp(input: {id: 3}) { id } b: doIt(input: {what: "b", status: "failed"}) { __typename } c: doIt(input: {what: "c", status: "ok"}) { __typename }
      e: deleteStamps(where: {id: {in: [2, 3]}}, atMost: 1) { affectedCount } }`);
    assert.equal(failed.body.data, null, failed.text);
    assert.deepEqual(failed.body.errors.map((e) => [e.extensions.code, e.path]), [["CONFLICT", ["e"]]]);
    assert.deepEqual([await stamps(), await seen()], ["2", ["d"]]);
  } finally {
    await other.stop();
  }
});

test("what does not belong to a type of the union is refused", async () => {
  for (const query of [
    `mutation { doIt(input: {what: "x", status: "ok"}) { status } }`,
    `mutation { doIt(input: {what: "x", status: "ok"}) }`,
    `mutation { doIt(input: {what: "x", status: "ok"}) { ... on DoItSuccess { code } } }`,
    `mutation { doIt(input: {what: "x", status: "ok"}) { ... on Task { id } } }`,
    `mutation { doIt(input: {what: "x", status: "ok"}) { ... on DoItSuccess { x: status } ... on DoItError { x: code } } }`,
  ]) {
    assert.equal((await daemon.refusal(query)).extensions.code, "GRAPHQL_VALIDATION_FAILED", query);
  }
});

test("fragments, aliases and directives in unions", async () => {
  const query = `mutation ($no: Boolean!) { doIt(input: {what: "x", status: "ok"}) { ...A ...B ... @include(if: $no) { t: __typename } ... { u: __typename } } }
    fragment A on DoItResult { __typename ... on DoItSuccess { s: status ...S } }
    fragment S on DoItSuccess { m: message @skip(if: $no) u2: updatedFields }
    fragment B on DoItError { code }`;
  const { text } = await daemon.post(query, { variables: { no: false } });
  assert.equal(text, '{"data":{"doIt":{"__typename":"DoItSuccess","s":"ok","m":null,"u2":["a","b"],"u":"DoItSuccess"}}}');
});
