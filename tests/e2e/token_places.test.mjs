// Where a token may come from: a header, or a cookie, which no page of another site can make use of.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, claims, GLOBEX, sign, tokenFor } from "./support/token.mjs";

const database = await createDatabase();
await shared.sql(
  database,
  `create view v_who as select 1 as id, current_setting('app.current_tenant_id', true) as tenant;
   create table tb_mark (id int primary key, text text, tenant_id uuid);
   insert into tb_mark values (1, 'old', '${ACME}');
   create function fn_mark(what text) returns text language sql volatile as $$ update tb_mark set text = what returning text $$;
   grant select on v_who to app_user;
   grant select, update on tb_mark to app_user`,
);
const SITE = "https://app.example.com", EVIL = "https://evil.example.com";
const schema = { expose: { views: ["v_*"], functions: ["fn_*"] } };
const cors = { enabled: true, allow_origins: [SITE], allow_credentials: true };
const daemon = await start(database, { schema, auth: { jwt: { cookie: "session" } }, server: { cors } });
after(() => daemon.stop());
const other = await start(database, { schema, auth: { jwt: { header: "X-Access-Token" } } });
after(() => other.stop());
const plain = await start(database, { schema });
after(() => plain.stop());

const acme = tokenFor(ACME), globex = tokenFor(GLOBEX), expired = sign(claims({ exp: 1 }));
const WHO = "{ whos { tenant } }";
const MARK = 'mutation { mark(input: {what: "new"}) }';
const post = (to, headers, query = WHO) => to.post(query, { token: null, headers });
const tenantOf = async (to, headers) => {
  const r = await post(to, headers);
  assert.equal(r.status, 200, r.text);
  return r.body.data.whos[0].tenant;
};
async function refused(to, headers, status = 401, query = WHO) {
  const r = await post(to, headers, query);
  assert.equal(r.status, status, r.text);
  assert.ok(!("data" in r.body), r.text);
  return r.body.errors[0];
}
const marked = async () => (await shared.sql(database, "select text from tb_mark")).trim();

test("a token in the cookie is one, among whatever other cookies", async () => {
  assert.equal(await tenantOf(daemon, { cookie: `session=${acme}` }), ACME);
  assert.equal(await tenantOf(daemon, { cookie: `a=b; session=${acme}; c="d e"` }), ACME);
  assert.equal(await tenantOf(daemon, { cookie: `a=b;session="${acme}"` }), ACME);
  assert.equal(await tenantOf(daemon, { cookie: `Session=${globex}; session=${acme}; session2=${globex}; xsession=${globex}` }), ACME);
});

test("a cookie of another name is none, nor is one in part, nor an empty one", async () => {
  for (const cookie of [`Session=${acme}`, `sess=${acme}`, `session2=${acme}`, `a=session=${acme}`, "session=", 'session=""', "session", ""]) {
    const error = await refused(daemon, { cookie });
    assert.equal(error.message, "a bearer token is required", cookie);
  }
});

test("a cookie with a bad token is refused, and tells so", async () => {
  for (const token of [expired, `${acme}x`, "x", `Bearer ${acme}`, `${acme} ${acme}`]) {
    const r = await post(daemon, { cookie: `session=${token}` });
    assert.equal(r.status, 401, token);
    assert.equal(r.headers["www-authenticate"], 'Bearer error="invalid_token"');
  }
});

test("a cookie that is there twice is refused, whichever is first and whether or not they are equal", async () => {
  for (const pair of [[acme, globex], [globex, acme], [acme, acme], [acme, ""]]) {
    assert.equal((await refused(daemon, { cookie: pair.map((t) => `session=${t}`).join("; ") })).extensions.code, "UNAUTHENTICATED");
    assert.equal((await refused(daemon, { cookie: pair.map((t) => `session=${t}`) })).extensions.code, "UNAUTHENTICATED");
  }
});

test("the header goes before the cookie, and a bad header is not made good by one", async () => {
  assert.equal(await tenantOf(daemon, { authorization: `Bearer ${globex}`, cookie: `session=${acme}` }), GLOBEX);
  for (const authorization of [`Bearer ${expired}`, "Basic YTpi", "Bearer ", ""]) await refused(daemon, { authorization, cookie: `session=${acme}` });
});

test("without the option a cookie is not looked at", async () => {
  await refused(plain, { cookie: `session=${acme}` });
  await refused(other, { cookie: `session=${acme}` });
});

const simple = { "content-type": "text/plain" };
const cross = {
  "a form of another site": { ...simple, origin: EVIL },
  "a form of another site, says the browser": { ...simple, origin: EVIL, "sec-fetch-site": "cross-site" },
  "a form of a neighbouring host": { ...simple, origin: "https://x.example.com", "sec-fetch-site": "same-site" },
  "a page without an origin": { ...simple, origin: "null" },
  "a browser that says nothing": { ...simple },
  "a form of fields": { "content-type": "application/x-www-form-urlencoded", origin: EVIL },
  "a form of files": { "content-type": "multipart/form-data; boundary=x", origin: EVIL },
  "a body without a type": { "content-type": "", origin: EVIL },
};
for (const [what, headers] of Object.entries(cross))
  test(`a change with the cookie is refused: ${what}`, async () => {
    const error = await refused(daemon, { ...headers, cookie: `session=${acme}` }, 400, MARK);
    assert.match(error.message, /sent by another site/);
    assert.equal(await marked(), "old");
  });

test("a GET with the cookie is refused from other sites, and answered on one's own", async () => {
  const get = (headers) => daemon.request(`${daemon.url}/graphql?query=${encodeURIComponent(WHO)}`, { headers: { cookie: `session=${acme}`, ...headers } });
  assert.equal((await get({ "sec-fetch-site": "cross-site" })).status, 400);
  assert.equal((await get({ "sec-fetch-site": "same-site" })).status, 400);
  assert.equal((await get({ origin: EVIL })).status, 400);
  assert.equal((await get({})).status, 400);
  assert.equal((await get({ "sec-fetch-site": "same-origin" })).status, 200);
  assert.equal((await get({ "apollo-require-preflight": "1" })).status, 200);
});

test("a page of a listed origin may, and is told what its answers depend on", async () => {
  const r = await post(daemon, { origin: SITE, "sec-fetch-site": "cross-site", cookie: `session=${acme}` }, MARK);
  assert.equal(r.body.data?.mark, "new", r.text);
  assert.equal(r.headers["access-control-allow-credentials"], "true");
  assert.ok(r.headers.vary.split(", ").includes("Cookie") && r.headers.vary.split(", ").includes("Authorization"), r.headers.vary);
});

test("another header has the token alone, or behind Bearer, and Authorization is not looked at", async () => {
  assert.equal(await tenantOf(other, { "x-access-token": acme }), ACME);
  assert.equal(await tenantOf(other, { "X-ACCESS-TOKEN": `Bearer ${acme}` }), ACME);
  assert.equal(await tenantOf(other, { "x-access-token": acme, authorization: `Bearer ${globex}` }), ACME);
  for (const headers of [{ authorization: `Bearer ${acme}` }, { "x-access-token": "" }, { "x-access-token": `Basic ${acme}` }, { "x-access-token": `${acme} x` }, { "x-access-token": expired }])
    await refused(other, headers);
  assert.ok((await post(other, { "x-access-token": acme })).headers.vary.includes("X-Access-Token"));
});

test("check refuses a cookie that other sites could make use of, and names that are none", async () => {
  const wrong = [
    [{ auth: { jwt: { cookie: "session" } }, server: { csrf_prevention: false } }, /auth\.jwt\.cookie needs server\.csrf_prevention/],
    [{ auth: { jwt: { cookie: "session" } }, server: { cors: { enabled: true, allow_origins: ["*"] } } }, /auth\.jwt\.cookie cannot be with "\*"/],
    [{ auth: { jwt: { cookie: "a=b" } } }, /auth\.jwt\.cookie/],
    [{ auth: { jwt: { header: "" } } }, /auth\.jwt\.header/],
    [{ auth: { jwt: { header: "X Token" } } }, /auth\.jwt\.header/],
  ];
  for (const [more, message] of wrong) {
    const { code, stderr } = await program(["check", "-c", writeConfiguration(configuration(database, more))]);
    assert.equal(code, 78, stderr);
    assert.match(stderr, message);
  }
});
