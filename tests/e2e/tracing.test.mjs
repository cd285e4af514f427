// Traces: which one a request belongs to, and where its id is met.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./support/daemon.mjs";
import { createDatabase, shared } from "./support/postgres.mjs";
import { within } from "./support/wait.mjs";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const traceparent = (flags) => `00-${TRACE}-${SPAN}-${flags}`;
const amazon = (rest = "") => `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}${rest}`;
const FEW = "{ projects(limit: 1) { id } }";

const database = await createDatabase();
await shared.sql(
  database,
  `create function public.fn_seen_trace() returns text language sql stable as
     $$select concat_ws('|', nullif(current_setting('fraiseql.trace_id', true), ''), current_setting('application_name'))$$;
   grant execute on function public.fn_seen_trace() to app_user`,
);
const log = { access: { enabled: true } };
const trusting = await start(database, { server: { trusted_proxies: ["127.0.0.1/32"] }, observability: { log: { ...log, level: "debug" }, tracing: { enabled: true, ratio: 0 } } });
const strict = await start(database, { observability: { log, tracing: { enabled: true, ratio: 0 } } });
after(() => Promise.all([trusting.stop(), strict.stop()]));

const line = (daemon, id) => within(2000, "the request is logged", () => daemon.lines.find((l) => l.msg === "request" && l.request_id === id));

async function traced(daemon, headers) {
  const reply = await daemon.post("{ seenTrace }", { headers });
  assert.equal(reply.status, 200, reply.text);
  const logged = await line(daemon, reply.headers["x-request-id"]);
  return { id: logged.trace_id, response: reply.headers.traceresponse, seen: reply.body.data.seenTrace, requestId: reply.headers["x-request-id"] };
}

test("a request without a trace begins one, whose id is its own", async () => {
  const { id, response, seen, requestId } = await traced(strict, {});
  assert.equal(id, requestId.replaceAll("-", ""));
  assert.equal(response, undefined);
  assert.equal(seen, "fraiseqld", "nothing is set where nothing is sampled");
});

test("the trace of a trusted proxy is continued, and its decision to sample holds", async () => {
  const sampled = await traced(trusting, { traceparent: traceparent("01") });
  assert.equal(sampled.id, TRACE);
  assert.match(sampled.response, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  assert.ok(!sampled.response.includes(SPAN), "the span is ours");
  assert.equal(sampled.seen, `${TRACE}|fraiseqld ${TRACE}`);
  const not = await traced(trusting, { traceparent: traceparent("00") });
  assert.equal(not.id, TRACE);
  assert.match(not.response, /-00$/);
  assert.equal(not.seen, "fraiseqld");
});

test("so is that of Amazon's load balancers, where there is no traceparent", async () => {
  assert.deepEqual(await traced(trusting, { "x-amzn-trace-id": amazon(";Sampled=1") }).then(({ id, seen }) => [id, seen]), [TRACE, `${TRACE}|fraiseqld ${TRACE}`]);
  assert.equal((await traced(trusting, { "x-amzn-trace-id": amazon() })).id, TRACE);
  const other = "0af7651916cd43dd8448eb211c80319c";
  assert.equal((await traced(trusting, { traceparent: `00-${other}-${SPAN}-00`, "x-amzn-trace-id": amazon() })).id, other);
});

test("what is no traceparent is as if it was not there", async () => {
  for (const header of ["", "00", traceparent("01").toUpperCase(), traceparent("0"), `${traceparent("01")}-00`, `00-${"0".repeat(32)}-${SPAN}-01`, traceparent("01").replace("00-", "ff-")]) {
    const { id, requestId, response } = await traced(trusting, { traceparent: header });
    assert.equal(id, requestId.replaceAll("-", ""), header);
    assert.equal(response, undefined);
  }
});

test("nobody else's trace is continued, unless tracing.accept says all", async () => {
  for (const headers of [{ traceparent: traceparent("01") }, { "x-amzn-trace-id": amazon(";Sampled=1") }]) {
    const { id, seen } = await traced(strict, headers);
    assert.notEqual(id, TRACE);
    assert.equal(seen, "fraiseqld");
  }
  const open = await start(database, { observability: { log, tracing: { enabled: true, ratio: 0, accept: "all" } } });
  assert.equal((await traced(open, { traceparent: traceparent("01") })).seen, `${TRACE}|fraiseqld ${TRACE}`);
  await open.stop();
});

test("sampler: ratio does not ask the caller", async () => {
  for (const [ratio, flags, sampled] of [["0", "01", false], ["100%", "00", true]]) {
    const daemon = await start(database, { server: { trusted_proxies: ["127.0.0.1/32"] }, observability: { log, tracing: { enabled: true, ratio, sampler: "ratio" } } });
    const { id, response } = await traced(daemon, { traceparent: traceparent(flags) });
    assert.equal(id, TRACE);
    assert.match(response, sampled ? /-01$/ : /-00$/);
    await daemon.stop();
  }
});

test("about the ratio of traces that begin here is sampled", async () => {
  const daemon = await start(database, { observability: { log, tracing: { enabled: true, ratio: "25%" } } });
  let sampled = 0;
  for (let i = 0; i < 400; i++) {
    sampled += (await daemon.post("{ __typename }")).headers.traceresponse !== undefined;
  }
  assert.ok(sampled > 60 && sampled < 140, String(sampled));
  await daemon.stop();
});

test("a sampled request is found in pg_stat_activity while it runs, and leaves nothing behind", async () => {
  const daemon = await start(database, { server: { trusted_proxies: ["127.0.0.1/32"] }, database: { application_name: "a name that is far too long to fit in", pool: { min: 1, max: 1 } }, observability: { log, tracing: { enabled: true, ratio: 0 } } });
  const { seen } = await traced(daemon, { traceparent: traceparent("01") });
  assert.equal(seen, `${TRACE}|a name that is far too long to ${TRACE}`);
  const after = await traced(daemon, { traceparent: traceparent("00") });
  assert.equal(after.seen, "a name that is far too long to fit in");
  await daemon.stop();
});

test("a trace id reaches the log line of a failed statement", async () => {
  await shared.sql(database, "create function public.fn_breaks() returns text language plpgsql stable as $$begin return 1 / 0; end$$; grant execute on function public.fn_breaks() to app_user; notify fraiseqld, 'schema'");
  await within(5000, "the function is there", async () => (await trusting.post("{ __type(name: \"Query\") { fields { name } } }")).text.includes("breaks"));
  const { headers } = await trusting.post("{ breaks }", { headers: { traceparent: traceparent("00") } });
  const failed = await within(2000, "it is logged", () => trusting.lines.find((l) => l.msg === "statement failed" && l.request_id === headers["x-request-id"]));
  assert.equal(failed.trace_id, TRACE);
});
