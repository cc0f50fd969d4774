// The facts of real bonds and of what stands on them, as they change. Needs root and bonding.
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BondFacts, PortFacts } from '../../src/readiness/facts.ts';
import { judgeBond } from '../../src/readiness/lacp.ts';
import { Lab } from '../../lab/namespaces.ts';
import { FactsReader, type FactsLine } from './facts-line.ts';
import { bondSkipReason } from './native.ts';
import { addBondHost } from './topology.ts';

const NO_PARTNER = '00:00:00:00:00:00';

function bondOf({ facts }: FactsLine): BondFacts | undefined {
  return facts?.lower.kind === 'bond' ? facts.lower : undefined;
}

/** What the gate would say of the bond. */
function verdict(line: FactsLine): string {
  const bond = bondOf(line);
  return bond === undefined ? 'no bond' : judgeBond(bond).status;
}

function linkUp(line: FactsLine, port: 0 | 1): boolean {
  return bondOf(line)?.ports.at(port)?.linkUp === true;
}

/** The name of the active slave; undefined: there is none. */
function activePort(line: FactsLine): string | undefined {
  const bond = bondOf(line);
  return bond?.ports.find(({ ifindex }) => ifindex === bond.activePort)?.name;
}

function allPorts(line: FactsLine, wanted: (port: PortFacts) => boolean): boolean {
  return bondOf(line)?.ports.every(wanted) === true;
}

describe('facts of real bonds', { skip: await bondSkipReason() }, () => {
  test('802.3ad: no partner, formed, one cable, none', async (t) => {
    const lab = await Lab.create(t);
    const host = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad', formed: false });
    const reader = new FactsReader(host, ['bond0']);
    const alone = await reader.until('bond0', 'carrier', ({ facts }) => facts?.carrier === true);
    deepEqual([bondOf(alone)?.mode, bondOf(alone)?.partnerMac], ['802.3ad', NO_PARTNER]);
    equal(verdict(alone), 'not-met');
    await host.switchSide.form();
    const formed = await reader.until('bond0', 'both ports formed', (line) =>
      allPorts(line, (port) => port.actorState === 63 && port.partnerState === 63),
    );
    equal(verdict(formed), 'met');
    notEqual(bondOf(formed)?.partnerMac, NO_PARTNER);
    const aggregator = bondOf(formed)?.activeAggregatorId;
    ok(aggregator !== undefined, 'there is an active aggregator');
    const common = { linkUp: true, aggregatorId: aggregator, actorState: 63, partnerState: 63 };
    deepEqual(
      bondOf(formed)?.ports.map(({ ifindex, losses, ...port }) => ({
        ...port,
        counted: ifindex > 0 && losses !== undefined,
      })),
      ['cable0', 'cable1'].map((name) => ({ ...common, name, counted: true })),
    );
    ok(
      reader.lines.some(({ by }) => by === 'ask'),
      'something changed that was learned by asking only',
    );
    const before = formed.facts?.carrierLosses;
    await host.switchSide.cableDown(0);
    const one = await reader.until('bond0', 'one cable', (line) => !linkUp(line, 0));
    equal(verdict(one), 'met');
    await host.switchSide.cableDown(1);
    const none = await reader.until('bond0', 'loss', ({ facts }) => facts?.carrier === false);
    equal(verdict(none), 'not-met');
    ok((none.facts?.carrierLosses ?? 0) > (before ?? 0), 'a loss was counted');
  });

  test('active-backup: the active slave, and whether it has link', async (t) => {
    const lab = await Lab.create(t);
    const host = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: 'active-backup' });
    const reader = new FactsReader(host, ['bond0']);
    const first = await reader.until('bond0', 'both links', (line) => verdict(line) === 'met');
    deepEqual([bondOf(first)?.mode, activePort(first)], ['active-backup', 'cable0']);
    await host.switchSide.cableDown(0);
    const second = await reader.until(
      'bond0',
      'fail-over',
      (line) => activePort(line) === 'cable1',
    );
    deepEqual([linkUp(second, 0), linkUp(second, 1)], [false, true]);
    equal(second.facts?.carrier, true);
    await host.switchSide.cableDown(1);
    const none = await reader.until('bond0', 'loss', (line) => bondOf(line)?.activePort === 0);
    equal(verdict(none), 'not-met');
    await host.ip('link', 'set', 'cable1', 'nomaster');
    await reader.until('bond0', 'one port', (line) => bondOf(line)?.ports.length === 1);
    await host.ip('link', 'set', 'cable0', 'nomaster');
    await reader.until('bond0', 'no port', (line) => bondOf(line)?.ports.length === 0);
    await host.ip('link', 'set', 'bond0', 'down');
    await host.ip('link', 'set', 'bond0', 'type', 'bond', 'mode', 'balance-rr');
    await reader.until('bond0', 'another mode', (line) => bondOf(line)?.mode === 'balance-rr');
  });

  test('balance-xor: ports with link, and no LACP', async (t) => {
    const lab = await Lab.create(t);
    const host = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: 'balance-xor' });
    const reader = new FactsReader(host, ['bond0']);
    const up = await reader.until('bond0', 'links', (line) => linkUp(line, 0) && linkUp(line, 1));
    equal(bondOf(up)?.mode, 'balance-xor');
    deepEqual([bondOf(up)?.partnerMac, bondOf(up)?.activeAggregatorId], [undefined, undefined]);
    await host.switchSide.cableDown(0);
    const one = await reader.until('bond0', 'one cable', (line) => !linkUp(line, 0));
    equal(verdict(one), 'met');
  });

  test('what stands on a bond or on a team device', async (t) => {
    const lab = await Lab.create(t);
    const host = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad' });
    for (const words of [
      'link add link bond0 name v5 type vlan id 5',
      'link add link v5 name v5.7 type vlan id 7',
      'link add link v5.7 name mac0 type macvlan',
      'link add br5 type bridge',
      'link set v5 master br5',
      'link add guest type veth peer name inside',
      'link set guest master br5',
      'link add link br5 name br5.9 type vlan id 9',
      'link add team0 type team',
      'link set team0 up',
    ]) {
      await host.ip(...words.split(' '));
    }
    for (const name of ['v5', 'v5.7', 'mac0', 'br5', 'br5.9'])
      await host.ip('link', 'set', name, 'up');
    const expected = { 'v5.7': [5, 7], mac0: [5, 7], br5: [5], 'br5.9': [5, 9] };
    const reader = new FactsReader(host, [...Object.keys(expected), 'team0']);
    for (const [name, vlans] of Object.entries(expected)) {
      const line = await reader.until(name, 'LACP', (one) => verdict(one) === 'met');
      const uplinks = line.uplinks.map((uplink) => [uplink.name, uplink.vlans]);
      deepEqual([uplinks, line.faults], [[['bond0', vlans]], []], name);
      await reader.until(name, 'carrier', ({ facts }) => facts?.carrier === true);
    }
    const team = await reader.until('team0', 'facts', ({ facts }) => facts !== undefined);
    const { facts } = team;
    deepEqual(facts?.lower, { kind: 'team', name: 'team0', ifindex: facts?.ifindex });
    await host.ip('link', 'set', 'bond0', 'down');
    for (const name of Object.keys(expected)) {
      await reader.until(name, 'no carrier', ({ facts }) => facts?.carrier === false);
    }
  });
});
