// The IPv4 addresses of one interface, as the reconcilers want to see them.
import { parseIpv4 } from '../carp/addresses.ts';
import type { LinkWatch } from '../linux/link-watch.ts';
import type { ObservedAddress } from '../vip/ports.ts';

/** None where there is no such interface. */
export function addressesOn(links: LinkWatch, interfaceName: string): readonly ObservedAddress[] {
  return (links.find(interfaceName)?.addresses ?? []).flatMap((entry) => {
    const address = parseIpv4(entry.address);
    if (address === undefined) return [];
    return [{ interfaceName, address, prefixLength: entry.prefixLength }];
  });
}
