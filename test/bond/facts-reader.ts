// A process that watches, in its network namespace, what the interfaces given as words stand on,
// and prints each change as a line of JSON; see FactsLine.
import { resolveStack } from '../../src/linux/links/link-facts.ts';
import { openLinkWatch } from '../../src/linux/links/link-watch.ts';
import type { FactsLine } from './facts-line.ts';

const POLL_MS = 100;
/** Within it the kernel has answered, unless it is busy. */
const ANSWER_MS = 50;

const names = process.argv.slice(2);
const watch = await openLinkWatch({
  onChange: () => undefined,
  onError: (error) => {
    throw error;
  },
});
const printed = new Map<string, string>();
setInterval(read, POLL_MS);
read();

function read(): void {
  watch.drain();
  print('event');
  watch.ask(names.flatMap((name) => resolveStack(watch, name).polled));
  setTimeout(() => {
    watch.drain();
    print('ask');
  }, ANSWER_MS);
}

function print(by: FactsLine['by']): void {
  for (const name of names) {
    const { facts, uplinks, faults } = resolveStack(watch, name);
    const state = JSON.stringify({ facts, uplinks, faults });
    if (printed.get(name) === state) continue;
    printed.set(name, state);
    const line: FactsLine = { name, by, facts, uplinks, faults };
    console.log(JSON.stringify(line));
  }
}
