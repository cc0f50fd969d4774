// Carries out one batch of address commands by `ip`, and knows what the kernel told meanwhile.
import type { CommandResult, RunningCommand } from '../base/command.ts';
import { IP_BATCH, judgeBatch, type BatchOutcome } from './ip-outcome.ts';
import { commandLine, deviceWord, type AddressCommand } from './plan.ts';
import type { AddressNotice, AddressView, Place, RunCommand, StartTimer } from './ports.ts';

export interface BatchOptions {
  readonly runCommand: RunCommand;
  readonly addresses: AddressView;
  readonly startTimer: StartTimer;
  /** The environment of `ip`: PATH, and nothing that is secret. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a batch ended, and what the kernel told of the interface between its begin and its end. */
export interface BatchReport extends BatchOutcome {
  readonly notices: readonly AddressNotice[];
}

/** `ip` answers in milliseconds; it hangs only while another process holds the kernel's lock. */
const COMMAND_TIMEOUT_MS = 2_000;
/** One that is killed may have been slow: the next ones get twice the time, up to this. */
const COMMAND_TIMEOUT_MS_MAX = 8_000;
/** A batch of this age hangs, and is not waited for where somebody has no time. */
const HANGING_MS = 250;
const OUTPUT_BYTES_MIN = 4_096;
/** Long enough for what `ip` says of one command. */
const OUTPUT_BYTES_EACH = 256;

const WELL = { kind: 'exited', code: 0, output: '', truncated: false } as const;

/** Whether the kernel has told of all that the commands are to do. */
function isDone(commands: readonly AddressCommand[], notices: readonly AddressNotice[]): boolean {
  return commands.every(({ verb, address, prefixLength }) => {
    const last = notices.findLast(
      (one) =>
        one.kind !== 'gap' &&
        one.address.address === address &&
        one.address.prefixLength === prefixLength,
    );
    return last?.kind === (verb === 'add' ? 'added' : 'removed');
  });
}

/** Runs batches, of which the caller never has two under way. */
export class AddressBatch {
  readonly #options: BatchOptions;
  #running: { readonly command: RunningCommand; hangs: boolean } | undefined;
  #hurried = false;
  #timeoutMs = COMMAND_TIMEOUT_MS;

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  /** Carries out the commands, one after the other; what fails does not keep the rest back. */
  async run(commands: readonly AddressCommand[], place: Place): Promise<BatchReport> {
    const { addresses } = this.#options;
    const device = deviceWord(place);
    // What the kernel has told up to now is not of this batch.
    addresses.drain();
    const notices: AddressNotice[] = [];
    const unsubscribe = addresses.onNotice((notice) => void notices.push(notice));
    const result = await this.#runIp(commands, device, notices);
    // The kernel tells before it answers `ip`: what this batch has done is there to be read.
    addresses.drain();
    unsubscribe();
    return { ...judgeBatch(commands, device, result), notices };
  }

  /** Kills the batch under way, now or when it hangs; later ones have all their time. */
  hurry(): void {
    this.#hurried = this.#running !== undefined;
    if (this.#running?.hangs === true) this.#running.command.kill();
  }

  /** "notices" grows meanwhile: an `ip` that hangs although all is done has no more to say. */
  async #runIp(
    commands: readonly AddressCommand[],
    device: string,
    notices: readonly AddressNotice[],
  ): Promise<CommandResult> {
    const { runCommand, startTimer, env, addresses } = this.#options;
    const command = runCommand({
      argv: IP_BATCH,
      input: commands.map((each) => `${commandLine(each, device)}\n`).join(''),
      env,
      timeoutMs: this.#timeoutMs,
      outputBytesMax: OUTPUT_BYTES_MIN + OUTPUT_BYTES_EACH * commands.length,
    });
    const running = { command, hangs: false };
    this.#running = running;
    const cancelTimer = startTimer(HANGING_MS, () => {
      running.hangs = true;
      if (this.#hurried || isDone(commands, notices)) command.kill();
    });
    const unsubscribe = addresses.onNotice(() => {
      if (running.hangs && isDone(commands, notices)) command.kill();
    });
    const ended = await command.result;
    const wasKilled = ended.kind === 'timeout' || (ended.kind === 'exited' && ended.signal);
    const result = wasKilled && isDone(commands, notices) ? WELL : ended;
    unsubscribe();
    cancelTimer();
    this.#running = undefined;
    this.#hurried = false;
    this.#timeoutMs =
      result.kind === 'timeout'
        ? Math.min(2 * this.#timeoutMs, COMMAND_TIMEOUT_MS_MAX)
        : COMMAND_TIMEOUT_MS;
    return result;
  }
}
