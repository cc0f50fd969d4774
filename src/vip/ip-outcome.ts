// What the end of a batch of `ip addr` commands means for each of them. The words of `ip` differ
// between versions and kernels and are only a hint: whether an address is there is decided by
// looking at the interface. Pure.
import { unreachable } from '../base/assert.ts';
import type { CommandResult } from '../base/command.ts';
import { commandLine, type AddressCommand } from './plan.ts';

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
 * What a command did; `already`: nothing was left for it to do, so it says. A fault of the reason
 * `interface-missing` says only that there is no interface of that name now.
 */
export type IpOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'already' }
  | { readonly kind: 'fault'; readonly fault: VipFault };

/** How a batch ended. */
export interface BatchOutcome {
  /** One for each command, in their order. */
  readonly each: readonly IpOutcome[];
  /** The process could not be ended: it hangs in the kernel and may still do what it was told. */
  readonly mayStillAct: boolean;
}

/** The words of the command line; the commands go to its standard input. */
export const IP_BATCH = ['ip', '-force', '-batch', '-'] as const;

/** Long enough for every message of `ip`, short enough for a log line. */
const DETAIL_CHARS_MAX = 300;

/** Old kernels answer with the text of EEXIST or EADDRNOTAVAIL, newer ones with their own words. */
const ALREADY_THERE = /File exists|already assigned/i;
const ALREADY_GONE = /Cannot assign requested address|Address not found/i;
const NO_DEVICE = /Cannot find device|No such device/i;
const NOT_PERMITTED = /Operation not permitted|Permission denied/i;
/** With `-force` a failure goes before this line, and the next command follows. */
const FAILED_LINE = /^Command failed \S+:(\d+)$/;

/** Judges how `ip -force -batch -` ended, with the commands that it was given on `device`. */
export function judgeBatch(
  commands: readonly AddressCommand[],
  device: string,
  result: CommandResult,
): BatchOutcome {
  const words = commands.map((command) => `ip ${commandLine(command, device)}`);
  const all = (reason: VipFaultReason, why: string, mayStillAct = false): BatchOutcome => ({
    each: words.map((text) => ({ kind: 'fault', fault: { reason, detail: `${text}: ${why}` } })),
    mayStillAct,
  });
  switch (result.kind) {
    case 'exited':
      return { each: judgeLines(commands, words, result), mayStillAct: false };
    case 'timeout':
      return all('command-timeout', 'killed, it did not end in time', !result.ended);
    case 'missing':
      return all('command-missing', 'not found; install iproute2 or set PATH');
    case 'not-executable':
      return all('command-missing', "not executable; check the file's mode");
    case 'failed':
      return all('command-failed', result.detail);
    default:
      return unreachable(result);
  }
}

type Exited = Extract<CommandResult, { kind: 'exited' }>;

function judgeLines(
  commands: readonly AddressCommand[],
  words: readonly string[],
  result: Exited,
): readonly IpOutcome[] {
  const { failures, rest } = readFailures(result.output);
  const ended = result.code === undefined ? `signal ${result.signal ?? ''}` : String(result.code);
  // A batch that failed without naming a line was not read to its end: what is not known to have
  // failed may not have been done.
  const whole = result.code === 0 || (result.code === 1 && failures.size > 0 && rest === '');
  return commands.map(({ verb }, index) => {
    const failure = failures.get(index + 1);
    if (failure === undefined && whole) return { kind: 'done' };
    const said = (failure ?? rest).slice(0, DETAIL_CHARS_MAX);
    return judgeRefusal(verb, said, `${words[index] ?? ''}: exit ${ended}: ${said}`);
  });
}

/** What was said of each line, by its number from 1, and what was said of none. */
function readFailures(output: string): {
  readonly failures: ReadonlyMap<number, string>;
  readonly rest: string;
} {
  const failures = new Map<number, string>();
  let said: string[] = [];
  for (const text of output.split('\n')) {
    const number = FAILED_LINE.exec(text.trim())?.[1];
    if (number === undefined) {
      if (text.trim() !== '') said.push(text.trim());
      continue;
    }
    failures.set(Number(number), said.join(' ').replaceAll(/\s+/g, ' '));
    said = [];
  }
  return { failures, rest: said.join(' ').replaceAll(/\s+/g, ' ') };
}

function judgeRefusal(verb: AddressCommand['verb'], said: string, detail: string): IpOutcome {
  if ((verb === 'add' ? ALREADY_THERE : ALREADY_GONE).test(said)) return { kind: 'already' };
  if (NO_DEVICE.test(said)) return fault('interface-missing', detail);
  if (NOT_PERMITTED.test(said)) {
    return fault('not-permitted', `${detail}; run carpd as root or give it CAP_NET_ADMIN`);
  }
  return fault('command-failed', detail);
}

function fault(reason: VipFaultReason, detail: string): IpOutcome {
  return { kind: 'fault', fault: { reason, detail } };
}
