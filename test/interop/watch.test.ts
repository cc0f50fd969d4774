// `carpd watch` beside a real failover between carpd and the real ucarp, and how it ends. Needs
// root, namespaces and /usr/sbin/ucarp.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { WatchedEvent } from '../../src/events/watched.ts';
import type { EventName } from '../../src/events/events.ts';
import { controlSocket } from '../../lab/carpd-peer.ts';
import type { Child } from '../../lab/child.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { ELECTION_MS, startDuo, startRole, VIP } from './duo.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const WITHIN_MS = 20_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

/** Starts `carpd watch` and waits until it shows what the instance is. */
async function startWatch(host: Host, ...words: readonly string[]): Promise<Child> {
  const child = spawnWatch(host, ...words);
  await child.line(/"event":"state"|: (MASTER|BACKUP|HELD|INIT) on eth0/, WITHIN_MS);
  return child;
}

function spawnWatch(host: Host, ...words: readonly string[]): Child {
  const argv = [process.execPath, MAIN, 'watch', ...words, '--socket', controlSocket(host)];
  return host.spawn(argv, { label: `carpd watch on ${host.name}` });
}

function seen(child: Child): readonly WatchedEvent[] {
  const lines = child.lines.filter(({ stream }) => stream === 'stdout');
  return lines.map(({ text }) => JSON.parse(text) as WatchedEvent);
}

function complaints(child: Child): string {
  return child.lines.flatMap(({ stream, text }) => (stream === 'stderr' ? text : [])).join('\n');
}

/** Waits for the next event of this name behind the line `after`. */
function next<Name extends EventName>(
  child: Child,
  name: Name,
  after = 0,
): Promise<Extract<WatchedEvent, { event: Name }>> {
  const isIt = (line: WatchedEvent): line is Extract<WatchedEvent, { event: Name }> =>
    line.event === name;
  return child.until(() => seen(child).slice(after).find(isIt), name, WITHIN_MS);
}

describe('carpd watch', { skip, concurrency: true }, () => {
  test('shows a takeover from ucarp, the return of ucarp, and the end of carpd', async (t) => {
    const { master, backup } = await startDuo(t, { kind: 'ucarp' }, { kind: 'carpd', advskew: 20 });
    const all = await startWatch(backup.host, '--verbose');
    const heard = await next(all, 'advert-received');
    deepEqual([heard.from, heard.advbase, heard.heardBy], [master.host.address, 1, 'socket']);
    all.signal('SIGINT');
    const watch = await startWatch(backup.host, '--json', 'vip');
    const text = await startWatch(backup.host, '--text');
    const baseline = await next(watch, 'state');
    deepEqual([baseline.state, baseline.master], ['BACKUP', master.host.address]);
    await master.kill();
    await next(watch, 'takeover');
    await next(watch, 'hook-finished');
    checkTakeover(seen(watch), master.host);
    const taken = seen(watch).length;
    // A master that preempts and bids better: carpd gives way to it.
    const again = startRole(master.host, { kind: 'ucarp', preempt: true });
    await again.waitFor('MASTER', ELECTION_MS);
    const left = await next(watch, 'transition', taken);
    deepEqual([left.from, left.to, left.cause], ['MASTER', 'BACKUP', 'better-advert']);
    equal(left.peer, master.host.address);
    await next(watch, 'vip-removed', taken);
    await text.line(/ vip: MASTER -> BACKUP: a better master was heard$/, WITHIN_MS);
    ok(
      seen(watch).every(({ event }) => event !== 'advert-received'),
      'single adverts are not shown unasked',
    );
    await backup.kill();
    const { code } = await watch.ended(WITHIN_MS);
    equal(code, 1);
    match(complaints(watch), /^carpd: the daemon at \/.* has ended, or cut this watcher off$/);
    equal((await text.ended(WITHIN_MS)).code, 1);
  });

  test('ends well by Ctrl-C and by a reader that has had enough', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startRole(host, { kind: 'carpd' });
    await peer.waitFor('MASTER', ELECTION_MS);
    const watch = await startWatch(host, '--verbose');
    await next(watch, 'advert-sent');
    watch.signal('SIGINT');
    const { code, signal } = await watch.ended(WITHIN_MS);
    deepEqual([code, signal, complaints(watch)], [0, null, '']);
    // Adverts go out all the time, so that the reader that is gone is met soon.
    const line = `set -o pipefail; "$@" | head -n 1`;
    const watched = [process.execPath, MAIN, 'watch', '--verbose', '--socket', controlSocket(host)];
    const piped = host.spawn(['bash', '-c', line, 'bash', ...watched], { label: 'watch | head' });
    equal((await piped.ended(WITHIN_MS)).code, 0, piped.tail());
    equal(piped.lines.length, 1, piped.tail());
    const unknown = spawnWatch(host, 'no-such');
    equal((await unknown.ended(WITHIN_MS)).code, 2);
    match(complaints(unknown), /^carpd: no instance is named "no-such"; there are: vip$/);
    const last = await startWatch(host);
    equal((await peer.stop()).code, 0);
    equal((await last.ended(WITHIN_MS)).code, 1);
    const names = seen(last).map(({ event }) => event);
    ok(names.includes('daemon-stopping'), names.join(' '));
    ok(names.includes('vip-removed'), names.join(' '));
    const gone = spawnWatch(host);
    equal((await gone.ended(WITHIN_MS)).code, 1);
    match(complaints(gone), /^carpd: no daemon answers at .*start it with carpd run/);
  });
});

function checkTakeover(events: readonly WatchedEvent[], killed: Host): void {
  const names = events.map(({ event }) => event);
  const transition = events.find((line) => line.event === 'transition');
  ok(transition, names.join(' '));
  const { from, to, cause, peer, term, advskew, vip, name } = transition;
  deepEqual([name, from, to, cause], ['vip', 'BACKUP', 'MASTER', 'master-down']);
  deepEqual([peer, term, advskew, vip], [killed.address, 1, 20, VIP]);
  const order = ['transition', 'vip-added', 'announced', 'takeover', 'hook-finished'] as const;
  deepEqual(
    names.filter((event, index) => isOneOf(event, order) && names.indexOf(event) === index),
    order,
  );
  const takeover = events.find((line) => line.event === 'takeover');
  ok(takeover, names.join(' '));
  equal(takeover.cause, 'master-down');
  // To put the address up and verify it takes a process and some milliseconds, never nothing.
  ok(takeover.durationMs > 0 && takeover.durationMs < WITHIN_MS, String(takeover.durationMs));
  const hook = events.find((line) => line.event === 'hook-finished');
  deepEqual([hook?.hook, hook?.result], ['up', 'ok']);
  const times = events.map(({ time }) => time);
  deepEqual(times, times.toSorted());
}

function isOneOf(event: string, names: readonly string[]): boolean {
  return names.includes(event);
}
