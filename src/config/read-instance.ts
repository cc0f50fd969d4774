// One instance of the file: its keys read and the combinations of keys that can't work reported.
import { systemWords } from '../base/errors.ts';
import { isMulticast, formatIpv4 } from '../base/addresses.ts';
import type { InstanceConfig, PrefixedAddress } from './config.ts';
import {
  filePassphrase,
  FileRefusal,
  openFileWarning,
  PASSPHRASE_FILE_BYTES_MAX,
  type PassphraseFound,
  type ReadFile,
} from './passphrase.ts';
import { readGate, reportGate } from './read-gate.ts';
import {
  applySchema,
  instanceFields,
  valueAt,
  type Field,
  type Raw,
  type Report,
} from './schema.ts';
import { knownKeys } from './shape.ts';

/** Where faults and warnings go, and what of the system the reading needs. */
export interface ReadContext {
  /** A key of the instance (or '' for the instance itself) and the sentence about it. */
  readonly fault: Report;
  readonly warn: Report;
  readonly readFile: ReadFile;
  /** Permission bits of the configuration file, if it is a file. */
  readonly mode: number | undefined;
}

/** What of an instance could be read; keys with faults are undefined. */
export type Draft = { readonly [Key in keyof InstanceConfig]: InstanceConfig[Key] | undefined };

/** advbase and advskew of the advert that says "I step down"; nobody can compete with it. */
const BOW_OUT = 255;
/** A bow-out is obeyed at once only by peers whose deadRatio x advbase is below its advbase. */
const BOW_OUT_HEARD_BELOW = 255;

/** Reads all keys of an instance, reporting each fault at its key. */
export function readInstance(name: string, raw: Raw, context: ReadContext): Draft {
  const fields = Object.values(instanceFields);
  const given = knownKeys(raw, fields, context.fault);
  const full = applySchema(fields, given, context.fault);
  const take = <Value>(field: Field<Value>): Value | undefined => {
    const value = valueAt(full, field.path);
    if (value === undefined) {
      if (field.isRequired && !(field.path in raw)) {
        context.fault(field.path, `is missing; give ${field.doc}`);
      }
      return undefined;
    }
    const read = field.read(value);
    return read.ok ? read.value : undefined;
  };
  const f = instanceFields;
  const passphrase = readPassphrase(raw, take, context);
  const draft = {
    name,
    interfaceName: take(f.interface),
    vhid: take(f.vhid),
    address: take(f.address),
    source: take(f.source),
    passphrase: passphrase?.secret,
    advbase: take(f.advbase),
    advskew: take(f.advskew),
    deadRatio: take(f.deadRatio),
    preempt: take(f.preempt),
    neutral: take(f.neutral),
    ignoreLinkState: take(f.ignoreLinkState),
    destination: take(f.multicastGroup),
    broadcast: take(f.broadcast),
    manageAddress: take(f.manageAddress),
    hooks: readHooks(take),
    announce: readAnnounce(take),
    peers: take(f.peers),
    gate: readGate(raw, take),
  };
  reportCadence(draft, context);
  reportAddresses(draft, context);
  reportOwnership(draft, context);
  reportGate(draft, raw, context);
  return draft;
}

type Take = <Value>(field: Field<Value>) => Value | undefined;

function readHooks(take: Take): InstanceConfig['hooks'] | undefined {
  const up = take(instanceFields.hooksUp);
  const down = take(instanceFields.hooksDown);
  const timeoutMs = take(instanceFields.hooksTimeout);
  const xparam = take(instanceFields.hooksXparam);
  if (up === undefined || down === undefined || timeoutMs === undefined) return undefined;
  // ucarp passes a third argument only if -x is given; here, an empty one is none.
  return { up, down, timeoutMs, xparam: xparam === '' ? undefined : xparam };
}

function readAnnounce(take: Take): InstanceConfig['announce'] | undefined {
  const burst = take(instanceFields.announceBurst);
  const intervalMs = take(instanceFields.announceInterval);
  const refresh = take(instanceFields.announceRefresh);
  if (burst === undefined || intervalMs === undefined || refresh === undefined) return undefined;
  return { burst, intervalMs, refreshMs: refresh === 'off' ? undefined : refresh };
}

function readPassphrase(raw: Raw, take: Take, context: ReadContext): PassphraseFound | undefined {
  const { passphrase, passphraseFile } = instanceFields;
  const hasInline = passphrase.path in raw;
  const hasFile = passphraseFile.path in raw;
  if (hasInline && hasFile) {
    context.fault(passphrase.path, 'is given beside passphraseFile; keep one of the two');
    return undefined;
  }
  if (!hasInline && !hasFile) {
    context.fault(passphraseFile.path, 'is missing; give passphraseFile (or passphrase)');
    return undefined;
  }
  const found = hasInline ? take(passphrase) : readPassphraseFile(take(passphraseFile), context);
  const path = hasInline ? passphrase.path : passphraseFile.path;
  found?.warnings.forEach((warning) => context.warn(path, warning));
  const openFile = hasInline ? openFileWarning(context.mode) : undefined;
  if (openFile !== undefined) context.warn(passphrase.path, openFile);
  return found;
}

function readPassphraseFile(
  path: string | undefined,
  context: ReadContext,
): PassphraseFound | undefined {
  if (path === undefined) return undefined;
  const key = instanceFields.passphraseFile.path;
  try {
    const found = filePassphrase(context.readFile(path, PASSPHRASE_FILE_BYTES_MAX));
    if (found.ok) return { ...found.value, secret: found.value.secret.from(path) };
    context.fault(key, found.reason.message);
  } catch (error) {
    context.fault(key, `the file can't be read${whyUnreadable(error)}`);
  }
  return undefined;
}

/** Never the system's own text: it would quote the path, perhaps a misplaced passphrase. */
function whyUnreadable(error: unknown): string {
  if (error instanceof FileRefusal) return `: ${error.message}`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const words = typeof code === 'string' ? systemWords(code) : undefined;
  return `${words === undefined ? '' : `: ${words}`}; check its path and owner`;
}

function reportCadence({ advbase, advskew, deadRatio }: Draft, { fault, warn }: ReadContext): void {
  if (advbase === 0 && advskew === 0) {
    fault('advbase', 'is 0 with advskew 0, an advert without pause; make one of them at least 1');
  }
  if (advbase === BOW_OUT && advskew === BOW_OUT) {
    fault('advbase', 'is 255 with advskew 255, which peers take for stepping down; lower one');
  }
  if (deadRatio === 1) {
    warn('deadRatio', 'is 1: a single lost advert makes two masters; use 2 or more, 3 is usual');
  }
  if (advbase === undefined || deadRatio === undefined) return;
  if (deadRatio * advbase >= BOW_OUT_HEARD_BELOW) {
    warn(
      'deadRatio',
      'times advbase is 255 or more: the advert with which a master steps down is not ' +
        'recognised, so that every handover lasts the full interval; lower one',
    );
  }
}

function reportAddresses(draft: Draft, { fault, warn }: ReadContext): void {
  const { address, source, destination, broadcast } = draft;
  if (address !== undefined && address.ip === source) {
    fault('address', 'is the same as source; the virtual IP belongs to no node, give another');
  }
  if (address !== undefined) {
    const problem = edgeOfPrefix(address);
    if (problem !== undefined) warn('address', problem);
  }
  if (destination !== undefined && broadcast === false && !isMulticast(destination)) {
    const shown = formatIpv4(destination);
    fault('multicastGroup', `${shown} is not a multicast address; use 224.0.0.18, or broadcast`);
  }
}

function reportOwnership({ manageAddress, hooks }: Draft, { warn }: ReadContext): void {
  if (hooks === undefined || manageAddress !== false) return;
  if (hooks.up.length > 0 && hooks.down.length > 0) return;
  const lacking = hooks.up.length > 0 ? 'no down hook' : 'no up hook';
  const neither = hooks.up.length === 0 && hooks.down.length === 0 ? 'no hooks' : lacking;
  warn('manageAddress', `is false with ${neither}: nothing will move the address; add hooks`);
}

/** The first and the last address of a prefix can't be used by a host, but for /31 and /32. */
function edgeOfPrefix({ ip, prefixLength }: PrefixedAddress): string | undefined {
  if (prefixLength >= 31) return undefined;
  const size = 2 ** (32 - prefixLength);
  const host = ip % size;
  if (host !== 0 && host !== size - 1) return undefined;
  const which = host === 0 ? 'the network' : 'the broadcast';
  return `is ${which} address of its prefix /${String(prefixLength)}; check address and prefix`;
}
