// A spare copy of this machine to install packages in: its files below an overlay that takes every
// change, in the namespace of a lab's host. There is no systemd in it, and it goes with the lab.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../lab/child.ts';
import { type SpawnOptions } from '../../lab/child.ts';
import type { Host } from '../../lab/host.ts';

const COMMAND_MS = 120_000;

/** What a command said, and how it ended. */
export interface Said {
  readonly code: number | null;
  readonly output: string;
}

export class SpareHost {
  readonly #host: Host;
  readonly #work: string;
  readonly #keeper: Child;

  private constructor(host: Host, work: string, keeper: Child) {
    this.#host = host;
    this.#work = work;
    this.#keeper = keeper;
  }

  /** Makes one in the namespace of `host`; the folder `packages` is its /mnt. */
  static async make(host: Host, packages: string): Promise<SpareHost> {
    const work = join(host.directory, `spare-${host.name}`);
    mkdirSync(work);
    const keeper = host.spawn(['sh', '-euc', MAKE_ROOT, 'sh', work, packages], { label: 'mounts' });
    await keeper.line(/^ready$/, COMMAND_MS);
    return new SpareHost(host, work, keeper);
  }

  /** Starts a command in it. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): Child {
    const label = options.label ?? argv.join(' ');
    const inside = ['chroot', join(this.#work, 'root'), ...argv];
    return this.#enter(inside, { ...options, label, env: ENVIRONMENT });
  }

  /** Runs a command in it to its end. */
  async run(...argv: readonly string[]): Promise<Said> {
    const child = this.spawn(argv);
    const { code } = await child.ended(COMMAND_MS);
    return { code, output: child.lines.map(({ text }) => text).join('\n') };
  }

  /** Runs a shell script in it; throws with what it said if it fails. */
  async sh(script: string): Promise<string> {
    const child = this.spawn(['sh', '-euc', script]);
    const { code } = await child.ended(COMMAND_MS);
    if (code !== 0) throw new Error(child.tail());
    return child.lines.map(({ text }) => text).join('\n');
  }

  /** The files that came or changed since it was made, and are there, whose path matches. */
  async newFiles(pattern: RegExp): Promise<readonly string[]> {
    const upper = join(this.#work, 'upper');
    // What was removed is a character device in the overlay.
    const find = this.#enter(['find', upper, '!', '-type', 'c', '-printf', '/%P\\n'], {});
    await find.ended(COMMAND_MS);
    return find.lines.map(({ text }) => text).filter((path) => pattern.test(path));
  }

  #enter(argv: readonly string[], options: SpawnOptions): Child {
    return this.#host.spawn(
      ['nsenter', `--target=${this.#keeper.pid}`, '--mount', ...argv],
      options,
    );
  }
}

const ENVIRONMENT = {
  DEBIAN_FRONTEND: 'noninteractive',
  LC_ALL: 'C.UTF-8',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

// The mounts are seen in this process's mount namespace alone, and end with it.
const MAKE_ROOT = `
work=$1; packages=$2
mount -t tmpfs spare "$work"
mkdir "$work/upper" "$work/scratch" "$work/root"
mount -t overlay overlay \
  -o "lowerdir=/,upperdir=$work/upper,workdir=$work/scratch" "$work/root"
cd "$work/root"
mount --bind /proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs run run
mount -t tmpfs tmp tmp
mount --bind "$packages" mnt
echo force-unsafe-io >etc/dpkg/dpkg.cfg.d/carpd-test
echo ready
exec sleep infinity
`;
