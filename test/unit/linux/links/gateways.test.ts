// Next hops in the kernel's routing table.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIpv4 } from '../../../../src/base/addresses.ts';
import { findGateways } from '../../../../src/linux/links/gateways.ts';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';

function table(...rows: readonly (readonly [string, string, string, string])[]): string {
  const lines = rows.map((row) => `${row.join('\t')}\t0\t0\t0\t00000000\t0\t0\t0`);
  return `${[HEAD, ...lines].join('\n')}\n`;
}

const found = (...given: Parameters<typeof findGateways>) => findGateways(...given).map(formatIpv4);

describe('findGateways', () => {
  it('finds the next hops through the interface, each once, in order', () => {
    const text = table(
      ['eth0', '00000000', 'FE004D0A', '0003'],
      ['eth0', '00004D0A', '00000000', '0001'],
      ['eth0', '0000A8C0', 'FD004D0A', '0003'],
      ['eth0', '0001A8C0', 'FE004D0A', '0003'],
      ['eth1', '0002A8C0', '01014D0A', '0003'],
    );
    assert.deepEqual(found(text, 'eth0'), ['10.77.0.254', '10.77.0.253']);
    assert.deepEqual(found(text, 'eth1'), ['10.77.1.1']);
    assert.deepEqual(found(text, 'eth'), []);
  });

  it('leaves out routes that are down or reject', () => {
    const text = table(
      ['eth0', '00000000', 'FE004D0A', '0002'],
      ['*', '00004D0A', '00000000', '0201'],
    );
    assert.deepEqual(found(text, 'eth0'), []);
  });

  it('gives no more than eight', () => {
    const hops = Array.from({ length: 12 }, (_, index) => `0${index.toString(16)}004D0A`);
    const rows = hops.map((hop) => ['eth0', '00000000', hop.toUpperCase(), '0003'] as const);
    assert.equal(findGateways(table(...rows), 'eth0').length, 8);
  });

  it('is not upset by anything', () => {
    for (const text of ['', HEAD, `${HEAD}\neth0`, `${HEAD}\neth0 x y z`, `${HEAD}\n\n\n`]) {
      assert.deepEqual(found(text, 'eth0'), []);
    }
  });
});
