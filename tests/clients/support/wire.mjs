// wire.mjs - a fetch for clients to use, which remembers what it sent.

import { ACME, tokenFor } from "../../e2e/support/token.mjs";

/** As Ada of Acme, unless told otherwise; token: null sends none. */
export function wire({ token = tokenFor(ACME) } = {}) {
  const sent = [];
  const send = async (url, options = {}) => {
    const headers = new Headers(options.headers);
    if (token !== null) {
      headers.set("authorization", `Bearer ${token}`);
    }
    const method = (options.method ?? "GET").toUpperCase();
    const said = method === "POST" ? JSON.parse(options.body) : Object.fromEntries(new URL(url).searchParams);
    // Connections that stay would keep the daemon waiting for them at its end.
    headers.set("connection", "close");
    const response = await fetch(url, { ...options, headers });
    sent.push({ method, said, status: response.status, type: response.headers.get("content-type").split(";")[0] });
    return response;
  };
  return { fetch: send, sent };
}
