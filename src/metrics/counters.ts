// What of the events is counted, and by which metric.
import { unreachable } from '../base/assert.ts';
import { HOOK_RESULTS, STATE_LABELS } from './label-values.ts';
import type { Metrics } from './registry.ts';
import type { InstanceLabels } from './sample.ts';
import type { EventBus } from '../events/bus.ts';
import type { EventName, EventOf } from '../events/events.ts';

const COUNTED = [
  'transition',
  'takeover',
  'promotion-held',
  'conflict',
  'advert-sent',
  'advert-received',
  'advert-rejected',
  'announced',
  'vip-restored',
  'vip-unwanted',
  'vip-in-use',
  'vip-contested',
  'hook-finished',
  'link-epoch',
  'link-proved',
  'late-wake',
] as const satisfies readonly EventName[];

type Counted = EventOf<(typeof COUNTED)[number]>;

const MS_PER_SECOND = 1_000;

/** Counts what happens from now on. */
export function feedMetrics(bus: EventBus, metrics: Metrics): void {
  bus.subscribe(COUNTED, (event) => count(event, metrics));
}

/** The labels of an instance, as the configuration or an event names it. */
export function instanceLabels(instance: {
  readonly name: string;
  readonly interface: string;
  readonly vhid: number;
}): InstanceLabels {
  return { name: instance.name, interface: instance.interface, vhid: String(instance.vhid) };
}

function count(event: Counted, metrics: Metrics): void {
  if ('name' in event) return countOfInstance(event, instanceLabels(event), metrics);
  switch (event.event) {
    case 'advert-rejected': {
      const { interface: on, reason } = event;
      return metrics.count('carpd_adverts_rejected_total', { interface: on, reason });
    }
    case 'link-epoch': {
      const { interface: on, cause } = event;
      return metrics.count('carpd_link_epochs_total', { interface: on, cause });
    }
    case 'link-proved': {
      const { interface: on, heldMs } = event;
      return metrics.observe('carpd_link_hold_seconds', { interface: on }, seconds(heldMs));
    }
    case 'late-wake':
      return metrics.count('carpd_late_wakes_total', {});
    default:
      return unreachable(event);
  }
}

function countOfInstance(
  event: Extract<Counted, { readonly name: string }>,
  labels: InstanceLabels,
  metrics: Metrics,
): void {
  switch (event.event) {
    case 'transition': {
      const from = STATE_LABELS[event.from];
      const to = STATE_LABELS[event.to];
      return metrics.count('carpd_transitions_total', { ...labels, from, to, cause: event.cause });
    }
    case 'takeover': {
      const { durationMs } = event;
      return metrics.observe('carpd_takeover_duration_seconds', labels, seconds(durationMs));
    }
    case 'promotion-held':
      return metrics.count('carpd_promotions_held_total', { ...labels, reason: event.reason });
    case 'conflict':
      return metrics.count('carpd_master_conflicts_total', labels);
    case 'advert-sent':
      return metrics.count('carpd_adverts_sent_total', labels);
    case 'advert-received':
      return metrics.count('carpd_adverts_received_total', labels);
    case 'announced':
      return metrics.count('carpd_gratuitous_arps_sent_total', labels);
    case 'vip-restored':
      // Against nobody: it went with its interface.
      if (event.replaced) return;
      return metrics.count('carpd_vip_restored_total', labels);
    case 'vip-unwanted':
      return metrics.count('carpd_vip_unwanted_total', labels);
    case 'vip-in-use':
      return metrics.count('carpd_vip_in_use_total', labels);
    case 'vip-contested': {
      const { form, frames } = event;
      return metrics.count('carpd_vip_claims_total', { ...labels, form }, frames);
    }
    case 'hook-finished':
      return countHook(event, labels, metrics);
    default:
      return unreachable(event);
  }
}

function countHook(
  { hook, result, durationMs }: EventOf<'hook-finished'>,
  labels: InstanceLabels,
  metrics: Metrics,
): void {
  const ended = HOOK_RESULTS.find((known) => known === result);
  // One that was skipped never ran.
  if (ended === undefined) return;
  metrics.count('carpd_hook_runs_total', { ...labels, hook, result: ended });
  metrics.observe('carpd_hook_duration_seconds', { ...labels, hook }, seconds(durationMs));
}

function seconds(milliseconds: number): number {
  return milliseconds / MS_PER_SECOND;
}
