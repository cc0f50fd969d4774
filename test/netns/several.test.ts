// Several virtual IPs in one prefix, which move together however a master leaves: afterwards every
// one of them is on exactly one host, and the hosts' own addresses are as they were. Needs root and
// namespaces.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpdInstances } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { eventually } from '../../lab/wait.ts';

const GROUP = { password: 'a secret', deadRatio: 2 };
const WITHIN_MS = 40_000;
/** What is said where an address does not come or go as carpd wants it. */
const MEDDLED = [
  'vip-failed',
  'step-down-stuck',
  'vip-left-behind',
  'vip-stale',
  'vip-unwanted',
  'vip-leftover',
] as const;
const skip = await labSkipReason();

/** One daemon with all its virtual IPs. */
interface Node {
  readonly host: Host;
  readonly peers: readonly Peer[];
}

describe('several virtual IPs in one prefix', { skip, concurrency: 2 }, () => {
  for (const count of [2, 8]) {
    for (const promote of [0, 1]) {
      test(`${count} of them, promote_secondaries ${promote}`, (t) =>
        everyEnding(t, count, promote));
    }
  }
});

async function everyEnding(
  t: { after(callback: () => void): void },
  count: number,
  promote: number,
): Promise<void> {
  const lab = await Lab.create(t);
  const [one, two] = await Promise.all(['a', 'b'].map((name) => makeHost(lab, name, promote)));
  if (one === undefined || two === undefined) throw new Error('there are two');
  const vips = Array.from({ length: count }, (_, index) => `10.77.0.${101 + index}`);
  const own = new Map([one, two].map((host) => [host.name, [`${host.address}/24`]]));
  const heldBy = async (holder: Node | undefined, other: Node): Promise<void> => {
    await eventually(
      async () => {
        const [held, left] = [
          holder === undefined ? [] : await onHost(holder.host),
          await onHost(other.host),
        ];
        return vips.every(
          (vip) =>
            (holder === undefined || held.includes(`${vip}/24`)) && !left.includes(`${vip}/24`),
        );
      },
      { withinMs: WITHIN_MS, what: `${holder?.host.name ?? 'nobody'} to hold all, alone` },
    );
    for (const host of [one, two]) {
      const addresses = (await onHost(host)).filter(
        (text) => !vips.includes(text.split('/')[0] ?? ''),
      );
      deepEqual(addresses, own.get(host.name), `the own addresses of ${host.name}`);
    }
  };

  const a = start(one, vips, { advskew: 100 });
  await masters(a);
  // A better one comes and preempts.
  const b = start(two, vips, { advskew: 0, preempt: true });
  await masters(b);
  await heldBy(b, a);
  // An operator hands over.
  b.peers[0]?.signal('SIGUSR2');
  await masters(a);
  await heldBy(a, b);
  // The carrier is lost, and comes back.
  await lab.carrier(one, false);
  await masters(b);
  await lab.carrier(one, true);
  await all(a, (peer) => peer.state() === 'BACKUP', 'BACKUP again');
  await heldBy(b, a);
  // The daemon is stopped.
  equal((await b.peers[0]?.stop())?.code, 0, b.peers[0]?.child.tail());
  await masters(a);
  await heldBy(a, b);
  equal((await a.peers[0]?.stop())?.code, 0, a.peers[0]?.child.tail());
  await heldBy(undefined, a);
  for (const { peers } of [a, b]) {
    const told = peers.flatMap((peer) => logEntries(peer, { event: MEDDLED }));
    deepEqual(told, [], 'nobody has meddled');
  }
}

async function makeHost(lab: Lab, name: string, promote: number): Promise<Host> {
  const host = await lab.host(name, `10.77.0.${name === 'a' ? 1 : 2}/24`);
  await host.exec(['sysctl', '-qw', `net.ipv4.conf.eth0.promote_secondaries=${promote}`]);
  return host;
}

function start(
  host: Host,
  vips: readonly string[],
  more: { readonly advskew: number; readonly preempt?: boolean },
): Node {
  const instances = vips.map((vip, index) => {
    const config = { address: `${vip}/24`, hooks: {} };
    return [`vip${index}`, { ...GROUP, ...more, vhid: 7 + index, vip, config }] as const;
  });
  return { host, peers: startCarpdInstances(host, Object.fromEntries(instances)) };
}

function masters(node: Node): Promise<void> {
  return all(node, (peer) => peer.state() === 'MASTER', 'MASTER of all');
}

async function all(
  { host, peers }: Node,
  is: (peer: Peer) => boolean,
  what: string,
): Promise<void> {
  await eventually(() => peers.every(is), {
    withinMs: WITHIN_MS,
    what: `${host.name} to be ${what}`,
  });
}

/** "10.77.0.1/24", of its eth0 and in the order of the kernel. */
async function onHost(host: Host): Promise<readonly string[]> {
  const text = await host.ip('-4', '-o', 'addr', 'show', 'dev', 'eth0');
  return [...text.matchAll(/ inet (\S+)/g)].map(([, cidr = '']) => cidr);
}
