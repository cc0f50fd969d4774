// The gateways that a real kernel has, in a network namespace (needs root).
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/base/addresses.ts';
import { readGateways } from '../../src/linux/links/gateways.ts';
import { inNamespace, shell } from './namespace.ts';
import { withVeth } from './veth.ts';

async function read(interfaceName: string): Promise<readonly string[]> {
  return (await readGateways(interfaceName)).map(formatIpv4);
}

inNamespace(import.meta.url, () => {
  test('gateways come and go with the routes of the main table', () =>
    withVeth(async () => {
      deepEqual(await read('va'), []);
      await shell('ip addr add 10.1.0.5/24 dev va; ip addr add 10.2.0.5/24 dev vb');
      deepEqual(await read('va'), []);
      await shell(`
        ip route add 10.50.0.0/16 via 10.1.0.3
        ip route add default via 10.1.0.1 metric 5
        ip route add default via 10.2.0.1 metric 6
        ip route add 10.60.0.0/16 dev va
        ip route add 10.61.0.0/16 via 10.1.0.200 table 100
        ip route add unreachable 10.62.0.0/16
        ip route add 10.63.0.0/16 via 10.1.0.1`);
      deepEqual(await read('va'), ['10.1.0.1', '10.1.0.3']);
      deepEqual(await read('vb'), ['10.2.0.1']);
      deepEqual(await read('lo'), []);
      await shell('ip route del default metric 5; ip route del 10.63.0.0/16');
      deepEqual(await read('va'), ['10.1.0.3']);
    }));

  test('they stay while the carrier is away, and go with the interface', () =>
    withVeth(async () => {
      await shell('ip addr add 10.1.0.5/24 dev va; ip route add default via 10.1.0.1');
      await shell('ip link set vb down');
      deepEqual(await read('va'), ['10.1.0.1']);
      await shell('ip link set va down');
      deepEqual(await read('va'), []);
    }));

  test('of several next hops of one route only the first is told of', () =>
    withVeth(async () => {
      await shell(`
        ip addr add 10.1.0.5/24 dev va; ip addr add 10.2.0.5/24 dev vb
        ip route add default nexthop via 10.1.0.1 dev va nexthop via 10.2.0.1 dev vb`);
      deepEqual([await read('va'), await read('vb')], [['10.1.0.1'], []]);
    }));
});
