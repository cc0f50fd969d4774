// The way back to a host, from the table of routes as the kernel prints it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findWay } from '../../../../src/linux/links/reverse-path.ts';
import { address } from '../../../support/packets.ts';

const HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';

/** A line of /proc/net/route: numbers as this machine stores them. */
function route(name: string, target: string, mask: string, metric = 0, flags = '0001'): string {
  return [name, stored(target), '00000000', flags, 0, 0, metric, stored(mask), 0, 0, 0].join('\t');
}

function stored(text: string): string {
  const bytes = Uint8Array.from(text.split('.').map(Number));
  const [number = 0] = new Uint32Array(bytes.buffer);
  return number.toString(16).toUpperCase().padStart(8, '0');
}

test('the longest prefix wins, then the lowest metric; one that is down is none', () => {
  const table = [
    HEAD,
    route('wan', '0.0.0.0', '0.0.0.0'),
    route('eth0', '10.9.0.0', '255.255.255.0', 100),
    route('eth1', '10.9.0.0', '255.255.255.0', 50),
    route('eth2', '10.9.0.20', '255.255.255.255', 0, '0000'),
    route('eth3', '10.9.0.30', '255.255.255.255'),
  ].join('\n');
  assert.equal(findWay(table, address('10.9.0.20')), 'eth1');
  assert.equal(findWay(table, address('10.9.0.30')), 'eth3');
  assert.equal(findWay(table, address('192.0.2.1')), 'wan');
  assert.equal(findWay(HEAD, address('192.0.2.1')), undefined);
});
