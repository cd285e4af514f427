// No request sees another tenant's rows, and none runs without an identity.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, ADA, claims, GLOBEX, id, now, sign, tokenFor, unsigned } from "./support/token.mjs";

const REQUESTS = 1000;
const AT_A_TIME = 48;

const database = await createDatabase();
const daemon = await start(database, { database: { pool: { min: 1, max: 4 } } });
after(() => daemon.stop());

async function countsByTenant(table) {
  const column = table === "tenants" ? "id" : "tenant_id";
  const counted = await shared.rows(database, `select ${column} as tenant, count(*)::integer as n from ${table} group by 1`);
  return new Map(counted.map(({ tenant, n }) => [tenant, n]));
}

function everyTenantId(value, found = []) {
  if (Array.isArray(value)) {
    value.forEach((item) => everyTenantId(item, found));
  } else if (value !== null && typeof value === "object") {
    for (const [name, member] of Object.entries(value)) {
      name === "tenantId" ? found.push(member) : everyTenantId(member, found);
    }
  }
  return found;
}

test(`${REQUESTS} interleaved requests of all tenants on four connections see their own rows only`, async () => {
  const projects = await countsByTenant("projects");
  const users = await countsByTenant("users");
  const operations = [
    ["{ projects(limit: 1000) { tenantId owner { tenantId } } }", (data, tenant) => data.projects.length === (projects.get(tenant) ?? 0)],
    ["{ users(limit: 1000) { tenantId projects(limit: 5) { tenantId tasks(limit: 2) { tenantId } } } }", (data, tenant) => data.users.length === (users.get(tenant) ?? 0)],
    ["{ tasks(limit: 30, orderBy: [{createdAt: DESC}]) { tenantId project { tenantId } comments(limit: 3) { tenantId } } }", (data) => data.tasks.length > 0],
    ["{ tenants { id } tenantSummaries { tenantId } tenantSettings { tenantId } }", (data, tenant) =>
      data.tenants.length === 1 && data.tenants[0].id === tenant && data.tenantSummaries.length === 1 && data.tenantSettings.length === 1],
    [`query ($p: ID!, $u: ID!) { project(id: $p) { tenantId } user(id: $u) { tenantId } }`, (data, tenant) =>
      (data.project !== null) === (tenant === ACME) && (data.user !== null) === (tenant === GLOBEX),
      { p: id.project(1), u: id.user(0x3d) }],
  ];
  let next = 0;
  async function client() {
    for (let i = next++; i < REQUESTS; i = next++) {
      const tenant = id.tenant(1 + (i % 12));
      const [query, holds, variables] = operations[Math.floor(i / 12) % operations.length];
      const data = await daemon.data(query, { token: tokenFor(tenant), variables });
      assert.ok(holds(data, tenant), `${query} as ${tenant}: ${JSON.stringify(data).slice(0, 400)}`);
      assert.ok(everyTenantId(data).every((seen) => seen === tenant), `${query} as ${tenant} shows another tenant`);
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
  const connections = await shared.sql(database, `select count(*) from pg_stat_activity where datname = '${database}' and usename = 'fraiseqld'`);
  // One more may load the schema.
  assert.ok(Number(connections) <= 5, `${connections} connections`);
});

test("a filter cannot reach into another tenant through a relation", async () => {
  const data = await daemon.data(`{
    tenants(where: {slug: {eq: "globex"}}) { id }
    projects(where: {tenant: {slug: {eq: "globex"}}}) { id }
    users(where: {id: {eq: "${id.user(0x3d)}"}}) { id }
  }`);
  assert.deepEqual(data, { tenants: [], projects: [], users: [] });
});

async function refused(token, status, headers = {}) {
  const reply = await daemon.post("{ projects { id } }", { token, headers });
  assert.equal(reply.status, status, reply.text);
  assert.ok(!("data" in reply.body), reply.text);
  assert.equal(reply.body.errors[0].extensions.code, status === 401 ? "UNAUTHENTICATED" : "FORBIDDEN");
  if (status === 401) {
    assert.match(reply.headers["www-authenticate"], /^Bearer/);
  }
  return reply;
}

test("without a token the answer is 401", async () => {
  const { headers } = await refused(null, 401);
  assert.equal(headers["www-authenticate"], "Bearer");
});

test("a token without a claim that auth.claims requires is 401", async () => {
  const { tenant_id: _, ...rest } = claims();
  await refused(sign(rest), 401);
});

test("a valid token that names no tenant is 403", async () => {
  const lenient = await start(database, { auth: { claims: { tenant_id: { required: false } } } });
  try {
    const { tenant_id: _, ...rest } = claims();
    const reply = await lenient.post("{ projects { id } }", { token: sign(rest) });
    assert.equal(reply.status, 403, reply.text);
    assert.equal(reply.body.errors[0].extensions.code, "FORBIDDEN");
    assert.ok(!("data" in reply.body));
  } finally {
    await lenient.stop();
  }
});

test("a tenant that is no uuid is refused", async () => {
  const reply = await daemon.post("{ projects { id } }", { token: sign(claims({ tenant: "acme" })) });
  assert.ok(reply.status === 401 || reply.status === 403, reply.text);
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = rsa.publicKey.export({ type: "spki", format: "pem" });

for (const [what, token] of [
  ["an expired token", sign(claims({ exp: now() - 3600 }))],
  ["a token of the future", sign(claims({ nbf: now() + 3600 }))],
  ["a token that never expires", sign(claims({ exp: undefined }))],
  ["an expiry that is no number", sign(claims({ exp: "tomorrow" }))],
  ["a signature by another secret", sign(claims(), { secret: "not the secret that the daemon knows" })],
  ["a signature that was cut", sign(claims()).slice(0, -1)],
  ["a signature with a character changed", sign(claims()).replace(/.$/, (c) => (c === "A" ? "B" : "A")).replace(/\.[^.]*$/, (s) => s.replace(/^\.../, ".xyz"))],
  ["no signature", sign(claims()).replace(/[^.]*$/, "")],
  ["algorithm none", unsigned(claims())],
  ["algorithm None", unsigned(claims(), "None")],
  ["algorithm HS512 though signed as HS256", sign(claims(), { header: { alg: "HS512" } })],
  ["another algorithm than the key's", sign(claims(), { header: { alg: "HS512" }, hash: "sha512" })],
  ["a public key as the secret", sign(claims(), { secret: pem })],
  ["an unknown key", sign(claims(), { header: { kid: "other" } })],
  ["a critical header that nobody understands", sign(claims(), { header: { crit: ["exp"] } })],
  ["a payload that is an array", sign([claims()])],
  ["a payload of another user below the signature", (() => {
    const [head, , signature] = sign(claims()).split(".");
    const body = Buffer.from(JSON.stringify(claims({ tenant: GLOBEX }))).toString("base64url");
    return `${head}.${body}.${signature}`;
  })()],
  ["garbage", "garbage"],
  ["dots", "..", ],
  ["four parts", `${sign(claims())}.x`],
  ["something that is not base64url", `${sign(claims())}=`],
  ["a token far too long", sign(claims({ padding: "x".repeat(9000) }))],
]) {
  test(`${what} is 401`, async () => {
    const { headers } = await refused(token, 401);
    assert.match(headers["www-authenticate"], /invalid_token/);
  });
}

test("other schemes than Bearer are 401", async () => {
  for (const authorization of ["Basic YWRhOmFkYQ==", sign(claims()), "Bearer", "Bearer "]) {
    await refused(null, 401, { authorization });
  }
});

test("the scheme's name is case-insensitive", async () => {
  const reply = await daemon.post("{ __typename }", { token: null, headers: { authorization: `bearer ${tokenFor(ACME)}` } });
  assert.equal(reply.status, 200);
});

test("a good token works after a bad one, and a bad one after a good one", async () => {
  const good = tokenFor(ACME);
  const bad = good.replace(/[^.]*$/, "AAAA");
  for (let i = 0; i < 5; i++) {
    await refused(bad, 401);
    assert.equal((await daemon.post("{ __typename }", { token: good })).status, 200);
  }
});

test("what one request set is gone for the next on the same connection", async () => {
  const single = await start(database, {
    server: { workers: 1 },
    database: { pool: { min: 1, max: 1 } },
    auth: { mode: "optional", claims: { tenant_id: { required: false } } },
    tenancy: { enabled: false },
  });
  try {
    const query = "{ projects { id } tenantSummaries { tenantId } }";
    for (let i = 0; i < 3; i++) {
      const known = await single.data(query, { token: tokenFor(GLOBEX, ADA) });
      assert.equal(known.projects.length, 50);
      assert.deepEqual(await single.data(query, { token: null }), { projects: [], tenantSummaries: [] });
    }
  } finally {
    await single.stop();
  }
});

test("a token that expires while the daemon runs is refused from then on", async () => {
  const strict = await start(database, { auth: { jwt: { leeway: "0s" } } });
  try {
    const token = sign(claims({ exp: now() + 3 }));
    assert.equal((await strict.post("{ __typename }", { token })).status, 200);
    const until = Date.now() + 15000;
    let reply;
    do {
      await new Promise((resolve) => setTimeout(resolve, 100));
      reply = await strict.post("{ __typename }", { token });
    } while (reply.status === 200 && Date.now() < until);
    assert.equal(reply.status, 401);
  } finally {
    await strict.stop();
  }
});

test("what a function sets for the whole session, or returns with its owner's rights, opens nothing", async () => {
  const own = await createDatabase();
  await shared.sql(own, `
    create table public.vaults (id int primary key, tenant_id uuid, word text);
    insert into public.vaults values (1, '${ACME}', 'acme'), (2, '${GLOBEX}', 'globex');
    alter table public.vaults enable row level security;
    create policy tenant on public.vaults to app_user
      using (tenant_id::text = current_setting('app.current_tenant_id', true) or current_setting('app.master', true) = 'yes');
    create view public.v_vault with (security_invoker) as select id, tenant_id, word from public.vaults;
    create function public.fn_open() returns void language sql volatile as $$ select set_config('app.master', 'yes', false) $$;
    create function public.fn_vaults() returns setof public.v_vault language sql volatile security definer set search_path = public
      as 'select id, tenant_id, word from public.vaults order by id';
    create function public.fn_vault(key int) returns public.v_vault language sql volatile security definer set search_path = public
      as 'select id, tenant_id, word from public.vaults where id = key';
    grant select on public.vaults, public.v_vault to app_user`);
  const single = await start(own, { server: { workers: 1 }, database: { pool: { min: 1, max: 1 } } });
  try {
    const mine = { vaults: [{ word: "acme" }] };
    assert.deepEqual(await single.data("{ vaults { word } }"), mine);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await single.data("mutation { open }"), { open: true });
      assert.deepEqual(await single.data("{ vaults { word } }"), mine);
      assert.deepEqual(await single.data("mutation { vaults { word } }"), mine);
      assert.deepEqual(await single.data("mutation { mine: vault(input: {key: 1}) { word } theirs: vault(input: {key: 2}) { word } }"),
        { mine: { word: "acme" }, theirs: null });
    }
  } finally {
    await single.stop();
  }
});
