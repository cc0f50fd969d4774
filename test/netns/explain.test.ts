// `carpd status` and `carpd explain` asked of a running daemon, as an operator asks. Needs root and
// namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { askCarpd, carpdArgv } from '../../lab/carpd-command.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { controlSocket, startCarpd, startCarpdInstances } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { eventually } from '../../lab/wait.ts';

const GROUP = { vhid: 7, vip: '10.77.0.100', password: 'a secret' };
const WITHIN_MS = 15_000;
const skip = await labSkipReason();

async function ask(host: Host, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await askCarpd(host, words);
  equal(code, 0, stderr);
  equal(stderr, '');
  return stdout;
}

describe('the commands', { skip, concurrency: true }, () => {
  test('explain a held host, a master and its backup', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startCarpd(host, { ...GROUP, gate: 'hold' });
    await peer.waitFor('HELD', WITHIN_MS);
    const held = await ask(host, 'explain', 'vip');
    match(held, /^vip is HELD: no data frame of another station has come in since the link last/);
    match(held, /^ {2}gate {5}closed: carrier proved, lacp not needed, frames MISSING/m);
    match(held, /^Missing:\n- no data frame .*\n {2}> check that the switch port forwards/m);
    const backup = await lab.host('b', '10.77.0.2/24');
    const second = startCarpd(backup, { ...GROUP, gate: 'hold', advskew: 50 });
    await peer.waitFor('MASTER', WITHIN_MS);
    await second.waitFor('BACKUP', WITHIN_MS);
    match(await ask(host, 'explain', 'vip'), /^vip is MASTER: no master was heard for the dead/);
    const follows = async (): Promise<boolean> =>
      (await ask(backup, 'explain', 'vip')).startsWith('vip is BACKUP: 10.77.0.1 is master, heard');
    await eventually(follows, { withinMs: WITHIN_MS, what: 'the backup to name its master' });
    match(
      await ask(backup, 'status'),
      /^vip {3}BACKUP .* 10\.77\.0\.100 {2}10\.77\.0\.1 .* open$/m,
    );
    peer.signal('SIGUSR1');
    const { message } = await logEntry(peer, { event: 'state' }, WITHIN_MS);
    match(message, /^MASTER on eth0 id 7 for \d+ s: no master was heard for the dead interval/);
    equal((await peer.stop()).code, 0);
    equal(existsSync(controlSocket(host)), false, 'the socket goes with its daemon');
  });

  test('print the report as it is, keep the socket over a reload, and name names', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const other = { ...GROUP, vhid: 8, vip: '10.77.0.101' };
    const [peer] = startCarpdInstances(host, { db: GROUP, web: other });
    ok(peer, 'there are two peers of one process');
    await peer.waitFor('MASTER', WITHIN_MS);
    peer.signal('SIGHUP');
    await logEntry(peer, { event: 'configuration-reloaded' }, WITHIN_MS);
    const all: unknown = JSON.parse(await ask(host, 'status', '--json'));
    const one: unknown = JSON.parse(await ask(host, 'explain', 'db', '--json'));
    ok(typeof all === 'object' && all !== null && 'instances' in all, 'status is an object');
    const instances: unknown = all.instances;
    ok(Array.isArray(instances), 'it lists the instances');
    const list: readonly unknown[] = instances;
    equal(list.length, 2);
    ok(typeof one === 'object' && one !== null, 'explain is an object');
    const [first] = list;
    ok(typeof first === 'object' && first !== null, 'an instance is an object');
    deepEqual(Object.keys(one), Object.keys(first));
    const unknown = await askCarpd(host, ['explain', 'dbb']);
    deepEqual(unknown, {
      code: 2,
      stdout: '',
      stderr: 'carpd: no instance is named "dbb"; there are: db, web\n',
    });
    const argv = carpdArgv('status', '--watch', '--socket', controlSocket(host));
    const watch = host.spawn(argv, { label: 'status --watch' });
    const shown = (): number => watch.lines.filter(({ text }) => text.startsWith('NAME')).length;
    await watch.until(() => shown() >= 2 || undefined, 'the table twice', WITHIN_MS);
    watch.signal('SIGINT');
    equal((await watch.ended(WITHIN_MS)).code, 0, watch.tail());
    deepEqual(logEntries(peer, { event: 'control-failed' }), []);
    equal((await peer.stop()).code, 0);
  });

  test('say that no daemon runs, and who may ask', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const none = await askCarpd(host, ['status']);
    equal(none.code, 1);
    match(
      none.stderr,
      /^carpd: no daemon answers at .*a\.sock: .*start it with carpd run --config/,
    );
    const peer = startCarpd(host, GROUP);
    await logEntry(peer, { event: 'control-opened' }, WITHIN_MS);
    await host.exec(['chmod', '755', host.directory]);
    const words = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const argv = [...words, ...carpdArgv('status', '--socket', controlSocket(host))];
    const child = host.spawn(argv, { label: 'status as nobody' });
    equal((await child.ended(WITHIN_MS)).code, 1, child.tail());
    match(child.tail(), /carpd: .*a\.sock may not be used: it is for root and the group root/);
    await peer.kill();
    const dead = await askCarpd(host, ['explain', 'vip']);
    equal(dead.code, 1);
    match(dead.stderr, /the one that made the socket is gone; start it with/);
    const again = startCarpd(host, GROUP);
    await logEntry(again, { event: 'control-opened' }, WITHIN_MS);
    match(await ask(host, 'status'), /^vip /m);
  });

  test('a daemon without a socket, or with one it can not open, elects all the same', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startCarpd(host, GROUP, { control: { socket: '/proc/none/c.sock' } });
    const { message } = await logEntry(peer, { event: 'control-failed' }, WITHIN_MS);
    match(message, /\/proc\/none\/c\.sock: .*choose another path.*The election goes on without it/);
    await peer.waitFor('MASTER', WITHIN_MS);
    equal((await peer.stop()).code, 0);
    const silent = startCarpd(host, GROUP, { control: { socket: 'off' } });
    await silent.waitFor('MASTER', WITHIN_MS);
    deepEqual(logEntries(silent, { event: 'control-opened' }), []);
    equal((await silent.stop()).code, 0);
  });
});
