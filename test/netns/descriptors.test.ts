// What a live daemon does with its file descriptors: hooks get none of them, reloads leave none
// open, and where there are none left it goes on and lets go of the address. Needs root and
// namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntry } from '../../lab/carpd-log.ts';
import { carpdConfigFile, startCarpd } from '../../lab/carpd-peer.ts';
import { run } from '../../lab/command.ts';
import { frontEndsIn } from '../../lab/front-ends.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1 };
const WITHIN_MS = 20_000;
const RELOADS = 20;
const skip = await labSkipReason();

describe('the hooks of a live daemon', { skip, concurrency: true }, () => {
  test('of carpd run inherit nothing but 0, 1 and 2', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const { script, seen } = listing(lab);
    const hooks = { up: [script], down: [script] };
    const peer = startCarpd(host, { ...GROUP, config: { hooks } }, { metrics: LISTEN });
    await peer.waitFor('MASTER', WITHIN_MS);
    await eventually(() => seen().length === 2, { withinMs: WITHIN_MS, what: 'the up hook' });
    equal((await peer.stop()).code, 0, peer.child.tail());
    deepEqual(seen(), ['[0, 1, 2]', '[0, 1, 2]', '[0, 1, 2]']);
  });

  test('of ucarp in the background inherit nothing but 0, 1 and 2', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const { script, seen } = listing(lab);
    const ucarp = join(import.meta.dirname, '../../dist/ucarp.js');
    const options = ['-i', 'eth0', '-s', host.address, '-v', '7', '-p', 'pw', '-a', VIP, '-r', '1'];
    const words = [...options, '-u', script, '-d', script, '--gate=off', '-B'];
    const parent = host.spawn([process.execPath, ucarp, ...words]);
    equal((await parent.ended(WITHIN_MS)).code, 0, parent.tail());
    await eventually(() => seen().length === 2, { withinMs: WITHIN_MS, what: 'the up hook' });
    for (const pid of await frontEndsIn(host)) process.kill(pid, 'SIGTERM');
    await eventually(() => seen().length === 3, { withinMs: WITHIN_MS, what: 'the down hook' });
    deepEqual(seen(), ['[0, 1, 2]', '[0, 1, 2]', '[0, 1, 2]']);
  });
});

describe('the descriptors of a live daemon', { skip, concurrency: true }, () => {
  test(`are as many after ${RELOADS} reloads that hand over`, async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startCarpd(host, { ...GROUP, advskew: 1 });
    await peer.waitFor('MASTER', WITHIN_MS);
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    const file = carpdConfigFile(host);
    const text = readFileSync(file, 'utf8');
    const counts: number[] = [];
    for (let count = 1; count <= RELOADS; count += 1) {
      const advskew = 1 + count;
      // Another passphrase, so that the instance begins anew.
      const changed = text.replace(/(passphrase: .*)/, `$1${String(count)}`);
      writeFileSync(file, changed.replace(/advskew: \d+/, `advskew: ${String(advskew)}`));
      peer.signal('SIGHUP');
      // Not by the log, whose lines have a limit.
      await eventually(() => seen.adverts().some(({ advert }) => advert.advskew === advskew), {
        withinMs: WITHIN_MS,
        what: `a master after reload ${String(count)}`,
        detail: () => peer.child.tail(),
      });
      counts.push(openFiles(peer).length);
    }
    const settled = Math.min(...counts.slice(0, 3));
    await eventually(() => openFiles(peer).length <= settled, {
      withinMs: WITHIN_MS,
      what: `no more than ${String(settled)} descriptors`,
      detail: () => counts.join(', '),
    });
    equal((await peer.stop()).code, 0, peer.child.tail());
  });

  test('may be used up: it goes on, refuses a reload, lets go of the address', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const { script } = listing(lab);
    const hooks = { up: [script], down: [script] };
    const peer = startCarpd(host, { ...GROUP, config: { hooks } });
    await peer.waitFor('MASTER', WITHIN_MS);
    await logEntry(peer, { event: 'hook-finished', fields: { hook: 'up' } }, WITHIN_MS);
    const open = new Set(openFiles(peer));
    let free = 3;
    while (open.has(free)) free += 1;
    const limit = String(free);
    await run(['prlimit', '--pid', String(peer.child.pid), `--nofile=${limit}:${limit}`]);
    peer.signal('SIGHUP');
    const rejected = await logEntry(peer, { event: 'configuration-rejected' }, WITHIN_MS);
    match(rejected.message, /the old configuration stays in force/);
    peer.signal('SIGUSR2');
    await peer.child.until(
      () => peer.transitions.find(({ from }) => from === 'MASTER'),
      'the step down',
      WITHIN_MS,
    );
    await eventually(async () => !(await holds(host, VIP)), {
      withinMs: WITHIN_MS,
      what: 'the address off',
    });
    await peer.waitFor('MASTER', WITHIN_MS);
    await eventually(() => holds(host, VIP), { withinMs: WITHIN_MS, what: 'the address on' });
    peer.signal('SIGTERM');
    const { code } = await peer.child.ended(WITHIN_MS);
    ok(code === 0 || code === 1, peer.child.tail());
    equal(await holds(host, VIP), false, peer.child.tail());
    match(peer.log(), /too many (files are open|open files)/, 'the limit was felt');
  });
});

const LISTEN = { listen: '127.0.0.1:9112' };

/** A hook that notes which descriptors it has. */
function listing(lab: Lab): { readonly script: string; readonly seen: () => readonly string[] } {
  const file = join(lab.directory, 'descriptors');
  const script = join(lab.directory, 'list');
  writeFileSync(script, `#!/usr/bin/python3\n${LIST}`.replace('FILE', file));
  chmodSync(script, 0o755);
  const seen = (): readonly string[] =>
    existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return { script, seen };
}

const LIST = `import os
def is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False
found = [fd for fd in range(1024) if is_open(fd)]
with open('FILE', 'a') as out:
    out.write(str(found) + '\\n')
`;

function openFiles(peer: Peer): readonly number[] {
  return readdirSync(`/proc/${String(peer.child.pid)}/fd`).map(Number);
}
