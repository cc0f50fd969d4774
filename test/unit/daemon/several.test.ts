// Several instances of one real daemon on a host in memory: reload, groups, and virtual IPs that
// share an interface and a prefix.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { station } from '../../fakes/host.ts';
import { configOf, RunningDaemon, Scene, VIP_CIDR } from '../../support/daemon-scene.ts';

const WEB = { vhid: 8, address: '10.9.0.101/24' };
const WEB_CIDR = '10.9.0.101/24';
const MAIL = { vhid: 9, address: '10.9.0.102/24' };

async function masters(config = configOf({ db: {}, web: WEB })): Promise<{
  scene: Scene;
  node: RunningDaemon;
}> {
  const scene = new Scene();
  const node = await scene.boot(config);
  for (const { name } of config.instances) await node.becomes('MASTER', name);
  await scene.time.pass(3_000);
  return { scene, node };
}

describe('two virtual IPs in one prefix', () => {
  test('come and go without each other', async () => {
    const { scene, node } = await masters();
    const { host } = node;
    deepEqual(host.addresses('eth0'), ['10.9.0.11/24', VIP_CIDR, WEB_CIDR]);
    await node.reload(configOf({ web: WEB }));
    deepEqual(host.addresses('eth0'), ['10.9.0.11/24', WEB_CIDR]);
    await scene.time.pass(5_000);
    deepEqual([node.state('db'), node.state('web')], [undefined, 'MASTER']);
    equal(node.of('vip-restored').length, 0);
  });

  test('without an own address of the prefix: what hangs on the first is kept', async () => {
    const scene = new Scene();
    const host = scene.host();
    host.plug('lan', scene.wire, '192.168.1.5/24');
    const far = { interface: 'lan', source: '192.168.1.5' };
    const config = configOf({
      db: far,
      web: { ...far, ...WEB },
    });
    const node = await scene.boot(config, host);
    await node.becomes('MASTER', 'db');
    await node.becomes('MASTER', 'web');
    await scene.time.pass(3_000);
    const before = host.addresses('lan');
    equal(before.length, 3);
    await node.reload(configOf({ web: { ...far, ...WEB } }));
    deepEqual(host.addresses('lan'), ['192.168.1.5/24', WEB_CIDR]);
    equal(host.promotes(3), false, 'the setting is as it was');
    equal(node.of('vip-restored').length, 0);
  });

  test('the same where nobody may set promote_secondaries: the other is put back', async () => {
    const scene = new Scene();
    const host = scene.host();
    host.maySetPromotion = false;
    host.plug('lan', scene.wire, '192.168.1.5/24');
    const far = { interface: 'lan', source: '192.168.1.5' };
    const node = await scene.boot(configOf({ db: far, web: { ...far, ...WEB } }), host);
    await node.becomes('MASTER', 'db');
    await node.becomes('MASTER', 'web');
    await scene.time.pass(3_000);
    await node.reload(configOf({ web: { ...far, ...WEB } }));
    await scene.time.until('it is back', () => host.addresses('lan').includes(WEB_CIDR));
    deepEqual(host.addresses('lan'), ['192.168.1.5/24', WEB_CIDR]);
    equal(node.state('web'), 'MASTER');
  });

  test('one that stops takes none of the other', async () => {
    const { node } = await masters();
    deepEqual(await node.stop(), []);
    deepEqual(node.host.addresses('eth0'), ['10.9.0.11/24']);
  });
});

describe('a reload', () => {
  test('adds, drops and changes instances, and disturbs no other', async () => {
    const { scene, node } = await masters(configOf({ db: {}, web: WEB, mail: MAIL }));
    const told = node.of('transition').length;
    const fresh = { vhid: 10, address: '10.9.0.103/24' };
    await node.reload(configOf({ db: {}, mail: { ...MAIL, advskew: 20 }, fresh }));
    const [reloaded] = node.of('configuration-reloaded');
    deepEqual(
      [reloaded?.added, reloaded?.changed, reloaded?.removed, reloaded?.unchanged],
      [['fresh'], ['mail'], ['web'], ['db']],
    );
    await node.becomes('MASTER', 'fresh');
    await node.becomes('MASTER', 'mail');
    await scene.time.pass(2_000);
    deepEqual([...node.host.addresses('eth0')].sort(), [
      '10.9.0.100/24',
      '10.9.0.102/24',
      '10.9.0.103/24',
      '10.9.0.11/24',
    ]);
    equal(
      node
        .of('transition')
        .slice(told)
        .filter(({ name }) => name === 'db').length,
      0,
    );
    equal(node.daemon.reports().length, 3);
  });

  test('of the same configuration changes nothing', async () => {
    const { scene, node } = await masters();
    const told = node.of('transition').length;
    await node.reload(configOf({ db: {}, web: WEB }));
    await scene.time.pass(2_000);
    equal(node.of('transition').length, told);
    deepEqual(node.of('configuration-reloaded')[0]?.unchanged, ['db', 'web']);
  });

  test('leaves a master alone whose address can not be taken off, and says so', async () => {
    const { scene, node } = await masters();
    const { host } = node;
    host.refuses = (line) =>
      line.startsWith('addr del') ? 'RTNETLINK answers: Operation not permitted' : undefined;
    await node.reload(configOf({ web: WEB }));
    equal(node.state('db'), 'MASTER');
    match(node.of('configuration-warning')[0]?.detail ?? '', /instance db keeps its old/);
    host.refuses = () => undefined;
    await node.reload(configOf({ web: WEB }));
    deepEqual([node.state('db'), node.state('web')], [undefined, 'MASTER']);
    await scene.time.pass(1_000);
    deepEqual(host.addresses('eth0'), ['10.9.0.11/24', WEB_CIDR]);
  });

  test('says what applies only to a new start', async () => {
    const { node } = await masters();
    const config = configOf({ db: {}, web: WEB });
    await node.reload({ ...config, state: { directory: '/elsewhere' } });
    deepEqual(
      node.of('configuration-change').map(({ detail }) => detail),
      ['carpd: state.directory off -> /elsewhere (counts from the next start of carpd on)'],
    );
  });

  test('refuses an instance whose group another process has', async () => {
    const { scene, node } = await masters(configOf());
    const rival = new RunningDaemon(node.host, configOf({ web: WEB }));
    await rival.start();
    await rival.becomes('MASTER', 'web');
    await node.reload(configOf({ db: {}, web: WEB }));
    match(node.of('configuration-warning')[0]?.detail ?? '', /serves vhid 8 on eth0/);
    equal(node.state('web'), undefined);
    await rival.stop();
    await node.reload(configOf({ db: {}, web: WEB }));
    await node.becomes('MASTER', 'web');
    await scene.time.pass(100);
    equal(node.state('db'), 'MASTER');
  });

  test('with many instances takes turns', async () => {
    const scene = new Scene();
    const node = await scene.boot();
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [
        `i${n}`,
        { vhid: n + 20, address: `10.9.0.${n + 120}/24` },
      ]),
    );
    await node.reload(configOf({ db: {}, ...many }));
    await scene.time.pass(10_000);
    equal(node.daemon.reports().filter(({ state }) => state === 'MASTER').length, 61);
    equal(node.host.addresses('eth0').length, 62);
    await node.stop();
    deepEqual(node.host.addresses('eth0'), ['10.9.0.11/24']);
  });
});

describe('a group that another process serves', () => {
  test('keeps a daemon from starting, which touches nothing', async () => {
    const { node } = await masters(configOf());
    const second = new RunningDaemon(node.host, configOf());
    const fault = await second.start().catch((error: unknown) => String(error));
    match(String(fault), /process \d+ \(carpd\) serves vhid 7 on eth0 already; stop that one/);
    equal(node.state('db'), 'MASTER');
    deepEqual(node.host.addresses('eth0'), ['10.9.0.11/24', VIP_CIDR]);
    deepEqual(await second.stop(), []);
  });

  test('is waited for where that one is leaving', async () => {
    const { node } = await masters(configOf());
    node.host.ip = { ms: 3_000 };
    const stopped = node.daemon.stop();
    const second = new RunningDaemon(node.host, configOf());
    await second.start();
    await stopped;
    node.host.ip = { ms: 2 };
    await second.becomes('MASTER');
  });

  test('is not waited for by who is to end already', async () => {
    const { scene, node } = await masters(configOf());
    const second = new RunningDaemon(node.host, configOf());
    const starting = second.daemon.start();
    deepEqual(await second.stop(), []);
    await scene.time.settled(starting);
    deepEqual(second.daemon.reports(), []);
  });

  test('is taken over by an instance that waits for its interface', async () => {
    const scene = new Scene();
    const host = scene.host();
    const node = await scene.boot(
      configOf({ db: { interface: 'lan', source: '10.9.0.11' } }),
      host,
    );
    match(node.daemon.firstFault() ?? '', /lan/);
    equal(node.daemon.interfaceKey('lan'), 'lan');
    host.plug('lan', scene.wire, '10.9.0.31/24');
    await node.becomes('MASTER');
    equal(node.daemon.firstFault(), undefined);
    equal(node.daemon.interfaceKey('lan'), 3);
    host.unplug('lan');
    await node.becomes('INIT');
    ok(node.interfacesGone > 0);
  });
});

describe('an interface', () => {
  test('may get another name: nothing changes but what it is called', async () => {
    const { scene, node } = await masters();
    node.host.set('eth0', { name: 'lan0' });
    await scene.time.pass(5_000);
    equal(node.state('db'), 'MASTER');
    equal(node.of('interface-renamed').length, 1);
    await node.stop();
    deepEqual(node.host.addresses('lan0'), ['10.9.0.11/24']);
  });

  test('set down and up again: the instances leave, and come back', async () => {
    const { scene, node } = await masters();
    node.host.admin('eth0', false);
    await node.becomes('INIT', 'db');
    await node.becomes('INIT', 'web');
    equal(node.interfacesGone > 0, true);
    match(node.daemon.firstFault() ?? '', /ip link set eth0 up/);
    node.host.admin('eth0', true);
    await node.becomes('MASTER', 'db');
    await scene.time.pass(2_000);
    equal(node.state('web'), 'MASTER');
  });

  test('without its address: the instances say so, and wait for it', async () => {
    const { node } = await masters();
    const { host } = node;
    host.meddle('addr del 10.9.0.11/24 dev eth0');
    await node.becomes('INIT', 'db');
    host.meddle('addr add 10.9.0.11/24 dev eth0');
    await node.becomes('MASTER', 'db');
  });

  test('whose sockets break: they are opened again', async () => {
    const { scene, node } = await masters(configOf());
    node.process.socketErrno = 'EMFILE';
    node.process.breakSockets('ENETDOWN');
    await scene.time.pass(1_000);
    equal(node.state('db'), 'INIT');
    match(node.daemon.firstFault() ?? '', /tries again/);
    node.process.socketErrno = undefined;
    await node.becomes('MASTER', 'db');
    equal(node.of('socket-failed').length >= 2, true);
  });

  test('whose sockets break whenever they are open: tried now and then', async () => {
    const { scene, node } = await masters(configOf());
    const breakAgain = (): void => {
      node.process.breakSockets('ENETDOWN');
      scene.time.startTimer(10, breakAgain);
    };
    breakAgain();
    await scene.time.pass(20_000);
    const times = node.of('socket-failed').length;
    // Three times within half a second, and then once a second.
    equal(times >= 20 && times <= 24, true, `${times} times in 20 s`);
  });

  test('by two names is one: its instances share it', async () => {
    const scene = new Scene();
    const host = scene.host();
    host.set('eth0', { altNames: ['uplink'] });
    const node = await scene.boot(configOf({ db: {}, web: { ...WEB, interface: 'uplink' } }), host);
    await node.becomes('MASTER', 'db');
    await node.becomes('MASTER', 'web');
    await scene.time.pass(1_000);
    host.unplug('eth0');
    await node.becomes('INIT', 'db');
    host.plug('eth0', scene.wire, '10.9.0.11/24');
    host.plug('uplink', scene.wire, '10.9.0.12/24');
    await node.becomes('MASTER', 'db');
    await node.becomes('MASTER', 'web');
    await scene.time.pass(1_000);
    deepEqual(
      [host.addresses('eth0'), host.addresses('uplink')],
      [
        ['10.9.0.11/24', VIP_CIDR],
        ['10.9.0.12/24', WEB_CIDR],
      ],
    );
  });

  test('the virtual IP on another interface of the host is told of', async () => {
    const { scene, node } = await masters(configOf());
    node.host.plug('other', scene.wire, VIP_CIDR);
    await scene.time.pass(2_000);
    deepEqual(node.of('vip-elsewhere')[0]?.interfaces, ['other']);
  });
});

test('a daemon tells who is to be asked, and logs its state on demand', async () => {
  const { scene, node } = await masters();
  station('peer', scene.wire, scene.time, '10.9.0.77/24');
  node.daemon.logState();
  equal(node.of('state').length, 2);
  equal(await scene.time.settled(node.daemon.turn()), 0);
  const held = node.daemon.abandon();
  deepEqual(
    held.map(({ address }) => address),
    [true, true],
  );
  node.daemon.closeSockets();
  deepEqual([...node.host.sockets], []);
});
