// Stand-ins for the tests of the address side: a clock that only moves when told, and a kernel that
// understands `ip addr` and deletes as Linux does.
import { fromMillis, type Micros } from '../../../src/base/time.ts';
import { parseIpv4, samePrefix, type Ipv4 } from '../../../src/carp/addresses.ts';
import type { CommandRequest, CommandResult, RunningCommand } from '../../../src/base/command.ts';
import type { AddressView, ObservedAddress } from '../../../src/vip/ports.ts';
import { invariant } from '../../../src/base/assert.ts';

/** The address in `text`, which a test wrote and so is right. */
export function ip(text: string): Ipv4 {
  const address = parseIpv4(text);
  invariant(address !== undefined, `${text} is an IPv4 address`);
  return address;
}

/** "10.9.0.100/24 bond0" as an address on an interface. */
export function on(text: string): ObservedAddress {
  const [cidr = '', interfaceName = ''] = text.split(' ');
  const [address = '', prefixLength = ''] = cidr.split('/');
  return { address: ip(address), prefixLength: Number(prefixLength), interfaceName };
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

/** The addresses of a host, changed by `ip addr` commands and seen through an AddressView. */
export class FakeKernel implements AddressView {
  addresses: readonly ObservedAddress[];
  /** What the view shows; behind `addresses` while `lagging`. */
  #shown: readonly ObservedAddress[];
  lagging = false;
  promoteSecondaries = false;
  /** Where set, what commands end with instead of being carried out. */
  refuseWith: CommandResult | undefined;
  readonly commands: string[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(...addresses: readonly string[]) {
    this.addresses = addresses.map(on);
    this.#shown = this.addresses;
  }

  observe(): readonly ObservedAddress[] {
    return this.#shown;
  }

  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** The view catches up and says so. */
  show(): void {
    this.#shown = this.addresses;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Somebody else runs a command. */
  meddle(command: string): void {
    this.#carryOut(command.split(' '));
    this.show();
  }

  readonly runCommand = (request: CommandRequest): RunningCommand => {
    this.commands.push(request.argv.join(' '));
    const result = Promise.resolve().then(() => {
      const ended = this.refuseWith ?? this.#carryOut(request.argv);
      if (!this.lagging) this.show();
      return ended;
    });
    return { result, kill: () => undefined };
  };

  /** `ip addr add|del CIDR dev NAME`, as Linux does it. */
  #carryOut(argv: readonly string[]): CommandResult {
    const [program, object, verb, cidr = '', dev, name = ''] = argv;
    invariant(program === 'ip' && object === 'addr' && dev === 'dev', 'an ip addr command');
    const wanted = on(`${cidr} ${name}`);
    const same = (a: ObservedAddress): boolean =>
      a.interfaceName === name &&
      a.address === wanted.address &&
      a.prefixLength === wanted.prefixLength;
    if (verb === 'add') {
      if (this.addresses.some(same)) return refused('Error: ipv4: Address already assigned.');
      this.addresses = [...this.addresses, wanted];
      return EXITED_OK;
    }
    if (!this.addresses.some(same)) return refused('Error: ipv4: Address not found.');
    const siblings = this.addresses.filter(
      (a) =>
        a.interfaceName === name &&
        a.prefixLength === wanted.prefixLength &&
        samePrefix(a.address, wanted.address, a.prefixLength),
    );
    const primary = siblings[0] !== undefined && same(siblings[0]);
    const takesAlong = primary && !this.promoteSecondaries;
    this.addresses = this.addresses.filter((a) => !(takesAlong ? siblings.includes(a) : same(a)));
    return EXITED_OK;
  }
}
