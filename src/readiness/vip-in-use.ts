// What a foreign answer for the virtual IP means to a node that would like to have it.
import type { Mac } from '../base/addresses.ts';
import { fromSeconds, micros, plus, type Micros } from '../base/time.ts';

/** unheard: wait only for a master that was never heard. always: wait. off: don't look. */
export type VipInUsePolicy = 'unheard' | 'always' | 'off';

export interface VipHolder {
  readonly mac: Mac;
  readonly at: Micros;
}

const LIFETIME_MIN = fromSeconds(2);
const PROBES_TO_FORGET = 3;

/** What a foreign holder of the virtual IP means at this moment. */
export type HolderVerdict = 'ignore' | 'wait' | 'warn';

/** What an instance knows when it judges the holder. */
export interface HolderView {
  readonly policy: VipInUsePolicy;
  readonly probeInterval: Micros;
  /** Nobody is heard, so that a promotion may come. */
  readonly silent: boolean;
  /** An advert was heard in this epoch. */
  readonly heardInEpoch: boolean;
  /** When a promotion is due at the earliest; undefined: it may be due at once. */
  readonly dueAt: Micros | undefined;
}

/** The foreign host that answers for the virtual IP of one instance. */
export class HolderWatch {
  #holder: VipHolder | undefined;

  /** Undefined: none is known. */
  get holder(): VipHolder | undefined {
    return this.#holder;
  }

  answered(mac: Mac, now: Micros): void {
    this.#holder = { mac, at: now };
  }

  forget(): void {
    this.#holder = undefined;
  }

  /** Only who would promote itself minds the holder: none does as long as a master is heard. */
  judge(view: HolderView, now: Micros): HolderVerdict {
    if (this.#holder === undefined) return 'ignore';
    if (holderForgottenAt(this.#holder, view.probeInterval) <= now) {
      this.forget();
      return 'ignore';
    }
    if (!view.silent) return 'ignore';
    // A master that is but late answers of course, and so does one whose first advert is to come:
    // it is news when a promotion is due.
    if (view.dueAt !== undefined && now < view.dueAt) return 'ignore';
    return judgeHolder(view.policy, view.heardInEpoch);
  }

  /** When the answer is forgotten. */
  deadline(probeInterval: Micros): Micros | undefined {
    return this.#holder && holderForgottenAt(this.#holder, probeInterval);
  }
}

/** When an answer is forgotten: three probes later, if none of them was answered. */
export function holderForgottenAt(holder: VipHolder, probeInterval: Micros): Micros {
  const lifetime = Math.max(LIFETIME_MIN, probeInterval * PROBES_TO_FORGET);
  return plus(holder.at, micros(lifetime));
}

/**
 * wait: a master may live whom we can't hear. warn: the master was heard in this epoch and fell
 * silent; its kernel may answer long after its daemon died, so the address is taken over.
 */
export function judgeHolder(policy: VipInUsePolicy, advertHeardInEpoch: boolean): HolderVerdict {
  if (policy === 'off') return 'ignore';
  return policy === 'always' || !advertHeardInEpoch ? 'wait' : 'warn';
}
