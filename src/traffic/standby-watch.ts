// Whether somebody could take over from the masters of one interface: the hosts that may are asked
// by ARP every few seconds, which a stock peer answers like any other, and it is kept who answers.
import { fromSeconds, since, type Micros } from '../base/time.ts';
import type { Ipv4 } from '../base/addresses.ts';

/** A host that may take over, as ARP shows it. */
export interface Standby {
  readonly address: Ipv4;
  /** Undefined: it was asked a moment ago for the first time. */
  readonly answers: boolean | undefined;
  /** The last answer; where there is none, the first question. */
  readonly since: Micros;
}

interface Asked {
  readonly firstAt: Micros;
  answeredAt: Micros | undefined;
}

/** How often they are asked. */
export const STANDBY_INTERVAL = fromSeconds(3);
/** Two answers may be missing: a frame may be lost, and a host may be busy. */
const PATIENCE = fromSeconds(8);

/** Remembers the answers of those who may take over, as long as somebody wants to know. */
export class StandbyWatch {
  readonly #asked = new Map<Ipv4, Asked>();
  #roundAt: Micros | undefined;

  /** These are wanted now, and no others; returns whom to ask at once. */
  round(wanted: Iterable<Ipv4>, now: Micros): readonly Ipv4[] {
    const hosts = new Set(wanted);
    for (const known of this.#asked.keys()) if (!hosts.has(known)) this.#asked.delete(known);
    const isNew = [...hosts].some((host) => !this.#asked.has(host));
    for (const host of hosts) {
      if (!this.#asked.has(host)) this.#asked.set(host, { firstAt: now, answeredAt: undefined });
    }
    const isDue = this.#roundAt === undefined || since(now, this.#roundAt) >= STANDBY_INTERVAL;
    if (hosts.size === 0 || (!isDue && !isNew)) return [];
    this.#roundAt = now;
    return [...hosts];
  }

  /** A host has answered ARP; one that nobody wants to know of makes no difference. */
  answered(host: Ipv4, now: Micros): void {
    const asked = this.#asked.get(host);
    if (asked !== undefined) asked.answeredAt = now;
  }

  /** What is known of a host; undefined: it is not asked. */
  of(address: Ipv4, now: Micros): Standby | undefined {
    const asked = this.#asked.get(address);
    if (asked === undefined) return undefined;
    const { firstAt, answeredAt = firstAt } = asked;
    const isLate = since(now, answeredAt) > PATIENCE;
    const answers = isLate ? false : asked.answeredAt === undefined ? undefined : true;
    return { address, answers, since: answeredAt };
  }
}
