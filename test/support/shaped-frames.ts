// Ethernet frames: built from their parts, and at random in the shapes that are seen on real links,
// noise as well as evidence.
import fc, { type Arbitrary } from 'fast-check';

/** The parts of a frame; addresses as text. */
export interface FrameParts {
  readonly to?: string;
  readonly from?: string;
  /** Each four bytes: the kind of tag and its 16 bits. */
  readonly tags?: readonly (readonly [number, number])[];
  readonly type: number;
  readonly payload?: readonly number[];
}

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const STATION = '02:00:00:00:00:02';
/** Whom the frames to one station are for. */
const OWN_STATION = '02:00:00:00:00:01';

/** Two bytes. */
export function word(value: number): readonly number[] {
  return [value >> 8, value & 0xff];
}

export function macBytes(text: string): readonly number[] {
  return text.split(':').map((byte) => Number.parseInt(byte, 16));
}

/** The bytes of a frame, not padded. */
export function frameOf(parts: FrameParts): Uint8Array {
  const { to = BROADCAST, from = STATION, tags = [], type, payload = [] } = parts;
  const tagBytes = tags.flatMap(([kind, bits]) => [...word(kind), ...word(bits)]);
  return Uint8Array.from([
    ...macBytes(to),
    ...macBytes(from),
    ...tagBytes,
    ...word(type),
    ...payload,
  ]);
}

/** The fields of an ARP packet; addresses as text. */
export interface ArpParts {
  readonly operation: number;
  readonly senderMac?: string;
  readonly senderIp?: string;
  readonly targetMac?: string;
  readonly targetIp?: string;
}

/** The 28 bytes of an ARP packet. */
export function arpOf(parts: ArpParts): readonly number[] {
  const { operation, senderMac = STATION, senderIp = '10.9.0.20' } = parts;
  const { targetMac = '00:00:00:00:00:00', targetIp = '10.9.0.10' } = parts;
  const ip = (text: string): readonly number[] => text.split('.').map(Number);
  const sender = [...macBytes(senderMac), ...ip(senderIp)];
  const target = [...macBytes(targetMac), ...ip(targetIp)];
  return [...word(1), ...word(0x0800), 6, 4, ...word(operation), ...sender, ...target];
}

/** An IPv4 packet with a header of 20 bytes, whose sum is not filled in. */
export function ipv4Of(
  protocol: number,
  fields: { readonly fragment?: number; readonly payload?: readonly number[] } = {},
): readonly number[] {
  const { fragment = 0x4000, payload = [0, 0, 0, 0] } = fields;
  const head = [0x45, 0, ...word(20 + payload.length), 0, 0, ...word(fragment), 255, protocol];
  return [...head, 0, 0, 10, 9, 0, 20, 224, 0, 0, 18, ...payload];
}

const IPV6_STATION = [0xfe, 0x80, ...Array<number>(13).fill(0), 2];

/** An IPv6 packet; `source`: its 16 bytes. */
export function ipv6Of(
  next: number,
  upper: readonly number[],
  source: readonly number[] = IPV6_STATION,
): readonly number[] {
  return [0x60, 0, 0, 0, ...word(upper.length), next, 255, ...source, ...IPV6_STATION, ...upper];
}

/** The source of a host that has no address yet. */
export const IPV6_NOBODY: readonly number[] = Array<number>(16).fill(0);

/** A hop-by-hop header with the router alert, as multicast reports bear it. */
export function hopByHop(next: number, upper: readonly number[]): readonly number[] {
  return [next, 0, 5, 2, 0, 0, 1, 0, ...upper];
}

export function icmpOf(type: number): readonly number[] {
  return [type, 0, 0, 0, 0, 0, 0, 0];
}

/** Every kind of frame that a link emits which forwards nothing, by its name. */
export const NOISE = {
  LACPDU: { to: '01:80:c2:00:00:02', type: 0x8809, payload: Array<number>(110).fill(1) },
  LLDP: { to: '01:80:c2:00:00:0e', type: 0x88cc, payload: [2, 7, 4] },
  'STP BPDU': { to: '01:80:c2:00:00:00', type: 38, payload: Array<number>(38).fill(0x42) },
  pause: { to: '01:80:c2:00:00:01', type: 0x8808, payload: [0, 1, 0xff, 0xff] },
  EAPOL: { to: '01:80:c2:00:00:03', type: 0x888e, payload: [1, 1, 0, 0] },
  'IPv4 to the next bridge': { to: '01:80:c2:00:00:0f', type: 0x0800, payload: ipv4Of(17) },
  'PVST+': { to: '01:00:0c:cc:cc:cd', type: 50, payload: Array<number>(50).fill(0xaa) },
  CDP: { to: '01:00:0c:cc:cc:cc', type: 300, payload: Array<number>(300).fill(0xaa) },
  '802.3 to everybody': { type: 0x05ff, payload: Array<number>(60).fill(0x42) },
  'loopback keepalive': { to: STATION, type: 0x9000, payload: [0, 0, 1, 0] },
  'LACPDU to a station': { to: STATION, type: 0x8809, payload: [1, 1] },
  IGMP: { to: '01:00:5e:00:00:16', type: 0x0800, payload: ipv4Of(2) },
  'MLD version 2 report': { type: 0x86dd, payload: ipv6Of(0, hopByHop(58, icmpOf(143))) },
  'MLD version 1 report': { type: 0x86dd, payload: ipv6Of(0, hopByHop(58, icmpOf(131))) },
  'MLD query': { type: 0x86dd, payload: ipv6Of(0, hopByHop(58, icmpOf(130))) },
  'MLD done': { type: 0x86dd, payload: ipv6Of(0, hopByHop(58, icmpOf(132))) },
  'MLD behind a long option': {
    type: 0x86dd,
    payload: ipv6Of(0, [58, 1, ...Array<number>(14).fill(1), ...icmpOf(143)]),
  },
  'MLD without its option': { type: 0x86dd, payload: ipv6Of(58, icmpOf(143)) },
  'router solicitation': { type: 0x86dd, payload: ipv6Of(58, icmpOf(133)) },
  'duplicate address detection': {
    type: 0x86dd,
    payload: ipv6Of(58, icmpOf(135), IPV6_NOBODY),
  },
  'from a group': { from: '03:00:00:00:00:02', type: 0x0806, payload: arpOf({ operation: 2 }) },
  'from nobody': { from: '00:00:00:00:00:00', type: 0x0806, payload: arpOf({ operation: 2 }) },
} satisfies Readonly<Record<string, FrameParts>>;

/** Frames that count, by their name. */
export const EVIDENCE = {
  'ARP request': { type: 0x0806, payload: arpOf({ operation: 1 }) },
  'ARP reply': {
    to: OWN_STATION,
    type: 0x0806,
    payload: arpOf({ operation: 2, targetMac: OWN_STATION }),
  },
  TCP: { to: OWN_STATION, type: 0x0800, payload: ipv4Of(6) },
  DHCP: { type: 0x0800, payload: ipv4Of(17) },
  'IPv4 to the lowest group that bridges forward': {
    to: '01:80:c2:00:00:10',
    type: 0x0800,
    payload: ipv4Of(17),
  },
  advert: { to: '01:00:5e:00:00:12', type: 0x0800, payload: ipv4Of(112) },
  'fragment of protocol 112': { type: 0x0800, payload: ipv4Of(112, { fragment: 0x2000 }) },
  'UDP over IPv6': { type: 0x86dd, payload: ipv6Of(17, icmpOf(0)) },
  'neighbour solicitation': { type: 0x86dd, payload: ipv6Of(58, icmpOf(135)) },
  'router advertisement': { type: 0x86dd, payload: ipv6Of(58, icmpOf(134)) },
  'echo request': { type: 0x86dd, payload: ipv6Of(58, icmpOf(128)) },
  'redirect behind an option': { type: 0x86dd, payload: ipv6Of(0, hopByHop(58, icmpOf(137))) },
  'UDP behind an option': { type: 0x86dd, payload: ipv6Of(0, hopByHop(17, icmpOf(0))) },
  'TCP behind a routing header': { type: 0x86dd, payload: ipv6Of(43, [6, 0, ...icmpOf(0)]) },
  'fragmented ping': {
    type: 0x86dd,
    payload: ipv6Of(44, [58, 9, 0, 0, 0, 0, 0, 0, ...icmpOf(128)]),
  },
} satisfies Readonly<Record<string, FrameParts>>;

/** VLAN ids that the random frames draw from: few, so that they often are those asked for. */
export const vlanIds: Arbitrary<number> = fc.constantFrom(0, 7, 100, 101, 0xfff);

const tags = fc.array(
  fc.tuple(
    fc.constantFrom(0x8100, 0x88a8),
    fc.tuple(fc.nat(15), vlanIds).map(([upper, id]) => (upper << 12) | id),
  ),
  { maxLength: 5 },
);

/** Five times out of six the usual value. */
export function mostly<Value>(usual: Value, other: Arbitrary<Value>): Arbitrary<Value> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
}

const named = fc.constantFrom<FrameParts[]>(
  ...Object.values(NOISE),
  ...Object.values(EVIDENCE),
  ...Object.values(EVIDENCE),
);

/** A frame of a known kind or a near miss of one: tagged, cut short, padded, some bytes changed. */
export const shapedFrames: Arbitrary<Uint8Array> = fc
  .record({
    parts: named,
    tags: mostly([], tags),
    cut: mostly(undefined, fc.nat(80)),
    padding: mostly(0, fc.nat(60)),
    changes: mostly([], fc.array(fc.tuple(fc.nat(70), fc.nat(255)), { maxLength: 3 })),
  })
  .map(({ parts, tags: drawn, cut, padding, changes }) => {
    const whole = [...frameOf({ ...parts, tags: drawn }), ...Array<number>(padding).fill(0)];
    const frame = Uint8Array.from(whole.slice(0, cut));
    for (const [at, byte] of changes) if (at < frame.length) frame[at] = byte;
    return frame;
  });

/** As a card fills up what it sends; the kernel refuses tagged frames that end after the tag. */
export function padTagged(frame: Uint8Array): Uint8Array {
  if (!isTagged(frame) || frame.length >= 60) return frame;
  const padded = new Uint8Array(60);
  padded.set(frame);
  return padded;
}

/** As the kernel hands out what came in: the outer tag is taken out of the bytes. */
export function asReceived(frame: Uint8Array): {
  bytes: Uint8Array;
  vlanTag: number | undefined;
} {
  if (!isTagged(frame)) return { bytes: frame, vlanTag: undefined };
  const [high = 0, low = 0] = frame.subarray(14, 16);
  const bytes = Uint8Array.from([...frame.subarray(0, 12), ...frame.subarray(16)]);
  return { bytes, vlanTag: high * 256 + low };
}

function isTagged(frame: Uint8Array): boolean {
  const type = (frame[12] ?? 0) * 256 + (frame[13] ?? 0);
  return type === 0x8100 || type === 0x88a8;
}
