// A stranger claims the virtual IP of a master on a VLAN by ARP: it is told, counted, and answered.
// Needs root, bonding and python3.
import { equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { claim, learn, neighbour } from '../../lab/claims.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/namespaces.ts';
import { scrapeUntil, withMetrics } from '../../lab/scrape.ts';
import { eventually } from '../../lab/wait.ts';
import { GROUP, SETTLE_MS, START_MS } from './duo.ts';
import { bondSkipReason } from './native.ts';
import { addBondHost, vlanOnBond, vlanOnPlainLink } from './topology.ts';

const VLAN = 7;
/** What the stranger says, and what it is called. */
const FORMS = [
  ['request', 'announcement'],
  ['answer', 'reply'],
] as const;
const skip = await bondSkipReason();

const STACKS: Readonly<Record<string, (lab: Lab) => Promise<Host>>> = {
  'a VLAN': async (lab) => {
    const host = await lab.host('a', '10.9.0.20/24');
    await vlanOnPlainLink(host, VLAN);
    return host;
  },
  'a VLAN of an LACP bond': async (lab) => {
    const bond = await addBondHost(lab, 'a', '10.9.0.20/24', { mode: '802.3ad' });
    await bond.lacpFormed();
    return vlanOnBond(bond, VLAN);
  },
};

describe('a stranger that claims the virtual IP', { skip, concurrency: 2 }, () => {
  for (const [name, make] of Object.entries(STACKS)) {
    test(`of a master on ${name}: told, counted and answered`, async (t) => {
      const lab = await Lab.create(t);
      const host = await make(lab);
      const client = await lab.host('c', '10.9.0.1/24');
      const stranger = await lab.host('x', '10.9.0.66/24');
      for (const one of [client, stranger]) await vlanOnPlainLink(one, VLAN);
      const { vip } = GROUP;
      const config = { announce: { burst: 0 } };
      const peer = startCarpd(host, { ...GROUP, config }, withMetrics(host));
      await peer.waitFor('MASTER', START_MS);
      const announced = (): boolean => logEntries(peer, { event: 'announced' }).length === 2;
      const what = 'the announcements of the promotion';
      await eventually(announced, { withinMs: SETTLE_MS, what });
      await learn(client, vip, SETTLE_MS);
      const seen = await Capture.start(client, { filter: 'arp' });
      for (const [at, [said, form]] of FORMS.entries()) {
        await claim(stranger, vip, said, 1);
        const claims = (): number | undefined => {
          const own = seen.frames.filter(({ arp }) => arp?.senderMac === stranger.mac);
          return own.filter(({ arp }) => arp?.senderIp === vip)[at]?.atMs;
        };
        const claimedMs = await seen.until(claims, `the ${form}`, SETTLE_MS);
        const answer = (): number | undefined =>
          seen.gratuitousArps(vip, claimedMs).find(({ arp }) => arp.senderMac === host.mac)?.atMs;
        const tookMs = (await seen.until(answer, 'the answer', SETTLE_MS)) - claimedMs;
        // How soon is tested where the machine is quick (test/netns/claims.test.ts).
        t.diagnostic(`${form}: announced ${Math.round(tookMs)} ms after it`);
        const back = async (): Promise<boolean> => (await neighbour(client, vip)) === host.mac;
        await eventually(back, { withinMs: SETTLE_MS, what: `${vip} at the master again` });
        const fields = { form };
        const told = await logEntry(
          peer,
          { event: 'vip-contested', level: 'warn', fields },
          START_MS,
        );
        equal(told.fields['mac'], stranger.mac);
        equal(told.fields['answered'], true);
        const labels = `name="vip",interface="${host.interface}",vhid="${GROUP.vhid}"`;
        const series = `carpd_vip_claims_total{${labels},form="${form}"}`;
        await scrapeUntil(host, { [series]: 1 }, START_MS);
      }
      equal(peer.state(), 'MASTER');
    });
  }
});
