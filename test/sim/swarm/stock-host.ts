// A host of a swarm on which a stock ucarp serves each instance: real frames with real digests go
// in and out, and a kernel answers ARP for what the scripts have put on its interfaces.
import { micros, since } from '../../../src/base/time.ts';
import { invariant } from '../../../src/base/assert.ts';
import { acceptPacket } from '../../../src/carp/accept.ts';
import {
  multicastMac,
  parseIpv4,
  parseMac,
  type Ipv4,
  type Mac,
} from '../../../src/base/addresses.ts';
import { CARP_MULTICAST, parseVhid } from '../../../src/carp/group.ts';
import { writeAdvert } from '../../../src/carp/advert.ts';
import { advertDigest, type GroupKey } from '../../../src/carp/digest.ts';
import { readEthernet, writeEthernet } from '../../../src/carp/ethernet.ts';
import { CARP_PROTOCOL, writeCarpPacket } from '../../../src/carp/ipv4.ts';
import { ETHERTYPE_IPV4 } from '../../../src/base/ethertypes.ts';
import type { VirtualClock } from '../../fakes/clock.ts';
import { FakeHost } from '../../fakes/host.ts';
import { address } from '../../support/packets.ts';
import { VirtualTime } from '../../fakes/time.ts';
import type { AdvertFrame } from '../frame.ts';
import type { Transition } from '../node.ts';
import type { Prng } from '../prng.ts';
import { StockUcarp, type UcarpStation } from '../stock-ucarp.ts';
import { interfaceOf, ownAddress, type Plan, type PlannedInstance } from './plan.ts';
import type { Storm } from './storm.ts';

const PASSPHRASE = 'secret';
/** Of an untagged frame that bears IPv4. */
const PROTOCOL_AT = 23;

export interface StockOptions {
  readonly clock: VirtualClock;
  readonly prng: Prng;
  readonly plan: Plan;
  readonly storms: readonly Storm[];
  readonly changed: (instance: PlannedInstance, transition: Transition) => void;
}

/** One process, and where it is. */
interface Served {
  readonly instance: PlannedInstance;
  readonly station: StockStation;
  readonly ucarp: StockUcarp;
}

/** A host that has ucarp for all instances. */
export class StockHost {
  readonly name = 'stock';
  readonly #options: StockOptions;
  readonly #host: FakeHost;
  readonly #served: readonly Served[];

  constructor(options: StockOptions) {
    const { plan, storms, clock, prng, changed } = options;
    this.#options = options;
    this.#host = new FakeHost(this.name, new VirtualTime(clock));
    for (const [segment, storm] of storms.entries()) {
      this.#host.plug(interfaceOf(segment), storm.medium, ownAddress(segment, plan.hosts));
      const mac = this.#host.macOf(interfaceOf(segment));
      const receive = (frame: Uint8Array): void => this.#receive(segment, frame);
      storm.medium.plug({ mac, has: () => false, receive });
    }
    this.#served = plan.instances.map((instance) => {
      const station = new StockStation(this.#host, instance, plan.hosts);
      const world = {
        ...{ clock, prng },
        changed: (transition: Transition) => changed(instance, transition),
      };
      const { advskew = 0, preempt = false } = plan.stock ?? {};
      const cadence = { advbase: 1, advskew, deadRatio: 3, preempt };
      return { instance, station, ucarp: new StockUcarp(world, station, cadence) };
    });
  }

  get isAlive(): boolean {
    return this.#served.some(({ ucarp }) => ucarp.alive);
  }

  /** All its processes, those that do not run. */
  start(): void {
    for (const served of this.#served) {
      served.ucarp.start();
      this.#arm(served);
    }
  }

  /** All its processes are killed; what they have put on interfaces stays. */
  kill(): void {
    for (const { ucarp } of this.#served) ucarp.crash('process');
  }

  macOf(segment: number): Mac {
    return this.#host.macOf(interfaceOf(segment));
  }

  isMaster(instance: PlannedInstance): boolean {
    return this.#of(instance)?.ucarp.isMaster === true;
  }

  holds(instance: PlannedInstance): boolean {
    return this.#of(instance)?.station.holdsVip === true;
  }

  #of(instance: PlannedInstance): Served | undefined {
    return this.#served.find((one) => one.instance === instance);
  }

  #receive(segment: number, frame: Uint8Array): void {
    if (frame[PROTOCOL_AT] !== CARP_PROTOCOL) return;
    const read = readEthernet(frame);
    if (!read.ok || read.value.etherType !== ETHERTYPE_IPV4) return;
    const { source: mac, payload } = read.value;
    for (const served of this.#served) {
      if (served.instance.segment !== segment) continue;
      const { key, address } = served.station;
      const member = { key, destination: CARP_MULTICAST };
      const members = (vhid: number): (typeof member)[] => (vhid === key.vhid ? [member] : []);
      const accepted = acceptPacket(payload, { ownSources: new Set([address]), members });
      if (!accepted.ok) continue;
      const { from, advert } = accepted.value;
      served.station.onFrame?.({ kind: 'advert', mac, from, advert }, []);
      this.#arm(served);
    }
  }

  /** Wakes it when it wants to be; one that has changed its mind finds nothing due. */
  #arm(served: Served): void {
    const { clock } = this.#options;
    const at = served.ucarp.deadline();
    if (at === undefined) return;
    clock.after(micros(Math.max(0, since(at, clock.now))), () => {
      if (served.ucarp.deadline() !== at) return;
      served.ucarp.wake();
      this.#arm(served);
    });
  }
}

/** The host as one of its processes knows it. */
class StockStation implements UcarpStation {
  readonly name = 'stock';
  readonly address: Ipv4;
  readonly key: GroupKey;
  up = true;
  onFrame: UcarpStation['onFrame'];
  readonly #host: FakeHost;
  readonly #instance: PlannedInstance;

  constructor(host: FakeHost, instance: PlannedInstance, index: number) {
    const [own = ''] = ownAddress(instance.segment, index).split('/');
    const vhid = parseVhid(instance.vhid);
    const [address, vip] = [parseIpv4(own), parseIpv4(instance.ip)];
    invariant(address !== undefined && vip !== undefined && vhid !== undefined, 'as planned');
    this.#host = host;
    this.#instance = instance;
    this.address = address;
    this.key = { passphrase: Buffer.from(PASSPHRASE), vhid, addresses: [vip] };
  }

  get mac(): Mac {
    return this.#host.macOf(this.#interface);
  }

  get holdsVip(): boolean {
    return this.#host.addresses(this.#interface).includes(this.#instance.cidr);
  }

  set holdsVip(holdsVip: boolean) {
    if (holdsVip === this.holdsVip) return;
    const verb = holdsVip ? 'add' : 'del';
    this.#host.meddle(`addr ${verb} ${this.#instance.cidr} dev ${this.#interface}`);
  }

  boot(): void {
    this.up = true;
  }

  announce(): void {
    const { mac } = this.#host.linkOf(this.#interface);
    const own = parseMac(mac ?? '');
    if (own !== undefined) this.#host.announce(this.#interface, own, address(this.#instance.ip));
  }

  send(frame: Parameters<UcarpStation['send']>[0]): void {
    if (frame.kind !== 'advert') return;
    const { ifindex } = this.#host.linkOf(this.#interface);
    this.#host.sendFrame(ifindex, this.#bytesOf(frame));
  }

  get #interface(): string {
    return interfaceOf(this.#instance.segment);
  }

  /** Its frames bear the virtual MAC address of the group (ucarp carp.c, carp_send_ad). */
  #bytesOf({ from, advert }: AdvertFrame): Uint8Array {
    const { vhid } = this.key;
    const digest = advertDigest(this.key, advert.counter);
    const ends = { source: from, destination: CARP_MULTICAST, identification: 0 };
    const packet = writeCarpPacket(ends, writeAdvert({ vhid, ...advert, digest }));
    const source = parseMac(`00:00:5e:00:01:${vhid.toString(16).padStart(2, '0')}`);
    invariant(source !== undefined, 'a MAC address');
    const destination = multicastMac(CARP_MULTICAST);
    return writeEthernet({ destination, source, etherType: ETHERTYPE_IPV4 }, packet);
  }
}
