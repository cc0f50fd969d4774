// The virtual IP on another interface of the same host: named as such, taken off where an earlier
// run of carpd has left it, and left where anybody else has put it. Needs root and namespaces.
import { deepEqual, equal, match } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { stringify } from 'yaml';
import { carpdArgv, runCarpd } from '../../lab/carpd-command.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import {
  carpdConfigFile,
  controlSocket,
  startCarpd,
  startCarpdInstances,
} from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startPing } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const OTHER = '10.77.0.101';
const WITHIN_MS = 30_000;
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1 };
const ON_ETH0 = { ...GROUP, config: { address: `${VIP}/24`, hooks: {} } };
const ON_ETH1 = {
  ...GROUP,
  config: { interface: 'eth1', address: `${VIP}/24`, hooks: {}, source: undefined },
};
const SECOND_ON_ETH1 = {
  ...ON_ETH1,
  vhid: 8,
  vip: OTHER,
  config: { ...ON_ETH1.config, address: `${OTHER}/24` },
};
const skip = await labSkipReason();

describe('a virtual IP that somebody has put on another interface', { skip }, () => {
  for (const on of ['eth1', 'lo']) {
    test(`${on} is named in the log, status, explain and doctor, and left`, async (t) => {
      const { host, lab } = await twoLegs(t);
      await host.ip('addr', 'add', `${VIP}/32`, 'dev', on);
      const peer = startCarpd(host, { ...ON_ETH0, gate: 'hold' });
      const told = await logEntry(peer, { event: 'vip-elsewhere' }, WITHIN_MS);
      match(told.message, new RegExp(`^${on} of this host`));
      await peer.waitFor('HELD', WITHIN_MS);
      const socket = ['--socket', controlSocket(host)];
      const status = await runCarpd(host, ['status', ...socket]);
      match(status.stdout, new RegExp(`VIP also on ${on} of this host`));
      const explain = await runCarpd(host, ['explain', 'vip', ...socket]);
      match(explain.stdout, new RegExp(`${on} of this host has ${VIP} too`));
      const doctor = ['doctor', '--seconds', '0', '--json', '--config', carpdConfigFile(host)];
      const findings = await runCarpd(host, doctor);
      match(findings.stdout, new RegExp(`${VIP} is on ${on} of this host too`));
      // Its own second interface answers for the address: that is no other host, and holds nothing.
      const client = await lab.host('c', '10.77.0.50/24');
      const ping = startPing(client, host.address);
      await peer.waitFor('MASTER', WITHIN_MS);
      await ping.stop();
      const inUse = { reason: 'vip-in-use' };
      deepEqual(logEntries(peer, { event: 'promotion-held', fields: inUse }), []);
      await host.ip('addr', 'del', `${VIP}/32`, 'dev', on);
      await logEntry(peer, { event: 'vip-elsewhere', level: 'info' }, WITHIN_MS);
      equal(logEntries(peer, { event: 'vip-elsewhere' }).length, 2);
      equal((await peer.stop()).code, 0, peer.child.tail());
    });
  }

  test('that comes and goes later is told of each time', async (t) => {
    const { host } = await twoLegs(t);
    const peer = startCarpd(host, ON_ETH0);
    await peer.waitFor('MASTER', WITHIN_MS);
    await host.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth1');
    await logEntry(peer, { event: 'vip-elsewhere', level: 'warn' }, WITHIN_MS);
    await host.ip('link', 'del', 'eth1');
    await logEntry(peer, { event: 'vip-elsewhere', level: 'info' }, WITHIN_MS);
    equal((await peer.stop()).code, 0, peer.child.tail());
  });

  test('where another instance serves it is no news', async (t) => {
    const { host } = await twoLegs(t);
    const [here, there] = startCarpdInstances(host, { here: ON_ETH0, there: ON_ETH1 });
    await here?.waitFor('MASTER', WITHIN_MS);
    await there?.waitFor('MASTER', WITHIN_MS);
    await eventually(async () => (await vipsOn(host, 'eth1')).length === 1, {
      withinMs: WITHIN_MS,
      what: 'the virtual IP on both',
    });
    equal((await here?.stop())?.code, 0, here?.child.tail());
    if (here !== undefined) deepEqual(logEntries(here, { event: 'vip-elsewhere' }), []);
  });
});

describe('what a killed run has left on an interface of an old configuration', { skip }, () => {
  test('is taken off, one or several in a prefix, and the own address stays', async (t) => {
    const { host } = await twoLegs(t);
    await killedOnEth1(host);
    deepEqual(await vipsOn(host, 'eth1'), [VIP, OTHER]);
    // The own address becomes one behind a virtual IP.
    await host.ip('addr', 'flush', 'dev', 'eth1');
    for (const address of [VIP, OTHER, '10.77.0.11']) {
      await host.ip('addr', 'add', `${address}/24`, 'dev', 'eth1');
    }
    const next = startCarpd(host, ON_ETH0);
    await next.waitFor('MASTER', WITHIN_MS);
    deepEqual(await vipsOn(host, 'eth1'), []);
    match(await host.ip('-4', 'addr', 'show', 'dev', 'eth1'), /10\.77\.0\.11\/24/);
    const told = logEntries(next, { event: 'vip-leftover' });
    equal(told.length, 2, next.child.tail());
    deepEqual(logEntries(next, { event: 'vip-elsewhere' }), []);
    equal((await next.stop()).code, 0, next.child.tail());
  });

  test('is left where somebody has put it there otherwise since', async (t) => {
    const { host } = await twoLegs(t);
    await killedOnEth1(host);
    await host.ip('addr', 'del', `${VIP}/24`, 'dev', 'eth1');
    await host.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth1', 'label', 'eth1:web');
    const next = startCarpd(host, ON_ETH0);
    await logEntry(next, { event: 'vip-elsewhere', level: 'warn' }, WITHIN_MS);
    await next.waitFor('MASTER', WITHIN_MS);
    deepEqual(await vipsOn(host, 'eth1'), [VIP]);
    equal((await next.stop()).code, 0, next.child.tail());
  });

  test('is left after an orderly end: what is there then was put there by somebody', async (t) => {
    const { host } = await twoLegs(t);
    const [first] = startCarpdInstances(host, { vip: ON_ETH1, other: SECOND_ON_ETH1 });
    await first?.waitFor('MASTER', WITHIN_MS);
    equal((await first?.stop())?.code, 0, first?.child.tail());
    deepEqual(await vipsOn(host, 'eth1'), []);
    await host.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth1');
    const next = startCarpd(host, ON_ETH0);
    await logEntry(next, { event: 'vip-elsewhere', level: 'warn' }, WITHIN_MS);
    deepEqual(await vipsOn(host, 'eth1'), [VIP]);
    equal((await next.stop()).code, 0, next.child.tail());
  });

  test('is left where another carpd serves it there, with the same state directory', async (t) => {
    const { host } = await twoLegs(t);
    const [first] = startCarpdInstances(host, { vip: ON_ETH1 });
    await first?.waitFor('MASTER', WITHIN_MS);
    await eventually(async () => (await vipsOn(host, 'eth1')).length === 1, {
      withinMs: WITHIN_MS,
      what: 'the virtual IP',
    });
    const file = join(host.directory, 'second.yaml');
    const instance = { interface: 'eth0', vhid: 9, address: `${VIP}/24`, passphrase: 'a secret' };
    const document = {
      log: { format: 'json' },
      metrics: { listen: 'off' },
      control: { socket: 'off' },
      state: { directory: join(host.directory, `${host.name}.state`) },
      instances: { second: instance },
    };
    writeFileSync(file, stringify(document), { mode: 0o600 });
    const second = host.spawn(carpdArgv('run', '--config', file), { label: 'the second' });
    await second.line(/vip-elsewhere/, WITHIN_MS);
    equal((await second.stop()).code, 0, second.tail());
    deepEqual(await vipsOn(host, 'eth1'), [VIP]);
    equal((await first?.stop())?.code, 0, first?.child.tail());
  });
});

/** A host with two interfaces on the segment, each with an address of its own. */
async function twoLegs(t: TestContext): Promise<{ lab: Lab; host: Host }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const peer = ['peer', 'name', 'eth1', 'netns', host.netns];
  await lab.switch.ip('link', 'add', 'q-a', 'type', 'veth', ...peer);
  await lab.switch.ip('link', 'set', 'q-a', 'master', 'br0', 'up');
  await host.ip('link', 'set', 'eth1', 'up');
  await host.ip('addr', 'add', '10.77.0.11/24', 'dev', 'eth1');
  return { lab, host };
}

/** Master of two virtual IPs on eth1, then killed. */
async function killedOnEth1(host: Host): Promise<void> {
  const peers = startCarpdInstances(host, { vip: ON_ETH1, other: SECOND_ON_ETH1 });
  for (const peer of peers) await peer.waitFor('MASTER', WITHIN_MS);
  await eventually(async () => (await vipsOn(host, 'eth1')).length === 2, {
    withinMs: WITHIN_MS,
    what: 'both virtual IPs',
  });
  await killed(peers);
}

async function killed([peer]: readonly Peer[]): Promise<void> {
  await peer?.kill();
}

/** Those of the virtual IPs that the interface has. */
async function vipsOn(host: Host, name: string): Promise<readonly string[]> {
  const text = await host.ip('-4', '-o', 'addr', 'show', 'dev', name);
  return [VIP, OTHER].filter((vip) => text.includes(`${vip}/`));
}
