// What the facts reader prints, and the reader as a child of a test.
import type { LinkStack } from '../../src/linux/links/link-facts.ts';
import type { Child } from '../../lab/child.ts';
import type { Host } from '../../lab/host.ts';

/** One interface, after a change that was told of by an event or learned by asking. */
export interface FactsLine extends Pick<LinkStack, 'facts' | 'uplinks' | 'faults'> {
  readonly name: string;
  readonly by: 'event' | 'ask';
}

/** A running facts reader. */
export class FactsReader {
  readonly #child: Child;
  readonly #lines: FactsLine[] = [];

  /** Watches these interfaces in the namespace of the host, from now until the lab is closed. */
  constructor(host: Host, names: readonly string[]) {
    const file = new URL(import.meta.url).pathname.replace(/facts-line(?=\.\w+$)/, 'facts-reader');
    const flags = process.execArgv.filter((flag) => !flag.startsWith('--test'));
    this.#child = host.spawn([process.execPath, ...flags, file, ...names], { label: 'facts' });
    this.#child.onLine(({ stream, text }) => {
      if (stream === 'stdout') this.#lines.push(JSON.parse(text) as FactsLine);
    });
  }

  /** All that was printed, the newest last. */
  get lines(): readonly FactsLine[] {
    return this.#lines;
  }

  /** Waits until the newest line of this interface satisfies `wanted`, and yields it. */
  async until(
    name: string,
    what: string,
    wanted: (line: FactsLine) => boolean,
    withinMs = 20_000,
  ): Promise<FactsLine> {
    const probe = (): FactsLine | undefined => {
      const last = this.#lines.findLast((line) => line.name === name);
      return last !== undefined && wanted(last) ? last : undefined;
    };
    return this.#child.until(probe, `${name}: ${what}`, withinMs);
  }
}
