// From what is wanted and what is there to the `ip` commands that make the one the other. Pure.
import { formatIpv4, samePrefix, type Ipv4 } from '../carp/addresses.ts';
import type { ObservedAddress } from './ports.ts';

/** A virtual IP and where it belongs. */
export interface Vip {
  readonly interfaceName: string;
  readonly address: Ipv4;
  /** 0 to 32. */
  readonly prefixLength: number;
}

/**
 * What an operator should know of a plan. `other-prefix`: the address is there already with another
 * prefix length; it serves its clients all the same, so it is left as it is.
 */
export interface PlanWarning {
  readonly kind: 'other-prefix';
  readonly observed: ObservedAddress;
}

/** Commands in the order in which they are to run, and what there is to say about them. */
export interface Plan {
  readonly commands: readonly (readonly string[])[];
  readonly warnings: readonly PlanWarning[];
}

/**
 * The commands after which `vip` is on its interface, or is off it altogether. Nothing is done
 * where that is so already, and no other interface is touched. Added are the plain address and
 * prefix: beside another address of the same prefix the kernel makes it a secondary and adds no
 * second route; alone in its prefix it brings the route that its clients' answers need.
 */
export function planVip(vip: Vip, present: boolean, observed: readonly ObservedAddress[]): Plan {
  const occurrences = occurrencesOf(vip, observed);
  if (!present) {
    const lengths = new Set(occurrences.map((occurrence) => occurrence.prefixLength));
    return { commands: [...lengths].map((length) => deleteCommand(vip, length)), warnings: [] };
  }
  if (occurrences.length === 0) return { commands: [addCommand(vip)], warnings: [] };
  if (occurrences.some((occurrence) => occurrence.prefixLength === vip.prefixLength)) {
    return { commands: [], warnings: [] };
  }
  return {
    commands: [],
    warnings: occurrences.slice(0, 1).map((found) => ({ kind: 'other-prefix', observed: found })),
  };
}

/** Whether the virtual IP is on its interface, with whatever prefix length. */
export function isPresent(vip: Vip, observed: readonly ObservedAddress[]): boolean {
  return occurrencesOf(vip, observed).length > 0;
}

/**
 * The addresses that went with the virtual IP when it was deleted. Where it was the first address
 * of its prefix (the host's own was added later, or again), the kernel deletes the others of that
 * prefix with it, unless `promote_secondaries` is set for the interface.
 */
export function takenAlong(
  vip: Vip,
  before: readonly ObservedAddress[],
  after: readonly ObservedAddress[],
): readonly ObservedAddress[] {
  const lengths = occurrencesOf(vip, before).map((occurrence) => occurrence.prefixLength);
  return before.filter(
    (address) =>
      address.interfaceName === vip.interfaceName &&
      address.address !== vip.address &&
      lengths.includes(address.prefixLength) &&
      samePrefix(address.address, vip.address, address.prefixLength) &&
      !after.some((left) => sameAddress(left, address)),
  );
}

/** `ip addr add 10.9.0.100/24 dev bond0`. */
export function addCommand(address: ObservedAddress): readonly string[] {
  return ipAddr('add', address);
}

function deleteCommand(vip: Vip, prefixLength: number): readonly string[] {
  return ipAddr('del', { ...vip, prefixLength });
}

function ipAddr(verb: 'add' | 'del', address: ObservedAddress): readonly string[] {
  const text = `${formatIpv4(address.address)}/${String(address.prefixLength)}`;
  return ['ip', 'addr', verb, text, 'dev', address.interfaceName];
}

function occurrencesOf(vip: Vip, observed: readonly ObservedAddress[]): readonly ObservedAddress[] {
  return observed.filter(
    (seen) => seen.interfaceName === vip.interfaceName && seen.address === vip.address,
  );
}

function sameAddress(a: ObservedAddress, b: ObservedAddress): boolean {
  return (
    a.interfaceName === b.interfaceName &&
    a.address === b.address &&
    a.prefixLength === b.prefixLength
  );
}
