// A master whose configuration is reloaded, key by key, while a client pings its virtual IP: no
// ping is lost, its stock backup stays what it is, and only what needs a restart hands over.
// Needs root and namespaces.
import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import { parse, stringify } from 'yaml';
import { Capture } from '../../lab/capture.ts';
import { askCarpd } from '../../lab/carpd-command.ts';
import { logEntries } from '../../lab/carpd-log.ts';
import { carpdConfigFile, startCarpdInstances } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { holds, startPing } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const WITHIN_MS = 30_000;
const PASSWORD = 'a secret';
/** Adverts of the slowest pace below come so often, and a busy host is late. */
const PAUSE_MS_MAX = 2_600;
const skip = await labSkipReason();

type Keys = Readonly<Record<string, unknown>>;

/** What needs no restart, one key after the other, and at last all of them back at once. */
const IN_PLACE: readonly Keys[] = [
  { hooks: { up: ['/bin/true'], down: ['/bin/true'], timeout: '3s', xparam: 'x' } },
  { announce: { burst: 1, interval: '90ms', refresh: '5s' } },
  { peers: ['10.77.0.2'] },
  { gate: { policy: 'hold' } },
  { gate: { policy: 'promote-after', promoteAfter: '9s', requireProbe: true } },
  { gate: { policy: 'hold', vipInUse: 'off', probe: { targets: ['10.77.0.3'], interval: '1s' } } },
  { gate: { policy: 'off' } },
  { advskew: 60 },
  { advskew: 0 },
  { advbase: 2 },
  { advbase: 1 },
  { deadRatio: 5 },
  { preempt: true },
  { neutral: true },
  { ignoreLinkState: true },
  { broadcast: true },
  { source: '10.77.0.1' },
];

describe('a reload of a master', { skip }, () => {
  for (const count of [1, 3]) {
    test(`in place loses no ping: ${count} in one prefix`, (t) => inPlace(t, count));
  }

  test('by carpd reload says what it costs, and what is wrong with a file', async (t) => {
    const { host, masters } = await scene(t, 1);
    const [master] = masters;
    ok(master);
    const file = carpdConfigFile(host);
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, good.replace('vip0:\n', 'vip0:\n    advskew: 7\n'));
    const line = 'vip0: advskew 0 -> 7 (applied in place)\nno master is restarted\n';
    const dry = await askCarpd(host, ['reload', '--dry-run']);
    deepEqual([dry.stdout, dry.stderr, dry.code], [line, '', 0]);
    const diff = await askCarpd(host, ['check', '--diff', '--config', file]);
    deepEqual([diff.stdout, diff.code], [line, 0], diff.stderr);
    equal(logEntries(master, { event: 'configuration-reloaded' }).length, 0);
    const done = await askCarpd(host, ['reload']);
    deepEqual([done.stdout, done.stderr, done.code], [line, '', 0]);
    equal(logEntries(master, { event: 'configuration-reloaded' }).length, 1);
    match((await askCarpd(host, ['reload'])).stdout, /nothing changes/);
    writeFileSync(file, good.replace('vhid: 1', 'vhid: 300'));
    const refused = await askCarpd(host, ['reload']);
    equal(refused.code, 1);
    match(refused.stderr, /vhid: .*300.*\ncarpd: nothing was changed/);
    match((await askCarpd(host, ['status'])).stdout, /^RELOAD REFUSED .*\n +.*vhid/);
    equal(logEntries(master, { event: 'configuration-rejected' }).length, 1);
    equal(master.state(), 'MASTER');
    writeFileSync(file, good.replace('level: debug', 'level: info'));
    const mended = await askCarpd(host, ['reload', '--config', file]);
    match(mended.stdout, /^carpd: log\.level debug -> info \(applied in place\)$/m, mended.stderr);
    doesNotMatch((await askCarpd(host, ['status'])).stdout, /RELOAD/);
  });

  test('that needs a restart says so first, and hands over', async (t) => {
    const { host, masters, backup, pings } = await scene(t, 1);
    const [master] = masters;
    ok(master);
    await reload(host, master, { passphrase: PASSWORD, address: '10.77.0.100/25' });
    await backup.waitFor('MASTER', WITHIN_MS);
    const told = logEntries(master, { event: 'configuration-change' }).at(-1);
    match(told?.message ?? '', /address .*\/24 -> .*\/25 .*MASTER and hands over first/);
    const left = logEntries(master, { event: 'transition', fields: { cause: 'stopped' } })[0];
    ok(told && left && told.atMs <= left.atMs, 'before it did so');
    for (const ping of pings) await ping.answer(nowMs(), WITHIN_MS);
  });
});

async function inPlace(t: TestContext, count: number): Promise<void> {
  const { lab, host, masters, backup, pings, vips } = await scene(t, count);
  const [master] = masters;
  ok(master);
  const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
  const before = [...masters, backup].map(({ transitions }) => transitions.length);
  for (const keys of [...IN_PLACE, ...IN_PLACE.slice(0, 1)]) {
    await reload(host, master, keys);
    // The next advert goes by the new configuration, and whatever it breaks would show.
    const sent = seen.adverts({ vhid: 1 }).length;
    await seen.advert(sent + 1, { vhid: 1 }, WITHIN_MS);
  }
  deepEqual(
    [...masters, backup].map(({ transitions }) => transitions.length),
    before,
    master.child.tail(),
  );
  equal(logEntries(master, { event: 'configuration-rejected' }).length, 0);
  const reloaded = logEntries(master, { event: 'configuration-reloaded' });
  equal(reloaded.length, IN_PLACE.length + 1);
  for (const { fields } of reloaded) equal(fields['restarted'], '');
  const times = seen.adverts({ vhid: 1, source: '10.77.0.1' }).map(({ atMs }) => atMs);
  const pauses = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
  ok(Math.max(...pauses) < PAUSE_MS_MAX, `pauses of ${pauses.map(Math.round).join(', ')} ms`);
  for (const ping of pings) {
    const { sent, lost, longestGapMs } = await ping.stop();
    t.diagnostic(`${lost} of ${sent} pings lost, longest gap ${Math.round(longestGapMs)} ms`);
    equal(lost, 0);
  }
  for (const vip of vips) equal(await holds(host, vip), true);
  equal((await master.stop()).code, 0, master.child.tail());
}

/** Changes the keys of every instance, and waits until they are in force. */
async function reload(host: Host, peer: Peer, keys: Keys): Promise<void> {
  const before = logEntries(peer, { event: 'configuration-reloaded' }).length;
  const file = carpdConfigFile(host);
  const document = parse(readFileSync(file, 'utf8')) as { instances: Record<string, Keys> };
  const changed = Object.entries(document.instances).map(([name, one]) => {
    return [name, { ...one, ...keys }];
  });
  writeFileSync(file, stringify({ ...document, instances: Object.fromEntries(changed) as Keys }));
  peer.signal('SIGHUP');
  await peer.child.until(
    () => logEntries(peer, { event: 'configuration-reloaded' })[before],
    `the reload of ${JSON.stringify(keys)}`,
    WITHIN_MS,
  );
}

interface Scene {
  readonly lab: Lab;
  readonly host: Host;
  readonly vips: readonly string[];
  readonly masters: readonly Peer[];
  /** A stock ucarp, of the first virtual IP. */
  readonly backup: Peer;
  readonly pings: readonly ReturnType<typeof startPing>[];
}

async function scene(t: TestContext, count: number): Promise<Scene> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const other = await lab.host('b', '10.77.0.2/24');
  const client = await lab.host('c', '10.77.0.3/24');
  const vips = Array.from({ length: count }, (_, index) => `10.77.0.${100 + index}`);
  const instances = vips.map((vip, index) => {
    const config = { address: `${vip}/24`, hooks: {} };
    return [`vip${index}`, { vhid: 1 + index, vip, password: PASSWORD, config }] as const;
  });
  const masters = startCarpdInstances(host, Object.fromEntries(instances));
  for (const peer of masters) await peer.waitFor('MASTER', WITHIN_MS);
  for (const vip of vips) {
    await eventually(() => holds(host, vip), { withinMs: WITHIN_MS, what: vip });
  }
  const group = { vhid: 1, vip: vips[0] ?? '', password: PASSWORD };
  const backup = startUcarp(other, { ...group, advskew: 100 });
  await backup.waitFor('BACKUP', WITHIN_MS);
  const pings = vips.map((vip) => startPing(client, vip));
  for (const ping of pings) await ping.answer(nowMs(), WITHIN_MS);
  return { lab, host, vips, masters, backup, pings };
}
