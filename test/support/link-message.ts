// What the kernel says of an interface by netlink, as little as it can.
import type { LinkMessage } from '../../src/linux/links/netlink.ts';

/** IFF_UP, IFF_BROADCAST, IFF_RUNNING and IFF_LOWER_UP. */
const UP = 0x10043;
const ARPHRD_ETHER = 1;
const IF_OPER_UP = 6;

/** An Ethernet interface that is up, in nothing and on nothing, but for `changes`. */
export function linkMessage(changes: Partial<LinkMessage> = {}): LinkMessage {
  return {
    ...{ ifindex: 2, type: ARPHRD_ETHER, flags: UP, name: 'eth0', altNames: [], mac: undefined },
    ...{ master: undefined, link: undefined, linkElsewhere: false, operstate: IF_OPER_UP },
    ...{ carrier: true, carrierDownCount: undefined, kind: undefined, data: undefined },
    ...{ slaveKind: undefined, slaveData: undefined, portState: undefined, tagProtocol: undefined },
    ...changes,
  };
}
