// Checks that a large configuration is looked through once, not each instance beside all others.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ipv4 } from '../../../src/base/addresses.ts';
import type { Draft } from '../../../src/config/read-instance.ts';
import { reportShared } from '../../../src/config/shared.ts';
import { dbConfig, ip } from '../../support/reports.ts';

describe('what instances share', () => {
  test('is found by a number of looks that grows no faster than the instances', () => {
    const looks = [500, 1_000, 2_000].map((count) => looksAt(count));
    const [few = 0, more = 0, most = 0] = looks;
    equal(more - 2 * few, 0, String(looks));
    equal(most - 2 * more, 0, String(looks));
    ok(few < 500 * 20, String(few));
  });

  test('is told once for each address, by the first that has it, in the order of these', () => {
    const [a, b, c] = [ip('10.9.0.11'), ip('10.9.0.12'), ip('10.9.0.13')];
    const config = dbConfig();
    const address = (own: typeof a): Draft['address'] => ({ ip: own, prefixLength: 24 });
    const drafts: readonly Draft[] = [
      { ...config, name: 'one', vhid: dbConfig({ vhid: 1 }).vhid, address: address(a), source: b },
      { ...config, name: 'two', vhid: dbConfig({ vhid: 2 }).vhid, address: address(c), source: b },
      {
        ...config,
        name: 'asks',
        peers: [c, a, b],
        address: address(ip('10.9.0.14')),
        gate: { ...config.gate, probe: { ...config.gate.probe, targets: ['gateway', a] } },
      },
      { ...config, name: 'no interface', interfaceName: undefined },
    ];
    deepEqual(faultsOf(drafts), [
      'instances.asks.peers: 10.9.0.12 is the source of instances.one',
      'instances.asks.peers: 10.9.0.11 is the virtual IP of instances.one',
      'instances.asks.gate.probe.targets: 10.9.0.11 is the virtual IP of instances.one',
      'instances.asks.peers: 10.9.0.13 is the virtual IP of instances.two',
    ]);
  });
});

function faultsOf(drafts: readonly Draft[]): readonly string[] {
  const faults: string[] = [];
  reportShared(drafts, (path, message) => {
    faults.push(`${path}: ${message.split(';')[0] ?? ''}`);
  });
  return faults;
}

/** How often a key of an instance is read, of so many on one interface. */
function looksAt(count: number): number {
  let looks = 0;
  const config = dbConfig({ peers: ['10.8.0.1'] });
  const drafts = Array.from({ length: count }, (_, index): Draft => {
    const own = { ip: ipv4(0x0a090000 + index), prefixLength: 16 };
    const draft: Draft = { ...config, name: `i${index}`, vhid: undefined, address: own };
    return new Proxy(draft, {
      get(target, key, receiver): unknown {
        looks += 1;
        return Reflect.get(target, key, receiver);
      },
    });
  });
  deepEqual(faultsOf(drafts), []);
  return looks;
}
