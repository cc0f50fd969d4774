// A reload of every key that needs no new start, while the instance is master: it stays master, its
// address stays on, its adverts come in time, and what the key says holds from then on.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configOf, Scene, VIP_CIDR, type RunningDaemon } from '../../support/daemon-scene.ts';

const WEB = { vhid: 8, address: '10.9.0.101/24' };

/** A key each, as in the file. */
const IN_PLACE: readonly object[] = [
  { source: '10.9.0.11' },
  { advskew: 20 },
  { advbase: 2 },
  { deadRatio: 9 },
  { preempt: true },
  { neutral: true },
  { ignoreLinkState: true },
  { broadcast: true },
  { hooks: { up: ['/up'], down: ['/down'], timeout: '3s', xparam: 'x' } },
  { announce: { burst: 1, interval: '90ms', refresh: '5s' } },
  { peers: ['10.9.0.20', '10.9.0.21'] },
  { gate: { policy: 'off' } },
  { gate: { policy: 'promote-after', promoteAfter: '5s' } },
  { gate: { requireProbe: true, vipInUse: 'always' } },
  { gate: { probe: { targets: ['10.9.0.77'], interval: '2s' } } },
  { gate: { uplinks: ['eth0'] } },
];

async function masterOf(db: object): Promise<{ scene: Scene; node: RunningDaemon }> {
  const scene = new Scene();
  const node = await scene.boot(configOf({ db, web: WEB }));
  await node.becomes('MASTER');
  await node.becomes('MASTER', 'web');
  await scene.time.pass(2_500);
  return { scene, node };
}

describe('a reload in place', () => {
  for (const keys of IN_PLACE) {
    for (const [what, before, after] of [
      ['to', {}, keys],
      ['back from', keys, {}],
    ] as const) {
      test(`${what} ${JSON.stringify(keys)}`, async () => {
        const { scene, node } = await masterOf(before);
        const { host } = node;
        const transitions = node.of('transition').length;
        const sent = (): number =>
          node.of('advert-sent').filter(({ name }) => name === 'db').length;
        const removals = (): number =>
          host.commands.filter(({ lines }) => lines.some((line) => line.startsWith('addr del')))
            .length;
        const removed = removals();
        const adverts = sent();
        await node.reload(configOf({ db: after, web: WEB }));
        ok(host.addresses('eth0').includes(VIP_CIDR));
        const [reloaded] = node.of('configuration-reloaded');
        deepEqual([reloaded?.changed, reloaded?.restarted], [['db'], []]);
        deepEqual(reloaded?.unchanged, ['web']);
        await scene.time.pass(6_000);
        equal(node.of('transition').length, transitions, 'nobody steps down');
        equal(node.state(), 'MASTER');
        equal(removals(), removed);
        ok(sent() - adverts >= 2, `${sent() - adverts} adverts in 6 s`);
        const [change] = node.of('configuration-change');
        ok(change);
        equal(change.handsOver, false);
        match(change.detail, /^db: \S+ .* -> .*\(/);
        await node.stop();
      });
    }
  }
});

describe('what a reload in place says', () => {
  test('is known to the election and the report', async () => {
    const { scene, node } = await masterOf({});
    await node.reload(configOf({ db: { advskew: 20, peers: ['10.9.0.20'] }, web: WEB }));
    await scene.time.pass(2_000);
    equal(
      node
        .of('advert-sent')
        .filter(({ name }) => name === 'db')
        .at(-1)?.advskew,
      20,
    );
    equal(node.report().advskew, 20);
    await node.reload(configOf({ db: {}, web: WEB }));
    await scene.time.pass(2_000);
    equal(
      node
        .of('advert-sent')
        .filter(({ name }) => name === 'db')
        .at(-1)?.advskew,
      0,
    );
  });

  test('holds for the hooks that begin from then on, and for who abandons it', async () => {
    const { node } = await masterOf({ hooks: { down: ['/down'] } });
    const hooks = { up: ['/up'], down: ['/other'] };
    await node.reload(configOf({ db: { hooks }, web: WEB }));
    const [holding] = node.daemon.abandon();
    deepEqual(holding?.config.hooks.down, ['/other']);
  });

  test('a new source address is the sender of the next advert', async () => {
    const { scene, node } = await masterOf({});
    node.host.meddle('addr add 10.9.0.12/24 dev eth0');
    await node.reload(configOf({ db: { source: '10.9.0.12' }, web: WEB }));
    await scene.time.pass(1_100);
    equal(node.report().source, '10.9.0.12');
    equal(node.state(), 'MASTER');
  });

  test('one key that needs a restart restarts it, and it says so before', async () => {
    const { scene, node } = await masterOf({});
    await node.reload(configOf({ db: { vhid: 20, advskew: 1 }, web: WEB }));
    const all = node.told.map(({ event }) => event);
    const said = all.indexOf('configuration-change');
    const left = node.told.findIndex(
      (event) => event.event === 'transition' && event.name === 'db' && event.cause === 'stopped',
    );
    ok(said !== -1 && said < left, `${said} < ${left}`);
    equal(node.of('configuration-change')[0]?.handsOver, true);
    match(node.of('configuration-change')[0]?.detail ?? '', /MASTER and hands over first$/);
    deepEqual(node.of('configuration-reloaded')[0]?.restarted, ['db']);
    await node.becomes('MASTER');
    await scene.time.pass(100);
    equal(node.state('web'), 'MASTER');
  });
});

describe('what came of a reload', () => {
  test('is told of until the next one', async () => {
    const { node } = await masterOf({});
    const status = (): unknown => node.process.control?.status().reload;
    equal(status(), null);
    node.daemon.refuse(['/etc/c.yaml: a: is wrong', '/etc/c.yaml: b: is too']);
    const reasons = ['/etc/c.yaml: a: is wrong', '/etc/c.yaml: b: is too'];
    deepEqual(status(), { outcome: 'refused', agoMs: 0, reasons });
    equal(node.of('configuration-rejected').length, 2);
    deepEqual(await node.reload(configOf({ db: { advskew: 3 }, web: WEB })), []);
    deepEqual(status(), { outcome: 'applied', agoMs: 0, reasons: [] });
  });

  test('a source that the host does not have makes the master step down', async () => {
    const { node } = await masterOf({});
    await node.reload(configOf({ db: { source: '10.9.0.99' }, web: WEB }));
    match(node.of('configuration-change')[0]?.detail ?? '', /does not have the address/);
    await node.becomes('INIT');
  });
});

describe('a reload of the control socket', () => {
  test('opens the new one, and lets who ordered it have the answer', async () => {
    const { node } = await masterOf({});
    const before = node.process.control?.path;
    const file = configOf({ db: {}, web: WEB });
    await node.reload({ ...file, control: { socket: '/run/other.sock', unixGroup: undefined } });
    deepEqual(
      [node.process.control?.path, before === '/run/other.sock'],
      ['/run/other.sock', false],
    );
    await node.reload({ ...file, control: { socket: undefined, unixGroup: undefined } });
    equal(node.process.control, undefined);
  });

  test('says what can not be opened, and of the metrics likewise', async () => {
    const { scene, node } = await masterOf({});
    node.process.unopened = '/run/other.sock is taken';
    const file = {
      ...configOf({ db: {} }),
      control: { socket: '/run/other.sock', unixGroup: undefined },
    };
    const said = '/run/other.sock is taken; carpd tries again every 10 s';
    deepEqual(await node.reload(file), [said]);
    deepEqual(await node.reload(file), [], 'what is as before is not opened anew');
    const listen = { kind: 'unix', path: '/run/m.sock', text: 'unix:/run/m.sock' } as const;
    // Node loads what serves them in its own time.
    const stopClock = scene.time.flow();
    deepEqual(await node.daemon.reload({ ...file, metrics: { listen } }), [said]);
    stopClock();
    equal(node.state(), 'MASTER');
  });
});
