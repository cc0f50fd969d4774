// A whole machine: a disk that boots in qemu with systemd as process 1. The test speaks
// to it over its serial line, at whose end guest/common/usr/local/lib/lab/console runs scripts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from '../../lab/namespaces.ts';
import { Changes, failure } from '../../lab/wait.ts';
import { Qemu } from '../bond/qemu.ts';

/** A boot takes half a minute, and much longer beside others. */
const BOOT_MS = 400_000;
const SCRIPT_MS_DEFAULT = 120_000;
const MEMORY_MIB = 1_024;
const CPUS = 2;
const WORDS = [
  ...['CARPD_ROOT=disk', 'CARPD_INIT=/lib/systemd/systemd', 'SYSTEMD_COLORS=0'],
  // No login on the line that the test speaks over.
  ...['systemd.show_status=no', 'systemd.getty_auto=no'],
];

/** What a script said, stdout and stderr together, and how it ended. */
export interface Said {
  readonly code: number;
  readonly output: string;
}

export class Machine {
  readonly #qemu: Qemu;
  readonly #changes = new Changes();
  readonly #answers = new Map<number, Said>();
  #asked = 0;
  #boots = 0;
  #ended = false;

  private constructor(qemu: Qemu) {
    this.#qemu = qemu;
    this.#readLines();
    for (const event of ['error', 'exit']) {
      qemu.child.on(event, () => {
        this.#ended = true;
        this.#changes.notify();
      });
    }
  }

  /** Boots a disk, which the machine writes to; it is killed when the test is over. */
  static async boot(scope: Scope, disk: string): Promise<Machine> {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'carpd-boot-'));
    const qemu = new Qemu({
      words: WORDS,
      memoryMiB: MEMORY_MIB,
      cpus: CPUS,
      stateDirectory,
      disk,
      reboots: true,
    });
    const end = (): void => {
      qemu.kill();
      rmSync(stateDirectory, { recursive: true, force: true });
    };
    process.once('exit', end);
    scope.after(() => {
      process.removeListener('exit', end);
      end();
    });
    const machine = new Machine(qemu);
    await machine.#booted(1);
    return machine;
  }

  /** Runs a bash script in it to its end. */
  async run(script: string, withinMs = SCRIPT_MS_DEFAULT): Promise<Said> {
    this.#asked += 1;
    const number = this.#asked;
    this.#qemu.child.stdin.write(`${number} ${Buffer.from(script).toString('base64')}\n`);
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

  /** The end of what was written to the kernel's console, for a failure message. */
  tail(): string {
    return this.#qemu.tail();
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
    this.#qemu.child.stdout.setEncoding('utf8').on('data', (text: string) => {
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
