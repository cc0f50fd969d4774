// Joins everything: links, interfaces, instances and the loop, from start to stop.
import { messageOf } from '../base/errors.ts';
import { toMillis, type Micros } from '../base/time.ts';
import type { Config, ControlConfig, InstanceConfig, LogConfig } from '../config/config.ts';
import { planReload, type ReloadPlan } from '../config/reload-plan.ts';
import { BoundLinks } from '../linux/links/bound-links.ts';
import type { LinkChange, LinkWatch } from '../linux/links/link-watch.ts';
import type { Holding } from '../release/holding.ts';
import { Driver } from './interface/driver.ts';
import type { EventBus } from '../events/bus.ts';
import type { Controlled } from '../control/routes.ts';
import { Watchers } from '../control/watchers.ts';
import { Instances } from './instances.ts';
import { GroupClaims } from '../groups/group-claims.ts';
import { SharedInterfaces } from './shared-interfaces.ts';
import { SharedInterface } from './interface/shared-interface.ts';
import type { Opened } from '../serving/keep-opening.ts';
import { Liveness } from './health.ts';
import { LastReload } from '../report/last-reload.ts';
import { Maintenance } from '../control/maintenance.ts';
import { sampleAll } from '../metrics/collect.ts';
import { MetricsService } from '../metrics/service.ts';
import type { Ports } from '../ports/ports.ts';
import { Records } from './records.ts';
import { orderedInstance } from './instance/ordered-instance.ts';
import { Orders, type OrderedInstance } from '../control/orders.ts';
import { announceReload, reloadInstances } from './reload.ts';
import type { InstanceReport } from '../report/report.ts';
import { stateEvent } from '../report/state-event.ts';

export interface DaemonOptions {
  readonly config: Config;
  /** All that is outside. */
  readonly ports: Ports;
  readonly events: EventBus;
  /** Of carpd. */
  readonly version: string;
  /** Since the start. */
  readonly logLinesDropped: () => number;
  /** An interface has vanished or was set down; `ucarp` ends then. */
  readonly onInterfaceGone: () => void;
  /** A reload has brought other settings of the log. */
  readonly onLogChanged?: (log: LogConfig) => void;
  /** Of the file that it was made from; absolute. */
  readonly configPath?: string;
  /** Reads the file again and applies it, unless it is but to say what that would do. */
  readonly reload?: Controlled['reload'];
}

/** The daemon: made, started once, and stopped once, which may come at any time. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #driver: Driver;
  #links: LinkWatch | undefined;
  #control: Opened | undefined;
  readonly #watchers: Watchers;
  readonly #interfaces = new SharedInterfaces((...place) => this.#createInterface(...place));
  readonly #instances: Instances;
  readonly #metrics: MetricsService;
  readonly #maintenance: Maintenance;
  readonly #orders: Orders;
  readonly #claims: GroupClaims;
  #records: Records | undefined;
  readonly #lastReload: LastReload;
  /** In force now, as far as it is not of the instances. */
  #config: Config;
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<readonly string[]> | undefined;
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(options: DaemonOptions) {
    this.#options = options;
    const { config, events, ports } = options;
    const { now } = ports;
    this.#config = config;
    this.#lastReload = new LastReload(now);
    this.#watchers = new Watchers({
      ...ports,
      bus: events,
      states: () => this.reports().map(stateEvent),
    });
    const { directory } = config.state;
    this.#claims = new GroupClaims(ports);
    this.#maintenance = new Maintenance(
      directory === undefined ? undefined : ports.maintenanceStore(directory),
      ports.wallMs,
    );
    const instances = (): readonly OrderedInstance[] =>
      [...this.#instances].map((instance) => orderedInstance(instance, events, now));
    const settled = (): Promise<void> => new Promise((resolve) => this.#driver.post(resolve));
    this.#orders = new Orders({ ...ports, maintenance: this.#maintenance, settled, instances });
    this.#driver = new Driver({
      ...ports,
      drain: () => this.#drain(),
      onLateWake: (lateBy) => this.#lateWake(lateBy),
      onWake: (lateBy) => this.#metrics.loopLag(lateBy),
      onOverflow: (dropped) => events.publish({ event: 'queue-overflow', dropped }),
    });
    this.#metrics = this.#createMetrics();
    this.#instances = new Instances({
      ...{ ports, events, driver: this.#driver, interfaces: this.#interfaces },
      ...{ claims: this.#claims, maintenance: this.#maintenance, metrics: this.#metrics },
      onInterfaceGone: options.onInterfaceGone,
    });
  }

  /**
   * Opens everything the configuration names; resolves when all instances take part. Rejects with a
   * CarpdError, having ended what was begun.
   */
  start(): Promise<void> {
    this.#starting = this.#start();
    this.#reloading = this.#starting.catch(() => undefined);
    return this.#starting;
  }

  /**
   * Every instance hands over if it is master; resolves when all is released, to the commands that
   * remove what could not be.
   */
  stop(): Promise<readonly string[]> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Every master steps down now. */
  handover(): void {
    for (const instance of this.#instances) instance.handover();
  }

  /** What an interface is known by: its index, or the name where there is none of that name. */
  readonly interfaceKey = (name: string): number | string =>
    this.#links?.find(name)?.ifindex ?? name;

  logState(): void {
    for (const instance of this.#instances) instance.logState();
  }

  /**
   * Applies a new configuration, one at a time: instances that did not change are left alone.
   * Resolves to what could not be done of it, a sentence each.
   */
  reload(config: Config): Promise<readonly string[]> {
    const reloaded = this.#reloading.then(() => this.#reload(config));
    this.#reloading = reloaded.catch(() => undefined);
    return reloaded;
  }

  /** A new configuration is refused for these reasons: says so now, and to whoever asks. */
  refuse(faults: readonly string[]): void {
    this.#lastReload.refused(faults);
    for (const fault of faults) {
      const detail = `${fault}; the old configuration stays in force`;
      this.#options.events.publish({ event: 'configuration-rejected', detail });
    }
  }

  /** What a reload of this configuration would do now. */
  plan(config: Config): ReloadPlan {
    const before = { ...this.#config, instances: this.#instances.configs };
    return planReload(before, config, (name) => this.#instances.get(name)?.isMaster === true);
  }

  /** Why an instance cannot take part now, in words; undefined if all can. */
  firstFault(): string | undefined {
    return this.#instances.faults[0];
  }

  /** Everything that is known of an instance; undefined: there is none of this name. */
  report(name: string): InstanceReport | undefined {
    return this.#instances.get(name)?.report();
  }

  /** The same of every instance. */
  reports(): readonly InstanceReport[] {
    return this.#instances.reports();
  }

  /** Proves that the loop turns and does its work; see Driver. */
  turn(): Promise<Micros> {
    return this.#driver.turn();
  }

  /** Ends the hooks and says what has to be undone at once where carpd itself fails. */
  abandon(): readonly Holding[] {
    return [...this.#instances].map((instance) => instance.abandon());
  }

  /** For the same case: to start `ip` takes descriptors, of which none may be left. */
  closeSockets(): void {
    for (const sharedInterface of this.#interfaces) sharedInterface.close();
    this.#links?.close();
  }

  async #start(): Promise<void> {
    const { config, events, ports } = this.#options;
    const { fault } = this.#maintenance;
    if (fault !== undefined) events.publish({ event: 'maintenance-unreadable', detail: fault });
    this.#links = await ports.openLinkWatch({
      onChange: (change) => this.#driver.post(() => this.#linkChanged(change)),
      onAddress: (event) => {
        for (const sharedInterface of this.#interfaces) sharedInterface.addressChanged(event);
      },
      onError: (error) => events.publish({ event: 'links-unreadable', detail: messageOf(error) }),
    });
    const links = this.#links;
    const isInVain = (): boolean => this.#stopping !== undefined;
    // Who is to end already waits for nobody, and touches nothing.
    if (!(await this.#claims.takeAll(config.instances, links, isInVain))) return;
    await this.#metrics.listen(config.metrics.listen);
    this.#control = this.#openControl(config.control);
    this.#records = new Records({ ...ports, config, events, links, interfaces: this.#interfaces });
    await this.#records.cleanUp(config.instances, (one) => this.#instances.place(one, links));
    this.#record(config.instances);
    const added = await Promise.allSettled(
      config.instances.map((one) => this.#instances.add(one, links)),
    );
    const failed = added.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    await this.#instances.removeAll();
    this.#control?.close();
    this.#metrics.close();
    throw failed.reason;
  }

  #openControl({ socket, unixGroup }: ControlConfig): Opened | undefined {
    if (socket === undefined) return undefined;
    const { events, ports, configPath } = this.#options;
    return ports.openControl({
      path: socket,
      unixGroup,
      events,
      status: () => {
        const reload = this.#lastReload.report();
        const config = configPath ?? null;
        return { pid: ports.pid, config, reload, instances: this.reports() };
      },
      explain: (name) => this.report(name),
      watchers: this.#watchers,
      names: () => this.#instances.configs.map(({ name }) => name),
      reload: this.#options.reload ?? noFile,
      order: (order, names) => this.#orders.give(order, names),
    });
  }

  #createMetrics(): MetricsService {
    const { version, events, ports, logLinesDropped } = this.#options;
    const { now, wallMs, openMetrics } = ports;
    return new MetricsService({
      ...{ version, events, now, wallMs, openMetrics },
      sample: () => ({
        ...sampleAll(this.#instances, this.#interfaces, now()),
        logLinesDropped: logLinesDropped(),
        isReloadGood: this.#lastReload.isGood,
      }),
      health: new Liveness({
        ...{ driver: this.#driver, events, startTimer: ports.startTimer },
        faults: () => this.#instances.faults,
      }),
    });
  }

  async #reload(config: Config): Promise<readonly string[]> {
    const { events, ports, onLogChanged } = this.#options;
    const links = this.#links;
    if (this.#stopping !== undefined || links === undefined) return ['carpd is stopping'];
    announceReload(this.plan(config), events);
    // What counts from the next start on is told of until then.
    const { control, state } = this.#config;
    this.#config = { ...config, state };
    onLogChanged?.(config.log);
    const isSame = isSameControl(control, config.control);
    const opened = [isSame ? undefined : this.#reopenControl(config.control)];
    opened.push(await this.#metrics.listen(config.metrics.listen));
    const unopened = await failuresOf(opened);
    const failed = await reloadInstances(config.instances, {
      ...{ instances: this.#instances, claims: this.#claims, links, events },
      nextTurn: ports.nextTurn,
      record: (configs) => this.#record(configs),
    });
    const undone = [...unopened, ...failed];
    this.#lastReload.applied(undone);
    return undone;
  }

  #reopenControl(config: ControlConfig): Opened | undefined {
    // Who has ordered this reload by it waits for the answer.
    this.#control?.retire();
    this.#control = this.#openControl(config);
    return this.#control;
  }

  /** For whoever has to clean up if this process is killed. */
  #record(configs: readonly InstanceConfig[]): void {
    const links = this.#links;
    if (links === undefined) return;
    this.#records?.write(configs, (one) => {
      const running = this.#instances.get(one.name);
      return running?.sharedInterface.place ?? this.#instances.place(one, links);
    });
  }

  #createInterface(name: string, links: LinkWatch, ifindex: number | undefined): SharedInterface {
    const { events, ports } = this.#options;
    return new SharedInterface({
      ...ports,
      interfaceName: name,
      driver: this.#driver,
      links: new BoundLinks(links, ifindex === undefined ? [] : [[name, ifindex]]),
      events,
      onPlaced: () => this.#records?.renew(),
    });
  }

  async #stop(): Promise<readonly string[]> {
    for (const instance of this.#instances) instance.insist();
    // What is under way has to end first, and an `ip` that hangs would hold it up.
    for (const sharedInterface of this.#interfaces) sharedInterface.keeper.hurry();
    await this.#reloading;
    const leftBehind = await this.#instances.removeAll();
    if (leftBehind.length === 0) this.#record([]);
    this.#control?.close();
    this.#metrics.close();
    this.#links?.close();
    this.#driver.close();
    return leftBehind;
  }

  /** Twice: the kernel may have been in the middle of handing over the last packet. */
  async #drain(): Promise<void> {
    const { ports } = this.#options;
    for (const isLast of [false, true]) {
      this.#links?.drain();
      for (const sharedInterface of this.#interfaces) sharedInterface.drain();
      if (!isLast) await new Promise<void>((resolve) => void ports.nextTurn(resolve));
    }
  }

  #linkChanged(change: LinkChange): void {
    for (const sharedInterface of this.#interfaces.linkChanged(change)) {
      this.#reloading = this.#reloading
        .then(() => this.#move(sharedInterface))
        .catch(() => undefined);
    }
  }

  async #move(sharedInterface: SharedInterface): Promise<void> {
    const links = this.#links;
    if (links === undefined || this.#stopping !== undefined) return;
    await this.#instances.move(sharedInterface, links);
  }

  #lateWake(lateBy: Micros): void {
    this.#options.events.publish({ event: 'late-wake', lateMs: Math.round(toMillis(lateBy)) });
  }
}

function noFile(): ReturnType<Controlled['reload']> {
  return Promise.resolve({ outcome: 'refused', faults: ['there is no file'] });
}

/** Why these could not be opened so far, a sentence each. */
async function failuresOf(tried: readonly (Opened | undefined)[]): Promise<readonly string[]> {
  const opened = tried.flatMap((one) => one ?? []);
  const failures = await Promise.all(opened.map(({ firstFailure }) => firstFailure));
  return failures.flatMap((failure) =>
    failure === undefined ? [] : `${failure}; carpd tries again every 10 s`,
  );
}

function isSameControl(one: ControlConfig, other: ControlConfig): boolean {
  return one.socket === other.socket && one.unixGroup === other.unixGroup;
}
