// driver.mjs - asks the driver (driver.c) what it makes of documents.

import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Driver {
  constructor(program, schema) {
    this.program = program;
    this.schema = schema;
    this.waiting = [];
    this.child = spawn(program, [schema], { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = new Promise((resolve) => this.child.on("close", (code, signal) => resolve({ code, signal })));
    this.ended.then((how) => this.waiting.forEach(({ reject }) => reject(new Error(`the driver ended: ${JSON.stringify(how)}`))));
    this.child.stdin.on("error", () => {});
    createInterface(this.child.stdout).on("line", (line) => this.waiting.shift().resolve(JSON.parse(line)));
  }

  sdl() {
    return execFileSync(this.program, [this.schema, "--sdl"], { encoding: "utf8" });
  }

  ask(document, operationName = "", variables = undefined) {
    for (const text of [document, operationName, variables === undefined ? "" : JSON.stringify(variables)]) {
      this.child.stdin.write(`${Buffer.byteLength(text)}\n`);
      this.child.stdin.write(text);
    }
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject, document }));
  }

  async end() {
    this.child.stdin.end();
    const how = await this.ended;
    if (how.code !== 0) {
      throw new Error(`the driver ended: ${JSON.stringify(how)}`);
    }
  }
}
