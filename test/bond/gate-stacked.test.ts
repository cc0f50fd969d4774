// carpd on interfaces that stand on a bond: the proof is asked of the bond below. Needs root and
// bonding.
import { equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import {
  duo,
  GATED,
  GROUP,
  neverLeft,
  nothingHappens,
  promotions,
  SETTLE_MS,
  START_MS,
} from './duo.ts';
import { bondSkipReason } from './native.ts';
import { addBondHost, bridgeOnBond, vlanOnBond, vlanOnPlainLink } from './topology.ts';
import { Lab } from '../../lab/namespaces.ts';
import { startPing } from '../../lab/vip.ts';

const skip = await bondSkipReason();
const DARK_MS = 10_000;

describe('an interface on a bond that passes nothing yet', { skip, concurrency: 2 }, () => {
  test('a VLAN: held, frames of other VLANs being none of its own', async (t) => {
    const lab = await Lab.create(t);
    const hostA = await lab.host('a', '10.9.0.20/24');
    await vlanOnPlainLink(hostA, 7);
    const a = startCarpd(hostA, GROUP);
    await a.waitFor('MASTER', START_MS);
    // Untagged chatter on the trunk.
    const noisy = await lab.host('c', '10.8.0.1/24');
    startPing(noisy, '10.8.0.99');
    const bond = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad' });
    await bond.lacpFormed();
    const hostB = await vlanOnBond(bond, 8);
    const b = startCarpd(hostB, GATED);
    await b.waitFor('HELD', START_MS);
    await nothingHappens(a, b, DARK_MS);
    equal(logEntries(b, { event: 'gate-closed' }).at(-1)?.fields['reasons'], 'no-frames');
    equal((await b.stop()).code, 0, b.child.tail());
    const right = startCarpd(await vlanOnBond(bond, 7), GATED);
    await right.waitFor('BACKUP', START_MS);
    neverLeft(a);
  });

  test('a bridge: held, whatever a guest on the bridge says', async (t) => {
    const { lab, hostB: bond, a } = await duo(t, { mode: '802.3ad', forwarding: false });
    await bond.lacpFormed();
    const hostB = await bridgeOnBond(bond);
    await hostB.ip('link', 'add', 'tap', 'type', 'veth', 'peer', 'name', 'guest');
    await hostB.ip('link', 'set', 'tap', 'master', 'br-vm', 'up');
    const guest = await lab.host('g', '10.9.0.50/24');
    // The guest's own link to the switch would be another way in; it gets the bridge instead.
    await guest.linkDown();
    await hostB.ip('link', 'set', 'guest', 'netns', guest.netns);
    await guest.ip('addr', 'flush', 'dev', 'eth0');
    await guest.ip('addr', 'add', '10.9.0.50/24', 'dev', 'guest');
    await guest.ip('link', 'set', 'guest', 'up');
    startPing(guest, '10.9.0.77');
    const b = startCarpd(hostB, GATED);
    await b.waitFor('HELD', START_MS);
    await nothingHappens(a, b, DARK_MS);
    equal(logEntries(b, { event: 'gate-closed' }).at(-1)?.fields['reasons'], 'no-frames');
    await hostB.switchSide.unblock();
    await b.waitFor('BACKUP', SETTLE_MS);
    await nothingHappens(a, b, 5_000);
    neverLeft(a);
    equal(promotions(b), 0);
  });
});
