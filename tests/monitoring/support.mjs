// support.mjs - a real Prometheus, and a daemon with everything it watches.

import { spawn, execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { within } from "../e2e/support/wait.mjs";

export const run = promisify(execFile);
export const conf = fileURLToPath(new URL("../../conf/", import.meta.url));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Prometheus with conf/prometheus, but for the address, and every second. */
export class Prometheus {
  static async start(target, name) {
    const dir = `${process.env.E2E_DIR}/${name}`;
    mkdirSync(dir);
    const text = readFileSync(`${conf}prometheus/prometheus.yml`, "utf8").replaceAll("15s", "1s").replace(`["127.0.0.1:9090"]`, `["${target}"]`);
    writeFileSync(`${dir}/prometheus.yml`, text);
    writeFileSync(`${dir}/fraiseqld.rules.yml`, readFileSync(`${conf}prometheus/fraiseqld.rules.yml`));
    const p = new Prometheus();
    p.url = `http://127.0.0.1:${await freePort()}`;
    p.child = spawn("prometheus", [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=${p.url.slice(7)}`, "--enable-feature=exemplar-storage", "--log.level=warn"], { stdio: "inherit" });
    process.on("exit", () => p.child.kill("SIGKILL"));
    p.ended = new Promise((resolve) => p.child.on("close", resolve));
    await within(30000, "Prometheus is ready", async () => (await fetch(`${p.url}/-/ready`).catch(() => ({}))).status === 200);
    return p;
  }

  async get(path, parameters = {}) {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const body = await response.json();
    if (body.status !== "success") {
      throw new Error(`${parameters.query ?? path}: ${body.error}`);
    }
    return body.data;
  }

  /** The series that an expression gives now. */
  async query(expression) {
    return (await this.get("query", { query: expression })).result;
  }

  async stop() {
    this.child.kill("SIGTERM");
    await this.ended;
  }
}
