// The segments of a swarm, and what goes wrong on them: frames that are lost, late, doubled, held
// back to come all at once, or sent again long after; ways that are cut in one direction.
import { readAdvert, writeAdvert, type Advert } from '../../../src/carp/advert.ts';
import type { Mac } from '../../../src/base/addresses.ts';
import { readEthernet, writeEthernet } from '../../../src/carp/ethernet.ts';
import { CARP_PROTOCOL, readIpv4, writeCarpPacket } from '../../../src/carp/ipv4.ts';
import { micros, type Micros } from '../../../src/base/time.ts';
import { ETHERTYPE_IPV4 } from '../../../src/base/ethertypes.ts';
import type { VirtualTime } from '../../fakes/time.ts';
import { Wire, type Medium } from '../../fakes/wire.ts';
import type { Prng } from '../prng.ts';
import { SPOILS, type Spoil } from './spoil.ts';

/** What of an advert its digest does not cover. */
export type Timers = Pick<Advert, 'advbase' | 'advskew' | 'demote'>;

/** How bad a segment is; probabilities, and microseconds. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  readonly delayMaxUs: number;
}

export const FAIR: Weather = { loss: 0, duplication: 0, delayMaxUs: 1_000 };

const DELAY_MIN_US = 50;
/** Of an untagged frame that bears IPv4. */
const PROTOCOL_AT = 23;
/** So many adverts can be sent again. */
const KEPT = 64;

/** Who looks on. */
export interface Onlooker {
  /** A station sends an advert. */
  readonly sent: (from: Mac, advert: Advert) => void;
  /** This frame of another station comes in by the card with this address. */
  readonly came: (to: Mac, frame: Uint8Array) => void;
}

/** One segment. */
export class Storm {
  readonly wire: Wire;
  weather: Weather = FAIR;
  readonly #time: VirtualTime;
  readonly #prng: Prng;
  readonly #onlooker: Onlooker;
  /** "from>to"; "from>" and ">to" stand for all others. */
  readonly #cut = new Set<string>();
  readonly #clogged = new Map<Mac, (() => void)[]>();
  /** The last adverts of anybody, oldest first. */
  readonly #kept: { readonly from: Mac; readonly frame: Uint8Array }[] = [];

  constructor(time: VirtualTime, prng: Prng, onlooker: Onlooker) {
    this.#time = time;
    this.#prng = prng;
    this.#onlooker = onlooker;
    this.wire = new Wire(time);
    this.wire.passes = (from, to) => this.#passes(from, to);
    this.wire.carry = (to, deliver, frame) => this.#carry(to, deliver, frame);
  }

  /** What the cards of hosts are plugged in to. */
  get medium(): Medium {
    const { wire } = this;
    return {
      get plugs() {
        return wire.plugs;
      },
      plug: (plug) => wire.plug(plug),
      unplug: (plug) => wire.unplug(plug),
      macOf: (address) => wire.macOf(address),
      send: (from, frame) => {
        this.#note(from, frame);
        wire.send(from, frame);
      },
    };
  }

  /** Cuts or mends the ways from one card, to one, or between two. */
  cut(from: Mac | '', to: Mac | '', isCut: boolean): void {
    if (isCut) this.#cut.add(`${from}>${to}`);
    else this.#cut.delete(`${from}>${to}`);
  }

  /** From now on nothing comes in by this card; what is under way waits. */
  clog(to: Mac): void {
    if (!this.#clogged.has(to)) this.#clogged.set(to, []);
  }

  /** All that has waited comes in at once. */
  unclog(to: Mac): void {
    const waiting = this.#clogged.get(to) ?? [];
    this.#clogged.delete(to);
    for (const deliver of waiting) this.#time.after(micros(DELAY_MIN_US), deliver);
  }

  /** Somebody sends an old advert again, perhaps with other timers: the digest covers none. */
  replay(change: Partial<Timers>): void {
    if (this.#kept.length === 0) return;
    const { from, frame } = this.#prng.pick(this.#kept);
    this.wire.send(from, withTimers(frame, change));
  }

  /** Somebody sends what is no advert of anybody. */
  spoil(how: Spoil, stranger: Mac): void {
    if (this.#kept.length === 0) return;
    this.wire.send(stranger, SPOILS[how](this.#prng.pick(this.#kept).frame));
  }

  heal(): void {
    this.weather = FAIR;
    this.#cut.clear();
    for (const to of [...this.#clogged.keys()]) this.unclog(to);
  }

  #passes(from: Mac, to: Mac): boolean {
    if (this.#cut.size > 0) {
      const ways = [`${from}>`, `>${to}`, `${from}>${to}`];
      if (ways.some((way) => this.#cut.has(way))) return false;
    }
    return !this.#prng.chance(this.weather.loss);
  }

  #carry(to: Mac, deliver: () => void, frame: Uint8Array): void {
    const arrive = (): void => {
      this.#onlooker.came(to, frame);
      deliver();
    };
    const clogged = this.#clogged.get(to);
    if (clogged !== undefined) return void clogged.push(arrive);
    this.#time.after(this.#delay(), arrive);
    if (this.#prng.chance(this.weather.duplication)) this.#time.after(this.#delay(), arrive);
  }

  #delay(): Micros {
    return micros(this.#prng.between(DELAY_MIN_US, this.weather.delayMaxUs));
  }

  #note(from: Mac, frame: Uint8Array): void {
    const advert = advertOf(frame);
    if (advert === undefined) return;
    this.#onlooker.sent(from, advert);
    this.#kept.push({ from, frame });
    if (this.#kept.length > KEPT) this.#kept.shift();
  }
}

function advertOf(frame: Uint8Array): Advert | undefined {
  // Most frames are ARP, and nothing of them is read.
  if (frame[PROTOCOL_AT] !== CARP_PROTOCOL) return undefined;
  const ethernet = readEthernet(frame);
  if (!ethernet.ok || ethernet.value.etherType !== ETHERTYPE_IPV4) return undefined;
  const packet = readIpv4(ethernet.value.payload);
  if (!packet.ok || packet.value.protocol !== CARP_PROTOCOL) return undefined;
  const advert = readAdvert(packet.value.payload);
  return advert.ok ? advert.value : undefined;
}

function withTimers(frame: Uint8Array, change: Partial<Timers>): Uint8Array {
  const ethernet = readEthernet(frame);
  const advert = advertOf(frame);
  if (!ethernet.ok || advert === undefined) return frame;
  const packet = readIpv4(ethernet.value.payload);
  if (!packet.ok) return frame;
  const { source, destination } = packet.value;
  const payload = writeAdvert({ ...advert, ...change });
  const ends = { source, destination, identification: 1 };
  return writeEthernet(ethernet.value, writeCarpPacket(ends, payload));
}
