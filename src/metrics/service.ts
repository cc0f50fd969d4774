// The metrics of a daemon: counted from its events, read from its snapshots, served where the
// configuration says. Nothing of it is loaded before it is wanted, and no election depends on it.
import { messageOf } from '../base/errors.ts';
import { toMillis, toSeconds, type Micros } from '../base/time.ts';
import type { InstanceConfig, ListenAddress } from '../config/config.ts';
import type { HookName } from '../election/inputs.ts';
import type { Page } from './page.ts';
import type { Metrics } from './registry.ts';
import type { InstanceLabels, Sample } from './sample.ts';
import type { EventBus } from '../events/bus.ts';
import type { Opened } from '../serving/keep-opening.ts';
import { feedMetrics, instanceLabels } from './counters.ts';
import type { HealthSource, MetricsServerOptions } from './server.ts';

/** Opens a server and keeps it open until what it returns is closed. */
export type OpenMetrics = (options: MetricsServerOptions) => Opened;

export interface MetricsServiceOptions {
  readonly version: string;
  readonly events: EventBus;
  readonly now: () => Micros;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly openMetrics: OpenMetrics;
  /** The daemon at this moment. */
  readonly sample: () => Omit<Sample, 'now'>;
  readonly health: HealthSource;
}

/** An instance whose series there are, and the hooks that it has. */
interface Counted {
  readonly labels: InstanceLabels;
  readonly hooks: readonly HookName[];
}

/** What there is once metrics are wanted. */
interface Kept {
  readonly metrics: Metrics;
  readonly page: Page;
  readonly contentType: string;
}

/** Counts, reads and serves the metrics of one daemon. */
export class MetricsService {
  readonly #options: MetricsServiceOptions;
  readonly #instances = new Map<string, Counted>();
  #kept: Kept | undefined;
  #address: ListenAddress | undefined;
  #opened: Opened | undefined;

  constructor(options: MetricsServiceOptions) {
    this.#options = options;
  }

  /**
   * Serves here from now on, or as soon as it can; undefined: nowhere. Resolves to what it opens,
   * if it did not serve there before. Never rejects.
   */
  async listen(address: ListenAddress | undefined): Promise<Opened | undefined> {
    if (address?.text === this.#address?.text) return undefined;
    this.close();
    this.#address = address;
    if (address === undefined) return undefined;
    try {
      this.#kept ??= await this.#load();
    } catch (error) {
      this.#failed('opening', messageOf(error));
      return undefined;
    }
    // It may have been closed, or told to serve elsewhere, meanwhile.
    if (this.#address === address) this.#opened = this.#open(address, this.#kept);
    return this.#opened;
  }

  /** To be called before the instance does anything that counts. */
  added({ name, interfaceName, vhid, hooks: { up, down } }: InstanceConfig): void {
    const labels = instanceLabels({ name, interface: interfaceName, vhid });
    const hooks: HookName[] = [];
    if (up.length > 0) hooks.push('up');
    if (down.length > 0) hooks.push('down');
    this.#instances.set(name, { labels, hooks });
    this.#kept?.metrics.addInstance(labels, hooks);
  }

  /** The loop came round so much too late to what was due. */
  loopLag(lateBy: Micros): void {
    this.#kept?.metrics.loopLag(toSeconds(lateBy));
  }

  removed(name: string): void {
    this.#instances.delete(name);
    this.#kept?.metrics.removeInstance(name);
  }

  close(): void {
    this.#opened?.close();
    this.#opened = undefined;
    this.#address = undefined;
  }

  async #load(): Promise<Kept> {
    const { Metrics, CONTENT_TYPE } = await import('./registry.ts');
    const { Page } = await import('./page.ts');
    const { version, events, sample, now, wallMs } = this.#options;
    const metrics = new Metrics({ version, wallMs, sample: () => ({ ...sample(), now: now() }) });
    for (const { labels, hooks } of this.#instances.values()) metrics.addInstance(labels, hooks);
    feedMetrics(events, metrics);
    const page = new Page(
      () => metrics.render(),
      () => toMillis(now()),
    );
    return { metrics, page, contentType: CONTENT_TYPE };
  }

  #open(address: ListenAddress, { page, contentType }: Kept): Opened {
    const { events, health, openMetrics } = this.#options;
    return openMetrics({
      address,
      metrics: () => page.content(),
      metricsType: contentType,
      health,
      onFault: (reason) => this.#failed('serving', reason),
      onOpened: () => events.publish({ event: 'metrics-opened', address: address.text }),
      onFailed: (reason) => this.#failed('opening', reason),
      onLost: () => this.#failed('serving', `somebody removed ${address.text}; it is opened again`),
    });
  }

  #failed(during: 'opening' | 'serving', detail: string): void {
    this.#options.events.publish({ event: 'metrics-failed', during, detail });
  }
}
