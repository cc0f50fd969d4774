// Plays the incident on real bonds, once with stock ucarp and once with carpd on node B, both at
// once; writes what happened as JSON to the file that is its only word. Runs inside the machine.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../lab/clock.ts';
import type { Peer, Transition } from '../lab/peer.ts';
import { whoHolds } from '../lab/vip.ts';
import type { BondHost } from '../test/bond/bond-host.ts';
import {
  GROUP,
  PROGRAMS,
  startMaster,
  startWaiting,
  suffer,
  twoHosts,
  type Program,
} from '../test/bond/scene.ts';
import type { Bar, Incident, IncidentEvent, NodeName } from './incident.ts';

const BLOCKED_MS = 10_000;
const AFTERWARDS_MS = 6_000;

const [file = '/dev/stdout'] = process.argv.slice(2);
const closers: (() => void)[] = [];
try {
  writeFileSync(file, JSON.stringify(await Promise.all(PROGRAMS.map(play))));
} finally {
  for (const close of closers) close();
}

async function play(program: Program): Promise<Incident> {
  const scope = { after: (close: () => void) => void closers.push(close) };
  const { a, b } = await twoHosts(scope, { mode: '802.3ad', forwarding: false });
  const [healthy] = await Promise.all([startMaster('ucarp', a, b), b.lacpFormed()]);
  const link = await linkSeen(b);
  console.log(`${program}: A serves; B's bond is up, its switch port does not forward; B starts`);
  const booted = await startWaiting(program, b);
  const zeroMs = booted.transitions[0]?.atMs ?? nowMs();
  const { toMs } = await suffer({ forMs: BLOCKED_MS, repair: () => b.switchSide.unblock() });
  const forwardsMs = nowMs();
  console.log(`${program}: the switch port forwards`);
  await sleep(AFTERWARDS_MS);
  const endMs = nowMs();
  const holders = await whoHolds([a, b], GROUP.vip);
  const steps = [
    { atMs: zeroMs - 1, text: `B boots. ${link}`, tone: 'step' as const },
    { atMs: (toMs + forwardsMs) / 2, text: 'The switch port forwards', tone: 'step' as const },
  ];
  const events = [...steps, ...eventsOf('a', healthy, zeroMs), ...eventsOf('b', booted, zeroMs)];
  return {
    program,
    events: events.map((event) => ({ ...event, atMs: event.atMs - zeroMs })),
    bars: [...barsOf('a', healthy, zeroMs, endMs), ...barsOf('b', booted, zeroMs, endMs)],
    forwardsMs: (toMs + forwardsMs) / 2 - zeroMs,
    endMs: endMs - zeroMs,
    holder: holders.map(({ name }) => name).join(' and '),
  };
}

/** What a gate on the kernel's word would go by. */
async function linkSeen(host: BondHost): Promise<string> {
  const carrier = (await host.hasCarrier()) ? 'carrier up' : 'no carrier';
  return `bond0: ${carrier}, LACP formed, rx_packets ${await host.rxPackets()}`;
}

function eventsOf(node: NodeName, { transitions }: Peer, zeroMs: number): IncidentEvent[] {
  const name = node.toUpperCase();
  return transitions
    .filter(({ atMs }) => node === 'b' || atMs > zeroMs)
    .map(({ atMs, to, cause }) => ({ atMs, ...told(node, name, to, cause) }));
}

function told(
  node: NodeName,
  name: string,
  state: Transition['to'],
  cause: string | undefined,
): Omit<IncidentEvent, 'atMs'> {
  switch (state) {
    case 'MASTER':
      return { text: `${name} MASTER: takes ${GROUP.vip} too`, tone: 'bad' };
    case 'HELD':
      return { text: `${name} HELD: no frame of anybody has come in`, tone: 'good' };
    case 'BACKUP':
      if (node === 'a') return { text: `${name} BACKUP: the healthy master gives up`, tone: 'bad' };
      return cause === 'gate-opened'
        ? { text: `${name} BACKUP: it hears A, the link is proved`, tone: 'good' }
        : { text: `${name} BACKUP`, tone: 'plain' };
    case 'INIT':
      return { text: `${name} INIT`, tone: 'plain' };
  }
}

/** The states of a node from a little before B starts to the end. */
function barsOf(node: NodeName, { transitions }: Peer, zeroMs: number, endMs: number): Bar[] {
  return transitions
    .map(({ atMs, to }, index) => ({
      node,
      state: to,
      fromMs: atMs - zeroMs,
      toMs: (transitions[index + 1]?.atMs ?? endMs) - zeroMs,
    }))
    .filter(({ toMs }) => toMs > 0);
}
