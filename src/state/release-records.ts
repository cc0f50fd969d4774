// What this daemon may hold, on record in the runtime directory of its unit: by it `carpd release`
// cleans up after a daemon that was killed, whatever has become of the configuration since.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstanceConfig } from '../config/config.ts';
import { readRegularFile } from '../config/read-file.ts';

/** What has to be known of an instance to release it. */
export type ReleaseRecord = Pick<
  InstanceConfig,
  'name' | 'interfaceName' | 'vhid' | 'destination' | 'source' | 'address' | 'manageAddress'
> & {
  readonly hooks: Omit<InstanceConfig['hooks'], 'up'>;
};

const FILE_NAME = 'duties.json';
const FILE_MODE = 0o600;
const BYTES_MAX = 4_194_304;
/** Another one is of another version of carpd, and not read. */
const FORMAT = 3;

/** Where it is on record what this daemon may hold. */
export interface ReleaseStore {
  /**
   * Puts these on record, in the place of those before; throws the system's error.
   * `interfaceNameOf`: the name that the interface has now.
   */
  write(
    instances: readonly InstanceConfig[],
    interfaceNameOf: (config: InstanceConfig) => string,
  ): void;
}

/** The file in the runtime directory of a unit. */
export function releaseRecords(directory: string): ReleaseStore {
  return { write: (instances, nameOf) => writeReleaseRecords(directory, instances, nameOf) };
}

/**
 * Puts these on record, in the place of those before; throws the system's error. `interfaceNameOf`:
 * the name that the interface has now, by which whoever cleans up finds the address.
 */
export function writeReleaseRecords(
  directory: string,
  instances: readonly InstanceConfig[],
  interfaceNameOf = (config: InstanceConfig): string => config.interfaceName,
): void {
  const duties = instances.map((config) => releaseRecordOf(config, interfaceNameOf(config)));
  const path = join(directory, FILE_NAME);
  writeFileSync(`${path}.new`, JSON.stringify({ format: FORMAT, duties }), { mode: FILE_MODE });
  renameSync(`${path}.new`, path);
}

/** Those on record; none where there is no record that can be read. */
export function readReleaseRecords(directory: string): readonly ReleaseRecord[] {
  try {
    const { bytes } = readRegularFile(join(directory, FILE_NAME), BYTES_MAX);
    const { format, duties } = JSON.parse(new TextDecoder().decode(bytes)) as Recorded;
    return format === FORMAT && isWhatWasWritten(duties) ? duties : [];
  } catch {
    return [];
  }
}

interface Recorded {
  readonly format: unknown;
  readonly duties: unknown;
}

/** The format tells the rest: nobody else writes there. */
function isWhatWasWritten(duties: unknown): duties is readonly ReleaseRecord[] {
  return Array.isArray(duties);
}

/** Nothing else of the configuration, and no passphrase. */
function releaseRecordOf(config: InstanceConfig, interfaceName: string): ReleaseRecord {
  const { name, vhid, destination, source, address, manageAddress } = config;
  const { down, timeoutMs, xparam } = config.hooks;
  const hooks = { down, timeoutMs, xparam };
  return { name, interfaceName, vhid, destination, source, address, manageAddress, hooks };
}
