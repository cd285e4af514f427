// HTTPS on server.listen: what clients negotiate, what they may do to a session, whose certificates
// are taken, and how the daemon's own is exchanged while it serves.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { test } from "node:test";
import tls from "node:tls";
import { Authority } from "./support/certificates.mjs";
import { running } from "./support/children.mjs";
import { Daemon, configuration, merge, metric, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { postBytes, Raw } from "./support/raw.mjs";
import { ACME, tokenFor } from "./support/token.mjs";
import { atMost, slowness, within } from "./support/wait.mjs";

const authority = new Authority();
const other = new Authority("Another CA");
const own = authority.issue("localhost");
const token = tokenFor(ACME);
const get = (path, headers = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

const withTls = (options = {}, server = {}) => ({
  server: { ...server, tls: { enabled: true, cert_file: own.cert_file, key_file: own.key_file, ...options } },
});

/** A daemon that speaks TLS, for as long as run() takes. */
async function withDaemon(more, run) {
  const database = await createDatabase();
  const daemon = await start(database, more);
  try {
    await run(daemon, database);
  } finally {
    await daemon.stop();
  }
}

const where = (daemon) => ({ host: "127.0.0.1", port: Number(daemon.address.split(":").at(-1)) });
const trusting = { ca: authority.pem, servername: "localhost" };

/** A request by Node's client; agent: false makes a connection for it. */
function ask(daemon, { path = "/graphql", query = "{ projects { id } }", method = "POST", body, ...more } = {}) {
  const text = method === "GET" ? "" : body ?? JSON.stringify({ query });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}`, "content-length": Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const request = https.request({ ...where(daemon), ...trusting, path, method, headers, agent: false, ...more }, (response) => {
      const { socket } = response;
      const session = { protocol: socket.getProtocol(), alpn: socket.alpnProtocol, cipher: socket.getCipher().name, serial: socket.getPeerCertificate().serialNumber };
      let got = "";
      response.setEncoding("utf8").on("data", (part) => (got += part)).on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text: got, ...session }));
    });
    request.on("error", reject);
    request.end(text);
  });
}

/** A session of bytes: what came so far is text. */
class Secure {
  constructor(daemon, more = {}) {
    this.text = "";
    this.socket = tls.connect({ ...where(daemon), ...trusting, ...more });
    this.socket.setEncoding("latin1").on("data", (text) => (this.text += text));
    this.socket.on("error", (error) => (this.error = error));
    this.socket.on("session", (session) => (this.session = session));
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
    this.secured = new Promise((resolve, reject) => this.socket.on("secureConnect", resolve).on("error", reject).on("close", reject));
    this.secured.catch(() => {});
  }

  get answers() {
    return this.text.split(/(?=HTTP\/1\.1 \d)/).filter((answer) => answer.length > 0);
  }

  async read(n) {
    await within(10000, `${n} answers`, () => this.answers.length >= n && this.answers[n - 1].includes("\r\n\r\n"));
    return this.answers;
  }

  async end() {
    await atMost(10000, "the server closes the connection", this.closed);
    return this.text;
  }

  close() {
    this.socket.destroy();
  }
}

/** openssl s_client, which changes its keys some times, is given the request and waits for the end. */
async function sClient(daemon, request, { updates = 0 } = {}, ...args) {
  const child = spawn("openssl", ["s_client", "-connect", daemon.address, "-servername", "localhost", "-CAfile", authority.file, ...args], { stdio: "pipe" });
  let out = "";
  running.add(child);
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (out += text));
  child.stdin.on("error", () => {});
  for (let i = 1; i <= updates; i++) {
    await within(10000, "the session is there", () => out.includes("Verify return code"));
    child.stdin.write("K\n");
    await within(10000, "keys are changed", () => out.split("KEYUPDATE").length > i);
  }
  child.stdin.write(request);
  const code = await atMost(15000, "s_client ends", new Promise((resolve) => child.on("close", resolve)));
  running.delete(child);
  return { code, out };
}

test("clients are answered by TLS 1.2 and 1.3, over http/1.1, and older or other protocols are refused", async () => {
  await withDaemon(withTls(), async (daemon) => {
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const answer = await ask(daemon, { minVersion: version, maxVersion: version, ALPNProtocols: ["h2", "http/1.1"] });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.protocol, version);
      assert.equal(answer.alpn, "http/1.1");
      assert.match(answer.cipher, /GCM|CHACHA20/);
      assert.ok(JSON.parse(answer.text).data.projects.length > 0);
    }
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" };
    await assert.rejects(ask(daemon, old), /protocol version|SSL alert number 70/);
    await assert.rejects(ask(daemon, { ALPNProtocols: ["h2"] }), /no application protocol|SSL alert number 120/);
    // with CBC, and without forward secrecy
    await assert.rejects(ask(daemon, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256" }), /handshake failure/);
    await assert.rejects(ask(daemon, { ca: other.pem }), /unable to (get local issuer|verify the first)|self.signed/);
    assert.ok(await metric(daemon, 'fraiseql_tls_handshakes_total{result="failed"}') >= 3);
    assert.ok(await metric(daemon, 'fraiseql_tls_handshakes_total{result="full"}') >= 2);
    // the probes' port is plain
    assert.equal((await daemon.admin("/livez")).status, 200);
  });
});

test("a session is resumed by its ticket, and a connection is kept", async () => {
  await withDaemon(withTls(), async (daemon) => {
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const limits = { minVersion: version, maxVersion: version };
      const first = new Secure(daemon, limits);
      first.socket.write(get("/health"));
      await first.read(1);
      first.socket.write(get("/health"));
      await first.read(2);
      await within(3000, "there is a ticket", () => first.session);
      first.close();
      const second = new Secure(daemon, { ...limits, session: first.session });
      await second.secured;
      assert.ok(second.socket.isSessionReused(), version);
      second.socket.write(get("/health"));
      assert.match((await second.read(1))[0], /^HTTP\/1.1 200/);
      second.close();
    }
    assert.equal(await metric(daemon, 'fraiseql_tls_handshakes_total{result="resumed"}'), 2);
  });
});

test("requests may share a record, or take many, and are answered in order", async () => {
  await withDaemon(withTls(), async (daemon) => {
    const session = new Secure(daemon);
    const post = postBytes("{ projects { id } }", token);
    session.socket.write((post + get("/health") + get("/nowhere")).repeat(30));
    const answers = await session.read(90);
    assert.deepEqual(answers.map((answer) => answer.slice(9, 12)), Array(30).fill(["200", "200", "404"]).flat());
    // the body is read to its end, and what is behind it in its record has been decrypted then
    const [head, body] = post.split("\r\n\r\n");
    session.socket.setNoDelay(true);
    session.socket.write(`${head}\r\n\r\n`);
    session.socket.write(body + get("/nowhere"));
    assert.deepEqual((await session.read(92)).slice(90).map((answer) => answer.slice(9, 12)), ["200", "404"]);
    for (const byte of post) {
      session.socket.write(byte);
      await new Promise(setImmediate);
    }
    assert.match((await session.read(93))[92], /^HTTP\/1.1 200[^]*projects/);
    // more than is kept of what a client sends ahead, and than one record holds
    session.socket.write(get("/health", `X-Fill: ${"x".repeat(9000)}\r\n`).repeat(60) + post);
    assert.equal((await session.read(154)).filter((answer) => answer.startsWith("HTTP/1.1 200")).length, 123);
    session.close();
  });
});

test("large bodies arrive whole, in both directions, also where a client reads slowly", async () => {
  await withDaemon(withTls({}, { limits: { max_body_bytes: "3MiB" } }), async (daemon, database) => {
    await shared.sql(database, `create view v_big as select 1 as id, repeat('0123456789', 100000) as body; grant select on v_big to app_user; select pg_notify('fraiseqld', 'schema')`);
    await within(5000, "the view is there", async () => (await ask(daemon, { query: "{ bigs { id } }" })).status === 200 && daemon.logged("schema loaded").length > 1);
    const text = "äx".repeat(400000);
    const query = `query ($t: String!) { projects(where: { name: { eq: $t } }) { id } }`;
    const body = JSON.stringify({ query, variables: { t: text } });
    const answer = await ask(daemon, { body });
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    // the aliases repeat what there is until it fills any buffer of a socket
    const names = Array.from({ length: 12 }, (_, i) => `a${i}: bigs { body }`).join(" ");
    const session = new Secure(daemon);
    await session.secured;
    session.socket.pause();
    session.socket.write(postBytes(`{ ${names} }`, token));
    await new Promise((resolve) => setTimeout(resolve, 300));
    session.socket.resume();
    await within(20000, "all of it", () => session.text.endsWith("}]}}") || /^HTTP\/1.1 [^2]/.test(session.text));
    const length = Number(/content-length: (\d+)/i.exec(session.text)[1]);
    const json = session.text.slice(session.text.indexOf("\r\n\r\n") + 4);
    assert.equal(json.length, length, session.text.slice(0, 300));
    assert.ok(length > 10000000);
    for (const rows of Object.values(JSON.parse(json).data)) {
      assert.ok(rows[0].body === "0123456789".repeat(100000));
    }
    session.close();
  });
});

test("bodies too large or too late, heads too late and expectations are answered as without TLS", async () => {
  const timeouts = { header_timeout: "400ms", body_timeout: "400ms", keepalive_timeout: "60s", limits: { max_body_bytes: "1KiB" } };
  await withDaemon(withTls({}, timeouts), async (daemon) => {
    const large = new Secure(daemon);
    large.socket.write(`POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n${"x".repeat(5000)}`);
    assert.match(await large.end(), /^HTTP\/1.1 413[^]*Connection: close/i);
    assert.equal(large.error, undefined);
    const body = new Secure(daemon);
    body.socket.write("POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nx");
    assert.match(await body.end(), /^HTTP\/1.1 408/);
    const head = new Secure(daemon);
    head.socket.write("GET / HT");
    assert.match(await head.end(), /^HTTP\/1.1 408/);
    const expecting = new Secure(daemon);
    const [start, rest] = postBytes("{ projects { id } }", token, "Expect: 100-continue\r\n").split("\r\n\r\n");
    expecting.socket.write(`${start}\r\n\r\n`);
    await within(3000, "it is asked for the body", () => expecting.text === "HTTP/1.1 100 Continue\r\n\r\n");
    expecting.socket.write(rest);
    assert.match((await expecting.read(2))[1], /^HTTP\/1.1 200/);
    expecting.close();
  });
});

test("clients may send ahead, leave at any moment and stop reading", async () => {
  await withDaemon(withTls({}, { write_timeout: "500ms" }), async (daemon, database) => {
    await shared.sql(database, `create view v_slow as select 1 as id, pg_sleep(0.3)::text as pause;
      create view v_big as select n as id, repeat('0123456789', 100000) as body from generate_series(1, 12) n;
      grant select on v_slow, v_big to app_user; select pg_notify('fraiseqld', 'schema')`);
    await within(5000, "the views are there", () => daemon.logged("schema loaded").length > 1);
    // while the first is answered, no more is read than is kept
    const ahead = new Secure(daemon);
    ahead.socket.write(postBytes("{ slows { id pause } }", token) + get("/health", `X-Fill: ${"x".repeat(9000)}\r\n`).repeat(40));
    const answers = await ahead.read(41);
    assert.match(answers[0], /"pause"/);
    assert.ok(answers.every((answer) => answer.startsWith("HTTP/1.1 200")));
    ahead.close();
    // the statement ends with the client
    const left = await metric(daemon, 'fraiseql_http_requests_total{code="499"}');
    const leaving = new Secure(daemon);
    await leaving.secured;
    leaving.socket.write(postBytes("{ slows { pause } }", token));
    await within(3000, "it runs", async () => (await metric(daemon, "fraiseql_http_requests_in_flight")) === 1);
    leaving.close();
    await within(3000, "it is left", async () => (await metric(daemon, 'fraiseql_http_requests_total{code="499"}')) === left + 1);
    // within a handshake, a head, a body, a reply
    const post = postBytes("{ bigs { body } }", token);
    for (let i = 0; i < 60; i++) {
      const session = new Secure(daemon);
      if (i % 3 > 0) {
        await session.secured;
        session.socket.write(post.slice(0, i * 10));
      }
      await new Promise((resolve) => setTimeout(resolve, i % 7));
      session.close();
    }
    // it has its time to take the reply, and no more
    const stuck = new Secure(daemon);
    await stuck.secured;
    stuck.socket.pause();
    stuck.socket.write(post);
    await within(10000, "it is given up", async () => (await metric(daemon, "fraiseql_http_connections")) <= 1 && (await metric(daemon, "fraiseql_http_requests_in_flight")) === 0);
    stuck.close();
    assert.equal((await ask(daemon)).status, 200);
  });
});

test("plain HTTP is told what the port speaks; rubbish and slow handshakes end", async () => {
  await withDaemon(withTls({}, { header_timeout: "500ms", limits: { max_connections: 3 } }), async (daemon) => {
    const plain = new Raw(daemon.address);
    await plain.send(get("/health"));
    assert.match(await plain.all(), /^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nthis port speaks TLS only\n$/);
    plain.close();
    const rubbish = new Raw(daemon.address);
    await rubbish.send("\x16\x03\x01\xff\xff rubbish".repeat(2000));
    assert.doesNotMatch(await rubbish.all(), /HTTP/);
    rubbish.close();
    // one says nothing, one begins and stops
    const before = performance.now();
    const silent = [new Raw(daemon.address), new Raw(daemon.address)];
    await silent[1].send("\x16\x03\x01\x02\x00\x01");
    for (const raw of silent) {
      assert.equal(await raw.all(), "");
      raw.close();
    }
    assert.ok(performance.now() - before > 400);
    assert.ok(performance.now() - before < 5000 * slowness);
    await within(5000, "they are gone", async () => (await metric(daemon, "fraiseql_http_connections")) <= 1);
    // those that shake hands count
    const many = [1, 2].map(() => new Raw(daemon.address));
    await Promise.all(many.map((raw) => raw.connected));
    const more = [1, 2, 3].map(() => new Raw(daemon.address));
    await Promise.any(more.map((raw) => raw.all(400)));
    assert.equal(await metric(daemon, 'fraiseql_http_rejected_total{reason="max_connections"}') > 0, true);
    [...many, ...more].forEach((raw) => raw.close());
    await within(5000, "others are served", async () => (await ask(daemon).catch(() => ({}))).status === 200);
  });
});

test("clients' certificates are asked for, and must be of the CA that is named", async () => {
  const good = authority.issue("client");
  const bad = other.issue("client");
  const old = authority.issue("client", { days: -1 });
  for (const version of ["TLSv1.2", "TLSv1.3"]) {
    const limits = { minVersion: version, maxVersion: version };
    await withDaemon(withTls({ client_ca_file: authority.file, client_auth: "required" }), async (daemon) => {
      assert.equal((await ask(daemon, { ...limits, cert: good.cert, key: good.key })).status, 200);
      // its certificate is in the ticket
      const first = new Secure(daemon, { ...limits, cert: good.cert, key: good.key });
      first.socket.write(get("/health"));
      await first.read(1);
      await within(3000, "there is a ticket", () => first.session);
      first.close();
      const second = new Secure(daemon, { ...limits, session: first.session });
      await second.secured;
      assert.ok(second.socket.isSessionReused());
      second.close();
      await assert.rejects(ask(daemon, limits), /handshake failure|certificate required|SSL alert number (40|116)/);
      await assert.rejects(ask(daemon, { ...limits, cert: bad.cert, key: bad.key }), /unknown ca|SSL alert number 48/);
      await assert.rejects(ask(daemon, { ...limits, cert: old.cert, key: old.key }), /expired|SSL alert number 45/);
    });
  }
  await withDaemon(withTls({ client_ca_file: authority.file, client_auth: "optional" }), async (daemon) => {
    assert.equal((await ask(daemon)).status, 200);
    assert.equal((await ask(daemon, { cert: good.cert, key: good.key })).status, 200);
    await assert.rejects(ask(daemon, { cert: bad.cert, key: bad.key }), /unknown ca|SSL alert number 48/);
  });
});

test("versions and ciphers are those of the configuration", async () => {
  await withDaemon(withTls({ min_version: "1.3", ciphers: "TLS_CHACHA20_POLY1305_SHA256" }), async (daemon) => {
    await assert.rejects(ask(daemon, { maxVersion: "TLSv1.2" }), /protocol version|SSL alert number 70/);
    assert.equal((await ask(daemon)).cipher, "TLS_CHACHA20_POLY1305_SHA256");
  });
  await withDaemon(withTls({ ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" }), async (daemon) => {
    assert.equal((await ask(daemon, { maxVersion: "TLSv1.2" })).cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
    await assert.rejects(ask(daemon, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }), /handshake failure/);
  });
});

test("the end of a connection is said, after Connection: close and at a drain", async () => {
  await withDaemon(withTls(), async (daemon) => {
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const { code, out } = await sClient(daemon, get("/health", "Connection: close\r\n"), {}, version, "-verify_return_error");
      assert.match(out, /Verification: OK/);
      assert.match(out, /HTTP\/1\.1 200/);
      assert.match(out, /^closed$/m);
      assert.doesNotMatch(out, /unexpected eof/);
      assert.equal(code, 0, out);
    }
    // K of s_client also asks for other keys of ours
    const { out } = await sClient(daemon, get("/health", "Connection: close\r\n"), { updates: 3 }, "-tls1_3");
    assert.match(out, /HTTP\/1\.1 200/);
    assert.match(out, /^closed$/m);
  });
  const idle = await createDatabase();
  const daemon = await start(idle, withTls());
  const kept = new Secure(daemon);
  kept.socket.write(get("/health"));
  await kept.read(1);
  const busy = new Secure(daemon);
  busy.socket.write(postBytes("{ projects { id } }", token).slice(0, -5));
  await busy.secured;
  await within(3000, "both are there", async () => (await metric(daemon, "fraiseql_http_connections")) >= 2);
  daemon.signal("SIGTERM");
  await kept.end();
  assert.equal(kept.error, undefined);
  busy.socket.write(postBytes("{ projects { id } }", token).slice(-5));
  assert.match(await busy.end(), /^HTTP\/1.1 200[^]*Connection: close/i);
  await daemon.stop();
});

test("Unix sockets stay plain, beside one that is not", async () => {
  const path = `${process.env.E2E_DIR}/tls-${process.pid}.sock`;
  const database = await createDatabase();
  const config = configuration(database, withTls({}, { listen: ["127.0.0.1:0", `unix:${path}`] }));
  const daemon = await new Daemon(config).listening();
  try {
    await within(5000, "it listens three times", () => daemon.logged("listening").length === 3);
    daemon.adminUrl = `http://${daemon.logged("listening")[2].address}`;
    await daemon.ready();
    assert.equal((await ask(daemon)).status, 200);
    const status = await new Promise((resolve, reject) => {
      http.get({ socketPath: path, path: "/health", agent: false }, (response) => resolve(response.resume().statusCode)).on("error", reject);
    });
    assert.equal(status, 200);
  } finally {
    await daemon.stop();
  }
});

test("files that cannot be used are named with the reason, at a check and at a start", async () => {
  const secret = authority.issue("localhost", { key: ["-newkey", "rsa:2048"] });
  const closed = `${authority.dir}/closed.key`;
  authority.openssl("rsa", "-in", secret.key_file, "-aes128", "-passout", "pass:abcdef", "-out", closed);
  const weak = authority.issue("localhost", { key: ["-newkey", "rsa:1024"] });
  const empty = writeFile("pem", "");
  const cut = writeFile("pem", own.cert.slice(0, 300));
  const torn = writeFile("pem", own.cert + own.cert.slice(0, 300));
  const cases = [
    [{ cert_file: "/nowhere.pem" }, /server\.tls\.cert_file: could not read "\/nowhere\.pem": No such file/],
    [{ key_file: "/nowhere.key" }, /server\.tls\.key_file: could not read "\/nowhere\.key": No such file/],
    [{ cert_file: empty }, /server\.tls\.cert_file: "[^"]+" has no certificate in PEM/],
    [{ cert_file: cut }, /server\.tls\.cert_file: "[^"]+" has no certificate in PEM/],
    [{ cert_file: torn }, /server\.tls\.cert_file: "[^"]+" is damaged/],
    [{ cert_file: weak.cert_file, key_file: weak.key_file }, /cert_file: "[^"]+" has a certificate that is refused: ee key too small/],
    [{ key_file: own.cert_file }, /server\.tls\.key_file: "[^"]+" has no private key in PEM/],
    [{ key_file: secret.key_file }, /key_file: "[^"]+" is not the key of the certificate in "[^"]+"/],
    [{ key_file: closed }, /key_file: "[^"]+" has a passphrase/],
    [{ client_auth: "required", client_ca_file: empty }, /client_ca_file: "[^"]+" has no certificate/],
    [{ client_auth: "required", client_ca_file: "/nowhere" }, /client_ca_file: could not read/],
    [{ ciphers: "NO-SUCH-CIPHER" }, /server\.tls\.ciphers: "NO-SUCH-CIPHER"/],
    [{ ciphers: "TLS_NO_SUCH" }, /server\.tls\.ciphers: "TLS_NO_SUCH"/],
    [{ client_auth: "required" }, /server\.tls\.client_auth needs server\.tls\.client_ca_file/],
    [{ client_ca_file: authority.file }, /server\.tls\.client_ca_file needs server\.tls\.client_auth/],
    [{ cert_file: "" }, /server\.tls\.cert_file must be set/],
    [{ key_file: "" }, /server\.tls\.key_file must be set/],
    [{ min_version: "1.1" }, /server\.tls\.min_version is "1\.1", must be 1\.2 or 1\.3/],
    [{ alpn: ["h2"] }, /unknown key "alpn" in server\.tls/],
  ];
  for (const [options, message] of cases) {
    const { code, stderr } = await program(["check", "-c", writeConfiguration(configuration("x", withTls(options)))]);
    assert.equal(code, 78, JSON.stringify(options) + stderr);
    assert.match(stderr, message);
  }
  const { code, stderr } = await program(["serve", "-c", writeConfiguration(configuration("x", withTls({ key_file: secret.key_file })))]);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /is not the key of the certificate/);
  assert.equal((await program(["check", "-c", writeConfiguration(configuration("x", withTls()))])).code, 0);
  const health = await program(["health", "-c", writeConfiguration(configuration("x", withTls({}, { admin_listen: "" })))]);
  assert.equal(health.code, 64);
  assert.match(health.stderr, /TLS only/);
});

test("an expired certificate and a key for all to read are warned of, and served", async () => {
  const old = authority.issue("localhost", { days: -1 });
  chmodSync(old.key_file, 0o644);
  await withDaemon(withTls({ cert_file: old.cert_file, key_file: old.key_file }), async (daemon) => {
    assert.equal(daemon.logged("certificate has expired").length, 1);
    assert.equal(daemon.logged("private key can be read by everybody")[0].file, old.key_file);
    assert.equal((await ask(daemon, { rejectUnauthorized: false })).status, 200);
    assert.ok(await metric(daemon, "fraiseql_tls_certificate_expiry_timestamp_seconds") < Date.now() / 1000);
  });
  await withDaemon(withTls(), async (daemon) => {
    assert.equal(daemon.logged("certificate has expired").length, 0);
    assert.equal(daemon.logged("private key can be read by everybody").length, 0);
    const ends = await metric(daemon, "fraiseql_tls_certificate_expiry_timestamp_seconds");
    assert.ok(Math.abs(ends - Date.now() / 1000 - 30 * 86400) < 600, String(ends));
  });
});

/** A directory as Kubernetes mounts a Secret: names are links through ..data to what is in force. */
class Mounted {
  constructor(certificate) {
    this.dir = mkdtempSync(`${process.env.E2E_DIR}/mount-`);
    this.n = 0;
    this.put(certificate);
    symlinkSync("..data/tls.crt", `${this.dir}/tls.crt`);
    symlinkSync("..data/tls.key", `${this.dir}/tls.key`);
    this.options = { cert_file: `${this.dir}/tls.crt`, key_file: `${this.dir}/tls.key` };
  }

  put({ cert_file, key_file }) {
    const before = `${this.dir}/..${this.n}`;
    const now = `..${++this.n}`;
    mkdirSync(`${this.dir}/${now}`);
    copyFileSync(cert_file, `${this.dir}/${now}/tls.crt`);
    copyFileSync(key_file, `${this.dir}/${now}/tls.key`);
    symlinkSync(now, `${this.dir}/..data_tmp`);
    renameSync(`${this.dir}/..data_tmp`, `${this.dir}/..data`);
    rmSync(before, { recursive: true, force: true });
  }
}

const serialOf = (certificate) => authority.openssl("x509", "-noout", "-serial", "-in", certificate.cert_file).trim().split("=")[1];
const FAILED = "could not reload the certificate: the one in use stays";

test("a certificate that is exchanged as Kubernetes does is taken, and open connections go on", async () => {
  const [first, second, third] = [1, 2, 3].map((n) => authority.issue("localhost", { days: 10 * n }));
  const mounted = new Mounted(first);
  await withDaemon(withTls({ ...mounted.options, reload_interval: "100ms" }), async (daemon) => {
    assert.equal((await ask(daemon)).serial, serialOf(first));
    const kept = new Secure(daemon);
    kept.socket.write(get("/health"));
    await kept.read(1);
    const ends = await metric(daemon, "fraiseql_tls_certificate_expiry_timestamp_seconds");
    mounted.put(second);
    await within(10000, "it is exchanged", async () => (await ask(daemon)).serial === serialOf(second));
    kept.socket.write(get("/health"));
    assert.match((await kept.read(2))[1], /^HTTP\/1.1 200/);
    kept.close();
    assert.ok(Math.abs((await metric(daemon, "fraiseql_tls_certificate_expiry_timestamp_seconds")) - ends - 10 * 86400) < 60);
    // a key of another: the certificate in use stays, and is exchanged when they fit
    mounted.put({ cert_file: third.cert_file, key_file: first.key_file });
    await within(10000, "it is refused", () => daemon.logged(FAILED).length > 0);
    assert.match(daemon.logged(FAILED)[0].error, /is not the key of the certificate/);
    assert.equal((await ask(daemon)).serial, serialOf(second));
    assert.equal(await metric(daemon, "fraiseql_tls_certificate_last_reload_successful"), 0);
    mounted.put(third);
    await within(10000, "it is exchanged", async () => (await ask(daemon)).serial === serialOf(third));
    assert.equal(await metric(daemon, "fraiseql_tls_certificate_last_reload_successful"), 1);
    assert.equal(daemon.logged(FAILED).length, 1);
    assert.equal(daemon.logged("certificate in use").length, 3);
  });
});

test("a certificate is exchanged at SIGHUP, and with reload.watch, whatever its own interval", async () => {
  const [first, second, third] = [1, 2, 3].map(() => authority.issue("localhost"));
  const mounted = new Mounted(first);
  await withDaemon(merge(withTls(mounted.options), { reload: { watch: true, interval: "30m" } }), async (daemon, database) => {
    mounted.put(second);
    daemon.signal("SIGHUP");
    await within(5000, "it is exchanged", async () => (await ask(daemon)).serial === serialOf(second));
    // without a change, nothing is
    daemon.signal("SIGHUP");
    await within(5000, "it looked", () => daemon.logged("configuration unchanged").length >= 2);
    assert.equal(daemon.logged("certificate in use").length, 2);
    // what cannot be used refuses all
    mounted.put({ cert_file: third.cert_file, key_file: first.key_file });
    daemon.signal("SIGHUP");
    await within(5000, "it is refused", () => daemon.logged(FAILED).length === 1);
    await within(5000, "all of it", () => daemon.logged("could not reload the configuration: the one in use stays").length > 0);
    assert.equal(daemon.logged("could not reload the configuration: the one in use stays").length, 1);
    assert.equal((await ask(daemon)).serial, serialOf(second));
    // whether clients show certificates is a key like others
    mounted.put(third);
    const next = merge(withTls({ ...mounted.options, client_auth: "required", client_ca_file: authority.file }), { reload: { watch: true, interval: "100ms" } });
    writeFileSync(daemon.file, JSON.stringify(configuration(database, next)));
    daemon.signal("SIGHUP");
    await within(5000, "it is reloaded", () => daemon.logged("configuration reloaded").length === 1);
    await assert.rejects(ask(daemon), /certificate required|SSL alert number 116/);
    const shown = { cert: first.cert, key: first.key };
    assert.equal((await ask(daemon, shown)).serial, serialOf(third));
    mounted.put(first);
    await within(10000, "the files are watched", async () => (await ask(daemon, shown)).serial === serialOf(first));
  });
});

test("TLS is turned on and off at a reload, for connections from then on", async () => {
  await withDaemon({}, async (daemon, database) => {
    const reload = async (more, n) => {
      writeFileSync(daemon.file, JSON.stringify(configuration(database, more)));
      daemon.signal("SIGHUP");
      await within(5000, "it is reloaded", () => daemon.logged("configuration reloaded").length === n);
    };
    assert.equal((await daemon.post("{ projects { id } }")).status, 200);
    assert.equal(await metric(daemon, "fraiseql_tls_certificate_last_reload_successful"), 1);
    await reload(withTls(), 1);
    assert.equal((await ask(daemon)).status, 200);
    // a connection of before stays what it was, by which the agent asks; a new one is not
    assert.equal((await daemon.post("{ projects { id } }")).status, 200);
    assert.equal((await daemon.request(`${daemon.url}/health`, { agent: false })).status, 400);
    const kept = new Secure(daemon);
    await kept.secured;
    await reload({}, 2);
    kept.socket.write(get("/health"));
    assert.match((await kept.read(1))[0], /^HTTP\/1.1 200/);
    kept.close();
    assert.equal((await daemon.request(`${daemon.url}/health`, { agent: false })).status, 200);
    assert.equal(await metric(daemon, "fraiseql_tls_certificate_expiry_timestamp_seconds"), 0);
  });
});

test("requests go on while certificates are exchanged again and again", async () => {
  const certificates = [1, 2, 3].map(() => authority.issue("localhost"));
  const mounted = new Mounted(certificates[0]);
  await withDaemon(withTls(mounted.options), async (daemon) => {
    const serials = new Set();
    let stop = false;
    let answered = 0;
    const agent = new https.Agent({ keepAlive: true, maxSockets: 2 });
    const client = async (options) => {
      while (!stop) {
        const answer = await ask(daemon, options);
        assert.equal(answer.status, 200, answer.text);
        serials.add(answer.serial);
        answered++;
      }
    };
    const clients = [client({}), client({}), client({ agent }), client({ agent })];
    for (let i = 1; i <= 12; i++) {
      const before = answered;
      mounted.put(certificates[i % 3]);
      daemon.signal("SIGHUP");
      await within(10000, "it is exchanged", () => daemon.logged("certificate in use").length > i);
      await within(10000, "clients went on", () => answered > before + 4);
    }
    stop = true;
    await Promise.all(clients);
    agent.destroy();
    assert.ok(serials.size >= 3, String(serials.size));
  });
});
