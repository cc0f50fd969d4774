// Where an instance stands: whether it can take part on its interface as it is now, with which
// source address, and if not, why.
import { fromSeconds, plus, type Micros } from '../../base/time.ts';
import type { Ipv4 } from '../../base/addresses.ts';
import type { InstanceConfig } from '../../config/config.ts';
import { CAUSES } from '../../election/effects.ts';
import type { InterfaceFault } from '../../election/inputs.ts';
import { describeHeld, describeHolder } from '../../linux/sockets/group-lock.ts';
import type { Link } from '../../linux/links/link-watch.ts';
import { hasAddress } from '../../addressing/own-addresses.ts';
import {
  findNetworks,
  hasOtherAddress,
  judgeInterface,
  remedyFor,
  type Usability,
  type Needs,
} from '../../addressing/usability.ts';
import { placeOf, type Claimed, type GroupClaim } from '../../groups/group-claim.ts';
import type { InstanceEvents } from '../../events/publish/instance-events.ts';
import type { LinkDriver } from '../interface/link-driver.ts';
import type { ReportSources } from '../../report/report.ts';

export interface InterfaceUsabilityOptions {
  /** As it is in force now: a reload may change it in place. */
  readonly config: () => InstanceConfig;
  /** The virtual IPs of all instances: none of them can be a source. */
  readonly virtualIps: () => ReadonlySet<Ipv4>;
  readonly sharedInterface: {
    /** Whether any interface of this host has the address. */
    readonly isLocal: (address: Ipv4) => boolean;
    /** The other interfaces of this host that have the address. */
    readonly elsewhere: (address: Ipv4) => readonly Link[];
    /** The interface itself; undefined: it is not there. */
    readonly link: () => Link | undefined;
    readonly linkDriver: Pick<LinkDriver, 'hasCarrier'>;
  };
  /** Whether an instance of this daemon has this virtual IP on this interface. */
  readonly isServed: (address: Ipv4, ifindex: number) => boolean;
  /** Whether another process has it as a virtual IP there. */
  readonly isServedElsewhere: (address: Ipv4, ifindex: number) => boolean;
  readonly instanceEvents: InstanceEvents;
  /** Its hold on the group. */
  readonly claim: GroupClaim;
  readonly now: () => Micros;
  /** Calls `update` once more, from the loop. */
  readonly lookAgain: () => void;
}

/** Faults with which ucarp ends: the interface was deleted, or set down by hand. */
export const MEANS_GONE: ReadonlySet<InterfaceFault> = new Set([
  'interface-missing',
  'interface-down',
]);

/** So long after a change of the source our own earlier adverts may still come in by a detour. */
const SOURCE_MEMORY = fromSeconds(3);

/** What has changed for an instance on its interface. */
export interface UsabilityChange {
  readonly now: Usability;
  /** The interface could not be used before, though it was looked at. */
  readonly isBack: boolean;
}

/** Judges for one instance whether its interface can be used, and with which source address. */
export class InterfaceUsability {
  readonly #options: InterfaceUsabilityOptions;
  #current: Usability | undefined;
  #source: Ipv4 | undefined;
  /** Sources of before, each with when it is forgotten. */
  readonly #former = new Map<Ipv4, Micros>();
  /** The interface as it was seen last. */
  #lookedAt: { readonly link: Link | undefined; readonly usable: boolean } | undefined;

  constructor(options: InterfaceUsabilityOptions) {
    this.#options = options;
  }

  /** A master whose source address was removed says with it that it leaves. */
  get source(): Ipv4 | undefined {
    return this.#source;
  }

  /** What our own adverts bear, or bore a moment ago: they are no other master's. */
  get ownSources(): readonly Ipv4[] {
    const now = this.#options.now();
    for (const [address, until] of this.#former) if (until <= now) this.#former.delete(address);
    return [...(this.#source === undefined ? [] : [this.#source]), ...this.#former.keys()];
  }

  /** Takes the group on the interface as it is now; one that can't be had is tried again. */
  claim(link: Link | undefined): Claimed {
    const { claim, lookAgain } = this.#options;
    const claimed = claim.take(link?.ifindex);
    if (claimed.kind === 'held' || claimed.kind === 'failed') claim.retryLater(lookAgain);
    return claimed;
  }

  /**
   * The names of the other interfaces of this host that have the virtual IP, though no instance of
   * this daemon serves it there.
   */
  get elsewhere(): readonly string[] {
    const { config, sharedInterface, isServed } = this.#options;
    const { ip } = config().address;
    const found = sharedInterface.elsewhere(ip).filter(({ ifindex }) => !isServed(ip, ifindex));
    return found.map(({ name }) => name).sort();
  }

  /** What of it a report shows. */
  report(): Pick<ReportSources, 'source' | 'fault' | 'elsewhere' | 'vipPresent'> {
    const { config, sharedInterface } = this.#options;
    const link = sharedInterface.link();
    return {
      source: this.#source,
      fault: this.fault(undefined),
      elsewhere: this.elsewhere,
      vipPresent: link !== undefined && hasAddress(link, config().address.ip),
    };
  }

  /** Why it can't take part, in words; `unseen` is said where nobody has looked yet. */
  fault<Unseen>(unseen: Unseen): string | Unseen | undefined {
    const config = this.#options.config();
    if (this.#current === undefined) return unseen;
    if (this.#current.kind === 'ready') return undefined;
    const remedy = remedyFor(this.#current, config);
    return `${config.interfaceName}: ${CAUSES[this.#current.fault]}. ${remedy}`;
  }

  /**
   * Takes the interface as it is now and returns what has changed; undefined: nothing has. Without
   * sockets (`usable` false) it can neither hear nor speak, and without the group it may not.
   */
  update(link: Link | undefined, usable: boolean): UsabilityChange | undefined {
    const { instanceEvents, virtualIps } = this.#options;
    this.#lookedAt = { link, usable };
    if (link !== undefined) instanceEvents.elsewhere(this.elsewhere);
    const before = this.#current;
    const judged = judgeInterface(link, this.#needs());
    const claimed = this.claim(link);
    const now = judged.kind === 'ready' ? (this.#lacking(claimed, usable) ?? judged) : judged;
    if (JSON.stringify(before) === JSON.stringify(now)) return undefined;
    this.#current = now;
    instanceEvents.usability(now);
    if (now.kind === 'ready') this.#sendFrom(now.source);
    else if (now.fault !== 'no-source-address') this.#sendFrom(undefined);
    if (now.kind === 'ready' && link !== undefined) {
      instanceEvents.reachability(findNetworks(link, virtualIps()));
    }
    return { now, isBack: before?.kind === 'fault' };
  }

  /** What is below the interface has changed, and nothing else; undefined: no difference. */
  carrierChanged(): UsabilityChange | undefined {
    if (this.#lookedAt === undefined) return undefined;
    return this.update(this.#lookedAt.link, this.#lookedAt.usable);
  }

  #sendFrom(source: Ipv4 | undefined): void {
    const before = this.#source;
    this.#source = source;
    if (before === undefined || before === source) return;
    this.#former.set(before, plus(this.#options.now(), SOURCE_MEMORY));
  }

  /**
   * Whether the virtual IP may be taken off if it is there. Another process that serves the group
   * has put it there itself. The only address of the interface may be the host's own, configured by
   * mistake, and without it the host would be cut off.
   */
  mayRemoveStale(link: Link | undefined): boolean {
    if (!this.#options.claim.isHeld) return false;
    return link === undefined || hasOtherAddress(link, this.#needs());
  }

  /** What it lacks on an interface that is as it should be. */
  #lacking(claimed: Claimed, usable: boolean): Usability | undefined {
    const config = this.#options.config();
    if (claimed.kind === 'held') {
      const { holder } = claimed;
      const held = describeHeld(holder, placeOf(config, 0), config.interfaceName);
      const who = `${describeHolder(holder)}, which ${held}`;
      return { kind: 'fault', fault: 'group-held', holder: who };
    }
    if (claimed.kind === 'failed') {
      return { kind: 'fault', fault: 'no-socket', detail: claimed.detail };
    }
    return usable ? undefined : { kind: 'fault', fault: 'no-socket' };
  }

  #needs(): Needs {
    const { virtualIps, sharedInterface, isServedElsewhere } = this.#options;
    const config = this.#options.config();
    const carrierBelow = sharedInterface.linkDriver.hasCarrier(config.name);
    return {
      ...config,
      isLocal: sharedInterface.isLocal,
      virtualIps: virtualIps(),
      carrierBelow,
      isServedElsewhere,
    };
  }
}
