// Joins everything: links, interfaces, instances and the loop, from start to stop.
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../base/errors.ts';
import { toMillis, type Micros } from '../base/time.ts';
import type { Ipv4 } from '../carp/addresses.ts';
import type { Config, InstanceConfig } from '../config/config.ts';
import { runCommand } from '../linux/command.ts';
import { openLinkWatch, type LinkWatch } from '../linux/link-watch.ts';
import type { StartTimer } from '../vip/ports.ts';
import { Driver } from './driver.ts';
import { Instance } from './instance.ts';
import { InterfaceHub } from './interface-hub.ts';
import type { Logger } from './log.ts';
import { diffInstances } from './reload.ts';

export interface DaemonOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly now: () => Micros;
  /** For `ip` and the hooks; no secret is in it. */
  readonly env: Readonly<Record<string, string>>;
  /** An interface has vanished or was set down; `ucarp` ends then. */
  readonly onInterfaceGone: () => void;
}

/** The running daemon. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #driver: Driver;
  readonly #links: LinkWatch;
  readonly #hubs = new Map<string, InterfaceHub>();
  readonly #instances = new Map<string, Instance>();
  #stopping: Promise<void> | undefined;
  #reloading: Promise<void> = Promise.resolve();

  private constructor(options: DaemonOptions, links: LinkWatch, post: Deferred) {
    this.#options = options;
    this.#links = links;
    this.#driver = new Driver({
      now: options.now,
      drain: () => this.#drain(),
      onLateWake: (lateBy) => this.#lateWake(lateBy),
      onOverflow: () => this.#overflow(),
    });
    post.run = (work) => this.#driver.post(work);
    post.changed = (name) => void this.#hubs.get(name)?.refresh();
  }

  /** Opens everything the configuration names; resolves when all instances take part. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const later: Deferred = { run: undefined, changed: undefined };
    const links = await openLinkWatch({
      onChange: ({ name }) => later.run?.(() => later.changed?.(name)),
      onError: (error) => options.log.error('socket-failed', messageOf(error)),
    });
    const daemon = new Daemon(options, links, later);
    await Promise.all(options.config.instances.map((config) => daemon.#add(config)));
    return daemon;
  }

  /** Every instance hands over if it is master; resolves when all is released. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Every master steps down now. */
  handover(): void {
    for (const instance of this.#instances.values()) instance.handover();
  }

  logState(): void {
    for (const instance of this.#instances.values()) instance.logState();
  }

  /** Applies a new configuration, one at a time: instances that did not change are left alone. */
  reload(config: Config): Promise<void> {
    const reloaded = this.#reloading.then(() => this.#reload(config));
    this.#reloading = reloaded.catch(() => undefined);
    return reloaded;
  }

  /** Why an instance cannot take part now, in words; undefined if all can. */
  firstFault(): string | undefined {
    for (const instance of this.#instances.values()) {
      if (instance.fault !== undefined) return instance.fault;
    }
    return undefined;
  }

  /** What has to be undone at once where carpd itself fails: see emergency.ts. */
  masters(): readonly InstanceConfig[] {
    return [...this.#instances.values()].filter((one) => one.isMaster).map((one) => one.config);
  }

  async #reload(config: Config): Promise<void> {
    if (this.#stopping !== undefined) return;
    if (!isDeepStrictEqual(config.log, this.#options.config.log)) {
      const text = 'the log settings have changed; they apply when carpd is started the next time';
      this.#options.log.warn('configuration-warning', text);
    }
    const before = [...this.#instances.values()].map((instance) => instance.config);
    const diff = diffInstances(before, config.instances);
    const leaving = [...diff.removed, ...diff.changed];
    await Promise.all(leaving.map(({ name }) => this.#remove(name)));
    await Promise.all([...diff.added, ...diff.changed].map((instance) => this.#add(instance)));
    const names = (list: readonly InstanceConfig[]): string =>
      list.map((one) => one.name).join(' ');
    this.#options.log.info('configuration-reloaded', 'the new configuration is in force', {
      added: names(diff.added),
      changed: names(diff.changed),
      removed: names(diff.removed),
      unchanged: names(diff.unchanged),
    });
  }

  async #add(config: InstanceConfig): Promise<void> {
    const { log, now, env, onInterfaceGone } = this.#options;
    const instance = new Instance({
      config,
      virtualIps: () => this.#virtualIps(),
      hub: this.#hub(config.interfaceName),
      driver: this.#driver,
      log,
      now,
      runCommand,
      startTimer,
      env,
      onInterfaceGone,
    });
    this.#instances.set(config.name, instance);
    await instance.start();
  }

  /** Hands over if it is master, and ends. */
  async #remove(name: string): Promise<void> {
    const instance = this.#instances.get(name);
    if (instance === undefined) return;
    await instance.stop();
    this.#instances.delete(name);
    const hub = this.#hubs.get(instance.config.interfaceName);
    if (hub === undefined || hub.memberCount > 0) return;
    hub.close();
    this.#hubs.delete(hub.interfaceName);
  }

  #hub(interfaceName: string): InterfaceHub {
    const known = this.#hubs.get(interfaceName);
    if (known !== undefined) return known;
    const { log, now } = this.#options;
    const hub = new InterfaceHub({
      interfaceName,
      driver: this.#driver,
      links: this.#links,
      log,
      now,
    });
    this.#hubs.set(interfaceName, hub);
    return hub;
  }

  #virtualIps(): ReadonlySet<Ipv4> {
    const addresses = [...this.#instances.values()].map((one) => one.config.address.ip);
    return new Set(addresses);
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#instances.keys()].map((name) => this.#remove(name)));
    this.#links.close();
    this.#driver.close();
  }

  async #drain(): Promise<void> {
    this.#links.drain();
    await Promise.all([...this.#hubs.values()].map((hub) => hub.drain()));
  }

  #lateWake(lateBy: Micros): void {
    const ms = Math.round(toMillis(lateBy));
    const text = `woke ${ms} ms late: the process or the machine stood still; reading what came in`;
    this.#options.log.warn('late-wake', text, { lateMs: ms });
  }

  #overflow(): void {
    const text = 'more packets of protocol 112 come in than can be judged; the oldest are dropped';
    if (!this.#overflowTold) this.#options.log.warn('queue-overflow', text);
    this.#overflowTold = true;
  }

  #overflowTold = false;
}

/** What the link watch calls before the daemon that owns it exists. */
interface Deferred {
  run: ((work: () => void) => void) | undefined;
  changed: ((interfaceName: string) => void) | undefined;
}

const startTimer: StartTimer = (delayMs, onExpired) => {
  const timer = setTimeout(onExpired, delayMs);
  return () => {
    clearTimeout(timer);
  };
};
