// What the end of an `ip addr` command means. Its words differ between kernels and are only a hint:
// whether the address is there is decided by looking at the interface. Pure.
import { unreachable } from '../base/assert.ts';
import type { CommandResult } from '../base/command.ts';

/** Why the virtual IP could not be put on or taken off its interface. */
export const VIP_FAULTS = {
  'command-missing': 'the `ip` command is not installed or may not be run',
  'command-timeout': 'the `ip` command did not end in time',
  'command-failed': 'the `ip` command refused',
  'not-permitted': 'the process may not change addresses',
  'interface-missing': 'the interface does not exist',
  'not-verified': 'the command succeeded, yet the interface does not show it',
  'taken-off': 'somebody keeps removing the address',
} as const;

export type VipFaultReason = keyof typeof VIP_FAULTS;

/** A reason, and for people: which command, what it said, what to do. */
export interface VipFault {
  readonly reason: VipFaultReason;
  readonly detail: string;
}

/**
 * What a command did; `already`: nothing was left for it to do, so it says. `mayHaveWorked`: it was
 * ended before it could say whether the kernel had done it.
 */
export type IpOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'already' }
  | { readonly kind: 'fault'; readonly fault: VipFault; readonly mayHaveWorked: boolean };

/** Long enough for every message of `ip`, short enough for a log line. */
const DETAIL_CHARS_MAX = 300;

/** Old kernels answer with the text of EEXIST or EADDRNOTAVAIL, newer ones with their own words. */
const ALREADY_THERE = /File exists|already assigned/i;
const ALREADY_GONE = /Cannot assign requested address|Address not found/i;
const NO_DEVICE = /Cannot find device|No such device/i;
const NOT_PERMITTED = /Operation not permitted|Permission denied/i;

/** Judges how one `ip addr add` or `ip addr del` ended. */
export function judgeIp(argv: readonly string[], result: CommandResult): IpOutcome {
  const command = argv.join(' ');
  switch (result.kind) {
    case 'exited':
      return result.code === 0 ? { kind: 'done' } : judgeRefusal(argv, result);
    case 'timeout':
      return fault('command-timeout', `${command}: killed, it did not end in time`, true);
    case 'missing':
      return fault('command-missing', `${command}: not found; install iproute2 or set PATH`);
    case 'not-executable':
      return fault('command-missing', `${command}: not executable; check the file's mode`);
    case 'failed':
      return fault('command-failed', `${command}: ${result.detail}`, true);
    default:
      return unreachable(result);
  }
}

function judgeRefusal(
  argv: readonly string[],
  result: Extract<CommandResult, { kind: 'exited' }>,
): IpOutcome {
  const said = result.output.trim().replaceAll(/\s+/g, ' ').slice(0, DETAIL_CHARS_MAX);
  const ended = result.code === undefined ? `signal ${result.signal ?? ''}` : String(result.code);
  const detail = `${argv.join(' ')}: exit ${ended}: ${said}`;
  const adding = argv.includes('add');
  if ((adding ? ALREADY_THERE : ALREADY_GONE).test(said)) return { kind: 'already' };
  if (NO_DEVICE.test(said)) {
    // An interface that is gone took its addresses with it.
    return adding ? fault('interface-missing', detail) : { kind: 'already' };
  }
  if (NOT_PERMITTED.test(said)) {
    return fault('not-permitted', `${detail}; run carpd as root or give it CAP_NET_ADMIN`);
  }
  return fault('command-failed', detail, result.code === undefined);
}

function fault(reason: VipFaultReason, detail: string, mayHaveWorked = false): IpOutcome {
  return { kind: 'fault', fault: { reason, detail }, mayHaveWorked };
}
