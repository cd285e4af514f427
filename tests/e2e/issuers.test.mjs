// Several issuers of tokens: each with its own keys, algorithms and claims, and none that speaks for another.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign as signWith } from "node:crypto";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { ACME, claims, GLOBEX, SECRET, sign } from "./support/token.mjs";
import { within } from "./support/wait.mjs";
import { writeFileSync } from "node:fs";

const STAFF = "https://staff.example.com/";
const PARTNERS = "https://partners.example.com/";
const SERVICES = "services";
const TENANT_PATH = "https://partners.example.com/tenant";

const database = await createDatabase();
await shared.sql(
  database,
  `create view v_who as select 1 as id, current_setting('app.current_tenant_id', true) as tenant,
     current_setting('app.user_id', true) as "user", current_setting('app.partner_id', true) as partner,
     current_setting('app.issuer', true) as issuer, 7 as wage, current_user::text as role;
   comment on column v_who.wage is '@fraiseql:field auth=hr';
   create role app_partner_of_issuers;
   grant app_partner_of_issuers to fraiseqld;
   grant usage on schema public to app_partner_of_issuers;
   grant select on v_who to app_user, app_partner_of_issuers`,
);

after(() => shared.sql("postgres", `drop database ${database} with (force); drop role app_partner_of_issuers`).catch(() => {}));

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const pairs = Object.fromEntries(["staff", "partners", "stranger"].map((n) => [n, generateKeyPairSync("rsa", { modulusLength: 2048 })]));
/** A key set with one key, whose kid is everybody's. */
const set = (name, more = {}) => JSON.stringify({ keys: [{ ...pairs[name].publicKey.export({ format: "jwk" }), kid: "k", alg: "RS256", use: "sig", ...more }] });
/** A token signed by whoever's key, which says whatever it says. */
function mint(name, payload, header = {}) {
  const text = `${encode({ alg: "RS256", typ: "JWT", kid: "k", ...header })}.${encode(payload)}`;
  return `${text}.${signWith("sha256", Buffer.from(text), pairs[name].privateKey).toString("base64url")}`;
}

const staffSet = writeFile("json", set("staff"));
const partnerSet = writeFile("json", set("partners"));
const auth = {
  jwt: { algorithms: ["RS256"], keys: [] },
  jwks: { min_refetch: "100ms" },
  claims: {
    tenant_id: { path: "tenant_id", setting: "app.current_tenant_id", type: "uuid", required: false },
    user_id: { path: "sub", setting: "app.user_id", type: "text" },
    partner_id: { path: "none_has_it", setting: "app.partner_id" },
    issuer: { path: "iss", setting: "app.issuer" },
  },
  role_claim: { path: "role", allowed: ["app_user", "app_partner_of_issuers"] },
  issuers: [
    { iss: STAFF, audiences: ["api"], jwks: { file: staffSet } },
    {
      iss: PARTNERS,
      jwks: { file: partnerSet },
      claims: { tenant_id: { path: TENANT_PATH }, partner_id: { path: "sub", required: true }, issuer: { path: "iss" }, roles: { path: "groups" } },
      role_claim: { path: "as", allowed: ["app_partner_of_issuers"] },
    },
    { iss: SERVICES, algorithms: ["HS256"], keys: [{ kid: "k", secret: SECRET }], role_claim: { allowed: [] } },
  ],
};
const daemon = await start(database, { auth });
after(() => daemon.stop());

const staff = (more = {}) => claims({ iss: STAFF, aud: "api", sub: "ann", ...more });
const partner = (more = {}) => claims({ iss: PARTNERS, sub: "ann", tenant_id: undefined, [TENANT_PATH]: GLOBEX, ...more });
const service = (more = {}) => claims({ iss: SERVICES, sub: "cron", ...more });
const WHO = "{ whos { tenant user partner issuer role } }";
const who = async (token) => (await daemon.data(WHO, { token })).whos[0];
async function refused(token, status = 401) {
  const r = await daemon.post(WHO, { token });
  assert.equal(r.status, status, r.text);
  assert.ok(!("data" in r.body));
  return r.body.errors[0];
}
/** Both a first time and a second, when it might have been remembered. */
async function refusedTwice(token) {
  assert.equal((await refused(token)).extensions.code, "UNAUTHENTICATED");
  return (await refused(token)).message;
}

test("tokens of each issuer are checked with its keys and fill the settings as its claims say", async () => {
  await within(15000, "the key sets are loaded", () => daemon.post(WHO, { token: mint("partners", partner()) }).then((r) => r.status === 200));
  const none = { user: "", partner: "" };
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await who(mint("staff", staff())), { ...none, tenant: ACME, user: "ann", issuer: STAFF, role: "app_user" });
    assert.deepEqual(await who(mint("partners", partner())), { ...none, tenant: GLOBEX, partner: "ann", issuer: PARTNERS, role: "app_user" });
    assert.deepEqual(await who(sign(service(), { header: { kid: "k" } })), { ...none, tenant: ACME, user: "cron", issuer: SERVICES, role: "app_user" });
  }
});

const attacks = {
  "a token of one with the other's key": mint("partners", staff()),
  "a token of the other with one's key": mint("staff", partner()),
  "the other's key under no kid": mint("partners", staff(), { kid: undefined }),
  "a stranger's key under the same kid": mint("stranger", staff()),
  "an algorithm that only another issuer has": sign(staff(), { header: { kid: "k" } }),
  "a token of another, signed with a secret that is not its": sign(partner(), { header: { kid: "k" } }),
  "a public key as a secret": sign(staff(), { header: { kid: "k" }, secret: pairs.staff.publicKey.export({ type: "spki", format: "pem" }) }),
  "a public key as the secret of who has secrets": sign(service(), { header: { kid: "k" }, secret: pairs.staff.publicKey.export({ type: "spki", format: "pem" }) }),
  "RS256 of who has secrets only": mint("staff", service()),
  "no issuer": mint("staff", staff({ iss: undefined })),
  "an issuer that is null": mint("staff", staff({ iss: null })),
  "a list of issuers": mint("staff", staff({ iss: [STAFF] })),
  "a list of two": mint("staff", staff({ iss: [PARTNERS, STAFF] })),
  "an object": mint("staff", staff({ iss: { [STAFF]: STAFF } })),
  "an issuer in upper case": mint("staff", staff({ iss: STAFF.toUpperCase() })),
  "an issuer without its slash": mint("staff", staff({ iss: STAFF.slice(0, -1) })),
  "an issuer with a space": mint("staff", staff({ iss: `${STAFF} ` })),
  "an issuer nobody knows": mint("staff", staff({ iss: "https://evil.example.com/" })),
  "an issuer in the header": mint("staff", staff({ iss: undefined }), { iss: STAFF }),
  "another audience": mint("staff", staff({ aud: "web" })),
  "keys that the token brings": mint("stranger", staff(), { jwk: pairs.stranger.publicKey.export({ format: "jwk" }), jku: "https://evil.example.com/" }),
};
for (const [what, token] of Object.entries(attacks))
  test(`it is refused: ${what}`, async () => {
    await refusedTwice(token);
  });

test("two issuers in one token are refused, whichever comes last", async () => {
  for (const [first, last, by] of [[STAFF, PARTNERS, "staff"], [STAFF, PARTNERS, "partners"], [PARTNERS, STAFF, "staff"], [PARTNERS, STAFF, "partners"]]) {
    const payload = JSON.stringify({ ...staff(), ...partner(), tenant_id: ACME, iss: undefined });
    const twice = `{"iss":${JSON.stringify(first)},"iss":${JSON.stringify(last)},${payload.slice(1)}`;
    const text = `${encode({ alg: "RS256", kid: "k" })}.${Buffer.from(twice).toString("base64url")}`;
    await refusedTwice(`${text}.${signWith("sha256", Buffer.from(text), pairs[by].privateKey).toString("base64url")}`);
  }
});

test("an issuer that is not known gets the error of any token of another issuer", async () => {
  assert.equal(await refusedTwice(attacks["an issuer nobody knows"]), "the token is from another issuer");
});

test("an issuer's tokens name the roles that it may name", async () => {
  assert.equal((await who(mint("staff", staff({ role: "app_partner_of_issuers" })))).role, "app_partner_of_issuers");
  assert.equal((await who(mint("partners", partner({ as: "app_partner_of_issuers" })))).role, "app_partner_of_issuers");
  assert.equal((await refused(mint("partners", partner({ as: "app_user" })), 403)).extensions.code, "FORBIDDEN");
  assert.equal((await who(mint("partners", partner({ role: "app_partner_of_issuers" })))).role, "app_user");
  assert.equal((await who(sign(service({ role: "app_partner_of_issuers" }), { header: { kid: "k" } }))).role, "app_user");
});

test("@auth goes by the roles where the issuer has them", async () => {
  const wage = async (token) => (await daemon.post("{ whos { wage } }", { token })).status;
  assert.equal(await wage(mint("staff", staff({ roles: ["hr"] }))), 200);
  assert.equal(await wage(mint("staff", staff({ groups: ["hr"] }))), 403);
  assert.equal(await wage(mint("partners", partner({ groups: ["hr"] }))), 200);
  assert.equal(await wage(mint("partners", partner({ roles: ["hr"] }))), 403);
});

test("a tenant where another issuer has it is none", async () => {
  assert.equal((await refused(mint("partners", partner({ tenant_id: ACME, [TENANT_PATH]: undefined })), 403)).extensions.code, "FORBIDDEN");
  assert.equal((await refused(mint("staff", staff({ tenant_id: undefined, [TENANT_PATH]: ACME })), 403)).extensions.code, "FORBIDDEN");
});

test("keys that one issuer changes are its own: the other's tokens go on", async () => {
  const old = mint("partners", partner()), next = mint("stranger", partner(), { kid: "next" });
  assert.equal((await who(old)).partner, "ann");
  writeFileSync(partnerSet, set("stranger", { kid: "next" }));
  await within(15000, "the new key is found", () => daemon.post(WHO, { token: next }).then((r) => r.status === 200));
  await refusedTwice(old);
  await refusedTwice(mint("stranger", staff(), { kid: "next" }));
  assert.equal((await who(mint("staff", staff()))).user, "ann");
});

test("explain goes by the issuer that the claims name", async () => {
  const file = writeConfiguration(configuration(database, { auth }));
  const explain = (payload) => program(["explain", "-c", file, "-e", "{ whos { wage } }", "--claims", JSON.stringify(payload)]);
  const [known, unknown] = [await explain(partner({ groups: ["hr"] })), await explain(partner({ iss: "x" }))];
  assert.equal(known.code, 0, known.stderr);
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /another issuer/);
});

const bad = {
  "two of one name": [[{ iss: "a", keys: [{ secret: SECRET }] }, { iss: "a", keys: [{ secret: SECRET }] }], /"a" is the iss of auth.issuers\[0\] too/],
  "one without a name": [[{ keys: [{ secret: SECRET }] }], /auth.issuers\[0\] has no "iss"/],
  "one without keys": [[{ iss: "a" }], /auth.issuers\[0\]: a key, or jwks, is needed/],
  "one that does not say where the tenant is": [[{ iss: "a", keys: [{ secret: SECRET }], claims: { user_id: { path: "sub" } } }], /"tenant_id" is missing/],
  "a claim that has no settings": [[{ iss: "a", keys: [{ secret: SECRET }], claims: { tenant_id: {path: "t"}, other: { path: "x" } } }], /no auth.claims.other/],
  "a role that is not allowed": [[{ iss: "a", keys: [{ secret: SECRET }], role_claim: { allowed: ["postgres"] } }], /"postgres" is not among auth.role_claim.allowed/],
  "a key of an algorithm that is not accepted": [[{ iss: "a", algorithms: ["RS256"], keys: [{ secret: SECRET }] }], /auth.issuers\[0\].keys\[0\]: HS256 is not among auth.issuers\[0\].algorithms/],
  "too many": [Array.from({ length: 101 }, (_, i) => ({ iss: `i${i}`, keys: [{ secret: SECRET }] })), /at most 100 issuers/],
  "an http key set": [[{ iss: "a", jwks: { url: "http://a" } }], /auth.issuers\[0\].jwks.url is not https/],
  "a key that is misspelt": [[{ iss: "a", jwk: { url: "https://a" } }], /unknown key "jwk"/],
};
for (const [what, [issuers, message]] of Object.entries(bad))
  test(`check tells of ${what}`, async () => {
    const config = configuration(database, { auth: { jwt: { algorithms: ["HS256"], keys: [] }, issuers } });
    const { code, stderr } = await program(["check", "-c", writeConfiguration(config)]);
    assert.equal(code, 78, stderr);
    assert.match(stderr, message);
  });

test("what says by whom tokens are signed has no place beside them", async () => {
  const issuers = [{ iss: "a", keys: [{ secret: SECRET }] }];
  for (const more of [{ jwt: { issuers: ["b"] } }, { jwt: { keys: [{ secret: SECRET }] } }, { jwks: { url: "https://b" } }]) {
    const config = configuration(database, { auth: { jwt: { keys: [], ...more.jwt }, ...(more.jwks ? { jwks: more.jwks } : {}), issuers } });
    const { code, stderr } = await program(["check", "-c", writeConfiguration(config)]);
    assert.equal(code, 78, stderr);
    assert.match(stderr, /has no place beside auth\.issuers/);
  }
});

test("the dump can be read back, and variables reach into the list", async () => {
  const file = writeConfiguration(configuration(database, { auth }));
  const env = { FRAISEQLD_AUTH__ISSUERS__1__AUDIENCES: "p", FRAISEQLD_AUTH__ISSUERS__2__KEYS__0__KID: "other" };
  const dump = await program(["config", "dump", "-c", file], { env });
  assert.equal(dump.code, 0, dump.stderr);
  assert.match(dump.stdout, /secret: "\*\*\*"/);
  assert.doesNotMatch(dump.stdout, new RegExp(SECRET));
  const values = (text) => text.replace(/ # [^\n]*/g, "").replace(/"\*\*\*"/g, `"${SECRET}"`);
  const again = await program(["config", "dump", "-c", writeFile("yaml", values(dump.stdout))]);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(values(again.stdout), values(dump.stdout));
  assert.match(again.stdout, /audiences: \[p\]/);
});
