// carpd on an LACP bond whose switch passes no frames, forms no channel, or falls back to plain
// forwarding. Needs root, bonding and the stock ucarp.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries, logEntry } from '../lab/carpd-log.ts';
import { startCarpd } from '../lab/carpd-peer.ts';
import { nowMs } from '../lab/clock.ts';
import { ucarpSkipReason } from '../lab/ucarp-peer.ts';
import { duo, GATED, neverLeft, nothingHappens, promotions, SETTLE_MS, START_MS } from './duo.ts';
import { bondSkipReason } from './native.ts';

const skip = (await bondSkipReason()) || ucarpSkipReason();
/** Three dead intervals. */
const DARK_MS = 10_000;
/** What answers have to span to stand for LACP. */
const FALLBACK_MS = 10_000;

describe('a node that boots onto an LACP bond', { skip, concurrency: 2 }, () => {
  for (const program of ['ucarp', 'carpd'] as const) {
    test(`whose channel forwards nothing yet is held beside a master of ${program}`, async (t) => {
      const { hostB, a } = await duo(t, { mode: '802.3ad', forwarding: false }, program);
      await hostB.lacpFormed();
      ok(await hostB.hasCarrier(), 'the bond has carrier and is up');
      ok((await hostB.rxPackets()) > 0, 'the bond counts received packets');
      const b = startCarpd(hostB, GATED);
      await b.waitFor('HELD', START_MS);
      await nothingHappens(a, b, DARK_MS);
      equal(logEntries(b, { event: 'gate-closed' }).at(-1)?.fields['reasons'], 'no-frames');
      await hostB.switchSide.unblock();
      await b.waitFor('BACKUP', SETTLE_MS);
      await nothingHappens(a, b, DARK_MS);
      neverLeft(a);
      deepEqual(
        b.transitions.map(({ to }) => to),
        ['HELD', 'BACKUP'],
      );
    });
  }

  for (const lacpRate of ['fast', 'slow'] as const) {
    test(`whose channel is not formed yet is held (${lacpRate} rate)`, async (t) => {
      const { hostB, a } = await duo(t, { mode: '802.3ad', lacpRate, formed: false }, 'ucarp');
      const b = startCarpd(hostB, GATED);
      await b.waitFor('HELD', START_MS);
      await nothingHappens(a, b, DARK_MS);
      const { message, fields } = logEntries(b, { event: 'gate-closed' }).at(-1)!;
      match(String(fields['reasons']), /no-partner/);
      match(message, /configure a port channel with LACP on the switch, or wait/);
      await hostB.switchSide.form();
      await nothingHappens(a, b, DARK_MS);
      await hostB.switchSide.unblock();
      await b.waitFor('BACKUP', SETTLE_MS);
      await nothingHappens(a, b, 5_000);
      neverLeft(a);
      equal(promotions(b), 0);
    });
  }

  test('whose switch falls back to plain forwarding is proved by answers, and warns', async (t) => {
    const { hostB, a } = await duo(t, { mode: '802.3ad', formed: false }, 'ucarp');
    await hostB.switchSide.fallBack();
    const startedMs = nowMs();
    const b = startCarpd(hostB, GATED);
    await b.waitFor('HELD', START_MS);
    const opened = await b.nextTransition('BACKUP', -Infinity, FALLBACK_MS + SETTLE_MS);
    ok(opened.atMs - startedMs >= FALLBACK_MS, 'not before ten seconds of answers');
    const told = await logEntry(b, { event: 'link-warning', level: 'warn' }, SETTLE_MS);
    equal(told.fields['warning'], 'lacp-by-fallback');
    await nothingHappens(a, b, 5_000);
    neverLeft(a);
  });
});
