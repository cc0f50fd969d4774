// Orders to instances that are made up: when a master may step down, what is waited for, and what
// is said of it.
import { wallMs } from '../../../src/linux/system/clock.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { micros } from '../../../src/base/time.ts';
import { formatIpv4, type Ipv4 } from '../../../src/base/addresses.ts';
import { HANDOVER_MS_MAX } from '../../../src/control/handover.ts';
import { Maintenance } from '../../../src/control/maintenance.ts';
import { maintenanceFile } from '../../../src/state/maintenance-file.ts';
import { startTimer } from '../../../src/linux/system/clock.ts';
import { FakeTime } from '../vip/fakes.ts';
import { Orders, type Order, type OrderedInstance } from '../../../src/control/orders.ts';
import type { OrderEventFields } from '../../../src/events/events.ts';
import type { OrderResult } from '../../../src/events/catalogue/order-result.ts';
import type { PeerHeard, PeerRole } from '../../../src/election/peers-heard.ts';
import type { Cause } from '../../../src/election/effects.ts';
import type { ElectionSnapshot } from '../../../src/election/snapshot.ts';
import { electionSnapshot, ip } from '../../support/reports.ts';

const PEER = ip('10.9.0.20');
const HANDOVER: Order = { kind: 'handover', force: false };
const FORCED: Order = { kind: 'handover', force: true };
const ON: Order = { kind: 'maintenance', on: true, force: false };
const OFF: Order = { kind: 'maintenance', on: false, force: false };

const IDLE = electionSnapshot({ state: 'BACKUP' });

/** An instance whose election is played by the test. */
class FakeInstance implements OrderedInstance {
  readonly name = 'db';
  readonly deadIntervalMs = 3_000;
  readonly hookTimeoutMs = 10_000;
  peers: readonly Ipv4[] = [PEER];
  fault: string | undefined = undefined;
  ended = false;
  readonly asked: string[] = [];
  readonly told: OrderEventFields[] = [];
  readonly done: string[] = [];
  heard: readonly PeerHeard[] = [];
  onOrder: () => void = () => undefined;
  #snapshot: ElectionSnapshot;
  readonly #answers = new Set<(host: Ipv4) => void>();
  readonly #steps = new Set<() => void>();

  constructor(snapshot: Partial<ElectionSnapshot> = { state: 'MASTER', term: 1 }) {
    this.#snapshot = { ...IDLE, ...snapshot };
  }

  /** Whoever waits for it. */
  get listeners(): number {
    return this.#answers.size + this.#steps.size;
  }

  become(change: Partial<ElectionSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of [...this.#steps]) listener();
  }

  answer(host: Ipv4): void {
    for (const listener of [...this.#answers]) listener(host);
  }

  snapshot(): ElectionSnapshot {
    return this.#snapshot;
  }

  vipFault(): string | undefined {
    return this.fault;
  }

  peersHeard(): readonly PeerHeard[] {
    return this.heard;
  }

  ask(hosts: readonly Ipv4[]): void {
    this.asked.push(hosts.map(formatIpv4).join());
  }

  onAnswer(listener: (host: Ipv4) => void): () => void {
    this.#answers.add(listener);
    return () => this.#answers.delete(listener);
  }

  onStep(listener: () => void): () => void {
    this.#steps.add(listener);
    return () => this.#steps.delete(listener);
  }

  handover(): void {
    this.done.push('handover');
    this.#leave('handover');
    this.onOrder();
  }

  maintenanceChanged(): void {
    this.done.push('maintenance');
    this.#leave('maintenance');
    this.onOrder();
  }

  #leave(leaving: Cause): void {
    if (this.#snapshot.state === 'MASTER') this.#snapshot = { ...this.#snapshot, leaving };
  }

  publish(news: OrderEventFields): void {
    this.told.push(news);
  }
}

class Stage {
  readonly instance: FakeInstance;
  readonly maintenance = new Maintenance(undefined, wallMs);
  readonly #time = new FakeTime();
  readonly #orders: Orders;

  constructor(instance: FakeInstance) {
    this.instance = instance;
    this.#orders = new Orders({
      maintenance: this.maintenance,
      startTimer: this.#time.startTimer,
      now: this.#time.clock,
      settled: () => Promise.resolve(),
      instances: () => [instance],
    });
  }

  /** Lets time pass, as long as it takes all that waits to go on. */
  async pass(milliseconds: number): Promise<void> {
    await turn();
    await this.#time.advance(milliseconds);
    await turn();
  }

  give(order: Order): Promise<readonly OrderResult[]> {
    return this.#orders.give(order, ['db', 'another']);
  }
}

async function only(results: Promise<readonly OrderResult[]>): Promise<OrderResult> {
  const [result, more] = await results;
  assert.ok(result !== undefined && more === undefined, 'one instance, one result');
  return result;
}

function peer(role: PeerRole, address = PEER): PeerHeard {
  const cadence = { advbase: 1, advskew: 0 };
  return { address, cadence, role, lastAdvertAt: micros(0), interval: undefined, adverts: 1 };
}

describe('a handover', () => {
  test('asks the peers, steps down, and tells who took over after how long', async () => {
    const stage = new Stage(new FakeInstance());
    const { instance } = stage;
    const result = only(stage.give(HANDOVER));
    await stage.pass(900);
    assert.deepEqual(instance.asked, ['10.9.0.20', '10.9.0.20', '10.9.0.20'], 'again and again');
    instance.answer(ip('10.9.0.99'));
    await stage.pass(1);
    assert.deepEqual(instance.done, [], 'not for somebody else');
    instance.answer(PEER);
    await stage.pass(0);
    assert.deepEqual(instance.done, ['handover']);
    instance.become({ leaving: 'handover' });
    await stage.pass(200);
    instance.become({ state: 'BACKUP', leaving: undefined });
    await stage.pass(1_000);
    const master = { address: PEER, advbase: 1, advskew: 0, heardAt: micros(0) };
    instance.become({ master });
    assert.deepEqual(await result, {
      name: 'db',
      outcome: 'done',
      reason: 'handed-over',
      message: '10.9.0.20 took over after 1.2 s',
      state: 'BACKUP',
      master: '10.9.0.20',
      afterMs: 1_200,
      maintenance: false,
    });
    assert.equal(instance.listeners, 0, 'nobody listens any more');
    assert.deepEqual(
      instance.told.map(({ event, outcome, reason }) => [event, outcome, reason]),
      [
        ['handover', 'begun', null],
        ['handover', 'done', 'handed-over'],
      ],
    );
  });

  test('is refused when nobody answers in time', async () => {
    const stage = new Stage(new FakeInstance());
    stage.instance.heard = [peer('left', ip('10.9.0.30')), peer('quiet')];
    const result = only(stage.give(HANDOVER));
    await stage.pass(2_000);
    const { outcome, reason, message, state } = await result;
    assert.deepEqual([outcome, reason, state], ['refused', 'no-peer', 'MASTER']);
    assert.match(message, /asked by ARP: 10\.9\.0\.20, 10\.9\.0\.30\)\. Start one, or use --force/);
    assert.deepEqual([stage.instance.done, stage.instance.listeners], [[], 0]);
  });

  test('is refused at once where no peer is known', async () => {
    const stage = new Stage(new FakeInstance());
    stage.instance.peers = [];
    const { reason, message } = await only(stage.give(HANDOVER));
    assert.equal(reason, 'no-peer');
    assert.match(message, /no peer is known .* Configure peers, or use --force/);
    assert.deepEqual(stage.instance.asked, []);
  });

  test('asks nobody where a peer advertises, or where it is forced', async () => {
    const stage = new Stage(new FakeInstance());
    stage.instance.heard = [peer('master')];
    const result = stage.give(HANDOVER);
    const forced = stage.give(FORCED);
    await stage.pass(0);
    assert.deepEqual([stage.instance.asked, stage.instance.done.length], [[], 2]);
    stage.instance.ended = true;
    stage.instance.become({ state: 'INIT' });
    for (const { outcome, reason } of [...(await result), ...(await forced)]) {
      assert.deepEqual([outcome, reason], ['failed', 'ended']);
    }
  });

  test('of one that is not master is done', async () => {
    const master = { address: PEER, advbase: 1, advskew: 0, heardAt: micros(0) };
    const stage = new Stage(new FakeInstance({ state: 'BACKUP', master }));
    const { outcome, reason, message } = await only(stage.give(HANDOVER));
    assert.deepEqual([outcome, reason], ['done', 'not-master']);
    assert.match(
      message,
      /^it is BACKUP and not master: nothing to hand over; 10\.9\.0\.20 is mas/,
    );
  });

  test('that does not end is given up', async () => {
    const stage = new Stage(new FakeInstance());
    const result = only(stage.give(FORCED));
    await stage.pass(25_000);
    const { outcome, reason, message } = await result;
    assert.deepEqual([outcome, reason], ['failed', 'still-master']);
    assert.match(message, /still stepping down after 25 s/);
    assert.equal(stage.instance.listeners, 0);
  });

  for (const order of [FORCED, ON]) {
    const stays = { reason: 'vip-stuck', outcome: 'failed', state: 'MASTER' };
    test(`that can not take the address off says why (${order.kind})`, async () => {
      const stage = new Stage(new FakeInstance());
      stage.instance.fault = 'ip addr del: exit 2: Device or resource busy';
      const result = only(stage.give({ ...order, force: true }));
      await stage.pass(10_000);
      stage.instance.become({ leaving: undefined });
      const { reason, outcome, state, message } = await result;
      assert.deepEqual({ reason, outcome, state }, stays);
      assert.match(message, /stays MASTER, .* could not be removed: .*exit 2: Device or resource/);
      assert.equal(/maintenance is on/.test(message), order === ON);
      assert.equal(stage.instance.listeners, 0);
    });
  }

  const ALONE: readonly [Partial<ElectionSnapshot>, RegExp][] = [
    [
      { state: 'MASTER', term: 2 },
      /within 3\.0 s: this node is master again, and the virtual IP was down for 3\.0 s$/,
    ],
    [{ state: 'BACKUP' }, /within 8\.0 s; this node takes over again if none comes$/],
    [{ state: 'HELD' }, /within 8\.0 s, and this node is HELD: NOBODY SERVES the virtual IP$/],
  ];
  for (const [later, says] of ALONE) {
    test(`that nobody takes up fails; it is ${later.state ?? ''} then`, async () => {
      const stage = new Stage(new FakeInstance());
      const result = only(stage.give(FORCED));
      await stage.pass(0);
      stage.instance.become({ state: 'BACKUP' });
      await stage.pass(3_000);
      stage.instance.become(later);
      await stage.pass(5_000);
      const { outcome, reason, message } = await result;
      assert.deepEqual([outcome, reason], ['failed', 'no-successor']);
      assert.match(message, says);
    });
  }

  test('is answered within its time, whatever is configured', () => {
    assert.ok(HANDOVER_MS_MAX <= 150_000, 'the command waits for 180 s');
  });
});

describe('maintenance', () => {
  test('on is a handover of a master, by the same rule', async () => {
    const stage = new Stage(new FakeInstance());
    const refused = only(stage.give(ON));
    await stage.pass(2_000);
    const refusal = await refused;
    assert.deepEqual([refusal.reason, refusal.maintenance], ['no-peer', false]);
    const result = only(stage.give({ ...ON, force: true }));
    await stage.pass(0);
    assert.ok(stage.maintenance.of('db') !== undefined, 'it is on before it steps down');
    assert.deepEqual(stage.instance.done, ['maintenance']);
    stage.instance.become({ state: 'HELD' });
    await stage.pass(8_000);
    const { reason, message, maintenance } = await result;
    assert.deepEqual([reason, maintenance], ['no-successor', true]);
    assert.match(
      message,
      /^maintenance is on, until carpd ends.*; carpd maintenance off db ends it; no other .*NOBODY/,
    );
  });

  test('on that nobody takes up is off again, unless it is forced', async () => {
    const stage = new Stage(new FakeInstance());
    const result = only(stage.give(ON));
    await stage.pass(1);
    stage.instance.answer(PEER);
    await stage.pass(0);
    stage.instance.become({ state: 'HELD' });
    await stage.pass(8_000);
    const { reason, message, maintenance } = await result;
    assert.deepEqual([reason, maintenance], ['no-successor', false]);
    assert.match(message, /NOBODY SERVES the virtual IP\. Maintenance is off again.*--force$/);
    assert.deepEqual(stage.instance.done, ['maintenance', 'maintenance'], 'it is told of both');
  });

  test('on that a later order has confirmed is not taken back by the first one', async () => {
    const stage = new Stage(new FakeInstance());
    const first = only(stage.give(ON));
    await stage.pass(1);
    stage.instance.answer(PEER);
    await stage.pass(0);
    stage.instance.become({ state: 'HELD' });
    await stage.pass(1_000);
    const second = await only(stage.give({ ...ON, force: true }));
    assert.deepEqual([second.outcome, second.maintenance], ['done', true]);
    await stage.pass(8_000);
    const { reason, maintenance } = await first;
    assert.deepEqual([reason, maintenance], ['no-successor', true]);
    assert.ok(stage.maintenance.of('db') !== undefined, 'it is on');
  });

  test('on beside a master that is heard says nothing of nobody', async () => {
    const master = { address: PEER, advbase: 1, advskew: 0, heardAt: micros(0) };
    const stage = new Stage(new FakeInstance({ state: 'BACKUP', master }));
    const { message } = await only(stage.give(ON));
    assert.match(message, /; carpd maintenance off db ends it$/);
  });

  test('on and off where it is not master are done at once', async () => {
    const stage = new Stage(new FakeInstance({ state: 'BACKUP' }));
    stage.instance.onOrder = () => {
      const on = stage.maintenance.of('db') !== undefined;
      stage.instance.become({ state: on ? 'HELD' : 'BACKUP' });
    };
    const on = await only(stage.give(ON));
    assert.deepEqual([on.outcome, on.reason, on.maintenance], ['done', 'maintenance-on', true]);
    assert.equal(on.state, 'HELD', 'the state afterwards');
    assert.match(
      on.message,
      /; carpd maintenance off db ends it\. No master is heard: NOBODY SERVES/,
    );
    const off = await only(stage.give(OFF));
    assert.deepEqual(
      [off.outcome, off.reason, off.maintenance],
      ['done', 'maintenance-off', false],
    );
    assert.equal(off.state, 'BACKUP');
    assert.match(off.message, /takes part in the election again$/);
    const again = await only(stage.give(OFF));
    assert.deepEqual([again.outcome, again.reason], ['done', 'maintenance-off']);
    assert.match(again.message, /^maintenance was off already/);
  });

  test('that can not be stored changes nothing', async () => {
    const instance = new FakeInstance({ state: 'BACKUP' });
    const maintenance = new Maintenance(maintenanceFile('/proc/none'), wallMs);
    const orders = new Orders({
      maintenance,
      startTimer,
      now: () => micros(0),
      settled: () => Promise.resolve(),
      instances: () => [instance],
    });
    for (const order of [ON, OFF]) {
      const result = await only(orders.give(order, ['db']));
      assert.deepEqual([result.outcome, result.reason], ['refused', 'not-stored']);
      assert.match(result.message, /can't be written.*Nothing was changed/);
    }
    assert.deepEqual([instance.done, maintenance.of('db')], [[], undefined]);
  });
});
