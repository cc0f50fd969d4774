// Reads the text that is served, and makes metrics of samples to serve.
import { micros } from '../../src/base/time.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import type { InstanceSample, LinkSample, Sample } from '../../src/metrics/sample.ts';

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** The lines of its samples: name, labels and value. */
  readonly samples: readonly string[];
}

/** The metrics of a text, in order. */
export function families(text: string): readonly Family[] {
  return text
    .split(/^# HELP /m)
    .slice(1)
    .map((block) => {
      const [head = '', typed = '', ...lines] = block.split('\n');
      const [name = '', ...help] = head.split(' ');
      return {
        name,
        help: help.join(' '),
        type: typed.split(' ')[3] ?? '',
        samples: lines.filter((line) => line !== ''),
      };
    });
}

/** The value of a series in a text; undefined: there is no such series. */
export function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

export const DB = { name: 'db', interface: 'eth0', vhid: '7' } as const;

/** An instance as it is before anything has happened to it. */
export function instanceSample(changes: Partial<InstanceSample> = {}): InstanceSample {
  return {
    labels: DB,
    vip: '10.9.0.100',
    source: undefined,
    state: 'INIT',
    inDoubt: false,
    maintenanceSinceMs: undefined,
    lastTransitionAt: undefined,
    lastAdvertAt: undefined,
    peers: [],
    standbys: [],
    gateOpen: false,
    vipPresent: false,
    effectiveAdvskew: 0,
    ...changes,
  };
}

/** A link of which nothing is known. */
export function linkSample(changes: Partial<LinkSample> = {}): LinkSample {
  return {
    interface: 'eth0',
    ready: false,
    conditions: { carrier: false, lacp: false, frames: false },
    evidenceAt: new Map(),
    ports: [],
    ...changes,
  };
}

/** Metrics of a daemon that is always as `sample` says. */
export function metricsOf(sample: () => Partial<Sample> = () => ({})): Metrics {
  return new Metrics({
    wallMs: Date.now,
    version: '1.2.3',
    sample: () => ({
      now: micros(0),
      instances: [],
      links: [],
      logLinesDropped: 0,
      isReloadGood: true,
      ...sample(),
    }),
  });
}
