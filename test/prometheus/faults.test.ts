// Alerts fire on a real Prometheus because of their own faults, made one after the other. Others
// are in live.test.ts; those of bonds in rules.test.ts alone. Needs root, namespaces, Prometheus.
import { equal } from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askCarpd } from '../../lab/carpd-command.ts';
import { startCarpd, type CarpdOptions } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/namespaces.ts';
import { eventually } from '../../lab/wait.ts';
import { soleMaster, type Peer } from '../../lab/peer.ts';
import { manage } from './management.ts';
import { GROUP, skip, VIP, watchedPair, WITHIN_MS, type WatchedPair } from './pair.ts';
import { Prometheus } from './server.ts';

const ADVERTS = 'ip protocol 112';

test('the faults of a pair', { skip }, async (t) => {
  const { lab, a, b, prometheus } = await calmPair(t);

  await t.test('maintenance that is forgotten', async () => {
    await ordered(b, 'maintenance', 'on');
    await prometheus.fires('CarpdMaintenanceForgotten');
  });

  await t.test('a node that does not hear the master', async () => {
    const dropped = await lab.dropOnPort(b.host, 'to-host', ADVERTS);
    await prometheus.fires('CarpdBackupDeaf');
    await dropped.remove();
    await ordered(b, 'maintenance', 'off');
    await b.waitFor('BACKUP', WITHIN_MS);
    await prometheus.clears('CarpdMaintenanceForgotten');
  });

  await t.test('another passphrase', async () => {
    const host = await lab.host('x', '10.77.0.9/24');
    const other = { ...GROUP, gate: 'off', vip: '10.77.0.101', password: 'another' } as const;
    const stranger = startCarpd(host, other);
    await prometheus.fires('CarpdDigestFailures');
    await stranger.stop();
  });

  await t.test('a process that stood still', async () => {
    b.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    b.signal('SIGCONT');
    await prometheus.fires('CarpdLateWakes');
  });

  await t.test('a master that changes again and again', async () => {
    for (let count = 0; count < 6; count += 1) {
      const master = await soleMaster([a, b], WITHIN_MS);
      await ordered(master, 'handover', '--force');
    }
    await prometheus.fires('CarpdFlapping');
  });

  const master = await soleMaster([a, b], WITHIN_MS);
  const [first, second] = master === a ? [a, b] : [b, a];

  await t.test('a backup whose port passes nothing any more', async () => {
    await darken(lab, second.host);
    await second.waitFor('HELD', WITHIN_MS);
    await prometheus.fires('CarpdNoStandby');
  });

  await t.test('a master behind such a port, with nobody to take over', async () => {
    await darken(lab, first.host);
    await prometheus.fires('CarpdMasterInDoubt');
  });

  await t.test('the only master dies', async () => {
    await first.kill();
    await prometheus.fires('CarpdNoMaster');
    await prometheus.fires('CarpdHeldWhileNoMaster');
  });

  await t.test('all are dead, and then not even scraped', async () => {
    await second.kill();
    await prometheus.fires('CarpdAllDown');
    await prometheus.retarget([]);
    await prometheus.fires('CarpdNotScraped');
    await prometheus.clears('CarpdAllDown');
  });
});

test('the faults of hooks that manage the address', { skip }, async (t) => {
  const lab = await Lab.create(t);
  const [host, watcher] = [
    await lab.host('a', '10.77.0.1/24'),
    await lab.host('w', '10.77.0.50/24'),
  ];
  const up = join(host.directory, 'slow-and-broken');
  writeFileSync(up, '#!/bin/sh\nsleep 2\nexit 1\n');
  chmodSync(up, 0o755);
  const config = { manageAddress: false, hooks: { up: [up], down: ['/bin/true'] } };
  const [target = ''] = await manage(watcher, [host]);
  const prometheus = await Prometheus.start(watcher, [target]);
  const peer = start(host, target, { gate: 'off', config });
  await peer.waitFor('MASTER', WITHIN_MS);

  await t.test('an up hook that is slow, fails, and adds no address', async () => {
    await prometheus.fires('CarpdMasterWithoutVip');
    await prometheus.fires('CarpdHookFailing');
    await prometheus.fires('CarpdHookSlow');
  });

  await t.test('a node that has the address without being master', async () => {
    // It exits 1, since nobody serves now.
    await askCarpd(host, ['maintenance', 'on', '--force'], WITHIN_MS);
    await peer.waitFor('HELD', WITHIN_MS);
    await host.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
    await prometheus.fires('CarpdVipPresentWhileNotMaster');
    await prometheus.clears('CarpdMasterWithoutVip');
  });
});

/** The pair, when no alert is pending any more. */
async function calmPair(t: TestContext): Promise<WatchedPair> {
  const pair = await watchedPair(t, manage);
  // A rule may be evaluated before the first scrape, and nobody has been scraped then.
  await eventually(async () => (await pair.prometheus.alerts()).length === 0, {
    withinMs: WITHIN_MS,
    what: 'no alert to be pending',
  });
  return pair;
}

function start(host: Host, listen: string, options: Partial<CarpdOptions> = {}): Peer {
  return startCarpd(host, { ...GROUP, ...options }, { metrics: { listen } });
}

async function ordered(peer: Peer, ...words: readonly string[]): Promise<void> {
  const { code, stderr } = await askCarpd(peer.host, words, WITHIN_MS);
  equal(code, 0, stderr);
}

/** Lets nothing through from now on, and begins a new link epoch. */
async function darken(lab: Lab, host: Host): Promise<void> {
  await lab.dropOnPort(host, 'from-host');
  await lab.dropOnPort(host, 'to-host');
  await lab.carrier(host, false);
  await lab.carrier(host, true);
}
