// What the instances of one process may not share: a group on the wire, a virtual IP; nor may one
// send from the virtual IP of another, or ask the addresses of another as if they were those of
// other hosts.
import { formatIpv4 } from '../carp/addresses.ts';
import { reportAsked } from './read-gate.ts';
import type { Draft } from './read-instance.ts';
import type { Report } from './schema.ts';
import { keyText } from './shape.ts';
import { show } from './values.ts';

/** Reports each fault at the later of the two instances, or at the one that asks. */
export function reportShared(drafts: readonly Draft[], fault: Report): void {
  drafts.forEach((draft, index) => {
    const { interfaceName } = draft;
    const path = `instances.${keyText(draft.name ?? '')}`;
    const faultAt: Report = (key, message) => fault(`${path}.${key}`, message);
    reportSource(draft, drafts.toSpliced(index, 1), faultAt);
    if (interfaceName === undefined) return;
    // Another interface is another segment, where the same addresses may mean other hosts.
    const onInterface = (other: Draft): boolean => other.interfaceName === interfaceName;
    reportGroup(draft, drafts.slice(0, index).filter(onInterface), faultAt);
    reportAskedOthers(draft, drafts.toSpliced(index, 1).filter(onInterface), faultAt);
  });
}

/** A source is of this host on whatever interface it is, and a virtual IP of none. */
function reportSource({ source }: Draft, others: readonly Draft[], fault: Report): void {
  const owner = others.find(({ address }) => address !== undefined && address.ip === source);
  if (owner === undefined || source === undefined) return;
  const taken = `${formatIpv4(source)} is the virtual IP of ${place(owner)}`;
  fault('source', `${taken}, which moves between the nodes; give an address of this host`);
}

function reportGroup(draft: Draft, earlier: readonly Draft[], fault: Report): void {
  const { interfaceName, vhid, group, address } = draft;
  const sameGroup = earlier.find((other) => other.vhid === vhid && other.group === group);
  if (sameGroup !== undefined && vhid !== undefined && group !== undefined) {
    const taken = `${String(vhid)} on ${show(interfaceName)} is taken by ${place(sameGroup)}`;
    fault('vhid', `${taken}; give each its own vhid (or multicastGroup)`);
  }
  const sameAddress = earlier.find((other) => other.address?.ip === address?.ip);
  if (sameAddress !== undefined && address !== undefined) {
    fault(
      'address',
      `${formatIpv4(address.ip)} on ${show(interfaceName)} is the virtual IP of ` +
        `${place(sameAddress)} too; give each its own`,
    );
  }
}

/** Addresses that are the instance's own as well have been reported with it. */
function reportAskedOthers(draft: Draft, others: readonly Draft[], fault: Report): void {
  const reported = new Set([draft.source, draft.address?.ip]);
  for (const other of others) {
    for (const [address, what] of [
      [other.source, 'the source'],
      [other.address?.ip, 'the virtual IP'],
    ] as const) {
      if (reported.has(address)) continue;
      reported.add(address);
      reportAsked(draft, address, `${what} of ${place(other)}`, fault);
    }
  }
}

function place({ name }: Draft): string {
  return `instances.${name ?? ''}`;
}
