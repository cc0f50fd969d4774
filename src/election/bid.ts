// What a node says in its adverts, and how often: its timers, its skew, which is high while it
// can't send well or doubts its path, and the counter.
import { fromMillis, micros, plus, type Micros } from '../base/time.ts';
import { BOW_OUT } from '../carp/advert.ts';
import { advertInterval, DEMOTED_ADVSKEW, masterDownInterval, type Cadence } from './cadence.ts';
import type { Deadlines } from './deadlines.ts';
import type { AdvertKind, Cause, Effect } from './effects.ts';
import type { PathTrust } from './inputs.ts';
import { SendHealth, type SendVerdict } from './send-health.ts';

/** A demoted node that no longer sends is trusted again after so many dead intervals. */
const DEAD_INTERVALS_TO_FORGIVE = 10;
/** Better than a master in doubt, of whose path the kernel has told that it may be another one. */
const DARK_ADVSKEW = DEMOTED_ADVSKEW - 1;
/** Better than both: where nobody else is there, the node that serves goes on. */
export const UNHEARD_ADVSKEW = DEMOTED_ADVSKEW - 2;
const COUNTER_BITS = 64;
/**
 * How much too early an advert may go out to go along with others, of its interval and at most. Its
 * peers wait for silence from the last advert that they heard, so that none of them minds.
 */
const EARLY_SHARE = 1 / 32;
export const EARLY_MAX = fromMillis(31);

/** Says with which skew one instance bids, and when its next advert is due. */
export class Bid {
  /** A master whose path may be dead: it bids low and announces nothing. */
  inDoubt = false;
  /** While its path may be dark it bids low, and does everything else as usual. */
  trust: PathTrust = 'trusted';
  readonly #cadence: Cadence;
  readonly #deadlines: Deadlines;
  readonly #emit: (effect: Effect) => void;
  readonly #health = new SendHealth();
  #counter: bigint;

  constructor(
    settings: Cadence & { readonly initialCounter: bigint },
    deadlines: Deadlines,
    emit: (effect: Effect) => void,
  ) {
    this.#cadence = settings;
    this.#counter = settings.initialCounter;
    this.#deadlines = deadlines;
    this.#emit = emit;
  }

  /** Sending fails: not fit to replace anybody. */
  get demoted(): boolean {
    return this.#health.demoted;
  }

  /** What a yield to a better master is put down to: it may be better only for our low bid. */
  get yieldCause(): Cause {
    return this.trust === 'trusted' ? 'better-advert' : 'path-unconfirmed';
  }

  /** The skew it bids with now. */
  get advskew(): number {
    const { advskew } = this.#cadence;
    if (this.demoted || this.inDoubt) return Math.max(advskew, DEMOTED_ADVSKEW);
    if (this.trust === 'dark') return Math.max(advskew, DARK_ADVSKEW);
    return this.trust === 'unheard' ? Math.max(advskew, UNHEARD_ADVSKEW) : advskew;
  }

  /**
   * How long from one regular advert to the next. In doubt only the bid is low: the patience of the
   * peers, who must hear of this master in time once frames pass again, knows nothing of a doubt.
   */
  get interval(): Micros {
    const { advbase, advskew } = this.#cadence;
    return advertInterval({ advbase, advskew: this.demoted ? this.advskew : advskew });
  }

  /** What is due until then may go out along with an advert of another master. */
  along(now: Micros): Micros {
    const early = Math.floor(this.interval * EARLY_SHARE);
    return plus(now, micros(Math.min(early, EARLY_MAX)));
  }

  /** Goes on from the counter of an advert that was heard, as ucarp does. */
  follow(counter: bigint): void {
    this.#counter = counter;
  }

  /** Sends one advert now. */
  send(kind: AdvertKind): void {
    this.#counter = BigInt.asUintN(COUNTER_BITS, this.#counter + 1n);
    const bowOut = kind === 'bow-out';
    this.#emit({
      kind: 'send-advert',
      advert: kind,
      advbase: bowOut ? BOW_OUT : this.#cadence.advbase,
      advskew: bowOut ? BOW_OUT : this.advskew,
      counter: this.#counter,
    });
  }

  /** Sends the regular advert that is due at `dueAt` and sets the deadline of the next one. */
  advertise(dueAt: Micros, now: Micros): void {
    this.send('regular');
    // One that went out early stays with those that it went with.
    const next = plus(micros(Math.min(dueAt, now)), this.interval);
    // After a stall one advert is enough: the ones that were missed help nobody now.
    this.#deadlines.set('advertise', next > now ? next : plus(now, this.interval));
  }

  /**
   * The interval, which was `before`, is another one. The next advert is as soon as either wants:
   * with a longer one the peers learn of it by an advert that comes as they expect it.
   */
  paceChanged(before: Micros, now: Micros): void {
    const dueAt = this.#deadlines.get('advertise');
    if (dueAt === undefined) return;
    const next = micros(Math.max(now, dueAt - before + this.interval));
    this.#deadlines.set('advertise', micros(Math.min(dueAt, next)));
  }

  /** A regular advert has left, or has not. Says what that makes of the node. */
  sent(ok: boolean): SendVerdict {
    const verdict = this.#health.record(ok);
    if (verdict !== 'unchanged') this.#emit({ kind: 'demotion-changed', demoted: this.demoted });
    return verdict;
  }

  /** It is master no more, and so does not send: one that is demoted is forgiven later. */
  ended(now: Micros): void {
    if (!this.demoted) return;
    const forgiveIn = micros(masterDownInterval(this.#cadence) * DEAD_INTERVALS_TO_FORGIVE);
    this.#deadlines.set('demotionEnd', plus(now, forgiveIn));
  }

  /** Trusts that it can send again. */
  forgive(): void {
    if (this.#health.recover() === 'unchanged') return;
    this.#emit({ kind: 'demotion-changed', demoted: false });
  }
}
