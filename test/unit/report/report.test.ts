// The report of an instance: its keys, its times, and that nothing is lost on the way to JSON.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIpv4 } from '../../../src/base/addresses.ts';
import { ageText, clockText, timeText } from '../../../src/report/words.ts';
import { LACP, LinkRig, on, PARTNER, PEER, PEER_MAC, VIP } from '../../support/readiness-rig.ts';
import { heard, inMs, ip, report } from '../../support/reports.ts';

const PEER_TEXT = formatIpv4(PEER);

/** What of a value the JSON text would not tell, by path. */
function lost(value: unknown, path = '$'): readonly string[] {
  if (value === undefined || (typeof value === 'number' && !Number.isInteger(value))) return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => lost(inner, `${path}.${key}`));
}

test('who advertises the vhid with another digest is in the report', () => {
  const rig = LinkRig.waiting();
  const stranger = { address: ip('10.9.0.12'), at: rig.now };
  rig.pass(300);
  const { stranger: reported } = report(rig, { state: 'HELD', stranger });
  assert.deepEqual(reported, { address: '10.9.0.12', heardAgoMs: 300 });
});

describe('the report', () => {
  test('of a backup', () => {
    const rig = LinkRig.waiting({}, on({ ...LACP, ports: [LACP.ports[0]!] }));
    rig.pass(500);
    rig.advert();
    rig.advert();
    rig.pass(700);
    const election = { master: heard(rig, 700), masterDownAt: inMs(rig, 2_300), term: 3 };
    const made = report(rig, {
      state: 'BACKUP',
      from: 'MASTER',
      cause: 'better-advert',
      peer: PEER,
      forMs: 700,
      election,
    });
    assert.deepEqual(JSON.parse(JSON.stringify(made)), {
      name: 'db',
      interface: 'bond0',
      vhid: 7,
      vip: '10.9.0.100/24',
      source: '10.9.0.10',
      state: 'BACKUP',
      stateForMs: 700,
      lastTransition: {
        from: 'MASTER',
        to: 'BACKUP',
        cause: { name: 'better-advert', meaning: 'a better master was heard' },
        peer: PEER_TEXT,
        agoMs: 700,
      },
      fault: null,
      elsewhere: [],
      holdReasons: [],
      leaving: null,
      demoted: false,
      advbase: 1,
      advskew: 0,
      effectiveAdvskew: 0,
      preempt: false,
      term: 3,
      master: { address: PEER_TEXT, advbase: 1, advskew: 0, heardAgoMs: 700 },
      masterDownInMs: 2_300,
      nextAdvertInMs: null,
      peers: [],
      standby: [],
      vipPresent: false,
      stranger: null,
      maintenance: null,
      link: {
        gate: {
          policy: 'hold',
          open: true,
          by: 'proof',
          openForMs: 700,
          opensInMs: null,
          reasons: [],
        },
        conditions: [
          { name: 'carrier', status: 'met', reasons: [] },
          { name: 'lacp', status: 'met', reasons: [] },
          { name: 'frames', status: 'met', reasons: [] },
        ],
        warnings: [],
        epoch: { number: 1, forMs: 1_200, cause: null, meaning: null, carrierForMs: 1_200 },
        evidence: [
          { kind: 'advert', count: 2, from: PEER_TEXT, agoMs: 700, firstAgoMs: 700, epoch: 1 },
        ],
        bond: {
          name: 'bond0',
          mode: '802.3ad',
          partnerMac: PARTNER,
          ports: [
            {
              name: 'eth0',
              status: 'met',
              faults: [],
              actor: [
                'activity',
                'short-timeout',
                'aggregation',
                'sync',
                'collecting',
                'distributing',
              ],
              partner: [
                'activity',
                'short-timeout',
                'aggregation',
                'sync',
                'collecting',
                'distributing',
              ],
            },
          ],
          fallback: { met: false, answeredForMs: null },
        },
        doubt: null,
        lastAdvert: { from: PEER_TEXT, agoMs: 700 },
        silent: false,
        vipHolder: null,
        witnessOpen: false,
        probing: [],
      },
    });
  });

  test('has every key as JSON, and whole milliseconds, wherever it comes from', () => {
    const held = LinkRig.waiting({}, on(LACP));
    held.answer(VIP);
    held.pass(1_234);
    const doubting = LinkRig.master();
    doubting.facts({
      ...held.snapshot,
      mac: PEER_MAC,
      ifindex: 2,
      carrier: true,
      carrierLosses: 1,
      uplinks: [{ ifindex: 2, vlans: [] }],
      lower: { kind: 'plain' },
    });
    for (const made of [
      report(held, { state: 'HELD', election: { holdReasons: ['gate-closed'] } }),
      report(doubting, { state: 'MASTER', election: { leaving: 'stopped' } }),
      report(new LinkRig(), { state: 'INIT', watched: false }),
      report(new LinkRig(), { state: 'INIT' }),
    ]) {
      assert.deepEqual(lost(made), []);
    }
  });

  test('tells a doubt, a foreign holder of the address and the limit of the gate', () => {
    const rig = LinkRig.master();
    rig.pass(1_000);
    rig.facts({
      ifindex: 2,
      mac: PEER_MAC,
      carrier: true,
      carrierLosses: 0,
      uplinks: [{ ifindex: 2, vlans: [] }],
      lower: { kind: 'plain' },
    });
    rig.pass(250);
    const { link } = report(rig, { state: 'MASTER' });
    assert.equal(link?.doubt?.cause, 'epoch-ended');
    assert.equal(link.doubt.forMs, 250);
    assert.equal(link.doubt.endsInMs, null);
    assert.equal(link.epoch.cause, 'mac-changed');
    assert.match(link.epoch.meaning ?? '', /MAC address/);
    assert.deepEqual(
      link.gate.reasons.map(({ name }) => name),
      ['no-frames'],
    );
    assert.match(link.gate.reasons[0]?.remedy ?? '', /switch port/);
  });

  test('does not name a silent master to a node that is held', () => {
    const rig = LinkRig.waiting();
    rig.pass(60_000);
    const named = (heardAgoMs: number): string | undefined =>
      report(rig, { state: 'HELD', election: { master: heard(rig, heardAgoMs) } }).master?.address;
    assert.equal(named(3_000), PEER_TEXT, 'within the dead interval');
    assert.equal(named(3_001), undefined, 'after the dead interval');
  });

  test('counts the age of a state without a transition from the start of the instance', () => {
    const rig = new LinkRig();
    rig.pass(90_000);
    assert.equal(report(rig, { state: 'INIT', forMs: 5_000 }).stateForMs, 5_000);
  });

  test('knows nothing of a link that does not know the instance', () => {
    assert.equal(report(new LinkRig(), { state: 'INIT' }).link, null);
  });
});

describe('lengths of time', () => {
  const CASES: readonly [number, string, string][] = [
    [-5, '0 ms', '0ms'],
    [999.9, '999 ms', '999ms'],
    [1_000, '1.0 s', '1s'],
    [2_790, '2.7 s', '2s'],
    [9_999, '9.9 s', '9s'],
    [59_999, '59 s', '59s'],
    [60_000, '1 min', '1m'],
    [303_000, '5 min 3 s', '5m'],
    [7_800_000, '2 h 10 min', '2h'],
    [86_400_000 * 3 + 3_600_000 * 4, '3 d 4 h', '3d'],
  ];
  for (const [ms, long, short] of CASES) {
    test(`${ms} ms`, () => assert.deepEqual([timeText(ms), ageText(ms)], [long, short]));
  }

  test('a time of the clock', () => {
    assert.equal(clockText('2026-11-23T09:41:07.123Z'), '2026-11-23 09:41:07 UTC');
  });
});
