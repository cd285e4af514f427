// How much an operation may cost, enforced or only watched, and how long statements of a role may take.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, Session, shared } from "./support/postgres.mjs";
import { claims, sign } from "./support/token.mjs";

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
