// Another host answers for the virtual IP when a node would promote itself. Needs root, namespaces
// and the stock ucarp.
import { equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { askCarpd } from '../../lab/carpd-command.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { eventually, throughout } from '../../lab/wait.ts';
import { calm, LONG_MS, scene, startGated, VIP, WITHIN_MS } from './trio.ts';

const skip = await labSkipReason();

describe('a host that has the address and does not advertise', { skip, concurrency: true }, () => {
  for (const vipInUse of ['unheard', 'always'] as const) {
    test(`${vipInUse}: the promotion waits until it is gone`, async (t) => {
      const { host, squatter } = await squatted(t);
      const peer = startGated(host, { policy: 'hold', vipInUse });
      await peer.waitFor('HELD', WITHIN_MS);
      await throughout(() => peer.state() === 'HELD', { forMs: LONG_MS, what: 'it waits' });
      const told = logEntries(peer, { event: 'gate-closed' }).at(-1);
      equal(told?.fields['reasons'], 'vip-in-use');
      match(told.message, /another host answers for the virtual IP \(find the host/);
      await squatter.ip('addr', 'del', `${VIP}/24`, 'dev', 'eth0');
      await peer.waitFor('MASTER', WITHIN_MS);
    });
  }

  test('off: nobody asks', async (t) => {
    const { host } = await squatted(t);
    const peer = startGated(host, { policy: 'hold', vipInUse: 'off' });
    await peer.waitFor('MASTER', WITHIN_MS);
  });

  test('promote-after does not override it', async (t) => {
    const { host } = await squatted(t);
    const peer = startGated(host, { policy: 'promote-after', promoteAfter: '2s' });
    await peer.waitFor('HELD', WITHIN_MS);
    await throughout(() => peer.state() === 'HELD', { forMs: LONG_MS, what: 'it waits' });
  });
});

describe('a master whose adverts never come through, but whose ARP does', { skip }, () => {
  test('is not replaced', async (t) => {
    const { lab, questioned, master } = await scene(t);
    await lab.dropOnPort(questioned, 'to-host', 'ip protocol 112');
    const second = startGated(questioned, { policy: 'hold' });
    await second.waitFor('HELD', WITHIN_MS);
    await calm(master, second, LONG_MS);
    equal(second.state(), 'HELD');
  });
});

describe('a master with another passphrase', { skip }, () => {
  test('is not replaced, and named', async (t) => {
    const { questioned, healthy, master } = await scene(t);
    const second = startGated(questioned, { policy: 'hold' }, { password: 'another secret' });
    await second.waitFor('HELD', WITHIN_MS);
    const explained = async (): Promise<boolean> => {
      const { stdout } = await askCarpd(questioned, ['explain', 'vip']);
      return stdout.includes(`adverts of ${healthy.address} with vhid 7 are dropped`);
    };
    await eventually(explained, { withinMs: WITHIN_MS, what: 'the stranger to be named' });
    await calm(master, second, LONG_MS);
  });
});

describe('a master that was killed with the address left on', { skip, concurrency: true }, () => {
  test('unheard: it is replaced, with a warning', async (t) => {
    const { questioned, master } = await scene(t);
    const second = startGated(questioned, { policy: 'hold', vipInUse: 'unheard' });
    await second.waitFor('BACKUP', WITHIN_MS);
    await master.kill();
    await second.waitFor('MASTER', WITHIN_MS);
    const told = await logEntry(second, { event: 'gate-warning', level: 'warn' }, WITHIN_MS);
    equal(told.fields['warning'], 'vip-answered');
  });

  test('always: it is not, until somebody takes the address off', async (t) => {
    const { questioned, healthy, master } = await scene(t);
    const second = startGated(questioned, { policy: 'hold', vipInUse: 'always' });
    await second.waitFor('BACKUP', WITHIN_MS);
    await master.kill();
    await second.waitFor('HELD', WITHIN_MS);
    await throughout(() => second.state() === 'HELD', { forMs: LONG_MS, what: 'it waits' });
    await healthy.ip('addr', 'flush', 'to', VIP, 'dev', 'eth0');
    await second.waitFor('MASTER', WITHIN_MS);
  });
});

/** A host that has the virtual IP and runs nothing, and another that would like to have it. */
async function squatted(
  t: Parameters<typeof Lab.create>[0],
): Promise<{ readonly host: Host; readonly squatter: Host }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const squatter = await lab.host('x', '10.77.0.50/24');
  await squatter.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
  await eventually(async () => (await squatter.ip('addr')).includes(VIP), {
    withinMs: WITHIN_MS,
    what: 'the address',
  });
  return { host, squatter };
}
