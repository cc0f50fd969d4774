// A node that runs carpd: the real election, and a model of everything around it.
import { unreachable } from '../../src/base/assert.ts';
import { fromMillis, micros, plus, type Micros } from '../../src/base/time.ts';
import type { Ipv4 } from '../../src/carp/addresses.ts';
import { advertInterval, DEMOTED_ADVSKEW, masterDownInterval } from '../../src/election/cadence.ts';
import type { Effect } from '../../src/election/effects.ts';
import type { Input, InterfaceFault } from '../../src/election/inputs.ts';
import { Election, type ElectionSettings } from '../../src/election/machine.ts';
import type { ElectionSnapshot } from '../../src/election/snapshot.ts';
import { CheckedElection } from '../support/election-rules.ts';
import { Executor, USUAL, type Performance } from './executor.ts';
import type { Packet, SimNode, Surroundings } from './node.ts';

/** Every wake-up comes this late at most: the timer has whole milliseconds. */
const LAG_MAX_US = 2_000;
/** The gate of this world opens so long after the carrier's return at most. */
const PROOF_MAX_US = 2_000_000;

/** What a node that stood still does first when it runs again. */
export type ThawOrder = 'drain-first' | 'wake-first';

export class CarpdNode implements SimNode {
  readonly name: string;
  readonly address: Ipv4;
  readonly settings: ElectionSettings;
  linkUp = true;
  sendFails = false;
  readonly #world: Surroundings;
  readonly #thawOrder: ThawOrder;
  readonly #lag: Micros;
  #election: CheckedElection | undefined;
  #executor: Executor;
  #performance: Performance = USUAL;
  #fault: InterfaceFault | undefined;
  #maintenance = false;
  /** Counts links that came up, so that a proof of an earlier one opens nothing. */
  #epoch = 0;
  #gateOpen = false;
  #inDoubt = false;
  /** Inputs that came while the process stood still; undefined while it runs. */
  #backlog: Input[] | undefined;

  constructor(
    world: Surroundings,
    name: string,
    address: Ipv4,
    settings: ElectionSettings,
    thawOrder: ThawOrder,
  ) {
    this.#world = world;
    this.name = name;
    this.address = address;
    this.settings = settings;
    this.#thawOrder = thawOrder;
    this.#lag = micros(world.prng.between(0, LAG_MAX_US));
    this.#executor = this.#createExecutor(false);
  }

  get alive(): boolean {
    return this.#election !== undefined;
  }

  get frozen(): boolean {
    return this.#backlog !== undefined;
  }

  get isMaster(): boolean {
    return this.snapshot()?.state === 'MASTER';
  }

  get holdsVip(): boolean {
    return this.#executor.vip;
  }

  get eligible(): boolean {
    const ready = this.linkUp && this.#fault === undefined;
    return this.alive && ready && !this.#maintenance;
  }

  get patience(): Micros {
    return masterDownInterval(this.settings);
  }

  get slowestInterval(): Micros {
    const advskew = Math.max(this.settings.advskew, DEMOTED_ADVSKEW);
    return advertInterval({ ...this.settings, advskew });
  }

  get latency(): Micros {
    return fromMillis(25);
  }

  get preempts(): boolean {
    return this.settings.preempt;
  }

  set performance(performance: Performance) {
    this.#performance = performance;
    this.#executor.performance = performance;
  }

  snapshot(): ElectionSnapshot | undefined {
    return this.#election?.snapshot();
  }

  deadline(): Micros | undefined {
    const deadline = this.frozen ? undefined : this.#election?.deadline();
    return deadline === undefined ? undefined : plus(deadline, this.#lag);
  }

  wake(): void {
    this.#feed({ kind: 'woken' });
  }

  receive(packet: Packet): void {
    if (this.#fault !== undefined) return;
    this.#feed({ kind: 'advert-heard', ...packet, proved: true });
  }

  crash(what: 'host' | 'process'): void {
    this.#executor.close();
    this.#election = undefined;
    this.#backlog = undefined;
    if (what === 'host') this.#executor.vip = false;
  }

  start(): void {
    if (this.alive) return;
    // An address that an earlier run left behind is removed before anything else.
    const stale = this.#executor.vip && !this.settings.manageAddress;
    this.#executor = this.#createExecutor(stale);
    const initialCounter = BigInt(this.#world.prng.between(0, 0xffffffff));
    const settings = { ...this.settings, initialCounter };
    this.#election = new CheckedElection(new Election(settings), settings);
    this.#inDoubt = false;
    this.#gateOpen = false;
    this.#feed({ kind: 'started' });
    this.#feed({ kind: 'maintenance-changed', on: this.#maintenance });
    this.#feed({ kind: 'carrier-changed', up: this.linkUp });
    this.#reportInterface();
    if (this.linkUp) this.#proveLink();
  }

  // ---- what can happen to it ----

  order(input: Extract<Input, { kind: 'handover-requested' | 'stop-requested' }>): void {
    this.#feed(input);
  }

  setMaintenance(on: boolean): void {
    this.#maintenance = on;
    this.#feed({ kind: 'maintenance-changed', on });
  }

  setLink(up: boolean): void {
    if (this.linkUp === up) return;
    this.linkUp = up;
    this.#epoch += 1;
    if (!up) {
      this.#setGate(false);
      if (this.isMaster) this.#setDoubt(true);
    }
    this.#feed({ kind: 'carrier-changed', up });
    if (up) this.#proveLink();
  }

  setInterface(fault: InterfaceFault | undefined): void {
    this.#fault = fault;
    this.#reportInterface();
  }

  freeze(): void {
    if (this.alive) this.#backlog ??= [];
  }

  thaw(): void {
    const backlog = this.#backlog;
    if (backlog === undefined) return;
    this.#backlog = undefined;
    if (this.#thawOrder === 'wake-first') this.wake();
    for (const input of backlog) this.#feed(input);
  }

  // ---- the process ----

  #createExecutor(vip: boolean): Executor {
    const hooksManageAddress = !this.settings.manageAddress;
    const report = (input: Input) => this.#feed(input);
    const executor = new Executor(this.#world, report, { vip, hooksManageAddress });
    executor.performance = this.#performance;
    return executor;
  }

  #reportInterface(): void {
    if (this.#fault !== undefined) this.#feed({ kind: 'interface-lost', cause: this.#fault });
    else this.#feed({ kind: 'interface-ready', source: this.address });
  }

  /** Proof comes some time after the carrier; a master then stays in doubt for a dead interval. */
  #proveLink(): void {
    const epoch = this.#epoch;
    const { clock, prng } = this.#world;
    clock.after(micros(prng.between(0, PROOF_MAX_US)), () => {
      if (epoch !== this.#epoch || !this.alive) return;
      this.#setGate(true);
      clock.after(this.patience, () => {
        if (epoch === this.#epoch) this.#setDoubt(false);
      });
    });
  }

  #setGate(open: boolean): void {
    if (this.#gateOpen === open) return;
    this.#gateOpen = open;
    this.#feed({ kind: 'gate-changed', open });
  }

  #setDoubt(inDoubt: boolean): void {
    if (this.#inDoubt === inDoubt) return;
    this.#inDoubt = inDoubt;
    this.#feed({ kind: 'doubt-changed', inDoubt });
  }

  #feed(input: Input): void {
    if (this.#election === undefined) return;
    if (this.#backlog !== undefined) return void this.#backlog.push(input);
    const effects = this.#election.step(input, this.#world.clock.now);
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'send-advert':
        return this.#send(effect);
      case 'state-changed': {
        const { from, to, cause } = effect;
        const at = this.#world.clock.now;
        this.#world.changed({ at, node: this.name, from, to, cause });
        return;
      }
      case 'claim-vip':
        return this.#executor.want({ term: effect.term, present: true });
      case 'release-vip':
        return this.#executor.want({ term: effect.term, present: false });
      case 'run-hook':
        return this.#executor.run({ hook: effect.hook, term: effect.term });
      case 'announce':
      case 'stop-announcing':
      case 'conflict-heard':
      case 'demotion-changed':
      case 'stopped':
        return;
      default:
        return unreachable(effect);
    }
  }

  #send(effect: Extract<Effect, { kind: 'send-advert' }>): void {
    const { advbase, advskew, counter } = effect;
    const advert = { advbase, advskew, demote: 0, counter };
    const ok = !this.sendFails && this.#fault === undefined;
    if (ok) this.#world.send(this, { from: this.address, advert });
    if (effect.advert !== 'regular') return;
    const election = this.#election;
    this.#world.clock.after(micros(this.#world.prng.between(0, 1_000)), () => {
      if (election === this.#election) this.#feed({ kind: 'advert-sent', ok });
    });
  }
}
