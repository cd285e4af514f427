// daemon.mjs - starts the daemon, speaks to it, and sees how it ends.
//
// A daemon that dies, or in which a sanitizer finds something, fails the test: stop() throws, with
// what the daemon wrote.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import http from "node:http";
import { running } from "./children.mjs";
import { shared } from "./postgres.mjs";
import { SECRET, tokenFor, ACME } from "./token.mjs";
import { atMost, within } from "./wait.mjs";

export const binary = process.env.FRAISEQLD;
const sanitizer = /(ERROR|WARNING): (Address|Leak|Thread|Memory)Sanitizer|runtime error:|CHECK failed/;

function isPlain(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Members of more over those of base, at any depth; undefined removes one. */
export function merge(base, more) {
  const result = { ...base };
  for (const [name, value] of Object.entries(more)) {
    result[name] = isPlain(value) && isPlain(base[name]) ? merge(base[name], value) : value;
  }
  return result;
}

export function writeFile(suffix, text) {
  const path = `${process.env.E2E_DIR}/${randomBytes(6).toString("hex")}.${suffix}`;
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** What every test starts from: the demo as sql/demo/run has it, on free ports. */
export function configuration(database, more = {}, server = shared) {
  const base = {
    server: {
      listen: ["127.0.0.1:0"],
      admin_listen: "127.0.0.1:0",
      workers: 2,
      shutdown: { delay: "0s", drain_timeout: "10s" },
    },
    database: { url: server.url(database), role: "app_user", pool: { min: 1, max: 8 } },
    schema: { expose: { schemas: ["public"], views: ["v_*"] } },
    auth: {
      mode: "required",
      jwt: { algorithms: ["HS256"], keys: [{ kid: "e2e", alg: "HS256", secret: SECRET }] },
      claims: {
        tenant_id: { path: "tenant_id", setting: "app.current_tenant_id", type: "uuid", required: true },
        user_id: { path: "sub", setting: "app.user_id", type: "uuid" },
      },
    },
    tenancy: { enabled: true, claim: "tenant_id" },
    cache: { enabled: false },
    errors: { environment: "development", enabled: false, notifications: { enabled: false } },
    // What is sampled by chance, and what is written in the background, is for the tests about it.
    observability: { log: { level: "info", format: "json" }, tracing: { enabled: false, ratio: 0 }, otel_metrics: { enabled: false } },
  };
  return merge(base, more);
}

/** A file with a configuration: JSON is YAML. */
export function writeConfiguration(config) {
  return writeFile("yaml", typeof config === "string" ? config : JSON.stringify(config, null, 2));
}

/** Any run of the program, to its end. */
export async function program(args, { env = {}, input = "" } = {}) {
  const child = spawn(binary, args, { env: environment(env), stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  running.add(child);
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code, signal] = await atMost(
    20000,
    `fraiseqld ${args.join(" ")} ends`,
    new Promise((resolve) => child.on("close", (...how) => resolve(how))),
  );
  running.delete(child);
  assert.doesNotMatch(stderr, sanitizer);
  return { code, signal, stdout, stderr };
}

/** Has `fraiseqld db ACTION` done in a database, by its superuser, for the daemon's role. */
export async function db(action, database, { args = [], more = {}, server = shared } = {}) {
  const config = configuration(database, merge({ database: { url: server.url(database, server.user) } }, more), server);
  return program(["db", action, "-c", writeConfiguration(config), ...args]);
}

/** With all that the daemon keeps in the database. */
export async function installSystem(database, options = {}) {
  const { code, stderr } = await db("install", database, { ...options, args: ["--grant-to", "fraiseqld", ...(options.args ?? [])] });
  assert.equal(code, 0, stderr);
}

/** Ours, without what would configure the daemon behind the test's back. */
function environment(more) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|FRAISEQLD|DATABASE_URL|PORT$|NOTIFY_SOCKET$|WATCHDOG_|LISTEN_|JOURNAL_STREAM$)/.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

/** The value of a series, as "name" or "name{label=...}"; NaN: there is none. */
export const metric = async (daemon, name) =>
  Number((await daemon.admin("/metrics")).text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ").pop());

export class Daemon {
  /** under: a program and its arguments that run the daemon, behind them; file: of the daemon itself. */
  constructor(config, { env = {}, args = [], under = [], file = binary, stdout = "inherit" } = {}) {
    this.lines = [];
    this.stderr = "";
    this.file = writeConfiguration(config);
    const [command, ...rest] = [...under, file, "serve", "-c", this.file, ...args];
    this.child = spawn(command, rest, {
      env: environment(env),
      stdio: ["ignore", stdout, "pipe"],
    });
    running.add(this.child);
    this.child.stderr.setEncoding("utf8").on("data", (text) => this.#read(text));
    this.exited = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        running.delete(this.child);
        this.ending = { code, signal };
        resolve(this.ending);
      });
    });
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  }

  #read(text) {
    const complete = this.stderr.lastIndexOf("\n") + 1;
    this.stderr += text;
    const end = this.stderr.lastIndexOf("\n") + 1;
    for (const line of this.stderr.slice(complete, end).split("\n")) {
      if (line.startsWith("{")) {
        this.lines.push(JSON.parse(line));
      }
    }
  }

  /** Log lines with this message. */
  logged(msg) {
    return this.lines.filter((line) => line.msg === msg);
  }

  /** Waits until it listens: the API's address first, then the one for probes. */
  async listening() {
    await within(15000, "the daemon listens", () => {
      if (this.ending) {
        throw new Error(`the daemon ended with ${JSON.stringify(this.ending)}:\n${this.stderr}`);
      }
      return this.logged("listening").length >= 2;
    });
    [this.address, this.adminAddress] = this.logged("listening").map((line) => line.address);
    this.url = `http://${this.address}`;
    this.adminUrl = `http://${this.adminAddress}`;
    return this;
  }

  async ready(ms = 15000) {
    await within(ms, "the daemon is ready", async () => {
      if (this.ending) {
        throw new Error(`the daemon ended with ${JSON.stringify(this.ending)}:\n${this.stderr}`);
      }
      return (await this.admin("/readyz")).status === 200;
    });
    return this;
  }

  /** An HTTP request: { status, headers, text, body }, body being the JSON if it is JSON. */
  request(url, { method = "GET", headers = {}, body, agent = this.agent, signal } = {}) {
    // Node sends the body of a DELETE without saying how long it is.
    const framed = body === undefined ? headers : { "content-length": Buffer.byteLength(body), ...headers };
    return new Promise((resolve, reject) => {
      const request = http.request(url, { method, headers: framed, agent, signal }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => (text += part));
        response.on("error", reject);
        response.on("end", () => {
          const json = /json/.test(response.headers["content-type"] ?? "") && text.length > 0;
          resolve({
            status: response.statusCode,
            headers: response.headers,
            text,
            body: json ? JSON.parse(text) : undefined,
          });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  admin(path) {
    return this.request(this.adminUrl + path, { agent: false });
  }

  /** Sends an operation as Ada of Acme, unless told otherwise; token: null sends none. */
  post(query, { variables, operationName, extensions, token = tokenFor(ACME), headers = {}, ...more } = {}) {
    return this.request(`${this.url}/graphql`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables, operationName, extensions }),
      ...more,
    });
  }

  /** The data of an operation that goes well. */
  async data(query, options) {
    const { status, body, text } = await this.post(query, options);
    assert.equal(status, 200, text);
    assert.equal(body.errors, undefined, text);
    return body.data;
  }

  /** The only error of an operation that fails before it is executed; accepted as the new media type. */
  async refusal(query, options = {}) {
    const reply = await this.post(query, {
      ...options,
      headers: { accept: "application/graphql-response+json", ...options.headers },
    });
    assert.ok(reply.body?.errors?.length > 0, reply.text);
    assert.ok(!("data" in reply.body), reply.text);
    return { ...reply.body.errors[0], status: reply.status, headers: reply.headers, all: reply.body.errors };
  }

  signal(name) {
    this.told ||= name !== "SIGHUP" && name !== "SIGUSR1";
    this.child.kill(name);
  }

  /** Has it end in good order, and checks that it did. */
  async stop({ signal = "SIGTERM", ms = 15000 } = {}) {
    if (!this.ending) {
      // A second signal would end it in haste.
      if (!this.told) {
        this.signal(signal);
      }
      await atMost(ms, `the daemon ends after ${signal}`, this.exited).catch((late) => {
        this.signal("SIGABRT");
        throw new Error(`${late.message}\n${this.stderr}`);
      });
    }
    this.agent.destroy();
    assert.deepEqual(this.ending, { code: 0, signal: null }, `what the daemon wrote:\n${this.stderr}`);
    assert.doesNotMatch(this.stderr, sanitizer);
  }
}

/** A daemon that is ready, on its own database unless one is given. */
export async function start(database, more = {}, options = {}) {
  const daemon = new Daemon(configuration(database, more, options.server), options);
  try {
    await daemon.listening();
    return await daemon.ready();
  } catch (error) {
    // What still runs would keep node from ending.
    daemon.child.kill("SIGKILL");
    throw new Error(`${error.message}\n${daemon.stderr}`);
  }
}
