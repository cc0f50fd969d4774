// The instances on one interface, and what is asked of all of them together.
import { acceptPacket, type AcceptedAdvert, type Group } from '../../carp/accept.ts';
import type { DroppedPacket } from '../../carp/accept.ts';
import type { Ipv4 } from '../../carp/addresses.ts';
import type { ForeignClaim } from '../../carp/claim.ts';
import type { Micros } from '../../base/time.ts';
import type { Result } from '../../base/result.ts';
import type { RejectionTaker } from '../../events/publish/link-events.ts';
import type { Link } from '../../linux/links/link-watch.ts';
import type { SegmentMember } from './readiness-settings.ts';

/** An instance as its interface sees it. */
export interface InterfaceMember extends Group, SegmentMember, RejectionTaker {
  readonly isMaster: boolean;
  /** What its own adverts bear, or bore a moment ago. */
  readonly ownSources: readonly Ipv4[];
  /** Another host says that the address of this master is its own. */
  foreignClaim(claim: ForeignClaim): void;
  /** The interface changed, or its sockets were opened; `usable` is false while there are none. */
  linkChanged(link: Link | undefined, usable: boolean): void;
}

/** All instances on one interface. */
export class InterfaceMembers implements Iterable<InterfaceMember> {
  readonly #all = new Set<InterfaceMember>();

  [Symbol.iterator](): Iterator<InterfaceMember> {
    return this.#all.values();
  }

  add(member: InterfaceMember): void {
    this.#all.add(member);
  }

  delete(member: InterfaceMember): void {
    this.#all.delete(member);
  }

  has(member: InterfaceMember): boolean {
    return this.#all.has(member);
  }

  /** What each calls the interface. */
  get interfaceNames(): readonly string[] {
    return [...this.#all].map(({ config }) => config.interfaceName);
  }

  /** The groups whose adverts are wanted. */
  get groups(): ReadonlySet<Ipv4> {
    return new Set([...this.#all].map(({ group }) => group));
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
    return [...this.#all].some(({ config }) => config.address.ip === address);
  }

  /** Judges a packet of protocol 112: for which of them it is, or why for none. */
  accept(packet: Uint8Array): Result<AcceptedAdvert<InterfaceMember>, DroppedPacket> {
    const members = [...this.#all];
    return acceptPacket(packet, {
      ownSources: new Set(members.flatMap(({ ownSources }) => ownSources)),
      members: (vhid) => members.filter(({ key }) => key.vhid === vhid),
    });
  }

  /** Puts a packet that is not believed on their records; returns whether one of them is master. */
  rejected(dropped: DroppedPacket, now: Micros): boolean {
    const same = [...this.#all].filter(({ key }) => key.vhid === dropped.vhid);
    for (const { record } of same) record.rejected(dropped, now);
    return same.some(({ isMaster }) => isMaster);
  }

  /** Another host says that it has this address, or asks for it. */
  foreignClaim(address: Ipv4, claim: ForeignClaim): void {
    for (const member of this.#all) {
      if (member.isMaster && member.config.address.ip === address) member.foreignClaim(claim);
    }
  }
}
