// Bonds that somebody takes apart and puts together while carpd runs on them: cables taken out
// while it is held, another mode while it is backup, new names. A serves throughout.
import { deepEqual, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries, logEntry } from '../lab/carpd-log.ts';
import { startCarpd } from '../lab/carpd-peer.ts';
import { Lab } from '../lab/namespaces.ts';
import { startPing } from '../lab/vip.ts';
import { eventually, throughout } from '../lab/wait.ts';
import type { BondHost } from './bond-host.ts';
import { duo, GATED, neverLeft, nothingHappens, SETTLE_MS, START_MS } from './duo.ts';
import { bondSkipReason } from './native.ts';
import { addBondHost } from './topology.ts';

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
    await hostB.ip('link', 'set', 'bond0', 'type', 'bond', 'mode', 'balance-rr');
    await hostB.ip('link', 'set', 'bond0', 'up');
    await putIn(hostB);
    const upMs = b.transitions.at(-1)?.atMs ?? 0;
    await b.nextTransition('BACKUP', upMs, START_MS);
    await nothingHappens(a, b, CALM_MS);
    neverLeft(a);
    const epochs = logEntries(b, { event: 'link-epoch' }).length;
    ok(epochs > 1, 'the proof of the old bond does not count for the new one');
  });
});

describe('a bond that gets new names, and so do its ports', { skip, concurrency: 2 }, () => {
  for (const mode of ['802.3ad', 'active-backup'] as const) {
    test(`${mode}: no epoch ends, and a backup stays open`, async (t) => {
      const { a, hostB } = await duo(t, { mode });
      await hostB.switchSide.unblock();
      const b = startCarpd(hostB, GATED);
      await b.waitFor('BACKUP', START_MS);
      const before = logEntries(b, { event: 'link-epoch' }).length;
      for (const cable of CABLES) await rename(hostB, cable, `lan-${cable}`);
      await rename(hostB, 'bond0', 'wan0');
      await logEntry(b, { event: 'configuration-warning' }, SETTLE_MS);
      await nothingHappens(a, b, CALM_MS);
      neverLeft(a);
      deepEqual(logEntries(b, { event: 'link-epoch' }).slice(before), []);
      deepEqual(b.state(), 'BACKUP');
    });
  }

  test('802.3ad: a master serves on without a doubt', async (t) => {
    const lab = await Lab.create(t);
    const client = await lab.host('c', '10.9.0.50/24');
    const bond = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad' });
    await bond.lacpFormed();
    const b = startCarpd(bond, GATED);
    startPing(client, '10.9.0.10');
    await b.waitFor('MASTER', START_MS);
    const before = logEntries(b, { event: 'link-epoch' }).length;
    for (const cable of CABLES) await rename(bond, cable, `lan-${cable}`);
    await rename(bond, 'bond0', 'wan0');
    await logEntry(b, { event: 'configuration-warning' }, SETTLE_MS);
    const serves = (): boolean => b.state() === 'MASTER';
    await throughout(serves, {
      forMs: CALM_MS,
      what: 'the master to serve',
      detail: () => b.log(),
    });
    deepEqual(logEntries(b, { event: 'link-epoch' }).slice(before), []);
    deepEqual(logEntries(b, { event: 'doubt' }), []);
  });
});

async function rename(host: BondHost, from: string, to: string): Promise<void> {
  await host.ip('link', 'set', 'dev', from, 'name', to);
}

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
