// http_connections.test.mjs - what hostile, slow, vanishing and numerous clients can do: little.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { get, measurable, parseReplies, startEcho, Talk } from "./support/http_echo.mjs";
import { within } from "./support/wait.mjs";

const post = (path, length, body = "") =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;

/** Send a byte every few milliseconds, until the server closes. */
async function drip(talk, byte) {
  const begin = performance.now();
  const timer = setInterval(() => talk.socket.write(byte), 20);
  await talk.all(10000);
  clearInterval(timer);
  talk.close();
  return performance.now() - begin;
}

function descriptors(wanted) {
  const hard = execFileSync("/bin/sh", ["-c", "ulimit -H -n"], { encoding: "latin1" }).trim();
  return hard === "unlimited" ? wanted : Math.min(wanted, Number(hard));
}

test("pipelined requests are answered in order, one at a time", async (t) => {
  const echo = await startEcho(t);
  const talk = new Talk(echo);
  await talk.send(get("/later?150") + get("/static?3") + get("/later?1") + get("/x") + get("/static?20000"));
  await echo.until("the first request runs", (stats) => stats.inFlight === 1);
  assert.equal(talk.text, "");
  const replies = await talk.read(5);
  assert.deepEqual(
    replies.map(({ body }) => body.slice(0, 5)),
    ["later", "xxx", "later", '{"met', "xxxxx"],
  );
  talk.close();
});

test("hundreds of pipelined requests in one packet are all answered", async (t) => {
  const echo = await startEcho(t);
  const talk = new Talk(echo);
  await talk.send(get("/static?1").repeat(2000));
  await talk.read(2000);
  await talk.send(get("/later?0").repeat(500));
  await talk.read(2500);
  talk.close();
});

test("a head that drips in is cut off at its deadline", async (t) => {
  const echo = await startEcho(t, { header_timeout_ms: 400, keepalive_timeout_ms: 60000 });
  for (const first of ["", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"]) {
    const talk = new Talk(echo);
    await talk.send(first);
    await talk.read(first ? 1 : 0);
    const ms = await drip(talk, "A");
    assert.equal(talk.replies.at(-1).status, 408);
    assert.equal(JSON.parse(talk.replies.at(-1).body).errors[0].extensions.code, "TIMEOUT");
    assert.ok(ms > 350, `after ${ms} ms`);
    assert.ok(ms < 4000, `after ${ms} ms`);
  }
});

test("a client that connects and says nothing is closed without a word", async (t) => {
  const echo = await startEcho(t, { header_timeout_ms: 200 });
  assert.equal(await new Talk(echo).all(), "");
});

test("a body that drips in is cut off at its deadline", async (t) => {
  const echo = await startEcho(t, { body_timeout_ms: 400 });
  for (const head of [post("/", 1000), "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n500\r\n"]) {
    const talk = new Talk(echo);
    await talk.send(head);
    const ms = await drip(talk, "A");
    assert.deepEqual(talk.replies.map(({ status }) => status), [408]);
    assert.ok(ms > 350, `after ${ms} ms`);
    assert.ok(ms < 4000, `after ${ms} ms`);
  }
});

test("an idle connection is closed at its deadline, a busy one is not", async (t) => {
  const echo = await startEcho(t, { keepalive_timeout_ms: 300 });
  const idle = new Talk(echo);
  const busy = new Talk(echo);
  await idle.ask(get("/"));
  const later = busy.ask(get("/later?700"));
  await idle.all();
  assert.equal(idle.replies.length, 1);
  assert.equal((await later).body, "later");
  await busy.all();
});

test("a running request learns that its client has gone", async (t) => {
  const echo = await startEcho(t);
  const ways = [(talk) => talk.drop(), (talk) => talk.close(), (talk) => talk.socket.end()];
  for (const [i, leave] of ways.entries()) {
    const told = new Talk(echo);
    await told.send(get("/forever"));
    const asking = new Talk(echo);
    await asking.send(get("/later?300") + get("/never-looked-at"));
    await echo.until("both run", (stats) => stats.inFlight === 2);
    leave(told);
    leave(asking);
    await echo.until("it was told", (stats) => stats.gone === i + 1);
    await echo.until("it could have asked", (stats) => stats.seen === i + 1);
    await echo.until("nothing is left", (stats) => stats.inFlight === 0 && stats.connections === 0);
  }
});

test("a client that never reads costs bounded memory and is cut off", async (t) => {
  const echo = await startEcho(t, { write_timeout_ms: 4000 });
  const before = echo.memory;
  const sockets = [];
  for (let i = 0; i < 5; i++) {
    const socket = net.connect(Number(echo.address.split(":")[1]), "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    /* 16 MB of requests, each of which asks for 1 MB. */
    socket.write(get("/static?1000000", `X: ${"x".repeat(900)}\r\n`).repeat(16000));
    sockets.push(socket);
  }
  await echo.until("all wait to write", (stats) => stats.inFlight === 5);
  assert.ok(sockets.every((socket) => socket.writableLength > 0), "everything was read");
  if (measurable) {
    const cost = (echo.memory - before) / sockets.length;
    assert.ok(cost < 1.6e6, `${cost} bytes for each`);
  }
  await echo.until("all are gone", (stats) => stats.connections === 0, 15000);
  sockets.forEach((socket) => socket.destroy());
});

test("a client that sends ahead while its request runs is stopped", async (t) => {
  const echo = await startEcho(t);
  const talk = new Talk(echo);
  await talk.send(get("/later?1500"));
  await echo.until("it runs", (stats) => stats.inFlight === 1);
  /* 16 MB: more than all buffers of both sockets hold. */
  talk.socket.write(get("/static?1", `X: ${"x".repeat(900)}\r\n`).repeat(16000));
  await talk.read(1);
  const unread = talk.socket.writableLength;
  assert.ok(unread > 1e6, `only ${unread} bytes were not taken`);
  await talk.read(16001, 30000);
  talk.close();
});

test("a client that reads slowly gets every byte", async (t) => {
  const echo = await startEcho(t);
  const socket = net.connect(Number(echo.address.split(":")[1]), "127.0.0.1");
  const pieces = [];
  socket.setEncoding("latin1");
  socket.on("data", (text) => {
    pieces.push(text);
    if (pieces.length % 16 === 0) {
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    }
  });
  socket.write(get("/static?9000000") + get("/x"));
  await within(20000, "both replies", () => parseReplies(pieces.join("")).replies.length === 2);
  const [big, small] = parseReplies(pieces.join("")).replies;
  assert.equal(big.body.length, 9000000);
  assert.equal(JSON.parse(small.body).path, "/x");
  socket.destroy();
});

test("large bodies arrive whole, counted or chunked", async (t) => {
  const echo = await startEcho(t);
  const body = "0123456789abcdef".repeat(65536);
  const talk = new Talk(echo);
  assert.equal(JSON.parse((await talk.ask(post("/", body.length, body))).body).body, body);
  const chunks = body.match(/.{1,5000}/g).map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
  const request = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join("")}0\r\n\r\n`;
  assert.equal(JSON.parse((await talk.ask(request)).body).body, body);
  talk.close();
});

test("a client that is still sending can read why it was refused", async (t) => {
  const echo = await startEcho(t, { max_body_bytes: 1000 });
  for (let i = 0; i < 20; i++) {
    const talk = new Talk(echo);
    await talk.send(post("/", 500000, "x".repeat(500000)));
    const [reply] = await talk.read(1);
    assert.equal(reply.status, 413);
    talk.socket.end();
    await talk.all();
  }
  await echo.until("none lingers", (stats) => stats.connections === 0);
});

test("a refused client that does not close is closed", async (t) => {
  const echo = await startEcho(t);
  const talk = new Talk(echo);
  assert.equal((await talk.ask("X\r\n")).status, 400);
  await echo.until("it is gone", (stats) => stats.connections === 0, 6000);
  talk.close();
});

test("ten thousand idle connections cost little memory and no time", { timeout: 120000 }, async (t) => {
  const files = descriptors(12000);
  const count = Math.min(10000, files - 500);
  const echo = await startEcho(t, { keepalive_timeout_ms: 60000, header_timeout_ms: 60000 }, files);
  const port = Number(echo.address.split(":")[1]);
  const before = echo.memory;
  const sockets = [];
  const request = get("/static?10");
  for (let i = 0; i < count; i += 200) {
    await Promise.all(
      Array.from({ length: 200 }, () =>
        new Promise((resolve, reject) => {
          const socket = net.connect(port, "127.0.0.1", () => socket.write(request));
          socket.once("data", resolve);
          socket.on("error", reject);
          sockets.push(socket);
        }),
      ),
    );
  }
  const { connections } = await echo.ask();
  assert.equal(connections, sockets.length);
  if (measurable) {
    const each = (echo.memory - before) / connections;
    const busy = echo.busy;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    t.diagnostic(`${Math.round(each)} bytes each, ${(echo.busy - busy).toFixed(2)} ms of work in a second`);
    assert.ok(each < 2048, `${each} bytes each`);
    assert.ok(echo.busy - busy < 20, `${echo.busy - busy} ms of work in a second`);
  }
  sockets.forEach((socket) => socket.destroy());
  await echo.until("all are gone", (stats) => stats.connections === 0, 20000);
});

test("connections in excess are turned away with 503", async (t) => {
  for (const limit of ["max_connections", "max_connections_per_ip"]) {
    const echo = await startEcho(t, { [limit]: 3 });
    const kept = [new Talk(echo), new Talk(echo), new Talk(echo)];
    for (const talk of kept) {
      assert.equal((await talk.ask(get("/"))).status, 200);
    }
    const excess = new Talk(echo);
    await excess.all();
    assert.equal(excess.replies[0].status, 503);
    assert.equal(JSON.parse(excess.replies[0].body).errors[0].extensions.code, "SERVICE_UNAVAILABLE");
    assert.equal(excess.replies[0].headers["retry-after"], "1");
    kept[1].close();
    await echo.until("there is room", (stats) => stats.connections === 2);
    assert.equal((await new Talk(echo).ask(get("/"))).status, 200);
    kept.forEach((talk) => talk.close());
  }
});

test("without descriptors it waits for some instead of spinning", async (t) => {
  const echo = await startEcho(t, {}, 40);
  const port = Number(echo.address.split(":")[1]);
  const sockets = Array.from({ length: 60 }, () => {
    const socket = net.connect(port, "127.0.0.1");
    socket.answered = new Promise((resolve) => socket.once("data", resolve));
    socket.write(get("/static?1"));
    return socket;
  });
  await within(5000, "it complains", () => echo.errors.includes("could not accept connections"));
  const busy = echo.busy;
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(!measurable || echo.busy - busy < 50, `${echo.busy - busy} ms of work in half a second`);
  assert.equal(echo.errors.match(/could not accept/g).length, 1);
  sockets.slice(0, 40).forEach((socket) => socket.destroy());
  await Promise.all(sockets.slice(40).map((socket) => socket.answered));
  sockets.forEach((socket) => socket.destroy());
});

test("while draining every reply ends its connection", async (t) => {
  const echo = await startEcho(t);
  const idle = new Talk(echo);
  const running = new Talk(echo);
  await idle.ask(get("/"));
  const later = running.ask(get("/later?300"));
  await echo.until("it runs", (stats) => stats.inFlight === 1);
  await echo.ask("drain");
  assert.equal((await idle.ask(get("/"))).headers.connection, "close");
  assert.equal((await new Talk(echo).ask(get("/"))).headers.connection, "close");
  assert.equal((await later).headers.connection, "close");
  await Promise.all([idle.all(), running.all()]);
});

test("draining can close idle connections, but not busy ones", async (t) => {
  const echo = await startEcho(t);
  const [fresh, idle, halfway, running] = [new Talk(echo), new Talk(echo), new Talk(echo), new Talk(echo)];
  await fresh.connected;
  await idle.ask(get("/"));
  await halfway.send("GET / HT");
  const later = running.ask(get("/later?200"));
  await echo.until("all are there", (stats) => stats.connections === 4 && stats.inFlight === 1);
  await echo.ask("drain-idle");
  assert.equal(await fresh.all(), "");
  await idle.all();
  assert.equal((await halfway.ask("TP/1.1\r\nHost: a\r\n\r\n")).headers.connection, "close");
  assert.equal((await later).headers.connection, "close");
});

test("once it stops accepting, open connections go on", async (t) => {
  const echo = await startEcho(t);
  const talk = new Talk(echo);
  await talk.ask(get("/"));
  await echo.ask("stop");
  assert.equal((await talk.ask(get("/"))).status, 200);
  const late = net.connect(Number(echo.address.split(":")[1]), "127.0.0.1");
  const error = await new Promise((resolve) => late.on("error", resolve));
  assert.equal(error.code, "ECONNREFUSED");
  talk.close();
});

test("SIGTERM lets a running request finish", async (t) => {
  const echo = await startEcho(t);
  const talk = new Talk(echo);
  const later = talk.ask(get("/later?400"));
  await echo.until("it runs", (stats) => stats.inFlight === 1);
  await echo.stop();
  assert.equal((await later).body, "later");
});

test("it listens on IPv6 and on Unix sockets", async (t) => {
  const six = await startEcho(t, { address: "[::1]:0" });
  assert.match(six.address, /^\[::1\]:\d+$/);
  const port = Number(six.address.split(":").at(-1));
  const ask = (where) =>
    new Promise((resolve, reject) => {
      const socket = net.connect(where, () => socket.write(get("/", "Connection: close\r\n")));
      let text = "";
      socket.on("data", (more) => (text += more));
      socket.on("end", () => resolve(JSON.parse(parseReplies(text).replies[0].body)));
      socket.on("error", reject);
    });
  assert.equal((await ask({ port, host: "::1" })).client, "::1");

  const dir = mkdtempSync(`${tmpdir()}/http-`);
  t.after(() => rmSync(dir, { recursive: true }));
  const path = `${dir}/s`;
  const local = await startEcho(t, { address: `unix:${path}`, trusted: "unix:" });
  assert.equal(local.address, `unix:${path}`);
  assert.equal((await ask({ path })).client, "unix:");
  /* Somebody is listening: it may not be taken. */
  const second = await startEcho(t, { address: `unix:${path}` }).catch((error) => error);
  assert.match(second.message, /in use/);
  /* Left over from a process that died: it may. */
  local.child.kill("SIGKILL");
  await local.ended;
  local.stop = async () => {};
  assert.ok(existsSync(path));
  const third = await startEcho(t, { address: `unix:${path}` });
  assert.equal((await ask({ path })).client, "unix:");
  await third.stop();
  assert.ok(!existsSync(path), "the socket file is left behind");
});
