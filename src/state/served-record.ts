// Where this daemon serves virtual IPs, on record in the state directory: what a run that ended
// without cleaning up has left on an interface is known by it for carpd's own.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatIpv4, parseIpv4, type Ipv4 } from '../base/addresses.ts';
import { readRegularFile } from '../config/read-file.ts';

/** A virtual IP on an interface, with the group that it is served for. */
export interface ServedPlace {
  readonly interfaceName: string;
  readonly ifindex: number;
  readonly address: Ipv4;
  /** 0 to 32. */
  readonly prefixLength: number;
  readonly vhid: number;
  readonly destination: Ipv4;
}

/** The boot and the network namespace in which an index of an interface means something. */
export interface Realm {
  readonly boot: string;
  readonly namespace: string;
}

const FILE_NAME = 'served.json';
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o755;
const BYTES_MAX = 4_194_304;
const FORMAT = 1;

/** Where it is on record which virtual IPs are served. */
export interface ServedStore {
  /** Those on record; none where there is no record that can be read. */
  read(): readonly ServedPlace[];
  /** Puts these on record, in the place of those before; throws the system's error. */
  write(places: readonly ServedPlace[]): void;
}

/** The file in a state directory; undefined: nothing in it could be trusted. */
export function servedRecord(directory: string): ServedStore | undefined {
  const realm = realmNow();
  if (realm === undefined) return undefined;
  return {
    read: () => servedPlaces(directory, realm),
    write: (places) => recordServed(directory, realm, places),
  };
}

/** Undefined: it is not known, and nothing on record can be trusted. */
export function realmNow(): Realm | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const { dev, ino } = statSync('/proc/self/ns/net');
    return boot === '' ? undefined : { boot, namespace: `${dev}:${ino}` };
  } catch {
    return undefined;
  }
}

/** Those on record for this realm; none where there is no record that can be read. */
export function servedPlaces(directory: string, realm: Realm): readonly ServedPlace[] {
  return read(directory)
    .filter((one) => isOf(one, realm))
    .flatMap(({ places }) => places);
}

/**
 * Puts these on record for this realm, in the place of those before, beside those of other network
 * namespaces. Throws the system's error. Two daemons that write at the same moment may lose what
 * one of them wrote: then less is known, and less is taken off.
 */
export function recordServed(
  directory: string,
  realm: Realm,
  places: readonly ServedPlace[],
): void {
  const others = read(directory)
    .filter((one) => one.boot === realm.boot && !isOf(one, realm))
    .map((one) => ({ ...one, places: one.places.map(written) }));
  const own = places.length === 0 ? [] : [{ ...realm, places: places.map(written) }];
  const realms = [...others, ...own];
  const path = join(directory, FILE_NAME);
  if (realms.length === 0) return rmSync(path, { force: true });
  // Not recursive: what should be there above it is not ours to make.
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) {
    mkdirSync(directory, DIRECTORY_MODE);
  }
  const birthPath = `${path}.${process.pid}`;
  writeFileSync(birthPath, JSON.stringify({ format: FORMAT, realms }), { mode: FILE_MODE });
  renameSync(birthPath, path);
}

/** With addresses as people write them. */
function written(place: ServedPlace): object {
  return { ...place, address: formatIpv4(place.address), group: formatIpv4(place.destination) };
}

interface RealmPlaces extends Realm {
  readonly places: readonly ServedPlace[];
}

function isOf(one: Realm, { boot, namespace }: Realm): boolean {
  return one.boot === boot && one.namespace === namespace;
}

function read(directory: string): readonly RealmPlaces[] {
  try {
    const { bytes } = readRegularFile(join(directory, FILE_NAME), BYTES_MAX);
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isMapping(value) || value['format'] !== FORMAT) return [];
    return listOf(value['realms']).flatMap((one) => realmOf(one) ?? []);
  } catch {
    return [];
  }
}

function realmOf({ boot, namespace, places }: Mapping): RealmPlaces | undefined {
  if (typeof boot !== 'string' || typeof namespace !== 'string') return undefined;
  return { boot, namespace, places: listOf(places).flatMap((one) => placeOf(one) ?? []) };
}

function placeOf(one: Mapping): ServedPlace | undefined {
  const { interfaceName, ifindex, prefixLength, vhid } = one;
  const [address, destination] = [one['address'], one['group']].map((value) =>
    typeof value === 'string' ? parseIpv4(value) : undefined,
  );
  if (typeof interfaceName !== 'string' || address === undefined || destination === undefined) {
    return undefined;
  }
  const numbers = [ifindex, prefixLength, vhid].filter((value) => typeof value === 'number');
  const [index, length, id] = numbers;
  if (index === undefined || length === undefined || id === undefined) return undefined;
  return { interfaceName, ifindex: index, address, prefixLength: length, vhid: id, destination };
}

type Mapping = Readonly<Record<string, unknown>>;

function listOf(value: unknown): readonly Mapping[] {
  return Array.isArray(value) ? value.filter(isMapping) : [];
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
