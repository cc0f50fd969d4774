// Compiles the two native addons for a processor: carpd's own, and raw-socket for each Node.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fetchNode, type Arch, type NodeMajor } from './node-releases.ts';
import { run } from './shell.ts';

/** The GNU tools of a processor begin with this; none on the machine's own processor. */
export const TOOL_PREFIX: Readonly<Record<Arch, string>> = {
  x64: process.arch === 'x64' ? '' : 'x86_64-linux-gnu-',
  arm64: process.arch === 'arm64' ? '' : 'aarch64-linux-gnu-',
};

// Debian's hardening; -g0 and the stripping keep paths of the build out of the result.
const COMPILE_FLAGS = '-g0 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wformat';
const LINK_FLAGS = '-Wl,-z,relro,-z,now';

/**
 * npm's settings in the environment go before the flags of node-gyp: for this machine's own Node.
 */
const FOREIGN_SETTINGS = {
  npm_config_nodedir: undefined,
  npm_config_target: undefined,
  npm_config_arch: undefined,
};

/** Builds carpd's own addon, which any Node 20 or newer loads, to the file `target`. */
export function buildOwnAddon(root: string, arch: Arch, major: NodeMajor, target: string): void {
  build(arch, major, target, 'carpd_sockets.node', (work) => {
    cpSync(join(root, 'native'), work, { recursive: true, filter: isSource });
    return work;
  });
}

/** Builds raw-socket's addon, which only this major version of Node loads, to `target`. */
export function buildRawSocket(root: string, arch: Arch, major: NodeMajor, target: string): void {
  build(arch, major, target, 'raw.node', (work) => {
    for (const name of ['raw-socket', 'nan']) {
      const from = join(root, 'node_modules', name);
      const to = join(work, 'node_modules', name);
      cpSync(from, to, { recursive: true, dereference: true, filter: isSource });
    }
    return join(work, 'node_modules', 'raw-socket');
  });
}

function build(
  arch: Arch,
  major: NodeMajor,
  target: string,
  product: string,
  prepare: (work: string) => string,
): void {
  const work = mkdtempSync(join(tmpdir(), 'carpd-addon-'));
  try {
    const folder = prepare(work);
    const prefix = TOOL_PREFIX[arch];
    // The headers are the same for every processor; the x64 release is there in any case.
    const flags = [`--nodedir=${fetchNode(major, 'x64')}`, `--arch=${arch}`, '--loglevel=error'];
    run([process.execPath, nodeGyp(), 'rebuild', ...flags], {
      cwd: folder,
      env: {
        CC: `${prefix}gcc`,
        CXX: `${prefix}g++`,
        AR: `${prefix}ar`,
        CFLAGS: COMPILE_FLAGS,
        CXXFLAGS: COMPILE_FLAGS,
        LDFLAGS: LINK_FLAGS,
        ...FOREIGN_SETTINGS,
      },
    });
    mkdirSync(dirname(target), { recursive: true });
    const built = join(folder, 'build', 'Release', product);
    run([`${prefix}strip`, '--strip-unneeded', '-o', target, built]);
    chmodSync(target, 0o644);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The node-gyp that npm brings: npm names it to the scripts that it runs. */
function nodeGyp(): string {
  const named = process.env['npm_config_node_gyp'] ?? '';
  if (named !== '') return named;
  const modules = run(['npm', 'root', '--global', '--silent']).trim();
  return join(modules, 'npm', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
}

function isSource(path: string): boolean {
  return !path.endsWith('/build');
}
