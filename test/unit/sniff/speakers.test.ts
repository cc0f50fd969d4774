// What a capture tells of its speakers, and the lines that say it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Observation } from '../../../src/sniff/observe.ts';
import { Speakers, type AdvertObservation, type Summary } from '../../../src/sniff/speakers.ts';
import {
  observationJson,
  observationLine,
  summaryJson,
  summaryText,
} from '../../../src/sniff/text.ts';

const SEEN = {
  timeUs: 0,
  source: '10.9.0.10',
  destination: '224.0.0.18',
  mac: undefined,
  vlanIds: [],
} as const;

describe('the speakers of a capture', () => {
  test('have their pace beside the one they promise', () => {
    const { speakers, conflicts } = summary([
      advert({ atMs: 0 }),
      advert({ atMs: 1_010 }),
      advert({ atMs: 1_990 }),
    ]);
    assert.equal(speakers.length, 1);
    const [one] = speakers;
    assert.deepEqual(
      [one?.adverts, one?.expectedMs, one?.meanMs, one?.jitterMs],
      [3, 1_000, 995, 20],
    );
    assert.deepEqual(conflicts, []);
  });

  test('are counted anew after a pause', () => {
    const times = [0, 1_000, 9_000, 10_000];
    const [one] = summary(times.map((atMs) => advert({ atMs }))).speakers;
    assert.deepEqual([one?.pauses, one?.meanMs, one?.jitterMs], [1, 1_000, 0]);
  });

  test('are in conflict where two speak in turn', () => {
    const turns = [0, 500, 1_000, 1_500].map((atMs, index) =>
      advert({ atMs, source: index % 2 === 0 ? 'a' : 'b' }),
    );
    assert.deepEqual(summary(turns).conflicts, [
      { vhid: 7, destination: '224.0.0.18', sources: ['a', 'b'] },
    ]);
  });

  test('are in no conflict on a handover, nor when the first takes over again later', () => {
    const { conflicts, speakers } = summary([
      advert({ atMs: 0, source: 'a' }),
      advert({ atMs: 400, source: 'a', bowOut: true, advbase: 255, advskew: 255 }),
      advert({ atMs: 410, source: 'b' }),
      advert({ atMs: 1_410, source: 'b' }),
      advert({ atMs: 60_000, source: 'a' }),
    ]);
    assert.deepEqual(conflicts, []);
    assert.equal(speakers.find(({ source }) => source === 'a')?.bowOuts, 1);
  });

  test('of other vhids, and what is no advert, do not mix in', () => {
    const rest: readonly Observation[] = [
      { ...SEEN, kind: 'vrrp', version: 3, vrid: 7, priority: 100 },
      { ...SEEN, kind: 'refused', reason: 'bad-ttl' },
    ];
    const told = summary([
      advert({ atMs: 0 }),
      advert({ atMs: 10, vhid: 8, source: 'b' }),
      ...rest,
    ]);
    assert.deepEqual(
      [told.speakers.length, told.conflicts.length, told.vrrp, told.refused],
      [2, 0, 1, 1],
    );
  });

  test('beyond a thousand are only counted', () => {
    const many = Array.from({ length: 1_005 }, (_, index) =>
      advert({ atMs: index, source: `10.0.${index >> 8}.${index & 255}` }),
    );
    const told = summary(many);
    assert.deepEqual([told.speakers.length, told.uncounted], [1_000, 5]);
  });
});

describe('the text', () => {
  const lines: readonly (readonly [Observation, string])[] = [
    [advert({ atMs: 0 }), 'vhid 7 every 1.000 s (base 1, skew 0); digest good (db)'],
    [
      advert({ atMs: 0, bowOut: true, verdict: { digest: 'bad' }, vlanIds: [0, 42] }),
      'vhid 7 steps down; digest BAD: passphrase or virtual IP differ (VLAN 42)',
    ],
    [
      advert({ atMs: 0, demote: 3, verdict: { digest: 'not-checked' } }),
      'vhid 7 every 1.000 s (base 1, skew 0), demoted by 3; digest not checked',
    ],
    [
      advert({ atMs: 0, verdict: { digest: 'unknown-vhid' } }),
      'vhid 7 every 1.000 s (base 1, skew 0); no instance has this vhid',
    ],
    [
      advert({ atMs: 0, verdict: { digest: 'other-group', instance: 'db' } }),
      'vhid 7 every 1.000 s (base 1, skew 0); digest good (db), but sent to another group',
    ],
    [
      { ...SEEN, kind: 'vrrp', version: 2, vrid: 51, priority: 100 },
      'VRRP version 2, id 51, priority 100: not CARP',
    ],
    [
      { ...SEEN, kind: 'refused', reason: 'cut' },
      'refused: the capture kept too little of it (tcpdump -s 0)',
    ],
  ];
  for (const [seen, line] of lines) {
    test(line, () => {
      assert.equal(observationLine(seen, '12:00:00.000'), `12:00:00.000 10.9.0.10       ${line}`);
    });
  }

  test('of a summary names what is wrong in capitals', () => {
    const bad = advert({ atMs: 1_000, source: 'b', verdict: { digest: 'bad' } });
    const turns = [
      advert({ atMs: 0, source: 'a' }),
      { ...bad, timeUs: 1 },
      advert({ atMs: 1_000, source: 'a' }),
    ];
    const text = summaryText(summary([...turns, { ...SEEN, kind: 'refused', reason: 'bad-ttl' }]));
    assert.match(
      text,
      /^a {15}vhid 7: 2 adverts, every 1\.000 s of 1\.000 s, off by 0\.000 s at most$/m,
    );
    assert.match(text, /^b .*1 BAD digest$/m);
    assert.match(text, /^TWO MASTERS of vhid 7: a and b$/m);
    assert.match(text, /^1 packet that no receiver would take$/m);
    assert.equal(summaryText(summary([])), 'no packet of protocol 112\n');
  });

  test('as JSON has every key', () => {
    const time = '2026-01-01T12:00:00.000Z';
    assert.deepEqual(JSON.parse(observationJson(advert({ atMs: 0 }), time)), {
      event: 'advert',
      time,
      timeUs: 0,
      source: '10.9.0.10',
      destination: '224.0.0.18',
      mac: null,
      vlans: [],
      vhid: 7,
      advbase: 1,
      advskew: 0,
      intervalMs: 1000,
      demote: 0,
      counter: '000000000000000a',
      bowOut: false,
      digest: 'good',
      instance: 'db',
    });
    const vrrp: Observation = { ...SEEN, kind: 'vrrp', version: 3, vrid: 7, priority: 100 };
    assert.match(observationJson(vrrp, time), /"version":3,"vrid":7,"priority":100/);
    const refused: Observation = { ...SEEN, kind: 'refused', reason: 'bad-ttl' };
    assert.match(observationJson(refused, time), /"reason":"bad-ttl"/);
    const told = JSON.parse(summaryJson(summary([advert({ atMs: 0 })]))) as Record<string, unknown>;
    assert.deepEqual(Object.keys(told), [
      'event',
      'speakers',
      'conflicts',
      'vrrp',
      'refused',
      'uncounted',
    ]);
    assert.match(
      JSON.stringify(told),
      /"expectedMs":1000,"pauses":0,"meanMs":null,"jitterMs":null/,
    );
  });
});

function advert({
  atMs,
  ...rest
}: { readonly atMs: number } & Partial<AdvertObservation>): AdvertObservation {
  return {
    ...SEEN,
    timeUs: atMs * 1_000,
    kind: 'advert',
    vhid: 7,
    advbase: 1,
    advskew: 0,
    demote: 0,
    counter: 10n,
    bowOut: false,
    verdict: { digest: 'good', instance: 'db' },
    ...rest,
  };
}

function summary(seen: readonly Observation[]): Summary {
  const speakers = new Speakers();
  for (const one of seen) speakers.add(one);
  return speakers.summary();
}
