// Other hosts that claim the virtual IP of a master by ARP: it takes it back within about a second,
// does not flood, and keeps on as long as a dead master's kernel answers. Needs root, namespaces
// and python3.
import { equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd, startCarpdInstances } from '../../lab/carpd-peer.ts';
import { claim, learn, neighbour } from '../../lab/claims.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { eventually, throughout } from '../../lab/wait.ts';

const VIPS = ['10.77.0.100', '10.77.0.101'];
const WITHIN_MS = 20_000;
/** A second at most after an earlier announcement, and what a busy machine takes. */
const ANSWER_MS = 2_500;
const skip = await labSkipReason();

interface Scene {
  readonly lab: Lab;
  readonly a: Host;
  readonly client: Host;
  readonly stranger: Host;
  readonly peers: readonly Peer[];
  readonly vips: readonly string[];
}

describe('a stranger that claims the virtual IP', { skip, concurrency: true }, () => {
  for (const count of [1, 2]) {
    for (const form of ['request', 'reply', 'question']) {
      test(`as ${form}, of ${count}: the client is taken back, and few frames leave`, async (t) => {
        const { lab, a, client, stranger, peers, vips } = await scene(t, count);
        for (const vip of vips) await learn(client, vip, WITHIN_MS);
        const [peer] = peers;
        ok(peer, 'there is a master');
        const seen = await Capture.start(lab.switch, { filter: `arp and ether src ${a.mac}` });
        const claims = await Capture.start(lab.switch, {
          filter: `arp and ether src ${stranger.mac}`,
        });
        for (const vip of vips) await claim(stranger, vip, form, 1);
        for (const vip of vips) {
          await eventually(async () => (await neighbour(client, vip)) === a.mac, {
            withinMs: WITHIN_MS,
            what: `the client has ${vip} at ${a.mac}`,
          });
        }
        for (const one of peers) {
          const told = await logEntry(one, { event: 'vip-contested', level: 'warn' }, WITHIN_MS);
          equal(told.fields['mac'], stranger.mac);
        }
        const [vip = ''] = vips;
        const claimed = (await claims.stop()).find(({ arp }) => arp?.senderIp === vip);
        ok(claimed, 'the claim was seen');
        const first = await seen.gratuitousArp(vip, claimed.atMs, WITHIN_MS);
        const tookMs = first.atMs - claimed.atMs;
        t.diagnostic(`announced ${Math.round(tookMs)} ms after the claim`);
        ok(tookMs < ANSWER_MS, `${tookMs} ms`);
        const floodMs = nowMs();
        for (const vip of vips) await claim(stranger, vip, form, 300);
        const lastedMs = nowMs() - floodMs;
        for (const vip of vips) {
          const sent = seen.gratuitousArps(vip, floodMs).length;
          const bound = 2 + Math.ceil(lastedMs / 1_000) * 2;
          ok(sent >= 1 && sent <= bound, `${sent} frames in ${lastedMs} ms`);
        }
        const lines = logEntries(peer, { event: 'vip-contested' }).length;
        ok(lines <= 6 * count, `${lines} lines`);
        for (const one of peers) equal(one.state(), 'MASTER');
      });
    }
  }

  test('is no alarm where it is our own frame or a probe, and no business of others', async (t) => {
    const { lab, a, stranger, peers, vips } = await scene(t, 1);
    const [peer] = peers;
    const [vip = ''] = vips;
    ok(peer, 'there is a master');
    // Its own frames come back from elsewhere.
    await claim(stranger, vip, 'request', 5, a.mac);
    await claim(stranger, vip, 'probe', 5);
    const told = await logEntry(peer, { event: 'vip-contested' }, WITHIN_MS);
    equal(told.fields['form'], 'probe');
    await throughout(
      () => logEntries(peer, { event: 'vip-contested', level: 'warn' }).length === 0,
      {
        forMs: 1_500,
        what: 'no alarm',
      },
    );
    equal((await peer.stop()).code, 0);
    const seen = await Capture.start(lab.switch, { filter: `arp and ether src ${a.mac}` });
    const startMs = nowMs();
    await claim(stranger, vip, 'request', 5);
    await throughout(() => seen.gratuitousArps(vip, startMs).length === 0, {
      forMs: 1_500,
      what: 'nothing is announced',
    });
  });
});

describe('a stranger that claims the virtual IP of an interface on another one', { skip }, () => {
  for (const kind of ['macvlan', 'bridge'] as const) {
    test(`is heard and answered on a ${kind}`, async (t) => {
      const lab = await Lab.create(t);
      const a = await lab.host('a', '10.77.0.1/24');
      const stranger = await lab.host('x', '10.77.0.66/24');
      const upper = await stack(a, kind, '10.78.0.1/24');
      const vip = '10.78.0.100';
      const config = { interface: upper, source: '10.78.0.1', announce: { burst: 0 } };
      const peer = startCarpd(a, { vhid: 7, vip, password: 'a secret', config });
      await peer.waitFor('MASTER', WITHIN_MS);
      await eventually(() => logEntries(peer, { event: 'announced' }).length === 2, {
        withinMs: WITHIN_MS,
        what: 'the announcements of the promotion',
      });
      const startMs = nowMs();
      await claim(stranger, vip, 'request', 1);
      const told = await logEntry(peer, { event: 'vip-contested', level: 'warn' }, WITHIN_MS);
      equal(told.fields['mac'], stranger.mac);
      equal(told.fields['answered'], true);
      const [answer] = logEntries(peer, { event: 'announced', afterMs: startMs });
      ok(answer !== undefined && answer.atMs - startMs < ANSWER_MS, peer.child.tail());
      equal(logEntries(peer, { event: 'vip-contested' }).length, 1, 'its own frame is no claim');
    });
  }
});

describe('the kernel of a dead master that goes on answering', { skip }, () => {
  test('is announced against as long as it does', async (t) => {
    const { lab, a, stranger, peers, vips } = await scene(t, 1);
    const [peer] = peers;
    const [vip = ''] = vips;
    ok(peer, 'there is a master');
    await stranger.ip('addr', 'add', `${vip}/32`, 'dev', 'eth0');
    const seen = await Capture.start(lab.switch, { filter: `arp and ether src ${a.mac}` });
    await claim(stranger, vip, 'request', 1);
    const startMs = nowMs();
    await eventually(() => seen.gratuitousArps(vip, startMs + 5_000).length >= 1, {
      withinMs: 30_000,
      what: 'it is announced again ten seconds later',
    });
    await stranger.ip('addr', 'del', `${vip}/32`, 'dev', 'eth0');
    const goneMs = nowMs();
    await throughout(() => seen.gratuitousArps(vip, goneMs + 4_000).length === 0, {
      forMs: 16_000,
      what: 'it is not once nobody answers',
    });
  });
});

async function scene(t: TestContext, count: number): Promise<Scene> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/24');
  const client = await lab.host('c', '10.77.0.9/24');
  const stranger = await lab.host('x', '10.77.0.66/24');
  const vips = VIPS.slice(0, count);
  const instances = vips.map((vip, index) => {
    const options = {
      vhid: 7 + index,
      vip,
      password: 'a secret',
      config: { announce: { burst: 0 } },
    };
    return [`db${index}`, options] as const;
  });
  const peers = startCarpdInstances(a, Object.fromEntries(instances));
  for (const peer of peers) await peer.waitFor('MASTER', WITHIN_MS);
  for (const vip of vips) await learn(client, vip, WITHIN_MS);
  return { lab, a, client, stranger, peers, vips };
}

/** An interface on top of the host's eth0; yields its name. */
async function stack(host: Host, kind: 'macvlan' | 'bridge', address: string): Promise<string> {
  const name = `${kind}1`;
  if (kind === 'macvlan') {
    const mode = ['type', 'macvlan', 'mode', 'bridge'];
    await host.ip('link', 'add', 'link', 'eth0', 'name', name, ...mode);
  } else {
    await host.ip('link', 'add', name, 'type', 'bridge', 'stp_state', '0');
    await host.ip('link', 'set', 'eth0', 'master', name);
  }
  await host.ip('addr', 'add', address, 'dev', name);
  await host.ip('link', 'set', name, 'up');
  return name;
}
