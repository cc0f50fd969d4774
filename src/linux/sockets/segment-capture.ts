// What the doctor hears on an interface: what a switch says to its neighbour, adverts, ARP replies,
// and whether anybody says anything. For seconds, and within bounds on a busy interface too.
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_LLDP,
  ETHERTYPE_SLOW_PROTOCOLS,
  ETHERTYPE_VLAN,
} from '../../base/ethertypes.ts';
import type { CarpdError } from '../../base/errors.ts';
import {
  METADATA,
  accept,
  assemble,
  goTo,
  ifEqual,
  ifGreater,
  load,
  loadIndexed,
  setIndex,
  type Statement,
} from './bpf.ts';
import type { Datagram } from './native.ts';
import { openPacketSocket, type PacketSocket } from './packet-socket.ts';

export interface SegmentCaptureOptions {
  readonly ifindex: number;
  /** A frame of a switch, an advert or an ARP reply; as with a packet socket. */
  readonly onFrame: (frame: Datagram) => void;
  /** Any frame of another host; after so many of them nobody listens any more. */
  readonly onLife: (frame: Datagram) => void;
  readonly onError: (error: CarpdError) => void;
}

export interface SegmentCapture {
  send(frame: Uint8Array): void;
  close(): void;
}

/** Whom switches speak to; a card drops all that unless somebody asks for it. */
const SWITCH_ADDRESSES: readonly (readonly number[])[] = [
  // Spanning tree, LACP, and LLDP to the nearest bridge, the nearest one that is no relay, and the
  // nearest one of a customer (the last has the address of spanning tree).
  [0x01, 0x80, 0xc2, 0x00, 0x00, 0x00],
  [0x01, 0x80, 0xc2, 0x00, 0x00, 0x02],
  [0x01, 0x80, 0xc2, 0x00, 0x00, 0x03],
  [0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e],
  // CDP, and PVST+.
  [0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc],
  [0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcd],
];
const ALL_PROTOCOLS = 3;
const LIFE_FRAMES_MAX = 200;
const KEPT_BYTES = 2_048;
const HEAD_BYTES = 64;
const PACKET_OUTGOING = 4;
const TYPE_AT = 12;
const TAG_BYTES = 4;
/** A lower number in the place of a type is a length: LLC, as spanning tree and CDP use it. */
const LENGTH_MAX = 1_500;
const PROTOCOL_CARP = 112;
const ARP_REPLY = 2;

/** Listens until it is closed; throws a CarpdError. */
export function openSegmentCapture(options: SegmentCaptureOptions): SegmentCapture {
  const { ifindex, onFrame, onLife, onError } = options;
  const common = { ifindex, protocol: ALL_PROTOCOLS, ignoreOutgoing: true, onError };
  const capture = openPacketSocket({ ...common, filter: wanted(), onFrame });
  joinSwitchAddresses(capture);
  let heard = 0;
  const life = openPacketSocket({
    ...common,
    filter: heads(),
    onFrame: (frame) => {
      heard += 1;
      onLife(frame);
      if (heard >= LIFE_FRAMES_MAX) life.close();
    },
  });
  return {
    send: (frame) => capture.send(frame),
    close: () => {
      capture.close();
      life.close();
    },
  };
}

function joinSwitchAddresses(capture: PacketSocket): void {
  for (const address of SWITCH_ADDRESSES) {
    try {
      capture.takeAddress(Uint8Array.from(address));
    } catch {
      // A driver that can't: then what the card takes in anyhow is all there is to hear.
    }
  }
}

function notOurOwn(): readonly Statement[] {
  return [load(1, METADATA.packetType), ifEqual(PACKET_OUTGOING, { then: 'refuse' })];
}

function ending(bytes: number): readonly Statement[] {
  return [{ label: 'refuse' }, accept(0), { label: 'take' }, accept(bytes)];
}

function heads(): Uint8Array {
  return assemble([...notOurOwn(), goTo('take'), ...ending(HEAD_BYTES)]);
}

function wanted(): Uint8Array {
  return assemble([
    ...notOurOwn(),
    setIndex(0),
    load(2, TYPE_AT),
    ifEqual(ETHERTYPE_VLAN, { else: 'type' }),
    setIndex(TAG_BYTES),
    { label: 'type' },
    loadIndexed(2, TYPE_AT),
    ifGreater(LENGTH_MAX, { else: 'take' }),
    ifEqual(ETHERTYPE_LLDP, { then: 'take' }),
    ifEqual(ETHERTYPE_SLOW_PROTOCOLS, { then: 'take' }),
    ifEqual(ETHERTYPE_ARP, { then: 'arp' }),
    ifEqual(ETHERTYPE_IPV4, { else: 'refuse' }),
    loadIndexed(1, TYPE_AT + 11),
    ifEqual(PROTOCOL_CARP, { then: 'take', else: 'refuse' }),
    { label: 'arp' },
    loadIndexed(2, TYPE_AT + 8),
    ifEqual(ARP_REPLY, { then: 'take', else: 'refuse' }),
    ...ending(KEPT_BYTES),
  ]);
}
