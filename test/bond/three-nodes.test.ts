// Three nodes, one of them stock ucarp: the incident, and a master whose path goes dark. A runs
// stock ucarp on a plain link, B and C the program on bonds. Needs root and bonding.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BondHost } from './bond-host.ts';
import {
  darken,
  outcome,
  PROGRAMS,
  SIDE_BY_SIDE,
  skip,
  startMaster,
  startWaiting,
  suffer,
  twoHosts,
  type Hosts,
} from './scene.ts';
import { addBondHost } from './topology.ts';

const FAULT_MS = 10_000;

describe('three nodes', { skip, concurrency: SIDE_BY_SIDE }, () => {
  for (const program of PROGRAMS) {
    test(`${program}: two nodes boot onto bonds that pass nothing`, async (t) => {
      const { a, b, lab } = await twoHosts(t, { mode: '802.3ad', forwarding: false });
      const c = await thirdHost({ lab, a, b }, false);
      const healthy = await startMaster('ucarp', a, b);
      await b.lacpFormed();
      const booted = [await startWaiting(program, b), await startWaiting(program, c)];
      const repair = async (): Promise<void> => {
        await b.switchSide.unblock();
        await c.switchSide.unblock();
      };
      const span = await suffer({ forMs: FAULT_MS, repair });
      const result = await outcome(t, [healthy, ...booted], span);
      if (program === 'ucarp') equal(result.after, 'b');
      else deepEqual(result, { during: 'a', after: 'a', takeovers: 0 });
    });

    test(`${program}: the path of the master goes dark`, async (t) => {
      const { a, b, lab } = await twoHosts(t, { mode: '802.3ad' });
      const c = await thirdHost({ lab, a, b }, true);
      await b.lacpFormed();
      const master = await startMaster(program, b, a);
      const others = [await startWaiting('ucarp', a), await startWaiting(program, c)];
      for (const other of others) await other.waitFor('BACKUP', 40_000);
      const span = await darken(b, FAULT_MS);
      const { after } = await outcome(t, [...others, master], span);
      // The higher address of the two that are left may be first; the lower one wins in the end.
      equal(after, program === 'ucarp' ? 'b' : 'a');
    });
  }
});

/** C, with the highest address, on an active-backup bond. */
async function thirdHost({ lab }: Hosts, forwarding: boolean): Promise<BondHost> {
  return addBondHost(lab, 'c', '10.9.0.40/24', { mode: 'active-backup', forwarding });
}
