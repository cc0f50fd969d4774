// The neighbour table of the host is full: no raw socket can send to the group then, and a master's
// adverts leave all the same, on every kind of interface. The kernel has one table for all
// namespaces, so this file has a machine for itself. Needs root, a kernel whose limits can be set,
// and python3.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Capture } from '../../lab/capture.ts';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, type Scope } from '../../lab/namespaces.ts';
import { eventually, throughout } from '../../lab/wait.ts';
import { GROUP, promotions, START_MS } from './duo.ts';
import { bondSkipReason } from './native.ts';
import { addBondHost, vlanOnBond, vlanOnPlainLink } from './topology.ts';

const VLAN = 7;
const [FLOOD, RAW_SEND] = ['neighbours.py', 'raw-send.py'].map((name) =>
  fileURLToPath(new URL(`../../lab/${name}`, import.meta.url)),
);
/** In the order in which the kernel takes them: the last one is the most that it ever has. */
const LIMITS = ['gc_thresh1', 'gc_thresh2', 'gc_thresh3'] as const;
const NARROW = ['16', '32', '64'];
const FULL_MS = 60_000;
const SPAN_MS = 10_000;
/** Of some ten; a guest may be late. */
const ADVERTS_MIN = 6;
const skip = await bondSkipReason();

/** The master-to-be, and a host that shall be its backup. */
type Pair = readonly [Host, Host];

const STACKS: Readonly<Record<string, (lab: Lab) => Promise<Pair>>> = {
  'a plain link': async (lab) => [
    await lab.host('a', '10.9.0.20/24'),
    await lab.host('b', '10.9.0.30/24'),
  ],
  'a VLAN': async (lab) => {
    const pair = [
      await lab.host('a', '10.9.0.20/24'),
      await lab.host('b', '10.9.0.30/24'),
    ] as const;
    for (const host of pair) await vlanOnPlainLink(host, VLAN);
    return pair;
  },
  'a VLAN of an LACP bond': async (lab) => {
    const bond = await addBondHost(lab, 'a', '10.9.0.20/24', { mode: '802.3ad' });
    const other = await lab.host('b', '10.9.0.30/24');
    await vlanOnPlainLink(other, VLAN);
    await bond.lacpFormed();
    return [await vlanOnBond(bond, VLAN), other];
  },
};

describe('a full neighbour table', { skip }, () => {
  for (const [name, make] of Object.entries(STACKS)) {
    test(`silences no master on ${name}`, async (t) => {
      const lab = await Lab.create(t);
      const [host, other] = await make(lab);
      const master = startCarpd(host, GROUP);
      await master.waitFor('MASTER', START_MS);
      const backup = startCarpd(other, GROUP);
      await backup.waitFor('BACKUP', START_MS);
      const target = await lab.host('y', '10.10.0.1/16');
      const many = await lab.host('x', '10.10.0.2/16');
      const seen = await Capture.start(other, { filter: 'proto 112' });
      narrowTable(t);
      many.spawn(['python3', FLOOD ?? '', many.interface, target.address]);
      const full = async (): Promise<boolean> => (await rawSend(host)) === 'ENOBUFS';
      await eventually(full, { withinMs: FULL_MS, what: 'the table of neighbours to be full' });
      const fromMs = nowMs();
      const calm = (): boolean => master.state() === 'MASTER' && backup.state() === 'BACKUP';
      const detail = (): string => lab.report();
      await throughout(calm, { forMs: SPAN_MS, what: 'the backup to hear its master', detail });
      equal(await rawSend(host), 'ENOBUFS', 'the table is still full');
      const count = seen.adverts({ source: host.address, afterMs: fromMs }).length;
      ok(count >= ADVERTS_MIN, `${count} adverts`);
      deepEqual(logEntries(master, { event: 'send-failed' }), [], master.log());
      equal(promotions(backup), 0);
    });
  }
});

/** What becomes of a packet to the group that a raw socket sends. */
async function rawSend(host: Host): Promise<string> {
  return (await host.exec(['python3', RAW_SEND ?? '', host.interface, host.address])).trim();
}

/** Until the end of the test the kernel keeps few neighbours. */
function narrowTable(scope: Scope): void {
  const paths = LIMITS.map((name) => `/proc/sys/net/ipv4/neigh/default/${name}`);
  const before = paths.map((path) => readFileSync(path, 'utf8'));
  scope.after(() => {
    for (const [at, path] of paths.entries()) writeFileSync(path, before[at] ?? '');
  });
  for (const [at, path] of paths.entries()) writeFileSync(path, NARROW[at] ?? '');
}
