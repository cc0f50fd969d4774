// Holds docs/control.md equal to the code: routes, reasons, roles, and every key of the answers;
// and the table that docs/operating.md shows to one that carpd prints.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { mac } from '../../support/packets.ts';
import { ROUTES } from '../../../src/control/routes.ts';
import { ORDER_REASONS, type OrderResult } from '../../../src/events/catalogue/order-result.ts';
import { PEER_ROLES } from '../../../src/election/peers-heard.ts';
import { statusText } from '../../../src/report/status-text.ts';
import { jsonShapes } from '../../support/json-shapes.ts';
import * as rigs from '../../support/readiness-rig.ts';
import { heard, inMs, peerOf, report, ip } from '../../support/reports.ts';
import { tableBelow } from './tables.ts';

const { LinkRig, LACP, READY_PORT } = rigs;
const text = readFileSync('docs/control.md', 'utf8');
const operating = readFileSync('docs/operating.md', 'utf8');

/** Reports in which every key that can have a value has one somewhere. */
function reports(): readonly unknown[] {
  const dark = { ...READY_PORT, name: 'eth1', actorState: 0x47, partnerState: 0x01 };
  const held = LinkRig.waiting({}, rigs.on({ ...LACP, ports: [READY_PORT, dark] }));
  const unseen = LinkRig.waiting(
    { gate: { ...rigs.HOLD, policy: 'promote-after' } },
    { ...rigs.PLAIN, lower: { kind: 'unseen' } },
  );
  const backup = LinkRig.waiting();
  backup.advert();
  const fallback = LinkRig.waiting({}, rigs.on(rigs.LACP_MISSING));
  fallback.advert();
  fallback.pass(4_000);
  fallback.answer(rigs.PEER);
  const doubting = LinkRig.master({}, rigs.on(LACP));
  doubting.facts(rigs.on({ ...LACP, partnerMac: mac('02:00:00:00:0b:0b') }));
  const proved = LinkRig.master({}, rigs.on(LACP));
  proved.pass(10_000);
  proved.facts(rigs.on({ ...LACP, partnerMac: mac('02:00:00:00:0b:0b') }));
  proved.frame();
  const rivalled = LinkRig.waiting();
  rivalled.frame();
  rivalled.pass(600);
  rivalled.answer(rigs.VIP);
  return [
    report(held, {
      state: 'HELD',
      cause: 'interface-ready',
      peer: rigs.PEER,
      election: { holdReasons: ['gate-closed'] },
      maintenance: { since: '2026-11-23T09:41:07.123Z', cause: 'operator' },
      peers: [peerOf(held, rigs.PEER, 'master', 400)],
      stranger: { address: ip('10.9.0.12'), at: held.now },
    }),
    report(unseen, { state: 'HELD' }),
    report(fallback, { state: 'HELD' }),
    report(backup, {
      state: 'BACKUP',
      election: { master: heard(backup, 1), masterDownAt: inMs(backup, 1) },
    }),
    report(doubting, {
      state: 'MASTER',
      standbys: [true, undefined].map((answers) => ({
        ...{ address: rigs.PEER, since: doubting.now },
        answers,
      })),
      election: { leaving: 'handover', advertiseAt: inMs(doubting, 1) },
    }),
    report(proved, { state: 'MASTER' }),
    report(rivalled, { state: 'HELD' }),
    report(new LinkRig(), { state: 'INIT', watched: false, fault: 'bond0: there is none' }),
  ];
}

const RESULT: OrderResult = {
  name: 'db',
  outcome: 'done',
  reason: 'handed-over',
  message: 'a sentence',
  state: 'BACKUP',
  master: '10.9.0.20',
  afterMs: 340,
  maintenance: false,
};

/** Key and types of each row. */
function documented(heading: string): ReadonlyMap<string, readonly string[]> {
  const rows = tableBelow(text, heading);
  return new Map(rows.map(([key = '', types = '']) => [key, types.split(' or ')]));
}

function compare(heading: string, values: readonly unknown[]): void {
  const rows = documented(heading);
  const shapes = jsonShapes(values);
  assert.deepEqual([...rows.keys()].sort(), [...shapes.keys()].sort());
  for (const [key, types] of shapes) {
    const allowed = rows.get(key) ?? [];
    const others = [...types].filter((type) => !allowed.includes(type));
    assert.deepEqual(others, [], `${key} is ${allowed.join(' or ')}`);
    const values = allowed.filter((type) => type !== 'null');
    assert.ok(
      values.every((type) => types.has(type)),
      `${key} is ${values.join()} in no report`,
    );
  }
}

describe('docs/control.md', () => {
  test('lists the routes', () => {
    const paths = ROUTES.map(({ method, path }) => `${method} ${path}`);
    const rows = [...documented('## Routes').keys()].map((route) => route.replace('NAME', ''));
    assert.deepEqual(rows, paths);
  });

  test('lists the reasons of an outcome', () => {
    const reasons = Object.entries(ORDER_REASONS);
    const expected = reasons.map(([name, { outcome, meaning }]) => [name, outcome, meaning]);
    assert.deepEqual(tableBelow(text, '## Reasons'), expected);
  });

  test('lists the roles of a peer', () => {
    assert.deepEqual(tableBelow(text, '## Roles of a peer'), Object.entries(PEER_ROLES));
  });

  test('lists every key of a report, with its types', () => compare('## Reports', reports()));

  test('lists every key of a result, with its types', () => {
    compare('## Results', [RESULT, { ...RESULT, master: null, afterMs: null }]);
  });
});

describe('docs/operating.md', () => {
  test('shows a table that carpd prints', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(400);
    const shown = report(rig, {
      state: 'BACKUP',
      forMs: 7_900_000,
      election: { master: heard(rig, 400), masterDownAt: inMs(rig, 2_600) },
      peers: [
        peerOf(rig, ip('10.9.0.20'), 'master', 400),
        peerOf(rig, ip('10.9.0.30'), 'left', 345_600_000),
      ],
    });
    const table = statusText({ pid: 1, config: null, reload: null, instances: [shown] });
    assert.ok(operating.includes(`\`\`\`text\n${table}\`\`\``), table);
  });
});
