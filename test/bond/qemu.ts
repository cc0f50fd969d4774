// Machines in qemu: the distribution's kernel on an emulated processor. KVM is not used: its device
// node is there on hosts where no guest starts with it.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { constants as osConstants, homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What qemu and the kernel are called for a kind of processor. */
interface Platform {
  readonly qemu: string;
  readonly machine: string;
  readonly console: string;
}

const PLATFORMS: Readonly<Partial<Record<NodeJS.Architecture, Platform>>> = {
  x64: { qemu: 'qemu-system-x86_64', machine: 'pc', console: 'ttyS0' },
  arm64: { qemu: 'qemu-system-aarch64', machine: 'virt', console: 'ttyAMA0' },
};
/**
 * For speed: an emulated processor takes long over what guards a real one against its guests, and
 * its TSC is the host's.
 */
const KERNEL_WORDS = [
  ...['quiet', 'mitigations=off', 'apparmor=0', 'audit=0', 'nowatchdog'],
  ...['tsc=reliable', 'rcupdate.rcu_expedited=1'],
];
const MAKE_KERNEL = fileURLToPath(new URL('kernel.sh', import.meta.url));
const CONSOLE_CHARS_KEPT = 6_000;

/** A folder of the host that the guest can mount, by its tag. */
export interface Share {
  readonly tag: string;
  readonly path: string;
  readonly writable: boolean;
}

/** What a machine is started with. */
export interface MachineOptions {
  /** Words for the kernel's command line. */
  readonly words: readonly string[];
  readonly memoryMiB: number;
  readonly cpus: number;
  /** A folder of its own for what it keeps on the host. */
  readonly stateDirectory: string;
  readonly shares?: readonly Share[];
  /** An image that is the guest's only disk. */
  readonly disk?: string;
  /** True: the guest may boot again. Otherwise a reboot ends the machine, and so does a panic. */
  readonly reboots?: boolean;
}

/** Where the kernel for guests is kept: outside of the checkout, shared by all checkouts. */
export function kernelFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? '';
  return join(cache.startsWith('/') ? cache : join(homedir(), '.cache'), 'carpd/kernel');
}

/** What is missing for booting guests here, as sentences with a remedy; empty when nothing is. */
export function qemuMissing(): readonly string[] {
  const platform = PLATFORMS[process.arch];
  if (platform === undefined) {
    return [`no machine is known for this processor (${process.arch}): run it on x64 or arm64`];
  }
  if (isInstalled(platform.qemu)) return [];
  const name = process.arch === 'x64' ? 'qemu-system-x86' : 'qemu-system-arm';
  return [`${platform.qemu} is not installed: apt-get install ${name}`];
}

/** Sees to it that the kernel for guests is there; false if it is not, and then it was said why. */
export function makeKernel(): boolean {
  return spawnSync('bash', [MAKE_KERNEL, kernelFolder()], { stdio: 'inherit' }).status === 0;
}

/** A machine that runs. Its line to the guest, /dev/hvc0 there, is the child's stdin and stdout. */
export class Qemu {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #consoleFile: string;
  #said = '';

  constructor(options: MachineOptions) {
    const platform = PLATFORMS[process.arch];
    if (platform === undefined) throw new Error(qemuMissing().join('; '));
    this.#consoleFile = join(options.stateDirectory, 'console');
    const words = qemuWords(options, platform, this.#consoleFile);
    // The machine dies with this process, however that ends.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', platform.qemu, ...words], {
      // A process group of its own: Ctrl-C on a terminal is obeyed by this process alone.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: searchPath() },
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-CONSOLE_CHARS_KEPT);
    });
    this.child.stdin.on('error', () => undefined);
  }

  /** The end of what the guest's kernel and qemu have said, for a failure message. */
  tail(): string {
    return this.#consoleText().slice(-CONSOLE_CHARS_KEPT) + this.#said;
  }

  /** Ends it at once, with all that runs on it. */
  kill(): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, osConstants.signals.SIGKILL);
    } catch {
      // The group is gone already, which is what is wanted.
    }
  }

  #consoleText(): string {
    try {
      return readFileSync(this.#consoleFile, 'utf8').replaceAll('\r', '');
    } catch {
      return '';
    }
  }
}

function qemuWords(
  { words, memoryMiB, cpus, shares = [], disk, reboots = false }: MachineOptions,
  { machine, console }: Platform,
  consoleFile: string,
): readonly string[] {
  const kernel = kernelFolder();
  const panic = `panic=${reboots ? 0 : -1}`;
  const command = [`console=${console}`, panic, ...KERNEL_WORDS, ...words].join(' ');
  return [
    ...['-accel', 'tcg,thread=multi', '-machine', machine, '-cpu', 'max'],
    ...['-smp', String(cpus), '-m', String(memoryMiB)],
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...(reboots ? [] : ['-no-reboot']),
    ...['-kernel', join(kernel, 'vmlinuz'), '-initrd', join(kernel, 'initrd.gz')],
    ...['-append', command, '-serial', `file:${consoleFile}`],
    ...['-chardev', 'stdio,id=line,signal=off', '-device', 'virtio-serial-pci'],
    ...['-device', 'virtconsole,chardev=line'],
    ...shares.flatMap(shareWords),
    ...(disk === undefined ? [] : ['-drive', `if=virtio,format=raw,cache=unsafe,file=${disk}`]),
  ];
}

function shareWords({ tag, path, writable }: Share): readonly string[] {
  const mode = `security_model=none,multidevs=remap${writable ? '' : ',readonly=on'}`;
  return [
    ...['-fsdev', `local,id=${tag},path=${path.replaceAll(',', ',,')},${mode}`],
    ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

function isInstalled(program: string): boolean {
  return searchPath()
    .split(':')
    .some((directory) => {
      try {
        accessSync(join(directory, program), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function searchPath(): string {
  return `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
}
