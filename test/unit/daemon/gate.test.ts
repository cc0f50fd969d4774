// The gate of a real daemon on a host in memory: what holds it, what opens it, and what a master
// does whose path is lost.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  configOf,
  GATEWAY,
  holders,
  Scene,
  VIP_CIDR,
  type RunningDaemon,
} from '../../support/daemon-scene.ts';

const LONG_MS = 30_000;

/** A scene whose port passes nothing to the first host until it is opened. */
function darkPort(): { scene: Scene; open: () => void; close: () => void } {
  const scene = new Scene();
  const close = (): void => {
    scene.wire.passes = () => false;
  };
  close();
  const open = (): void => {
    scene.wire.passes = () => true;
  };
  return { scene, open, close };
}

describe('a gate', () => {
  test('holds a node whose port passes nothing, and lets it in when it does', async () => {
    const { scene, open } = darkPort();
    const node = await scene.boot();
    await scene.time.pass(LONG_MS);
    equal(node.state(), 'HELD');
    deepEqual(holders([node.host]), []);
    equal(node.of('advert-sent').length, 0, 'who is held says nothing');
    deepEqual(node.of('gate-closed')[0]?.reasons, ['no-frames']);
    equal(node.of('gate-still-closed').length > 0, true);
    open();
    await node.becomes('MASTER');
    equal(node.of('gate-opened')[0]?.by, 'proof');
  });

  test('opens for two that hear each other, and one of them serves', async () => {
    const { scene, open } = darkPort();
    const node = await scene.boot();
    const host = scene.host();
    open();
    const other = await scene.boot(configOf(), host);
    await scene.time.pass(LONG_MS);
    deepEqual([node.state(), other.state()].sort(), ['BACKUP', 'MASTER']);
    equal(holders([node.host, host]).length, 1);
  });

  test('opens after a while where the configuration says so', async () => {
    const { scene } = darkPort();
    const gate = { policy: 'promote-after', promoteAfter: '10s' };
    const node = await scene.boot(configOf({ db: { gate } }));
    await scene.time.pass(9_000);
    equal(node.state(), 'HELD');
    await node.becomes('MASTER', 'db', 6_000);
  });

  test('asks for carrier alone where it is off', async () => {
    const { scene } = darkPort();
    const host = scene.host();
    host.carrier('eth0', false);
    const node = await scene.boot(configOf({ db: { gate: { policy: 'off' } } }), host);
    await scene.time.pass(LONG_MS);
    equal(node.state(), 'HELD');
    host.carrier('eth0', true);
    await node.becomes('MASTER', 'db', 6_000);
  });

  test('waits where somebody else answers for the virtual IP and no master was heard', async () => {
    const scene = new Scene();
    scene.gateway.meddle(`addr add ${VIP_CIDR} dev eth0`);
    const node = await scene.boot();
    await scene.time.pass(LONG_MS);
    equal(node.state(), 'HELD');
    equal(node.of('vip-in-use').length, 1);
    ok(node.of('promotion-held').some(({ reason }) => reason === 'vip-in-use'));
    scene.gateway.meddle(`addr del ${VIP_CIDR} dev eth0`);
    await node.becomes('MASTER');
  });
});

describe('a node that starts beside a master, whose address answers of course', () => {
  for (const [what, settings] of [
    ['of the usual pace', {}],
    ['that is slow', { advbase: 3 }],
    ['that has to be silent for long', { deadRatio: 10 }],
  ] as const) {
    test(`says nothing of an address in use: one ${what}`, async () => {
      const scene = new Scene();
      const master = await scene.boot(configOf({ db: settings }));
      await master.becomes('MASTER', 'db', LONG_MS);
      await scene.time.pass(LONG_MS);
      for (const delayMs of [0, 300, 700]) {
        await scene.time.pass(delayMs);
        const node = await scene.boot(configOf({ db: settings }));
        await scene.time.pass(LONG_MS);
        equal(node.state(), 'BACKUP');
        quietAboutAddress(node);
        await node.stop();
      }
    });
  }

  test('in maintenance says nothing either, though it hears no advert', async () => {
    const scene = new Scene();
    scene.gateway.meddle(`addr add ${VIP_CIDR} dev eth0`);
    const node = await scene.boot();
    const { control } = node.process;
    ok(control !== undefined, 'it has a control socket');
    const { order } = control;
    await scene.time.settled(order({ kind: 'maintenance', on: true, force: true }, ['db']));
    await scene.time.pass(LONG_MS);
    equal(node.state(), 'HELD');
    quietAboutAddress(node);
    await scene.time.settled(order({ kind: 'maintenance', on: false, force: false }, ['db']));
    await scene.time.pass(LONG_MS);
    equal(node.of('vip-in-use').length, 1, 'now a promotion is due');
  });
});

function quietAboutAddress(node: RunningDaemon): void {
  equal(node.of('vip-in-use').length, 0);
  const closed = node.told.filter(
    (event) => event.event === 'gate-closed' || event.event === 'gate-still-closed',
  );
  deepEqual(
    closed.filter(({ reasons }) => reasons.includes('vip-in-use')),
    [],
  );
}

describe('a master', () => {
  test('steps down when its carrier is gone for an interval, and not for a blip', async () => {
    const scene = new Scene();
    const node = await scene.boot();
    await node.becomes('MASTER');
    await scene.time.pass(3_000);
    node.host.carrier('eth0', false);
    await scene.time.pass(300);
    node.host.carrier('eth0', true);
    await scene.time.pass(5_000);
    equal(node.state(), 'MASTER');
    node.host.carrier('eth0', false);
    await node.becomes('HELD', 'db', 2_000);
    await scene.time.until('the address is off', () => holders([node.host]).length === 0);
    node.host.carrier('eth0', true);
    await node.becomes('MASTER');
  });

  test('is in doubt when its epoch has ended, until somebody answers', async () => {
    const { scene, open, close } = darkPort();
    open();
    const node = await scene.boot();
    await node.becomes('MASTER');
    await scene.time.pass(3_000);
    close();
    node.host.carrier('eth0', false);
    node.host.carrier('eth0', true);
    await scene.time.pass(3_000);
    equal(node.of('doubt').at(-1)?.inDoubt, true);
    open();
    await scene.time.until('no doubt', () => node.of('doubt').at(-1)?.inDoubt === false);
    equal(node.state(), 'MASTER');
  });

  test('that stood still reads what waits first, and yields to who took over', async () => {
    const scene = new Scene();
    const node = await scene.boot();
    await node.becomes('MASTER');
    const other = await scene.boot(configOf({ db: { advskew: 50 } }));
    await other.becomes('BACKUP');
    await scene.time.pass(5_000);
    node.process.standStill();
    await other.becomes('MASTER');
    await scene.time.pass(10_000);
    node.process.goOn();
    await scene.time.pass(5_000);
    deepEqual([node.state(), other.state()], ['BACKUP', 'MASTER']);
    deepEqual(holders([node.host, other.host]), ['node2']);
    equal(node.of('late-wake').length, 1);
    const after = node.of('advert-sent').length;
    await scene.time.pass(5_000);
    equal(node.of('advert-sent').length, after);
  });

  test('that stood still alone goes on, in doubt until it has proof', async () => {
    const scene = new Scene();
    const node = await scene.boot();
    await node.becomes('MASTER');
    await scene.time.pass(5_000);
    node.process.standStill();
    await scene.time.pass(20_000);
    node.process.goOn();
    await scene.time.pass(100);
    equal(node.state(), 'MASTER');
    equal(node.of('doubt').at(0)?.cause, 'epoch-ended');
    await scene.time.until('no doubt', () => node.of('doubt').at(-1)?.inDoubt === false);
    deepEqual(holders([node.host]), ['node1']);
  });
});

test('a backup that stood still reads what waits before it takes over', async () => {
  const scene = new Scene();
  const master = await scene.boot();
  await master.becomes('MASTER');
  const node = await scene.boot(configOf({ db: { advskew: 50 } }));
  await node.becomes('BACKUP');
  await scene.time.pass(5_000);
  node.process.standStill();
  await scene.time.pass(30_000);
  node.process.goOn();
  await scene.time.pass(10_000);
  equal(node.of('advert-sent').length, 0);
  equal(node.state(), 'BACKUP');
});

describe('an advert that the firewall drops', () => {
  test('counts in full where the witness sees it, and the cause is looked for', async () => {
    const scene = new Scene();
    const master = await scene.boot();
    await master.becomes('MASTER');
    const host = scene.host();
    host.blocks = 'in';
    const node = await scene.boot(configOf({ db: { advskew: 50 } }), host);
    await scene.time.pass(30_000);
    equal(node.state(), 'BACKUP');
    equal(node.of('advert-received').at(-1)?.heardBy, 'witness');
    equal(node.of('advert-sent').length, 0);
    ok(node.told.some(({ event }) => event === 'link-warning' || event === 'gate-warning'));
    host.blocks = 'nothing';
    await scene.time.pass(30_000);
    equal(node.of('advert-received').at(-1)?.heardBy, 'socket');
  });

  test('leaves all the same where it is refused on its way out, with a warning', async () => {
    const scene = new Scene();
    const host = scene.host();
    host.blocks = 'out';
    const node = await scene.boot(configOf(), host);
    const other = await scene.boot(configOf({ db: { advskew: 50 } }));
    await node.becomes('MASTER');
    await scene.time.pass(10_000);
    deepEqual([node.state(), other.state()], ['MASTER', 'BACKUP']);
    equal(node.of('send-blocked').length > 0, true);
  });
});

test('targets of the probe are asked, and answers of theirs open the gate alone', async () => {
  const scene = new Scene();
  const asked = new Set<string>();
  const gateway = scene.gateway.macOf('eth0');
  scene.wire.passes = (from, to) => {
    if (to === gateway) asked.add(from);
    return to === gateway || from === gateway;
  };
  const gate = { probe: { targets: [GATEWAY] }, requireProbe: true };
  const node = await scene.boot(configOf({ db: { gate } }), scene.host('node1', []));
  await node.becomes('MASTER');
  deepEqual([...asked], [node.host.macOf('eth0')]);
});
