// The folder that runs: compiled carpd, its npm packages without their ballast, addons, launchers.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { buildOwnAddon, buildRawSocket, TOOL_PREFIX } from './addons.ts';
import { productionDependencies } from './dependencies.ts';
import { hostLauncher, ownLauncher, rawSocketChoice } from './launchers.ts';
import { BUNDLED_MAJOR, fetchNode, NODE_MAJORS, type Arch } from './node-releases.ts';
import { run } from './shell.ts';

/** Whose Node runs carpd: one in the folder itself, or the host's at /usr/bin/node. */
export type NodeOrigin = 'bundled' | 'host';

export interface TreeOptions {
  /** The checkout, with dist and node_modules. */
  readonly root: string;
  readonly arch: Arch;
  readonly node: NodeOrigin;
  /** What package.json says of the version. */
  readonly version: string;
  /** The folder to fill: /usr/lib/carpd of a package, or the top of a tarball. */
  readonly target: string;
}

/**
 * Fills `target` with bin/carpd, bin/ucarp and what they need; it runs wherever the folder is put.
 * Throws if carpd is not built, or a compiler is missing.
 */
export function makeRuntimeTree(options: TreeOptions): void {
  const { root, target } = options;
  if (!existsSync(join(root, 'dist', 'main.js'))) throw new Error('no dist: run npm run build');
  cpSync(join(root, 'dist'), join(target, 'dist'), { recursive: true, filter: runs });
  for (const file of ['main.js', 'ucarp.js']) dropShebang(join(target, 'dist', file));
  for (const { folder } of productionDependencies(root)) {
    const from = join(root, folder);
    cpSync(from, join(target, folder), {
      recursive: true,
      dereference: true,
      filter: (path) => isWanted(from, relative(from, path)),
    });
  }
  writePackageJson(options);
  addAddons(options);
  if (options.node === 'bundled') addNode(options);
  mkdirSync(join(target, 'bin'), { recursive: true });
  const launcher = options.node === 'bundled' ? ownLauncher : hostLauncher;
  write(join(target, 'bin', 'carpd'), launcher('carpd', 'main.js'), 0o755);
  write(join(target, 'bin', 'ucarp'), launcher('ucarp', 'ucarp.js'), 0o755);
}

/** carpd reads its version there, and Node that its files are modules. */
function writePackageJson({ target, version }: TreeOptions): void {
  const own = { name: 'carpd', version, license: 'MIT', type: 'module' };
  write(join(target, 'package.json'), `${JSON.stringify(own, null, 2)}\n`, 0o644);
}

function addAddons({ root, arch, node, target }: TreeOptions): void {
  const own = join(target, 'native', 'build', 'Release', 'carpd_sockets.node');
  buildOwnAddon(root, arch, BUNDLED_MAJOR, own);
  // The name that raw-socket loads is a folder, which chooses by the Node that runs. It is one with
  // a single choice too, since dpkg can't replace a folder by a file when packages change places.
  const raw = join(target, 'node_modules', 'raw-socket', 'build', 'Release', 'raw.node');
  const majors = node === 'bundled' ? [BUNDLED_MAJOR] : NODE_MAJORS;
  for (const major of majors) buildRawSocket(root, arch, major, join(raw, `node-${major}.node`));
  write(join(raw, 'index.js'), rawSocketChoice(majors), 0o644);
}

function addNode({ arch, target }: TreeOptions): void {
  const folder = fetchNode(BUNDLED_MAJOR, arch);
  const binary = join(target, 'libexec', 'node');
  mkdirSync(join(target, 'libexec'), { recursive: true });
  run([`${TOOL_PREFIX[arch]}strip`, '--strip-unneeded', '-o', binary, join(folder, 'bin', 'node')]);
  chmodSync(binary, 0o755);
  copyFileSync(join(folder, 'LICENSE'), join(target, 'libexec', 'LICENSE.node'));
}

function write(path: string, text: string, mode: number): void {
  writeFileSync(path, text);
  // The umask has had its say on a mode given at creation.
  chmodSync(path, mode);
}

/** Of an npm package, at its top: what its developers need and Node never loads. */
const BALLAST = new RegExp(
  '^(?:node_modules|tests?|docs?|examples?|benchmarks?|bench|fixtures|types|browser|scripts' +
    '|build/(?:esm|esnext|sync-version.js)' +
    '|(?:test|bench|benchmark|check|example|browser|bin).m?js|eslint.config.*|tsconfig.*)$',
);
const WANTED_FILES = /(?:\.[cm]?js|\.json|^LICEN[CS]E[^/]*)$/i;

/** Whether `path`, seen from its package's folder, is wanted: what runs, and the licences. */
function isWanted(folder: string, path: string): boolean {
  if (path === '') return true;
  const isRawSocketSource = folder.endsWith('/raw-socket') && /^(?:src|build)$/.test(path);
  if (isRawSocketSource || BALLAST.test(path) || basename(path).startsWith('.')) return false;
  return statSync(join(folder, path)).isDirectory() || WANTED_FILES.test(basename(path));
}

/** The launchers start it; by itself it would look for some Node in the PATH. */
function dropShebang(path: string): void {
  write(path, readFileSync(path, 'utf8').replace(/^#!.*\n/, ''), 0o644);
}

/** Source maps name files that a package does not have. */
function runs(path: string): boolean {
  return !path.endsWith('.map');
}
