// link.mjs - the way to the database, which can be cut after any byte, frozen, or change bytes.
//
// What one side sent before the cut reaches the other, and nothing after it; then both find the
// connection closed.

import net from "node:net";

/** Directions, as the daemon sees them. */
export const OUT = "out";
export const IN = "in";

export class Link {
  /** Bytes of the connection made last, in each direction. */
  passed = { [OUT]: 0, [IN]: 0 };
  connections = 0;
  cuts = 0;
  #open = new Map();
  #armed = null;
  #change = null;

  constructor(port) {
    this.server = net.createServer({ pauseOnConnect: true }, (near) => this.#accept(near, port));
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    return this;
  }

  /** The next connection ends after so many bytes of a direction. */
  arm(direction, bytes) {
    this.#armed = { direction, bytes };
  }

  /** From the next connection on, what the database says goes through this: it gets bytes and where they stand, and may change them. */
  corrupt(change) {
    this.#change = change;
  }

  /** Closes what is open, and waits until the daemon has seen it; what is idle it sees on using it. */
  async drop() {
    const closed = [...this.#open].map(([near, end]) => {
      const seen = new Promise((resolve) => near.once("close", resolve));
      end();
      return Promise.race([seen, new Promise((resolve) => setTimeout(resolve, 30))]);
    });
    await Promise.all(closed);
  }

  async close() {
    await this.drop();
    this.#open.forEach((end, near) => near.destroy());
    await new Promise((resolve) => this.server.close(resolve));
  }

  #accept(near, port) {
    const passed = { [OUT]: 0, [IN]: 0 };
    const cut = this.#armed;
    const change = this.#change;
    const far = net.connect({ host: "127.0.0.1", port, noDelay: true });
    near.setNoDelay(true);
    this.#armed = null;
    this.passed = passed;
    this.connections++;
    let over = false;
    // What was written goes out before the end of the stream does.
    const end = () => {
      over = true;
      near.end();
      far.end();
      near.on("data", () => {}).resume();
      far.on("data", () => {}).resume();
    };
    this.#open.set(near, end);
    near.on("close", () => this.#open.delete(near));
    const forward = (from, to, direction) => {
      from.on("data", (data) => {
        if (over) {
          return;
        }
        const left = cut?.direction === direction ? cut.bytes - passed[direction] : Infinity;
        const part = data.subarray(0, Math.max(0, left));
        if (direction === IN) {
          change?.(part, passed[direction]);
        }
        passed[direction] += part.length;
        if (part.length > 0) {
          to.write(part);
        }
        if (data.length >= left) {
          this.cuts++;
          end();
        }
      });
      from.on("end", end);
      from.on("error", end);
    };
    forward(near, far, OUT);
    forward(far, near, IN);
    if (cut?.bytes === 0) {
      this.cuts++;
      end();
    }
    near.resume();
  }
}
