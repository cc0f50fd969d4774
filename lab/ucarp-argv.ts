// The command line of ucarp for a peer, the same for the stock program and for carpd's front end.
import type { Hooks } from './hooks.ts';
import type { Host } from './host.ts';
import type { PeerOptions } from './peer.ts';

/** What a peer that is started through ucarp's command line understands besides. */
export interface UcarpOptions extends PeerOptions {
  /** Run the downscript at the end (-z); true where it is not given, as Debian's hook has it. */
  readonly shutdown?: boolean;
  /** Debug output (-D). */
  readonly debug?: boolean;
  /** The password's file (-o), instead of the password itself (-p). */
  readonly passfile?: string;
  /** Words put at the end as they are. */
  readonly extra?: readonly string[];
}

/** The words after the program's name. */
export function ucarpArgv(host: Host, options: UcarpOptions, hooks: Hooks): string[] {
  const secret = options.passfile === undefined ? options.password : options.passfile;
  return [
    ...['-i', host.interface, '-s', options.source ?? host.address],
    ...['-v', String(options.vhid), '-a', options.vip],
    ...[options.passfile === undefined ? '-p' : '-o', secret],
    ...['-u', hooks.up, '-d', hooks.down, '-f', 'none'],
    ...numberWord('-b', options.advbase),
    ...numberWord('-k', options.advskew),
    ...numberWord('-r', options.deadRatio),
    ...(options.group === undefined ? [] : [`--mcast=${options.group}`]),
    ...(options.xparam === undefined ? [] : ['-x', options.xparam]),
    ...flag('-P', options.preempt ?? false),
    ...flag('-n', options.neutral ?? false),
    ...flag('-S', options.ignoreLinkState ?? false),
    ...flag('-M', options.broadcast ?? false),
    ...flag('-z', options.shutdown ?? true),
    ...flag('-D', options.debug ?? false),
    ...(options.extra ?? []),
  ];
}

function numberWord(option: string, value: number | undefined): string[] {
  return value === undefined ? [] : [option, String(value)];
}

function flag(option: string, on: boolean): string[] {
  return on ? [option] : [];
}
