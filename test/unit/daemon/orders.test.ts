// Orders to a real daemon on a host in memory, and what it does where `ip` fails it.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBowOut, readAdvert } from '../../../src/carp/advert.ts';
import { readEthernet } from '../../../src/carp/ethernet.ts';
import { readIpv4 } from '../../../src/carp/ipv4.ts';
import type { Order } from '../../../src/control/orders.ts';
import type { OrderResult } from '../../../src/events/catalogue/order-result.ts';
import { configOf, holders, Scene, type RunningDaemon } from '../../support/daemon-scene.ts';

const HANDOVER: Order = { kind: 'handover', force: false };
const REFUSED = 'RTNETLINK answers: Operation not permitted';

async function pair(): Promise<{ scene: Scene; a: RunningDaemon; b: RunningDaemon }> {
  const scene = new Scene();
  const a = await scene.boot();
  await a.becomes('MASTER');
  const b = await scene.boot(configOf({ db: { advskew: 100, peers: ['10.9.0.11'] } }));
  await b.becomes('BACKUP');
  await scene.time.pass(3_000);
  return { scene, a, b };
}

async function order(scene: Scene, node: RunningDaemon, what: Order): Promise<OrderResult> {
  const { control } = node.process;
  ok(control !== undefined, 'it has a control socket');
  const [result] = await scene.time.settled(control.order(what, ['db']));
  ok(result !== undefined, 'an answer');
  return result;
}

describe('a handover', () => {
  test('to a peer: one holder at any time, and the peer at the end', async () => {
    const { scene, a, b } = await pair();
    const both: string[] = [];
    const watch = (): void => {
      if (holders([a.host, b.host]).length > 1) both.push('two holders');
    };
    for (let ms = 0; ms < 10_000; ms += 5) scene.time.startTimer(ms, watch);
    const result = await order(scene, a, { kind: 'handover', force: true });
    equal(result.reason, 'handed-over');
    await scene.time.pass(10_000);
    deepEqual([a.state(), b.state()], ['BACKUP', 'MASTER']);
    deepEqual([holders([a.host, b.host]), both], [['node2'], []]);
  });

  test('is refused where nobody answers who could take over', async () => {
    const scene = new Scene();
    const node = await scene.boot();
    await node.becomes('MASTER');
    const result = await order(scene, node, HANDOVER);
    equal(result.reason, 'no-peer');
    equal(node.state(), 'MASTER');
  });

  test('that fails because ip fails leaves the master as it was', async () => {
    const { scene, a, b } = await pair();
    a.host.refuses = (line) => (line.startsWith('addr del') ? REFUSED : undefined);
    const result = await order(scene, a, { kind: 'handover', force: true });
    equal(result.reason, 'vip-stuck');
    match(result.message, /Operation not permitted/);
    await scene.time.pass(20_000);
    deepEqual([a.state(), b.state()], ['MASTER', 'BACKUP']);
    deepEqual(holders([a.host, b.host]), ['node1']);
  });

  test('that hangs in ip is waited for, and the peer serves no sooner than it is off', async () => {
    const { scene, a, b } = await pair();
    a.host.ip = 'hangs';
    a.daemon.handover();
    await scene.time.pass(1_000);
    equal(b.state(), 'BACKUP');
    a.host.ip = { ms: 2 };
    await scene.time.until('the address is off', () => holders([a.host]).length === 0);
    await b.becomes('MASTER');
  });
});

describe('maintenance', () => {
  test('makes a master hand over and keeps it from coming back until it is off', async () => {
    const { scene, a, b } = await pair();
    const result = await order(scene, a, { kind: 'maintenance', on: true, force: true });
    equal(result.reason, 'handed-over');
    await b.becomes('MASTER');
    await b.stop();
    await scene.time.pass(20_000);
    equal(a.state(), 'HELD');
    const off = await order(scene, a, { kind: 'maintenance', on: false, force: false });
    equal(off.reason, 'maintenance-off');
    await a.becomes('MASTER');
  });
});

describe('a claim that fails', () => {
  test('makes the node bow out, and try again later', async () => {
    const scene = new Scene();
    const host = scene.host();
    host.refuses = (line) => (line.startsWith('addr add 10.9.0.100') ? REFUSED : undefined);
    const node = await scene.boot(configOf(), host);
    await node.becomes('MASTER');
    await node.becomes('HELD');
    deepEqual(holders([host]), []);
    equal(node.of('vip-failed')[0]?.reason, 'not-permitted');
    host.refuses = () => undefined;
    await node.becomes('MASTER');
    await scene.time.until('it is there', () => holders([host]).length === 1, 1_000);
  });
});

describe('a stop', () => {
  test('where ip fails says what is left, after a while', async () => {
    const { a, b } = await pair();
    a.host.refuses = (line) => (line.startsWith('addr del') ? REFUSED : undefined);
    deepEqual(await a.stop(), ['ip addr del 10.9.0.100/24 dev eth0']);
    equal(a.of('vip-left-behind').length, 1);
    await b.becomes('MASTER');
  });

  test('during a reload ends what the reload has begun', async () => {
    const { scene, a } = await pair();
    a.host.refuses = (line) => (line.startsWith('addr del') ? REFUSED : undefined);
    const reloading = a.daemon.reload(configOf({ web: { vhid: 8, address: '10.9.0.101/24' } }));
    deepEqual(await a.stop(), ['ip addr del 10.9.0.100/24 dev eth0']);
    await scene.time.settled(reloading);
    deepEqual(a.daemon.reports(), []);
  });

  test('during the start leaves nothing', async () => {
    const scene = new Scene();
    const host = scene.host();
    const node = await scene.boot(configOf(), host);
    deepEqual(await node.stop(), []);
    deepEqual([...host.sockets, ...host.watches, ...host.names], []);
  });

  test('gives hooks their time, and the bow-out leaves before the down hook', async () => {
    const scene = new Scene();
    const host = scene.host();
    host.hook = () => ({ ms: 2_000 });
    const hooks = { down: ['/etc/down'], timeout: '5s' };
    const node = await scene.boot(configOf({ db: { hooks } }), host);
    await node.becomes('MASTER');
    await scene.time.pass(3_000);
    const before = scene.time.now();
    await node.stop();
    ok(scene.time.now() - before >= 2_000_000);
    const ends = node.told.filter(
      (one) =>
        (one.event === 'advert-sent' && one.advert === 'bow-out') || one.event === 'hook-finished',
    );
    deepEqual(ends.map(({ event }) => event).slice(-2), ['advert-sent', 'hook-finished']);
  });
});

describe('an advert that takes its time on the way out', () => {
  test('has left before the address is added and before a hook runs', async () => {
    const scene = new Scene();
    const host = scene.host();
    // The raw socket sends in a later turn of the process.
    host.packetErrno = 'ENOBUFS';
    const order: string[] = [];
    host.began = ({ argv: [program = ''], lines }) => {
      order.push(...(program === 'ip' ? lines : [program]));
    };
    const gateway = scene.gateway.macOf('eth0');
    scene.wire.passes = (from, to, frame) => {
      const isAdvert = from === host.macOf('eth0') && to === gateway && frame.length > 60;
      if (isAdvert) order.push(isLast(frame) ? 'bow-out' : 'advert');
      return true;
    };
    const hooks = { up: ['/etc/up'], down: ['/etc/down'] };
    const node = await scene.boot(configOf({ db: { hooks } }), host);
    await node.becomes('MASTER');
    await scene.time.pass(500);
    await node.stop();
    deepEqual(order, [
      '/etc/down',
      'advert',
      'addr add 10.9.0.100/24 dev eth0',
      '/etc/up',
      'addr del 10.9.0.100/24 dev eth0',
      'bow-out',
      '/etc/down',
    ]);
  });
});

/** An advert with which a master leaves. */
function isLast(frame: Uint8Array): boolean {
  const ethernet = readEthernet(frame);
  const packet = ethernet.ok ? readIpv4(ethernet.value.payload) : undefined;
  const advert = packet?.ok === true ? readAdvert(packet.value.payload) : undefined;
  return advert?.ok === true && isBowOut(advert.value);
}

test('where hooks manage the address, the down hook runs before the bow-out', async () => {
  const scene = new Scene();
  const host = scene.host();
  const hooks = { up: ['/etc/up'], down: ['/etc/down'] };
  const node = await scene.boot(configOf({ db: { hooks, manageAddress: false } }), host);
  await node.becomes('MASTER');
  await scene.time.pass(3_000);
  await node.stop();
  const ends = node.told.flatMap((one) => {
    if (one.event === 'advert-sent' && one.advert === 'bow-out') return ['bow-out'];
    return one.event === 'hook-finished' ? [one.hook] : [];
  });
  deepEqual(ends, ['down', 'up', 'down', 'bow-out']);
  equal(host.commands.filter(({ argv }) => argv[0] === 'ip').length, 0);
});
