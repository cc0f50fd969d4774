// The addresses of one interface in the kernel's order, each list made of the one before it.
import { isDeepStrictEqual } from 'node:util';

/** An IPv4 address on an interface. */
export interface LinkAddress {
  readonly address: string;
  readonly prefixLength: number;
  /** It came after another one of its prefix (IFA_F_SECONDARY). */
  readonly secondary: boolean;
  /** RT_SCOPE_*: 0 global, 253 link, 254 host. */
  readonly scope: number;
  readonly label?: string;
  /** The far end of a point-to-point link; absent: there is none. */
  readonly peer?: string;
  /** It ends by itself, or brought no route to its prefix along; absent: neither. */
  readonly special?: true;
}

/** Whether the very same entry is in the list. */
export function isListed(list: readonly LinkAddress[], entry: LinkAddress): boolean {
  return isDeepStrictEqual(keyed(list).get(keyOf(entry)), entry);
}

/**
 * The entries of a list by what tells them apart in the kernel. The keys go over from a list to the
 * one that is made of it, so that thousands of addresses at once are not compared with each other.
 */
const byKey = new WeakMap<readonly LinkAddress[], Map<string, LinkAddress>>();

function keyed(list: readonly LinkAddress[]): Map<string, LinkAddress> {
  const known = byKey.get(list) ?? new Map(list.map((one) => [keyOf(one), one]));
  byKey.set(list, known);
  return known;
}

/** Gives the keys of `before` to `list`. Whoever needs those of `before` again makes them anew. */
function handOn(
  before: readonly LinkAddress[],
  list: LinkAddress[],
  change: (keys: Map<string, LinkAddress>) => void,
): LinkAddress[] {
  const keys = keyed(before);
  byKey.delete(before);
  change(keys);
  byKey.set(list, keys);
  return list;
}

/** A list without this address; it need not be there. */
export function withoutAddress(list: readonly LinkAddress[], entry: LinkAddress): LinkAddress[] {
  const found = keyed(list).get(keyOf(entry));
  if (found === undefined) return [...list];
  const others = list.toSpliced(list.indexOf(found), 1);
  return handOn(list, others, (keys) => keys.delete(keyOf(entry)));
}

/** At the end, where the kernel tells of it in its order. */
export function appendAddress(list: readonly LinkAddress[], entry: LinkAddress): LinkAddress[] {
  const others = keyed(list).has(keyOf(entry)) ? withoutAddress(list, entry) : list;
  return handOn(others, [...others, entry], (keys) => keys.set(keyOf(entry), entry));
}

/** One address may be there several times, with as many far ends. */
function keyOf({ address, prefixLength, peer = '' }: LinkAddress): string {
  return `${address}/${prefixLength} ${peer}`;
}

/**
 * The list with `entry` where the kernel puts it (devinet.c, __inet_insert_ifa): a secondary
 * address at the end, a primary one behind the last primary one whose scope is as narrow or
 * narrower. One that is there stays in its place, unless it has become primary.
 */
export function insertAddress(list: readonly LinkAddress[], entry: LinkAddress): LinkAddress[] {
  const before = keyed(list).get(keyOf(entry));
  const at = before === undefined ? -1 : list.indexOf(before);
  if (at >= 0 && before?.secondary === entry.secondary) {
    return handOn(list, list.with(at, entry), (keys) => keys.set(keyOf(entry), entry));
  }
  const others = before === undefined ? list : withoutAddress(list, entry);
  if (entry.secondary) return appendAddress(others, entry);
  const last = others.findLastIndex((other) => !other.secondary && entry.scope <= other.scope);
  const all = others.toSpliced(last + 1, 0, entry);
  return handOn(others, all, (keys) => keys.set(keyOf(entry), entry));
}
