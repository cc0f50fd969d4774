// The screens of `carpd explain` in the situations an operator asks about, compared whole.
// UPDATE=1 rewrites the screens: read the difference before you believe it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { mac } from '../../support/packets.ts';
import { fromMillis, since } from '../../../src/base/time.ts';
import type { Ipv4 } from '../../../src/base/addresses.ts';
import { explainLine, explainText } from '../../../src/report/explain-text.ts';
import type { InstanceReport } from '../../../src/report/report.ts';
import * as rigs from '../../support/readiness-rig.ts';
import { heard, inMs, ip, peerOf, report } from '../../support/reports.ts';

const { LinkRig, LACP, LACP_MISSING, READY_PORT, HOLD, PEER } = rigs;
const FOLDER = new URL('screens/', import.meta.url);
const UPDATE = process.env['UPDATE'] === '1';
const LINES_MAX = 24;
const COLUMNS = 80;
const GATE_CLOSED = { holdReasons: ['gate-closed'] } as const;

/** With who sends adverts that are dropped for their digest, if somebody does. */
function heldForVipInUse(stranger?: Ipv4): InstanceReport {
  const rig = LinkRig.waiting();
  rig.frame();
  rig.pass(2_400);
  rig.answer(rigs.VIP);
  rig.pass(720);
  return report(rig, {
    state: 'HELD',
    from: 'BACKUP',
    cause: 'gate-closed',
    forMs: 120,
    election: GATE_CLOSED,
    ...(stranger === undefined
      ? {}
      : { stranger: { address: stranger, at: since(rig.now, fromMillis(300)) } }),
  });
}

const SCREENS: Readonly<Record<string, () => InstanceReport>> = {
  'held-at-boot-on-a-bond': () => {
    const dark = { ...READY_PORT, name: 'eth1', ifindex: 11, actorState: 0x47, partnerState: 0x01 };
    const facts = rigs.on({ ...LACP, ports: [READY_PORT, dark] });
    const rig = LinkRig.waiting({ targets: [rigs.GATEWAY] }, facts);
    rig.pass(12_300);
    return report(rig, {
      state: 'HELD',
      cause: 'interface-ready',
      forMs: 12_300,
      election: GATE_CLOSED,
    });
  },
  'held-without-lacp': () => {
    const rig = LinkRig.waiting({}, rigs.on(LACP_MISSING));
    rig.advert();
    rig.pass(4_000);
    rig.answer(PEER);
    rig.pass(300);
    const election = { ...GATE_CLOSED, master: heard(rig, 4_300) };
    return report(rig, { state: 'HELD', cause: 'interface-ready', forMs: 4_300, election });
  },
  'held-in-maintenance': () => {
    const rig = LinkRig.waiting();
    rig.frame();
    return report(rig, {
      state: 'HELD',
      from: 'MASTER',
      cause: 'maintenance',
      forMs: 90_000,
      election: { holdReasons: ['maintenance'] },
      maintenance: { since: '2026-11-23T09:41:07.123Z', cause: 'operator' },
      peers: [
        peerOf(rig, ip('10.9.0.20'), 'master', 400),
        peerOf(rig, ip('10.9.0.30'), 'left', 88_000),
      ],
    });
  },
  'held-for-a-vip-in-use': () => heldForVipInUse(),
  backup: () => {
    const rig = LinkRig.waiting();
    rig.pass(1_000);
    rig.advert();
    rig.pass(700);
    const election = { master: heard(rig, 700), masterDownAt: inMs(rig, 2_300) };
    return report(rig, {
      state: 'BACKUP',
      from: 'HELD',
      cause: 'gate-opened',
      forMs: 700,
      election,
    });
  },
  'backup-with-the-address-elsewhere': () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(700);
    const election = { master: heard(rig, 700), masterDownAt: inMs(rig, 2_300) };
    const elsewhere = ['eth2'];
    return report(rig, { state: 'BACKUP', forMs: 700, election, elsewhere });
  },
  'held-for-a-master-with-another-passphrase': () => heldForVipInUse(ip('10.9.0.12')),
  'backup-of-a-silent-master': () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(2_200);
    const election = { master: heard(rig, 2_200), masterDownAt: inMs(rig, 800) };
    return report(rig, {
      state: 'BACKUP',
      from: 'HELD',
      cause: 'gate-opened',
      forMs: 2_200,
      election,
    });
  },
  master: () => {
    const rig = LinkRig.master({}, rigs.on(LACP));
    rig.pass(3_723_000);
    return report(rig, {
      state: 'MASTER',
      from: 'BACKUP',
      cause: 'master-down',
      peer: PEER,
      forMs: 3_700_000,
      election: { term: 2, advertiseAt: inMs(rig, 400) },
    });
  },
  'master-in-doubt': () => {
    const rig = LinkRig.master({}, rigs.on(LACP));
    rig.facts(rigs.on({ ...LACP, partnerMac: mac('02:00:00:00:0b:0b') }));
    rig.pass(2_000);
    return report(rig, {
      state: 'MASTER',
      from: 'BACKUP',
      cause: 'bow-out',
      peer: PEER,
      forMs: 2_500,
      election: { inDoubt: true, effectiveAdvskew: 240, advertiseAt: inMs(rig, 400) },
    });
  },
  'master-without-proof': () => {
    const rig = LinkRig.waiting({ gate: { ...HOLD, policy: 'promote-after' } });
    rig.pass(61_000);
    rig.role('master');
    return report(rig, {
      state: 'MASTER',
      from: 'BACKUP',
      cause: 'master-down',
      forMs: 500,
      config: { gate: { policy: 'promote-after' } },
      election: { advertiseAt: inMs(rig, 400) },
    });
  },
  init: () => {
    const rig = LinkRig.waiting();
    rig.facts(undefined);
    const fault =
      'bond0: the interface does not exist. Create bond0, or correct the name that carpd was given';
    return report(rig, { state: 'INIT', cause: 'interface-missing', forMs: 500, fault });
  },
  'before-anything-is-known': () => report(new LinkRig(), { state: 'INIT', watched: false }),
};

describe('the screen', () => {
  for (const [name, make] of Object.entries(SCREENS)) {
    test(name, () => {
      const file = new URL(`${name}.txt`, FOLDER);
      const text = explainText(make());
      if (UPDATE) writeFileSync(file, text);
      assert.equal(text, readFileSync(file, 'utf8'));
      const lines = text.trimEnd().split('\n');
      assert.deepEqual(
        lines.filter((line) => line.length > COLUMNS || line !== line.trimEnd()),
        [],
        'lines that are too wide, or end with a space',
      );
      assert.ok(lines.length <= LINES_MAX, `${lines.length} lines do not fit one screen`);
    });
  }

  test('names what can not be trusted harmlessly', () => {
    const facts = rigs.on({ ...LACP, ports: [{ ...READY_PORT, name: 'e\u001b[31m' }] });
    const text = explainText(report(LinkRig.waiting({}, facts), { state: 'HELD' }));
    assert.match(text, /e\?\[31m/);
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
  });
});

describe('the line for the log', () => {
  const line = (name: string): string => explainLine(SCREENS[name]!());

  test('says what is missing and what would help', () => {
    assert.equal(
      line('held-at-boot-on-a-bond'),
      'no data frame of another station has come in since the link last changed, 12 s ago; ' +
        'check that the switch port forwards (spanning tree, VLAN), or name probe targets',
    );
  });

  test('is one line whatever the state', () => {
    for (const name of Object.keys(SCREENS)) assert.match(line(name), /^[^\n]+$/);
  });

  test('of a master that steps down says why', () => {
    const leaving = report(LinkRig.master(), {
      state: 'MASTER',
      election: { leaving: 'handover' },
    });
    assert.equal(explainLine(leaving), 'it is stepping down: an operator asked for a handover');
  });
});
