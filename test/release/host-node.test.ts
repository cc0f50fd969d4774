// The package that runs on the host's Node: with each Node that is supported in the place of
// /usr/bin/node, with none, and in the place of the package that brings its own and back.
import { equal, match } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fetchNode, NODE_MAJORS, nodeVersion } from '../../packaging/node-releases.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';
import { buildPackages, debName } from '../package/build.ts';
import { SpareHost } from '../package/spare-host.ts';

const VIP = '10.77.0.100';
const START_MS = 60_000;
const skip = await labSkipReason();

describe('carpd-host-node', { skip }, () => {
  const packages = mkdtempSync(join(tmpdir(), 'carpd-host-node-'));
  before(() => buildPackages(packages, ['--only=carpd,carpd-host-node']));
  after(() => rmSync(packages, { recursive: true, force: true }));

  test('serves with every Node that is supported, and says what it lacks', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const spare = await SpareHost.make(host, packages);
    // Where this machine has its Node from is not the question here.
    const install = 'dpkg --force-depends --install';
    await spare.sh(`${install} /mnt/${debName('carpd-host-node')}`);
    await spare.sh(`umask 077; cat >/etc/carpd/carpd.yaml <<'END'\n${CONFIG}END`);
    for (const major of NODE_MAJORS) {
      const node = join(fetchNode(major, process.arch === 'arm64' ? 'arm64' : 'x64'), 'bin/node');
      await spare.sh(`rm -f /usr/bin/node; cp ${node} /usr/bin/node`);
      equal(await spare.sh('/usr/bin/node --version'), `v${nodeVersion(major)}`);
      const daemon = spare.spawn(['carpd', 'run', '--config', '/etc/carpd/carpd.yaml']);
      const holds = async (): Promise<boolean> => (await whoHolds([host], VIP)).length === 1;
      await eventually(holds, { withinMs: START_MS, what: 'VIP', detail: () => daemon.tail() });
      equal((await daemon.stop('SIGTERM', START_MS)).code, 0, daemon.tail());
    }
    await spare.sh('rm /usr/bin/node');
    const without = await spare.run('carpd', '--version');
    equal(without.code, 2);
    match(without.output, /^carpd: \/usr\/bin\/node is missing: install Node\.js/);
  });

  test('changes places with carpd; the purge of one spares what the other uses', async (t) => {
    const lab = await Lab.create(t);
    const spare = await SpareHost.make(await lab.host('a', '10.77.0.1/24'), packages);
    await spare.sh(`dpkg --install /mnt/${debName('carpd')}; touch /etc/carpd/carpd.yaml`);
    await spare.sh(`dpkg --force-depends --install /mnt/${debName('carpd-host-node')}
      dpkg --purge carpd
      test -e /etc/carpd/carpd.yaml && test -e /etc/carpd/carpd.example.yaml
      getent passwd carpd && carpd --version`);
    await spare.sh(`dpkg --install /mnt/${debName('carpd')}; dpkg --purge carpd-host-node
      test -e /etc/carpd/carpd.yaml && carpd --version
      dpkg --purge carpd
      test ! -e /etc/carpd && ! getent passwd carpd`);
  });
});

const CONFIG = `instances:
  a:
    interface: eth0
    vhid: 7
    address: ${VIP}/24
    passphrase: a-secret
    gate: { policy: off }
`;
