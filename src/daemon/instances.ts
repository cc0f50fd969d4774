// The instances of a daemon by their names: how one is made on its interface, and how it goes.
import type { Ipv4 } from '../base/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import type { Maintenance } from '../control/maintenance.ts';
import type { EventSink } from '../events/bus.ts';
import type { Link, LinkWatch } from '../linux/links/link-watch.ts';
import type { MetricsService } from '../metrics/service.ts';
import type { Ports } from '../ports/ports.ts';
import type { InstanceReport } from '../report/report.ts';
import { HookSlots } from '../vip/hook-slots.ts';
import type { GroupClaims } from '../groups/group-claims.ts';
import { Instance } from './instance/instance.ts';
import { InstanceRecord } from './instance/instance-record.ts';
import type { Driver } from './interface/driver.ts';
import type { SharedInterface } from './interface/shared-interface.ts';
import type { SharedInterfaces } from './shared-interfaces.ts';

export interface InstancesOptions {
  readonly ports: Ports;
  readonly events: EventSink;
  readonly driver: Driver;
  readonly interfaces: SharedInterfaces<SharedInterface>;
  readonly claims: GroupClaims;
  readonly maintenance: Maintenance;
  readonly metrics: Pick<MetricsService, 'added' | 'removed'>;
  /** An interface has vanished or was set down. */
  readonly onInterfaceGone: () => void;
}

/** All instances that run now. */
export class Instances implements Iterable<Instance> {
  readonly #options: InstancesOptions;
  readonly #all = new Map<string, Instance>();
  readonly #hookSlots = new HookSlots();
  /** The same set until an instance comes or goes. */
  #virtualIps: ReadonlySet<Ipv4> | undefined;
  /** The index of the interface on which an instance goes on in its new form, by its name. */
  #keptPlaces: ReadonlyMap<string, number> = new Map();

  constructor(options: InstancesOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<Instance> {
    return this.#all.values();
  }

  get configs(): readonly InstanceConfig[] {
    return [...this.#all.values()].map(({ config }) => config);
  }

  /** Why instances cannot take part now, in words. */
  get faults(): readonly string[] {
    return [...this.#all.values()].flatMap(({ fault }) => fault ?? []);
  }

  /** Undefined: there is none of this name. */
  get(name: string): Instance | undefined {
    return this.#all.get(name);
  }

  reports(): readonly InstanceReport[] {
    return [...this.#all.values()].map((instance) => instance.report());
  }

  /** Resolves when the instance takes part, or knows why it can't. */
  async add(config: InstanceConfig, links: LinkWatch): Promise<void> {
    const { events, ports, driver, interfaces, claims, maintenance } = this.#options;
    const instance = new Instance({
      ...ports,
      config,
      hookSlots: this.#hookSlots,
      virtualIps: () => this.#virtualIpsNow(),
      isServed: (address, ifindex) => this.#serves(address, ifindex),
      sharedInterface: interfaces.of(
        config.interfaceName,
        links,
        this.place(config, links)?.ifindex,
      ),
      driver,
      events,
      onInterfaceGone: this.#options.onInterfaceGone,
      claim: claims.of(config),
      record: new InstanceRecord(config, maintenance, ports.now()),
    });
    this.#all.set(config.name, instance);
    this.#virtualIps = undefined;
    this.#options.metrics.added(config);
    await instance.start();
  }

  /** The instance of this name goes on with this; resolves when it is in force. */
  async reconfigure(config: InstanceConfig): Promise<void> {
    // It may have hooks now whose runs are counted from 0 on.
    this.#options.metrics.added(config);
    await this.#all.get(config.name)?.reconfigure(config);
  }

  /** Hands over if it is master, and ends; resolves to what undoes what could not be undone. */
  async remove(name: string): Promise<string | undefined> {
    const instance = this.#all.get(name);
    if (instance === undefined) return undefined;
    const leftBehind = await instance.stop();
    this.#forget(instance);
    return leftBehind;
  }

  /**
   * The same of all, for the end of the daemon; resolves to all the commands. What an instance
   * leaves behind in memory is seen to when all have handed over, and its series stay.
   */
  async removeAll(): Promise<readonly string[]> {
    const all = [...this.#all.values()];
    await Promise.all(all.map((instance) => instance.end()));
    return all.flatMap((instance) => {
      const leftBehind = instance.close();
      this.#all.delete(instance.name);
      this.#options.interfaces.leave(instance.sharedInterface);
      return leftBehind ?? [];
    });
  }

  /** As `remove`, for a reload: resolves to the instance where it stays, as it can't go. */
  async retire(name: string): Promise<Instance | undefined> {
    const instance = this.#all.get(name);
    if (instance === undefined) return undefined;
    if (!(await instance.retire())) return instance;
    this.#forget(instance);
    return undefined;
  }

  /** Makes those on this interface anew, on that of the same interface. */
  async move(sharedInterface: SharedInterface, links: LinkWatch): Promise<void> {
    const moving = [...this.#all.values()].filter((one) => one.sharedInterface === sharedInterface);
    await Promise.all(moving.map(({ name }) => this.remove(name)));
    await Promise.all(moving.map(({ config }) => this.add(config, links)));
  }

  /**
   * These are about to be made anew in a changed form. Each goes on where it works, unless it is to
   * work on an interface of another name; what the interface is called by now plays no part.
   */
  keepPlaces(changed: readonly InstanceConfig[]): void {
    const kept = new Map<string, number>();
    for (const { name, interfaceName } of changed) {
      const { config, sharedInterface } = this.#all.get(name) ?? {};
      const ifindex = sharedInterface?.place.ifindex;
      if (config?.interfaceName === interfaceName && ifindex !== undefined) kept.set(name, ifindex);
    }
    this.#keptPlaces = kept;
  }

  /** The interface on which an instance is to begin. */
  place({ name, interfaceName }: InstanceConfig, links: LinkWatch): Link | undefined {
    const kept = this.#keptPlaces.get(name);
    const before = kept === undefined ? undefined : links.byIndex(kept);
    return before ?? links.find(interfaceName);
  }

  #forget({ name, sharedInterface }: Instance): void {
    this.#all.delete(name);
    this.#virtualIps = undefined;
    this.#options.metrics.removed(name);
    this.#options.interfaces.leave(sharedInterface);
  }

  #virtualIpsNow(): ReadonlySet<Ipv4> {
    this.#virtualIps ??= new Set(this.configs.map(({ address }) => address.ip));
    return this.#virtualIps;
  }

  /** Whether one of the instances has this virtual IP on this interface. */
  #serves(address: Ipv4, ifindex: number): boolean {
    return [...this.#all.values()].some(
      ({ config, sharedInterface }) =>
        config.address.ip === address && sharedInterface.place.ifindex === ifindex,
    );
  }
}
