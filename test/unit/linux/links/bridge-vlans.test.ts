// Bridges that filter VLANs: their tables as netlink tells them, and what they make of a frame.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  readTagProtocol,
  readVlanTable,
  type VlanRange,
} from '../../../../src/linux/links/bridge-vlans.ts';
import { LinkTable, type Link } from '../../../../src/linux/links/link-table.ts';
import { readNetlink } from '../../../../src/linux/links/netlink.ts';
import { dumpVlans } from '../../../../src/linux/links/netlink-requests.ts';
import { Layers } from '../../../support/layers.ts';
import { attribute, message, text, u16, u32 } from '../../../support/netlink-message.ts';

const [NEWLINK, MULTI] = [16, 2];
const [AF_BRIDGE, PVID, UNTAGGED, BEGIN, END] = [7, 2, 4, 8, 16];

function entry(vid: number, flags = 0): number[] {
  return attribute(2, [...u16(flags), ...u16(vid)]);
}

function range(
  first: number,
  last = first,
  form: 'tagged' | 'untagged' | 'own' = 'tagged',
): VlanRange {
  return { first, last, pvid: form === 'own', untagged: form !== 'tagged' };
}

describe('the table of a port', () => {
  test('in single entries and ranges', () => {
    const table = [
      ...entry(1, PVID | UNTAGGED),
      ...entry(10, BEGIN),
      ...entry(20, END),
      ...entry(99),
    ];
    deepEqual(readVlanTable(Uint8Array.from(table)), [
      range(1, 1, 'own'),
      range(10, 20),
      range(99),
    ]);
    deepEqual(readVlanTable(Uint8Array.from(entry(5, UNTAGGED))), [range(5, 5, 'untagged')]);
    deepEqual(readVlanTable(new Uint8Array()), []);
  });

  test('is not that of a card that switches by itself, nor of other bytes', () => {
    const self = [...attribute(0, u16(2)), ...entry(7)];
    equal(readVlanTable(Uint8Array.from(self)), undefined);
    deepEqual(readVlanTable(Uint8Array.from([...attribute(2, [1]), ...attribute(9, u32(7))])), []);
  });

  test('is asked for with the mask that brings it', () => {
    const head = [AF_BRIDGE, 0, ...u16(0), ...u32(0), ...u32(0), ...u32(0)];
    deepEqual([...dumpVlans(9)], message(18, [...head, ...attribute(29, u32(4))], 0x301, 9));
  });
});

describe('whether a bridge filters', () => {
  const data = (on: number, protocol?: readonly number[]): Uint8Array =>
    Uint8Array.from([...attribute(7, [on]), ...(protocol ? attribute(8, protocol) : [])]);

  test('by its own word, with the kind of its tags', () => {
    equal(readTagProtocol(undefined), undefined);
    equal(readTagProtocol(new Uint8Array()), undefined);
    equal(readTagProtocol(data(0, [0x81, 0])), undefined);
    equal(readTagProtocol(data(1)), 0x8100);
    equal(readTagProtocol(data(1, [0x88, 0xa8])), 0x88a8);
  });
});

describe('the picture of the interfaces', () => {
  const head = (ifindex: number, family = 0): number[] => [
    ...[family, 0, ...u16(1), ...u32(ifindex), ...u32(0x10043), ...u32(0)],
    ...attribute(3, text(`e${ifindex}`)),
    ...attribute(16, [6]),
  ];
  const bridge = [
    ...head(1),
    ...attribute(18, [...attribute(1, text('bridge')), ...attribute(2, attribute(7, [1]))]),
  ];
  const port = [
    ...[...head(2), ...attribute(10, u32(1))],
    ...attribute(18, [...attribute(4, text('bridge')), ...attribute(5, attribute(1, [3]))]),
  ];
  const told = (ifindex: number, vlans?: readonly number[]): number[] => [
    ...head(ifindex, AF_BRIDGE),
    ...(vlans === undefined ? [] : attribute(26, vlans)),
  ];
  const feed = (table: LinkTable, ...datagrams: readonly number[][]): void => {
    for (const event of readNetlink(Uint8Array.from(datagrams.flat()))) {
      if (event.kind === 'link') table.setLink(event.link);
      if (event.kind === 'port') table.setPort(event.bridgePort, event.dumped);
    }
  };

  test('follows the tables by events and dumps, and keeps them between', () => {
    const table = new LinkTable();
    feed(table, message(NEWLINK, bridge), message(NEWLINK, port));
    equal(table.byIndex(2)?.bridgeVlans, undefined);
    equal(table.filtersVlans(1) && table.filtersVlans(2), true);
    equal(table.filtersVlans(3), false);
    feed(table, message(NEWLINK, told(2, entry(7))), message(NEWLINK, told(1, entry(8))));
    feed(table, message(NEWLINK, port), message(NEWLINK, bridge), message(NEWLINK, told(2)));
    deepEqual(table.byIndex(2)?.bridgeVlans, [range(7)]);
    deepEqual(table.byIndex(1)?.bridgeVlans, [range(8)]);
    feed(table, message(NEWLINK, told(2, [...attribute(0, u16(2)), ...entry(9)])));
    deepEqual(table.byIndex(2)?.bridgeVlans, [range(7)], 'a card has no say in it');
    feed(table, message(NEWLINK, told(2), MULTI));
    deepEqual(table.byIndex(2)?.bridgeVlans, [], 'in a dump nothing means none');
    feed(table, message(NEWLINK, head(2)));
    equal(table.byIndex(2)?.bridgeVlans, undefined, 'it has left the bridge');
  });

  test('knows what the kernel did not tell, until it does', () => {
    const table = new LinkTable();
    feed(table, message(NEWLINK, bridge), message(NEWLINK, port), message(NEWLINK, head(3)));
    feed(table, message(NEWLINK, told(1, entry(8))));
    deepEqual(table.endVlanDump(), [{ name: 'e2', ifindex: 2 }]);
    deepEqual(
      [1, 2, 3].map((ifindex) => table.byIndex(ifindex)?.bridgeVlans),
      [[range(8)], 'unread', undefined],
    );
    feed(table, message(NEWLINK, port), message(NEWLINK, told(2)));
    equal(table.byIndex(2)?.bridgeVlans, 'unread');
    deepEqual(table.endVlanDump(), [], 'told once');
    feed(table, message(NEWLINK, told(2, entry(7))));
    deepEqual(table.byIndex(2)?.bridgeVlans, [range(7)]);
  });
});

describe('a frame for the host, on a port', () => {
  /** br0 on eth0, and br0.100 on br0; the tables are given. */
  async function seen(
    name: string,
    own: Link['bridgeVlans'],
    port: Link['bridgeVlans'],
    protocol = 0x8100,
  ): Promise<string> {
    const host = new Layers().add('br0', 'bridge').add('eth0', undefined, { in: 'br0' });
    host.vlan('br0.100', 100, { on: 'br0' }).vlan('br0.100.5', 5, { on: 'br0.100' });
    host.links.set('br0', { tagProtocol: protocol, ...(own && { bridgeVlans: own }) });
    if (port !== undefined) host.links.set('eth0', { bridgeVlans: port });
    const { uplinks, facts, filtersVlans } = await host.resolve(name);
    equal(filtersVlans, true);
    const [uplink] = uplinks;
    if (uplink === undefined) return facts?.carrier === undefined ? 'unknown' : 'none';
    equal(facts?.carrier, true);
    if (uplink.above !== undefined) return ['on', uplink.above.name, ...uplink.vlans].join(' ');
    return ['tags', ...uplink.vlans].join(' ');
  }

  const pvid100 = [range(100, 100, 'own')];
  for (const [what, name, own, port, expected] of [
    [
      'of its own pvid, tagged on the port',
      'br0',
      pvid100,
      [range(1, 1, 'own'), range(100)],
      'tags 100',
    ],
    ['of its own pvid, untagged on the port', 'br0', pvid100, pvid100, 'tags'],
    ['of its own pvid, in a range', 'br0', pvid100, [range(2, 4094)], 'tags 100'],
    ['of its own pvid, which the port lacks', 'br0', pvid100, [range(1, 1, 'own')], 'none'],
    [
      'of its own pvid, tagged at the host',
      'br0',
      [{ ...range(100), pvid: true }],
      pvid100,
      'none',
    ],
    ['with no pvid of its own', 'br0', [range(100)], [range(100)], 'none'],
    ['of a VLAN, tagged', 'br0.100', [range(1, 1, 'own'), range(100)], [range(100)], 'tags 100'],
    ['of a VLAN, untagged on the port', 'br0.100', [range(100)], pvid100, 'tags'],
    ['of a VLAN that the host lacks', 'br0.100', [range(1, 1, 'own')], [range(100)], 'none'],
    ['of a VLAN that the host has without its tag', 'br0.100', pvid100, [range(100)], 'none'],
    ['of a VLAN in a VLAN', 'br0.100.5', [range(100)], [range(100)], 'tags 100 5'],
    ['of a VLAN in one that is untagged on the port', 'br0.100.5', [range(100)], pvid100, 'tags 5'],
    ['of a table that is not known', 'br0', pvid100, undefined, 'unknown'],
    ['of an own table that is not known', 'br0', undefined, pvid100, 'unknown'],
    ['of a table that is refused', 'br0', pvid100, 'unread', 'on br0'],
    ['of an own table that is refused', 'br0', 'unread', pvid100, 'on br0'],
    ['of a refused and an unknown table', 'br0', 'unread', undefined, 'unknown'],
    ['of a VLAN, of tables that are refused', 'br0.100', 'unread', 'unread', 'on br0 100'],
    ['of a VLAN in a VLAN, of the same', 'br0.100.5', 'unread', 'unread', 'on br0 100 5'],
  ] as const) {
    test(`${what}: ${expected}`, async () => equal(await seen(name, own, port), expected));
  }

  test('of tables that are refused: as deep as its port leads, while that forwards', async () => {
    const host = new Layers()
      .add('br0', 'bridge')
      .bond('bond0')
      .add('eth0', undefined, { in: 'br0' });
    host.vlan('bond0.5', 5, { on: 'bond0', in: 'br0' });
    for (const name of ['eth0', 'bond0.5', 'br0']) host.links.set(name, { bridgeVlans: 'unread' });
    host.links.set('br0', { tagProtocol: 0x8100 });
    const above = host.index('br0');
    const { facts } = await host.resolve('br0');
    deepEqual(facts?.uplinks, [
      { ifindex: host.index('eth0'), vlans: [], above },
      { ifindex: host.index('bond0.5'), vlans: [], above },
    ]);
    deepEqual([facts.carrier, facts.lower.kind], [true, 'bond'], 'its LACP still counts');
    host.links.set('eth0', { forwards: false });
    host.links.setUp('bond0', false);
    const blocked = await host.resolve('br0');
    deepEqual([blocked.facts?.carrier, blocked.facts?.uplinkFault], [false, 'uplink-blocked']);
  });

  test('below MACsec: nothing tells them, on whatever interface', async () => {
    const host = new Layers().add('br0', 'bridge').add('eth0', undefined, { in: 'br0' });
    host.add('sec0', 'macsec', { on: 'br0' });
    host.links.set('br0', { tagProtocol: 0x8100, bridgeVlans: 'unread' });
    deepEqual((await host.resolve('sec0')).uplinks, [
      { ifindex: host.index('sec0'), name: 'sec0', vlans: [] },
    ]);
  });

  test('with a tag of another protocol: payload of the own pvid', async () => {
    equal(await seen('br0.100', [range(3, 3, 'own')], [range(3)], 0x88a8), 'tags 3 100');
    equal(await seen('br0.100', [range(100)], [range(100)], 0x88a8), 'none');
  });
});
