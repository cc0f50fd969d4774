// One run of the real daemon on a host of the world, with machines that are checked at each step.
import { messageOf } from '../../src/base/errors.ts';
import { toMillis, type Micros } from '../../src/base/time.ts';
import { formatIpv4, type Mac } from '../../src/base/addresses.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import type { Effect } from '../../src/election/effects.ts';
import type { Input } from '../../src/election/inputs.ts';
import { Election } from '../../src/election/machine.ts';
import type { ElectionSettings } from '../../src/election/settings.ts';
import type { ElectionSnapshot } from '../../src/election/snapshot.ts';
import { EventBus } from '../../src/events/bus.ts';
import type { Ports } from '../../src/ports/ports.ts';
import type { ReadinessEffect } from '../../src/readiness/effects.ts';
import type { InstanceSettings, ReadinessInput } from '../../src/readiness/inputs.ts';
import { LinkReadiness } from '../../src/readiness/link.ts';
import type { ReadinessSnapshot } from '../../src/readiness/snapshot.ts';
import type { SegmentMachines } from '../../src/segment/segment.ts';
import { FakeProcess } from '../fakes/host-process.ts';
import { CheckedElection } from '../support/election-rules.ts';
import { CheckedLink } from '../support/readiness-rules.ts';
import { PREFIX_LENGTH, type CarpdHost } from './carpd-host.ts';
import { PASSPHRASE, VHID, VIP } from './frame-bytes.ts';
import type { Surroundings } from './node.ts';
import { TOP_NAME } from './stack.ts';

/** What can be wrong with a daemon, to prove that the checks would find it. */
export type Flaw =
  /** Deadlines count before what waits in the sockets is read, however long it stood still. */
  | 'wake-first'
  /** What a socket held when the epoch ended is taken for proof of the new one. */
  | 'old-evidence'
  /** A master never doubts its path. */
  | 'no-doubt'
  /** What becomes of the legs of a bond ends no epoch. */
  | 'legs-unseen'
  /** Frames of every VLAN that come in by the uplink are proof. */
  | 'tags-unseen'
  /** A master trusts its path, though nobody is heard by it any more. */
  | 'sure-of-path';

const NAME = 'db';

export interface DaemonSetup {
  readonly world: Surroundings;
  readonly host: CarpdHost;
  readonly name: string;
  readonly config: Config;
  /** Every timer comes so late. */
  readonly lag: Micros;
  readonly flaw: Flaw | undefined;
}

/** A file of one instance, whose hooks are there whoever manages the address. */
const FILE = {
  metrics: { listen: 'off' },
  state: { directory: 'off' },
  control: { socket: '/run/carpd/control.sock' },
  instances: {
    [NAME]: {
      interface: TOP_NAME,
      vhid: VHID,
      address: `${formatIpv4(VIP)}/${String(PREFIX_LENGTH)}`,
      passphrase: PASSPHRASE,
      hooks: { up: ['/up'], down: ['/down'] },
    },
  },
};

/** It is read once: that takes as long as some seconds of a world. */
const LOADED = load();

function load(): Config {
  const loaded = loadConfig(JSON.stringify(FILE), {
    readFile: () => {
      throw new Error('no file is read');
    },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}

/** The configuration of a node. */
export function configOf(election: ElectionSettings, readiness: InstanceSettings): Config {
  const { advbase, advskew, deadRatio, preempt, neutral, manageAddress } = election;
  const { gate, vipInUse, targets, probeInterval } = readiness;
  const instances = LOADED.instances.map((one) => ({
    ...one,
    ...{ advbase, advskew, deadRatio, preempt, neutral, manageAddress },
    gate: {
      ...one.gate,
      policy: gate.policy,
      promoteAfterMs: toMillis(gate.promoteAfter),
      requireProbe: gate.requireProbe,
      vipInUse,
      probe: {
        targets,
        intervalMs: toMillis(probeInterval),
      },
    },
  }));
  return { ...LOADED, instances };
}

/** The link of a master that never doubts its path. */
class Doubtless extends CheckedLink {
  override step(input: ReadinessInput, now: Micros): readonly ReadinessEffect[] {
    return super.step(input, now).filter(({ kind }) => kind !== 'doubt-changed');
  }
}

/** The link of a master that trusts its path whatever comes of it. */
class Sure extends CheckedLink {
  override step(input: ReadinessInput, now: Micros): readonly ReadinessEffect[] {
    return super.step(input, now).filter(({ kind }) => kind !== 'path-changed');
  }
}

/** The link that hears once more, in the new epoch, what it heard last in the old one. */
class Echoing extends CheckedLink {
  #from: Mac | undefined;

  override step(input: ReadinessInput, now: Micros): readonly ReadinessEffect[] {
    if (input.kind === 'frame-heard') this.#from = input.from;
    const effects = super.step(input, now);
    const began = effects.find((effect) => effect.kind === 'epoch-began');
    if (began?.kind !== 'epoch-began' || this.#from === undefined) return effects;
    const { number: epoch } = began.epoch;
    return [...effects, ...super.step({ kind: 'frame-heard', from: this.#from, epoch }, now)];
  }
}

/** The election that is not told that the process stood still. */
class Hasty extends CheckedElection {
  override step(input: Input, now: Micros): readonly Effect[] {
    return input.kind === 'catching-up' ? [] : super.step(input, now);
  }
}

const LINKS = { 'no-doubt': Doubtless, 'sure-of-path': Sure, 'old-evidence': Echoing } as const;

function linkOf(flaw: Flaw | undefined): typeof CheckedLink {
  const isOfLink = flaw === 'no-doubt' || flaw === 'sure-of-path' || flaw === 'old-evidence';
  return isOfLink ? LINKS[flaw] : CheckedLink;
}

function soon(run: () => void): () => void {
  let isDue = true;
  queueMicrotask(() => {
    if (isDue) run();
  });
  return () => {
    isDue = false;
  };
}

export class CarpdDaemon {
  readonly #setup: DaemonSetup;
  readonly #process: FakeProcess;
  readonly #daemon: Daemon;
  #election: CheckedElection | undefined;
  #link: CheckedLink | undefined;

  constructor(setup: DaemonSetup) {
    const { world, host, config, lag, flaw, name } = setup;
    this.#setup = setup;
    this.#process = new FakeProcess(host.host);
    this.#process.lag = lag;
    this.#process.onRan = world.ran;
    this.#process.ignoresDrain = flaw === 'wake-first';
    this.#process.socketErrno = host.socketErrno;
    const events = new EventBus((error) => world.violated(messageOf(error)));
    events.subscribe(['transition'], ({ from, to, cause }) => {
      world.changed({ at: world.clock.now, node: name, from, to, cause });
    });
    this.#daemon = new Daemon({
      config,
      ports: this.#ports(),
      events,
      version: 'simulated',
      logLinesDropped: () => 0,
      onInterfaceGone: () => undefined,
    });
  }

  get frozen(): boolean {
    return this.#process.standsStill;
  }

  snapshot(): ElectionSnapshot | undefined {
    return this.#election?.snapshot();
  }

  readiness(): ReadinessSnapshot | undefined {
    return this.#link?.snapshot();
  }

  /** Starts; in maintenance from the beginning, if the operator has said so. */
  start(maintenance: boolean): void {
    this.#expect(
      this.#daemon.start().then(() => {
        if (maintenance) this.setMaintenance(true);
      }),
    );
  }

  /** The process is killed. */
  kill(): void {
    this.#process.kill();
  }

  handover(): void {
    this.#process.inTurn(() => this.#daemon.handover());
  }

  stop(): void {
    this.#process.inTurn(() => this.#expect(this.#daemon.stop()));
  }

  setMaintenance(on: boolean): void {
    this.#process.inTurn(() => {
      const { control } = this.#process;
      if (control === undefined) return;
      this.#expect(control.order({ kind: 'maintenance', on, force: true }, [NAME]));
    });
  }

  /** Its sockets can't be read any more, and no others be had; or they can again. */
  socketsChanged(): void {
    const { socketErrno } = this.#setup.host;
    this.#process.socketErrno = socketErrno;
    if (socketErrno !== undefined) this.#process.breakSockets(socketErrno);
  }

  freeze(): void {
    this.#process.standStill();
  }

  thaw(): void {
    this.#process.goOn();
  }

  #ports(): Ports {
    const ports = { ...this.#process.ports(), machines: this.#machines() };
    if (this.#setup.flaw !== 'wake-first') return ports;
    // Nor does it wait until what came in meanwhile has been handed out.
    return { ...ports, nextTurn: (run) => soon(run) };
  }

  #machines(): SegmentMachines {
    const { flaw } = this.#setup;
    const Link = linkOf(flaw);
    const Checked = flaw === 'wake-first' ? Hasty : CheckedElection;
    return {
      link: (now) => (this.#link = new Link(new LinkReadiness(now))),
      election: (settings) => {
        return (this.#election = new Checked(new Election(settings), settings));
      },
    };
  }

  /** What it does must not fail. */
  #expect(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#setup.world.violated(messageOf(error)));
  }
}
