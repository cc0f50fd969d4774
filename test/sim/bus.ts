// The segment between the stations: it loses, delays, duplicates and so reorders frames, and can be
// cut in one direction or in both.
import type { Mac } from '../../src/base/addresses.ts';
import { micros } from '../../src/base/time.ts';
import type { VirtualClock } from '../fakes/clock.ts';
import type { Frame } from './frame.ts';
import type { Prng } from './prng.ts';
import type { Station } from './station.ts';

/** How bad the segment is; probabilities, and microseconds. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  readonly delayMaxUs: number;
}

/** Frames arrive within 20 ms, some twice, none is lost. */
export const FAIR: Weather = { loss: 0, duplication: 0.02, delayMaxUs: 20_000 };

const DELAY_MIN_US = 50;

export class Bus {
  weather: Weather = FAIR;
  /** Somebody sends adverts who is no station of this world. */
  strangerTalks = false;
  readonly #clock: VirtualClock;
  readonly #prng: Prng;
  readonly #stations: Station[] = [];
  /** Directions that are cut. */
  readonly #cut = new Set<string>();
  #component = new Map<Station, number>();

  constructor(clock: VirtualClock, prng: Prng) {
    this.#clock = clock;
    this.#prng = prng;
  }

  get stations(): readonly Station[] {
    return this.#stations;
  }

  attach(station: Station): void {
    this.#stations.push(station);
  }

  /** Sends to everybody who is on the same side, or to the one it is for. */
  send(from: Station, frame: Frame): void {
    if (!from.onLine) return;
    for (const to of this.#stations) {
      if (to === from || !this.#passes(from, to)) continue;
      if (frame.kind === 'arp-reply' && frame.to !== to.mac) continue;
      if (!this.#prng.chance(this.weather.loss)) this.#deliver(to, frame);
      if (this.#prng.chance(this.weather.duplication)) this.#deliver(to, frame);
    }
  }

  /** Somebody who is no station of this world says something to all. */
  chatter(mac: Mac): void {
    for (const to of this.#stations) this.#deliver(to, { kind: 'chatter', mac });
  }

  /** Somebody speaks in other VLANs of the trunks: each of them, as far as it comes in there. */
  chatterElsewhere(mac: Mac): void {
    for (const to of this.#stations) {
      const { foreignTags } = to.uplink;
      if (!to.up || foreignTags.length === 0) continue;
      const tags = this.#prng.pick(foreignTags);
      to.onFrame?.({ kind: 'chatter', mac }, tags);
    }
  }

  /** What no station of this world sent. */
  inject(to: Station, frame: Frame): void {
    this.#deliver(to, frame);
  }

  /** Cuts or mends the way from one station to another. */
  cut(from: Station, to: Station, isCut: boolean): void {
    const direction = `${from.name}>${to.name}`;
    if (isCut) this.#cut.add(direction);
    else this.#cut.delete(direction);
  }

  /** Splits the segment: stations hear those with the same number. */
  partition(componentOf: ReadonlyMap<Station, number>): void {
    this.#component = new Map(componentOf);
  }

  componentOf(station: Station): number {
    return this.#component.get(station) ?? 0;
  }

  #passes(from: Station, to: Station): boolean {
    if (this.#cut.has(`${from.name}>${to.name}`)) return false;
    return this.componentOf(from) === this.componentOf(to);
  }

  #deliver(to: Station, frame: Frame): void {
    const delay = micros(this.#prng.between(DELAY_MIN_US, this.weather.delayMaxUs));
    this.#clock.after(delay, () => {
      if (to.onLine) to.receive(frame);
    });
  }
}
