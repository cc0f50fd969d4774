// Where the lines of the log go: a descriptor whose reader may be slow, stuck or gone. Writing
// never blocks the process; what nobody takes is dropped, counted, and reported when somebody reads
// again.
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Bytes that may wait for a slow reader before lines are dropped. */
const BUFFERED_BYTES_MAX = 1_048_576;
/** Lines that are written by one system call; some tens of kilobytes. */
const LINES_PER_WRITE = 128;
/** After this pause a reader that took nothing is tried again. */
const RETRY_MS = 50;
/** How long the last lines may take at the end of the process. */
const FLUSH_MS = 200;
const EMPTY = Buffer.alloc(0);

/**
 * What writing to a descriptor does when nobody takes it: `yields` fails at once; `file` takes as
 * long as the disk does; `blocks` waits for the reader, perhaps for ever. Only the first is written
 * to on the event loop, the others in libuv's threads.
 */
type Manner = 'yields' | 'file' | 'blocks';

export interface LogOutputOptions {
  /** Open for writing; it stays the caller's. */
  readonly fd: number;
  /** Lines were dropped, and what was kept has been taken now: the place to report the gap. */
  readonly onGap: (lostLines: number) => void;
}

/** Writes lines in order, each whole or not at all. */
export class LogOutput {
  readonly #fd: number;
  readonly #manner: Manner;
  readonly #onGap: LogOutputOptions['onGap'];
  readonly #lines: string[] = [];
  /** What is being written; its lines are in `#lines` no more. */
  #chunk: Buffer = EMPTY;
  #waitingBytes = 0;
  #retry: NodeJS.Timeout | undefined;
  #inThreadSinceMs: number | undefined;
  #lostInGap = 0;
  #dropped = 0;
  #onEmpty: (() => void) | undefined;
  /** What else comes in this turn of the loop goes out at its end, by one system call. */
  #wroteInTurn = false;

  constructor({ fd, onGap }: LogOutputOptions) {
    ({ fd: this.#fd, manner: this.#manner } = withoutBlocking(fd));
    this.#onGap = onGap;
  }

  /** Lines dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A write hangs in a thread for long; exit(3) joins the threads and would hang as well. */
  get holdsUpExit(): boolean {
    const since = this.#inThreadSinceMs;
    return this.#manner === 'blocks' && since !== undefined && nowMs() - since >= FLUSH_MS / 2;
  }

  /** Takes one line with its line feed; drops it while the reader is too far behind. */
  write(line: string): void {
    const size = Buffer.byteLength(line);
    // Once a line is lost the rest is, until all that waits is taken: so the gap has one place.
    if (this.#lostInGap > 0 || this.#waitingBytes + size > BUFFERED_BYTES_MAX) {
      this.#lostInGap += 1;
      this.#dropped += 1;
      return;
    }
    this.#lines.push(line);
    this.#waitingBytes += size;
    if (this.#wroteInTurn) return;
    this.#wroteInTurn = true;
    setImmediate(() => {
      this.#wroteInTurn = false;
      this.#attempt();
    });
    this.#attempt();
  }

  /** Waits until everything is taken, but no longer than a fifth of a second. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waitingBytes === 0) return resolve();
      const timer = setTimeout(resolve, FLUSH_MS);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The same without the event loop, for the end after a fault. */
  flushSync(): void {
    if (this.#manner === 'blocks') return;
    // What is under way in a thread gets written: the end of the process waits for it.
    if (this.#inThreadSinceMs !== undefined) this.#chunk = EMPTY;
    const deadlineMs = nowMs() + FLUSH_MS;
    while (this.#fillChunk()) {
      if (this.#writeNow()) continue;
      if (nowMs() >= deadlineMs) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS / 5);
    }
  }

  /** Writes until everything is taken, or the reader takes no more for now. */
  #attempt(): void {
    if (this.#retry !== undefined || this.#inThreadSinceMs !== undefined) return;
    while (this.#fillChunk()) {
      if (this.#manner !== 'yields') return this.#writeInThread();
      if (!this.#writeNow()) return this.#tryLater();
    }
    const lostLines = this.#lostInGap;
    this.#lostInGap = 0;
    if (lostLines > 0) return this.#onGap(lostLines);
    this.#onEmpty?.();
  }

  /** Whether there is something to write, which `#chunk` is then. */
  #fillChunk(): boolean {
    if (this.#chunk.length === 0 && this.#lines.length > 0) {
      this.#chunk = Buffer.from(this.#lines.splice(0, LINES_PER_WRITE).join(''));
    }
    return this.#chunk.length > 0;
  }

  #writeNow(): boolean {
    try {
      this.#written(writeSync(this.#fd, this.#chunk));
      return true;
    } catch {
      // Nobody takes it now. A full disk may get room and a named pipe a new reader.
      return false;
    }
  }

  #writeInThread(): void {
    this.#inThreadSinceMs = nowMs();
    write(this.#fd, this.#chunk, (error, count) => {
      this.#inThreadSinceMs = undefined;
      if (error !== null) return this.#tryLater();
      this.#written(count);
      this.#attempt();
    });
  }

  #written(count: number): void {
    this.#chunk = this.#chunk.subarray(count);
    this.#waitingBytes -= count;
  }

  #tryLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#attempt();
    }, RETRY_MS);
    // What nobody takes must not keep the process.
    this.#retry.unref();
  }
}

/**
 * The descriptor itself is shared with whoever started this process, to whom O_NONBLOCK would be a
 * nasty surprise; opened anew by its name in /proc it is one of our own. Sockets can't be opened
 * so, but each service has its own.
 */
function withoutBlocking(fd: number): { readonly fd: number; readonly manner: Manner } {
  // Of type bigint, since Node 20 keeps the last other result where its realpath reads it: after a
  // look at a pipe that takes the next directory for one, and modules behind symlinks fail.
  const kind = fstatSync(fd, { bigint: true });
  if (kind.isFile()) return { fd, manner: 'file' };
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    return { fd: openSync(`/proc/self/fd/${fd}`, flags), manner: 'yields' };
  } catch {
    // A socket, or what belongs to somebody else.
  }
  if (!kind.isSocket() && !kind.isFIFO()) return { fd, manner: 'blocks' };
  try {
    // libuv sets O_NONBLOCK on what it takes over.
    new Socket({ fd, readable: false, writable: true }).unref();
    return { fd, manner: 'yields' };
  } catch {
    // Not a stream: a datagram socket, which libuv does not take.
    return { fd, manner: 'blocks' };
  }
}

function nowMs(): number {
  return performance.now();
}
