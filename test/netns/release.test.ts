// `carpd release`: what a daemon that was killed has left is taken off; what a living one holds is
// not. Needs root and namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { carpdConfigFile, startCarpd, type CarpdOptions } from '../../lab/carpd-peer.ts';
import { carpdArgv, runCarpd, type Ran } from '../../lab/carpd-command.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1 };
const MASTER_MS = 15_000;
/** Ten times what it takes. */
const RELEASE_MS_MAX = 3_000;
const skip = await labSkipReason();

describe('carpd release', { skip, concurrency: true }, () => {
  test('removes what a killed master left, runs its down hook, and is done', async (t) => {
    const { host, peer, release } = await killed(t, {});
    const hooksBefore = peer.hookLog().length;
    const startedMs = nowMs();
    deepEqual(await release(), { code: 0, stdout: `vip: removed ${VIP} on eth0\n`, stderr: '' });
    const tookMs = nowMs() - startedMs;
    ok(tookMs < RELEASE_MS_MAX, `it took ${tookMs} ms`);
    equal(await holds(host, VIP), false);
    deepEqual(
      peer
        .hookLog()
        .slice(hooksBefore)
        .map(({ hook, args }) => [hook, ...args]),
      [['down', 'eth0', VIP]],
    );
    match(await host.ip('-4', 'addr', 'show'), new RegExp(host.address), 'its own address is gone');
    deepEqual(await release(), { code: 0, stdout: `vip: no ${VIP} on eth0\n`, stderr: '' });
    deepEqual(await release('--quiet'), { code: 0, stdout: '', stderr: '' });
    equal(peer.hookLog().length, hooksBefore + 1, 'nothing was left, and a hook ran');
  });

  test('leaves the only address of an interface, which may be the host itself', async (t) => {
    const { host, release } = await killed(t, {});
    await host.ip('addr', 'del', `${host.address}/${host.prefixLength}`, 'dev', 'eth0');
    await host.ip('addr', 'replace', `${VIP}/24`, 'dev', 'eth0');
    const file = carpdConfigFile(host);
    writeFileSync(file, configText(host).replace(/^ *source: .*\n/m, ''));
    const { code, stdout, stderr } = await release();
    equal(code, 1);
    match(
      `${stdout}${stderr}`,
      /is the only address there, and is left alone: if it is the host's/,
    );
    equal(await holds(host, VIP), true);
  });

  test('leaves it to the hook where hooks manage the address', async (t) => {
    const { host, release } = await killed(t, { manageAddress: false });
    equal((await release('vip', '--quiet')).stdout, `vip: removed ${VIP} on eth0\n`);
    equal(await holds(host, VIP), false);
  });

  test('says so where the hook leaves it or fails', async (t) => {
    const { host, release } = await killed(t, { manageAddress: false });
    const [down = ''] = /\/\S+\/down$/m.exec(configText(host)) ?? [];
    writeFileSync(down, '#!/bin/sh\necho no way\nexit 3\n');
    const failed = await release();
    equal(failed.code, 1);
    equal(failed.stdout, 'vip: down: no way\n');
    equal(failed.stderr, `carpd: vip: still ${VIP} on eth0: the down hook left it\n`);
    rmSync(down);
    match((await release()).stderr, /still .* on eth0: the down hook left it/);
  });

  test('leaves a running master its address, whatever name it goes by', async (t) => {
    const { host, peer } = await master(t, {});
    const other = join(host.directory, 'other.yaml');
    writeFileSync(other, configText(host).replace(/^( +)vip:$/m, '$1other:'));
    for (const file of [carpdConfigFile(host), other]) {
      const refused = await runCarpd(host, ['release', '--config', file]);
      equal(refused.code, 1);
      match(refused.stderr, /^carpd: \w+: the carpd that runs here is its master; stop it, or/);
      ok(await holds(host, VIP), 'a living master lost its address');
    }
    await peer.stop();
  });

  test('needs no passphrase, but a configuration and names that are in it', async (t) => {
    const { host, release } = await killed(t, {});
    const file = carpdConfigFile(host);
    const text = configText(host);
    match((await release('db')).stderr, /^carpd: no instance is named "db"; there are: vip$/m);
    writeFileSync(file, text.replace('vhid: 7', 'vhid: 700'));
    const invalid = await release();
    equal(invalid.code, 2);
    match(invalid.stderr, /vhid: 700 is out of range 1-255/);
    ok(await holds(host, VIP), 'nothing was to be done');
    writeFileSync(file, text.replace(/passphrase: .*/, 'passphraseFile: credential:gone'));
    equal((await release()).code, 0);
    equal(await holds(host, VIP), false);
  });

  for (const reloads of [false, true]) {
    const what = `under its new name${reloads ? ', which a reload does not know' : ''}`;
    test(`finds the interface of a master that was killed ${what}`, async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('a', '10.77.0.1/24');
      const unit = ['env', `RUNTIME_DIRECTORY=${host.directory}`];
      const peer = startCarpd(host, GROUP, {}, { wrapper: unit });
      await peer.waitFor('MASTER', MASTER_MS);
      await logEntry(peer, { event: 'vip-added' }, MASTER_MS);
      await host.ip('link', 'set', 'dev', 'eth0', 'name', 'wan0');
      const told = (): unknown =>
        logEntries(peer, { event: 'interface-renamed' }).find(({ message }) =>
          message.startsWith('eth0 is called wan0 now'),
        );
      await peer.child.until(told, 'the line with both names', MASTER_MS);
      if (reloads) {
        const file = carpdConfigFile(host);
        writeFileSync(file, configText(host).replace('vip:\n', 'vip:\n    advskew: 1\n'));
        peer.signal('SIGHUP');
        await logEntry(peer, { event: 'configuration-reloaded' }, MASTER_MS);
        await peer.waitFor('MASTER', MASTER_MS);
        await eventually(() => holds(host, VIP), { withinMs: MASTER_MS, what: 'the VIP' });
      }
      await peer.kill();
      // Another interface has the old name by now.
      await host.ip('link', 'add', 'eth0', 'type', 'veth');
      const argv = carpdArgv('release', '--config', carpdConfigFile(host));
      const said = await host.exec([...unit, ...argv]);
      equal(said, `vip: no ${VIP} on eth0\nvip: removed ${VIP} on wan0\n`);
      deepEqual([await holds(host, VIP), await holds(host, host.address)], [false, true]);
    });
  }

  test('removes two that one interface holds under two names', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    // The virtual IPs come first, so that what is behind them goes with them.
    const own = `${host.address}/24`;
    await host.ip('link', 'property', 'add', 'dev', 'eth0', 'altname', 'enp6s18');
    await host.ip('addr', 'del', own, 'dev', 'eth0');
    for (const each of ['10.77.0.101/24', '10.77.0.102/24', own]) {
      await host.ip('addr', 'add', each, 'dev', 'eth0');
    }
    const instance = (name: string, vhid: number) =>
      `  vip${vhid}: {interface: ${name}, vhid: ${vhid}, address: 10.77.0.10${vhid}/24, ` +
      'passphrase: a secret}\n';
    const file = join(host.directory, 'names.yaml');
    writeFileSync(file, `instances:\n${instance('eth0', 1)}${instance('enp6s18', 2)}`, {
      mode: 0o600,
    });
    const { code, stderr } = await runCarpd(host, ['release', '--config', file]);
    deepEqual([code, stderr], [0, '']);
    const left = ['10.77.0.101', '10.77.0.102', host.address].map((each) => holds(host, each));
    deepEqual(await Promise.all(left), [false, false, true]);
  });
});

interface Running {
  readonly host: Host;
  readonly peer: Peer;
}

async function master(t: TestContext, options: Partial<CarpdOptions>): Promise<Running> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const peer = startCarpd(host, { ...GROUP, ...options });
  await peer.waitFor('MASTER', MASTER_MS);
  await peer.child.until(
    () => peer.hookLog().some(({ hook }) => hook === 'up') || undefined,
    'the up hook',
    MASTER_MS,
  );
  return { host, peer };
}

/** A master that had no chance to clean up. */
async function killed(
  t: TestContext,
  options: Partial<CarpdOptions>,
): Promise<Running & { release: (...words: readonly string[]) => Promise<Ran> }> {
  const { host, peer } = await master(t, options);
  await peer.kill();
  ok(await holds(host, VIP), 'there is nothing to be released');
  const release = (...words: readonly string[]): Promise<Ran> =>
    runCarpd(host, ['release', ...words, '--config', carpdConfigFile(host)]);
  return { host, peer, release };
}

function configText(host: Host): string {
  return readFileSync(carpdConfigFile(host), 'utf8');
}
