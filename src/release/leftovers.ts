// Virtual IPs that an earlier run has left on interfaces where they are served no more: it was
// killed, and the configuration has changed since. Taken off is only what is provably carpd's own.
import { shellWord } from '../base/command.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import type { GroupHolder, GroupPlace } from '../linux/sockets/group-lock.ts';
import type { Link, LinkWatch } from '../linux/links/link-watch.ts';
import type { AddressKeeper } from '../vip/keeper.ts';
import type { Clock, StartTimer } from '../vip/ports.ts';
import { VipReconciler } from '../vip/reconciler.ts';
import type { StaleOutcome } from '../vip/vip-outcome.ts';
import { linkPublisher, type EventSink } from '../events/bus.ts';
import { ownAddresses } from '../addressing/own-addresses.ts';
import type { ServedPlace, ServedStore } from '../state/served-record.ts';

export interface LeftoversOptions {
  /** Undefined: nothing is kept, and nothing is known to be ours. */
  readonly store: ServedStore | undefined;
  readonly links: Pick<LinkWatch, 'byIndex'>;
  readonly events: EventSink;
  readonly startTimer: StartTimer;
  readonly clock: Clock;
  readonly holderOf: (place: GroupPlace) => GroupHolder | undefined;
  /** Whether another program that keeps virtual IPs runs here, as far as it can be seen. */
  readonly hasRival: () => boolean;
  /** Lends the keeper of an interface, which alone may write there. */
  readonly withKeeper: <T>(link: Link, run: (keeper: AddressKeeper) => Promise<T>) => Promise<T>;
}

/** Takes off virtual IPs that an earlier run has left behind. */
export class Leftovers {
  readonly #options: LeftoversOptions;
  /** On record from before, and neither served now nor known to be gone. */
  #left: readonly ServedPlace[] = [];

  constructor(options: LeftoversOptions) {
    this.#options = options;
  }

  /**
   * Takes off what is on record from an earlier run, is not among `served`, and is there as carpd
   * puts it. `virtualIps`: the addresses of all instances, of which none keeps a host reachable.
   */
  async remove(served: readonly ServedPlace[], virtualIps: ReadonlySet<Ipv4>): Promise<void> {
    const { store } = this.#options;
    if (store === undefined) return;
    const isServed = (one: ServedPlace): boolean => served.some((other) => isSame(one, other));
    const before = store.read().filter((one) => !isServed(one));
    const ours = before.filter((one) => this.#isOurs(one));
    const all = new Set([...virtualIps, ...ours.map(({ address }) => address)]);
    const stays = await Promise.all(
      ours.map(async (one) => ((await this.#take(one, all)) ? [] : [one])),
    );
    this.#left = stays.flat();
  }

  /** Puts on record where virtual IPs are served now; what can't be written is not known later. */
  record(served: readonly ServedPlace[]): void {
    const { store } = this.#options;
    if (store === undefined) return;
    const left = this.#left.filter((one) => !served.some((other) => isSame(one, other)));
    try {
      store.write([...served, ...left]);
    } catch {
      // As where the directory is missing: the doctor tells of it.
    }
  }

  /**
   * It is there as carpd adds it, for all of the host and without a label, for ever, and no other
   * daemon may want it: then the earlier run has put it there.
   */
  #isOurs(place: ServedPlace): boolean {
    const { links, holderOf, hasRival } = this.#options;
    const { address, ifindex, vhid, destination, prefixLength, interfaceName } = place;
    const link = links.byIndex(ifindex);
    const there = addressesOf(link, place);
    const asPut = there.every(
      ({ scope, label, peer, special, ...one }) =>
        scope === 0 &&
        one.prefixLength === prefixLength &&
        peer === undefined &&
        special !== true &&
        (label === undefined || label === link?.name || label === interfaceName),
    );
    if (there.length === 0 || !asPut || hasRival()) return false;
    const virtualIp = formatIpv4(address);
    return (
      holderOf({ ifindex, vhid, destination: formatIpv4(destination), virtualIp }) === undefined
    );
  }

  /** Resolves to whether it is off. */
  async #take(place: ServedPlace, virtualIps: ReadonlySet<Ipv4>): Promise<boolean> {
    const { links, events, startTimer, clock, withKeeper } = this.#options;
    const link = links.byIndex(place.ifindex);
    if (link === undefined) return true;
    const publish = (removed: boolean, detail: string | null): boolean => {
      const vip = formatIpv4(place.address);
      const command = `ip addr del ${vip}/${place.prefixLength} dev ${shellWord(link.name)}`;
      const leftover = { event: 'vip-leftover', vip, removed, detail, command } as const;
      linkPublisher(events, link.name)(leftover);
      return removed;
    };
    const own = ownAddresses(link, virtualIps).filter(({ scope }) => scope < SCOPE_HOST);
    if (own.length === 0) {
      return publish(false, 'it has no other address there, and may be the own one of this host');
    }
    const outcome = await withKeeper(link, async (keeper) => {
      const vip = { address: place.address, prefixLength: place.prefixLength };
      const reconciler = new VipReconciler({
        ...{ vip, keeper, startTimer, clock },
        mayAnotherServe: () => true,
        onOutcome: () => undefined,
        onNotice: () => undefined,
      });
      const ended: StaleOutcome = await reconciler.releaseStale();
      reconciler.close();
      return ended;
    });
    if (outcome.kind === 'failed') return publish(false, outcome.fault.detail);
    return outcome.kind === 'removed' ? publish(true, null) : true;
  }
}

/** RT_SCOPE_HOST: addresses that are valid on this host only. */
const SCOPE_HOST = 254;

function isSame(one: ServedPlace, other: ServedPlace): boolean {
  return one.ifindex === other.ifindex && one.address === other.address;
}

function addressesOf(link: Link | undefined, { address }: ServedPlace): Link['addresses'] {
  const text = formatIpv4(address);
  return link?.addresses.filter((one) => one.address === text) ?? [];
}
