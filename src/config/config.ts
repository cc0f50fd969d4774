// The configuration as the daemon gets it: checked, branded, frozen, with every default filled in.
import type { Ipv4 } from '../base/addresses.ts';
import type { Vhid } from '../carp/group.ts';
import type { Secret } from './secret.ts';

/** How much is logged; each level includes the ones before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** json: one object a line; text: for people; auto: text on a terminal, json elsewhere. */
export const LOG_FORMATS = ['auto', 'json', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** hold: wait for proof. promote-after: so long at most. off: ask for carrier only. */
export const GATE_POLICIES = ['hold', 'promote-after', 'off'] as const;
export type GatePolicy = (typeof GATE_POLICIES)[number];

/** unheard: wait only for a master that was never heard. always: wait. off: don't look. */
export const VIP_IN_USE_POLICIES = ['unheard', 'always', 'off'] as const;
export type VipInUsePolicy = (typeof VIP_IN_USE_POLICIES)[number];

/** An address with its prefix, as it is added to the interface. */
export interface PrefixedAddress {
  readonly ip: Ipv4;
  /** 1 to 32; 32 if the configuration names no prefix. */
  readonly prefixLength: number;
}

/** What runs on entering and leaving MASTER. */
export interface HooksConfig {
  /** Program and arguments; empty for none. INTERFACE ADDRESS [XPARAM] are appended. */
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** After this time the whole process group is killed. */
  readonly timeoutMs: number;
  /** The third argument; undefined: there is none. */
  readonly xparam: string | undefined;
}

/** Gratuitous ARPs on becoming MASTER beyond the two that ucarp sends. */
export interface AnnounceConfig {
  /** 0 to 20. */
  readonly burst: number;
  readonly intervalMs: number;
  /** Announce again so often while MASTER, 1 s to 24 h; undefined: don't. */
  readonly refreshMs: number | undefined;
}

/** Less is no time for a port channel to form; more is a slip of the unit. */
export const PROMOTE_AFTER_MS = { min: 1_000, max: 3_600_000 } as const;

/** Less is a load on those who answer; more opens no gate in time. */
export const PROBE_INTERVAL_MS = { min: 100, max: 60_000 } as const;

/** Whom to ask by ARP; gateway: the next hops through the interface. */
export type ProbeTarget = Ipv4 | 'gateway';

/** What has to be proved before this node may be promoted. */
export interface GateConfig {
  readonly policy: GatePolicy;
  /** From the carrier-up on, 1 s to 1 h; read with promote-after only. */
  readonly promoteAfterMs: number;
  readonly probe: {
    /** Whom to ask by ARP besides those that are always asked, each once, 32 at most. */
    readonly targets: readonly ProbeTarget[];
    /** 100 ms to 1 min. */
    readonly intervalMs: number;
  };
  /** Only an answered probe is proof. */
  readonly requireProbe: boolean;
  readonly vipInUse: VipInUsePolicy;
  /** Interfaces through which proof must come in; auto: found out. Each once, 1 to 32. */
  readonly uplinks: 'auto' | readonly string[];
}

/** The gate where nothing is said of it. */
export const GATE_DEFAULTS: GateConfig = {
  policy: 'hold',
  promoteAfterMs: 60_000,
  probe: { targets: ['gateway'], intervalMs: 500 },
  requireProbe: false,
  vipInUse: 'unheard',
  uplinks: 'auto',
};

/** One virtual IP and how this host competes for it. */
export interface InstanceConfig {
  /** Unique in the process; letters, digits, ".", "_" and "-". */
  readonly name: string;
  readonly interfaceName: string;
  readonly vhid: Vhid;
  /** The virtual IP. */
  readonly address: PrefixedAddress;
  /** The sender of our adverts; undefined: the interface's first primary IPv4 address. */
  readonly source: Ipv4 | undefined;
  readonly passphrase: Secret;
  /** Seconds, 0 to 255. */
  readonly advbase: number;
  /** 1/256 s, 0 to 255. */
  readonly advskew: number;
  /** 1 to 1000. */
  readonly deadRatio: number;
  readonly preempt: boolean;
  /** No down hook at the start. */
  readonly neutral: boolean;
  readonly ignoreLinkState: boolean;
  /** Destination address of the adverts. */
  readonly destination: Ipv4;
  /** Adverts go to the broadcast MAC address; the IP destination stays. */
  readonly broadcast: boolean;
  /** True: carpd adds and removes the address. False: the hooks do. */
  readonly manageAddress: boolean;
  readonly hooks: HooksConfig;
  readonly announce: AnnounceConfig;
  /** Real addresses of the other nodes, as far as they are known here; each once, 32 at most. */
  readonly peers: readonly Ipv4[];
  readonly gate: GateConfig;
}

/** A place to listen at. `text` is as it was given. */
export type ListenAddress =
  | {
      readonly kind: 'tcp';
      readonly text: string;
      /** An IPv4 or IPv6 address, without brackets. */
      readonly host: string;
      /** 1 to 65535. */
      readonly port: number;
    }
  | { readonly kind: 'unix'; readonly text: string; readonly path: string };

/** Where Prometheus asks. */
export interface MetricsConfig {
  /** Undefined: nowhere. */
  readonly listen: ListenAddress | undefined;
}

/** Where that is unless told otherwise: for this host alone. */
export const METRICS_LISTEN_DEFAULT = '127.0.0.1:9112';

/** Where the commands ask the daemon. */
export interface ControlConfig {
  /** Absolute path of the Unix socket; undefined: there is none. */
  readonly socket: string | undefined;
  /** Name or number of the Unix group that may use it; undefined: as the file system gives it. */
  readonly unixGroup: string | undefined;
}

/** What outlives the process. */
export interface StateConfig {
  /** Absolute path; undefined: nothing does. */
  readonly directory: string | undefined;
}

/** Where it is kept unless told otherwise; systemd's StateDirectory=carpd makes it. */
export const STATE_DIRECTORY_DEFAULT = '/var/lib/carpd';

/** Where the daemon listens, and the commands that talk to it ask, unless told otherwise. */
export const CONTROL_SOCKET_DEFAULT = '/run/carpd/control.sock';

export interface Config {
  readonly log: LogConfig;
  readonly metrics: MetricsConfig;
  readonly control: ControlConfig;
  readonly state: StateConfig;
  /** At least one, in the order of the file. */
  readonly instances: readonly InstanceConfig[];
}

/**
 * Whether two configurations of an instance are the same in everything, the secret included: a
 * reload leaves such an instance alone. (Deep comparison and JSON are blind to secrets.)
 */
export function sameInstance(a: InstanceConfig, b: InstanceConfig): boolean {
  return a.passphrase.equals(b.passphrase) && JSON.stringify(a) === JSON.stringify(b);
}

/** Freezes a value and all it holds; returns it. Typed arrays cannot be frozen and are left. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const inside: readonly unknown[] = Object.values(value);
  inside.forEach((inner) => void deepFreeze(inner));
  return Object.freeze(value);
}
