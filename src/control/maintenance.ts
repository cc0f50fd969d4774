// Which instances an operator has put in maintenance. What can't be remembered is not begun, and
// what can't be known counts as on: "never master while on" is a promise, and a node that is held
// by mistake costs less than one that serves by mistake.
import { fail, ok, type Result } from '../base/result.ts';
import type { MaintenanceList, MaintenanceStore } from '../state/maintenance-file.ts';
import type { MaintenanceEntry } from '../report/report.ts';

/** Which instances of this daemon are in maintenance, remembered over a restart. */
export class Maintenance {
  readonly #store: MaintenanceStore | undefined;
  readonly #wallMs: () => number;
  #list: MaintenanceList = new Map();
  /** Since when everything is held because the file could not be read. */
  #unreadableSince: string | undefined;
  #fault: string | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  /** `store` undefined: maintenance ends with the process. `wallMs`: milliseconds since 1970. */
  constructor(store: MaintenanceStore | undefined, wallMs: () => number) {
    this.#store = store;
    this.#wallMs = wallMs;
    if (store === undefined) return;
    const read = store.read();
    if (read.ok) {
      this.#list = read.value;
      return;
    }
    this.#unreadableSince = this.#timestamp();
    this.#fault = read.reason;
  }

  /** What was wrong with the file at the start, and what that means; undefined: nothing. */
  get fault(): string | undefined {
    if (this.#fault === undefined) return undefined;
    return (
      `${this.#fault}. Whether maintenance is on is not known, so it counts as on for all ` +
      'instances: carpd maintenance off --all ends that and writes a new file'
    );
  }

  /** Whether it outlives the process, as the end of a sentence. */
  get lifeText(): string {
    if (this.#store === undefined) return 'until carpd ends, since state.directory is off';
    return `kept in ${this.#store.path}`;
  }

  /** Undefined: it is off. */
  of(name: string): MaintenanceEntry | undefined {
    const since = this.#list.get(name);
    if (since !== undefined) return { since, cause: 'operator' };
    if (this.#unreadableSince === undefined) return undefined;
    return { since: this.#unreadableSince, cause: 'unreadable' };
  }

  /**
   * Turns it on or off for some of the instances `all`; one after the other, whoever asks. Nothing
   * has changed where it fails.
   */
  set(
    names: readonly string[],
    on: boolean,
    all: readonly string[],
  ): Promise<Result<undefined, string>> {
    const done = this.#writing.then(() => this.#set(names, on, all));
    this.#writing = done;
    return done;
  }

  async #set(
    names: readonly string[],
    on: boolean,
    all: readonly string[],
  ): Promise<Result<undefined, string>> {
    const list = new Map(this.#stored());
    // Those that are held for want of knowledge stay so until they are told otherwise.
    for (const name of all) {
      const entry = this.of(name);
      if (entry === undefined) list.delete(name);
      else list.set(name, entry.since);
    }
    for (const name of names) {
      if (!on) list.delete(name);
      else if (!list.has(name)) list.set(name, this.#timestamp());
    }
    if (this.#store !== undefined) {
      const written = await this.#store.write(list);
      if (!written.ok) return fail(`${written.reason}. ${REMEDY}`);
    }
    this.#list = list;
    this.#unreadableSince = undefined;
    return ok(undefined);
  }

  #timestamp(): string {
    return new Date(this.#wallMs()).toISOString();
  }

  /** What the file says now: another daemon may keep its instances in it as well. */
  #stored(): MaintenanceList {
    if (this.#store === undefined) return this.#list;
    const read = this.#store.read();
    return read.ok ? read.value : this.#list;
  }
}

const REMEDY =
  'Nothing was changed. Make state.directory writable, or name another one (or off) and restart ' +
  'carpd; to be sure that this node does not serve, stop carpd';
