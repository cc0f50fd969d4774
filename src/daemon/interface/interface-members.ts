// The instances on one interface, and what is asked of all of them together.
import { acceptPacket, type AcceptedAdvert } from '../../carp/accept.ts';
import type { DroppedPacket } from '../../carp/accept.ts';
import type { Ipv4 } from '../../base/addresses.ts';
import type { ForeignClaim } from '../../carp/claim.ts';
import type { Micros } from '../../base/time.ts';
import type { Result } from '../../base/result.ts';
import type { RejectionTaker } from '../../events/publish/link-events.ts';
import type { Link } from '../../linux/links/link-watch.ts';
import { Hearers, type Hearer } from '../../traffic/hearers.ts';
import type { SegmentMember } from './segment-member.ts';

/** An instance as its interface sees it. */
export interface InterfaceMember extends Hearer, SegmentMember, RejectionTaker {
  readonly isMaster: boolean;
  /** Another host says that the address of this master is its own. */
  foreignClaim(claim: ForeignClaim): void;
  /** The interface changed, or its sockets were opened; `usable` is false while there are none. */
  linkChanged(link: Link | undefined, usable: boolean): void;
}

/** All instances on one interface. */
export class InterfaceMembers implements Iterable<InterfaceMember> {
  readonly #all = new Set<InterfaceMember>();
  readonly #hearers: Hearers<InterfaceMember>;
  /** How many of them have each virtual IP: in groups of their own there may be several. */
  readonly #vips = new Map<Ipv4, number>();

  constructor(now: () => Micros) {
    this.#hearers = new Hearers(now);
  }

  [Symbol.iterator](): Iterator<InterfaceMember> {
    return this.#all.values();
  }

  add(member: InterfaceMember): void {
    this.#all.add(member);
    this.#hearers.add(member);
    this.#countVip(member, 1);
  }

  delete(member: InterfaceMember): void {
    if (!this.#all.delete(member)) return;
    this.#hearers.remove(member);
    this.#countVip(member, -1);
  }

  has(member: InterfaceMember): boolean {
    return this.#all.has(member);
  }

  /** What each calls the interface. */
  get interfaceNames(): readonly string[] {
    return [...this.#all].map(({ config }) => config.interfaceName);
  }

  /** Where adverts go that are wanted. */
  get destinations(): ReadonlySet<Ipv4> {
    return new Set([...this.#all].map(({ destination }) => destination));
  }

  /** The virtual IPs of those that are master. */
  get masterVips(): ReadonlySet<Ipv4> {
    const masters = [...this.#all].filter(({ isMaster }) => isMaster);
    return new Set(masters.map(({ config }) => config.address.ip));
  }

  /** The peers that their configurations name. */
  get peers(): readonly Ipv4[] {
    return [...this.#all].flatMap(({ config }) => config.peers);
  }

  /** Whether a configuration names a source address, which any interface of the host may have. */
  get namesSource(): boolean {
    return [...this.#all].some(({ config }) => config.source !== undefined);
  }

  named(name: string): InterfaceMember | undefined {
    return [...this.#all].find((one) => one.name === name);
  }

  hasVip(address: Ipv4 | undefined): boolean {
    return address !== undefined && this.#vips.has(address);
  }

  /** One of them may send from another address than before. */
  sourcesChanged(): void {
    this.#hearers.sourcesChanged();
  }

  /** Judges a packet of protocol 112: for which of them it is, or why for none. */
  accept(packet: Uint8Array): Result<AcceptedAdvert<InterfaceMember>, DroppedPacket> {
    const { ownSources, withVhid: members } = this.#hearers;
    return acceptPacket(packet, { ownSources, members });
  }

  /** Puts a packet that is not believed on their records; returns whether one of them is master. */
  rejected(dropped: DroppedPacket, now: Micros): boolean {
    const same = this.#hearers.withVhid(dropped.vhid);
    for (const { record } of same) record.rejected(dropped, now);
    return same.some(({ isMaster }) => isMaster);
  }

  /** Another host says that it has this address, or asks for it. */
  foreignClaim(address: Ipv4, claim: ForeignClaim): void {
    for (const member of this.#all) {
      if (member.config.address.ip === address && member.isMaster) member.foreignClaim(claim);
    }
  }

  #countVip({ config }: InterfaceMember, more: number): void {
    const { ip } = config.address;
    const count = (this.#vips.get(ip) ?? 0) + more;
    if (count > 0) this.#vips.set(ip, count);
    else this.#vips.delete(ip);
  }
}
