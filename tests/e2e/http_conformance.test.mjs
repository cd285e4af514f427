// http_conformance.test.mjs - what is a request and what is none: RFC 9112 read strictly, over a socket.
//
// The probes are those that tell HTTP servers apart. Each says what must come back, and whether
// the connection must survive: after lost framing nothing behind the fault may be taken for a request.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { get, startEcho, Talk } from "./support/http_echo.mjs";

const H = "Host: a\r\n";
const post = (headers, body = "") => `POST / HTTP/1.1\r\n${H}${headers}\r\n${body}`;
const chunked = (body) => post("Transfer-Encoding: chunked\r\n", body);

// name: bytes, status codes of the replies, is the connection kept?, body the server understood
const probes = {
  "a plain GET": [get("/"), [200], true],
  "three pipelined requests": [get("/1") + get("/2") + get("/3"), [200, 200, 200], true],
  "Content-Length and Transfer-Encoding": [
    post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    [400],
    false,
  ],
  "equal Content-Lengths": [post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), [400], false],
  "different Content-Lengths": [post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), [400], false],
  "a folded header field": [get("/", "X: a\r\n b\r\n"), [400], false],
  "bare LF at the end of lines": [`GET / HTTP/1.1\nHost: a\n\n`, [400], false],
  "bare LF at the end of one line": [`GET / HTTP/1.1\r\nHost: a\n\r\n`, [400], false],
  "Transfer-Encoding: gzip, chunked": [post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), [501], false],
  "Transfer-Encoding: xchunked": [
    post("Transfer-Encoding: xchunked\r\n", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    [501],
    false,
  ],
  "Transfer-Encoding in HTTP/1.0": [`POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, [400], false],
  "a body over the limit": [post("Content-Length: 1048577\r\n", "x".repeat(200000)), [413], false],
  "a chunked body over the limit": [chunked(`100001\r\n${"x".repeat(200000)}`), [413], false],
  "a head over the limit": [get("/", `X: ${"x".repeat(20000)}\r\n`), [431], false],
  "too many header fields": [get("/", "X: x\r\n".repeat(100)), [431], false],
  "a target over the limit": [get(`/${"x".repeat(8192)}`), [414], false],
  "Expect: 100-continue over the limit": [post("Content-Length: 1048577\r\nExpect: 100-continue\r\n"), [413], false],
  "another expectation": [post("Content-Length: 2\r\nExpect: 200-ok\r\n", "hi"), [417], false],
  "no Host": [`GET / HTTP/1.1\r\n\r\n`, [400], false],
  "two Hosts": [get("/", H), [400], false],
  "white space before the colon": [`GET / HTTP/1.1\r\nHost : a\r\n\r\n`, [400], false],
  "Content-Length: -1": [post("Content-Length: -1\r\n"), [400], false],
  "Content-Length: +5": [post("Content-Length: +5\r\n", "hello"), [400], false],
  "Content-Length: 5, 5": [post("Content-Length: 5, 5\r\n", "hello"), [400], false],
  "a target in absolute form": ["GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n", [200], true],
  "a target in authority form": ["CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", [501], false],
  "an unknown method": ["BREW / HTTP/1.1\r\nHost: a\r\n\r\n", [200], true],
  "the preface of HTTP/2": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505], false],
  "HTTP/0.9": ["GET /\r\n", [400], false],
  "a TLS handshake": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400], false],
  "a POST without Content-Length": [post(""), [200], true, ""],
  "NUL in a header field": [get("/", "X: a\0b\r\n"), [400], false],
  "chunks with extensions and trailers": [chunked('5;a="b"\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n'), [200], true, "hello!"],
  "a chunk extension with a bare LF": [chunked("5;a\nhello\r\n0\r\n\r\n"), [400], false],
  "a chunk size of 0x5": [chunked("0x5\r\nhello\r\n0\r\n\r\n"), [400], false],
  "a chunk longer than its size": [chunked("5\r\nhello!\r\n0\r\n\r\n"), [400], false],
};

let echo;
before(async () => {
  echo = await startEcho();
});
after(() => echo.stop());

for (const [name, [bytes, statuses, kept, body]] of Object.entries(probes)) {
  test(`answers ${statuses.join(", ")} to ${name}`, async () => {
    const talk = new Talk(echo);
    await talk.send(Buffer.from(bytes, "latin1"));
    const replies = await talk.read(statuses.length);
    assert.deepEqual(replies.map((reply) => reply.status), statuses);
    if (body !== undefined) {
      assert.equal(JSON.parse(replies[0].body).body, body);
    }
    if (kept) {
      assert.equal(replies.at(-1).headers.connection, undefined);
      assert.equal(JSON.parse((await talk.ask(get("/next"))).body).path, "/next");
      talk.close();
    } else {
      assert.equal(replies[0].headers.connection, "close");
      talk.socket.end();
      await talk.all();
      assert.equal(talk.replies.length, statuses.length, "something behind the fault was answered");
    }
  });
}

test("an error of the HTTP layer is a GraphQL error in JSON", async () => {
  const expected = { 400: "BAD_REQUEST", 413: "PAYLOAD_TOO_LARGE", 414: "PAYLOAD_TOO_LARGE", 501: "BAD_REQUEST" };
  const bytes = [
    "GET / HTTP/1.1\r\n\r\n",
    post("Content-Length: 1048577\r\n"),
    get(`/${"x".repeat(8192)}`),
    post("Transfer-Encoding: x\r\n"),
  ];
  for (const request of bytes) {
    const { status, headers, body } = await new Talk(echo).ask(request);
    assert.equal(headers["content-type"], "application/json");
    assert.match(headers["x-request-id"], /^[0-9a-f-]{36}$/);
    const { errors } = JSON.parse(body);
    assert.equal(errors.length, 1);
    assert.equal(typeof errors[0].message, "string");
    assert.deepEqual(errors[0].extensions, { code: expected[status] });
  }
});

test("a request is understood the same however its bytes arrive", async () => {
  const request = Buffer.from(chunked("5;x\r\nhello\r\n0\r\nT: u\r\n\r\n"));
  const whole = JSON.parse((await new Talk(echo).ask(request)).body);
  const talk = new Talk(echo);
  for (const byte of request) {
    await talk.send(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  const [reply] = await talk.read(1);
  const dripped = JSON.parse(reply.body);
  assert.equal(whole.body, "hello");
  delete whole.id;
  delete dripped.id;
  assert.deepEqual(dripped, whole);
  talk.close();
});

test("Expect: 100-continue is answered once the head is accepted", async () => {
  const talk = new Talk(echo);
  const head = post("Content-Length: 5\r\nExpect: 100-continue\r\n");
  const interim = await talk.ask(head);
  assert.deepEqual(interim, { status: 100, headers: {}, body: "" });
  assert.equal(JSON.parse((await talk.ask("hello")).body).body, "hello");
  /* A client that does not wait needs none. */
  assert.equal((await talk.ask(`${head}hello`)).status, 200);
  /* HTTP/1.0 knows none (RFC 9110 section 10.1.1). */
  const old = await talk.ask("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi");
  assert.equal(old.status, 200);
  await talk.all();
});

test("HEAD gets the length and no content", async () => {
  const talk = new Talk(echo, [0, 2]);
  const head = (path) => `HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  await talk.send(head("/static?5000") + get("/static?7") + head("/nothing"));
  const [first, second, third] = await talk.read(3);
  assert.equal(first.headers["content-length"], "5000");
  assert.equal(first.headers["content-type"], "text/plain");
  assert.equal(second.body, "xxxxxxx");
  assert.ok(Number(third.headers["content-length"]) > 100);
  talk.close();
});

test("204 and 304 have no content and no length", async () => {
  const talk = new Talk(echo);
  for (const status of [204, 304]) {
    const reply = await talk.ask(get(`/status?${status}`));
    assert.equal(reply.status, status);
    assert.equal(reply.headers["content-length"], undefined);
  }
  assert.equal((await talk.ask(get("/status?200"))).headers["content-length"], "0");
  talk.close();
});

test("HTTP/1.0 connections end unless asked to be kept", async () => {
  const kept = new Talk(echo);
  const keep = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  assert.equal((await kept.ask(keep)).headers.connection, "keep-alive");
  assert.equal(JSON.parse((await kept.ask(keep)).body).http10, true);
  kept.close();
  for (const request of ["GET / HTTP/1.0\r\n\r\n", get("/", "Connection: close\r\n"), get("/close")]) {
    const talk = new Talk(echo);
    assert.equal((await talk.ask(request)).headers.connection, "close");
    await talk.all();
  }
});

test("every reply has a date, a length and an id of its own", async () => {
  const talk = new Talk(echo);
  const first = await talk.ask(get("/"));
  const second = await talk.ask(get("/"));
  assert.ok(Math.abs(Date.parse(first.headers.date) - Date.now()) < 5000);
  assert.match(first.headers.date, /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.match(first.headers["x-request-id"], uuid7);
  assert.notEqual(first.headers["x-request-id"], second.headers["x-request-id"]);
  assert.equal(JSON.parse(first.body).id, first.headers["x-request-id"]);
  const age = Date.now() - parseInt(first.headers["x-request-id"].replace("-", "").slice(0, 12), 16);
  assert.ok(age >= -5 && age < 5000, `the id is ${age} ms old`);
  assert.equal(first.headers.server, undefined);
  talk.close();
});

test("ids and addresses are believed when they come from trusted proxies", async (t) => {
  const trusting = await startEcho(t, { trusted: "127.0.0.0/8", server_header: 1 });
  const talk = new Talk(trusting);
  const ask = async (headers) => JSON.parse((await talk.ask(get("/", headers))).body);
  const longest = "x".repeat(128);
  assert.equal((await ask(`X-Request-Id: ${longest}\r\n`)).id, longest);
  assert.equal((await ask("X-Request-Id: A.b_c-9\r\n")).id, "A.b_c-9");
  for (const bad of [`${longest}x`, "a b", "a/b", ""]) {
    assert.match((await ask(`X-Request-Id: ${bad}\r\n`)).id, /^[0-9a-f-]{36}$/);
  }
  const far = await ask("X-Forwarded-For: 192.0.2.1, 203.0.113.9, 127.0.0.2\r\nX-Forwarded-Proto: https\r\n");
  assert.equal(far.client, "203.0.113.9");
  assert.equal(far.secure, true);
  const near = await ask("");
  assert.equal(near.client, "127.0.0.1");
  assert.equal(near.secure, false);
  assert.equal(talk.replies[0].headers.server, "fraiseqld");
  talk.close();

  const stranger = new Talk(echo);
  const headers = "X-Request-Id: mine\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n";
  const { id, client, secure } = JSON.parse((await stranger.ask(get("/", headers))).body);
  assert.notEqual(id, "mine");
  assert.equal(client, "127.0.0.1");
  assert.equal(secure, false);
  stranger.close();

  const open = await startEcho(t, { accept_request_id: 1 });
  assert.equal((await new Talk(open).ask(get("/", headers))).headers["x-request-id"], "mine");
});
