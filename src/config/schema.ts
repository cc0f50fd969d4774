// The keys of the configuration file, each with its reader, default and meaning: the one table that
// the loader, the unknown-key check and the documentation go by. A new key is a new entry here and
// a line where its value is taken (read-instance.ts, load.ts). convict fills in defaults and
// validates.
import convict from 'convict';
import { invariant } from '../base/assert.ts';
import { fail } from '../base/result.ts';
import { formatIpv4 } from '../base/addresses.ts';
import { CARP_MULTICAST } from '../carp/group.ts';
import {
  CONTROL_SOCKET_DEFAULT,
  GATE_DEFAULTS,
  GATE_POLICIES,
  LOG_FORMATS,
  LOG_LEVELS,
  METRICS_LISTEN_DEFAULT,
  PROBE_INTERVAL_MS,
  PROMOTE_AFTER_MS,
  STATE_DIRECTORY_DEFAULT,
  VIP_IN_USE_POLICIES,
} from './config.ts';
import * as lists from './list-values.ts';
import { listenAddressOrOff } from './listen-address.ts';
import { credentialName, inlinePassphrase } from './passphrase.ts';
import * as values from './values.ts';
import type { Reader } from './values.ts';

/** One key: `path` with dots for sections, `fallback` as it would stand in the file. */
export interface Field<Value> {
  readonly path: string;
  readonly read: Reader<Value>;
  /** Undefined: no default. */
  readonly fallback: unknown;
  readonly isRequired: boolean;
  /** The value may not stand in a message. */
  readonly isSensitive: boolean;
  readonly doc: string;
}

/** What convict needs of a field; readers of all kinds are alike to it. */
export type AnyField = Field<unknown>;

/** Keys of the file's top level but `instances`. */
export const topFields = {
  logLevel: optional(
    'log.level',
    values.oneOf(LOG_LEVELS),
    'info',
    'the least serious line logged',
  ),
  logFormat: optional('log.format', values.oneOf(LOG_FORMATS), 'auto', 'how lines are written'),
  metricsListen: optional(
    'metrics.listen',
    listenAddressOrOff,
    METRICS_LISTEN_DEFAULT,
    'where Prometheus asks',
  ),
  controlSocket: optional(
    'control.socket',
    values.socketPath,
    CONTROL_SOCKET_DEFAULT,
    'where the commands ask the daemon',
  ),
  controlUnixGroup: optional(
    'control.group',
    values.unixGroup,
    undefined,
    'who may use the socket',
  ),
  stateDirectory: optional(
    'state.directory',
    values.directory,
    STATE_DIRECTORY_DEFAULT,
    'what outlives the process: maintenance',
  ),
} as const;

const seconds = (value: number): string => values.formatDuration(value * 1_000);

/** Keys of one instance. */
export const instanceFields = {
  interface: required('interface', values.interfaceName, 'the interface of the segment'),
  vhid: required('vhid', values.vhid, 'virtual host id, the same on all nodes'),
  address: required('address', values.prefixedAddress, 'the virtual IP'),
  source: optional('source', values.hostAddress, undefined, 'sender address of our adverts'),
  passphrase: sensitive('passphrase', inlinePassphrase, 'the shared key'),
  passphraseFile: sensitive('passphraseFile', passphrasePath, 'file with the shared key'),
  advbase: optional('advbase', values.integer(0, 255), 1, 'seconds between adverts'),
  advskew: optional('advskew', values.integer(0, 255), 0, 'added to advbase, in 1/256 s'),
  deadRatio: optional('deadRatio', values.integer(1, 1_000), 3, 'silent advbases until takeover'),
  preempt: optional('preempt', values.boolean, false, 'take over from a slower master'),
  neutral: optional('neutral', values.boolean, false, 'no down hook at the start'),
  ignoreLinkState: optional('ignoreLinkState', values.boolean, false, 'do not watch the link'),
  multicastGroup: optional(
    'multicastGroup',
    values.destinationAddress,
    formatIpv4(CARP_MULTICAST),
    'destination of the adverts',
  ),
  broadcast: optional('broadcast', values.boolean, false, 'adverts to the broadcast MAC address'),
  manageAddress: optional('manageAddress', values.boolean, true, 'carpd adds the address itself'),
  hooksUp: optional('hooks.up', values.command, [], 'run on becoming MASTER'),
  hooksDown: optional('hooks.down', values.command, [], 'run on leaving MASTER'),
  hooksTimeout: optional('hooks.timeout', values.durationMs(1), seconds(10), 'limit of a hook'),
  hooksXparam: optional('hooks.xparam', values.argument, '', 'third argument of the hooks'),
  announceBurst: optional('announce.burst', values.integer(0, 20), 2, 'more gratuitous ARPs'),
  announceInterval: optional(
    'announce.interval',
    values.durationMs(10),
    values.formatDuration(500),
    'time between them',
  ),
  announceRefresh: optional(
    'announce.refresh',
    values.durationOrOff(1_000),
    'off',
    'announce again so often',
  ),
  peers: optional('peers', lists.addresses, [], 'real addresses of the other nodes'),
  gatePolicy: optional(
    'gate.policy',
    values.oneOf(GATE_POLICIES),
    GATE_DEFAULTS.policy,
    'what opens the gate',
  ),
  gatePromoteAfter: optional(
    'gate.promoteAfter',
    values.durationMs(PROMOTE_AFTER_MS.min, PROMOTE_AFTER_MS.max),
    values.formatDuration(GATE_DEFAULTS.promoteAfterMs),
    'when promote-after opens',
  ),
  gateProbeTargets: optional(
    'gate.probe.targets',
    lists.probeTargets,
    GATE_DEFAULTS.probe.targets,
    'whom to ask by ARP',
  ),
  gateProbeInterval: optional(
    'gate.probe.interval',
    values.durationMs(PROBE_INTERVAL_MS.min, PROBE_INTERVAL_MS.max),
    values.formatDuration(GATE_DEFAULTS.probe.intervalMs),
    'time between probes',
  ),
  gateRequireProbe: optional(
    'gate.requireProbe',
    values.boolean,
    GATE_DEFAULTS.requireProbe,
    'only an answered probe is proof',
  ),
  gateVipInUse: optional(
    'gate.vipInUse',
    values.oneOf(VIP_IN_USE_POLICIES),
    GATE_DEFAULTS.vipInUse,
    'what a foreign answer for the virtual IP does',
  ),
  gateUplinks: optional(
    'gate.uplinks',
    lists.uplinks,
    GATE_DEFAULTS.uplinks,
    'where proof must come in',
  ),
} as const;

/** Takes a fault of one key. */
export type Report = (path: string, message: string) => void;

/** A validated section: what stands at each key, defaults filled in. */
export type Raw = Readonly<Record<string, unknown>>;

/**
 * Fills in the defaults of a flat or nested mapping whose keys are all known (see shape.ts) and
 * reports every value that its field refuses.
 */
export function applySchema(fields: readonly AnyField[], raw: Raw, report: Report): Raw {
  registerFormat();
  let faults = 0;
  const schema = convictSchema(fields, (path, message) => {
    faults += 1;
    report(path, message);
  });
  // No key comes from arguments or the environment; so convict need not read this process's.
  const config = convict(schema, { args: [], env: {} });
  config.load(raw);
  try {
    config.validate({ allowed: 'strict', output: () => undefined });
  } catch (error) {
    if (faults === 0) throw error;
  }
  return config.getProperties();
}

/** What stands at a path with dots; undefined if nothing does. */
export function valueAt(raw: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (isMapping(inner) ? inner[key] : undefined), raw);
}

/** Whether a value of the file is a mapping. */
export function isMapping(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const FORMAT = 'carpd-field';

/** The shape of a convict schema of any depth. */
interface SchemaTree {
  [key: string]: SchemaTree | SchemaLeaf;
}

interface SchemaLeaf {
  default: unknown;
  doc: string;
  format: string;
  sensitive: boolean;
  check: (value: unknown) => void;
}

function convictSchema(fields: readonly AnyField[], report: Report): SchemaTree {
  const tree: SchemaTree = {};
  for (const field of fields) {
    const sections = field.path.split('.');
    const key = sections.pop() ?? field.path;
    let section = tree;
    for (const name of sections) section = section[name] = sectionAt(section, name);
    section[key] = schemaLeaf(field, report);
  }
  return tree;
}

function sectionAt(tree: SchemaTree, name: string): SchemaTree {
  const found = tree[name];
  if (found === undefined) return {};
  invariant(!isLeaf(found), `${name} is a section and no key`);
  return found;
}

function isLeaf(node: SchemaTree | SchemaLeaf): node is SchemaLeaf {
  return typeof node.check === 'function';
}

function schemaLeaf(field: AnyField, report: Report): SchemaLeaf {
  return {
    default: field.fallback,
    doc: field.doc,
    format: FORMAT,
    sensitive: field.isSensitive,
    check: (value) => {
      const read = value === null ? fail('has no value') : field.read(value);
      if (read.ok) return;
      report(field.path, read.reason);
      // convict's own text would show the value; ours has been reported.
      throw new Error('refused');
    },
  };
}

/**
 * One format for all fields. Its `coerce` hands values on as they are: convict's built-in ones
 * would make 12 of "12abc" and true of "off".
 */
function registerFormat(): void {
  convict.addFormat({
    name: FORMAT,
    validate: (value: unknown, schema) => {
      const check: unknown = schema['check'];
      invariant(isCheck(check), 'every field has a check');
      check(value);
    },
    coerce: (value: unknown) => value,
  });
}

function isCheck(value: unknown): value is (value: unknown) => void {
  return typeof value === 'function';
}

function required<Value>(path: string, read: Reader<Value>, doc: string): Field<Value> {
  return { path, read, fallback: undefined, isRequired: true, isSensitive: false, doc };
}

function optional<Value>(
  path: string,
  read: Reader<Value>,
  fallback: unknown,
  doc: string,
): Field<Value> {
  return { path, read, fallback, isRequired: false, isSensitive: false, doc };
}

function sensitive<Value>(path: string, read: Reader<Value>, doc: string): Field<Value> {
  return { path, read, fallback: undefined, isRequired: false, isSensitive: true, doc };
}

/** A path that is not shown: a passphrase may have been written here by mistake. */
function passphrasePath(value: unknown): values.Read<string> {
  const path = values.argument(value);
  if (!path.ok) return fail('is not text; give the absolute path of a file');
  if (path.value.startsWith('/') || credentialName(path.value) !== undefined) return path;
  return fail(
    'is neither an absolute path, such as /etc/carpd/db.pass, nor credential:NAME ' +
      '(letters, digits, ".", "_" and "-")',
  );
}
