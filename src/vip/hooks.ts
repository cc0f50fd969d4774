// The up and down hooks of one instance: run one at a time, in order, each with a time limit, and
// called as ucarp calls its scripts. Adverts never wait for them.
import { unreachable } from '../base/assert.ts';
import type { CommandResult, RunningCommand } from '../base/command.ts';
import { messageOf } from '../base/errors.ts';
import { since, toMillis } from '../base/time.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import { dropSuperfluous } from './hook-queue.ts';
import { PLACE_MS_MAX, type HookSlots } from './hook-slots.ts';
import type { Clock, RunCommand, StartTimer } from './ports.ts';

export type HookName = 'up' | 'down';

/** A hook to run; `term` only comes back with the report. */
export interface HookRequest {
  readonly hook: HookName;
  readonly term: number;
  /** Variables for this run, besides those of the lane. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * How a hook ended. `failed`: with another code than 0, by a signal, or it could not be started.
 * `timeout`: its process group was killed at the limit. `missing`: there is no such program, or it
 * may not be executed; `remedy` says what to do. `none`: not configured. `skipped`: never begun,
 * since later hooks made it pointless or the lane was abandoned.
 */
export type HookResult =
  | { readonly kind: 'ok' }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'missing'; readonly remedy: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'skipped' };

export interface HookReport extends Omit<HookRequest, 'env'> {
  readonly result: HookResult;
  /** From its start to its end; 0 where it was not started. */
  readonly durationMs: number;
}

/** What is run, and how. */
export interface HookSettings {
  /** The last argument of both hooks; undefined to pass two arguments only (ucarp --xparam). */
  readonly xparam: string | undefined;
  /** Program and first arguments; undefined or empty for no hook. */
  readonly up: readonly string[] | undefined;
  readonly down: readonly string[] | undefined;
  readonly timeoutMs: number;
}

export interface HookLaneOptions {
  readonly interfaceName: string;
  /** The name that the interface has when a hook begins; absent: always the same. */
  readonly currentName?: () => string;
  /** The virtual IP; passed without its prefix. */
  readonly address: Ipv4;
  /** As they are now: a hook is run as it is configured when it begins. */
  readonly hooks: () => HookSettings;
  /** Shared by the lanes of all instances. */
  readonly hookSlots: HookSlots;
  /** The hooks put the address on and take it off, in the place of carpd. */
  readonly movesAddress: () => boolean;
  /** The whole environment of the hooks; see hookEnvironment. */
  readonly env: Readonly<Record<string, string>>;
  readonly runCommand: RunCommand;
  readonly clock: Clock;
  readonly startTimer: StartTimer;
  /** A line of a hook's output, or, without a hook, what the lane itself has to say. */
  readonly onLine: (line: string, hook: HookName) => void;
  /** Called exactly once for each request, never from within `run`. */
  readonly onFinished: (report: HookReport) => void;
}

/** More hooks than these never wait; only a link that flaps under slow hooks gets there. */
const WAITING_MAX = 8;
const LINES_MAX = 200;
const LINE_CHARS_MAX = 1_000;
const OUTPUT_BYTES_MAX = 65_536;

/** Runs the hooks of one instance one after the other. Its methods never throw. */
export class HookLane {
  readonly #options: HookLaneOptions;
  #waiting: readonly HookRequest[] = [];
  #running: RunningCommand | undefined;
  /** From taking a request up to its report. */
  #busy = false;
  #closed = false;
  #runningHook: HookName | undefined;
  /** The term whose up hook was begun, or is none, and whose down hook was not. */
  #downHookOwed: number | undefined;

  constructor(options: HookLaneOptions) {
    this.#options = options;
  }

  /** Queues a hook; one that is not configured finishes at once, past the queue. */
  run(request: HookRequest): void {
    if (this.#command(request.hook).length === 0) {
      this.#begun(request);
      this.#finishUnrun(request, { kind: 'none' });
      return;
    }
    if (this.#closed) {
      this.#finishUnrun(request, { kind: 'skipped' });
      return;
    }
    const { kept, dropped } = dropSuperfluous([...this.#waiting, request], WAITING_MAX);
    this.#waiting = kept;
    for (const skipped of dropped) {
      const text = `not run: ${String(WAITING_MAX)} hooks are waiting and later ones undo it`;
      this.#options.onLine(text, skipped.hook);
      this.#finishUnrun(skipped, { kind: 'skipped' });
    }
    if (!this.#busy) void this.#work();
  }

  /**
   * Ends the lane at once: kills an up hook that runs, lets a down hook end by itself, and skips
   * those that wait. Says whether a down hook is owed: an up hook was begun, and none after it.
   */
  abandon(): boolean {
    this.#closed = true;
    if (this.#runningHook === 'up') this.#running?.kill();
    for (const request of this.#waiting) this.#finishUnrun(request, { kind: 'skipped' });
    this.#waiting = [];
    return this.#downHookOwed !== undefined;
  }

  #begun({ hook, term }: HookRequest): void {
    if (hook === 'up') this.#downHookOwed = term;
    else if (term === this.#downHookOwed) this.#downHookOwed = undefined;
  }

  #command(hook: HookName): readonly string[] {
    return this.#options.hooks()[hook] ?? [];
  }

  #finishUnrun(request: HookRequest, result: HookResult): void {
    void Promise.resolve().then(() => {
      this.#options.onFinished({ ...reportOf(request), result, durationMs: 0 });
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    const { hookSlots, onFinished } = this.#options;
    while (this.#waiting.length > 0) {
      const needsPlace = this.#needsPlace();
      if (needsPlace && !hookSlots.enter()) await hookSlots.turn();
      const leave = needsPlace ? this.#stayAWhile() : () => undefined;
      // Meanwhile some of them may have become pointless.
      const [request, ...rest] = this.#waiting;
      this.#waiting = rest;
      const report = request && (await this.#runOne(request));
      leave();
      if (report !== undefined) onFinished(report);
    }
    this.#busy = false;
  }

  /** A down hook that takes the address off waits for nobody: another host has it by now. */
  #needsPlace(): boolean {
    return this.#waiting[0]?.hook !== 'down' || !this.#options.movesAddress();
  }

  /** Keeps the place for a while at most; returns what gives it up. */
  #stayAWhile(): () => void {
    const { hookSlots, startTimer } = this.#options;
    let isIn = true;
    const leave = (): void => {
      if (isIn) hookSlots.leave();
      isIn = false;
    };
    const cancel = startTimer(PLACE_MS_MAX, leave);
    return () => {
      cancel();
      leave();
    };
  }

  async #runOne(request: HookRequest): Promise<HookReport> {
    const { clock, address, env } = this.#options;
    const { xparam, timeoutMs } = this.#options.hooks();
    const interfaceName = this.#options.currentName?.() ?? this.#options.interfaceName;
    const command = this.#command(request.hook);
    const extra = xparam === undefined ? [] : [xparam];
    const startedAt = clock();
    this.#begun(request);
    this.#runningHook = request.hook;
    const ended = await this.#start({
      argv: [...command, interfaceName, formatIpv4(address), ...extra],
      timeoutMs,
      env: { ...env, ...request.env },
      outputBytesMax: OUTPUT_BYTES_MAX,
      onLine: this.#lineLogger(request.hook),
    });
    this.#running = undefined;
    this.#runningHook = undefined;
    const durationMs = toMillis(since(clock(), startedAt));
    return { ...reportOf(request), result: hookResult(command[0] ?? '', ended), durationMs };
  }

  async #start(request: Parameters<RunCommand>[0]): Promise<CommandResult> {
    try {
      this.#running = this.#options.runCommand(request);
      return await this.#running.result;
    } catch (error) {
      return { kind: 'failed', detail: messageOf(error) };
    }
  }

  #lineLogger(hook: HookName): (line: string) => void {
    let lines = 0;
    return (line) => {
      lines += 1;
      if (lines <= LINES_MAX) this.#options.onLine(line.slice(0, LINE_CHARS_MAX), hook);
      if (lines === LINES_MAX + 1) {
        this.#options.onLine(`output cut after ${String(LINES_MAX)} lines`, hook);
      }
    };
  }
}

/**
 * The environment a hook inherits: ours, as with ucarp, without what is meant for this process
 * alone (systemd's sockets and credentials, Node's own options) and without carpd's own settings.
 */
export function hookEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !PRIVATE_NAME.test(name)) inherited[name] = value;
  }
  return inherited;
}

const PRIVATE_NAME = /^(?:CARPD_|NODE_|LISTEN_|WATCHDOG_|NOTIFY_SOCKET$|CREDENTIALS_DIRECTORY$)/;

function reportOf({ hook, term }: HookRequest): Pick<HookReport, 'hook' | 'term'> {
  return { hook, term };
}

function hookResult(program: string, ended: CommandResult): HookResult {
  switch (ended.kind) {
    case 'exited':
      if (ended.code === 0) return { kind: 'ok' };
      if (ended.code === undefined) return failed(`killed by ${ended.signal ?? 'a signal'}`);
      return failed(`exit code ${String(ended.code)}`);
    case 'timeout':
      return { kind: 'timeout' };
    case 'missing':
      return {
        kind: 'missing',
        remedy: `${program} does not exist; correct the path, or the first line of the script`,
      };
    case 'not-executable':
      return {
        kind: 'missing',
        remedy: `${program} is not executable; run chmod +x, and check its first line (#!)`,
      };
    case 'failed':
      return failed(ended.detail);
    default:
      return unreachable(ended);
  }
}

function failed(detail: string): HookResult {
  return { kind: 'failed', detail };
}
