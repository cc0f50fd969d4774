// The dead interval on the wire: from the last advert of a killed master to the first one of its
// backup, for several advskew, advbase and deadratio. Needs root, namespaces and /usr/sbin/ucarp.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Capture, type AdvertFrame } from '../../lab/capture.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import {
  between,
  complainsOnlyOf,
  deadMs,
  ELECTION_MS,
  intervalMs,
  path,
  startDuo,
  takesOverInTime,
  UCARP_HEARS_MS,
  type Settings,
} from './duo.ts';

const SETTINGS: readonly Settings[] = [
  { advskew: 0 },
  { advskew: 50 },
  { advskew: 100 },
  { advskew: 255 },
  { deadRatio: 2 },
  { deadRatio: 5, advskew: 10 },
  { advbase: 2 },
  { advbase: 2, deadRatio: 2, advskew: 100 },
];
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('carpd takes over from a silent ucarp', { skip, concurrency: true }, () => {
  for (const settings of SETTINGS) {
    test(`with ${say(settings)}: after ${deadMs(settings).toFixed(0)} ms`, async (t) => {
      const { client, master, backup } = await startDuo(
        t,
        { kind: 'ucarp' },
        { kind: 'carpd', ...settings },
      );
      const seen = await Capture.start(client);
      await seen.advert(2, { source: master.host.address }, 10_000);
      await master.kill();
      await seen.advert(3, { source: backup.host.address }, ELECTION_MS);
      const silentMs = await silence(seen, master.host.address, backup.host.address);
      t.diagnostic(`${silentMs.toFixed(1)} ms`);
      takesOverInTime(backup, silentMs, settings);
      const [first, , third] = seen.adverts({ source: backup.host.address });
      const pairMs = (third?.atMs ?? 0) - (first?.atMs ?? 0);
      const twoMs = 2 * intervalMs(settings);
      between(pairMs, twoMs - 500, twoMs + 1_500, 'two intervals of the new master');
      const { advbase = 1, advskew = 0 } = settings;
      deepEqual([first?.advert.advbase, first?.advert.advskew], [advbase, advskew]);
      equal(path(backup), 'BACKUP (interface-ready), MASTER (master-down)');
      // The kernel of the killed one goes on answering for the address.
      complainsOnlyOf(backup, 'vip-contested');
    });
  }
});

describe('ucarp takes over from a silent carpd', { skip, concurrency: true }, () => {
  for (const settings of [{ advskew: 100 }, { deadRatio: 2 }, { advbase: 2, deadRatio: 1 }]) {
    test(`with ${say(settings)}: not before ${deadMs(settings).toFixed(0)} ms`, async (t) => {
      const { client, master, backup } = await startDuo(
        t,
        { kind: 'carpd' },
        { kind: 'ucarp', ...settings },
      );
      const seen = await Capture.start(client);
      await seen.advert(2, { source: master.host.address }, 10_000);
      await master.kill();
      await seen.advert(1, { source: backup.host.address }, ELECTION_MS);
      const silentMs = await silence(seen, master.host.address, backup.host.address);
      t.diagnostic(`${silentMs.toFixed(1)} ms`);
      // It hears the last advert late, and looks at its timer once an interval only.
      const mostMs = deadMs(settings) + UCARP_HEARS_MS + 2 * intervalMs(settings);
      between(silentMs, deadMs(settings) - 50, mostMs, 'silence before the takeover');
    });
  }
});

function say({ advbase = 1, advskew = 0, deadRatio = 3 }: Settings): string {
  return `advbase ${advbase}, advskew ${advskew}, deadratio ${deadRatio}`;
}

/** From the last advert of `before` to the first one of `after`. */
async function silence(seen: Capture, before: string, after: string): Promise<number> {
  await seen.stop();
  const last: AdvertFrame | undefined = seen.adverts({ source: before }).at(-1);
  const [first] = seen.adverts({ source: after });
  return (first?.atMs ?? 0) - (last?.atMs ?? 0);
}
