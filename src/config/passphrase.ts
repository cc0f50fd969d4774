// The passphrase: 1 to 19 bytes, because ucarp and the BSDs stop there, given inline or as the
// first line of a file. Messages never hold any part of it. Pure: the bytes of the file are given.
import { fail, ok, type Result } from '../base/result.ts';
import { Secret } from './secret.ts';
import type { Read } from './values.ts';

export const PASSPHRASE_BYTES_MAX = 19;

/** Only its first line counts; whatever is larger is another kind of file. */
export const PASSPHRASE_FILE_BYTES_MAX = 65_536;

const CREDENTIAL = /^credential:(?!\.{1,2}$)([A-Za-z0-9._-]{1,255})$/;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const GROUP_AND_OTHERS = 0o077;
const OTHERS_READ = 0o004;

/** A key with what is doubtful about it. */
export interface PassphraseFound {
  readonly secret: Secret;
  /** Sentences without their subject. */
  readonly warnings: readonly string[];
}

/** Why a file holds no usable key; the two reasons have different exit codes in ucarp. */
export interface PassphraseRefusal {
  readonly kind: 'empty' | 'too-long';
  readonly message: string;
}

/** What carpd needs of a file; `mode` has the permission bits (others may be set too). */
export interface FileContent {
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/**
 * Reads a file of at most `bytesMax` bytes; throws what the system says if it can't, or a
 * FileRefusal.
 */
export type ReadFile = (path: string, bytesMax: number) => FileContent;

/** Why a file is not read although the system would: its message names neither path nor content. */
export class FileRefusal extends Error {
  override readonly name = 'FileRefusal';
}

/** NAME of "credential:NAME", which stands for a file that systemd provides; else undefined. */
export function credentialName(path: string): string | undefined {
  return CREDENTIAL.exec(path)?.[1];
}

/** The key in the text of a configuration value. */
export function inlinePassphrase(value: unknown): Read<PassphraseFound> {
  if (typeof value !== 'string') {
    return fail('is not text; put it in quotes, since YAML reads a bare number as a number');
  }
  const bytes = new TextEncoder().encode(value);
  if (bytes.length === 0) return fail('is empty; give 1-19 bytes');
  if (bytes.includes(0)) return fail('holds a NUL byte, where a ucarp peer would end the key');
  if (bytes.length > PASSPHRASE_BYTES_MAX) return fail(tooLong(bytes.length));
  const hasLineBreak = bytes.includes(NEWLINE) || bytes.includes(CARRIAGE_RETURN);
  const warnings = hasLineBreak
    ? ['holds a line break, which is part of the key; write it on one line in quotes without it']
    : [];
  return ok({ secret: new Secret(bytes), warnings });
}

/**
 * The key in a passphrase file, as ucarp 1.5.2 reads it (ucarp.c, option -o): the first line, cut
 * at the line feed; spaces and a carriage return are part of the key, a NUL byte ends it.
 */
export function filePassphrase({
  bytes,
  mode,
}: FileContent): Result<PassphraseFound, PassphraseRefusal> {
  if (bytes.length === 0) return fail(empty('the file is empty; write the passphrase there'));
  const end = bytes.indexOf(NEWLINE);
  const line = end === -1 ? bytes : bytes.subarray(0, end);
  const nul = line.indexOf(0);
  const key = nul === -1 ? line : line.subarray(0, nul);
  if (key.length === 0) return fail(empty('the first line is empty; write the passphrase there'));
  if (key.length > PASSPHRASE_BYTES_MAX) {
    return fail({ kind: 'too-long', message: `the first line ${tooLong(key.length)}` });
  }
  const warnings: string[] = [];
  if (nul !== -1) warnings.push('the key ends at a NUL byte in the first line; remove it');
  if (key.at(-1) === CARRIAGE_RETURN) {
    warnings.push(
      'the first line ends with a carriage return, which is part of the key; ' +
        "if it is not meant, remove it: sed -i 's/\\r$//' FILE",
    );
  }
  if ((mode & GROUP_AND_OTHERS) !== 0) {
    warnings.push(`other users may read or change the file (mode ${octal(mode)}); chmod 600 FILE`);
  }
  return ok({ secret: new Secret(key), warnings });
}

/** Why a configuration file with an inline passphrase is too open, or undefined. */
export function openFileWarning(mode: number | undefined): string | undefined {
  if (mode === undefined || (mode & OTHERS_READ) === 0) return undefined;
  return (
    `every user can read the passphrase in this file (mode ${octal(mode)}); ` +
    'chmod 600 the file, or use passphraseFile'
  );
}

function empty(message: string): PassphraseRefusal {
  return { kind: 'empty', message };
}

function tooLong(length: number): string {
  return `is ${String(length)} bytes long; ucarp and carpd take 1-${String(PASSPHRASE_BYTES_MAX)}`;
}

function octal(mode: number): string {
  return `0${(mode & 0o777).toString(8).padStart(3, '0')}`;
}
