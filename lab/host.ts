// A network namespace of a lab and the commands that run in it.
import { Child, type SpawnOptions } from './child.ts';
import { run } from './command.ts';

/** A namespace with the device that matters in it. */
export class Netns {
  readonly netns: string;
  readonly interface: string;
  readonly #children: Child[] = [];

  constructor(netns: string, device: string) {
    this.netns = netns;
    this.interface = device;
  }

  /** Everything that was started here, ended or not. */
  get children(): readonly Child[] {
    return this.#children;
  }

  /** Runs a command in the namespace to its end and yields its output; fails if it fails. */
  exec(argv: readonly string[]): Promise<string> {
    return run(['ip', 'netns', 'exec', this.netns, ...argv]);
  }

  /** Runs `ip` with these words on the namespace, without entering it: the quicker way. */
  ip(...words: readonly string[]): Promise<string> {
    return run(['ip', '-n', this.netns, ...words]);
  }

  /**
   * Starts a process in the namespace, which sees its own /sys; `ip netns exec` becomes the
   * command, so that the pid is the command's. It is killed with its group when the lab is closed.
   */
  spawn(argv: readonly string[], options: SpawnOptions = {}): Child {
    const label = options.label ?? `${argv[0] ?? ''} in ${this.netns}`;
    const words = ['ip', 'netns', 'exec', this.netns, ...argv];
    const child = new Child(words, { ...options, label });
    this.#children.push(child);
    return child;
  }

  /** The end of the output of everything that was started here. */
  report(): string {
    return this.#children.map((child) => child.tail()).join('\n');
  }

  /** Kills what still runs, with its process group. */
  killChildren(): void {
    // The number of a process that has ended may be another's by now.
    for (const child of this.#children) if (child.exited === undefined) child.killGroup();
  }
}

/** A host of a lab: a namespace with one link to the switch. */
export class Host extends Netns {
  /** Its label in the lab. */
  readonly name: string;
  /** Its real address, without the prefix length. */
  readonly address: string;
  readonly prefixLength: number;
  readonly mac: string;
  /** A temporary directory that goes with the lab. */
  readonly directory: string;

  constructor(netns: string, name: string, cidr: string, mac: string, directory: string) {
    super(netns, 'eth0');
    const [address = '', prefixLength = '32'] = cidr.split('/');
    this.directory = directory;
    this.name = name;
    this.address = address;
    this.prefixLength = Number(prefixLength);
    this.mac = mac;
  }

  /** Sets the link down administratively, on the host's side. */
  async linkDown(): Promise<void> {
    await this.ip('link', 'set', this.interface, 'down');
  }

  async linkUp(): Promise<void> {
    await this.ip('link', 'set', this.interface, 'up');
  }

  /** Whether the kernel calls the interface running (operational state up). */
  async hasCarrier(): Promise<boolean> {
    return / state UP /.test(await this.ip('link', 'show', this.interface));
  }
}
