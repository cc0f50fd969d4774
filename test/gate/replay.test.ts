// Old adverts that somebody sends again, once a second: a worse one of a node that is gone, and one
// that says that its sender is demoted. Neither unseats a healthy master. Needs root, namespaces
// and python3.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeAdvert, type Advert } from '../../src/carp/advert.ts';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { eventually } from '../../lab/wait.ts';
import { address, hexOf, packetAround, signedAdvert, virtualHostId } from '../support/packets.ts';
import { calm, GATED, GROUP, neverLeft, VIP, WITHIN_MS } from './trio.ts';

const STORM = fileURLToPath(new URL('../../lab/storm.py', import.meta.url));
const GONE = address('10.77.0.30');
const REPLAY_S = 60;
/** More than four dead intervals. */
const CALM_MS = 15_000;
const skip = await labSkipReason();

describe('old adverts that are sent again', { skip, concurrency: true }, () => {
  test('of a worse node that is gone: the master serves on, for a client answers it', async (t) => {
    const { master, backup, attacker } = await scene(t);
    await replay(attacker, { advskew: 200 }, 1);
    await calm(master, backup, CALM_MS);
    deepEqual(logEntries(master, { event: 'doubt' }), []);
    neverLeft(master);
  });

  test('of a demoted node that is gone: the backup stays one', async (t) => {
    const { master, backup, attacker } = await scene(t);
    await replay(attacker, { advskew: 200, demote: 1 }, 5);
    await calm(master, backup, CALM_MS);
    equal(backup.state(), 'BACKUP');
    neverLeft(master);
  });
});

async function scene(t: TestContext): Promise<{
  readonly master: Peer;
  readonly backup: Peer;
  readonly attacker: Host;
}> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/24');
  const b = await lab.host('b', '10.77.0.9/24');
  const client = await lab.host('c', '10.77.0.20/24');
  const attacker = await lab.host('x', '10.77.0.66/24');
  const master = startCarpd(a, GATED);
  // This opens the gate, and the kernel of the master knows nobody on the segment but this client.
  const reached = (): Promise<boolean> =>
    client.exec(['ping', '-c1', '-W1', a.address]).then(
      () => true,
      () => false,
    );
  await eventually(reached, { withinMs: WITHIN_MS, what: 'the client to reach the host' });
  await master.waitFor('MASTER', WITHIN_MS);
  const backup = startCarpd(b, { ...GATED, advskew: 100 });
  await backup.waitFor('BACKUP', WITHIN_MS);
  return { master, backup, attacker };
}

async function replay(attacker: Host, fields: Partial<Advert>, perSecond: number): Promise<void> {
  const key = {
    passphrase: Buffer.from(GROUP.password),
    vhid: virtualHostId(GROUP.vhid),
    addresses: [address(VIP)],
  };
  const packet = packetAround(writeAdvert(signedAdvert(fields, key)), { source: GONE });
  const frame = `01005e0000120200000000ee0800${hexOf(packet)}`;
  const words = [STORM, 'eth0', String(perSecond), String(REPLAY_S), frame];
  const storm = attacker.spawn(['python3', ...words], { label: 'replay' });
  await eventually(() => storm.lines.length > 0, { withinMs: WITHIN_MS, what: 'the replay' });
}
