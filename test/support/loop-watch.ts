// Tells whether the event loop was held up.
import type { TestContext } from 'node:test';

/** How long nothing else could run at the worst. */
export function watchLoop(t: TestContext): { longestMs(): number } {
  let lastMs = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - lastMs);
    lastMs = performance.now();
  }, 10);
  t.after(() => clearInterval(timer));
  return { longestMs: () => Math.round(longest) };
}
