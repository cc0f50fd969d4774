// `carpd doctor` on real bonds: one whose partner is silent, one at the slow rate, and one that is
// as it should be.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/namespaces.ts';
import { START_MS } from './duo.ts';
import { bondSkipReason } from './native.ts';
import { addBondHost } from './topology.ts';

const CARPD = join(fileURLToPath(new URL('../..', import.meta.url)), 'dist/main.js');
const skip = await bondSkipReason();

describe('carpd doctor on a bond', { skip, concurrency: 3 }, () => {
  test('without a partner, and with a port without link', async (t) => {
    const lab = await Lab.create(t);
    const host = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad', formed: false });
    await host.switchSide.cableDown(1);
    const codes = await codesOf(host);
    for (const code of ['lacp-no-partner', 'bond-port-down']) {
      ok(codes.includes(code), `${code} in ${codes.join(' ')}`);
    }
  });

  test('that asks for LACP at the slow rate', async (t) => {
    const lab = await Lab.create(t);
    const options = { mode: '802.3ad', lacpRate: 'slow' } as const;
    const host = await addBondHost(lab, 'b', '10.9.0.10/24', options);
    await host.lacpFormed();
    deepEqual(await codesOf(host), ['lacp-slow']);
  });

  test('that is as it should be', async (t) => {
    const lab = await Lab.create(t);
    const host = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad' });
    await host.lacpFormed();
    deepEqual(await codesOf(host), ['bond-good', 'interface-good']);
  });
});

interface Finding {
  readonly code: string;
  readonly about: string;
}

/** What it finds about the bond, apart from the firewall; it listens to nobody. */
async function codesOf(host: Host): Promise<readonly string[]> {
  const argv = [process.execPath, CARPD, 'doctor', '-i', 'bond0', '--seconds', '0', '--json'];
  const child = host.spawn(argv, { label: 'carpd doctor' });
  const { code } = await child.ended(START_MS);
  ok(code === 0 || code === 1, child.tail());
  const text = child.lines.map((line) => line.text).join('\n');
  const { findings } = JSON.parse(text) as { readonly findings: readonly Finding[] };
  equal(
    findings.some((one) => one.code === 'interface-missing'),
    false,
    text,
  );
  return findings
    .filter(({ about, code: of }) => about === 'bond0' && !of.startsWith('firewall'))
    .map((one) => one.code);
}
