// Tokens of all algorithms, keys of a key set, and what RFC 8725 warns of.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { constants, createHmac, generateKeyPairSync, randomBytes, sign as signWith } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { after, test } from "node:test";
import { configuration, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase } from "./support/postgres.mjs";
import { claims, now, SECRET, sign } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const otherRsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = { ES256: "prime256v1", ES384: "secp384r1", ES512: "secp521r1" };
const pairs = Object.fromEntries(Object.entries(ec).map(([alg, namedCurve]) => [alg, generateKeyPairSync("ec", { namedCurve })]));
pairs.EdDSA = generateKeyPairSync("ed25519");
for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]) {
  pairs[alg] = rsa;
}
const ALGORITHMS = Object.keys(pairs);

/** A token signed with a private key, as its algorithm wants it. */
function mint(alg, { pair = pairs[alg], header = {}, payload = claims() } = {}) {
  const text = `${encode({ alg, typ: "JWT", kid: alg, ...header })}.${encode(payload)}`;
  const hash = alg === "EdDSA" ? null : `sha${alg.slice(2)}`;
  const key = { key: pair.privateKey };
  if (alg.startsWith("ES")) {
    key.dsaEncoding = "ieee-p1363";
  } else if (alg.startsWith("PS")) {
    Object.assign(key, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  }
  return `${text}.${signWith(hash, Buffer.from(text), key).toString("base64url")}`;
}

const pem = (pair) => pair.publicKey.export({ type: "spki", format: "pem" });
const jwk = (alg, pair = pairs[alg], more = {}) => ({ ...pair.publicKey.export({ format: "jwk" }), kid: alg, alg, use: "sig", ...more });
const ask = async (daemon, token) => (await daemon.post("{ projects(limit: 1) { id } }", { token })).status;
const refusal = async (daemon, token) => (await daemon.post("{ projects(limit: 1) { id } }", { token })).body.errors?.[0].message;

const pemFile = (alg) => writeFile("pem", pem(pairs[alg]));
const withPem = { auth: { jwt: { algorithms: ["HS256", ...ALGORITHMS], keys: [
  { kid: "e2e", alg: "HS256", secret: SECRET },
  ...ALGORITHMS.map((alg) => ({ kid: alg, alg, public_key_file: pemFile(alg) })),
] } } };
const daemon = await start(database, withPem);
after(() => daemon.stop());

test("tokens of every algorithm are accepted, each with its own key", async () => {
  for (const alg of ALGORITHMS) {
    assert.equal(await ask(daemon, mint(alg)), 200, alg);
    assert.equal(await ask(daemon, mint(alg)), 200, `${alg}, remembered`);
    assert.equal(await ask(daemon, mint(alg, { header: { kid: undefined } })), 200, `${alg} without kid`);
  }
  assert.equal(await ask(daemon, sign(claims())), 200);
});

test("the subcommand signs with private keys as well, but in production", async () => {
  for (const alg of ["RS256", "RS512", "ES256", "ES384", "ES512"]) {
    const key = writeFile("pem", pairs[alg].privateKey.export({ type: "pkcs8", format: "pem" }));
    const args = ["token", "--alg", alg, "--kid", alg, "--key-file", key, "--sub", claims().sub, "--claim", `tenant_id=${claims().tenant_id}`];
    const { code, stdout, stderr } = await program(args);
    assert.equal(code, 0, stderr);
    assert.equal(await ask(daemon, stdout.trim()), 200, alg);
    assert.equal((await program(args, { env: { ENVIRONMENT: "production" } })).code, 64);
    assert.equal((await program([...args, "--force"], { env: { ENVIRONMENT: "production" } })).code, 0);
  }
  const wrong = await program(["token", "--alg", "RS256", "--key-file", writeFile("pem", "nonsense")]);
  assert.equal(wrong.code, 65);
});

test("a changed byte anywhere is noticed", async () => {
  for (const alg of ["RS256", "PS256", "ES256", "ES512", "EdDSA"]) {
    const token = mint(alg);
    const [header, payload, signature] = token.split(".");
    for (const at of [1, Math.floor(signature.length / 2), signature.length - 3]) {
      const changed = signature.slice(0, at) + (signature[at] === "A" ? "B" : "A") + signature.slice(at + 1);
      assert.equal(await ask(daemon, `${header}.${payload}.${changed}`), 401, `${alg} ${at}`);
    }
    const more = encode(claims({ user: "00000000-0000-4000-8001-000000000002" }));
    assert.equal(await ask(daemon, `${header}.${more}.${signature}`), 401, alg);
    for (const cut of ["", signature.slice(0, 20), signature + "AAAA"]) {
      assert.equal(await ask(daemon, `${header}.${payload}.${cut}`), 401, alg);
    }
  }
});

test("no algorithm is confused with another (RFC 8725 sections 2.1 and 3.1)", async () => {
  const header = (alg, kid) => encode({ alg, typ: "JWT", kid });
  const payload = encode(claims());
  const attempts = [];
  for (const alg of ["none", "None", "NONE", "nOnE", ""]) {
    for (const signature of ["", "AAAA"]) {
      attempts.push(`${header(alg, "RS256")}.${payload}.${signature}`);
    }
  }
  // The public key as the secret of a MAC, in every form that somebody might have.
  for (const alg of ALGORITHMS) {
    const key = pairs[alg].publicKey;
    for (const secret of [pem(pairs[alg]), pem(pairs[alg]).trim(), key.export({ type: "spki", format: "der" }), JSON.stringify(key.export({ format: "jwk" }))]) {
      for (const [mac, hash] of [["HS256", "sha256"], ["HS384", "sha384"], ["HS512", "sha512"]]) {
        for (const kid of [alg, "e2e", undefined]) {
          const text = `${header(mac, kid)}.${payload}`;
          attempts.push(`${text}.${createHmac(hash, secret).update(text).digest("base64url")}`);
        }
      }
    }
  }
  // A right signature under another name.
  for (const alg of ALGORITHMS) {
    const [, body, signature] = mint(alg).split(".");
    for (const other of ALGORITHMS) {
      if (other !== alg) {
        attempts.push(`${header(other, alg)}.${body}.${signature}`, `${header(other, other)}.${body}.${signature}`);
      }
    }
  }
  for (const token of attempts) {
    assert.equal(await ask(daemon, token), 401, token);
  }
});

test("keys that a token brings along are not looked at (RFC 8725 sections 3.9 and 3.10)", async () => {
  const own = { header: { kid: "evil" }, pair: otherRsa };
  for (const header of [
    { jwk: otherRsa.publicKey.export({ format: "jwk" }) },
    { jwk: otherRsa.publicKey.export({ format: "jwk" }), kid: undefined },
    { jku: "https://127.0.0.1:1/keys.json" },
    { x5u: "https://127.0.0.1:1/keys.pem" },
    { x5c: [Buffer.from("x").toString("base64")] },
    { x5t: "AAAA" },
    { kid: "../../../../dev/null" },
    { kid: "RS256' or '1'='1" },
    { kid: "RS256\u0000" },
    { kid: ["RS256"] },
    { kid: 7 },
  ]) {
    assert.equal(await ask(daemon, mint("RS256", { ...own, header: { ...own.header, ...header } })), 401, JSON.stringify(header));
  }
  // And of no harm beside a right key.
  assert.equal(await ask(daemon, mint("RS256", { header: { jku: "https://127.0.0.1:1/", jwk: otherRsa.publicKey.export({ format: "jwk" }) } })), 200);
  assert.equal(await ask(daemon, mint("RS256", { header: { crit: ["b64"], b64: false } })), 401);
  assert.equal(await ask(daemon, mint("RS256", { header: { typ: "logout+jwt" } })), 401);
  assert.equal(await ask(daemon, mint("RS256", { header: { typ: "at+jwt" } })), 200);
});

test("signatures of zeros, in DER, or of another key are none", async () => {
  const [header, payload] = mint("ES256").split(".");
  const text = Buffer.from(`${header}.${payload}`);
  const der = signWith("sha256", text, { key: pairs.ES256.privateKey, dsaEncoding: "der" }).toString("base64url");
  for (const signature of [Buffer.alloc(64).toString("base64url"), der, Buffer.alloc(64, 255).toString("base64url")]) {
    assert.equal(await ask(daemon, `${header}.${payload}.${signature}`), 401);
  }
  assert.equal(await ask(daemon, mint("RS256", { pair: otherRsa })), 401);
  assert.equal(await ask(daemon, mint("ES256", { pair: generateKeyPairSync("ec", { namedCurve: "prime256v1" }) })), 401);
  // PS256 with a salt of another length than the hash's.
  const body = `${encode({ alg: "PS256", kid: "PS256" })}.${payload}`;
  const odd = signWith("sha256", Buffer.from(body), { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 0 });
  assert.equal(await ask(daemon, `${body}.${odd.toString("base64url")}`), 401);
});

test("claims of other types than their own are refused", async () => {
  for (const more of [
    { exp: String(now() + 60) }, { exp: -1 }, { exp: 1e300 }, { exp: null }, { exp: [now() + 60] }, { exp: undefined },
    { nbf: now() + 600 }, { nbf: "0" }, { iat: now() + 600 }, { iat: {} },
  ]) {
    assert.equal(await ask(daemon, mint("RS256", { payload: claims(more) })), 401, JSON.stringify(more));
  }
  const raw = (payload) => {
    const text = `${encode({ alg: "RS256", kid: "RS256" })}.${Buffer.from(payload).toString("base64url")}`;
    return `${text}.${signWith("sha256", Buffer.from(text), rsa.privateKey).toString("base64url")}`;
  };
  const good = JSON.stringify(claims());
  assert.equal(await ask(daemon, raw(good)), 200);
  for (const payload of [`[${good}]`, `"x"`, "null", good.slice(0, -1), `${good}{}`, good.replace("{", `{"sub":"x",`), good.replace("{", '{"exp":1,'), "", "\xff"]) {
    assert.equal(await ask(daemon, raw(payload)), 401, payload);
  }
  assert.equal(await ask(daemon, raw(good.replace("{", `{"x":"${"y".repeat(9000)}",`))), 401);
});

test("auth.jwt.max_age refuses what was issued too long ago", async () => {
  const young = await start(database, { auth: { jwt: { max_age: "1m", leeway: "0s" } } });
  assert.equal(await ask(young, sign(claims({ iat: now() - 30 }))), 200);
  assert.equal(await ask(young, sign(claims({ iat: now() - 90 }))), 401);
  assert.equal(await ask(young, sign(claims({ iat: undefined }))), 401);
  await young.stop();
});

test("keys that do not fit are refused at the start", async () => {
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const check = async (key, algorithms = [key.alg]) => {
    const { code, stderr } = await program(["check", "-c", writeConfiguration(configuration(database, { auth: { jwt: { algorithms, keys: [key] } } }))]);
    assert.equal(code, 78, JSON.stringify(key));
    return stderr;
  };
  assert.match(await check({ kid: "a", alg: "RS256", public_key: pem(small) }), /less than 2048 bits/);
  assert.match(await check({ kid: "a", alg: "ES256", public_key: pem(pairs.ES384) }), /another curve/);
  assert.match(await check({ kid: "a", alg: "ES256", public_key: pem(rsa) }), /another curve/);
  assert.match(await check({ kid: "a", alg: "EdDSA", public_key: pem(rsa) }), /Ed25519/);
  assert.match(await check({ kid: "a", alg: "RS256", public_key: "nonsense" }), /no PEM/);
  assert.match(await check({ kid: "a", alg: "RS256", secret: SECRET }), /public_key/);
  assert.match(await check({ kid: "a", alg: "HS256", public_key: pem(rsa) }), /secret/);
  assert.match(await check({ kid: "a", alg: "RS256", secret: SECRET, public_key: pem(rsa) }), /both/);
  assert.match(await check({ kid: "a", alg: "RS256", public_key: pem(rsa) }, ["ES256"]), /not among auth.jwt.algorithms/);
});

// --- key sets ---------------------------------------------------------------------------------------------

const dir = `${process.env.E2E_DIR}/${randomBytes(4).toString("hex")}`;
mkdirSync(dir);
execFileSync("openssl", [
  "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
  "-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`,
], { stdio: "ignore" });

/** An issuer's server: what it answers can be changed. */
async function issuer(t, { tls = true } = {}) {
  const state = { asked: 0, answer: (response) => response.end(JSON.stringify({ keys: state.keys })), keys: [] };
  const handler = (request, response) => {
    state.asked++;
    state.answer(response, request);
  };
  const server = tls ? https.createServer({ key: readFileSync(`${dir}/key.pem`), cert: readFileSync(`${dir}/cert.pem`) }, handler) : http.createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http${tls ? "s" : ""}://localhost:${server.address().port}/jwks.json`;
  state.server = server;
  return state;
}

const jwks = (url, more = {}, algorithms = ALGORITHMS) => ({
  auth: { jwt: { algorithms, keys: undefined }, jwks: { url, ca_file: `${dir}/cert.pem`, min_refetch: "200ms", timeout: "2s", ...more } },
});

test("the keys of a key set check tokens of all algorithms", async (t) => {
  const from = await issuer(t);
  from.keys = ALGORITHMS.map((alg) => jwk(alg));
  const d = await start(database, jwks(from.url));
  await within(5000, "it has the keys", async () => (await ask(d, mint("RS256"))) === 200);
  for (const alg of ALGORITHMS) {
    assert.equal(await ask(d, mint(alg)), 200, alg);
    assert.equal(await ask(d, mint(alg, { pair: alg.startsWith("ES") ? generateKeyPairSync("ec", { namedCurve: ec[alg] }) : alg === "EdDSA" ? generateKeyPairSync("ed25519") : otherRsa })), 401, alg);
  }
  assert.match((await d.admin("/metrics")).text, /^fraiseql_jwks_refresh_total{result="ok"} [1-9]/m);
  await d.stop();
});

test("a key without an algorithm is for all of its type, and what is of no use is left out", async (t) => {
  const from = await issuer(t);
  from.keys = [
    jwk("RS256", rsa, { alg: undefined, kid: "any" }),
    jwk("RS256", otherRsa, { use: "enc", kid: "enc" }),
    jwk("RS256", otherRsa, { key_ops: ["encrypt"], kid: "ops" }),
    { kty: "oct", k: encode(SECRET), kid: "e2e", alg: "HS256" },
    { kty: "RSA", n: "AQAB", e: "AQAB", kid: "tiny", alg: "RS256" },
    { kty: "EC", crv: "P-256", x: encode("short"), y: encode("short"), kid: "off", alg: "ES256" },
    { kty: "EC", crv: "P-256", x: Buffer.alloc(32, 1).toString("base64url"), y: Buffer.alloc(32, 1).toString("base64url"), kid: "off", alg: "ES256" },
    { kty: "what", kid: "what" },
    null,
  ];
  const d = await start(database, jwks(from.url, {}, ["HS256", ...ALGORITHMS]));
  await within(5000, "it has the keys", async () => (await ask(d, mint("RS256", { header: { kid: "any" } }))) === 200);
  assert.equal(await ask(d, mint("PS512", { header: { kid: "any" } })), 200);
  assert.equal(await ask(d, mint("RS256", { pair: otherRsa, header: { kid: "enc" } })), 401);
  assert.equal(await ask(d, mint("RS256", { pair: otherRsa, header: { kid: "ops" } })), 401);
  // Whoever can read the set could sign with a secret in it.
  assert.equal(await ask(d, sign(claims())), 401);
  assert.equal(d.logged("keys of tokens loaded")[0].skipped, 8);
  await d.stop();
});

test("keys rotate: an unknown one has the set read again, and what is gone is refused", async (t) => {
  const from = await issuer(t);
  from.keys = [jwk("RS256")];
  const d = await start(database, jwks(from.url));
  await within(5000, "it has the keys", async () => (await ask(d, mint("RS256"))) === 200);
  from.keys = [jwk("RS256"), jwk("ES256")];
  assert.equal(await refusal(d, mint("ES256")), "the token's key is not known");
  await within(3000, "the new key is known", async () => (await ask(d, mint("ES256"))) === 200);
  // Meanwhile the old one works, remembered or not; and from now on no valid token is refused.
  let running = true;
  const load = Array.from({ length: 4 }, async (_, n) => {
    while (running) {
      assert.equal(await ask(d, mint(n % 2 ? "ES256" : "RS256", { payload: claims({ jti: randomBytes(4).toString("hex") }) })), 200);
    }
  });
  for (const keys of [[jwk("RS256"), jwk("ES256"), jwk("ES384")], [jwk("ES256"), jwk("RS256"), jwk("EdDSA")], [jwk("RS256"), jwk("ES256")]]) {
    from.keys = keys;
    const asked = from.asked;
    await ask(d, mint("RS256", { header: { kid: randomBytes(4).toString("hex") } }));
    await within(3000, "it is read again", () => from.asked > asked);
  }
  running = false;
  await Promise.all(load);
  const remembered = mint("RS256");
  assert.equal(await ask(d, remembered), 200);
  from.keys = [jwk("ES256")];
  await ask(d, mint("EdDSA"));
  await within(3000, "the old key is gone", async () => (await ask(d, remembered)) === 401);
  await d.stop();
});

test("unknown keys do not make a flood of fetches", async (t) => {
  const from = await issuer(t);
  from.keys = [jwk("RS256")];
  const d = await start(database, jwks(from.url, { min_refetch: "1h" }));
  await within(5000, "it has the keys", async () => (await ask(d, mint("RS256"))) === 200);
  const before = from.asked;
  await Promise.all(Array.from({ length: 100 }, (_, n) => ask(d, mint("RS256", { pair: otherRsa, header: { kid: `k${n}` } }))));
  assert.equal(from.asked, before);
  await d.stop();
});

test("while the issuer is away its keys hold, and not for ever", async (t) => {
  const from = await issuer(t);
  from.keys = [jwk("RS256")];
  const d = await start(database, jwks(from.url, { refresh_interval: "1s", stale_ok: "1500ms" }));
  await within(5000, "it has the keys", async () => (await ask(d, mint("RS256"))) === 200);
  from.answer = (response) => response.writeHead(500).end("the password is hunter2");
  await within(5000, "it noticed", () => d.logged("could not load the keys of tokens").length === 1);
  assert.equal(await ask(d, mint("RS256")), 200);
  await within(10000, "they are too old", async () => (await ask(d, mint("RS256"))) === 503);
  assert.equal(d.logged("could not load the keys of tokens")[0].reason, "status 500");
  assert.doesNotMatch(d.stderr, /hunter2/);
  from.answer = (response) => response.end(JSON.stringify({ keys: from.keys }));
  await within(2000, "it is back", async () => (await ask(d, mint("RS256"))) === 200);
  await d.stop();
});

test("an issuer that is away when the daemon starts is found within two seconds after it is back, however long that took", async (t) => {
  const from = await issuer(t);
  from.keys = [jwk("RS256")];
  from.answer = (response) => response.writeHead(503).end();
  const d = await start(database, jwks(from.url, { min_refetch: "1h" }));
  assert.equal(await ask(d, mint("RS256")), 503);
  await new Promise((resolve) => setTimeout(resolve, 8500)); // pauses that double are 8 s by then
  from.answer = (response) => response.end(JSON.stringify({ keys: from.keys }));
  await within(2000, "it is found", async () => (await ask(d, mint("RS256"))) === 200);
  assert.equal(d.logged("could not load the keys of tokens").length, 1);
  assert.equal(d.logged("keys of tokens loaded").length, 1);
  await d.stop();
});

test("answers that are none: redirects, floods, silence, nonsense, another certificate", async (t) => {
  const good = await issuer(t);
  good.keys = [jwk("RS256")];
  const bad = await issuer(t);
  const reasonOf = async (answer, more = {}) => {
    bad.answer = answer;
    const d = await start(database, jwks(bad.url, { timeout: "5s", ...more }));
    await within(8000, "it failed", () => d.logged("could not load the keys of tokens").length > 0);
    const started = performance.now();
    assert.equal(await ask(d, mint("RS256")), 503);
    assert.ok(performance.now() - started < 400 * 4);
    await d.stop();
    return d.logged("could not load the keys of tokens")[0].reason;
  };
  assert.equal(await reasonOf((r) => r.writeHead(302, { location: good.url }).end()), "status 302");
  assert.match(await reasonOf((r) => r.end("x".repeat(3 << 20))), /more than 1048576 bytes/);
  assert.match(await reasonOf(() => {}, { timeout: "500ms" }), /Timeout/);
  assert.match(await reasonOf((r) => r.end("[]")), /no JSON Web Key Set/);
  assert.match(await reasonOf((r) => r.end("<html>")), /no JSON Web Key Set/);
  assert.match(await reasonOf((r) => r.end(JSON.stringify({ keys: good.keys })), { ca_file: "" }), /certificate|SSL/);
  bad.url = bad.url.replace("localhost", "127.0.0.1");
  assert.match(await reasonOf((r) => r.end(JSON.stringify({ keys: good.keys }))), /certificate|SSL/);
});

test("http is for those who ask for it", async (t) => {
  const plain = await issuer(t, { tls: false });
  plain.keys = [jwk("RS256")];
  const check = async (more) => (await program(["check", "-c", writeConfiguration(configuration(database, jwks(plain.url, more)))])).code;
  assert.equal(await check({}), 78);
  assert.equal(await check({ allow_http: true }), 0);
  assert.equal((await program(["check", "-c", writeConfiguration(configuration(database, jwks("file:///etc/passwd", { allow_http: true })))])).code, 78);
  assert.equal((await program(["check", "-c", writeConfiguration(configuration(database, jwks(plain.url, { allow_http: true }, ["HS256"])))])).code, 78);
  const d = await start(database, jwks(plain.url, { allow_http: true }));
  await within(5000, "it has the keys", async () => (await ask(d, mint("RS256"))) === 200);
  await d.stop();
});

test("a key set in a file is read again as it changes, secrets and all, beside configured keys", async () => {
  const file = writeFile("json", JSON.stringify({ keys: [jwk("RS256"), { kty: "oct", kid: "mac", alg: "HS512", k: encode("s".repeat(64)) }] }));
  const d = await start(database, {
    auth: { jwt: { algorithms: ["HS256", "HS512", ...ALGORITHMS] }, jwks: { file, refresh_interval: "1s" } },
  });
  const mac = (secret) => sign(claims(), { secret, hash: "sha512", header: { alg: "HS512", kid: "mac" } });
  await within(5000, "it has the keys", async () => (await ask(d, mint("RS256"))) === 200);
  assert.equal(await ask(d, mac("s".repeat(64))), 200);
  assert.equal(await ask(d, sign(claims())), 200);
  writeFileSync(file, JSON.stringify({ keys: [jwk("ES256")] }));
  await within(5000, "the new key is known", async () => (await ask(d, mint("ES256"))) === 200);
  assert.equal(await ask(d, mint("RS256")), 401);
  assert.equal(await ask(d, mac("s".repeat(64))), 401);
  assert.equal(await ask(d, sign(claims())), 200);
  await d.stop();
});
