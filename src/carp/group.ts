// What tells CARP groups on a segment apart: the virtual host id, read once and branded, and the
// destination of the adverts.
import { ipv4 } from '../base/addresses.ts';

declare const vhidBrand: unique symbol;

/** A virtual host id, 1 to 255: with the destination, what tells CARP groups on a segment apart. */
export type Vhid = number & { readonly [vhidBrand]: true };

/** Where CARP and VRRP advertisements go: 224.0.0.18 (IANA; ucarp's default of --mcast). */
export const CARP_MULTICAST = ipv4(0xe0000012);

/** Brands 1 to 255; undefined for every other number. */
export function parseVhid(value: number): Vhid | undefined {
  return Number.isInteger(value) && value >= 1 && value <= 255 ? (value as Vhid) : undefined;
}
