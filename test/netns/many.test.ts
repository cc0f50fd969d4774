// Many instances in one process: whoever comes or goes by a reload disturbs nobody, and a boot
// spares the host a process for each. Needs root and namespaces.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { equal, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { carpdConfigFile, startCarpd, startCarpdInstances } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { eventually } from '../../lab/wait.ts';

const COUNT = 50;
const VIP = '10.77.0.100';
const WITHIN_MS = 60_000;
const DEAD_MS = 3_000;
const skip = await labSkipReason();

describe('many instances', { skip }, () => {
  test('come and go by reloads, and the one that stays keeps its pace', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startCarpd(host, { vhid: 1, vip: VIP, password: 'a secret', config: PREFIX });
    await peer.waitFor('MASTER', WITHIN_MS);
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    await seen.advert(2, { vhid: 1 }, WITHIN_MS);
    const file = carpdConfigFile(host);
    const alone = readFileSync(file, 'utf8');
    const document = parse(alone) as { instances: object };
    const instances = { ...document.instances, ...others() };
    const reload = async (text: string, left: number): Promise<void> => {
      const before = logEntries(peer, { event: 'configuration-reloaded' }).length;
      writeFileSync(file, text);
      peer.signal('SIGHUP');
      await peer.child.until(
        () => logEntries(peer, { event: 'configuration-reloaded' })[before],
        'the reload',
        WITHIN_MS,
      );
      await eventually(async () => (await addressCount(host)) === left, {
        withinMs: WITHIN_MS,
        what: `${String(left)} addresses`,
      });
    };
    await reload(stringify({ ...document, instances }), 1 + 1 + COUNT);
    await reload(alone, 1 + 1);
    await seen.advert(seen.adverts({ vhid: 1 }).length + 1, { vhid: 1 }, WITHIN_MS);
    const gaps = gapsOf(seen);
    ok(Math.max(...gaps) < DEAD_MS / 2, `pauses of ${gaps.map(Math.round).join(', ')} ms`);
    equal((await peer.stop()).code, 0, peer.child.tail());
  });

  test('by the thousand are read from a file while the adverts go on', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const config = { ...PREFIX };
    const peer = startCarpd(host, { vhid: 1, vip: VIP, password: 'a secret', config });
    await peer.waitFor('MASTER', WITHIN_MS);
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    await seen.advert(2, { vhid: 1 }, WITHIN_MS);
    const file = carpdConfigFile(host);
    const document = parse(readFileSync(file, 'utf8')) as { instances: object };
    const waiting = Array.from({ length: 999 }, (_, n): [string, object] => {
      const address = `10.78.${String(n >> 8)}.${String(n & 255)}/16`;
      return [`w${String(n)}`, { interface: 'later', address, vhid: 300, passphrase: 'a secret' }];
    });
    // They are wrong, all of them, so that nothing follows but the reading.
    const text = {
      ...document,
      instances: { ...document.instances, ...Object.fromEntries(waiting) },
    };
    writeFileSync(file, stringify(text));
    peer.signal('SIGHUP');
    await logEntry(peer, { event: 'configuration-rejected' }, WITHIN_MS);
    await seen.advert(seen.adverts({ vhid: 1 }).length + 1, { vhid: 1 }, WITHIN_MS);
    const gaps = gapsOf(seen);
    ok(Math.max(...gaps) < 1_750, `pauses of ${gaps.map(Math.round).join(', ')} ms`);
    equal(peer.state(), 'MASTER');
    equal((await peer.stop()).code, 0, peer.child.tail());
  });

  test('clean up at the boot by a few processes for all', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const calls = join(lab.directory, 'calls');
    const real = '/usr/sbin:/sbin:/usr/bin:/bin';
    const script = join(lab.directory, 'ip');
    writeFileSync(calls, '');
    writeFileSync(script, `#!/bin/sh\necho "$*" >>${calls}\nPATH=${real} exec ip "$@"\n`);
    chmodSync(script, 0o755);
    const wrapper = ['env', `PATH=${lab.directory}:${real}`];
    const options = Object.fromEntries(
      Object.entries(others()).map(([name, config]) => [
        name,
        { vhid: config.vhid, vip: config.address, password: 'a secret', config },
      ]),
    );
    for (const { address } of Object.values(others())) {
      await host.ip('addr', 'add', address, 'dev', host.interface);
    }
    const [peer] = startCarpdInstances(host, options, {}, { wrapper });
    ok(peer !== undefined);
    await logEntry(peer, { event: 'daemon-started' }, WITHIN_MS);
    const atStart = readFileSync(calls, 'utf8').trim().split('\n');
    ok(
      atStart.length <= 5,
      `ip was called ${String(atStart.length)} times:\n${atStart.join('\n')}`,
    );
    await eventually(async () => (await addressCount(host)) === 1 + COUNT, {
      withinMs: WITHIN_MS,
      what: 'all addresses',
    });
    const atEnd = readFileSync(calls, 'utf8').trim().split('\n');
    ok(atEnd.length <= COUNT / 2, `ip was called ${String(atEnd.length)} times`);
    equal((await peer.stop()).code, 0, peer.child.tail());
  });
});

const PREFIX = { address: `${VIP}/24`, hooks: {} };

type Other = Readonly<Record<string, unknown>> & {
  readonly vhid: number;
  readonly address: string;
};

function others(): Readonly<Record<string, Other>> {
  return Object.fromEntries(
    Array.from({ length: COUNT }, (_, n) => {
      const vhid = 2 + n;
      const address = `10.77.0.${String(150 + n)}/24`;
      const more = { interface: 'eth0', passphrase: 'a secret', gate: { policy: 'off' } };
      return [`i${String(n)}`, { vhid, address, ...more, hooks: {} }];
    }),
  );
}

/** Between the adverts of the one that stays. */
function gapsOf(seen: Capture): readonly number[] {
  const times = seen.adverts({ vhid: 1 }).map(({ atMs }) => atMs);
  return times.slice(1).map((at, index) => at - (times[index] ?? at));
}

async function addressCount(host: Host): Promise<number> {
  const shown = await host.ip('-4', '-o', 'addr', 'show', 'dev', host.interface);
  return shown.trim().split('\n').length;
}
