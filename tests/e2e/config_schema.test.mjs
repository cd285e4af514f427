// The JSON Schema of the configuration says of files what the daemon says of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import Ajv from "ajv/dist/2020.js";
import { parse } from "yaml";
import { configuration, program, writeConfiguration } from "./support/daemon.mjs";

let validate;

before(async () => {
  const { code, stdout, stderr } = await program(["config", "schema"]);
  assert.equal(code, 0, stderr);
  validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(stdout));
});

async function daemonAccepts(config) {
  const { code } = await program(["check", "-c", writeConfiguration(config)]);
  return code === 0;
}

test("the sample file is valid, and so is every key that it has as a comment", () => {
  const sample = readFileSync(new URL("../../conf/fraiseqld.yaml", import.meta.url), "utf8");

  assert.ok(validate(parse(sample)), JSON.stringify(validate.errors));
  const all = sample.replace(/^( *)#(?=[a-z_]+:|- |  )/gm, "$1");
  assert.notEqual(all, sample);
  assert.ok(validate(parse(all)), JSON.stringify(validate.errors));
});

// of the configuration of all tests, with these changes
const good = {
  "numbers as texts": { server: { workers: "3" } },
  "the word for none": { server: { workers: "auto" } },
  "a variable in place of a number": { server: { workers: "${NO_SUCH:-2}" } },
  "a variable within a duration": { server: { header_timeout: "${NO_SUCH:-5}s" } },
  "truths of YAML 1.1": { server: { csrf_prevention: "yes" }, schema: { introspection: false } },
  "a number of bytes": { server: { limits: { max_body_bytes: 65536 } } },
  "a part in percent": { observability: { tracing: { ratio: "10%" } } },
  "a pause and the longest": { database: { pool: { retry_backoff: ["50ms", "2s"] } } },
  "other options of libpq": { database: { options: { sslrootcert: "/x", tcp_user_timeout: 3000 } } },
  "an empty section": { turborouter: null },
  "jobs": { jobs: { definitions: { nightly: { schedule: "0 3 * * *", builtin: "retention", timeout: "5m" } } } },
};

const bad = {
  "an unknown key": { server: { wrokers: 2 } },
  "an unknown section": { severs: {} },
  "a key of another section": { server: { pool: { max: 3 } } },
  "a word for a number": { server: { workers: "many" } },
  "a number out of range": { server: { workers: 5000 } },
  "a duration without a unit": { server: { header_timeout: 5 } },
  "a duration with a wrong unit": { server: { header_timeout: "5 sec" } },
  "a word that is none of them": { auth: { mode: "perhaps" } },
  "a text for a list": { schema: { expose: { views: "v_*" } } },
  "a list for a text": { server: { graphql_path: ["/graphql"] } },
  "a map for a text": { server: { graphql_path: { path: "/graphql" } } },
  "a text for a section": { database: { pool: "large" } },
  "an unknown part of a key": { auth: { jwt: { keys: [{ kid: "a", secert: "x" }] } } },
  "an algorithm that there is not": { auth: { jwt: { keys: [{ kid: "a", alg: "none", secret: "x".repeat(40) }] } } },
  "a part above 1": { observability: { tracing: { ratio: 2 } } },
  "three pauses": { database: { pool: { retry_backoff: ["50ms", "1s", "2s"] } } },
  "a size with a wrong unit": { server: { limits: { max_body_bytes: "1 megabyte" } } },
  "a file for what is no secret": { server: { graphql_path_file: "/x" } },
};

for (const [what, more] of Object.entries(good)) {
  test(`schema and daemon accept ${what}`, async () => {
    const config = configuration("none", more);
    assert.ok(await daemonAccepts(config), "the daemon");
    assert.ok(validate(config), JSON.stringify(validate.errors));
  });
}

for (const [what, more] of Object.entries(bad)) {
  test(`schema and daemon refuse ${what}`, async () => {
    const config = configuration("none", more);
    assert.equal(await daemonAccepts(config), false, "the daemon");
    assert.equal(validate(config), false);
  });
}
