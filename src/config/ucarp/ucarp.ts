// ucarp's argument list to the configuration of one instance: the same options, defaults and exit
// codes as ucarp 1.5.2 (ucarp.c, main), but that what ucarp silently turns into another value is an
// error. Pure: the password file is read by whoever runs it, through `resolvePassphrase`.
import { messageOf } from '../../base/errors.ts';
import { counted } from '../../base/text.ts';
import { unreachable } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { formatIpv4, isMulticast, type Ipv4 } from '../../base/addresses.ts';
import type { Vhid } from '../../carp/group.ts';
import {
  GATE_DEFAULTS,
  type GateConfig,
  type InstanceConfig,
  type ListenAddress,
} from '../config.ts';
import { getopt, type GetoptFault } from './getopt.ts';
import { exposureWarning } from '../listen-address.ts';
import {
  filePassphrase,
  PASSPHRASE_BYTES_MAX,
  PASSPHRASE_FILE_BYTES_MAX,
  type PassphraseFound,
  type ReadFile,
} from '../passphrase.ts';
import { Secret } from '../secret.ts';
import { nothingGiven, takeOption, type Given } from './ucarp-given.ts';
import { UCARP_OPTIONS } from './ucarp-options.ts';
import type { Facility } from './ucarp-values.ts';
import * as values from '../values.ts';

/** An instance but for what only the running host knows: the default interface and the key file. */
export interface UcarpInstance extends Omit<InstanceConfig, 'interfaceName' | 'passphrase'> {
  /** Undefined: the first interface that is up and not the loopback. */
  readonly interfaceName: string | undefined;
}

/** Where the key comes from: the last of -p and -o. */
export type UcarpPassphrase =
  | { readonly kind: 'inline'; readonly secret: Secret }
  | { readonly kind: 'file'; readonly path: string };

export interface UcarpRun {
  readonly kind: 'run';
  readonly instance: UcarpInstance;
  readonly passphrase: UcarpPassphrase;
  readonly daemonize: boolean;
  readonly debug: boolean;
  /** 'none': no syslog. */
  readonly facility: Facility;
  /** -z was given. Our ucarp runs the downscript at exit in any case. */
  readonly shutdownScript: boolean;
  /** Undefined: no metrics. */
  readonly metrics: ListenAddress | undefined;
  /** Doubtful, but ucarp goes on, and so do we. One line each. */
  readonly warnings: readonly string[];
}

/** Exit codes of ucarp: 1 for a bad option, 2 where setting up fails. */
export interface UcarpFault {
  readonly kind: 'error';
  readonly exitCode: 1 | 2;
  /** One line without the program's name: what, where, what to do. */
  readonly message: string;
}

export type UcarpCommand = { readonly kind: 'help' } | UcarpRun | UcarpFault;

/** ucarp sets its scripts no limit; ours are long for anything that moves an address. */
export const UCARP_HOOK_TIMEOUT_MS = 60_000;

const ANNOUNCE_INTERVAL_MS = 500;
const BOW_OUT = 255;
/** What Node puts for bytes of an argument that are not UTF-8. */
const REPLACEMENT_CHARACTER = '\u{fffd}';

/** Reads ucarp's arguments (without the program's name). No argument at all asks for the help. */
export function parseUcarp(argv: readonly string[]): UcarpCommand {
  if (argv.length === 0) return { kind: 'help' };
  const given = nothingGiven();
  let surplus = 0;
  for (const item of getopt(argv, UCARP_OPTIONS)) {
    if (item.kind === 'fault') return fault(1, misuse(item));
    if (item.kind === 'word') {
      surplus += 1;
    } else {
      if (item.key === 'help') return { kind: 'help' };
      const problem = takeOption(given, item.key, item.value);
      if (problem !== undefined) return fault(1, `${optionText(item.as)}: ${problem}`);
    }
  }
  if (surplus > 0) {
    // Not shown: they may be the rest of a password with a space in it.
    given.warnings.push(
      `${counted(surplus, 'surplus word')} ignored; a value with spaces needs quotes`,
    );
  }
  return assemble(given);
}

/**
 * The key of a parsed command: its own, or the first line of its file. Exit code 1 as ucarp has it
 * for every fault of the password file but a key that is too long, which is 2.
 */
export function resolvePassphrase(
  source: UcarpPassphrase,
  readFile: ReadFile,
): Result<PassphraseFound, UcarpFault> {
  switch (source.kind) {
    case 'inline':
      return ok({ secret: source.secret, warnings: [] });
    case 'file': {
      const where = `--passfile ${values.show(source.path)}`;
      try {
        const found = filePassphrase(readFile(source.path, PASSPHRASE_FILE_BYTES_MAX));
        if (found.ok) {
          const warnings = found.value.warnings.map((warning) => `${where}: ${warning}`);
          return ok({ secret: found.value.secret, warnings });
        }
        const { kind, message } = found.reason;
        return fail(fault(kind === 'too-long' ? 2 : 1, `${where}: ${message}`));
      } catch (error) {
        return fail(fault(1, `${where}: can't be read: ${messageOf(error)}`));
      }
    }
    default:
      return unreachable(source);
  }
}

/** What ucarp checks once all options are read, in its order, and what ours refuses beyond that. */
function assemble(given: Given): UcarpRun | UcarpFault {
  const { vhid: id, address: ip, advbase, advskew } = given;
  if (id === undefined) return missing('a virtual host id', '--vhid=ID (1-255)');
  const passphrase = readPassphrase(given.passphrase);
  if (passphrase === undefined) {
    return missing('a password', '--passfile=FILE or --pass=PASSWORD');
  }
  if (advbase === 0 && advskew === 0) {
    return fault(1, 'an advertisement time base is needed: --advbase and --advskew are both 0');
  }
  if (given.source === undefined) return missing('the real address of this host', '--srcip=IP');
  if (ip === undefined) return missing('the virtual address', '--addr=IP');
  if (passphrase.kind === 'error') return passphrase;
  const source = given.source === 'of-interface' ? undefined : given.source;
  const refusal = refuseCombination(given, ip, source);
  if (refusal !== undefined) return refusal;
  warnAboutScripts(given);
  warnAboutMetrics(given);
  return {
    kind: 'run',
    instance: instanceOf(given, id, ip, source),
    passphrase,
    daemonize: given.flags.has('daemonize'),
    debug: given.flags.has('debug'),
    facility: given.facility,
    shutdownScript: given.flags.has('shutdown'),
    metrics: given.metrics,
    warnings: given.warnings,
  };
}

function refuseCombination(
  given: Given,
  ip: Ipv4,
  source: Ipv4 | undefined,
): UcarpFault | undefined {
  const { advbase, advskew, interfaceName, destination } = given;
  if (advbase === BOW_OUT && advskew === BOW_OUT) {
    return fault(1, '--advbase 255 with --advskew 255 means stepping down; lower one of them');
  }
  if (ip === source) {
    return fault(1, '--addr and --srcip are the same; the virtual address belongs to no host');
  }
  const problem =
    interfaceName === undefined ? undefined : values.interfaceNameProblem(interfaceName);
  if (problem !== undefined)
    return fault(2, `--interface: ${values.show(interfaceName)} ${problem}`);
  if (!given.flags.has('nomcast') && !isMulticast(destination)) {
    return fault(
      2,
      `--mcast: ${formatIpv4(destination)} is not a multicast address; or add --nomcast`,
    );
  }
  return undefined;
}

function instanceOf(given: Given, id: Vhid, ip: Ipv4, source: Ipv4 | undefined): UcarpInstance {
  const { flags, up, down } = given;
  return {
    name: `vhid-${String(id)}`,
    interfaceName: given.interfaceName,
    vhid: id,
    address: { ip, prefixLength: 32 },
    source,
    advbase: given.advbase,
    advskew: given.advskew,
    deadRatio: given.deadRatio,
    preempt: flags.has('preempt'),
    neutral: flags.has('neutral'),
    ignoreLinkState: flags.has('ignoreifstate'),
    destination: given.destination,
    broadcast: flags.has('nomcast'),
    manageAddress: false,
    hooks: {
      up: up === '' ? [] : [up],
      down: down === '' ? [] : [down],
      timeoutMs: UCARP_HOOK_TIMEOUT_MS,
      xparam: given.xparam,
    },
    announce: { burst: 0, intervalMs: ANNOUNCE_INTERVAL_MS, refreshMs: undefined },
    peers: [],
    gate: gateOf(given),
  };
}

/** Who ignores the link's own word has no use for a gate that nobody asked for. */
function gateOf({ gate, flags }: Given): GateConfig {
  if (gate !== undefined) return { ...GATE_DEFAULTS, ...gate };
  return flags.has('ignoreifstate') ? { ...GATE_DEFAULTS, policy: 'off' } : GATE_DEFAULTS;
}

/** Undefined: none, or an empty one. */
function readPassphrase(given: Given['passphrase']): UcarpPassphrase | UcarpFault | undefined {
  if (given === undefined) return undefined;
  if (given.kind === 'file') return given;
  if (given.text === '') return undefined;
  if (given.text.includes(REPLACEMENT_CHARACTER)) {
    return fault(1, '--pass: the password is not UTF-8 text; put its bytes into a --passfile');
  }
  const bytes = new TextEncoder().encode(given.text);
  if (bytes.length > PASSPHRASE_BYTES_MAX) {
    const limits = `${String(bytes.length)} bytes, the limit is ${String(PASSPHRASE_BYTES_MAX)}`;
    return fault(2, `--pass: Password too long (${limits})`);
  }
  return { kind: 'inline', secret: new Secret(bytes) };
}

function warnAboutScripts({ up, down, warnings }: Given): void {
  if (up === '') warnings.push('no script is called when going up; give --upscript=FILE');
  if (down === '') warnings.push('no script is called when going down; give --downscript=FILE');
}

function warnAboutMetrics({ metrics, warnings }: Given): void {
  const warning = metrics === undefined ? undefined : exposureWarning(metrics);
  if (warning !== undefined) warnings.push(`--metrics: ${warning}`);
}

function missing(what: string, option: string): UcarpFault {
  return fault(1, `${what} is needed: give ${option}; --help lists all options`);
}

function misuse({ reason, as }: GetoptFault): string {
  const option = optionText(as);
  switch (reason) {
    case 'unknown':
      return `unknown option ${option}; --help lists them`;
    case 'ambiguous':
      return `${option} begins more than one option; write the name out`;
    case 'missing-value':
      return `${option} needs a value; --help lists all options`;
    case 'unwanted-value':
      return `${option} takes no value; remove the "=" and what follows`;
    default:
      return unreachable(reason);
  }
}

/** An option as typed, if it looks like one; anything else may hold what should not be shown. */
function optionText(as: string): string {
  return /^--?[\w-]{1,40}$/.test(as) ? as : values.show(as);
}

function fault(exitCode: 1 | 2, message: string): UcarpFault {
  return { kind: 'error', exitCode, message };
}
