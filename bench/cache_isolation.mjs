// cache_isolation.mjs - random requests of many tenants to a daemon with a result cache: whose rows come back.
//
//   node cache_isolation.mjs URL SECRETFILE POOLFILE REQUESTS
//
// Every row says whose it is; a row of another tenant is a failure.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";

const [url, secretFile, poolFile, count] = process.argv.slice(2);
const secret = readFileSync(secretFile, "utf8").trim();
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(tenant) {
  const text = `${encode({ alg: "HS256", typ: "JWT", kid: "bench" })}.${encode({ tenant_id: tenant, exp: Math.floor(Date.now() / 1000) + 86400 })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const tenants = [...new Set(readFileSync(poolFile, "utf8").split("\n").map((line) => uuid.exec(line)?.[0]).filter(Boolean))].map((id) => ({ id, authorization: `Bearer ${token(id)}` }));
const documents = [
  "query A($limit: Int) { projects(limit: $limit, orderBy: [{ id: ASC }]) { id tenantId name owner { tenantId } } }",
  "query B($limit: Int) { tasks(limit: $limit, orderBy: [{ id: ASC }]) { id tenantId title project { tenantId } } }",
  "query C($limit: Int) { users(limit: $limit, orderBy: [{ id: ASC }]) { id tenantId name } }",
];
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

function post(tenant, query, variables) {
  const body = JSON.stringify({ query, variables });
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body), authorization: tenant.authorization } }, (response) => {
      let text = "";
      response.setEncoding("latin1").on("data", (part) => (text += part)).on("end", () => resolve({ text, age: response.headers.age }));
    });
    request.on("error", reject).end(body);
  });
}

let left = Number(count), rows = 0, foreign = 0, failed = 0, found = 0;
const began = Date.now();
const pick = (list) => list[Math.floor(Math.random() * list.length)];

async function client() {
  while (left-- > 0) {
    // A few tenants ask most, so that there are answers to be found.
    const tenant = Math.random() < 0.7 ? tenants[Math.floor(Math.random() ** 3 * tenants.length)] : pick(tenants);
    const { text, age } = await post(tenant, pick(documents), { limit: pick([1, 2, 3]) });
    found += age !== undefined;
    failed += text.includes('"errors"');
    for (const [, owner] of text.matchAll(/"tenantId":"([^"]*)"/g)) {
      rows++;
      foreign += owner !== tenant.id;
    }
  }
}

await Promise.all(Array.from({ length: 64 }, client));
agent.destroy();
console.log(`| ${count} random requests of ${tenants.length} tenants | ${foreign} rows of another's | 0 | of ${rows}; ${((found / count) * 100).toFixed(1)} % of the answers from the cache, ${failed} failed, ${((Date.now() - began) / 1000).toFixed(0)} s |`);
process.exitCode = foreign + failed > 0 ? 1 : 0;
