// The segment between the nodes: it loses, delays, duplicates and so reorders adverts, and can be
// cut in one direction or in both.
import { micros } from '../../src/base/time.ts';
import type { VirtualClock } from './clock.ts';
import type { Packet, SimNode } from './node.ts';
import type { Prng } from './prng.ts';

/** How bad the segment is; probabilities, and microseconds. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  readonly delayMaxUs: number;
}

/** Adverts arrive within 20 ms, some twice, none is lost. */
export const FAIR: Weather = { loss: 0, duplication: 0.02, delayMaxUs: 20_000 };

const DELAY_MIN_US = 50;

export class Bus {
  weather: Weather = FAIR;
  readonly #clock: VirtualClock;
  readonly #prng: Prng;
  readonly #nodes: SimNode[] = [];
  /** Directions that are cut. */
  readonly #cut = new Set<string>();
  #component = new Map<SimNode, number>();

  constructor(clock: VirtualClock, prng: Prng) {
    this.#clock = clock;
    this.#prng = prng;
  }

  attach(node: SimNode): void {
    this.#nodes.push(node);
  }

  /** Sends to everybody who is on the same side and has a link. */
  send(from: SimNode, packet: Packet): void {
    if (!from.linkUp) return;
    for (const to of this.#nodes) {
      if (to === from || !this.#passes(from, to)) continue;
      if (!this.#prng.chance(this.weather.loss)) this.#deliver(to, packet);
      if (this.#prng.chance(this.weather.duplication)) this.#deliver(to, packet);
    }
  }

  /** What no node of this world sent. */
  inject(to: SimNode, packet: Packet): void {
    this.#deliver(to, packet);
  }

  /** Cuts or mends the way from one node to another. */
  cut(from: SimNode, to: SimNode, isCut: boolean): void {
    const direction = `${from.name}>${to.name}`;
    if (isCut) this.#cut.add(direction);
    else this.#cut.delete(direction);
  }

  /** Splits the segment: nodes hear those with the same number. */
  partition(componentOf: ReadonlyMap<SimNode, number>): void {
    this.#component = new Map(componentOf);
  }

  componentOf(node: SimNode): number {
    return this.#component.get(node) ?? 0;
  }

  #passes(from: SimNode, to: SimNode): boolean {
    if (this.#cut.has(`${from.name}>${to.name}`)) return false;
    return this.componentOf(from) === this.componentOf(to);
  }

  #deliver(to: SimNode, packet: Packet): void {
    const delay = micros(this.#prng.between(DELAY_MIN_US, this.weather.delayMaxUs));
    this.#clock.after(delay, () => {
      if (to.linkUp) to.receive(packet);
    });
  }
}
