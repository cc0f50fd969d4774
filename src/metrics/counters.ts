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
  const counted = EVENT_NAMES.filter((name) => definitionOf(name).counts !== undefined);
  bus.subscribe(counted, (event) => {
    const whose = scopeLabels(event);
    for (const [metric, { labels, amount = 1 }] of effectsOf(event.event, event)) {
      metrics.add(metric, { ...whose, ...labels }, amount);
    }
  });
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

function effectsOf<Name extends EventName>(
  name: Name,
  event: EventOf<Name>,
): readonly (readonly [CountedName, MetricEffect])[] {
  const { counts = {} } = definitionOf(name);
  return Object.keys(counts)
    .filter(isCounted)
    .flatMap((metric) => {
      const effect = counts[metric]?.(event);
      return effect === undefined ? [] : [[metric, effect] as const];
    });
}
