// Checks that need an instance beside its interface: its source, its group, the daemon that has it;
// and those of settings that do harm in certain places only.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mac } from '../../../support/packets.ts';
import { rivalFindings, type OtherDaemon } from '../../../../src/doctor/checks/host-checks.ts';
import {
  linkFindings,
  placeFindings,
  type InterfaceFacts,
  type PlacedGroup,
} from '../../../../src/doctor/checks/link-checks.ts';
import { instanceFindings } from '../../../../src/doctor/checks/place-checks.ts';
import type { BondFacts, LowerFacts } from '../../../../src/readiness/facts.ts';

const VIP = '10.9.0.100';
const REAL = { address: '10.9.0.10', prefixLength: 24 };
const GROUP: PlacedGroup = { name: 'db', vip: VIP, prefixLength: 32, isKept: false };
const ETH: InterfaceFacts = {
  name: 'eth0',
  isEthernet: true,
  up: true,
  multicast: true,
  addresses: [REAL],
  link: standing({ kind: 'plain' }),
  noUplink: undefined,
  miimonMs: undefined,
  lacpFast: undefined,
  snoopingBridge: undefined,
  arpIgnore: 0,
  arpFilter: 0,
};
const PORT = {
  name: 'eth1',
  ifindex: 11,
  linkUp: true,
  aggregatorId: undefined,
  actorState: undefined,
  partnerState: undefined,
};
const BOND: BondFacts = {
  kind: 'bond',
  name: 'bond0',
  ifindex: 3,
  mode: 'active-backup',
  activeAggregatorId: undefined,
  partnerMac: undefined,
  activePort: 11,
  ports: [PORT, { ...PORT, name: 'eth2', ifindex: 12 }],
};

function standing(lower: LowerFacts): NonNullable<InterfaceFacts['link']> {
  const uplinks = [{ ifindex: 2, vlans: [] }];
  return {
    ifindex: 2,
    mac: mac('02:00:00:00:00:01'),
    carrier: true,
    carrierLosses: 0,
    uplinks,
    lower,
  };
}

const codesOf = (found: readonly { readonly code: string }[]): readonly string[] =>
  found.map(({ code }) => code);

describe('the source of adverts', () => {
  const ROWS: readonly [string, Partial<PlacedGroup>, InterfaceFacts['addresses'], string[]][] = [
    ['is there', { source: '10.9.0.10' }, [REAL], []],
    ['is left to carpd', {}, [REAL], []],
    ['is another', { source: '10.9.0.11' }, [REAL], ['source-missing']],
    ['is the virtual IP alone', { isKept: true }, [{ ...REAL, address: VIP }], ['source-missing']],
    ['is told of by the interface', {}, [], []],
  ];
  for (const [name, changes, addresses, codes] of ROWS) {
    test(`${name}: ${codes.join() || 'nothing'}`, () => {
      const found = placeFindings({ ...GROUP, ...changes }, { ...ETH, addresses }, []);
      assert.deepEqual(codesOf(found), codes);
    });
  }

  test('the remedy names an address that is there', () => {
    const [found] = placeFindings({ ...GROUP, source: '10.9.0.11' }, ETH, []);
    assert.match(found?.remedy ?? '', /10\.9\.0\.10$/);
  });
});

test('a virtual IP on another interface of this host is told with its name', () => {
  const eth1 = { ...ETH, name: 'eth1', up: false, addresses: [{ ...REAL, address: VIP }] };
  const [found, ...more] = placeFindings(GROUP, ETH, [ETH, eth1]);
  assert.equal(found?.code, 'vip-elsewhere');
  assert.match(found.text, /is on eth1 of this host too/);
  assert.match(found.remedy ?? '', /^ip addr del .*\/24 dev eth1; .*eth0\.arp_ignore to 1$/);
  assert.deepEqual(codesOf(more), []);
  const [onVlan] = placeFindings(GROUP, { ...ETH, name: 'eth0.7' }, [eth1]);
  assert.match(onVlan?.remedy ?? '', /net\.ipv4\.conf\.eth0\/7\.arp_ignore/);
  const far = { ...REAL, address: VIP, peer: '192.168.7.1' };
  const [onTunnel] = placeFindings(GROUP, ETH, [ETH, { ...eth1, addresses: [far] }]);
  assert.match(onTunnel?.remedy ?? '', /^ip addr del \S+ dev eth1 peer 192\.168\.7\.1\/24; if it/);
  const served = { ...GROUP, alsoServedOn: ['eth1'] };
  assert.deepEqual(codesOf(placeFindings(served, ETH, [ETH, eth1])), []);
});

test('arp_ignore 2 does harm to an address that is in no network only', () => {
  const strict = { ...ETH, arpIgnore: 2 };
  assert.deepEqual(codesOf(linkFindings(strict)), ['interface-good']);
  assert.deepEqual(codesOf(placeFindings(GROUP, strict, [])), []);
  const outside = { ...strict, addresses: [{ ...REAL, address: '10.8.0.1' }] };
  assert.deepEqual(codesOf(placeFindings(GROUP, outside, [])), ['vip-outside', 'arp-unanswered']);
  const network = { ...GROUP, prefixLength: 24 };
  assert.deepEqual(codesOf(placeFindings(network, outside, [])), ['vip-outside']);
  const vlan = { ...outside, name: 'bond0.7' };
  const [, found] = placeFindings(GROUP, vlan, []);
  assert.equal(
    found?.remedy,
    'sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.bond0/7.arp_ignore=1',
  );
});

test('a bridge that snoops does harm to groups beyond 224.0.0.0/24 only', () => {
  const snooped = { ...ETH, snoopingBridge: 'br0' };
  assert.deepEqual(codesOf(linkFindings(snooped, [])), ['interface-good']);
  assert.deepEqual(codesOf(linkFindings(snooped, ['224.0.0.18'])), ['interface-good']);
  const found = linkFindings(snooped, ['224.0.0.18', '239.1.1.1']);
  assert.deepEqual(codesOf(found), ['snooping-alone']);
  assert.match(found[0]?.text ?? '', /239\.1\.1\.1/);
  assert.deepEqual(codesOf(linkFindings(ETH, ['239.1.1.1'])), ['interface-good']);
});

describe('settings of the interface', () => {
  const onBond = { ...ETH, link: standing(BOND), miimonMs: 100 };
  const ROWS: readonly [string, InterfaceFacts, string[]][] = [
    ['ARP', { ...ETH, arp: true, missingUplinks: [] }, ['interface-good']],
    ['no ARP', { ...ETH, arp: false }, ['no-arp']],
    ['an uplink that is not there', { ...ETH, missingUplinks: ['eth7'] }, ['no-uplink']],
    ['a bond that looks', onBond, ['bond-good', 'interface-good']],
    [
      'a bond that asks by ARP instead',
      { ...onBond, miimonMs: 0, arpIntervalMs: 100 },
      ['bond-good', 'interface-good'],
    ],
    ['a bond that does neither', { ...onBond, miimonMs: 0, arpIntervalMs: 0 }, ['bond-unwatched']],
    ['min_links of a few', { ...onBond, minLinks: 1 }, ['bond-good', 'interface-good']],
    ['min_links of all', { ...onBond, minLinks: 2 }, ['bond-min-links']],
    [
      'min_links of a single port',
      { ...onBond, link: standing({ ...BOND, ports: [PORT] }), minLinks: 1 },
      ['bond-good', 'interface-good'],
    ],
    [
      'what is out of sight',
      { ...ETH, link: standing({ kind: 'unseen' }) },
      ['stack-unseen', 'interface-good'],
    ],
    [
      'two bonds, of which one has no ports',
      { ...ETH, link: standing({ kind: 'bonds', bonds: [BOND, { ...BOND, ports: [] }] }) },
      ['bond-good', 'bond-no-ports'],
    ],
  ];
  for (const [name, facts, codes] of ROWS) {
    test(`${name}: ${codes.join(', ')}`, () =>
      assert.deepEqual(codesOf(linkFindings(facts)), codes));
  }
});

describe('a daemon beside', () => {
  const groups = [{ name: 'db', interfaceName: 'eth0', vhid: 7 }];
  const rival: OtherDaemon = { pid: 5, name: 'ucarp', interfaceName: 'eth0', vhid: 7 };

  test('is in the same group by interface and number', () => {
    const [found, ...more] = rivalFindings([rival], groups);
    assert.equal(found?.code, 'group-twice');
    assert.equal(found.about, 'db');
    assert.match(found.text, /^ucarp, process 5, runs vhid 7/);
    assert.deepEqual(more, []);
  });

  test('is in the same group by another name of the interface, and by nothing less', () => {
    const keyOf = (name: string): number | string =>
      ({ eth0: 2, enp6s18: 2, eth1: 3 })[name] ?? name;
    const byAltName = { ...rival, interfaceName: 'enp6s18' };
    assert.deepEqual(codesOf(rivalFindings([byAltName], groups, keyOf)), ['group-twice']);
    const others = ['eth1', 'gone'].map((interfaceName) => ({ ...rival, interfaceName }));
    assert.deepEqual(codesOf(rivalFindings(others, groups, keyOf)), []);
  });

  test('is none of it otherwise', () => {
    const others = [
      { ...rival, vhid: 8 },
      { ...rival, interfaceName: 'eth1' },
      { pid: 6, name: 'keepalived' },
    ];
    assert.deepEqual(rivalFindings(others, groups), []);
    assert.deepEqual(rivalFindings([rival], []), []);
  });
});

describe('an instance of the daemon that runs', () => {
  const running = {
    pid: 9,
    states: [
      { name: 'db', state: 'BACKUP' },
      { name: 'web', state: 'INIT', fault: 'eth7: there is none' },
    ],
  };

  test('is fit, unfit or not known', () => {
    const found = instanceFindings(['db', 'web', 'new'], running);
    assert.deepEqual(
      found.map(({ code, about }) => [code, about]),
      [
        ['instance-unfit', 'web'],
        ['instance-unloaded', 'new'],
      ],
    );
    assert.match(found[0]?.text ?? '', /eth7: there is none/);
    assert.match(found[1]?.remedy ?? '', /^carpd reload$/);
  });

  test('that takes over from nobody is in the way, and says why', () => {
    const states = [
      { name: 'db', state: 'HELD', held: 'no data frame has come in' },
      { name: 'web', state: 'HELD', inMaintenance: true },
    ];
    const found = instanceFindings(['db', 'web'], { pid: 9, states });
    assert.deepEqual(
      found.map(({ code, about, grade }) => [code, about, grade]),
      [
        ['instance-held', 'db', 'warning'],
        ['instance-maintenance', 'web', 'warning'],
      ],
    );
    assert.match(found[0]?.text ?? '', /takes over from nobody: no data frame has come in$/);
    assert.match(found[1]?.remedy ?? '', /^carpd maintenance off web/);
  });

  test('nobody knows of without a daemon', () => {
    assert.deepEqual(instanceFindings(['db'], undefined), []);
  });
});

test('a virtual IP that is the only address is not taken for left over without a word', () => {
  const facts = { ...ETH, addresses: [{ address: VIP, prefixLength: 24 }] };
  const found = placeFindings({ ...GROUP, isKept: false }, facts, []);
  const left = found.find(({ code }) => code === 'vip-left-over');
  assert.match(left?.remedy ?? '', /^if it is the host's own, correct the address of /);
});

test('a virtual IP that is left over goes in the form in which it is there', () => {
  const there = [
    { address: VIP, prefixLength: 32 },
    { address: VIP, prefixLength: 24, peer: '192.168.7.1' },
  ];
  const facts = { ...ETH, addresses: [...ETH.addresses, ...there] };
  const [found] = placeFindings({ ...GROUP, isKept: false }, facts, []);
  assert.equal(found?.code, 'vip-left-over');
  assert.equal(
    found.remedy,
    `ip addr del ${VIP}/32 dev eth0; ip addr del ${VIP}/24 dev eth0 peer 192.168.7.1/24`,
  );
});

test('a virtual IP that another daemon may serve is never advised to be removed', () => {
  const there = [...ETH.addresses, { address: VIP, prefixLength: 24 }];
  const group = { ...GROUP, isKept: false, rivals: ['keepalived, process 12'] };
  for (const addresses of [there, there.slice(-1)]) {
    const found = placeFindings(group, { ...ETH, addresses }, []);
    const left = found.find(({ code }) => code === 'vip-left-over');
    assert.match(left?.remedy ?? '', /^leave it there .* keepalived, process 12; .*migrating/);
  }
  const other = { ...ETH, name: 'eth1', addresses: there };
  for (const { remedy = '' } of placeFindings(group, ETH, [other])) {
    assert.doesNotMatch(remedy, /ip addr del/);
  }
});
