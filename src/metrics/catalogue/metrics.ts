// Every metric of carpd: its name, type, labels and meaning, in the order in which they are shown.
// Names and labels are a contract with those who write alerts: add, never rename.
import {
  CLAIM_SERIES,
  CONDITION_SERIES,
  DROP_SERIES,
  EPOCH_SERIES,
  EVIDENCE_SERIES,
  HELD_SERIES,
  HOOK_RESULT_SERIES,
  HOOK_SERIES,
  STATE_SERIES,
  TRANSITION_SERIES,
  type LabelValues,
} from './label-values.ts';

/** Whose series a metric has: one for the process, or some for each instance or interface. */
export type Scope = 'process' | 'instance' | 'interface';

/** The labels that tell whose a series is; never `instance`, which Prometheus sets itself. */
export const SCOPE_LABELS = {
  process: [],
  instance: ['name', 'interface', 'vhid'],
  interface: ['interface'],
} as const satisfies Record<Scope, readonly string[]>;

export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly scope: Scope;
  /** Besides those of the scope. */
  readonly labels: readonly string[];
  /** All combinations of values of `labels`; open: they are found out as carpd runs. */
  readonly series: readonly LabelValues[] | 'open';
  /**
   * Those that are there at 0 before anything has happened, where that is not all of them: what an
   * alert counts in a time has to be there at the beginning of it. The others come when they do.
   */
  readonly atZero?: readonly LabelValues[];
  /** Upper bounds in seconds; of a histogram. */
  readonly buckets?: readonly number[];
  readonly help: string;
}

const NONE: readonly LabelValues[] = [{}];
const NEVER: readonly LabelValues[] = [];
const TAKEOVER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 2.5, 10];
const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const HOLD_BUCKETS = [0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900];
const HOOK_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export const METRICS = {
  carpd_build_info: gauge(
    'process',
    ['version', 'node'],
    'open',
    'Always 1; the version of carpd and of the Node.js that runs it.',
  ),
  carpd_config_last_reload_successful: gauge(
    'process',
    [],
    NONE,
    '0 while the configuration file, or a part of it, is refused: an older one is in force.',
  ),
  carpd_instance_info: gauge(
    'instance',
    ['vip', 'source'],
    'open',
    'Always 1; the virtual IP and the address that adverts come from, empty if there is none.',
  ),
  carpd_instance_state: gauge(
    'instance',
    ['vip', 'state'],
    STATE_SERIES,
    '1 for the state that the instance is in, 0 for the others.',
  ),
  carpd_in_doubt: gauge(
    'instance',
    [],
    NONE,
    '1 while a master doubts its own path: it bids low and announces nothing.',
  ),
  carpd_maintenance: gauge(
    'instance',
    [],
    NONE,
    '1 while maintenance is on, so that this node is never master.',
  ),
  carpd_maintenance_since_timestamp_seconds: gauge(
    'instance',
    [],
    NONE,
    'When maintenance was turned on, in Unix time; 0 while it is off.',
  ),
  carpd_transitions_total: counter(
    'instance',
    ['from', 'to', 'cause'],
    TRANSITION_SERIES,
    'Changes of state, with their cause.',
    TRANSITION_SERIES.filter(({ to }) => to === 'master'),
  ),
  carpd_last_transition_timestamp_seconds: gauge(
    'instance',
    [],
    NONE,
    'When the state changed last, in Unix time; 0 if it never did.',
  ),
  carpd_adverts_sent_total: counter(
    'instance',
    [],
    NONE,
    'Adverts sent, farewells and bow-outs included.',
  ),
  carpd_adverts_received_total: counter('instance', [], NONE, 'Valid adverts of other nodes.'),
  carpd_adverts_rejected_total: counter(
    'interface',
    ['reason'],
    DROP_SERIES,
    'Packets of IP protocol 112 that were dropped, with the reason.',
  ),
  carpd_last_advert_received_timestamp_seconds: gauge(
    'instance',
    [],
    NONE,
    'When a valid advert of another node came in last, in Unix time; 0 if none has.',
  ),
  carpd_standby_answers: gauge(
    'instance',
    ['peer'],
    'open',
    'On a master: 1 if this host, which may take over, answers ARP; 0 if it has been silent.',
  ),
  carpd_peer_info: gauge(
    'instance',
    ['peer'],
    'open',
    'Always 1; the real address of a node that was heard advertising, the last 16 of them.',
  ),
  carpd_peer_advert_interval_seconds: gauge(
    'instance',
    ['peer'],
    'open',
    'Time between the last two adverts of a peer; there is none until two came in a row.',
  ),
  carpd_master_conflicts_total: counter(
    'instance',
    [],
    NONE,
    'Adverts of a second master that were heard while this node stayed master.',
  ),
  carpd_gate_open: gauge(
    'instance',
    [],
    NONE,
    '1 if the link does not keep this node from becoming master.',
  ),
  carpd_promotions_held_total: counter(
    'instance',
    ['reason'],
    HELD_SERIES,
    'How often this node was due to become master and was held back, with what was missing.',
    NEVER,
  ),
  carpd_takeover_duration_seconds: histogram(
    'instance',
    [],
    NONE,
    TAKEOVER_BUCKETS,
    'From the moment the old master was due to be replaced to the first gratuitous ARP sent.',
  ),
  carpd_link_ready: gauge(
    'interface',
    [],
    NONE,
    '1 if the link has proved that it passes frames, whatever the policies of the gates.',
  ),
  carpd_link_condition: gauge(
    'interface',
    ['condition'],
    CONDITION_SERIES,
    '1 if this part of the proof is there or not needed, 0 if it is missing or unknown.',
  ),
  carpd_link_hold_seconds: histogram(
    'interface',
    [],
    NONE,
    HOLD_BUCKETS,
    'How long the link was not ready, each time that it became ready.',
  ),
  carpd_link_evidence_timestamp_seconds: gauge(
    'interface',
    ['kind'],
    EVIDENCE_SERIES,
    'When the link was last seen to pass frames, in Unix time; 0: not since its path changed.',
  ),
  carpd_link_epochs_total: counter(
    'interface',
    ['cause'],
    EPOCH_SERIES,
    'How often the path of the link may have changed, so that it had to prove itself again.',
  ),
  carpd_lacp_port_ready: gauge(
    'interface',
    ['port'],
    'open',
    '1 if this port of the bond passes frames as far as LACP (or its link) can tell.',
  ),
  carpd_gratuitous_arps_sent_total: counter(
    'instance',
    [],
    NONE,
    'Gratuitous ARPs sent for the virtual IP.',
  ),
  carpd_vip_present: gauge(
    'instance',
    [],
    NONE,
    '1 if the virtual IP is on the interface, as the kernel has it.',
  ),
  carpd_vip_restored_total: counter(
    'instance',
    [],
    NONE,
    'How often somebody took the virtual IP off this master and it was put back.',
  ),
  carpd_vip_unwanted_total: counter(
    'instance',
    [],
    NONE,
    'How often somebody put the virtual IP on this node while it was not master; removed.',
  ),
  carpd_vip_in_use_total: counter(
    'instance',
    [],
    NONE,
    'How often another host was found to answer for the virtual IP when it was to be taken.',
  ),
  carpd_vip_claims_total: counter(
    'instance',
    ['form'],
    CLAIM_SERIES,
    'ARP packets of other hosts that claimed the virtual IP of this master, or asked for it.',
    NEVER,
  ),
  carpd_hook_runs_total: counter(
    'instance',
    ['hook', 'result'],
    HOOK_RESULT_SERIES,
    'Hooks that ended, with how they did.',
  ),
  carpd_hook_duration_seconds: histogram(
    'instance',
    ['hook'],
    HOOK_SERIES,
    HOOK_BUCKETS,
    'How long hooks ran, the killed ones included.',
  ),
  carpd_check_up: gauge(
    'instance',
    ['check'],
    'open',
    '1 if the health check passes; this version has no checks, and no series.',
  ),
  carpd_effective_advskew: gauge(
    'instance',
    [],
    NONE,
    'The advskew that this node bids with now: 240 or more while in doubt or unable to send.',
  ),
  carpd_late_wakes_total: counter(
    'process',
    [],
    NONE,
    'How often the process woke late, since it or the machine had stood still.',
  ),
  carpd_loop_lag_seconds: histogram(
    'process',
    [],
    NONE,
    LAG_BUCKETS,
    'How late the loop came round to the earliest thing that was due; a timer alone makes it 1 ms.',
  ),
  carpd_log_lines_dropped_total: counter(
    'process',
    [],
    NONE,
    'Lines of the log that were dropped because nobody took them.',
  ),
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof METRICS;

type NamesOf<Type> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
export type HistogramName = NamesOf<'histogram'>;
/** What is made of events; gauges show the daemon as it is. */
export type CountedName = CounterName | HistogramName;

/** Whose series this metric has. */
export type ScopeOf<Name extends MetricName> = (typeof METRICS)[Name]['scope'];

/** The labels of this metric besides those of its scope. */
export type OwnLabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]['labels'][number], string>
>;

/** What a sample of this metric has to bear: exactly these labels. */
export type LabelsOf<Name extends MetricName> = OwnLabelsOf<Name> &
  Readonly<Record<(typeof SCOPE_LABELS)[ScopeOf<Name>][number], string>>;

/** Whether there is a counter or a histogram of this name. */
export function isCounted(name: string): name is CountedName {
  return isMetric(name) && METRICS[name].type !== 'gauge';
}

/** Whether there is a metric of this name. */
export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}

/** All labels of a metric, those of its scope first. */
export function labelNames({ scope, labels }: MetricSpec): readonly string[] {
  return [...SCOPE_LABELS[scope], ...labels];
}

function gauge<S extends Scope, const Labels extends readonly string[]>(
  scope: S,
  labels: Labels,
  series: MetricSpec['series'],
  help: string,
) {
  return { type: 'gauge' as const, scope, labels, series, help };
}

function counter<S extends Scope, const Labels extends readonly string[]>(
  scope: S,
  labels: Labels,
  series: readonly LabelValues[],
  help: string,
  atZero = series,
) {
  return { type: 'counter' as const, scope, labels, series, help, atZero };
}

function histogram<S extends Scope, const Labels extends readonly string[]>(
  scope: S,
  labels: Labels,
  series: readonly LabelValues[],
  buckets: readonly number[],
  help: string,
) {
  return { type: 'histogram' as const, scope, labels, series, buckets, help };
}
