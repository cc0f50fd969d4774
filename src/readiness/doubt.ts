// When a master doubts its own path: it keeps the address, bids low and claims it to nobody. So it
// wins nothing back from a node that served meanwhile, and still serves where it is the only one.
import type { Ipv4 } from '../base/addresses.ts';
import { micros, plus, since, type Micros } from '../base/time.ts';

/** Why a master is in doubt. */
export const DOUBT_CAUSES = {
  'epoch-ended': 'its path may have changed and must prove itself again',
  'rival-unanswered':
    'it hears a worse master and nobody answers: its own frames may not be getting out',
} as const;

export type DoubtCause = keyof typeof DOUBT_CAUSES;

/** What a doubting master knows of its path now. */
export interface DoubtView {
  /** The gate of this instance, in the current epoch. */
  readonly gateOpen: boolean;
  /** When an ARP probe was last answered in the current epoch. */
  readonly answeredAt: Micros | undefined;
  /** It is proof that has opened the gate, and no policy. */
  readonly proved: boolean;
  readonly deadInterval: Micros;
  readonly advertInterval: Micros;
}

/** A doubt as others may see it. */
export interface DoubtSnapshot {
  readonly cause: DoubtCause;
  readonly since: Micros;
  /** When it will end if no other master is heard; undefined as long as proof is wanting. */
  readonly endsAt: Micros | undefined;
}

interface Doubting {
  readonly cause: DoubtCause;
  readonly since: Micros;
  /** When it began first; it may have begun again since. */
  readonly firstAt: Micros;
  /** Until when our adverts surely reached the others; undefined: nobody can say. */
  readonly sureAt: Micros | undefined;
  provedAt: Micros | undefined;
  otherMasterAt: Micros | undefined;
}

/**
 * The doubt of one instance. It ends one dead interval after the path has proved itself anew, if no
 * other master was heard in that time; silence before the proof says nothing. It ends at once where
 * the proof comes so soon that nobody can have taken over.
 */
export class Doubt {
  #doubting: Doubting | undefined;

  get cause(): DoubtCause | undefined {
    return this.#doubting?.cause;
  }

  /**
   * Begins, or begins again: proof from before counts no more. A doubt about our sending side stays
   * one, since a new epoch proves nothing of it. `sureAt`: until when our adverts surely reached
   * the others; undefined: nobody can say.
   */
  begin(cause: DoubtCause, now: Micros, sureAt?: Micros): void {
    const before = this.#doubting;
    const mayStandFor = before === undefined || before.otherMasterAt === undefined;
    this.#doubting = {
      cause: before?.cause === 'rival-unanswered' ? 'rival-unanswered' : cause,
      since: now,
      firstAt: before?.firstAt ?? now,
      sureAt: mayStandFor ? (before === undefined ? sureAt : before.sureAt) : undefined,
      provedAt: undefined,
      otherMasterAt: undefined,
    };
  }

  /** The node is no master any more, or the doubt is dispelled. */
  end(): void {
    this.#doubting = undefined;
  }

  otherMasterHeard(now: Micros): void {
    if (this.#doubting !== undefined) this.#doubting.otherMasterAt = now;
  }

  /** Notes proof as it comes and goes, and ends when its time has come. */
  update(view: DoubtView, now: Micros): void {
    if (this.#doubting === undefined) return;
    if (!isProved(this.#doubting, view)) this.#doubting.provedAt = undefined;
    else this.#doubting.provedAt ??= now;
    const endsAt = endOf(this.#doubting, view.deadInterval);
    const isOver = endsAt !== undefined && endsAt <= now;
    if (isOver || isDispelledInTime(this.#doubting, view)) this.end();
  }

  /** Undefined: there is no doubt. */
  snapshot(deadInterval: Micros): DoubtSnapshot | undefined {
    if (this.#doubting === undefined) return undefined;
    const { cause, since } = this.#doubting;
    return { cause, since, endsAt: endOf(this.#doubting, deadInterval) };
  }
}

function isProved(doubting: Doubting, { gateOpen, answeredAt }: DoubtView): boolean {
  if (!gateOpen) return false;
  // Incoming frames say nothing of our sending side: only an answer does.
  if (doubting.cause !== 'rival-unanswered') return true;
  return answeredAt !== undefined && answeredAt > doubting.since;
}

/**
 * Proof came within an advertisement interval, and sooner after the last time at which an advert of
 * ours can have got through than anybody is patient: who hears us has heard the one or the other.
 */
function isDispelledInTime(
  { cause, firstAt, sureAt, provedAt, otherMasterAt }: Doubting,
  { proved, deadInterval, advertInterval }: DoubtView,
): boolean {
  if (cause !== 'epoch-ended' || !proved || provedAt === undefined) return false;
  if (sureAt === undefined || otherMasterAt !== undefined) return false;
  const patience = deadInterval - advertInterval;
  return since(provedAt, firstAt) <= advertInterval && since(provedAt, sureAt) < patience;
}

function endOf({ provedAt, otherMasterAt }: Doubting, deadInterval: Micros): Micros | undefined {
  if (provedAt === undefined) return undefined;
  const heardAt = otherMasterAt ?? provedAt;
  return plus(heardAt > provedAt ? heardAt : provedAt, deadInterval);
}

const RIVALS_MAX = 16;

interface Rival {
  readonly unansweredSince: Micros;
  readonly heardAt: Micros;
  /** When its next advert is due, by what the last one says. */
  readonly interval: Micros;
}

/**
 * Masters heard by a master that has not yielded to them. If one is heard for a dead interval, and
 * nobody at all answers our ARP in that time, our sending side is dead. While anybody answers, the
 * other master is cut off from us alone, or gone: old adverts of it are sent again. Each is
 * remembered at its own pace, since the worst masters are the slowest.
 */
export class Rivals {
  /** In the order in which they were last heard. */
  readonly #rivals = new Map<Ipv4, Rival>();

  /** Whether this one has now been heard for a dead interval without an answer of anybody. */
  heard(address: Ipv4, interval: Micros, deadInterval: Micros, now: Micros): boolean {
    this.#prune(deadInterval, now);
    const unansweredSince = this.#rivals.get(address)?.unansweredSince ?? now;
    this.#rivals.delete(address);
    this.#rivals.set(address, { unansweredSince, heardAt: now, interval });
    for (const oldest of this.#rivals.keys()) {
      if (this.#rivals.size > RIVALS_MAX) this.#rivals.delete(oldest);
    }
    return since(now, unansweredSince) >= deadInterval;
  }

  /** Our frames pass after all, so the time counts from here. */
  answered(now: Micros): void {
    for (const [address, rival] of this.#rivals) {
      this.#rivals.set(address, { ...rival, unansweredSince: now });
    }
  }

  /** Until when one of them counts as still heard; undefined: there is none. */
  presentUntil(deadInterval: Micros): Micros | undefined {
    const all = [...this.#rivals.values()].map((rival) => forgottenAt(rival, deadInterval));
    return all.length === 0 ? undefined : micros(Math.max(...all));
  }

  clear(): void {
    this.#rivals.clear();
  }

  #prune(deadInterval: Micros, now: Micros): void {
    for (const [address, rival] of this.#rivals) {
      if (forgottenAt(rival, deadInterval) <= now) this.#rivals.delete(address);
    }
  }
}

/** Two adverts in a row may be lost before a rival is no rival any more. */
const INTERVALS_TO_FORGET = 3;
const DEAD_INTERVALS_TO_FORGET = 2;

function forgottenAt({ heardAt, interval }: Rival, deadInterval: Micros): Micros {
  const memory = Math.max(interval * INTERVALS_TO_FORGET, deadInterval * DEAD_INTERVALS_TO_FORGET);
  return plus(heardAt, micros(memory));
}
