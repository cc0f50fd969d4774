// Programs of the classic Berkeley packet filter, from instructions with named jumps to the bytes
// of an array of struct sock_filter (linux/filter.h, linux/bpf_common.h). Pure.
import { endianness } from 'node:os';
import { invariant } from '../../base/assert.ts';

/** One instruction; a jump names labels, and where it names none, the next instruction follows. */
export interface Instruction {
  readonly code: number;
  readonly operand: number;
  readonly whenTrue?: string;
  readonly whenFalse?: string;
}

/** An instruction, or the name of the place where the next one stands. */
export type Statement = Instruction | { readonly label: string };

/** Bytes that a load takes into the accumulator, in network byte order. */
export type Size = 1 | 2 | 4;

/** Bytes of one struct sock_filter. */
const INSTRUCTION_BYTES = 8;
/** BPF_MAXINSNS: longer programs are refused. */
const INSTRUCTIONS_MAX = 4_096;
/** Conditional jumps go forward only, past so many instructions at most. */
const JUMP_MAX = 255;

const LITTLE_ENDIAN = endianness() === 'LE';

const LOAD_ABSOLUTE = 0x20;
const LOAD_INDEXED = 0x40;
const SIZE_CODES: Readonly<Record<Size, number>> = { 4: 0x00, 2: 0x08, 1: 0x10 };
const SET_INDEX = 0x01;
const ADD = 0x04;
const ADD_INDEX = 0x0c;
const AND = 0x54;
const SHIFT_LEFT = 0x64;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
const ACCUMULATOR_TO_INDEX = 0x07;

/**
 * What the kernel knows of a frame beside its bytes, in place of an offset (SKF_AD_OFF and
 * SKF_AD_*): the packet type, and the VLAN tag that was taken out of the bytes. The tag is only
 * meaningful where it is present.
 */
export const METADATA = {
  packetType: -0x1000 + 4,
  vlanTag: -0x1000 + 44,
  vlanTagPresent: -0x1000 + 48,
} as const;

/** Loads from `at` on, counted from the first byte; beyond the frame's end it is refused. */
export function load(size: Size, at: number): Instruction {
  return { code: LOAD_ABSOLUTE | SIZE_CODES[size], operand: at };
}

/** The same, counted from the index register on. */
export function loadIndexed(size: Size, at: number): Instruction {
  return { code: LOAD_INDEXED | SIZE_CODES[size], operand: at };
}

/** Puts a number into the index register. */
export function setIndex(value: number): Instruction {
  return { code: SET_INDEX, operand: value };
}

/** Moves the index register past a part whose length is accumulator + `units`, times 2^`shift`. */
export function advanceIndex(units: number, shift: number): readonly Instruction[] {
  return [
    { code: ADD, operand: units },
    { code: SHIFT_LEFT, operand: shift },
    { code: ADD_INDEX, operand: 0 },
    { code: ACCUMULATOR_TO_INDEX, operand: 0 },
  ];
}

/** Keeps of the accumulator the bits of `mask`. */
export function mask(bits: number): Instruction {
  return { code: AND, operand: bits };
}

/** Where a conditional jump goes; without a label to the next instruction. */
export interface Targets {
  readonly then?: string;
  readonly else?: string;
}

/** Compares the accumulator with `value`. */
export function ifEqual(value: number, targets: Targets): Instruction {
  return conditional(JUMP_EQUAL, value, targets);
}

/** Asks whether the accumulator is greater than `value`, both without a sign. */
export function ifGreater(value: number, targets: Targets): Instruction {
  return conditional(JUMP_GREATER, value, targets);
}

/** Asks whether the accumulator and `bits` have a bit in common. */
export function ifAnyBit(bits: number, targets: Targets): Instruction {
  return conditional(JUMP_ANY_BIT, bits, targets);
}

/** Goes on at a label. */
export function goTo(label: string): Instruction {
  return { code: JUMP, operand: 0, whenTrue: label };
}

/** Ends: the socket gets so many bytes of the frame at most; none, and it gets no frame. */
export function accept(bytesMax: number): Instruction {
  return { code: RETURN, operand: bytesMax };
}

/** The bytes of a program. A label that is missing or lies behind is a fault of the caller. */
export function assemble(statements: readonly Statement[]): Uint8Array {
  const instructions: Instruction[] = [];
  const labels = new Map<string, number>();
  for (const statement of statements) {
    if ('label' in statement) labels.set(statement.label, instructions.length);
    else instructions.push(statement);
  }
  invariant(instructions.length <= INSTRUCTIONS_MAX, 'a filter is at most 4096 instructions long');
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  instructions.forEach((instruction, index) => {
    const distance = (label: string | undefined): number => {
      const target = label === undefined ? index + 1 : labels.get(label);
      invariant(target !== undefined && target > index, `label ${label ?? ''} lies ahead`);
      return target - index - 1;
    };
    const { code, operand, whenTrue, whenFalse } = instruction;
    const isPlainJump = code === JUMP;
    const [jumpTrue, jumpFalse] = isPlainJump ? [0, 0] : [distance(whenTrue), distance(whenFalse)];
    invariant(Math.max(jumpTrue, jumpFalse) <= JUMP_MAX, 'a conditional jump is within 255');
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, LITTLE_ENDIAN);
    view.setUint8(at + 2, jumpTrue);
    view.setUint8(at + 3, jumpFalse);
    // Offsets of metadata are negative: the same 32 bits, written without a sign.
    view.setUint32(at + 4, isPlainJump ? distance(whenTrue) : operand >>> 0, LITTLE_ENDIAN);
  });
  return bytes;
}

function conditional(code: number, operand: number, targets: Targets): Instruction {
  return {
    code,
    operand,
    ...(targets.then === undefined ? {} : { whenTrue: targets.then }),
    ...(targets.else === undefined ? {} : { whenFalse: targets.else }),
  };
}
