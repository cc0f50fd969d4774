// What packets of the real ucarp, of VRRP and damaged ones are taken for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseIpv4 } from '../../../src/base/addresses.ts';
import { CARP_MULTICAST, parseVhid, type Vhid } from '../../../src/carp/group.ts';
import { internetChecksum } from '../../../src/carp/checksum.ts';
import { observe, type KnownGroup, type Observation } from '../../../src/sniff/observe.ts';
import { LINK_TYPES, type LinkType } from '../../../src/sniff/pcap.ts';

interface Vector {
  readonly desc: string;
  readonly password: string;
  readonly vhid: number;
  readonly vip: string;
  readonly source: string;
  readonly group: string;
  readonly advbase: number;
  readonly advskew: number;
  readonly counter: string;
  readonly frame: string;
}

const { adverts } = JSON.parse(
  readFileSync(new URL('../../vectors/ucarp-adverts.json', import.meta.url), 'utf8'),
) as { readonly adverts: readonly Vector[] };
const [FIRST] = adverts;
assert.ok(FIRST !== undefined, 'there are vectors');
const FRAME = Uint8Array.from(Buffer.from(FIRST.frame, 'hex'));
const IP_AT = 14;
const CARP_AT = 34;

describe('an advert of the real ucarp', () => {
  for (const vector of adverts) {
    test(`${vector.desc}: is read, and its digest is good`, () => {
      const seen = observed(Uint8Array.from(Buffer.from(vector.frame, 'hex')), [groupOf(vector)]);
      assert.ok(seen.kind === 'advert', seen.kind);
      const { vhid, advbase, advskew, source, destination, verdict } = seen;
      assert.deepEqual(
        { vhid, advbase, advskew, source, group: destination, verdict },
        {
          vhid: vector.vhid,
          advbase: vector.advbase,
          advskew: vector.advskew,
          source: vector.source,
          group: vector.group,
          verdict: { digest: 'good', instance: 'db' },
        },
      );
      assert.equal(seen.counter.toString(16).padStart(16, '0'), vector.counter);
    });
  }

  const verdicts: readonly (readonly [string, readonly KnownGroup[] | undefined, string])[] = [
    ['without a configuration', undefined, 'not-checked'],
    [
      'with another vhid alone',
      [{ ...groupOf(FIRST), key: keyOf({ ...FIRST, vhid: 9 }) }],
      'unknown-vhid',
    ],
    [
      'with another passphrase',
      [{ ...groupOf(FIRST), key: keyOf({ ...FIRST, password: 'x' }) }],
      'bad',
    ],
    [
      'with another virtual IP',
      [{ ...groupOf(FIRST), key: keyOf({ ...FIRST, vip: '10.0.0.1' }) }],
      'bad',
    ],
    [
      'with another group',
      [{ ...groupOf(FIRST), destination: address('224.0.0.19') }],
      'other-group',
    ],
    [
      'with two instances of its vhid',
      [{ ...groupOf(FIRST), destination: address('224.0.0.19') }, groupOf(FIRST)],
      'good',
    ],
  ];
  for (const [how, groups, digest] of verdicts) {
    test(`is judged ${how}: ${digest}`, () => {
      const seen = observed(FRAME, groups);
      assert.equal(seen.kind === 'advert' && seen.verdict.digest, digest);
    });
  }

  test('is found under a VLAN tag, and in captures of other link types', () => {
    const tagged = Buffer.concat([
      FRAME.subarray(0, 12),
      Uint8Array.of(0x81, 0, 0, 42),
      FRAME.subarray(12),
    ]);
    assert.deepEqual(observed(tagged).vlanIds, [42]);
    const packet = FRAME.subarray(IP_AT);
    const sll = Buffer.concat([new Uint8Array(14), Uint8Array.of(8, 0), packet]);
    const sll2 = Buffer.concat([Uint8Array.of(8, 0), new Uint8Array(18), packet]);
    for (const [linkType, bytes] of [
      ['raw', packet],
      ['ipv4', packet],
      ['linux-sll', sll],
      ['linux-sll2', sll2],
    ] as const) {
      const seen = observe({ timeUs: 5, linkType, bytes, isCut: false }, undefined);
      assert.ok(seen?.kind === 'advert', linkType);
      assert.equal(seen.mac, undefined);
    }
  });

  test('that says farewell is told as such', () => {
    const seen = observed(withPayload({ 2: 255, 5: 255 }));
    assert.ok(seen.kind === 'advert' && seen.bowOut, 'a bow-out');
  });
});

describe('what is no advert', () => {
  const refused: readonly (readonly [string, Uint8Array, string])[] = [
    ['a TTL of 254', withHeader({ 8: 254 }), 'bad-ttl'],
    ['a wrong header checksum', changed({ [IP_AT + 10]: 0 }), 'bad-ip-checksum'],
    ['a fragment', withHeader({ 6: 0x20 }), 'fragment'],
    ['a wrong checksum', changed({ [CARP_AT + 6]: 0 }), 'bad-checksum'],
    ['another version', withPayload({ 0: 0x51 }), 'bad-version'],
    ['too short a payload', withHeader({ 3: 40 }), 'bad-length'],
    ['an impossible header length', changed({ [IP_AT]: 0x44 }), 'bad-ip-header'],
    ['a frame that ends early', FRAME.subarray(0, 50), 'truncated'],
  ];
  for (const [what, bytes, reason] of refused) {
    test(`is told with its reason: ${what}`, () => {
      const seen = observed(bytes);
      assert.equal(seen.kind === 'refused' && seen.reason, reason);
    });
  }

  test('is told as cut where the capture kept too little', () => {
    const bytes = FRAME.subarray(0, 50);
    const seen = observe({ timeUs: 0, linkType: 'ethernet', bytes, isCut: true }, undefined);
    assert.equal(seen?.kind === 'refused' && seen.reason, 'cut');
  });

  test('is told as VRRP with its version, id and priority', () => {
    const seen = observed(withPayload({ 0: 0x31, 1: 7, 2: 150 }));
    assert.ok(seen.kind === 'vrrp', seen.kind);
    assert.deepEqual([seen.version, seen.vrid, seen.priority], [3, 7, 150]);
  });

  test('is passed over where it is not of protocol 112, or no IPv4', () => {
    const others: readonly (readonly [LinkType, Uint8Array])[] = [
      ['ethernet', changed({ [IP_AT + 9]: 17 })],
      ['ethernet', changed({ 12: 0x86, 13: 0xdd })],
      ['ethernet', Uint8Array.of(1, 2, 3)],
      ['raw', Uint8Array.of(0x60, 0, 0)],
      ['raw', new Uint8Array(0)],
      ['linux-sll', new Uint8Array(20)],
      ['linux-sll2', new Uint8Array(3)],
    ];
    assert.ok(Object.keys(LINK_TYPES).length > 4, 'link types');
    for (const [linkType, bytes] of others) {
      assert.equal(observe({ timeUs: 0, linkType, bytes, isCut: false }, undefined), undefined);
    }
  });
});

function observed(bytes: Uint8Array, groups?: readonly KnownGroup[]): Observation {
  const seen = observe({ timeUs: 0, linkType: 'ethernet', bytes, isCut: false }, groups);
  assert.ok(seen !== undefined, 'it is of protocol 112');
  return seen;
}

function groupOf(vector: Vector): KnownGroup {
  return {
    name: 'db',
    key: keyOf(vector),
    destination: vector === FIRST ? CARP_MULTICAST : address(vector.group),
  };
}

function keyOf({ password, vhid, vip }: Vector): KnownGroup['key'] {
  return {
    passphrase: new TextEncoder().encode(password),
    vhid: id(vhid),
    addresses: [address(vip)],
  };
}

function id(number: number): Vhid {
  const vhid = parseVhid(number);
  assert.ok(vhid !== undefined, 'a vhid');
  return vhid;
}

function address(text: string): typeof CARP_MULTICAST {
  const parsed = parseIpv4(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

type Changes = Readonly<Record<number, number>>;

function changed(changes: Changes, from: Uint8Array = FRAME): Uint8Array {
  const bytes = Uint8Array.from(from);
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
}

/** Offsets from the IPv4 header on; its checksum is made right. */
function withHeader(changes: Changes): Uint8Array {
  return checksummed(changed(shifted(changes, IP_AT)), IP_AT, 10, 20);
}

/** Offsets from the CARP header on; its checksum is made right. */
function withPayload(changes: Changes): Uint8Array {
  return checksummed(changed(shifted(changes, CARP_AT)), CARP_AT, 6, 36);
}

function shifted(changes: Changes, by: number): Changes {
  return Object.fromEntries(Object.entries(changes).map(([at, value]) => [Number(at) + by, value]));
}

function checksummed(bytes: Uint8Array, at: number, field: number, length: number): Uint8Array {
  const view = new DataView(bytes.buffer);
  view.setUint16(at + field, 0);
  view.setUint16(at + field, internetChecksum(bytes.subarray(at, at + length)));
  return bytes;
}
