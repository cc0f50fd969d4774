// Checks that what a master holds waits for its adverts, what a stop waits for, and what it says
// was left behind after a release that failed.
import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HookSlots } from '../../../../src/vip/hook-slots.ts';
import type { CommandRequest, RunningCommand } from '../../../../src/base/command.ts';
import {
  MasterResources,
  type MasterResourcesOptions,
} from '../../../../src/daemon/instance/master-resources.ts';
import { InstanceEvents } from '../../../../src/events/publish/instance-events.ts';
import type { Input } from '../../../../src/election/inputs.ts';
import { AddressKeeper } from '../../../../src/vip/keeper.ts';
import { dbConfig } from '../../../support/reports.ts';
import { FakeKernel, on } from '../../vip/fake-kernel.ts';
import { FakeTime, refused, settle } from '../../vip/fakes.ts';

const HOST = '10.9.0.10/24';
const VIP = '10.9.0.100/24';
const DOWN_HOOK = '/etc/carpd/down';
const PATIENCE_MS = 10_500;
const EPERM = refused('RTNETLINK answers: Operation not permitted');

describe('a release that failed', () => {
  test('is waited for at the stop, a while, and then said to be left behind', async () => {
    const { resources, time } = await stuck();
    equal(resources.busy, false, 'nobody waits before the stop');
    resources.stopping();
    equal(resources.busy, true);
    await time.advance(PATIENCE_MS - 1);
    equal(resources.busy, true);
    await time.advance(1);
    equal(resources.busy, false);
    equal(resources.leftBehind, `ip addr del ${VIP} dev bond0`);
  });

  test('is said to be left behind as the interface shows it', async () => {
    const { resources, kernel, time } = await stuck();
    kernel.meddle('addr add 10.9.0.100/32 dev bond0');
    kernel.meddle(`addr del ${VIP} dev bond0`);
    resources.stopping();
    await time.advance(PATIENCE_MS);
    equal(resources.leftBehind, 'ip addr del 10.9.0.100/32 dev bond0');
  });

  test('is said to be left behind with its far end, by which the kernel knows it', async () => {
    const { resources, kernel, time } = await stuck();
    const peer = on('192.168.7.1/24').address;
    kernel.addresses = kernel.addresses.map((seen) => ({ ...seen, peer }));
    kernel.show();
    resources.stopping();
    await time.advance(PATIENCE_MS);
    match(resources.leftBehind ?? '', /^ip addr del \S+ dev bond0 peer 192\.168\.7\.1\/24$/);
  });

  test('is over once a later clean-up has worked: no wait, nothing left behind', async () => {
    const { resources, kernel, time, inputs } = await stuck();
    kernel.refuseWith = undefined;
    await resources.removeStale();
    await settle();
    deepEqual(kernel.texts, [HOST]);
    resources.stopping();
    equal(resources.busy, false);
    await time.advance(2 * PATIENCE_MS);
    equal(resources.leftBehind, undefined);
    deepEqual(
      inputs.filter(({ kind }) => kind === 'vip-released'),
      [{ kind: 'vip-released', term: 2 }],
    );
  });

  test('goes on being waited for where the clean-up fails as well', async () => {
    const { resources } = await stuck();
    await resources.removeStale();
    await settle();
    resources.stopping();
    equal(resources.busy, true);
  });

  test('is over where the address went by itself, also while the stop waits', async () => {
    const { resources, kernel, time } = await stuck();
    resources.stopping();
    kernel.meddle(`addr del ${VIP} dev bond0`);
    await settle();
    equal(resources.busy, false);
    await time.advance(2 * PATIENCE_MS);
    equal(resources.leftBehind, undefined);
  });
});

describe('what a master holds', () => {
  test('begins when the advert before it has left, and not before', async () => {
    let left = (): void => undefined;
    const advertsOut = (): Promise<void> => new Promise((resolve) => (left = resolve));
    const { resources, kernel, begun } = rig({ advertsOut });
    resources.claim(1);
    await settle();
    deepEqual([begun, kernel.texts, resources.busy], [[], [HOST], true]);
    left();
    await settle();
    deepEqual([begun, kernel.texts], [['ip'], [HOST, VIP]]);
  });

  test('has its hooks run when the advert before them has left, and not before', async () => {
    let left = (): void => undefined;
    const advertsOut = (): Promise<void> => new Promise((resolve) => (left = resolve));
    const { resources, begun, inputs } = rig({ advertsOut });
    resources.runHook({ hook: 'down', term: 1 });
    await settle();
    deepEqual([begun, resources.busy], [[], true]);
    left();
    await settle();
    deepEqual([begun, resources.busy], [[DOWN_HOOK], false]);
    deepEqual(inputs, [{ kind: 'hook-finished', hook: 'down', term: 1 }]);
  });
});

interface Rig {
  readonly resources: MasterResources;
  readonly kernel: FakeKernel;
  readonly time: FakeTime;
  readonly inputs: readonly Input[];
  /** The programs that were started. */
  readonly begun: readonly string[];
}

function rig(changes: Partial<MasterResourcesOptions> = {}): Rig {
  const kernel = new FakeKernel(HOST);
  const time = new FakeTime();
  const inputs: Input[] = [];
  const begun: string[] = [];
  const config = dbConfig({ hooks: { down: [DOWN_HOOK] } });
  const runCommand = (request: CommandRequest): RunningCommand => {
    const [program = ''] = request.argv;
    begun.push(program);
    if (program === 'ip') return kernel.runCommand(request);
    const result = { kind: 'exited', code: 0, output: '', truncated: false } as const;
    return { result: Promise.resolve(result), kill: () => undefined };
  };
  const { startTimer, clock: now } = time;
  const env = { PATH: '/usr/sbin' };
  const keeper = new AddressKeeper({
    ...{ runCommand, startTimer, env },
    addresses: kernel,
    promotion: kernel,
    isServedElsewhere: kernel.isServedElsewhere,
  });
  const resources = new MasterResources({
    hookSlots: new HookSlots(),
    situation: () => ({ INSTANCE: 'db' }),
    ...{ config: () => config, keeper, now, runCommand, startTimer, env, isRoot: true },
    instanceEvents: new InstanceEvents(
      () => config,
      () => undefined,
      now,
    ),
    mayAnotherServe: () => true,
    interfaceName: () => 'bond0',
    ifindex: () => 7,
    post: (run) => run(),
    advertsOut: () => Promise.resolve(),
    feed: (input) => void inputs.push(input),
    onChanged: () => undefined,
    ...changes,
  });
  return { resources, kernel, time, inputs, begun };
}

/** Claimed by term 1; its release by term 2 was refused. */
async function stuck(): Promise<Rig> {
  const made = rig();
  const { resources, kernel, inputs } = made;
  resources.claim(1);
  await settle();
  kernel.refuseWith = EPERM;
  resources.release(2);
  await settle();
  deepEqual(
    inputs.map(({ kind }) => kind),
    ['vip-claimed', 'vip-stuck'],
  );
  return made;
}
