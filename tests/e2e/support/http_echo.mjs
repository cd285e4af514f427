// http_echo.mjs - starts tests/support/http_echo.c, a server around src/http alone, and reads replies
// as bytes, since what is under test is what HTTP clients hide.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Raw } from "./raw.mjs";
import { atMost, within } from "./wait.mjs";

const built = process.env.FRAISEQLD
  ? dirname(process.env.FRAISEQLD)
  : fileURLToPath(new URL("../../../build/release", import.meta.url));
const program = `${built}/support/http_echo`;
const sanitizer = /(ERROR|WARNING): (Address|Leak|Thread|Memory)Sanitizer|runtime error:|check failed/i;

/** Memory and time mean little under a sanitizer. */
export const measurable = !/\/(asan|tsan)\//.test(program);

class Echo {
  constructor(child, address, control) {
    Object.assign(this, { child, address, control, errors: "" });
  }

  /** Ask the control listener: stats, drain, drain-idle, stop. Returns the stats. */
  ask(path = "stats") {
    return new Promise((resolve, reject) => {
      http
        .get(`http://${this.control}/${path}`, { agent: false }, (reply) => {
          let text = "";
          reply.on("data", (more) => (text += more));
          reply.on("end", () => resolve(JSON.parse(text)));
        })
        .on("error", reject);
    });
  }

  /** Wait until the stats say so. */
  until(what, condition, ms = 5000) {
    return within(ms, what, async () => condition(await this.ask()));
  }

  proc(file) {
    return readFileSync(`/proc/${this.child.pid}/${file}`, "latin1");
  }

  /** Bytes of resident memory. */
  get memory() {
    return Number(/VmRSS:\s+(\d+)/.exec(this.proc("status"))[1]) * 1024;
  }

  /** Milliseconds of processor time of the loop's thread. */
  get busy() {
    return Number(this.proc("schedstat").split(" ")[0]) / 1e6;
  }

  async stop() {
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
    }
    await atMost(20000, "the server ends", this.ended);
    assert.doesNotMatch(this.errors, sanitizer);
    assert.equal(this.child.exitCode, 0, this.errors);
  }
}

/** Options as http_echo takes them; `files`: how many descriptors it may have. Stops with the test t, if any. */
export async function startEcho(t, options = {}, files = 0) {
  assert.ok(existsSync(program), `${program} is not there: run make support-programs`);
  const args = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  const child = files
    ? spawn("/bin/sh", ["-c", `ulimit -n ${files} && exec "$0" "$@"`, program, ...args])
    : spawn(program, args);
  let line = "";
  const echo = new Echo(child);
  echo.ended = new Promise((resolve) => child.on("exit", resolve));
  child.stderr.on("data", (text) => (echo.errors += text));
  child.stdout.on("data", (text) => (line += text));
  await within(10000, "the server listens", () => {
    assert.equal(child.exitCode, null, echo.errors);
    return line.endsWith("\n");
  });
  [echo.address, echo.control] = line.trim().split(" ");
  t?.after(() => echo.stop());
  return echo;
}

/** The replies in what a server sent; bodies of replies to HEAD are left out by naming their index. */
export function parseReplies(text, heads = []) {
  const replies = [];
  let rest = text;
  while (rest.includes("\r\n\r\n")) {
    const end = rest.indexOf("\r\n\r\n");
    const [line, ...fields] = rest.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)[1]);
    const headers = {};
    for (const field of fields) {
      const [, name, value] = /^([^:]+): (.*)$/.exec(field);
      assert.ok(!(name.toLowerCase() in headers), `${name} comes twice`);
      headers[name.toLowerCase()] = value;
    }
    const length = heads.includes(replies.length) || status < 200 ? 0 : Number(headers["content-length"] ?? 0);
    if (rest.length < end + 4 + length) {
      break;
    }
    replies.push({ status, headers, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return { replies, rest };
}

/** A connection that sends bytes and reads replies. */
export class Talk extends Raw {
  constructor(echo, heads = []) {
    super(echo.address);
    this.heads = heads;
  }

  get replies() {
    return parseReplies(this.text, this.heads).replies;
  }

  /** The first n replies. */
  async read(n, ms = 5000) {
    await within(ms, `${n} replies, not ${JSON.stringify(this.text)}`, () => this.replies.length >= n || this.closed);
    assert.ok(this.replies.length >= n, `${n} replies, not ${JSON.stringify(this.text)}`);
    return this.replies.slice(0, n);
  }

  /** Send, and read one more reply. */
  async ask(bytes) {
    const n = this.replies.length + 1;
    await this.send(bytes);
    return (await this.read(n))[n - 1];
  }
}

export const get = (path, headers = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
