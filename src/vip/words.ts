// The words for what happens to a virtual IP besides what carpd does to it. Pure.
import { sysctlKey } from '../base/command.ts';

/**
 * What it means that other interfaces of this host have the virtual IP, and what would help. Each
 * part is a sentence without its full stop.
 */
export function elsewhereAdvice(
  vip: string,
  on: string,
  interfaces: readonly string[],
): { readonly meaning: string; readonly remedy: string } {
  const verb = interfaces.length === 1 ? 'has' : 'have';
  return {
    meaning:
      `${interfaces.join(' and ')} of this host ${verb} ${vip} too, and carpd keeps it on ${on} ` +
      'alone. This host may answer for the address though another host is master',
    remedy:
      'Take it off there with ip addr del. If it is there on purpose, set ' +
      `${sysctlKey(on, 'arp_ignore')} to 1: then this host answers for it only as master`,
  };
}

/** What became of what the kernel removed together with a virtual IP. */
export function putBackText({ unsaved }: { readonly unsaved: readonly string[] }): string {
  if (unsaved.length === 0) return 'they were put back';
  return `not everything could be put back. Do it now: ${unsaved.join('; ')}`;
}
