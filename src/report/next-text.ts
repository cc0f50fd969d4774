// What an instance would do next if nothing else happened, in a few words. Pure.
import { unreachable } from '../base/assert.ts';
import type { InstanceReport } from './report.ts';
import { timeText } from './words.ts';

/** A clause such as "promotes in 2.1 s if 10.9.0.2 falls silent". */
export function nextText(report: InstanceReport): string {
  switch (report.state) {
    case 'INIT':
      return `takes part as soon as ${report.interface} is usable`;
    case 'HELD':
      return `held: ${heldText(report)}`;
    case 'BACKUP':
      return preemptText(report) ?? backupText(report);
    case 'MASTER':
      return masterText(report);
    default:
      return unreachable(report.state);
  }
}

/** What ends maintenance, as a command. */
export function endOfMaintenance(name: string): string {
  return `carpd maintenance off ${name}`;
}

function heldText({ name, maintenance, holdReasons, link }: InstanceReport): string {
  if (maintenance !== null) return `maintenance until ${endOfMaintenance(name)}`;
  const { gate } = link ?? {};
  const others = holdReasons.filter((hold) => hold.name !== 'gate-closed');
  const missing = [...others, ...(gate?.reasons ?? [])].map((reason) => reason.name);
  const limit = gate?.opensInMs ?? null;
  const opens = limit === null ? '' : `, opens without proof in ${timeText(limit)}`;
  return `${missing.length === 0 ? 'carpd is still judging its link' : missing.join(', ')}${opens}`;
}

/** What a node that is better than the master and preempts does; undefined: it is none such. */
function preemptText(report: InstanceReport): string | undefined {
  const { preempt, master, advbase, effectiveAdvskew, link, lastTransition } = report;
  if (!preempt || master === null || link?.silent === true) return undefined;
  // It was told to leave, or could not serve: it leaves a healthy master alone.
  const left = lastTransition?.from === 'MASTER' ? lastTransition.cause.name : undefined;
  if (left === 'handover' || left === 'vip-failed') return undefined;
  const isBetter =
    intervalOf(advbase, effectiveAdvskew) < intervalOf(master.advbase, master.advskew);
  if (!isBetter) return undefined;
  const { address } = master;
  return (
    `takes over from ${address}, which bids less, once ${address} answers ARP and the gate has ` +
    'been open for a dead interval'
  );
}

/** In 1/256 s: the shorter one wins. */
function intervalOf(advbase: number, advskew: number): number {
  return advbase * 256 + advskew;
}

function backupText({ master, masterDownInMs, link }: InstanceReport): string {
  if (masterDownInMs === null) return 'follows the master that it hears';
  const due = `promotes in ${timeText(masterDownInMs)}`;
  if (master === null) return `${due} if no master is heard`;
  return link?.silent === true
    ? `${due} if ${master.address} stays silent`
    : `${due} if ${master.address} falls silent`;
}

function masterText({ leaving, link, nextAdvertInMs }: InstanceReport): string {
  if (leaving !== null) return `steps down: ${leaving.meaning}`;
  const yields = 'yields to a better master';
  if (link !== null && link.doubt !== null) return `in doubt: bids low, and ${yields}`;
  const advert = nextAdvertInMs === null ? '' : `advertises in ${timeText(nextAdvertInMs)}, `;
  return `stays master: ${advert}${yields}`;
}
