// Reads a file together with its permission bits, through one descriptor, so that both belong to
// the same file.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { FileContent } from './passphrase.ts';

/** Reads a whole file; throws the system's error. */
export function readFileWithMode(path: string): FileContent {
  const descriptor = openSync(path, 'r');
  try {
    const { mode } = fstatSync(descriptor);
    return { bytes: readFileSync(descriptor), mode };
  } finally {
    closeSync(descriptor);
  }
}
