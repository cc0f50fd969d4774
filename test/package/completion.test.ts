// The completion of bash, asked as bash asks it, of the carpd that is built.
import { deepEqual, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../lab/command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPT = join(ROOT, 'packaging/completion/carpd.bash');

describe('completion in bash', { concurrency: true }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'carpd-completion-'));
  before(() => {
    symlinkSync(join(ROOT, 'dist/main.js'), join(folder, 'carpd'));
    symlinkSync(process.execPath, join(folder, 'node'));
    writeFileSync(join(folder, 'db.yaml'), '');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What is offered when TAB is pressed behind the last of `words`. */
  async function offers(...words: readonly string[]): Promise<readonly string[]> {
    const path = `${folder}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
    const said = await run(['env', `PATH=${path}`, 'bash', '-euc', ASK, 'bash', SCRIPT, ...words]);
    return said.split('\n').filter((word) => word !== '');
  }

  test('every command that the help has, and no other word', async () => {
    const help = await run([process.execPath, join(ROOT, 'dist/main.js'), '--help']);
    const [, listed = ''] = /^Commands:\n((?: .*\n)+)/m.exec(help) ?? [];
    const commands = [...listed.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    ok(commands.length >= 4, `the help has ${commands.length} commands`);
    deepEqual(await offers('carpd', ''), commands);
    deepEqual(await offers('carpd', 'expl'), ['explain']);
  });

  test('the options of a command, and only they', async () => {
    const ofCheck = [
      ...['--config', '--diff', '--help', '--json', '--no-passphrases', '--quiet', '--socket'],
    ];
    deepEqual(await offers('carpd', 'check', '--'), ofCheck);
    deepEqual(await offers('carpd', 'status', '--s'), ['--socket']);
  });

  test('files where a file is wanted', async () => {
    const begun = join(folder, 'd');
    deepEqual(await offers('carpd', 'run', '--config', begun), [join(folder, 'db.yaml')]);
  });

  test('nothing, and no complaint, where no daemon runs', async () => {
    const words = ['carpd', 'explain', '--socket', join(folder, 'none'), ''];
    deepEqual(await offers(...words), []);
  });
});

const ASK = `
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_carpd
printf '%s\\n' "\${COMPREPLY[@]}"
`;
