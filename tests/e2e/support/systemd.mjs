// systemd.mjs - what systemd does for a service, done by small programs of tests/support.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { atMost, within } from "./wait.mjs";

const programs = `${dirname(process.env.FRAISEQLD)}/support`;

/** A program that says one line when it has begun; end() has it end. */
async function helper(name, args) {
  const child = spawn(`${programs}/${name}`, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const lines = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const failed = ended.then((code) => {
    throw new Error(`${name} ended with ${code}`);
  });
  failed.catch(() => {});
  await Promise.race([within(5000, `${name} begins`, () => lines.length > 0), failed]);
  return {
    lines,
    async end() {
      child.stdin.end();
      await atMost(5000, `${name} ends`, ended);
    },
  };
}

/** The service manager's end of $NOTIFY_SOCKET: "path" or "abstract". */
export async function notifySocket(form) {
  const name = `notify-${randomBytes(6).toString("hex")}`;
  const address = form === "path" ? `${process.env.E2E_DIR}/${name}` : `@fraiseqld-${name}`;
  const { lines, end } = await helper("datagrams", [address]);
  return {
    address,
    end,
    /** Datagrams so far: { ms, READY: "1", … }. */
    get all() {
      return lines.slice(1).map((line) => {
        const [, ms, text] = line.match(/^(\d+) (.*)$/);
        const fields = text.split("\t").filter((field) => field !== "");
        return { ms: Number(ms), ...Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf("=")), field.slice(field.indexOf("=") + 1)])) };
      });
    },
    with(name) {
      return this.all.filter((datagram) => name in datagram);
    },
  };
}

/** Has one thread of a process stand still until end(). */
export const freeze = (pid, thread) => helper("freeze", [String(pid), thread]);

/** A program that keeps sockets of these names, for `under` of a Daemon. */
export const handover = (...names) => [`${programs}/handover`, ...names, "--"];
