// A node that runs carpd: a host, and the runs of the daemon on it, one after the other.
import { fromMillis, fromSeconds, micros, since, type Micros } from '../../src/base/time.ts';
import { isBowOut } from '../../src/carp/advert.ts';
import { advertInterval, DEMOTED_ADVSKEW, masterDownInterval } from '../../src/election/cadence.ts';
import type { InterfaceFault } from '../../src/election/inputs.ts';
import type { ElectionSettings } from '../../src/election/machine.ts';
import type { ElectionSnapshot } from '../../src/election/snapshot.ts';
import type { InstanceSettings } from '../../src/readiness/inputs.ts';
import type { ReadinessSnapshot } from '../../src/readiness/snapshot.ts';
import type { InstanceInput } from '../../src/segment/inputs.ts';
import { CarpdProcess, type Flaw } from './carpd-process.ts';
import { Executor, USUAL, type Performance } from './executor.ts';
import type { Frame } from './frame.ts';
import type { SimNode, Surroundings } from './node.ts';
import type { Station } from './station.ts';

/** Every wake-up comes this late at most: the timer has whole milliseconds. */
const LAG_MAX_US = 2_000;
/** A process that stood still counts from the deadline it missed first, which comes each second. */
const LATENESS_ERROR = fromMillis(1_005);
/** A shorter stall ends no epoch, however short the dead interval is. */
const TOLERATED_MIN = fromSeconds(1);

export interface CarpdOptions {
  readonly station: Station;
  readonly election: ElectionSettings;
  readonly readiness: InstanceSettings;
  readonly firewalled: boolean;
  readonly flaw: Flaw | undefined;
}

export class CarpdNode implements SimNode {
  readonly options: CarpdOptions;
  /** When an advert that keeps a master alive last came in, whenever it is read. */
  advertCameAt: Micros | undefined;
  readonly #world: Surroundings;
  readonly #lag: Micros;
  #process: CarpdProcess | undefined;
  #performance: Performance = USUAL;
  #sendFails = false;
  #fault: InterfaceFault | undefined;
  #maintenance = false;
  #frozenAt = micros(0);

  constructor(world: Surroundings, options: CarpdOptions) {
    this.#world = world;
    this.options = options;
    this.#lag = micros(world.prng.between(0, LAG_MAX_US));
    const { station } = options;
    station.onFrame = (frame, tags) => this.#frameCame(frame, tags);
    station.uplink.legsUnseen = options.flaw === 'legs-unseen';
    station.uplink.owner = {
      factsChanged: () => this.#process?.factsChanged(),
      pathChanged: () => void (station.framesOnPath = 0),
    };
  }

  get name(): string {
    return this.station.name;
  }

  get station(): Station {
    return this.options.station;
  }

  get alive(): boolean {
    return this.#process !== undefined;
  }

  get frozen(): boolean {
    return this.#process?.frozen === true;
  }

  get isMaster(): boolean {
    return this.snapshot()?.state === 'MASTER';
  }

  get mayServe(): boolean {
    const ready = this.station.uplink.carrier && this.#fault === undefined;
    return this.alive && ready && !this.#maintenance;
  }

  /** Whether it sends ARP requests as long as it hears no master. */
  get probes(): boolean {
    const { policy } = this.options.readiness.gate;
    return this.alive && this.#fault === undefined && policy !== 'off';
  }

  get patience(): Micros {
    return masterDownInterval(this.options.election);
  }

  get slowestInterval(): Micros {
    const { election } = this.options;
    const advskew = Math.max(election.advskew, DEMOTED_ADVSKEW);
    return advertInterval({ ...election, advskew });
  }

  get latency(): Micros {
    return fromMillis(25);
  }

  get preempts(): boolean {
    return this.options.election.preempt;
  }

  set performance(performance: Performance) {
    this.#performance = performance;
    if (this.#process !== undefined) this.#process.executor.performance = performance;
  }

  set sendFails(sendFails: boolean) {
    this.#sendFails = sendFails;
    if (this.#process !== undefined) this.#process.sendFails = sendFails;
  }

  snapshot(): ElectionSnapshot | undefined {
    return this.#process?.snapshot();
  }

  readiness(): ReadinessSnapshot | undefined {
    return this.#process?.readinessSnapshot();
  }

  get gateOpen(): boolean {
    return this.readiness()?.instances[0]?.gate.open === true;
  }

  deadline(): Micros | undefined {
    return this.#process?.deadline();
  }

  wake(): void {
    this.#process?.wake();
  }

  crash(what: 'host' | 'process'): void {
    this.#process?.close();
    this.#process = undefined;
    if (what === 'process') return;
    this.station.up = false;
    this.station.holdsVip = false;
  }

  start(): void {
    const { station, election } = this.options;
    if (!station.up) station.uplink.boot();
    station.up = true;
    if (this.alive) return;
    // An address that an earlier run left behind is removed before anything else.
    if (election.manageAddress) station.holdsVip = false;
    const initialCounter = BigInt(this.#world.prng.between(0, 0xffffffff));
    const options = {
      ...this.options,
      election: { ...election, initialCounter },
      world: this.#world,
      executor: (report: (input: InstanceInput) => void) => this.#createExecutor(report),
      lag: this.#lag,
    };
    this.#process = new CarpdProcess(options, this.#fault);
    this.#process.sendFails = this.#sendFails;
    this.#process.start(this.#maintenance);
  }

  // ---- what can happen to it ----

  order(input: Extract<InstanceInput, { kind: 'handover-requested' | 'stop-requested' }>): void {
    this.#process?.order(input);
  }

  setMaintenance(on: boolean): void {
    this.#maintenance = on;
    this.#process?.order({ kind: 'maintenance-changed', on });
  }

  setLink(up: boolean): void {
    if (this.station.uplink.carrier !== up) this.station.uplink.plug(up);
  }

  setInterface(fault: InterfaceFault | undefined): void {
    if (this.#fault === fault) return;
    this.#fault = fault;
    const { uplink } = this.station;
    this.station.addressed = fault !== 'no-source-address';
    uplink.setPresent(fault !== 'interface-missing');
    uplink.setAdminUp(fault !== 'interface-down');
    this.#process?.setInterface(fault);
  }

  freeze(): void {
    if (!this.alive || this.frozen) return;
    this.#frozenAt = this.#world.clock.now;
    this.#process?.freeze();
  }

  thaw(): void {
    if (!this.frozen) return;
    const stood = since(this.#world.clock.now, this.#frozenAt);
    if (this.noticesStall(stood)) this.station.framesOnPath = 0;
    this.#process?.thaw();
  }

  /** Whether a process that stood still so long surely takes its evidence for old. */
  noticesStall(duration: Micros): boolean {
    return since(duration, LATENESS_ERROR) > Math.max(this.patience, TOLERATED_MIN);
  }

  #frameCame(frame: Frame, tags: readonly number[]): void {
    const keepsAlive = frame.kind === 'advert' && !isBowOut(frame.advert);
    if (keepsAlive && this.#process?.hearsAdverts === true) {
      this.advertCameAt = this.#world.clock.now;
    }
    this.#process?.frameCame(frame, tags);
  }

  #createExecutor(report: (input: InstanceInput) => void): Executor {
    const hooksManageAddress = !this.options.election.manageAddress;
    const { station } = this;
    const executor = new Executor(this.#world, report, { station, hooksManageAddress });
    executor.performance = this.#performance;
    return executor;
  }
}

/** How long promote-after waits in these worlds. */
export const PROMOTE_AFTER = fromSeconds(5);
