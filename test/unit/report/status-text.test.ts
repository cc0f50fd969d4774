// The table of `carpd status`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextText } from '../../../src/report/next-text.ts';
import { statusText } from '../../../src/report/status-text.ts';
import type { InstanceReport } from '../../../src/report/report.ts';
import { HOLD, LACP, LinkRig, on, PLAIN, READY_PORT } from '../../support/readiness-rig.ts';
import { heard, inMs, ip, peerOf, report, type Situation } from '../../support/reports.ts';

const rig = LinkRig.waiting();
rig.advert();
rig.pass(400);
const held = LinkRig.waiting({}, { ...PLAIN, lower: { kind: 'unseen' } });
const silent = LinkRig.waiting();
silent.advert();
silent.pass(5_000);

const HELD = { state: 'HELD' } as const;

const table = (instances: readonly InstanceReport[]): string =>
  statusText({ pid: 1, config: null, reload: null, instances });

test('a row for each instance, notes by their names, its peers, and each link once', () => {
  const follows = {
    election: { master: heard(rig, 400), masterDownAt: inMs(rig, 2_600) },
    peers: [
      peerOf(rig, ip('10.9.0.20'), 'master', 400),
      peerOf(rig, ip('10.9.0.30'), 'left', 345_600_000),
    ],
  };
  const instances = [
    report(rig, { state: 'BACKUP', forMs: 7_900_000, ...follows }),
    {
      ...report(held, { state: 'HELD', election: { holdReasons: ['gate-closed'] } }),
      name: 'a-name-of-20-letters',
      interface: 'bond1',
      vip: '192.168.100.100/24',
    },
    { ...report(silent, { state: 'BACKUP', forMs: 12_000 }), name: 'web' },
    report(new LinkRig(), { state: 'INIT', watched: false, fault: 'bond0: there is none. Add it' }),
  ];
  assert.equal(
    table(instances),
    `NAME  STATE   FOR  VIP              MASTER HEARD  GATE    NOTE
db    BACKUP  2h   10.9.0.100       10.9.0.20     open
    next  promotes in 2.6 s if 10.9.0.20 falls silent
    peer  10.9.0.20 master, advbase 1 advskew 0, heard 400ms ago
    peer  10.9.0.30 left: it stepped down 4d ago
a-name-of-20-letters
      HELD    0ms  192.168.100.100  -             closed  no-frames, bond-unseen
    next  held: no-frames
web   BACKUP  12s  10.9.0.100       -             open    no advert heard
    next  follows the master that it hears
db    INIT    0ms  10.9.0.100       -             -
    bond0: there is none. Add it
    next  takes part as soon as bond0 is usable

LINK   READY  EPOCH  CONDITIONS
bond0  yes    400ms  carrier proved, frames proved
    proof advert from 10.9.0.20, 400ms ago
bond1  no     0ms    carrier proved, frames MISSING
`,
  );
});

test('a virtual IP that another interface of this host has as well', () => {
  const text = table([report(rig, { state: 'BACKUP', elsewhere: ['eth2', 'lo'] })]);
  assert.match(text, /VIP also on eth2 and lo of this host/);
});

test('the ports of a bond', () => {
  const dark = { ...READY_PORT, name: 'eth1', ifindex: 11, actorState: 0x47, partnerState: 0x01 };
  const bond = LinkRig.waiting({}, on({ ...LACP, ports: [READY_PORT, dark] }));
  const text = table([report(bond, { state: 'HELD' })]);
  assert.match(
    text,
    /^bond0 {2}no .* lacp proved, frames MISSING\n {4}ports eth0 ready, eth1 def/m,
  );
});

test('what would happen next, in every state', () => {
  const next = (situation: Situation, of = rig): string => nextText(report(of, situation));
  const due = { masterDownAt: inMs(rig, 2_100) };
  assert.deepEqual(
    [
      next({ state: 'BACKUP', election: due }),
      next({ state: 'BACKUP', election: { ...due, master: heard(silent, 5_000) } }, silent),
      next({ state: 'MASTER', election: { advertiseAt: inMs(rig, 400) } }),
      next({ state: 'MASTER', election: { leaving: 'handover' } }),
      next({ state: 'HELD', election: { holdReasons: ['vip-failed'] } }),
      next({
        state: 'HELD',
        election: { holdReasons: ['maintenance'] },
        maintenance: { since: '2026-11-23T09:41:07Z', cause: 'operator' },
      }),
      next({ state: 'HELD' }),
    ],
    [
      'promotes in 2.1 s if no master is heard',
      'promotes in 0 ms if 10.9.0.20 stays silent',
      'stays master: advertises in 400 ms, yields to a better master',
      'steps down: an operator asked for a handover',
      'held: vip-failed',
      'held: maintenance until carpd maintenance off db',
      'held: carpd is still judging its link',
    ],
  );
  const limited = LinkRig.waiting({ gate: { ...HOLD, policy: 'promote-after' } });
  limited.pass(48_000);
  assert.match(
    next({ state: 'HELD', election: { holdReasons: ['gate-closed'] } }, limited),
    /^held: no-frames, opens without proof in 12 s$/,
  );
});

test('colours the states, and nothing else', () => {
  const all = {
    pid: 1,
    config: null,
    reload: null,
    instances: [report(rig, { state: 'MASTER' }), report(held, HELD)],
  };
  const coloured = statusText(all, { colour: true });
  assert.match(coloured, /^db {4}\u001b\[32mMASTER\u001b\[0m /m);
  assert.match(coloured, /^db {4}\u001b\[33mHELD\u001b\[0m {4}/m);
  assert.match(coloured, /^bond0 {2}\u001b\[32myes\u001b\[0m {4}/m);
  assert.equal(coloured.replaceAll(/\u001b\[\d+m/g, ''), statusText(all));
});

test('fits 80 columns, whatever is to be noted', () => {
  const doubting = LinkRig.master();
  doubting.facts(undefined);
  const { link } = report(doubting, { state: 'MASTER' });
  const worst = {
    ...report(doubting, {
      state: 'MASTER',
      election: { leaving: 'interface-missing', demoted: true, holdReasons: ['vip-failed'] },
      peers: Array.from({ length: 16 }, () => peerOf(doubting, ip('255.255.255.254'), 'master', 1)),
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

const many: readonly InstanceReport[] = Array.from({ length: 14 }, (_, index) => ({
  ...report(rig, { state: index === 5 ? 'HELD' : index < 4 ? 'MASTER' : 'BACKUP' }),
  name: `db${index}`,
}));

test('many instances: those in trouble have a line each, and the healthy ones are counted', () => {
  const [head, first, rest] = table(many).split('\n');
  assert.match(head ?? '', /^NAME +STATE/);
  assert.match(first ?? '', /^db5 +HELD/);
  assert.match(rest ?? '', /^13 healthy: 4 MASTER, 9 BACKUP; carpd status --all lists them,/);
  assert.doesNotMatch(table(many), /next {2}|peer {2}/);
});

test('many instances, all of them: trouble first, one line each', () => {
  const lines = statusText(
    { pid: 1, config: null, reload: null, instances: many },
    { all: true },
  ).split('\n');
  assert.match(lines[1] ?? '', /^db5 +HELD/);
  const named = lines.filter((line) => line.startsWith('db'));
  assert.equal(named.length, 14);
});

test('many instances that are all well are one line', () => {
  const well = many.filter(({ state }) => state !== 'HELD');
  assert.match(table(well), /^13 healthy: 4 MASTER, 9 BACKUP;/);
});

test('a reload that was refused stands ahead of everything', () => {
  const reasons = ['/etc/carpd/carpd.yaml: instances.db.vhid: 300 is not a whole number 1-255'];
  const status = { pid: 1, config: null, instances: [] };
  const text = statusText({ ...status, reload: { outcome: 'refused', agoMs: 65_000, reasons } });
  assert.match(
    text,
    /^RELOAD REFUSED .* ago: the older configuration is in force\.\n {4}\/etc\/carpd/,
  );
  assert.match(text, /\n {4}Correct that, and run: carpd reload\n/);
  const good = statusText({ ...status, reload: { outcome: 'applied', agoMs: 0, reasons: [] } });
  assert.equal(good, statusText({ ...status, reload: null }));
});
