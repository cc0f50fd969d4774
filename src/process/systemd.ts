// The daemon as a service that systemd watches: ready when it takes part with everything that is
// there, a status line for `systemctl status`, and alive for as long as its loop does its work.
import { fromSeconds, type Micros } from '../base/time.ts';
import type { ServiceManager } from '../linux/system/service-manager.ts';
import type { EventBus } from '../events/bus.ts';
import type { EventName, EventOf } from '../events/events.ts';
import type { InstanceReport } from '../report/report.ts';
import type { Time } from '../ports/ports.ts';
import { unitStatus } from '../report/unit-status.ts';

export interface SupervisedOptions extends Time {
  readonly manager: ServiceManager;
  readonly events: EventBus;
  /** Of the daemon. */
  readonly reports: () => readonly InstanceReport[];
  /** Proves that the loop does its work; see Driver. */
  readonly turn: () => Promise<Micros>;
}

/** Ends it; for tests, since the process ends without. */
export interface Supervision {
  end(): void;
}

const BEAT_MS_MAX = 2_000;
/** So that two beats in a row may be late, or lost. */
const BEATS_PER_WATCHDOG = 4;
/** A loop that leaves a deadline alone for so long does not do its work, though it turns. */
const OVERDUE_MAX = fromSeconds(2);
/** How long a stop may take from each beat on: hooks have a time limit of their own. */
const STOP_EXTENSION_USEC = 15_000_000;

/** After these the status line may be another one. */
const SHOWN_IN_STATUS = [
  'transition',
  'gate-opened',
  'gate-closed',
  'doubt',
  'demotion',
  'maintenance',
  'link-proved',
  'link-unproved',
] as const satisfies readonly EventName[];

/** Tells the service manager of the daemon from now on, until the process ends. */
export function supervise(options: SupervisedOptions): Supervision {
  return new Supervised(options);
}

class Supervised implements Supervision {
  readonly #options: SupervisedOptions;
  readonly #beatMs: number;
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  /** Why the configuration file is not in force, or not in whole; undefined: it is. */
  #rejected: string | undefined;
  #status = '';
  #cancelRefresh: (() => void) | undefined;
  #cancelBeat: () => void = () => undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    const { watchdogMs = Infinity } = options.manager;
    this.#beatMs = Math.min(BEAT_MS_MAX, watchdogMs / BEATS_PER_WATCHDOG);
    this.#listen();
    this.#beatLater();
  }

  end(): void {
    this.#cancelBeat();
    this.#cancelRefresh?.();
  }

  #listen(): void {
    const { manager, events, now, nextTurn } = this.#options;
    events.subscribe(['daemon-started'], () => {
      this.#phase = 'running';
      this.#tellReady();
    });
    events.subscribe(['signal-received'], ({ signal }) => {
      if (signal !== 'SIGHUP' || this.#phase !== 'running') return;
      manager.notify({ RELOADING: '1', MONOTONIC_USEC: String(now()) });
    });
    events.subscribe(['configuration-reloaded', 'configuration-rejected'], (event) => {
      this.#rejected = rejection(event);
      if (this.#phase === 'running') this.#tellReady();
    });
    events.subscribe(['daemon-stopping'], ({ why }) => {
      this.#phase = 'stopping';
      manager.notify({ STOPPING: '1', STATUS: `stopping: ${why}` });
    });
    events.subscribe(SHOWN_IN_STATUS, () => {
      // When all that comes of it at once has happened.
      this.#cancelRefresh ??= nextTurn(() => {
        this.#cancelRefresh = undefined;
        this.#refreshStatus();
      });
    });
  }

  #tellReady(): void {
    this.#status = this.#statusText();
    this.#options.manager.notify({ READY: '1', STATUS: this.#status });
  }

  #refreshStatus(): void {
    if (this.#phase !== 'running') return;
    const status = this.#statusText();
    if (status === this.#status) return;
    this.#status = status;
    this.#options.manager.notify({ STATUS: status });
  }

  #statusText(): string {
    const instances = unitStatus(this.#options.reports());
    if (this.#rejected === undefined) return instances;
    return `RELOAD REFUSED: ${this.#rejected}. ${instances}`;
  }

  #beatLater(): void {
    this.#cancelBeat = this.#options.startTimer(this.#beatMs, () => void this.#beat());
  }

  /** systemd hears nothing before the loop has proved itself: one that is stuck stays silent. */
  async #beat(): Promise<void> {
    const { manager, turn } = this.#options;
    const overdue = await turn();
    if (overdue <= OVERDUE_MAX) {
      manager.notify({ WATCHDOG: '1' });
      const isStopping = this.#phase === 'stopping';
      if (isStopping) manager.notify({ EXTEND_TIMEOUT_USEC: String(STOP_EXTENSION_USEC) });
    }
    this.#refreshStatus();
    this.#beatLater();
  }
}

/** The log has all of it, and this one line of it. */
function rejection(
  event: EventOf<'configuration-reloaded'> | EventOf<'configuration-rejected'>,
): string | undefined {
  if (event.event === 'configuration-rejected') return event.detail;
  const names = event.refused.join(', ');
  return names === '' ? undefined : `the new form of ${names} is not in force, see the log`;
}
