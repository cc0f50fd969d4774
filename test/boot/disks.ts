// The disks that machines boot from: Debian, what the test adds, and with one of them the package
// carpd.
import { ok } from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../../lab/child.ts';
import { kernelFolder, makeKernel, qemuMissing } from '../bond/qemu.ts';
import { buildPackages, debName } from '../package/build.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Kept from run to run: making the tree that all disks begin from takes a minute. */
const STORE = '/var/tmp/carpd-boot';
const SCRIPT_MS = 600_000;

/** What keeps the virtual IP on the machine that boots. */
export type Program = 'ucarp' | 'carpd';

/** Why no machine can be booted here, for the `skip` option of node:test; false if one can. */
export function bootSkipReason(): string | false {
  if (process.getuid?.() !== 0) return 'making disks needs root';
  return qemuMissing()[0] ?? false;
}

/** Makes the disk of a machine in `folder`, for carpd with its package; yields its path. */
export async function makeDisk(program: Program, folder: string): Promise<string> {
  ok(makeKernel(), 'no kernel to boot: see above');
  await script('base-tree.sh', STORE, kernelFolder());
  const disk = join(folder, `${program}.img`);
  const files = ['common', program].map((name) => join(HERE, 'guest', name));
  if (program === 'carpd') await buildPackages(folder, ['--only=carpd']);
  const deb = program === 'carpd' ? join(folder, debName('carpd')) : '';
  await script('image.sh', STORE, disk, deb, ...files);
  return disk;
}

async function script(name: string, ...words: readonly string[]): Promise<void> {
  const child = new Child(['bash', join(HERE, name), ...words], { label: name });
  const { code } = await child.ended(SCRIPT_MS);
  ok(code === 0, child.tail());
}
