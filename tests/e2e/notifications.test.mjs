// People are told of errors: by webhook, Slack, mail and NOTIFY; once, whatever fails and however many daemons there are.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { test } from "node:test";
import { configuration, installSystem, program, start, writeConfiguration, writeFile } from "./support/daemon.mjs";
import { createDatabase, Session, shared, startServer } from "./support/postgres.mjs";
import { startSmtp } from "./support/smtp.mjs";
import { slowness, within } from "./support/wait.mjs";

const dir = `${process.env.E2E_DIR}/notifications`;
mkdirSync(dir);
execFileSync("openssl", [
  "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
  "-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`,
], { stdio: "ignore" });
const tlsFiles = { key: readFileSync(`${dir}/key.pem`), cert: readFileSync(`${dir}/cert.pem`) };

async function installed() {
  const database = await createDatabase();
  await installSystem(database);
  return database;
}

/** What is sent to it, as it came. receiver.answer decides upon the response. */
async function receiver(t, { secure = false } = {}) {
  const state = { requests: [], answer: (response) => response.writeHead(204).end() };
  const handler = (request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part) => (text += part));
    request.on("end", () => {
      state.requests.push({ path: request.url, method: request.method, headers: request.headers, text, at: performance.now(), get body() { return JSON.parse(text); } });
      state.answer(response, state.requests.length);
    });
  };
  const server = secure ? https.createServer(tlsFiles, handler) : http.createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = secure ? `https://localhost:${server.address().port}/hook` : `http://127.0.0.1:${server.address().port}/hook`;
  return state;
}

const notifications = (channels, more = {}) => ({
  errors: {
    environment: "staging",
    notifications: {
      enabled: true, channels, allow: ["127.0.0.0/8", "::1"], allow_http: true, interval: "50ms", min_interval: "0s", retry_backoff: ["100ms", "400ms"], timeout: "5s",
      ca_file: `${dir}/cert.pem`, ...more,
    },
  },
});

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

/** An error happens so many times. */
const happen = (database, times = 1, more = {}) => {
  const error = { fingerprint: "f1", environment: "staging", type: "INTERNAL_SERVER_ERROR", message: "could not do it", severity: "error", count: times, ...more };
  return shared.sql(database, `select from fraiseql.record_errors(${quoted(JSON.stringify([error]))})`);
};

const log = (database) =>
  shared.rows(database, "select l.*, g.error_fingerprint from fraiseql.tb_error_notification_log l left join fraiseql.tb_error_group g using (error_id) order by l.sent_at, l.channel");

const finished = async (database, n = 1) => {
  await within(10000, `${n} notifications are over`, async () => (await log(database)).filter((row) => row.status !== "pending").length >= n);
  return log(database);
};

const counter = async (daemon, channel, result) =>
  Number(new RegExp(`^fraiseql_notifications_total\\{channel="${channel}",result="${result}"\\} (\\d+)$`, "m").exec((await daemon.admin("/metrics")).text)[1]);

test("of two daemons one sends, on the 1st, 10th and 100th occurrence, signed", async (t) => {
  const database = await installed();
  const hook = await receiver(t, { secure: true });
  const secret = "whsec \"1\"";
  const config = notifications([{ name: "ops \"hooks\"", type: "webhook", url_file: writeFile("url", hook.url), hmac_secret_file: writeFile("secret", secret), headers: { "X-Team": "core", "X-Empty": "" } }], { allow_http: false });
  const daemons = await Promise.all([start(database, config), start(database, config)]);
  for (const times of [1, 8, 1, 1, 89, 5]) {
    await happen(database, times, { operation: "Save", path: "save", sqlstate: "XX000", release: "v7", trace_id: "ab".repeat(16) });
    const due = { 1: 1, 10: 2, 100: 3 }[Number(await shared.sql(database, "select occurrence_count from fraiseql.tb_error_group"))];
    if (due) {
      await within(5000, `${due} were sent`, () => hook.requests.length === due);
    }
  }
  const rows = await finished(database, 3);
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  assert.equal(hook.requests.length, 3);
  assert.deepEqual(rows.map((r) => [r.status, r.threshold, r.occurrence_count, r.attempts, r.channel_type, r.recipient, r.channel]), [1, 10, 100].map((n) => ["sent", n, n, 1, "webhook", "localhost", "ops \"hooks\""]));
  for (const [i, request] of hook.requests.entries()) {
    const { body, headers } = request;
    assert.equal(request.method, "POST");
    assert.deepEqual([headers["content-type"], headers["x-team"], headers["x-empty"]], ["application/json", "core", ""]);
    assert.match(headers["user-agent"], /^fraiseqld\//);
    assert.equal(headers["x-fraiseql-notification"], body.notification_id);
    assert.equal(body.notification_id, rows[i].notification_id);
    const [, at, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers["x-fraiseql-signature"]);
    assert.ok(Math.abs(Number(at) - Date.now() / 1000) < 60);
    assert.equal(signature, createHmac("sha256", secret).update(`${at}.${request.text}`).digest("hex"));
    const { first_seen, last_seen, notification_id, error_id, ...rest } = body;
    assert.ok(Date.parse(first_seen) <= Date.parse(last_seen));
    assert.equal(error_id, rows[i].error_id);
    assert.ok(notification_id);
    assert.deepEqual(rest, {
      fingerprint: "f1", error_type: "INTERNAL_SERVER_ERROR", message: "could not do it", sqlstate: "XX000", operation: "Save", path: "save", severity: "error", environment: "staging",
      release: "v7", occurrence_count: rest.occurrence_count, threshold: [1, 10, 100][i], reopened: false, trace_id: "ab".repeat(16),
    });
  }
  const all = daemons.map((daemon) => daemon.stderr).join("");
  assert.equal(daemons.flatMap((daemon) => daemon.logged("notification sent")).length, 3);
  assert.ok(!all.includes("whsec") && !all.includes("/hook"), "nothing secret is in the log");
});

test("an error that a client met is told of, by the id that the client was given", async (t) => {
  const database = await installed();
  await shared.sql(database, "create function public.fn_broken(secret text) returns text language plpgsql stable as $$begin raise exception 'no room left' using errcode = 'XX000'; end$$; grant execute on function public.fn_broken(text) to app_user");
  const hook = await receiver(t);
  const { errors } = notifications([{ type: "webhook", url: hook.url }]);
  const daemon = await start(database, { schema: { expose: { functions: ["fn_broken"] } }, errors: { ...errors, enabled: true, release: "2.7.1", queue: { flush_interval: "50ms" } } });
  const before = performance.now();
  const reply = await daemon.post("query Shelf($s: String!) { broken(input: {secret: $s}) }", { variables: { s: "hunter2" } });
  await within(5000, "it is told", () => hook.requests.length === 1);
  const took = hook.requests[0].at - before;
  await daemon.stop();
  const { body, text } = hook.requests[0];
  assert.equal(body.error_id, reply.body.errors[0].extensions.errorId);
  assert.deepEqual([body.error_type, body.sqlstate, body.operation, body.path, body.environment, body.release, body.occurrence_count, body.message], ["INTERNAL_SERVER_ERROR", "XX000", "Shelf", "broken", "staging", "2.7.1", 1, "no room left"]);
  assert.ok(!text.includes("hunter2"));
  assert.ok(took < 2000 * slowness, `${took} ms from the request to the receiver`);
});

test("many errors at once: each is told of once, by whichever of three daemons", async (t) => {
  const database = await installed();
  const hook = await receiver(t);
  const config = notifications([{ type: "webhook", url: hook.url }], { max_per_hour: 0 });
  const daemons = await Promise.all([1, 2, 3].map(() => start(database, config)));
  await shared.sql(database, `select from fraiseql.record_errors((select jsonb_agg(jsonb_build_object('fingerprint', 'f' || n, 'type', 'T')) from generate_series(1, 100) n))`);
  const rows = await finished(database, 100);
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  assert.equal(rows.length, 100);
  assert.deepEqual(hook.requests.map((r) => r.body.fingerprint).sort(), rows.map((r) => r.error_fingerprint).sort());
  assert.ok(rows.every((r) => r.status === "sent" && r.attempts === 1));
});

test("what a receiver answers decides: again after 500, 429 and silence, never again after 404", async (t) => {
  const database = await installed();
  const hook = await receiver(t);
  const other = await receiver(t);
  hook.answer = (response, n) => {
    if (n === 1) {
      response.writeHead(500).end("secret details");
    } else if (n === 2) {
      response.writeHead(429, { "retry-after": "1" }).end();
    } else if (n > 3) {
      response.writeHead(200).end("x".repeat(1 << 20));
    }
  };
  other.answer = (response) => response.writeHead(404).end();
  const daemon = await start(database, notifications([{ name: "a", type: "webhook", url: hook.url }, { name: "b", type: "slack", url: other.url }], { timeout: "500ms", retry_backoff: ["100ms", "2s"] }));
  await happen(database);
  const rows = await finished(database, 2);
  const [a, b] = rows;
  assert.deepEqual([a.status, a.attempts, a.error_message], ["sent", 4, null]);
  assert.deepEqual([b.status, b.attempts, b.error_message], ["failed", 1, "status 404"]);
  const gaps = hook.requests.slice(1).map((r, i) => r.at - hook.requests[i].at);
  assert.ok(gaps[0] >= 95, `a pause: ${gaps}`);
  assert.ok(gaps[1] >= 990, `the receiver's pause, if it names one: ${gaps}`);
  assert.ok(gaps[2] >= 890, `a time-out and a pause twice doubled: ${gaps}`);
  assert.equal(new Set(hook.requests.map((r) => r.body.notification_id)).size, 1);
  assert.equal(other.requests.length, 1);
  const retries = daemon.logged("could not send a notification");
  assert.deepEqual(retries.map((line) => [line.channel, line.attempt, line.reason]), [["a", 1, "status 500"], ["a", 2, "status 429"], ["a", 3, "Timeout was reached"]]);
  assert.deepEqual(daemon.logged("notification given up").map((line) => [line.level, line.channel, line.reason]), [["error", "b", "status 404"]]);
  assert.ok(!daemon.stderr.includes("secret details"));
  assert.deepEqual([await counter(daemon, "webhook", "sent"), await counter(daemon, "webhook", "retried"), await counter(daemon, "webhook", "failed")], [1, 3, 0]);
  assert.deepEqual([await counter(daemon, "slack", "sent"), await counter(daemon, "slack", "retried"), await counter(daemon, "slack", "failed")], [0, 0, 1]);
  await daemon.stop();
});

test("after so many attempts it is given up, and a channel that is away does not keep the others", async (t) => {
  const database = await installed();
  const hook = await receiver(t);
  const away = await receiver(t);
  away.answer = () => {};
  const daemon = await start(database, notifications([{ name: "away", type: "webhook", url: away.url }, { name: "here", type: "webhook", url: hook.url }], { timeout: "300ms", attempts: 2 }));
  for (let i = 0; i < 5; i++) {
    await happen(database, 1, { fingerprint: `g${i}` });
  }
  await within(5000, "all of the one are sent", () => hook.requests.length === 5);
  assert.ok(away.requests.length < 8, "not each of the other had to fail first");
  const rows = await finished(database, 10);
  const lost = rows.filter((row) => row.channel === "away");
  assert.deepEqual(lost.map((row) => [row.status, row.attempts, row.error_message]), Array(5).fill(["failed", 2, "Timeout was reached"]));
  assert.ok(lost.every((row) => row.finished_at !== null));
  await daemon.stop();
});

test("addresses inside are refused unless their network is listed, whatever name they have, and redirects go nowhere", async (t) => {
  const database = await installed();
  const inside = await receiver(t);
  const outside = await receiver(t);
  outside.answer = (response) => response.writeHead(302, { location: inside.url }).end();
  const port = new URL(inside.url).port;
  const urls = [inside.url, `http://localhost:${port}/`, `http://[::1]:${port}/`, `http://[::ffff:127.0.0.1]:${port}/`, `http://2130706433:${port}/`, `http://0x7f.1:${port}/`, `http://0:${port}/`, `http://user@127.1:${port}/`];
  const daemon = await start(database, notifications([...urls.map((url, i) => ({ name: `c${i}`, type: "webhook", url })), { name: "r", type: "webhook", url: outside.url.replace("127.0.0.1", "127.0.0.2") }], { allow: ["localhost", "127.0.0.2"] }), {
    // A proxy would connect wherever it is told to.
    env: { http_proxy: inside.url, all_proxy: inside.url },
  });
  // The receivers listen on 127.0.0.1 only.
  const far = http.createServer((request, response) => response.writeHead(302, { location: inside.url }).end()).listen(Number(new URL(outside.url).port), "127.0.0.2");
  t.after(() => far.close());
  await happen(database);
  const rows = await finished(database, urls.length + 1);
  await daemon.stop();
  for (const row of rows.filter((r) => r.channel !== "r")) {
    assert.equal(row.status, "failed", row.channel);
    assert.equal(row.attempts, 1, row.channel);
    assert.match(row.error_message, /^the address \S+ is not among those that may be sent to$/, row.channel);
  }
  assert.deepEqual(rows.filter((r) => r.channel === "r").map((r) => [r.status, r.attempts, r.error_message]), [["failed", 1, "status 302, which is not followed"]]);
  assert.equal(inside.requests.length, 0);
});

test("http is refused where only https is allowed, and a certificate that nobody vouches for is not believed", async (t) => {
  const database = await installed();
  const hook = await receiver(t, { secure: true });
  const refused = await program(["check", "-c", writeConfiguration(configuration(database, notifications([{ type: "webhook", url: "http://example.com/" }], { allow_http: false })))]);
  assert.equal(refused.code, 78);
  const daemon = await start(database, notifications([{ type: "webhook", url: hook.url }], { ca_file: "", attempts: 1 }));
  await happen(database);
  const [row] = await finished(database);
  await daemon.stop();
  assert.equal(row.status, "failed");
  assert.match(row.error_message, /certificate/);
  assert.equal(hook.requests.length, 0);
});

test("Slack gets blocks, or a template's text, in which a message can do no harm", async (t) => {
  const database = await installed();
  const hook = await receiver(t);
  const daemon = await start(database, notifications([
    { name: "a", type: "slack", url: hook.url, channel: "#alerts", username: "fraiseqld" },
    { name: "b", type: "slack", url: `${hook.url}/b`, template: "*{{error_type}}* {{ message }} <https://wiki.example/{{fingerprint}}|runbook>" },
  ]));
  await happen(database, 1, { message: "<!channel> a & b {{fingerprint}} \"quoted\"\nsecond line" });
  await finished(database, 2);
  await daemon.stop();
  const [a, b] = hook.requests.sort((x, y) => x.path.length - y.path.length).map((r) => r.body);
  assert.deepEqual(Object.keys(a), ["text", "channel", "username", "blocks"]);
  assert.deepEqual([a.text, a.channel, a.username], ["error: INTERNAL_SERVER_ERROR in staging, occurrence 1", "#alerts", "fraiseqld"]);
  assert.deepEqual(a.blocks.map((block) => block.type), ["header", "section", "section", "context"]);
  assert.deepEqual(a.blocks[0].text, { type: "plain_text", text: "error: INTERNAL_SERVER_ERROR" });
  assert.deepEqual(a.blocks[1].text, { type: "mrkdwn", text: "&lt;!channel&gt; a &amp; b {{fingerprint}} \"quoted\"\nsecond line" });
  assert.equal(a.blocks[2].fields[0].text, "*Environment*\nstaging");
  assert.match(a.blocks[3].elements[0].text, /^error [0-9a-f-]{36}$/);
  assert.deepEqual(b, { text: "*INTERNAL_SERVER_ERROR* &lt;!channel&gt; a &amp; b {{fingerprint}} \"quoted\"\nsecond line <https://wiki.example/f1|runbook>" });
});

test("a webhook's template makes JSON of its own, whatever values hold", async (t) => {
  const database = await installed();
  const hook = await receiver(t);
  const template = "{\"routing_key\": \"k\", \"payload\": {\"summary\": \"{{error_type}}: {{message}}\", \"n\": {{occurrence_count}}, \"reopened\": {{reopened}}}}";
  const daemon = await start(database, notifications([{ type: "webhook", url: hook.url, template }]));
  const message = "\", \"routing_key\": \"stolen\\\" \n\u2028 é";
  await happen(database, 1, { message });
  await finished(database);
  await daemon.stop();
  assert.deepEqual(hook.requests[0].body, { routing_key: "k", payload: { summary: `INTERNAL_SERVER_ERROR: ${message}`, n: 1, reopened: false } });
});

const smtp = (server, more = {}) => ({ smtp: { host: "localhost", port: server.port, from: "alerts@example.com", tls: "none", ...more } });

test("a mail is handed in by SMTP, encrypted and logged in, with headers that nothing can be slipped into", async (t) => {
  const database = await installed();
  const server = await startSmtp({ ...tlsFiles, user: "mailer", password: "pass \u00fc" });
  t.after(server.close);
  const channels = [{ type: "email", to: ["a@example.com", "b@example.org"], subject: "[{{environment}}] {{message}}" }];
  const daemon = await start(database, notifications(channels, smtp(server, { tls: "starttls", user: "mailer", password_file: writeFile("password", "pass \u00fc") })));
  await happen(database, 1, { message: "Größe\r\nBcc: evil@example.com\r\n\r\nbody\r\n.\r\nMAIL FROM:<x@y>", release: "v1" });
  const [row] = await finished(database);
  await daemon.stop();
  assert.deepEqual([row.status, row.recipient, row.error_message], ["sent", "a@example.com, b@example.org", null]);
  assert.equal(server.mails.length, 1);
  const [mail] = server.mails;
  assert.deepEqual([mail.secure, mail.user, mail.from, mail.to], [true, "mailer", "alerts@example.com", ["a@example.com", "b@example.org"]]);
  assert.equal(mail.headers.subject, "[staging] Größe  Bcc: evil@example.com    body  .  MAIL FROM:<x@y>");
  assert.deepEqual(Object.keys(mail.headers), ["date", "from", "to", "subject", "message-id", "references", "auto-submitted", "mime-version", "content-type", "content-transfer-encoding"]);
  assert.equal(mail.headers.from, "fraiseqld <alerts@example.com>");
  assert.equal(mail.headers.to, "a@example.com, b@example.org");
  assert.equal(mail.headers["message-id"], `<${row.notification_id}@example.com>`);
  assert.equal(mail.headers.references, `<${row.error_id}@example.com>`);
  assert.ok(Math.abs(Date.parse(mail.headers.date) - Date.now()) < 60000);
  assert.match(mail.text, /^error: INTERNAL_SERVER_ERROR\r\nGröße\r\nBcc: evil@example.com\r\n\r\nbody\r\n\.\r\nMAIL FROM:<x@y>\r\n\r\nEnvironment: staging\r\nRelease: {5}v1\r\n/);
  assert.ok(mail.raw.split("\r\n").every((line) => line.length <= 77));
  assert.ok(!daemon.stderr.includes("pass"));
});

test("mail servers refuse for now or for good", async (t) => {
  const database = await installed();
  const server = await startSmtp();
  t.after(server.close);
  let asked = 0;
  server.answer = (command, rest) => {
    if (command === "RCPT" && rest.includes("nobody")) {
      return "550 no such user";
    }
    return command === "message" && ++asked < 3 ? "451 try later" : undefined;
  };
  const daemon = await start(database, notifications([{ name: "a", type: "email", to: ["a@example.com"], template: "{{error_type}}\n.\n..end" }, { name: "b", type: "email", to: ["nobody@example.com"] }], smtp(server)));
  await happen(database);
  const [a, b] = await finished(database, 2);
  await daemon.stop();
  assert.deepEqual([a.status, a.attempts], ["sent", 3]);
  assert.deepEqual([b.status, b.attempts], ["failed", 1]);
  assert.match(b.error_message, /reply 550$/);
  assert.deepEqual(server.mails.map((mail) => mail.to), [["a@example.com"]]);
  assert.equal(server.mails[0].text, "INTERNAL_SERVER_ERROR\r\n.\r\n..end\r\n".replace(/\r\n$/, ""));
  assert.deepEqual(daemon.logged("could not send a notification").map((line) => /reply \d+/.exec(line.reason)?.[0]), ["reply 451", "reply 451"]);
});

test("mail over TLS from its beginning; none where the server will not encrypt, and none to where it must not go", async (t) => {
  const database = await installed();
  const server = await startSmtp({ ...tlsFiles, implicit: true });
  const plain = await startSmtp();
  t.after(server.close);
  t.after(plain.close);
  const channels = [{ type: "email", to: ["a@example.com"] }];
  const one = await start(database, notifications(channels, smtp(server, { tls: "tls" })));
  await happen(database);
  assert.equal((await finished(database, 1))[0].status, "sent");
  await one.stop();
  assert.equal(server.mails[0].secure, true);
  const two = await start(database, notifications(channels, { attempts: 1, ...smtp(plain, { tls: "starttls" }) }));
  await happen(database, 9);
  assert.equal((await finished(database, 2))[1].status, "failed");
  await two.stop();
  const three = await start(database, notifications(channels, { allow: [], ...smtp(plain) }));
  await happen(database, 90);
  assert.match((await finished(database, 3))[2].error_message, /^the address \S+ is not among/);
  await three.stop();
  assert.equal(plain.mails.length, 0);
  assert.ok(plain.sessions.every((session) => !session.commands.some((command) => command.startsWith("MAIL"))));
});

test("who listens in PostgreSQL is notified", async () => {
  const database = await installed();
  const session = new Session(database);
  await session.run("listen \"Errors\"");
  const daemon = await start(database, notifications([{ type: "notify", channel: "Errors" }]));
  await happen(database, 1, { message: "\"é\" ".repeat(3000), operation: "x".repeat(5000) });
  const [row] = await finished(database);
  const said = await session.run("select 1");
  await session.end();
  await daemon.stop();
  assert.deepEqual([row.status, row.recipient], ["sent", "Errors"]);
  const [, payload] = /^Asynchronous notification "Errors" with payload "(.*)" received/m.exec(said);
  const { notification_id, error_id, message, operation, ...rest } = JSON.parse(payload);
  assert.deepEqual([notification_id, error_id], [row.notification_id, row.error_id]);
  assert.deepEqual(rest, { error_type: "INTERNAL_SERVER_ERROR", severity: "error", environment: "staging", fingerprint: "f1", occurrence_count: 1, threshold: 1 });
  assert.ok(message.startsWith("\"é\" ") && operation.startsWith("xxx"));
});

test("channels of the table: FraiseQL's words for them, secrets that stay there, and faults that the log tells", async (t) => {
  const database = await installed();
  const hook = await receiver(t);
  const server = await startSmtp();
  t.after(server.close);
  const config = (id, type, object, template = null) =>
    `('${id.repeat(8)}-0000-0000-0000-000000000000', ${quoted(type)}, ${quoted(JSON.stringify(object))}, ${template === null ? "null" : quoted(template)})`;
  await shared.sql(database, `insert into fraiseql.tb_error_notification_config (config_id, channel_type, channel_config, message_template) values ${[
    config("1", "webhook", { url: `${hook.url}/1?key=secret`, method: "POST", headers: { "X-A": "b" }, hmac_secret: "s" }),
    config("2", "webhook", { url: `${hook.url}/2`, payload_template: "{\"e\": \"{{error_type}}\"}" }),
    config("3", "slack", { webhook_url: `${hook.url}/3`, channel: "#x", username: "y" }, "told: {{message}}"),
    config("4", "email", { to: "a@example.com", subject: "Error Alert: {{error_type}}", template: "text {{severity}}" }),
    config("5", "webhook", { url: hook.url }, "{\"e\": \"{{nothing}}\"}"),
    config("6", "webhook", { url: hook.url, headers: { "X-A": "b\r\nX-B: c" } }),
    config("7", "email", { to: "a@example.com\r\nRCPT TO:<evil@example.com>" }),
    config("8", "webhook", { url: "file:///etc/passwd" }),
    config("9", "webhook", { url: "gopher://127.0.0.1/" }),
    config("a", "webhook", { url: hook.url, method: "DELETE" }),
    config("b", "webhook", { urls: hook.url }),
    config("c", "email", { to: "a@example.com", subject: "a\r\nBcc: evil@example.com" }),
    config("d", "webhook", { url: hook.url, payload_template: "{\"m\": {{message}}}" }),
  ].join(", ")}`);
  const daemon = await start(database, notifications([], smtp(server)));
  await happen(database);
  const rows = Object.fromEntries((await finished(database, 13)).map((row) => [row.channel[0], row]));
  await daemon.stop();
  assert.deepEqual(["1", "2", "3", "4"].map((id) => rows[id].status), ["sent", "sent", "sent", "sent"]);
  const by = Object.fromEntries(hook.requests.map((r) => [r.path[6], r]));
  assert.equal(hook.requests.length, 3);
  assert.equal(by[1].headers["x-a"], "b");
  assert.match(by[1].headers["x-fraiseql-signature"], /^t=/);
  assert.equal(by[1].body.error_type, "INTERNAL_SERVER_ERROR");
  assert.deepEqual(by[2].body, { e: "INTERNAL_SERVER_ERROR" });
  assert.deepEqual(by[3].body, { text: "told: could not do it", channel: "#x", username: "y" });
  assert.deepEqual(server.mails.map((mail) => [mail.to, mail.headers.subject, mail.text]), [[["a@example.com"], "Error Alert: INTERNAL_SERVER_ERROR", "text error"]]);
  const wrong = { 5: /\{\{nothing\}\}/, 6: /header "X-A"/, 7: /addresses/, 8: /https:/, 9: /https:/, a: /"method"/, b: /"urls"/, c: /one line/, d: /JSON/ };
  for (const [id, reason] of Object.entries(wrong)) {
    assert.deepEqual([rows[id].status, rows[id].attempts], ["failed", 1], id);
    assert.match(rows[id].error_message, reason, id);
  }
  assert.ok(!JSON.stringify(rows).includes("secret") && !daemon.stderr.includes("secret"));
});

test("what a daemon had claimed when it died is sent by another; what it has not sent when it stops is given back", async (t) => {
  const database = await installed();
  const hook = await receiver(t);
  hook.answer = () => {};
  const config = notifications([{ type: "webhook", url: hook.url }], { timeout: "1m" });
  const dying = await start(database, config);
  await happen(database);
  await within(5000, "it is sending", () => hook.requests.length === 1);
  dying.child.kill("SIGKILL");
  await dying.exited;
  await shared.sql(database, "update fraiseql.tb_error_notification_log set next_attempt_at = now()");
  const stopping = await start(database, config);
  await within(5000, "another is sending", () => hook.requests.length === 2);
  await stopping.stop();
  const [before] = await log(database);
  assert.equal(before.status, "pending");
  hook.answer = (response) => response.writeHead(200).end();
  const last = await start(database, config);
  const [row] = await finished(database);
  await last.stop();
  assert.deepEqual([row.status, row.attempts], ["sent", 3]);
  assert.equal(new Set(hook.requests.map((r) => r.body.notification_id)).size, 1);
});

test("while the database is away a daemon stops at once, and when it is back people are told", async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  await installSystem("demo", { server });
  const hook = await receiver(t);
  const config = notifications([{ type: "webhook", url: hook.url }], { interval: "100ms" });
  const [staying, leaving] = await Promise.all([start("demo", config, { server }), start("demo", config, { server })]);
  const record = (n) => server.sql("demo", `select from fraiseql.record_errors('[{"fingerprint": "o${n}", "type": "T"}]')`);
  await record(1);
  await within(5000, "the first is sent", () => hook.requests.length === 1);
  await server.halt();
  await within(5000, "the daemons know", async () => (await staying.admin("/metrics")).text.includes("fraiseql_db_up 0"));
  const at = performance.now();
  await leaving.stop();
  assert.ok(performance.now() - at < 3000 * slowness, "it does not wait for the database");
  await server.resume();
  await record(2);
  await within(20000, "the second is sent", () => hook.requests.length === 2);
  await staying.stop();
  assert.deepEqual(hook.requests.map((r) => r.body.fingerprint), ["o1", "o2"]);
  assert.equal(staying.logged("nobody is told of errors").length, 0);
});

test("beyond max_per_hour they wait, which is said once and counted", async (t) => {
  const database = await installed();
  const hook = await receiver(t);
  const daemon = await start(database, notifications([{ type: "webhook", url: hook.url }], { max_per_hour: 2 }));
  for (let i = 0; i < 5; i++) {
    await happen(database, 1, { fingerprint: `h${i}` });
  }
  await finished(database, 2);
  await within(5000, "three wait", async () => /^fraiseql_notifications_held_back 3$/m.test((await daemon.admin("/metrics")).text));
  assert.equal(daemon.logged("notifications are held back").length, 1);
  await shared.sql(database, "update fraiseql.tb_error_notification_log set sent_at = sent_at - interval '61 minutes'");
  await finished(database, 4);
  await daemon.stop();
  assert.equal(hook.requests.length, 4);
});

test("without db install nobody is told, which is said once; switched off nothing is asked", async () => {
  const database = await createDatabase();
  const daemon = await start(database, notifications([{ type: "notify", channel: "x" }]));
  await within(5000, "it is said", () => daemon.logged("nobody is told of errors").length > 0);
  const [line] = daemon.logged("nobody is told of errors");
  assert.deepEqual([line.level, line.hint], ["info", "run fraiseqld db install"]);
  await daemon.stop();
  assert.equal(daemon.logged("nobody is told of errors").length, 1);
  const off = await start(database, notifications([{ type: "notify", channel: "x" }], { enabled: false }));
  await off.stop();
  assert.equal(off.logged("nobody is told of errors").length, 0);
});

test("what a channel cannot do is an error of the configuration", async () => {
  const database = await createDatabase();
  const mail = { smtp: { host: "mail.example.com", from: "a@example.com" } };
  const wrong = [
    [{ type: "webhook" }, "url must begin with https://"],
    [{ type: "webhook", url: "https://" }, "url is none"],
    [{ type: "webhook", url: "https://a.example/\nb" }, "url is none"],
    [{ type: "webhook", url: "https://a.example", template: "{\"a\": \"{{b}}\"}" }, "template: there is no {{b}}"],
    [{ type: "webhook", url: "https://a.example", template: "{\"a\": {{message}}}" }, "template: it does not make JSON"],
    [{ type: "webhook", url: "https://a.example", headers: { "A b": "c" } }, "a key may hold letters"],
    [{ type: "webhook", url: "https://a.example", headers: { "Content-Length": "1" } }, "cannot send the header"],
    [{ type: "webhook", url: "https://a.example", to: ["a@b"] }, "a channel of type webhook has no to"],
    [{ type: "slack", url: "https://a.example", hmac_secret: "x" }, "a channel of type slack has no hmac_secret"],
    [{ type: "slack", url: "https://a.example", template: "{{message" }, "there is a {{ without }}"],
    [{ type: "email", to: ["a@example.com"] }, "there is no errors.notifications.smtp.host"],
    [{ type: "email" }, "needs to", mail],
    [{ type: "email", to: ["a, b@example.com"] }, "to must be of addresses", mail],
    [{ type: "email", to: ["a@example.com"], subject: "a\nBcc: b" }, "subject must be one line", mail],
    [{ type: "notify" }, "needs channel"],
    [{ type: "notify", channel: "x", template: "y" }, "a channel of type notify has no template"],
    [{ type: "notify", channel: "x" }, "neither a host nor a network", { allow: ["https://a.example"] }],
    [{ type: "notify", channel: "x" }, "host must be a host", { smtp: { host: "a b", from: "a@example.com" } }],
    [{ type: "notify", channel: "x" }, "from an address", { smtp: { host: "a.example", from: "a" } }],
  ];
  for (const [channel, message, more] of wrong) {
    const config = notifications([channel], { allow_http: false, ...more });
    const { code, stdout, stderr } = await program(["check", "-c", writeConfiguration(configuration(database, config))]);
    assert.equal(code, 78, JSON.stringify(channel));
    assert.ok((stdout + stderr).includes(message), `${JSON.stringify(channel)}: ${stdout}${stderr}`);
  }
});
