// The schema follows the catalog: by notification, by polling, by signal; and no request notices.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { slowness, within } from "./support/wait.mjs";

const quiet = { database: { notify: { listen: false } } };
const notify = (database, payload = "schema") => shared.sql(database, `select pg_notify('fraiseqld', '${payload}')`);

/** A daemon on a database of its own, which has a view v_note, for as long as run() takes. */
async function withNotes(more, run) {
  const database = await createDatabase();
  await shared.sql(database, `create table notes (id integer primary key, body text, extra text);
    insert into notes select n, 'note ' || n, 'x' from generate_series(1, 5) n;
    create view v_note as select id, body from notes; grant select on v_note to app_user`);
  const daemon = await start(database, more);
  try {
    await run(daemon, database);
  } finally {
    await daemon.stop();
  }
}

const eventTrigger = readFileSync(new URL("../../sql/optional/notify_schema.sql", import.meta.url), "utf8");

const addExtra = (database) =>
  shared.sql(database, "create or replace view v_note as select id, body, extra from notes");
const hasExtra = async (daemon) => (await daemon.post("{ notes { extra } }")).body.errors === undefined;
const listeners = (database) =>
  shared.sql(database, `select coalesce(string_agg(pid::text, ','), '') from pg_stat_activity
    where datname = '${database}' and query like 'listen %'`);

test("a notification has the schema read again; others do not", async () => {
  await withNotes({}, async (daemon, database) => {
    await addExtra(database);
    await notify(database, "something else");
    assert.equal(await hasExtra(daemon), false);
    const before = performance.now();
    await notify(database);
    await within(3000, "the field is there", () => hasExtra(daemon));
    assert.ok(performance.now() - before < 2000 * slowness);
    await shared.sql(database, "drop view v_note; create view v_note as select id from notes; grant select on v_note to app_user");
    await notify(database, "");
    await within(3000, "the field is gone", async () =>
      (await daemon.post("{ notes { extra } }")).body.errors?.[0].extensions.code === "GRAPHQL_VALIDATION_FAILED");
    assert.equal(daemon.logged("schema loaded").length, 3);
  });
});

test("a burst of notifications is one or two loads, and what is unchanged is kept", async () => {
  await withNotes({}, async (daemon, database) => {
    await shared.sql(database, "do $$ begin for i in 1..200 loop perform pg_notify('fraiseqld', 'schema'); commit; end loop; end $$");
    await within(3000, "it looked", () => daemon.logged("schema unchanged").length > 0);
    await addExtra(database);
    await notify(database);
    await within(3000, "the field is there", () => hasExtra(daemon));
    assert.ok(daemon.logged("schema unchanged").length <= 3 * slowness, String(daemon.logged("schema unchanged").length));
    assert.equal(daemon.logged("schema loaded").length, 2);
  });
});

test("another channel, or none", async () => {
  await withNotes({ database: { notify: { channel: 'My "channel"' } } }, async (daemon, database) => {
    await addExtra(database);
    await shared.sql(database, `select pg_notify('My "channel"', '')`);
    await within(3000, "the field is there", () => hasExtra(daemon));
  });
  await withNotes(quiet, async (daemon, database) => {
    assert.equal(await listeners(database), "");
    await daemon.data("{ notes { id } }");
  });
});

test("a listener that is killed comes back, and nothing is missed meanwhile", async () => {
  await withNotes({ database: { pool: { retry_backoff: ["300ms", "300ms"] } } }, async (daemon, database) => {
    const pid = await within(3000, "it listens", () => listeners(database));
    await shared.sql(database, `select pg_terminate_backend(${pid})`);
    await within(3000, "it noticed", () => daemon.logged("notifications are not heard").length === 1);
    await addExtra(database);
    await notify(database);
    await within(5000, "the field is there", () => hasExtra(daemon));
    assert.equal(daemon.logged("notifications are heard again").length, 1);
    assert.notEqual(await listeners(database), pid);
  });
});

test("polling notices changes of every kind, and looks no further where nothing has changed", async () => {
  await withNotes({ ...quiet, schema: { reload: { poll_interval: "100ms" } } }, async (daemon, database) => {
    const changes = [
      "create or replace view v_note as select id, body, extra from notes",
      "comment on view v_note is 'a note'",
      "revoke select on v_note from app_user; grant select (id) on v_note to app_user",
      "grant select on v_note to app_user",
      "alter table notes drop constraint notes_pkey",
      "create function fn_touch() returns integer language sql as 'select 1'",
      "drop function fn_touch()",
      "alter type user_role add value 'guest'",
    ];
    for (const change of changes) {
      const n = daemon.logged("schema loaded").length;
      await shared.sql(database, change);
      await within(5000, change, () => daemon.logged("schema loaded").length === n + 1);
    }
    const looks = () => daemon.logged("schema unchanged").length + daemon.logged("schema loaded").length;
    const before = looks();
    await shared.sql(database, "update notes set body = 'x'; create temp table t (a int); analyze notes");
    const asked = Number(await shared.sql(database, "select pg_stat_get_db_xact_commit(oid) from pg_database where datname = current_database()"));
    await within(10000, "it polled", async () =>
      Number(await shared.sql(database, "select pg_stat_get_db_xact_commit(oid) from pg_database where datname = current_database()")) > asked + 5);
    assert.equal(looks(), before);
  });
});

test("a schema that is not legal is refused, and said once; the old one stays until it is", async () => {
  await withNotes({ ...quiet, schema: { reload: { poll_interval: "100ms" } } }, async (daemon, database) => {
    await shared.sql(database, `create view v_bad as select 1 as a_b, 2 as "aB"; grant select on v_bad to app_user`);
    await within(5000, "it is refused", () => daemon.logged("could not load the schema").length > 0);
    assert.deepEqual(await daemon.data("{ notes(limit: 1) { id } }"), { notes: [{ id: "1" }] });
    await shared.sql(database, "analyze notes");
    daemon.signal("SIGHUP");
    await within(5000, "it is refused again", () => daemon.logged("could not load the schema").length === 2);
    assert.equal((await daemon.admin("/readyz")).status, 200);
    await shared.sql(database, "drop view v_bad; create or replace view v_note as select id, body, extra from notes");
    await within(5000, "the field is there", () => hasExtra(daemon));
  });
});

test("what an old schema would get wrong is run again under the new one, in the same request", async () => {
  await withNotes(quiet, async (daemon, database) => {
    const shape = (columns) =>
      shared.sql(database, `begin; drop view v_note; create view v_note as select ${columns} from notes; grant select on v_note to app_user; commit`);
    await daemon.data("{ notes { id body } }");
    await shape("id");
    assert.equal((await daemon.refusal("{ notes { id body } }")).extensions.code, "GRAPHQL_VALIDATION_FAILED");
    await daemon.data("{ notes { id } }");
    // The column is four bytes of text, as an integer is, and the other way round.
    const queries = ["{ notes(limit: 1) { id n } }", "{ notes(limit: 1) { n } projects(limit: 1) { id } }"];
    for (const [sql, value] of [["7", 7], ["'abcd'::text", "abcd"], ["8", 8], ["9::bigint", "9"], ["array[1, 2]", [1, 2]]]) {
      await shape(`id, body, ${sql} as n`);
      daemon.signal("SIGHUP");
      for (const query of queries) {
        await within(3000, "the field is there", async () => (await daemon.post(query)).body.errors === undefined);
        assert.deepEqual((await daemon.data(query)).notes[0].n, value);
      }
      await shape(`id, body, ${typeof value === "number" ? "'wxyz'::text" : "5"} as n`);
      for (const query of queries) {
        assert.deepEqual((await daemon.data(query)).notes[0].n, typeof value === "number" ? "wxyz" : 5);
      }
    }
    assert.match((await daemon.admin("/metrics")).text, /^fraiseql_schema_reruns_total [1-9]/m);
  });
});

test("a mutation that was rolled back for an old schema is made once, under the new one", async () => {
  await withNotes({ ...quiet, schema: { mutations: { crud: true }, expose: { tables: ["notes"], views: ["v_project"], functions: [] } } }, async (daemon, database) => {
    await shared.sql(database, "grant all on notes to app_user");
    daemon.signal("SIGHUP");
    const insert = (id) => daemon.post(`mutation { insertNote(input: {id: ${id}, body: "new"}) { id } }`);
    await within(3000, "it may write", async () => (await insert(101)).body.data?.insertNote?.id === "101");
    await shared.sql(database, "alter table notes rename to papers");
    assert.equal((await insert(102)).body.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    await shared.sql(database, "alter table papers rename to notes; alter table notes rename column extra to more");
    daemon.signal("SIGHUP");
    await within(3000, "it is back", async () => (await insert(103)).body.data?.insertNote?.id === "103");
    await shared.sql(database, "alter table notes rename to old; create table notes (id integer primary key, body text); grant all on notes to app_user");
    assert.equal((await insert(104)).body.data.insertNote.id, "104");
    assert.equal(await shared.sql(database, "select string_agg(id::text, ',') from notes where id > 100"), "104");
  });
});

test("what fails whatever the schema fails soon, and does not keep the catalog being read", async () => {
  await withNotes({ ...quiet, schema: { expose: { functions: ["fn_broken"] } } }, async (daemon, database) => {
    await shared.sql(database, "create function fn_broken() returns integer language plpgsql volatile as 'begin return (select n from nothing_of_the_kind); end'");
    daemon.signal("SIGHUP");
    const broken = () => daemon.post("mutation { broken }");
    await within(3000, "it is there", async () => (await broken()).body.errors?.[0].extensions.code === "INTERNAL_SERVER_ERROR");
    const loads = () => daemon.logged("schema loaded").length + daemon.logged("schema unchanged").length;
    const before = loads();
    const started = performance.now();
    for (const reply of await Promise.all(Array.from({ length: 20 }, broken))) {
      assert.equal(reply.body.errors[0].extensions.code, "INTERNAL_SERVER_ERROR");
    }
    assert.ok(performance.now() - started < 2000 * slowness);
    assert.equal(loads(), before);
    // A value that is none is the client's: nobody looks at the catalog for that.
    const asked = performance.now();
    for (let i = 0; i < 20; i++) {
      assert.equal((await daemon.post('{ projects(where: {id: {eq: "none"}}) { id } }')).body.errors[0].extensions.code, "BAD_USER_INPUT");
    }
    assert.ok(performance.now() - asked < 2000 * slowness, String(performance.now() - asked));
  });
});

test("what is hot is compiled before a new schema is published: the first request finds it", async () => {
  await withNotes(quiet, async (daemon, database) => {
    const lookups = async () => {
      const { text } = await daemon.admin("/metrics");
      return ["hit", "miss"].map((result) => Number(new RegExp(`^fraiseql_turbo_lookups_total{result="${result}"} (\\d+)`, "m").exec(text)[1]));
    };
    const query = "query Some($where: NoteWhereInput, $n: Int, $with: Boolean!) { notes(where: $where, limit: $n) { id body @include(if: $with) } }";
    const hot = [
      ["{ notes { id } }", undefined],
      [query, { where: { id: { eq: "3" } }, n: 2, with: true }],
      [query, { where: { body: { contains: "note" } }, n: 2, with: false }],
      ["{ notes { id extra } }", undefined],
    ];
    await addExtra(database);
    daemon.signal("SIGHUP");
    await within(3000, "the field is there", () => hasExtra(daemon));
    for (const [document, variables] of [...hot, ...hot]) {
      await daemon.data(document, { variables });
    }
    const loaded = daemon.logged("schema loaded").length;
    // Without extra, the last of them is not valid any more.
    await shared.sql(database, "drop view v_note; create view v_note as select id, body, 1 as n from notes; grant select on v_note to app_user");
    daemon.signal("SIGHUP");
    await within(3000, "it is loaded", () => daemon.logged("schema loaded").length > loaded);
    const [hits, misses] = await lookups();
    for (const [document, variables] of hot.slice(0, 3)) {
      await daemon.data(document, { variables });
    }
    assert.deepEqual(await lookups(), [hits + 3, misses]);
    assert.equal((await daemon.refusal(hot[3][0])).extensions.code, "GRAPHQL_VALIDATION_FAILED");
    // What was compiled for the old schema is let go.
    const entries = Number(/^fraiseql_turbo_entries (\d+)/m.exec((await daemon.admin("/metrics")).text)[1]);
    assert.ok(entries <= 6, String(entries));
  });
});

test("under load, views are replaced and no request notices but those for what is gone", async () => {
  await withNotes({}, async (daemon, database) => {
    const queries = ["{ notes(limit: 2) { id } }", "{ notes { id } projects(limit: 2) { id name } }", "query($n: Int) { notes(limit: $n, orderBy: [{id: DESC}]) { id __typename } }"];
    let running = true;
    let answered = 0;
    let gone = 0;
    const keep = queries.flatMap((query) => [query, query]).map(async (query) => {
      while (running) {
        await daemon.data(query, { variables: query.includes("$n") ? { n: 3 } : undefined });
        answered++;
      }
    });
    const dropped = (async () => {
      while (running) {
        const { body, text } = await daemon.post("{ notes { id extra } }");
        if (body.errors) {
          const { code } = body.errors[0].extensions;
          assert.ok(["GRAPHQL_VALIDATION_FAILED", "SERVICE_UNAVAILABLE"].includes(code), text);
          assert.doesNotMatch(daemon.stderr, /cached plan/);
          gone++;
        }
      }
    })();
    const shapes = ["id, body, extra", "id, body", "id, length(body) as body, extra", "id, now() as added, body"];
    for (let round = 0; round < 20; round++) {
      await shared.sql(database, `begin; drop view v_note; create view v_note as select ${shapes[round % 4]} from notes;
        grant select on v_note to app_user; select pg_notify('fraiseqld', 'schema'); commit`);
      if (round % 2 === 0) {
        const n = daemon.logged("schema loaded").length;
        await within(5000, "it is loaded", () => daemon.logged("schema loaded").length > n);
      }
    }
    running = false;
    await Promise.all([...keep, dropped]);
    assert.ok(answered > 100, String(answered));
    assert.ok(gone > 0);
  });
});

test("with the event trigger every change is followed, and temporary objects are not", async () => {
  await withNotes({}, async (daemon, database) => {
    await shared.sql(database, eventTrigger);
    await shared.sql(database, eventTrigger);
    await within(3000, "it looked", () => daemon.logged("schema unchanged").length > 0);
    for (const change of [
      "create or replace view v_note as select id, body, extra from notes",
      "comment on view v_note is 'a note'",
      "revoke select on v_note from app_user; grant select (id) on v_note to app_user",
      "drop view v_note",
    ]) {
      const n = daemon.logged("schema loaded").length;
      await shared.sql(database, change);
      await within(3000, change, () => daemon.logged("schema loaded").length > n);
    }
    const said = await shared.sql(database, `listen fraiseqld; create temp table t (a int); drop table t; select 1`);
    assert.doesNotMatch(said, /Asynchronous/);
    // It would have been said, had there been something to say.
    assert.match(await shared.sql(database, `listen fraiseqld; create table t (a int); select 1`), /Asynchronous/);
  });
});
