// What an interface stands on: every kind of layer, uplinks found and named, and broken pictures.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { resolveStack, type LinkStack, type LinkView } from '../../../src/linux/link-facts.ts';
import { layersOf, stackBelow } from '../../../src/linux/link-stack.ts';
import type { Link } from '../../../src/linux/link-table.ts';
import { LinkTable } from '../../../src/linux/link-table.ts';
import { FakeLinks } from '../../fakes/link-watch.ts';
import { bondTable } from '../../support/bond-vectors.ts';
import { attribute, u16 } from '../../support/netlink-message.ts';

/** A host whose interfaces are made from the bottom, all up; resolves one of them. */
class Layers {
  readonly links = new FakeLinks();
  readonly #indexes = new Map<string, number>();

  /** `on`: the interface below; `in`: the bridge or bond that it is a port of. */
  add(name: string, kind?: string, where: { on?: string; in?: string } = {}): this {
    const master = where.in === undefined ? undefined : this.index(where.in);
    const properties: Partial<Link> = {
      ...(kind === undefined ? {} : { kind }),
      ...(where.on === undefined ? {} : { link: this.index(where.on) }),
      ...(master === undefined ? {} : { master }),
      carrierDownCount: 1,
    };
    this.#indexes.set(name, this.links.add(name, properties));
    this.links.setUp(name, true);
    return this;
  }

  vlan(name: string, id: number, where: { on: string; in?: string }): this {
    this.add(name, 'vlan', where);
    this.links.set(name, { data: Uint8Array.from(attribute(1, u16(id))) });
    return this;
  }

  bond(name: string, where: { in?: string } = {}): this {
    this.add(name, 'bond', where);
    this.links.set(name, { data: Uint8Array.from(attribute(1, [1])) });
    this.add(`${name}a`, undefined, { in: name });
    return this.add(`${name}b`, undefined, { in: name });
  }

  index(name: string): number {
    const ifindex = this.#indexes.get(name);
    ok(ifindex !== undefined, `${name} was made`);
    return ifindex;
  }

  async resolve(name: string, named?: 'auto' | readonly string[]): Promise<Resolved> {
    const watch = await this.links.open({ onChange: () => undefined, onError: () => undefined });
    const stack = resolveStack(watch, name, named);
    const names = stack.polled.map((ifindex) => watch.byIndex(ifindex)?.name ?? '?');
    return { ...stack, names, text: textOf(stack) };
  }
}

interface Resolved extends LinkStack {
  /** Of the interfaces that are polled. */
  readonly names: readonly string[];
  readonly text: string;
}

/** The lower facts and the uplinks with their VLANs: "bond bond0: bond0 5 7". */
function textOf({ facts, uplinks }: LinkStack): string {
  const lower = facts?.lower;
  const name = lower?.kind === 'bond' || lower?.kind === 'team' ? ` ${lower.name}` : '';
  const ways = uplinks.map((uplink) => [uplink.name, ...uplink.vlans].join(' '));
  return `${lower?.kind ?? 'missing'}${name}: ${ways.join(', ')}`;
}

describe('real stacks on an 802.3ad bond', () => {
  const table = bondTable('802.3ad, formed', 'stacked on 802.3ad', '802.3ad as port of a bridge');

  for (const [name, vlans, above] of [
    ['bond0', [], []],
    ['bond0.5', [5], [5]],
    ['mv0', [], [6]],
    ['br9', [], [7]],
  ] as const) {
    test(`${name} stands on bond0`, () => {
      const { facts, uplinks, polled, ownMacs, faults } = resolveStack(table, name);
      deepEqual(uplinks, [{ ifindex: 4, name: 'bond0', vlans }]);
      deepEqual([...polled].sort(), [...above, 4, 2, 3].sort());
      ok(facts?.lower.kind === 'bond', 'a bond');
      equal(facts.lower.mode, '802.3ad');
      equal(facts.lower.partnerMac, '02:aa:00:00:00:01');
      equal(facts.lower.ports.length, 2);
      equal(facts.carrier, true);
      equal(facts.mac, table.find(name)?.mac);
      ok(ownMacs.has(table.find('bond0')?.mac ?? ''), 'frames of the bond are our own');
      ok(ownMacs.has(facts.mac ?? ''), 'frames of the interface are our own');
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
    deepEqual(facts?.lower, { kind: 'team', name: 'team0' });
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
      ownMacs: new Set(),
      faults: [],
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

describe('bridges', () => {
  const withGuests = (): Layers =>
    new Layers().add('br0', 'bridge').add('vnet0', 'tun', { in: 'br0' }).add('veth0', 'veth', {
      in: 'br0',
    });

  test('the ports of local guests do not count', async () => {
    const host = withGuests().bond('bond0', { in: 'br0' }).vlan('br0.5', 5, { on: 'br0' });
    const { text, names } = await host.resolve('br0');
    equal(text, 'bond bond0: bond0');
    deepEqual(names, ['br0', 'bond0', 'bond0a', 'bond0b']);
    equal((await host.resolve('br0.5')).text, 'bond bond0: bond0 5');
  });

  test('a VLAN of a bond as port', async () => {
    const host = withGuests().bond('bond0').vlan('bond0.5', 5, { on: 'bond0', in: 'br0' });
    equal((await host.resolve('br0')).text, 'bond bond0: bond0 5');
    host.vlan('br0.7', 7, { on: 'br0' });
    equal((await host.resolve('br0.7')).text, 'bond bond0: bond0 5 7');
  });

  test('hardware, team and tunnel ports count; VLANs of guests do not', async () => {
    const host = withGuests().add('eth0', undefined, { in: 'br0' });
    equal((await host.resolve('br0')).text, 'plain: eth0');
    host.add('vx0', 'vxlan', { in: 'br0' }).add('team0', 'team', { in: 'br0' });
    host.add('v', 'veth').vlan('v.3', 3, { on: 'v', in: 'br0' });
    equal((await host.resolve('br0')).text, 'team team0: eth0, vx0, team0');
    host.add('m0', 'macvlan', { in: 'br0' });
    equal((await host.resolve('br0')).text, 'unseen: eth0, vx0, team0, m0');
    host.bond('bond0', { in: 'br0' });
    equal((await host.resolve('br0')).text, 'bond bond0: eth0, vx0, team0, m0, bond0');
  });

  test('of two bonds none speaks for the bridge', async () => {
    const host = withGuests().bond('bond0', { in: 'br0' }).bond('bond1', { in: 'br0' });
    equal((await host.resolve('br0')).text, 'unseen: bond0, bond1');
    equal((await host.resolve('br0', ['bond1'])).text, 'bond bond1: bond1');
  });

  test('two ways to one bond are one bond and two ways', async () => {
    const host = withGuests().bond('bond0').vlan('v5', 5, { on: 'bond0', in: 'br0' });
    host.vlan('v6', 6, { on: 'bond0', in: 'br0' });
    const { text, names } = await host.resolve('br0');
    equal(text, 'bond bond0: bond0 5, bond0 6');
    deepEqual(names, ['br0', 'v5', 'bond0', 'v6', 'bond0a', 'bond0b']);
  });

  test('without a port that leads outside: no uplink, and a fault', async () => {
    const host = withGuests();
    const { text, faults, facts } = await host.resolve('br0');
    equal(text, 'plain: ');
    deepEqual(faults, [{ kind: 'no-uplink', bridge: 'br0' }]);
    equal(facts?.carrier, true);
    host.add('bare', 'bridge').vlan('bare.5', 5, { on: 'bare' });
    deepEqual((await host.resolve('bare.5')).faults, [{ kind: 'no-uplink', bridge: 'bare' }]);
  });

  test('its own carrier and that of one uplink are needed', async () => {
    const host = withGuests().bond('bond0').vlan('v5', 5, { on: 'bond0', in: 'br0' });
    host.add('eth0', undefined, { in: 'br0' });
    const carrier = async (): Promise<unknown> => (await host.resolve('br0')).facts?.carrier;
    host.links.setUp('eth0', false);
    equal(await carrier(), true, 'by the bond');
    host.links.setUp('v5', false);
    equal(await carrier(), false, 'the VLAN between bridge and bond is down');
    host.links.setUp('v5', true);
    host.links.set('bond0', { running: false });
    equal(await carrier(), false, 'the bond below the VLAN is not running');
    host.links.setUp('eth0', true);
    equal(await carrier(), true, 'by the other port');
    host.links.set('br0', { administrativelyUp: false });
    equal(await carrier(), false, 'the bridge is down');
  });

  test('losses of carrier are those of all that is used', async () => {
    const host = withGuests().bond('bond0').vlan('v5', 5, { on: 'bond0', in: 'br0' });
    host.links.set('bond0', { carrierDownCount: 10 });
    host.links.set('v5', { carrierDownCount: 100 });
    host.links.set('vnet0', { carrierDownCount: 1_000 });
    equal((await host.resolve('br0')).facts?.carrierLosses, 111);
  });
});

describe('uplinks that were named', () => {
  test('a veth of a bridge, with the VLANs of the interface', async () => {
    const host = new Layers().add('br0', 'bridge').add('v0', 'veth', { in: 'br0' });
    host.add('v1', 'veth', { in: 'br0' }).vlan('br0.5', 5, { on: 'br0' });
    const { text, faults, names } = await host.resolve('br0.5', ['v1']);
    equal(text, 'plain: v1 5');
    deepEqual([faults, names], [[], ['br0.5', 'br0', 'v1']]);
    host.links.setUp('v1', false);
    equal((await host.resolve('br0.5', ['v1'])).facts?.carrier, false);
    equal((await host.resolve('br0.5', ['v0'])).facts?.carrier, true);
    equal((await host.resolve('br0.5', ['v0', 'v1'])).text, 'plain: v0 5, v1 5');
  });

  test('one in the middle is taken at its word', async () => {
    const host = new Layers().bond('bond0').vlan('v5', 5, { on: 'bond0' });
    host.add('mac0', 'macvlan', { on: 'v5' });
    equal((await host.resolve('mac0', ['v5'])).text, 'bond bond0: v5');
  });

  test('a port of a bond stands for the bond', async () => {
    const host = new Layers().bond('bond0').vlan('v5', 5, { on: 'bond0' });
    equal((await host.resolve('v5', ['bond0a', 'bond0b'])).text, 'bond bond0: bond0 5');
  });

  test('one that nothing leads to, as below an Open vSwitch', async () => {
    const host = new Layers().add('ovs', 'openvswitch').vlan('ovs.5', 5, { on: 'ovs' });
    host.bond('bond0');
    const { text, names } = await host.resolve('ovs.5', ['bond0']);
    equal(text, 'bond bond0: bond0 5');
    deepEqual(names, ['ovs.5', 'ovs', 'bond0', 'bond0a', 'bond0b']);
    host.links.setUp('bond0', false);
    equal((await host.resolve('ovs.5', ['bond0'])).facts?.carrier, false);
  });

  test('one that does not exist, yet', async () => {
    const host = new Layers().add('br0', 'bridge').add('eth0', undefined, { in: 'br0' });
    const { uplinks, faults, facts } = await host.resolve('br0', ['eth1']);
    deepEqual([uplinks, faults], [[], [{ kind: 'uplink-missing', name: 'eth1' }]]);
    equal(facts?.carrier, true);
  });

  test('the bridge itself: frames of guests count then', async () => {
    const host = new Layers().add('br0', 'bridge').bond('bond0', { in: 'br0' });
    equal((await host.resolve('br0', ['br0'])).text, 'bond bond0: br0');
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
    const anything = fc.record(
      {
        ...{ administrativelyUp: flag, running: flag, lowerUp: flag },
        ...{ kind, master: index, link: index, linkElsewhere: fc.constant(true as const) },
        ...{ data: bytes, slaveKind: kind, slaveData: bytes, carrierDownCount: fc.nat() },
      },
      { requiredKeys: ['administrativelyUp', 'running', 'lowerUp'] },
    );
    const named = fc.oneof(fc.constant('auto' as const), fc.array(index.map((one) => `e${one}`)));
    const pictures = fc.array(anything, { minLength: 1, maxLength: 5 });
    const run = (picture: readonly Partial<Link>[], names: 'auto' | readonly string[]): void => {
      const table = tableOf(picture);
      const { facts, uplinks, polled, faults } = resolveStack(table, 'e1', names);
      ok(facts !== undefined, 'e1 exists');
      deepEqual([facts.ifindex, polled[0]], [1, 1]);
      equal(new Set(polled).size, polled.length);
      for (const { ifindex, name } of uplinks) equal(table.byIndex(ifindex)?.name, name);
      ok(uplinks.length > 0 || faults.length > 0 || names.length === 0, 'uplinks, or why not');
      const sound = table.find('e1')?.lowerUp === true;
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
