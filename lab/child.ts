// A process of a test: its output as lines with the time they came, its end, and its whole group
// killed when the test is over.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { nowMs } from './clock.ts';
import { Changes, failure } from './wait.ts';

/** How long after a process has ended the output its own children still hold open is awaited. */
const DRAIN_MS = 200;
const TAIL_LINES = 25;
const STOP_MS_DEFAULT = 5_000;

/** One line of output. */
export interface OutputLine {
  /** When it arrived, on the lab's time line. */
  readonly atMs: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** How a process ended: by itself with a code, or by a signal. */
export interface Exit {
  readonly atMs: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  /** What failures call the process; its first word if not given. */
  readonly label?: string;
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Takes standard output as bytes, instead of its being collected as lines. */
  readonly onStdout?: (chunk: Buffer) => void;
}

/** A running process in a process group of its own. */
export class Child {
  readonly argv: readonly string[];
  readonly label: string;
  /** Settled when the process has ended and its output has been read; never rejects. */
  readonly exit: Promise<Exit>;
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #lines: OutputLine[] = [];
  readonly #changes = new Changes();
  readonly #lineListeners: ((line: OutputLine) => void)[] = [];
  #exited: Exit | undefined;

  constructor(argv: readonly string[], options: SpawnOptions = {}) {
    const [file = '', ...rest] = argv;
    this.argv = argv;
    this.label = options.label ?? file;
    this.#process = spawn(file, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    if (options.onStdout === undefined) this.#readLines(this.#process.stdout, 'stdout');
    else this.#process.stdout.on('data', options.onStdout);
    this.#readLines(this.#process.stderr, 'stderr');
    this.exit = this.#watchEnd();
  }

  /** Undefined if the process could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  get lines(): readonly OutputLine[] {
    return this.#lines;
  }

  /** How it ended, or undefined while it runs. */
  get exited(): Exit | undefined {
    return this.#exited;
  }

  /** Calls `listener` with every line from now on. */
  onLine(listener: (line: OutputLine) => void): void {
    this.#lineListeners.push(listener);
  }

  /** Waits for a line that matches, those already there included unless `afterMs` excludes them. */
  line(pattern: RegExp, withinMs: number, afterMs = -Infinity): Promise<OutputLine> {
    return this.until(
      () => this.#lines.find((line) => line.atMs > afterMs && pattern.test(line.text)),
      `${String(pattern)} in the output of ${this.label}`,
      withinMs,
    );
  }

  /**
   * Waits until `probe` yields something, asking after every line; fails at once when the process
   * ends first.
   */
  until<Value>(probe: () => Value | undefined, what: string, withinMs: number): Promise<Value> {
    const detail = (): string => this.tail();
    const probeLiving = (): Value | undefined => {
      const value = probe();
      if (value === undefined && this.#exited !== undefined) {
        throw failure(`${this.label} ended while waiting for ${what}`, detail);
      }
      return value;
    };
    return this.#changes.until(probeLiving, { withinMs, what, detail });
  }

  /** Waits for the process to end by itself. */
  ended(withinMs: number): Promise<Exit> {
    const detail = (): string => this.tail();
    const what = `the end of ${this.label}`;
    return this.#changes.until(() => this.#exited, { withinMs, what, detail });
  }

  /** Sends a signal to the process alone; nothing if it has ended. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Kills the whole process group, at once, also after its leader has ended. */
  killGroup(): void {
    if (this.pid === undefined) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // ESRCH: nobody of the group is left, which is what was wanted.
    }
  }

  /** Asks the process to end with `signal`, kills the group if it does not within `withinMs`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', withinMs = STOP_MS_DEFAULT): Promise<Exit> {
    this.signal(signal);
    const timer = setTimeout(() => this.killGroup(), withinMs);
    const exit = await this.exit;
    clearTimeout(timer);
    this.killGroup();
    return exit;
  }

  /** The end of the output with the command and the way it ended, for a failure message. */
  tail(count = TAIL_LINES): string {
    const end = this.#exited;
    const status =
      end === undefined ? 'running' : `ended: code ${end.code}, signal ${end.signal ?? 'none'}`;
    const shown = this.#lines.slice(-count).map((line) => `  | ${line.text}`);
    return [`  ${this.label} (pid ${this.pid}, ${status})`, ...shown].join('\n');
  }

  #readLines(stream: Readable, name: OutputLine['stream']): void {
    let rest = '';
    const push = (text: string): void => {
      const line: OutputLine = { atMs: nowMs(), stream: name, text };
      this.#lines.push(line);
      for (const listener of this.#lineListeners) listener(line);
    };
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      parts.forEach(push);
      if (parts.length > 0) this.#changes.notify();
    });
    stream.on('end', () => {
      if (rest !== '') push(rest);
      this.#changes.notify();
    });
  }

  #watchEnd(): Promise<Exit> {
    return new Promise((resolve) => {
      let exit: Exit = { atMs: nowMs(), code: null, signal: null };
      const settle = (): void => {
        this.#exited = exit;
        this.#changes.notify();
        resolve(exit);
      };
      this.#process.on('error', (error) => {
        this.#lines.push({ atMs: nowMs(), stream: 'stderr', text: error.message });
        settle();
      });
      this.#process.on('exit', (code, signal) => {
        exit = { atMs: nowMs(), code, signal };
        // A hook that outlives its daemon keeps the pipes open: 'close' alone could never come.
        // What it wrote is in the pipe by now, but after a stall of ours the timer is due before
        // that is read.
        const timer = setTimeout(() => setImmediate(settle), DRAIN_MS);
        this.#process.on('close', () => {
          clearTimeout(timer);
          settle();
        });
      });
    });
  }
}
