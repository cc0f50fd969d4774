// The neighbours that a real kernel knows, in a network namespace (needs root).
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../src/base/addresses.ts';
import { readNeighbours } from '../../src/linux/links/neighbours.ts';
import { inNamespace, shell } from './namespace.ts';
import { withVeth } from './veth.ts';

async function read(interfaceName: string): Promise<readonly string[]> {
  return (await readNeighbours(interfaceName)).map(formatIpv4);
}

inNamespace(import.meta.url, () => {
  test('those whose link address is known are found on their own interface', () =>
    withVeth(async () => {
      await shell(`
        ip addr add 10.1.0.5/24 dev va; ip addr add 10.2.0.5/24 dev vb
        ip neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 dev va nud stale
        ip neigh add 10.1.0.8 lladdr 02:00:00:00:00:08 dev va nud permanent
        ip neigh add 10.1.0.7 dev va nud failed
        ip neigh add 10.2.0.9 lladdr 02:00:00:00:00:09 dev vb nud reachable`);
      deepEqual([...(await read('va'))].sort(), ['10.1.0.8', '10.1.0.9']);
      deepEqual(await read('vb'), ['10.2.0.9']);
      deepEqual(await read('lo'), []);
    }));
});
