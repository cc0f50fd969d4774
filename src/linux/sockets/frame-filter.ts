// The kernel's part of the frame witness: a packet filter that lets through whatever may count as
// evidence and spares the process most of the rest. It never judges: what it can't tell cheaply it
// lets through, and carp/frame.ts decides. Pure.
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_SERVICE_VLAN,
  ETHERTYPE_VLAN,
} from '../../base/ethertypes.ts';
import { unreachable } from '../../base/assert.ts';
import {
  METADATA,
  accept,
  advanceIndex,
  assemble,
  goTo,
  ifAnyBit,
  ifEqual,
  ifGreater,
  load,
  loadIndexed,
  mask,
  setIndex,
  type Statement,
} from './bpf.ts';

/**
 * What a witness is open for. any-frame: all data frames of other stations. adverts: IPv4 packets
 * of protocol 112 that are no fragments. arp-replies: nothing else. Each of them also brings ARP
 * replies. In all of them only the uplink's own VLANs are let through.
 */
export type WitnessMode = 'any-frame' | 'adverts' | 'arp-replies';

/**
 * Bytes of a frame that are handed on. No advert is longer, nor any header that the judge reads; it
 * keeps the aggregates of a busy interface, up to 64 kB each, from being copied.
 */
export const WITNESSED_BYTES_MAX = 2_048;

/** Deeper stacks of VLAN tags in the bytes are let through unread. */
const TAGS_READ_MAX = 3;
const TAG_BYTES = 4;
const TYPE_AT = 12;
const VLAN_ID_MASK = 0x0fff;
const PACKET_OUTGOING = 4;

/** Offsets with the index register set to the bytes of tags before the type. */
const PAYLOAD_AT = TYPE_AT + 2;
const ARP_OPERATION_AT = PAYLOAD_AT + 6;
const ARP_LAST_AT = PAYLOAD_AT + 27;
const ARP_REPLY = 2;
const IPV4_FRAGMENT_AT = PAYLOAD_AT + 6;
const IPV4_FRAGMENT_MASK = 0x3fff;
const IPV4_PROTOCOL_AT = PAYLOAD_AT + 9;
const IPV4_SOURCE_AT = PAYLOAD_AT + 12;
const IPV4_LAST_AT = PAYLOAD_AT + 19;
const PROTOCOL_IGMP = 2;
const PROTOCOL_CARP = 112;
const IPV6_NEXT_AT = PAYLOAD_AT + 6;
const IPV6_SOURCE_AT = PAYLOAD_AT + 8;
const IPV6_UPPER_AT = PAYLOAD_AT + 40;
const NEXT_HOP_BY_HOP = 0;
const NEXT_ICMPV6 = 58;
/** Query, report and done of multicast listeners, then the router solicitation. */
const ICMPV6_NOISE = { first: 130, last: 133 } as const;
const ICMPV6_MLD2_REPORT = 143;

/** No more senders are told apart in the kernel. */
export const SENDERS_MAX = 32;

/** So many filters are kept: more than one process has uplinks, modes and VLANs at a time. */
const MADE_MAX = 64;
const made = new Map<string, Uint8Array>();

/**
 * The filter of one uplink, as bytes that nobody may change; `vlans`: its own VLAN ids, outermost
 * first; "any": whatever tags a frame bears. `senders`: of the mode "adverts" lets only those of
 * these IPv4 addresses through, as a flood of others needs it.
 *
 * To make one takes milliseconds, and a master that hears nobody wants the same one every second.
 */
export function witnessFilter(
  mode: WitnessMode,
  vlans: readonly number[] | 'any',
  senders?: readonly number[],
): Uint8Array {
  const key = JSON.stringify([mode, vlans, senders]);
  const before = made.get(key);
  if (before !== undefined) return before;
  const filter = makeFilter(mode, vlans, senders);
  if (made.size >= MADE_MAX) made.clear();
  made.set(key, filter);
  return filter;
}

function makeFilter(
  mode: WitnessMode,
  vlans: readonly number[] | 'any',
  senders: readonly number[] | undefined,
): Uint8Array {
  return assemble([
    ...stations(),
    ...(vlans === 'any' ? anyVlans() : ownVlans(vlans)),
    { label: 'payload' },
    loadIndexed(2, TYPE_AT),
    ifEqual(ETHERTYPE_ARP, { then: 'arp' }),
    ...payload(mode, senders?.slice(0, SENDERS_MAX)),
    { label: 'refuse' },
    accept(0),
    { label: 'take' },
    accept(WITNESSED_BYTES_MAX),
  ]);
}

/** Not sent by this host, from a station, and not to a group that no bridge forwards. */
function stations(): readonly Statement[] {
  return [
    load(1, METADATA.packetType),
    ifEqual(PACKET_OUTGOING, { then: 'refuse' }),
    load(1, 6),
    ifAnyBit(1, { then: 'refuse' }),
    load(4, 6),
    ifEqual(0, { else: 'destination' }),
    load(2, 10),
    ifEqual(0, { then: 'refuse' }),
    { label: 'destination' },
    load(4, 0),
    ifEqual(0x0180c200, { else: 'tags' }),
    load(2, 4),
    mask(0xfff0),
    ifEqual(0, { then: 'refuse' }),
  ];
}

/**
 * Walks the tags: first the one the kernel took out of the bytes, then those in the bytes. Goes on
 * at "payload" with the index set to the bytes of tags. A state is how many of our VLANs were seen
 * in how many tags; each goes to states of one more tag, so all jumps lead forward.
 */
function ownVlans(vlans: readonly number[]): readonly Statement[] {
  const statements: Statement[] = [
    { label: 'tags' },
    load(1, METADATA.vlanTagPresent),
    ifEqual(0, { then: state(0, 0) }),
    load(2, METADATA.vlanTag),
    ...nextVlan(vlans, 0, 0),
  ];
  for (let tags = 0; tags <= TAGS_READ_MAX; tags += 1) {
    for (let seen = 0; seen <= Math.min(tags + 1, vlans.length); seen += 1) {
      const typeAt = TYPE_AT + tags * TAG_BYTES;
      const tag = `${state(seen, tags)} tag`;
      const untagged = seen === vlans.length ? `${state(seen, tags)} untagged` : 'refuse';
      statements.push(
        { label: state(seen, tags) },
        load(2, typeAt),
        ifEqual(ETHERTYPE_VLAN, { then: tag }),
        ifEqual(ETHERTYPE_SERVICE_VLAN, { then: tag, else: untagged }),
        { label: tag },
      );
      if (tags === TAGS_READ_MAX) statements.push(accept(WITNESSED_BYTES_MAX));
      else statements.push(load(2, typeAt + 2), ...nextVlan(vlans, seen, tags + 1));
      if (seen < vlans.length) continue;
      statements.push({ label: untagged }, setIndex(tags * TAG_BYTES), goTo('payload'));
    }
  }
  return statements;
}

/** The same without a look at the ids; a tag that the kernel took out leaves nothing to walk. */
function anyVlans(): readonly Statement[] {
  const statements: Statement[] = [{ label: 'tags' }];
  for (let tags = 0; tags <= TAGS_READ_MAX; tags += 1) {
    const [tag, untagged] = [`${tags} tags and one`, `${tags} tags`];
    statements.push(
      load(2, TYPE_AT + tags * TAG_BYTES),
      ifEqual(ETHERTYPE_VLAN, { then: tag }),
      ifEqual(ETHERTYPE_SERVICE_VLAN, { then: tag, else: untagged }),
      { label: untagged },
      setIndex(tags * TAG_BYTES),
      goTo('payload'),
      { label: tag },
    );
  }
  return [...statements, accept(WITNESSED_BYTES_MAX)];
}

/** Judges the tag in the accumulator. A VLAN id of 0 only bears a priority. */
function nextVlan(vlans: readonly number[], seen: number, tags: number): readonly Statement[] {
  const own = vlans[seen];
  const id = mask(VLAN_ID_MASK);
  const then = state(seen, tags);
  if (own === undefined) return [id, ifEqual(0, { then, else: 'refuse' })];
  const isOwn = ifEqual(own, { then: state(seen + 1, tags), else: 'refuse' });
  return [id, ifEqual(0, { then }), isOwn];
}

function state(seen: number, tags: number): string {
  return `${seen} of ours in ${tags} tags`;
}

function payload(mode: WitnessMode, senders: readonly number[] | undefined): readonly Statement[] {
  switch (mode) {
    case 'any-frame':
      return [
        ifEqual(ETHERTYPE_IPV4, { then: 'ipv4' }),
        ifEqual(ETHERTYPE_IPV6, { then: 'ipv6', else: 'refuse' }),
        { label: 'arp' },
        loadIndexed(1, ARP_LAST_AT),
        goTo('take'),
        ...anyIpv4(),
        ...anyIpv6(),
        goTo('take'),
      ];
    case 'adverts':
      return [ifEqual(ETHERTYPE_IPV4, { else: 'refuse' }), ...adverts(senders), ...arpReplies()];
    case 'arp-replies':
      return [goTo('refuse'), ...arpReplies()];
    default:
      return unreachable(mode);
  }
}

function arpReplies(): readonly Statement[] {
  return [
    { label: 'arp' },
    loadIndexed(1, ARP_LAST_AT),
    loadIndexed(2, ARP_OPERATION_AT),
    ifEqual(ARP_REPLY, { then: 'take' }),
  ];
}

function adverts(senders: readonly number[] | undefined): readonly Statement[] {
  return [
    loadIndexed(1, IPV4_PROTOCOL_AT),
    ifEqual(PROTOCOL_CARP, { else: 'refuse' }),
    loadIndexed(2, IPV4_FRAGMENT_AT),
    ifAnyBit(IPV4_FRAGMENT_MASK, { then: 'refuse', else: senders ? 'senders' : 'take' }),
    ...(senders === undefined ? [] : ofSenders(senders)),
  ];
}

function ofSenders(senders: readonly number[]): readonly Statement[] {
  return [
    { label: 'senders' },
    loadIndexed(4, IPV4_SOURCE_AT),
    ...senders.map((sender) => ifEqual(sender, { then: 'take' })),
    goTo('refuse'),
  ];
}

function anyIpv4(): readonly Statement[] {
  return [
    { label: 'ipv4' },
    loadIndexed(1, PAYLOAD_AT),
    mask(0xf0),
    ifEqual(0x40, { else: 'refuse' }),
    loadIndexed(1, IPV4_LAST_AT),
    loadIndexed(1, IPV4_PROTOCOL_AT),
    ifEqual(PROTOCOL_IGMP, { then: 'refuse', else: 'take' }),
  ];
}

/** Multicast reports stand behind a hop-by-hop option; what is behind others is let through. */
function anyIpv6(): readonly Statement[] {
  return [
    { label: 'ipv6' },
    loadIndexed(1, PAYLOAD_AT),
    mask(0xf0),
    ifEqual(0x60, { else: 'refuse' }),
    ...[0, 4, 8].flatMap((word) => [
      loadIndexed(4, IPV6_SOURCE_AT + word),
      ifEqual(0, { else: 'specified' }),
    ]),
    loadIndexed(4, IPV6_SOURCE_AT + 12),
    ifEqual(0, { then: 'refuse' }),
    { label: 'specified' },
    loadIndexed(1, IPV6_UPPER_AT - 1),
    loadIndexed(1, IPV6_NEXT_AT),
    ifEqual(NEXT_ICMPV6, { then: 'icmpv6' }),
    ifEqual(NEXT_HOP_BY_HOP, { else: 'take' }),
    loadIndexed(1, IPV6_UPPER_AT),
    ifEqual(NEXT_ICMPV6, { else: 'take' }),
    loadIndexed(1, IPV6_UPPER_AT + 1),
    ...advanceIndex(1, 3),
    { label: 'icmpv6' },
    loadIndexed(1, IPV6_UPPER_AT),
    ifEqual(ICMPV6_MLD2_REPORT, { then: 'refuse' }),
    ifGreater(ICMPV6_NOISE.last, { then: 'take' }),
    ifGreater(ICMPV6_NOISE.first - 1, { then: 'refuse' }),
  ];
}
