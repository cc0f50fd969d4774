// How long a swarm that is left in peace may take to settle, and how much may change meanwhile.
import { fromMillis, fromSeconds, micros, plus, type Micros } from '../../../src/base/time.ts';
import { advertInterval, masterDownInterval, type Cadence } from '../../../src/election/cadence.ts';
import { configuredCadences, type Plan } from './plan.ts';

/**
 * What failed while something was in the way is tried again within this time: an address that could
 * not go (10 s), and what waits behind that.
 */
export const RECOVERY = fromSeconds(15);
/** Who could not add its address is held for so long. */
const VIP_RETRY = fromSeconds(10);
/** A stock ucarp hears what came in a second late, and stands still for its scripts. */
const STOCK_LATENCY = fromMillis(1_425);
/** The slowest clock. */
const SLOW = 1.02;

/**
 * Each instance at each host: it may be promoted by silence, by a bow-out and by preemption, and
 * leave as often, and comes to rest by way of INIT and HELD.
 */
export const CHANGES_MAX = 8;
export const PROMOTIONS_MAX = 3;

/**
 * When all has healed by. What is in the way is cleared away; then silence makes somebody master
 * after the longest dead interval, the others hear of it within an interval, and masters that meet
 * settle it within another. A doubt takes one dead interval more. Whoever preempts does so a dead
 * interval later, and the one that it replaces may be the second of three.
 */
export function healingTime(plan: Plan): Micros {
  const cadences = configuredCadences(plan);
  const longest = (of: (cadence: Cadence) => Micros): Micros => {
    return micros(Math.max(...cadences.map(of)));
  };
  const dead = longest(masterDownInterval);
  const latency = plan.stock === undefined ? micros(0) : plus(dead, STOCK_LATENCY);
  const heard = plus(longest(advertInterval), latency);
  const rounds = cadences.some(({ preempt }) => preempt) ? 4 : 2;
  const elections = micros((dead + heard) * rounds);
  return micros(Math.ceil((RECOVERY + VIP_RETRY + elections) * SLOW));
}
