// An election with a clock of its own and a world around it that answers: sends succeed, addresses
// are added and hooks end after fixed times, unless a test says otherwise.
import { fromMillis, micros, plus, toMillis, type Micros } from '../../src/base/time.ts';
import type { Ipv4 } from '../../src/base/addresses.ts';
import type { Effect, State } from '../../src/election/effects.ts';
import type { HeardAdvert, Input } from '../../src/election/inputs.ts';
import { Election } from '../../src/election/machine.ts';
import type { ElectionSettings } from '../../src/election/settings.ts';
import { effectText } from './effect-text.ts';
import { address } from './packets.ts';

export const OWN = address('10.77.0.5');
/** Wins a tie against OWN. */
export const LOWER = address('10.77.0.1');
/** Loses a tie against OWN. */
export const HIGHER = address('10.77.0.9');

export const DEFAULTS: ElectionSettings = {
  advbase: 1,
  advskew: 0,
  deadRatio: 3,
  preempt: false,
  neutral: false,
  manageAddress: true,
  announceRefresh: undefined,
  initialCounter: 0n,
};

/** How the world answers; undefined: never. Times in milliseconds. */
export interface Answers {
  vipMs: number | undefined;
  hookMs: number | undefined;
  claimOk: boolean;
  /** False: the address can't be taken off, and the interface shows it. */
  releaseOk: boolean;
  sendOk: boolean;
}

/** Something that happened, and when. */
export type TraceEntry =
  { readonly at: Micros; readonly input: Input } | { readonly at: Micros; readonly effect: Effect };

interface Pending {
  readonly at: Micros;
  readonly input: Input;
}

/** One node under test. */
export class Rig {
  readonly election: Election;
  readonly trace: TraceEntry[] = [];
  readonly answers: Answers = {
    vipMs: 5,
    hookMs: 10,
    claimOk: true,
    releaseOk: true,
    sendOk: true,
  };
  /** What the link says of everybody who is heard. */
  proved = true;
  now: Micros = micros(0);
  readonly #pending: Pending[] = [];

  constructor(settings: Partial<ElectionSettings> = {}) {
    this.election = new Election({ ...DEFAULTS, ...settings });
  }

  get state(): State {
    return this.election.snapshot().state;
  }

  /** When the election wants to be woken, in milliseconds. */
  get deadlineMs(): number | undefined {
    const deadline = this.election.deadline();
    return deadline === undefined ? undefined : toMillis(deadline);
  }

  /** Gives one input now; returns its effects. */
  give(input: Input): readonly Effect[] {
    this.trace.push({ at: this.now, input });
    const effects = this.election.step(input, this.now);
    for (const effect of effects) {
      this.trace.push({ at: this.now, effect });
      this.#answer(effect);
    }
    return effects;
  }

  /** Gives inputs now; returns their effects as text. */
  feed(...inputs: readonly Input[]): string[] {
    return inputs.flatMap((input) => this.give(input)).map(effectText);
  }

  /** An advert of `from` comes in now; the effects as text. */
  hear(from: Ipv4, advbase: number, advskew: number, rest: Partial<HeardAdvert> = {}): string[] {
    const advert = { advbase, advskew, demote: 0, counter: 0n, ...rest };
    return this.feed({ kind: 'advert-heard', from, advert, proved: this.proved });
  }

  /** Lets time pass until `milliseconds` after the start; returns the effects as text. */
  runTo(milliseconds: number): string[] {
    return this.runUntil(fromMillis(milliseconds));
  }

  /** Lets `milliseconds` pass; returns the effects as text. */
  runFor(milliseconds: number): string[] {
    return this.runUntil(plus(this.now, fromMillis(milliseconds)));
  }

  /** Lets time pass until the instant `end`, which is included. */
  runUntil(end: Micros): string[] {
    const effects: string[] = [];
    for (;;) {
      const next = this.#takeNext(end);
      if (next === undefined) break;
      if (next.at > this.now) this.now = next.at;
      effects.push(...this.feed(next.input));
    }
    if (end > this.now) this.now = end;
    return effects;
  }

  /** The effects so far as "milliseconds text", without those of `skipped` kinds. */
  timeline(...skipped: readonly Effect['kind'][]): string[] {
    return this.trace.flatMap((entry) => {
      if (!('effect' in entry) || skipped.includes(entry.effect.kind)) return [];
      return [`${String(toMillis(entry.at))} ${effectText(entry.effect)}`];
    });
  }

  /** What comes first: an answer, which is then no longer pending, or a deadline. */
  #takeNext(end: Micros): Pending | undefined {
    const [first] = this.#pending;
    const deadline = this.election.deadline();
    if (first !== undefined && (deadline === undefined || first.at <= deadline)) {
      return first.at > end ? undefined : this.#pending.shift();
    }
    if (deadline === undefined || deadline > end) return undefined;
    return { at: deadline, input: { kind: 'woken' } };
  }

  #answer(effect: Effect): void {
    const { vipMs, hookMs, claimOk, releaseOk, sendOk } = this.answers;
    switch (effect.kind) {
      case 'send-advert':
        if (effect.advert === 'regular') this.#later(0, { kind: 'advert-sent', ok: sendOk });
        return;
      case 'claim-vip':
        return this.#later(vipMs, { kind: 'vip-claimed', term: effect.term, ok: claimOk });
      case 'release-vip':
        return this.#later(
          vipMs,
          releaseOk
            ? { kind: 'vip-released', term: effect.term }
            : { kind: 'vip-stuck', term: effect.term, shown: true },
        );
      case 'run-hook':
        return this.#later(hookMs, {
          kind: 'hook-finished',
          hook: effect.hook,
          term: effect.term,
        });
      default:
    }
  }

  #later(milliseconds: number | undefined, input: Input): void {
    if (milliseconds === undefined) return;
    const at = plus(this.now, fromMillis(milliseconds));
    const behind = this.#pending.findIndex((pending) => pending.at > at);
    this.#pending.splice(behind < 0 ? this.#pending.length : behind, 0, { at, input });
  }
}

/** A node with its interface, carrier and gate, listening from time 0. */
export function backup(settings: Partial<ElectionSettings> = {}): Rig {
  const rig = new Rig({ neutral: true, ...settings });
  rig.feed(
    { kind: 'started' },
    { kind: 'interface-ready', source: OWN },
    { kind: 'carrier-changed', up: true },
    { kind: 'gate-changed', open: true },
  );
  rig.trace.length = 0;
  return rig;
}

/** A master since one dead interval after time 0, with its address up and its up hook done. */
export function master(settings: Partial<ElectionSettings> = {}): Rig {
  const rig = backup(settings);
  rig.runTo(rig.deadlineMs ?? 0);
  rig.runFor(100);
  rig.trace.length = 0;
  return rig;
}
