// Reads captured frames without any of carpd's own code, so that a test of carpd's frames doesn't
// ask carpd what they say. Checksums and digests are not looked at here.

/** A CARP advertisement with the headers around it. */
export interface SeenAdvert {
  readonly ethernetSource: string;
  readonly ethernetDestination: string;
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly vhid: number;
  readonly advbase: number;
  readonly advskew: number;
  readonly demote: number;
  readonly counter: bigint;
  /** HMAC-SHA1 in hexadecimal. */
  readonly digest: string;
}

/** An ARP packet for IPv4 over Ethernet. */
export interface SeenArp {
  readonly ethernetSource: string;
  readonly ethernetDestination: string;
  readonly operation: 'request' | 'reply' | 'other';
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac: string;
  readonly targetIp: string;
}

const ETHERNET_BYTES = 14;
const CARP_BYTES = 36;

/** The advert in an Ethernet frame: IPv4, protocol 112, version 2; undefined for all else. */
export function seenAdvert(frame: Uint8Array): SeenAdvert | undefined {
  const bytes = Buffer.from(frame);
  if (bytes.length < ETHERNET_BYTES + 20 || bytes.readUInt16BE(12) !== 0x0800) return undefined;
  const ip = bytes.subarray(ETHERNET_BYTES);
  const carp = ip.subarray((ip.readUInt8(0) & 0x0f) * 4);
  if (ip.readUInt8(9) !== 112 || carp.length < CARP_BYTES) return undefined;
  if (carp.readUInt8(0) >> 4 !== 2) return undefined;
  return {
    ethernetSource: macAt(bytes, 6),
    ethernetDestination: macAt(bytes, 0),
    source: ipAt(ip, 12),
    destination: ipAt(ip, 16),
    ttl: ip.readUInt8(8),
    vhid: carp.readUInt8(1),
    advskew: carp.readUInt8(2),
    demote: carp.readUInt8(4),
    advbase: carp.readUInt8(5),
    counter: carp.readBigUInt64BE(8),
    digest: carp.toString('hex', 16, CARP_BYTES),
  };
}

/** The ARP packet in an Ethernet frame; undefined for all else. */
export function seenArp(frame: Uint8Array): SeenArp | undefined {
  const bytes = Buffer.from(frame);
  if (bytes.length < ETHERNET_BYTES + 28 || bytes.readUInt16BE(12) !== 0x0806) return undefined;
  const arp = bytes.subarray(ETHERNET_BYTES);
  const code = arp.readUInt16BE(6);
  return {
    ethernetSource: macAt(bytes, 6),
    ethernetDestination: macAt(bytes, 0),
    operation: code === 1 ? 'request' : code === 2 ? 'reply' : 'other',
    senderMac: macAt(arp, 8),
    senderIp: ipAt(arp, 14),
    targetMac: macAt(arp, 18),
    targetIp: ipAt(arp, 24),
  };
}

/** Whether it announces its sender's address to everybody: sender and target address are one. */
export function isGratuitous(arp: SeenArp): boolean {
  return arp.senderIp === arp.targetIp;
}

function macAt(bytes: Buffer, offset: number): string {
  return bytes.toString('hex', offset, offset + 6).replace(/..(?=.)/g, '$&:');
}

function ipAt(bytes: Buffer, offset: number): string {
  return [...bytes.subarray(offset, offset + 4)].join('.');
}
