// Where a real daemon on a host in memory has its virtual IPs on record: what it leaves when it is
// killed is taken off by its next run, whatever has become of the configuration.
import { deepEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { configOf, RunningDaemon, Scene, VIP_CIDR } from '../../support/daemon-scene.ts';

const OWN = '10.9.0.31/24';
const LAN = { interface: 'lan' };
const MAIL = { vhid: 9, address: '10.9.0.102/24' };
const WEB = { ...LAN, vhid: 8, address: '10.9.0.101/24' };

/** A state directory of its own, for any number of configurations. */
function keeping(context: TestContext): (instances: Readonly<Record<string, object>>) => Config {
  const directory = mkdtempSync(join(tmpdir(), 'carpd-records-'));
  context.after(() => rmSync(directory, { recursive: true }));
  return (instances) => ({ ...configOf(instances), state: { directory } });
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

test('an interface that comes after the start is on record', async (context) => {
  const config = keeping(context);
  const scene = new Scene();
  const node = await scene.boot(config({ db: LAN }));
  node.host.plug('lan', scene.wire, OWN);
  deepEqual(await killed(scene, node, config({ web: WEB })), [OWN]);
});

test('so is one that takes the place of another one', async (context) => {
  const config = keeping(context);
  const scene = new Scene();
  const host = scene.host();
  host.plug('lan', scene.wire, OWN);
  const node = await scene.boot(config({ db: LAN }), host);
  await node.becomes('MASTER');
  host.unplug('lan');
  host.plug('lan', scene.wire, OWN);
  deepEqual(await killed(scene, node, config({ web: WEB })), [OWN]);
});

test('who is about to begin stays on record when an interface is renamed', async (context) => {
  const config = keeping(context);
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
