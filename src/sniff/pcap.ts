// Reads capture files of tcpdump and the like (classic pcap, draft-ietf-opsawg-pcap), piece by
// piece: memory is bounded by the longest packet, whatever the length fields claim. Pure.
import { fail, ok, type Result } from '../base/result.ts';

/** Link types that hold IPv4 in a way we can read (tcpdump.org/linktypes.html). */
export const LINK_TYPES = {
  ethernet: 1,
  raw: 101,
  'linux-sll': 113,
  ipv4: 228,
  'linux-sll2': 276,
} as const;

export type LinkType = keyof typeof LINK_TYPES;

/** One packet of a capture. */
export interface CapturedPacket {
  /** Unix time in microseconds. */
  readonly timeUs: number;
  readonly linkType: LinkType;
  /** What was kept of it. */
  readonly bytes: Uint8Array;
  /** The packet was longer on the wire than what was kept. */
  readonly isCut: boolean;
}

/** Why a file can't be read on; in words for the end of "FILE: ...". */
export type PcapFault = string;

const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
/** tcpdump's own limit on what it keeps of a packet (MAXIMUM_SNAPLEN). */
const PACKET_BYTES_MAX = 262_144;
/** The upper bits of the link type tell of frame check sequences. */
const LINK_TYPE_MASK = 0x03ff_ffff;

const MAGIC_MICROS = 0xa1b2c3d4;
const MAGIC_NANOS = 0xa1b23c4d;
const MAGIC_PCAPNG = 0x0a0d0d0a;
const GZIP = 0x1f8b;

/** What the file's header says of all that follows. */
interface Format {
  readonly littleEndian: boolean;
  /** Fractions of a second in one microsecond. */
  readonly perMicro: number;
  readonly linkType: LinkType;
}

/** Takes the bytes of a file in any pieces, and gives the packets that they complete. */
export class PcapReader {
  #waiting = new Uint8Array(0);
  #format: Format | undefined;
  /** Bytes that were consumed. */
  #at = 0;

  /** The packets that are whole now. After a fault nothing more can be read. */
  push(piece: Uint8Array): Result<readonly CapturedPacket[], PcapFault> {
    this.#waiting = joined(this.#waiting, piece);
    if (this.#format === undefined) {
      if (this.#waiting.length < FILE_HEADER_BYTES) return ok([]);
      const format = readFormat(this.#take(FILE_HEADER_BYTES));
      if (!format.ok) return format;
      this.#format = format.value;
    }
    const packets: CapturedPacket[] = [];
    for (;;) {
      const next = this.#next(this.#format);
      if (!next.ok) return next;
      if (next.value === undefined) return ok(packets);
      packets.push(next.value);
    }
  }

  /** Whether the file ends where a packet ends; undefined if so. */
  end(): PcapFault | undefined {
    if (this.#format === undefined) {
      const fault = this.#waiting.length >= 4 ? foreignFormat(this.#waiting) : undefined;
      return fault ?? `is no capture file: it ends after ${this.#waiting.length} bytes`;
    }
    if (this.#waiting.length === 0) return undefined;
    const end = this.#at + this.#waiting.length;
    return `is cut short: it ends at byte ${end}, in the middle of the packet at byte ${this.#at}`;
  }

  #next({ littleEndian, perMicro, linkType }: Format): Result<CapturedPacket | undefined, string> {
    if (this.#waiting.length < PACKET_HEADER_BYTES) return ok(undefined);
    const view = viewOf(this.#waiting);
    const kept = view.getUint32(8, littleEndian);
    if (kept > PACKET_BYTES_MAX) {
      return fail(`is damaged: the packet at byte ${this.#at} claims ${kept} bytes`);
    }
    if (this.#waiting.length < PACKET_HEADER_BYTES + kept) return ok(undefined);
    const seconds = view.getUint32(0, littleEndian);
    const fraction = view.getUint32(4, littleEndian);
    const length = view.getUint32(12, littleEndian);
    const bytes = this.#take(PACKET_HEADER_BYTES + kept).slice(PACKET_HEADER_BYTES);
    const timeUs = seconds * 1_000_000 + Math.floor(fraction / perMicro);
    return ok({ timeUs, linkType, bytes, isCut: length > kept });
  }

  #take(count: number): Uint8Array {
    const taken = this.#waiting.subarray(0, count);
    this.#waiting = this.#waiting.subarray(count);
    this.#at += count;
    return taken;
  }
}

function readFormat(header: Uint8Array): Result<Format, PcapFault> {
  const view = viewOf(header);
  const littleEndian = [MAGIC_MICROS, MAGIC_NANOS].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, littleEndian);
  if (magic !== MAGIC_MICROS && magic !== MAGIC_NANOS) {
    return fail(foreignFormat(header) ?? 'is no capture file: save it with tcpdump -w FILE');
  }
  const number = (view.getUint32(20, littleEndian) & LINK_TYPE_MASK) >>> 0;
  const linkType = linkTypeOf(number);
  if (linkType === undefined) {
    const known = Object.entries(LINK_TYPES).map(([name, value]) => `${value} (${name})`);
    return fail(`has link type ${number}; carpd reads ${known.join(', ')}`);
  }
  return ok({ littleEndian, perMicro: magic === MAGIC_NANOS ? 1_000 : 1, linkType });
}

/** Names the formats that are most often taken for pcap. */
function foreignFormat(bytes: Uint8Array): PcapFault | undefined {
  const view = viewOf(bytes);
  if (view.getUint32(0) === MAGIC_PCAPNG) {
    return 'is in pcapng format: convert it with tcpdump -r FILE -w NEW, or editcap -F pcap';
  }
  if (view.getUint16(0) === GZIP) return 'is compressed: gunzip it first';
  return undefined;
}

function linkTypeOf(number: number): LinkType | undefined {
  const names: readonly LinkType[] = ['ethernet', 'raw', 'linux-sll', 'ipv4', 'linux-sll2'];
  return names.find((name) => LINK_TYPES[name] === number);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
