// A host that runs no CARP: it answers for its own address, and on a busy segment it says something
// to everybody now and then.
import { mac } from '../support/packets.ts';
import { micros } from '../../src/base/time.ts';
import type { VirtualClock } from '../fakes/clock.ts';
import type { Bus } from './bus.ts';
import type { Prng } from './prng.ts';
import type { Station } from './station.ts';

const PAUSE_MAX_US = 1_000_000;
const STRANGER = mac('02:ff:00:00:00:01');

export class Client {
  readonly station: Station;
  readonly chatters: boolean;
  readonly #clock: VirtualClock;
  readonly #prng: Prng;

  constructor(clock: VirtualClock, prng: Prng, station: Station, chatters: boolean) {
    this.#clock = clock;
    this.#prng = prng;
    this.station = station;
    this.chatters = chatters;
    station.up = true;
    if (chatters) this.#chat();
  }

  #chat(): void {
    this.#clock.after(micros(this.#prng.between(1, PAUSE_MAX_US)), () => {
      this.station.send({ kind: 'chatter', mac: this.station.mac });
      this.#chat();
    });
  }
}

/** Somebody who speaks now and then in VLANs that are not those of the nodes. */
export function chatterElsewhere(clock: VirtualClock, prng: Prng, bus: Bus): void {
  clock.after(micros(prng.between(1, PAUSE_MAX_US)), () => {
    bus.chatterElsewhere(STRANGER);
    chatterElsewhere(clock, prng, bus);
  });
}
