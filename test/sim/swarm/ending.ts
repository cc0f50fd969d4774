// What a daemon that has stopped has left: there must be nothing, and the host as it was before.
import type { RunningDaemon } from '../../support/daemon-scene.ts';
import type { SwarmNode } from './node.ts';
import { ownAddress, type Plan } from './plan.ts';

/** In words, each. */
export function leftAtEnd(
  node: SwarmNode,
  { process }: RunningDaemon,
  { instances, segments }: Plan,
): readonly string[] {
  const { host } = node;
  const counted = (count: number, what: string): readonly string[] => {
    return count === 0 ? [] : [`${count} ${what}`];
  };
  return [
    ...instances.filter((one) => node.holds(one)).map(({ cidr }) => `keeps ${cidr}`),
    ...[...host.names.keys()].map((name) => `keeps the name ${name}`),
    ...counted(host.sockets.size, 'sockets'),
    ...counted(host.watches.size, 'watches of netlink'),
    ...counted(process.pending, 'timers'),
    ...counted(process.children, 'children'),
    ...(process.control === undefined ? [] : ['its control socket']),
    ...(process.metrics === undefined ? [] : ['its metrics']),
    ...Array.from({ length: segments }, (_, segment) => segment).flatMap((segment) => [
      ...(node.hasOwn(segment) ? [] : [`${ownAddress(segment, node.index)} is gone`]),
      ...(node.promotesAsBefore(segment) ? [] : [`promote_secondaries of ${segment} is another`]),
    ]),
  ];
}
