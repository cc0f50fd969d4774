// Builds what is released, to one folder: Debian packages, tarballs, bills of materials, checksums.
//
//   npm run package [-- OPTION...]
//     --only carpd,carpd-host-node,carpd-ucarp,tarball    default: all of them
//     --arch x64,arm64                                    default: that of this host
//     --all                                               for both, with a cross compiler
//     --out DIR                                           default: out
//     --version VERSION                                   default: that of package.json
//     --quick                                             pack fast and large, for tests
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { carpdDeb, ucarpDeb, type Build } from './deb-packages.ts';
import { SMALL, writeDeb, type Compression, type Deb } from './deb.ts';
import { ownVersion } from './dependencies.ts';
import { sourceEpoch } from './epoch.ts';
import type { Arch } from './node-releases.ts';
import { requireTools } from './shell.ts';
import { writeTarball } from './tarball.ts';

const PRODUCTS = ['carpd', 'carpd-host-node', 'carpd-ucarp', 'tarball'] as const;
const ARCHES = ['x64', 'arm64'] as const;
const QUICK: Compression = { type: 'gzip', level: 1 };
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

type Product = (typeof PRODUCTS)[number];

interface Order {
  readonly products: readonly Product[];
  readonly arches: readonly Arch[];
  readonly out: string;
  readonly build: Build;
  readonly compression: Compression;
}

function readOrder(argv: readonly string[]): Order {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: PRODUCTS.join(',') },
      arch: { type: 'string' },
      all: { type: 'boolean', default: false },
      out: { type: 'string', default: join(root, 'out') },
      version: { type: 'string', default: ownVersion(root) },
      quick: { type: 'boolean', default: false },
    },
  });
  return {
    products: chosen('--only', values.only, PRODUCTS),
    arches: chosen('--arch', archList(values), ARCHES),
    out: resolve(values.out),
    build: { root, version: values.version, epoch: sourceEpoch(root) },
    compression: values.quick ? QUICK : SMALL,
  };
}

/** What this host can compile, unless more is asked for. */
function archList({ arch, all }: { readonly arch?: string; readonly all: boolean }): string {
  if (all && arch !== undefined) throw new Error('give --arch or --all, not both');
  return arch ?? (all ? ARCHES.join(',') : process.arch);
}

function chosen<Name extends string>(
  option: string,
  list: string,
  known: readonly Name[],
): readonly Name[] {
  return list.split(',').map((word) => {
    const name = known.find((candidate) => candidate === word);
    if (name === undefined) throw new Error(`${option} ${word}: there are ${known.join(', ')}`);
    return name;
  });
}

function buildAll({ products, arches, out, build, compression }: Order): readonly string[] {
  const files: string[] = [];
  const inFolder = (what: string, make: (folder: string) => string): void => {
    const folder = mkdtempSync(join(tmpdir(), 'carpd-package-'));
    const startedAt = performance.now();
    console.error(`${what} ...`);
    try {
      const file = make(folder);
      console.error(`${what}: ${Math.ceil((performance.now() - startedAt) / 1_000)} s`);
      console.log(file);
      files.push(file);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  const deb = (what: string, fill: (tree: string) => Deb): void =>
    inFolder(what, (tree) => writeDeb(fill(tree), tree, build.epoch, out, compression));
  for (const arch of arches) {
    const of = (product: Product): string => `${product} for ${arch}`;
    if (products.includes('carpd')) {
      deb(of('carpd'), (tree) => carpdDeb(build, arch, 'bundled', tree));
    }
    if (products.includes('carpd-host-node')) {
      deb(of('carpd-host-node'), (tree) => carpdDeb(build, arch, 'host', tree));
    }
    if (products.includes('tarball')) {
      inFolder(of('tarball'), (work) => writeTarball(build, arch, work, out, compression));
    }
  }
  if (products.includes('carpd-ucarp')) deb('carpd-ucarp', (tree) => ucarpDeb(build, tree));
  return files;
}

function toolsFor({ products, arches }: Order): Readonly<Record<string, string>> {
  const cross = arches.some((arch) => arch !== process.arch);
  return {
    'g++': 'g++',
    make: 'make',
    python3: 'python3',
    readelf: 'binutils',
    npm: 'npm',
    ...(products.some((product) => product !== 'tarball') ? { 'dpkg-deb': 'dpkg' } : {}),
    ...(products.includes('tarball') ? { tar: 'tar', xz: 'xz-utils' } : {}),
    ...(cross ? { 'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu' } : {}),
  };
}

function writeChecksums(files: readonly string[], out: string): void {
  const lines = files
    .map(
      (file) =>
        `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}\n`,
    )
    .sort();
  writeFileSync(join(out, 'SHA256SUMS'), lines.join(''));
}

function main(argv: readonly string[]): number {
  let order: Order;
  try {
    order = readOrder(argv);
  } catch (error) {
    console.error(`package: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_USAGE;
  }
  try {
    requireTools(toolsFor(order));
    mkdirSync(order.out, { recursive: true });
    writeChecksums(buildAll(order), order.out);
    return 0;
  } catch (error) {
    console.error(`package: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_FAILED;
  }
}

process.exitCode = main(process.argv.slice(2));
