// Whom to ask by ARP, and when: the wishes of all instances on an interface united, each address
// asked once per interval however many want it.
import { plus, type Micros } from '../base/time.ts';

/** ask: an ARP request that bears our address. vip: an RFC 5227 probe, which bears none. */
export type ProbeForm = 'ask' | 'vip';

/** The addresses wanted now, each with how often. */
export class ProbeWishes {
  readonly #wishes = new Map<string, { form: ProbeForm; interval: Micros }>();

  /** The shortest interval wins; an address that is somebody's virtual IP is only probed for. */
  add(address: string, form: ProbeForm, interval: Micros): void {
    const known = this.#wishes.get(address);
    this.#wishes.set(address, {
      form: known?.form === 'vip' ? 'vip' : form,
      interval: known !== undefined && known.interval < interval ? known.interval : interval,
    });
  }

  remove(address: string): void {
    this.#wishes.delete(address);
  }

  get entries(): readonly (readonly [string, { form: ProbeForm; interval: Micros }])[] {
    return [...this.#wishes];
  }
}

/** What is to be asked at once. */
export interface ProbeRound {
  readonly addresses: readonly string[];
  readonly vips: readonly string[];
}

/** Remembers when each address may be asked again, and who was asked in this epoch. */
export class Prober {
  readonly #nextAt = new Map<string, Micros>();
  #wanted: ReadonlySet<string> = new Set();

  /** Takes the wishes as they are now and returns those that are due. */
  update(wishes: ProbeWishes, now: Micros): ProbeRound {
    const addresses: string[] = [];
    const vips: string[] = [];
    const wanted = new Set<string>();
    for (const [address, { form, interval }] of wishes.entries) {
      wanted.add(address);
      const next = plus(now, interval);
      const nextAt = this.#nextAt.get(address);
      if (nextAt === undefined || nextAt <= now || nextAt > next) this.#nextAt.set(address, next);
      if (nextAt !== undefined && nextAt > now) continue;
      (form === 'vip' ? vips : addresses).push(address);
    }
    this.#wanted = wanted;
    for (const [address, nextAt] of this.#nextAt) {
      if (nextAt <= now && !wanted.has(address)) this.#nextAt.delete(address);
    }
    return { addresses, vips };
  }

  /** Whether an answer of this address can be one to us: it was asked an interval ago at most. */
  wasAsked(address: string, now: Micros): boolean {
    const nextAt = this.#nextAt.get(address);
    return nextAt !== undefined && (nextAt > now || this.#wanted.has(address));
  }

  /** The addresses that are being asked again and again. */
  get asking(): readonly string[] {
    return [...this.#wanted];
  }

  deadline(): Micros | undefined {
    let earliest: Micros | undefined;
    for (const [address, nextAt] of this.#nextAt) {
      if (!this.#wanted.has(address)) continue;
      if (earliest === undefined || nextAt < earliest) earliest = nextAt;
    }
    return earliest;
  }
}
