// The options of our ucarp: those of ucarp 1.5.2 with its letters and names, and two of ours. Pure.
import type { OptionSpec } from './getopt.ts';

export type UcarpKey =
  | 'interface'
  | 'srcip'
  | 'mcastip'
  | 'vhid'
  | 'pass'
  | 'passfile'
  | 'preempt'
  | 'neutral'
  | 'addr'
  | 'help'
  | 'advbase'
  | 'advskew'
  | 'upscript'
  | 'downscript'
  | 'deadratio'
  | 'debug'
  | 'shutdown'
  | 'daemonize'
  | 'ignoreifstate'
  | 'nomcast'
  | 'facility'
  | 'xparam'
  | 'metrics'
  | 'gate';

/** An option with what the help says of it. */
export interface UcarpOption extends OptionSpec<UcarpKey> {
  /** Name of the value in the help, or undefined if the option takes none. */
  readonly valueName: string | undefined;
  readonly doc: string;
}

/**
 * In the order of ucarp's own help. Its real long name is --mcastip; its help says --mcast and -m,
 * of which it takes the first as an abbreviation and refuses the second. Here, all three work.
 */
export const UCARP_OPTIONS: readonly UcarpOption[] = [
  withValue('interface', 'i', 'if', 'interface (default: the first one up)'),
  withValue('srcip', 's', 'ip', 'real IPv4 address of this host'),
  {
    ...withValue('mcastip', 'm', 'ip', 'multicast group (default 224.0.0.18)'),
    long: ['mcast', 'mcastip'],
  },
  withValue('vhid', 'v', 'id', 'virtual host id (1-255)'),
  withValue('pass', 'p', 'pass', 'password (1-19 bytes; visible in ps, see -o)'),
  withValue('passfile', 'o', 'file', 'read the password from the first line of a file'),
  flag('preempt', 'P', 'take over from a slower master'),
  flag('neutral', 'n', "don't run the downscript at start"),
  withValue('addr', 'a', 'ip', 'virtual shared IPv4 address'),
  flag('help', 'h', 'print this help'),
  withValue('advbase', 'b', 'seconds', 'seconds between adverts (0-255, default 1)'),
  withValue('advskew', 'k', 'skew', 'added to them, in 1/256 s (0-255, default 0)'),
  withValue('upscript', 'u', 'file', 'run to become a master'),
  withValue('downscript', 'd', 'file', 'run to become a backup'),
  withValue('deadratio', 'r', 'ratio', 'missed advbases until takeover (default 3)'),
  flag('debug', 'D', 'log more'),
  flag('shutdown', 'z', 'run the downscript at exit (always done here)'),
  flag('daemonize', 'B', 'run in the background'),
  flag('ignoreifstate', 'S', 'ignore the state of the interface'),
  flag('nomcast', 'M', 'send adverts by broadcast'),
  withValue('facility', 'f', 'facility', 'syslog facility, or none (default daemon)'),
  withValue('xparam', 'x', 'value', 'third argument of the scripts'),
  ours('metrics', 'addr', 'serve metrics at ADDR:PORT or unix:PATH'),
  ours('gate', 'policy', 'hold (default), off or promote-after:SECONDS'),
];

function withValue(key: UcarpKey, short: string, valueName: string, doc: string): UcarpOption {
  return { key, long: [key], short, takesValue: true, abbreviable: true, valueName, doc };
}

function flag(key: UcarpKey, short: string, doc: string): UcarpOption {
  const valueName = undefined;
  return { key, long: [key], short, takesValue: false, abbreviable: true, valueName, doc };
}

function ours(key: UcarpKey, valueName: string, doc: string): UcarpOption {
  return { key, long: [key], short: '', takesValue: true, abbreviable: false, valueName, doc };
}
