// Stand-ins for the tests of the address side: a clock that only moves when told, and commands that
// end when told.
import { fromMillis, type Micros } from '../../../src/base/time.ts';
import { parseIpv4, type Ipv4 } from '../../../src/base/addresses.ts';
import type { CommandRequest, CommandResult, RunningCommand } from '../../../src/base/command.ts';
import { invariant } from '../../../src/base/assert.ts';

/** The address in `text`, which a test wrote and so is right. */
export function ip(text: string): Ipv4 {
  const address = parseIpv4(text);
  invariant(address !== undefined, `${text} is an IPv4 address`);
  return address;
}

/** Lets everything run that waits for nothing but promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

interface FakeTimer {
  readonly atMs: number;
  readonly onExpired: () => void;
}

/** A clock with timers, in virtual milliseconds. */
export class FakeTime {
  #nowMs = 0;
  #timers: FakeTimer[] = [];

  readonly clock = (): Micros => fromMillis(this.#nowMs);

  readonly startTimer = (delayMs: number, onExpired: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + delayMs, onExpired };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  get pending(): number {
    return this.#timers.length;
  }

  /** Moves on, expiring timers in their order and letting promises run after each. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    await settle();
    for (;;) {
      const [due] = this.#timers
        .filter((timer) => timer.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs);
      if (due === undefined) break;
      this.#nowMs = due.atMs;
      this.#timers = this.#timers.filter((other) => other !== due);
      due.onExpired();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

export const EXITED_OK: CommandResult = { kind: 'exited', code: 0, output: '', truncated: false };

/** What `ip` ends with when the kernel refuses. */
export function refused(output: string, code = 2): CommandResult {
  return { kind: 'exited', code, output, truncated: false };
}

/** A command under way that ends when the test says so. */
export interface HeldCommand {
  readonly request: CommandRequest;
  readonly finish: (result: CommandResult) => void;
  killed: boolean;
}

/** Commands that wait to be ended by the test. */
export class HeldCommands {
  readonly started: HeldCommand[] = [];

  readonly runCommand = (request: CommandRequest): RunningCommand => {
    let finish: (result: CommandResult) => void = () => undefined;
    const result = new Promise<CommandResult>((resolve) => {
      finish = resolve;
    });
    const held: HeldCommand = { request, finish, killed: false };
    this.started.push(held);
    const kill = (): void => {
      held.killed = true;
      finish({ kind: 'exited', code: undefined, signal: 'SIGKILL', output: '', truncated: false });
    };
    return { result, kill };
  };

  /** The command that was started last. */
  get last(): HeldCommand {
    const held = this.started.at(-1);
    invariant(held !== undefined, 'a command was started');
    return held;
  }
}
