// The images of the Dockerfile, really built, and run against a real database.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { configuration } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ACME, tokenFor } from "../e2e/support/token.mjs";
import { within } from "../e2e/support/wait.mjs";
import { root, run } from "../packaging/support.mjs";
import { freePort, get } from "./http.mjs";
import { build, buildah, open, Pod, refusal } from "./images.mjs";
import * as machine from "./machine.mjs";
import { testUnits } from "./units.mjs";

const TAGS = ["slim", "minimal"];
const MAX_MB = { slim: 150, minimal: 30 };
const CREATED = "2026-01-02T03:04:05Z";
const version = readFileSync(`${root}Makefile`, "utf8").match(/^VERSION := (.*)$/m)[1];
const why = await refusal();

if (why) {
  test("containers", { skip: `the kernel refuses: ${why}` }, () => {});
} else {
  const revision = (await run("git", ["-c", "safe.directory=*", "rev-parse", "--short=12", "HEAD"]).catch(() => ({ stdout: "unknown" }))).stdout.trim();
  await build({ revision, created: CREATED });
  const images = Object.fromEntries(await Promise.all(TAGS.map(async (tag) => [tag, await open(tag)])));
  const database = await createDatabase();
  for (const tag of TAGS) {
    testImage(tag, images[tag], database, revision);
  }
  testSlim(images.slim.directory);
  testMinimal(images);
  const whyNot = machine.refusal();
  if (whyNot) {
    test("systemd", { skip: `the kernel refuses: ${whyNot}` }, () => {});
  } else {
    await testUnits(database);
  }
}

function testImage(tag, image, database, revision) {
  test(`${tag}: it is at most ${MAX_MB[tag]} MB`, (t) => {
    const bytes = Number(execFileSync("du", ["-s", "--apparent-size", "--block-size=1", image.directory], { encoding: "utf8" }).split("\t")[0]);
    t.diagnostic(`${tag}: ${(bytes / 1e6).toFixed(1)} MB`);
    assert.ok(bytes <= MAX_MB[tag] * 1e6, `${bytes} bytes`);
  });

  test(`${tag}: it says how it is run`, () => {
    const { config } = image;
    assert.equal(config.User, "10001:10001");
    assert.deepEqual(config.Entrypoint, ["/usr/bin/fraiseqld"]);
    assert.deepEqual(config.Cmd, ["serve"]);
    assert.deepEqual(Object.keys(config.ExposedPorts).sort(), ["8080/tcp", "9090/tcp"]);
    assert.equal(config.StopSignal, "SIGTERM");
    // Without a shell, which minimal does not have.
    assert.deepEqual(config.Healthcheck.Test, ["CMD", "/usr/bin/fraiseqld", "health", "--live"]);
    const labels = Object.fromEntries(Object.entries(config.Labels).map(([name, value]) => [name.replace("org.opencontainers.image.", ""), value]));
    assert.equal(labels.title, "fraiseqld");
    assert.equal(labels.version, version);
    assert.equal(labels.revision, revision);
    assert.equal(labels.created, CREATED);
    assert.equal(labels.licenses, "MIT");
    for (const name of ["description", "source", "documentation", "vendor"]) {
      assert.ok(name in labels, name);
    }
  });

  test(`${tag}: it serves as nobody, on a root that is read-only, and ends in order`, async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const settings = configuration(database, {
      server: { listen: [`0.0.0.0:${port}`], admin_listen: "127.0.0.1:1", shutdown: { delay: "100ms" } },
      // By a name, for the sake of the name service; a zone, for the sake of its file.
      database: { url: shared.url(database).replace("127.0.0.1", "localhost") },
      jobs: { timezone: "Europe/Berlin" },
    });
    // The image's own word for the admin port is a variable, as a pod's would be.
    assert.ok(image.config.Env.includes("FRAISEQLD_SERVER__ADMIN_LISTEN=0.0.0.0:9090"));
    const pod = new Pod(image, settings, { FRAISEQLD_SERVER__ADMIN_LISTEN: `0.0.0.0:${adminPort}` });
    try {
      await pod.listening();
      await within(20000, "it is ready", async () => (await get(`http://127.0.0.1:${adminPort}/readyz`)).status === 200).catch((late) => {
        throw new Error(`${late.message}\n${pod.stderr}`);
      });
      const reply = await get(`http://127.0.0.1:${port}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${tokenFor(ACME)}` },
        body: JSON.stringify({ query: "{ projects(limit: 1) { id } }" }),
      });
      assert.equal(JSON.parse(reply.text).data.projects.length, 1, reply.text);

      const status = readFileSync(`/proc/${pod.pid}/status`, "utf8");
      assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m);
      assert.match(status, /^Gid:\t10001\t10001\t10001\t10001$/m);
      assert.match(status, /^CapEff:\t0+$/m);
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match(status, /^NSpid:.*\t1$/m);
      assert.match(readFileSync(`/proc/${pod.pid}/mountinfo`, "utf8"), / \/ \/ ro,|\/ ro[, ]/);

      // What a runtime runs for HEALTHCHECK.
      const healthy = await pod.exec(image.config.Healthcheck.Test.slice(1));
      assert.equal(healthy.code, 0, healthy.stderr);
      const ready = await pod.exec(["/usr/bin/fraiseqld", "health", "--ready"]);
      assert.equal(ready.code, 0, ready.stderr);
      pod.env.FRAISEQLD_SERVER__ADMIN_LISTEN = "127.0.0.1:1";
      assert.equal((await pod.exec(image.config.Healthcheck.Test.slice(1))).code, 1);

      assert.equal(await pod.stop(), 0, pod.stderr);
      assert.equal(pod.logged("stopped").length, 1);
      assert.deepEqual(pod.lines.filter((line) => line.level === "error"), []);
    } finally {
      pod.kill();
    }
  });
}

function sbom(directory) {
  return JSON.parse(readFileSync(`${directory}/usr/share/doc/fraiseqld/sbom.cdx.json`, "utf8"));
}

function inside(directory, ...command) {
  return execFileSync("chroot", [directory, ...command], { encoding: "utf8" }).trim();
}

function testSlim(directory) {
  test("slim: apt has installed the package, which enables nothing", () => {
    assert.equal(inside(directory, "dpkg-query", "-W", "-f", "${Status} ${Version}", "fraiseqld"), `install ok installed ${version}-1`);
    // Documents are left out of images; whatever else is missing or changed would be told of.
    const wrong = inside(directory, "dpkg", "--verify", "fraiseqld").split("\n").filter((line) => line !== "" && !/^missing +\/usr\/share\/(doc|man)\//.test(line));
    assert.deepEqual(wrong, []);
    assert.ok(!existsSync(`${directory}/etc/systemd/system/multi-user.target.wants/fraiseqld.service`));
  });

  test("slim: the bill of materials has every package that is installed", () => {
    const bill = sbom(directory);
    assert.equal(bill.bomFormat, "CycloneDX");
    assert.equal(bill.specVersion, "1.4");
    assert.equal(bill.metadata.timestamp, CREATED);
    assert.equal(bill.metadata.component.version, `${version}-1`);
    const packages = inside(directory, "dpkg-query", "-W", "-f", "${Package} ${Version}\n").split("\n").filter((line) => !line.startsWith("fraiseqld "));
    assert.deepEqual(bill.components.map(({ name, version }) => `${name} ${version}`).sort(), packages.sort());
    for (const { purl } of bill.components) {
      assert.match(purl, /^pkg:deb\/debian\/[a-z0-9.%B+-]+@[A-Za-z0-9.~%+-]+\?arch=(amd64|arm64|all)&distro=debian-\d+$/);
    }
  });

  test("slim: it has the security updates of what is linked", async () => {
    // Without the archive of updates libevent would be older.
    assert.match(inside(directory, "dpkg-query", "-W", "-f", "${Version}", "libevent-core-2.1-7"), /deb12u/);
  });
}

/** Files below a folder that are no folders. */
function files(directory, below = "") {
  return readdirSync(`${directory}${below}`, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(directory, `${below}/${entry.name}`) : [`${below}/${entry.name}`],
  );
}

function testMinimal({ slim, minimal }) {
  const all = files(minimal.directory);

  test("minimal: there is no other program than the daemon, and nothing to become root by", () => {
    const isProgram = (file) => lstatSync(`${minimal.directory}${file}`).isFile() && lstatSync(`${minimal.directory}${file}`).mode & 0o111;
    const programs = all.filter((file) => isProgram(file) && !/\.so(\.|$)/.test(file));
    assert.deepEqual(programs, ["/usr/bin/fraiseqld"]);
    assert.deepEqual(all.filter((file) => lstatSync(`${minimal.directory}${file}`).mode & 0o6000), []);
  });

  test("minimal: the bill of materials and the licences have what each library came with", () => {
    const named = new Set(sbom(minimal.directory).components.map(({ name }) => name));
    const libraries = all.filter((file) => /\.so(\.|$)/.test(file));
    assert.ok(libraries.length > 10);
    for (const library of libraries) {
      const real = inside(slim.directory, "readlink", "-f", library);
      const owner = [real, real.replace(/^\/usr/, "")].flatMap((path) => {
        try {
          return [execFileSync("chroot", [slim.directory, "dpkg-query", "-S", path], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split(":")[0]];
        } catch {
          return [];
        }
      })[0];
      assert.ok(named.has(owner), `${library} of ${owner}`);
      assert.ok(existsSync(`${minimal.directory}/usr/share/doc/${owner}/copyright`), owner);
    }
    assert.ok(existsSync(`${minimal.directory}/usr/share/doc/fraiseqld/copyright`));
  });

  test("minimal: it can be written to a file that engines load", async () => {
    const file = `${process.env.E2E_DIR}/minimal.tar`;
    await buildah("push", "--quiet", "localhost/fraiseqld:minimal", `docker-archive:${file}:fraiseqld:minimal`);
    const [manifest] = JSON.parse(execFileSync("tar", ["-xOf", file, "manifest.json"], { encoding: "utf8" }));
    assert.match(manifest.RepoTags[0], /fraiseqld:minimal$/);
    assert.equal(manifest.Layers.length, 1);
  });
}
