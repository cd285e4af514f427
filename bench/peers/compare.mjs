// compare.mjs - do a peer's answers say the same as the daemon's?
//
//   node compare.mjs DIR URL DOCUMENTS PEER-URL PEER-DOCUMENTS
//
// DIR has the pool and the secret. Each query is asked with parameters of several tenants. Times are compared
// as times, and numbers by their value, however they are written.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const [dir, url, documents, peerUrl, peerDocuments] = process.argv.slice(2);
const QUERIES = {
  q1u: (row) => ({ id: row.user }),
  q1p: (row) => ({ id: row.project }),
  q2: () => ({ status: "ACTIVE" }),
  q3: () => ({}),
  q4: () => ({}),
  q5: () => ({ status: "TODO" }),
};
const ROWS = [0, 1, 2, 10, 100, 1000, 5000, 10000, 19999];

const secret = readFileSync(`${dir}/secret`, "utf8").trim();
const pool = readFileSync(`${dir}/pool`, "utf8").trim().split("\n");
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokenOf(row) {
  const now = Math.floor(Date.now() / 1000);
  const text = `${encode({ alg: "HS256", kid: "bench", typ: "JWT" })}.${encode({ sub: row.user, tenant_id: row.tenant, iat: now - 60, exp: now + 600 })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

async function ask(to, from, name, row) {
  const response = await fetch(to, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${tokenOf(row)}` },
    body: JSON.stringify({ query: readFileSync(`${from}/${name}.graphql`, "utf8"), operationName: name, variables: QUERIES[name](row) }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, `${to} ${name}: ${JSON.stringify(errors)}`);
  return data;
}

/** A value in one spelling. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
  }
  if (typeof value === "string" && /^\d{4}-\d\d-\d\d[T ][\d:.]+([+-]\d\d(:\d\d)?|Z)$/.test(value)) {
    return new Date(value.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00")).toISOString();
  }
  return typeof value === "number" ? String(value) : value;
}

let rows = 0;
for (const n of ROWS) {
  const [tenant, user, project] = pool[n % pool.length].split("\t");
  const row = { tenant, user, project };
  for (const name of Object.keys(QUERIES)) {
    const [ours, theirs] = [plain(await ask(url, documents, name, row)), plain(await ask(peerUrl, peerDocuments, name, row))];
    assert.deepEqual(theirs, ours, `${name}, row ${n} of the pool`);
    rows += Object.values(ours).flat().filter(Boolean).length;
  }
}
assert.ok(rows > 0, "answers with rows were compared");
console.log(`${peerUrl}: the same answers, with ${rows} rows`);
