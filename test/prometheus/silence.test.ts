// What operators do every week sets off no alert: asked of a real Prometheus with the rules as they
// are shipped. After each act nothing is even pending, so no act comes near the wait of a rule; the
// waits themselves are in rules.test.ts. Needs root, namespaces and Prometheus.
import { deepEqual, equal } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { askCarpd } from '../../lab/carpd-command.ts';
import { logEntry } from '../../lab/carpd-log.ts';
import { carpdConfigFile, startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import type { Peer } from '../../lab/peer.ts';
import { eventually } from '../../lab/wait.ts';
import { manage } from './management.ts';
import { GROUP, skip, threeHosts, WITHIN_MS } from './pair.ts';
import { Prometheus, type Alert } from './server.ts';

const DARK_MS = 5_000;

test('no alert fires', { skip }, async (t) => {
  const { lab, hostA, hostB, watcher, targetA, targetB } = await threeHosts(t, manage);
  const prometheus = await Prometheus.start(watcher, [targetA, targetB], 'shipped');
  const startA = (): Peer => startCarpd(hostA, GROUP, { metrics: { listen: targetA } });
  const startB = (): Peer => startCarpd(hostB, GROUP, { metrics: { listen: targetB } });
  let [a, b]: [Peer | undefined, Peer | undefined] = [undefined, undefined];

  const act = (what: string, run: () => Promise<unknown>): Promise<void> =>
    t.test(what, async () => {
      await run();
      let alerts: readonly Alert[] = [];
      const calm = async (): Promise<boolean> => {
        // A machine that tests keep busy stands still now and then, and then the alert is true.
        alerts = (await prometheus.alerts()).filter(({ labels }) => !isBusy(labels));
        return alerts.length === 0 && (await prometheus.query('up == 1')).length === 2;
      };
      const detail = (): string => `${JSON.stringify(alerts, null, 1)}\n${lab.report()}`;
      await eventually(calm, { withinMs: WITHIN_MS, everyMs: 250, what: 'no alert', detail });
      const all = await prometheus.query('max_over_time(ALERTS{alertstate="firing"}[15m])');
      const fired = all.filter(({ metric }) => !isBusy(metric));
      deepEqual(
        fired.map(({ metric }) => metric),
        [],
      );
    });

  await act('when a pair is started', async () => {
    a = startA();
    await a.waitFor('MASTER', WITHIN_MS);
    b = startB();
    await b.waitFor('BACKUP', WITHIN_MS);
  });
  await act('when the backup is restarted', async () => {
    await b?.stop();
    b = startB();
    await b.waitFor('BACKUP', WITHIN_MS);
  });
  await act('when the master is restarted', async () => {
    await a?.stop();
    await b?.waitFor('MASTER', WITHIN_MS);
    a = startA();
    await a.waitFor('BACKUP', WITHIN_MS);
  });
  await act('when the master is upgraded: handed over, stopped, started', async () => {
    await ordered(hostB, 'handover');
    await a?.waitFor('MASTER', WITHIN_MS);
    await b?.stop();
    b = startB();
    await b.waitFor('BACKUP', WITHIN_MS);
  });
  await act('in maintenance of the master, and after it', async () => {
    await ordered(hostA, 'maintenance', 'on');
    await b?.waitFor('MASTER', WITHIN_MS);
    await ordered(hostA, 'maintenance', 'off');
    await a?.waitFor('BACKUP', WITHIN_MS);
  });
  await act('on a reload', async () => {
    for (const peer of [a, b]) await reload(peer);
  });
  await act('on a reboot behind a port that passes nothing at first', async () => {
    await a?.kill();
    const dark = [await lab.dropOnPort(hostA, 'from-host'), await lab.dropOnPort(hostA, 'to-host')];
    a = startA();
    await a.waitFor('HELD', WITHIN_MS);
    await new Promise((resolve) => setTimeout(resolve, DARK_MS));
    equal(a.state(), 'HELD');
    for (const rule of dark) await rule.remove();
    await a.waitFor('BACKUP', WITHIN_MS);
  });
});

function isBusy(labels: Readonly<Record<string, string>>): boolean {
  return labels['alertname'] === 'CarpdLateWakes';
}

async function ordered(host: Host, ...words: readonly string[]): Promise<void> {
  const { code, stderr } = await askCarpd(host, words, WITHIN_MS);
  equal(code, 0, stderr);
}

/** Adds a key that was not there. */
async function reload(peer: Peer | undefined): Promise<void> {
  if (peer === undefined) return;
  const file = carpdConfigFile(peer.host);
  const config = parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
  writeFileSync(file, stringify({ ...config, log: { level: 'info', format: 'json' } }));
  peer.signal('SIGHUP');
  await logEntry(peer, { event: 'configuration-reloaded' }, WITHIN_MS);
}
