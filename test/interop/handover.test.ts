// What an operator does to a running carpd: a handover (SIGUSR2), a question (SIGUSR1) and a new
// configuration (SIGHUP), with a real ucarp as the peer that notices. Needs root, namespaces and
// /usr/sbin/ucarp.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import { parse, stringify } from 'yaml';
import { Capture, type AdvertFrame } from '../../lab/capture.ts';
import { logEntry } from '../../lab/carpd-log.ts';
import { carpdConfigFile, startCarpdInstances } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { labSkipReason, type Lab } from '../../lab/namespaces.ts';
import type { Peer, PeerKind } from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { startPing, whoHolds } from '../../lab/vip.ts';
import { throughout } from '../../lab/wait.ts';
import {
  between,
  complainsOnlyOf,
  countsUp,
  ELECTION_MS,
  GROUP,
  holdsAlone,
  isBowOut,
  path,
  REACTION_MS,
  startDuo,
  twoHosts,
  UCARP_HEARS_MS,
  VIP,
} from './duo.ts';

const OTHER_GROUP = { vhid: 8, vip: '10.77.0.101', password: 'another secret' };
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('SIGUSR2 to the master', { skip, concurrency: true }, () => {
  const pairs: readonly (readonly [PeerKind, PeerKind])[] = [
    ['carpd', 'ucarp'],
    ['carpd', 'carpd'],
    ['carpd-ucarp', 'ucarp'],
    ['carpd-ucarp', 'carpd-ucarp'],
  ];
  for (const [kind, other] of pairs) {
    test(`${kind} hands over to ${other}, and does not take back by preemption`, async (t) => {
      // The one that hands over is better, and would preempt, had it not been told to go.
      const roles = [
        { kind, preempt: true },
        { kind: other, advskew: 100 },
      ] as const;
      const { lab, client, master, backup } = await startDuo(t, ...roles);
      const seen = await Capture.start(client);
      await seen.advert(2, { source: master.host.address }, 10_000);
      const ping = startPing(client, VIP);
      await ping.answer(nowMs(), 5_000);
      const before = path(master);
      master.signal('SIGUSR2');
      const { address } = backup.host;
      const taken = await seen.advert(1, { source: address }, ELECTION_MS);
      const [bowOut] = seen.adverts({ source: master.host.address }).filter(isBowOut);
      ok(bowOut !== undefined);
      const mostMs = other === 'ucarp' ? UCARP_HEARS_MS : REACTION_MS;
      between(taken.atMs - bowOut.atMs, 0, mostMs, 'bow-out to first advert');
      await ping.answer(taken.atMs, 5_000);
      await holdsAlone(lab, backup);
      const { lost, sent, longestGapMs } = await ping.stop();
      t.diagnostic(
        `${lost} of ${sent} pings lost, ${longestGapMs.toFixed(0)} ms without an answer`,
      );
      ok(longestGapMs < mostMs + 1_000, `${longestGapMs} ms without an answer`);
      await throughout(() => master.state() === 'BACKUP' && backup.state() === 'MASTER', {
        forMs: 8_000,
        what: 'the new master to stay',
        detail: () => lab.report(),
      });
      equal(path(master), `${before}, BACKUP (handover)`);
      await holdsAlone(lab, backup);
      complainsOnlyOf(master);
    });
  }

  test('it takes the VIP again when the other one is gone', async (t) => {
    const roles = [
      { kind: 'carpd', preempt: true },
      { kind: 'ucarp', advskew: 100 },
    ] as const;
    const { lab, master, backup } = await startDuo(t, ...roles);
    master.signal('SIGUSR2');
    const { atMs } = await backup.waitFor('MASTER', ELECTION_MS);
    await backup.stop();
    const again = await master.nextTransition('MASTER', atMs, ELECTION_MS);
    equal(again.cause, 'master-down');
    await holdsAlone(lab, master);
  });

  test('without a peer it comes back after a dead interval', async (t) => {
    const { lab, a } = await twoHosts(t);
    const [only] = startCarpdInstances(a, { one: GROUP });
    ok(only !== undefined);
    await only.waitFor('MASTER', ELECTION_MS);
    await holdsAlone(lab, only);
    only.signal('SIGUSR2');
    const left = await only.nextTransition('BACKUP', only.transitions.at(-1)?.atMs ?? 0, 5_000);
    equal(left.cause, 'handover');
    const again = await only.nextTransition('MASTER', left.atMs, ELECTION_MS);
    between(again.atMs - left.atMs, 2_900, 6_000, 'handover to master again');
    await holdsAlone(lab, only);
  });
});

test('SIGUSR1 makes a master and a backup log their state', { skip }, async (t) => {
  const { master, backup } = await startDuo(t, { kind: 'carpd' }, { kind: 'carpd-ucarp' });
  for (const [peer, state] of [
    [master, 'MASTER'],
    [backup, 'BACKUP'],
  ] as const) {
    peer.signal('SIGUSR1');
    const told = await logEntry(peer, { event: 'state', level: 'info' }, 5_000);
    match(told.message, new RegExp(`^${state} on eth0 id ${GROUP.vhid} for \\d+ s`));
    equal(told.fields['state'], state);
    equal(peer.state(), state);
  }
});

describe('SIGHUP', { skip, concurrency: true }, () => {
  test('restarts the instance that changed and leaves the other one alone', async (t) => {
    const { lab, host, kept, changed, backup, seen } = await twoInstances(t);
    const before = [path(kept), path(changed)];
    rewrite(host, (instances) => ({
      ...instances,
      // The length of the prefix is part of what needs a restart, and in no digest.
      changed: { ...instances['changed'], address: `${OTHER_GROUP.vip}/24`, advskew: 20 },
    }));
    kept.signal('SIGHUP');
    const told = await logEntry(kept, { event: 'configuration-reloaded' }, 5_000);
    const { added, restarted, removed, unchanged } = told.fields;
    deepEqual([added, restarted, removed, unchanged], ['', 'changed', '', 'kept']);
    await backup.waitFor('MASTER', ELECTION_MS);
    equal(path(kept), before[0]);
    equal(path(changed), `${before[1]}, INIT (stopped), BACKUP (interface-ready)`);
    const [bowOut] = seen
      .adverts({ vhid: OTHER_GROUP.vhid, source: host.address })
      .filter(isBowOut);
    ok(bowOut !== undefined);
    deepEqual(await whoHolds(lab.hosts, VIP), [host]);
    await holdsAlone(lab, backup);
    // The new skew is on the wire when it is master again.
    await backup.stop();
    const match = { vhid: OTHER_GROUP.vhid, source: host.address, afterMs: bowOut.atMs };
    const { advert } = await seen.advert(1, match, ELECTION_MS);
    deepEqual([advert.advbase, advert.advskew], [1, 20]);
    await withoutGap(kept, seen);
  });

  test('adds and removes instances', async (t) => {
    const { lab, host, kept, changed, backup, seen } = await twoInstances(t);
    rewrite(host, ({ kept: same = {} }) => {
      const { passphrase, interface: device, source } = same;
      const more = { vhid: 9, address: '10.77.0.102', passphrase, interface: device, source };
      return { kept: same, more };
    });
    kept.signal('SIGHUP');
    const told = await logEntry(kept, { event: 'configuration-reloaded' }, 5_000);
    deepEqual([told.fields['added'], told.fields['removed']], ['more', 'changed']);
    await backup.waitFor('MASTER', ELECTION_MS);
    await seen.advert(1, { vhid: 9, source: host.address }, ELECTION_MS);
    match(path(changed), /, INIT \(stopped\)$/);
    await holdsAlone(lab, backup);
    await withoutGap(kept, seen);
  });

  test('with a faulty file keeps everything as it is, and says so', async (t) => {
    const { lab, host, kept, changed, backup, seen } = await twoInstances(t);
    const before = [path(kept), path(changed), path(backup)];
    rewrite(host, (instances) => ({
      ...instances,
      changed: { ...instances['changed'], advskew: 256 },
    }));
    kept.signal('SIGHUP');
    const told = await logEntry(kept, { event: 'configuration-rejected' }, 5_000);
    equal(told.level, 'error');
    match(told.message, /advskew.*256.*the old configuration stays in force$/);
    writeFileSync(carpdConfigFile(host), '{ no YAML');
    kept.signal('SIGHUP');
    await logEntry(kept, { event: 'configuration-rejected', afterMs: told.atMs }, 5_000);
    for (const vhid of [GROUP.vhid, OTHER_GROUP.vhid]) {
      await seen.advert(3, { vhid, source: host.address, afterMs: told.atMs }, 10_000);
    }
    deepEqual([path(kept), path(changed), path(backup)], before);
    deepEqual(await whoHolds(lab.hosts, OTHER_GROUP.vip), [host]);
    await withoutGap(kept, seen);
    complainsOnlyOf(kept, 'configuration-rejected');
  });

  test('waits for no pipe, be it the passphrase file or its own', async (t) => {
    const { host, kept, changed, seen } = await twoInstances(t);
    const before = [path(kept), path(changed)];
    const pipe = `${carpdConfigFile(host)}.pipe`;
    await host.exec(['mkfifo', '-m', '600', pipe]);
    rewrite(host, (instances) => {
      const { passphrase, ...rest } = instances['changed'] ?? {};
      ok(passphrase !== undefined, 'the passphrase moves from the file to the pipe');
      return { ...instances, changed: { ...rest, passphraseFile: pipe } };
    });
    kept.signal('SIGHUP');
    const told = await logEntry(kept, { event: 'configuration-rejected' }, 5_000);
    match(told.message, /changed\.passphraseFile: the file can't be read: it is a pipe, /);
    await host.exec(['mv', pipe, carpdConfigFile(host)]);
    kept.signal('SIGHUP');
    const own = { event: 'configuration-rejected', afterMs: told.atMs } as const;
    match((await logEntry(kept, own, 5_000)).message, /: can't be read: it is a pipe, /);
    const { vhid } = GROUP;
    await seen.advert(3, { vhid, source: host.address, afterMs: told.atMs }, 10_000);
    deepEqual([path(kept), path(changed)], before);
    await withoutGap(kept, seen);
  });
});

/** A carpd that is master of two groups, and a ucarp that is the backup of one of them. */
async function twoInstances(t: TestContext): Promise<{
  readonly lab: Lab;
  readonly host: Host;
  readonly kept: Peer;
  readonly changed: Peer;
  readonly backup: Peer;
  readonly seen: Capture;
}> {
  const { lab, a, b, client } = await twoHosts(t);
  const [kept, changed] = startCarpdInstances(a, { kept: GROUP, changed: OTHER_GROUP });
  ok(kept !== undefined && changed !== undefined);
  await Promise.all([kept, changed].map((peer) => peer.waitFor('MASTER', ELECTION_MS)));
  const backup = startUcarp(b, OTHER_GROUP);
  await backup.waitFor('BACKUP', ELECTION_MS);
  for (const peer of [kept, changed]) await holdsAlone(lab, peer);
  const seen = await Capture.start(client);
  for (const { vhid } of [GROUP, OTHER_GROUP]) await seen.advert(2, { vhid }, 10_000);
  return { lab, host: a, kept, changed, backup, seen };
}

type Instances = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Changes the instances in the configuration file of the host's carpd. */
function rewrite(host: Host, change: (instances: Instances) => Instances): void {
  const file = carpdConfigFile(host);
  const document = parse(readFileSync(file, 'utf8')) as { readonly instances: Instances };
  const instances = change(document.instances);
  writeFileSync(file, stringify({ ...document, instances }), { mode: 0o600 });
}

/** Not one advert of this instance is missing or late, and none counts from a new start. */
async function withoutGap(peer: Peer, seen: Capture): Promise<void> {
  await seen.stop();
  const adverts = seen.adverts({ vhid: GROUP.vhid, source: peer.host.address });
  ok(adverts.length > 4);
  countsUp(adverts);
  between(longestGapMs(adverts), 900, 2_500, 'longest interval of the instance left alone');
}

function longestGapMs(adverts: readonly AdvertFrame[]): number {
  const times = adverts.map(({ atMs }) => atMs);
  return Math.max(...times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0)));
}
