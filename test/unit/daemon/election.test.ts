// Two real daemons on hosts in memory: who serves, who takes over, and what is left at the end.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { ETHERTYPE_IPV4 } from '../../../src/base/ethertypes.ts';
import { readArp } from '../../../src/carp/arp.ts';
import { formatIpv4 } from '../../../src/base/addresses.ts';
import { readEthernet } from '../../../src/carp/ethernet.ts';
import { station } from '../../fakes/host.ts';
import {
  configOf,
  holders,
  RunningDaemon,
  Scene,
  VIP,
  VIP_CIDR,
} from '../../support/daemon-scene.ts';
import { address } from '../../support/packets.ts';

describe('two nodes', () => {
  let scene: Scene;
  let a: RunningDaemon;
  let b: RunningDaemon;

  const nodes = (): readonly string[] => holders([a.host, b.host]);

  beforeEach(async () => {
    scene = new Scene();
    a = await scene.boot();
    await a.becomes('MASTER');
    b = await scene.boot(configOf({ db: { advskew: 100 } }));
    await b.becomes('BACKUP');
    await scene.time.pass(3_000);
  });

  test('one serves, and the other waits', async () => {
    await scene.time.pass(20_000);
    deepEqual([a.state(), b.state()], ['MASTER', 'BACKUP']);
    deepEqual(nodes(), ['node1']);
    deepEqual(a.host.addresses('eth0'), ['10.9.0.11/24', VIP_CIDR]);
    deepEqual([a.of('doubt'), a.of('late-wake'), b.of('doubt')], [[], [], []]);
  });

  test('a master that stops leaves nothing, and the other takes over at once', async () => {
    deepEqual(await a.stop(), []);
    deepEqual(nodes(), []);
    await b.becomes('MASTER', 'db', 2_000);
    await scene.time.until('it has the address', () => nodes().length > 0, 1_000);
    deepEqual(nodes(), ['node2']);
    equal(a.daemon.report('db'), undefined);
    deepEqual([...a.host.sockets, ...a.host.watches, ...a.host.names], []);
  });

  test('a master that stops takes its address off before its bow-out leaves', async () => {
    const order: string[] = [];
    scene.wire.passes = (from, to, frame) => {
      if (from === a.host.macOf('eth0') && to === b.host.macOf('eth0') && frame.length > 60) {
        order.push(nodes().includes('node1') ? 'advert of a holder' : 'advert without the address');
      }
      return true;
    };
    await a.stop();
    equal(order.at(-1), 'advert without the address');
  });

  test('a master that is killed is replaced when its time is over', async () => {
    a.process.kill();
    const before = scene.time.now();
    await b.becomes('MASTER');
    const tookMs = (scene.time.now() - before) / 1_000;
    ok(tookMs > 2_000 && tookMs < 4_500, `${tookMs} ms`);
    await scene.time.until('it has the address', () => nodes().includes('node2'), 1_000);
    const again = new RunningDaemon(a.host, configOf());
    await again.start();
    await again.becomes('BACKUP');
    // No record tells whose address it is: it goes when the other master is heard.
    const isToldOf = (): boolean => again.of('vip-stale').length === 1;
    await scene.time.until('what the killed one left is taken off', isToldOf, 2_000);
    deepEqual(nodes(), ['node2']);
  });

  test('each half of a split segment has a master, and the whole one of them again', async () => {
    const [one, other] = [a.host.macOf('eth0'), b.host.macOf('eth0')];
    scene.wire.passes = (from, to) => ![one, other].every((mac) => [from, to].includes(mac));
    await b.becomes('MASTER');
    await scene.time.pass(5_000);
    deepEqual(nodes(), ['node1', 'node2']);
    scene.wire.passes = () => true;
    await b.becomes('BACKUP');
    await scene.time.pass(2_000);
    deepEqual(nodes(), ['node1']);
    equal(a.of('conflict').length > 0, true);
  });

  test('a new master announces its address to everybody before its up hook could run', async () => {
    const heard: string[] = [];
    const client = station('client', scene.wire, scene.time, '10.9.0.50/24');
    const mac = client.macOf('eth0');
    scene.wire.passes = (_from, to, frame) => {
      const arp = to === mac ? readEthernet(frame) : undefined;
      const read = arp?.ok === true ? readArp(arp.value.payload) : undefined;
      if (read?.ok === true && read.value.senderIp === read.value.targetIp) {
        heard.push(formatIpv4(read.value.senderIp));
      }
      return true;
    };
    await a.stop();
    await b.becomes('MASTER');
    await scene.time.pass(5_000);
    deepEqual([heard.length >= 3, new Set(heard)], [true, new Set([VIP])]);
    equal(b.of('takeover').length, 1);
  });

  test('a better node with preempt takes over from a master that is alive', async () => {
    await a.stop();
    await b.becomes('MASTER');
    const best = new RunningDaemon(a.host, configOf({ db: { preempt: true } }));
    await best.start();
    await best.becomes('BACKUP');
    await best.becomes('MASTER');
    await b.becomes('BACKUP');
    await scene.time.pass(1_000);
    deepEqual(nodes(), ['node1']);
  });

  test('an address that somebody takes off is put back and announced', async () => {
    a.host.meddle(`addr del ${VIP_CIDR} dev eth0`);
    await scene.time.until('it is back', () => nodes().includes('node1'), 2_000);
    await scene.time.pass(100);
    equal(a.of('vip-restored').length, 1);
  });

  test('an address that somebody puts on a backup is taken off', async () => {
    b.host.meddle(`addr add ${VIP_CIDR} dev eth0`);
    await scene.time.until('it is off', () => nodes().length === 1, 2_000);
    await scene.time.pass(100);
    deepEqual(nodes(), ['node1']);
    equal(b.of('vip-unwanted').length, 1);
  });

  test('another host that claims the address of the master is contested', async () => {
    const thief = station('thief', scene.wire, scene.time, '10.9.0.60/24');
    thief.meddle(`addr add ${VIP_CIDR} dev eth0`);
    await scene.time.pass(1_000);
    const asked = station('asker', scene.wire, scene.time, '10.9.0.61/24');
    asked.announce('eth0', thief.macOf('eth0'), address(VIP));
    await scene.time.pass(5_000);
    equal(a.of('vip-contested').length > 0, true);
    equal(a.state(), 'MASTER');
  });

  test('what another interface of the same host says of the address is no claim', async () => {
    a.host.plug('eth1', scene.wire, '10.9.1.1/24');
    await scene.time.pass(1_000);
    const asked = station('asker', scene.wire, scene.time, '10.9.0.61/24');
    const mac = a.host.macOf('eth1');
    asked.announce('eth0', mac, address(VIP));
    await scene.time.pass(5_000);
    deepEqual(
      a.of('vip-contested').filter((event) => event.mac === mac),
      [],
    );
  });
});

test('hooks run in order, one at a time, and none blocks an advert', async () => {
  const scene = new Scene();
  const host = scene.host();
  host.hook = () => ({ ms: 3_000 });
  const hooks = { up: ['/etc/up'], down: ['/etc/down'] };
  const node = await scene.boot(configOf({ db: { hooks } }), host);
  await node.becomes('MASTER');
  await scene.time.pass(10_000);
  const sent = node.of('advert-sent').length;
  ok(sent >= 9, `${sent} adverts in ten seconds`);
  await node.stop();
  deepEqual(
    host.commands.filter(({ argv }) => argv[0] !== 'ip').map(({ argv }) => argv.join(' ')),
    [`/etc/down eth0 ${VIP}`, `/etc/up eth0 ${VIP}`, `/etc/down eth0 ${VIP}`],
  );
  deepEqual(
    node.of('hook-finished').map(({ hook, result }) => `${hook} ${result}`),
    ['down ok', 'up ok', 'down ok'],
  );
});

test('the down hook begins behind the bow-out, however late that leaves', async () => {
  const scene = new Scene();
  const host = scene.host();
  // Then adverts leave by the raw socket, which takes them in its own turn.
  host.packetErrno = 'ENOBUFS';
  const node = await scene.boot(configOf({ db: { hooks: { down: ['/etc/down'] } } }), host);
  await node.becomes('MASTER');
  await scene.time.pass(3_000);
  const order: string[] = [];
  host.began = ({ argv: [program = ''] }) => void order.push(program);
  scene.wire.passes = (from, _to, frame) => {
    const read = readEthernet(frame);
    const isAdvert = read.ok && read.value.etherType === ETHERTYPE_IPV4;
    if (isAdvert && from === host.macOf('eth0')) order.push('advert');
    return true;
  };
  await node.stop();
  deepEqual([...new Set(order)], ['ip', 'advert', '/etc/down']);
});
