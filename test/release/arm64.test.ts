// The package for arm64, cross-built, and its daemon run by qemu-user in a namespace. The emulator
// does not know some options of multicast and packet sockets, so that the daemon gets as far as its
// CARP socket and goes on trying; the addons are asked for sockets by themselves. Needs root, a
// cross compiler and qemu-user-static.
import { equal, match } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { run } from '../../lab/command.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { buildPackages } from '../package/build.ts';

const VIP = '10.77.0.100';
const START_MS = 120_000;
const SYSROOT = '/usr/aarch64-linux-gnu';
const skip = await labSkipReason();

describe('carpd for arm64', { skip }, () => {
  test('starts, watches its link, opens sockets and stops, under qemu', async (t) => {
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
    const node = ['qemu-aarch64-static', '-L', SYSROOT, `${lib}/libexec/node`];
    match(await run(['file', '--brief', `${lib}/libexec/node`]), /aarch64/);
    const daemon = host.spawn([...node, `${lib}/dist/main.js`, 'run', '--config', config]);
    await daemon.line(/"gate-opened"/, START_MS);
    await daemon.line(/"event":"transition"|open the CARP socket on eth0: Protocol not/, START_MS);
    equal((await daemon.stop('SIGTERM', START_MS)).code, 0, daemon.tail());

    const sockets = host.spawn([...node, '-e', OPEN_SOCKETS, lib], { label: 'the addons' });
    equal((await sockets.ended(START_MS)).code, 0, sockets.tail());
    match(sockets.tail(), /both opened/);
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

const OPEN_SOCKETS = `
const [lib] = process.argv.slice(1);
const raw = require(lib + '/node_modules/raw-socket');
raw.createSocket({ protocol: 112 }).close();
const own = require(lib + '/native/build/Release/carpd_sockets.node');
try {
  own.close(own.openPacket(1, 3, undefined, false));
} catch (error) {
  if (error.code !== 'ENOPROTOOPT') throw error;
}
own.close(own.openNetlink(0));
console.log('both opened');
`;
