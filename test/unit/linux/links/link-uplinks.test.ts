// The uplinks of a bridge: found by their kind, blocked, lost, and named.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { VlanRange } from '../../../../src/linux/links/bridge-vlans.ts';
import { bondsOf } from '../../../../src/readiness/facts.ts';
import { Layers } from '../../../support/layers.ts';

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

  test('two bonds speak for the bridge, and one where the other does not forward', async () => {
    const host = withGuests().bond('bond0', { in: 'br0' }).bond('bond1', { in: 'br0' });
    const { text, names, facts } = await host.resolve('br0');
    equal(text, 'bonds bond0 bond1: bond0, bond1');
    deepEqual(names, ['br0', 'bond0', 'bond1', 'bond0a', 'bond0b', 'bond1a', 'bond1b']);
    deepEqual(
      bondsOf(facts?.lower).map(({ ports }) => ports.map(({ name }) => name)),
      [
        ['bond0a', 'bond0b'],
        ['bond1a', 'bond1b'],
      ],
    );
    equal((await host.resolve('br0', ['bond1'])).text, 'bond bond1: bond1');
    host.links.set('bond0', { forwards: false });
    equal((await host.resolve('br0')).text, 'bond bond1: bond1');
    host.links.set('bond1', { forwards: false });
    equal((await host.resolve('br0')).text, 'bonds bond0 bond1: ', 'nothing else is known');
  });

  test('a bond at which the bridge does not forward is no matter of another port', async () => {
    const host = withGuests().bond('bond0', { in: 'br0' }).add('eth0', undefined, { in: 'br0' });
    equal((await host.resolve('br0')).text, 'bond bond0: bond0, eth0');
    host.links.set('bond0', { forwards: false });
    equal((await host.resolve('br0')).text, 'plain: eth0');
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
    deepEqual([facts?.carrier, facts?.uplinkFault, facts?.uplinks], [false, 'no-uplink', []]);
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

  test('a port that does not forward is no uplink for that time', async () => {
    const host = withGuests().bond('bond0').vlan('v5', 5, { on: 'bond0', in: 'br0' });
    host.vlan('br0.7', 7, { on: 'br0' });
    const seen = async (): Promise<unknown> => {
      const { facts, uplinks, names } = await host.resolve('br0.7');
      deepEqual(
        facts?.uplinks,
        uplinks.map(({ ifindex, vlans }) => ({ ifindex, vlans })),
      );
      ok(names.includes('bond0'), 'it is looked at all the time');
      return [facts.carrier, facts.uplinkFault, uplinks.map(({ name }) => name).join()];
    };
    deepEqual(await seen(), [true, undefined, 'bond0']);
    host.links.set('v5', { forwards: false });
    deepEqual(await seen(), [false, 'uplink-blocked', '']);
    host.links.setUp('bond0', false);
    deepEqual(await seen(), [false, undefined, ''], 'what lacks is the carrier');
    host.links.setUp('bond0', true);
    host.links.set('br0', { administrativelyUp: false });
    deepEqual(await seen(), [false, undefined, ''], 'a bridge that is down forwards nowhere');
    host.links.setUp('br0', true);
    host.add('eth0', undefined, { in: 'br0' });
    deepEqual(await seen(), [true, undefined, 'eth0'], 'by the other port');
    host.links.setUp('eth0', false);
    deepEqual(await seen(), [false, 'uplink-blocked', 'eth0']);
  });

  test('losses of a port that does not forward are not counted', async () => {
    const host = withGuests().add('eth0', undefined, { in: 'br0' });
    host.add('eth1', undefined, { in: 'br0' });
    host.links.set('eth1', { forwards: false, carrierDownCount: 1_000 });
    equal((await host.resolve('br0')).facts?.carrierLosses, 2);
  });

  test('what another interface may become part of, and what is whole', async () => {
    const host = withGuests().add('eth0', undefined, { in: 'br0' }).add('mac0', 'macvlan');
    const told = async (name: string, named?: readonly string[]): Promise<unknown> => {
      const { hasBridge, isWhole } = await host.resolve(name, named);
      return [hasBridge, isWhole];
    };
    deepEqual(await told('br0'), [true, true]);
    deepEqual(await told('eth0'), [false, true]);
    deepEqual(await told('br0', ['eth9']), [true, false]);
    deepEqual(await told('mac0'), [false, false], 'what is out of sight may come in sight');
  });

  test('guests have part in bridges and macvlans, and in what stands on them', async () => {
    const host = withGuests().add('eth0', undefined, { in: 'br0' }).vlan('br0.5', 5, { on: 'br0' });
    host.bond('bond0').vlan('bond0.5', 5, { on: 'bond0' });
    host.add('mac0', 'macvlan', { on: 'bond0.5' });
    const shared = async (name: string): Promise<boolean> => (await host.resolve(name)).hasGuests;
    for (const name of ['br0', 'br0.5', 'mac0']) equal(await shared(name), true, name);
    for (const name of ['eth0', 'bond0', 'bond0.5']) equal(await shared(name), false, name);
    equal((await host.resolve('bond0.5', ['eth0'])).hasGuests, true, 'by a way apart');
  });

  test('who has left and come back is counted, of all that is used', async () => {
    const host = withGuests().bond('bond0').vlan('v5', 5, { on: 'bond0', in: 'br0' });
    equal((await host.resolve('br0')).facts?.uplinkLosses, undefined);
    host.links.set('v5', { leaves: 1 });
    host.links.set('bond0', { leaves: 10 });
    host.links.set('vnet0', { leaves: 100 });
    equal((await host.resolve('br0')).facts?.uplinkLosses, 11);
  });

  test('losses of carrier are those of all that is used', async () => {
    const host = withGuests().bond('bond0').vlan('v5', 5, { on: 'bond0', in: 'br0' });
    host.links.set('bond0', { carrierDownCount: 10 });
    host.links.set('v5', { carrierDownCount: 100 });
    host.links.set('vnet0', { carrierDownCount: 1_000 });
    equal((await host.resolve('br0')).facts?.carrierLosses, 111);
  });
});

describe('a cable from bridge to bridge', () => {
  const cabled = (): Layers =>
    new Layers().add('br0', 'bridge').add('br1', 'bridge').cable(['c0', 'c1'], ['br0', 'br1']);

  test('leads to the ways out of the far one, past its guests', async () => {
    const host = cabled().add('vnet1', 'tun', { in: 'br1' });
    deepEqual((await host.resolve('br0')).faults, [{ kind: 'no-uplink', bridge: 'br0' }]);
    host.bond('bond0').vlan('bond0.5', 5, { on: 'bond0', in: 'br1' });
    for (const named of ['auto', ['c0'], ['bond0']] as const) {
      const { text, names, hasGuests } = await host.resolve('br0', named);
      equal(text, 'bond bond0: bond0 5');
      deepEqual(names, ['br0', 'c0', 'c1', 'br1', 'bond0.5', 'bond0', 'bond0a', 'bond0b']);
      equal(hasGuests, true);
    }
    equal((await host.resolve('br1')).text, 'bond bond0: bond0 5', 'and not the way back');
  });

  test('with an address on its near end', async () => {
    const host = new Layers().add('br1', 'bridge').cable(['c0', 'c1'], [undefined, 'br1']);
    host.add('eth0', undefined, { in: 'br1' }).vlan('c0.5', 5, { on: 'c0' });
    const { text, hasGuests } = await host.resolve('c0.5');
    deepEqual([text, hasGuests], ['plain: eth0 5', true]);
  });

  test('passes nothing where either end, the far bridge or its port does not', async () => {
    const host = cabled().add('eth0', undefined, { in: 'br1' });
    const told = async (): Promise<unknown> => {
      const { facts, uplinks } = await host.resolve('br0');
      return [facts?.carrier, facts?.uplinkFault, uplinks.length];
    };
    deepEqual(await told(), [true, undefined, 1]);
    for (const name of ['c0', 'c1', 'eth0']) {
      host.links.set(name, { forwards: false });
      deepEqual(await told(), [false, 'uplink-blocked', 0], name);
      host.links.set(name, { forwards: true });
    }
    for (const name of ['c0', 'c1', 'br1', 'eth0']) {
      host.links.setUp(name, false);
      deepEqual((await host.resolve('br0')).facts?.carrier, false, name);
      host.links.setUp(name, true);
    }
  });

  test('whose far end is not known to forward: nothing is known of it', async () => {
    const host = new Layers().add('br0', 'bridge').add('br1', 'bridge');
    host.cable(['c0', 'c1'], ['br0']).add('eth0', undefined, { in: 'br1' });
    host.links.set('c1', { master: host.index('br1') });
    const { facts, uplinks } = await host.resolve('br0');
    deepEqual([facts?.carrier, uplinks], [undefined, []]);
  });

  test('two of them make a ring, which leads nowhere by itself', async () => {
    const host = cabled().cable(['d0', 'd1'], ['br0', 'br1']);
    deepEqual((await host.resolve('br0')).uplinks, []);
    host.add('eth0', undefined, { in: 'br1' });
    equal((await host.resolve('br0')).text, 'plain: eth0');
  });

  test('whose far end is elsewhere, or in no bridge, is the way to a guest', async () => {
    const host = cabled().add('eth0', undefined, { in: 'br1' });
    host.links.set('c1', { master: 99 });
    deepEqual((await host.resolve('br0')).uplinks, []);
    host.links.set('c1', { master: host.index('br1') });
    equal((await host.resolve('br0')).uplinks.length, 1);
    host.links.set('c0', { linkElsewhere: true });
    deepEqual((await host.resolve('br0')).uplinks, []);
    equal((await host.resolve('br0', ['c0'])).text, 'plain: c0');
  });

  test('into a bridge that filters VLANs: the tag is that of the far port', async () => {
    const host = cabled().add('eth0', undefined, { in: 'br1' });
    const table = (vid: number, pvid: boolean): VlanRange[] => [
      { first: vid, last: vid, pvid, untagged: pvid },
    ];
    host.links.set('br1', { tagProtocol: 0x8100, bridgeVlans: table(1, true) });
    host.links.set('c1', { bridgeVlans: table(100, true) });
    host.links.set('eth0', { bridgeVlans: table(100, false) });
    equal((await host.resolve('br0')).text, 'plain: eth0 100');
    host.links.set('eth0', { bridgeVlans: table(7, false) });
    const { facts, uplinks } = await host.resolve('br0');
    deepEqual([facts?.carrier, uplinks], [false, []]);
    // Its frames come in on the near end of the cable, in the form that is known there.
    host.links.set('eth0', { bridgeVlans: 'unread' });
    const [unread] = (await host.resolve('br0')).uplinks;
    deepEqual([unread?.name, unread?.above?.name, unread?.vlans], ['eth0', 'c0', []]);
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

  test('one that is no port of the bridge, any more', async () => {
    const host = new Layers().add('br0', 'bridge').add('eth0').vlan('br0.5', 5, { on: 'br0' });
    host.add('vnet0', 'tun', { in: 'br0' });
    const { uplinks, faults, facts } = await host.resolve('br0.5', ['eth0']);
    deepEqual([uplinks, faults], [[], [{ kind: 'uplink-apart', name: 'eth0', bridge: 'br0' }]]);
    deepEqual([facts?.carrier, facts?.uplinkFault], [false, 'no-uplink']);
    host.links.set('eth0', { master: host.index('br0'), forwards: true });
    equal((await host.resolve('br0.5', ['eth0'])).text, 'plain: eth0 5');
    host.links.set('eth0', { master: 99 });
    host.add('ovs', 'openvswitch', { in: 'br0' });
    equal((await host.resolve('br0.5', ['eth0'])).text, 'plain: eth0 5', 'below the other switch');
  });

  test('one that does not exist, yet', async () => {
    const host = new Layers().add('br0', 'bridge').add('eth0', undefined, { in: 'br0' });
    const { uplinks, faults, facts } = await host.resolve('br0', ['eth1']);
    deepEqual([uplinks, faults], [[], [{ kind: 'uplink-missing', name: 'eth1' }]]);
    deepEqual([facts?.carrier, facts?.uplinkFault], [false, 'no-uplink']);
  });

  test('the bridge itself: frames of guests count then', async () => {
    const host = new Layers().add('br0', 'bridge').bond('bond0', { in: 'br0' });
    equal((await host.resolve('br0', ['br0'])).text, 'bond bond0: br0');
  });
});
