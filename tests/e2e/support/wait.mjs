// wait.mjs - waiting for something to come true, never for time to pass.

/** Programs built with a sanitizer need more time for everything. */
export const slowness = /\/(asan|tsan|debug|coverage)\//.test(process.env.FRAISEQLD ?? "") ? 4 : 1;

const nap = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first true value of condition(), asked again and again; an error after ms milliseconds. */
export async function within(ms, what, condition) {
  const until = performance.now() + ms * slowness;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (performance.now() > until) {
      throw new Error(`not within ${ms * slowness} ms: ${what}`);
    }
    await nap(10);
  }
}

/** A promise's value, or an error after ms milliseconds. */
export async function atMost(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms * slowness} ms: ${what}`)), ms * slowness);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
