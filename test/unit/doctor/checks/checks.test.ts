// Every check of the doctor: what it finds where something is wrong, and nothing where all is well.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mac } from '../../../support/packets.ts';
import type { FindingCode } from '../../../../src/doctor/checks/catalogue.ts';
import { hostFindings, type HostFacts } from '../../../../src/doctor/checks/host-checks.ts';
import { linkFindings, placeFindings } from '../../../../src/doctor/checks/link-checks.ts';
import type { InterfaceFacts } from '../../../../src/doctor/checks/link-checks.ts';
import {
  hookFindings,
  placeFaults,
  type PlaceFacts,
} from '../../../../src/doctor/checks/place-checks.ts';
import type { BondFacts, LinkFacts, PortFacts } from '../../../../src/readiness/facts.ts';

type Codes = readonly FindingCode[];
const codesOf = (found: readonly { readonly code: FindingCode }[]): Codes =>
  found.map(({ code }) => code);

const WELL: HostFacts = {
  missing: [],
  missingInChildren: [],
  addonFault: undefined,
  hasIp: true,
  hypervisor: undefined,
  clockSynchronised: true,
  otherDaemons: [],
  serviceEnabled: true,
};

describe('the host', () => {
  const ROWS: readonly [Partial<HostFacts>, Codes][] = [
    [{}, ['privileges-good']],
    [{ missing: ['CAP_NET_RAW'], missingInChildren: ['CAP_NET_RAW'] }, ['privileges-missing']],
    [{ missingInChildren: ['CAP_NET_ADMIN'] }, ['privileges-of-children']],
    [{ addonFault: 'undefined symbol' }, ['privileges-good', 'addon-broken']],
    [{ hasIp: false }, ['privileges-good', 'ip-missing']],
    [{ hypervisor: 'QEMU' }, ['privileges-good', 'virtual-machine']],
    [{ clockSynchronised: false }, ['privileges-good', 'clock-adrift']],
    [{ clockSynchronised: undefined }, ['privileges-good']],
    [{ otherDaemons: [{ pid: 7, name: 'ucarp' }] }, ['privileges-good', 'other-daemon']],
    [{ serviceEnabled: false }, ['privileges-good', 'service-disabled']],
    [{ serviceEnabled: undefined }, ['privileges-good']],
  ];
  for (const [changes, codes] of ROWS) {
    test(`${JSON.stringify(changes)}: ${codes.join(', ')}`, () => {
      assert.deepEqual(codesOf(hostFindings({ ...WELL, ...changes })), codes);
    });
  }
});

const LINK: LinkFacts = {
  ifindex: 2,
  mac: mac('02:00:00:00:00:01'),
  carrier: true,
  carrierLosses: 0,
  uplinks: [{ ifindex: 2, vlans: [] }],
  lower: { kind: 'plain' },
};
const ETH: InterfaceFacts = {
  name: 'eth0',
  isEthernet: true,
  up: true,
  multicast: true,
  addresses: [{ address: '10.9.0.10', prefixLength: 24 }],
  link: LINK,
  noUplink: undefined,
  miimonMs: undefined,
  lacpFast: undefined,
  snoopingBridge: undefined,
  arpIgnore: 0,
  arpFilter: 0,
};

const port = (changes: Partial<PortFacts> = {}): PortFacts => ({
  name: 'eth1',
  ifindex: 11,
  linkUp: true,
  aggregatorId: 1,
  actorState: 0x3f,
  partnerState: 0x3f,
  ...changes,
});
const bonded = (changes: Partial<BondFacts> = {}, more: Partial<InterfaceFacts> = {}) => ({
  ...ETH,
  miimonMs: 100,
  lacpFast: true,
  link: {
    ...LINK,
    lower: {
      kind: 'bond',
      name: 'bond0',
      ifindex: 3,
      mode: '802.3ad',
      activeAggregatorId: 1,
      partnerMac: mac('02:00:00:00:ee:01'),
      activePort: undefined,
      ports: [port()],
      ...changes,
    },
  } as const,
  ...more,
});

describe('an interface', () => {
  const ROWS: readonly [string, InterfaceFacts, Codes][] = [
    ['that is well', ETH, ['interface-good']],
    ['of another type', { ...ETH, isEthernet: false }, ['interface-type']],
    ['that is down', { ...ETH, up: false }, ['interface-down']],
    ['without carrier', { ...ETH, link: { ...LINK, carrier: false } }, ['no-carrier']],
    ['without an address', { ...ETH, addresses: [] }, ['no-address']],
    ['without multicast', { ...ETH, multicast: false }, ['no-multicast']],
    ['a bridge to nowhere', { ...ETH, noUplink: 'br0' }, ['no-uplink']],
    [
      'an uplink that is no port of the bridge',
      {
        ...ETH,
        uplinksApart: [{ name: 'eth1', bridge: 'br0' }],
        link: { ...LINK, carrier: false, uplinkFault: 'no-uplink' },
      },
      ['no-uplink'],
    ],
    [
      'a bridge that does not forward on its way out',
      { ...ETH, link: { ...LINK, carrier: false, uplinkFault: 'uplink-blocked' } },
      ['uplink-blocked'],
    ],
    ['that answers no ARP', { ...ETH, arpIgnore: 8 }, ['arp-unanswered']],
    ['that answers for itself only', { ...ETH, arpIgnore: 1 }, ['interface-good']],
    ['that is a port of a bridge', { ...ETH, upper: 'br0' }, ['interface-port']],
    [
      'that does not hear a peer for its route',
      { ...ETH, filteredSources: [{ address: '10.9.0.20', way: 'eth1' }] },
      ['reverse-path'],
    ],
    ['that filters ARP', { ...ETH, arpFilter: 1 }, ['arp-filtered']],
    ['on a bond that is well', bonded(), ['bond-good', 'interface-good']],
    ['on an empty bond', bonded({ ports: [] }), ['bond-no-ports']],
    ['on a bond that looks at nothing', bonded({}, { miimonMs: 0 }), ['bond-unwatched']],
    [
      'on a bond whose port is down',
      bonded({ ports: [port({ linkUp: false })] }),
      ['bond-port-down'],
    ],
    [
      'on a bond with a port apart',
      bonded({ ports: [port({ actorState: 7 })] }),
      ['lacp-port-out'],
    ],
    [
      'on a bond without a partner',
      bonded({ partnerMac: mac('00:00:00:00:00:00') }),
      ['lacp-no-partner'],
    ],
    ['on a bond at the slow rate', bonded({}, { lacpFast: false }), ['lacp-slow']],
    [
      'on a bond without LACP',
      bonded({ mode: 'active-backup', partnerMac: undefined, ports: [port({ actorState: 0 })] }),
      ['bond-good', 'interface-good'],
    ],
    [
      'on a team device',
      { ...ETH, link: { ...LINK, lower: { kind: 'team', name: 'team0', ifindex: 5 } } },
      ['team-device', 'interface-good'],
    ],
  ];
  for (const [name, facts, codes] of ROWS) {
    test(`${name}: ${codes.join(', ')}`, () =>
      assert.deepEqual(codesOf(linkFindings(facts)), codes));
  }
});

describe('a virtual IP', () => {
  const group = { name: 'db', vip: '10.9.0.100', prefixLength: 24, isKept: false };
  const other = { ...ETH, name: 'eth1', addresses: [{ address: '10.9.0.20', prefixLength: 24 }] };
  const withVip = {
    ...ETH,
    addresses: [...ETH.addresses, { address: group.vip, prefixLength: 24 }],
  };
  const elsewhere = { ...ETH, addresses: [{ address: '10.8.0.1', prefixLength: 24 }] };
  const ROWS: readonly [string, typeof group, InterfaceFacts, readonly InterfaceFacts[], Codes][] =
    [
      ['in its place', group, ETH, [ETH], []],
      ['in no network', group, elsewhere, [], ['vip-outside']],
      ['left over', group, withVip, [], ['vip-left-over']],
      ['kept by a daemon', { ...group, isKept: true }, withVip, [], []],
      ['in two networks', group, ETH, [ETH, other], ['network-twice']],
      ['with the other one down', group, ETH, [{ ...other, up: false }], []],
      [
        'with itself on the other one',
        group,
        ETH,
        [{ ...other, addresses: [{ address: '10.9.0.100', prefixLength: 32 }] }],
        ['vip-elsewhere'],
      ],
    ];
  for (const [name, placed, facts, others, codes] of ROWS) {
    test(`${name}: ${codes.join() || 'nothing'}`, () => {
      assert.deepEqual(codesOf(placeFindings(placed, facts, others)), codes);
    });
  }
});

describe('a hook', () => {
  const good = { path: '/h', mode: 0o100755, isFile: true, uid: 0, executable: true };
  const ROWS: readonly [object, Codes][] = [
    [{}, []],
    [{ mode: undefined, isFile: false, executable: false }, ['hook-missing']],
    [{ isFile: false }, ['hook-missing']],
    [{ executable: false }, ['hook-not-executable']],
    [{ mode: 0o100775 }, ['hook-writable']],
    [{ uid: 1000 }, ['hook-writable']],
  ];
  for (const [changes, codes] of ROWS) {
    test(`${JSON.stringify(changes)}: ${codes.join() || 'nothing'}`, () => {
      assert.deepEqual(codesOf(hookFindings('db', [{ ...good, ...changes }])), codes);
    });
  }
});

describe('the places of a daemon', () => {
  const places: PlaceFacts = {
    controlSocket: '/run/carpd/control.sock',
    controlFault: undefined,
    metrics: '127.0.0.1:9112',
    metricsFault: undefined,
    stateDirectory: '/var/lib/carpd',
    stateFault: undefined,
  };
  const running = { pid: 7, states: [{ name: 'db', state: 'MASTER' }] };
  const of = (changes: Partial<PlaceFacts>): Codes =>
    codesOf(placeFaults({ ...places, ...changes }, running, '/etc/carpd/carpd.yaml'));

  test('are good where nobody objects, and say what the daemon is', () => {
    assert.deepEqual(of({}), ['daemon-running']);
    const [found] = placeFaults(places, running, 'x');
    assert.equal(found?.text, 'process 7: db MASTER');
    assert.deepEqual(codesOf(placeFaults(places, undefined, 'x')), ['daemon-absent']);
  });

  test('each are told of by themselves', () => {
    assert.deepEqual(of({ controlFault: 'x' }), ['daemon-running', 'control-unusable']);
    assert.deepEqual(of({ metricsFault: 'x' }), ['daemon-running', 'metrics-unusable']);
    assert.deepEqual(of({ stateFault: 'x' }), ['daemon-running', 'state-unusable']);
  });
});
