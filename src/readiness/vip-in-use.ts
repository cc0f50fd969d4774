// What a foreign answer for the virtual IP means to a node that would like to have it.
import { fromSeconds, micros, plus, type Micros } from '../base/time.ts';

/** unheard: wait only for a master that was never heard. always: wait. off: don't look. */
export type VipInUsePolicy = 'unheard' | 'always' | 'off';

export interface VipHolder {
  readonly mac: string;
  readonly at: Micros;
}

const LIFETIME_MIN = fromSeconds(2);
const PROBES_TO_FORGET = 3;

/** When an answer is forgotten: three probes later, if none of them was answered. */
export function holderForgottenAt(holder: VipHolder, probeInterval: Micros): Micros {
  const lifetime = Math.max(LIFETIME_MIN, probeInterval * PROBES_TO_FORGET);
  return plus(holder.at, micros(lifetime));
}

/**
 * wait: a master may live whom we can't hear. warn: the master was heard in this epoch and fell
 * silent; its kernel may answer long after its daemon died, so the address is taken over.
 */
export function judgeHolder(
  policy: VipInUsePolicy,
  advertHeardInEpoch: boolean,
): 'ignore' | 'wait' | 'warn' {
  if (policy === 'off') return 'ignore';
  return policy === 'always' || !advertHeardInEpoch ? 'wait' : 'warn';
}
