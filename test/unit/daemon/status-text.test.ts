// The table of `carpd status`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusTable } from '../../../src/daemon/status-text.ts';
import type { InstanceReport } from '../../../src/daemon/report.ts';
import { LinkRig, PLAIN } from '../../support/readiness-rig.ts';
import { heard, report } from '../../support/reports.ts';

const rig = LinkRig.waiting();
rig.advert();
rig.pass(400);
const held = LinkRig.waiting({}, { ...PLAIN, lower: { kind: 'unseen' } });
const silent = LinkRig.waiting();
silent.advert();
silent.pass(5_000);

const table = (instances: readonly InstanceReport[]): string => statusTable({ pid: 1, instances });

test('a row for each instance, notes by their names', () => {
  const instances = [
    report(rig, { state: 'BACKUP', forMs: 7_900_000, election: { master: heard(rig, 400) } }),
    {
      ...report(held, { state: 'HELD', election: { holdReasons: ['gate-closed'] } }),
      name: 'a-name-of-20-letters',
      vip: '192.168.100.100/24',
    },
    { ...report(silent, { state: 'BACKUP', forMs: 12_000 }), name: 'web' },
    report(new LinkRig(), { state: 'INIT', watched: false, fault: 'bond0: there is none. Add it' }),
  ];
  assert.equal(
    table(instances),
    `NAME  STATE   FOR   VIP              MASTER HEARD  GATE    NOTE
db    BACKUP  2 h   10.9.0.100       10.9.0.20     open
a-name-of-20-letters
      HELD    0 ms  192.168.100.100  -             closed
    no-frames, bond-unseen
web   BACKUP  12 s  10.9.0.100       -             open    no advert heard
db    INIT    0 ms  10.9.0.100       -             -
    bond0: there is none. Add it
`,
  );
});

test('fits 80 columns, whatever is to be noted', () => {
  const doubting = LinkRig.master();
  doubting.facts(undefined);
  const { link } = report(doubting, { state: 'MASTER' });
  const worst = {
    ...report(doubting, {
      state: 'MASTER',
      election: { leaving: 'interface-missing', demoted: true, holdReasons: ['vip-failed'] },
    }),
    name: 'x'.repeat(64),
    vip: '255.255.255.255/32',
    master: { address: '255.255.255.254', advbase: 1, advskew: 0, heardAgoMs: 1 },
    link,
  };
  const text = table([worst, { ...worst, name: 'n'.repeat(16), stateForMs: 59 * 60_000 }]);
  assert.deepEqual(
    text.split('\n').filter((line) => line.length > 80),
    [],
  );
  for (const word of ['leaving: interface-missing', 'demoted', 'vip-failed', 'x'.repeat(64)]) {
    assert.ok(text.includes(word), `${word} is in ${text}`);
  }
});

test('without an instance there is only the head', () => {
  assert.equal(table([]), 'NAME  STATE  FOR  VIP  MASTER HEARD  GATE  NOTE\n');
});
