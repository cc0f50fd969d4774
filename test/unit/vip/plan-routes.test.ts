// What `ip -j` of iproute2 6.1 shows of routes and addresses, and the lines that make it anew.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findDevice, missingRoutes, readAddresses } from '../../../src/vip/plan-routes.ts';
import { ip } from './fakes.ts';

const ETH0 = { name: 'eth0', ifindex: 3 };
const VIPS = new Set([ip('10.9.0.100')]);

function missing(before: unknown, after: unknown = []): readonly string[] {
  return missingRoutes(JSON.stringify(before), JSON.stringify(after), ETH0, VIPS);
}

describe('missingRoutes', () => {
  const table: readonly { desc: string; route: unknown; line?: string }[] = [
    {
      desc: 'a default route',
      route: {
        type: 'unicast',
        dst: 'default',
        gateway: '10.9.0.1',
        dev: 'eth0',
        table: 'main',
        protocol: 'boot',
        scope: 'global',
        flags: [],
      },
      line: 'default via 10.9.0.1 dev eth0 table main proto boot scope global',
    },
    {
      desc: 'everything that a route may have',
      route: {
        type: 'unicast',
        dst: '10.8.0.0/16',
        gateway: '10.9.0.2',
        dev: 'eth0',
        table: '200',
        protocol: 'static',
        prefsrc: '10.9.0.10',
        metric: 50,
        tos: '0x10',
        flags: ['onlink', 'linkdown'],
        metrics: [{ mtu: 1400, advmss: 1360 }],
      },
      line:
        '10.8.0.0/16 via 10.9.0.2 dev eth0 onlink table 200 proto static src 10.9.0.10 metric 50 ' +
        'tos 0x10 mtu 1400 advmss 1360',
    },
    {
      desc: 'several next hops',
      route: {
        dst: '10.8.0.0/16',
        nexthops: [
          { gateway: '10.9.0.2', dev: 'eth0', weight: 1, flags: [] },
          { gateway: '10.5.0.2', dev: 'eth1', weight: 2, flags: ['onlink'] },
        ],
      },
      line:
        '10.8.0.0/16 nexthop via 10.9.0.2 dev eth0 weight 1 nexthop via 10.5.0.2 dev eth1 ' +
        'onlink weight 2',
    },
    {
      desc: 'a gateway of another family, and a type',
      route: {
        type: 'local',
        dst: '10.8.0.1',
        via: { family: 'inet6', host: 'fe80::1' },
        dev: 'eth0',
      },
      line: 'local 10.8.0.1 via inet6 fe80::1 dev eth0',
    },
    { desc: 'no route of another interface', route: { dst: 'default', dev: 'eth1' } },
    { desc: 'none that the kernel makes', route: { dst: 'x', dev: 'eth0', protocol: 'kernel' } },
    { desc: 'none from a virtual IP', route: { dst: 'x', dev: 'eth0', prefsrc: '10.9.0.100' } },
    { desc: 'none that a batch would misread', route: { dst: 'a#b', dev: 'eth0' } },
  ];
  for (const { desc, route, line } of table) {
    it(desc, () => {
      assert.deepEqual(missing([route]), line === undefined ? [] : [`route add ${line}`]);
      assert.deepEqual(missing([route], [route]), [], 'what is there is not missing');
    });
  }

  it('begins with those by which others are reached', () => {
    const direct = { dst: '10.9.0.1', dev: 'eth0' };
    const far = { dst: 'default', gateway: '10.9.0.1', dev: 'eth0' };
    assert.deepEqual(missing([far, direct]), [
      'route add 10.9.0.1 dev eth0',
      'route add default via 10.9.0.1 dev eth0',
    ]);
  });

  it('names an interface with an odd name by its number, as a batch needs it', () => {
    const odd = { name: 'e"t#0', ifindex: 3 };
    const routes = [
      { dst: 'default', gateway: '10.9.0.1', dev: odd.name },
      { dst: '10.8.0.0/16', nexthops: [{ gateway: '10.9.0.2', dev: odd.name, flags: [] }] },
    ];
    assert.deepEqual(missingRoutes(JSON.stringify(routes), '[]', odd, VIPS), [
      'route add default via 10.9.0.1 dev if3',
      'route add 10.8.0.0/16 nexthop via 10.9.0.2 dev if3',
    ]);
    assert.deepEqual(missingRoutes(JSON.stringify(routes), JSON.stringify(routes), odd, VIPS), []);
  });

  it('knows nothing where it can read nothing', () => {
    assert.deepEqual(missingRoutes('', 'x', ETH0, VIPS), []);
    assert.deepEqual(missing([{ dev: 'eth0' }, 5, null]), ['route add default dev eth0']);
  });
});

describe('findDevice', () => {
  const shown = JSON.stringify([
    { ifindex: 2, ifname: 'wan0', altnames: ['enp6s18', 'a name'] },
    { ifindex: 3, ifname: 'eth0' },
    { ifindex: 4 },
  ]);
  const table: readonly [string, number | undefined, string | undefined][] = [
    ['eth0', undefined, 'eth0'],
    ['enp6s18', undefined, 'wan0'],
    ['a name', undefined, 'wan0'],
    ['eth0', 2, 'wan0'],
    ['eth1', undefined, undefined],
    ['eth0', 7, undefined],
    ['eth0', 4, undefined],
  ];
  for (const [name, ifindex, wanted] of table) {
    it(`${name}, index ${String(ifindex)}, is ${String(wanted)}`, () => {
      assert.equal(findDevice(shown, { name, ifindex })?.name, wanted);
    });
  }

  it('is nothing where nothing is shown', () => {
    assert.equal(findDevice('', { name: 'eth0', ifindex: 3 }), undefined);
  });
});

describe('readAddresses', () => {
  it('reads all that makes an address anew', () => {
    const info = [
      {
        family: 'inet',
        local: '10.9.0.10',
        address: '10.9.0.1',
        prefixlen: 24,
        metric: 5,
        broadcast: '10.9.0.255',
        scope: 'link',
        noprefixroute: true,
        label: 'eth0:x',
        valid_life_time: 100,
        preferred_life_time: 90,
      },
      { local: '10.9.0.11', prefixlen: 24, scope: '7', valid_life_time: 0xffffffff },
      { local: '10.9.0.12', prefixlen: 24 },
      { local: 'nonsense', prefixlen: 24 },
      { local: '10.9.0.13' },
    ];
    const plain = { prefixLength: 24, noPrefixRoute: false };
    assert.deepEqual(readAddresses(JSON.stringify([{ ifname: 'eth0', addr_info: info }]), 'eth0'), [
      {
        address: ip('10.9.0.10'),
        prefixLength: 24,
        peer: ip('10.9.0.1'),
        scope: 253,
        noPrefixRoute: true,
        broadcast: ip('10.9.0.255'),
        label: 'eth0:x',
        metric: 5,
        validS: 100,
        preferredS: 90,
      },
      { ...plain, address: ip('10.9.0.11'), peer: ip('10.9.0.11'), scope: 7 },
      { ...plain, address: ip('10.9.0.12'), peer: ip('10.9.0.12'), scope: 0 },
    ]);
    assert.deepEqual(readAddresses('[]', 'eth0'), []);
  });
});
