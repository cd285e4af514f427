// cache_isolation.mjs - random requests of many tenants to a daemon with a result cache: whose rows come back.
//
//   node cache_isolation.mjs URL SECRETFILE OWNERSFILE REQUESTS
//
// OWNERSFILE has lines of an id and its tenant, as the database has them: a row of another tenant is a failure, as is
// one that nobody owns.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";

const [url, secretFile, ownersFile, count] = process.argv.slice(2);
const secret = readFileSync(secretFile, "utf8").trim();
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(tenant) {
  const text = `${encode({ alg: "HS256", typ: "JWT", kid: "bench" })}.${encode({ tenant_id: tenant, exp: Math.floor(Date.now() / 1000) + 86400 })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const owners = new Map(readFileSync(ownersFile, "utf8").trim().split("\n").map((line) => line.split(" ")));
const tenants = [...new Set(owners.values())].map((id) => ({ id, authorization: `Bearer ${token(id)}` }));
const documents = [
  "query A($limit: Int) { projects(limit: $limit, orderBy: [{ id: ASC }]) { id name owner { id } } }",
  "query B($limit: Int) { tasks(limit: $limit, orderBy: [{ id: ASC }]) { id title project { id } } }",
  "query C($limit: Int) { users(limit: $limit, orderBy: [{ id: ASC }]) { id name } }",
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
    if (text.includes('"errors"') && failed++ === 0) {
      console.error(text);
    }
    for (const [, id] of text.matchAll(/"id":"([^"]*)"/g)) {
      rows++;
      foreign += owners.get(id) !== tenant.id;
    }
  }
}

await Promise.all(Array.from({ length: 64 }, client));
agent.destroy();
process.exitCode = foreign > 0 || rows === 0 ? 1 : 0;
console.log(`| ${count} random requests of ${tenants.length} tenants | ${foreign} rows of another's | 0 | of ${rows}; ${((found / count) * 100).toFixed(1)} % of the answers from the cache, ${failed} failed, ${((Date.now() - began) / 1000).toFixed(0)} s |`);
process.exitCode = foreign + failed > 0 ? 1 : 0;
