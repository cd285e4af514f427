// Errors in fraiseql.tb_error_log: what is recorded of them, in storms and while the database is away.

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync } from "node:fs";
import { after, test } from "node:test";
import { Daemon, configuration, installSystem, metric, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const on = { enabled: true, queue: { flush_interval: "50ms" } };
const BROKEN = "query Shelf($name: String!, $password: String) { broken(input: {name: $name, password: $password}) }";

async function prepared({ install = true } = {}) {
  const database = await createDatabase();
  await shared.sql(
    database,
    `create table secrets (login text unique);
     insert into secrets values ('bob@example.org');
     create function public.fn_broken(name text, password text default null) returns text language plpgsql stable as
       $$begin raise exception 'no room in shelf % of "%"', 7 + floor(random() * 1000), name using errcode = 'XX000'; end$$;
     create function public.fn_twice(name text) returns text language plpgsql volatile security definer as
       $$begin insert into public.secrets values ('bob@example.org'); return name; end$$;
     grant execute on function public.fn_broken(text, text), public.fn_twice(text) to app_user`,
  );
  if (install) {
    await installSystem(database);
  }
  return database;
}

const withErrors = (more = {}) => ({ schema: { expose: { functions: ["fn_broken", "fn_twice"] } }, errors: { ...on, ...more } });
const log = (database, where = "true") => shared.rows(database, `select * from fraiseql.tb_error_log where ${where} order by occurred_at`);
const count = async (database, where = "true") => Number(await shared.sql(database, `select count(*) from fraiseql.tb_error_log where ${where}`));
const counted = (database, n, where) => within(5000, `${n} errors are recorded`, async () => (await count(database, where)) >= n).then(() => count(database, where)).then((got) => assert.equal(got, n));
const post = (daemon, more = {}) => daemon.post(BROKEN, { variables: { name: "top", password: "hunter2" }, ...more });

const database = await prepared();
const daemon = await start(database, withErrors({ release: "2.7.1" }));
after(() => daemon.stop());

test("an error is recorded with all that is known of it", async () => {
  const reply = await post(daemon, { headers: { "user-agent": "shelf-app/3" } });
  const [error] = reply.body.errors;
  assert.equal(error.message, "internal server error");
  assert.match(error.extensions.errorId, /^[0-9a-f-]{36}$/);
  const [row] = await within(3000, "it is recorded", async () => {
    const rows = await log(database, `request_id = '${error.extensions.requestId}'`);
    return rows.length > 0 && rows;
  });
  assert.equal(row.error_id, error.extensions.errorId, "the client's id finds the row");
  assert.equal(row.error_type, "INTERNAL_SERVER_ERROR");
  assert.equal(row.sqlstate, "XX000");
  assert.equal(row.operation, "Shelf");
  assert.equal(row.path, "broken");
  assert.equal(row.error_message, 'no room in shelf # of "top"');
  assert.match(row.message, /^no room in shelf \d+ of "top"$/);
  assert.equal(row.severity, "error");
  assert.equal(row.status, "unresolved");
  assert.equal(row.environment, "development");
  assert.equal(row.release_version, "2.7.1");
  assert.match(row.trace_id, /^[0-9a-f]{32}$/);
  assert.match(row.span_id, /^[0-9a-f]{16}$/);
  assert.match(row.stack_trace, /^PL\/pgSQL function (public\.)?fn_broken\(text,text\) line \d+ at RAISE/);
  assert.equal(row.user_context.tenant_id, ACME);
  assert.match(row.user_context.user_id, /^[0-9a-f-]{36}$/);
  assert.equal(row.user_context.role, "app_user");
  const request = row.request_context;
  assert.deepEqual([request.method, request.path, request.client, request.user_agent], ["POST", "/graphql", "127.0.0.1", "shelf-app/3"]);
  assert.equal(request.operation_type, "query");
  assert.match(request.document, /^query Shelf\(/);
  assert.deepEqual(request.variables, { name: "top", password: "[redacted]" });
  assert.deepEqual(request.response_path, ["broken"]);
  assert.match(request.sql, /fn_broken/);
  assert.ok(!JSON.stringify(row).includes("hunter2"));
  assert.equal(row.application_context.pid, daemon.child.pid);
  assert.ok(row.breadcrumbs.some((stage) => stage.stage === "database" && stage.ms >= 0));
  const line = daemon.logged("statement failed").find((l) => l.request_id === row.request_id);
  assert.equal(line.error_id, row.error_id, "the log's line has the id too");
});

test("what differs from one to the next does not make another error; another cause does", async () => {
  for (let i = 0; i < 3; i++) {
    await post(daemon);
  }
  await daemon.post("query Other { broken(input: {name: \"top\"}) }");
  await within(3000, "both are recorded", async () => (await count(database, "operation = 'Other'")) === 1);
  await counted(database, 4, "operation = 'Shelf'");
  assert.equal(await shared.sql(database, "select string_agg(operation || ' ' || occurrence_count, ', ' order by operation) from fraiseql.tb_error_group"), "Other 1, Shelf 4");
  assert.ok(!JSON.stringify((await log(database, "operation = 'Other'"))[0].request_context).includes("top"), "what stands in the document's strings is not told");
});

test("values of keys are not told, and clients' mistakes only where that is configured", async () => {
  const other = await prepared();
  const strict = await start(other, withErrors({ codes: ["INTERNAL_SERVER_ERROR"] }));
  const all = await start(other, withErrors({ codes: ["CONFLICT", "GRAPHQL_VALIDATION_FAILED", "UNAUTHENTICATED"], capture_variables: "types", capture_query: false, environment: "staging" }));
  for (const d of [strict, all]) {
    assert.equal((await d.post('mutation Save($n: String!) { twice(input: {name: $n}) }', { variables: { n: "x" } })).body.errors[0].extensions.code, "CONFLICT");
    await d.post("query Typo { nothing }");
    await d.post("{ projects { id } }", { token: "nonsense" });
  }
  await counted(other, 3);
  const [row] = await log(other, "error_type = 'CONFLICT'");
  assert.equal(row.environment, "staging");
  assert.equal(row.severity, "info");
  assert.equal(row.error_message, 'duplicate key value violates unique constraint "secrets_login_key"');
  assert.match(row.message, /Key \(login\)=\(\?\) already exists/);
  const request = row.request_context;
  assert.deepEqual(request.variables, { n: "String" });
  assert.equal(request.document, undefined);
  const [unknown] = await log(other, "error_type = 'UNAUTHENTICATED'");
  assert.equal(unknown.user_context.tenant_id, undefined);
  await Promise.all([strict.stop(), all.stop()]);
  assert.equal(await count(other, "environment = 'development'"), 0);
});

test("a resolved error that happens again is reopened", async () => {
  await post(daemon);
  await within(3000, "it is there", async () => (await count(database, "operation = 'Shelf'")) >= 1);
  await shared.sql(database, "select fraiseql.resolve_error(error_id, 'ann') from fraiseql.tb_error_group where operation = 'Shelf'");
  await post(daemon);
  await within(3000, "it is open again", async () => (await shared.sql(database, "select status || reopen_count from fraiseql.tb_error_group where operation = 'Shelf'")) === "unresolved1");
});

test("of a storm few are kept and all are counted, for each tenant", async () => {
  const other = await prepared();
  const storm = await start(other, withErrors({ burst: 5, queue: { flush_interval: "1s" } }));
  const send = async (n, token) => {
    for (let i = 0; i < n; i++) {
      await post(storm, { token });
    }
  };
  const started = performance.now();
  await Promise.all([...Array.from({ length: 12 }, () => send(60, tokenFor(ACME))), ...Array.from({ length: 4 }, () => send(60, tokenFor(GLOBEX)))]);
  const seconds = Math.ceil((performance.now() - started) / 1000) + 2;
  await counted(other, 960);
  assert.equal(await shared.sql(other, "select string_agg(tenant || ' ' || n, ', ' order by n desc) from (select user_context ->> 'tenant_id' as tenant, count(*) as n from fraiseql.tb_error_log group by 1) t"), `${ACME} 720, ${GLOBEX} 240`);
  assert.equal(await shared.sql(other, "select occurrence_count from fraiseql.tb_error_group"), "960");
  assert.equal(await shared.sql(other, "select sum(occurrences) from fraiseql.tb_error_hour"), "960");
  const rows = Number(await shared.sql(other, "select count(*) from fraiseql.tb_error_occurrence"));
  assert.ok(rows <= seconds * 9, `${rows} rows in ${seconds} s`);
  assert.equal(await metric(storm, 'fraiseql_errors_recorded_total{severity="error"}'), 960);
  assert.equal(await metric(storm, 'fraiseql_errors_dropped_total{reason="queue_full"}'), 0);
  await storm.stop();
});

/** Nobody can connect to it any more, and nobody is. */
async function shut(name) {
  // One after the other: in one transaction, who connects between the two would stay.
  await shared.sql("postgres", `alter database ${name} allow_connections false`);
  await shared.sql("postgres", `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
}
const open = (name) => shared.sql("postgres", `alter database ${name} allow_connections true`);

/** Requests that fail for want of a database, one after the other; how many. */
async function failing(d, ms) {
  const until = performance.now() + ms;
  let n = 0;
  while (performance.now() < until) {
    const reply = await post(d);
    assert.equal(reply.body.errors[0].extensions.code, "SERVICE_UNAVAILABLE", reply.text);
    n++;
  }
  return n;
}

const spoolDirectory = () => {
  const directory = mkdtempSync(`${process.env.E2E_DIR}/spool-`);
  chmodSync(directory, 0o700);
  return directory;
};
const away = { database: { pool: { min: 1, max: 4, acquire_timeout: "200ms" } } };

for (const spool of ["", spoolDirectory()]) {
  test(`no error of while the database was away is lost, waiting ${spool === "" ? "in memory" : "on disk"}`, async () => {
    const other = await prepared();
    const d = await start(other, { ...away, ...withErrors({ spool }) });
    await post(d);
    await counted(other, 1);
    await shut(other);
    await within(5000, "it is away", async () => (await post(d)).body.errors[0].extensions.code === "SERVICE_UNAVAILABLE");
    const n = await failing(d, 3000);
    if (spool !== "") {
      await within(3000, "they are on disk", async () => (await metric(d, "fraiseql_errors_spooled_total")) >= n);
      assert.ok((await metric(d, "fraiseql_errors_spool_bytes")) > 0);
    }
    await open(other);
    await within(10000, "requests reach it again", async () => (await post(d)).body.errors[0].extensions.code === "INTERNAL_SERVER_ERROR");
    const all = await metric(d, 'fraiseql_graphql_errors_total{code="SERVICE_UNAVAILABLE"}');
    assert.ok(all > n);
    await within(10000, "they are recorded", async () => (await count(other, "error_type = 'SERVICE_UNAVAILABLE'")) >= all);
    assert.equal(await count(other, "error_type = 'SERVICE_UNAVAILABLE'"), all, "each once");
    assert.equal(await metric(d, 'fraiseql_errors_dropped_total{reason="failed"}'), 0);
    if (spool !== "") {
      await within(3000, "nothing is left on disk", () => readdirSync(spool).length === 0);
      assert.equal(await metric(d, "fraiseql_errors_spool_bytes"), 0);
      assert.equal(await metric(d, "fraiseql_errors_replayed_total"), await metric(d, "fraiseql_errors_spooled_total"));
    }
    await d.stop();
  });
}

test("a daemon that is killed while the database is away leaves errors to the next one", async () => {
  const other = await prepared();
  const spool = spoolDirectory();
  const first = await start(other, { ...away, ...withErrors({ spool }) });
  await shut(other);
  await within(5000, "it is away", async () => (await post(first)).body.errors[0].extensions.code === "SERVICE_UNAVAILABLE");
  const n = await failing(first, 1000);
  await within(5000, "they are on disk", async () => (await metric(first, "fraiseql_errors_queue_length")) === 0 && (await metric(first, "fraiseql_errors_spooled_total")) > n);
  const spooled = await metric(first, "fraiseql_errors_spooled_total");
  first.child.kill("SIGKILL");
  await first.exited;
  assert.ok(readdirSync(spool).length > 0);
  await open(other);
  const second = await start(other, withErrors({ spool }));
  await counted(other, spooled);
  await within(3000, "nothing is left on disk", () => readdirSync(spool).length === 0);
  await second.stop();
});

test("what waits when the daemon stops is written", async () => {
  const other = await prepared();
  const d = await start(other, withErrors({ queue: { flush_interval: "60s" } }));
  await post(d);
  await post(d);
  assert.equal(await count(other), 0);
  await d.stop();
  assert.equal(await count(other), 2);
});

test("without fraiseqld db install nothing is recorded, which is said once", async () => {
  const other = await prepared({ install: false });
  const d = await start(other, withErrors());
  for (let i = 0; i < 5; i++) {
    assert.equal((await post(d)).body.errors[0].extensions.code, "INTERNAL_SERVER_ERROR");
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const said = () => d.logged("errors are not recorded");
  await within(3000, "it is said", () => said().length > 0);
  assert.match(said()[0].hint, /db install/);
  await installSystem(other);
  await within(15000, "once it is there, errors are recorded", async () => (await post(d)) && (await count(other)) > 0);
  assert.equal(said().length, 1);
  await d.stop();
});

test("errors.enabled: false records nothing and tells no id", async () => {
  const other = await prepared();
  const d = await start(other, withErrors({ enabled: false }));
  assert.equal((await post(d)).body.errors[0].extensions.errorId, undefined);
  await d.stop();
  assert.equal(await count(other), 0);
});

test("the daemon's role changes nothing of what is recorded but by the functions", async () => {
  for (const sql of ["delete from fraiseql.tb_error_occurrence", "update fraiseql.tb_error_group set occurrence_count = 0", "insert into fraiseql.tb_error_hour values (now(), gen_random_uuid(), 1)"]) {
    await assert.rejects(shared.sql(database, `set role fraiseqld; ${sql}`), /permission denied/);
  }
  await assert.rejects(shared.sql(database, "set role app_user; select * from fraiseql.tb_error_log"), /permission denied/);
});

test("names that are none, and a spool that cannot be, are told at the start", async () => {
  for (const [errors, message] of [
    [{ codes: ["NO_SUCH_CODE"] }, /errors\.codes: there is no code \\?"NO_SUCH_CODE/],
    [{ fingerprint: ["color"] }, /errors\.fingerprint: \\?"color/],
    [{ fingerprint: [] }, /errors\.fingerprint/],
    [{ spool: "/nonexistent/spool" }, /errors\.spool: cannot make files in/],
  ]) {
    const file = writeConfiguration(configuration(database, withErrors(errors)));
    const { code, stderr } = await program(["serve", "-c", file]);
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  }
});
