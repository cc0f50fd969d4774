// Writes one .deb from a tree: control files, checksums, and an archive that is always the same.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { stampTree } from './epoch.ts';
import { MAINTAINER } from './legal.ts';
import { run } from './shell.ts';

/** A processor as Debian names it, or "all" for a package without binaries. */
export type DebArch = 'amd64' | 'arm64' | 'all';

export interface Deb {
  readonly name: string;
  readonly arch: DebArch;
  readonly version: string;
  /** Further fields of DEBIAN/control, in their order; empty ones are left out. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly synopsis: string;
  /** Paragraphs of the long description, each of lines below 80 columns. */
  readonly description: readonly (readonly string[])[];
  /** Maintainer scripts by name: postinst, prerm, postrm. */
  readonly scripts: Readonly<Record<string, string>>;
}

export interface Compression {
  readonly type: 'xz' | 'gzip';
  readonly level: number;
}

/** For releases; gzip at 1 packs a Node binary within seconds, for tests. */
export const SMALL: Compression = { type: 'xz', level: 6 };

/**
 * Packs `tree`, which becomes the root folder of the host, to a .deb in `out` and yields its path.
 * Needs no root: everything is root's in the package. Files below /etc become conffiles.
 */
export function writeDeb(
  deb: Deb,
  tree: string,
  epoch: number,
  out: string,
  compression: Compression,
): string {
  const files = walk(tree).filter((name) => !name.startsWith('DEBIAN'));
  const control = join(tree, 'DEBIAN');
  mkdirSync(control);
  writeFileSync(join(control, 'control'), controlFile(deb, tree, files));
  writeFileSync(join(control, 'md5sums'), md5sums(tree, files));
  const conffiles = files.filter((name) => name.startsWith('etc/') && isFile(join(tree, name)));
  if (conffiles.length > 0)
    writeFileSync(join(control, 'conffiles'), conffiles.map((name) => `/${name}\n`).join(''));
  for (const [name, script] of Object.entries(deb.scripts))
    writeFileSync(join(control, name), script, { mode: 0o755 });
  setModes(tree, new Set(Object.keys(deb.scripts).map((name) => `DEBIAN/${name}`)));
  stampTree(tree, epoch);
  const file = join(out, `${deb.name}_${deb.version}_${deb.arch}.deb`);
  const packing = [`-Z${compression.type}`, `-z${compression.level}`];
  // xz cuts its input into blocks as soon as there are two threads, however many there are.
  const env = { SOURCE_DATE_EPOCH: String(epoch), DPKG_DEB_THREADS_MAX: '2' };
  run(['dpkg-deb', '--root-owner-group', ...packing, '-b', tree, file], { env });
  return file;
}

function controlFile(deb: Deb, tree: string, files: readonly string[]): string {
  const bytes = files.map((name) => lstatSync(join(tree, name)).size);
  // Debian counts in KiB, each file rounded up.
  const kibibytes = bytes.reduce((sum, size) => sum + Math.ceil(size / 1024), 0);
  const description = deb.description
    .map((paragraph) => paragraph.map((line) => ` ${line}\n`).join(''))
    .join(' .\n');
  const fields: (readonly [string, string])[] = [
    ['Package', deb.name],
    ['Version', deb.version],
    ['Architecture', deb.arch],
    ['Maintainer', MAINTAINER],
    ['Installed-Size', String(kibibytes)],
    ...deb.fields,
    ['Section', 'net'],
    ['Priority', 'optional'],
    ['Description', deb.synopsis],
  ];
  const lines = fields
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`);
  return `${lines.join('\n')}\n${description}`;
}

function md5sums(tree: string, files: readonly string[]): string {
  return files
    .filter((name) => isFile(join(tree, name)))
    .map((name) => `${md5(join(tree, name))}  ${name}\n`)
    .join('');
}

function md5(path: string): string {
  return createHash('md5').update(readFileSync(path)).digest('hex');
}

/** The umask of whoever builds has no say: 755 for folders and what can be run, else 644. */
function setModes(tree: string, scripts: ReadonlySet<string>): void {
  for (const name of ['', ...walk(tree)]) {
    const path = join(tree, name);
    const entry = lstatSync(path);
    if (entry.isSymbolicLink()) continue;
    const runs = entry.isDirectory() || scripts.has(name) || (entry.mode & 0o100) !== 0;
    chmodSync(path, runs ? 0o755 : 0o644);
  }
}

function walk(tree: string): readonly string[] {
  return readdirSync(tree, { recursive: true, encoding: 'utf8' }).sort();
}

function isFile(path: string): boolean {
  return lstatSync(path).isFile() && statSync(path).isFile();
}
