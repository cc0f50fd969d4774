// The way out of a host's own bridge: taken away, exchanged, held back by spanning tree, or there
// only later. Needs root, namespaces and the stock ucarp.
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { carpdConfigFile, startCarpdInstances } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { startPing, whoHolds } from '../../lab/vip.ts';
import {
  bridged,
  bridgeScene,
  guestOf,
  masterOverBridge,
  OTHER,
  otherMaster,
  startBridged,
  startBridgedPair,
} from './bridge-host.ts';
import { calm, GROUP, LONG_MS, neverLeft, statesOf, VIP, WITHIN_MS } from './trio.ts';

const skip = await labSkipReason();

function fail(): never {
  throw new Error('there is one');
}

function reasonsOf(peer: Peer): unknown {
  return logEntries(peer, { event: 'gate-closed' }).at(-1)?.fields['reasons'];
}

describe('a port that leads outside', { skip, concurrency: true }, () => {
  test('that leaves the bridge of a backup: held until it is back', async (t) => {
    const { questioned, master } = await bridgeScene(t);
    const second = startBridged(questioned);
    await second.waitFor('BACKUP', WITHIN_MS);
    const goneMs = nowMs();
    await questioned.ip('link', 'set', 'eth0', 'nomaster');
    await second.nextTransition('HELD', goneMs, WITHIN_MS);
    equal(reasonsOf(second), 'no-uplink no-frames');
    const epoch = { event: 'link-epoch', fields: { cause: 'uplink-changed' } } as const;
    await logEntry(second, epoch, WITHIN_MS);
    await calm(master, second, LONG_MS);
    const backMs = nowMs();
    await questioned.ip('link', 'set', 'eth0', 'master', 'br0');
    await second.nextTransition('BACKUP', backMs, WITHIN_MS);
    await calm(master, second, LONG_MS);
    neverLeft(master);
  });

  test('of two instances in one prefix: both are held, and both come back', async (t) => {
    const made = await bridgeScene(t);
    const { questioned, master } = made;
    const other = await otherMaster(made);
    const pair = startBridgedPair(questioned);
    for (const peer of pair) await peer.waitFor('BACKUP', WITHIN_MS);
    const goneMs = nowMs();
    await questioned.ip('link', 'set', 'eth0', 'nomaster');
    for (const peer of pair) await peer.nextTransition('HELD', goneMs, WITHIN_MS);
    for (const peer of pair) await calm(master, peer, LONG_MS / 2);
    await questioned.ip('link', 'set', 'eth0', 'master', 'br0');
    for (const peer of pair) await peer.nextTransition('BACKUP', goneMs, WITHIN_MS);
    for (const one of [master, other]) neverLeft(one);
  });
});

describe('a master over a bridge', { skip, concurrency: true }, () => {
  for (const [what, take, give] of [
    ['that leaves it', ['nomaster'], ['master', 'br0']],
    ['that loses its carrier', ['down'], ['up']],
  ] as const) {
    test(`whose port ${what}: steps down, and follows who took over`, async (t) => {
      const { lab, healthy, questioned, pair } = await masterOverBridge(t);
      const others = [GROUP, OTHER].map((group) => startUcarp(healthy, group));
      for (const other of others) await other.waitFor('BACKUP', WITHIN_MS);
      const cut = (words: readonly string[]): Promise<string> =>
        words[0] === 'down' || words[0] === 'up'
          ? lab.switch.ip('link', 'set', 'p-b', ...words)
          : questioned.ip('link', 'set', 'eth0', ...words);
      const lostMs = nowMs();
      await cut(take);
      for (const peer of pair) await peer.nextTransition('HELD', lostMs, WITHIN_MS);
      for (const other of others) await other.waitFor('MASTER', WITHIN_MS);
      const left = pair.map((peer) => peer.transitions.find(({ to }) => to === 'HELD'));
      for (const one of left) ok((one?.atMs ?? Infinity) - lostMs < 3_000, 'on time');
      equal((await whoHolds([questioned], VIP)).length, 0);
      const backMs = nowMs();
      await cut(give);
      for (const peer of pair) await peer.nextTransition('BACKUP', backMs, WITHIN_MS);
      await Promise.all(others.map((other, index) => calm(other, pair[index] ?? other, LONG_MS)));
    });
  }
});

describe('a bridge and its port that get new names', { skip, concurrency: true }, () => {
  const rename = async (host: Host): Promise<void> => {
    await host.ip('link', 'set', 'dev', 'eth0', 'name', 'lan0');
    await host.ip('link', 'set', 'dev', 'br0', 'name', 'wan0');
  };
  const untouched = (peer: Peer): void => {
    deepEqual(logEntries(peer, { event: 'link-epoch' }), []);
    deepEqual(logEntries(peer, { event: 'doubt' }), []);
  };

  test('below two masters: they serve on without a doubt', async (t) => {
    const { healthy, questioned, pair } = await masterOverBridge(t);
    await rename(questioned);
    const [first = fail()] = pair;
    await logEntry(first, { event: 'interface-renamed' }, WITHIN_MS);
    const others = [GROUP, OTHER].map((group) => startUcarp(healthy, group));
    for (const other of others) await other.waitFor('BACKUP', WITHIN_MS);
    await Promise.all(pair.map((peer, index) => calm(peer, others[index] ?? peer, LONG_MS)));
    for (const peer of pair) {
      statesOf(peer, ['HELD', 'BACKUP', 'MASTER']);
      untouched(peer);
    }
    const lostMs = nowMs();
    await questioned.ip('link', 'set', 'lan0', 'nomaster');
    for (const peer of pair) await peer.nextTransition('HELD', lostMs, WITHIN_MS);
  });

  test('below a backup: its gate stays open', async (t) => {
    const { questioned, master } = await bridgeScene(t);
    const second = startBridged(questioned);
    await second.waitFor('BACKUP', WITHIN_MS);
    await rename(questioned);
    await logEntry(second, { event: 'interface-renamed' }, WITHIN_MS);
    await calm(master, second, LONG_MS);
    statesOf(second, ['HELD', 'BACKUP']);
    untouched(second);
  });
});

describe('a MAC address that changes', { skip, concurrency: true }, () => {
  for (const gate of ['hold', 'off'] as const) {
    test(`of a master, with the gate ${gate}: the neighbours hear of it at once`, async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('b', '10.77.0.1/24');
      const client = await lab.host('c', '10.77.0.50/24');
      const pair = startCarpdInstances(host, {
        one: { ...GROUP, gate },
        two: { ...OTHER, gate },
      });
      const ping = startPing(client, host.address);
      for (const peer of pair) await peer.waitFor('MASTER', WITHIN_MS);
      await ping.stop();
      const mac = '02:00:00:00:99:01';
      const seen = await Capture.start(client, { filter: `arp and ether src ${mac}` });
      const changedMs = nowMs();
      await host.ip('link', 'set', 'eth0', 'address', mac);
      for (const { vip } of [GROUP, OTHER]) {
        const first = await seen.gratuitousArp(vip, changedMs, WITHIN_MS);
        ok(first.atMs - changedMs < 1_000, `${(first.atMs - changedMs).toFixed(0)} ms`);
      }
      for (const peer of pair) equal(peer.state(), 'MASTER');
    });
  }
});

describe('a way out that is there only later', { skip, concurrency: true }, () => {
  test('a port that is added after the start', async (t) => {
    const { questioned, master } = await bridgeScene(t);
    await questioned.ip('link', 'set', 'eth0', 'nomaster');
    const second = startBridged(questioned);
    await second.waitFor('HELD', WITHIN_MS);
    await questioned.ip('link', 'set', 'eth0', 'master', 'br0');
    await second.waitFor('BACKUP', WITHIN_MS);
    neverLeft(master);
  });

  test('an interface that is made after the start', async (t) => {
    const { lab, questioned, master } = await bridgeScene(t);
    const config = { gate: { policy: 'hold', uplinks: ['late0'] } };
    const second = startBridged(questioned, { config });
    await second.waitFor('HELD', WITHIN_MS);
    equal(reasonsOf(second), 'no-uplink no-frames');
    const { netns } = questioned;
    await lab.switch.ip('link', 'add', 'p-late', 'type', 'veth', 'peer', 'late0', 'netns', netns);
    await lab.switch.ip('link', 'set', 'p-late', 'master', 'br0', 'up');
    await questioned.ip('link', 'set', 'eth0', 'nomaster');
    await questioned.ip('link', 'set', 'late0', 'master', 'br0', 'up');
    await second.waitFor('BACKUP', WITHIN_MS);
    neverLeft(master);
  });

  test('one that a reload names, beside an instance that stays', async (t) => {
    const made = await bridgeScene(t);
    const other = await otherMaster(made);
    const config = { gate: { policy: 'hold' } };
    const pair = startBridgedPair(made.questioned, { config });
    for (const peer of pair) await peer.waitFor('HELD', WITHIN_MS);
    const file = carpdConfigFile(made.questioned);
    const before = readFileSync(file, 'utf8');
    // Of the first instance only.
    const named = before.replace(/^( *)policy: hold$/m, '$1policy: hold\n$1uplinks: [eth0]');
    notEqual(named, before);
    writeFileSync(file, named);
    pair[0]?.signal('SIGHUP');
    for (const peer of pair) await peer.waitFor('BACKUP', WITHIN_MS);
    for (const one of [made.master, other]) neverLeft(one);
  });
});

describe('a master that is a guest of the host', { skip, concurrency: true }, () => {
  for (const program of ['ucarp', 'carpd'] as const) {
    test(`and ${program}: is heard, and proves nothing of the way out`, async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('b', '10.77.0.1/24');
      await bridged(host);
      const guest = await guestOf(lab, host, 'g', '10.77.0.60/24');
      const outside = await lab.host('c', '10.77.0.50/24');
      await lab.port(host).block();
      const [one, two] = [
        { ...GROUP, advskew: 100 },
        { ...OTHER, advskew: 100 },
      ];
      const masters =
        program === 'ucarp'
          ? [one, two].map((group) => startUcarp(guest, group))
          : startCarpdInstances(guest, { one, two });
      for (const master of masters) await master.waitFor('MASTER', WITHIN_MS);
      const pair = startBridgedPair(host);
      for (const peer of pair) await peer.waitFor('HELD', WITHIN_MS);
      await Promise.all(masters.map((one, index) => calm(one, pair[index] ?? one, LONG_MS)));
      for (const peer of pair) equal(peer.state(), 'HELD');
      equal(reasonsOf(pair[0] ?? fail()), 'no-frames');
      // Somebody on the segment speaks: now the master may be followed.
      await lab.port(host).unblock();
      const ping = startPing(outside, host.address);
      for (const peer of pair) await peer.waitFor('BACKUP', WITHIN_MS);
      await Promise.all(masters.map((one, index) => calm(one, pair[index] ?? one, LONG_MS)));
      await ping.stop();
    });
  }
});

describe('a bridge of the host with spanning tree', { skip, concurrency: true }, () => {
  const FORWARD_DELAY_S = 4;
  test('whose port listens: held until it forwards', async (t) => {
    const { questioned, master } = await bridgeScene(t);
    // The port of the guest forwards by now, so that the bridge has carrier all the time.
    const stp = ['stp_state', '1', 'forward_delay', String(FORWARD_DELAY_S * 100)];
    await questioned.ip('link', 'set', 'br0', 'type', 'bridge', ...stp);
    await questioned.ip('link', 'set', 'eth0', 'nomaster');
    await questioned.ip('link', 'set', 'eth0', 'master', 'br0');
    const second = startBridged(questioned);
    await second.waitFor('HELD', WITHIN_MS);
    equal(reasonsOf(second), 'uplink-blocked no-frames');
    await second.waitFor('BACKUP', WITHIN_MS);
    await calm(master, second, LONG_MS);
    neverLeft(master);
    statesOf(second, ['HELD', 'BACKUP']);
  });

  test('that stops forwarding: what was proved before counts no more', async (t) => {
    const { questioned, master } = await bridgeScene(t);
    const second = startBridged(questioned);
    await second.waitFor('BACKUP', WITHIN_MS);
    const port = (state: string): Promise<string> =>
      questioned.exec(['bridge', 'link', 'set', 'dev', 'eth0', 'state', state]);
    const blockedMs = nowMs();
    await port('0');
    await second.nextTransition('HELD', blockedMs, WITHIN_MS);
    equal(reasonsOf(second), 'uplink-blocked no-frames');
    await calm(master, second, LONG_MS);
    const openedMs = nowMs();
    await port('3');
    await second.nextTransition('BACKUP', openedMs, WITHIN_MS);
    neverLeft(master);
    const epochs = logEntries(second, { event: 'link-epoch' }).map(({ fields }) => fields['cause']);
    deepEqual(epochs, ['uplink-changed']);
  });
});
