// carpd on hosts that lack what it needs: privileges, or the ip command. Needs root and namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { holds } from '../../lab/vip.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1 };
const MASTER_MS = 15_000;
/** How long a node that could not add its address waits before it tries again. */
const RETRY_MS = 10_000;
const START_MS = 15_000;
const skip = await labSkipReason();

describe(
  'without privileges carpd says what it lacks and ends',
  { skip, concurrency: true },
  () => {
    test('as root without the capabilities', async (t) => {
      const drop = ['--bounding-set', '-net_raw,-net_admin', '--inh-caps', '-net_raw,-net_admin'];
      await refused(t, ['setpriv', ...drop], /CAP_NET_ADMIN and CAP_NET_RAW/);
    });

    test('as root without one of them', async (t) => {
      const drop = ['--bounding-set', '-net_raw', '--inh-caps', '-net_raw'];
      await refused(t, ['setpriv', ...drop], /needs CAP_NET_RAW to/);
    });

    test('as somebody else', async (t) => {
      // The configuration and this checkout may be readable for root alone.
      const reading = ['--inh-caps', '-all,+dac_override', '--ambient-caps', '-all,+dac_override'];
      const somebody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
      await refused(t, ['setpriv', ...somebody, ...reading], /CAP_NET_ADMIN and CAP_NET_RAW/);
    });
  },
);

describe('with the capabilities but as somebody else', { skip, concurrency: true }, () => {
  test('carpd runs, adds the address and takes it off', async (t) => {
    const host = await oneHost(t);
    const caps = '-all,+dac_override,+net_raw,+net_admin';
    const given = ['--inh-caps', caps, '--ambient-caps', caps];
    const wrapper = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...given];
    const peer = startCarpd(host, { ...GROUP, config: { hooks: {} } }, {}, { wrapper });
    await peer.waitFor('MASTER', MASTER_MS);
    await logEntry(peer, { event: 'vip-added' }, 15_000);
    equal(await holds(host, VIP), true);
    equal((await peer.stop()).code, 0, peer.child.tail());
    equal(await holds(host, VIP), false);
  });
});

describe('without the ip command', { skip, concurrency: true }, () => {
  test('a MASTER bows out, is HELD for a while, and tries again', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    const wrapper = ['env', 'PATH=/nowhere'];
    const peer = startCarpd(host, { ...GROUP, config: { hooks: {} } }, {}, { wrapper });
    const first = await peer.nextTransition('MASTER', -Infinity, MASTER_MS);
    const failed = await logEntry(peer, { event: 'vip-failed', level: 'error' }, 15_000);
    equal(failed.fields['reason'], 'command-missing');
    match(failed.message, /could not be added.*install iproute2/);
    const doubts = logEntries(peer, { event: 'configuration-warning', level: 'warn' });
    ok(doubts.some(({ message }) => /ip command is not in PATH.*iproute2/.test(message)));
    const held = await peer.nextTransition('HELD', -Infinity, START_MS);
    equal(held.cause, 'vip-failed');
    const bowOut = await seen.advert(2, { source: host.address }, 15_000);
    deepEqual([bowOut.advert.advbase, bowOut.advert.advskew], [255, 255]);
    const second = await peer.nextTransition('MASTER', first.atMs, RETRY_MS + MASTER_MS);
    const pauseMs = second.atMs - held.atMs;
    ok(pauseMs > RETRY_MS - 500, `tried again after ${pauseMs} ms already`);
    await peer.waitFor('HELD', START_MS);
    await seen.advert(4, { source: host.address }, 15_000);
    deepEqual(
      seen.adverts().map(({ advert }) => advert.advbase),
      [1, 255, 1, 255],
    );
    equal((await peer.stop()).code, 0, peer.child.tail());
  });
});

/** Starts carpd by way of `wrapper` and checks that it ends with 2 and one line. */
async function refused(t: TestContext, wrapper: readonly string[], says: RegExp): Promise<void> {
  const host = await oneHost(t);
  const { child } = startCarpd(host, GROUP, {}, { wrapper });
  const { code } = await child.ended(10_000);
  equal(code, 2, child.tail());
  equal(child.lines.length, 1, child.tail());
  const [line] = child.lines;
  equal(line?.stream, 'stderr');
  match(line.text, /^carpd: needs /);
  match(line.text, says);
  match(line.text, /run it as root/);
}

async function oneHost(t: TestContext): Promise<Host> {
  return (await Lab.create(t)).host('a', '10.77.0.1/24');
}
