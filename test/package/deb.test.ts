// The Debian packages as they are installed, upgraded, removed and purged, in a spare copy of this
// machine that has neither systemd nor IPv6. Needs root, namespaces and a compiler.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { frontEndsIn } from '../../lab/front-ends.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startPing, whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';
import { buildPackages, debName } from './build.ts';
import { SpareHost } from './spare-host.ts';

const VIP = '10.77.0.100';
const START_MS = 30_000;
const NEXT = '99.0.0';
const skip = await labSkipReason();

describe('the Debian packages', { skip }, () => {
  const packages = mkdtempSync(join(tmpdir(), 'carpd-debs-'));
  before(async () => {
    await buildPackages(packages, ['--only=carpd,carpd-ucarp']);
    await buildPackages(packages, ['--only=carpd', `--version=${NEXT}`]);
  });
  after(() => rmSync(packages, { recursive: true, force: true }));

  test('carpd: installed, run, upgraded while it is master, removed, purged', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const spare = await SpareHost.make(host, packages);
    const install = async (version?: string): Promise<string> =>
      spare.sh(`dpkg --install /mnt/${debName('carpd', version)}`);

    const said = await install();
    match(said, /nothing is started, for there is no \/etc\/carpd\/carpd\.yaml yet/);
    match(said, /there is no systemd here/);
    match(await spare.sh('cd / && carpd --version'), /^carpd \d+\.\d+\.\d+$/);
    match(await spare.sh('getent passwd carpd'), /:\/usr\/sbin\/nologin$/);

    // The example must be fit to begin with.
    await spare.sh(`cd /etc/carpd && umask 077 && echo a-secret >db.pass &&
      carpd check --config carpd.example.yaml`);
    const change = `s/192.0.2.100/${VIP}/; s/peers: .*/gate: { policy: off }/`;
    await spare.sh(`cd /etc/carpd && echo '# ours' >>carpd.example.yaml && umask 077 &&
      sed '${change}' carpd.example.yaml >carpd.yaml`);
    const daemon = spare.spawn(['carpd', 'run', '--config', '/etc/carpd/carpd.yaml']);
    const holds = async (): Promise<boolean> => (await whoHolds([host], VIP)).length === 1;
    await eventually(holds, { withinMs: START_MS, what: 'the VIP', detail: () => daemon.tail() });
    match(await spare.sh('carpd status'), /^db +MASTER /m);
    equal((await spare.run('bash', '-c', COMPLETE_INSTANCE)).output, 'db');

    const upgraded = await install(NEXT);
    ok(!upgraded.includes('nothing is started'), upgraded);
    equal(await spare.sh('carpd --version'), `carpd ${NEXT}`);
    match(await spare.sh('carpd status'), /^db +MASTER /m);
    ok(await holds(), 'the upgrade cost the running daemon its address');
    match(await spare.sh('cat /etc/carpd/carpd.example.yaml'), /# ours$/);
    equal((await daemon.stop('SIGTERM', START_MS)).code, 0, daemon.tail());

    const files = '--config /tmp/first.yaml --passphrase-file /tmp/first.pass';
    await spare.sh(`carpd init ${files} --interface eth0 --address ${VIP}`);
    const rights = await spare.sh('stat -c "%U %a" /tmp/first.pass');
    equal(rights, 'carpd 600', 'the service can not read the passphrase');

    await spare.sh('dpkg --remove carpd');
    equal((await spare.run('which', 'carpd')).code, 1);
    match(await spare.sh('ls /etc/carpd'), /^carpd.example.yaml\ncarpd.yaml\ndb.pass$/);
    await spare.sh('dpkg --purge carpd');
    equal((await spare.run('getent', 'passwd', 'carpd')).code, 2, 'the user is still there');
    deepEqual(await spare.newFiles(/carpd(?!-test)/), []);
  });

  test('carpd-ucarp takes the place of ucarp, under the hook of either', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    // Debian's hook knows nothing of the gate: somebody has to be there for it to open.
    startPing(await lab.host('c', '10.77.0.50/24'), VIP);
    await host.ip('addr', 'flush', 'dev', 'eth0');
    await host.linkDown();
    const spare = await SpareHost.make(host, packages);
    // Debian's package is installed in the machine, and gives way.
    await spare.sh(`dpkg --install /mnt/${debName('carpd')} /mnt/${debName('carpd-ucarp')}`);
    match(await spare.sh('dpkg --status ucarp'), /^Status: \w+ ok config-files$/m);
    match(await spare.sh('ucarp --help'), /--gate=/);
    await spare.sh(`mkdir -p /run/network; cat >/etc/network/interfaces <<'END'\n${INTERFACES}END`);
    const serve = async (): Promise<void> => {
      const said = await spare.sh('ifup eth0');
      const holds = async (): Promise<boolean> => (await whoHolds([host], VIP)).length === 1;
      await eventually(holds, { withinMs: START_MS, what: 'the VIP', detail: () => said });
      equal((await frontEndsIn(host)).length, 1, 'one ucarp is wanted');
      await spare.sh('ifdown eth0');
      const gone = async (): Promise<boolean> => (await frontEndsIn(host)).length === 0;
      await eventually(gone, { withinMs: START_MS, what: 'the end of ucarp' });
    };
    await serve();
    await spare.sh('dpkg --purge ucarp');
    await serve();
    await spare.sh('dpkg --purge carpd-ucarp carpd');
    deepEqual(await spare.newFiles(/carpd(?!-test)/), []);
  });
});

const COMPLETE_INSTANCE = `
. /usr/share/bash-completion/completions/carpd
COMP_WORDS=(carpd explain ''); COMP_CWORD=2
_carpd
printf '%s\\n' "\${COMPREPLY[@]}"`;

const INTERFACES = `iface eth0 inet static
    address 10.77.0.1/24
    ucarp-vid 7
    ucarp-vip ${VIP}
    ucarp-password a-secret
    ucarp-deadratio 1

iface eth0:ucarp inet static
    address ${VIP}/32
`;
