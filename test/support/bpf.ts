// The classic packet filter as the kernel runs it (linux/filter.h), written from its definition and
// not from the assembler: the contract test of the frame witness holds it to the real one.
import assert from 'node:assert/strict';
import { endianness } from 'node:os';

/** A frame, with what the kernel knows of it beside its bytes. */
export interface FilteredFrame {
  readonly bytes: Uint8Array;
  /** The 16 bits of a VLAN tag that was taken out of the bytes; undefined: there was none. */
  readonly vlanTag?: number | undefined;
  /** PACKET_*. */
  readonly packetType: number;
}

const LITTLE_ENDIAN = endianness() === 'LE';
const STEPS_MAX = 10_000;
/** SKF_AD_OFF: offsets from here on name metadata. */
const METADATA_AT = -0x1000;

/** Runs a program over a frame: how many of its bytes the socket gets at most; 0 is none. */
export function runFilter(program: Uint8Array, frame: FilteredFrame): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  assert.ok(program.length > 0 && program.length % 8 === 0, 'a program is whole instructions');
  let [accumulator, index, at] = [0, 0, 0];
  for (let step = 0; step < STEPS_MAX; step += 1) {
    assert.ok(at < program.length / 8, 'a program ends by an instruction that says so');
    const code = view.getUint16(at * 8, LITTLE_ENDIAN);
    const [jumpTrue, jumpFalse] = [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    const operand = view.getUint32(at * 8 + 4, LITTLE_ENDIAN);
    at += 1;
    const kind = code & 0x07;
    // By register (BPF_X) or by the operand (BPF_K).
    const value = (code & 0x08) === 0 ? operand : index;
    if (kind === 0x00) {
      const loaded = loadValue(frame, code, operand | 0, index);
      if (loaded === undefined) return 0;
      accumulator = loaded;
    } else if (kind === 0x01) {
      assert.equal(code, 0x01, 'the index register is set from the operand only');
      index = operand;
    } else if (kind === 0x04) {
      accumulator = compute(code & 0xf0, accumulator, value);
    } else if (kind === 0x05) {
      if (code === 0x05) at += operand;
      else at += holds(code & 0xf0, accumulator, value) ? jumpTrue : jumpFalse;
    } else if (kind === 0x06) {
      assert.equal(code, 0x06, 'what is returned is the operand');
      return operand;
    } else {
      assert.equal(code, 0x07, 'the accumulator goes to the index register');
      index = accumulator;
    }
  }
  throw new assert.AssertionError({ message: 'the program does not end' });
}

/** Undefined: beyond the frame, where the kernel refuses it. */
function loadValue(
  { bytes, packetType, vlanTag }: FilteredFrame,
  code: number,
  operand: number,
  index: number,
): number | undefined {
  const mode = code & 0xe0;
  assert.ok(mode === 0x20 || mode === 0x40, `load 0x${code.toString(16)} is not known`);
  if (mode === 0x20 && operand < 0) {
    const metadata: Readonly<Record<number, number>> = {
      4: packetType,
      // Without the bit that says so, what is left of the tag means nothing.
      44: vlanTag ?? 0x0fff,
      48: vlanTag === undefined ? 0 : 1,
    };
    const field = metadata[operand - METADATA_AT];
    assert.ok(field !== undefined, `metadata ${operand - METADATA_AT} is not known`);
    return field;
  }
  const sizes: Readonly<Record<number, number>> = { 0x00: 4, 0x08: 2, 0x10: 1 };
  const size = sizes[code & 0x18];
  assert.ok(size !== undefined, `size of load 0x${code.toString(16)}`);
  const at = mode === 0x20 ? operand : operand + index;
  if (at < 0 || at + size > bytes.length) return undefined;
  return bytes.subarray(at, at + size).reduce((value, byte) => value * 256 + byte, 0);
}

function compute(operation: number, accumulator: number, value: number): number {
  switch (operation) {
    case 0x00:
      return (accumulator + value) >>> 0;
    case 0x50:
      return (accumulator & value) >>> 0;
    case 0x60:
      return (accumulator << value) >>> 0;
    default:
      throw new assert.AssertionError({ message: `operation 0x${operation.toString(16)}` });
  }
}

function holds(comparison: number, accumulator: number, value: number): boolean {
  switch (comparison) {
    case 0x10:
      return accumulator === value;
    case 0x20:
      return accumulator > value;
    case 0x40:
      return (accumulator & value) !== 0;
    default:
      throw new assert.AssertionError({ message: `comparison 0x${comparison.toString(16)}` });
  }
}
