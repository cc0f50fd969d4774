// How a station is joined to the segment: a cable, a port of a switch that may pass nothing though
// it has carrier, and perhaps a bond; and what its kernel tells of all that.
import { fromMillis, fromSeconds, plus, type Micros } from '../../src/base/time.ts';
import type { BondFacts, LinkFacts, LowerFacts } from '../../src/readiness/facts.ts';
import { STATE_BITS } from '../../src/readiness/lacp.ts';
import type { VirtualClock } from './clock.ts';

/** What the interface stands on. */
export type UplinkKind = 'plain' | 'lacp' | 'active-backup';

/** LACP with fast timers: a partner that is not heard expires, one that is heard is back soon. */
const LACP_EXPIRY = fromSeconds(3);
const LACP_RETURN = fromSeconds(1);
/** The daemon asks every 250 ms, and is a little late. */
const LACP_NOTICED = fromMillis(255);

const { activity, sync, collecting, distributing, expired } = STATE_BITS;
const READY = activity | sync | collecting | distributing;
const PARTNER = '02:00:00:00:0a:0a';
const NO_PARTNER = '00:00:00:00:00:00';

/** Told of what the kernel reports at once, and of every change after which old proof is void. */
export interface UplinkOwner {
  factsChanged(): void;
  pathChanged(): void;
}

export class Uplink {
  readonly kind: UplinkKind;
  owner: UplinkOwner | undefined;
  readonly #clock: VirtualClock;
  #mac: string;
  #ifindex = 2;
  #carrierLosses = 0;
  #plugged = true;
  #present = true;
  #adminUp = true;
  #dark = false;
  #blockedUntil: Micros | undefined;
  #activePort = 0;
  #formed = false;
  /** Counts what LACP waits for, so that it waits only for the latest. */
  #lacpRound = 0;

  constructor(clock: VirtualClock, kind: UplinkKind, mac: string) {
    this.#clock = clock;
    this.kind = kind;
    this.#mac = mac;
    this.#runLacp();
  }

  get mac(): string {
    return this.#mac;
  }

  get carrier(): boolean {
    return this.#hasCarrier();
  }

  /** Whether frames pass, in both directions. */
  get passes(): boolean {
    const blocked = this.#blockedUntil !== undefined && this.#clock.now < this.#blockedUntil;
    return this.carrier && !this.#dark && !blocked && (this.kind !== 'lacp' || this.#formed);
  }

  /** Undefined: there is no interface. */
  facts(): LinkFacts | undefined {
    if (!this.#present) return undefined;
    return {
      ifindex: this.#ifindex,
      mac: this.#mac,
      carrier: this.carrier,
      carrierLosses: this.#carrierLosses,
      uplinks: [{ ifindex: this.#ifindex, vlans: [] }],
      lower: this.#lower(),
    };
  }

  /** Pulls the cable, or plugs it in again. */
  plug(plugged: boolean): void {
    this.#change(() => (this.#plugged = plugged));
  }

  setAdminUp(adminUp: boolean): void {
    this.#change(() => (this.#adminUp = adminUp));
  }

  /** Deletes the interface; one that is created again is another one. */
  setPresent(present: boolean): void {
    if (present && !this.#present) this.#ifindex += 1;
    this.#change(() => (this.#present = present));
  }

  /** Everything is lost on the way, and nothing but LACP can tell. */
  setDark(dark: boolean): void {
    if (this.#dark === dark) return;
    this.#dark = dark;
    this.#runLacp();
  }

  /** The port passes nothing for so long from now on, as with spanning tree. LACP is below that. */
  block(duration: Micros): void {
    this.#blockedUntil = plus(this.#clock.now, duration);
  }

  unblock(): void {
    this.#blockedUntil = undefined;
  }

  /** Another port of an active-backup bond takes over. */
  failOver(): void {
    this.#activePort = 1 - this.#activePort;
    this.owner?.pathChanged();
    this.owner?.factsChanged();
  }

  setMac(mac: string): void {
    this.#mac = mac;
    this.owner?.pathChanged();
    this.owner?.factsChanged();
  }

  /** The host boots: its links come up anew. */
  boot(): void {
    this.#formed = false;
    this.#runLacp();
    this.owner?.pathChanged();
  }

  #change(apply: () => void): void {
    const had = this.#hasCarrier();
    apply();
    if (had && !this.#hasCarrier()) {
      this.#carrierLosses += 1;
      this.#formed = false;
      this.owner?.pathChanged();
    }
    this.#runLacp();
    this.owner?.factsChanged();
  }

  #hasCarrier(): boolean {
    return this.#plugged && this.#present && this.#adminUp;
  }

  /** LACP comes and goes without the kernel telling anybody. */
  #runLacp(): void {
    this.#lacpRound += 1;
    const round = this.#lacpRound;
    const formed = this.carrier && !this.#dark;
    if (this.kind !== 'lacp' || formed === this.#formed) return;
    this.#clock.after(formed ? LACP_RETURN : LACP_EXPIRY, () => {
      if (round !== this.#lacpRound) return;
      this.#formed = formed;
      // Nobody can know it sooner than the daemon asks again.
      if (!formed) this.#clock.after(LACP_NOTICED, () => this.owner?.pathChanged());
    });
  }

  #lower(): LowerFacts {
    if (this.kind === 'plain') return { kind: 'plain' };
    const linkUp = this.carrier;
    const bond = { kind: 'bond', name: 'bond0', ifindex: 3, mode: this.#mode } as const;
    if (this.kind === 'active-backup') return { ...bond, ...this.#backupPorts(linkUp) };
    const state = this.#formed ? READY : activity | expired;
    const port = { linkUp, aggregatorId: 1, actorState: state, partnerState: READY };
    return {
      ...bond,
      activeAggregatorId: 1,
      partnerMac: linkUp ? PARTNER : NO_PARTNER,
      activePort: undefined,
      ports: [{ name: 'eth0', ifindex: 10, ...port }],
    };
  }

  get #mode(): 'active-backup' | '802.3ad' {
    return this.kind === 'active-backup' ? 'active-backup' : '802.3ad';
  }

  #backupPorts(linkUp: boolean): Omit<BondFacts, 'kind' | 'name' | 'ifindex' | 'mode'> {
    const none = { aggregatorId: undefined, actorState: undefined, partnerState: undefined };
    return {
      activeAggregatorId: undefined,
      partnerMac: undefined,
      activePort: 10 + this.#activePort,
      ports: ['eth0', 'eth1'].map((name, at) => ({ name, ifindex: 10 + at, linkUp, ...none })),
    };
  }
}
