// What happened, in order, with the seconds since the start; in colour on a terminal only.

const HOST_COLUMNS = 10;
const WIDTH = 100;

const CODES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;

/** How a line looks where there are colours. */
export type Tone = keyof typeof CODES | 'plain';

interface Entry {
  readonly atMs: number;
  readonly line: string;
}

/** Whether to use colours: on a terminal that has them, unless NO_COLOR is set. */
export function wantsColour(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** Makes text look as `tone` says. */
export type Paint = (tone: Tone, text: string) => string;

/** A painter that does nothing without colours. */
export function painter(colour: boolean): Paint {
  return (tone, text) =>
    !colour || tone === 'plain' ? text : `\u001b[${CODES[tone]}m${text}\u001b[0m`;
}

/**
 * The events of one run. They come from several sources, each with its own delay, so they are
 * collected here and taken out in the order of their times.
 */
export class Timeline {
  readonly #startMs: number;
  readonly #paint: Paint;
  #entries: Entry[] = [];

  /** `startMs` on the lab's time line is second 0. */
  constructor(startMs: number, paint: Paint) {
    this.#startMs = startMs;
    this.#paint = paint;
  }

  /** Something that a host did, or that happened on it. */
  add(atMs: number, host: string, text: string, tone: Tone = 'plain'): void {
    const stamp = this.#paint('dim', this.#stamp(atMs));
    const line = `${stamp}${this.#paint(tone, `${host.padEnd(HOST_COLUMNS)}${text}`)}`;
    this.#entries.push({ atMs, line });
  }

  /** Something that the demo does: a rule across the page, with an empty line before it. */
  step(atMs: number, text: string): void {
    const stamp = this.#stamp(atMs);
    const rule = `-- ${text} `.padEnd(WIDTH - 10 - stamp.length, '-');
    this.#entries.push({
      atMs,
      line: `\n${this.#paint('dim', stamp)}${this.#paint('yellow', rule)}`,
    });
  }

  /** Takes out the lines of all events before `beforeMs`, in order. */
  take(beforeMs = Infinity): string[] {
    const ready = this.#entries.filter(({ atMs }) => atMs < beforeMs);
    this.#entries = this.#entries.filter(({ atMs }) => atMs >= beforeMs);
    return ready.sort((one, other) => one.atMs - other.atMs).map(({ line }) => line);
  }

  #stamp(atMs: number): string {
    return `${((atMs - this.#startMs) / 1000).toFixed(2).padStart(6)} s  `;
  }
}
