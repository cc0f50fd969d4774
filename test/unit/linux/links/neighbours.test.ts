// The stations in the kernel's neighbour table.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIpv4 } from '../../../../src/base/addresses.ts';
import { findNeighbours } from '../../../../src/linux/links/neighbours.ts';

const HEAD = 'IP address       HW type     Flags       HW address            Mask     Device';
const MAC = '02:00:00:00:00:02';

function table(...rows: readonly (readonly [string, string, string])[]): string {
  const lines = rows.map(([address, flags, device]) => {
    return `${address.padEnd(16)} 0x1         ${flags}         ${MAC}     *        ${device}`;
  });
  return `${[HEAD, ...lines].join('\n')}\n`;
}

const found = (...given: Parameters<typeof findNeighbours>) =>
  findNeighbours(...given).map(formatIpv4);

describe('findNeighbours', () => {
  it('finds the stations on the interface whose link address is known, in order', () => {
    const text = table(
      ['10.77.0.9', '0x2', 'eth0'],
      ['10.77.0.1', '0x6', 'eth0'],
      ['10.77.0.3', '0x0', 'eth0'],
      ['10.77.1.9', '0x2', 'eth1'],
    );
    assert.deepEqual(found(text, 'eth0'), ['10.77.0.9', '10.77.0.1']);
    assert.deepEqual(found(text, 'eth1'), ['10.77.1.9']);
    assert.deepEqual(found(text, 'eth'), []);
    assert.deepEqual(found('', 'eth0'), []);
  });

  it('leaves out what is no IPv4 address', () => {
    assert.deepEqual(found(table(['10.77.0.256', '0x2', 'eth0']), 'eth0'), []);
  });

  it('keeps sixteen at most', () => {
    const rows = Array.from({ length: 20 }, (_, host) => [`10.1.0.${host}`, '0x2', 'e'] as const);
    const all = found(table(...rows), 'e');
    assert.deepEqual([all.length, all.at(-1)], [16, '10.1.0.15']);
  });
});
