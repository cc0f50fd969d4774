// What the doctor makes of what it heard on a segment: each finding where it belongs, and no other.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSwitchFrame } from '../../../../src/doctor/checks/switch-frames.ts';
import {
  addressFindings,
  advertFindings,
  segmentFindings,
  switchFindings,
  type GroupFacts,
  type Heard,
} from '../../../../src/doctor/checks/wire-checks.ts';
import type { Speaker } from '../../../../src/sniff/speakers.ts';
import { bpdu, cdp, lacpdu, lldp } from '../../../support/switch-frames.ts';

const GROUP: GroupFacts = {
  name: 'db',
  vhid: 7,
  vip: '10.9.0.100',
  destination: '224.0.0.18',
  intervalMs: 1_000,
  targets: [],
  source: '10.9.0.10',
  holdsVip: false,
};
const QUIET: Heard = {
  interfaceName: 'eth0',
  seconds: 10,
  bond: 'none',
  frames: [],
  otherFrames: 5,
  adverts: { speakers: [], conflicts: [], vrrp: 0, refused: 0, uncounted: 0 },
  atCard: 0,
  atSocket: 0,
  answers: new Map(),
};
const MASTER: Speaker = {
  source: '10.9.0.20',
  vhid: 7,
  destination: '224.0.0.18',
  adverts: 9,
  bowOuts: 0,
  badDigests: 0,
  advbase: 1,
  advskew: 0,
  expectedMs: 1_000,
  meanMs: 1_000,
  jitterMs: 1,
  pauses: 0,
};

const codesOf = (found: readonly { readonly code: string }[]): string =>
  found.map(({ code }) => code).join(' ');
const heardOf = (...speakers: readonly Partial<Speaker>[]): Heard => ({
  ...QUIET,
  adverts: { ...QUIET.adverts, speakers: speakers.map((changes) => ({ ...MASTER, ...changes })) },
});

describe('a switch', () => {
  const saying = (bond: Heard['bond'], ...frames: readonly (readonly [string, Uint8Array])[]) =>
    codesOf(
      switchFindings({
        ...QUIET,
        bond,
        frames: frames.map(([by, bytes]) => {
          const frame = readSwitchFrame(bytes);
          assert.ok(frame !== undefined, 'a frame of a switch');
          return { by, frame };
        }),
      }),
    );
  const ROWS: readonly [string, string, string][] = [
    ['nothing', saying('none'), ''],
    ['who it is', saying('none', ['eth0', lldp({ system: 's', port: '7' })]), 'switch'],
    ['who it is, by CDP', saying('none', ['eth0', cdp('s', '7')]), 'switch'],
    ['a spanning tree', saying('none', ['eth0', bpdu()]), 'spanning-tree'],
    [
      'that it does not forward',
      saying('none', ['eth0', bpdu({ flags: 14 })]),
      'spanning-tree-waits',
    ],
    ['that it does', saying('none', ['eth0', bpdu({ flags: 60 })]), 'spanning-tree'],
    ['LACP to no bond', saying('none', ['eth0', lacpdu(5)]), 'lacp-unwanted'],
    ['LACP to another bond', saying('other', ['eth0', lacpdu(5)]), 'lacp-unwanted'],
    ['LACP to its bond', saying('lacp', ['eth0', lacpdu(61)]), ''],
    [
      'no port channel where a bond is',
      saying('lacp', ['eth0', lldp({ system: 's', port: '7', aggregation: 1 })]),
      'switch channel-missing',
    ],
    [
      'a port channel',
      saying('lacp', ['eth0', lldp({ system: 's', port: '7', aggregation: 3 })]),
      'switch',
    ],
    [
      'two names on two ports',
      saying(
        'lacp',
        ['eth0', lldp({ system: 's', port: '7' })],
        ['eth1', lldp({ system: 't', port: '7' })],
      ),
      'switch switch two-switches',
    ],
  ];
  for (const [what, codes, expected] of ROWS) {
    test(`says ${what}: ${expected}`, () => assert.equal(codes, expected));
  }
});

describe('a segment', () => {
  test('on which nobody says a word, or answers', () => {
    const silent = { ...QUIET, otherFrames: 0 };
    assert.equal(codesOf(segmentFindings(silent)), 'segment-silent');
    const answers = new Map([['10.9.0.1', new Set(['02:00:00:00:00:09'])]]);
    assert.equal(codesOf(segmentFindings({ ...silent, answers })), '');
    assert.equal(codesOf(segmentFindings(QUIET)), '');
  });

  test('whose adverts do not reach their socket', () => {
    const at = (atCard: number, atSocket: number | undefined): string =>
      codesOf(segmentFindings({ ...QUIET, atCard, atSocket }));
    assert.equal(at(9, 0), 'adverts-blocked');
    assert.equal(at(1, 0), '', 'one may be lost at the ends');
    assert.equal(at(9, 8), '');
    assert.equal(at(9, undefined), '', 'nobody looked');
  });
});

describe('a group', () => {
  const ROWS: readonly [string, Heard, string][] = [
    ['nobody advertises', QUIET, 'no-adverts'],
    ['one does', heardOf({}), 'adverts-good'],
    ['one does for another', heardOf({ vhid: 8 }), 'no-adverts'],
    ['one signs otherwise', heardOf({ badDigests: 9 }), 'peer-disagrees'],
    ['one sends elsewhere', heardOf({ destination: '224.0.0.19' }), 'peer-disagrees adverts-good'],
    ['one is slower', heardOf({ expectedMs: 3_000 }), 'peer-interval adverts-good'],
    ['one has a skew', heardOf({ expectedMs: 1_900 }), 'adverts-good'],
    ['it is we ourselves', heardOf({ source: '10.9.0.10' }), 'no-adverts'],
    ['one only says good-bye', heardOf({ bowOuts: 9 }), ''],
  ];
  for (const [what, heard, expected] of ROWS) {
    test(`${what}: ${expected}`, () => {
      assert.equal(codesOf(advertFindings(GROUP, heard)), expected);
    });
  }

  test('that we are master of wants no other', () => {
    assert.equal(codesOf(advertFindings({ ...GROUP, holdsVip: true }, QUIET)), '');
  });

  test('that two advertise side by side, among packets of others', () => {
    const both = heardOf({}, { source: '10.9.0.30' });
    const conflicts = [
      { vhid: 7, destination: '224.0.0.18', sources: ['10.9.0.20', '10.9.0.30'] },
      { vhid: 8, destination: '224.0.0.18', sources: ['a', 'b'] },
    ];
    const adverts = { ...both.adverts, conflicts, vrrp: 3, refused: 2 };
    assert.equal(
      codesOf(advertFindings(GROUP, { ...both, adverts })),
      'two-masters vrrp-beside adverts-refused',
    );
  });
});

describe('an address', () => {
  const answering = (address: string, ...macs: readonly string[]): Heard => ({
    ...QUIET,
    answers: new Map([[address, new Set(macs)]]),
  });
  const holder = answering('10.9.0.100', 'm1');

  test('that a master has is where it belongs', () => {
    const heard = { ...holder, adverts: heardOf({}).adverts };
    assert.equal(codesOf(addressFindings(GROUP, heard)), '');
    assert.equal(codesOf(addressFindings(GROUP, QUIET)), '');
  });

  test('that somebody has who does not advertise', () => {
    assert.equal(codesOf(addressFindings(GROUP, holder)), 'vip-in-use');
  });

  test('that a host has whose digest is another one is that fault alone', () => {
    const heard = { ...holder, adverts: heardOf({ badDigests: 9 }).adverts };
    assert.equal(codesOf(addressFindings(GROUP, heard)), '');
    assert.equal(codesOf(advertFindings(GROUP, heard)), 'peer-disagrees');
  });

  test('that a host has with another vhid names the vhid that is heard', () => {
    const heard = { ...holder, adverts: heardOf({ vhid: 8 }).adverts };
    const [inUse] = addressFindings(GROUP, heard);
    assert.match(inUse?.text ?? '', /nobody advertises vhid 7; heard were vhid 8 of 10\.9\.0\.20$/);
    assert.match(inUse?.remedy ?? '', /give both the same vhid/);
    const [none] = advertFindings(GROUP, heard);
    assert.match(none?.text ?? '', /in \d+ s; heard were vhid 8 of 10\.9\.0\.20$/);
  });

  test('that two have, or another one beside us', () => {
    const two = { ...answering('10.9.0.100', 'm1', 'm2'), adverts: heardOf({}).adverts };
    assert.equal(codesOf(addressFindings(GROUP, two)), 'vip-twice');
    assert.equal(codesOf(addressFindings({ ...GROUP, holdsVip: true }, holder)), 'vip-twice');
  });

  test('that is ours as well', () => {
    assert.equal(codesOf(addressFindings(GROUP, answering('10.9.0.10', 'm1'))), 'source-twice');
  });

  test('that is asked for proof answers, or does not', () => {
    const group = { ...GROUP, targets: ['10.9.0.1', '10.9.0.2'] };
    const found = addressFindings(group, answering('10.9.0.2', 'm1'));
    assert.equal(codesOf(found), 'target-silent target-answers');
  });
});
