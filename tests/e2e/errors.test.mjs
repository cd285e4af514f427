// Errors: their codes, places, paths and wording; nothing of PostgreSQL's in them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, Session, shared } from "./support/postgres.mjs";
import { ACME, id, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
let daemon;

before(async () => {
  // Views that fail in their own ways when a row is read.
  await shared.sql(
    database,
    `create function public.raise(state text, message text) returns text language plpgsql stable as
       $$ begin raise exception '%', message using errcode = state, detail = 'secret detail', hint = 'A hint.'; end $$;
     create view public.v_failing with (security_invoker = true) as
       select id, public.raise('XX000', 'secret internals of ' || name) as internal,
              public.raise('P0001', 'the project is closed') as told,
              public.raise('P0002', 'secret') as missing, public.raise('42501', 'secret') as forbidden,
              public.raise('23505', 'secret') as conflict, public.raise('22003', 'secret') as unfit,
              public.raise('53200', 'secret') as exhausted, public.raise('40001', 'secret') as serialization,
              (1 / (task_count * 0)) as division
         from public.projects;
     create view public.v_slow with (security_invoker = true) as
       select id, pg_sleep(30)::text as nap from public.projects where id = '${id.project(1)}';
     grant select on public.v_failing, public.v_slow to app_user;
     grant execute on function public.raise(text, text) to app_user`,
  );
  daemon = await start(database, { database: { statement_timeout: "400ms" } });
});
after(() => daemon?.stop());

const fail = async (field) => {
  const reply = await daemon.post(`{ failing(id: "${id.project(1)}") { ${field} } }`);
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.body.data, null, reply.text);
  assert.equal(reply.body.errors.length, 1);
  assert.doesNotMatch(reply.text, /secret/);
  return { ...reply.body.errors[0], text: reply.text, headers: reply.headers };
};

for (const [field, code] of [
  ["internal", "INTERNAL_SERVER_ERROR"],
  ["told", "BAD_USER_INPUT"],
  ["missing", "NOT_FOUND"],
  ["forbidden", "FORBIDDEN"],
  ["conflict", "CONFLICT"],
  ["unfit", "BAD_USER_INPUT"],
  ["exhausted", "SERVICE_UNAVAILABLE"],
  ["serialization", "CONFLICT"],
  ["division", "BAD_USER_INPUT"],
]) {
  test(`what PostgreSQL raises becomes ${code} (${field})`, async () => {
    const error = await fail(field);
    assert.equal(error.extensions.code, code);
    assert.deepEqual(error.path, ["failing"]);
    assert.deepEqual(error.locations, [{ line: 1, column: 3 }]);
  });
}

test("an author's message reaches the client", async () => {
  assert.equal((await fail("told")).message, "the project is closed");
});

test("an internal error is masked; its number is in the log with what happened", async () => {
  const error = await fail("internal");
  assert.match(error.message, /^internal (server )?error$/i);
  assert.equal(error.extensions.requestId, error.headers["x-request-id"]);
  const line = await within(2000, "it is logged", () =>
    daemon.lines.find((l) => l.level === "error" && l.request_id === error.extensions.requestId),
  );
  assert.match(line.detail ?? line.msg, /secret internals of Website relaunch/);
  assert.equal(line.sqlstate, "XX000");
});

test("with errors.mask off the text is shown", async () => {
  const open = await start(database, { errors: { mask: false } });
  try {
    const { body } = await open.post(`{ failing(id: "${id.project(1)}") { internal } }`);
    assert.equal(body.errors[0].extensions.code, "INTERNAL_SERVER_ERROR");
    assert.match(body.errors[0].message, /secret internals/);
  } finally {
    await open.stop();
  }
});

test("a statement over database.statement_timeout is TIMEOUT, and ends in PostgreSQL as well", async () => {
  const started = performance.now();
  const { body } = await daemon.post("{ slows { nap } }");
  assert.equal(body.errors[0].extensions.code, "TIMEOUT", JSON.stringify(body));
  assert.ok(performance.now() - started < 10000);
  await within(1000, "no statement sleeps", async () =>
    (await shared.sql(database, `select count(*) from pg_stat_activity where datname = '${database}' and state = 'active' and query ilike '%v_slow%' and pid <> pg_backend_pid()`)) === "0",
  );
});

test("a request over server.request_timeout is TIMEOUT", async () => {
  const hurried = await start(database, { server: { request_timeout: "300ms" }, database: { statement_timeout: "20s" } });
  try {
    const started = performance.now();
    const { body } = await hurried.post("{ slows { nap } }");
    assert.equal(body.errors[0].extensions.code, "TIMEOUT", JSON.stringify(body));
    assert.ok(performance.now() - started < 10000);
    // The connection is good for the next.
    assert.deepEqual(await hurried.data("{ __typename }"), { __typename: "Query" });
    assert.equal((await hurried.data("{ projects(limit: 1) { id } }")).projects.length, 1);
  } finally {
    await hurried.stop();
  }
});

test("a failed statement leaves the connection fit for the next", async () => {
  for (let i = 0; i < 20; i++) {
    await fail("internal");
    assert.equal((await daemon.data("{ projects(limit: 2) { id } }")).projects.length, 2);
  }
});

test("a syntax error has its code and place", async () => {
  const error = await daemon.refusal("{\n  projects {\n    id\n  }\n}}");
  assert.equal(error.extensions.code, "GRAPHQL_PARSE_FAILED");
  assert.equal(error.status, 400);
  assert.deepEqual(error.locations, [{ line: 5, column: 2 }]);
});

test("columns count characters, not bytes", async () => {
  const error = await daemon.refusal(`{ projects(where: {name: {eq: "é漢"}}) { nmae } }`);
  assert.deepEqual(error.locations, [{ line: 1, column: 41 }]);
});

test("every validation error is reported, each with its place", async () => {
  const { all } = await daemon.refusal("{\n  projects { one }\n  users { two }\n}");
  assert.deepEqual(all.map((e) => e.extensions.code), ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_VALIDATION_FAILED"]);
  assert.deepEqual(all.map((e) => e.locations[0].line), [2, 3]);
});

for (const [what, query, code] of [
  ["an empty document", "", "GRAPHQL_PARSE_FAILED"],
  ["a comment only", "# nothing", "GRAPHQL_PARSE_FAILED"],
  ["a character that no token begins with", "{ projects ? }", "GRAPHQL_PARSE_FAILED"],
  ["a string without its end", '{ project(id: "x) { id } }', "GRAPHQL_PARSE_FAILED"],
  ["a fragment without use", "{ __typename } fragment F on Project { id }", "GRAPHQL_VALIDATION_FAILED"],
  ["a fragment of itself", "{ projects { ...F } } fragment F on Project { owner { projects { ...F } } }", "GRAPHQL_VALIDATION_FAILED"],
  ["a selection of a scalar", "{ projects { id { x } } }", "GRAPHQL_VALIDATION_FAILED"],
  ["an object without selection", "{ projects }", "GRAPHQL_VALIDATION_FAILED"],
  ["fields that conflict", "{ projects { a: id a: name } }", "GRAPHQL_VALIDATION_FAILED"],
  ["a variable that is not declared", "{ projects(limit: $n) { id } }", "GRAPHQL_VALIDATION_FAILED"],
  ["a variable without use", "query ($n: Int) { __typename }", "GRAPHQL_VALIDATION_FAILED"],
  ["a variable of the wrong type", "query ($n: String) { projects(limit: $n) { id } }", "GRAPHQL_VALIDATION_FAILED"],
  ["a required argument left out", "{ project { id } }", "GRAPHQL_VALIDATION_FAILED"],
  ["an unknown directive", "{ projects @cached { id } }", "GRAPHQL_VALIDATION_FAILED"],
  ["an unknown type", "query ($n: Nothing) { projects(limit: $n) { id } }", "GRAPHQL_VALIDATION_FAILED"],
]) {
  test(`${what} is ${code}`, async () => {
    const error = await daemon.refusal(query);
    assert.equal(error.extensions.code, code, error.message);
    assert.equal(error.status, 400);
  });
}

test("an operation that cannot be chosen is OPERATION_RESOLUTION_FAILURE", async () => {
  const query = "query A { __typename } query B { __typename }";
  for (const operationName of [undefined, "C", ""]) {
    const error = await daemon.refusal(query, { operationName });
    assert.equal(error.extensions.code, "OPERATION_RESOLUTION_FAILURE", String(operationName));
  }
});

test("variables that do not fit are BAD_USER_INPUT", async () => {
  const query = "query ($id: ID!, $n: Int) { project(id: $id) { id } projects(limit: $n) { id } }";
  for (const variables of [undefined, {}, { id: null }, { id: {} }, { id: id.project(1), n: "3" }, { id: id.project(1), n: 2.5 }]) {
    const error = await daemon.refusal(query, { variables });
    assert.equal(error.extensions.code, "BAD_USER_INPUT", JSON.stringify(variables));
    assert.equal(error.status, 400);
  }
});

test("an id that is no uuid is the client's error, or finds nothing", async () => {
  const { body } = await daemon.post(`{ project(id: "not-a-uuid") { id } }`);
  assert.equal(body.errors[0].extensions.code, "BAD_USER_INPUT");
  assert.doesNotMatch(body.errors[0].message, /syntax for type/);
});

test("suggestions and introspection are off in production", async () => {
  const production = await start(database, { errors: { environment: "production" } });
  try {
    assert.equal((await production.refusal("{ __schema { types { name } } }")).extensions.code, "INTROSPECTION_DISABLED");
    assert.equal((await production.refusal(`{ __type(name: "Project") { name } }`)).extensions.code, "INTROSPECTION_DISABLED");
    assert.deepEqual(await production.data("{ __typename }"), { __typename: "Query" });
    assert.doesNotMatch((await production.refusal("{ projcts { id } }")).message, /projects/);
    assert.match((await daemon.refusal("{ projcts { id } }")).message, /projects/);
  } finally {
    await production.stop();
  }
});

test("a view that went away is no field any more, to the request that finds it so", async () => {
  const other = await createDatabase();
  const own = await start(other);
  const session = new Session(other);
  try {
    await session.run("drop view v_comment cascade");
    const { body } = await own.post("{ comments(limit: 1) { id } }", { token: tokenFor(ACME) });
    assert.equal(body.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    assert.doesNotMatch(JSON.stringify(body), /v_comment/);
  } finally {
    await session.end();
    await own.stop();
  }
});
