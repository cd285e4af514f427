// How long operations take, by their names: which have one in the metrics, and that nobody can add any.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { installSystem, merge, start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

const database = await createDatabase();
await installSystem(database);

const text = (name, fields = "id") => `query ${name} { projects(limit: 1) { ${fields} } }`;
const NAME = "fraiseql_graphql_operation_duration_seconds";
/** How often each operation was counted, those never counted left out. */
const counts = async (daemon) =>
  Object.fromEntries(
    [...(await daemon.admin("/metrics")).text.matchAll(new RegExp(`^${NAME}_count\\{operation="(\\w+)"\\} (\\d+)$`, "gm"))].map(([, name, n]) => [name, Number(n)]).filter(([, n]) => n > 0),
  );
const settled = (daemon, expected) =>
  within(5000, "all are counted", async () => {
    const now = await counts(daemon);
    return Object.values(now).reduce((a, b) => a + b, 0) === expected && now;
  });
/** @param {object} metrics */
const having = async (metrics, more, use) => {
  const daemon = await start(database, merge({ observability: { metrics } }, more));
  try {
    await use(daemon);
  } finally {
    await daemon.stop();
  }
};

const directory = `${process.env.E2E_DIR}/labelled`;
mkdirSync(directory);
writeFileSync(`${directory}/filed.graphql`, text("Filed"));

test("trusted: documents that the operator knows have a name, by whatever way they come; others are counted together", async () => {
  await shared.sql(database, `select fraiseql.register_turbo_query($q$${text("Registered")}$q$, 'Registered', '{}')`);
  await having({}, { apq: { queries_dir: directory } }, async (daemon) => {
    await within(5000, "they are read", () => daemon.logged("registered operations compiled").length > 0);
    for (let i = 0; i < 2; i++) {
      await daemon.data(text("Filed"));
      await daemon.data(text("Registered"));
      await daemon.data(text("Stranger"));
    }
    // The name alone is nothing, and neither has one without a name.
    await daemon.data(text("Filed", "id name"));
    await daemon.data("{ projects(limit: 1) { id } }");
    assert.deepEqual(await settled(daemon, 8), { Filed: 2, Registered: 2, other: 4 });
  });
});

test("what is registered later has a name once it is read, though it was compiled before", async () => {
  await having({}, {}, async (daemon) => {
    await daemon.data(text("Later"));
    assert.deepEqual(await settled(daemon, 1), { other: 1 });
    await shared.sql(database, `select fraiseql.register_turbo_query($q$${text("Later")}$q$, 'Later', '{}')`);
    const before = daemon.logged("registered operations compiled").length;
    daemon.child.kill("SIGHUP");
    await within(5000, "it is read", () => daemon.logged("registered operations compiled").length > before);
    await daemon.data(text("Later"));
    assert.deepEqual(await settled(daemon, 2), { Later: 1, other: 1 });
  });
});

test("all: every name, as many as there may be, and what is above is not lost", async () => {
  await having({ operation_label: "all", max_series: 3 * 16 + 15 }, {}, async (daemon) => {
    for (let i = 0; i < 6; i++) {
      await daemon.data(text(`Client${i}`));
      await daemon.data(text(`Client${i}`, "id name"));
    }
    await daemon.data("{ __typename }");
    await daemon.refusal("query Wrong { nothing }");
    assert.deepEqual(await settled(daemon, 13), { Client0: 2, Client1: 2, Client2: 2, other: 7 });
  });
});

test("all: an operation that is called other, or has a name without end, is one of the others", async () => {
  await having({ operation_label: "all" }, {}, async (daemon) => {
    await daemon.data(text("other"));
    await daemon.data(text("x".repeat(129)));
    await daemon.data("mutation Change { __typename }");
    assert.deepEqual(await settled(daemon, 3), { Change: 1, other: 2 });
    assert.equal((await daemon.admin("/metrics")).text.split(`${NAME}_count{operation="other"}`).length, 2);
  });
});

test("none: nothing is told by operation", async () => {
  await having({ operation_label: "none" }, { apq: { queries_dir: directory } }, async (daemon) => {
    await daemon.data(text("Filed"));
    await within(5000, "it is counted", async () => /^fraiseql_graphql_request_duration_seconds_count\{type="query"\} 1$/m.test((await daemon.admin("/metrics")).text));
    assert.deepEqual(await counts(daemon), {});
  });
});

const OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const page = (daemon, accept) => daemon.request(`http://${daemon.adminAddress}/metrics`, { headers: accept === undefined ? {} : { accept } });

test("OpenMetrics for who prefers it: the same samples, with exemplars and an end", async () => {
  await having({}, { observability: { tracing: { enabled: true, ratio: 1 } } }, async (daemon) => {
    await daemon.data(text("Any"));
    for (const accept of ["application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "application/openmetrics-text", "text/plain;q=0.3, application/openmetrics-text; version=1.0.0; q=0.3"]) {
      assert.equal((await page(daemon, accept)).headers["content-type"], OPEN, accept);
    }
    for (const accept of [undefined, "*/*", "text/plain", "text/plain, application/openmetrics-text;q=0.9", "application/openmetrics-text;q=0"]) {
      assert.equal((await page(daemon, accept)).headers["content-type"], "text/plain; version=0.0.4; charset=utf-8", accept);
    }
    const [open, plain] = [(await page(daemon, "application/openmetrics-text")).text, (await page(daemon)).text];
    assert.ok(open.endsWith("\n# EOF\n") && !plain.includes("# EOF"));
    const samples = (t) => t.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.replace(/ # .*/, "").replace(/ [^ ]*$/, ""));
    assert.deepEqual(samples(open), samples(plain));
    assert.match(open, /^# TYPE fraiseql_graphql_requests counter$/m);
    assert.match(plain, /^# TYPE fraiseql_graphql_requests_total counter$/m);
    assert.match(open, /^fraiseql_http_request_duration_seconds_bucket\{le="[^"]+"\} \d+ # \{trace_id="[0-9a-f]{32}"\} [0-9.]+ \d+\.\d{3}$/m);
    assert.ok(!plain.includes("trace_id="));
    // Each family's lines stand together, behind one TYPE.
    const types = [...open.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    assert.equal(new Set(types).size, types.length);
  });
  await having({ openmetrics: false }, {}, async (daemon) => {
    assert.equal((await page(daemon, "application/openmetrics-text")).headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  });
});

test("complexity is observed, of variables too", async () => {
  await having({}, {}, async (daemon) => {
    await daemon.data("{ projects(limit: 3) { id name } }");
    await daemon.data("query ($n: Int!) { projects(limit: $n) { id name } }", { variables: { n: 40 } });
    const metrics = (await daemon.admin("/metrics")).text;
    const sum = Number(/^fraiseql_graphql_complexity_sum (\S+)$/m.exec(metrics)[1]);
    assert.match(metrics, /^fraiseql_graphql_complexity_count 2$/m);
    assert.match(metrics, /^fraiseql_graphql_complexity_bucket\{le="10"\} 1$/m);
    assert.ok(sum > 3 * 2 + 40 * 2 && sum < 200, String(sum));
  });
});
