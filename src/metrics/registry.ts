// The metrics in memory, by prom-client: counters and histograms count what happens, gauges show
// the daemon as it is at the moment of a scrape. The text form is 0.0.4, since prom-client renames
// counters for good once it has written OpenMetrics.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  isMetric,
  labelNames,
  METRICS,
  type CountedName,
  type MetricName,
  type MetricSpec,
} from './catalogue/metrics.ts';
import { showSample, type SetGauge } from './gauges.ts';
import type { HookName } from '../election/inputs.ts';
import type { LabelValues } from './catalogue/label-values.ts';
import type { InstanceLabels, Sample } from './sample.ts';
import { WallClock } from './wall-clock.ts';

const HOOK_NAMES: readonly HookName[] = ['up', 'down'];

export interface MetricsOptions {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** The daemon as it is now; asked once for each scrape. */
  readonly sample: () => Sample;
}

/** Of the form that `render` yields. */
export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * prom-client's own gauges with names that end as those of counters do, which `promtool check
 * metrics` refuses, and those of its monitor of the loop: carpd_loop_lag_seconds is more to the
 * point.
 */
const UNWANTED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  ...['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
    (which) => `nodejs_eventloop_lag_${which}_seconds`,
  ),
];
/** That monitor would wake the process a hundred times a second, more than all that it does. */
const NEVER_MONITORED = { eventLoopMonitoringPrecision: 2_147_483_647 };

/** The registry of the metrics and their text form. */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #wallClock: WallClock;
  /** By name; all series of an instance go when it goes. */
  readonly #instances = new Map<string, InstanceLabels>();
  #logLinesCounted = 0;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#wallClock = new WallClock(options.wallMs);
    for (const [name, spec] of specs()) this.#register(name, spec);
    this.#forEachAtZero('process', (spec, series) => this.#zero(spec, series));
    collectDefaultMetrics({ register: this.#registry, ...NEVER_MONITORED });
    for (const name of UNWANTED) this.#registry.removeSingleMetric(name);
  }

  /**
   * Makes the series of an instance, and of its interface, that have to be there at 0; those of
   * hooks only where it has such a hook.
   */
  addInstance(labels: InstanceLabels, hooks: readonly HookName[] = HOOK_NAMES): void {
    const isNew = !this.#isWatched(labels.interface);
    this.#instances.set(labels.name, labels);
    const isForNobody = ({ hook }: LabelValues): boolean =>
      hook !== undefined && !hooks.some((one) => one === hook);
    this.#forEachAtZero('instance', (name, series) => {
      if (!isForNobody(series)) this.#zero(name, { ...labels, ...series });
    });
    if (!isNew) return;
    const link = { interface: labels.interface };
    this.#forEachAtZero('interface', (name, series) => this.#zero(name, { ...link, ...series }));
  }

  /** Forgets an instance, and its interface where it was the last one on it. */
  removeInstance(name: string): void {
    const labels = this.#instances.get(name);
    if (labels === undefined) return;
    this.#instances.delete(name);
    this.#forEachCounted('instance', (one, series) => this.#remove(one, { ...labels, ...series }));
    if (this.#isWatched(labels.interface)) return;
    const link = { interface: labels.interface };
    this.#forEachCounted('interface', (one, series) => this.#remove(one, { ...link, ...series }));
  }

  /**
   * Counts so many more, or observes so many seconds; without effect on an instance or interface
   * that is no longer there. The labels are all those of the metric, as the events' records hold.
   */
  add(name: CountedName, labels: LabelValues, amount: number): void {
    if (!this.#isKnown(labels)) return;
    this.#counters.get(name)?.inc(labels, amount);
    this.#histograms.get(name)?.observe(labels, amount);
  }

  /** The loop came round so many seconds too late to what was due. */
  loopLag(seconds: number): void {
    this.#histograms.get('carpd_loop_lag_seconds')?.observe(seconds);
  }

  /**
   * The text of all metrics. The gauges are of one moment; writing it down leaves the loop to
   * others after each metric, since thousands of series take a while.
   */
  async render(): Promise<string> {
    await this.#show(this.#options.sample());
    const parts: string[] = [];
    for (const { name } of this.#registry.getMetricsAsArray()) {
      parts.push(await this.#registry.getSingleMetricAsString(name));
      await nextTurn();
    }
    return `${parts.join('\n\n')}\n`;
  }

  async #show(sample: Sample): Promise<void> {
    for (const gauge of this.#gauges.values()) gauge.reset();
    const build = { version: this.#options.version, node: process.version };
    this.#gauges.get('carpd_build_info')?.set(build, 1);
    const set: SetGauge = (name, labels, value) => this.#gauges.get(name)?.set(labels, value);
    await showSample(sample, this.#wallClock, set, () => nextTurn());
    const { logLinesDropped } = sample;
    const more = logLinesDropped - this.#logLinesCounted;
    this.#counters.get('carpd_log_lines_dropped_total')?.inc(more);
    this.#logLinesCounted = logLinesDropped;
  }

  #register(name: MetricName, spec: MetricSpec): void {
    const { help, type, buckets } = spec;
    const common = { name, help, labelNames: labelNames(spec), registers: [this.#registry] };
    if (type === 'counter') this.#counters.set(name, new Counter(common));
    else if (type === 'gauge') this.#gauges.set(name, new Gauge(common));
    else {
      const bounds = buckets === undefined ? {} : { buckets: [...buckets] };
      this.#histograms.set(name, new Histogram({ ...common, ...bounds }));
    }
  }

  /** Every series of counters and histograms of this scope, as its labels besides the scope's. */
  #forEachCounted(
    scope: MetricSpec['scope'],
    visit: (name: MetricName, series: LabelValues) => void,
  ): void {
    for (const [name, spec] of specs()) {
      if (spec.scope !== scope || spec.type === 'gauge' || spec.series === 'open') continue;
      for (const series of spec.series) visit(name, series);
    }
  }

  /** The same of those that have to be there before anything has happened. */
  #forEachAtZero(
    scope: MetricSpec['scope'],
    visit: (name: MetricName, series: LabelValues) => void,
  ): void {
    for (const [name, spec] of specs()) {
      if (spec.scope !== scope || spec.type === 'gauge' || spec.series === 'open') continue;
      for (const series of spec.atZero ?? spec.series) visit(name, series);
    }
  }

  #zero(name: MetricName, labels: LabelValues): void {
    this.#counters.get(name)?.inc(labels, 0);
    this.#histograms.get(name)?.zero(labels);
  }

  #remove(name: MetricName, labels: LabelValues): void {
    this.#counters.get(name)?.remove(labels);
    this.#histograms.get(name)?.remove(labels);
  }

  #isWatched(interfaceName: string): boolean {
    return [...this.#instances.values()].some((labels) => labels.interface === interfaceName);
  }

  #isKnown(labels: LabelValues): boolean {
    const { name, interface: interfaceName, vhid } = labels;
    if (interfaceName === undefined) return true;
    if (name === undefined) return this.#isWatched(interfaceName);
    const known = this.#instances.get(name);
    return known?.interface === interfaceName && known.vhid === vhid;
  }
}

function specs(): readonly (readonly [MetricName, MetricSpec])[] {
  return Object.entries(METRICS).flatMap(([name, spec]) => (isMetric(name) ? [[name, spec]] : []));
}
