// A storm of packets with the right vhid and a wrong digest, more than a busy host can read: no
// backup is promoted beside its live master, and one whose master dies takes over all the same.
// Needs root, namespaces, python3 and the stock ucarp.
import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseIpv4 } from '../../src/base/addresses.ts';
import { writeAdvert } from '../../src/carp/advert.ts';
import { writeCarpPacket } from '../../src/carp/ipv4.ts';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Child } from '../../lab/child.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { eventually, throughout } from '../../lab/wait.ts';

const GROUP = { vhid: 7, vip: '10.77.0.100', password: 'a secret' };
const STORM = fileURLToPath(new URL('../../lab/storm.py', import.meta.url));
const RATE = 50_000;
const STORM_S = 30;
/** More than three dead intervals. */
const CALM_MS = 10_000;
const WITHIN_MS = 20_000;
const skip = await labSkipReason();

describe('a storm of adverts that nobody signed', { skip, concurrency: false }, () => {
  for (const [whose, source] of [
    ['of a stranger', '10.77.0.9'],
    ['in the name of the master', '10.77.0.1'],
  ] as const) {
    test(`${whose}: the backup stays one, and names it`, async (t) => {
      const { lab, master, backup, storm } = await scene(t, source);
      await throughout(() => backup.state() === 'BACKUP' && master.state() === 'MASTER', {
        forMs: CALM_MS,
        what: 'the backup to stay one',
        detail: () => lab.report(),
      });
      for (const { fields, message } of logEntries(backup, { event: 'adverts-lost' })) {
        deepEqual([fields['from'], fields['reason']], [source, 'bad-digest']);
        match(message, /Look for a flood/);
      }
      const named = backup.child.lines.filter(({ text }) => text.includes('firewall'));
      deepEqual(named, [], 'no firewall is there to be blamed');
      t.diagnostic(`${logEntries(backup, { event: 'adverts-lost' }).length} lines of losses`);
      equal(storm.exited, undefined, 'the storm went on all the time');
    });
  }

  test('of a stranger, and the master dies: the backup takes over meanwhile', async (t) => {
    const { master, backup, storm } = await scene(t, '10.77.0.9');
    await master.kill();
    await backup.waitFor('MASTER', WITHIN_MS);
    equal(storm.exited, undefined, 'the storm went on all the time');
  });
});

async function scene(
  t: TestContext,
  source: string,
): Promise<{
  readonly lab: Lab;
  readonly master: Peer;
  readonly backup: Peer;
  readonly storm: Child;
}> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/24');
  const b = await lab.host('b', '10.77.0.2/24');
  const attacker = await lab.host('attacker', '10.77.0.9/24');
  const master = startUcarp(a, GROUP);
  await master.waitFor('MASTER', WITHIN_MS);
  const backup = startCarpd(b, { ...GROUP, advskew: 50 });
  await backup.waitFor('BACKUP', WITHIN_MS);
  const words = [STORM, 'eth0', String(RATE), String(STORM_S), forged(source)];
  const storm = attacker.spawn(['python3', ...words], { label: 'storm' });
  await eventually(() => storm.lines.length > 0, { withinMs: WITHIN_MS, what: 'the storm' });
  return { lab, master, backup, storm };
}

/** A frame with an advert of this vhid and a digest of zeros, in hexadecimal. */
function forged(from: string): string {
  const [source, destination] = [parseIpv4(from), parseIpv4('224.0.0.18')];
  if (source === undefined || destination === undefined) throw new Error('no address');
  const advert = writeAdvert({
    vhid: GROUP.vhid,
    advbase: 1,
    advskew: 0,
    demote: 0,
    counter: 1n,
    digest: new Uint8Array(20),
  });
  const packet = writeCarpPacket({ source, destination, identification: 1 }, advert);
  return `01005e0000120200000000ee0800${Buffer.from(packet).toString('hex')}`;
}
