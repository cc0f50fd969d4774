// What the demo says, as it happens: seconds since the start, and in colour on a terminal.

const useColour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';

const CODES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;

/** The text in a colour, where there is any. */
export function paint(colour: keyof typeof CODES, text: string): string {
  return useColour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

/** One of the runs, with its name in front of every line. */
export class Timeline {
  readonly #label: string;
  readonly #startMs: number;

  constructor(label: string, startMs: number) {
    this.#label = label;
    this.#startMs = startMs;
  }

  say(text: string): void {
    const seconds = ((performance.now() - this.#startMs) / 1000).toFixed(2).padStart(6);
    process.stdout.write(`${paint('dim', `${seconds} s  ${this.#label.padEnd(13)}`)}${text}\n`);
  }

  /** A host has changed its state. */
  change(text: string, state: string): void {
    this.say(state === 'MASTER' ? paint('green', text) : text);
  }

  /** Something is done to a host. */
  event(text: string): void {
    this.say(paint('yellow', text));
  }
}
