// carpd whose adverts can't leave as they should, or that is stopped in its tracks. Needs root and
// namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const MASTER_MS = 15_000;
const START_MS = 15_000;
const skip = await labSkipReason();

describe('a MASTER whose adverts are refused', { skip, concurrency: true }, () => {
  test('by a full queue bids 240 after three, and recovers after three', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    const peer = startCarpd(host, { ...GROUP, advskew: 10 });
    await peer.waitFor('MASTER', MASTER_MS);
    await seen.advert(2, { source: host.address }, 15_000);
    const limits = ['rate', '8bit', 'burst', '10b', 'limit', '10b'];
    await host.exec(['tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', ...limits]);
    const failed = await logEntry(peer, { event: 'send-failed', level: 'error' }, 10_000);
    match(failed.message, /could not send the regular advert/);
    const demoted = await logEntry(peer, { event: 'demotion', level: 'warn' }, 15_000);
    equal(demoted.fields['demoted'], true);
    equal(peer.state(), 'MASTER');
    const freeMs = nowMs();
    await host.exec(['tc', 'qdisc', 'del', 'dev', 'eth0', 'root']);
    const recovered = { event: 'demotion', fields: { demoted: false } } as const;
    await logEntry(peer, recovered, 20_000);
    await seen.advert(4, { source: host.address, afterMs: freeMs }, 10_000);
    const skews = seen
      .adverts({ source: host.address, afterMs: freeMs })
      .map(({ advert }) => advert.advskew);
    deepEqual(skews.slice(0, 4), [240, 240, 240, 10]);
    equal(logEntries(peer, { event: 'demotion' }).length, 2);
    ok(logEntries(peer, { event: 'send-failed' }).length <= 3);
    equal((await peer.stop()).code, 0, peer.child.tail());
  });

  test('by nobody, though the host translates addresses: as they are', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const chain = 'type nat hook postrouting priority 100; oif eth0 snat to 10.77.0.66;';
    await host.exec(['nft', `table ip t { chain c { ${chain} }; }`]);
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    const master = startCarpd(host, GROUP);
    await master.waitFor('MASTER', MASTER_MS);
    await seen.advert(5, { source: host.address }, 15_000);
    equal((await master.stop()).code, 0);
    const adverts = (await seen.stop()).map(({ advert }) => advert);
    // The question to the firewall must not have left either.
    for (const advert of adverts) deepEqual([advert?.source, advert?.ttl], [host.address, 255]);
  });

  test('by the firewall sends them past it, with one warning', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const b = await lab.host('b', '10.77.0.2/24');
    await lab.dropInFirewall(a, 'output', 'ip protocol 112');
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    const master = startCarpd(a, GROUP);
    await master.waitFor('MASTER', MASTER_MS);
    const backup = startCarpd(b, GROUP);
    const warning = await logEntry(master, { event: 'send-blocked', level: 'warn' }, 15_000);
    match(warning.message, /firewall.*eth0.*Allow outgoing IP protocol 112/);
    const { advert } = await seen.advert(1, { source: a.address }, 15_000);
    equal(advert.ethernetDestination, '01:00:5e:00:00:12');
    equal(advert.ttl, 255);
    await backup.waitFor('BACKUP', START_MS);
    await throughout(() => backup.state() === 'BACKUP' && master.state() === 'MASTER', {
      forMs: 6_000,
      what: 'the other node hears the adverts',
      detail: () => lab.report(),
    });
    equal(logEntries(master, { event: 'send-blocked' }).length, 1);
    deepEqual(logEntries(master, { event: 'send-failed' }), []);
    equal((await master.stop()).code, 0);
    await backup.waitFor('MASTER', 10_000);
  });
});

describe('a BACKUP that stood still for 5 s', { skip, concurrency: true }, () => {
  for (const round of [1, 2, 3]) {
    test(`beside a live master does not take over (${round})`, async (t) => {
      const lab = await Lab.create(t);
      const a = await lab.host('a', '10.77.0.1/24');
      const b = await lab.host('b', '10.77.0.2/24');
      const master = startCarpd(a, GROUP);
      await master.waitFor('MASTER', MASTER_MS);
      const backup = startCarpd(b, { ...GROUP, advskew: 100 });
      await backup.waitFor('BACKUP', START_MS);
      const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
      // Phases of the timers differ from round to round.
      await seen.advert(1, { source: a.address }, 15_000);
      await sleep(round * 300);
      backup.signal('SIGSTOP');
      await sleep(5_000);
      backup.signal('SIGCONT');
      const late = await logEntry(backup, { event: 'late-wake', level: 'warn' }, 15_000);
      ok(Number(late.fields['lateMs']) > 500);
      await throughout(() => backup.state() === 'BACKUP' && master.state() === 'MASTER', {
        forMs: 4_000,
        what: 'the roles stay',
        detail: () => lab.report(),
      });
      deepEqual(seen.adverts({ source: b.address }), []);
      equal(backup.transitions.length, 1);
    });
  }
});
