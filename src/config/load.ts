// Reads a whole configuration: syntax, known keys, values, combinations, and what two instances may
// not share. Reports every fault at once, each with its path; the result is frozen.
import { messageOf } from '../base/errors.ts';
import { ok } from '../base/result.ts';
import { deepFreeze, type Config, type InstanceConfig, type MetricsConfig } from './config.ts';
import { exposureWarning } from './listen-address.ts';
import type { FileContent, ReadFile } from './passphrase.ts';
import { readInstance, type Draft, type ReadContext } from './read-instance.ts';
import { applySchema, isMapping, topFields, valueAt, type Field, type Raw } from './schema.ts';
import { serviceFallbacks, type Fallbacks } from './service-environment.ts';
import { keyText, knownKeys } from './shape.ts';
import { reportShared } from './shared.ts';
import { parseText } from './syntax.ts';
import type { Read } from './values.ts';

/** Something wrong or doubtful. */
export interface Fault {
  /** "instances.db.vhid", "line 3, column 5" where the syntax is wrong, '' for all. */
  readonly path: string;
  /** What is wrong and what to do, in one line, without any secret. */
  readonly message: string;
}

/** The fault in one line, as it follows the name of the file. */
export function describeFault({ path, message }: Fault): string {
  return path === '' ? message : `${path}: ${message}`;
}

export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly Fault[]; readonly warnings: readonly Fault[] };

export interface LoadOptions {
  /** Reads passphrase files. */
  readonly readFile: ReadFile;
  /** Permission bits of the file the text came from, for the warning about inline passphrases. */
  readonly mode?: number | undefined;
  /** Defaults that differ from the usual ones. */
  readonly fallbacks?: Fallbacks;
}

/** As many as one process is made for. */
const INSTANCES_MAX = 1000;
/** A generous one, with a gate, peers, and comments. */
const INSTANCE_BYTES = 1024;
const CONFIG_BYTES_MAX = INSTANCES_MAX * INSTANCE_BYTES + 24_576;
/** More of them help nobody, and would flood the log. */
const FAULTS_MAX = 100;

/** With "-" in front it would be an option to every command that takes a name. */
const NAME_PATTERN = /^(?!-)[A-Za-z0-9_.-]{1,64}$/;

/** The configuration in a file; a file that can't be read is a fault like any other. */
export function loadConfigFile(path: string, readFile: ReadFile): LoadResult {
  let content: FileContent;
  try {
    content = readFile(path, CONFIG_BYTES_MAX);
  } catch (error) {
    return refused([{ path: '', message: `can't be read: ${messageOf(error)}` }]);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content.bytes);
  } catch {
    return refused([{ path: '', message: 'is not UTF-8 text; save it as UTF-8' }]);
  }
  const fallbacks = serviceFallbacks(process.env);
  return loadConfig(text, { readFile, mode: content.mode, fallbacks });
}

/** The configuration in `text`, YAML or JSON. Never throws for any text. */
export function loadConfig(text: string, options: LoadOptions): LoadResult {
  const parsed = parseText(text);
  if (!parsed.ok) return refused(parsed.reason);
  if (!isMapping(parsed.value)) {
    return refused([{ path: 'instances', message: 'is missing; the file must have instances:' }]);
  }
  return loadData(parsed.value, options);
}

function refused(faults: readonly Fault[], warnings: readonly Fault[] = []): LoadResult {
  return deepFreeze({
    ok: false,
    faults: atMost(faults, 'faults'),
    warnings: atMost(warnings, 'warnings'),
  });
}

/** The first of them, and how many are left out. */
function atMost(list: readonly Fault[], what: string): readonly Fault[] {
  const more = list.length - FAULTS_MAX;
  if (more <= 0) return list;
  const message = `and ${String(more)} more ${what}; correct these first`;
  return [...list.slice(0, FAULTS_MAX), { path: '', message }];
}

function loadData(data: Raw, options: LoadOptions): LoadResult {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const fault = (path: string, message: string): void => void faults.push({ path, message });
  const { fallbacks = {} } = options;
  const fields = Object.values(topFields).map((field) => ({
    ...field,
    fallback: fallbacks[field.path] ?? field.fallback,
  }));
  const top = applySchema(fields, knownKeys(data, fields, fault, ['instances']), fault);
  const settings = readTop(top);
  warnOfExposure(settings?.metrics, warnings);
  const drafts = readInstances(data['instances'], options, faults, warnings);
  reportShared(drafts, fault);
  const instances = drafts.filter(isComplete);
  if (faults.length > 0 || settings === undefined || instances.length < drafts.length) {
    return refused(faults, warnings);
  }
  return deepFreeze({
    ok: true,
    config: { ...settings, instances },
    warnings: atMost(warnings, 'warnings'),
  });
}

function readTop(top: Raw): Omit<Config, 'instances'> | undefined {
  const read = <Value>(field: Field<Value>): Read<Value> => field.read(valueAt(top, field.path));
  const readIfGiven = <Value>(field: Field<Value>): Read<Value | undefined> =>
    valueAt(top, field.path) === undefined ? ok(undefined) : read(field);
  const level = read(topFields.logLevel);
  const format = read(topFields.logFormat);
  const listen = read(topFields.metricsListen);
  const socket = read(topFields.controlSocket);
  const unixGroup = readIfGiven(topFields.controlUnixGroup);
  const directory = read(topFields.stateDirectory);
  if (!level.ok || !format.ok || !listen.ok || !socket.ok || !unixGroup.ok || !directory.ok)
    return undefined;
  return {
    log: { level: level.value, format: format.value },
    metrics: { listen: listen.value },
    control: { socket: socket.value, unixGroup: unixGroup.value },
    state: { directory: directory.value },
  };
}

function warnOfExposure(metrics: MetricsConfig | undefined, warnings: Fault[]): void {
  const message = metrics?.listen === undefined ? undefined : exposureWarning(metrics.listen);
  if (message !== undefined) warnings.push({ path: topFields.metricsListen.path, message });
}

function readInstances(
  data: unknown,
  options: LoadOptions,
  faults: Fault[],
  warnings: Fault[],
): readonly Draft[] {
  if (data === undefined || data === null || (isMapping(data) && Object.keys(data).length === 0)) {
    faults.push({
      path: 'instances',
      message: 'there is no instance; add one, such as "db:" with its keys',
    });
    return [];
  }
  if (!isMapping(data)) {
    faults.push({
      path: 'instances',
      message: 'is not a mapping; write NAME: with its keys below',
    });
    return [];
  }
  const count = Object.keys(data).length;
  if (count > INSTANCES_MAX) {
    const limit = `has ${String(count)} instances; at most ${String(INSTANCES_MAX)} are possible`;
    faults.push({ path: 'instances', message: `${limit}, run a second carpd for more` });
    return [];
  }
  const drafts: Draft[] = [];
  for (const [name, raw] of Object.entries(data)) {
    const path = `instances.${keyText(name)}`;
    const reportTo =
      (sink: Fault[]) =>
      (key: string, message: string): void =>
        void sink.push({ path: key === '' ? path : `${path}.${key}`, message });
    const context: ReadContext = {
      fault: reportTo(faults),
      warn: reportTo(warnings),
      readFile: options.readFile,
      mode: options.mode,
    };
    if (!NAME_PATTERN.test(name)) {
      const known = '1-64 letters, digits, ".", "_" or "-", and no "-" in front';
      context.fault('', `is not a name; use ${known}`);
    }
    if (isMapping(raw)) drafts.push(readInstance(name, raw, context));
    else context.fault('', 'is not a mapping; write interface:, vhid:, address: ... below it');
  }
  return drafts;
}

function isComplete(draft: Draft): draft is InstanceConfig {
  const { source, ...needed } = draft;
  void source;
  return Object.values(needed).every((value) => value !== undefined);
}
