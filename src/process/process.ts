// The daemon as a process: signals in, exit code out.
import { CarpdError, messageOf } from '../base/errors.ts';
import { fromSeconds, since, type Micros } from '../base/time.ts';
import type { Config } from '../config/config.ts';
import { spareDescriptors } from '../linux/system/spare-descriptors.ts';
import { Daemon } from '../daemon/daemon.ts';
import { closeDebugger } from './debugger.ts';
import { stockRivals } from '../doctor/facts/host.ts';
import { earlySignals } from './early-signals.ts';
import { releaseAtOnce } from '../release/emergency.ts';
import type { EventBus } from '../events/bus.ts';
import { openLoggedBus } from '../log/event-log.ts';
import type { Logger } from '../log/log.ts';
import type { Ports } from '../ports/ports.ts';
import { realPorts } from './real-ports.ts';
import { Reloads, type ReadAgain } from './reloads.ts';
import { supervise } from './systemd.ts';

/** How the process behaves where `carpd` and `ucarp` differ. */
export interface ProcessMode {
  /** carpd: SIGHUP reloads. ucarp: SIGHUP and SIGQUIT stop as well. */
  readonly reload: ReadAgain | undefined;
  /** End with exit code 0 when an interface vanishes or is set down (Debian's hook needs it). */
  readonly endWithInterface: boolean;
}

export interface ProcessOptions {
  readonly config: Config;
  /** Of the file that it is from; absolute. Undefined: there is none. */
  readonly configPath?: string;
  readonly log: Logger;
  /** What is doubtful of the configuration or of the host; each is published first of all. */
  readonly warnings: readonly string[];
  readonly mode: ProcessMode;
  /** Of carpd, for its metrics. */
  readonly version: string;
  /** All instances take part, or wait for their interface. */
  readonly onStarted?: () => void;
  /** Setting up failed; one line, which is in the log as well. */
  readonly onFailed?: (line: string) => void;
}

const EXIT_DONE = 0;
const EXIT_FAILED = 1;
/** ucarp's code for a set-up that failed. */
const EXIT_SET_UP = 2;

/**
 * Runs until a signal or a fault ends it; resolves to the exit code when the log is written. Then
 * process.exit() ends the process at once.
 */
export async function runDaemon(options: ProcessOptions): Promise<number> {
  const { log, warnings } = options;
  const ports = realPorts();
  const events = openLoggedBus(log, ports.now, ports.startTimer);
  for (const detail of warnings) events.publish({ event: 'configuration-warning', detail });
  const exitCode = await new DaemonProcess(options, ports, events).run();
  events.publish({ event: 'daemon-stopped', exitCode });
  await log.flush();
  endIfStuck(log);
  return exitCode;
}

/** process.exit() waits for the threads, and one that writes to a stopped terminal never ends. */
function endIfStuck(log: Logger): void {
  if (log.holdsUpExit()) process.kill(process.pid, 'SIGKILL');
}

/** The first ending signal releases everything; more of them change nothing for so long. */
const PATIENCE = fromSeconds(5);
/** So many times Ctrl-C, and somebody at the keyboard means it. */
const INTERRUPTS_MAX = 3;

class DaemonProcess {
  readonly #options: ProcessOptions;
  readonly #events: EventBus;
  readonly #ports: Ports;
  readonly #daemon: Daemon;
  #started = false;
  #endingSince: Micros | undefined;
  /** Came before all was up. */
  readonly #early = new Set<NodeJS.Signals>();
  #interrupts = 0;
  readonly #reloads: Reloads;
  #end: (exitCode: number) => void = () => undefined;

  constructor(options: ProcessOptions, ports: Ports, events: EventBus) {
    const { config, configPath, log, version } = options;
    this.#options = options;
    this.#ports = ports;
    this.#events = events;
    this.#daemon = new Daemon({
      config,
      ...(configPath === undefined ? {} : { configPath }),
      ports,
      events,
      version,
      logLinesDropped: () => log.droppedLines(),
      onInterfaceGone: () => this.#interfaceGone(),
      onLogChanged: (settings) => log.configure(settings),
      reload: (dryRun) => this.#reloads.byOrder(dryRun),
    });
    this.#reloads = new Reloads({
      read: options.mode.reload,
      daemon: this.#daemon,
      warn: (detail) => events.publish({ event: 'configuration-warning', detail }),
      isRunning: () => this.#started && this.#endingSince === undefined,
    });
    this.#beSupervised();
  }

  run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    this.#listen();
    closeDebugger();
    for (const signal of earlySignals.handOver()) this.#signal(signal);
    // Asked to end already, it touches nothing.
    if (this.#endingSince !== undefined) return ended;
    spareDescriptors.take();
    void this.#start();
    return ended;
  }

  async #start(): Promise<void> {
    const { config, mode, onStarted, onFailed } = this.#options;
    try {
      await this.#daemon.start();
    } catch (error) {
      this.#publishFailure(error);
      onFailed?.(messageOf(error));
      const held = error instanceof CarpdError && error.code === 'CARPD_GROUP';
      this.#end(mode.endWithInterface || held ? EXIT_SET_UP : EXIT_FAILED);
      return;
    }
    if (this.#endingSince !== undefined) return;
    this.#started = true;
    const fault = mode.endWithInterface ? this.#daemon.firstFault() : undefined;
    if (fault !== undefined) {
      onFailed?.(fault);
      this.#stop(fault, EXIT_SET_UP);
      return;
    }
    this.#events.publish({ event: 'daemon-started', instances: config.instances.length });
    onStarted?.();
    // The locks are held by now, so that no daemon of ours is meant.
    for (const detail of stockRivals(config.instances, this.#daemon.interfaceKey)) {
      this.#events.publish({ event: 'configuration-warning', detail });
    }
    for (const signal of this.#early) this.#order(signal);
  }

  /** Before everything has started it is a failed set-up, which is another case above. */
  #interfaceGone(): void {
    if (!this.#options.mode.endWithInterface || !this.#started) return;
    this.#stop('the interface is gone', EXIT_DONE);
  }

  #stop(why: string, exitCode: number): void {
    if (this.#endingSince !== undefined) return;
    this.#endingSince = this.#ports.now();
    this.#events.publish({ event: 'daemon-stopping', why });
    this.#daemon.stop().then(
      (leftBehind) => this.#end(leftBehind.length === 0 ? exitCode : EXIT_FAILED),
      (error: unknown) => {
        this.#publishFailure(error);
        this.#end(EXIT_FAILED);
      },
    );
  }

  #fail(why: string): void {
    const { log } = this.#options;
    this.#events.publish({ event: 'daemon-failed', detail: why, fatal: true });
    const holdings = this.#daemon.abandon();
    this.#daemon.closeSockets();
    releaseAtOnce(holdings, this.#ports.env);
    log.flushSync();
    endIfStuck(log);
    process.exit(EXIT_FAILED);
  }

  #beSupervised(): void {
    const { serviceManager: manager } = this.#ports;
    if (manager === undefined) return;
    const daemon = this.#daemon;
    supervise({
      ...this.#ports,
      manager,
      events: this.#events,
      reports: () => daemon.reports(),
      turn: () => daemon.turn(),
    });
  }

  #publishFailure(error: unknown): void {
    this.#events.publish({ event: 'daemon-failed', detail: messageOf(error), fatal: false });
  }

  #publishSignal(signal: NodeJS.Signals, meaning: string): void {
    this.#events.publish({ event: 'signal-received', signal, meaning });
  }

  #listen(): void {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
      process.on(signal, () => this.#signal(signal));
    }
    if (this.#options.mode.reload === undefined) {
      process.on('SIGQUIT', () => this.#signal('SIGQUIT'));
    }
    process.on('uncaughtException', (error) =>
      this.#fail(`fault in carpd: ${error.stack ?? error.message}`),
    );
  }

  #signal(signal: NodeJS.Signals): void {
    const isOrder =
      signal === 'SIGUSR1' ||
      signal === 'SIGUSR2' ||
      (signal === 'SIGHUP' && this.#options.mode.reload !== undefined);
    if (!isOrder) this.#endingSignal(signal);
    else if (this.#started) this.#order(signal);
    else this.#early.add(signal);
  }

  /** What a running daemon does besides ending. */
  #order(signal: NodeJS.Signals): void {
    if (signal === 'SIGUSR1') this.#daemon.logState();
    if (signal === 'SIGHUP' && this.#endingSince === undefined) {
      this.#publishSignal('SIGHUP', 'reading the configuration again');
      void this.#reloads.bySignal();
    }
    if (signal !== 'SIGUSR2') return;
    this.#publishSignal(signal, 'every master hands over');
    this.#daemon.handover();
  }

  /**
   * A supervisor may send several ending signals in a row (systemd: SIGTERM, then SIGHUP), and the
   * bow-out must leave all the same. Who insists, gets an end without waiting for hooks.
   */
  #endingSignal(signal: NodeJS.Signals): void {
    if (signal === 'SIGINT') this.#interrupts += 1;
    if (this.#endingSince === undefined) return this.#stop(signal, EXIT_DONE);
    const insists =
      since(this.#ports.now(), this.#endingSince) > PATIENCE || this.#interrupts >= INTERRUPTS_MAX;
    if (insists) this.#fail(`${signal} again: ending at once, without waiting for hooks`);
    else this.#publishSignal(signal, 'already ending');
  }
}
