// What the role may not change is not offered, and no tenant changes another's rows.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, GLOBEX, id, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
const own = "tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid";
await shared.sql(
  database,
  `grant insert, update, delete on v_project, v_task, v_user, v_comment to app_user;
   grant insert, update, delete on users to app_user;
   create table public.notes (id int primary key, tenant_id uuid not null, body text, secret text default 'hidden', unique (tenant_id, body));
   alter table public.notes enable row level security;
   create policy tenant on public.notes to app_user using (${own}) with check (${own});
   grant select (id, tenant_id, body), insert (id, tenant_id, body), update (body) on public.notes to app_user;
   create table public.logs (id int primary key, tenant_id uuid not null, body text not null, kept int not null);
   alter table public.logs enable row level security;
   create policy tenant on public.logs to app_user using (${own}) with check (${own});
   grant select, delete on public.logs to app_user;
   grant insert (id, tenant_id, body) on public.logs to app_user;
   create table public.plains (id int primary key, tenant_id uuid, body text);
   grant all on public.plains to app_user;
   create table public.shared_words (word text primary key, note_id int references public.notes (id));
   grant all on public.shared_words to app_user;
   create view public.v_owners_note as select id, tenant_id, body from public.notes;
   create view public.v_half_note with (security_invoker) as select id, body, tenant_id from public.notes where body like 'h%';
   grant all on public.v_owners_note, public.v_half_note to app_user;
   create view public.v_lone_log with (security_invoker) as select id, tenant_id, body from public.logs;
   grant all on public.v_lone_log to app_user;
   create view public.v_joined_note with (security_invoker) as select n.id, n.tenant_id, n.body, w.word from public.notes n left join public.shared_words w on w.note_id = n.id;
   create function public.joined() returns trigger language plpgsql as $$ begin
     update public.notes set body = new.body where id = old.id; return new; end $$;
   create trigger joined instead of update on public.v_joined_note for each row execute function public.joined();
   grant select, update on public.v_joined_note to app_user;
   comment on view public.v_joined_note is '@fraiseql:type
key: id';
   insert into public.notes (id, tenant_id, body) values (1, '${ACME}', 'mine'), (2, '${GLOBEX}', 'theirs');
   insert into public.logs values (1, '${ACME}', 'a', 1), (2, '${GLOBEX}', 'b', 2)`,
);
const daemon = await start(database, {
  schema: { mutations: { crud: true }, expose: { tables: ["notes", "logs", "plains", "shared_words"] } },
});
after(() => daemon.stop());

const rows = (query) => shared.rows(database, query);
const everything = () =>
  rows(`select (select json_agg(n order by id) from notes n) as notes, (select json_agg(l order by id) from logs l) as logs,
    (select md5(string_agg(p::text, '' order by id)) from projects p) as projects, (select md5(string_agg(t::text, '' order by id)) from tasks t) as tasks,
    (select md5(string_agg(u::text, '' order by id)) from users u) as users, (select md5(string_agg(c::text, '' order by id)) from comments c) as comments`);

async function failure(query, options) {
  const { body, text } = await daemon.post(query, options);
  assert.ok(!body.data, text);
  return body.errors[0];
}

const inputs = async (name) =>
  (await daemon.data(`{ __type(name: "${name}") { inputFields { name type { kind } } } }`)).__type?.inputFields.map(
    (f) => f.name + (f.type.kind === "NON_NULL" ? "!" : ""),
  );

test("the inputs have the columns that the role may write, and no mutation that it may not make", async () => {
  assert.deepEqual(await inputs("NoteInsertInput"), ["id!", "tenantId", "body", "sharedWords"]);
  assert.deepEqual(await inputs("NoteUpdateInput"), ["body"]);
  assert.equal(await inputs("LogInsertInput"), undefined, "a column that must be given, and may not be");
  const { __schema } = await daemon.data("{ __schema { mutationType { fields { name } } } }");
  const names = new Set(__schema.mutationType.fields.map((f) => f.name));
  const verbs = (one, many) => ["insert", "update", "upsert", "delete"].filter((verb) => names.has(verb + one) && names.has(verb + many));
  assert.deepEqual(verbs("Note", "Notes"), ["insert", "update", "upsert"]);
  assert.deepEqual(verbs("Log", "Logs"), ["delete"]);
  assert.deepEqual(verbs("SharedWord", "SharedWords"), ["insert", "update", "upsert", "delete"]);
  assert.deepEqual(verbs("Tenant", "Tenants"), [], "readable only");
  assert.deepEqual(verbs("HalfNote", "HalfNotes"), ["insert", "update", "upsert"], "a view that reads as the role passes on its privileges");
  assert.deepEqual(verbs("LoneLog", "LoneLogs"), ["insert", "delete"]);
  assert.deepEqual(await inputs("HalfNoteUpdateInput"), ["body"]);
  assert.deepEqual(verbs("JoinedNote", "JoinedNotes"), ["update"], "a trigger changes what the view shows, \"on conflict\" cannot");
  assert.ok(!(await inputs("ProjectInsertInput")).includes("closed"), "what a view works out cannot be written");
});

test("where row security does not keep tenants apart, changes are not offered, and the log says so", async () => {
  const { __schema } = await daemon.data("{ __schema { mutationType { fields { name } } } }");
  assert.deepEqual(__schema.mutationType.fields.filter((f) => /Plain|OwnersNote/.test(f.name)), []);
  const said = Object.fromEntries(daemon.logged("changes not exposed").map((line) => [line.relation, line.reason]));
  assert.match(said["public.plains"], /row security/);
  assert.match(said["public.v_owners_note"], /row security/);
});

test("a view passes changes on, with defaults and policies of its table", async () => {
  const data = await daemon.data(`mutation {
    insertHalfNote(input: {id: 10, body: "half"}) { id tenantId }
    hidden: insertHalfNotes(input: [{id: 11, body: "other"}]) { affectedCount returning { id } }
    updateJoinedNote(id: 10, input: {body: "halved"}) { body word }
    upsertHalfNote(input: {id: 10, body: "hundred"}) { body } }`);
  assert.deepEqual(data, {
    insertHalfNote: { id: "10", tenantId: ACME },
    hidden: { affectedCount: 1, returning: [] },
    updateJoinedNote: { body: "halved", word: null },
    upsertHalfNote: { body: "hundred" },
  });
  assert.deepEqual(await rows("select id, tenant_id, body, secret from notes where id in (10, 11) order by id"), [
    { id: 10, tenant_id: ACME, body: "hundred", secret: "hidden" },
    { id: 11, tenant_id: ACME, body: "other", secret: "hidden" },
  ]);
  await shared.sql(database, "delete from notes where id in (10, 11)");
});

test("no tenant writes a row of another", async () => {
  const before = await everything();
  const theirs = { project: id.project(200), user: "", task: "" };
  theirs.project = await shared.sql(database, `select id from projects where tenant_id = '${GLOBEX}' order by id limit 1`);
  theirs.user = await shared.sql(database, `select id from users where tenant_id = '${GLOBEX}' order by id limit 1`);
  theirs.task = await shared.sql(database, `select id from tasks where tenant_id = '${GLOBEX}' order by id limit 1`);
  for (const query of [
    // Inserted for another tenant, alone, among others, and nested.
    `{ insertNote(input: {id: 5, tenantId: "${GLOBEX}", body: "x"}) { id } }`,
    `{ insertNotes(input: [{id: 5, body: "x"}, {id: 6, tenantId: "${GLOBEX}", body: "y"}]) { affectedCount } }`,
    `{ insertProject(input: {name: "x", tenantId: "${GLOBEX}", ownerId: "${ADA}"}) { id } }`,
    `{ insertProject(input: {name: "x", owner: {name: "a", email: "a@b", tenantId: "${GLOBEX}"}}) { id } }`,
    `{ insertProject(input: {name: "x", ownerId: "${ADA}", tasks: [{title: "a"}, {title: "b", tenantId: "${GLOBEX}"}]}) { id } }`,
    // Referring to another's rows: the demo's policies see to that.
    `{ insertProject(input: {name: "x", ownerId: "${theirs.user}"}) { id } }`,
    `{ insertTask(input: {title: "x", projectId: "${theirs.project}"}) { id } }`,
    `{ updateProject(id: "${id.project(1)}", input: {ownerId: "${theirs.user}"}) { id } }`,
    // Moved to another tenant.
    `{ updateProject(id: "${id.project(1)}", input: {tenantId: "${GLOBEX}"}) { id } }`,
    `{ updateProjects(where: {id: {eq: "${id.project(1)}"}}, input: {tenantId: "${GLOBEX}"}) { affectedCount } }`,
    // Over a row of another.
    `{ upsertNote(input: {id: 2, body: "taken"}) { id } }`,
    `{ upsertNotes(input: [{id: 2, body: "taken"}]) { affectedCount } }`,
    `{ upsertNote(input: {id: 2, tenantId: "${GLOBEX}", body: "taken"}) { id } }`,
    `{ upsertProject(input: {id: "${theirs.project}", name: "taken", ownerId: "${ADA}"}) { id } }`,
    `{ upsertUser(input: {tenantId: "${GLOBEX}", email: "x@y", name: "x"}, onConflict: {key: tenantId_email}) { id } }`,
  ]) {
    const error = await failure(`mutation ${query}`);
    assert.equal(error.extensions.code, "FORBIDDEN", query);
    assert.doesNotMatch(error.message, /policy|row-level/);
  }
  for (const [query, answer] of [
    [`{ updateProject(id: "${theirs.project}", input: {name: "taken"}) { id } }`, { updateProject: null }],
    [`{ updateNote(id: 2, input: {body: "taken"}) { id } }`, { updateNote: null }],
    [`{ deleteTask(id: "${theirs.task}") { id } }`, { deleteTask: null }],
    [`{ deleteLog(id: 2) { body } }`, { deleteLog: null }],
    [`{ deleteLogs(where: {id: {eq: 2}}) { affectedCount returning { id } } }`, { deleteLogs: { affectedCount: 0, returning: [] } }],
    [`{ updateNotes(where: {tenantId: {eq: "${GLOBEX}"}}, input: {body: "taken"}) { affectedCount returning { id } } }`, { updateNotes: { affectedCount: 0, returning: [] } }],
    [`{ updateTasks(where: {project: {tenantId: {eq: "${GLOBEX}"}}}, input: {title: "taken"}) { affectedCount } }`, { updateTasks: { affectedCount: 0 } }],
  ]) {
    assert.deepEqual(await daemon.data(`mutation ${query}`), answer, query);
  }
  assert.deepEqual(await everything(), before);
});

test("a condition that holds for all rows changes those of the tenant only", async () => {
  await daemon.data(`mutation { updateNotes(where: {id: {isnull: false}}, input: {body: "all mine"}) { affectedCount returning { tenantId } } }`);
  assert.deepEqual(await rows("select id, body from notes order by id"), [{ id: 1, body: "all mine" }, { id: 2, body: "theirs" }]);
  const globex = await daemon.data(`mutation { updateNotes(where: {id: {isnull: false}}, input: {body: "all theirs"}) { affectedCount returning { id } } }`, {
    token: tokenFor(GLOBEX),
  });
  assert.deepEqual(globex.updateNotes, { affectedCount: 1, returning: [{ id: "2" }] });
  const deleted = await daemon.data(`mutation { deleteLogs(where: {id: {isnull: false}}) { affectedCount returning { id body } } }`);
  assert.deepEqual(deleted.deleteLogs, { affectedCount: 1, returning: [{ id: "1", body: "a" }] });
  assert.deepEqual(await rows("select id from logs"), [{ id: 2 }]);
});

test("rows nested in rows of no tenant get the request's", async () => {
  const data = await daemon.data(`mutation { insertSharedWord(input: {word: "w", note: {id: 20, body: "n"}}) { word note { id tenantId } } }`);
  assert.deepEqual(data.insertSharedWord, { word: "w", note: { id: "20", tenantId: ACME } });
  const other = await daemon.data(`{ sharedWords { word note { id } } }`, { token: tokenFor(GLOBEX) });
  assert.deepEqual(other.sharedWords, [{ word: "w", note: null }]);
});

test("the policies of commands other than select hold: nobody writes in another's name", async () => {
  const bob = await shared.sql(database, `select id from users where tenant_id = '${ACME}' and id <> '${ADA}' order by id limit 1`);
  const mine = await daemon.data(`mutation { insertComment(input: {taskId: "${id.task(1)}", authorId: "${ADA}", body: "mine"}) { id } }`);
  assert.equal(
    (await failure(`mutation { insertComment(input: {taskId: "${id.task(1)}", authorId: "${bob}", body: "not mine"}) { id } }`)).extensions.code,
    "FORBIDDEN",
  );
  const token = tokenFor(ACME, bob);
  const theirs = `mutation { updateComment(id: "${mine.insertComment.id}", input: {body: "x"}) { id } }`;
  assert.deepEqual(await daemon.data(theirs, { token }), { updateComment: null });
  assert.equal(await shared.sql(database, `select body from comments where id = '${mine.insertComment.id}'`), "mine");
});
