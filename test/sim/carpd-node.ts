// A node that runs carpd: a host, and the runs of the daemon on it, one after the other.
import { fromMillis, fromSeconds, micros, since, type Micros } from '../../src/base/time.ts';
import { isBowOut } from '../../src/carp/advert.ts';
import type { Config } from '../../src/config/config.ts';
import { advertInterval, DEMOTED_ADVSKEW, masterDownInterval } from '../../src/election/cadence.ts';
import type { InterfaceFault } from '../../src/election/inputs.ts';
import type { ElectionSettings } from '../../src/election/settings.ts';
import type { ElectionSnapshot } from '../../src/election/snapshot.ts';
import type { InstanceSettings } from '../../src/readiness/inputs.ts';
import type { ReadinessSnapshot } from '../../src/readiness/snapshot.ts';
import { CarpdDaemon, configOf, type Flaw } from './carpd-daemon.ts';
import { CarpdHost, type Performance } from './carpd-host.ts';
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
  readonly #host: CarpdHost;
  readonly #config: Config;
  readonly #lag: Micros;
  #daemon: CarpdDaemon | undefined;
  #fault: InterfaceFault | undefined;
  #maintenance = false;
  #frozenAt = micros(0);

  constructor(world: Surroundings, options: CarpdOptions) {
    this.#world = world;
    this.options = options;
    this.#lag = micros(world.prng.between(0, LAG_MAX_US));
    const { station, election, readiness, firewalled, flaw } = options;
    station.uplink.legsUnseen = flaw === 'legs-unseen';
    this.#config = configOf(election, readiness);
    const mixesTags = flaw === 'tags-unseen';
    const hooksManageAddress = !election.manageAddress;
    this.#host = new CarpdHost(world, { station, firewalled, hooksManageAddress, mixesTags });
    station.kernel = this.#host;
    station.onFrame = (frame, tags) => this.#frameCame(frame, tags);
    station.uplink.owner = {
      factsChanged: () => this.#host.sync(),
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
    return this.#daemon !== undefined;
  }

  get frozen(): boolean {
    return this.#daemon?.frozen === true;
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
    this.#host.performance = performance;
  }

  set sendFails(sendFails: boolean) {
    this.#host.sendFails = sendFails;
  }

  snapshot(): ElectionSnapshot | undefined {
    return this.#daemon?.snapshot();
  }

  readiness(): ReadinessSnapshot | undefined {
    return this.#daemon?.readiness();
  }

  get gateOpen(): boolean {
    return this.readiness()?.instances[0]?.gate.open === true;
  }

  /** Its timers are those of the world. */
  deadline(): Micros | undefined {
    return undefined;
  }

  wake(): void {
    // See `deadline`.
  }

  crash(what: 'host' | 'process'): void {
    this.#daemon?.kill();
    this.#daemon = undefined;
    if (what === 'process') return;
    this.station.up = false;
    this.#host.reset();
  }

  start(): void {
    const { station } = this;
    if (!station.up) station.uplink.boot();
    station.up = true;
    if (this.alive) return;
    const { name } = station;
    const [world, host, config, lag] = [this.#world, this.#host, this.#config, this.#lag];
    const { flaw } = this.options;
    this.#daemon = new CarpdDaemon({ world, host, name, config, lag, flaw });
    this.#daemon.start(this.#maintenance);
  }

  // ---- what can happen to it ----

  handover(): void {
    this.#daemon?.handover();
  }

  stop(): void {
    this.#daemon?.stop();
  }

  setMaintenance(on: boolean): void {
    if (this.#maintenance === on) return;
    this.#maintenance = on;
    this.#daemon?.setMaintenance(on);
  }

  setLink(up: boolean): void {
    if (this.station.uplink.carrier !== up) this.station.uplink.plug(up);
  }

  setInterface(fault: InterfaceFault | undefined): void {
    const before = this.#fault;
    if (before === fault) return;
    this.#fault = fault;
    this.station.addressed = fault !== 'no-source-address';
    if (before !== undefined) this.#host.end(before);
    if (fault !== undefined) this.#host.begin(fault);
    this.#daemon?.socketsChanged();
  }

  freeze(): void {
    if (!this.alive || this.frozen) return;
    this.#frozenAt = this.#world.clock.now;
    this.#daemon?.freeze();
  }

  thaw(): void {
    if (!this.frozen) return;
    const stood = since(this.#world.clock.now, this.#frozenAt);
    if (this.noticesStall(stood)) this.station.framesOnPath = 0;
    this.#daemon?.thaw();
  }

  /** Whether a process that stood still so long surely takes its evidence for old. */
  noticesStall(duration: Micros): boolean {
    return since(duration, LATENESS_ERROR) > Math.max(this.patience, TOLERATED_MIN);
  }

  #frameCame(frame: Frame, tags: readonly number[]): void {
    const isHeard = this.#host.frameCame(frame, tags);
    const keepsAlive = frame.kind === 'advert' && !isBowOut(frame.advert);
    if (keepsAlive && isHeard) this.advertCameAt = this.#world.clock.now;
  }
}

/** How long promote-after waits in these worlds. */
export const PROMOTE_AFTER = fromSeconds(5);
