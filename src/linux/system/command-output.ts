// What a child process writes: kept up to a bound, cut into lines, and always read to its end,
// since a full pipe would stop the child.
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface OutputOptions {
  readonly outputBytesMax?: number;
  readonly onLine?: (line: string) => void;
}

const OUTPUT_BYTES_MAX = 65_536;
const LINE_CHARS_MAX = 1_000;
/** Pipes that are left to daemons; of more, the oldest is closed. */
const LEFT_PIPES_MAX = 64;

/** Pipes whose other end a daemon holds that a command left behind. */
const leftPipes = new Set<Readable>();

/** Gathers what both streams of a child bring, until `end`. */
export class CommandOutput {
  readonly #streams: readonly Readable[];
  readonly #bytesMax: number;
  readonly #chunks: Buffer[] = [];
  readonly #lines: LineCutter[] = [];
  #keptBytes = 0;
  #truncated = false;
  #ended = false;

  constructor(child: ChildProcess, { outputBytesMax = OUTPUT_BYTES_MAX, onLine }: OutputOptions) {
    this.#bytesMax = outputBytesMax;
    // A child that could not be started for want of descriptors has no streams at all.
    this.#streams = [child.stdout, child.stderr].filter((stream) => stream instanceof Readable);
    for (const stream of this.#streams) {
      const lines = new LineCutter(onLine);
      this.#lines.push(lines);
      stream.on('data', (chunk: Buffer) => {
        if (this.#ended) return;
        this.#keep(chunk);
        lines.push(chunk);
      });
      // A pipe that breaks ends the output, and nothing else.
      stream.on('error', () => undefined);
    }
  }

  /** Whether there was more output than `text` has. */
  get truncated(): boolean {
    return this.#truncated;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  /**
   * No more is kept. A stream that is still open belongs to a daemon by now: to close it would kill
   * the daemon when it writes, so it is read on, for nothing, without keeping this process alive.
   */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const lines of this.#lines) lines.end();
    for (const stream of this.#streams) if (!stream.closed) leavePipe(stream);
  }

  #keep(chunk: Buffer): void {
    const room = Math.max(this.#bytesMax - this.#keptBytes, 0);
    if (chunk.length > room) this.#truncated = true;
    if (room === 0) return;
    // A copy, since a part would keep the whole chunk in memory.
    const kept = Buffer.from(chunk.subarray(0, room));
    this.#chunks.push(kept);
    this.#keptBytes += kept.length;
  }
}

/** Cuts a stream into lines of bounded length. */
class LineCutter {
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    if (this.#onLine === undefined) return;
    const parts = (this.#rest + this.#decoder.write(chunk)).split('\n');
    const last = parts.pop() ?? '';
    for (const line of parts) this.#onLine(line.slice(0, LINE_CHARS_MAX));
    // Of a line without an end only as much is kept as would be shown.
    this.#rest = last.slice(0, LINE_CHARS_MAX);
  }

  end(): void {
    if (this.#rest !== '') this.#onLine?.(this.#rest);
    this.#rest = '';
  }
}

function leavePipe(stream: Readable): void {
  leftPipes.add(stream);
  stream.once('close', () => leftPipes.delete(stream));
  // Pipes of a child are sockets to Node.
  if (stream instanceof Socket) stream.unref();
  stream.resume();
  const [oldest] = leftPipes;
  if (leftPipes.size > LEFT_PIPES_MAX) oldest?.destroy();
}
