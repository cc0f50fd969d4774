// The address that a node sends from, while it is a secondary one or is exchanged for another.
// Needs root and namespaces.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const OWN = '10.77.0.1';
const OTHER = '10.77.0.11';
const WITHIN_MS = 30_000;
/** Long enough that an exchange and a stop fit between two adverts. */
const ADVBASE = 5;
const skip = await labSkipReason();

interface Scene {
  readonly lab: Lab;
  readonly a: Host;
  readonly b: Host;
}

describe('the own address behind a virtual IP that a crash has left', { skip }, () => {
  for (const promote of [0, 1]) {
    test(`is used at once beside a live master, promote_secondaries ${promote}`, async (t) => {
      const { a, b } = await scene(t, promote);
      const first = start(a, 0, 1);
      await first.waitFor('MASTER', WITHIN_MS);
      await eventually(() => holds(a, VIP), { withinMs: WITHIN_MS, what: 'the virtual IP' });
      await first.kill();
      // The interface is set up anew around what was left, so that the own address comes second.
      await a.ip('addr', 'flush', 'dev', 'eth0');
      await a.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
      await a.ip('addr', 'add', `${OWN}/24`, 'brd', '+', 'dev', 'eth0');
      const shown = await a.ip('-4', '-o', 'addr', 'show', 'dev', 'eth0');
      ok(/10\.77\.0\.1\/.*secondary/.test(shown), shown);
      const master = start(b, 100, 1);
      await master.waitFor('MASTER', WITHIN_MS);
      const again = start(a, 0, 1);
      await again.waitFor('BACKUP', WITHIN_MS);
      await logEntry(again, { event: 'vip-stale' }, WITHIN_MS);
      const usable = await logEntry(again, { event: 'interface-usable' }, WITHIN_MS);
      equal(usable.fields['source'], OWN);
      const gone = async (): Promise<boolean> => !(await holds(a, VIP)) && (await holds(a, OWN));
      await eventually(gone, { withinMs: WITHIN_MS, what: 'the own address alone' });
      await throughout(() => again.state() === 'BACKUP' && master.state() === 'MASTER', {
        forMs: 4_000,
        what: 'both stay what they are',
        detail: () => again.child.tail(),
      });
      deepEqual(
        logEntries(again, { event: 'interface-unusable' }).map(({ fields }) => fields['fault']),
        [],
      );
    });
  }
});

describe('a master whose address is exchanged', { skip }, () => {
  test('stays master, and its backup obeys a bow-out from the new address', async (t) => {
    const { lab, a, b } = await scene(t, 1);
    const { master, backup, seen } = await pair({ lab, a, b });
    const from = master.transitions.length;
    await exchange(a);
    const used = { event: 'interface-usable', fields: { source: OTHER } } as const;
    await logEntry(master, used, WITHIN_MS);
    const stoppedMs = nowMs();
    equal((await master.stop()).code, 0, master.child.tail());
    const taken = await backup.waitFor('MASTER', WITHIN_MS);
    equal(taken.cause, 'bow-out', 'it was not the dead interval');
    t.diagnostic(`taken over ${Math.round(taken.atMs - stoppedMs)} ms after SIGTERM`);
    deepEqual(
      seen.adverts({ source: OTHER }).map(({ advert }) => advert.advbase),
      [255],
      'it had not advertised from the new address',
    );
    deepEqual(
      master.transitions.slice(from).map(({ to, cause }) => [to, cause]),
      [['INIT', 'stopped']],
    );
    await eventually(async () => (await holds(b, VIP)) && !(await holds(a, VIP)), {
      withinMs: WITHIN_MS,
      what: 'the virtual IP on the backup alone',
    });
  });

  test('bows out from the old address while the host still has it', async (t) => {
    const { lab, a, b } = await scene(t, 1);
    const { master, backup, seen } = await pair({ lab, a, b });
    await a.ip('addr', 'add', `${OTHER}/24`, 'dev', 'eth0');
    // It goes on as an address of the loopback, as where a router keeps it there.
    await a.ip('addr', 'add', `${OWN}/32`, 'dev', 'lo');
    await a.ip('addr', 'del', `${OWN}/24`, 'dev', 'eth0');
    const used = { event: 'interface-usable', fields: { source: OTHER } } as const;
    await logEntry(master, used, WITHIN_MS);
    equal((await master.stop()).code, 0, master.child.tail());
    equal((await backup.waitFor('MASTER', WITHIN_MS)).cause, 'bow-out');
    deepEqual(seen.adverts({ source: OTHER }), []);
    equal(seen.adverts({ source: OWN }).at(-1)?.advert.advbase, 255);
  });

  test('goes on advertising from the new one, and is followed there', async (t) => {
    const { lab, a, b } = await scene(t, 1);
    const { master, backup, seen } = await pair({ lab, a, b }, 1);
    const before = [master.transitions.length, backup.transitions.length];
    await exchange(a);
    await seen.advert(5, { source: OTHER }, WITHIN_MS);
    deepEqual([master.transitions.length, backup.transitions.length], before);
    equal(await holds(a, VIP), true);
    equal((await master.stop()).code, 0, master.child.tail());
    equal((await backup.waitFor('MASTER', WITHIN_MS)).cause, 'bow-out');
  });
});

async function scene(t: TestContext, promote: number): Promise<Scene> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', `${OWN}/24`);
  const b = await lab.host('b', '10.77.0.2/24');
  await a.exec(['sysctl', '-qw', `net.ipv4.conf.eth0.promote_secondaries=${promote}`]);
  return { lab, a, b };
}

function start(host: Host, advskew: number, advbase: number): Peer {
  const config = { address: `${VIP}/24`, source: undefined };
  return startCarpd(host, { vhid: 7, vip: VIP, password: 'a secret', advskew, advbase, config });
}

/** A master on a and its backup on b; an advert of the master has just passed. */
async function pair(
  { lab, a, b }: Scene,
  advbase = ADVBASE,
): Promise<{ readonly master: Peer; readonly backup: Peer; readonly seen: Capture }> {
  const master = start(a, 0, advbase);
  await master.waitFor('MASTER', WITHIN_MS);
  await eventually(() => holds(a, VIP), { withinMs: WITHIN_MS, what: 'the virtual IP' });
  const backup = start(b, 100, advbase);
  await backup.waitFor('BACKUP', WITHIN_MS);
  const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
  const advert = { source: OWN };
  await seen.advert(1, advert, WITHIN_MS);
  return { master, backup, seen };
}

/** As a DHCP client does: another address comes, and then the old one goes. */
async function exchange(host: Host): Promise<void> {
  await host.ip('addr', 'add', `${OTHER}/24`, 'brd', '+', 'dev', 'eth0');
  await host.ip('addr', 'del', `${OWN}/24`, 'dev', 'eth0');
}
