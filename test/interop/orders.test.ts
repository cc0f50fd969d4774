// What an operator orders, beside a real ucarp: handover, and maintenance over a restart. Needs
// root and namespaces.
import { equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { askCarpd } from '../../lab/carpd-command.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';
import { ELECTION_MS, GROUP, twoHosts } from './duo.ts';

const skip = (await labSkipReason()) || ucarpSkipReason();
/** Longer than the daemon waits for anything. */
const ORDER_MS = 60_000;
const PEERS = { config: { peers: ['10.77.0.2'] } };

describe('a handover by command', { skip, concurrency: true }, () => {
  test('makes stock ucarp take over, and says so', async (t) => {
    const { a, b } = await twoHosts(t);
    const carpd = startCarpd(a, { ...GROUP, ...PEERS });
    await carpd.waitFor('MASTER', ELECTION_MS);
    const peer = startUcarp(b, { ...GROUP, advskew: 50 });
    await peer.waitFor('BACKUP', ELECTION_MS);
    const ran = await askCarpd(a, ['handover', 'vip'], ORDER_MS);
    equal(ran.stderr, '');
    match(ran.stdout, /^vip: 10\.77\.0\.2 took over after [\d.]+ m?s\n$/);
    equal(ran.code, 0);
    await peer.waitFor('MASTER', ELECTION_MS);
    equal(carpd.state(), 'BACKUP');
    const status = await askCarpd(a, ['status']);
    match(
      status.stdout,
      /^ {4}peer {2}10\.77\.0\.2 master, advbase 1 advskew 50, heard \d+m?s ago$/m,
    );
    match(status.stdout, /^ {4}next {2}promotes in [\d.]+ m?s if 10\.77\.0\.2 falls silent$/m);
    const again = await askCarpd(a, ['handover', '--all']);
    equal(
      again.stdout,
      'vip: it is BACKUP and not master: nothing to hand over; 10.77.0.2 is master\n',
    );
    equal(again.code, 0);
  });

  test('is refused where nobody answers, and done by force', async (t) => {
    const { a, b } = await twoHosts(t);
    const lonely = startCarpd(a, GROUP);
    await lonely.waitFor('MASTER', ELECTION_MS);
    const unknown = await askCarpd(a, ['handover', 'vip']);
    equal(unknown.code, 1);
    match(
      unknown.stderr,
      /^carpd: vip: refused, nothing was changed: no peer is known .*--force\n$/,
    );
    equal((await lonely.stop()).code, 0);
    const carpd = startCarpd(a, { ...GROUP, ...PEERS });
    await carpd.waitFor('MASTER', ELECTION_MS);
    await b.linkDown();
    const unanswered = await askCarpd(a, ['handover', 'vip', '--json']);
    equal(unanswered.code, 1);
    match(
      unanswered.stdout,
      /"outcome":"refused","reason":"no-peer".*asked by ARP: 10\.77\.0\.2\)/,
    );
    equal(carpd.transitions.at(-1)?.to, 'MASTER');
    // The host is there again, but nothing on it takes over.
    await b.linkUp();
    const alone = await askCarpd(a, ['handover', 'vip'], ORDER_MS);
    equal(alone.code, 1);
    match(
      alone.stderr,
      /^carpd: vip: no other master was heard within [\d.]+ s: this node is master again/,
    );
    await b.linkDown();
    const forced = await askCarpd(a, ['handover', '--all', '--force'], ORDER_MS);
    match(forced.stderr, /^carpd: vip: no other master was heard within/);
    equal(carpd.transitions.filter(({ cause }) => cause === 'handover').length, 2);
  });
});

describe('maintenance by command', { skip, concurrency: true }, () => {
  test('holds over a reload and a restart, whatever happens to the peer', async (t) => {
    const { a, b } = await twoHosts(t);
    const first = startCarpd(a, { ...GROUP, ...PEERS });
    await first.waitFor('MASTER', ELECTION_MS);
    const peer = startUcarp(b, { ...GROUP, advskew: 50 });
    await peer.waitFor('BACKUP', ELECTION_MS);
    const on = await askCarpd(a, ['maintenance', 'on'], ORDER_MS);
    equal(on.stderr, '');
    match(
      on.stdout,
      /^vip: maintenance is on, kept in .*\/maintenance\.json; carpd maintenance off /,
    );
    match(on.stdout, /; 10\.77\.0\.2 took over after [\d.]+ m?s\n$/);
    equal(on.code, 0);
    await first.waitFor('HELD', ELECTION_MS);
    first.signal('SIGHUP');
    await logEntry(first, { event: 'configuration-reloaded' }, ELECTION_MS);
    equal((await first.stop()).code, 0);
    const second = startCarpd(a, { ...GROUP, ...PEERS });
    await second.waitFor('HELD', ELECTION_MS);
    equal((await peer.stop()).code, 0);
    // More than two dead intervals.
    await throughout(() => second.state() === 'HELD', { forMs: 7_000, what: 'held' });
    equal(logEntries(second, { event: 'transition', fields: { to: 'MASTER' } }).length, 0);
    const shown = await askCarpd(a, ['maintenance']);
    match(
      shown.stdout,
      /^vip: maintenance is on since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d; it is HELD\n$/,
    );
    const explained = await askCarpd(a, ['explain', 'vip']);
    match(
      explained.stdout,
      /^vip is HELD: maintenance since .*; carpd maintenance off\s+vip ends it\n/,
    );
    const off = await askCarpd(a, ['maintenance', 'off', 'vip']);
    equal(off.stdout, 'vip: maintenance is off: it takes part in the election again\n');
    await second.waitFor('MASTER', ELECTION_MS);
    const none = await askCarpd(a, ['maintenance', 'vip', '--json']);
    equal(none.stdout, '{"instances":{"vip":null}}\n');
  });
});
