// carpd on a bridge that filters VLANs, over a bond that is a trunk: only frames of its own VLAN
// are proof, in the form that they have on the bond. Needs root and bonding.
import { equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { Lab } from '../../lab/namespaces.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { startPing } from '../../lab/vip.ts';
import { GATED, GROUP, neverLeft, nothingHappens, START_MS } from './duo.ts';
import { PROGRAMS, skip } from './scene.ts';
import { addBondHost, vlanBridgeOnBond, vlanOnPlainLink } from './topology.ts';

const DARK_MS = 10_000;
const [OWN, OTHER] = [100, 101];

describe('a bridge that filters VLANs, on a bond', { skip, concurrency: 2 }, () => {
  for (const beside of PROGRAMS) {
    test(`its VLAN not on the trunk, beside ${beside}: held, though others talk`, async (t) => {
      const lab = await Lab.create(t);
      const hostA = await lab.host('a', '10.9.0.20/24');
      await vlanOnPlainLink(hostA, OTHER);
      const a = beside === 'ucarp' ? startUcarp(hostA, GROUP) : startCarpd(hostA, GROUP);
      await a.waitFor('MASTER', START_MS);
      const noisy = await lab.host('c', '10.8.0.1/24');
      startPing(noisy, '10.8.0.99');
      const bond = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad' });
      await bond.lacpFormed();
      const hostB = await vlanBridgeOnBond(bond, OWN);
      const b = startCarpd(hostB, GATED);
      await b.waitFor('HELD', START_MS);
      await nothingHappens(a, b, DARK_MS);
      equal(logEntries(b, { event: 'gate-closed' }).at(-1)?.fields['reasons'], 'no-frames');
      // The VLAN comes: from here on the master is heard in it.
      await hostB.exec(['bridge', 'vlan', 'add', 'dev', 'bond0', 'vid', String(OTHER)]);
      const own = ['dev', 'br-vlan', 'vid', String(OTHER), 'self', 'pvid', 'untagged'];
      await hostB.exec(['bridge', 'vlan', 'add', ...own]);
      await b.waitFor('BACKUP', START_MS);
      await nothingHappens(a, b, DARK_MS);
      neverLeft(a);
    });
  }

  test('whose VLAN is good, with no master: opened by a frame of it', async (t) => {
    const lab = await Lab.create(t);
    const client = await lab.host('c', '10.9.0.50/24');
    await vlanOnPlainLink(client, OWN);
    const bond = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad' });
    await bond.lacpFormed();
    const b = startCarpd(await vlanBridgeOnBond(bond, OWN), GATED);
    await b.waitFor('HELD', START_MS);
    startPing(client, '10.9.0.10');
    await b.waitFor('MASTER', START_MS);
  });
});
