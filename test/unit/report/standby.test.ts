// What reports say of those that may take over from a master, of an address that is on a node that
// is none, and of what decides.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromMillis, since } from '../../../src/base/time.ts';
import { explainText } from '../../../src/report/explain-text.ts';
import { nextText } from '../../../src/report/next-text.ts';
import { noteText, statusText } from '../../../src/report/status-text.ts';
import { LinkRig } from '../../support/readiness-rig.ts';
import { heard, ip, report, type Situation } from '../../support/reports.ts';

test('a report names those that may take over, and whether they answer', () => {
  const rig = LinkRig.master();
  const standbys = [
    { address: ip('10.9.0.20'), answers: true, since: rig.now },
    { address: ip('10.9.0.30'), answers: false, since: since(rig.now, fromMillis(12_000)) },
  ];
  const both = report(rig, { state: 'MASTER', standbys });
  assert.deepEqual(both.standby, [
    { address: '10.9.0.20', answers: true, forMs: 0 },
    { address: '10.9.0.30', answers: false, forMs: 12_000 },
  ]);
  const words = 'standby: 10.9.0.20 answers, 10.9.0.30 silent for 12 s';
  assert.ok(statusText({ pid: 1, config: null, reload: null, instances: [both] }).includes(words));
  assert.equal(noteText(both), '');
  const alone = report(rig, { state: 'MASTER', standbys: standbys.slice(1) });
  assert.equal(noteText(alone), 'no standby answers');
  assert.match(
    explainText(alone),
    /standby +10\.9\.0\.30 silent for 12 s[^]*no standby answers ARP/,
  );
});

test('a backup that has the address says so', () => {
  const rig = LinkRig.waiting();
  rig.advert();
  const has = report(rig, { state: 'BACKUP', vipPresent: true });
  assert.equal(noteText(has), 'has the VIP though it is not master');
  assert.match(
    explainText(has),
    /Warnings:\n- 10\.9\.0\.100 is on bond0 though this node is BACKUP/,
  );
});

test('names of trouble and sentences stand apart, and a missing interface has one of them', () => {
  const rig = LinkRig.waiting();
  const held = report(rig, { state: 'HELD', elsewhere: ['eth1'] });
  assert.equal(noteText(held), 'no-frames; VIP also on eth1 of this host');
  const missing = report(new LinkRig(), {
    state: 'INIT',
    watched: false,
    fault: 'bond0: there is none',
    election: { holdReasons: ['gate-closed', 'carrier-lost'] },
  });
  assert.equal(noteText(missing), 'bond0: there is none');
});

test('a better node that preempts says that it takes over, unless it was told to leave', () => {
  const rig = LinkRig.waiting();
  rig.advert();
  const master = { ...heard(rig, 1), advskew: 100 };
  const waiting = { state: 'BACKUP', config: { preempt: true }, election: { master } } as const;
  const next = (more: Partial<Situation>): string => nextText(report(rig, { ...waiting, ...more }));
  assert.match(
    next({}),
    /^takes over from 10\.9\.0\.20, which bids less, once 10\.9\.0\.20 answers/,
  );
  assert.match(next({ from: 'MASTER', cause: 'handover' }), /^follows the master/);
  assert.match(next({ election: { master: heard(rig, 1) } }), /^follows the master/);
});
