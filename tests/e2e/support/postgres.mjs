// postgres.mjs - databases and SQL for tests, through psql.
//
// Expected values come from here: whatever the daemon answers is compared with what PostgreSQL says.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { running } from "./children.mjs";
import { within } from "./wait.mjs";

const run = promisify(execFile);
const privatePostgres = fileURLToPath(new URL("../../support/private-postgres", import.meta.url));
const demo = fileURLToPath(new URL("../../../sql/demo/", import.meta.url));

if (!process.env.E2E_DIR) {
  throw new Error("there is no database server: run tests/e2e/run FILE");
}

/** Where a PostgreSQL listens: what psql and the daemon need. */
class Server {
  constructor({ host, port, user, dir }) {
    Object.assign(this, { host, port, user, dir });
  }

  get environment() {
    return { ...process.env, PGHOST: this.host, PGPORT: this.port, PGUSER: this.user, PGTZ: "UTC" };
  }

  /** The text that a statement (or several) returns, unaligned. */
  async sql(database, text) {
    // An argument holds no more than 128 KiB.
    const long = text.length > 100000;
    const psql = run(
      "psql",
      ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, ...(long ? ["-f", "-"] : ["-c", text])],
      { env: this.environment, maxBuffer: 64 << 20 },
    );
    psql.child.stdin.on("error", () => {}).end(long ? text : "");
    const { stdout } = await psql;
    return stdout.replace(/\n$/, "");
  }

  /** A script of any length, as one would give it to psql. */
  async script(database, text) {
    const path = `${process.env.E2E_DIR}/${randomBytes(6).toString("hex")}.sql`;
    writeFileSync(path, text);
    await run("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", path], { env: this.environment });
  }

  /** The rows of a query, as PostgreSQL's row_to_json has them. */
  async rows(database, query) {
    return JSON.parse(await this.sql(database, `select coalesce(json_agg(r), '[]') from (${query}) r`));
  }

  url(database, user = "fraiseqld") {
    return `postgresql://${user}@127.0.0.1:${this.port}/${database}`;
  }
}

/** The server of this test run; everybody's. */
export const shared = new Server({
  host: process.env.PGHOST,
  port: process.env.PGPORT,
  user: process.env.PGUSER,
});

async function startCluster(args) {
  const dir = `${process.env.E2E_DIR}/pg-${randomBytes(4).toString("hex")}`;
  const { stdout } = await run(privatePostgres, ["start", dir, ...args]);
  const said = Object.fromEntries(stdout.trim().split("\n").map((line) => line.split("=")));
  const server = new Server({ host: said.PGHOST, port: said.PGPORT, user: said.PGUSER, dir });
  for (const command of ["stop", "halt", "crash", "resume", "promote"]) {
    server[command] = () => run(privatePostgres, [command, dir]);
  }
  return server;
}

/** A streaming standby of such a server. */
export const startStandby = (primary) => startCluster(["--standby-of", primary.dir]);

/** A server for one test, which may stop it. With the demo's data, in the database demo. Settings: as "key=value". */
export async function startServer(settings = []) {
  const server = await startCluster(settings.flatMap((setting) => ["-o", setting]));
  await server.sql("postgres", "create database demo");
  for (const file of readdirSync(demo).filter((name) => /^[0-9].*\.sql$/.test(name)).sort()) {
    const args = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-d", "demo", "-f", demo + file];
    await run("psql", args, { env: server.environment });
  }
  return server;
}

/** A database of one's own with the demo in it: its name. */
export async function createDatabase() {
  const name = `e2e_${randomBytes(6).toString("hex")}`;
  await shared.sql("postgres", `create database ${name} template e2e_template`);
  return name;
}

/** A session that stays: for transactions that hold locks. */
export class Session {
  constructor(database, server = shared) {
    this.psql = spawn("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database], {
      env: server.environment,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.output = "";
    this.psql.stdout.setEncoding("utf8").on("data", (text) => (this.output += text));
    running.add(this.psql);
    this.ended = new Promise((resolve) => this.psql.on("exit", resolve)).finally(() => running.delete(this.psql));
  }

  /** Runs statements to their end; what they returned. */
  async run(text) {
    const mark = `-- ${randomBytes(8).toString("hex")}`;
    this.output = "";
    this.psql.stdin.write(`${text};\n\\echo ${mark}\n`);
    await within(20000, `psql: ${text}`, () => {
      if (this.psql.exitCode !== null) {
        throw new Error(`psql ended with ${this.psql.exitCode}: ${text}`);
      }
      return this.output.includes(mark);
    });
    return this.output.slice(0, this.output.indexOf(mark)).trim();
  }

  async end() {
    this.psql.stdin.end();
    await this.ended;
  }
}
