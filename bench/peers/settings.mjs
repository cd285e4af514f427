// settings.mjs - what the peers have in common: where they listen and the database is, and whose a request is.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

/** Where to listen, and the pool, which is as large as the daemon's. */
export const port = Number(process.env.PORT);
export const database = {
  host: process.env.PGHOST,
  user: process.env.PGUSER,
  database: process.env.PGDATABASE,
  max: Number(process.env.POOL_SIZE),
  min: Number(process.env.POOL_SIZE),
};

const secret = readFileSync(process.env.SECRET_FILE);
const verified = new Map();

/** The claims of an HS256 token; an error if it is not good. */
function verify(token) {
  const [head, body, signature] = token.split(".");
  const { alg } = JSON.parse(Buffer.from(head, "base64url"));
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  const expected = createHmac("sha256", secret).update(`${head}.${body}`).digest();
  if (alg !== "HS256" || !timingSafeEqual(expected, Buffer.from(signature, "base64url"))) {
    throw new Error("the token is not good");
  }
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(claims.tenant_id)) {
    throw new Error("the token is of no tenant");
  }
  return claims;
}

/** The tenant of a request, by its token; an error without one. Good tokens are remembered, as the daemon does. */
export function tenantOf(authorization) {
  let claims = verified.get(authorization);
  if (claims === undefined) {
    claims = verify((authorization ?? "").replace(/^Bearer /, ""));
    verified.set(authorization, claims);
  }
  if (claims.exp < Date.now() / 1000) {
    throw new Error("the token has expired");
  }
  return claims.tenant_id;
}

/** The session's settings for a request, as PostGraphile wants them. */
export const settingsOf = (authorization) => ({
  role: "app_user",
  "app.current_tenant_id": tenantOf(authorization),
});

/** Answers GET /ready, and leaves the rest to handle(). */
export const withReady = (handle) => (request, response) => {
  if (request.url === "/ready") {
    response.end("ready\n");
  } else {
    handle(request, response);
  }
};
