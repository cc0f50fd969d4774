// Worlds of real daemons, from their sockets to `ip`, on hosts in memory: trouble of every kind for
// a minute, then peace, in which exactly one of them serves, and then their end, at which nothing
// is left. SEED=n npm run test:sim plays one of them alone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Mac } from '../../src/base/addresses.ts';
import type { FakeHost } from '../fakes/host.ts';
import { configOf, holders, RunningDaemon, Scene, VIP_CIDR } from '../support/daemon-scene.ts';
import { settledFaults } from './invariants.ts';
import { Prng } from './prng.ts';

const WORLDS = 40;
const TROUBLE_MS = 60_000;
const FAULT_MS = { min: 50, max: 9_000 };
const FAULTS_MAX = 12;
/** The longest that anything needs to heal: an address that could not be added, and elections. */
const HEALING_MS = 45_000;
const PEACE_MS = 15_000;
const REFUSED = 'RTNETLINK answers: Operation not permitted';

const seeds =
  process.env['SEED'] === undefined
    ? Array.from({ length: WORLDS }, (_, index) => index + 1)
    : [Number(process.env['SEED'])];

/** A host, and the runs of the daemon on it, one after the other. */
interface Node {
  readonly host: FakeHost;
  readonly settings: object;
  running: RunningDaemon | undefined;
  /** An order of the operator that is under way. */
  busy: boolean;
}

/** Some hosts with real daemons, and what is done to them. */
class DaemonWorld {
  readonly scene = new Scene();
  readonly nodes: Node[] = [];
  readonly log: string[] = [];
  readonly #prng: Prng;
  readonly #lossy = new Set<Mac>();
  readonly #cut = new Set<Mac>();
  #loss = 0;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    const prng = this.#prng;
    const count = prng.between(2, 3);
    for (let index = 0; index < count; index += 1) {
      const settings = { advskew: prng.pick([0, 10, 100]), preempt: prng.chance(0.2) };
      const host = this.scene.host();
      this.nodes.push({ host, settings, running: undefined, busy: false });
    }
    this.scene.wire.passes = (from, to) => {
      if (this.#cut.has(from) !== this.#cut.has(to)) return false;
      const isLossy = this.#lossy.has(from) || this.#lossy.has(to);
      return !(isLossy && prng.chance(this.#loss));
    };
  }

  async play(): Promise<void> {
    const { time } = this.scene;
    for (const node of this.nodes) await this.#start(node);
    const count = this.#prng.between(1, FAULTS_MAX);
    const begins = Array.from({ length: count }, () => this.#prng.between(0, TROUBLE_MS));
    for (const beginMs of begins) time.startTimer(beginMs, () => this.#trouble());
    await time.pass(TROUBLE_MS + FAULT_MS.max + 1);
    await time.until('orders end', () => this.nodes.every(({ busy }) => !busy));
    for (const node of this.nodes) await this.#start(node);
    this.#note('peace');
    await time.pass(HEALING_MS);
    this.#judge();
    const changes = this.#transitions();
    await time.pass(PEACE_MS);
    this.#judge();
    assert.equal(this.#transitions(), changes, 'nothing changes in peace');
  }

  async end(): Promise<void> {
    for (const { host, running } of this.nodes) {
      assert.deepEqual(await running?.stop(), []);
      assert.deepEqual(holders([host]), [], `${host.name} keeps nothing`);
      assert.deepEqual([...host.sockets, ...host.watches, ...host.names], []);
    }
  }

  #judge(): void {
    const settled = this.nodes.map(({ host, running }) => ({
      name: host.name,
      alive: running !== undefined,
      isMaster: running?.state() === 'MASTER',
      holdsVip: holders([host]).length > 0,
      mayServe: true,
      eligible: true,
    }));
    assert.deepEqual(
      settledFaults(settled, () => 0),
      [],
    );
  }

  #transitions(): number {
    const told = this.nodes.map(({ running }) => running?.of('transition').length ?? 0);
    return told.reduce((sum, one) => sum + one, 0);
  }

  async #start(node: Node): Promise<void> {
    if (node.running !== undefined) return;
    const running = new RunningDaemon(node.host, configOf({ db: node.settings }));
    node.running = running;
    await this.scene.time.settled(running.daemon.start());
  }

  #note(text: string): void {
    this.log.push(`${(this.scene.time.now() / 1_000).toFixed(3).padStart(11)} ${text}`);
  }

  #trouble(): void {
    const node = this.#prng.pick(this.nodes);
    const name = this.#prng.pick(Object.keys(this.#faults));
    this.#note(`${name} (${node.host.name})`);
    const over = this.#faults[name]?.(node);
    if (over === undefined) return;
    const lastsMs = this.#prng.between(FAULT_MS.min, FAULT_MS.max);
    this.scene.time.startTimer(lastsMs, over);
  }

  /** Runs an order to a daemon that is there, unless another one is under way. */
  #order(node: Node, give: (running: RunningDaemon) => Promise<unknown>): void {
    const { running } = node;
    if (running === undefined || node.busy) return;
    node.busy = true;
    void give(running).finally(() => (node.busy = false));
  }

  readonly #faults: Readonly<Record<string, (node: Node) => (() => void) | undefined>> = {
    loss: ({ host }) => {
      this.#loss = this.#prng.next();
      this.#lossy.add(host.macOf('eth0'));
      return () => void this.#lossy.clear();
    },
    partition: ({ host }) => {
      this.#cut.add(host.macOf('eth0'));
      return () => void this.#cut.clear();
    },
    'link flap': ({ host }) => {
      host.carrier('eth0', false);
      return () => host.carrier('eth0', true);
    },
    'flap to a dark port': ({ host }) => {
      this.#cut.add(host.macOf('eth0'));
      host.carrier('eth0', false);
      host.carrier('eth0', true);
      return () => void this.#cut.clear();
    },
    'set down': ({ host }) => {
      host.admin('eth0', false);
      return () => host.admin('eth0', true);
    },
    'stand still': ({ running }) => {
      running?.process.standStill();
      return () => running?.process.goOn();
    },
    kill: (node) => {
      if (node.busy) return undefined;
      node.running?.process.kill();
      node.running = undefined;
      return () => void this.#start(node);
    },
    'slow commands': ({ host }) => {
      host.ip = { ms: 1_500 };
      return () => void (host.ip = { ms: 2 });
    },
    'address failures': ({ host }) => {
      host.refuses = (line) => (line.includes(VIP_CIDR) ? REFUSED : undefined);
      return () => void (host.refuses = () => undefined);
    },
    'somebody takes the address off': ({ host }) => {
      if (holders([host]).length > 0) host.meddle(`addr del ${VIP_CIDR} dev eth0`);
      return undefined;
    },
    handover: ({ running }) => void running?.daemon.handover(),
    'reload with another instance, and back': (node) => {
      const web = { vhid: 8, address: '10.9.0.101/24' };
      const both = configOf({ db: node.settings, web });
      this.#order(node, (running) => running.daemon.reload(both));
      return () =>
        this.#order(node, (running) => running.daemon.reload(configOf({ db: node.settings })));
    },
    'reload with other settings': (node) => {
      const config = configOf({ db: { ...node.settings, advskew: this.#prng.between(0, 100) } });
      this.#order(node, (running) => running.daemon.reload(config));
      return undefined;
    },
    'broken sockets': ({ running }) => void running?.process.breakSockets('ENETDOWN'),
  };
}

describe('worlds of real daemons', () => {
  it('have one that serves when there is peace, and keep nothing at their end', async () => {
    for (const seed of seeds) {
      const world = new DaemonWorld(seed);
      try {
        await world.play();
        await world.end();
      } catch (error) {
        console.log(world.log.join('\n'));
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        assert.fail(`replay with: SEED=${seed} npm run test:sim\n${why}`);
      }
    }
  });
});
