// How a station is joined to the segment: a cable, a port of a switch that may pass nothing though
// it has carrier, a bond or team device and VLAN tags perhaps; and what its kernel tells of it all.
import { mac } from '../support/packets.ts';
import { ZERO_MAC, type Mac } from '../../src/base/addresses.ts';
import { fromMillis, fromSeconds, plus, type Micros } from '../../src/base/time.ts';
import type { VirtualClock } from '../fakes/clock.ts';
import type { Entrance } from '../fakes/host.ts';
import type { Link } from '../../src/linux/links/link-watch.ts';
import {
  FIRST_PORT,
  JOINT_INDEX,
  OUTER_INDEX,
  stackLinks,
  type Above,
  type Joint,
  type Leg,
  type StackState,
} from './stack.ts';

interface Shape {
  readonly joint: Joint['kind'];
  readonly legs: 1 | 2;
  /** LACP at the slow rate. */
  readonly isSlow?: true;
  /** The second leg leads to another LACP partner, and so is in an aggregator of its own. */
  readonly partners?: 2;
  /** What becomes of the MAC addresses when the active leg changes. */
  readonly failOverMac?: 'active' | 'follow';
  readonly above?: Above;
  /** What a frame for this station bears on the cable, outermost tag first. */
  readonly tags?: readonly number[];
  /** What frames for others bear that come in as well: the native VLAN, another one. */
  readonly foreign?: readonly (readonly number[])[];
  /** Of those: what still comes in when the outer tag has left the trunk. */
  readonly foreignWithoutOuter?: readonly (readonly number[])[];
}

const [OUTER, INNER, OWN, OTHER] = [5, 7, 100, 101];

/** What the interface stands on. */
const SHAPES = {
  plain: { joint: 'none', legs: 1 },
  lacp: { joint: '802.3ad', legs: 1 },
  /** Two legs that are both in step: the switch sends everything by the first that has link. */
  'lacp-pair': { joint: '802.3ad', legs: 2 },
  'lacp-slow': { joint: '802.3ad', legs: 1, isSlow: true },
  /** One leg to each of two switches that should pass for one, and do not. */
  'lacp-apart': { joint: '802.3ad', legs: 2, partners: 2 },
  'active-backup': { joint: 'active-backup', legs: 2 },
  /** fail_over_mac 1: the address of the bond is that of its active leg. */
  'mac-of-active': { joint: 'active-backup', legs: 2, failOverMac: 'active' },
  /** fail_over_mac 2: the active leg takes on the address of the bond. */
  'mac-follows': { joint: 'active-backup', legs: 2, failOverMac: 'follow' },
  team: { joint: 'team', legs: 2 },
  'two-tags': {
    joint: '802.3ad',
    legs: 1,
    above: { kind: 'two tags', outer: OUTER, inner: INNER },
    tags: [OUTER, INNER],
    foreign: [[], [OUTER], [OUTER, OTHER]],
    foreignWithoutOuter: [[]],
  },
  'vlan-bridge': {
    joint: '802.3ad',
    legs: 1,
    above: { kind: 'vlan bridge', vlan: OWN },
    tags: [OWN],
    foreign: [[], [OTHER]],
  },
} as const satisfies Readonly<Record<string, Shape>>;

export type UplinkKind = keyof typeof SHAPES;

/** LACP with fast timers: a partner that is not heard expires, one that is heard is back soon. */
const LACP_EXPIRY = fromSeconds(3);
/** The same at the slow rate. */
const LACP_SLOW_EXPIRY = fromSeconds(90);
const LACP_RETURN = fromSeconds(1);
/** The daemon asks every 250 ms, and is a little late. */
const LACP_NOTICED = fromMillis(255);

const PARTNERS = [mac('02:00:00:00:0a:0a'), mac('02:00:00:00:0a:0b')] as const;
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
  readonly #shape: Shape;
  #mac: Mac;
  readonly #firstMac: Mac;
  /** Of the leg that is not in use, where each has its own. */
  #spareMac: Mac;
  #ifindex = 2;
  #carrierLosses = 0;
  #plugged = true;
  #present = true;
  #adminUp = true;
  #dark = false;
  /** Which tag of this station's frames the switch does not pass. */
  #lacking: 'outer' | 'inner' | undefined;
  #blockedUntil: Micros | undefined;
  #activePort = 0;
  #formed = false;
  /** By its number among those there may be. */
  #partner: 0 | 1 = 0;
  /** The first leg has no link, and the second one is all that is left. */
  #isHalved = false;
  /** The second leg, which passes LACP, has passed no other frame yet. */
  #secondIsDead = false;
  /** The daemon does not see that this is a bond, nor what its legs bring about. */
  legsUnseen = false;
  #lastKey = '';
  #lastLinks: readonly Link[] = [];
  /** Counts what LACP waits for, so that it waits only for the latest. */
  #lacpRound = 0;

  constructor(clock: VirtualClock, kind: UplinkKind, own: Mac) {
    this.#clock = clock;
    this.kind = kind;
    this.#shape = SHAPES[kind];
    this.#mac = own;
    this.#firstMac = own;
    this.#spareMac = mac(own.replace(/^02/, '06'));
    this.#runLacp();
  }

  get mac(): Mac {
    return this.#mac;
  }

  get carrier(): boolean {
    return this.#hasCarrier();
  }

  /** Whether frames pass, in both directions. */
  get passes(): boolean {
    return this.#lacking === undefined && this.#passesAny;
  }

  /** What a frame for this station bears on the cable, outermost tag first. */
  get tags(): readonly number[] {
    return this.#shape.tags ?? [];
  }

  /** What frames of other VLANs bear that come in now; empty: none does. */
  get foreignTags(): readonly (readonly number[])[] {
    if (!this.#passesAny) return [];
    const { foreign = [], foreignWithoutOuter = foreign } = this.#shape;
    return this.#lacking === 'outer' ? foreignWithoutOuter : foreign;
  }

  get #passesAny(): boolean {
    const blocked = this.#blockedUntil !== undefined && this.#clock.now < this.#blockedUntil;
    if (this.#isHalved && this.#secondIsDead) return false;
    return this.carrier && !this.#dark && !blocked && (!this.#speaksLacp || this.#formed);
  }

  /**
   * The leg that passes frames is lost, and the bond goes on by the other one, which has link and
   * has never passed any. Returns what lets that one pass frames.
   */
  loseGoodLeg(): () => void {
    if (!this.#speaksLacp) {
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

  /** All interfaces of the station as its kernel shows them; undefined: there are none. */
  links(): readonly Link[] | undefined {
    if (!this.#present) return undefined;
    // They are read far more often than they change.
    const key = this.#key;
    if (key !== this.#lastKey) this.#lastLinks = stackLinks(this.#asShown(this.#state));
    this.#lastKey = key;
    return this.#lastLinks;
  }

  /** All that the links are made of. */
  get #key(): string {
    const path = `${this.#mac} ${this.#spareMac} ${this.#ifindex} ${this.#activePort}`;
    const legs = `${this.#partner} ${this.#formed} ${this.#isHalved} ${this.legsUnseen}`;
    return `${path} ${legs} ${this.#carrierLosses} ${this.#adminUp} ${this.carrier}`;
  }

  #asShown(state: StackState): StackState {
    return this.legsUnseen ? { ...state, mac: this.#firstMac, joint: { kind: 'none' } } : state;
  }

  /** Of the interface that comes in the place of this one. */
  get nextIndex(): number {
    return this.#ifindex + 1;
  }

  /** By which interface a frame for this station reaches the host. */
  get cameBy(): number {
    const { joint, above } = this.#shape;
    const top = above === undefined ? this.#ifindex : JOINT_INDEX;
    if (this.legsUnseen || joint === 'none' || joint === 'team') return top;
    return FIRST_PORT + (joint === 'active-backup' ? this.#activePort : Number(this.#isHalved));
  }

  /** Where a frame with these tags is seen on its way up; with its own ones up to the top. */
  waysOf(tags: readonly number[]): readonly Entrance[] {
    const top = { ifindex: this.#ifindex, vlans: [] };
    if (this.#shape.above === undefined) return [top];
    const joint = { ifindex: JOINT_INDEX, vlans: tags };
    if (tags.join() !== this.tags.join()) return [joint];
    const [, ...inner] = tags;
    return inner.length === 0 ? [joint, top] : [joint, { ifindex: OUTER_INDEX, vlans: inner }, top];
  }

  get #state(): StackState {
    return {
      ifindex: this.#ifindex,
      mac: this.#mac,
      adminUp: this.#adminUp,
      carrier: this.carrier,
      carrierLosses: this.#carrierLosses,
      joint: this.#joint,
      above: this.#shape.above ?? { kind: 'nothing' },
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

  /** A tag of this station's frames leaves the trunk, or all are carried: nothing at all tells. */
  lack(tag: 'outer' | 'inner' | undefined): void {
    this.#lacking = tag;
  }

  /** The port passes nothing for so long from now on, as with spanning tree. LACP is below that. */
  block(duration: Micros): void {
    this.#blockedUntil = plus(this.#clock.now, duration);
  }

  unblock(): void {
    this.#blockedUntil = undefined;
  }

  /** Another cable of a bond or team device takes over. */
  failOver(): void {
    this.#activePort = 1 - this.#activePort;
    // A team device is run by a daemon of its own, and tells nobody.
    if (this.#shape.joint === 'team') return;
    if (this.#shape.failOverMac === 'active') {
      [this.#mac, this.#spareMac] = [this.#spareMac, this.#mac];
    }
    this.owner?.pathChanged();
    this.owner?.factsChanged();
  }

  /** Another switch takes the place of the LACP partner, and does or does not pass for the same. */
  changePartner(isSeen: boolean): void {
    if (!isSeen) return;
    this.#partner = this.#partner === 0 ? 1 : 0;
    // As with LACP, nobody can know it sooner than the daemon asks.
    this.#clock.after(LACP_NOTICED, () => this.owner?.pathChanged());
  }

  setMac(other: Mac): void {
    this.#mac = other;
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
    this.#clock.after(formed ? LACP_RETURN : this.#lacpExpiry, () => {
      if (round !== this.#lacpRound) return;
      this.#formed = formed;
      // Nobody can know it sooner than the daemon asks again.
      if (!formed) this.#clock.after(LACP_NOTICED, () => this.owner?.pathChanged());
    });
  }

  /** How long it takes until LACP says that nothing comes in; undefined: no LACP is spoken. */
  get lacpExpiry(): Micros | undefined {
    return this.#speaksLacp ? this.#lacpExpiry : undefined;
  }

  get #lacpExpiry(): Micros {
    return this.#shape.isSlow === true ? LACP_SLOW_EXPIRY : LACP_EXPIRY;
  }

  get #speaksLacp(): boolean {
    return this.#shape.joint === '802.3ad';
  }

  get #joint(): Joint {
    const { joint } = this.#shape;
    switch (joint) {
      case 'none':
      case 'team':
        return { kind: joint };
      case 'active-backup':
        return { kind: joint, active: this.#activePort, legs: this.#legs };
      case '802.3ad':
        return {
          kind: joint,
          activeAggregatorId: this.#legs[Number(this.#isHalved)]?.aggregatorId ?? 1,
          partnerMac: this.carrier ? this.#partnerMac : ZERO_MAC,
          legs: this.#legs,
        };
    }
  }

  get #partnerMac(): Mac {
    const isOther = this.#shape.partners === 2 && this.#isHalved;
    return PARTNERS[isOther ? 1 : this.#partner];
  }

  get #legs(): readonly Leg[] {
    const { legs, partners, failOverMac } = this.#shape;
    return [0, 1].slice(0, legs).map((at) => ({
      linkUp: !(at === 0 && this.#isHalved),
      aggregatorId: partners === 2 ? at + 1 : 1,
      isFormed: this.#formed,
      mac: failOverMac === undefined || at === this.#activePort ? this.#mac : this.#spareMac,
    }));
  }
}
