// An interface as it should be, for tests of what looks at one.
import type { Link } from '../../src/linux/links/link-watch.ts';
import { mac } from './packets.ts';

/** eth0, an Ethernet device that is up, without an address, but for `changes`. */
export function linkOf(changes: Partial<Link> = {}): Link {
  return {
    ifindex: 3,
    name: 'eth0',
    mac: mac('02:00:00:00:00:01'),
    type: 1,
    administrativelyUp: true,
    running: true,
    lowerUp: true,
    operstate: 'up',
    addresses: [],
    ...changes,
  };
}
