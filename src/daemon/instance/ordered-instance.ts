// An instance as orders see it.
import { toMillis, type Micros } from '../../base/time.ts';
import { masterDownInterval } from '../../election/cadence.ts';
import { instancePublisher, type EventSink } from '../../events/bus.ts';
import type { Instance } from './instance.ts';
import type { OrderedInstance } from '../../control/orders.ts';

/** An instance with what its record and its link know and can do. */
export function orderedInstance(
  instance: Instance,
  events: EventSink,
  now: () => Micros,
): OrderedInstance {
  const { name, config, record, linkDriver } = instance;
  return {
    name,
    deadIntervalMs: toMillis(masterDownInterval(config)),
    hookTimeoutMs: config.hooks.timeoutMs,
    // One list may serve all nodes, and so name this one as well.
    peers: config.peers.filter((peer) => peer !== instance.source),
    get ended() {
      return instance.ended;
    },
    snapshot: () => instance.snapshot(),
    vipFault: () => instance.vipFault,
    peersHeard: () => record.peers.all(now()),
    ask: (hosts) => linkDriver.askHosts(hosts),
    onAnswer: (listener) => linkDriver.onAnswer(listener),
    onStep: (listener) => record.onStep(listener),
    publish: instancePublisher(events, config),
    handover: () => instance.handover(),
    maintenanceChanged: () => instance.maintenanceChanged(),
  };
}
