// Which address on another interface is carpd's own, left by an earlier run, and which is not.
import { deepEqual, equal } from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { micros } from '../../../src/base/time.ts';
import { CARP_MULTICAST } from '../../../src/carp/group.ts';
import type { DomainEvent } from '../../../src/events/events.ts';
import { InterfaceAddresses } from '../../../src/addressing/interface-addresses.ts';
import { Leftovers, type LeftoversOptions } from '../../../src/release/leftovers.ts';
import type { ServedPlace, ServedStore } from '../../../src/state/served-record.ts';
import { HostState } from '../../fakes/host-state.ts';
import type { LinkAddress, LinkWatch } from '../../../src/linux/links/link-watch.ts';
import { AddressKeeper } from '../../../src/vip/keeper.ts';
import { FakeLinks } from '../../fakes/link-watch.ts';
import { ip } from '../../support/reports.ts';

const VIP: LinkAddress = { address: '10.9.0.100', prefixLength: 24, secondary: true, scope: 0 };
const OWN: LinkAddress = { address: '10.9.0.10', prefixLength: 24, secondary: false, scope: 0 };
const HOLDER = { pid: 4_711, program: 'carpd', leaving: false, has: 'group' } as const;

describe('what an earlier run has left on eth0, and is now served on eth1', () => {
  let store: ServedStore;
  let links: FakeLinks;
  let watch: LinkWatch;
  let events: DomainEvent[];
  let place: ServedPlace;

  beforeEach(async () => {
    store = new HostState().served('/state');
    links = new FakeLinks();
    watch = await links.open({ onChange: () => undefined, onError: () => undefined });
    const ifindex = links.add('eth0', { addresses: [OWN, VIP] });
    events = [];
    const address = ip('10.9.0.100');
    const destination = CARP_MULTICAST;
    place = { interfaceName: 'eth0', ifindex, address, prefixLength: 24, vhid: 7, destination };
    store.write([place]);
  });

  const commands: string[] = [];
  const startTimer = (): (() => void) => () => undefined;

  /** An `ip` that does what it is told. */
  const withKeeper: LeftoversOptions['withKeeper'] = (link, run) => {
    const addresses = new InterfaceAddresses({ links: watch, link: () => watch.find(link.name) });
    const keeper = new AddressKeeper({
      runCommand: ({ input = '' }) => {
        commands.push(...input.trim().split('\n'));
        links.set(link.name, { addresses: [OWN] });
        addresses.changed();
        const result = { kind: 'exited', code: 0, output: '', truncated: false } as const;
        return { result: Promise.resolve(result), kill: () => undefined };
      },
      ...{ addresses, startTimer, env: {} },
      promotion: undefined,
      isServedElsewhere: () => false,
    });
    return run(keeper);
  };

  async function remove(
    changes: Partial<LeftoversOptions> = {},
    served: readonly ServedPlace[] = [{ ...place, ifindex: place.ifindex + 1 }],
  ): Promise<readonly string[]> {
    commands.length = 0;
    const leftovers = new Leftovers({
      ...{ store, links: watch, startTimer, withKeeper },
      events: { publish: (event) => void events.push(event) },
      clock: () => micros(0),
      holderOf: () => undefined,
      hasRival: () => false,
      ...changes,
    });
    await leftovers.remove(served, new Set([ip('10.9.0.100')]));
    leftovers.record(served);
    return [...commands];
  }

  const told = (): readonly unknown[] =>
    events.flatMap((one) => (one.event === 'vip-leftover' ? [[one.interface, one.removed]] : []));

  test('is taken off and told, and forgotten', async () => {
    deepEqual(await remove(), ['addr del 10.9.0.100/24 dev eth0']);
    deepEqual(told(), [['eth0', true]]);
    deepEqual(
      store.read().map(({ ifindex }) => ifindex),
      [place.ifindex + 1],
    );
  });

  test('is taken off where the address is configured nowhere any more', async () => {
    deepEqual(await remove({}, []), ['addr del 10.9.0.100/24 dev eth0']);
  });

  test('is taken off under the new name of the interface', async () => {
    links.set('eth0', { name: 'wan0' });
    deepEqual(await remove(), ['addr del 10.9.0.100/24 dev wan0']);
  });

  const ALONE: readonly [string, Partial<LeftoversOptions>][] = [
    ['another daemon holds the group there', { holderOf: () => HOLDER }],
    ['another program that keeps virtual IPs runs', { hasRival: () => true }],
    ['nothing may be kept', { store: undefined }],
  ];
  for (const [name, changes] of ALONE) {
    test(`is left alone where ${name}`, async () => {
      deepEqual(await remove(changes), []);
      deepEqual(told(), []);
    });
  }

  const FORMS: readonly [string, Partial<LinkAddress>][] = [
    ['with a label', { label: 'eth0:vip' }],
    ['with a far end', { peer: '10.9.0.200' }],
    ['with another prefix length', { prefixLength: 32 }],
    ['with another scope', { scope: 253 }],
    ['with a lifetime, or without a route to its prefix', { special: true }],
  ];
  for (const [name, form] of FORMS) {
    test(`is left alone ${name}: carpd puts none there like that`, async () => {
      links.set('eth0', { addresses: [OWN, { ...VIP, ...form }] });
      deepEqual(await remove(), []);
      deepEqual(told(), []);
    });
  }

  test('is left alone without a record: nobody knows whose it is', async () => {
    store.write([]);
    deepEqual(await remove(), []);
  });

  test('is left alone where an instance serves it there now', async () => {
    deepEqual(await remove({}, [place]), []);
  });

  test('is left, and told, where the host has no other address on the interface', async () => {
    links.set('eth0', { addresses: [{ ...VIP, secondary: false }] });
    deepEqual(await remove(), []);
    deepEqual(told(), [['eth0', false]]);
    equal(store.read().length, 2, 'the next start looks again');
  });
});
