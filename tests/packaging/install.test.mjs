// What `make install` installs: the layout, the units and their sandbox, the manual, the completion.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { configuration, Daemon } from "../e2e/support/daemon.mjs";
import { createDatabase } from "../e2e/support/postgres.mjs";
import { within } from "../e2e/support/wait.mjs";
import { make, root, run } from "./support.mjs";

const database = await createDatabase();
const temporary = () => mkdtempSync(`${process.env.E2E_DIR}/install-`);

const staged = temporary();
await make("install", `DESTDIR=${staged}`, "PREFIX=/usr");

// As on a machine of one's own: what is installed is where it says that it is.
const local = temporary();
await make("install", `PREFIX=${local}`, `SYSCONFDIR=${local}/etc`);
const installed = `${local}/bin/fraiseqld`;

const said = async (...args) => (await run(installed, args)).stdout;

test("everything is where it belongs", () => {
  const files = [
    "etc/fraiseqld/fraiseqld.yaml",
    "usr/bin/fraiseqld",
    "usr/lib/systemd/system/fraiseqld.service",
    "usr/lib/systemd/system/fraiseqld.socket",
    "usr/lib/systemd/system/fraiseqld@.service",
    "usr/share/bash-completion/completions/fraiseqld",
    "usr/share/doc/fraiseqld/LICENSE",
    "usr/share/doc/fraiseqld/NEWS",
    "usr/share/doc/fraiseqld/README.md",
    "usr/share/doc/fraiseqld/docs/api.md",
    "usr/share/doc/fraiseqld/docs/deployment.md",
    "usr/share/doc/fraiseqld/docs/operations.md",
    "usr/share/fraiseqld/grafana/dashboards/platform.json",
    "usr/share/fraiseqld/grafana/provisioning/datasources/fraiseqld.yaml",
    "usr/share/fraiseqld/prometheus/fraiseqld.rules.yml",
    "usr/share/fraiseqld/sql/optional/notify_schema.sql",
    "usr/share/man/man5/fraiseqld.yaml.5",
    "usr/share/man/man8/fraiseqld.8",
  ];
  for (const file of files) {
    const status = statSync(`${staged}/${file}`);
    assert.equal(status.mode & 0o777, file.includes("/bin/") ? 0o755 : 0o644, file);
    assert.ok(status.size > 0, file);
  }
  const all = execFileSync("find", [staged, "-type", "f", "-printf", "%P\n"], { encoding: "utf8" }).trim().split("\n");
  const expected = /^(etc\/fraiseqld|usr\/bin|usr\/lib\/systemd\/system|usr\/share\/(bash-completion\/completions|doc\/fraiseqld|fraiseqld|man))\//;
  assert.deepEqual(all.filter((file) => !expected.test(file)), []);
  assert.deepEqual(all.filter((file) => /\.(tmp|swp|o)$/.test(file)), []);
});

test("links of the documents lead to documents", () => {
  const doc = `${staged}/usr/share/doc/fraiseqld`;
  for (const page of execFileSync("find", [doc, "-name", "*.md", "-printf", "%P\n"], { encoding: "utf8" }).trim().split("\n")) {
    for (const [, to] of readFileSync(`${doc}/${page}`, "utf8").matchAll(/\]\(([^)#:]+\.(?:md|yaml))(?:#[^)]*)?\)/g)) {
      // What measures is not installed.
      if (!to.startsWith("../bench/")) {
        statSync(new URL(to, `file://${doc}/${page}`));
      }
    }
  }
});

test("the configuration is the sample, and one that was changed stays", async () => {
  const file = `${staged}/etc/fraiseqld/fraiseqld.yaml`;
  assert.equal(readFileSync(file, "utf8"), await said("config", "example"));
  // But for the keys of tokens, which have no default.
  await run(installed, ["check", "-c", file, "--set", "auth.mode=none", "--set", "tenancy.enabled=false"]);
  writeFileSync(file, "version: 1\n");
  await make("install", `DESTDIR=${staged}`, "PREFIX=/usr");
  assert.equal(readFileSync(file, "utf8"), "version: 1\n");
});

test("what was installed serves", async () => {
  const daemon = new Daemon(configuration(database), { file: `${staged}/usr/bin/fraiseqld` });
  await daemon.listening();
  await daemon.ready();
  await daemon.data("{ projects(limit: 1) { id } }");
  await daemon.stop();
});

// --- units ---------------------------------------------------------------------------------------------

const UNITS = ["fraiseqld.service", "fraiseqld.socket", "fraiseqld@.service"];
const unit = (name) => `${local}/lib/systemd/system/${name}`;

for (const name of UNITS) {
  test(`systemd finds nothing wrong with ${name}`, async () => {
    // What it does not know it only warns of.
    const { stdout, stderr } = await run("systemd-analyze", ["verify", "--man=no", unit(name)]);
    assert.equal(stdout + stderr, "");
  });
}

for (const name of UNITS.filter((name) => name.endsWith(".service"))) {
  test(`the exposure of ${name} is at most 1.5`, async () => {
    const { stdout } = await run("systemd-analyze", ["security", "--offline=true", "--threshold=15", "--no-pager", unit(name)]);
    const exposure = Number(stdout.match(/Overall exposure level for \S+: ([\d.]+)/)[1]);
    assert.ok(exposure <= 1.5, stdout);
  });
}

test("the units name the program that was installed", () => {
  for (const name of UNITS.filter((name) => name.endsWith(".service"))) {
    assert.match(readFileSync(unit(name), "utf8"), new RegExp(`^ExecStart=${installed} serve`, "m"));
    assert.match(readFileSync(`${staged}/usr/lib/systemd/system/${name}`, "utf8"), /^ExecStart=\/usr\/bin\/fraiseqld serve/m);
  }
});

/** System calls of a group, with the groups in it. */
async function group(name) {
  const { stdout } = await run("systemd-analyze", ["syscall-filter", "--no-pager", name]);
  const words = stdout.split("\n").filter((line) => /^ +[@a-z]/.test(line)).map((line) => line.trim());
  const nested = await Promise.all(words.filter((word) => word.startsWith("@")).map(group));
  return new Set([...words.filter((word) => !word.startsWith("@")), ...nested.flatMap((calls) => [...calls])]);
}

test("the sandbox allows all that the daemon does from its start to its end", async () => {
  const settings = readFileSync(unit("fraiseqld.service"), "utf8");
  const allowed = new Set();
  for (const [, no, groups] of settings.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const name of groups.split(" ")) {
      (await group(name)).forEach((call) => (no ? allowed.delete(call) : allowed.add(call)));
    }
  }
  const families = settings.match(/^RestrictAddressFamilies=(.*)$/m)[1].split(" ");
  const trace = `${process.env.E2E_DIR}/strace`;
  const config = configuration(database, {
    server: { workers: 4, listen: ["127.0.0.1:0", `unix:${process.env.E2E_DIR}/http`] },
    observability: { tracing: { enabled: true, ratio: 1 }, otel_metrics: { enabled: true } },
  });
  const daemon = new Daemon(config, { file: installed, under: ["strace", "-f", "-qq", "-o", trace] });
  await within(20000, "three listeners", () => daemon.logged("listening").length === 3);
  daemon.url = `http://${daemon.logged("listening")[0].address}`;
  daemon.adminUrl = `http://${daemon.logged("listening")[2].address}`;
  await daemon.ready();
  await daemon.data("{ projects(limit: 1) { id } }");
  await daemon.admin("/metrics");
  // strace is who the test knows; it hands signals on by nobody's wish, so the daemon gets them itself.
  const pid = Number(readFileSync(`/proc/${daemon.child.pid}/task/${daemon.child.pid}/children`, "utf8"));
  process.kill(pid, "SIGHUP");
  await within(10000, "it reloads", () => daemon.logged("schema unchanged").length === 1);
  process.kill(pid, "SIGTERM");
  daemon.told = true;
  await daemon.stop();
  const lines = readFileSync(trace, "utf8").split("\n");
  // Once the program has begun: what starts it is systemd's, before the filter.
  const own = lines.slice(lines.findIndex((line) => line.includes("execve(")) + 1);
  const calls = new Set(own.map((line) => line.match(/^\d+ +([a-z_0-9]+)\(/)?.[1]).filter(Boolean));
  assert.ok(calls.size > 30, [...calls].join());
  assert.deepEqual([...calls].filter((call) => !allowed.has(call)), []);
  const sockets = new Set(own.map((line) => line.match(/ socket\((AF_\w+)/)?.[1]).filter(Boolean));
  // That one tells getaddrinfo() which families there are; without an answer it takes all.
  sockets.delete("AF_NETLINK");
  assert.ok(sockets.has("AF_INET"));
  assert.deepEqual([...sockets].filter((family) => !families.includes(family)), []);
  // MemoryDenyWriteExecute=
  assert.deepEqual(own.filter((line) => /(mmap|mprotect)\(.*PROT_WRITE\|PROT_EXEC/.test(line) || /mprotect\(.*PROT_EXEC/.test(line)), []);
});

// --- manual --------------------------------------------------------------------------------------------

const PAGES = [`${local}/share/man/man8/fraiseqld.8`, `${local}/share/man/man5/fraiseqld.yaml.5`];

for (const page of PAGES) {
  test(`mandoc and man find nothing wrong with ${page.split("/").at(-1)}`, async () => {
    const linted = await run("mandoc", ["-Tlint", "-Wall", page]);
    assert.equal(linted.stdout + linted.stderr, "");
    const shown = await run("man", ["--warnings", "-l", page], { env: { LC_ALL: "C.UTF-8", MANWIDTH: "100", MANPAGER: "cat" } });
    assert.equal(shown.stderr, "");
    assert.ok(shown.stdout.length > 5000);
  });
}

/** A page as lines of text, without what formatting does to it. */
const text = async (page) =>
  (await run("man", ["-l", page], { env: { LC_ALL: "C.UTF-8", MANWIDTH: "1000", MANPAGER: "cat", MAN_KEEP_FORMATTING: "" } })).stdout.replace(/[^\n]\x08/g, "");

test("fraiseqld(8) has every command and every option of its help", async () => {
  const page = await text(PAGES[0]);
  const commands = [...(await said("help")).matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);
  assert.ok(commands.length > 8);
  for (const command of commands.filter((name) => name !== "help")) {
    const from = page.indexOf(`\n   ${command}\n`);
    assert.ok(from > 0, command);
    const section = page.slice(from, page.slice(from + 1).search(/\n {0,3}[a-zA-Z]/) + from + 1);
    for (const [, flag] of (await said("help", command)).matchAll(/^ +(?:-., )?(--[a-z-]+)/gm)) {
      assert.ok(section.includes(flag), `${command} ${flag}`);
    }
  }
});

test("fraiseqld.yaml(5) has every key, with its default", async () => {
  const page = await text(PAGES[1]);
  const dumped = await said("config", "explain", "server");
  assert.match(page, /server\.keepalive_timeout\n.*Default: 75s\./);
  for (const section of [...(await said("config", "example")).matchAll(/^#?([a-z_]+):/gm)].map(([, name]) => name)) {
    assert.ok(page.includes(`\n${section.toUpperCase()}\n`), section);
    for (const [, key] of (await said("config", "explain", section)).matchAll(/^([a-z][^ ]*): /gm)) {
      assert.ok(page.includes(`       ${key}\n`), key);
    }
  }
  assert.ok(dumped.includes("server.keepalive_timeout"));
});

// --- completion ----------------------------------------------------------------------------------------

/** What bash offers for a line with the cursor at its end. */
async function complete(...words) {
  const script = `
    source "$1"; shift
    [[ $(complete -p fraiseqld) == *"-F _fraiseqld fraiseqld" ]] || exit 1
    COMP_WORDS=(fraiseqld "$@"); COMP_CWORD=$#
    _fraiseqld
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await run("bash", ["--norc", "-euc", script, "bash", `${local}/share/bash-completion/completions/fraiseqld`, ...words]);
  assert.equal(stderr, "");
  return stdout.split("\n").filter((line) => line !== "");
}

test("bash completes commands, what they do, options and keys", async () => {
  const commands = [...(await said("help")).matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);
  assert.deepEqual(await complete(""), [...commands, "--version", "--help"]);
  assert.deepEqual(await complete("he"), ["health", "help"]);
  assert.deepEqual(await complete("help", "ver"), ["version"]);
  assert.deepEqual(await complete("db", ""), ["install", "upgrade", "status", "uninstall"]);
  assert.deepEqual(await complete("db", "install", "--d"), ["--dry-run"]);
  assert.deepEqual(await complete("check", "--format", ""), ["text", "json"]);
  assert.deepEqual(await complete("config", "explain", "database.pool.mi"), ["database.pool.min"]);
  assert.deepEqual(await complete("serve", "--set", "server.keep"), ["server.keepalive_timeout="]);
  assert.deepEqual(await complete("--co"), ["--config"]);
  // Names of files are bash's own.
  assert.deepEqual(await complete("serve", "-c", ""), []);
  for (const command of commands.filter((name) => name !== "help")) {
    const flags = [...(await said("help", command)).matchAll(/^(?: {2}-., | {6})(--[a-z-]+)/gm)].map(([, flag]) => flag);
    assert.deepEqual((await complete(command, "--")).sort(), [...new Set(flags)].sort(), command);
  }
});

test("the documents in the source tree name what is installed", () => {
  const deployment = readFileSync(`${root}docs/deployment.md`, "utf8");
  for (const name of UNITS) {
    assert.ok(deployment.includes(name), name);
  }
});
