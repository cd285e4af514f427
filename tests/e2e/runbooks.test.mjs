// docs/runbooks.md: every statement and command in it runs, and tells something, of a daemon that has served requests.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cached } from "./support/cache.mjs";
import { configuration, installSystem, merge, program, start, writeConfiguration } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { GLOBEX, id, tokenFor } from "./support/token.mjs";
import { within } from "./support/wait.mjs";

const text = readFileSync(new URL("../../docs/runbooks.md", import.meta.url), "utf8");
const blocks = (language) => [...text.matchAll(new RegExp(`\`\`\`${language}\n([^\`]*)\`\`\``, "g"))].map(([, block]) => block.trim());

/** Words as a shell would make them of a line, with single quotes. */
const words = (line) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);

/** What has no rows where all is well. */
const MAY_BE_EMPTY = /tb_error_notification_log|pg_stat_activity|drop_old/;

test("its statements and commands run, and find what there is", async () => {
  const database = await createDatabase();
  await installSystem(database, { args: ["--cache-triggers"] });
  await shared.sql(database, "create function public.fn_broken() returns text language plpgsql stable as $$begin raise exception 'broken' using errcode = 'XX000'; end$$; grant execute on function public.fn_broken() to app_user");
  const settings = merge({ jobs: { enabled: true } }, {
    server: { server_timing: true },
    cache: { enabled: true, stats: { sample: 1 }, operations: { Listed: { mode: "always" } } },
    errors: { enabled: true, queue: { flush_interval: "100ms" } },
    observability: { tracing: { enabled: true, ratio: 1 } },
  });
  await shared.sql(database, "select fraiseql.register_turbo_query('query Listed { projects(limit: 3) { id name } }', 'Listed')");
  const served = await start(database, settings);
  const globex = { token: tokenFor(GLOBEX, id.user(5)) };
  await cached(served, "query Listed { projects(limit: 3) { id name } }");
  for (let i = 0; i < 20; i++) {
    await served.post("query Listed { projects(limit: 3) { id name } }", i % 3 === 0 ? globex : {});
    await served.post("query Fails { broken }");
  }
  await shared.sql(database, "update projects set name = name where id = (select min(id::text)::uuid from projects)");
  const filled = (table) => within(20000, `${table} is filled`, async () => Number(await shared.sql(database, `select count(*) from fraiseql.${table}`)) > 0);
  await served.stop(); // which writes what is left to write
  const daemon = await start(database, settings);
  for (const table of ["cache_stats", "cache_access_log", "tb_error_group", "otel_traces", "job_runs"]) {
    await filled(table);
  }
  const sql = blocks("sql");
  assert.ok(sql.length >= 15, `${sql.length} statements`);
  for (const statement of sql) {
    const rows = await shared.sql(database, `begin; set local search_path = fraiseql, public; ${statement}${statement.endsWith(";") ? "" : ";"} commit`);
    assert.ok(rows !== "" || MAY_BE_EMPTY.test(statement), statement);
  }
  const file = writeConfiguration(configuration(database, merge(settings, { server: { admin_listen: daemon.adminAddress } })));
  const commands = blocks("sh");
  assert.ok(commands.length >= 6);
  for (const command of commands) {
    const [name, ...args] = words(command);
    assert.equal(name, "fraiseqld");
    const { code, stdout, stderr } = await program([...args, "-c", file]);
    assert.equal(code, 0, `${command}: ${stderr}`);
    // Its status is what health tells.
    assert.ok(stdout + stderr !== "" || args[0] === "health", command);
  }
  await daemon.stop();
});

test("alerts, options and metrics that it names are there", () => {
  const rules = readFileSync(new URL("../../conf/prometheus/fraiseqld.rules.yml", import.meta.url), "utf8");
  for (const [name] of text.matchAll(/Fraiseqld[A-Z]\w+/g)) {
    assert.ok(rules.includes(`alert: ${name}`), name);
  }
  const metrics = readFileSync(new URL("../../src/metrics/metrics.def", import.meta.url), "utf8");
  for (const [name] of text.matchAll(/fraiseql_[a-z_]+/g)) {
    assert.ok(metrics.includes(`"${name}"`), name);
  }
  const reference = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  for (const [, name] of text.matchAll(/`((?:cache|errors|observability|security|tenancy|jobs|database)\.[a-z_.]+)`/g)) {
    assert.ok(reference.includes(`\`${name}`), name);
  }
});
