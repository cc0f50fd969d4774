// The packages for arm64, cross-built, and their daemon run by qemu-user: in a namespace, with its
// own sockets, up to the address. Needs root, a cross compiler and qemu-user-static.
import { equal, match } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { run } from '../lab/command.ts';
import { Lab, labSkipReason } from '../lab/namespaces.ts';
import { whoHolds } from '../lab/vip.ts';
import { eventually } from '../lab/wait.ts';
import { buildPackages } from '../package/build.ts';

const VIP = '10.77.0.100';
const START_MS = 120_000;
const SYSROOT = '/usr/aarch64-linux-gnu';
const skip = await labSkipReason();

describe('carpd for arm64', { skip }, () => {
  test('becomes master and releases the address, under qemu', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'carpd-arm64-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    await buildPackages(folder, ['--only=carpd', '--arch=arm64']);
    const [deb = ''] = readdirSync(folder).filter((name) => name.endsWith('_arm64.deb'));
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    await run(['dpkg-deb', '--extract', join(folder, deb), tree]);

    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const config = join(folder, 'carpd.yaml');
    writeFileSync(config, configuration(folder), { mode: 0o600 });
    const lib = join(tree, 'usr/lib/carpd');
    const carpd = [
      'qemu-aarch64-static',
      '-L',
      SYSROOT,
      `${lib}/libexec/node`,
      `${lib}/dist/main.js`,
    ];
    const daemon = host.spawn([...carpd, 'run', '--config', config]);
    const holds = async (): Promise<boolean> => (await whoHolds([host], VIP)).length === 1;
    await eventually(holds, { withinMs: START_MS, what: 'the VIP', detail: () => daemon.tail() });
    match(await run(['file', '--brief', `${lib}/libexec/node`]), /aarch64/);
    equal((await daemon.stop('SIGTERM', START_MS)).code, 0, daemon.tail());
    equal((await whoHolds([host], VIP)).length, 0);
  });
});

function configuration(folder: string): string {
  return `control: { socket: ${folder}/control.sock }
instances:
  a:
    interface: eth0
    vhid: 7
    address: ${VIP}/24
    passphrase: a-secret
    gate: { policy: off }
`;
}
