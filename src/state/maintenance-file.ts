// The file that remembers which instances are in maintenance, over restarts and reboots: one line
// of JSON, replaced as a whole, so that a crash leaves the old one or the new one.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { readRegularFile } from '../config/read-file.ts';

/** The instances in maintenance, by name, with the wall-clock time since when, in ISO 8601. */
export type MaintenanceList = ReadonlyMap<string, string>;

const FILE_NAME = 'maintenance.json';
const VERSION = 1;
/** Room for ten thousand instances. */
const BYTES_MAX = 1_048_576;
const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;

/** Where the list is kept. */
export interface MaintenanceStore {
  /** For messages. */
  readonly path: string;
  /** The list; it is empty where none was kept. The reason says what is wrong. */
  read(): Result<MaintenanceList, string>;
  /** Replaces it, on the disk when this resolves. Nothing has changed where it fails. */
  write(list: MaintenanceList): Promise<Result<undefined, string>>;
}

/** The file in a state directory. */
export function maintenanceFile(directory: string): MaintenanceStore {
  const path = join(directory, FILE_NAME);
  return { path, read: () => read(path), write: (list) => write(path, list) };
}

function read(path: string): Result<MaintenanceList, string> {
  try {
    const { bytes } = readRegularFile(path, BYTES_MAX);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const list = parse(JSON.parse(text));
    return list === undefined ? fail(`${path} is not what carpd writes there`) : ok(list);
  } catch (error) {
    if (isMissing(error)) return ok(new Map());
    return fail(`${path} can't be read: ${messageOf(error)}`);
  }
}

async function write(path: string, list: MaintenanceList): Promise<Result<undefined, string>> {
  const birthPath = `${path}.${process.pid}`;
  const instances = Object.fromEntries([...list].map(([name, since]) => [name, { since }]));
  try {
    await makeDirectory(dirname(path));
    await writeThrough(birthPath, `${JSON.stringify({ version: VERSION, instances })}\n`);
    await rename(birthPath, path);
  } catch (error) {
    await rm(birthPath, { force: true }).catch(() => undefined);
    return fail(`${path} can't be written: ${messageOf(error)}`);
  }
  // The name is in place; that it outlives a power failure as well is best effort, since some file
  // systems refuse to sync a directory.
  await syncDirectory(dirname(path)).catch(() => undefined);
  return ok(undefined);
}

function parse(value: unknown): MaintenanceList | undefined {
  if (!isMapping(value) || value['version'] !== VERSION) return undefined;
  const { instances } = value;
  if (!isMapping(instances)) return undefined;
  const list = new Map<string, string>();
  for (const [name, entry] of Object.entries(instances)) {
    const since = isMapping(entry) ? entry['since'] : undefined;
    if (typeof since !== 'string' || Number.isNaN(Date.parse(since))) return undefined;
    list.set(name, since);
  }
  return list;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Also where something on the way there is no directory: then nothing was ever written. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error)) return false;
  return error.code === 'ENOENT' || error.code === 'ENOTDIR';
}

async function makeDirectory(path: string): Promise<void> {
  try {
    // Not recursive: what should be there above it is not ours to make.
    await mkdir(path, DIRECTORY_MODE);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw error;
  }
}

async function writeThrough(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', FILE_MODE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
