// What a process has kept on a host in memory: it is there for the next one, by the names of the
// directories that it was kept in.
import { fail, ok, type Result } from '../../src/base/result.ts';
import type { InstanceConfig } from '../../src/config/config.ts';
import type { MaintenanceList, MaintenanceStore } from '../../src/state/maintenance-file.ts';
import type { ReleaseStore } from '../../src/state/release-records.ts';
import type { ServedPlace, ServedStore } from '../../src/state/served-record.ts';

/** One instance as `carpd release` would find it on record. */
interface Released {
  readonly name: string;
  readonly interfaceName: string;
}

/** The state files of a host, and what is in the way of them. */
export class HostState {
  /** Why nothing can be read; undefined: it can. */
  unreadable: string | undefined;
  /** Why nothing can be written; undefined: it can. */
  unwritable: string | undefined;
  /** What `carpd release` goes by. */
  released: readonly Released[] = [];
  readonly #maintenance = new Map<string, MaintenanceList>();
  readonly #served = new Map<string, readonly ServedPlace[]>();

  maintenance(directory: string): MaintenanceStore {
    return {
      path: `${directory}/maintenance.json`,
      read: () => this.#read(this.#maintenance.get(directory) ?? new Map()),
      write: (list) => {
        if (this.unwritable !== undefined) return Promise.resolve(fail(this.unwritable));
        this.#maintenance.set(directory, list);
        return Promise.resolve(ok(undefined));
      },
    };
  }

  served(directory: string): ServedStore {
    return {
      read: () => (this.unreadable === undefined ? (this.#served.get(directory) ?? []) : []),
      write: (places) => {
        this.#check();
        this.#served.set(directory, places);
      },
    };
  }

  readonly release: ReleaseStore = {
    write: (instances: readonly InstanceConfig[], nameOf) => {
      this.#check();
      this.released = instances.map((one) => ({ name: one.name, interfaceName: nameOf(one) }));
    },
  };

  #read(list: MaintenanceList): Result<MaintenanceList, string> {
    return this.unreadable === undefined ? ok(list) : fail(this.unreadable);
  }

  #check(): void {
    if (this.unwritable !== undefined) throw new Error(this.unwritable);
  }
}
