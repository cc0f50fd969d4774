// The metrics of running daemons: what they say of a failover beside a real ucarp, that promtool
// finds no fault with them, and that nobody who asks for them delays an advert. Needs root,
// namespaces, /usr/sbin/ucarp and promtool.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { Capture, type AdvertFrame } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import {
  carpdConfigFile,
  startCarpd,
  startCarpdInstances,
  startCarpdUcarp,
  type CarpdOptions,
} from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import {
  ask,
  metricsAt,
  metricsSocket,
  scrape,
  scrapeUntil,
  withMetrics,
} from '../../lab/scrape.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { eventually } from '../../lab/wait.ts';
import { valueOf } from '../support/exposition.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const OF_VIP = 'name="vip",interface="eth0",vhid="7"';
const WITHIN_MS = 30_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

const change = (from: string, to: string, cause: string): string =>
  `carpd_transitions_total{${OF_VIP},from="${from}",to="${to}",cause="${cause}"}`;
const is = (state: string): string =>
  `carpd_instance_state{${OF_VIP},vip="${VIP}",state="${state}"}`;

describe('a failover', { skip, concurrency: true }, () => {
  test('is told by the metrics of all who have seen it', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const b = await lab.host('b', '10.77.0.2/24');
    const c = await lab.host('c', '10.77.0.3/24');
    const stock = startUcarp(c, GROUP);
    await stock.waitFor('MASTER', WITHIN_MS);
    const first = startCarpd(a, { ...GROUP, gate: 'hold', advskew: 50 }, withMetrics(a));
    const second = startCarpd(b, { ...GROUP, gate: 'hold', advskew: 100 }, withMetrics(b));
    for (const peer of [first, second]) await peer.waitFor('BACKUP', WITHIN_MS);

    for (const host of [a, b]) {
      const before = await scrapeUntil(
        host,
        {
          [is('backup')]: 1,
          [is('master')]: 0,
          [`carpd_gate_open{${OF_VIP}}`]: 1,
          'carpd_link_ready{interface="eth0"}': 1,
          'carpd_link_condition{interface="eth0",condition="lacp"}': 1,
          [`carpd_peer_info{${OF_VIP},peer="10.77.0.3"}`]: 1,
          [`carpd_vip_present{${OF_VIP}}`]: 0,
          [change('held', 'backup', 'gate-opened')]: 1,
        },
        WITHIN_MS,
      );
      ok(number(before, `carpd_adverts_received_total{${OF_VIP}}`) > 0, 'ucarp was heard');
      equal(number(before, `carpd_takeover_duration_seconds_count{${OF_VIP}}`), 0);
      equal(number(before, `carpd_adverts_sent_total{${OF_VIP}}`), 0);
      ok(isNow(number(before, `carpd_last_advert_received_timestamp_seconds{${OF_VIP}}`)), 'now');
    }

    await stock.kill();
    await first.waitFor('MASTER', WITHIN_MS);
    const taken = await scrapeUntil(
      a,
      {
        [is('master')]: 1,
        [is('backup')]: 0,
        [change('backup', 'master', 'master-down')]: 1,
        [`carpd_vip_present{${OF_VIP}}`]: 1,
        [`carpd_takeover_duration_seconds_count{${OF_VIP}}`]: 1,
        [`carpd_hook_runs_total{${OF_VIP},hook="up",result="ok"}`]: 1,
        [`carpd_hook_duration_seconds_count{${OF_VIP},hook="up"}`]: 1,
      },
      WITHIN_MS,
    );
    const tookSeconds = number(taken, `carpd_takeover_duration_seconds_sum{${OF_VIP}}`);
    ok(tookSeconds > 0 && tookSeconds < 5, `the takeover took ${tookSeconds} s`);
    ok(number(taken, `carpd_gratuitous_arps_sent_total{${OF_VIP}}`) > 0, 'it was announced');
    ok(number(taken, `carpd_adverts_sent_total{${OF_VIP}}`) > 0, 'it advertises');
    ok(isNow(number(taken, `carpd_last_transition_timestamp_seconds{${OF_VIP}}`)), 'just now');

    first.signal('SIGUSR2');
    await second.waitFor('MASTER', WITHIN_MS);
    await scrapeUntil(
      a,
      {
        [is('backup')]: 1,
        [change('master', 'backup', 'handover')]: 1,
        [`carpd_vip_present{${OF_VIP}}`]: 0,
        [`carpd_peer_info{${OF_VIP},peer="10.77.0.2"}`]: 1,
        [`carpd_hook_runs_total{${OF_VIP},hook="down",result="ok"}`]: 2,
      },
      WITHIN_MS,
    );
    const handed = await scrapeUntil(
      b,
      {
        [is('master')]: 1,
        [change('backup', 'master', 'bow-out')]: 1,
        [change('backup', 'master', 'master-down')]: 0,
        [`carpd_vip_present{${OF_VIP}}`]: 1,
        [`carpd_takeover_duration_seconds_count{${OF_VIP}}`]: 1,
        [`carpd_peer_info{${OF_VIP},peer="10.77.0.1"}`]: 1,
        [`carpd_peer_info{${OF_VIP},peer="10.77.0.3"}`]: 1,
      },
      WITHIN_MS,
    );
    equal(number(handed, `carpd_effective_advskew{${OF_VIP}}`), 100);
  });

  test('that is held back is counted with what was missing', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startCarpd(host, { ...GROUP, gate: 'hold' }, withMetrics(host));
    await peer.waitFor('HELD', WITHIN_MS);
    const held = await scrapeUntil(
      host,
      {
        [is('held')]: 1,
        [`carpd_gate_open{${OF_VIP}}`]: 0,
        'carpd_link_ready{interface="eth0"}': 0,
        'carpd_link_condition{interface="eth0",condition="carrier"}': 1,
        'carpd_link_condition{interface="eth0",condition="frames"}': 0,
        [`carpd_promotions_held_total{${OF_VIP},reason="no-frames"}`]: 1,
      },
      WITHIN_MS,
    );
    equal(number(held, 'carpd_link_hold_seconds_count{interface="eth0"}'), 0);
    const other = await lab.host('b', '10.77.0.2/24');
    await other.exec(['ping', '-c', '1', '-W', '5', '10.77.0.1']);
    await peer.waitFor('MASTER', WITHIN_MS);
    const open = await scrapeUntil(
      host,
      { [is('master')]: 1, 'carpd_link_hold_seconds_count{interface="eth0"}': 1 },
      WITHIN_MS,
    );
    const seen = number(
      open,
      'carpd_link_evidence_timestamp_seconds{interface="eth0",kind="frame"}',
    );
    ok(isNow(seen), `a frame was seen at ${seen}`);
  });
});

describe('what is served', { skip, concurrency: true }, () => {
  test('passes promtool without a word, and the health pages say how it is', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startCarpd(host, GROUP, withMetrics(host));
    await peer.waitFor('MASTER', WITHIN_MS);
    const text = await scrapeUntil(host, { [is('master')]: 1 }, WITHIN_MS);
    deepEqual(await promtool(text), { code: 0, output: '' });
    ok(!text.includes(GROUP.password), 'no secret is in it');
    deepEqual(await ask(host, '/healthz'), { status: 200, body: 'healthy\n' });
    deepEqual(await ask(host, '/readyz'), { status: 200, body: 'ready\n' });
    await host.linkDown();
    const down = async (): Promise<string | false> => {
      const { status, body } = await ask(host, '/readyz');
      return status === 503 && body;
    };
    const wait = { withinMs: WITHIN_MS, what: 'the interface to be missed' };
    match(await eventually(down, wait), /^not ready: eth0: .* Set it up: ip link set eth0 up\n$/);
    deepEqual(await ask(host, '/healthz'), { status: 200, body: 'healthy\n' });
  });

  test('follows a reload, and a configuration that was rejected is no secret', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const other = { ...GROUP, vhid: 8, vip: '10.77.0.101' };
    const [peer] = startCarpdInstances(host, { vip: GROUP, web: other }, withMetrics(host));
    ok(peer, 'there are two peers of one process');
    await peer.waitFor('MASTER', WITHIN_MS);
    match(await scrape(host), /name="web"/);

    const file = carpdConfigFile(host);
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, 'instances: {vip: {vhid: 300}}');
    peer.signal('SIGHUP');
    await logEntry(peer, { event: 'configuration-rejected' }, WITHIN_MS);
    const { status, body } = await ask(host, '/readyz');
    equal(status, 503);
    match(body, /^not ready: the new configuration was rejected, and the old one is in force/);

    const document = parse(good) as { instances: Record<string, unknown>; metrics: unknown };
    delete document.instances['web'];
    writeFileSync(file, stringify(document));
    peer.signal('SIGHUP');
    await logEntry(peer, { event: 'configuration-reloaded' }, WITHIN_MS);
    deepEqual(await ask(host, '/readyz'), { status: 200, body: 'ready\n' });
    const without = async (): Promise<string | false> => {
      const text = await scrape(host);
      return !text.includes('name="web"') && text;
    };
    const text = await eventually(without, { withinMs: WITHIN_MS, what: 'web to be forgotten' });
    equal(valueOf(text, is('master')), 1);

    document.metrics = { listen: 'off' };
    writeFileSync(file, stringify(document));
    peer.signal('SIGHUP');
    const gone = (): Promise<boolean> =>
      scrape(host).then(
        () => false,
        () => true,
      );
    await eventually(gone, { withinMs: WITHIN_MS, what: 'the end of the metrics' });
    equal(peer.state(), 'MASTER');
  });

  test('by the ucarp front end, where it is asked to', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const extra = [`--metrics=${metricsAt(host)}`];
    const peer = startCarpdUcarp(host, { ...GROUP, extra });
    await peer.waitFor('MASTER', WITHIN_MS);
    const labels = OF_VIP.replace('"vip"', '"vhid-7"');
    const master = `carpd_instance_state{${labels},vip="${VIP}",state="master"}`;
    await scrapeUntil(host, { [master]: 1 }, WITHIN_MS);
    equal((await peer.stop()).code, 0);
  });
});

describe('a port in use', { skip }, () => {
  test('is told, does not hold up the election, and is taken when it is free', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const listen = "server.listen(9112, '127.0.0.1', () => console.log('up'))";
    const script = `const server = require('net').createServer(); ${listen}`;
    const other = host.spawn([process.execPath, '-e', script], { label: 'another server' });
    await other.line(/^up$/, WITHIN_MS);
    const peer = startCarpd(host, GROUP, { metrics: {} });
    const failed = await logEntry(peer, { event: 'metrics-failed' }, WITHIN_MS);
    match(
      failed.message,
      /^serve metrics at 127\.0\.0\.1:9112: another process listens there; give/,
    );
    match(failed.message, /carpd tries again every 10 s, and the election goes on without it$/);
    await peer.waitFor('MASTER', WITHIN_MS);
    await other.stop('SIGKILL');
    await logEntry(peer, { event: 'metrics-opened' }, WITHIN_MS);
    equal(logEntries(peer, { event: 'metrics-failed' }).length, 1);
    const url = 'http://127.0.0.1:9112/metrics';
    const fetched = `fetch('${url}').then((answer) => answer.text()).then(console.log)`;
    match(await host.exec([process.execPath, '-e', fetched]), /^carpd_build_info\{/m);
  });
});

describe('whoever asks', { skip }, () => {
  test('200 at once, and slow ones among them: adverts stay on time', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const client = await lab.host('client', '10.77.0.9/24');
    const count = 30;
    const groups: Record<string, CarpdOptions> = {};
    for (let index = 1; index <= count; index += 1) {
      groups[`g${index}`] = { ...GROUP, vhid: index, vip: `10.77.0.${100 + index}` };
    }
    const peers = startCarpdInstances(host, groups, withMetrics(host));
    for (const peer of peers) await peer.waitFor('MASTER', WITHIN_MS);
    const capture = await Capture.start(client, { filter: 'proto 112' });
    const quietFromMs = nowMs();
    await capture.advert(5, { vhid: 1, afterMs: quietFromMs }, WITHIN_MS);
    const busyFromMs = nowMs();
    const done = new AbortController();
    const slow = [readSlowly(host, done.signal), writeSlowly(host, done.signal)];
    let answered = 0;
    for (let wave = 0; wave < 12; wave += 1) {
      const all = Array.from({ length: 200 }, () => scrape(host).then(() => (answered += 1)));
      await Promise.allSettled(all);
      await sleep(250);
    }
    const calmFromMs = nowMs();
    await capture.advert(1, { vhid: 1, afterMs: calmFromMs }, WITHIN_MS);
    done.abort();
    await Promise.all(slow);
    ok(answered > 12, `${answered} of the scrapes were answered`);
    const quiet = worstDelayMs(capture.adverts(), quietFromMs, busyFromMs);
    const busy = worstDelayMs(capture.adverts(), busyFromMs, nowMs());
    t.diagnostic(
      `${answered} answers; worst delay of an advert ${busy} ms, without scrapes ${quiet}`,
    );
    ok(busy < 400 + 2 * quiet, `an advert came ${busy} ms late, and ${quiet} ms without scrapes`);
    for (const peer of peers) equal(peer.state(), 'MASTER');
    equal((await ask(host, '/healthz')).status, 200);
  });
});

/** A client that takes one byte of its answer a second. */
async function readSlowly(host: Host, ended: AbortSignal): Promise<void> {
  const socket = connect(metricsSocket(host)).on('error', () => undefined);
  socket.write('GET /metrics HTTP/1.1\r\nhost: carpd\r\n\r\n');
  while (!ended.aborted) {
    socket.read(1);
    await sleep(1_000);
  }
  socket.destroy();
}

/** A client that sends one byte of its request a second. */
async function writeSlowly(host: Host, ended: AbortSignal): Promise<void> {
  const socket = connect(metricsSocket(host)).on('error', () => undefined);
  while (!ended.aborted) {
    socket.write('G');
    await sleep(1_000);
  }
  socket.destroy();
}

/** How late the latest advert of any group came: each is due a second after the one before. */
function worstDelayMs(adverts: readonly AdvertFrame[], fromMs: number, toMs: number): number {
  const last = new Map<number, number>();
  let worst = 0;
  for (const { advert, atMs } of adverts) {
    const before = last.get(advert.vhid);
    last.set(advert.vhid, atMs);
    if (before === undefined || before < fromMs || atMs > toMs) continue;
    worst = Math.max(worst, atMs - before - 1_000);
  }
  return Math.round(worst);
}

async function promtool(text: string): Promise<{ code: unknown; output: string }> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  child.stdin.end(text);
  const [code] = (await once(child, 'close')) as unknown[];
  return { code, output };
}

function number(text: string, series: string): number {
  const value = valueOf(text, series);
  ok(value !== undefined, `${series} is there`);
  return value;
}

/** Within some minutes: what is told apart is seconds from milliseconds, and now from never. */
function isNow(unixSeconds: number): boolean {
  return Math.abs(Date.now() / 1_000 - unixSeconds) < 300;
}
