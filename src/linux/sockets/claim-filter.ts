// The kernel's part of the watch for claims: a packet filter that lets through ARP whose sender
// says that it has one of certain addresses, or asks for one of them without naming its own. Pure.
import {
  METADATA,
  accept,
  assemble,
  goTo,
  ifEqual,
  ifGreater,
  load,
  type Statement,
} from './bpf.ts';

/** Bytes of a frame that are handed on: an ARP packet and its Ethernet header. */
const CLAIM_BYTES = 42;
/**
 * Ranges of addresses that a filter compares; more of them are joined to wider ones. The kernel
 * takes programs up to net.core.optmem_max, 20 kB on older ones, of which this needs a half.
 */
export const RANGES_MAX = 128;

/** Of a frame that is for another host, or of a VLAN that has no interface here. */
const PACKET_OTHERHOST = 3;
/** Hardware type Ethernet and protocol type IPv4, then the lengths 6 and 4. */
const TYPES_AT = 14;
const TYPES = 0x00010800;
const LENGTHS_AT = 18;
const LENGTHS = 0x0604;
const SENDER_IP_AT = 28;
const TARGET_IP_AT = 38;

/** Both ends included. */
interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * The filter for these addresses, as bytes; for a socket that gets ARP only. It lets through all
 * that is wanted. With many scattered addresses it also lets through some between them, and it does
 * not look at the sender's MAC address: the reader judges.
 */
export function claimFilter(addresses: Iterable<number>): Uint8Array {
  return assemble([
    load(1, METADATA.packetType),
    ifGreater(PACKET_OTHERHOST - 1, { then: 'refuse' }),
    load(4, TYPES_AT),
    ifEqual(TYPES, { else: 'refuse' }),
    load(2, LENGTHS_AT),
    ifEqual(LENGTHS, { else: 'refuse' }),
    load(4, SENDER_IP_AT),
    ifEqual(0, { else: 'search' }),
    load(4, TARGET_IP_AT),
    goTo('search'),
    { label: 'refuse' },
    accept(0),
    { label: 'search' },
    ...search(rangesOf(addresses), 'all'),
  ]);
}

/** Halves the ranges until one is left; `name` keeps the labels of the halves apart. */
function search(ranges: readonly Range[], name: string): readonly Statement[] {
  const middle = ranges.length >> 1;
  const [first] = ranges;
  const pivot = ranges[middle];
  if (first === undefined || pivot === undefined) return [accept(0)];
  if (middle === 0) return within(first, name);
  return [
    ifGreater(pivot.first - 1, { else: `${name} low` }),
    goTo(`${name} high`),
    { label: `${name} low` },
    ...search(ranges.slice(0, middle), `${name} low`),
    { label: `${name} high` },
    ...search(ranges.slice(middle), `${name} high`),
  ];
}

function within({ first, last }: Range, name: string): readonly Statement[] {
  const no = `${name} no`;
  return [
    ifGreater(last, { then: no }),
    // No address is below 0, and 0 itself is none.
    ifGreater(first - 1, { else: no }),
    accept(CLAIM_BYTES),
    { label: no },
    accept(0),
  ];
}

/** Neighbours are one range; of more ranges than the bound, the closest are joined. */
function rangesOf(addresses: Iterable<number>): readonly Range[] {
  const sorted = [...new Set(addresses)].filter((one) => one > 0).sort((a, b) => a - b);
  const gaps = sorted
    .slice(1)
    .map((address, index) => address - (sorted[index] ?? address))
    .sort((a, b) => b - a);
  const widest = gaps[RANGES_MAX - 1] ?? 1;
  const ranges: { first: number; last: number }[] = [];
  for (const address of sorted) {
    const range = ranges.at(-1);
    if (range === undefined || address - range.last > widest) {
      ranges.push({ first: address, last: address });
    } else range.last = address;
  }
  return ranges;
}
