// Whom a packet of protocol 112 may be for: the instances of one interface by their vhid, and the
// addresses that they send from. Asked for every packet, so that both are kept, and not gathered.
import { fromSeconds, plus, type Micros } from '../base/time.ts';
import type { CarpGroup } from '../carp/accept.ts';
import type { Ipv4 } from '../base/addresses.ts';

/** An instance as far as it hears adverts. */
export interface Hearer extends CarpGroup {
  /** What its own adverts bear, or bore a moment ago. */
  readonly ownSources: readonly Ipv4[];
}

/** What an instance sent from before it forgets by itself; nobody minds a little later. */
const SOURCES_FRESH = fromSeconds(1);

/** The instances of one interface that hear adverts. */
export class Hearers<Member extends Hearer> {
  readonly #now: () => Micros;
  readonly #byVhid = new Map<number, readonly Member[]>();
  #sources: ReadonlySet<Ipv4> = new Set();
  #sourcesUntil: Micros | undefined;

  constructor(now: () => Micros) {
    this.#now = now;
  }

  add(member: Member): void {
    const { vhid } = member.key;
    this.#byVhid.set(vhid, [...this.withVhid(vhid), member]);
    this.sourcesChanged();
  }

  remove(member: Member): void {
    const { vhid } = member.key;
    const others = this.withVhid(vhid).filter((one) => one !== member);
    if (others.length === 0) this.#byVhid.delete(vhid);
    else this.#byVhid.set(vhid, others);
    this.sourcesChanged();
  }

  /** More than one where they send to different addresses. */
  readonly withVhid = (vhid: number | undefined): readonly Member[] =>
    (vhid === undefined ? undefined : this.#byVhid.get(vhid)) ?? [];

  /** One of them may send from another address than before. */
  sourcesChanged(): void {
    this.#sourcesUntil = undefined;
  }

  /** The addresses that the adverts of any of them bear. */
  get ownSources(): ReadonlySet<Ipv4> {
    const now = this.#now();
    if (this.#sourcesUntil === undefined || this.#sourcesUntil <= now) {
      const all = [...this.#byVhid.values()].flat();
      this.#sources = new Set(all.flatMap(({ ownSources }) => ownSources));
      this.#sourcesUntil = plus(now, SOURCES_FRESH);
    }
    return this.#sources;
  }
}
