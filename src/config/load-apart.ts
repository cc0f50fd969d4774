// Reads a configuration in a thread of its own, within limits: the loop goes on meanwhile, and
// whatever the file holds can cost the daemon nothing but the reload.
import { Worker } from 'node:worker_threads';
import { messageOf } from '../base/errors.ts';
import { unpacked, type LoadMessage } from './load-message.ts';
import type { LoadResult } from './load.ts';

export interface ApartOptions {
  /** Longer than the largest file that is allowed takes on a slow and busy host. */
  readonly timeoutMs?: number;
  /** Of the heap of the thread; the largest file that is allowed needs about a quarter. */
  readonly megabytesMax?: number;
  /** What runs in the thread; load-worker if not given. */
  readonly worker?: URL;
}

const TIMEOUT_MS = 60_000;
const MEGABYTES_MAX = 512;
const WORKER = new URL('./load-worker.js', import.meta.url);

/** As loadConfigFile, of a regular file. A thread that fails is a fault of the file. */
export function loadConfigApart(path: string, options: ApartOptions = {}): Promise<LoadResult> {
  const { timeoutMs = TIMEOUT_MS, megabytesMax = MEGABYTES_MAX, worker: code = WORKER } = options;
  return new Promise((resolve) => {
    const fail = (message: string): void =>
      resolve({ ok: false, faults: [{ path: '', message }], warnings: [] });
    let worker: Worker;
    try {
      worker = new Worker(code, {
        workerData: path,
        resourceLimits: { maxOldGenerationSizeMb: megabytesMax },
      });
    } catch (error) {
      fail(`can't be read now: ${messageOf(error)}`);
      return;
    }
    const timer = setTimeout(() => {
      fail(`could not be read within ${String(timeoutMs / 1_000)} s; check its size`);
      void worker.terminate();
    }, timeoutMs);
    worker.on('message', (message: LoadMessage) => resolve(unpacked(message)));
    worker.on('error', (error) => fail(`can't be read now: ${describe(error, megabytesMax)}`));
    worker.on('exit', () => {
      clearTimeout(timer);
      fail("can't be read now: its thread has ended without a word");
    });
  });
}

function describe(error: unknown, megabytesMax: number): string {
  const isMemory = error instanceof Error && 'code' in error && error.code === OUT_OF_MEMORY;
  return isMemory ? `it takes more than ${String(megabytesMax)} MB` : messageOf(error);
}

const OUT_OF_MEMORY = 'ERR_WORKER_OUT_OF_MEMORY';
