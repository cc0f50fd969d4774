// From what is wanted and what is there to the `ip addr` commands that make the one the other, for
// all virtual IPs of an interface at once. Pure.
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import type { ObservedAddress } from './ports.ts';

/** A virtual IP. */
export interface Vip {
  readonly address: Ipv4;
  /** 0 to 32. */
  readonly prefixLength: number;
}

/** One virtual IP and what it is to be. */
export interface VipGoal {
  readonly vip: Vip;
  readonly present: boolean;
  /**
   * An earlier command may have done what is not seen yet: the command is planned though it may be
   * superfluous, which does no harm.
   */
  readonly uncertain: boolean;
}

type AddressSeen = Vip & Pick<ObservedAddress, 'peer'>;

/** A change of one address; `extra` are further words of `ip addr`. */
export interface AddressCommand {
  readonly verb: 'add' | 'del';
  readonly address: Ipv4;
  readonly prefixLength: number;
  readonly extra?: readonly string[];
}

/** A command, and the goal (by its place in the list) that it is for. */
export interface Step {
  readonly goal: number;
  readonly command: AddressCommand;
}

export interface BatchPlan {
  /** In the order in which they are to be carried out. */
  readonly steps: readonly Step[];
  /**
   * Virtual IPs that are there already, with another prefix length. They serve their clients all
   * the same, so they are left as they are.
   */
  readonly otherPrefix: readonly { readonly goal: number; readonly prefixLength: number }[];
  /**
   * Addresses that stay, and that the kernel deletes together with one that is deleted, the first
   * of their prefix, unless `promote_secondaries` is set for the interface.
   */
  readonly endangered: readonly ObservedAddress[];
}

/**
 * The commands after which every goal is reached. Nothing is done where that is so already. Added
 * are the plain address and prefix: beside another address of the same prefix the kernel makes it a
 * secondary and adds no second route; alone in its prefix it brings the route that its clients'
 * answers need. Deleted are secondaries first, so that as little as possible hangs on what goes
 * after them, and everything is deleted before anything is added.
 */
export function planBatch(
  goals: readonly VipGoal[],
  observed: readonly ObservedAddress[],
): BatchPlan {
  const there = byAddress(observed);
  const late: Step[] = [];
  const early: Step[] = [];
  const additions: Step[] = [];
  const gone = new Set<ObservedAddress>();
  const otherPrefix: { goal: number; prefixLength: number }[] = [];
  goals.forEach(({ vip, present, uncertain }, goal) => {
    const found = there.get(vip.address) ?? [];
    const exact = found.some(({ prefixLength }) => prefixLength === vip.prefixLength);
    if (!present) {
      for (const seen of found) {
        gone.add(seen);
        (seen.secondary ? early : late).push({ goal, command: deletion(seen) });
      }
      if (uncertain && !exact) late.push({ goal, command: { verb: 'del', ...vip } });
      return;
    }
    const [other] = found;
    if (other === undefined || uncertain) {
      additions.push({ goal, command: { verb: 'add', ...vip } });
    } else if (!exact) otherPrefix.push({ goal, prefixLength: other.prefixLength });
  });
  return {
    steps: [...early, ...late, ...additions],
    otherPrefix,
    endangered: endangered(gone, observed),
  };
}

/** Whether the virtual IP is there, with whatever prefix length. */
export function isPresent({ address }: Vip, observed: readonly ObservedAddress[]): boolean {
  return observed.some((seen) => seen.address === address);
}

/** The line for `ip -batch`, and after "ip" the words of a command line. */
export function commandLine(command: AddressCommand, device: string): string {
  const { verb, address, prefixLength, extra = [] } = command;
  const words = ['addr', verb, `${formatIpv4(address)}/${prefixLength}`, 'dev', device, ...extra];
  return words.join(' ');
}

/**
 * The name of an interface as `ip -batch` takes it: the parser of a batch gives a meaning to quotes
 * and to `#`, and a name need not be text at all, so that an interface with such a name goes by its
 * number. Where that is not known there is the name alone.
 */
export function deviceWord({ name, ifindex }: DeviceName): string {
  return ifindex !== undefined && !BATCH_WORD.test(name) ? `if${ifindex}` : name;
}

/**
 * The command that takes off an address that is there. The kernel knows one with a far end by that
 * alone (devinet.c, inet_rtm_deladdr).
 */
export function deletion(seen: AddressSeen): AddressCommand {
  const { address, prefixLength, peer = address } = seen;
  const plain = { verb: 'del', address, prefixLength } as const;
  if (peer === address) return plain;
  return { ...plain, extra: ['peer', `${formatIpv4(peer)}/${prefixLength}`] };
}

/** An interface by its name, and by its number where that is known. */
export interface DeviceName {
  readonly name: string;
  readonly ifindex: number | undefined;
}

const BATCH_WORD = /^(?:(?!["'#\\])[\x21-\x7e])+$/;

/** The secondaries of a primary address, which stay when it goes (devinet.c, __inet_del_ifa). */
function endangered(
  gone: ReadonlySet<ObservedAddress>,
  observed: readonly ObservedAddress[],
): readonly ObservedAddress[] {
  const headless = new Set<string>();
  for (const seen of gone) if (!seen.secondary) headless.add(networkKey(seen));
  if (headless.size === 0) return [];
  return observed.filter(
    (seen) => seen.secondary && headless.has(networkKey(seen)) && !gone.has(seen),
  );
}

function byAddress(
  observed: readonly ObservedAddress[],
): ReadonlyMap<Ipv4, readonly ObservedAddress[]> {
  const index = new Map<Ipv4, ObservedAddress[]>();
  for (const seen of observed) {
    const found = index.get(seen.address);
    if (found === undefined) index.set(seen.address, [seen]);
    else found.push(seen);
  }
  return index;
}

function networkKey({ address, prefixLength, peer = address }: ObservedAddress): string {
  return `${Math.floor(peer / 2 ** (32 - prefixLength))}/${prefixLength}`;
}
