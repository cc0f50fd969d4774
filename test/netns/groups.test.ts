// Adverts to unusual addresses, and groups that can't be joined. Needs root and namespaces.
import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd, startCarpdInstances, startCarpdUcarp } from '../../lab/carpd-peer.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';

const GROUP = { vhid: 7, vip: '10.77.0.100', password: 'a secret', deadRatio: 2 };
const MASTER_MS = 15_000;
const LOG_MS = 15_000;
const skip = await labSkipReason();

describe('adverts to the broadcast address of the network', { skip, concurrency: true }, () => {
  const options = { ...GROUP, broadcast: true, group: '10.77.0.255' };

  test('need no membership, and reach the stock ucarp and carpd alike', async (t) => {
    const lab = await Lab.create(t);
    const stock = startUcarp(await lab.host('a', '10.77.0.1/24'), options);
    await stock.waitFor('MASTER', MASTER_MS);
    const own = startCarpd(await lab.host('b', '10.77.0.2/24'), options);
    const later = { ...options, advskew: 250 };
    const front = startCarpdUcarp(await lab.host('c', '10.77.0.3/24'), later);
    await Promise.all([own, front].map((peer) => peer.waitFor('BACKUP', MASTER_MS)));
    const follow = (): boolean => own.state() === 'BACKUP' && front.state() === 'BACKUP';
    await throughout(follow, { forMs: 5_000, what: 'they hear the master' });
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    await stock.kill();
    const { advert } = await seen.advert(1, { source: '10.77.0.2' }, MASTER_MS);
    equal(advert.destination, '10.77.0.255');
    deepEqual(logEntries(own, { event: 'socket-failed' }), []);
  });
});

describe('a group that can not be joined', { skip, concurrency: true }, () => {
  test('holds off its own instance only, and is joined when it can be', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const membershipsMax = (count: number): Promise<string> =>
      host.exec(['sysctl', '-qw', `net.ipv4.igmp_max_memberships=${String(count)}`]);
    await membershipsMax(1);
    const other = { ...GROUP, vhid: 8, vip: '10.77.0.101', group: '224.0.0.19' };
    const [first, second] = startCarpdInstances(host, { first: GROUP, second: other });
    if (first === undefined || second === undefined) throw new Error('there are two');
    await first.waitFor('MASTER', MASTER_MS);
    const told = await logEntry(first, { event: 'socket-failed', level: 'error' }, LOG_MS);
    match(told.message, /224\.0\.0\.19.*trying again in 5 s/);
    await logEntry(first, { event: 'interface-unusable', fields: { fault: 'no-socket' } }, LOG_MS);
    deepEqual(second.transitions, []);
    await membershipsMax(20);
    await second.waitFor('MASTER', MASTER_MS);
    equal(first.transitions.filter(({ to }) => to === 'MASTER').length, 1, 'it was left alone');
    equal((await first.stop()).code, 0, first.child.tail());
  });
});
