// What a change of each key of the configuration costs a daemon that runs. The tables are closed: a
// key without a decision does not compile. Pure.
import { formatIpv4 } from '../base/addresses.ts';
import type {
  AnnounceConfig,
  Config,
  GateConfig,
  HooksConfig,
  InstanceConfig,
  LogConfig,
  ControlConfig,
  MetricsConfig,
  StateConfig,
} from './config.ts';
import { formatDuration } from './values.ts';

/** What becomes of a change, and what an operator has to know of it. */
export const RELOAD_COSTS = {
  'in-place': 'applied in place',
  'needs-address':
    'applied in place; where this host does not have the address, the instance steps down',
  'needs-carrier': 'applied in place; a master without carrier steps down',
  'needs-peers':
    'applied in place; a backup takes over from a master that is slower than it expects, so ' +
    'lower it on the master first, and raise it on the backups first',
  'proves-anew':
    'applied in place; the link has to prove itself anew for every instance on it, and a ' +
    'master is in doubt until it has',
  'next-start': 'counts from the next start of carpd on',
  restart: 'needs a restart of the instance',
} as const;

export type ReloadCost = keyof typeof RELOAD_COSTS;

/** One key as it is compared and shown. */
export interface Row<Of> {
  /** As it is called in the file, below what it belongs to. */
  readonly key: string;
  /** At most. */
  readonly cost: ReloadCost;
  /** Whether this change costs nothing though others of the key do. */
  readonly isFree?: (after: Of) => boolean;
  /** Its value as in the file. */
  readonly show: (config: Of) => string;
  readonly isSame: (before: Of, after: Of) => boolean;
}

/** A decision for every key; a key that holds others has one for each of them. */
export type Rows<Of> = { readonly [Name in keyof Of]-?: Row<Of> | readonly Row<Of>[] };

/** A key whose values are the same where the texts are. */
function row<Of>(key: string, cost: ReloadCost, value: (config: Of) => unknown): Row<Of> {
  const show = (config: Of): string => shown(value(config));
  return { key, cost, show, isSame: (before, after) => show(before) === show(after) };
}

/** The rows of what a key holds, as rows of what has the key. */
function within<Of, Inner>(
  key: string,
  inner: (config: Of) => Inner,
  rows: Rows<Inner>,
): Row<Of>[] {
  return rowsOf(rows).map((one) => ({
    key: `${key}.${one.key}`,
    cost: one.cost,
    isFree: (after) => one.isFree?.(inner(after)) === true,
    show: (config) => one.show(inner(config)),
    isSame: (before, after) => one.isSame(inner(before), inner(after)),
  }));
}

/** All rows of a table, in its order. */
export function rowsOf<Of>(rows: Rows<Of>): readonly Row<Of>[] {
  return Object.values<Row<Of> | readonly Row<Of>[]>(rows).flat();
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const HOOKS: Rows<HooksConfig> = {
  up: row('up', 'in-place', ({ up }) => up),
  down: row('down', 'in-place', ({ down }) => down),
  timeoutMs: row('timeout', 'in-place', ({ timeoutMs }) => formatDuration(timeoutMs)),
  xparam: row('xparam', 'in-place', ({ xparam = '' }) => xparam),
};

const ANNOUNCE: Rows<AnnounceConfig> = {
  burst: row('burst', 'in-place', ({ burst }) => burst),
  intervalMs: row('interval', 'in-place', ({ intervalMs }) => formatDuration(intervalMs)),
  refreshMs: row('refresh', 'in-place', ({ refreshMs }) =>
    refreshMs === undefined ? 'off' : formatDuration(refreshMs),
  ),
};

const PROBE: Rows<GateConfig['probe']> = {
  targets: row('targets', 'in-place', ({ targets }) =>
    targets.map((target) => (target === 'gateway' ? target : formatIpv4(target))),
  ),
  intervalMs: row('interval', 'in-place', ({ intervalMs }) => formatDuration(intervalMs)),
};

const GATE: Rows<GateConfig> = {
  policy: row('policy', 'in-place', ({ policy }) => policy),
  promoteAfterMs: row('promoteAfter', 'in-place', ({ promoteAfterMs }) =>
    formatDuration(promoteAfterMs),
  ),
  probe: within('probe', ({ probe }) => probe, PROBE),
  requireProbe: row('requireProbe', 'in-place', ({ requireProbe }) => requireProbe),
  vipInUse: row('vipInUse', 'in-place', ({ vipInUse }) => vipInUse),
  // Another way in is another path (the epoch ends): what came by the old one proves nothing.
  uplinks: row('uplinks', 'proves-anew', ({ uplinks }) => uplinks),
};

/** The keys of an instance. */
export const INSTANCE_ROWS: Rows<Omit<InstanceConfig, 'name'>> = {
  interfaceName: row('interface', 'restart', ({ interfaceName }) => interfaceName),
  vhid: row('vhid', 'restart', ({ vhid }) => vhid),
  address: row('address', 'restart', ({ address: { ip, prefixLength } }) => {
    return `${formatIpv4(ip)}/${String(prefixLength)}`;
  }),
  source: row('source', 'needs-address', ({ source }) =>
    source === undefined ? 'of the interface' : formatIpv4(source),
  ),
  passphrase: [
    {
      key: 'passphrase',
      cost: 'restart',
      show: () => '[redacted]',
      isSame: (before, after) => before.passphrase.equals(after.passphrase),
    },
    // The file that it is from, with the same passphrase in it.
    row('passphraseFile', 'in-place', ({ passphrase }) => passphrase.shown),
  ],
  advbase: row('advbase', 'needs-peers', ({ advbase }) => advbase),
  advskew: row('advskew', 'in-place', ({ advskew }) => advskew),
  deadRatio: row('deadRatio', 'in-place', ({ deadRatio }) => deadRatio),
  preempt: row('preempt', 'in-place', ({ preempt }) => preempt),
  neutral: row('neutral', 'next-start', ({ neutral }) => neutral),
  ignoreLinkState: {
    ...row('ignoreLinkState', 'needs-carrier', (config) => config.ignoreLinkState),
    isFree: ({ ignoreLinkState }) => ignoreLinkState,
  },
  destination: row('multicastGroup', 'restart', ({ destination }) => formatIpv4(destination)),
  broadcast: row('broadcast', 'in-place', ({ broadcast }) => broadcast),
  // Who has put the address there, carpd or the hooks, has to take it off.
  manageAddress: row('manageAddress', 'restart', ({ manageAddress }) => manageAddress),
  hooks: within('hooks', ({ hooks }) => hooks, HOOKS),
  announce: within('announce', ({ announce }) => announce, ANNOUNCE),
  peers: row('peers', 'in-place', ({ peers }) => peers.map(formatIpv4)),
  gate: within('gate', ({ gate }) => gate, GATE),
};

const LOG: Rows<LogConfig> = {
  level: row('level', 'in-place', ({ level }) => level),
  format: row('format', 'in-place', ({ format }) => format),
};

const METRICS: Rows<MetricsConfig> = {
  listen: row('listen', 'in-place', ({ listen }) => listen?.text ?? 'off'),
};

const CONTROL: Rows<ControlConfig> = {
  socket: row('socket', 'in-place', ({ socket = 'off' }) => socket),
  unixGroup: row('group', 'in-place', ({ unixGroup = 'of the directory' }) => unixGroup),
};

const STATE: Rows<StateConfig> = {
  directory: row('directory', 'next-start', ({ directory = 'off' }) => directory),
};

/** The keys of the daemon as a whole. */
export const DAEMON_ROWS: Rows<Omit<Config, 'instances'>> = {
  log: within('log', ({ log }) => log, LOG),
  metrics: within('metrics', ({ metrics }) => metrics, METRICS),
  control: within('control', ({ control }) => control, CONTROL),
  state: within('state', ({ state }) => state, STATE),
};
