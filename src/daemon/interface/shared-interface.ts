// One interface and what all instances on it share: its sockets, its adverts, its addresses, and
// what is known of its readiness.
import { messageOf } from '../../base/errors.ts';
import type { DroppedPacket } from '../../carp/accept.ts';
import type { Ipv4, Mac } from '../../base/addresses.ts';
import { arpRequest } from '../../carp/arp.ts';
import type { AddressEvent, Link, LinkChange, LinkWatch } from '../../linux/links/link-watch.ts';
import { AddressKeeper } from '../../vip/keeper.ts';
import { ClaimWatchController } from '../../traffic/claim-watch-controller.ts';
import type { Driver } from './driver.ts';
import { linkPublisher, type EventSink } from '../../events/bus.ts';
import { ObstacleSearch } from '../../traffic/obstacle-search.ts';
import { AdvertReceiver } from '../../traffic/advert-receiver.ts';
import { InterfaceSockets } from '../../traffic/interface-sockets.ts';
import { InterfaceAddresses } from '../../addressing/interface-addresses.ts';
import type { AdvertHeard } from './segment-member.ts';
import { InterfaceMembers, type InterfaceMember } from './interface-members.ts';
import { LinkDriver } from './link-driver.ts';
import { LinkEvents } from '../../events/publish/link-events.ts';
import { interfacesWith, isLocal } from '../../addressing/own-addresses.ts';
import { RecentMasters } from '../../traffic/recent-masters.ts';
import { Soon } from '../../base/soon.ts';
import type { Ports } from '../../ports/ports.ts';

export interface SharedInterfaceOptions extends Ports {
  /** As in the configuration; `links` finds the same interface by it when it has another. */
  readonly interfaceName: string;
  readonly driver: Driver;
  readonly links: LinkWatch;
  /**
   * The interface has another name or another index than before, or is there at last: called before
   * that is told.
   */
  readonly onPlaced: () => void;
  readonly events: EventSink;
}

/** One interface with its sockets, its addresses, its readiness and its instances. */
export class SharedInterface {
  /** Whether this link may be trusted with a promotion. */
  readonly linkDriver: LinkDriver;
  /** The addresses of this interface. */
  readonly addresses: InterfaceAddresses;
  /** Who alone changes them, for all instances. */
  readonly keeper: AddressKeeper;
  readonly interfaceName: string;
  readonly #options: SharedInterfaceOptions;
  readonly #members: InterfaceMembers;
  readonly #linkEvents: LinkEvents;
  readonly #sockets: InterfaceSockets;
  readonly #receiver: AdvertReceiver;
  /** The interface as it was looked at last. */
  #place: Pick<Link, 'name' | 'ifindex'> | undefined;
  readonly #claims: ClaimWatchController;
  readonly #obstacle: ObstacleSearch;
  readonly #masters = new RecentMasters();
  /** A reload may bring hundreds, and each of them would have all others judged once more. */
  readonly #joining: Soon;
  readonly #configuring: Soon;
  readonly #reconfiguring: Soon;
  readonly #refreshing: Soon;
  readonly #notifying: Soon;
  readonly #tendingClaims: Soon;
  #aside = false;

  constructor(options: SharedInterfaceOptions) {
    const { interfaceName, driver, events, now } = options;
    this.#options = options;
    this.interfaceName = interfaceName;
    this.#members = new InterfaceMembers(now);
    this.#place = this.#placeNow();
    const soon = (run: () => void | Promise<void>): Soon =>
      new Soon((work) => driver.post(work), run);
    this.#joining = soon(() => this.#join());
    this.#configuring = soon(() => this.linkDriver.configure([...this.#members]));
    this.#reconfiguring = soon(() => {
      this.linkDriver.configure([...this.#members]);
      this.#notifyMembers();
    });
    this.#refreshing = soon(() => this.refresh());
    this.#notifying = soon(() => this.#notifyMembers());
    this.#tendingClaims = soon(() => this.#tendClaims());
    this.#linkEvents = new LinkEvents(linkPublisher(events, interfaceName), now);
    this.#sockets = new InterfaceSockets({
      ...options,
      linkEvents: this.#linkEvents,
      link: () => this.link(),
      destinations: () => this.#members.destinations,
      onPacket: (packet) => this.#receiver.heard(packet),
      onTrouble: () => void this.refreshSoon(),
    });
    this.#receiver = this.#createReceiver();
    this.#obstacle = new ObstacleSearch({
      ...options,
      link: () => this.link(),
      onFound: (obstacle) => this.#receiver.arrive({ kind: 'obstacle-found', obstacle }),
      onError: (reason) => this.#linkEvents.probeFailed(reason),
    });
    this.linkDriver = this.#createLinkDriver();
    this.addresses = new InterfaceAddresses({ links: options.links, link: () => this.link() });
    this.#claims = this.#createClaimWatch();
    this.keeper = new AddressKeeper({ ...options, addresses: this.addresses });
  }

  /** Its name and its index, as they are now or were when it was there last. */
  get place(): { readonly name: string; readonly ifindex: number | undefined } {
    return this.link() ?? this.#place ?? { name: this.interfaceName, ifindex: undefined };
  }

  get memberNames(): readonly string[] {
    return this.#members.interfaceNames;
  }

  /** The interface as it is now. */
  link(): Link | undefined {
    return this.#aside ? undefined : this.#options.links.find(this.interfaceName);
  }

  /** Whether any interface of this host has the address. */
  readonly isLocal = (address: Ipv4): boolean => isLocal(this.#options.links, address);

  /** The other interfaces of this host that have the address. */
  readonly elsewhere = (address: Ipv4): readonly Link[] =>
    interfacesWith(this.#options.links, address, this.link());

  /** The card's own MAC address; throws where there is no card, or none with a MAC. */
  mac(): Mac {
    return this.#sockets.mac();
  }

  /** Resolves when the member knows how the interface is. */
  add(member: InterfaceMember): Promise<void> {
    this.#lookAtPlace();
    this.#members.add(member);
    return this.#joining.ask();
  }

  async #join(): Promise<void> {
    this.linkDriver.configure([...this.#members]);
    await this.#sockets.ensure();
    // All of them: another may have come while the sockets were being opened for the first.
    this.#notifyMembers();
  }

  remove(member: InterfaceMember): void {
    this.#members.delete(member);
    this.linkDriver.drop(member);
    void this.#configuring.ask();
    if (!this.#members.destinations.has(member.destination))
      this.#sockets.leave(member.destination);
    void this.#tendingClaims.ask();
  }

  /** Instances go on with other configurations; resolves when the link is judged by them. */
  reconfigured(): Promise<void> {
    return this.#reconfiguring.ask();
  }

  /** An instance is master from here on, or is so no more: whose claims of others are heard. */
  mastersChanged(): void {
    void this.#tendingClaims.ask();
  }

  /** An instance may send from another address than before. */
  sourcesChanged(): void {
    this.#members.sourcesChanged();
  }

  /** Asks by ARP who else has the address; whoever answers is a foreign claim. */
  askForVip({ config, source }: InterfaceMember): void {
    if (source === undefined) return;
    try {
      this.sendFrame(arpRequest(this.mac(), source, config.address.ip));
    } catch (error) {
      this.#linkEvents.probeFailed(messageOf(error));
    }
  }

  /** As `refresh`, once for all changes that come together. */
  refreshSoon(): Promise<void> {
    return this.#refreshing.ask();
  }

  /** Something about this interface changed; sockets of an interface that is gone are closed. */
  async refresh(): Promise<void> {
    this.#lookAtPlace();
    this.linkDriver.linkChanged();
    await this.#sockets.ensure();
    this.#notifyMembers();
    this.#tendClaims();
    this.addresses.changed();
  }

  /** The kernel told of an address, of this interface or another. */
  addressChanged(event: AddressEvent): void {
    const other = this.addresses.addressChanged(event);
    if (this.#members.hasVip(other)) void this.#notifying.ask();
  }

  /** Whether a change of this interface, by this index or under this name, is one of ours. */
  isAbout({ name, ifindex }: LinkChange): boolean {
    const ours = [this.#place?.ifindex, this.link()?.ifindex];
    return ours.includes(ifindex) || (name === this.interfaceName && this.link() === undefined);
  }

  /** Something about another interface changed, on which this one may stand. */
  otherChanged(ifindex: number): void {
    if (this.linkDriver.concerns(ifindex)) this.linkDriver.linkChanged();
    // A source address may be on any interface of the host.
    if (this.#members.namesSource) void this.#notifying.ask();
  }

  /** Another one has the same interface: from here on it is as if there were none. */
  standAside(): void {
    this.#aside = true;
    void this.#refreshing.ask();
  }

  /** Sends one advertisement packet to `destination`; rejects with a CarpdError. */
  sendAdvert(packet: Uint8Array, destination: Ipv4, broadcast: boolean): Promise<void> {
    return this.#sockets.sendAdvert(packet, destination, broadcast);
  }

  /** Sends a whole Ethernet frame, or throws. */
  sendFrame(frame: Uint8Array): void {
    this.#sockets.sendFrame(frame);
  }

  /** Reads what is queued in the sockets, and has it delivered. */
  drain(): void {
    this.#receiver.drain();
  }

  #lookAtPlace(): void {
    const before = this.#place;
    const now = this.#placeNow();
    this.#place = now;
    if (now === undefined || (now.ifindex === before?.ifindex && now.name === before.name)) return;
    this.#options.onPlaced();
    if (now.ifindex === before?.ifindex) this.#linkEvents.renamed(before.name, now.name);
  }

  #placeNow(): Pick<Link, 'name' | 'ifindex'> | undefined {
    const link = this.link();
    return link === undefined ? undefined : { name: link.name, ifindex: link.ifindex };
  }

  close(): void {
    this.keeper.close();
    this.linkDriver.close();
    this.#receiver.close();
    this.#claims.close();
    this.#sockets.close();
  }

  /** Tells one member once more how the interface is. */
  notify(member: InterfaceMember): void {
    if (this.#members.has(member))
      member.linkChanged(this.link(), this.#sockets.hears(member.destination));
  }

  #notifyMembers(): void {
    const link = this.link();
    const members = [...this.#members];
    const sources = members.map(({ source }) => source);
    for (const member of members) member.linkChanged(link, this.#sockets.hears(member.destination));
    const isOther = members.some(({ source }, index) => source !== sources[index]);
    if (isOther) this.linkDriver.configure(members);
  }

  #refused(dropped: DroppedPacket): void {
    const concernsMaster = this.#members.rejected(dropped, this.#options.now());
    this.#linkEvents.rejected(dropped, concernsMaster);
  }

  #advertHeard({ name, from, by }: AdvertHeard): void {
    this.#masters.heard(from);
    if (this.#receiver.flooded) this.linkDriver.mastersChanged();
    if (by === 'socket') return this.#obstacle.clear();
    const member = this.#members.named(name);
    if (member !== undefined) this.#obstacle.lookFor(from, member.destination);
  }

  #tendClaims(): void {
    this.#claims.want(this.#members.masterVips);
  }

  #createClaimWatch(): ClaimWatchController {
    const { driver, links } = this.#options;
    return new ClaimWatchController({
      ...this.#options,
      ifindex: () => this.link()?.ifindex,
      isOwnMac: (mac) => [...links.all()].some((link) => link.mac === mac),
      post: (run) => driver.post(run),
      onClaim: (address, claim) => this.#members.foreignClaim(address, claim),
      onError: (reason) => this.#linkEvents.claimsUnseen(reason),
    });
  }

  #createReceiver(): AdvertReceiver {
    return new AdvertReceiver({
      now: this.#options.now,
      accept: (packet) => this.#members.accept(packet),
      drainSocket: () => this.#sockets.drain(),
      drainWitness: () => this.linkDriver.drain(),
      lost: () => this.#sockets.lost,
      onLost: (count) => this.#linkEvents.advertsLost(count),
      post: (run) => this.#options.driver.post(run),
      give: (input) => this.linkDriver.give(input),
    });
  }

  #createLinkDriver(): LinkDriver {
    return new LinkDriver({
      ...this.#options,
      linkEvents: this.#linkEvents,
      mac: () => this.mac(),
      sendFrame: (frame) => this.sendFrame(frame),
      rejoinMulticast: () => this.#sockets.rejoin(),
      onEpoch: (epoch) => this.#receiver.epochBegan(epoch),
      onTick: () => this.#receiver.look(),
      onWatch: (watches) => this.#receiver.witnessWatches(watches),
      floodedMasters: () => this.#masters.with(this.#members.peers),
      onAdvertWitnessed: (packet, epoch) => this.#receiver.witnessed(packet, epoch),
      readSocket: () => this.#receiver.readSocket(),
      unheardUntil: () => this.#receiver.unheardUntil(),
      onAdvertHeard: (advert) => this.#advertHeard(advert),
      onRefused: (dropped) => this.#refused(dropped),
    });
  }
}
