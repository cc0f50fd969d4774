// Makes capture files, as tcpdump writes them.

export interface PcapFormat {
  readonly littleEndian?: boolean;
  readonly nanoseconds?: boolean;
  readonly linkType?: number;
}

/** A packet of a capture; `length` is how long it was on the wire, if it was cut. */
export interface PcapPacket {
  readonly timeUs: number;
  readonly bytes: Uint8Array;
  readonly length?: number;
}

/** The whole file. */
export function pcapFile(packets: readonly PcapPacket[], format: PcapFormat = {}): Uint8Array {
  const { littleEndian = true, nanoseconds = false, linkType = 1 } = format;
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, littleEndian);
  header.setUint16(4, 2, littleEndian);
  header.setUint16(6, 4, littleEndian);
  header.setUint32(16, 262_144, littleEndian);
  header.setUint32(20, linkType, littleEndian);
  const records = packets.map(({ timeUs, bytes, length = bytes.length }) => {
    const record = new DataView(new ArrayBuffer(16));
    const fraction = (timeUs % 1_000_000) * (nanoseconds ? 1_000 : 1);
    record.setUint32(0, Math.floor(timeUs / 1_000_000), littleEndian);
    record.setUint32(4, fraction, littleEndian);
    record.setUint32(8, bytes.length, littleEndian);
    record.setUint32(12, length, littleEndian);
    return Buffer.concat([new Uint8Array(record.buffer), bytes]);
  });
  return Uint8Array.from(Buffer.concat([new Uint8Array(header.buffer), ...records]));
}
