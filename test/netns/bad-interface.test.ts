// carpd on interfaces that are missing, wrong, replaced, renamed or meddled with. Needs root and
// namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd, type CarpdOptions } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 2 };
const MASTER_MS = 15_000;
const LOG_MS = 15_000;
/** The virtual IP has come onto the interface, for the first time or again. */
const PUT_ON = ['vip-added', 'vip-restored'] as const;
const skip = await labSkipReason();

describe('an interface that is not there', { skip, concurrency: true }, () => {
  test('is waited for, with a warning that says what to do', async (t) => {
    const { host, peer } = await started(t, {
      config: { interface: 'late0', source: '10.78.0.1' },
    });
    await unusable(peer, 'interface-missing', /late0: .*does not exist\. Create late0/);
    await addPair(host, 'late0', '10.78.0.1/24');
    await peer.waitFor('MASTER', MASTER_MS);
    const onIt = async (): Promise<boolean> =>
      (await host.ip('-o', 'addr', 'show', 'dev', 'late0')).includes(` ${VIP}/`);
    await eventually(onIt, { withinMs: LOG_MS, what: 'the VIP' });
    await endsClean(peer);
  });

  test('is left when it is deleted under a MASTER, and served again when it is back', async (t) => {
    const { host, peer } = await started(t, {
      config: { interface: 'late0', source: '10.78.0.1' },
    });
    await addPair(host, 'late0', '10.78.0.1/24');
    await peer.waitFor('MASTER', MASTER_MS);
    await hookCount(peer, 2);
    await host.ip('link', 'del', 'late0');
    // The kernel sets it down before it is gone.
    const { cause } = await peer.waitFor('INIT', LOG_MS);
    ok(cause === 'interface-down' || cause === 'interface-missing');
    await hookCount(peer, 3);
    await addPair(host, 'late0', '10.78.0.1/24');
    await peer.waitFor('MASTER', MASTER_MS);
    await eventually(() => holds(host, VIP), { withinMs: LOG_MS, what: 'the VIP' });
    await hookCount(peer, 4);
    deepEqual(
      peer.hookLog().map(({ hook }) => hook),
      ['down', 'up', 'down', 'up'],
    );
    deepEqual(logEntries(peer, { event: 'socket-failed' }), []);
    await endsClean(peer);
  });

  test('is followed when it is set down, renamed and set up again', async (t) => {
    const { host, peer } = await started(t);
    await peer.waitFor('MASTER', MASTER_MS);
    await eventually(() => holds(host, VIP), { withinMs: LOG_MS, what: 'the VIP' });
    await host.ip('link', 'set', 'eth0', 'down');
    await peer.waitFor('INIT', LOG_MS);
    await host.ip('link', 'set', 'eth0', 'name', 'away0');
    await host.ip('link', 'set', 'away0', 'up');
    const renamed = { event: 'interface-renamed', level: 'warn' } as const;
    await peer.child.until(
      () => logEntries(peer, renamed).find(({ message }) => message.includes('away0')),
      'the line with both names',
      LOG_MS,
    );
    await peer.waitFor('MASTER', MASTER_MS);
    const onIt = async (): Promise<boolean> =>
      (await host.ip('-o', 'addr', 'show', 'dev', 'away0')).includes(` ${VIP}/`);
    await eventually(onIt, { withinMs: LOG_MS, what: 'the VIP under the new name' });
    await endsClean(peer);
    await eventually(async () => !(await onIt()), { withinMs: LOG_MS, what: 'the VIP to be off' });
  });
});

describe('an interface that is made anew with the virtual IP on it', { skip }, () => {
  for (const promote of [0, 1]) {
    test(`serves as backup beside another master, promote_secondaries ${promote}`, async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('a', '10.77.0.1/24');
      await host.exec(['sysctl', '-q', `net.ipv4.conf.default.promote_secondaries=${promote}`]);
      const config = { interface: 'late0', address: `${VIP}/24`, source: undefined };
      const peer = startCarpd(host, { ...GROUP, config });
      await addMacvlan(host, 'late0', ['10.77.0.3/24']);
      await peer.waitFor('MASTER', MASTER_MS);
      await eventually(() => holds(host, VIP), { withinMs: LOG_MS, what: 'the VIP' });
      const other = startCarpd(await lab.host('b', '10.77.0.2/24'), GROUP);
      await other.waitFor('BACKUP', MASTER_MS);
      await host.ip('link', 'del', 'late0');
      await peer.waitFor('INIT', LOG_MS);
      await other.waitFor('MASTER', MASTER_MS);
      const backMs = nowMs();
      // The virtual IP comes first, so that the own address is a secondary one.
      await addMacvlan(host, 'late0', [`${VIP}/24`, '10.77.0.3/24']);
      await peer.waitFor('BACKUP', LOG_MS);
      await logEntry(peer, { event: 'vip-unwanted', level: 'warn', afterMs: backMs }, LOG_MS);
      const gone = async (): Promise<boolean> => !(await holds(host, VIP));
      await eventually(gone, { withinMs: LOG_MS, what: 'the VIP to be off' });
      ok(await holds(host, '10.77.0.3'), 'its own address stays');
      const faults = logEntries(peer, { event: 'interface-unusable', afterMs: backMs });
      deepEqual(
        faults.filter(({ fields }) => fields['fault'] === 'no-socket'),
        [],
      );
      await throughout(() => peer.state() === 'BACKUP' && other.state() === 'MASTER', {
        forMs: 3_000,
        what: 'it hears the other',
        detail: () => lab.report(),
      });
      await endsClean(peer);
    });
  }
});

describe('an interface that can not be used', { skip, concurrency: true }, () => {
  test('for want of an address is used as soon as it has one', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await host.ip('addr', 'flush', 'dev', 'eth0');
    const peer = startCarpd(host, { ...GROUP, config: { source: undefined } });
    await unusable(peer, 'no-source-address', /Add an IPv4 address to eth0/);
    await host.ip('addr', 'add', '10.77.0.5/24', 'dev', 'eth0');
    await peer.waitFor('MASTER', MASTER_MS);
    await logEntry(peer, { event: 'interface-usable', fields: { source: '10.77.0.5' } }, LOG_MS);
    await endsClean(peer);
  });

  test('since it is the loopback', async (t) => {
    const { peer } = await started(t, { config: { interface: 'lo', source: undefined } });
    await unusable(peer, 'not-ethernet', /lo: .*not an Ethernet device.*Name an Ethernet/);
    await staysOut(peer);
  });

  test('since it is a tunnel without Ethernet', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await host.ip('tuntap', 'add', 'dev', 'tun0', 'mode', 'tun');
    await host.ip('addr', 'add', '10.78.0.1/24', 'dev', 'tun0');
    await host.ip('link', 'set', 'tun0', 'up');
    const peer = startCarpd(host, { ...GROUP, config: { interface: 'tun0', source: undefined } });
    await unusable(peer, 'not-ethernet', /tun0: .*not an Ethernet device/);
    await staysOut(peer);
  });
});

describe('a virtual IP', { skip, concurrency: true }, () => {
  test('that is there at the start is taken off, with a warning', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await host.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
    const peer = startCarpd(host, GROUP);
    await logEntry(peer, { event: 'vip-stale', level: 'warn' }, LOG_MS);
    await peer.waitFor('BACKUP', LOG_MS);
    equal(await holds(host, VIP), false);
    equal(await holds(host, host.address), true);
    await peer.waitFor('MASTER', MASTER_MS);
    await eventually(() => holds(host, VIP), { withinMs: LOG_MS, what: 'the VIP' });
    await endsClean(peer);
  });

  test('that is the only address of the host is left alone, with a remedy', async (t) => {
    const { host, peer } = await started(t, {
      vip: '10.77.0.1',
      config: { address: '10.77.0.1/24', source: undefined },
    });
    await unusable(
      peer,
      'no-source-address',
      /10\.77\.0\.1, its only address, is configured as a virtual IP.*Correct `address`/,
    );
    await throughout(() => holds(host, '10.77.0.1'), { forMs: 3_000, what: 'it is left alone' });
    // Once the host has an address of its own, the other one is a mere left-over.
    await host.ip('addr', 'add', '10.78.0.1/24', 'dev', 'eth0');
    await peer.waitFor('MASTER', MASTER_MS);
    await endsClean(peer);
  });

  test('goes with a bow-out when the source address is removed', async (t) => {
    const { lab, host, peer } = await started(t);
    await peer.waitFor('MASTER', MASTER_MS);
    await eventually(() => holds(host, VIP), { withinMs: LOG_MS, what: 'the VIP' });
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    await host.ip('addr', 'del', '10.77.0.1/24', 'dev', 'eth0');
    equal((await peer.waitFor('INIT', LOG_MS)).cause, 'no-source-address');
    const bowedOut = (): boolean =>
      seen.adverts({ source: '10.77.0.1' }).at(-1)?.advert.advbase === 255;
    await eventually(bowedOut, { withinMs: LOG_MS, what: 'a bow-out with the old source' });
    await host.ip('addr', 'add', '10.77.0.1/24', 'dev', 'eth0');
    await peer.waitFor('MASTER', MASTER_MS);
    await endsClean(peer);
  });

  test('that someone keeps removing is put back each time where nobody else serves', async (t) => {
    const { host, peer } = await started(t);
    // Each time it has been seen on the interface: an address that goes earlier was never added.
    for (let times = 1; times <= 8; times += 1) {
      const added = (): unknown => logEntries(peer, { event: PUT_ON })[times - 1];
      await peer.child.until(added, `the VIP to be there time ${times}`, 30_000);
      await host.ip('addr', 'del', `${VIP}/32`, 'dev', 'eth0');
    }
    await eventually(() => holds(host, VIP), { withinMs: LOG_MS, what: 'the VIP to be back' });
    equal(peer.state(), 'MASTER');
    deepEqual(logEntries(peer, { event: ['vip-failed', 'step-down-stuck'] }), []);
    await endsClean(peer);
  });

  test('that someone keeps removing is given up where a peer can serve', async (t) => {
    // However slowly the other one starts, it is the first master.
    const { lab, host, peer: backup } = await started(t, { deadRatio: 60 });
    const b = await lab.host('b', '10.77.0.2/24');
    const other = startCarpd(b, GROUP);
    await other.waitFor('MASTER', MASTER_MS);
    await backup.waitFor('BACKUP', MASTER_MS);
    // A backup is silent: that there is one is known of who was master a moment ago.
    other.signal('SIGUSR2');
    await backup.waitFor('MASTER', MASTER_MS);
    for (let times = 1; times <= 5; times += 1) {
      const added = (): unknown => logEntries(backup, { event: PUT_ON })[times - 1];
      await backup.child.until(added, `the VIP to be there time ${times}`, 30_000);
      await host.ip('addr', 'del', `${VIP}/32`, 'dev', 'eth0');
    }
    equal((await backup.waitFor('HELD', 30_000)).cause, 'vip-failed');
    const told = logEntries(backup, { event: 'vip-failed', level: 'error' });
    match(told.at(-1)?.message ?? '', /taken it off 5 times; find out who else/);
    await other.waitFor('MASTER', MASTER_MS);
    await eventually(() => holds(b, VIP), { withinMs: LOG_MS, what: 'the VIP at the peer' });
    equal(await holds(host, VIP), false);
    await backup.waitFor('BACKUP', 10_000 + MASTER_MS);
    equal(other.state(), 'MASTER');
    await endsClean(backup);
  });

  test('that is the source is refused', async (t) => {
    const { peer } = await started(t, { vip: '10.77.0.1' });
    equal((await peer.child.ended(LOG_MS)).code, 2);
    match(peer.log(), /^carpd: .*instances\.vip\.address: .*source/);
    equal(peer.child.lines.length, 1);
  });

  test('in no network of the interface is served, with a warning', async (t) => {
    const { host, peer } = await started(t, { vip: '10.99.0.100' });
    const match_ = { event: 'vip-off-network', level: 'warn' } as const;
    const told = await peer.child.until(
      () => logEntries(peer, match_).find(({ message }) => message.includes('no network')),
      'the warning',
      LOG_MS,
    );
    match(told.message, /10\.99\.0\.100 is in no network of eth0 \(10\.77\.0\.1\/24\)/);
    await peer.waitFor('MASTER', MASTER_MS);
    await eventually(() => holds(host, '10.99.0.100'), { withinMs: LOG_MS, what: 'the VIP' });
    await endsClean(peer);
    const all = logEntries(peer, match_).filter(({ message }) => message.includes('no network'));
    equal(all.length, 1);
  });

  test('that someone removes from a MASTER is put back and announced', async (t) => {
    const { lab, host, peer } = await started(t);
    await peer.waitFor('MASTER', MASTER_MS);
    await eventually(() => holds(host, VIP), { withinMs: LOG_MS, what: 'the VIP' });
    const seen = await Capture.start(lab.switch);
    // The announcements of the promotion are over when the up hook is and two adverts have left.
    await seen.advert(3, { source: host.address }, LOG_MS);
    const removedMs = nowMs();
    await host.ip('addr', 'del', `${VIP}/32`, 'dev', 'eth0');
    await eventually(() => holds(host, VIP), { withinMs: LOG_MS, what: 'the VIP to be back' });
    await seen.gratuitousArp(VIP, removedMs, LOG_MS);
    const told = await logEntry(
      peer,
      { event: 'vip-restored', level: 'warn', afterMs: removedMs },
      LOG_MS,
    );
    match(told.message, /removed by someone; it is back/);
    equal(peer.state(), 'MASTER');
    await endsClean(peer);
  });
});

async function started(
  t: TestContext,
  options: Partial<CarpdOptions> = {},
): Promise<{ readonly lab: Lab; readonly host: Host; readonly peer: Peer }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  return { lab, host, peer: startCarpd(host, { ...GROUP, ...options }) };
}

/** A veth pair whose other end is up as well. */
async function addPair(host: Host, name: string, address: string): Promise<void> {
  await host.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}x`);
  await host.ip('link', 'set', `${name}x`, 'up');
  await host.ip('addr', 'add', address, 'dev', name);
  await host.ip('link', 'set', name, 'up');
}

/** A macvlan on eth0 that has this name only once its addresses are there, in their order. */
async function addMacvlan(host: Host, name: string, addresses: readonly string[]): Promise<void> {
  await host.ip('link', 'add', 'new0', 'link', 'eth0', 'type', 'macvlan', 'mode', 'bridge');
  for (const address of addresses) await host.ip('addr', 'add', address, 'dev', 'new0');
  await host.ip('link', 'set', 'new0', 'name', name);
  await host.ip('link', 'set', name, 'up');
}

/** Waits for the one warning of an interface that can't be used. */
async function unusable(peer: Peer, fault: string, says: RegExp): Promise<void> {
  const wanted = { event: 'interface-unusable', level: 'warn', fields: { fault } } as const;
  const { message } = await logEntry(peer, wanted, LOG_MS);
  match(message, says);
}

async function staysOut(peer: Peer): Promise<void> {
  const out = (): boolean => peer.child.exited === undefined && peer.transitions.length === 0;
  await throughout(out, { forMs: 4_000, what: 'carpd runs and takes no part' });
  equal(logEntries(peer, { event: 'interface-unusable' }).length, 1);
  await endsClean(peer);
}

async function hookCount(peer: Peer, count: number): Promise<void> {
  await eventually(() => peer.hookLog().length >= count, {
    withinMs: LOG_MS,
    what: `hook ${count}`,
    detail: () => peer.log(),
  });
}

/** SIGTERM, exit 0, nothing on standard error, and no address left behind. */
async function endsClean(peer: Peer): Promise<void> {
  equal((await peer.stop()).code, 0, peer.child.tail());
  ok(peer.child.lines.every(({ stream }) => stream === 'stdout'));
  equal(await holds(peer.host, peer.vip), false);
}
