// What a backup does when its master is killed or asked to end, with carpd and the real ucarp in
// both roles. Needs root, namespaces and /usr/sbin/ucarp.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Capture } from '../../lab/capture.ts';
import { type AdvertFrame, type ArpFrame } from '../../lab/capture.ts';
import { logEntries, type LogEntry } from '../../lab/carpd-log.ts';
import type { Host } from '../../lab/host.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import type { Peer, PeerKind } from '../../lab/peer.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { startPing, whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';
import {
  between,
  bothStay,
  complainsOnlyOf,
  countsUp,
  ELECTION_MS,
  holdsAlone,
  inFormula,
  isBowOut,
  loggedMs,
  REACTION_MS,
  startDuo,
  startRole,
  takeover,
  UCARP_HEARS_MS,
  VIP,
  watched,
} from './duo.ts';

/** Who is master and who takes over. */
type Pair = readonly [master: PeerKind, backup: PeerKind];

const MIXED: readonly Pair[] = [
  ['ucarp', 'carpd'],
  ['carpd', 'ucarp'],
  ['carpd', 'carpd'],
  ['ucarp', 'carpd-ucarp'],
  ['carpd-ucarp', 'ucarp'],
];
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('the master is killed', { skip, concurrency: true }, () => {
  for (const [first, second] of MIXED) {
    test(`${first}: ${second} takes over, and keeps the VIP when it comes back`, async (t) => {
      const { lab, client, master, backup } = await startDuo(t, { kind: first }, { kind: second });
      const seen = await watched(client, master);
      await master.kill();
      const { last, first: taken } = await takeover(seen, master, backup);
      inFormula(t, backup, taken.atMs - last.atMs);
      equal(taken.advert.counter, last.advert.counter + 1n, 'the counter goes on');
      await checkOrder(seen, backup, taken);
      // Nobody took the address from the host of the killed one, but clients go to the new master.
      deepEqual(await whoHolds(lab.hosts, VIP), [master.host, backup.host]);
      equal(await neighbour(client), backup.host.mac);
      const again = startRole(master.host, { kind: first });
      await again.waitFor('BACKUP', ELECTION_MS);
      await holdsAlone(lab, backup);
      await bothStay(again, backup);
      // The kernel of the killed one goes on answering for the address.
      complainsOnlyOf(backup, 'vip-contested');
      // carpd tells of the address that the killed one has left behind.
      complainsOnlyOf(again, 'vip-stale');
      if (first === 'carpd') equal(logEntries(again, { event: 'vip-stale' }).length, 1);
    });
  }
});

describe('the master is asked to end', { skip, concurrency: true }, () => {
  for (const [first, second] of MIXED.filter(([kind]) => kind !== 'ucarp')) {
    test(`${first}: bows out, and ${second} takes over at once`, async (t) => {
      const { lab, client, master, backup } = await startDuo(t, { kind: first }, { kind: second });
      const seen = await watched(client, master);
      const ping = startPing(client, VIP);
      const bowOut = await bowOutOf(seen, master);
      equal((await master.child.ended(5_000)).code, 0);
      const taken = await seen.advert(1, { source: backup.host.address }, ELECTION_MS);
      // Without the bow-out it would be the dead interval, 3 s from the last advert.
      const atOnceMs = second === 'ucarp' ? UCARP_HEARS_MS : REACTION_MS;
      between(taken.atMs - bowOut.atMs, 0, atOnceMs, 'bow-out to first advert');
      equal(taken.advert.counter, bowOut.advert.counter + 1n);
      await ping.answer(taken.atMs, 5_000);
      await holdsAlone(lab, backup);
      const { longestGapMs } = await ping.stop();
      t.diagnostic(`bow-out to advert: ${(taken.atMs - bowOut.atMs).toFixed(1)} ms`);
      t.diagnostic(`without an answer: ${longestGapMs.toFixed(0)} ms`);
      ok(longestGapMs < atOnceMs + 1_000, `${longestGapMs} ms without an answer`);
      checkBowOut(seen, master, bowOut);
      for (const peer of [master, backup]) complainsOnlyOf(peer);
    });
  }

  for (const second of ['carpd', 'carpd-ucarp'] as const) {
    test(`ucarp: says nothing, and ${second} takes over by the formula`, async (t) => {
      const { lab, client, master, backup } = await startDuo(
        t,
        { kind: 'ucarp' },
        { kind: second },
      );
      const seen = await watched(client, master);
      equal((await master.stop()).code, 0);
      const { last, first } = await takeover(seen, master, backup);
      inFormula(t, backup, first.atMs - last.atMs);
      await checkOrder(seen, backup, first);
      await holdsAlone(lab, backup);
      complainsOnlyOf(backup);
    });
  }
});

/** Advert, address, gratuitous ARP, up hook: the order of carpd's promotion; ucarp has its own. */
async function checkOrder(seen: Capture, peer: Peer, first: AdvertFrame): Promise<void> {
  const own = ({ arp }: ArpFrame): boolean => arp.senderMac === peer.host.mac;
  const find = (): ArpFrame | undefined => seen.gratuitousArps(VIP).find(own);
  const announced = await seen.until(find, 'the announcement', 15_000);
  checkAnnouncement(peer, announced);
  if (peer.kind === 'ucarp') return;
  await eventually(() => peer.hookLog().at(-1)?.hook === 'up', {
    withinMs: 15_000,
    what: 'up hook',
  });
  const hookMs = peer.hookLog().at(-1)?.atMs ?? 0;
  ok(first.atMs < announced.atMs, 'the advert goes before the announcement');
  ok(first.atMs < hookMs, 'the advert goes before the up hook');
  const findAdded = (): LogEntry | undefined => logEntries(peer, { event: 'vip-added' }).at(-1);
  if (peer.kind === 'carpd-ucarp') {
    equal(findAdded(), undefined, 'only the hooks touch the address');
    ok(hookMs < announced.atMs, 'hooks that move the address run before it is announced');
    return;
  }
  // The capture and the hook may be read before the log.
  const added = await peer.child.until(findAdded, 'the line of the address', 5_000);
  const times = `advert ${first.atMs}, address ${loggedMs(added)}, announced ${announced.atMs} ms`;
  ok(first.atMs <= loggedMs(added) + 1, `the advert goes before the address: ${times}`);
  ok(loggedMs(added) <= announced.atMs, `the address is there before it is announced: ${times}`);
  ok(announced.atMs < hookMs, 'the up hook runs last');
}

function checkAnnouncement({ host }: Peer, { arp }: ArpFrame): void {
  deepEqual(
    [arp.operation, arp.senderMac, arp.ethernetSource, arp.ethernetDestination],
    ['request', host.mac, host.mac, 'ff:ff:ff:ff:ff:ff'],
  );
}

/** Asks the master to end right after an advert of its own, and yields its bow-out. */
async function bowOutOf(seen: Capture, master: Peer): Promise<AdvertFrame> {
  const { address } = master.host;
  const count = seen.adverts({ source: address }).length;
  await seen.advert(count + 1, { source: address }, 5_000);
  master.signal('SIGTERM');
  const find = (): AdvertFrame | undefined => seen.adverts({ source: address }).find(isBowOut);
  return seen.until(find, 'the bow-out', 5_000);
}

/** The bow-out is the last thing a master says, once, when the address is off already. */
function checkBowOut(seen: Capture, master: Peer, bowOut: AdvertFrame): void {
  const adverts = seen.adverts({ source: master.host.address });
  equal(adverts.at(-1), bowOut);
  equal(adverts.filter(isBowOut).length, 1);
  countsUp(adverts);
  const announced = seen.gratuitousArps(VIP).filter(({ arp }) => arp.senderMac === master.host.mac);
  ok((announced.at(-1)?.atMs ?? 0) < bowOut.atMs);
  const down = master.hookLog().at(-1);
  equal(down?.hook, 'down');
  if (master.kind === 'carpd') {
    const [removed] = logEntries(master, { event: 'vip-removed' });
    ok(removed !== undefined && loggedMs(removed) <= bowOut.atMs + 1, 'address, then bow-out');
    ok(down.atMs > bowOut.atMs, 'bow-out, then down hook');
  } else {
    ok(down.atMs < bowOut.atMs, 'down hook, then bow-out');
  }
}

/** The Ethernet address the client goes to for the VIP. */
async function neighbour(client: Host): Promise<string> {
  await client.exec(['ping', '-c', '1', '-W', '2', VIP]);
  const entry = await client.ip('neigh', 'show', VIP);
  match(entry, / lladdr /);
  return / lladdr (\S+)/.exec(entry)?.[1] ?? '';
}
