// How a station is joined to the segment: a cable, a port of a switch that may pass nothing though
// it has carrier, and perhaps a bond; and what its kernel tells of all that.
import { fromMillis, fromSeconds, plus, type Micros } from '../../src/base/time.ts';
import type { BondFacts, LinkFacts, LowerFacts } from '../../src/readiness/facts.ts';
import { STATE_BITS } from '../../src/readiness/lacp.ts';
import type { VirtualClock } from '../fakes/clock.ts';

/** What the interface stands on. */
export type UplinkKind =
  | 'plain'
  | 'lacp'
  /** Two legs that are both in step: the switch sends everything by the first that has link. */
  | 'lacp-pair'
  | 'active-backup';

/** LACP with fast timers: a partner that is not heard expires, one that is heard is back soon. */
const LACP_EXPIRY = fromSeconds(3);
const LACP_RETURN = fromSeconds(1);
/** The daemon asks every 250 ms, and is a little late. */
const LACP_NOTICED = fromMillis(255);

const { activity, sync, collecting, distributing, expired } = STATE_BITS;
const READY = activity | sync | collecting | distributing;
const PARTNER = '02:00:00:00:0a:0a';
const NO_PARTNER = '00:00:00:00:00:00';
const FIRST_PORT = 10;
const FOREVER = fromSeconds(1_000_000);

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
  /** The first leg has no link, and the second one is all that is left. */
  #isHalved = false;
  /** The second leg, which passes LACP, has passed no other frame yet. */
  #secondIsDead = false;
  /** The daemon does not see that this is a bond, nor what becomes of its legs. */
  legsUnseen = false;
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
    if (this.#isHalved && this.#secondIsDead) return false;
    return this.carrier && !this.#dark && !blocked && (!this.#speaksLacp || this.#formed);
  }

  /** The index of the leg by which frames come in; undefined: no daemon asks for it. */
  get portInUse(): number | undefined {
    return this.kind === 'lacp-pair' ? FIRST_PORT + Number(this.#isHalved) : undefined;
  }

  /**
   * The leg that passes frames is lost, and the bond goes on by the other one, which has link and
   * has never passed any. Returns what lets that one pass frames.
   */
  loseGoodLeg(): () => void {
    if (this.kind === 'active-backup') {
      this.block(FOREVER);
      this.failOver();
      return () => this.unblock();
    }
    this.#secondIsDead = true;
    this.#isHalved = true;
    this.owner?.pathChanged();
    this.owner?.factsChanged();
    return () => void (this.#secondIsDead = false);
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
    if (!this.#speaksLacp || formed === this.#formed) return;
    this.#clock.after(formed ? LACP_RETURN : LACP_EXPIRY, () => {
      if (round !== this.#lacpRound) return;
      this.#formed = formed;
      // Nobody can know it sooner than the daemon asks again.
      if (!formed) this.#clock.after(LACP_NOTICED, () => this.owner?.pathChanged());
    });
  }

  #lower(): LowerFacts {
    if (this.kind === 'plain' || this.legsUnseen) return { kind: 'plain' };
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
      ports: this.#legs.map((leg) => ({ ...port, ...leg, linkUp: linkUp && leg.linkUp })),
    };
  }

  get #legs(): readonly { name: string; ifindex: number; linkUp: boolean }[] {
    const first = { name: 'eth0', ifindex: FIRST_PORT, linkUp: !this.#isHalved };
    const second = { name: 'eth1', ifindex: FIRST_PORT + 1, linkUp: true };
    return this.kind === 'lacp-pair' ? [first, second] : [first];
  }

  get #speaksLacp(): boolean {
    return this.kind === 'lacp' || this.kind === 'lacp-pair';
  }

  get #mode(): 'active-backup' | '802.3ad' {
    return this.kind === 'active-backup' ? 'active-backup' : '802.3ad';
  }

  #backupPorts(linkUp: boolean): Omit<BondFacts, 'kind' | 'name' | 'ifindex' | 'mode'> {
    const none = { aggregatorId: undefined, actorState: undefined, partnerState: undefined };
    return {
      activeAggregatorId: undefined,
      partnerMac: undefined,
      activePort: FIRST_PORT + this.#activePort,
      ports: ['eth0', 'eth1'].map((name, at) => ({
        name,
        ifindex: FIRST_PORT + at,
        linkUp,
        ...none,
      })),
    };
  }
}
