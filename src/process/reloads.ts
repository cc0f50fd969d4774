// Reloads of the configuration, by a signal and by an order: one after the other, so that what was
// read first is never applied last.
import { messageOf } from '../base/errors.ts';
import type { Result } from '../base/result.ts';
import type { Config } from '../config/config.ts';
import { planLines, type ReloadPlan } from '../config/reload-plan.ts';
import type { ReloadResult } from '../control/routes.ts';

/** What the file says now. */
export interface Reloaded {
  /** Or why it can't be used. */
  readonly config: Result<Config, readonly string[]>;
  readonly warnings: readonly string[];
}

/** Reads the configuration anew. */
export type ReadAgain = () => Promise<Reloaded>;

/** The daemon that is brought to what the file says. */
export interface Reloadable {
  plan(config: Config): ReloadPlan;
  /** Resolves to what could not be done of it, a sentence each. */
  reload(config: Config): Promise<readonly string[]>;
  /** The file is refused, for these reasons. */
  refuse(faults: readonly string[]): void;
}

export interface ReloadsOptions {
  /** Undefined: there is no file. */
  readonly read: ReadAgain | undefined;
  readonly daemon: Reloadable;
  readonly warn: (detail: string) => void;
  /** All is up, and nothing is being ended. */
  readonly isRunning: () => boolean;
}

/** Has one file read and applied after the other. */
export class Reloads {
  readonly #options: ReloadsOptions;
  #last: Promise<unknown> = Promise.resolve();
  /** One by a signal has not begun to read yet, and serves whoever signals until then. */
  #isDue = false;

  constructor(options: ReloadsOptions) {
    this.#options = options;
  }

  /** Never rejects; what comes of it is in the log. */
  async bySignal(): Promise<void> {
    const { read } = this.#options;
    if (read === undefined || this.#isDue) return;
    this.#isDue = true;
    await this.#inTurn(() => {
      this.#isDue = false;
      return this.#readAndApply(read);
    });
  }

  /** What a reload does, or with `dryRun` would do. Never rejects. */
  async byOrder(dryRun: boolean): Promise<ReloadResult> {
    const { read, isRunning, daemon } = this.#options;
    if (read === undefined) return refused(['this daemon reads no configuration file']);
    if (!isRunning()) return refused(['carpd is starting or stopping']);
    return this.#inTurn(async () => {
      if (!dryRun) return this.#readAndApply(read);
      const { config } = await read();
      if (!config.ok) return refused(config.reason);
      return { outcome: 'planned', lines: planLines(daemon.plan(config.value)), undone: [] };
    });
  }

  /** The file is read in its turn as well: who comes later reads what is newer. */
  #inTurn(work: () => Promise<ReloadResult>): Promise<ReloadResult> {
    const done = this.#last.then(work).catch((error: unknown) => {
      const faults = [messageOf(error)];
      this.#options.daemon.refuse(faults);
      return refused(faults);
    });
    this.#last = done;
    return done;
  }

  async #readAndApply(read: ReadAgain): Promise<ReloadResult> {
    const { daemon, warn, isRunning } = this.#options;
    const { config, warnings } = await read();
    for (const detail of warnings) warn(detail);
    if (!config.ok) {
      daemon.refuse(config.reason);
      return refused(config.reason);
    }
    if (!isRunning()) return refused(['carpd is stopping']);
    const lines = planLines(daemon.plan(config.value));
    return { outcome: 'applied', lines, undone: await daemon.reload(config.value) };
  }
}

function refused(faults: readonly string[]): ReloadResult {
  return { outcome: 'refused', faults };
}
