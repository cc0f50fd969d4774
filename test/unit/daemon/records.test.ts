// Where a real daemon on a host in memory has its virtual IPs on record: what it leaves when it is
// killed is taken off by its next run, whatever has become of the configuration. And what else it
// keeps in files or shows, by way of its ports.
import { deepEqual, match } from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { listenAddress } from '../../../src/config/listen-address.ts';
import { configOf, RunningDaemon, Scene, VIP_CIDR } from '../../support/daemon-scene.ts';

const OWN = '10.9.0.31/24';
const LAN = { interface: 'lan' };
const MAIL = { vhid: 9, address: '10.9.0.102/24' };
const WEB = { ...LAN, vhid: 8, address: '10.9.0.101/24' };

/** A configuration with a state directory, in the memory of its host. */
function config(instances: Readonly<Record<string, object>>): Config {
  return { ...configOf(instances), state: { directory: '/state' } };
}

/** The daemon is killed with the virtual IP on; what the next one leaves of it. */
async function killed(scene: Scene, node: RunningDaemon, next: Config): Promise<readonly string[]> {
  const { host } = node;
  await scene.time.until('it serves', () => host.addresses('lan').includes(VIP_CIDR));
  await scene.time.pass(1_000);
  node.process.kill();
  await new RunningDaemon(host, next).start();
  return host.addresses('lan');
}

test('an interface that comes after the start is on record', async () => {
  const scene = new Scene();
  const node = await scene.boot(config({ db: LAN }));
  node.host.plug('lan', scene.wire, OWN);
  deepEqual(await killed(scene, node, config({ web: WEB })), [OWN]);
});

test('so is one that takes the place of another one', async () => {
  const scene = new Scene();
  const host = scene.host();
  host.plug('lan', scene.wire, OWN);
  const node = await scene.boot(config({ db: LAN }), host);
  await node.becomes('MASTER');
  host.unplug('lan');
  host.plug('lan', scene.wire, OWN);
  deepEqual(await killed(scene, node, config({ web: WEB })), [OWN]);
});

test('who is about to begin stays on record when an interface is renamed', async () => {
  const scene = new Scene();
  const host = scene.host();
  host.plug('lan', scene.wire, OWN);
  const others = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [
      `i${n}`,
      { ...LAN, vhid: n + 20, address: `10.9.1.${n + 1}/24` },
    ]),
  );
  const node = await scene.boot(config({ first: WEB, mail: MAIL }), host);
  await node.becomes('MASTER', 'first');
  const reloaded = node.daemon.reload(config({ first: WEB, mail: MAIL, ...others, db: LAN }));
  host.set('eth0', { name: 'wan' });
  await scene.time.settled(reloaded);
  deepEqual(node.of('interface-renamed').length, 1);
  deepEqual((await killed(scene, node, config({ mail: MAIL }))).includes(VIP_CIDR), false);
});

test('maintenance is kept: the next run serves nothing until it is over', async () => {
  const scene = new Scene();
  const node = await scene.boot(config({ db: {} }));
  await scene.time.settled(maintenance(node, true));
  await node.stop();
  const next = await scene.boot(config({ db: {} }), node.host);
  await scene.time.pass(20_000);
  deepEqual([next.state(), next.report().maintenance?.cause], ['HELD', 'operator']);
  await scene.time.settled(maintenance(next, false));
  await next.becomes('MASTER');
});

test('what can not be read counts as maintenance', async () => {
  const scene = new Scene();
  const host = scene.host();
  host.state.unreadable = 'the disk is broken';
  const node = await scene.boot(config({ db: {} }), host);
  await scene.time.pass(20_000);
  deepEqual([node.state(), node.report().maintenance?.cause], ['HELD', 'unreadable']);
  deepEqual(node.of('maintenance-unreadable').length, 1);
});

test('what carpd release goes by follows every reload, and ends with the daemon', async () => {
  const scene = new Scene();
  const node = await scene.boot(config({ db: {} }));
  const { state } = node.host;
  const names = (): readonly string[] => state.released.map(({ name }) => name);
  deepEqual(names(), ['db']);
  await node.reload(config({ db: {}, mail: MAIL }));
  deepEqual(names(), ['db', 'mail']);
  state.unwritable = 'no room';
  await node.reload(config({ db: {} }));
  match(
    node.of('configuration-warning').at(-1)?.detail ?? '',
    /^no room; carpd release will go by/,
  );
  state.unwritable = undefined;
  await node.stop();
  deepEqual(names(), []);
});

test('the metrics are served as long as the daemon runs', async () => {
  const scene = new Scene();
  const listen = listenAddress('127.0.0.1:9112');
  if (!listen.ok) throw new Error('it is an address');
  const node = new RunningDaemon(scene.host(), {
    ...configOf(),
    metrics: { listen: listen.value },
  });
  // Node loads what serves them in its own time.
  const stopClock = scene.time.flow();
  await node.daemon.start();
  stopClock();
  await node.becomes('MASTER');
  deepEqual(node.of('metrics-opened').length, 1);
  const text = new TextDecoder().decode(await node.process.metrics?.metrics());
  match(text, /^carpd_instance_state\{name="db".*state="master"\} 1$/m);
  await node.stop();
  deepEqual(node.process.metrics, undefined);
});

function maintenance(node: RunningDaemon, on: boolean): Promise<unknown> {
  const { control } = node.process;
  if (control === undefined) throw new Error('it has a control socket');
  return control.order({ kind: 'maintenance', on, force: true }, ['db']);
}
