// The self-contained tarball: carpd with its own Node, for hosts without packages.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Build } from './deb-packages.ts';
import type { Compression } from './deb.ts';
import { productionDependencies } from './dependencies.ts';
import { copyrightFile } from './legal.ts';
import { BUNDLED_MAJOR, type Arch } from './node-releases.ts';
import { makeRuntimeTree } from './runtime-tree.ts';
import { sbom } from './sbom.ts';
import { run } from './shell.ts';

/**
 * Packs carpd-VERSION-linux-ARCH.tar.xz (or .tar.gz) to `out` and yields its path. `work` is a
 * folder to make it in. What it holds runs from whatever folder it is unpacked to.
 */
export function writeTarball(
  build: Build,
  arch: Arch,
  work: string,
  out: string,
  { type, level }: Compression,
): string {
  const { root, version, epoch } = build;
  const name = `carpd-${version}-linux-${arch}`;
  const top = join(work, name);
  mkdirSync(top);
  makeRuntimeTree({ root, arch, node: 'bundled', version, target: top });
  for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE'])
    copyFileSync(join(root, file), join(top, file));
  copyFileSync(join(root, 'packaging/carpd.example.yaml'), join(top, 'carpd.example.yaml'));
  copyMatching(join(root, 'docs'), join(top, 'docs'), /\.md$/);
  copyMatching(join(root, 'man'), join(top, 'man'), /\.[578]$/);
  copyMatching(join(root, 'packaging/completion'), join(top, 'completion'), /\.bash$/);
  if (existsSync(join(root, 'systemd')))
    cpSync(join(root, 'systemd'), join(top, 'systemd'), { recursive: true });
  const dependencies = productionDependencies(root);
  const license = join(top, 'libexec/LICENSE.node');
  writeFileSync(join(top, 'COPYRIGHT'), copyrightFile(root, dependencies, license));
  const node = { major: BUNDLED_MAJOR, arch };
  writeFileSync(join(top, 'sbom.cdx.json'), sbom({ version, dependencies, node, epoch }));
  return pack();

  function pack(): string {
    const tar = join(work, `${name}.tar`);
    const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
    const modes = '--mode=u=rwX,go=rX';
    run(['tar', ...same, modes, `--mtime=@${epoch}`, '-C', work, '-cf', tar, name]);
    // Two threads at any rate: how many there are is seen in what xz writes.
    const packer = type === 'xz' ? ['xz', '-T2', `-${level}`] : ['gzip', '-n', `-${level}`];
    run([...packer, tar]);
    const suffix = type === 'xz' ? '.xz' : '.gz';
    const file = join(out, `${name}.tar${suffix}`);
    copyFileSync(`${tar}${suffix}`, file);
    rmSync(`${tar}${suffix}`);
    return file;
  }
}

function copyMatching(from: string, to: string, wanted: RegExp): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from).filter((name) => wanted.test(name)))
    copyFileSync(join(from, file), join(to, file));
}
