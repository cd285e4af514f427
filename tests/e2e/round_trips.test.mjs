// What an operation costs on the wire to PostgreSQL: one round trip, whatever it asks for.
//
// A proxy between the two takes the messages apart. Of what the server says it lets nothing through before the
// daemon has sent all the Syncs that are expected of it: a daemon that needed an answer to go on would wait for
// ever. So one flight of bytes there, and one back, is not a matter of timing.

import assert from "node:assert/strict";
import net from "node:net";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, GLOBEX, id, tokenFor } from "./support/token.mjs";

/** How often an operation is asked for before it is looked at: statements are prepared by then. */
const WARM = 6;

/** Splits a stream into messages, and tells the type of each; the first of a client has none. */
function* messages(state, data) {
  state.rest = Buffer.concat([state.rest, data]);
  for (;;) {
    const typed = state.untyped ? 0 : 1;
    if (state.rest.length < typed + 4) return;
    const end = typed + state.rest.readUInt32BE(typed);
    if (state.rest.length < end) return;
    yield typed ? String.fromCharCode(state.rest[0]) : "startup";
    state.untyped = false;
    state.rest = state.rest.subarray(end);
  }
}

class Wire {
  links = 0;
  #sockets = new Set();

  constructor(port) {
    this.clear();
    this.server = net.createServer((near) => this.#accept(near, net.connect({ host: "127.0.0.1", port, noDelay: true })));
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    return this;
  }

  /** What goes over the wire while work() runs; answers are held back until so many Syncs were sent. */
  async during(syncs, work) {
    assert.equal(this.out + this.in, "", "nothing is said behind an answer");
    this.clear();
    this.wanted = syncs;
    const result = await work();
    const seen = { out: this.out, in: this.in, flights: this.flights, syncs: this.out.split("S").length - 1 };
    seen.ready = this.in.split("Z").length - 1;
    this.clear();
    return { ...seen, result };
  }

  close() {
    this.server.close();
    this.#sockets.forEach((socket) => socket.destroy());
  }

  clear() {
    Object.assign(this, { out: "", in: "", flights: 0, last: "in", wanted: 0 });
  }

  #accept(near, far) {
    const fromDaemon = { rest: Buffer.alloc(0), untyped: true };
    const fromServer = { rest: Buffer.alloc(0), untyped: false };
    const held = [];
    this.links++;
    near.setNoDelay(true);
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
    const release = () => {
      if (this.wanted > 0) return;
      for (const data of held.splice(0)) {
        this.last = "in";
        this.in += [...messages(fromServer, data)].join("");
        near.write(data);
      }
    };
    near.on("data", (data) => {
      this.flights += this.last === "in" ? 1 : 0;
      this.last = "out";
      const types = [...messages(fromDaemon, data)];
      this.out += types.join("");
      this.wanted -= types.filter((type) => type === "S").length;
      far.write(data);
      release();
    });
    far.on("data", (data) => {
      held.push(data);
      release();
    });
  }
}

const database = await createDatabase();
await shared.sql(
  database,
  `create table public.notes (id int generated always as identity primary key, body text not null);
   grant select, insert on public.notes to app_user;
   create function public.fn_touch(task_id uuid) returns public.mutation_response language sql volatile
     as $$ select row('success', null, task_id::text, 'Task', null, null, null, null)::public.mutation_response $$;
   comment on function public.fn_touch is '@fraiseql:mutation
success_type: Task'`,
);
const wire = await new Wire(Number(shared.port)).listen();
const daemon = await start(database, {
  server: { workers: 1 },
  database: {
    url: `postgresql://fraiseqld@127.0.0.1:${wire.port}/${database}?sslmode=disable&gssencmode=disable`,
    pool: { min: 1, max: 1 },
    notify: { listen: false },
  },
  jobs: { enabled: false },
  schema: { expose: { tables: ["notes"], functions: ["fn_*"] }, mutations: { crud: true } },
});
after(async () => {
  await daemon.stop();
  wire.close();
});

const links = wire.links;

const project = { id: id.project(1) };
const nodeId = Buffer.from(JSON.stringify(["Project", id.project(1)])).toString("base64url");

// What is asked for.
const queries = {
  "a row by its key": { query: "query ($id: ID!) { project(id: $id) { id name status } }", variables: project },
  "a list": { query: `{ projects(where: {status: {eq: "ACTIVE"}}, orderBy: [{name: ASC}], limit: 20) { id name budget } }` },
  "a list of many rows": { query: "{ tasks(limit: 100) { id title description status priority createdAt } }" },
  "a connection, with what is told of its pages": {
    query: "{ projectsConnection(first: 5) { totalCount edges { cursor node { id name } } pageInfo { hasNextPage endCursor } } }",
  },
  "rows nested in rows, three levels deep": {
    query: "{ projects(limit: 5) { id owner { name } tasks(limit: 3) { title assignee { name } comments(limit: 2) { body } } } }",
  },
  "an aggregate": { query: "{ tasksAggregate { count avg { priority } } }" },
  "aggregates of groups": { query: "{ tasksGroupBy(by: [status]) { status count } }" },
  "a node by its global id": { query: "query ($id: ID!) { node(id: $id) { nodeId ... on Project { name } } }", variables: { id: nodeId } },
  "a function that reads": { query: `{ searchTasks(input: {words: "launch"}, limit: 3) { id title } }` },
  "several root fields": {
    query: "query ($id: ID!) { project(id: $id) { name } users(limit: 2) { name } tasksAggregate { count } }",
    variables: project,
  },
};
const changes = {
  "a function that changes a row": {
    query: `mutation ($id: UUID!) { addComment(input: {taskId: $id, body: "one flight"}) { id body task { title } } }`,
    variables: { id: id.task(1) },
  },
  "a row that is inserted": { query: `mutation { insertNote(input: {body: "inserted"}) { id body } }` },
  "a function that says how it went, and what came of it": {
    query: `mutation ($id: UUID!) {
      touch(input: {taskId: $id}) { ... on TouchSuccess { task { title project { name } } } } }`,
    variables: { id: id.task(2) },
  },
  "two changes in one transaction": {
    query: `mutation ($id: UUID!) {
      a: addComment(input: {taskId: $id, body: "a"}) { id }
      b: addComment(input: {taskId: $id, body: "b"}) { id }
    }`,
    variables: { id: id.task(1) },
  },
};

// Between changes: behind one, the session is set back (see below).
const afterwards = { query: "{ users(limit: 1) { id } }" };

const ask = ({ query, variables }, token = tokenFor(ACME)) => daemon.data(query, { variables, token });

async function warm(...operations) {
  for (let i = 0; i < WARM; i++) {
    for (const operation of operations) {
      await ask(operation);
    }
  }
  wire.clear();
}

/** One flight there with one Sync at its end, one back that ends with the only ReadyForQuery. */
function isOneRoundTrip(seen) {
  assert.deepEqual([seen.flights, seen.syncs, seen.ready], [1, 1, 1], JSON.stringify(seen));
  assert.match(seen.out, /^(BD?E)+S$/, "statements are prepared, and Sync is at their end");
  assert.match(seen.in, /^[^Z]+Z$/);
}

for (const [what, operation] of Object.entries(queries)) {
  test(`one round trip: ${what}`, async () => {
    await warm(operation);
    for (let i = 0; i < 3; i++) {
      isOneRoundTrip(await wire.during(1, () => ask(operation)));
    }
  });
}

for (const [what, operation] of Object.entries(changes)) {
  test(`one round trip: ${what}`, async () => {
    await warm(operation, afterwards);
    for (let i = 0; i < 3; i++) {
      isOneRoundTrip(await wire.during(1, () => ask(operation)));
      await ask(afterwards);
      wire.clear();
    }
  });
}

test("what comes behind a change sets the session back on the way: two Syncs, and no wait between them", async () => {
  const [change] = Object.values(changes);
  for (const operation of [afterwards, change]) {
    await warm(change, operation);
    await ask(change);
    wire.clear();
    const seen = await wire.during(2, () => ask(operation));
    assert.deepEqual([seen.flights, seen.syncs, seen.ready], [1, 2, 2], JSON.stringify(seen));
  }
});

test("a token of another user or tenant, seen or not, costs nothing on the wire", async () => {
  await warm(afterwards);
  for (const token of [tokenFor(GLOBEX), tokenFor(ACME, id.user(2)), tokenFor(ACME)]) {
    isOneRoundTrip(await wire.during(1, () => ask(afterwards, token)));
    isOneRoundTrip(await wire.during(1, () => ask(afterwards, token)));
  }
});

test("what the database is not needed for does not reach it", async () => {
  await warm(afterwards);
  for (const query of ["{ __typename }", "{ __schema { queryType { name } } }"]) {
    const seen = await wire.during(1, () => ask({ query }));
    assert.equal(seen.out + seen.in, "", query);
  }
  const refused = await wire.during(1, () => daemon.refusal("{ nothing }"));
  assert.equal(refused.out + refused.in, "");
});

test("all of it went over one connection", () => {
  assert.equal(wire.links, links);
});
