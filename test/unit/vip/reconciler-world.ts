// A reconciler in a fake world, for its tests.
import assert from 'node:assert/strict';
import type { RunCommand } from '../../../src/vip/ports.ts';
import { VipReconciler, type VipNotice, type VipOutcome } from '../../../src/vip/reconciler.ts';
import { FakeKernel, FakeTime, ip, refused, settle } from './fakes.ts';

export const VIP = { interfaceName: 'bond0', address: ip('10.9.0.100'), prefixLength: 24 };
export const HOST = '10.9.0.10/24 bond0';
export const THERE = '10.9.0.100/24 bond0';
export const ADD = 'ip addr add 10.9.0.100/24 dev bond0';
export const DELETE = 'ip addr del 10.9.0.100/24 dev bond0';
export const EPERM = refused('RTNETLINK answers: Operation not permitted');

/** A reconciler of 10.9.0.100/24 on bond0, and everything around it. */
export interface World {
  readonly kernel: FakeKernel;
  readonly time: FakeTime;
  readonly reconciler: VipReconciler;
  readonly outcomes: VipOutcome[];
  readonly notices: VipNotice[];
}

export function world(kernel: FakeKernel, runCommand: RunCommand = kernel.runCommand): World {
  const time = new FakeTime();
  const outcomes: VipOutcome[] = [];
  const notices: VipNotice[] = [];
  const reconciler = new VipReconciler({
    vip: VIP,
    runCommand,
    addresses: kernel,
    startTimer: time.startTimer,
    clock: time.clock,
    env: { PATH: '/usr/sbin' },
    onOutcome: (outcome) => outcomes.push(outcome),
    onNotice: (notice) => notices.push(notice),
  });
  return { kernel, time, reconciler, outcomes, notices };
}

/** A world in which the address was claimed by term 1, its outcome taken off the list. */
export async function claimedWorld(...addresses: readonly string[]): Promise<World> {
  const result = world(new FakeKernel(...addresses));
  result.reconciler.want({ term: 1, present: true });
  await settle();
  assert.deepEqual(result.outcomes.splice(0), [{ kind: 'claimed', term: 1 }]);
  result.kernel.commands.splice(0);
  return result;
}

export const kinds = (items: readonly { readonly kind: string }[]) =>
  items.map((item) => item.kind);
