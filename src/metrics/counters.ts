// What of the events is counted, and by which metric, as their records have it.
import type { Metrics } from './registry.ts';
import type { InstanceLabels } from './sample.ts';
import type { EventBus } from '../events/bus.ts';
import {
  definitionOf,
  EVENT_NAMES,
  type DomainEvent,
  type EventName,
  type EventOf,
} from '../events/events.ts';
import type { MetricEffect } from '../events/catalogue/define.ts';
import { isCounted, type CountedName } from './catalogue/metrics.ts';
import type { LabelValues } from './catalogue/label-values.ts';

/** Counts what happens from now on. */
export function feedMetrics(bus: EventBus, metrics: Metrics): void {
  for (const name of EVENT_NAMES) {
    const counts = countsOf(name);
    if (counts.length === 0) continue;
    bus.subscribe([name], (event) => {
      const whose = scopeLabels(event);
      for (const [metric, effectOf] of counts) {
        const effect = effectOf(event);
        if (effect === undefined) continue;
        metrics.add(metric, { ...whose, ...effect.labels }, effect.amount ?? 1);
      }
    });
  }
}

/** The labels of an instance, as the configuration or an event names it. */
export function instanceLabels(instance: {
  readonly name: string;
  readonly interface: string;
  readonly vhid: number;
}): InstanceLabels {
  return { name: instance.name, interface: instance.interface, vhid: String(instance.vhid) };
}

function scopeLabels(event: DomainEvent): LabelValues {
  if ('name' in event) return { ...instanceLabels(event) };
  return 'interface' in event ? { interface: event.interface } : {};
}

type Counts<Name extends EventName> = readonly (readonly [
  CountedName,
  (event: EventOf<Name>) => MetricEffect | undefined,
])[];

/** What is counted of an event of this name. */
function countsOf<Name extends EventName>(name: Name): Counts<Name> {
  const { counts = {} } = definitionOf(name);
  return Object.keys(counts)
    .filter(isCounted)
    .flatMap((metric) => {
      const effectOf = counts[metric];
      return effectOf === undefined ? [] : [[metric, effectOf] as const];
    });
}
