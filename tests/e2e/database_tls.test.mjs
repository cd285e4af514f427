// The way to PostgreSQL: with sslmode verify-full nobody is believed to be the database without a
// certificate of the CA for the name that was asked for.

import assert from "node:assert/strict";
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { Authority } from "./support/certificates.mjs";
import { configuration, Daemon, merge, program, start, writeConfiguration } from "./support/daemon.mjs";
import { startServer } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

const HOST = "db.test";
const authority = new Authority();
const other = new Authority("Another CA");
const server = await startServer();
after(() => server.stop());

/** A file of the server's, which runs as another user perhaps. */
function give(name, text) {
  const path = `${server.dir}/data/${name}`;
  const { uid, gid } = statSync(`${server.dir}/data`);
  writeFileSync(path, text, { mode: 0o600 });
  chownSync(path, uid, gid);
  chmodSync(path, 0o600);
}

const reload = () => server.sql("postgres", "select pg_reload_conf()");
const ssl = async () => (await server.sql("postgres", "select string_agg(name || '=' || setting, ' ') from pg_settings where name = 'ssl'"));

/** The server shows this certificate from now on. */
async function show({ cert, key }) {
  give("server.crt", cert);
  give("server.key", key);
  give("clients.crt", authority.pem);
  await server.sql("postgres", "alter system set ssl_ca_file = 'clients.crt'");
  await server.sql("postgres", "alter system set ssl = on");
  await reload();
  await within(5000, "it speaks TLS", async () => (await ssl()) === "ssl=on");
}

const verified = (ca = authority.file, options = {}, more = {}) =>
  merge({ database: { host: HOST, sslmode: "verify-full", options: { hostaddr: "127.0.0.1", sslrootcert: ca, ...options }, pool: { retry_backoff: ["100ms", "500ms"] } } }, more);

/** A daemon that does not become ready; why. */
async function refused(more) {
  const daemon = await new Daemon(configuration("demo", more, server)).listening();
  const REASON = "could not connect to database";
  try {
    await within(10000, "it says why", () => daemon.logged(REASON).length > 0);
    assert.equal((await daemon.admin("/readyz")).status, 503);
    assert.notEqual((await daemon.post("{ projects { id } }")).status, 200);
    return daemon.logged(REASON)[0].reason;
  } finally {
    await daemon.stop();
  }
}

const encrypted = () =>
  server.sql("demo", "select count(*) filter (where s.ssl), count(*) from pg_stat_activity a join pg_stat_ssl s using (pid) where a.usename = 'fraiseqld'");

test("a server without TLS is refused", async () => {
  assert.match(await refused(verified()), /server does not support SSL, but SSL was required/);
});

test("the right name under the right CA is connected to, on every connection", async () => {
  await show(authority.issue(HOST));
  const daemon = await start("demo", verified(), { server });
  try {
    assert.ok((await daemon.data("{ projects { id } }")).projects.length > 0);
    await within(5000, "notifications are heard", async () => (await encrypted()).split("|")[1] >= 2);
    const [secure, all] = (await encrypted()).split("|");
    assert.equal(secure, all);
  } finally {
    await daemon.stop();
  }
});

test("another name is refused, and both names are said", async () => {
  await show(authority.issue("elsewhere.test"));
  assert.match(await refused(verified()), /server certificate for "elsewhere\.test" does not match host name "db\.test"/);
  // that the CA is right is all that verify-ca asks
  const daemon = await start("demo", verified(authority.file, {}, { database: { sslmode: "verify-ca" } }), { server });
  await daemon.stop();
});

test("another CA, an expired certificate and a CA that is not there are refused", async () => {
  await show(authority.issue(HOST));
  assert.match(await refused(verified(other.file)), /certificate verify failed/);
  assert.match(await refused(verified("/nowhere/ca.crt")), /root certificate file "\/nowhere\/ca\.crt" does not exist/);
  await show(authority.issue(HOST, { days: -1 }));
  assert.match(await refused(verified()), /certificate verify failed|expired/);
});

test("commands that connect refuse as the daemon does", async () => {
  await show(authority.issue("elsewhere.test"));
  const file = writeConfiguration(configuration("demo", verified(authority.file, {}, { database: { pool: { acquire_timeout: "1s" } } }), server));
  for (const args of [["check", "--connect"], ["db", "status"], ["schema", "print"]]) {
    const { code, stderr } = await program([...args, "-c", file]);
    assert.equal(code, 69, `${args}: ${stderr}`);
    assert.match(stderr, /does not match host name "db\.test"/, String(args));
  }
});

test("a value that sslmode does not have is an error of the configuration", async () => {
  const file = writeConfiguration(configuration("demo", verified(authority.file, {}, { database: { sslmode: "verify-ful" } }), server));
  const { code, stderr } = await program(["check", "-c", file]);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /database\.sslmode must be disable, allow/);
});

test("a certificate of the daemon's own is shown where the server wants one", async () => {
  await show(authority.issue(HOST));
  const hba = `${server.dir}/data/pg_hba.conf`;
  const before = readFileSync(hba, "utf8");
  give("pg_hba.conf", `hostssl all fraiseqld all trust clientcert=verify-full\n${before}`);
  await reload();
  try {
    const good = authority.issue("fraiseqld");
    const bad = authority.issue("somebody");
    const daemon = await start("demo", verified(authority.file, { sslcert: good.cert_file, sslkey: good.key_file }), { server });
    await daemon.stop();
    assert.match(await refused(verified(authority.file, { sslcert: bad.cert_file, sslkey: bad.key_file })), /authentication failed|certificate/);
    assert.match(await refused(verified()), /certificate/);
  } finally {
    give("pg_hba.conf", before);
    await reload();
  }
});

test("another CA is taken over at a reload, and the connections with it", async () => {
  await show(authority.issue(HOST));
  const daemon = await new Daemon(configuration("demo", verified(other.file), server)).listening();
  try {
    await within(10000, "it is refused", () => daemon.logged("could not connect to database").length > 0);
    writeFileSync(daemon.file, JSON.stringify(configuration("demo", verified(), server)));
    daemon.signal("SIGHUP");
    await daemon.ready();
    await show(other.issue(HOST));
    // whatever is connected stays so; what connects from now on needs the new one
    writeFileSync(daemon.file, JSON.stringify(configuration("demo", verified(other.file), server)));
    daemon.signal("SIGHUP");
    await within(5000, "it is reloaded", () => daemon.logged("configuration reloaded").length === 2);
    await server.sql("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'fraiseqld'");
    await within(10000, "it has connected anew", async () => (await daemon.post("{ projects { id } }")).status === 200);
  } finally {
    await daemon.stop();
  }
});
