// `carpd doctor`: what only a daemon that runs, a configuration, or a host of a certain kind shows.
// Needs root, namespaces and the stock ucarp.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { stringify } from 'yaml';
import { runCarpd } from '../../lab/carpd-command.ts';
import { carpdConfigFile, controlSocket, startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const WITHIN_MS = 60_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('carpd doctor of the host', { skip, concurrency: 4 }, () => {
  test('takes a bridge over a port as well as the port', async (t) => {
    const { host } = await place(t);
    await host.exec(['sh', '-euc', BRIDGED]);
    const file = configure(host, { interface: 'br9' }, { uplinks: ['eth0'] });
    deepEqual(bad(await findings(host, file)), []);
    const far = configure(
      host,
      { interface: 'br9', multicastGroup: '239.7.7.7' },
      { uplinks: ['eth0'] },
    );
    deepEqual(bad(await findings(host, far)), ['snooping-alone']);
    const wrong = configure(host, { interface: 'br9' }, { uplinks: ['eth0', 'eth7'] });
    deepEqual(bad(await findings(host, wrong)), ['no-uplink']);
  });

  test('names a ucarp of the same group, and never its password', async (t) => {
    const { host } = await place(t);
    startUcarp(host, GROUP);
    const file = configure(host, {});
    const seen = await eventuallyBad(host, file, 'group-twice');
    deepEqual(seen, ['group-twice', 'other-daemon']);
    const { stdout } = await runCarpd(host, words(file), WITHIN_MS);
    ok(!stdout.includes(GROUP.password), 'a command line is not shown');
  });

  test('sees a source that is not there, and the harm of two settings', async (t) => {
    const { host } = await place(t);
    await host.exec(['sysctl', '-qw', 'net.ipv4.conf.eth0.arp_ignore=2']);
    await host.ip('link', 'set', 'eth0', 'arp', 'off');
    const file = configure(host, { address: '10.99.0.1/32', source: '10.77.0.5' });
    const wanted = ['arp-unanswered', 'no-arp', 'source-missing', 'vip-outside'];
    deepEqual(bad(await findings(host, file)), wanted);
  });

  test('compares the daemon that runs with the configuration', async (t) => {
    const { host } = await place(t);
    const own = startCarpd(host, { ...GROUP, gate: 'off', config: { advskew: 200 } });
    await own.waitFor('MASTER', WITHIN_MS);
    const file = carpdConfigFile(host);
    deepEqual(bad(await findings(host, file)), []);
    const other = configure(host, {}, {}, 'new');
    const seen = await findings(host, other);
    deepEqual(bad(seen), ['instance-unloaded', 'vip-left-over']);
    equal(seen.find(({ code }) => code === 'instance-unloaded')?.about, 'new');
    await host.linkDown();
    await own.waitFor('INIT', WITHIN_MS);
    const down = await findings(host, file);
    ok(bad(down).includes('instance-unfit'), bad(down).join());
  });

  test('says what it can where something else answers in place of the daemon', async (t) => {
    const { host } = await place(t);
    const file = configure(host, {});
    const script = `require('http').createServer((_, response) => response.end('hello'))
      .listen(${JSON.stringify(controlSocket(host))}, () => console.log('up'))`;
    await host.spawn([process.execPath, '-e', script]).line(/^up$/, WITHIN_MS);
    const seen = await findings(host, file);
    ok(
      seen.some(({ code }) => code === 'daemon-absent'),
      JSON.stringify(seen),
    );
    const missing = await runCarpd(host, words(`${file}.none`), WITHIN_MS);
    equal(missing.code, 2);
    match(missing.stderr, /yaml\.none: can't be read/);
  });
});

/** A bridge that snoops, with the address of the port that it takes. */
const BRIDGED = `
ip link add br9 type bridge stp_state 0 forward_delay 0 mcast_snooping 1
ip addr flush dev eth0
ip link set eth0 master br9
ip link set br9 up
ip addr add 10.77.0.1/24 dev br9
until ip link show br9 | grep -q 'state UP'; do sleep 0.05; done
`;

interface Finding {
  readonly code: string;
  readonly grade: string;
  readonly about: string;
}

async function place(t: TestContext): Promise<{ readonly host: Host }> {
  const lab = await Lab.create(t);
  return { host: await lab.host('a', '10.77.0.1/24') };
}

/** Writes a configuration of its own, and yields its path. */
function configure(
  host: Host,
  instance: Readonly<Record<string, unknown>>,
  gate: Readonly<Record<string, unknown>> = {},
  name = 'vip',
): string {
  const file = join(host.directory, 'doctor.yaml');
  const document = {
    metrics: { listen: 'off' },
    state: { directory: host.directory },
    control: { socket: controlSocket(host) },
    instances: {
      [name]: {
        interface: 'eth0',
        vhid: GROUP.vhid,
        address: `${VIP}/24`,
        passphrase: 'another secret',
        gate,
        ...instance,
      },
    },
  };
  writeFileSync(file, stringify(document), { mode: 0o600 });
  return file;
}

function words(file: string): readonly string[] {
  return ['doctor', '--config', file, '--seconds', '0', '--json'];
}

async function findings(host: Host, file: string): Promise<readonly Finding[]> {
  const { stdout, stderr } = await runCarpd(host, words(file), WITHIN_MS);
  ok(stdout.startsWith('{'), `${stdout}${stderr}`);
  return (JSON.parse(stdout) as { readonly findings: readonly Finding[] }).findings;
}

/** The codes of warnings and failures. */
function bad(found: readonly Finding[]): readonly string[] {
  const worse = found.filter(({ grade }) => grade === 'warning' || grade === 'failure');
  return worse.map(({ code }) => code).sort();
}

/** Asks again until a finding is there, as while a process starts. */
async function eventuallyBad(host: Host, file: string, code: string): Promise<readonly string[]> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    const seen = bad(await findings(host, file));
    if (seen.includes(code) || performance.now() > until) return seen;
  }
}
