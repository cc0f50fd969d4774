// What the worlds of a swarm have come by: causes of transitions, reasons for which packets are
// dropped, and reasons for which gates are shut. What they can't reach is listed with its reason.
import { DROP_REASONS } from '../../../src/carp/accept.ts';
import { CAUSES } from '../../../src/election/effects.ts';
import type { DomainEvent } from '../../../src/events/events.ts';
import { REASONS } from '../../../src/readiness/reasons.ts';

/** Everything that there is. */
const ALL: readonly string[] = [
  ...Object.keys(CAUSES).map((cause) => `cause ${cause}`),
  ...Object.keys(DROP_REASONS).map((reason) => `drop ${reason}`),
  ...Object.keys(REASONS).map((reason) => `gate ${reason}`),
];

const BONDS = 'the hosts of a swarm have no bonds: see uplink.ts and stacks.test.ts';
const BRIDGES = 'the hosts of a swarm have no bridges';
const AT_A_STROKE = 'another interface takes the place of one at a stroke: see sim.test.ts';
const KERNEL = 'the kernel and the filters of the sockets let no such packet through';

/** What no world of a swarm can reach. */
const BEYOND: Readonly<Record<string, string>> = {
  'drop truncated': KERNEL,
  'drop not-ipv4': KERNEL,
  'drop bad-ip-header': KERNEL,
  'drop other-protocol': KERNEL,
  'drop other-group': 'all instances of a swarm use the usual group',
  'cause interface-missing': AT_A_STROKE,
  'gate interface-missing': AT_A_STROKE,
  'gate carrier-unknown': BRIDGES,
  'gate no-uplink': BRIDGES,
  'gate uplink-blocked': BRIDGES,
  'gate no-ports': BONDS,
  'gate no-port-with-link': BONDS,
  'gate mode-unknown': BONDS,
  'gate no-partner': BONDS,
  'gate partner-unknown': BONDS,
  'gate aggregator-unknown': BONDS,
  'gate no-ready-port': BONDS,
  'gate ports-unknown': BONDS,
};

/** Counts the worlds that reach each. */
export class Reached {
  readonly #worlds = new Map<string, number>(ALL.map((one) => [one, 0]));

  /** A world has told all this. */
  add(told: ReadonlySet<string>): void {
    for (const one of told) {
      const count = this.#worlds.get(one);
      if (count !== undefined) this.#worlds.set(one, count + 1);
    }
  }

  get counts(): readonly string[] {
    return [...this.#worlds].map(([one, count]) => `${one} ${count}`);
  }

  /** Those that too few worlds have reached, but for what is known to be beyond them. */
  missed(least: number): readonly string[] {
    const few = [...this.#worlds].filter(([, count]) => count < least).map(([one]) => one);
    return few.filter((one) => BEYOND[one] === undefined);
  }

  /** Those that are reached though they are listed as beyond: the list is to be mended. */
  get unexpected(): readonly string[] {
    return Object.keys(BEYOND).filter((one) => (this.#worlds.get(one) ?? 0) > 0);
  }
}

/** What an event says that was reached. */
export function reachedBy(event: DomainEvent): readonly string[] {
  switch (event.event) {
    case 'transition':
      return [`cause ${event.cause}`];
    case 'advert-rejected':
      return [`drop ${event.reason}`];
    case 'gate-closed':
    case 'gate-still-closed':
      return event.reasons.map((reason) => `gate ${reason}`);
    default:
      return [];
  }
}
