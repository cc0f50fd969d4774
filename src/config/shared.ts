// What the instances of one process may not share: a group on the wire, a virtual IP; nor may one
// send from the virtual IP of another, or ask the addresses of another as if they were those of
// other hosts. Each instance is looked at once, and what the others have is looked up.
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import { reportAsked } from './read-gate.ts';
import type { Draft } from './read-instance.ts';
import type { Report } from './schema.ts';
import { keyText } from './shape.ts';
import { show } from './values.ts';

/** Reports each fault at the later of the two instances, or at the one that asks. */
export function reportShared(drafts: readonly Draft[], fault: Report): void {
  // Another interface is another segment, where the same addresses may mean other hosts.
  const segments = new Map<string, Segment>();
  const parts: { readonly draft: Draft; readonly segment: Segment; readonly faultAt: Report }[] =
    [];
  const virtualIps = new Map<Ipv4, Draft[]>();
  for (const draft of drafts) {
    const ip = draft.address?.ip;
    if (ip === undefined) continue;
    const owners = virtualIps.get(ip);
    if (owners === undefined) virtualIps.set(ip, [draft]);
    else owners.push(draft);
  }
  for (const draft of drafts) {
    const { interfaceName, name } = draft;
    const path = `instances.${keyText(name ?? '')}`;
    const faultAt: Report = (key, text) => fault(`${path}.${key}`, text);
    reportSource(draft, virtualIps, faultAt);
    if (interfaceName === undefined) continue;
    const segment = segments.get(interfaceName) ?? newSegment();
    segments.set(interfaceName, segment);
    noteOwner(segment, draft.source, 'the source', draft);
    noteOwner(segment, draft.address?.ip, 'the virtual IP', draft);
    parts.push({ draft, segment, faultAt });
  }
  for (const { draft, segment, faultAt } of parts) {
    reportGroup(draft, segment, faultAt);
    reportAskedOthers(draft, segment, faultAt);
  }
}

/** A source is of this host on whatever interface it is, and a virtual IP of none. */
function reportSource(
  draft: Draft,
  virtualIps: ReadonlyMap<Ipv4, readonly Draft[]>,
  fault: Report,
): void {
  const { source } = draft;
  if (source === undefined) return;
  const owner = virtualIps.get(source)?.find((other) => other !== draft);
  if (owner === undefined) return;
  const taken = `${formatIpv4(source)} is the virtual IP of ${place(owner)}`;
  fault('source', `${taken}, which moves between the nodes; give an address of this host`);
}

/** What the instances on one interface have. */
interface Segment {
  /** The first that has a group, and a virtual IP, of those that were looked at so far. */
  readonly groups: Map<string, Draft>;
  readonly virtualIps: Map<Ipv4, Draft>;
  /** The first of all that has an address of its own, and what that is to it; in their order. */
  readonly owners: Map<Ipv4, Owner>;
}

interface Owner {
  readonly order: number;
  readonly what: string;
}

function newSegment(): Segment {
  return { groups: new Map(), virtualIps: new Map(), owners: new Map() };
}

function noteOwner(
  { owners }: Segment,
  address: Ipv4 | undefined,
  what: string,
  owner: Draft,
): void {
  if (address === undefined || owners.has(address)) return;
  owners.set(address, { order: owners.size, what: `${what} of ${place(owner)}` });
}

function reportGroup(draft: Draft, { groups, virtualIps }: Segment, fault: Report): void {
  const { interfaceName, vhid, destination, address } = draft;
  if (vhid !== undefined && destination !== undefined) {
    const key = `${vhid} ${destination}`;
    const sameGroup = groups.get(key);
    if (sameGroup === undefined) groups.set(key, draft);
    else {
      const taken = `${String(vhid)} on ${show(interfaceName)} is taken by ${place(sameGroup)}`;
      fault('vhid', `${taken}; give each its own vhid (or multicastGroup)`);
    }
  }
  if (address === undefined) return;
  const sameAddress = virtualIps.get(address.ip);
  if (sameAddress === undefined) virtualIps.set(address.ip, draft);
  else {
    fault(
      'address',
      `${formatIpv4(address.ip)} on ${show(interfaceName)} is the virtual IP of ` +
        `${place(sameAddress)} too; give each its own`,
    );
  }
}

/** Addresses that are the instance's own as well have been reported with it. */
function reportAskedOthers(draft: Draft, { owners }: Segment, fault: Report): void {
  const own = new Set([draft.source, draft.address?.ip]);
  const asked = new Set([...(draft.peers ?? []), ...(draft.gate?.probe.targets ?? [])]);
  const found = [...asked].flatMap((address) => {
    const owner = address === 'gateway' || own.has(address) ? undefined : owners.get(address);
    return address === 'gateway' || owner === undefined ? [] : [{ address, ...owner }];
  });
  for (const { address, what } of found.sort((a, b) => a.order - b.order)) {
    reportAsked(draft, address, what, fault);
  }
}

function place({ name }: Draft): string {
  return `instances.${name ?? ''}`;
}
