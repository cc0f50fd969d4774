// What an interface stands on: every kind of layer, and broken pictures. Bridges have a file of
// their own (link-uplinks.test.ts).
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ZERO_MAC } from '../../../../src/base/addresses.ts';
import { resolveStack, type LinkView } from '../../../../src/linux/links/link-facts.ts';
import { layersOf, stackBelow } from '../../../../src/linux/links/link-stack.ts';
import type { Link } from '../../../../src/linux/links/link-table.ts';
import { LinkTable } from '../../../../src/linux/links/link-table.ts';
import { bondTable } from '../../../support/bond-vectors.ts';
import { Layers } from '../../../support/layers.ts';

describe('real stacks on an 802.3ad bond', () => {
  const table = bondTable('802.3ad, formed', 'stacked on 802.3ad', '802.3ad as port of a bridge');

  for (const [name, vlans, above] of [
    ['bond0', [], []],
    ['bond0.5', [5], [5]],
    ['mv0', [], [6]],
    ['br9', [], [7]],
  ] as const) {
    test(`${name} stands on bond0`, () => {
      const { facts, uplinks, polled, macs, ownMacs, faults } = resolveStack(table, name);
      deepEqual(uplinks, [{ ifindex: 4, name: 'bond0', vlans }]);
      deepEqual([...polled].sort(), [...above, 4, 2, 3].sort());
      ok(facts?.lower.kind === 'bond', 'a bond');
      equal(facts.lower.mode, '802.3ad');
      equal(facts.lower.partnerMac, '02:aa:00:00:00:01');
      equal(facts.lower.ports.length, 2);
      equal(facts.carrier, true);
      equal(facts.mac, table.find(name)?.mac);
      for (const known of [macs, ownMacs]) {
        ok(known.has(table.find('bond0')?.mac ?? ZERO_MAC), 'frames of the bond are our own');
        ok(known.has(facts.mac ?? ZERO_MAC), 'frames of the interface are our own');
      }
      deepEqual(faults, []);
    });
  }

  test('without carrier', () => {
    const { facts } = resolveStack(bondTable('802.3ad, no carrier'), 'bond0');
    equal(facts?.carrier, false);
    ok((facts.carrierLosses ?? 0) > 0, 'the kernel has counted the loss');
  });

  test('a team device', () => {
    const { facts, uplinks } = resolveStack(bondTable('team'), 'team0');
    deepEqual(facts?.lower, { kind: 'team', name: 'team0', ifindex: facts?.ifindex });
    deepEqual(
      uplinks.map(({ name }) => name),
      ['team0'],
    );
  });
});

describe('an interface and what it names below', () => {
  test('an interface that does not exist', () => {
    deepEqual(resolveStack(new LinkTable(), 'eth0'), {
      facts: undefined,
      uplinks: [],
      polled: [],
      macs: new Set(),
      ownMacs: new Set(),
      faults: [],
      filtersVlans: false,
      hasBridge: false,
      hasGuests: false,
      isWhole: true,
    });
  });

  test('hardware, dummy, tap, bridge-less everything: plain', async () => {
    const host = new Layers().add('eth0').add('d0', 'dummy').add('tap0', 'tun').add('x', 'vxlan');
    for (const name of ['eth0', 'd0', 'tap0', 'x']) {
      const { text, names, facts } = await host.resolve(name);
      equal(text, `plain: ${name}`);
      deepEqual(names, [name]);
      equal(facts?.carrier, true);
      equal(facts.carrierLosses, 1);
    }
  });

  test('what another interface of this host sends is our own', async () => {
    const host = new Layers().add('eth0').add('eth1');
    const { macs, ownMacs } = await host.resolve('eth0');
    deepEqual(macs, new Set(['02:00:00:00:00:01']));
    deepEqual(ownMacs, new Set(['02:00:00:00:00:01', '02:00:00:00:00:02']));
  });

  test('the other end of a veth is nothing below it', async () => {
    const host = new Layers().add('v0', 'veth').add('v1', 'veth', { on: 'v0' });
    equal((await host.resolve('v1')).text, 'plain: v1');
  });

  test('VLANs in VLANs: outermost first; macvlan and ipvlan add none', async () => {
    const host = new Layers().bond('bond0').vlan('v5', 5, { on: 'bond0' });
    host.vlan('v7', 7, { on: 'v5' }).add('mac0', 'macvlan', { on: 'v7' });
    host.add('ip0', 'ipvlan', { on: 'mac0' });
    for (const name of ['v7', 'mac0', 'ip0']) {
      equal((await host.resolve(name)).text, 'bond bond0: bond0 5 7');
    }
    const { names } = await host.resolve('ip0');
    deepEqual(names, ['ip0', 'mac0', 'v7', 'v5', 'bond0', 'bond0a', 'bond0b']);
  });

  test('a VLAN whose id can not be read: facts from below, frames from itself', async () => {
    const host = new Layers().bond('bond0').add('v5', 'vlan', { on: 'bond0' });
    host.add('mac0', 'macvlan', { on: 'v5' });
    equal((await host.resolve('mac0')).text, 'bond bond0: v5');
    host.links.set('v5', { data: Uint8Array.of(1, 2, 3) });
    equal((await host.resolve('v5')).text, 'bond bond0: v5');
  });

  test('MACsec hides what its frames are', async () => {
    const host = new Layers().bond('bond0').add('sec0', 'macsec', { on: 'bond0' });
    host.vlan('v5', 5, { on: 'sec0' });
    equal((await host.resolve('v5')).text, 'bond bond0: sec0 5');
  });

  test('below in another namespace, or nowhere: out of sight', async () => {
    for (const properties of [{ link: 2, linkElsewhere: true as const }, { link: 99 }, {}]) {
      const host = new Layers().bond('bond0').add('mac0', 'macvlan');
      host.links.set('mac0', properties);
      host.vlan('v5', 5, { on: 'mac0' });
      equal((await host.resolve('v5')).text, 'unseen: mac0 5');
      const { facts, names } = await host.resolve('mac0');
      deepEqual([facts?.carrier, names], [true, ['mac0']]);
    }
  });

  test('a bond without ports and a bond port that has left', async () => {
    const host = new Layers().bond('bond0');
    host.links.remove('bond0b');
    deepEqual((await host.resolve('bond0')).names, ['bond0', 'bond0a']);
    host.links.remove('bond0a');
    const { facts, names } = await host.resolve('bond0');
    ok(facts?.lower.kind === 'bond', 'still a bond');
    deepEqual([facts.lower.ports, names], [[], ['bond0']]);
  });
});

describe('pictures that can not be', () => {
  test('a loop, an interface on itself, and a tower end somewhere', async () => {
    const host = new Layers().add('a', 'macvlan').add('b', 'macvlan', { on: 'a' });
    host.links.set('a', { link: host.index('b') });
    equal((await host.resolve('a')).text, 'unseen: a');
    host.links.set('a', { link: host.index('a') });
    equal((await host.resolve('b')).text, 'unseen: a');
    const watch = await host.links.open({ onChange: () => undefined, onError: () => undefined });
    equal(layersOf(stackBelow(watch.find('b') ?? fail(), watch)).length, 3, 'b, a, a again');
    host.add('br', 'bridge').vlan('v', 5, { on: 'br', in: 'br' });
    equal((await host.resolve('v')).facts?.lower.kind, 'unseen');
    host.add('t0', 'macvlan', { on: 'b' });
    for (let floor = 1; floor < 100; floor += 1) {
      host.add(`t${floor}`, 'macvlan', { on: `t${floor - 1}` });
    }
    const { facts, names } = await host.resolve('t99');
    equal(facts?.lower.kind, 'unseen');
    ok(names.length < 20, `${names.length} layers`);
  });

  test('any interfaces at all, with any bytes, are resolved', () => {
    const index = fc.integer({ min: 1, max: 6 });
    const kind = fc.constantFrom('bond', 'bridge', 'vlan', 'macvlan', 'macsec', 'team', 'veth');
    const flag = fc.boolean();
    const bytes = fc.uint8Array({ maxLength: 40 });
    const ranges = [{ first: 1, last: 9, pvid: true, untagged: true }];
    const table = fc.constantFrom('unread' as const, [], ranges);
    const anything = fc.record(
      {
        ...{ administrativelyUp: flag, running: flag, lowerUp: flag },
        ...{ kind, master: index, link: index, linkElsewhere: fc.constant(true as const) },
        ...{ forwards: flag, bridgeVlans: table, tagProtocol: fc.constant(0x8100) },
        ...{ data: bytes, slaveKind: kind, slaveData: bytes, carrierDownCount: fc.nat() },
      },
      { requiredKeys: ['administrativelyUp', 'running', 'lowerUp'] },
    );
    const named = fc.oneof(fc.constant('auto' as const), fc.array(index.map((one) => `e${one}`)));
    const pictures = fc.array(anything, { minLength: 1, maxLength: 5 });
    const run = (picture: readonly Partial<Link>[], names: 'auto' | readonly string[]): void => {
      const links = tableOf(picture);
      const { facts, uplinks, polled } = resolveStack(links, 'e1', names);
      ok(facts !== undefined, 'e1 exists');
      deepEqual([facts.ifindex, polled[0]], [1, 1]);
      equal(new Set(polled).size, polled.length);
      for (const { ifindex, name, above } of uplinks) {
        equal(links.byIndex(ifindex)?.name, name);
        const kindAbove = above && links.byIndex(above.ifindex)?.kind;
        ok([undefined, 'bridge', 'veth'].includes(kindAbove), 'a bridge or a cable to one');
      }
      ok(uplinks.length > 0 || facts.carrier !== true, 'no carrier without an uplink');
      ok(facts.carrier === false || facts.uplinkFault === undefined, 'no fault with carrier');
      const sound = links.find('e1')?.lowerUp === true;
      ok(sound || facts.carrier === false, 'no carrier without one of its own');
    };
    fc.assert(fc.property(pictures, named, run));
  });

  test('fields that are missing', async () => {
    const host = new Layers();
    host.links.add('eth0', { mac: undefined });
    const { facts, ownMacs } = await host.resolve('eth0');
    deepEqual([facts?.mac, facts?.carrierLosses, ownMacs.size], [undefined, undefined, 0]);
  });
});

/** e1, e2 and so on. */
function tableOf(picture: readonly Partial<Link>[]): LinkView {
  const links = picture.map((properties, place): Link => {
    const base = { ifindex: place + 1, name: `e${place + 1}`, mac: undefined, type: 1 };
    const down = { administrativelyUp: false, running: false, lowerUp: false, operstate: 'down' };
    return { ...base, ...down, addresses: [], ...properties };
  });
  return {
    find: (name) => links.find((link) => link.name === name),
    byIndex: (ifindex) => links[ifindex - 1],
    all: () => links,
  };
}

function fail(): never {
  throw new Error('no such interface');
}
