// Reads a pcap stream (the classic format, as tcpdump -w writes it) piece by piece, as it arrives.

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** No sound record is longer; anything above is a stream that has gone astray. */
const RECORD_BYTES_MAX = 262_144;

/** One record of the stream. */
export interface PcapRecord {
  /** The capture's time stamp, milliseconds since 1970 with fraction. */
  readonly wallMs: number;
  /** The captured bytes, a copy. */
  readonly bytes: Uint8Array;
  /** How long the frame was on the wire; more than `bytes` if it was cut. */
  readonly originalLength: number;
}

interface Format {
  readonly littleEndian: boolean;
  /** Fractions of a second in the time stamps' second word: 10^6 or 10^9. */
  readonly fractionsPerSecond: number;
}

/** Takes the stream in any pieces and yields whole records; throws on what is no pcap stream. */
export class PcapReader {
  #rest: Uint8Array = new Uint8Array(0);
  #format: Format | undefined;

  /** Adds a piece and yields the records that are complete with it. */
  push(chunk: Uint8Array): PcapRecord[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (this.#format === undefined) {
      if (this.#rest.length < FILE_HEADER_BYTES) return [];
      this.#format = readFormat(viewOf(this.#rest));
      this.#rest = this.#rest.subarray(FILE_HEADER_BYTES);
    }
    const records: PcapRecord[] = [];
    for (;;) {
      const record = this.#next(this.#format);
      if (record === undefined) return records;
      records.push(record);
    }
  }

  #next(format: Format): PcapRecord | undefined {
    const rest = this.#rest;
    if (rest.length < RECORD_HEADER_BYTES) return undefined;
    const view = viewOf(rest);
    const { littleEndian, fractionsPerSecond } = format;
    const length = view.getUint32(8, littleEndian);
    if (length > RECORD_BYTES_MAX) throw new Error(`pcap record of ${length} bytes`);
    const end = RECORD_HEADER_BYTES + length;
    if (rest.length < end) return undefined;
    this.#rest = rest.subarray(end);
    const seconds = view.getUint32(0, littleEndian);
    const fraction = view.getUint32(4, littleEndian) / fractionsPerSecond;
    return {
      wallMs: seconds * 1000 + fraction * 1000,
      bytes: Uint8Array.from(rest.subarray(RECORD_HEADER_BYTES, end)),
      originalLength: view.getUint32(12, littleEndian),
    };
  }
}

function readFormat(view: DataView): Format {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian);
    if (magic === 0xa1b2c3d4) return { littleEndian, fractionsPerSecond: 1e6 };
    if (magic === 0xa1b23c4d) return { littleEndian, fractionsPerSecond: 1e9 };
  }
  throw new Error(`no pcap stream: it begins with 0x${view.getUint32(0).toString(16)}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
