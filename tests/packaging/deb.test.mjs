// What `make deb` makes. That apt installs it is seen in the container (container.test.mjs).

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { configuration, Daemon } from "../e2e/support/daemon.mjs";
import { createDatabase } from "../e2e/support/postgres.mjs";
import { make, root, run } from "./support.mjs";

const database = await createDatabase();
const version = readFileSync(`${root}Makefile`, "utf8").match(/^VERSION := (.*)$/m)[1];
await make("deb");
const [file] = readdirSync(`${root}build/deb`).filter((name) => /^fraiseqld_.*\.deb$/.test(name));
const deb = `${root}build/deb/${file}`;
const field = async (name) => (await run("dpkg-deb", ["--field", deb, name])).stdout.trim();

test("it has the version of the sources, and the libraries that the program is linked with", async () => {
  assert.equal(await field("Package"), "fraiseqld");
  assert.equal(await field("Version"), `${version}-1`);
  const depends = await field("Depends");
  for (const library of ["libc6", "libpq5", "libevent-core", "libyajl2", "libjwt", "libssl3", "libyaml-0-2", "zlib1g", "libcurl4"]) {
    assert.match(depends, new RegExp(`\\b${library}`));
  }
});

test("lintian finds nothing wrong with it", async () => {
  const { stdout } = await run("lintian", ["--allow-root", "--fail-on", "error,warning", deb]);
  assert.equal(stdout.trim(), "");
});

test("what is in it serves, and is stripped", async () => {
  const to = mkdtempSync(`${process.env.E2E_DIR}/deb-`);
  await run("dpkg-deb", ["--extract", deb, to]);
  const daemon = new Daemon(configuration(database), { file: `${to}/usr/bin/fraiseqld` });
  await daemon.listening();
  await daemon.ready();
  await daemon.data("{ projects(limit: 1) { id } }");
  await daemon.stop();
  const { stdout } = await run("file", ["-b", `${to}/usr/bin/fraiseqld`]);
  assert.match(stdout, /pie executable.*, stripped/);
});

test("its service is neither enabled nor started where it is installed, and its configuration is the administrator's", async () => {
  const to = mkdtempSync(`${process.env.E2E_DIR}/control-`);
  await run("dpkg-deb", ["--control", deb, to]);
  assert.equal(readFileSync(`${to}/conffiles`, "utf8"), "/etc/fraiseqld/fraiseqld.yaml\n");
  const postinst = readFileSync(`${to}/postinst`, "utf8");
  // deb-systemd-invoke leaves alone what is disabled and does not run.
  assert.match(postinst, /deb-systemd-invoke/);
  assert.doesNotMatch(postinst, /systemctl (enable|start)/);
  assert.match(postinst, /if deb-systemd-helper debian-installed 'fraiseqld.service'/);
});
