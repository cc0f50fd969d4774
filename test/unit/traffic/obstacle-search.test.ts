// Why adverts do not reach their socket: each of the things that look the same is told apart.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fromSeconds } from '../../../src/base/time.ts';
import { ObstacleSearch } from '../../../src/traffic/obstacle-search.ts';
import type { Obstacle } from '../../../src/readiness/obstacle.ts';
import { address } from '../../support/packets.ts';
import { linkOf } from '../../support/links.ts';

const DROPS = '*filter\n:INPUT DROP [0:0]\nCOMMIT\n';
const PASSES = '*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n';

interface Host {
  readonly master?: number;
  readonly strict?: boolean;
  readonly way?: string;
  readonly rules?: string;
}

describe('ObstacleSearch', () => {
  for (const [what, host, expected] of [
    [
      'a port of a bridge',
      { master: 4, strict: true, way: 'eth1', rules: DROPS },
      'upper-interface',
    ],
    [
      'rp_filter 1 and another way back',
      { strict: true, way: 'eth1', rules: DROPS },
      'reverse-path',
    ],
    ['rp_filter 1 and no way back', { strict: true, rules: PASSES }, 'reverse-path'],
    ['rp_filter 1 and the same way back', { strict: true, way: 'eth0', rules: DROPS }, 'firewall'],
    ['another way back alone', { way: 'eth1', rules: PASSES }, 'unknown'],
    ['a firewall', { rules: DROPS }, 'firewall'],
    ['nothing that is known', { rules: PASSES }, 'unknown'],
  ] as const satisfies readonly (readonly [string, Host, string])[]) {
    test(`${what}: ${expected}`, async () => {
      const found: Obstacle[] = [];
      const obstacle = of(host, (one) => found.push(one));
      const look = (): void => obstacle.lookFor(address('10.9.0.20'), address('224.0.0.18'));
      look();
      await nextTurn();
      look();
      await nextTurn();
      assert.deepEqual(found, [expected], 'it is looked for once in a while');
      obstacle.clear();
      look();
      await nextTurn();
      assert.deepEqual(found, [expected, expected]);
    });
  }
});

function of(host: Host, onFound: (obstacle: Obstacle) => void): ObstacleSearch {
  const { master, strict = false, way, rules } = host;
  return new ObstacleSearch({
    interfaceName: 'eth0',
    now: () => fromSeconds(1),
    link: () => linkOf(master === undefined ? {} : { master }),
    readFirewall: () => Promise.resolve({ nft: undefined, iptables: rules, managers: [] }),
    filtersStrictly: () => strict,
    wayBackTo: () => way,
    onFound,
    onError: (reason) => assert.fail(reason),
  });
}
