// images.mjs - builds the images of the Dockerfile, and runs them as a container runtime would, without
// any: buildah needs no daemon, and no registry with the base made from Debian's packages.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { root, run } from "../packaging/support.mjs";
import { atMost, within } from "../e2e/support/wait.mjs";

const storage = `${process.env.E2E_DIR}/containers`;
const base = `${root}build/container/base.tar`;
const DAY = 24 * 3600 * 1000;

/** Why the kernel does not let us run containers here; undefined if it does. */
export async function refusal() {
  try {
    await run("unshare", ["--mount", "--pid", "--fork", "sh", "-c", "mount -t tmpfs none /mnt && chroot / true"]);
  } catch (error) {
    return error.message.trim().replaceAll("\n", " ");
  }
}

export const buildah = async (...args) =>
  (await run("buildah", ["--root", `${storage}/root`, "--runroot", `${storage}/run`, "--storage-driver", "vfs", ...args])).stdout.trim();

const dockerfile = readFileSync(`${root}Dockerfile`, "utf8");
const [, BASE, CODENAME] = dockerfile.match(/^ARG BASE=(\S+:(\w+)-slim)$/m);

/** Debian's archives, as this machine knows them: without its updates the base would have known holes. */
async function sources() {
  const { stdout } = await run("apt-get", ["indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages"]);
  const rows = stdout.trim().split("\n").map((line) => line.split(" "));
  const uri = (security) => {
    const row = rows.find(([origin, codename]) => origin === "Debian" && codename.endsWith("-security") === security);
    if (!row) {
      throw new Error(`apt knows no archive of Debian's${security ? " security updates" : ""}`);
    }
    return row[2];
  };
  return [
    `deb ${uri(false)} ${CODENAME} main`,
    `deb ${uri(false)} ${CODENAME}-updates main`,
    `deb ${uri(true)} ${CODENAME}-security main`,
  ];
}

/** What Debian's slim image is: made once a day. */
async function makeBase() {
  if (existsSync(base) && Date.now() - statSync(base).mtimeMs < DAY) {
    return;
  }
  mkdirSync(`${root}build/container`, { recursive: true });
  const unwanted = ["man", "locale", "doc"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  await run("mmdebstrap", [
    "--quiet", "--variant=minbase", "--include=ca-certificates", ...unwanted,
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    // As the official one: nobody needs what is unpacked to survive a power failure.
    "--dpkgopt=force-unsafe-io",
    '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*',
    CODENAME, `${base}.new.tar`, ...(await sources()),
  ]);
  renameSync(`${base}.new.tar`, base);
}

/** Builds what the Dockerfile says; the images are localhost/fraiseqld:slim and :minimal. */
export async function build({ revision, created }) {
  await makeBase();
  const container = await buildah("from", "scratch");
  await buildah("add", container, base, "/");
  await buildah("commit", "--quiet", "--rm", container, BASE);
  const options = [
    "--isolation", "chroot", "--pull-never", "--format", "docker", "--layers=false", "-f", "Dockerfile",
    "--build-arg", `REVISION=${revision}`, "--build-arg", `CREATED=${created}`,
    "--build-arg", `SOURCE_DATE_EPOCH=${Date.parse(created) / 1000}`,
  ];
  await buildah("bud", ...options, "-t", "fraiseqld:slim", ".");
  // What is installed need not be built once more for the other one.
  await buildah("bud", ...options, "--build-context", "installed=container-image://localhost/fraiseqld:slim", "--target", "minimal", "-t", "fraiseqld:minimal", ".");
}

/** What an image says of itself, and its files. */
export async function open(tag) {
  const { config } = JSON.parse(await buildah("inspect", "--type", "image", `localhost/fraiseqld:${tag}`)).Docker;
  const container = await buildah("from", "--pull-never", `localhost/fraiseqld:${tag}`);
  return { config, directory: await buildah("mount", container) };
}

// As a pod that may do little has it: namespaces, the root read-only, /tmp in memory, one file for its
// configuration, nobody's user, no capability but those that it takes to become that user.
const POD = `
  set -e
  dir=$1 config=$2 user=$3; shift 3
  mount --bind "$dir" "$dir"
  mount --bind "$config" "$dir/etc/fraiseqld/fraiseqld.yaml"
  for file in /etc/hosts /etc/resolv.conf; do
    touch "$dir$file"
    mount --bind "$file" "$dir$file"
  done
  mount -o remount,bind,ro "$dir"
  mount -t tmpfs -o mode=1777 tmpfs "$dir/tmp"
  if [ -d "$dir/proc" ]; then mount -t proc proc "$dir/proc"; fi
  exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid --inh-caps=-all chroot --userspec="$user" "$dir" "$@"`;

/** Runs an image with what it says itself: user, environment, program and arguments. */
export class Pod {
  constructor({ config, directory }, settings, env) {
    const file = `${process.env.E2E_DIR}/pod-${Math.random().toString(36).slice(2)}.yaml`;
    writeFileSync(file, JSON.stringify(settings), { mode: 0o644 });
    this.image = config;
    this.env = { ...Object.fromEntries((config.Env ?? []).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])), ...env };
    this.lines = [];
    this.stderr = "";
    const command = [...config.Entrypoint, ...config.Cmd];
    this.child = spawn("unshare", ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", POD, "sh", directory, file, config.User, ...command], {
      env: { PATH: process.env.PATH, ...this.env },
      stdio: ["ignore", "inherit", "pipe"],
    });
    createInterface({ input: this.child.stderr }).on("line", (line) => {
      this.stderr += `${line}\n`;
      if (line.startsWith("{")) {
        this.lines.push(JSON.parse(line));
      }
    });
    this.exited = new Promise((resolve) => this.child.on("close", (code) => resolve((this.code = code))));
  }

  logged(msg) {
    return this.lines.filter((line) => line.msg === msg);
  }

  /** The process that is 1 in there. */
  get pid() {
    return Number(readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, "utf8"));
  }

  async listening() {
    await within(20000, "it listens", () => {
      if (this.code !== undefined) {
        throw new Error(`it ended with ${this.code}:\n${this.stderr}`);
      }
      return this.logged("listening").length >= 2;
    });
  }

  /** Runs a program beside it: { code, stderr }. */
  async exec(command) {
    const [uid, gid] = this.image.User.split(":");
    const child = spawn("nsenter", ["-t", String(this.pid), "-m", "-p", "-r", "-S", uid, "-G", gid, ...command], {
      env: this.env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (more) => (stderr += more));
    const code = await atMost(10000, command.join(" "), new Promise((resolve) => child.on("close", resolve)));
    return { code, stderr };
  }

  /** Whatever is left of it: who becomes another user is not killed with its parent. */
  kill() {
    if (this.code === undefined) {
      [this.pid, this.child.pid].filter(Boolean).forEach((pid) => process.kill(pid, "SIGKILL"));
    }
  }

  /** As a runtime has it end. */
  async stop() {
    process.kill(this.pid, this.image.StopSignal);
    return atMost(15000, "it ends", this.exited);
  }
}
