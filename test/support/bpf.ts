// Runs a classic BPF program as the kernel does (net/core/filter.c), as far as ours need it.
const INSTRUCTION_BYTES = 8;
const STEPS_MAX = 4_096;

/** How many bytes of the frame the program lets through; 0: none. */
export function runFilter(program: Uint8Array, frame: Uint8Array): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let accumulator = 0;
  let at = 0;
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const offset = at * INSTRUCTION_BYTES;
    const [whenTrue, whenFalse] = [code.getUint8(offset + 2), code.getUint8(offset + 3)];
    const operand = code.getUint32(offset + 4, true);
    at += 1;
    switch (code.getUint16(offset, true)) {
      case 0x20:
        if (operand + 4 > frame.length) return 0;
        accumulator = data.getUint32(operand);
        break;
      case 0x28:
        if (operand + 2 > frame.length) return 0;
        accumulator = data.getUint16(operand);
        break;
      case 0x30:
        if (operand + 1 > frame.length) return 0;
        accumulator = data.getUint8(operand);
        break;
      case 0x54:
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x15:
        at += accumulator === operand ? whenTrue : whenFalse;
        break;
      case 0x45:
        at += (accumulator & operand) === 0 ? whenFalse : whenTrue;
        break;
      case 0x06:
        return operand;
      default:
        throw new Error(`instruction ${String(at - 1)} is not known here`);
    }
  }
  throw new Error('the program does not end');
}
