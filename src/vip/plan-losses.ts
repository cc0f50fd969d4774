// What the kernel deleted along with a virtual IP, told by its own events, and how to make that
// anew. Pure.
import { formatIpv4, samePrefix, type Ipv4 } from '../base/addresses.ts';
import type { AddressCommand, Vip } from './plan.ts';
import type { AddressNotice, AddressRecord } from './ports.ts';

/** An address that went because `culprit` was deleted. */
export interface Loss {
  readonly culprit: Ipv4;
  readonly lost: AddressRecord;
}

const SCOPE_GLOBAL = 0;

/**
 * The addresses that one request removed together with one of `deleted`. The kernel tells of them
 * with the mark of the request that named the other one (devinet.c, __inet_del_ifa), so that what
 * somebody else removes in the same moment is not among them; nor is what somebody has made anew
 * since.
 */
export function lossesOf(
  notices: readonly AddressNotice[],
  deleted: ReadonlySet<Ipv4>,
): readonly Loss[] {
  const culprits = new Map<string, Ipv4>();
  const gone = new Map<string, { readonly request: string; readonly lost: AddressRecord }>();
  for (const notice of notices) {
    if (notice.kind === 'gap') continue;
    const { request, address: lost } = notice;
    const key = keyOf(lost);
    if (notice.kind === 'added') gone.delete(key);
    else if (deleted.has(lost.address)) culprits.set(request, lost.address);
    else gone.set(key, { request, lost });
  }
  return [...gone.values()].flatMap(({ request, lost }) => {
    const culprit = culprits.get(request);
    return culprit === undefined ? [] : [{ culprit, lost }];
  });
}

/**
 * The same by two pictures of the interface, for when some of the kernel's events were lost: what
 * went that hung on one of `deleted`. What somebody else took off in that moment is among it.
 */
export function lossesBetween(
  before: readonly AddressRecord[],
  after: readonly Vip[],
  deleted: readonly Vip[],
): readonly Loss[] {
  const left = new Set(after.map(keyOf));
  const ours = new Set(deleted.map(({ address }) => address));
  return before.flatMap((lost) => {
    if (ours.has(lost.address) || left.has(keyOf(lost))) return [];
    const { address, prefixLength } = lost;
    const head = deleted.find(
      (one) => one.prefixLength === prefixLength && samePrefix(one.address, address, prefixLength),
    );
    return head === undefined ? [] : [{ culprit: head.address, lost }];
  });
}

/**
 * The command that makes an address anew as it was, with what is left of its lifetime.
 * `nameBefore`: what the interface was called when the address was there.
 */
export function restoreCommand(
  record: AddressRecord,
  interfaceName: string,
  nameBefore = interfaceName,
): AddressCommand {
  const { address, prefixLength } = record;
  const label = labelNow(record, interfaceName, nameBefore);
  return { verb: 'add', address, prefixLength, extra: attributeWords(record, label) };
}

/** A label is the name of the interface and more; the bare name is what an address gets anyway. */
function labelNow(
  { label }: AddressRecord,
  interfaceName: string,
  nameBefore: string,
): string | undefined {
  if (label?.startsWith(`${nameBefore}:`) !== true) return undefined;
  return `${interfaceName}${label.slice(nameBefore.length)}`;
}

function keyOf({ address, prefixLength }: Vip): string {
  return `${address}/${prefixLength}`;
}

function attributeWords(record: AddressRecord, label: string | undefined): readonly string[] {
  const { peer, address, broadcast, scope, metric, noPrefixRoute, validS, preferredS } = record;
  return [
    ...(peer === address ? [] : ['peer', `${formatIpv4(peer)}/${record.prefixLength}`]),
    ...(broadcast === undefined ? [] : ['broadcast', formatIpv4(broadcast)]),
    ...(label === undefined ? [] : ['label', label]),
    ...(scope === SCOPE_GLOBAL ? [] : ['scope', String(scope)]),
    ...(metric === undefined ? [] : ['metric', String(metric)]),
    ...(noPrefixRoute ? ['noprefixroute'] : []),
    // An address whose time is over all but some milliseconds is not made eternal.
    ...(validS === undefined ? [] : ['valid_lft', String(Math.max(validS, 1))]),
    ...(preferredS === undefined ? [] : ['preferred_lft', String(preferredS)]),
  ];
}
