// The port channel of a booting node forms late, or never: the switch has link and no channel yet,
// or frames pass without LACP until the first LACPDU comes. Needs root and bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { isFormed } from './bond-host.ts';
import {
  BOOTED,
  outcome,
  PROGRAMS,
  SIDE_BY_SIDE,
  skip,
  startMaster,
  startWaiting,
  suffer,
  twoHosts,
  type Outcome,
  type Program,
} from './scene.ts';

const NO_CHANNEL_MS = 10_000;
/** How long frames pass without LACP before it starts: less and more than fallback asks for. */
const SHORT_FALLBACK_MS = 4_000;
const FALLBACK_MS = 10_000;
/** How long nothing passes while the switch makes a channel of ports that it used singly. */
const GAP_MS = 6_000;

describe('LACP comes late', { skip, concurrency: SIDE_BY_SIDE }, () => {
  for (const program of PROGRAMS) {
    for (const lacpRate of ['fast', 'slow'] as const) {
      test(`${program}: no port channel for 10 s, then at the ${lacpRate} rate`, async (t) => {
        const { a, b } = await twoHosts(t, { mode: '802.3ad', lacpRate, formed: false });
        const healthy = await startMaster('ucarp', a, b);
        const [port] = await b.slaves();
        ok(port?.active === true && !isFormed(port), 'a port without a partner is in use');
        const booted = await startWaiting(program, b);
        if (program === 'carpd') equal(booted.state(), 'HELD', booted.child.tail());
        const repair = async (): Promise<void> => {
          await b.switchSide.form();
          await b.switchSide.unblock();
        };
        const span = await suffer({ forMs: NO_CHANNEL_MS, repair });
        await b.lacpFormed();
        deepEqual(await outcome(t, [healthy, booted], span), BOOTED[program]);
      });
    }

    test(`${program}: frames pass at once, then the first LACPDU and a gap`, async (t) => {
      deepEqual(await gapAfterFallback(t, program, SHORT_FALLBACK_MS), BOOTED[program]);
    });

    test(`${program}: LACP fallback for long, then the first LACPDU and a gap`, async (t) => {
      deepEqual(await gapAfterFallback(t, program, FALLBACK_MS), BOOTED[program]);
    });
  }
});

/**
 * B boots on ports that pass frames without LACP, as in a switch with LACP fallback; later the
 * first LACPDU comes and nothing passes until the channel forwards.
 */
async function gapAfterFallback(
  t: TestContext,
  program: Program,
  passesMs: number,
): Promise<Outcome> {
  const { a, b } = await twoHosts(t, { mode: '802.3ad', up: false });
  const withoutLacp = await b.switchSide.withoutLacp();
  await b.linkUp();
  const healthy = await startMaster('ucarp', a, b);
  const booted = await startWaiting(program, b);
  if (program === 'ucarp') {
    await sleep(passesMs);
  } else if (passesMs < FALLBACK_MS) {
    await sleep(passesMs);
    equal(booted.state(), 'HELD', booted.child.tail());
  } else {
    const { atMs } = await booted.waitFor('BACKUP', 2 * passesMs);
    const sinceMs = booted.transitions[0]?.atMs ?? atMs;
    ok(atMs - sinceMs > FALLBACK_MS - 500, 'two-way proof takes its time');
    await logEntry(booted, { event: 'link-warning', level: 'warn' }, 2_000);
  }
  equal(booted.child.exited, undefined, booted.child.tail());
  deepEqual([healthy.state(), (await b.slaves()).some(isFormed)], ['MASTER', false]);
  const begin = async (): Promise<void> => {
    await b.switchSide.block();
    await withoutLacp.remove();
    await b.switchSide.speakLacp();
  };
  const span = await suffer({ begin, forMs: GAP_MS, repair: () => b.switchSide.unblock() });
  ok((await b.slaves()).every(isFormed), 'LACP has formed in the gap');
  const result = await outcome(t, [healthy, booted], span);
  if (program === 'carpd') {
    ok(
      logEntries(booted, { event: 'link-epoch', afterMs: span.fromMs }).length > 0,
      booted.child.tail(),
    );
  }
  return result;
}
