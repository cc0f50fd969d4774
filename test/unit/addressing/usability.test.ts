// What an instance can do on an interface, by what the interface is like.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseIpv4, type Ipv4 } from '../../../src/base/addresses.ts';
import {
  findNetworks,
  judgeInterface,
  type Usability,
  type Needs,
} from '../../../src/addressing/usability.ts';
import type { Link, LinkAddress } from '../../../src/linux/links/link-watch.ts';
import { linkOf } from '../../support/links.ts';

const VIP = ip('10.0.0.100');
const needs: Needs = {
  source: undefined,
  ignoreLinkState: false,
  carrierBelow: true,
  isLocal: () => false,
  virtualIps: new Set([VIP]),
  isServedElsewhere: () => false,
};

const good = linkOf({ ifindex: 2, addresses: [address('10.0.0.1')] });

interface Case {
  readonly desc: string;
  readonly link: Link | undefined;
  readonly needs?: Partial<Needs>;
  readonly expected: Usability;
}

const ready = (source: string, carrier = true): Usability => ({
  kind: 'ready',
  source: ip(source),
  carrier,
});

const cases: readonly Case[] = [
  { desc: 'all is well', link: good, expected: ready('10.0.0.1') },
  {
    desc: 'there is no such interface',
    link: undefined,
    expected: { kind: 'fault', fault: 'interface-missing' },
  },
  {
    desc: 'the loopback',
    link: { ...good, type: 772 },
    expected: { kind: 'fault', fault: 'not-ethernet' },
  },
  {
    desc: 'carrier of its own and none below',
    link: good,
    needs: { carrierBelow: false },
    expected: ready('10.0.0.1', false),
  },
  {
    desc: 'none below where the link state is ignored',
    link: good,
    needs: { carrierBelow: false, ignoreLinkState: true },
    expected: ready('10.0.0.1'),
  },
  {
    desc: 'set down',
    link: { ...good, administrativelyUp: false },
    expected: { kind: 'fault', fault: 'interface-down' },
  },
  {
    desc: 'no address at all',
    link: { ...good, addresses: [] },
    expected: { kind: 'fault', fault: 'no-source-address' },
  },
  {
    desc: 'nothing but a virtual IP, left by an earlier run or configured by mistake',
    link: { ...good, addresses: [address('10.0.0.100')] },
    expected: { kind: 'fault', fault: 'no-source-address', onlyAddress: '10.0.0.100' },
  },
  {
    desc: 'the virtual IP of another daemon stands first',
    link: { ...good, addresses: [address('10.0.0.101'), address('10.0.0.1')] },
    needs: { isServedElsewhere: (one, ifindex) => one === ip('10.0.0.101') && ifindex === 2 },
    expected: ready('10.0.0.1'),
  },
  {
    desc: 'there is nothing but the virtual IP of another daemon',
    link: { ...good, addresses: [address('10.0.0.101')] },
    needs: { isServedElsewhere: () => true },
    expected: { kind: 'fault', fault: 'no-source-address', onlyAddress: '10.0.0.101' },
  },
  {
    desc: 'the virtual IP stands first',
    link: { ...good, addresses: [address('10.0.0.100'), address('10.0.0.1')] },
    expected: ready('10.0.0.1'),
  },
  {
    desc: 'primary addresses come before secondary ones, and host-only ones are no source',
    link: {
      ...good,
      addresses: [
        { ...address('10.0.0.7'), secondary: true },
        { ...address('10.0.0.8'), scope: 254 },
        address('10.0.0.9'),
      ],
    },
    expected: ready('10.0.0.9'),
  },
  {
    desc: 'after a crash the virtual IP is first, and the own address secondary',
    link: { ...good, addresses: [address('10.0.0.100'), secondary('10.0.0.7')] },
    expected: ready('10.0.0.7'),
  },
  {
    desc: 'nothing but secondary addresses that move between hosts',
    link: { ...good, addresses: [secondary('10.0.0.100')] },
    expected: { kind: 'fault', fault: 'no-source-address', onlyAddress: '10.0.0.100' },
  },
  {
    desc: 'a configured source is on any interface of the host',
    link: { ...good, addresses: [] },
    needs: { source: ip('10.0.0.7'), isLocal: (one) => one === ip('10.0.0.7') },
    expected: ready('10.0.0.7'),
  },
  {
    desc: 'a configured source that is not there',
    link: good,
    needs: { source: ip('10.0.0.7') },
    expected: { kind: 'fault', fault: 'no-source-address' },
  },
  { desc: 'no carrier', link: { ...good, lowerUp: false }, expected: ready('10.0.0.1', false) },
  { desc: 'not running', link: { ...good, running: false }, expected: ready('10.0.0.1', false) },
  {
    desc: 'no carrier, which is to be ignored',
    link: { ...good, lowerUp: false, running: false },
    needs: { ignoreLinkState: true },
    expected: ready('10.0.0.1'),
  },
];

describe('interface conditions', () => {
  for (const { desc, link, needs: changed, expected } of cases) {
    test(desc, () => {
      assert.deepEqual(judgeInterface(link, { ...needs, ...changed }), expected);
    });
  }

  test('the networks of an interface are those of its own addresses', () => {
    const link = { ...good, addresses: [address('10.0.0.1'), address('10.0.0.100')] };
    const own = { address: ip('10.0.0.1'), prefixLength: 24 };
    assert.deepEqual(findNetworks(link, new Set([VIP])), [own]);
  });
});

function ip(text: string): Ipv4 {
  const address = parseIpv4(text);
  assert.ok(address !== undefined);
  return address;
}

function secondary(text: string): LinkAddress {
  return { ...address(text), secondary: true };
}

function address(text: string): LinkAddress {
  return { address: text, prefixLength: 24, secondary: false, scope: 0 };
}
