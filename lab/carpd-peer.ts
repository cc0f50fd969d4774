// carpd as a peer, in both its forms: `carpd run` with a configuration file, and its `ucarp` front
// end. Both are run from dist/, as a user runs them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { readEntry } from './carpd-log.ts';
import type { Child, OutputLine } from './child.ts';
import { fromWallMs } from './clock.ts';
import { makeHooks, type Hooks } from './hooks.ts';
import type { Host } from './host.ts';
import { LoggedPeer, PEER_STATES, type Peer, type PeerOptions, type Transition } from './peer.ts';
import { ucarpArgv, type UcarpOptions } from './ucarp-argv.ts';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const INSTANCE_DEFAULT = 'vip';

export interface CarpdOptions extends PeerOptions {
  /** carpd moves the address itself, and the hooks only keep their log; true if not given. */
  readonly manageAddress?: boolean;
  /** Keys of the instance's configuration, put over those made from the options above. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** How the process of carpd is started, where it is not the usual way. */
export interface CarpdProcess {
  /** A command that runs the one behind it, such as setpriv with its options. */
  readonly wrapper?: readonly string[];
}

/** Top-level keys of the configuration, put over those the lab chooses. */
export type CarpdSettings = Readonly<Record<string, unknown>>;

/** Starts carpd's `ucarp` front end with ucarp's own options. */
export function startCarpdUcarp(host: Host, options: UcarpOptions): Peer {
  const hooks = makeHooks(host.directory, options.hooksMoveAddress ?? true);
  const argv = [process.execPath, join(REPOSITORY, 'dist/ucarp.js')];
  const gate = `--gate=${options.gate ?? 'off'}`;
  const child = host.spawn([...argv, gate, ...ucarpArgv(host, options, hooks)], {
    label: `carpd's ucarp on ${host.name}`,
  });
  const is = { host, kind: 'carpd-ucarp' as const, child, vip: options.vip };
  return new LoggedPeer({ ...is, hookFile: hooks.eventFile }, (line) => readCarpd(line));
}

/** Starts `carpd run` with one instance. */
export function startCarpd(
  host: Host,
  options: CarpdOptions,
  settings?: CarpdSettings,
  how?: CarpdProcess,
): Peer {
  const [peer] = startCarpdInstances(host, { [INSTANCE_DEFAULT]: options }, settings, how);
  if (peer === undefined) throw new Error('one instance is one peer');
  return peer;
}

/** Starts one `carpd run` with several instances: a peer for each, in order, of one process. */
export function startCarpdInstances(
  host: Host,
  instances: Readonly<Record<string, CarpdOptions>>,
  settings: CarpdSettings = {},
  how: CarpdProcess = {},
): readonly Peer[] {
  const parts = Object.entries(instances).map(([name, options]) => {
    const manageAddress = options.manageAddress ?? true;
    const hooks = makeHooks(host.directory, options.hooksMoveAddress ?? !manageAddress);
    return { name, options, hooks, config: instanceConfig(host, options, hooks) };
  });
  const document = {
    log: { level: 'debug', format: 'json' },
    metrics: { listen: 'off' },
    control: { socket: controlSocket(host) },
    state: { directory: join(host.directory, `${host.name}.state`) },
    instances: Object.fromEntries(parts.map(({ name, config }) => [name, config])),
    ...settings,
  };
  const child = run(host, document, how);
  return parts.map(({ name, options, hooks }) => {
    const is = { host, kind: 'carpd' as const, child, vip: options.vip };
    return new LoggedPeer({ ...is, hookFile: hooks.eventFile }, (line) => readCarpd(line, name));
  });
}

/** The path of the configuration file of the host's `carpd run`, to change it before a SIGHUP. */
export function carpdConfigFile(host: Host): string {
  return join(host.directory, `${host.name}.yaml`);
}

/** The control socket of the host's `carpd run`: namespaces share the file system. */
export function controlSocket(host: Host): string {
  return join(host.directory, `${host.name}.sock`);
}

function run(host: Host, document: unknown, { wrapper = [] }: CarpdProcess): Child {
  const file = carpdConfigFile(host);
  writeFileSync(file, stringify(document, { aliasDuplicateObjects: false }), { mode: 0o600 });
  const argv = [process.execPath, join(REPOSITORY, 'dist/main.js'), 'run', '--config', file];
  return host.spawn([...wrapper, ...argv], { label: `carpd on ${host.name}` });
}

function instanceConfig(host: Host, options: CarpdOptions, hooks: Hooks): Record<string, unknown> {
  const { advbase, advskew, deadRatio, preempt, neutral, ignoreLinkState, xparam } = options;
  const given = { advbase, advskew, deadRatio, preempt, neutral, ignoreLinkState };
  return {
    interface: host.interface,
    vhid: options.vhid,
    address: options.vip,
    source: options.source ?? host.address,
    passphrase: options.password,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(options.group === undefined ? {} : { multicastGroup: options.group }),
    ...(options.broadcast === true ? { broadcast: true } : {}),
    gate: { policy: options.gate ?? 'off' },
    manageAddress: options.manageAddress ?? true,
    hooks: { up: [hooks.up], down: [hooks.down], ...(xparam === undefined ? {} : { xparam }) },
    ...options.config,
  };
}

/** Reads a line with the event "transition", of the instance `name` if that is given. */
function readCarpd(line: OutputLine, name?: string): Transition | undefined {
  const entry = readEntry(line);
  if (entry?.event !== 'transition') return undefined;
  const { time, cause, instance } = entry.fields;
  if (name !== undefined && instance !== name) return undefined;
  const to = stateOf(entry.fields['to']);
  if (to === undefined) return undefined;
  const from = stateOf(entry.fields['from']);
  const wallMs = Date.parse(String(time));
  return {
    atMs: Number.isFinite(wallMs) ? fromWallMs(wallMs) : line.atMs,
    ...(from === undefined ? {} : { from }),
    to,
    ...(typeof cause === 'string' ? { cause } : {}),
  };
}

function stateOf(value: unknown): Transition['to'] | undefined {
  return PEER_STATES.find((state) => state === String(value).toUpperCase());
}
