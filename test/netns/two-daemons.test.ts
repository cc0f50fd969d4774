// Two daemons on one interface, each with virtual IPs of its own in one prefix: neither takes what
// is the other's for the host's, and both leave the host's own address. Needs root and namespaces.
import { deepEqual, equal } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpdInstances } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';

const WITHIN_MS = 60_000;
const skip = await labSkipReason();

describe('two daemons on one interface', { skip }, () => {
  for (const promotes of [false, true]) {
    test(`leave the host its own address, promote_secondaries ${String(promotes)}`, async (t) => {
      const lab = await Lab.create(t);
      const a = await lab.host('a', '10.77.0.1/24');
      await a.ip('addr', 'add', '10.66.0.1/32', 'dev', 'lo');
      const first = await started(a, 'first', [101, 102], '10.66.0.1');
      // The host's own address goes and comes, as by DHCP: now it stands behind a virtual IP.
      await promote(a, true);
      await a.ip('addr', 'del', '10.77.0.1/24', 'dev', a.interface);
      await a.ip('addr', 'add', '10.77.0.1/24', 'brd', '10.77.0.255', 'dev', a.interface);
      await promote(a, promotes);
      const second = await started(a, 'second', [103, 104]);
      const usable = second.flatMap((peer) => logEntries(peer, { event: 'interface-usable' }));
      const sources = new Set(usable.map(({ fields }) => fields['source']));
      deepEqual([...sources], ['10.77.0.1']);
      const own = await a.ip('-o', 'addr', 'show', 'to', '10.77.0.1');
      const ended = await Promise.all(
        [first, second].map(([peer]) => peer?.stop() ?? Promise.reject(new Error('no peer'))),
      );
      deepEqual(
        ended.map(({ code }) => code),
        [0, 0],
      );
      for (const { vip } of [...first, ...second]) equal(await holds(a, vip), false, vip);
      equal(
        (await a.ip('-o', 'addr', 'show', 'to', '10.77.0.1')).replace(/ secondary/, ''),
        own.replace(/ secondary/, ''),
      );
    });
  }
});

function promote(host: Host, on: boolean): Promise<unknown> {
  return host.exec(['sysctl', '-qw', `net.ipv4.conf.all.promote_secondaries=${on ? 1 : 0}`]);
}

async function started(
  host: Host,
  name: string,
  last: readonly number[],
  source?: string,
): Promise<readonly Peer[]> {
  const instances = last.map((byte) => {
    const vip = `10.77.0.${String(byte)}`;
    const config = { address: `${vip}/24`, source, hooks: {} };
    const options = { vhid: byte, vip, password: 'a secret', deadRatio: 1, config };
    return [`vip${String(byte)}`, options] as const;
  });
  const peers = startCarpdInstances(host, Object.fromEntries(instances), {
    control: { socket: join(host.directory, `${name}.sock`) },
    state: { directory: join(host.directory, `${name}.state`) },
  });
  for (const peer of peers) {
    await peer.waitFor('MASTER', WITHIN_MS);
    await logEntry(peer, { event: 'vip-added' }, WITHIN_MS);
  }
  return peers;
}
