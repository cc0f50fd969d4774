// A process on a host in memory: the ports that it runs by. It can stand still, as by SIGSTOP, and
// be killed, after which nothing more is heard of it; what it has put on interfaces stays.
import { fromMillis, micros, plus, type Micros, toMillis } from '../../src/base/time.ts';
import type { CommandRequest, CommandResult, RunningCommand } from '../../src/base/command.ts';
import { formatIpv4, type Ipv4 } from '../../src/base/addresses.ts';
import type { ControlOptions } from '../../src/control/server.ts';
import type { MetricsServerOptions } from '../../src/metrics/server.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { openClaimWatch } from '../../src/linux/sockets/claim-watch.ts';
import { openFrameWitness } from '../../src/linux/sockets/frame-witness.ts';
import type { GroupHolder, GroupPlace, LockAttempt } from '../../src/linux/sockets/group-lock.ts';
import type { LinkWatch, LinkWatchOptions } from '../../src/linux/links/link-watch.ts';
import { SocketError } from '../../src/linux/sockets/socket-error.ts';
import { exited, type FakeHost } from './host.ts';
import { HostLinks } from './host-links.ts';
import { FakePacketSocket, HostCarpSocket, type Below } from './host-sockets.ts';

/** What a process that stands still finds when it goes on: Node looks at its timers first. */
interface Backlog {
  readonly timers: (() => void)[];
  readonly others: (() => void)[];
}

/** How long the kernel takes to say what interfaces there are. */
const DUMP_MS = 1;
let lastPid = 100;

/** One process on a host in memory. */
export class FakeProcess {
  readonly host: FakeHost;
  readonly pid: number;
  /** Its control socket, while it has one. */
  control: ControlOptions | undefined;
  /** Its server of metrics, while it has one. */
  metrics: MetricsServerOptions | undefined;
  /** What is in the way of opening sockets: an errno. */
  socketErrno: string | undefined;
  /** Every timer fires so much later. */
  lag: Micros = micros(0);
  /** A flaw: when it is asked to read its sockets, it does not, and waits to be told. */
  ignoresDrain = false;
  /** Told whenever the process has run. */
  onRan: () => void = () => undefined;
  /** Why the control socket and the metrics can't be opened at first. */
  unopened: string | undefined;
  readonly #opened = new Set<{ close(): void }>();
  /** Commands that have not ended. */
  #children = 0;
  /** Timers and turns that it waits for. */
  #pending = 0;
  #isTold = false;
  #backlog: Backlog | undefined;
  #isDead = false;
  #counter = 0;

  constructor(host: FakeHost) {
    lastPid += 1;
    this.pid = lastPid;
    this.host = host;
  }

  /** How many timers and turns it waits for; none when it is at its end. */
  get pending(): number {
    return this.#pending;
  }

  /** How many commands of it run. */
  get children(): number {
    return this.#children;
  }

  get standsStill(): boolean {
    return this.#backlog !== undefined;
  }

  /** Stands still until `goOn`. */
  standStill(): void {
    this.#backlog ??= { timers: [], others: [] };
  }

  goOn(): void {
    const { timers, others } = this.#backlog ?? { timers: [], others: [] };
    this.#backlog = undefined;
    for (const run of [...timers, ...others]) this.#later(micros(0), 'others', run);
  }

  /** As SIGKILL: the kernel takes back sockets and names, and leaves addresses. */
  kill(): void {
    this.#isDead = true;
    for (const one of [...this.#opened]) one.close();
    for (const [name, pid] of this.host.names) {
      if (pid === this.pid) this.host.names.delete(name);
    }
  }

  /** Breaks every receiving socket for adverts. */
  breakSockets(errno: string): void {
    for (const socket of [...this.#opened]) {
      if (socket instanceof HostCarpSocket) socket.fail(failure('receive', errno));
    }
  }

  ports(): Ports {
    const { host, pid } = this;
    return {
      now: host.time.now,
      wallMs: () => Date.UTC(2026, 0, 1) + toMillis(host.time.now()),
      startTimer: (delayMs, run) =>
        this.#later(plus(fromMillis(Math.max(delayMs, 0)), this.lag), 'timers', run),
      nextTurn: (run) => this.#later(micros(0), 'others', run),
      randomCounter: () => BigInt(pid) << 32n,
      randomIdentification: () => (this.#counter = (this.#counter + 1) % 0x10000),
      openCarpSocket: async (options) => {
        await this.#turn();
        this.#refuse();
        return this.#open(new HostCarpSocket(options, this.#below));
      },
      openPacketSocket: (options) => this.#openPacket(options),
      openFrameWitness: (options) =>
        openFrameWitness(options, (socket) => this.#openPacket(socket)),
      openClaimWatch: (options) => openClaimWatch(options, (socket) => this.#openPacket(socket)),
      openLinkWatch: (options) => this.#openLinks(options),
      lockGroup: (place) => this.#lock(place),
      groupHolder: (place) => this.#holderOf(place),
      isServedElsewhere: (address, ifindex) => this.#isForeign(address, ifindex),
      readGateways: () => Promise.resolve(host.gateways),
      readNeighbours: () => Promise.resolve(host.neighbours()),
      filtersStrictly: () => false,
      wayBackTo: () => host.links()[0]?.name,
      readFirewall: () => Promise.resolve(host.firewall),
      promotion: {
        inForce: ({ ifindex }) => host.promotes(ifindex),
        set: ({ ifindex }, on) => Promise.resolve(host.setPromotes(ifindex, on)),
      },
      runCommand: (request) => this.#run(request),
      env: {},
      pid,
      isRoot: true,
      hasRivalDaemon: () => false,
      serviceManager: undefined,
      maintenanceStore: (directory) => host.state.maintenance(directory),
      servedStore: (directory) => host.state.served(directory),
      releaseStore: host.state.release,
      openControl: (options) => {
        this.control = options;
        const end = (): void => void (this.control = undefined);
        return { firstFailure: Promise.resolve(this.unopened), close: end, retire: end };
      },
      openMetrics: (options) => {
        this.metrics = options;
        options.onOpened();
        const end = (): void => void (this.metrics = undefined);
        return { firstFailure: Promise.resolve(this.unopened), close: end, retire: end };
      },
    };
  }

  // ---- its turns ----

  /** Has the process do something as soon as it runs, as a signal or an order does. */
  inTurn(run: () => void): void {
    this.#later(micros(0), 'others', run);
  }

  #told(read: () => void): void {
    this.#isTold = true;
    read();
    this.#isTold = false;
  }

  #later(delay: Micros, kind: keyof Backlog, run: () => void): () => void {
    let isDue = true;
    this.#pending += 1;
    const settle = (): void => {
      if (isDue) this.#pending -= 1;
      isDue = false;
    };
    const perform = (): void => {
      const isCalledOff = !isDue || this.#isDead;
      settle();
      if (!isCalledOff) run();
      this.onRan();
    };
    this.host.time.after(delay, () => {
      if (this.#backlog === undefined) perform();
      else this.#backlog[kind].push(perform);
    });
    return settle;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => void this.#later(micros(0), 'others', resolve));
  }

  // ---- sockets ----

  readonly #below: Below = {
    readable: (read) => void this.#later(micros(0), 'others', () => this.#told(read)),
    readsNothing: () => this.ignoresDrain && !this.#isTold,
    sendFrame: (ifindex, frame) => check('send', this.host.sendFrame(ifindex, frame)),
    sendPacket: (ifindex, packet, to) => {
      check('send', this.host.sendPacket(ifindex, packet, to));
    },
    closed: (socket) => void this.host.sockets.delete(socket),
    turn: () => this.#turn(),
  };

  #openPacket(options: ConstructorParameters<typeof FakePacketSocket>[0]): FakePacketSocket {
    this.#refuse();
    return this.#open(new FakePacketSocket(options, this.#below));
  }

  #open<Socket extends { close(): void }>(socket: Socket): Socket {
    this.host.sockets.add(socket);
    this.#opened.add(socket);
    return socket;
  }

  #refuse(): void {
    check('open', this.socketErrno);
  }

  #openLinks(options: LinkWatchOptions): Promise<LinkWatch> {
    const { watches } = this.host;
    return new Promise((resolve) => {
      this.#later(fromMillis(DUMP_MS), 'others', () => {
        const watch = new HostLinks(options, {
          links: this.host.links(),
          readable: (read) => this.#below.readable(read),
          onAsked: () => this.host.asked(),
          onClosed: (closed) => void watches.delete(closed),
        });
        watches.add(watch);
        this.#opened.add(watch);
        resolve(watch);
      });
    });
  }

  // ---- names ----

  #lock(place: GroupPlace): LockAttempt {
    const holder = this.#holderOf(place);
    if (holder !== undefined) return { kind: 'held', holder };
    const { names } = this.host;
    const taken = namesOf(place);
    for (const { name } of taken) names.set(name, this.pid);
    const mark = `${taken[0]?.name ?? ''}/leaving`;
    const release = (): void => {
      for (const name of [...taken.map((one) => one.name), mark]) names.delete(name);
    };
    return { kind: 'locked', lock: { leaving: () => void names.set(mark, this.pid), release } };
  }

  #holderOf(place: GroupPlace): GroupHolder | undefined {
    const { names } = this.host;
    for (const { name, has } of namesOf(place)) {
      const pid = names.get(name);
      if (pid === undefined) continue;
      return { pid, program: 'carpd', leaving: names.has(`${name}/leaving`), has };
    }
    return undefined;
  }

  #isForeign(address: Ipv4, ifindex: number): boolean {
    const holder = this.host.names.get(vipName(formatIpv4(address), ifindex));
    return holder !== undefined && holder !== this.pid;
  }

  // ---- commands ----

  #run({ argv, input = '', timeoutMs, onLine }: CommandRequest): RunningCommand {
    const { host } = this;
    const lines = input.split('\n').filter((line) => line !== '');
    host.commands.push({ argv, lines });
    host.began({ argv, lines });
    const behaviour = argv[0] === 'ip' ? host.ipNow() : host.hook(argv);
    let end: (result: CommandResult) => void = () => undefined;
    const result = new Promise<CommandResult>((resolve) => {
      // The process hears of it in its own time; the command does not wait for it.
      end = (ended) => void this.#later(micros(0), 'others', () => resolve(ended));
    });
    let isOver = false;
    this.#children += 1;
    const finish = (how: () => CommandResult) => (): void => {
      if (isOver) return;
      isOver = true;
      this.#children -= 1;
      end(how());
    };
    host.time.after(
      fromMillis(timeoutMs),
      finish(() => ({ kind: 'timeout', ended: true })),
    );
    if (behaviour !== 'hangs') {
      const perform = (): CommandResult => {
        if (behaviour.result !== undefined) return behaviour.result;
        behaviour.done?.();
        return argv[0] === 'ip' ? this.#ip(argv, lines) : exited();
      };
      host.time.after(fromMillis(behaviour.ms), finish(perform));
      if (argv[0] !== 'ip') onLine?.(`${argv[0] ?? ''} runs`);
    }
    const signal = 'SIGKILL';
    const killed = {
      kind: 'exited',
      code: undefined,
      signal,
      output: '',
      truncated: false,
    } as const;
    return { result, kill: finish(() => killed) };
  }

  #ip(argv: readonly string[], lines: readonly string[]): CommandResult {
    if (argv.includes('route')) return exited('[]');
    if (argv.includes('show')) return exited(this.host.showAddresses());
    const said = lines.flatMap((line, index) => {
      const refusal = this.host.carryOut(line);
      return refusal === undefined ? [] : [refusal, `Command failed -:${String(index + 1)}`];
    });
    if (said.length === 0) return exited();
    return exited(`${said.join('\n')}\n`, 1);
  }
}

/** The names that hold a group. */
export function namesOf({
  ifindex,
  vhid,
  destination,
  virtualIp,
}: GroupPlace): readonly { readonly name: string; readonly has: GroupHolder['has'] }[] {
  return [
    { name: `carpd/${ifindex}/${vhid}/${destination}`, has: 'group' },
    { name: vipName(virtualIp, ifindex), has: 'virtual IP' },
  ];
}

function vipName(virtualIp: string, ifindex: number): string {
  return `carpd/${ifindex}/vip/${virtualIp}`;
}

function check(operation: string, errno: string | undefined): void {
  if (errno !== undefined) throw failure(operation, errno);
}

function failure(operation: string, errno: string): SocketError {
  return new SocketError('CARPD_SOCKET', operation, `refused (${errno})`, { errno });
}
