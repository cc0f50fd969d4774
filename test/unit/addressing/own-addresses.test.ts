// Checks that the addresses of an interface are those that the kernel told of last.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseIpv4, type Ipv4 } from '../../../src/base/addresses.ts';
import {
  hasAddress,
  interfacesWith,
  isLocal,
  ownAddresses,
} from '../../../src/addressing/own-addresses.ts';
import type { Link, LinkAddress } from '../../../src/linux/links/link-watch.ts';
import { FakeLinks } from '../../fakes/link-watch.ts';

describe('the own addresses of an interface', () => {
  test('are all but the virtual IPs, whichever of the two lists has changed', () => {
    const none: ReadonlySet<Ipv4> = new Set();
    const vips = new Set([ip('10.0.0.2')]);
    const link = { addresses: [entry('10.0.0.1'), entry('10.0.0.2')] };
    deepEqual(texts(ownAddresses(link, none)), [ip('10.0.0.1'), ip('10.0.0.2')]);
    deepEqual(texts(ownAddresses(link, vips)), [ip('10.0.0.1')]);
    equal(ownAddresses(link, vips), ownAddresses(link, vips), 'read once');
    const later = { addresses: [...link.addresses, entry('10.0.0.3')] };
    deepEqual(texts(ownAddresses(later, vips)), [ip('10.0.0.1'), ip('10.0.0.3')]);
    equal(hasAddress(link, ip('10.0.0.3')), false);
    equal(hasAddress(later, ip('10.0.0.3')), true);
    equal(hasAddress(later, ip('10.0.0.2')), true);
  });
});

describe('the interfaces of the host that have an address', () => {
  test('are the others, in the same routing domain', async () => {
    const links = new FakeLinks();
    const watch = await links.open({ onChange: () => undefined, onError: () => undefined });
    const addresses = [entry('10.0.0.9')];
    const vrf = links.add('red', { kind: 'vrf' });
    const bridge = links.add('br0', { kind: 'bridge', master: vrf });
    links.add('eth0', { addresses });
    links.add('eth1', { addresses });
    links.add('eth2', { addresses: [entry('10.0.0.8')] });
    links.add('eth3', { addresses, master: bridge });
    links.add('eth4', { addresses, master: vrf });
    const others = (name: string | undefined): readonly string[] => {
      const besides: Link | undefined = name === undefined ? undefined : watch.find(name);
      return interfacesWith(watch, ip('10.0.0.9'), besides).map((link) => link.name);
    };
    deepEqual(others('eth0'), ['eth1']);
    deepEqual(others('eth2'), ['eth0', 'eth1']);
    deepEqual(others('eth3'), ['eth4'], 'the same number in another VRF is another address');
    deepEqual(others(undefined), ['eth0', 'eth1', 'eth3', 'eth4']);
    equal(isLocal(watch, ip('10.0.0.8')), true);
    equal(isLocal(watch, ip('10.0.0.7')), false);
  });
});

function entry(address: string): LinkAddress {
  return { address, prefixLength: 24, secondary: false, scope: 0 };
}

function texts(list: readonly { readonly address: Ipv4 }[]): readonly Ipv4[] {
  return list.map(({ address }) => address);
}

function ip(text: string): Ipv4 {
  const address = parseIpv4(text);
  ok(address !== undefined, text);
  return address;
}
