// carpd whose log nobody takes: it serves, ends and lets the address go all the same, and tells
// what it has to tell once somebody reads again. Needs root and namespaces.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { logEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1 };
const STUCK_OUTPUT = fileURLToPath(new URL('../../lab/stuck-output.py', import.meta.url));
const MASTER_MS = 15_000;
/** Half of what systemd gives a service before it kills it, and a fraction of what a hang takes. */
const END_MS = 10_000;
const skip = await labSkipReason();

for (const [kind, what] of [
  ['pipe', 'a full pipe'],
  ['socket', 'a full socket, as of the journal'],
  ['terminal', 'a terminal stopped by Ctrl-S'],
  ['disk', 'a file on a full disk'],
] as const) {
  describe(`standard output is ${what}`, { skip, concurrency: true }, () => {
    test('SIGTERM ends carpd, and the address is off', async (t) => {
      const { host, peer } = await masterWithout(t, kind);
      const exit = await peer.child.stop('SIGTERM', END_MS);
      deepEqual([exit.code, exit.signal], [0, null], peer.child.tail());
      deepEqual(await whoHolds([host], VIP), []);
    });

    test('what waited is told when somebody reads again', async (t) => {
      const { peer } = await masterWithout(t, kind);
      equal(peer.child.lines.length, 0, peer.child.tail());
      peer.signal('SIGUSR1');
      await logEntry(peer, { event: 'daemon-started' }, MASTER_MS);
      await logEntry(peer, { event: 'vip-added' }, MASTER_MS);
      const { code } = await peer.stop();
      equal(code, 0, peer.child.tail());
      await logEntry(peer, { event: 'daemon-stopped' }, 1);
      ok(
        peer.child.lines.every(({ text }) => text.startsWith('{')),
        peer.child.tail(),
      );
    });
  });
}

describe('standard output is a stopped terminal that can not be opened anew', { skip }, () => {
  test('SIGTERM takes the address off, and the process ends by a signal of its own', async (t) => {
    const override = '-dac_override,-dac_read_search';
    const within = ['setpriv', '--bounding-set', override, '--inh-caps', override];
    const { host, peer } = await masterWithout(t, 'foreign-terminal', within);
    const exit = await peer.child.stop('SIGTERM', END_MS);
    deepEqual([exit.code, exit.signal], [128 + constants.signals.SIGKILL, null]);
    deepEqual(await whoHolds([host], VIP), []);
  });
});

/** A carpd that has become MASTER although nobody takes its log. */
async function masterWithout(
  t: TestContext,
  kind: string,
  within: readonly string[] = [],
): Promise<{ readonly host: Host; readonly peer: Peer }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const wrapper = ['python3', STUCK_OUTPUT, kind, ...within];
  const peer = startCarpd(host, { ...GROUP, config: { hooks: {} } }, {}, { wrapper });
  await eventually(async () => (await whoHolds([host], VIP)).length === 1, {
    withinMs: MASTER_MS,
    what: 'the VIP',
    detail: () => lab.report(),
  });
  return { host, peer };
}
