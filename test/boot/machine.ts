// A whole machine: a disk that boots in User Mode Linux with systemd as process 1. The test speaks
// to it over its serial line, at whose end guest/common/usr/local/lib/lab/console runs scripts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Scope } from '../lab/namespaces.ts';
import { Changes, failure } from '../lab/wait.ts';
import { killKernel, startKernel } from '../bond/uml.ts';

/** A boot takes 10 to 20 s, and much longer beside others. */
const BOOT_MS = 180_000;
const SCRIPT_MS_DEFAULT = 120_000;
const MEMORY_MIB = 1_024;
const CONSOLE_CHARS_KEPT = 6_000;
const WORDS = [
  ...['root=/dev/ubda', 'rw', 'init=/lib/systemd/systemd'],
  // The console goes to standard error, the serial line is standard input and output.
  ...['con=null', 'con0=null,fd:2', 'ssl=null', 'ssl0=fd:0,fd:1'],
  ...['quiet', 'SYSTEMD_COLORS=0', 'systemd.show_status=auto'],
];

/** What a script said, stdout and stderr together, and how it ended. */
export interface Said {
  readonly code: number;
  readonly output: string;
}

export class Machine {
  readonly #kernel: ChildProcessWithoutNullStreams;
  readonly #changes = new Changes();
  readonly #answers = new Map<number, Said>();
  #asked = 0;
  #boots = 0;
  #ended = false;
  #console = '';

  private constructor(kernel: ChildProcessWithoutNullStreams) {
    this.#kernel = kernel;
    kernel.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#console = (this.#console + text).slice(-CONSOLE_CHARS_KEPT);
    });
    this.#readLines();
    kernel.stdin.on('error', () => undefined);
    for (const event of ['error', 'exit']) {
      kernel.on(event, () => {
        this.#ended = true;
        this.#changes.notify();
      });
    }
  }

  /** Boots a disk, which the machine writes to; it is killed when the test is over. */
  static async boot(scope: Scope, disk: string): Promise<Machine> {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'carpd-boot-'));
    const words = [`ubda=${disk}`, ...WORDS];
    const kernel = startKernel({ words, memoryMiB: MEMORY_MIB, stateDirectory });
    const end = (): void => {
      killKernel(kernel);
      rmSync(stateDirectory, { recursive: true, force: true });
    };
    process.once('exit', end);
    scope.after(() => {
      process.removeListener('exit', end);
      end();
    });
    const machine = new Machine(kernel);
    await machine.#booted(1);
    return machine;
  }

  /** Runs a bash script in it to its end. */
  async run(script: string, withinMs = SCRIPT_MS_DEFAULT): Promise<Said> {
    this.#asked += 1;
    const number = this.#asked;
    this.#kernel.stdin.write(`${number} ${Buffer.from(script).toString('base64')}\n`);
    return this.#until(() => this.#answers.get(number), `the end of: ${script}`, withinMs);
  }

  /** The same, for a script that has to succeed; yields what it said, without space at the ends. */
  async sh(script: string, withinMs?: number): Promise<string> {
    const { code, output } = await this.run(`set -eu\n${script}`, withinMs);
    if (code !== 0) throw failure(`ended with ${code}: ${script}`, () => output);
    return output.trim();
  }

  /** Shuts the system down in good order and boots it again, from the same disk. */
  async reboot(): Promise<void> {
    const boots = this.#boots;
    await this.sh('systemctl --no-block reboot');
    await this.#booted(boots + 1);
  }

  /** The end of what was written to the console, for a failure message. */
  tail(): string {
    return this.#console;
  }

  async #booted(boots: number): Promise<void> {
    await this.#until(() => this.#boots >= boots, `boot ${boots}`, BOOT_MS);
  }

  #until<Value>(probe: () => Value | undefined | false, what: string, withinMs: number) {
    const detail = (): string => this.tail();
    const probeLiving = (): Value | undefined | false => {
      if (this.#ended) throw failure(`the machine ended while waiting for ${what}`, detail);
      return probe();
    };
    return this.#changes.until(probeLiving, { withinMs, what, detail });
  }

  #readLines(): void {
    let rest = '';
    this.#kernel.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line.trim());
      this.#changes.notify();
    });
  }

  #take(line: string): void {
    if (line === 'ready') this.#boots += 1;
    const [, number, code, output = ''] = /^(\d+) (\d+) ?(\S*)$/.exec(line) ?? [];
    if (number === undefined) return;
    const text = Buffer.from(output, 'base64').toString();
    this.#answers.set(Number(number), { code: Number(code), output: text });
  }
}
