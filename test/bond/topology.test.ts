// The building blocks of the bond lab, each shown to do what its name says. Needs root and bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/namespaces.ts';
import { eventually } from '../../lab/wait.ts';
import type { BondHost } from './bond-host.ts';
import { isFormed, LACP } from './bond-host.ts';
import { bondSkipReason } from './native.ts';
import {
  addBondHost,
  bridgeOnBond,
  macvlanOnBond,
  spanningTree,
  vlanOnBond,
  vlanOnPlainLink,
  type BondOptions,
} from './topology.ts';

const PASS_MS = 15_000;

describe('the bond lab', { skip: await bondSkipReason() }, () => {
  for (const lacpRate of ['fast', 'slow'] as const) {
    test(`LACP forms at the ${lacpRate} rate, and frames pass`, async (t) => {
      const { a, b, sinceMs } = await pair(t, { mode: '802.3ad', lacpRate });
      await b.lacpFormed();
      t.diagnostic(`formed ${Math.round(nowMs() - sinceMs)} ms after the bond was set up`);
      await passes(a, b);
    });
  }

  test('a blocked channel has carrier and LACP and passes nothing', async (t) => {
    const { a, b } = await pair(t, { mode: '802.3ad', forwarding: false });
    await b.lacpFormed();
    equal(await reaches(a, b), false);
    await b.switchSide.unblock();
    await passes(a, b);
    await b.switchSide.block();
    equal(await reaches(a, b), false);
    ok((await b.slaves()).every(isFormed));
    ok(await b.hasCarrier());
  });

  test('without a channel the bond has carrier and no partner; LACP starts later', async (t) => {
    const { a, b } = await pair(t, { mode: '802.3ad', formed: false });
    await eventually(() => b.hasCarrier(), { withinMs: 5_000, what: 'carrier' });
    const [first] = await b.slaves();
    equal((first?.lacp?.partner ?? 0) & LACP.synchronization, 0);
    await b.switchSide.form();
    await b.switchSide.unblock();
    await b.lacpFormed();
    await passes(a, b);
    await b.switchSide.dissolve();
    equal(await reaches(a, b), false);
    await b.switchSide.fallBack();
    await passes(a, b);
    ok(!(await b.slaves()).some(isFormed), 'frames pass and LACP is missing');
  });

  test('a silent partner expires while frames still pass', async (t) => {
    const { a, b } = await pair(t, { mode: '802.3ad' });
    await b.lacpFormed();
    const fault = await b.switchSide.muteLacp();
    const states = await eventually(
      async () => {
        const slaves = await b.slaves();
        return slaves.every((slave) => !isFormed(slave)) ? slaves : undefined;
      },
      { withinMs: 15_000, everyMs: 100, what: 'LACP to expire' },
    );
    t.diagnostic(JSON.stringify(states));
    await fault.remove();
    await b.lacpFormed();
    await passes(a, b);
  });

  test('frames are lost in one direction only, and in both', async (t) => {
    const { a, b } = await pair(t, { mode: '802.3ad' });
    await b.lacpFormed();
    await passes(a, b);
    const atA = await Capture.start(a, { filter: 'arp or icmp' });
    const atB = await Capture.start(b, { filter: 'arp or icmp' });
    const from = (capture: Capture, host: Host): number =>
      capture.frames.filter(({ bytes }) => macOf(bytes) === host.mac).length;
    // What a host sends is seen by its own capture too, so each end is asked for the other's
    // frames.
    for (const [directions, bHears, aHears] of [
      [['to-host'], false, true],
      [['from-host'], true, false],
      [['to-host', 'from-host'], false, false],
    ] as const) {
      const fault = await b.switchSide.lose(directions);
      const before = { a: from(atA, b), b: from(atB, a) };
      equal(await reaches(a, b), false);
      equal(await reaches(b, a), false);
      const hears = { a: () => from(atA, b) > before.a, b: () => from(atB, a) > before.b };
      const lost = `${directions.join(' and ')} lost`;
      if (bHears) await eventually(hears.b, { withinMs: 3_000, what: `${lost}: B hears A` });
      if (aHears) await eventually(hears.a, { withinMs: 3_000, what: `${lost}: A hears B` });
      deepEqual([hears.a(), hears.b()], [aHears, bHears], lost);
      ok(await b.hasCarrier());
      await fault.remove();
      await b.lacpFormed();
      await passes(a, b);
    }
    const rule = await b.switchSide.drop('from-host', 'arp');
    await a.ip('neigh', 'flush', 'all');
    equal(await reaches(a, b), false);
    await rule.remove();
    await passes(a, b);
  });

  test('one cable of an LACP bond is enough', async (t) => {
    const { a, b } = await pair(t, { mode: '802.3ad' });
    await b.lacpFormed();
    await passes(a, b);
    await b.switchSide.cableDown(0);
    const oneLeft = async (): Promise<boolean> => (await b.slaves()).filter(isFormed).length === 1;
    await eventually(oneLeft, { withinMs: 5_000, what: 'one formed port' });
    await passes(a, b);
    await b.switchSide.cableUp(0);
    await b.lacpFormed();
  });

  test('active-backup fails over, onto a port that may be blocked', async (t) => {
    const { a, b } = await pair(t, { mode: 'active-backup' });
    await passes(a, b);
    deepEqual(
      (await b.slaves()).map(({ active }) => active),
      [true, false],
    );
    const second = [b.switchSide.port(1)];
    await b.switchSide.block(second);
    await b.switchSide.cableDown(0);
    const secondActive = async (): Promise<boolean> => (await b.slaves())[1]?.active === true;
    await eventually(secondActive, { withinMs: 5_000, what: 'the second slave to be active' });
    equal(await reaches(a, b), false);
    ok(await b.hasCarrier());
    await b.switchSide.unblock(second);
    await passes(a, b);
  });

  test('balance-xor passes frames, and not while blocked', async (t) => {
    const { a, b } = await pair(t, { mode: 'balance-xor', forwarding: false });
    equal(await reaches(a, b), false);
    await b.switchSide.unblock();
    await passes(a, b);
  });

  test('spanning tree holds a new port back, with BPDUs', async (t) => {
    const lab = await Lab.create(t);
    await spanningTree(lab, 2);
    const a = await lab.host('a', '10.9.0.20/24');
    const startMs = nowMs();
    const b = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: 'active-backup' });
    await passes(a, b);
    const tookMs = nowMs() - startMs;
    t.diagnostic(`first answer ${Math.round(tookMs)} ms after the port came up`);
    ok(tookMs > 3_500, `${Math.round(tookMs)} ms`);
    ok((await b.rxPackets()) > 0);
  });

  test('devices on top of the bond carry frames: VLAN, bridge, macvlan', async (t) => {
    const { a, b } = await pair(t, { mode: '802.3ad' });
    await b.lacpFormed();
    const inMacvlan = await macvlanOnBond(b);
    await passes(a, inMacvlan);
    await b.ip('link', 'del', 'mv0');
    const inBridge = await bridgeOnBond(b);
    await passes(a, inBridge);
    await b.ip('link', 'del', 'br-vm');
    const inVlan = await vlanOnBond(b, 5);
    equal(await reaches(a, inVlan), false);
    await vlanOnPlainLink(a, 5);
    await passes(a, inVlan);
  });
});

async function pair(
  t: TestContext,
  options: BondOptions,
): Promise<{ lab: Lab; a: Host; b: BondHost; sinceMs: number }> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.9.0.20/24');
  const b = await addBondHost(lab, 'b', '10.9.0.10/24', options);
  return { lab, a, b, sinceMs: nowMs() };
}

async function passes(a: Host, b: Host): Promise<void> {
  // The device that answers may have changed, and its Ethernet address with it.
  await a.ip('neigh', 'flush', 'all');
  await eventually(() => reaches(a, b), {
    withinMs: PASS_MS,
    what: `${b.name} to answer on ${b.interface}`,
  });
}

/** Whether a ping of `a` is answered by `b` within a second. */
async function reaches(a: Host, b: Host): Promise<boolean> {
  const script = 'ping -n -q -c 1 -W 1 -I "$1" "$2" >/dev/null && echo yes || echo no';
  return (await a.exec(['sh', '-c', script, 'sh', a.interface, b.address])).trim() === 'yes';
}

/** The source of an Ethernet frame. */
function macOf(frame: Uint8Array): string {
  const bytes = [...frame.subarray(6, 12)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
