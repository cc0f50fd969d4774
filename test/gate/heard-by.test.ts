// Adverts that do not come through: kept out by the host's firewall, or by a switch that has
// forgotten who wants to hear them. Needs root, namespaces and the stock ucarp.
import { equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { startPing } from '../../lab/vip.ts';
import { calm, GATED, LONG_MS, neverLeft, scene, WITHIN_MS } from './trio.ts';

const CARP = 'ip protocol 112';
const skip = await labSkipReason();

describe('a firewall that drops protocol 112 on the way in', { skip, concurrency: true }, () => {
  for (const program of ['ucarp', 'carpd'] as const) {
    test(`of a backup, from the start: it hears the ${program} all the same`, async (t) => {
      const { lab, questioned, master } = await scene(t, program);
      await lab.dropInFirewall(questioned, 'input', CARP);
      const backup = startCarpd(questioned, GATED);
      await backup.waitFor('BACKUP', WITHIN_MS);
      const told = await logEntry(backup, { event: 'gate-warning', level: 'warn' }, WITHIN_MS);
      equal(told.fields['warning'], 'adverts-only-by-witness');
      match(told.message, /firewall drops IP protocol 112.*allow incoming IP protocol 112/);
      await calm(master, backup, LONG_MS);
      neverLeft(master);
    });
  }

  test('of a backup, added later: it hears the master all the same, and says so', async (t) => {
    const { lab, questioned, master } = await scene(t);
    const backup = startCarpd(questioned, GATED);
    await backup.waitFor('BACKUP', WITHIN_MS);
    const rule = await lab.dropInFirewall(questioned, 'input', CARP);
    await logEntry(backup, { event: 'gate-warning', level: 'warn' }, WITHIN_MS);
    await calm(master, backup, LONG_MS);
    await rule.remove();
    await calm(master, backup, LONG_MS);
    neverLeft(master);
    await master.kill();
    await backup.waitFor('MASTER', WITHIN_MS);
  });

  test('of a master: it still yields to a better one that only the witness hears', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.9/24');
    const other = await lab.host('b', '10.77.0.1/24');
    await lab.dropInFirewall(host, 'input', CARP);
    const first = startCarpd(host, { ...GATED, advskew: 100 });
    const second = startCarpd(other, { ...GATED, advskew: 0 });
    const masters = (): number =>
      [first, second].filter((peer) => peer.state() === 'MASTER').length;
    await Promise.race([first, second].map((peer) => peer.waitFor('MASTER', WITHIN_MS)));
    await calm(
      first.state() === 'MASTER' ? first : second,
      first.state() === 'MASTER' ? second : first,
      LONG_MS,
    );
    equal(masters(), 1);
  });
});

describe('what else keeps adverts from the CARP socket', { skip, concurrency: true }, () => {
  for (const [what, warning, commands] of [
    [
      'rp_filter, with the way back by another interface',
      'adverts-kept-by-rp-filter',
      `ip link add other0 type veth peer name other1; ip link set other0 up
       ip link set other1 up
       ip route add 10.77.0.9/32 dev other0
       echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter`,
    ],
    [
      'a bridge that the interface has become a port of',
      'adverts-kept-by-upper-interface',
      'ip link add br9 type bridge; ip link set br9 up; ip link set eth0 master br9',
    ],
  ] as const) {
    test(`${what}: it hears the master all the same, and says what it is`, async (t) => {
      const { questioned, master } = await scene(t);
      const backup = startCarpd(questioned, GATED);
      await backup.waitFor('BACKUP', WITHIN_MS);
      await questioned.exec(['sh', '-euc', commands]);
      const named = { event: 'gate-warning', level: 'warn', fields: { warning } } as const;
      await logEntry(backup, named, WITHIN_MS);
      await calm(master, backup, LONG_MS);
      neverLeft(master);
      ok(!backup.log().includes('firewall'), 'no firewall is blamed');
    });
  }
});

describe('a firewall that drops protocol 112 on the way out', { skip, concurrency: true }, () => {
  test('of a master: its adverts leave all the same, and it says so', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.9/24');
    await lab.dropInFirewall(host, 'output', CARP);
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    const first = startCarpd(host, GATED);
    // Started together, the one whose gate opens first would be master, and that may be either.
    const ping = startPing(await lab.host('c', '10.77.0.50/24'), host.address);
    await first.waitFor('MASTER', WITHIN_MS);
    await ping.stop();
    const second = startCarpd(await lab.host('b', '10.77.0.1/24'), { ...GATED, advskew: 100 });
    await second.waitFor('BACKUP', WITHIN_MS);
    await seen.advert(3, { source: host.address }, WITHIN_MS);
    await logEntry(first, { event: 'send-blocked', level: 'warn' }, WITHIN_MS);
    await calm(first, second, LONG_MS);
  });
});

describe('a switch that snoops on multicast', { skip, concurrency: true }, () => {
  // The link-local groups, the usual one among them, are never snooped upon.
  const group = '239.1.1.18';

  for (const querier of [true, false]) {
    test(`and forgets the backup, ${querier ? 'with' : 'without'} a querier`, async (t) => {
      const lab = await Lab.create(t);
      const snooping = ['mcast_snooping', '1', 'mcast_querier', querier ? '1' : '0'];
      await lab.switch.ip('link', 'set', 'br0', 'type', 'bridge', ...snooping);
      const healthy = await lab.host('a', '10.77.0.9/24');
      const questioned = await lab.host('b', '10.77.0.1/24');
      const master = startUcarp(healthy, { ...GATED, group });
      await master.waitFor('MASTER', WITHIN_MS);
      const backup = startCarpd(questioned, { ...GATED, group });
      await backup.waitFor('BACKUP', WITHIN_MS);
      await calm(master, backup, 4_000);
      const members = await lab.switch.exec(['bridge', 'mdb', 'show', 'dev', 'br0']);
      match(members, new RegExp(`port p-b grp ${group}`), 'the switch knows that it listens');
      const forgotten = ['bridge', 'mdb', 'del', 'dev', 'br0', 'port', 'p-b', 'grp', group];
      const forgottenMs = nowMs();
      await lab.switch.exec(forgotten);
      await calm(master, backup, LONG_MS);
      neverLeft(master);
      const again = await lab.switch.exec(['bridge', 'mdb', 'show', 'dev', 'br0']);
      // Without a querier the switch floods what it does not know, and nothing is missed.
      if (querier) match(again, new RegExp(`port p-b grp ${group}`), 'it has been told again');
      equal(backup.transitions.filter(({ atMs }) => atMs > forgottenMs).length, 0);
    });
  }
});
