// Kernel filters (classic BPF) for the frame witness: what they let through wakes this process, so
// they leave out what can't matter. Who counts what comes through is not decided here.
import { endianness } from 'node:os';

/**
 * any-frame: all that may prove a link. adverts: IP protocol 112, and ARP replies. arp-replies:
 * those alone.
 */
export type WitnessMode = 'any-frame' | 'adverts' | 'arp-replies';

/** Enough of a frame for every header that is read, and for a whole advert behind two tags. */
const CAPTURED_BYTES = 256;

// Instructions: opcode, jumps, operand (linux/bpf_common.h).
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_SET = 0x45;
const RETURN = 0x06;

const DESTINATION = 0;
const DESTINATION_END = 4;
const SOURCE = 6;
const ETHERTYPE = 12;
const TAG_BYTES = 4;

const ARP = 0x0806;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const VLAN = 0x8100;
const SERVICE_VLAN = 0x88a8;
const IGMP = 2;
const CARP = 112;
const ARP_REPLY = 2;

/** Where a test goes: to the next step, to another one by its name, or to the end. */
type Target = 'next' | 'accept' | 'drop' | (string & {});

interface Step {
  readonly label?: string;
  readonly code: number;
  readonly operand: number;
  readonly yes?: Target;
  readonly no?: Target;
}

/** The program for a mode, as an array of struct sock_filter in this machine's byte order. */
export function witnessFilter(mode: WitnessMode): Uint8Array {
  return assemble(mode === 'any-frame' ? anyFrame() : certainFrames(mode));
}

/**
 * Drops what is meant for the next bridge only, what comes from no station, and what is neither ARP
 * nor IP; multicast membership of IPv4. A tag that the kernel left in the frame is let pass: it is
 * rare, and the VLAN is not known here.
 */
function anyFrame(): readonly Step[] {
  return [
    { code: LOAD_WORD, operand: DESTINATION },
    { code: JUMP_IF_EQUAL, operand: 0x0180c200, yes: 'next', no: 'source' },
    { code: LOAD_HALF, operand: DESTINATION_END },
    { code: AND, operand: 0xfff0 },
    { code: JUMP_IF_EQUAL, operand: 0, yes: 'drop', no: 'source' },
    { label: 'source', code: LOAD_BYTE, operand: SOURCE },
    { code: JUMP_IF_SET, operand: 1, yes: 'drop', no: 'next' },
    { code: LOAD_HALF, operand: ETHERTYPE },
    { code: JUMP_IF_EQUAL, operand: ARP, yes: 'accept', no: 'next' },
    { code: JUMP_IF_EQUAL, operand: IPV6, yes: 'accept', no: 'next' },
    { code: JUMP_IF_EQUAL, operand: VLAN, yes: 'accept', no: 'next' },
    { code: JUMP_IF_EQUAL, operand: SERVICE_VLAN, yes: 'accept', no: 'next' },
    { code: JUMP_IF_EQUAL, operand: IPV4, yes: 'next', no: 'drop' },
    { code: LOAD_BYTE, operand: ipv4ProtocolAt(0) },
    { code: JUMP_IF_EQUAL, operand: IGMP, yes: 'drop', no: 'accept' },
  ];
}

/** The same tests behind no, one and two tags that the kernel left in the frame. */
function certainFrames(mode: 'adverts' | 'arp-replies'): readonly Step[] {
  const levels = [0, 1, 2].flatMap((tags): readonly Step[] => {
    const more: Target = tags === 2 ? 'drop' : `tags${tags + 1}`;
    const ip: Target = mode === 'adverts' ? `ip${tags}` : 'drop';
    return [
      { label: `tags${tags}`, code: LOAD_HALF, operand: ETHERTYPE + tags * TAG_BYTES },
      { code: JUMP_IF_EQUAL, operand: ARP, yes: `arp${tags}`, no: 'next' },
      { code: JUMP_IF_EQUAL, operand: IPV4, yes: ip, no: 'next' },
      { code: JUMP_IF_EQUAL, operand: VLAN, yes: more, no: 'next' },
      { code: JUMP_IF_EQUAL, operand: SERVICE_VLAN, yes: more, no: 'drop' },
    ];
  });
  const ends = [0, 1, 2].flatMap((tags): readonly Step[] => [
    { label: `arp${tags}`, code: LOAD_HALF, operand: arpOperationAt(tags) },
    { code: JUMP_IF_EQUAL, operand: ARP_REPLY, yes: 'accept', no: 'drop' },
    { label: `ip${tags}`, code: LOAD_BYTE, operand: ipv4ProtocolAt(tags) },
    { code: JUMP_IF_EQUAL, operand: CARP, yes: 'accept', no: 'drop' },
  ]);
  return [...levels, ...ends];
}

function ipv4ProtocolAt(tags: number): number {
  return ETHERTYPE + tags * TAG_BYTES + 2 + 9;
}

function arpOperationAt(tags: number): number {
  return ETHERTYPE + tags * TAG_BYTES + 2 + 6;
}

/** Jumps are counted from the next instruction; a read past the end of the frame drops it. */
function assemble(steps: readonly Step[]): Uint8Array {
  const littleEndian = endianness() === 'LE';
  const bytes = new Uint8Array((steps.length + 2) * 8);
  const view = new DataView(bytes.buffer);
  const write = (
    index: number,
    code: number,
    jumps: readonly [number, number],
    k: number,
  ): void => {
    view.setUint16(index * 8, code, littleEndian);
    view.setUint8(index * 8 + 2, jumps[0]);
    view.setUint8(index * 8 + 3, jumps[1]);
    view.setUint32(index * 8 + 4, k, littleEndian);
  };
  const find = (target: Target | undefined, from: number): number => {
    if (target === undefined || target === 'next') return 0;
    if (target === 'accept') return steps.length - from - 1;
    if (target === 'drop') return steps.length - from;
    return steps.findIndex(({ label }) => label === target) - from - 1;
  };
  steps.forEach(({ code, operand, yes, no }, index) => {
    write(index, code, [find(yes, index), find(no, index)], operand);
  });
  write(steps.length, RETURN, [0, 0], CAPTURED_BYTES);
  write(steps.length + 1, RETURN, [0, 0], 0);
  return bytes;
}
