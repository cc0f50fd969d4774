// Who could take over from a master, in words: for status, explain and orders. Pure.
import type { Advice } from './link-report.ts';
import type { InstanceReport, StandbyReport } from './report.ts';
import { timeText } from './words.ts';

/** Such as "10.9.0.20 answers" or "10.9.0.20 silent for 12 s". */
export function standbyText({ address, answers, forMs }: StandbyReport): string {
  if (answers === null) return `${address} is being asked`;
  return answers ? `${address} answers` : `${address} silent for ${timeText(forMs)}`;
}

/** All of them in one line; undefined: the instance is no master. */
export function standbyLine({ state, standby }: InstanceReport): string | undefined {
  if (state !== 'MASTER') return undefined;
  return standby.length === 0 ? 'none known' : standby.map(standbyText).join(', ');
}

/** Whether none of those that may take over answers, though some are known. */
export function isAlone({ standby }: Pick<InstanceReport, 'standby'>): boolean {
  return standby.length > 0 && standby.every(({ answers }) => answers === false);
}

/** What it means that nobody answers, and what would help. */
export const ALONE_ADVICE: Omit<Advice<string>, 'name'> = {
  meaning: 'no standby answers ARP: if this node fails, nobody serves the virtual IP',
  remedy: 'start the other node, and look at its carpd status and its link',
};

/** The address is on, though nobody but a master should have it. */
export function hasAddressUnasked({ state, leaving, vipPresent }: InstanceReport): boolean {
  return vipPresent && state !== 'MASTER' && leaving === null;
}

/** What that means, and what would help. */
export function addressAdvice({
  vip,
  interface: on,
  state,
}: InstanceReport): Omit<Advice<string>, 'name'> {
  const [address = vip] = vip.split('/');
  return {
    meaning: `${address} is on ${on} though this node is ${state}: two hosts may answer for it`,
    remedy:
      'look in the log for vip-stale, vip-failed and the down hook. If it is the own address of ' +
      'this host, correct the address of the instance',
  };
}
