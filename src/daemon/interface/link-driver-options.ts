// What the gate of an interface is given by the world around it.
import type { Micros } from '../../base/time.ts';
import type { DroppedPacket } from '../../carp/accept.ts';
import type { Ipv4, Mac } from '../../base/addresses.ts';
import type { LinkWatch } from '../../linux/links/link-watch.ts';
import type { Driver } from './driver.ts';
import type { AdvertHeard } from './segment-member.ts';
import type { LinkEvents } from '../../events/publish/link-events.ts';
import type { Ports } from '../../ports/ports.ts';

/** See LinkDriver. */
export interface LinkDriverOptions extends Pick<
  Ports,
  'now' | 'openFrameWitness' | 'readGateways' | 'readNeighbours' | 'machines'
> {
  readonly interfaceName: string;
  readonly driver: Driver;
  readonly links: LinkWatch;
  readonly linkEvents: LinkEvents;
  /** The card's own MAC address; throws where there is none. */
  readonly mac: () => Mac;
  /** Sends a whole Ethernet frame, or throws. */
  readonly sendFrame: (frame: Uint8Array) => void;
  readonly rejoinMulticast: () => void;
  /** Reads the CARP socket, and gives what it held. */
  readonly readSocket: () => void;
  /** Adverts sent before then may be lost in a flood; undefined: none are. */
  readonly unheardUntil: () => Micros | undefined;
  /** An advert counts; called before its instance hears of it. */
  readonly onAdvertHeard: (advert: AdvertHeard) => void;
  /** A packet is not believed. */
  readonly onRefused: (dropped: DroppedPacket) => void;
  /** A new epoch has begun: packets that wait in any socket are of the one before. */
  readonly onEpoch: (epoch: number) => void;
  /** The frame witness has seen an advert, which the CARP socket may or may not get; at once. */
  readonly onAdvertWitnessed: (packet: Uint8Array, epoch: number) => void;
  /** While the CARP socket is flooded: whose adverts the frame witness is to hear, all the time. */
  readonly floodedMasters: () => readonly Ipv4[];
  /** Comes about every second. */
  readonly onTick: () => void;
  /** Whether the frame witness sees adverts from here on. */
  readonly onWatch: (watches: boolean) => void;
}
