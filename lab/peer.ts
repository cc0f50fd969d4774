// What a test sees of one CARP node, whichever program plays it: its state, how it came there, the
// hooks it ran and what it wrote. The state is read from the program's own log.
import { readFileSync } from 'node:fs';
import type { Child, Exit, OutputLine } from './child.ts';
import { nowMs } from './clock.ts';
import { readHookLog, type HookEvent } from './hooks.ts';
import type { Host } from './host.ts';
import { eventually } from './wait.ts';

export const PEER_STATES = ['INIT', 'HELD', 'BACKUP', 'MASTER'] as const;
export type PeerState = (typeof PEER_STATES)[number];

/** Stock ucarp, `carpd run`, or carpd's own `ucarp` front end. */
export type PeerKind = 'ucarp' | 'carpd' | 'carpd-ucarp';

/** A change of state as the node reported it. */
export interface Transition {
  /** The log's own time of it, on the lab's time line. */
  readonly atMs: number;
  readonly from?: PeerState;
  readonly to: PeerState;
  readonly cause?: string;
}

/** One group's settings, in the terms of ucarp; what is not given is left to the program. */
export interface PeerOptions {
  readonly vhid: number;
  readonly vip: string;
  readonly password: string;
  /** The real address; the host's if not given. */
  readonly source?: string;
  /** Whole seconds. */
  readonly advbase?: number;
  /** 1/256 s. */
  readonly advskew?: number;
  readonly deadRatio?: number;
  readonly preempt?: boolean;
  readonly neutral?: boolean;
  readonly ignoreLinkState?: boolean;
  /** The group adverts go to. */
  readonly group?: string;
  /** Adverts to the broadcast Ethernet address (ucarp -M). */
  readonly broadcast?: boolean;
  readonly xparam?: string;
  /** The gate's policy, of carpd only; off where it is not given, as with the stock ucarp. */
  readonly gate?: 'hold' | 'off';
  /** False: hooks only keep their log and leave the address alone; true where it is not given. */
  readonly hooksMoveAddress?: boolean;
}

/** A running CARP node. */
export interface Peer {
  readonly host: Host;
  readonly kind: PeerKind;
  readonly child: Child;
  readonly vip: string;
  /** All changes of state so far, in order. */
  readonly transitions: readonly Transition[];
  /** Undefined before the first report and after the end of the process. */
  state(): PeerState | undefined;
  /** The transition that led to `state`: at once if the peer is in it, or when it gets there. */
  waitFor(state: PeerState, withinMs: number): Promise<Transition>;
  /** The first transition to `state` later than `afterMs` on the lab's time line. */
  nextTransition(state: PeerState, afterMs: number, withinMs: number): Promise<Transition>;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end with SIGTERM (kills it after 5 s). */
  stop(): Promise<Exit>;
  /** Ends it with SIGKILL. */
  kill(): Promise<Exit>;
  /** Everything it has written. */
  log(): string;
  /** The hooks it has run. */
  hookLog(): readonly HookEvent[];
}

/** Reads a line of a program's log: the transition it reports, if it reports one. */
export type TransitionReader = (line: OutputLine) => Transition | undefined;

/** A peer whose process writes its transitions to its output. */
export class LoggedPeer implements Peer {
  readonly host: Host;
  readonly kind: PeerKind;
  readonly child: Child;
  readonly vip: string;
  readonly transitions: Transition[] = [];
  readonly #hookFile: string;

  constructor(
    is: { host: Host; kind: PeerKind; child: Child; vip: string; hookFile: string },
    read: TransitionReader,
  ) {
    this.host = is.host;
    this.kind = is.kind;
    this.child = is.child;
    this.vip = is.vip;
    this.#hookFile = is.hookFile;
    this.child.onLine((line) => {
      const transition = read(line);
      if (transition !== undefined) this.transitions.push(transition);
    });
  }

  state(): PeerState | undefined {
    return this.child.exited === undefined ? this.transitions.at(-1)?.to : undefined;
  }

  waitFor(state: PeerState, withinMs: number): Promise<Transition> {
    const reached = (): Transition | undefined => {
      const last = this.transitions.at(-1);
      return last?.to === state && this.child.exited === undefined ? last : undefined;
    };
    return this.child.until(reached, `${this.#name()} to be ${state}`, withinMs);
  }

  nextTransition(state: PeerState, afterMs: number, withinMs: number): Promise<Transition> {
    const later = (): Transition | undefined =>
      this.transitions.find(({ atMs, to }) => atMs > afterMs && to === state);
    return this.child.until(later, `${this.#name()} to become ${state}`, withinMs);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal);
  }

  stop(): Promise<Exit> {
    return this.child.stop();
  }

  kill(): Promise<Exit> {
    return this.child.stop('SIGKILL');
  }

  log(): string {
    return this.child.lines.map(({ text }) => text).join('\n');
  }

  hookLog(): readonly HookEvent[] {
    return readHookLog(readFileSync(this.#hookFile, 'utf8'));
  }

  #name(): string {
    return `${this.kind} on ${this.host.name}`;
  }
}

/** Longer than the second by which stock ucarp may hear an advert late. */
const STEADY_MS_DEFAULT = 1_200;

/**
 * Waits until exactly one of the peers says it is master and has stayed the only one for
 * `steadyMs`, and yields that one. With less than a second, a stock ucarp may yet become master
 * beside it.
 */
export function soleMaster(
  peers: readonly Peer[],
  withinMs: number,
  steadyMs = STEADY_MS_DEFAULT,
): Promise<Peer> {
  let found: Peer | undefined;
  let sinceMs = 0;
  const sole = (): Peer | undefined => {
    const [master, second] = peers.filter((peer) => peer.state() === 'MASTER');
    const only = second === undefined ? master : undefined;
    if (only !== found) sinceMs = nowMs();
    found = only;
    return nowMs() - sinceMs >= steadyMs ? found : undefined;
  };
  return eventually(sole, {
    withinMs,
    what: 'exactly one master',
    detail: () => peers.map((peer) => peer.child.tail()).join('\n'),
  });
}
