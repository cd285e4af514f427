// project.mjs - a folder as a front end's developer has one: files, and tools that run in it.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../node_modules", import.meta.url));

export class Project {
  constructor(files) {
    this.dir = join(process.env.E2E_DIR, `project-${randomBytes(6).toString("hex")}`);
    mkdirSync(this.dir);
    symlinkSync(packages, join(this.dir, "node_modules"));
    this.write({ "package.json": '{"type": "module"}', ...files });
  }

  path(name) {
    return join(this.dir, name);
  }

  write(files) {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(this.path(name)), { recursive: true });
      writeFileSync(this.path(name), text);
    }
  }

  /** Runs a program of a package (or node itself) in the folder: { code, output }. */
  run(program, ...args) {
    const file = program === "node" ? process.execPath : join(packages, ".bin", program);
    return new Promise((resolve) => {
      execFile(file, args, { cwd: this.dir, timeout: 120000 }, (error, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? error.signal) : 0, output: stdout + stderr }),
      );
    });
  }
}
