// Bonds that somebody takes apart and puts together while carpd runs on them: cables taken out
// while it is held, and another mode while it is backup. A serves throughout.
import { ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { eventually } from '../../lab/wait.ts';
import type { BondHost } from './bond-host.ts';
import { duo, GATED, neverLeft, nothingHappens, SETTLE_MS, START_MS } from './duo.ts';
import { bondSkipReason } from './native.ts';

const CABLES = ['cable0', 'cable1'] as const;
const CALM_MS = 8_000;
const skip = await bondSkipReason();

describe('a bond that is taken apart', { skip, concurrency: 2 }, () => {
  test('its cables are taken out while it is held, and put in again', async (t) => {
    const { a, hostB } = await duo(t, { mode: '802.3ad' });
    const b = startCarpd(hostB, GATED);
    await b.waitFor('HELD', START_MS);
    await takeOut(hostB);
    const said = (): boolean =>
      logEntries(b, { event: 'gate-closed' }).some(({ fields }) =>
        String(fields['reasons']).includes('no-ports'),
      );
    const detail = (): string => b.log();
    await eventually(said, { withinMs: SETTLE_MS, what: 'that the bond has no ports', detail });
    await nothingHappens(a, b, CALM_MS);
    await putIn(hostB);
    await hostB.switchSide.unblock();
    await b.waitFor('BACKUP', START_MS);
    await nothingHappens(a, b, CALM_MS);
    neverLeft(a);
  });

  test('it gets another mode while carpd is backup on it', async (t) => {
    const { a, hostB } = await duo(t, { mode: 'balance-xor' });
    await hostB.switchSide.unblock();
    const b = startCarpd(hostB, GATED);
    await b.waitFor('BACKUP', START_MS);
    await takeOut(hostB);
    await hostB.ip('link', 'set', 'bond0', 'down');
    await b.waitFor('INIT', SETTLE_MS);
    const downMs = b.transitions.at(-1)?.atMs ?? 0;
    await hostB.ip('link', 'set', 'bond0', 'type', 'bond', 'mode', 'balance-rr');
    await hostB.ip('link', 'set', 'bond0', 'up');
    await putIn(hostB);
    await b.nextTransition('BACKUP', downMs, START_MS);
    await nothingHappens(a, b, CALM_MS);
    neverLeft(a);
    const epochs = logEntries(b, { event: 'link-epoch' }).length;
    ok(epochs > 1, 'the proof of the old bond does not count for the new one');
  });
});

async function takeOut(host: BondHost): Promise<void> {
  for (const cable of CABLES) await host.ip('link', 'set', cable, 'nomaster');
}

/** The kernel takes none that is up, and brings it up itself. */
async function putIn(host: BondHost): Promise<void> {
  for (const cable of CABLES) {
    await host.ip('link', 'set', cable, 'down');
    await host.ip('link', 'set', cable, 'master', 'bond0');
  }
}
