// machine.mjs - a small machine in namespaces, with a real systemd as its first process.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, existsSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../packaging/support.mjs";
import { atMost, within } from "../e2e/support/wait.mjs";
import { buildah } from "./images.mjs";

const NAME = `fraiseqld-test-${process.pid}`;

/** The control groups of the machine to be: of the one hierarchy, or of systemd's two. */
function controlGroups() {
  const all = existsSync("/sys/fs/cgroup/cgroup.controllers") ? ["/sys/fs/cgroup"] : ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];
  return all.map((hierarchy) => `${hierarchy}/${NAME}`);
}

/** Why there can be no machine here; undefined if there can. */
export function refusal() {
  try {
    controlGroups().forEach((group) => mkdirSync(group));
  } catch (error) {
    return `no control group: ${error.message}`;
  }
  return undefined;
}

export class Machine {
  /** Boots a copy of the image, to which it adds systemd. */
  static async boot(tag) {
    const container = await buildah("from", "--pull-never", `localhost/fraiseqld:${tag}`);
    const machine = new Machine();
    machine.directory = await buildah("mount", container);
    await run("cp", ["-L", "/etc/resolv.conf", "/etc/hosts", `${machine.directory}/etc/`]);
    // The image's own user is not on a Debian of somebody's: systemd makes one.
    await run("sed", ["-i", "/^fraiseqld:/d", `${machine.directory}/etc/passwd`, `${machine.directory}/etc/group`]);
    await run("chroot", [machine.directory, "sh", "-c", "apt-get -qq update && apt-get -qq install -y --no-install-recommends systemd systemd-sysv"], {
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    machine.child = spawn(fileURLToPath(new URL("boot", import.meta.url)), [machine.directory, NAME], { stdio: ["ignore", "ignore", "pipe"] });
    machine.child.stderr.setEncoding("utf8").on("data", (text) => (machine.stderr = (machine.stderr ?? "") + text));
    process.on("exit", () => machine.child.kill("SIGKILL"));
    machine.ended = new Promise((resolve) => machine.child.on("close", resolve));
    await within(30000, "systemd runs", () => machine.systemctl("is-system-running").then(({ stdout }) => /running|degraded/.test(stdout), () => false)).catch((late) => {
      throw new Error(`${late.message}\n${machine.stderr}`);
    });
    return machine;
  }

  /** The process that is 1 in there. */
  get init() {
    return Number(readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, "utf8"));
  }

  /** Runs a program in there, to its end. */
  run(...command) {
    return run("nsenter", ["-t", String(this.init), "-m", "-p", "-u", "-i", "-C", "-r", "-w", ...command]);
  }

  systemctl(...args) {
    return this.run("systemctl", ...args);
  }

  /** Properties of a unit. */
  async show(unit) {
    const { stdout } = await this.systemctl("show", unit);
    return Object.fromEntries(stdout.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  }

  /** Lines of the journal of a unit, as { PRIORITY, MESSAGE, … }; since the last boot of it all. */
  async journal(unit) {
    const { stdout } = await this.run("journalctl", "--no-pager", "-o", "json", "-u", unit);
    return stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  write(path, text, mode = 0o644) {
    mkdirSync(dirname(`${this.directory}${path}`), { recursive: true });
    writeFileSync(`${this.directory}${path}`, text, { mode });
  }

  /** The service's main process, as it is numbered out here. */
  async mainPid(unit) {
    const inner = (await this.show(unit)).MainPID;
    const all = execFileSync("pgrep", ["-f", "^/usr/bin/fraiseqld serve"], { encoding: "utf8" }).trim().split("\n");
    return Number(all.find((pid) => new RegExp(`^NSpid:\\t${pid}\\t${inner}$`, "m").test(readFileSync(`/proc/${pid}/status`, "utf8"))));
  }

  async end() {
    process.kill(this.init, "SIGKILL");
    await atMost(10000, "the machine ends", this.ended);
    for (const group of controlGroups()) {
      await within(5000, `${group} is empty`, () => {
        const below = execFileSync("find", [group, "-mindepth", "0", "-depth", "-type", "d"], { encoding: "utf8" }).trim().split("\n");
        try {
          below.forEach((path) => rmdirSync(path));
          return true;
        } catch {
          return false;
        }
      });
    }
  }
}
