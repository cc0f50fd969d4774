// Netlink messages: written by hand and read back, and any bytes at all.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LinkTable } from '../../../../src/linux/links/link-table.ts';
import { readNetlink } from '../../../../src/linux/links/netlink.ts';
import {
  readAttributes,
  readMacAttribute,
  readUnsigned,
} from '../../../../src/linux/links/netlink-attributes.ts';
import {
  dumpAddresses,
  dumpLinks,
  requestLinks,
  setLinkConf,
} from '../../../../src/linux/links/netlink-requests.ts';
import { attribute, message, text, u16, u32 } from '../../../support/netlink-message.ts';

const [NEWLINK, DELLINK, NEWADDR, DELADDR] = [16, 17, 20, 21];

function link(ifindex: number, name: string, more: readonly number[] = [], family = 0): number[] {
  const head = [family, 0, ...u16(1), ...u32(ifindex), ...u32(0x10043), ...u32(0)];
  return [...head, ...attribute(3, text(name)), ...attribute(16, [6]), ...more];
}

function address(ifindex: number, octets: readonly number[], prefix = 24, flags = 0): number[] {
  return [2, prefix, flags, 0, ...u32(ifindex), ...attribute(1, octets), ...attribute(2, octets)];
}

function read(...messages: readonly number[][]): ReturnType<typeof readNetlink> {
  return readNetlink(Uint8Array.from(messages.flat()));
}

/** Feeds a table as the link watch does. */
function feed(table: LinkTable, datagram: Uint8Array): void {
  for (const event of readNetlink(datagram)) {
    if (event.kind === 'link') table.setLink(event.link);
    if (event.kind === 'port') table.setPort(event.bridgePort, event.dumped);
    if (event.kind === 'link-gone') table.removeLink(event.link.ifindex);
    if (event.kind === 'address') table.setAddress(event.address, event.dumped);
    if (event.kind === 'address-gone') table.removeAddress(event.address);
  }
}

describe('netlink messages', () => {
  test('a link with everything carpd reads', () => {
    const info = [
      ...attribute(1, text('bond')),
      ...attribute(2, [1, 2, 3]),
      ...attribute(4, text('bridge')),
      ...attribute(0x8000 | 5, attribute(1, [3])),
    ];
    const more = [
      ...attribute(1, [2, 0, 0, 0, 0, 0xab]),
      ...attribute(5, u32(4)),
      ...attribute(10, u32(7)),
      ...attribute(0x8000 | 18, info),
      ...attribute(33, [1]),
      ...attribute(48, u32(12)),
      ...attribute(0x8000 | 52, [...attribute(53, text('enp6s18')), ...attribute(53, text('wan'))]),
    ];
    const [event] = read(message(NEWLINK, link(3, 'bond0', more), 2, 77));
    deepEqual(event, {
      kind: 'link',
      sequence: 77,
      port: 0,
      dumped: true,
      interrupted: false,
      link: {
        ifindex: 3,
        type: 1,
        flags: 0x10043,
        name: 'bond0',
        altNames: ['enp6s18', 'wan'],
        mac: '02:00:00:00:00:ab',
        master: 7,
        link: 4,
        linkElsewhere: false,
        operstate: 6,
        carrier: true,
        carrierDownCount: 12,
        kind: 'bond',
        data: Uint8Array.of(1, 2, 3),
        slaveKind: 'bridge',
        slaveData: Uint8Array.from(attribute(1, [3])),
        portState: 3,
        tagProtocol: undefined,
      },
    });
  });

  test('an address: its own end, its peer, and 32 bits of flags', () => {
    const body = [2, 32, 0, 253, ...u32(5), ...attribute(1, [10, 0, 0, 2])];
    const more = [...attribute(2, [10, 0, 0, 1]), ...attribute(3, text('eth0:1'))];
    const [event] = read(message(DELADDR, [...body, ...more, ...attribute(8, u32(0x201))]));
    ok(event?.kind === 'address-gone');
    deepEqual(event.address, {
      ifindex: 5,
      address: '10.0.0.1',
      peer: '10.0.0.2',
      prefixLength: 32,
      scope: 253,
      flags: 0x201,
      label: 'eth0:1',
      broadcast: undefined,
      validS: undefined,
      preferredS: undefined,
      metric: undefined,
    });
  });

  test('a setting of an interface, as it is asked for', () => {
    const asked = setLinkConf(7, 20, 1);
    const inner = attribute(26, attribute(2, attribute(1, attribute(20, u32(1)))));
    const head = [0, 0, ...u16(0), ...u32(7), ...u32(0), ...u32(0)];
    deepEqual([...asked], message(19, [...head, ...inner], 5, 0));
  });

  test('an address: all that it takes to make it anew', () => {
    const lifetimes = [...u32(90), ...u32(120), ...u32(1), ...u32(2)];
    const more = [...attribute(4, [10, 0, 0, 255]), ...attribute(6, lifetimes)];
    const body = [...address(5, [10, 0, 0, 1]), ...more, ...attribute(9, u32(50))];
    const [event] = read(message(NEWADDR, body));
    ok(event?.kind === 'address');
    const { broadcast, validS, preferredS, metric } = event.address;
    deepEqual([broadcast, validS, preferredS, metric], ['10.0.0.255', 120, 90, 50]);
    const endless = attribute(6, [...u32(0xffffffff), ...u32(0xffffffff), ...u32(1), ...u32(2)]);
    const [eternal] = read(message(NEWADDR, [...address(5, [10, 0, 0, 1]), ...endless]));
    ok(eternal?.kind === 'address');
    deepEqual([eternal.address.validS, eternal.address.preferredS], [undefined, undefined]);
  });

  test('a bridge that tells of its port tells its state, and not that it is gone', () => {
    deepEqual(read(message(DELLINK, link(3, 'eth0', [], 7))), []);
    const told = (more: readonly number[]): unknown => {
      const [event] = read(message(NEWLINK, link(3, 'eth0', more, 7)));
      return event?.kind === 'port' ? event.bridgePort : event;
    };
    const state = attribute(0x8000 | 12, attribute(1, [2]));
    const plain = { ifindex: 3, flags: 0x10043, vlans: undefined, isOther: false };
    deepEqual(told(state), { ...plain, portState: 2 });
    deepEqual(told([]), { ...plain, portState: undefined });
  });

  test('the table follows the state of a port', () => {
    const table = new LinkTable();
    const port = (state: number): number[] => [
      ...attribute(18, [...attribute(4, text('bridge')), ...attribute(5, attribute(1, [state]))]),
    ];
    const told = (state: number, flags = 0x10043): number[] => {
      const body = link(3, 'eth0', attribute(12, attribute(1, [state])), 7);
      return message(NEWLINK, body.with(8, flags & 0xff).with(10, flags >> 16));
    };
    const forwards = (...datagram: number[]): boolean | undefined => {
      feed(table, Uint8Array.from(datagram));
      return table.find('eth0')?.forwards;
    };
    equal(forwards(...told(3)), undefined, 'of a port that is not known');
    equal(forwards(...message(NEWLINK, link(3, 'eth0', port(3)))), true);
    equal(forwards(...told(1)), false);
    equal(forwards(...told(3)), true);
    equal(forwards(...message(NEWLINK, link(3, 'eth0', port(4)))), false);
    equal(forwards(...told(0, 0x3)), false);
    equal(table.find('eth0')?.lowerUp, false, 'what it says of the carrier is as good');
    equal(forwards(...message(NEWLINK, link(3, 'eth0'))), undefined, 'it has left the bridge');
  });

  test('the end of a dump, errors and acknowledgements', () => {
    const events = read(
      message(3, u32(0), 2 | 0x10, 5),
      message(2, u32(-16 >>> 0), 0, 6),
      message(2, u32(0), 0, 7),
      message(3, [], 2, 8),
    );
    const short = events.map((event) => [event.kind, event.sequence, event.interrupted]);
    deepEqual(short, [
      ['done', 5, true],
      ['error', 6, false],
      ['done', 8, false],
    ]);
    deepEqual(events[1]?.kind === 'error' && events[1].error, -16);
  });

  test('requests', () => {
    const links = dumpLinks(0x01020304);
    deepEqual(
      [...links.subarray(0, 12)],
      [...u32(32), ...u16(18), ...u16(0x301), ...u32(0x01020304)],
    );
    equal(links.length, 32);
    const addresses = dumpAddresses(1);
    deepEqual([...addresses.subarray(0, 8)], [...u32(24), ...u16(22), ...u16(0x301)]);
    equal(addresses[16], 2);
  });

  test('a request for some links, in one datagram', () => {
    const one = (ifindex: number): number[] => [
      ...[...u32(40), ...u16(18), ...u16(0x1), ...u32(7), ...u32(0)],
      ...[0, 0, 0, 0, ...u32(ifindex), ...u32(0), ...u32(0)],
      ...attribute(29, u32(0x8)),
    ];
    deepEqual([...requestLinks([3, 0x01020304], 7)], [...one(3), ...one(0x01020304)]);
    deepEqual([...requestLinks([], 7)], []);
  });

  test('numbers and addresses of the wrong size are not read', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);
    deepEqual(
      ([1, 2, 4] as const).map((size) => readUnsigned(bytes.subarray(0, size), size)),
      [1, 0x0201, 0x04030201],
    );
    equal(readUnsigned(bytes.subarray(0, 4), 2), undefined);
    equal(readUnsigned(undefined, 1), undefined);
    equal(readMacAttribute(bytes), '01:02:03:04:05:06');
    equal(readMacAttribute(bytes.subarray(1)), undefined);
    equal(readMacAttribute(undefined), undefined);
  });

  test('lengths that lie end the reading', () => {
    const good = message(NEWLINK, link(3, 'eth0'));
    for (const length of [0, 15, good.length + 1, 0xffffffff]) {
      const liar = [...u32(length), ...good.slice(4)];
      deepEqual(read(liar), []);
      equal(read(good, liar).length, 1);
    }
    for (const length of [0, 3, 9, 0xffff]) {
      equal(readAttributes(Uint8Array.from([...u16(length), ...u16(1), 1, 2, 3, 4])).size, 0);
    }
  });

  test('any bytes, and any damage to real messages, are read without a fault', () => {
    const real = Uint8Array.from([
      ...message(NEWLINK, link(3, 'eth0', attribute(18, attribute(1, text('veth'))))),
      ...message(NEWADDR, address(3, [10, 0, 0, 1])),
      ...message(DELADDR, address(3, [10, 0, 0, 1])),
      ...message(DELLINK, link(3, 'eth0')),
    ]);
    const damaged = fc
      .array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 12 })
      .map((hits) => {
        const bytes = Uint8Array.from(real);
        for (const [at, value] of hits) bytes[at] = value;
        return bytes;
      });
    const cut = fc.nat(real.length).map((length) => real.slice(0, length));
    const random = fc.uint8Array({ maxLength: 400 });
    fc.assert(
      fc.property(fc.oneof(random, damaged, cut), (bytes) => {
        feed(new LinkTable(), bytes);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the table of links', () => {
  const eth0 = Uint8Array.from(message(NEWLINK, link(3, 'eth0')));

  test('a message that changes nothing tells of nothing', () => {
    const table = new LinkTable();
    const tell = (): number =>
      readNetlink(eth0).flatMap((event) => (event.kind === 'link' ? table.setLink(event.link) : []))
        .length;
    deepEqual([tell(), tell()], [1, 0]);
  });

  test('a wireless event changes the flags and nothing else', () => {
    const table = new LinkTable();
    feed(table, Uint8Array.from(message(NEWLINK, link(3, 'wlan0', attribute(10, u32(7))))));
    const short = [0, 0, ...u16(1), ...u32(3), ...u32(0x1003), ...u32(0)];
    feed(table, Uint8Array.from(message(NEWLINK, [...short, ...attribute(3, text('wlan0'))])));
    const after = table.find('wlan0');
    deepEqual([after?.running, after?.master, after?.operstate], [false, 7, 'up']);
  });

  test('how often a port has left its master, or was no longer forwarded to, is counted', () => {
    const table = new LinkTable();
    const leaves = (): number | undefined => table.find('eth0')?.leaves;
    const tell = (master: readonly number[], family = 0): void =>
      feed(table, Uint8Array.from(message(NEWLINK, link(3, 'eth0', master, family))));
    const portOf = (master: number, state: number): readonly number[] => [
      ...attribute(10, u32(master)),
      ...attribute(0x8000 | 18, [
        ...attribute(4, text('bridge')),
        ...attribute(0x8000 | 5, attribute(1, [state])),
      ]),
    ];
    tell([]);
    tell(portOf(7, 3));
    tell(portOf(7, 3));
    equal(leaves(), undefined);
    tell([]);
    tell(portOf(7, 3));
    equal(leaves(), 1, 'out and in');
    tell(portOf(8, 3));
    equal(leaves(), 2, 'from one to the other');
    for (const state of [0, 1, 3]) tell(attribute(0x8000 | 12, attribute(1, [state])), 7);
    equal(leaves(), 3, 'blocked and forwarding, told by the bridge');
    tell(portOf(8, 4));
    tell(portOf(8, 3));
    equal(leaves(), 4, 'the same, told by the port');
  });

  test('a dump forgets what it does not tell of, unless it was disturbed', () => {
    for (const whole of [true, false]) {
      const table = new LinkTable();
      feed(table, eth0);
      feed(table, Uint8Array.from(message(NEWADDR, address(3, [10, 0, 0, 1]))));
      table.beginAddressDump();
      feed(table, Uint8Array.from(message(NEWADDR, address(3, [10, 0, 0, 2]), 2)));
      equal(table.endAddressDump(whole).length, whole ? 1 : 0);
      const known = table.find('eth0')?.addresses.map((one) => one.address);
      deepEqual(known, whole ? ['10.0.0.2'] : ['10.0.0.1', '10.0.0.2']);
      table.beginLinkDump();
      deepEqual(table.endLinkDump(whole), whole ? [{ name: 'eth0', ifindex: 3 }] : []);
      equal(table.find('eth0') === undefined, whole);
    }
  });

  test('an address that comes while a dump runs stands where the kernel has it', () => {
    const table = new LinkTable();
    feed(table, eth0);
    table.beginAddressDump();
    const add = (last: number, dumped: boolean): void =>
      feed(table, Uint8Array.from(message(NEWADDR, address(3, [10, 0, 0, last]), dumped ? 2 : 0)));
    for (const [last, dumped] of [
      [3, false],
      [1, true],
      [2, true],
      [3, true],
      [4, false],
    ] as const) {
      add(last, dumped);
    }
    feed(table, Uint8Array.from(message(DELADDR, address(3, [10, 0, 0, 2]))));
    table.endAddressDump(true);
    deepEqual(
      table.find('eth0')?.addresses.map((one) => one.address),
      ['10.0.0.1', '10.0.0.3', '10.0.0.4'],
    );
  });

  test('secondary addresses stand at the end, until they are promoted', () => {
    const table = new LinkTable();
    feed(table, eth0);
    const set = (last: number, flags: number): void =>
      feed(table, Uint8Array.from(message(NEWADDR, address(3, [10, 0, 0, last], 24, flags))));
    const order = (): string[] =>
      (table.find('eth0')?.addresses ?? []).map((one) => one.address.slice(7));
    set(1, 0);
    set(2, 1);
    set(3, 1);
    set(4, 0);
    deepEqual(order(), ['1', '4', '2', '3']);
    set(3, 0);
    deepEqual(order(), ['1', '4', '3', '2']);
  });

  test('a name that moves to another interface is found there', () => {
    const table = new LinkTable();
    feed(table, eth0);
    feed(table, Uint8Array.from(message(NEWLINK, link(4, 'eth0'))));
    feed(table, Uint8Array.from(message(DELLINK, link(3, 'eth0'))));
    equal(table.find('eth0')?.ifindex, 4);
  });
});
