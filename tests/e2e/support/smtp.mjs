// smtp.mjs - a mail server that keeps what it is given: enough of RFC 5321 for any client.
//
// It speaks the protocol itself, line by line, so that a test sees what was really said: commands, their order, and
// a message as it was sent, dots and all.

import net from "node:net";
import tls from "node:tls";

class Session {
  constructor(server, socket, secure) {
    Object.assign(this, { server, secure, buffer: "", from: undefined, to: [], data: undefined });
    server.sessions.push(this);
    this.commands = [];
    this.#attach(socket);
    this.reply("220 test ESMTP");
  }

  #attach(socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text) => this.#read(text));
    socket.on("error", () => {});
  }

  reply(...lines) {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(""));
  }

  #read(text) {
    this.buffer += text;
    for (let end; (end = this.buffer.indexOf("\r\n")) >= 0; ) {
      const line = this.buffer.slice(0, end);
      this.buffer = this.buffer.slice(end + 2);
      if (this.data !== undefined) {
        this.#dataLine(line);
      } else {
        this.#command(line);
      }
    }
  }

  #dataLine(line) {
    if (line !== ".") {
      this.data.push(line);
      return;
    }
    const raw = this.data.join("\r\n");
    this.data = undefined;
    const answer = this.server.answer("message", raw);
    if (answer === undefined) {
      this.server.mails.push({ from: this.from, to: this.to, raw, secure: this.secure, user: this.user, commands: [...this.commands], ...parse(raw) });
    }
    Object.assign(this, { from: undefined, to: [] });
    this.reply(answer ?? "250 taken");
  }

  #command(line) {
    if (this.expected) {
      const expected = this.expected;
      this.expected = undefined;
      expected.call(this, line);
      return;
    }
    const [, verb, rest] = /^(\S*) ?(.*)$/.exec(line);
    this.commands.push(line);
    const answer = this.server.answer(verb.toUpperCase(), rest);
    if (answer !== undefined) {
      this.reply(answer);
      return;
    }
    const known = this[`on${verb.toUpperCase()}`];
    if (known) {
      known.call(this, rest);
    } else {
      this.reply("502 not known");
    }
  }

  onEHLO() {
    const { key, user } = this.server.options;
    this.reply("250-test", ...(key && !this.secure ? ["250-STARTTLS"] : []), ...(user && this.secure ? ["250-AUTH PLAIN"] : []), "250 8BITMIME");
  }

  onSTARTTLS() {
    const plain = this.socket;
    this.reply("220 go ahead");
    plain.removeAllListeners("data");
    const socket = new tls.TLSSocket(plain, { isServer: true, ...this.server.options });
    Object.assign(this, { secure: true, buffer: "" });
    this.#attach(socket);
  }

  onAUTH(rest) {
    const [mechanism, initial] = rest.split(" ");
    if (mechanism !== "PLAIN") {
      this.reply("504 not known");
    } else if (initial) {
      this.#login(initial);
    } else {
      this.expected = this.#login;
      this.reply("334 ");
    }
  }

  #login(base64) {
    const [, user, password] = Buffer.from(base64, "base64").toString().split("\0");
    if (user === this.server.options.user && password === this.server.options.password) {
      this.user = user;
      this.reply("235 welcome");
    } else {
      this.reply("535 no");
    }
  }

  onMAIL(rest) {
    if (this.server.options.user && !this.user) {
      this.reply("530 log in first");
      return;
    }
    this.from = /^FROM:<([^>]*)>/i.exec(rest)?.[1];
    this.reply(this.from === undefined ? "501 what" : "250 ok");
  }

  onRCPT(rest) {
    const to = /^TO:<([^>]*)>/i.exec(rest)?.[1];
    if (this.from === undefined || to === undefined) {
      this.reply("503 not now");
      return;
    }
    this.to.push(to);
    this.reply("250 ok");
  }

  onDATA() {
    if (this.to.length === 0) {
      this.reply("503 not now");
      return;
    }
    this.data = [];
    this.reply("354 go on");
  }

  onQUIT() {
    this.reply("221 bye");
    this.socket.end();
  }

  onRSET() {
    this.reply("250 ok");
  }

  onNOOP() {
    this.reply("250 ok");
  }
}

function decodeWords(text) {
  return text.replace(/=\?UTF-8\?B\?([^?]*)\?=( (?==\?))?/gi, (_, base64) => Buffer.from(base64, "base64").toString());
}

/** Headers, unfolded and decoded, and the text. */
function parse(raw) {
  const split = raw.indexOf("\r\n\r\n");
  const headers = {};
  for (const line of raw.slice(0, split).replace(/\r\n[ \t]/g, " ").split("\r\n")) {
    const [, name, value] = /^([^:]+): ?(.*)$/.exec(line);
    const key = name.toLowerCase();
    headers[key] = key in headers ? `${headers[key]} AND ${value}` : decodeWords(value);
  }
  const body = raw
    .slice(split + 4)
    .split("\r\n")
    .map((line) => line.replace(/^\./, ""))
    .join("\r\n");
  const bytes = body.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return { headers, text: Buffer.from(bytes, "latin1").toString() };
}

/**
 * A server on a free port of 127.0.0.1. With key and cert it offers STARTTLS, with user and password it wants a login
 * (over TLS); implicit: TLS from the beginning. server.answer(command, rest) may return a reply of its own; "message" is
 * asked when one has come.
 */
export async function startSmtp(options = {}) {
  const server = { mails: [], sessions: [], options, answer: () => undefined };
  const accept = (secure) => (socket) => new Session(server, socket, secure);
  const listener = options.implicit ? tls.createServer(options, accept(true)) : net.createServer(accept(false));
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  server.port = listener.address().port;
  server.close = () => {
    server.sessions.forEach((session) => session.socket.destroy());
    listener.close();
  };
  return server;
}
