// What ucarp's options say one by one, each value checked as it comes. Pure.
import { unreachable } from '../../base/assert.ts';
import { fail } from '../../base/result.ts';
import type { Ipv4 } from '../../base/addresses.ts';
import { CARP_MULTICAST, type Vhid } from '../../carp/group.ts';
import type { ListenAddress } from '../config.ts';
import { listenAddress } from '../listen-address.ts';
import type { UcarpKey } from './ucarp-options.ts';
import * as ucarpValues from './ucarp-values.ts';
import type { Facility, GateRequest } from './ucarp-values.ts';
import * as values from '../values.ts';
import type { Read } from '../values.ts';

/** ucarp takes up to 2^32-1; with 1000 x 255 s every deadline is exact and fits a timer. */
const DEAD_RATIO_MAX = 1_000;

/** What the options said so far. */
export interface Given {
  interfaceName: string | undefined;
  /** of-interface: the option was given, and was empty. */
  source: Ipv4 | 'of-interface' | undefined;
  destination: Ipv4;
  vhid: Vhid | undefined;
  passphrase: { kind: 'inline'; text: string } | { kind: 'file'; path: string } | undefined;
  address: Ipv4 | undefined;
  advbase: number;
  advskew: number;
  deadRatio: number;
  up: string;
  down: string;
  xparam: string | undefined;
  facility: Facility;
  metrics: ListenAddress | undefined;
  gate: GateRequest | undefined;
  readonly flags: Set<UcarpKey>;
  readonly warnings: string[];
}

/** ucarp's defaults. */
export function nothingGiven(): Given {
  return {
    interfaceName: undefined,
    source: undefined,
    destination: CARP_MULTICAST,
    vhid: undefined,
    passphrase: undefined,
    address: undefined,
    advbase: 1,
    advskew: 0,
    deadRatio: 3,
    up: '',
    down: '',
    xparam: undefined,
    facility: 'daemon',
    metrics: undefined,
    gate: undefined,
    flags: new Set(),
    warnings: [],
  };
}

/** Notes one option; returns what is wrong with its value. */
export function takeOption(given: Given, key: UcarpKey, value: string): string | undefined {
  switch (key) {
    case 'interface':
      given.interfaceName = value === '' ? undefined : value;
      return undefined;
    case 'srcip':
      return takeSource(given, value);
    case 'mcastip':
      return accept(values.destinationAddress(value), (ip) => (given.destination = ip));
    case 'vhid':
      return accept(vhid(value), (id) => (given.vhid = id));
    case 'pass':
      given.passphrase = { kind: 'inline', text: value };
      return undefined;
    case 'passfile':
      given.passphrase = { kind: 'file', path: value };
      return undefined;
    case 'addr':
      return accept(address(value), (ip) => (given.address = ip));
    case 'advbase':
      return accept(ucarpValues.strtoul(value, 0, 255), (number) => (given.advbase = number));
    case 'advskew':
      return accept(ucarpValues.strtoul(value, 0, 255), (number) => (given.advskew = number));
    case 'deadratio':
      return accept(
        ucarpValues.strtoul(value, 1, DEAD_RATIO_MAX),
        (number) => (given.deadRatio = number),
      );
    case 'upscript':
      given.up = value;
      return undefined;
    case 'downscript':
      given.down = value;
      return undefined;
    case 'xparam':
      given.xparam = value;
      return undefined;
    case 'facility':
      noteFacility(given, value);
      return undefined;
    case 'metrics':
      return accept(listenAddress(value), (address) => (given.metrics = address));
    case 'gate':
      return accept(ucarpValues.gateRequest(value), (gate) => (given.gate = gate));
    case 'preempt':
    case 'neutral':
    case 'debug':
    case 'shutdown':
    case 'daemonize':
    case 'ignoreifstate':
    case 'nomcast':
    case 'help':
      given.flags.add(key);
      return undefined;
    default:
      return unreachable(key);
  }
}

function accept<Value>(read: Read<Value>, take: (value: Value) => void): string | undefined {
  if (!read.ok) return read.reason;
  take(read.value);
  return undefined;
}

/**
 * Debian's hook takes the address from the stanza of the interface. One of DHCP has none, and then
 * the option's value is empty, or, where the hook has no quotes, the word behind it, which is -B.
 */
function takeSource(given: Given, value: string): string | undefined {
  if (value !== '' && value !== '-B') {
    return accept(address(value), (ip) => (given.source = ip));
  }
  given.source = 'of-interface';
  if (value === '-B') given.flags.add('daemonize');
  given.warnings.push('--srcip is empty; the first address of the interface is used');
  return undefined;
}

function address(value: string): Read<Ipv4> {
  if (value.includes('/')) {
    return fail(`${values.show(value)} has a prefix; give the IPv4 address alone`);
  }
  return values.hostAddress(value);
}

function vhid(value: string): Read<Vhid> {
  const number = ucarpValues.strtoul(value, 1, 255);
  return number.ok ? values.vhid(number.value) : number;
}

function noteFacility(given: Given, value: string): void {
  const facility = ucarpValues.facilityName(value);
  if (facility !== undefined) given.facility = facility;
  else given.warnings.push(`--facility: unknown facility ${values.show(value)}; using daemon`);
}
