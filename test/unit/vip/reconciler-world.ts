// A reconciler and its keeper in a fake world, for their tests.
import assert from 'node:assert/strict';
import { AddressKeeper } from '../../../src/vip/keeper.ts';
import type { Vip } from '../../../src/vip/plan.ts';
import type { RunCommand } from '../../../src/vip/ports.ts';
import { VipReconciler } from '../../../src/vip/reconciler.ts';
import type { VipNotice, VipOutcome } from '../../../src/vip/vip-outcome.ts';
import { FakeKernel } from './fake-kernel.ts';
import { FakeTime, ip, refused, settle } from './fakes.ts';

export const VIP: Vip = { address: ip('10.9.0.100'), prefixLength: 24 };
export const HOST = '10.9.0.10/24';
export const THERE = '10.9.0.100/24';
export const ADD = 'addr add 10.9.0.100/24 dev bond0';
export const DELETE = 'addr del 10.9.0.100/24 dev bond0';
export const EPERM = refused('RTNETLINK answers: Operation not permitted');

/** The reconciler of one virtual IP, and what it has said. */
export interface Kept {
  readonly reconciler: VipReconciler;
  readonly outcomes: VipOutcome[];
  readonly notices: VipNotice[];
}

/** A reconciler of 10.9.0.100/24 on bond0, and everything around it. */
export interface World extends Kept {
  readonly kernel: FakeKernel;
  readonly time: FakeTime;
  readonly keeper: AddressKeeper;
  /** Another node is there that can take over. */
  accompanied: boolean;
  /** The reconciler of a further virtual IP of the interface. */
  readonly keep: (vip: Vip) => Kept;
}

export function world(kernel: FakeKernel, runCommand: RunCommand = kernel.runCommand): World {
  const time = new FakeTime();
  const { startTimer, clock } = time;
  const env = { PATH: '/usr/sbin' };
  const io = {
    runCommand,
    addresses: kernel,
    promotion: kernel,
    startTimer,
    isServedElsewhere: kernel.isServedElsewhere,
  };
  const keeper = new AddressKeeper({ ...io, env });
  const keep = (vip: Vip): Kept => {
    const outcomes: VipOutcome[] = [];
    const notices: VipNotice[] = [];
    const reconciler = new VipReconciler({
      vip,
      keeper,
      startTimer,
      clock,
      mayAnotherServe: () => made.accompanied,
      onOutcome: (outcome) => outcomes.push(outcome),
      onNotice: (notice) => notices.push(notice),
    });
    return { reconciler, outcomes, notices };
  };
  const made = { kernel, time, keeper, keep, accompanied: true, ...keep(VIP) };
  return made;
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
