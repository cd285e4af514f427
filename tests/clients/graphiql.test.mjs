// GraphiQL in a browser: the page of the daemon, and what people do there.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { chromium } from "playwright-core";
import { configuration, program, start, writeConfiguration } from "../e2e/support/daemon.mjs";
import { createDatabase, shared } from "../e2e/support/postgres.mjs";
import { ACME, id, tokenFor } from "../e2e/support/token.mjs";
import { slowness, within } from "../e2e/support/wait.mjs";

const database = await createDatabase();
const daemon = await start(database);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
after(async () => {
  await browser.close();
  await daemon.stop();
});

/** The page of a daemon, with what it loaded, and what its browser had to say against it. */
async function open(server = daemon) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const loaded = [];
  const objections = [];
  page.setDefaultTimeout(20000 * slowness);
  page.on("request", (request) => loaded.push(new URL(request.url())));
  page.on("pageerror", (error) => objections.push(error.message));
  page.on("console", (message) => {
    // Without a token there is no schema.
    if (message.type() === "error" && !/status of 401/.test(message.text())) {
      objections.push(message.text());
    }
  });
  await page.goto(`${server.url}/graphiql`);
  await page.locator(".graphiql-query-editor .CodeMirror").waitFor();
  return { page, loaded, objections };
}

const button = (page, name) => page.getByRole("button", { name });

async function fill(page, editor, text) {
  await page.locator(`${editor} .CodeMirror:visible`).click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

/** GraphiQL takes over what was typed a moment later, so the schema may have to be fetched again. */
async function authorize(page) {
  await button(page, "Headers").click();
  await fill(page, ".graphiql-editor-tool", JSON.stringify({ Authorization: `Bearer ${tokenFor(ACME)}` }));
  await within(15000, "the schema is there", async () => {
    const answered = page.waitForResponse(`${new URL(page.url()).origin}/graphql`);
    await button(page, "Re-fetch GraphQL schema").click();
    return (await answered).ok();
  });
}

const QUERY = `query Mine($limit: Int) { projects(limit: $limit) { name } }`;

test("the page loads from the daemon alone, and nothing it does offends its policy", async () => {
  const { page, loaded, objections } = await open();
  assert.deepEqual([...new Set(loaded.filter((url) => url.protocol !== "data:").map((url) => url.origin))], [daemon.url]);
  assert.ok(loaded.some((url) => /^\/graphiql\/graphiql\.[0-9a-f]{16}\.js$/.test(url.pathname)));
  assert.deepEqual(objections, []);
  await page.close();
});

test("its dialogs open, of which the policy blocks no more than a style", async () => {
  const { page, objections } = await open();
  await button(page, "Open settings dialog").click();
  await page.getByRole("dialog").getByText("Theme").first().waitFor();
  await page.keyboard.press("Escape");
  await button(page, "Open short keys dialog").click();
  await page.getByRole("dialog").getByText("Execute query").waitFor();
  assert.deepEqual(objections.filter((text) => !/policy directive 'style-src 'self''/i.test(text)), []);
  await page.close();
});

test("with a token in the headers the documentation is there, and a query shows data", async () => {
  const { page, loaded, objections } = await open();
  await authorize(page);
  await button(page, "Show Documentation Explorer").click();
  await page.locator(".graphiql-doc-explorer").getByText("Query", { exact: true }).click();
  await page.locator(".graphiql-doc-explorer").getByText("projects", { exact: true }).first().waitFor();
  await fill(page, ".graphiql-query-editor", QUERY);
  await button(page, "Variables").click();
  await fill(page, ".graphiql-editor-tool", '{"limit": 3}');
  await button(page, /^Execute query/).click();
  const result = page.locator(".result-window");
  await result.getByText('"Website relaunch"').waitFor();
  const shown = await result.evaluate((element) => element.querySelector(".CodeMirror").CodeMirror.getValue());
  const rows = await shared.rows(database, `select name from projects where tenant_id = '${id.tenant(1)}' order by id limit 3`);
  assert.deepEqual(JSON.parse(shown), { data: { projects: rows } });
  if (process.env.SCREENSHOT) {
    await page.screenshot({ path: process.env.SCREENSHOT });
  }
  assert.ok(loaded.every((url) => url.protocol === "data:" || url.origin === daemon.url));
  assert.deepEqual(objections, []);
  await page.close();
});

test("names are completed and mistakes marked from the schema", async () => {
  const { page } = await open();
  await authorize(page);
  await fill(page, ".graphiql-query-editor", "{ projects { nope } }");
  await page.locator(".graphiql-query-editor .CodeMirror-lint-mark-error").first().waitFor();
  await fill(page, ".graphiql-query-editor", "{ proj");
  await page.keyboard.press("Control+Space");
  await page.locator(".CodeMirror-hints").getByText("projects", { exact: true }).first().waitFor();
  await page.close();
});

test("a token stays in the page: another does not have it", async () => {
  const { page } = await open();
  await authorize(page);
  await button(page, "Show Documentation Explorer").click();
  await page.locator(".graphiql-doc-explorer").getByText("Query", { exact: true }).waitFor();
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }));
  assert.match(stored, /graphiql/);
  assert.doesNotMatch(stored, /Bearer ey/);
  await page.close();
});

test("its parts can be kept by the browser, the page itself is asked for again", async () => {
  const page = await daemon.request(`${daemon.url}/graphiql`);
  const script = await daemon.request(daemon.url + page.text.match(/src="([^"]+)"/)[1], { headers: { "accept-encoding": "gzip" } });
  assert.equal(page.headers["cache-control"], "no-cache");
  assert.match(page.headers["content-security-policy"], /default-src 'none'/);
  assert.doesNotMatch(page.text, /<script>|\son[a-z]+=|https?:/);
  assert.equal(script.status, 200);
  assert.match(script.headers["cache-control"], /immutable/);
  assert.equal(script.headers["content-encoding"], "gzip");
});

test("in production there is no page unless it is asked for", async () => {
  for (const [graphiql, status] of [[{}, 404], [{ enabled: true }, 200]]) {
    const other = await start(database, { errors: { environment: "production" }, graphiql });
    assert.equal((await other.request(`${other.url}/graphiql`)).status, status);
    await other.stop();
  }
});

test("the page can be elsewhere, and knows where the endpoint is", async () => {
  const other = await start(database, { server: { graphql_path: "/api" }, graphiql: { path: "/tools/ide" } });
  const { status, text } = await other.request(`${other.url}/tools/ide`);
  assert.equal(status, 200);
  assert.match(text, /data-endpoint="\/api"/);
  assert.equal((await other.request(`${other.url}/graphiql`)).status, 404);
  await other.stop();
});

test("a path that is the endpoint's is refused, by check and at the start", async () => {
  const file = writeConfiguration(configuration(database, { graphiql: { path: "/graphql" } }));
  for (const args of [["check", "-c", file], ["serve", "-c", file]]) {
    const { code, stderr } = await program(args);
    assert.equal(code, 78);
    assert.match(stderr, /graphiql\.path/);
  }
});
