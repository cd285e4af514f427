// support.mjs - runs programs, and make in particular, as somebody who installs would.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const execute = promisify(execFile);

/** What a program writes; fails with it if the program does. */
export async function run(command, args, { env = {}, ...options } = {}) {
  try {
    const { stdout, stderr } = await execute(command, args, { cwd: root, maxBuffer: 64 << 20, env: { ...process.env, ...env }, ...options });
    return { stdout, stderr };
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}: status ${error.code}\n${error.stdout}${error.stderr}`);
  }
}

/** One at a time, and without what a make above says to those below it. */
export const make = (...args) =>
  run("flock", [`${process.env.E2E_DIR}/make.lock`, "make", "-s", ...args], { env: { MAKEFLAGS: "", MAKELEVEL: "", MFLAGS: "" } });
