// raw.mjs - bytes on a socket, for what an HTTP client would not do.

import net from "node:net";
import { atMost } from "./wait.mjs";

export class Raw {
  constructor(address) {
    const colon = address.lastIndexOf(":");
    this.text = "";
    this.closed = false;
    this.socket = net.connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), allowHalfOpen: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text) => (this.text += text));
    this.socket.on("error", () => {});
    this.end = new Promise((resolve) => {
      this.socket.on("end", resolve);
      this.socket.on("close", resolve);
    }).then(() => (this.closed = true));
    this.connected = new Promise((resolve) => this.socket.on("connect", resolve));
  }

  async send(text) {
    await this.connected;
    this.socket.write(text);
  }

  /** Everything until the server closes. */
  async all(ms = 10000) {
    await atMost(ms, "the server closes the connection", this.end);
    return this.text;
  }

  /** Gone, without a farewell. */
  drop() {
    this.socket.resetAndDestroy();
  }

  close() {
    this.socket.destroy();
  }
}

/** A POST of a GraphQL request as bytes. */
export function postBytes(query, token, headers = "") {
  const body = Buffer.from(JSON.stringify({ query })).toString("latin1");
  return (
    `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
    `Authorization: Bearer ${token}\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`
  );
}
