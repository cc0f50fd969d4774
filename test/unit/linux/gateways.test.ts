// Gateways in the text of the kernel's routing table.
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CarpdError } from '../../../src/base/errors.ts';
import { gatewaysOf, readGateways } from '../../../src/linux/gateways.ts';

const HEADING =
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const UP = 0x1;
const GATEWAY = 0x2;

/** A line as fib_route_seq_show prints it, padded with blanks to 127 characters. */
function route(name: string, gateway: string, flags = UP | GATEWAY): string {
  const bytes = gateway.split('.').map(Number);
  if (endianness() === 'LE') bytes.reverse();
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const bits = flags.toString(16).padStart(4, '0');
  const columns = [name, '00000000', hex, bits, 0, 0, 0, '00000000', 0, 0, 0];
  return columns.join('\t').toUpperCase().replace(name.toUpperCase(), name).padEnd(127);
}

function table(...routes: readonly string[]): string {
  return [HEADING.padEnd(127), ...routes, ''].join('\n');
}

describe('gateways', () => {
  test('of the interface and of no other, in order, each once', () => {
    const text = table(
      route('bond0', '10.9.0.1'),
      route('bond0.5', '10.5.0.1'),
      route('bond0', '10.9.0.254'),
      route('bond0', '10.9.0.1'),
      route('bond', '10.1.0.1'),
    );
    deepEqual(gatewaysOf(text, 'bond0'), ['10.9.0.1', '10.9.0.254']);
    deepEqual(gatewaysOf(text, 'bond0.5'), ['10.5.0.1']);
    deepEqual(gatewaysOf(text, 'nothere'), []);
  });

  test('not of routes without one, that are down, or that refuse', () => {
    const text = table(
      route('e0', '0.0.0.0', UP),
      route('e0', '0.0.0.0', UP | GATEWAY),
      route('e0', '10.0.0.1', GATEWAY),
      route('e0', '10.0.0.2', UP),
      route('e0', '10.0.0.3', UP | GATEWAY | 0x200),
      route('*', '0.0.0.0', 0x201),
      route('e0', '200.1.2.3', UP | GATEWAY | 0x4),
    );
    deepEqual(gatewaysOf(text, 'e0'), ['200.1.2.3']);
  });

  test('eight and no more', () => {
    const routes = Array.from({ length: 20 }, (_, index) => route('e0', `10.0.0.${index + 1}`));
    const gateways = gatewaysOf(table(...routes), 'e0');
    deepEqual([gateways.length, gateways.at(-1)], [8, '10.0.0.8']);
  });

  test('none in a table that is empty, or in a line that is cut short or makes no sense', () => {
    const whole = table(route('e0', '10.0.0.1'));
    deepEqual(gatewaysOf('', 'e0'), []);
    deepEqual(gatewaysOf(table(), 'e0'), []);
    deepEqual(gatewaysOf(whole.slice(0, -1), 'e0'), []);
    for (const line of [
      'e0',
      'e0\t0',
      'e0\t0\tZZ\t0003',
      'e0\t0\t0100000A0\t0003',
      'e0\t0\t\t\t',
    ]) {
      deepEqual(gatewaysOf(table(line), 'e0'), [], line);
    }
    deepEqual(gatewaysOf(whole, 'e0'), ['10.0.0.1']);
  });

  test('any text is read without a fault', () => {
    const lines = fc.array(fc.oneof(fc.string(), fc.constant(route('e0', '10.0.0.1'))));
    const text = lines.map((drawn) => table(...drawn));
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (drawn) => {
        const gateways = gatewaysOf(drawn, 'e0');
        equal(new Set(gateways).size, gateways.length);
        for (const gateway of gateways) equal(/^\d+\.\d+\.\d+\.\d+$/.test(gateway), true);
      }),
    );
  });
});

describe('the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carpd-gateways-'));
  const file = join(folder, 'route');

  test('is read up to a bound', async (t) => {
    t.after(() => rmSync(folder, { recursive: true }));
    const noise = Array<string>(20_000).fill(route('e1', '10.1.0.1'));
    const last = route('e0', '10.0.0.2');
    writeFileSync(file, table(route('e0', '10.0.0.1'), ...noise, last));
    deepEqual(await readGateways('e0', file), ['10.0.0.1']);
    deepEqual(await readGateways('e1', file), ['10.1.0.1']);
    writeFileSync(file, table(route('e0', '10.0.0.1'), ...noise.slice(0, 100), last));
    deepEqual(await readGateways('e0', file), ['10.0.0.1', '10.0.0.2']);
  });

  test('that is missing is a fault with what to do', async () => {
    await rejects(
      readGateways('e0', '/nowhere/net/route'),
      (error) =>
        error instanceof CarpdError &&
        error.code === 'CARPD_INTERFACE' &&
        /^find the gateways of e0: ENOENT.*mount \/proc, or give addresses/.test(error.message),
    );
    await rejects(readGateways('e0', tmpdir()), /EISDIR/);
  });
});
