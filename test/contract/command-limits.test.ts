// Child processes where the system has nothing left to start them with, and what they inherit.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { runCommand } from '../../src/linux/system/command.ts';
import { loadRawSocket } from '../../src/linux/sockets/carp-socket.ts';
import { keepDescriptorsFromChildren, native } from '../../src/linux/sockets/native.ts';

const LONG_MS = 20_000;
const URL_OF = (path: string): string => new URL(`../../src/${path}`, import.meta.url).href;

const PREAMBLE = `
import { openSync, closeSync } from 'node:fs';
import { runCommand } from '${URL_OF('linux/system/command.ts')}';
import { spareDescriptors } from '${URL_OF('linux/system/spare-descriptors.ts')}';
import { releaseAtOnce } from '${URL_OF('release/emergency.ts')}';
const run = async (...argv) => (await runCommand({ argv, timeoutMs: 10_000 }).result).kind;
const held = [];
const exhaust = () => { try { for (;;) held.push(openSync('/dev/null')); } catch {} };
const say = (value) => process.stdout.write(JSON.stringify(value));
await run('true');
`;

/** Runs a module that may open 128 files, or may start no process; resolves to what it says. */
async function limited(limit: string, text: string): Promise<unknown> {
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', PREAMBLE + text];
  const { stdout } = await promisify(execFile)('prlimit', [limit, ...node], { timeout: LONG_MS });
  return JSON.parse(stdout);
}

describe('without a descriptor left', () => {
  test('a command fails, says why, and works again when there are some', async () => {
    const said = await limited(
      '--nofile=128:128',
      `exhaust();
       const { result } = runCommand({ argv: ['true'], timeoutMs: 10_000 });
       const { kind, detail } = await result;
       const given = runCommand({ argv: ['cat'], input: 'x', timeoutMs: 10_000 });
       const other = await given.result;
       held.forEach((fd) => closeSync(fd));
       say([kind, detail, other.kind, await run('true')]);`,
    );
    deepEqual(said, ['failed', 'too many files are open in this process', 'failed', 'exited']);
  });

  test('ip is started all the same, again and again, and no hook is', async () => {
    const said = await limited(
      '--nofile=128:128',
      `spareDescriptors.take();
       exhaust();
       const kinds = [];
       for (let round = 0; round < 3; round += 1) {
         kinds.push(await run('ip', '-V'), await run('true'));
         await new Promise((resolve) => setTimeout(resolve, 50));
       }
       say(kinds);`,
    );
    deepEqual(said, Array.from({ length: 3 }, () => ['exited', 'failed']).flat());
  });

  test('the last resort of a fault in carpd starts what has to be started', async () => {
    const said = await limited(
      '--nofile=128:128',
      `import { existsSync, rmSync } from 'node:fs';
       const mark = '/tmp/carpd-last-resort-' + process.pid;
       spareDescriptors.take();
       exhaust();
       const config = { interfaceName: 'none', address: { ip: 1, prefixLength: 24 },
         hooks: { down: ['/bin/sh', '-c', 'touch ' + mark], xparam: undefined } };
       releaseAtOnce([{ config, address: true, downHook: true }], { PATH: process.env.PATH });
       say(existsSync(mark));
       rmSync(mark, { force: true });`,
    );
    equal(said, true);
  });
});

test('a child inherits the standard descriptors, whatever raw-socket opens', async (t) => {
  native();
  const raw = await loadRawSocket();
  const sockets = [112, 255].map((protocol) => raw.createSocket({ protocol }));
  t.after(() => sockets.forEach((socket) => socket.close()));
  const inherited = async (): Promise<readonly string[]> => {
    const { result } = runCommand({ argv: ['ls', '/proc/self/fd'], timeoutMs: LONG_MS });
    const ended = await result;
    ok(ended.kind === 'exited');
    return ended.output.trim().split('\n');
  };
  // The fourth is the folder that ls reads.
  deepEqual(await inherited(), ['0', '1', '2', '3']);
});

test('every descriptor of the process is marked to be closed in its children', () => {
  keepDescriptorsFromChildren();
  const flags = /flags:\t(\d+)/.exec(readFileSync('/proc/self/fdinfo/3', 'utf8'))?.[1] ?? '';
  ok((Number.parseInt(flags, 8) & 0o2000000) !== 0);
});
