// How sure a master is that the address is its own: while it is not, it claims the address to
// nobody, and when it is again, it announces it anew.
import type { Micros } from '../base/time.ts';
import type { Bid } from './bid.ts';
import type { CatchingUp } from './catching-up.ts';
import type { AnnounceReason } from './effects.ts';
import type { PathTrust } from './inputs.ts';
import type { MasterTerm } from './master-term.ts';

/** What it judges by, and what follows from it. */
interface ConfidenceParts {
  readonly bid: Bid;
  readonly catchingUp: CatchingUp;
  readonly masterTerm: MasterTerm;
  /** It is master and does not step down. */
  readonly holdsVip: () => boolean;
}

/** The confidence of one instance in its path and in what it sends. */
export class Confidence {
  readonly #parts: ConfidenceParts;

  constructor(parts: ConfidenceParts) {
    this.#parts = parts;
  }

  /** It claims the address to nobody: another one may serve it, or be better. */
  get isMute(): boolean {
    const { bid, catchingUp } = this.#parts;
    return bid.inDoubt || catchingUp.on;
  }

  doubtChanged(inDoubt: boolean, now: Micros): void {
    const { bid, masterTerm, holdsVip } = this.#parts;
    if (bid.inDoubt === inDoubt) return;
    bid.inDoubt = inDoubt;
    if (!holdsVip()) return;
    if (inDoubt) masterTerm.doubtBegan();
    else masterTerm.announceAnew('doubt-cleared', now);
  }

  pathChanged(trust: PathTrust, now: Micros): void {
    this.#parts.bid.trust = trust;
    // Another one may have served, and left, of whom nothing was heard: caches may point at it.
    if (trust === 'trusted') this.#announceAnew('path-trusted', now);
  }

  /** It could not send for a while: what it announced meanwhile was lost as well. */
  sendsRecovered(now: Micros): void {
    this.#announceAnew('sends-recovered', now);
  }

  #announceAnew(reason: AnnounceReason, now: Micros): void {
    const { masterTerm, holdsVip } = this.#parts;
    if (holdsVip() && !this.isMute) masterTerm.announceAnew(reason, now);
  }
}
