// children.mjs - processes that tests have started, and that end with them, whatever happens.

import { after } from "node:test";

/** Who starts one adds it, and removes it when it has ended. */
export const running = new Set();

const kill = () => running.forEach((child) => child.kill("SIGKILL"));

process.on("exit", kill);

// A test that failed leaves its daemon running, which keeps node from ending. Tests' own hooks come first.
after(() => {
  setTimeout(kill, 10000).unref();
});
