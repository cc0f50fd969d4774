// What an instance can do on the interface as it is now.
import { unreachable } from '../base/assert.ts';
import { shellWord } from '../base/command.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import type { InterfaceFault } from '../election/inputs.ts';
import type { Link } from '../linux/links/link-watch.ts';
import { isForeignOn, ownAddresses, type OwnAddress } from './own-addresses.ts';

/** What of an instance decides whether it can run on an interface. */
export interface Needs {
  /**
   * The configured source, an address of any interface of this host; undefined: the first primary
   * IPv4 address of the interface, else the first secondary one.
   */
  readonly source: Ipv4 | undefined;
  readonly ignoreLinkState: boolean;
  /** Whether all that the interface stands on has carrier, as far as the gate asks for it. */
  readonly carrierBelow: boolean;
  /** Whether any interface of this host has the address. */
  readonly isLocal: (address: Ipv4) => boolean;
  /** Addresses that are never a source, since they move between hosts. */
  readonly virtualIps: ReadonlySet<Ipv4>;
  /** Whether another process has it as a virtual IP there, which is no source either. */
  readonly isServedElsewhere: (address: Ipv4, ifindex: number) => boolean;
}

/** Usable with a source, or why not. */
export type Usability =
  | { readonly kind: 'ready'; readonly source: Ipv4; readonly carrier: boolean }
  | {
      readonly kind: 'fault';
      readonly fault: InterfaceFault;
      /** A virtual IP, the only address there is, and so no source. */
      readonly onlyAddress?: string;
      /** Who serves the group, where another process does. */
      readonly holder?: string;
      /** Why there is no socket, where it is known. */
      readonly detail?: string;
    };

/** ARPHRD_ETHER; bonds, bridges, VLANs and veths are Ethernet too. */
const ETHERNET = 1;
/** RT_SCOPE_HOST: addresses that are valid on this host only. */
const SCOPE_HOST = 254;

/** Judges an interface; undefined is one that does not exist. */
export function judgeInterface(link: Link | undefined, needs: Needs): Usability {
  if (link === undefined) return { kind: 'fault', fault: 'interface-missing' };
  if (link.type !== ETHERNET) return { kind: 'fault', fault: 'not-ethernet' };
  if (!link.administrativelyUp) return { kind: 'fault', fault: 'interface-down' };
  const source = findSource(link, needs);
  if (source === undefined) {
    const onlyAddress = needs.source === undefined ? link.addresses[0]?.address : undefined;
    const found = onlyAddress === undefined ? {} : { onlyAddress };
    return { kind: 'fault', fault: 'no-source-address', ...found };
  }
  return {
    kind: 'ready',
    source,
    carrier: needs.ignoreLinkState || (link.running && link.lowerUp && needs.carrierBelow),
  };
}

/**
 * Whether the host would still be reachable on this interface without its virtual IPs: it has an
 * address of its own there, or the configuration says which one it is going to have.
 */
export function hasOtherAddress(link: Link, needs: Needs): boolean {
  return needs.source !== undefined || findSource(link, needs) !== undefined;
}

/** An IPv4 network that an interface is attached to, by one of its own addresses. */
export interface Network {
  readonly address: Ipv4;
  readonly prefixLength: number;
}

/** The networks of an interface, those that only a virtual IP brings left out. */
export function findNetworks(link: Link, virtualIps: ReadonlySet<Ipv4>): readonly Network[] {
  return ownAddresses(link, virtualIps).map(({ address, prefixLength }) => ({
    address,
    prefixLength,
  }));
}

function findSource(link: Link, needs: Needs): Ipv4 | undefined {
  if (needs.source !== undefined) return needs.isLocal(needs.source) ? needs.source : undefined;
  const own = ownAddresses(link, needs.virtualIps);
  const first = (second: boolean): OwnAddress | undefined =>
    own.find((one) => {
      const isCandidate = one.secondary === second && one.scope < SCOPE_HOST;
      return isCandidate && !isForeign(link, one, needs);
    });
  // A host's own address is a secondary one where a virtual IP of its prefix was there before.
  return (first(false) ?? first(true))?.address;
}

function isForeign(link: Link, { address }: OwnAddress, needs: Needs): boolean {
  return isForeignOn(link, address, needs.isServedElsewhere);
}

/** What an operator can do about a fault of the interface. */
export function remedyFor(
  usability: Extract<Usability, { kind: 'fault' }>,
  config: InstanceConfig,
): string {
  const { interfaceName, source } = config;
  switch (usability.fault) {
    case 'interface-missing':
      return `Create ${interfaceName}, or correct the name that carpd was given`;
    case 'not-ethernet':
      return 'Name an Ethernet, bond, bridge or VLAN device';
    case 'group-held': {
      const { holder = 'Another process' } = usability;
      return `It is ${holder}. Stop that process, or give this instance another vhid and address`;
    }
    case 'no-socket':
      return `${usability.detail ?? 'The log says why'}; carpd tries again every few seconds`;
    case 'interface-down':
      return `Set it up: ip link set ${shellWord(interfaceName)} up`;
    case 'no-source-address': {
      const { onlyAddress } = usability;
      if (onlyAddress !== undefined) {
        return (
          `${onlyAddress}, its only address, is configured as a virtual IP and is left alone. ` +
          `Correct \`address\`, or add an address of this host to ${interfaceName}`
        );
      }
      if (source === undefined) return `Add an IPv4 address to ${interfaceName}, or set \`source\``;
      return (
        `No interface of this host has ${formatIpv4(source)}: it is waited for. Add it, or ` +
        'correct `source` (-s of ucarp)'
      );
    }
    default:
      return unreachable(usability.fault);
  }
}
