// What the gate of an interface is given by the world around it.
import type { Ipv4, Mac } from '../../carp/addresses.ts';
import type { LinkWatch } from '../../linux/links/link-watch.ts';
import type { Driver } from './driver.ts';
import type { LinkHerald } from './link-events.ts';
import type { Ports } from '../ports/ports.ts';

/** See LinkGate. */
export interface LinkGateOptions extends Pick<
  Ports,
  'now' | 'openFrameWitness' | 'readGateways' | 'readNeighbours'
> {
  readonly interfaceName: string;
  readonly driver: Driver;
  readonly links: LinkWatch;
  readonly herald: LinkHerald;
  /** The card's own MAC address; throws where there is none. */
  readonly mac: () => Mac;
  /** Sends a whole Ethernet frame, or throws. */
  readonly sendFrame: (frame: Uint8Array) => void;
  readonly rejoinMulticast: () => void;
  /** A new epoch has begun: packets that wait in any socket are of the one before. */
  readonly onEpoch: (epoch: number) => void;
  /** The frame witness has seen an advert, which the CARP socket may or may not get; at once. */
  readonly onAdvertWitnessed: (packet: Uint8Array, epoch: number) => void;
  /**
   * While the CARP socket loses packets to a flood: whose adverts the frame witness is to hear, all
   * the time; undefined: there is no flood.
   */
  readonly floodedMasters: () => readonly Ipv4[] | undefined;
  /** Comes about every second. */
  readonly onTick: () => void;
  /** Whether the frame witness sees adverts from here on. */
  readonly onWatch: (watches: boolean) => void;
}
