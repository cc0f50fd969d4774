// Whom to ask by ARP, and when: the wishes of all instances on an interface united, each address
// asked once per interval however many want it.
import { micros, plus, type Micros } from '../base/time.ts';

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
  #deadline: Micros | undefined;

  /** Takes the wishes as they are now and returns those that are due. */
  update(wishes: ProbeWishes, now: Micros): ProbeRound {
    const addresses: string[] = [];
    const vips: string[] = [];
    const wanted = new Set<string>();
    let earliest = Infinity;
    for (const [address, { form, interval }] of wishes.entries) {
      wanted.add(address);
      const next = plus(now, interval);
      const nextAt = this.#nextAt.get(address);
      const isDue = nextAt === undefined || nextAt <= now;
      if (isDue || nextAt > next) this.#nextAt.set(address, next);
      earliest = Math.min(earliest, isDue ? next : Math.min(nextAt, next));
      if (isDue) (form === 'vip' ? vips : addresses).push(address);
    }
    this.#wanted = wanted;
    this.#deadline = wanted.size === 0 ? undefined : micros(earliest);
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

  /** When the next one is due, by the wishes as they were last. */
  deadline(): Micros | undefined {
    return this.#deadline;
  }
}

const NOTHING: ProbeRound = { addresses: [], vips: [] };

/** The asking of one epoch, which looks at the wishes only when they changed or one is due. */
export class Asking {
  readonly #prober = new Prober();
  #wishes: ProbeWishes | undefined;

  /** Somebody may want others asked than before. */
  changed(): void {
    this.#wishes = undefined;
  }

  /** Those to be asked now. `wishesOf` is called where they may have changed. */
  round(wishesOf: () => ProbeWishes, now: Micros): ProbeRound {
    const dueAt = this.#prober.deadline();
    if (this.#wishes !== undefined && (dueAt === undefined || dueAt > now)) return NOTHING;
    this.#wishes ??= wishesOf();
    return this.#prober.update(this.#wishes, now);
  }

  /** As of Prober. */
  wasAsked(address: string, now: Micros): boolean {
    return this.#prober.wasAsked(address, now);
  }

  /** The addresses that are being asked again and again. */
  get asked(): readonly string[] {
    return this.#prober.asking;
  }

  get deadline(): Micros | undefined {
    return this.#prober.deadline();
  }
}
