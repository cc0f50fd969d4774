// Whom to ask by ARP, and when: the wishes of all instances on an interface united, each address
// asked once per interval however many want it.
import type { Ipv4 } from '../base/addresses.ts';
import { invariant } from '../base/assert.ts';
import { micros, plus, type Micros } from '../base/time.ts';

/** ask: an ARP request that bears our address. vip: an RFC 5227 probe, which bears none. */
export type ProbeForm = 'ask' | 'vip';

/** One address that is wanted asked so often. */
export interface Wish {
  readonly address: Ipv4;
  readonly form: ProbeForm;
  readonly interval: Micros;
}

/** The same wish of so many. */
interface Wanted {
  readonly form: ProbeForm;
  readonly interval: Micros;
  count: number;
}

type United = Pick<Wish, 'form' | 'interval'>;

/**
 * The addresses wanted now, each with how often. What one of hundreds wants can be put in the place
 * of what it wanted before, at no cost for the others.
 */
export class ProbeWishes {
  readonly #wanted = new Map<Ipv4, Wanted[]>();
  readonly #own = new Map<object, readonly Wish[]>();
  readonly #never = new Set<Ipv4>();

  /** The shortest interval wins; an address that is somebody's virtual IP is only probed for. */
  add(address: Ipv4, form: ProbeForm, interval: Micros): void {
    const wanted = this.#wanted.get(address) ?? [];
    const same = wanted.find((one) => one.form === form && one.interval === interval);
    if (same !== undefined) same.count += 1;
    else wanted.push({ form, interval, count: 1 });
    this.#wanted.set(address, wanted);
  }

  /** All that this one wants, in the place of what it wanted before. */
  set(who: object, wishes: readonly Wish[]): void {
    for (const wish of this.#own.get(who) ?? []) this.#drop(wish);
    for (const { address, form, interval } of wishes) this.add(address, form, interval);
    this.#own.set(who, wishes);
  }

  /** This address is never asked, whoever wants it. */
  remove(address: Ipv4): void {
    this.#never.add(address);
  }

  get entries(): readonly (readonly [Ipv4, United])[] {
    const entries: (readonly [Ipv4, United])[] = [];
    for (const [address, wanted] of this.#wanted) {
      if (!this.#never.has(address)) entries.push([address, wanted.reduce(unite)]);
    }
    return entries;
  }

  #drop({ address, form, interval }: Wish): void {
    const wanted = this.#wanted.get(address);
    invariant(wanted !== undefined, 'what is taken back was wanted before');
    const left = wanted.filter((one) => {
      if (one.form === form && one.interval === interval) one.count -= 1;
      return one.count > 0;
    });
    if (left.length === 0) this.#wanted.delete(address);
    else this.#wanted.set(address, left);
  }
}

function unite(a: Wanted, b: Wanted): Wanted {
  const form = a.form === 'vip' || b.form === 'vip' ? 'vip' : 'ask';
  return { form, interval: a.interval < b.interval ? a.interval : b.interval, count: 0 };
}

/** What is to be asked at once. */
export interface ProbeRound {
  readonly addresses: readonly Ipv4[];
  readonly vips: readonly Ipv4[];
}

/** Remembers when each address may be asked again, and who was asked in this epoch. */
export class Prober {
  readonly #nextAt = new Map<Ipv4, Micros>();
  #wanted: ReadonlySet<Ipv4> = new Set();
  #deadline: Micros | undefined;

  /** Takes the wishes as they are now and returns those that are due. */
  update(wishes: ProbeWishes, now: Micros): ProbeRound {
    const addresses: Ipv4[] = [];
    const vips: Ipv4[] = [];
    const wanted = new Set<Ipv4>();
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
  wasAsked(address: Ipv4, now: Micros): boolean {
    const nextAt = this.#nextAt.get(address);
    return nextAt !== undefined && (nextAt > now || this.#wanted.has(address));
  }

  /** The addresses that are being asked again and again. */
  get asking(): readonly Ipv4[] {
    return [...this.#wanted];
  }

  /** When the next one is due, by the wishes as they were last. */
  deadline(): Micros | undefined {
    return this.#deadline;
  }
}

const NOTHING: ProbeRound = { addresses: [], vips: [] };

/** Somebody who may want others asked. */
type Wishing = object;

/** How the wishes are found out. */
export interface WishSource<Who extends Wishing> {
  /** All that there are. */
  readonly all: () => Iterable<Who>;
  readonly wishesOf: (who: Who) => readonly Wish[];
  /** What nobody in particular wants. */
  readonly common: () => readonly Wish[];
  /** Those that are never asked. */
  readonly never: () => Iterable<Ipv4>;
}

/** The asking of one epoch, which looks at the wishes only where they may have changed. */
export class Asking<Who extends Wishing> {
  readonly #prober = new Prober();
  #wishes: ProbeWishes | undefined;
  readonly #changed = new Set<Who>();

  /** This one may want others asked than before; or everybody, where nobody is named. */
  changed(who?: Who): void {
    if (who === undefined) this.#wishes = undefined;
    else this.#changed.add(who);
  }

  /** Those to be asked now. */
  round(source: WishSource<Who>, now: Micros): ProbeRound {
    const known = this.#wishes;
    if (known === undefined || this.#changed.size > 0) {
      this.#wishes = this.#look(source);
      return this.#prober.update(this.#wishes, now);
    }
    const dueAt = this.#prober.deadline();
    return dueAt !== undefined && dueAt <= now ? this.#prober.update(known, now) : NOTHING;
  }

  /** As of Prober. */
  wasAsked(address: Ipv4, now: Micros): boolean {
    return this.#prober.wasAsked(address, now);
  }

  /** The addresses that are being asked again and again. */
  get asked(): readonly Ipv4[] {
    return this.#prober.asking;
  }

  get deadline(): Micros | undefined {
    return this.#prober.deadline();
  }

  #look({ all, wishesOf, common, never }: WishSource<Who>): ProbeWishes {
    const known = this.#wishes;
    const wishes = known ?? new ProbeWishes();
    if (known === undefined) for (const address of never()) wishes.remove(address);
    for (const who of known === undefined ? all() : this.#changed) wishes.set(who, wishesOf(who));
    wishes.set(this, common());
    this.#changed.clear();
    return wishes;
  }
}
