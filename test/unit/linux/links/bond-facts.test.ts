// Facts of bonds: from messages of real ones, and from messages that say less than they should.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readBond } from '../../../../src/linux/links/bond-facts.ts';
import type { Link, LinkTable } from '../../../../src/linux/links/link-table.ts';
import { readAttributes } from '../../../../src/linux/links/netlink-attributes.ts';
import type { BondFacts, PortFacts } from '../../../../src/readiness/facts.ts';
import { bondTable, bondVectors, tell } from '../../../support/bond-vectors.ts';
import { FakeLinks } from '../../../fakes/link-watch.ts';
import { attribute, u16, u32 } from '../../../support/netlink-message.ts';

const BACKUP_BITS = 0xff & ~0x20;

function bondOf(table: LinkTable, name = 'bond0'): BondFacts {
  const link = table.find(name);
  ok(link?.kind === 'bond', `${name} is a bond`);
  return readBond(link, table);
}

function portOf(table: LinkTable, name: string): PortFacts | undefined {
  return bondOf(table).ports.find((port) => port.name === name);
}

describe('real bonds', () => {
  for (const state of [
    '802.3ad, no partner',
    '802.3ad, forming',
    '802.3ad, formed',
    '802.3ad, LACP expired',
    '802.3ad, LACP defaulted',
    '802.3ad, no carrier',
    'active-backup, up',
    'active-backup, failed over',
    'active-backup, no carrier',
    'balance-xor, up',
  ]) {
    test(`${state}: as iproute2 reads it`, () => {
      const table = bondTable(state);
      const bond = bondOf(table);
      for (const { meaning } of bondVectors(state)) {
        ok(meaning !== undefined, 'the vector says what it means');
        if (meaning.kind === 'bond') {
          const lacp = meaning.data?.mode === '802.3ad';
          equal(bond.mode, meaning.data?.mode);
          const active = bond.ports.find(({ ifindex }) => ifindex === bond.activePort);
          equal(active?.name, meaning.data?.active_slave);
          equal(bond.activeAggregatorId, meaning.data?.ad_info?.aggregator);
          const none = lacp ? '00:00:00:00:00:00' : undefined;
          equal(bond.partnerMac, meaning.data?.ad_info?.partner_mac ?? none);
        } else {
          const slave = meaning.slaveData;
          const actor = slave?.ad_actor_oper_port_state;
          const mask = slave?.state === 'BACKUP' ? BACKUP_BITS : 0xff;
          const link = table.find(meaning.ifname);
          deepEqual(portOf(table, meaning.ifname), {
            name: meaning.ifname,
            ifindex: link?.ifindex,
            losses: link?.carrierDownCount,
            linkUp: slave?.mii_status === 'UP',
            aggregatorId: slave?.ad_aggregator_id,
            actorState: actor === undefined ? undefined : actor & mask,
            partnerState: slave?.ad_partner_oper_port_state,
          });
        }
      }
    });
  }

  test('a cable without carrier keeps its bits; the one that says "in use" is not believed', () => {
    const table = bondTable('802.3ad, formed', '802.3ad, one cable without carrier');
    const [e0, e1] = ['e0', 'e1'].map((name) => table.find(name)?.ifindex);
    const inStep = { aggregatorId: 1, actorState: 63, partnerState: 63 };
    deepEqual(bondOf(table).ports, [
      { ...inStep, name: 'e0', ifindex: e0, linkUp: true, losses: 2 },
      { ...inStep, name: 'e1', ifindex: e1, linkUp: false, losses: 3, actorState: 63 - 32 },
    ]);
  });

  test('a carrier that is gone before the link monitor noticed: no link', () => {
    const table = bondTable('active-backup, up');
    equal(portOf(table, 'e0')?.linkUp, true);
    const [first] = bondVectors('active-backup, active slave lost its carrier');
    ok(first !== undefined, 'the first event of the fail-over');
    tell(table, first);
    const e0 = table.find('e0');
    ok(e0?.slaveData !== undefined, 'e0 is a port of the bond');
    equal(readAttributes(e0.slaveData).get(2)?.[0], 0, 'the link monitor still calls it up');
    equal(portOf(table, 'e0')?.linkUp, false);
  });

  test('the slow rate', () => {
    const table = bondTable('802.3ad, formed', '802.3ad, formed at slow rate');
    const bond = table.find('bond0');
    const master = table.find('e0')?.master;
    ok(bond !== undefined && master !== undefined, 'the bond was made anew for it');
    const [port] = readBond({ ...bond, ifindex: master }, table).ports;
    deepEqual([port?.actorState, port?.partnerState], [61, 61]);
  });
});

describe('bonds of which something can not be read', () => {
  const mode = (value: number): number[] => attribute(1, [value]);
  const LACP = 4;
  const slave = (state: number, mii: number, ...more: number[][]): Uint8Array =>
    Uint8Array.from([...attribute(1, [state]), ...attribute(2, [mii]), ...more.flat()]);
  const lacpPort = [attribute(6, u16(1)), attribute(7, [63]), attribute(8, u16(63))];
  const adInfo = (...parts: number[][]): number[] => attribute(0x8000 | 23, parts.flat());

  /** bond0 with `data`, and e0 as its port with `port`. */
  async function read(
    data: readonly number[] | undefined,
    port: Partial<Link> = {},
  ): Promise<BondFacts> {
    const links = new FakeLinks();
    const bond = links.add('bond0', { kind: 'bond', ...dataOf(data) });
    links.add('e0', { master: bond, slaveKind: 'bond', slaveData: slave(0, 0), ...port });
    links.add('other', { master: bond + 100 });
    links.setUp('e0', true);
    const watch = await links.open({ onChange: () => undefined, onError: () => undefined });
    const link = watch.find('bond0');
    ok(link !== undefined, 'bond0');
    return readBond(link, watch);
  }

  function dataOf(data: readonly number[] | undefined): Partial<Link> {
    return data === undefined ? {} : { data: Uint8Array.from(data) };
  }

  const UNREAD = {
    name: 'e0',
    ifindex: 2,
    linkUp: true,
    aggregatorId: undefined,
    actorState: undefined,
    partnerState: undefined,
  };

  test('no data at all', async () => {
    deepEqual(await read(undefined), {
      kind: 'bond',
      name: 'bond0',
      ifindex: 1,
      mode: undefined,
      activeAggregatorId: undefined,
      partnerMac: undefined,
      activePort: undefined,
      ports: [UNREAD],
    });
  });

  test('every mode, and those that do not exist', async () => {
    const names = ['balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad'];
    for (const [number, name] of [...names, 'balance-tlb', 'balance-alb'].entries()) {
      equal((await read(mode(number))).mode, name);
    }
    equal((await read(mode(7))).mode, undefined);
    equal((await read(mode(255))).mode, undefined);
    equal((await read(attribute(1, [1, 0]))).mode, undefined, 'not of one byte');
  });

  test('no active aggregator: there is no partner', async () => {
    const bond = await read(mode(LACP));
    equal(bond.activeAggregatorId, undefined);
    equal(bond.partnerMac, '00:00:00:00:00:00');
    equal((await read(mode(1))).partnerMac, undefined, 'there is no LACP to have a partner by');
  });

  test('an active aggregator of which the kernel says little or nonsense', async () => {
    const partial = await read([...mode(LACP), ...adInfo(attribute(1, u16(7)))]);
    deepEqual([partial.activeAggregatorId, partial.partnerMac], [7, undefined]);
    const parts = [attribute(1, u32(7)), attribute(5, [2, 0, 0, 0, 0])];
    const nonsense = await read([...mode(LACP), ...adInfo(...parts)]);
    deepEqual([nonsense.activeAggregatorId, nonsense.partnerMac], [undefined, undefined]);
  });

  test('an active slave, none, and nonsense', async () => {
    equal((await read(mode(1))).activePort, 0);
    equal((await read([...mode(1), ...attribute(2, u32(2))])).activePort, 2);
    equal((await read([...mode(1), ...attribute(2, [2])])).activePort, undefined);
  });

  test('LACP states of a port: all, some, none', async () => {
    const full = { slaveData: slave(0, 0, ...lacpPort) };
    deepEqual((await read(mode(LACP), full)).ports, [
      { ...UNREAD, aggregatorId: 1, actorState: 63, partnerState: 63 },
    ]);
    deepEqual((await read(mode(1), full)).ports, [UNREAD], 'not outside 802.3ad');
    const some = { slaveData: slave(0, 0, attribute(7, [63])) };
    deepEqual((await read(mode(LACP), some)).ports, [{ ...UNREAD, actorState: 63 }]);
    deepEqual((await read(mode(LACP))).ports, [UNREAD]);
  });

  test('a port in backup state does not distribute, one of unknown state may', async () => {
    const backup = { slaveData: slave(1, 0, ...lacpPort) };
    equal((await read(mode(LACP), backup)).ports[0]?.actorState, 31);
    const unknown = { slaveData: Uint8Array.from(attribute(7, [63])) };
    equal((await read(mode(LACP), unknown)).ports[0]?.actorState, 63);
  });

  test('the link of a port: up, failing, down, coming back, unknown', async () => {
    const states = [0, 1, 2, 3].map((mii) => read(mode(1), { slaveData: slave(0, mii) }));
    deepEqual(
      (await Promise.all(states)).map(({ ports }) => ports[0]?.linkUp),
      [true, false, false, false],
    );
    const { ports } = await read(mode(1), { slaveData: new Uint8Array() });
    equal(ports[0]?.linkUp, undefined);
  });

  test('the attributes of a port that has another master are not read', async () => {
    const foreign = { slaveKind: 'bridge', slaveData: slave(0, 0, ...lacpPort) };
    deepEqual((await read(mode(LACP), foreign)).ports, [{ ...UNREAD, linkUp: undefined }]);
  });

  test('a bond without ports, and after the last one has left', async () => {
    const links = new FakeLinks();
    const bond = links.add('bond0', { kind: 'bond', data: Uint8Array.from(mode(LACP)) });
    links.add('e0', { master: bond, slaveKind: 'bond' });
    const watch = await links.open({ onChange: () => undefined, onError: () => undefined });
    const ports = (): number => readBond(watch.byIndex(bond) ?? fail(), watch).ports.length;
    equal(ports(), 1);
    links.remove('e0');
    equal(ports(), 0);
  });
});

function fail(): never {
  throw new Error('the bond is gone');
}
