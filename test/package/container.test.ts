// The container image, built by the Dockerfile and run in the namespaces of a lab, with no more
// rights than docs/container.md asks for. Needs root, podman, runc and debootstrap; pulls nothing.
import { equal, match } from 'node:assert/strict';
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { Child } from '../../lab/child.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';
import { makeBaseImages, podman, PODMAN_ENV, podmanSync, succeeds } from './podman.ts';

const IMAGE = `carpd-test-${process.pid}`;
const HOST_CA = '/etc/ssl/certs/ca-certificates.crt';
const VIP = '10.77.0.100';
const CARPD_USER = 911;
const START_MS = 60_000;
/** CAP_NET_ADMIN is bit 12, CAP_NET_RAW 13. */
const TWO_CAPABILITIES = '0000000000003000';
const skip = await labSkipReason();

describe('the container image', { skip, concurrency: true }, () => {
  before(async () => {
    await makeBaseImages();
    const trust = [
      '-v',
      `${HOST_CA}:/run/ca.crt:ro`,
      '--build-arg=NODE_EXTRA_CA_CERTS=/run/ca.crt',
    ];
    // Only the Docker format has a health check. Layers would pile up in the store.
    const local = ['--pull=never', '--network=host', '--format=docker', '--layers=false'];
    await succeeds(['podman', 'build', ...local, ...trust, '-t', IMAGE, '.']);
  });
  process.once('exit', () => podmanSync('rmi', '--force', IMAGE));

  test('as root with two capabilities: serves, reaps, is healthy, hands over', async (t) => {
    const { host, container, folder } = await prepare(t, 'root');
    writeFileSync(join(folder, 'up'), ORPHANING_HOOK, { mode: 0o755 });
    const rights = ['--cap-drop=ALL', '--cap-add=NET_RAW,NET_ADMIN'];
    const closed = ['--security-opt=no-new-privileges', '--read-only', '--tmpfs=/run/carpd'];
    const network = `--network=ns:/run/netns/${host.netns}`;
    const daemon = podman(
      'run',
      ...common(container, folder),
      network,
      ...rights,
      ...closed,
      IMAGE,
    );
    await serves(host, daemon);

    const capabilities = await succeeds(inside(container, 'grep', 'CapEff', '/proc/self/status'));
    match(capabilities, new RegExp(TWO_CAPABILITIES));
    await succeeds(['podman', 'healthcheck', 'run', container]);
    await daemon.line(/hook is done/, START_MS);
    // Its child outlives it by a second, and then has no parent but the init to take notice.
    const orphans = ['sh', '-c', 'grep -l "^Name:.sleep" /proc/[0-9]*/status || :'];
    const reaped = async (): Promise<boolean> =>
      (await succeeds(inside(container, ...orphans))) === '';
    await eventually(reaped, { withinMs: START_MS, everyMs: 500, what: 'no zombie' });

    await succeeds(['podman', 'stop', '--time=20', container]);
    equal((await daemon.ended(START_MS)).code, 0, daemon.tail());
    equal((await whoHolds([host], VIP)).length, 0, 'the VIP is still there');
  });

  test('as another user, on the network of the host', async (t) => {
    const { host, container, folder } = await prepare(t, 'user');
    for (const name of ['carpd.yaml', 'db.pass']) chownSync(join(folder, name), CARPD_USER, 0);
    const rights = ['--user=carpd', '--cap-drop=ALL', '--cap-add=NET_RAW,NET_ADMIN'];
    const argv = [
      'podman',
      'run',
      ...common(container, folder),
      '--network=host',
      ...rights,
      IMAGE,
    ];
    const daemon = new Child(['nsenter', `--net=/run/netns/${host.netns}`, ...argv], {
      env: PODMAN_ENV,
    });
    t.after(() => daemon.killGroup());
    await serves(host, daemon);
    match(await succeeds(inside(container, 'carpd', 'status')), /^db +MASTER /m);
    await succeeds(['podman', 'stop', '--time=20', container]);
    equal((await daemon.ended(START_MS)).code, 0, daemon.tail());
  });

  test('without a configuration it says so, and ends with 2', async () => {
    const daemon = podman(
      'run',
      '--rm',
      '--pull=never',
      '--network=none',
      '--no-healthcheck',
      IMAGE,
    );
    equal((await daemon.ended(START_MS)).code, 2, daemon.tail());
    match(daemon.tail(), /\/etc\/carpd\/carpd\.yaml/);
  });
});

interface Prepared {
  readonly host: Host;
  /** The name of the container. */
  readonly container: string;
  /** What is /etc/carpd in it. */
  readonly folder: string;
}

async function prepare(t: TestContext, label: string): Promise<Prepared> {
  const lab = await Lab.create(t);
  const host = await lab.host(label, '10.77.0.1/24');
  const container = `carpd-test-${process.pid}-${label}`;
  t.after(() => podmanSync('rm', '--force', '--time=0', container));
  const folder = join(lab.directory, `etc-${label}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, 'db.pass'), 'a-secret\n', { mode: 0o600 });
  const hooks = label === 'root' ? 'hooks: { up: [/etc/carpd/up] }' : '';
  writeFileSync(join(folder, 'carpd.yaml'), configuration(hooks), { mode: 0o600 });
  return { host, container, folder };
}

function common(container: string, folder: string): readonly string[] {
  return ['--rm', '--pull=never', `--name=${container}`, `--volume=${folder}:/etc/carpd:ro`];
}

function inside(container: string, ...argv: readonly string[]): readonly string[] {
  return ['podman', 'exec', container, ...argv];
}

async function serves(host: Host, daemon: Child): Promise<void> {
  const holds = async (): Promise<boolean> => (await whoHolds([host], VIP)).length === 1;
  await eventually(holds, { withinMs: START_MS, what: 'the VIP', detail: () => daemon.tail() });
}

function configuration(hooks: string): string {
  return `instances:
  db:
    interface: eth0
    vhid: 7
    address: ${VIP}/24
    passphraseFile: /etc/carpd/db.pass
    gate: { policy: off }
    ${hooks}
`;
}

const ORPHANING_HOOK = `#!/bin/sh
(sleep 1) >/dev/null 2>&1 &
echo hook is done
`;
