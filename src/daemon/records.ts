// What this daemon may hold, on record for whoever comes after it: `carpd release` in this run of
// its unit, and its own next start, whatever has become of the configuration since.
import { messageOf } from '../base/errors.ts';
import type { Config, InstanceConfig } from '../config/config.ts';
import type { LinkWatch } from '../linux/links/link-watch.ts';
import type { EventSink } from '../events/bus.ts';
import type { SharedInterfaces } from './shared-interfaces.ts';
import type { SharedInterface } from './interface/shared-interface.ts';
import type { Ports } from '../ports/ports.ts';
import { Leftovers } from '../release/leftovers.ts';
import type { ServedPlace } from '../state/served-record.ts';

export interface RecordsOptions extends Pick<
  Ports,
  'now' | 'startTimer' | 'groupHolder' | 'hasRivalDaemon' | 'servedStore' | 'releaseStore'
> {
  /** Of which the state directory counts; without one nothing outlives the process. */
  readonly config: Pick<Config, 'state'>;
  readonly links: LinkWatch;
  readonly events: EventSink;
  readonly interfaces: SharedInterfaces<SharedInterface>;
}

/** Where an instance works; undefined, or without an index: its interface is not there. */
type PlaceOf = (config: InstanceConfig) => SharedInterface['place'] | undefined;

/** Keeps the record of what this daemon may hold. */
export class Records {
  readonly #options: RecordsOptions;
  readonly #leftovers: Leftovers;
  /** What is on record by now; before that it is what an earlier run has left. */
  #written: readonly [readonly InstanceConfig[], PlaceOf] | undefined;

  constructor(options: RecordsOptions) {
    const { config, links, events, now, startTimer, interfaces, servedStore } = options;
    const { directory } = config.state;
    this.#options = options;
    this.#leftovers = new Leftovers({
      ...{ links, events, startTimer },
      store: directory === undefined ? undefined : servedStore(directory),
      clock: now,
      holderOf: options.groupHolder,
      hasRival: options.hasRivalDaemon,
      withKeeper: async ({ name, ifindex }, run) => {
        const sharedInterface = interfaces.of(name, links, ifindex);
        return run(sharedInterface.keeper).finally(() => interfaces.leave(sharedInterface));
      },
    });
  }

  /** Takes off what an earlier run has left on interfaces where these do not serve it. */
  cleanUp(instances: readonly InstanceConfig[], placeOf: PlaceOf): Promise<void> {
    const virtualIps = new Set(instances.map(({ address }) => address.ip));
    return this.#leftovers.remove(servedBy(instances, placeOf), virtualIps);
  }

  /** Puts the same on record once more, by the places of now; nothing where nothing was. */
  renew(): void {
    if (this.#written !== undefined) this.write(...this.#written);
  }

  /** Puts these on record, in the place of those before; `placeOf` is asked again by `renew`. */
  write(instances: readonly InstanceConfig[], placeOf: PlaceOf): void {
    this.#written = [instances, placeOf];
    const managed = instances.filter(({ manageAddress }) => manageAddress);
    this.#leftovers.record(servedBy(managed, placeOf));
    const { releaseStore } = this.#options;
    try {
      releaseStore?.write(instances, (one) => placeOf(one)?.name ?? one.interfaceName);
    } catch (error) {
      const detail = `${messageOf(error)}; carpd release will go by the configuration alone`;
      this.#options.events.publish({ event: 'configuration-warning', detail });
    }
  }
}

function servedBy(instances: readonly InstanceConfig[], placeOf: PlaceOf): readonly ServedPlace[] {
  return instances.flatMap((config) => {
    const place = placeOf(config);
    if (place?.ifindex === undefined) return [];
    const { address, vhid, destination } = config;
    const { name: interfaceName, ifindex } = place;
    const { ip, prefixLength } = address;
    return [{ interfaceName, ifindex, address: ip, prefixLength, vhid, destination }];
  });
}
