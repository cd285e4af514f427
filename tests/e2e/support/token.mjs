// token.mjs - bearer tokens, good and bad.

import { createHmac } from "node:crypto";

export const SECRET = "a secret for tests, of at least thirty-two bytes";

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token signed with HMAC; the header's members can be replaced. */
export function sign(claims, { secret = SECRET, header = {}, hash = "sha256" } = {}) {
  const text = `${encode({ alg: "HS256", typ: "JWT", kid: "e2e", ...header })}.${encode(claims)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest("base64url")}`;
}

/** Without a signature, as alg "none" has it. */
export function unsigned(claims, alg = "none") {
  return `${encode({ alg, typ: "JWT" })}.${encode(claims)}.`;
}

export const now = () => Math.floor(Date.now() / 1000);

/** Keys of the demo: see sql/demo/50_data.sql. */
export const id = {
  tenant: (n) => key("00", n),
  user: (n) => key("01", n),
  project: (n) => key("02", n),
  task: (n) => key("03", n),
  comment: (n) => key("04", n),
};

function key(kind, n) {
  return `00000000-0000-4000-80${kind}-${n.toString(16).padStart(12, "0")}`;
}

export const ACME = id.tenant(1);
export const GLOBEX = id.tenant(2);
export const ZENITH = id.tenant(12);
export const ADA = id.user(1);

/** Claims of a user of a tenant, for an hour. */
export function claims({ tenant = ACME, user = ADA, ...more } = {}) {
  return { sub: user, tenant_id: tenant, iat: now(), exp: now() + 3600, ...more };
}

export const tokenFor = (tenant, user = ADA) => sign(claims({ tenant, user }));
