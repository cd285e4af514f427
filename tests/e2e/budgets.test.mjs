// How much an operation may cost, enforced or only watched, and how long statements of a role may take.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, Session, shared } from "./support/postgres.mjs";
import { claims, sign } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
const large = "query Large($n: Int) { projects(limit: $n) { id name tasks(limit: 10) { id title } } }";

test("in shadow mode what is over the limit is run, counted and said in the log", async () => {
  const shadow = await start(database, { security: { max_complexity: 100, complexity: { mode: "shadow" } } });
  for (const n of [2, 50, 50]) {
    assert.ok((await shadow.post(large, { variables: { n } })).body.data.projects);
  }
  assert.ok((await shadow.post("{ projects(limit: 50) { id tasks { id } } }")).body.data.projects);
  assert.match((await shadow.admin("/metrics")).text, /^fraiseql_graphql_limit_rejections_total{limit="complexity_shadow"} 3/m);
  await shadow.stop();
  const [line] = shadow.logged("an operation is over security.max_complexity");
  assert.equal(line.complexity, 1 + 50 * (2 + 1 + 10 * 2));
  assert.ok(line.request_id && line.tenant_id);
});

test("enforced it is refused, and off it is neither", async () => {
  const enforced = await start(database, { security: { max_complexity: 100 } });
  assert.equal((await enforced.refusal(large, { variables: { n: 50 } })).extensions.code, "QUERY_TOO_COMPLEX");
  assert.ok((await enforced.post(large, { variables: { n: 2 } })).body.data);
  await enforced.stop();
  const off = await start(database, { security: { max_complexity: 100, complexity: { mode: "off" } } });
  assert.ok((await off.post(large, { variables: { n: 50 } })).body.data);
  await off.stop();
  assert.equal(off.logged("an operation is over security.max_complexity").length, 0);
});

test("statements of a role have its time", async () => {
  const role = `slow_${randomBytes(4).toString("hex")}`;
  await shared.sql(database, `create role ${role}; grant ${role} to fraiseqld; grant app_user to ${role}`);
  after(() => shared.sql("postgres", `drop database ${database} with (force); drop role ${role}`).catch(() => {}));
  const daemon = await start(database, {
    database: { statement_timeout: "20s", roles: { [role]: { statement_timeout: "200ms" } } },
    auth: { role_claim: { allowed: [role] } },
  });
  const session = new Session(database);
  try {
    await session.run("begin; lock table comments in access exclusive mode");
    const patient = daemon.post("{ comments(limit: 1) { id } }");
    const reply = await daemon.post("{ comments(limit: 1) { id } }", { token: sign(claims({ role })) });
    assert.equal(reply.body.errors[0].extensions.code, "TIMEOUT", reply.text);
    await session.run("rollback");
    assert.ok((await patient).body.data.comments);
  } finally {
    await session.end();
    await daemon.stop();
  }
});

test("limits of a role that no request has are refused, and times that are none", async () => {
  for (const roles of [{ nobody: { statement_timeout: "5s" } }, { app_user: { statement_timeout: "5" } }, { app_user: { statement_timeout: "0s" } }, { app_user: { timeout: "5s" } }]) {
    const { code, stderr } = await program(["check", "-c", writeConfiguration(configuration(database, { database: { roles } }))]);
    assert.equal(code, 78, JSON.stringify(roles));
    assert.match(stderr, /database\.roles|duration|unknown key/);
  }
});

const user = (more) => ({ token: sign(claims(more)) });
const budget = async (daemon, name) => Number(new RegExp(`^fraiseql_graphql_limit_rejections_total{limit="${name}"} (\\d+)`, "m").exec((await daemon.admin("/metrics")).text)[1]);
const costs = (n) => `query Costs { projects(limit: ${n}) { id name } }`; // 1 + 2 n

test("a user may ask for so much in a minute, and is told when to come again; others have theirs", async () => {
  const daemon = await start(database, { security: { complexity: { per_minute: 1200 } } });
  const ada = user({ sub: randomUUID() }), bob = user({ sub: randomUUID() });
  for (let i = 0; i < 5; i++) {
    assert.ok((await daemon.post(costs(100), ada)).body.data);
  }
  const { status, extensions, headers } = await daemon.refusal(costs(150), ada);
  assert.equal(status, 429);
  assert.equal(extensions.code, "RATE_LIMITED");
  // 301 of 195 or a little more, at 20 a second.
  assert.ok(["5", "6"].includes(headers["retry-after"]), headers["retry-after"]);
  assert.equal(headers["cache-control"], "no-store");
  assert.ok((await daemon.post(costs(50), ada)).body.data, "what is cheap enough still goes");
  assert.ok((await daemon.post(costs(150), bob)).body.data);
  assert.equal((await daemon.post("{ nothing }", ada)).body.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  assert.equal(await budget(daemon, "complexity_per_minute"), 1);
  assert.equal(await budget(daemon, "complexity_per_minute_shadow"), 0);
  await daemon.stop();
});

test("the budget comes back with time, and variables count as what they ask for", async () => {
  const daemon = await start(database, { security: { complexity: { per_minute: 6000 } } });
  const ada = user({ sub: randomUUID() });
  const query = "query N($n: Int) { projects(limit: $n) { id name tasks(limit: 50) { id } } }";
  assert.ok((await daemon.post(query, { variables: { n: 100 }, ...ada })).body.data);
  assert.ok((await daemon.post(query, { variables: { n: 1 }, ...ada })).body.data);
  assert.equal((await daemon.post(query, { variables: { n: 20 }, ...ada })).status, 429);
  // 1061, at 100 a second.
  await within(13000, "it may again", async () => (await daemon.post(query, { variables: { n: 20 }, ...ada })).status === 200);
  await daemon.stop();
});

test("what costs more than a minute has runs when nothing else was asked for", async () => {
  const daemon = await start(database, { security: { complexity: { per_minute: 10 } } });
  const ada = user({ sub: randomUUID() });
  assert.ok((await daemon.post(costs(100), ada)).body.data);
  assert.equal((await daemon.post(costs(100), ada)).status, 429);
  await daemon.stop();
});

test("without tokens it is the address, and in a batch the operation that is too much", async () => {
  const daemon = await start(database, { auth: { mode: "optional", claims: { tenant_id: { required: false } } }, tenancy: { enabled: false }, server: { batching: { enabled: true }, trusted_proxies: ["127.0.0.0/8"] }, security: { complexity: { per_minute: 3 } } });
  const send = (address, body) => daemon.request(`${daemon.url}/graphql`, { method: "POST", headers: { "content-type": "application/json", "x-forwarded-for": address }, body: JSON.stringify(body) });
  const one = { query: "{ a: __typename b: __typename }" };
  const reply = await send("192.0.2.1", [one, one]);
  assert.equal(reply.status, 200);
  assert.deepEqual(reply.body.map((answer) => answer.errors?.[0].extensions.code), [undefined, "RATE_LIMITED"]);
  assert.ok(Number(reply.headers["retry-after"]) > 1);
  assert.equal((await send("192.0.2.1", one)).status, 429);
  assert.equal((await send("192.0.2.2", one)).status, 200);
  assert.deepEqual([(await send("2001:db8::1", one)).status, (await send("2001:db8::2", one)).status], [200, 429]);
  await daemon.stop();
});

test("in shadow mode the budget is only counted, and off it is not", async () => {
  for (const [mode, counted] of [["shadow", 4], ["off", 0]]) {
    const daemon = await start(database, { security: { complexity: { per_minute: 10, mode } } });
    const ada = user({ sub: randomUUID() });
    for (let i = 0; i < 5; i++) {
      assert.ok((await daemon.post(costs(100), ada)).body.data);
    }
    assert.equal(await budget(daemon, "complexity_per_minute_shadow"), counted);
    assert.equal(await budget(daemon, "complexity_per_minute"), 0);
    await daemon.stop();
  }
});
