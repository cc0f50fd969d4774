// A handover as an operator wants it: only if somebody is there to take over, and with an answer
// that says who did. Every wait has an end.
import { since, toMillis } from '../base/time.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import type { State } from '../election/effects.ts';
import type { ElectionSnapshot } from '../election/snapshot.ts';
import type { OrderReason } from '../events/catalogue/order-result.ts';
import type { PeerHeard } from '../election/peers-heard.ts';
import { timeText } from '../report/words.ts';
import type { Clock, StartTimer } from '../vip/ports.ts';

/** An instance as a handover needs it. */
export interface HandoverNode {
  snapshot(): ElectionSnapshot;
  /** It takes part no more. */
  readonly ended: boolean;
  /** How long it waits itself for a silent master, and how long its hooks may take. */
  readonly deadIntervalMs: number;
  readonly hookTimeoutMs: number;
  /** Why the virtual IP could not be removed; undefined: nothing is known of that. */
  vipFault(): string | undefined;
  /** The real addresses of other nodes that the configuration names. */
  readonly peers: readonly Ipv4[];
  /** The other nodes that were heard advertising. */
  peersHeard(): readonly PeerHeard[];
  /** Asks these hosts by ARP, once. */
  ask(hosts: readonly Ipv4[]): void;
  /** Calls the listener with every host that answers; returns how to stop that. */
  onAnswer(listener: (host: Ipv4) => void): () => void;
  /** Calls the listener after every step of the election; returns how to stop that. */
  onStep(listener: () => void): () => void;
}

/** What an order waits by. */
export interface OrderTime {
  readonly now: Clock;
  readonly startTimer: StartTimer;
}

/** How a handover ended, and the state and the master that were left by it. */
export interface HandoverResult {
  readonly reason: Exclude<OrderReason, 'maintenance-on' | 'maintenance-off' | 'not-stored'>;
  readonly message: string;
  /** From the step down until another master was heard. */
  readonly afterMs: number | null;
}

/** ARP is answered within milliseconds; a host that sleeps or a lost frame gets some more. */
const ASK_MS_MAX = 2_000;
const ASK_AGAIN_MS = 400;
/** The address and the bow-out take this long beside the hooks; longer than the election waits. */
const RELEASE_MS = 15_000;
/** A peer may wait longer than this node by its skew, and needs time to say that it is master. */
const SUCCESSOR_SLACK_MS = 5_000;
/** No wait is longer, whatever is configured. */
const WAIT_MS_MAX = 60_000;
/** An order is answered within this time in any case. */
export const HANDOVER_MS_MAX = ASK_MS_MAX + 2 * WAIT_MS_MAX;

/**
 * Why the node may not step down, as a sentence: nobody answers who could take over. Undefined: it
 * may, or it is no master.
 */
export async function findObjection(
  node: HandoverNode,
  { startTimer }: Pick<OrderTime, 'startTimer'>,
): Promise<string | undefined> {
  if (node.snapshot().state !== 'MASTER') return undefined;
  const heard = node.peersHeard();
  // Who has advertised just now is there, whether it answers ARP or not.
  if (heard.some(({ role }) => role === 'master')) return undefined;
  const hosts = [...new Set([...node.peers, ...heard.map(({ address }) => address)])];
  if (hosts.length === 0) {
    return (
      'no peer is known that could take over: none was heard, and `peers` of the instance names ' +
      'none. Configure peers, or use --force'
    );
  }
  if (await anyAnswers(node, hosts, startTimer)) return undefined;
  const list = hosts.map(formatIpv4).join(', ');
  return `no peer answers (asked by ARP: ${list}). Start one, or use --force`;
}

function anyAnswers(
  node: HandoverNode,
  hosts: readonly Ipv4[],
  startTimer: StartTimer,
): Promise<boolean> {
  return new Promise((resolve) => {
    let stopAsking = (): void => undefined;
    const ask = (): void => {
      stopAsking = startTimer(ASK_AGAIN_MS, ask);
      node.ask(hosts);
    };
    const end = (answered: boolean): void => {
      stopAsking();
      losePatience();
      unlisten();
      resolve(answered);
    };
    const losePatience = startTimer(ASK_MS_MAX, () => end(false));
    const unlisten = node.onAnswer((host) => {
      if (hosts.includes(host)) end(true);
    });
    ask();
  });
}

/**
 * Lets `stepDown` make the node begin to leave MASTER and waits until another master is heard.
 * Whether it may step down was asked before (see findObjection).
 */
export async function handOver(
  node: HandoverNode,
  time: OrderTime,
  stepDown: () => Promise<void>,
): Promise<HandoverResult> {
  const { state, term } = node.snapshot();
  const { now } = time;
  const begun = now();
  const elapsedMs = (): number => Math.round(toMillis(since(now(), begun)));
  await stepDown();
  if (state !== 'MASTER') return notMaster(node.snapshot());
  const left = (): boolean => node.ended || node.snapshot().state !== 'MASTER';
  const releaseMs = Math.min(node.hookTimeoutMs + RELEASE_MS, WAIT_MS_MAX);
  const stays = (): boolean => {
    const { leaving, term: laterTerm } = node.snapshot();
    return !left() && leaving === undefined && laterTerm === term;
  };
  await becomes(node, () => left() || stays(), releaseMs, time);
  if (stays()) return stuck(node);
  if (!left()) {
    const waited = timeText(elapsedMs());
    const message = `it is still stepping down after ${waited}; carpd explain says why`;
    return { reason: 'still-master', message, afterMs: null };
  }
  const releasedMs = elapsedMs();
  const isSettled = (): boolean => {
    const { state: after, master, term: laterTerm } = node.snapshot();
    return node.ended || master !== undefined || (after === 'MASTER' && laterTerm > term);
  };
  const successorMs = Math.min(node.deadIntervalMs + SUCCESSOR_SLACK_MS, WAIT_MS_MAX);
  await becomes(node, isSettled, successorMs, time);
  return settled(node, elapsedMs(), releasedMs);
}

function stuck(node: HandoverNode): HandoverResult {
  const why = node.vipFault() ?? 'the log says why';
  const message =
    `it stays MASTER, because the virtual IP could not be removed: ${why}. Correct that and try ` +
    'again: a peer that took over now would make two holders';
  return { reason: 'vip-stuck', message, afterMs: null };
}

function notMaster({ state, master }: ElectionSnapshot): HandoverResult {
  const who = master === undefined ? 'no master is heard' : masterText(master.address);
  const message = `it is ${state} and not master: nothing to hand over; ${who}`;
  return { reason: 'not-master', message, afterMs: null };
}

function settled(node: HandoverNode, afterMs: number, releasedMs: number): HandoverResult {
  const { state, master } = node.snapshot();
  if (master !== undefined) {
    const message = `${formatIpv4(master.address)} took over after ${timeText(afterMs)}`;
    return { reason: 'handed-over', message, afterMs };
  }
  if (node.ended) {
    const message = 'the instance was stopped before another master was heard';
    return { reason: 'ended', message, afterMs: null };
  }
  const message = leftAlone(state, afterMs, afterMs - releasedMs);
  return { reason: 'no-successor', message, afterMs: null };
}

/** `downMs`: so long nobody has served the virtual IP by now. */
function leftAlone(state: State, afterMs: number, downMs: number): string {
  const nobody = `no other master was heard within ${timeText(afterMs)}`;
  const down = `the virtual IP was down for ${timeText(downMs)}`;
  if (state === 'MASTER') return `${nobody}: this node is master again, and ${down}`;
  if (state === 'BACKUP') return `${nobody}; this node takes over again if none comes`;
  return `${nobody}, and this node is ${state}: NOBODY SERVES the virtual IP`;
}

function masterText(address: Ipv4): string {
  return `${formatIpv4(address)} is master`;
}

/** Whether it comes to be within `withinMs`. */
function becomes(
  node: HandoverNode,
  probe: () => boolean,
  withinMs: number,
  { startTimer }: OrderTime,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (reached: boolean): void => {
      losePatience();
      unlisten();
      resolve(reached);
    };
    const losePatience = startTimer(withinMs, () => end(false));
    const unlisten = node.onStep(() => {
      if (probe()) end(true);
    });
    if (probe()) end(true);
  });
}
