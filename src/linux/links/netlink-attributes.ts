// The attributes of netlink messages, in the byte order of the machine: a length of 2 bytes, a type
// of 2, the data, padded to 4. Pure; total on any bytes.
import { endianness } from 'node:os';
import { readMac, type Mac } from '../../base/addresses.ts';

const LITTLE_ENDIAN = endianness() === 'LE';
const ATTRIBUTE_HEADER_BYTES = 4;
/** The upper two bits are flags (nested, network byte order). */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** Attributes by their type; a list that contradicts itself ends where it does. */
export function readAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  return new Map(readAttributeList(bytes));
}

/** Each attribute, in order: one type may come more than once. */
export function* readAttributeList(bytes: Uint8Array): Generator<[number, Uint8Array]> {
  const view = viewOf(bytes);
  let offset = 0;
  while (offset + ATTRIBUTE_HEADER_BYTES <= bytes.length) {
    const length = view.getUint16(offset, LITTLE_ENDIAN);
    if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - offset) break;
    const type = view.getUint16(offset + 2, LITTLE_ENDIAN) & ATTRIBUTE_TYPE_MASK;
    yield [type, bytes.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + length)];
    offset += (length + 3) & ~3;
  }
}

/** An unsigned number in the byte order of the machine; undefined: another size, or nothing. */
export function readUnsigned(bytes: Uint8Array | undefined, size: 1 | 2 | 4): number | undefined {
  if (bytes?.length !== size) return undefined;
  const view = viewOf(bytes);
  if (size === 1) return view.getUint8(0);
  return size === 2 ? view.getUint16(0, LITTLE_ENDIAN) : view.getUint32(0, LITTLE_ENDIAN);
}

/** An Ethernet address; undefined where there are not six bytes, as of a tunnel. */
export function readMacAttribute(bytes: Uint8Array | undefined): Mac | undefined {
  return bytes?.length === 6 ? readMac(bytes, 0) : undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
