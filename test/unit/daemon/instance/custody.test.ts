// Checks what a stop waits for, and what it says was left behind, after a release that failed.
import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Custody } from '../../../../src/daemon/instance/custody.ts';
import { InstanceHerald } from '../../../../src/daemon/instance/instance-events.ts';
import type { Input } from '../../../../src/election/inputs.ts';
import { AddressKeeper } from '../../../../src/vip/keeper.ts';
import { dbConfig } from '../../../support/reports.ts';
import { FakeKernel, on } from '../../vip/fake-kernel.ts';
import { FakeTime, refused, settle } from '../../vip/fakes.ts';

const HOST = '10.9.0.10/24';
const VIP = '10.9.0.100/24';
const PATIENCE_MS = 10_500;
const EPERM = refused('RTNETLINK answers: Operation not permitted');

describe('a release that failed', () => {
  test('is waited for at the stop, a while, and then said to be left behind', async () => {
    const { custody, time } = await stuck();
    equal(custody.busy, false, 'nobody waits before the stop');
    custody.stopping();
    equal(custody.busy, true);
    await time.advance(PATIENCE_MS - 1);
    equal(custody.busy, true);
    await time.advance(1);
    equal(custody.busy, false);
    equal(custody.leftBehind, `ip addr del ${VIP} dev bond0`);
  });

  test('is said to be left behind as the interface shows it', async () => {
    const { custody, kernel, time } = await stuck();
    kernel.meddle('addr add 10.9.0.100/32 dev bond0');
    kernel.meddle(`addr del ${VIP} dev bond0`);
    custody.stopping();
    await time.advance(PATIENCE_MS);
    equal(custody.leftBehind, 'ip addr del 10.9.0.100/32 dev bond0');
  });

  test('is said to be left behind with its far end, by which the kernel knows it', async () => {
    const { custody, kernel, time } = await stuck();
    const peer = on('192.168.7.1/24').address;
    kernel.addresses = kernel.addresses.map((seen) => ({ ...seen, peer }));
    kernel.show();
    custody.stopping();
    await time.advance(PATIENCE_MS);
    match(custody.leftBehind ?? '', /^ip addr del \S+ dev bond0 peer 192\.168\.7\.1\/24$/);
  });

  test('is over once a later clean-up has worked: no wait, nothing left behind', async () => {
    const { custody, kernel, time, inputs } = await stuck();
    kernel.refuseWith = undefined;
    await custody.removeStale();
    await settle();
    deepEqual(kernel.texts, [HOST]);
    custody.stopping();
    equal(custody.busy, false);
    await time.advance(2 * PATIENCE_MS);
    equal(custody.leftBehind, undefined);
    deepEqual(
      inputs.filter(({ kind }) => kind === 'vip-released'),
      [{ kind: 'vip-released', term: 2 }],
    );
  });

  test('goes on being waited for where the clean-up fails as well', async () => {
    const { custody } = await stuck();
    await custody.removeStale();
    await settle();
    custody.stopping();
    equal(custody.busy, true);
  });

  test('is over where the address went by itself, also while the stop waits', async () => {
    const { custody, kernel, time } = await stuck();
    custody.stopping();
    kernel.meddle(`addr del ${VIP} dev bond0`);
    await settle();
    equal(custody.busy, false);
    await time.advance(2 * PATIENCE_MS);
    equal(custody.leftBehind, undefined);
  });
});

interface Stuck {
  readonly custody: Custody;
  readonly kernel: FakeKernel;
  readonly time: FakeTime;
  readonly inputs: readonly Input[];
}

/** Claimed by term 1; its release by term 2 was refused. */
async function stuck(): Promise<Stuck> {
  const kernel = new FakeKernel(HOST);
  const time = new FakeTime();
  const inputs: Input[] = [];
  const config = dbConfig({ hooks: {} });
  const { runCommand } = kernel;
  const { startTimer, clock: now } = time;
  const env = { PATH: '/usr/sbin' };
  const keeper = new AddressKeeper({
    ...{ runCommand, startTimer, env },
    addresses: kernel,
    promotion: kernel,
    isServedElsewhere: kernel.isServedElsewhere,
  });
  const custody = new Custody({
    ...{ config, keeper, now, runCommand, startTimer, env, isRoot: true },
    herald: new InstanceHerald(config, () => undefined, now),
    mayAnotherServe: () => true,
    interfaceName: () => 'bond0',
    ifindex: () => 7,
    post: (run) => run(),
    advertsOut: () => Promise.resolve(),
    feed: (input) => void inputs.push(input),
    onChanged: () => undefined,
  });
  custody.claim(1);
  await settle();
  kernel.refuseWith = EPERM;
  custody.release(2);
  await settle();
  deepEqual(
    inputs.map(({ kind }) => kind),
    ['vip-claimed', 'vip-stuck'],
  );
  return { custody, kernel, time, inputs };
}
