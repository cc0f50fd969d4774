// Two masters with equal intervals: ucarp compares their addresses as words of a little-endian
// machine, by the last octet first, and carpd has to settle it the same way, on either side. Needs
// root, namespaces and /usr/sbin/ucarp.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Capture, type AdvertFrame } from '../../lab/capture.ts';
import { logEntries } from '../../lab/carpd-log.ts';
import { nowMs } from '../../lab/clock.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import { soleMaster, type Peer, type PeerKind } from '../../lab/peer.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';
import {
  between,
  complainsOnlyOf,
  ELECTION_MS,
  holdsAlone,
  REACTION_MS,
  startRole,
  twoHosts,
  UCARP_HEARS_MS,
  VIP,
} from './duo.ts';

interface Tie {
  /** The one that keeps the address. */
  readonly winner: string;
  readonly loser: string;
  /** In the network of both; the one all tests share if not given. */
  readonly vip?: string;
}

const TIES: readonly Tie[] = [
  { winner: '10.0.0.1', loser: '10.0.0.2' },
  { winner: '10.0.1.1', loser: '10.0.0.2' },
  { winner: '192.168.2.3', loser: '192.168.1.250', vip: '192.168.77.100' },
  { winner: '10.1.0.1', loser: '10.0.255.1' },
  { winner: '10.0.0.10', loser: '10.0.1.10' },
];
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('two masters with equal intervals', { skip, concurrency: 6 }, () => {
  for (const tie of TIES) {
    settles(tie, 'carpd', 'ucarp');
    settles(tie, 'ucarp', 'carpd');
  }
  for (const tie of TIES.slice(1, 2)) {
    settles(tie, 'carpd-ucarp', 'ucarp');
    settles(tie, 'ucarp', 'carpd-ucarp');
    settles(tie, 'carpd', 'carpd');
  }
});

/** Both become master while they don't hear each other; then the winner's kind keeps the VIP. */
function settles(
  { winner, loser, vip = VIP }: Tie,
  winnerKind: PeerKind,
  loserKind: PeerKind,
): void {
  const name = `${winnerKind} ${winner} keeps the VIP, ${loserKind} ${loser} yields`;
  test(name, async (t) => {
    const { lab, a, b, client } = await twoHosts(t, [`${winner}/8`, `${loser}/8`]);
    await lab.port(b).block();
    const [keeps, yields] = [
      startRole(a, { kind: winnerKind, vip }),
      startRole(b, { kind: loserKind, vip }),
    ];
    const peers = [keeps, yields];
    await Promise.all(peers.map((peer) => peer.waitFor('MASTER', ELECTION_MS)));
    // The announcements of the promotion are over, and what follows is of the tie.
    const seen = await Capture.start(client);
    await seen.advert(3, { source: winner }, ELECTION_MS);
    const openMs = nowMs();
    await lab.port(b).unblock();
    equal(await soleMaster(peers, ELECTION_MS), keeps);
    const yielded = yields.transitions.at(-1);
    const tookMs = (yielded?.atMs ?? 0) - openMs;
    t.diagnostic(`one master after ${tookMs.toFixed(0)} ms`);
    // One interval until an advert comes, and what stock ucarp needs to hear it.
    between(tookMs, -50, 1_000 + UCARP_HEARS_MS, 'port open to one master');
    await throughout(() => keeps.state() === 'MASTER' && yields.state() === 'BACKUP', {
      forMs: 3_500,
      what: `${winner} to be the only master`,
      detail: () => lab.report(),
    });
    for (const peer of peers) {
      equal(peer.transitions.filter(({ to }) => to === 'MASTER').length, 1, 'no flapping');
    }
    await holdsAlone(lab, keeps);
    await seen.stop();
    if (winnerKind !== 'ucarp') checkWinner(keeps, seen, openMs);
    if (loserKind !== 'ucarp') checkLoser(keeps, yields, seen, openMs);
  });
}

/** A master that keeps the VIP says that there was another one, and announces itself again. */
function checkWinner(winner: Peer, seen: Capture, openMs: number): void {
  // The other one may announce itself before its first advert has passed.
  complainsOnlyOf(winner, 'conflict', 'vip-contested');
  const told = logEntries(winner, { event: 'conflict' });
  const heard = seen
    .adverts({ afterMs: openMs })
    .some(({ advert }) => advert.source !== winner.host.address);
  equal(told.length, heard ? 1 : 0);
  if (!heard) return;
  equal(told[0]?.fields['equal'], true);
  const own = seen
    .gratuitousArps(winner.vip, openMs)
    .filter(({ arp }) => arp.senderMac === winner.host.mac);
  ok(own.length > 0, 'announced again');
}

/** Silent from the moment it hears the better one: no farewell, which would unseat a BSD master. */
function checkLoser(winner: Peer, loser: Peer, seen: Capture, openMs: number): void {
  complainsOnlyOf(loser, 'conflict', 'vip-contested');
  const yielded = loser.transitions.at(-1);
  equal(yielded?.cause, 'tie-lost');
  const yieldedMs = yielded.atMs;
  // An advert that left while the port was still being opened is in the capture as well.
  const adverts = seen.adverts({ source: winner.host.address, afterMs: openMs });
  const decisive = adverts.filter(({ atMs }) => atMs < yieldedMs + 5).at(-1);
  ok(decisive !== undefined);
  between(yieldedMs - decisive.atMs, -50, REACTION_MS, 'advert heard to yield');
  // A farewell would bear the counter that follows the one just heard.
  const farewell = ({ advert, atMs }: AdvertFrame): boolean =>
    atMs > decisive.atMs && advert.counter === decisive.advert.counter + 1n;
  const late = seen.adverts({ source: loser.host.address, afterMs: decisive.atMs });
  deepEqual(late.filter(farewell), []);
  const silentFromMs = yieldedMs + 5;
  deepEqual(
    late.filter(({ atMs }) => atMs > silentFromMs),
    [],
  );
  const claims = seen.gratuitousArps(loser.vip, silentFromMs);
  deepEqual(
    claims.filter(({ arp }) => arp.senderMac === loser.host.mac),
    [],
  );
}
