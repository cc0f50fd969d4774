// What the kernel is told to keep from the frame witness, kind by kind; and the assembler's bytes.
import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { describe, it } from 'node:test';
import { InvariantError } from '../../../../src/base/assert.ts';
import { accept, assemble, goTo, ifEqual, load } from '../../../../src/linux/sockets/bpf.ts';
import { witnessFilter, type WitnessMode } from '../../../../src/linux/sockets/frame-filter.ts';
import { runFilter, type FilteredFrame } from '../../../support/bpf.ts';
import {
  EVIDENCE,
  NOISE,
  arpOf,
  frameOf,
  ipv4Of,
  type FrameParts,
} from '../../../support/shaped-frames.ts';

const MODES: readonly WitnessMode[] = ['any-frame', 'adverts', 'arp-replies'];
const BROADCAST_PACKET = 1;
const OUTGOING_PACKET = 4;

function passes(
  mode: WitnessMode,
  frame: Partial<FilteredFrame> & Pick<FilteredFrame, 'bytes'>,
  vlans: readonly number[] | 'any' = [],
): boolean {
  return runFilter(witnessFilter(mode, vlans), { packetType: BROADCAST_PACKET, ...frame }) > 0;
}

describe('noise is refused in every mode', () => {
  for (const [what, parts] of Object.entries(NOISE)) {
    it(what, () => {
      for (const mode of MODES) assert.equal(passes(mode, { bytes: frameOf(parts) }), false, mode);
    });
  }

  it('what this host sends', () => {
    const bytes = frameOf({ type: 0x0806, payload: arpOf({ operation: 2 }) });
    for (const mode of MODES) {
      assert.equal(passes(mode, { bytes, packetType: OUTGOING_PACKET }), false, mode);
    }
  });
});

describe('evidence is let through where it is wanted', () => {
  for (const [what, parts] of Object.entries(EVIDENCE)) {
    const wanted = new Set<WitnessMode>(['any-frame']);
    if (what === 'ARP reply' || what === 'advert') wanted.add('adverts');
    if (what === 'ARP reply') wanted.add('arp-replies');
    it(`${what}: ${[...wanted].join(', ')}`, () => {
      const bytes = frameOf(parts);
      for (const mode of MODES) assert.equal(passes(mode, { bytes }), wanted.has(mode), mode);
    });
  }

  it('no fragment of an advert, neither the first nor a later one', () => {
    for (const [fragment, whole] of [
      [0x0000, true],
      [0x4000, true],
      [0x2000, false],
      [0x0001, false],
      [0x2fff, false],
    ] as const) {
      const bytes = frameOf({ type: 0x0800, payload: ipv4Of(112, { fragment }) });
      assert.equal(passes('adverts', { bytes }), whole, fragment.toString(16));
    }
  });

  it('not where it is cut short', () => {
    for (const [what, whole, mode] of [
      ['ARP reply', 42, 'arp-replies'],
      ['ARP request', 42, 'any-frame'],
      ['DHCP', 34, 'any-frame'],
      ['UDP over IPv6', 54, 'any-frame'],
    ] as const) {
      const bytes = frameOf(EVIDENCE[what]);
      assert.equal(passes(mode, { bytes: bytes.subarray(0, whole) }), true, what);
      for (let length = 0; length < whole; length += 1) {
        const cut = { bytes: bytes.subarray(0, length) };
        assert.equal(passes(mode, cut), false, `${what}, ${length} bytes`);
      }
    }
  });
});

describe('VLANs', () => {
  const REPLY: FrameParts = { type: 0x0806, payload: arpOf({ operation: 2 }) };
  /** Tags in the bytes, the tag taken out of them, the uplink's VLANs, the outcome. */
  const table: readonly (readonly [
    string,
    readonly (readonly [number, number])[],
    number | undefined,
    readonly number[],
    boolean,
  ])[] = [
    ['untagged', [], undefined, [], true],
    ['untagged on a trunk', [], undefined, [100], false],
    ['a tag that was taken out', [], 100, [100], true],
    ['a tag that was taken out, with a priority', [], 0xe064, [100], true],
    ['another tag that was taken out', [], 101, [100], false],
    ['a tag that was taken out, no VLAN here', [], 100, [], false],
    ['a priority that was taken out', [], 0xe000, [], true],
    ['a priority that was taken out, and a tag', [[0x8100, 100]], 0xe000, [100], true],
    ['a tag in the bytes', [[0x8100, 0xa064]], undefined, [100], true],
    ['another tag in the bytes', [[0x8100, 101]], undefined, [100], false],
    ['a tag in the bytes, no VLAN here', [[0x8100, 100]], undefined, [], false],
    ['a priority in the bytes', [[0x8100, 0xe000]], undefined, [], true],
    ['a provider tag', [[0x88a8, 7]], undefined, [7], true],
    ['one taken out, one in the bytes', [[0x8100, 100]], 7, [7, 100], true],
    ['the same the other way round', [[0x8100, 7]], 100, [7, 100], false],
    ['only the outer one', [], 7, [7, 100], false],
    ['one more than ours', [[0x8100, 100]], 7, [7], false],
    [
      'two in the bytes',
      [
        [0x88a8, 7],
        [0x8100, 100],
      ],
      undefined,
      [7, 100],
      true,
    ],
    [
      'three in the bytes',
      [
        [0x88a8, 7],
        [0x8100, 8],
        [0x8100, 9],
      ],
      undefined,
      [7, 8, 9],
      true,
    ],
    [
      'three of which one is not ours',
      [
        [0x88a8, 7],
        [0x8100, 9],
      ],
      5,
      [5, 7, 8],
      false,
    ],
    ['four in the bytes: not looked at', Array(4).fill([0x8100, 5]), undefined, [], false],
    ['four priorities in the bytes: let through', Array(4).fill([0x8100, 0]), 0, [7], true],
  ];
  for (const [what, tags, vlanTag, vlans, outcome] of table) {
    it(`${what}: ${outcome ? 'let through' : 'refused'}`, () => {
      const bytes = frameOf({ ...REPLY, tags });
      for (const mode of MODES) {
        assert.equal(passes(mode, { bytes, vlanTag }, vlans), outcome, mode);
      }
    });
  }

  it('the same filter is made once, and another one is never taken for it', () => {
    assert.equal(witnessFilter('any-frame', [7]), witnessFilter('any-frame', [7]));
    const others = Array.from({ length: 100 }, (_, vlan) => witnessFilter('any-frame', [vlan]));
    assert.equal(new Set(others.map((filter) => Buffer.from(filter).toString('hex'))).size, 100);
    const some = [
      witnessFilter('adverts', [7]),
      witnessFilter('adverts', [7], [1]),
      witnessFilter('adverts', 'any'),
      witnessFilter('adverts', [7, 1]),
    ];
    assert.equal(new Set(some.map((filter) => Buffer.from(filter).toString('hex'))).size, 4);
  });

  it('stacks of any depth make a program', () => {
    for (let depth = 0; depth < 12; depth += 1) {
      const vlans = Array.from({ length: depth }, (_, index) => index + 1);
      for (const mode of MODES) {
        const length = witnessFilter(mode, vlans).length / 8;
        assert.ok(length > 20 && length < 250, `${length} instructions, ${depth} VLANs`);
      }
    }
  });
});

describe('the assembler', () => {
  it('writes the instructions of linux/filter.h', () => {
    const program = assemble([
      load(1, 14),
      ifEqual(7, { else: 'no' }),
      accept(0xffff),
      { label: 'no' },
      goTo('end'),
      accept(1),
      { label: 'end' },
      accept(0),
    ]);
    const expected = [
      [0x30, 0, 0, 14],
      [0x15, 0, 1, 7],
      [0x06, 0, 0, 0xffff],
      [0x05, 0, 0, 1],
      [0x06, 0, 0, 1],
      [0x06, 0, 0, 0],
    ] as const;
    const bytes = new DataView(new ArrayBuffer(expected.length * 8));
    const little = endianness() === 'LE';
    expected.forEach(([code, whenTrue, whenFalse, operand], index) => {
      bytes.setUint16(index * 8, code, little);
      bytes.setUint8(index * 8 + 2, whenTrue);
      bytes.setUint8(index * 8 + 3, whenFalse);
      bytes.setUint32(index * 8 + 4, operand, little);
    });
    assert.deepEqual(program, new Uint8Array(bytes.buffer));
  });

  it('refuses jumps that lead back, nowhere or too far', () => {
    const far = Array.from({ length: 256 }, () => accept(0));
    for (const statements of [
      [{ label: 'back' }, ifEqual(1, { then: 'back' }), accept(0)],
      [goTo('nowhere'), accept(0)],
      [ifEqual(1, { then: 'far' }), ...far, { label: 'far' }, accept(0)],
    ]) {
      assert.throws(() => assemble(statements), InvariantError);
    }
    assert.equal(assemble([goTo('far'), ...far, { label: 'far' }, accept(0)]).length, 258 * 8);
  });
});
