// Releases are the same to the byte, whoever builds them, where and when; and nobody needs root to
// build them. Everything is built twice, packed as for a release: this takes some minutes.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { chmodSync, chownSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fetchNode, NODE_MAJORS } from '../../packaging/node-releases.ts';
import { Child } from '../../lab/child.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILD_MS = 1_800_000;
const NOBODY = 65534;
/** What a build reads. */
const INPUTS = ['packaging', 'dist', 'native', 'docs', 'man', 'systemd'];
const FILES = ['package.json', 'package-lock.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];
const skip = process.getuid?.() === 0 ? false : 'it needs root, to build as somebody else';

describe('a release', { skip }, () => {
  test('is the same, built by others, elsewhere, with other settings', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'carpd-release-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    // The other one has to get there.
    chmodSync(folder, 0o755);
    for (const major of NODE_MAJORS) fetchNode(major, 'x64');
    fetchNode(24, 'arm64');
    const first = await build(folder, 'a', 0, 'umask 022; export TZ=UTC LC_ALL=C');
    const second = await build(
      folder,
      'another/place',
      NOBODY,
      'umask 077; export TZ=Asia/Kolkata LC_ALL=C.UTF-8',
    );
    equal(second, first);
    const names = first.split('\n').map((line) => line.split('  ')[1] ?? '');
    equal(names.filter((name) => name.endsWith('.deb')).length, 5, first);
    equal(names.filter((name) => name.endsWith('.tar.xz')).length, 2, first);
    deepEqual(await complaints(folder), []);
  });
});

/** Builds everything in a copy of the checkout, as this user, and yields the checksums. */
async function build(folder: string, name: string, user: number, setUp: string): Promise<string> {
  const copy = join(folder, name);
  mkdirSync(copy, { recursive: true });
  for (const input of INPUTS.filter((path) => existsSync(join(ROOT, path))))
    cpSync(join(ROOT, input), join(copy, input), { recursive: true, filter: isInput });
  for (const file of FILES) cpSync(join(ROOT, file), join(copy, file));
  cpSync(realpathSync(join(ROOT, 'node_modules')), join(copy, 'node_modules'), { recursive: true });
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const home = join(copy, 'home');
  mkdirSync(home);
  if (user === 0) symlinkSync(join(cache, 'carpd-build'), join(home, 'carpd-build'));
  else cpSync(join(cache, 'carpd-build'), join(home, 'carpd-build'), { recursive: true });
  for (const path of ['.', ...readdirSync(copy, { recursive: true, encoding: 'utf8' })])
    if (user !== 0) chownSync(join(copy, path), user, user);
  const command = `${setUp}; exec node --import tsx packaging/build.ts --all --out out`;
  const as = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
  const child = new Child([...as, 'sh', '-euc', command], {
    cwd: copy,
    env: { SOURCE_DATE_EPOCH: '1700000000', HOME: home, XDG_CACHE_HOME: home, TMPDIR: '/tmp' },
    label: `the build in ${name}`,
  });
  const { code } = await child.ended(BUILD_MS);
  ok(code === 0, child.tail());
  return readFileSync(join(copy, 'out/SHA256SUMS'), 'utf8');
}

/** Whatever lintian has against the packages of the first build. */
async function complaints(folder: string): Promise<readonly string[]> {
  const out = join(folder, 'a/out');
  const debs = readdirSync(out).filter((name) => name.endsWith('.deb'));
  // Manuals are written apart from the packages; without them there is nothing to find fault with.
  const suppressed = existsSync(join(ROOT, 'man')) ? [] : ['--suppress-tags=no-manual-page'];
  const options = ['--allow-root', '--fail-on=error,warning', ...suppressed];
  const lintian = new Child(['lintian', ...options, ...debs], { cwd: out, label: 'lintian' });
  const { code } = await lintian.ended(BUILD_MS);
  const lines = lintian.lines.map(({ text }) => text).filter((text) => /^[EW]: /.test(text));
  return code === 0 ? [] : [...lines, `lintian ended with ${code}`];
}

function isInput(path: string): boolean {
  return !path.includes('/native/build');
}
