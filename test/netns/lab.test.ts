// The lab itself, in network namespaces (needs root): its links, its faults, and that nothing of it
// is left behind however its process ends.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { Child } from '../../lab/child.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { sweepStale } from '../../lab/sweep.ts';
import { holds, startPing, whoAnswers, whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const LAB_MODULE = new URL('../../lab/namespaces.ts', import.meta.url).href;
const START_MS = 15_000;

describe('a lab', { skip: await labSkipReason(), concurrency: true }, () => {
  test('two hosts reach each other through the switch', async (t) => {
    const startMs = nowMs();
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const b = await lab.host('b', '10.77.0.2/24');
    t.diagnostic(`two hosts made in ${(nowMs() - startMs).toFixed(0)} ms`);
    ok(await reaches(a, b));
    deepEqual(await whoAnswers(a, b.address), [b.mac]);
    deepEqual(await whoAnswers(a, '10.77.0.9'), []);
  });

  test('a blocked port lets nothing through and keeps the carrier', async (t) => {
    const { lab, a, b } = await pair(t);
    await lab.port(b).block();
    ok(await b.hasCarrier());
    equal(await reaches(a, b), false);
    await lab.port(b).unblock();
    ok(await reaches(a, b));
  });

  test('carrier loss and administrative down are two things', async (t) => {
    const { lab, a, b } = await pair(t);
    await lab.carrier(b, false);
    ok((await b.ip('link', 'show', 'eth0')).includes('NO-CARRIER,BROADCAST,MULTICAST,UP'));
    await lab.carrier(b, true);
    ok(await reaches(a, b));
    await b.linkDown();
    ok((await b.ip('link', 'show', 'eth0')).includes('<BROADCAST,MULTICAST>'));
    await b.linkUp();
    await eventually(() => reaches(a, b), { withinMs: 15_000, what: 'the link to come back' });
  });

  test('rules drop one way, on the port and in the firewall, until removed', async (t) => {
    const { lab, a, b } = await pair(t);
    const seen = await Capture.start(b, { filter: 'icmp' });
    // Requests are told apart by the size of their payload; a reply has another first byte.
    const requestOf = (size: number): true | undefined =>
      seen.frames.some(({ bytes }) => bytes[34] === 8 && bytes.length === 42 + size) || undefined;
    let size = 100;
    for (const [drop, arrives] of [
      [() => lab.dropOnPort(b, 'to-host', 'ip protocol icmp'), undefined],
      [() => lab.dropOnPort(b, 'from-host', 'ip protocol icmp'), true],
      [() => lab.dropOnPort(b, 'to-host'), undefined],
      [() => lab.dropInFirewall(b, 'input', 'ip protocol icmp'), true],
      [() => lab.dropInFirewall(b, 'output', 'ip protocol icmp'), true],
    ] as const) {
      const rule = await drop();
      size += 2;
      equal(await reaches(a, b, size), false);
      await rule.remove();
      ok(await reaches(a, b, size + 1));
      // Frames come in order: with the request that passed, the one before it would have come.
      await seen.until(() => requestOf(size + 1), 'the request that passed', 2_000);
      equal(requestOf(size), arrives, String(drop));
    }
    await seen.stop();
  });

  test('addresses are found, and a gap in the pings is measured', async (t) => {
    const { lab, a, b } = await pair(t);
    await b.ip('addr', 'add', '10.77.0.100/32', 'dev', 'eth0');
    deepEqual(await whoHolds(lab.hosts, '10.77.0.100'), [b]);
    equal(await holds(b, '10.77.0.10'), false);
    const ping = startPing(a, '10.77.0.100', 20);
    await ping.answer(nowMs(), 15_000);
    await lab.port(b).block();
    const downMs = nowMs();
    await new Promise((resolve) => setTimeout(resolve, 400));
    await lab.port(b).unblock();
    await ping.answer(nowMs(), 15_000);
    const darkMs = nowMs() - downMs;
    const { sent, lost, longestGapMs, gaps } = await ping.stop();
    ok(longestGapMs >= 380 && longestGapMs <= darkMs + 200, `${longestGapMs} of ${darkMs} ms`);
    ok(gaps.some(({ fromMs, toMs }) => toMs - fromMs === longestGapMs));
    ok(lost >= 10 && lost < sent, `${lost} of ${sent} lost`);
  });

  test('a wait for a process fails at once, with its last lines, when it ends', async (t) => {
    const { a } = await pair(t);
    const child = a.spawn(['sh', '-c', 'echo last words; exit 3']);
    const wait = child.line(/never/, 60_000);
    await wait.then(
      () => ok(false, 'the line was never written'),
      (error: unknown) => {
        const text = String(error);
        ok(text.includes('ended') && text.includes('| last words') && text.includes('code 3'));
      },
    );
  });
});

describe('the end of a lab', { skip: await labSkipReason(), concurrency: true }, () => {
  test('close kills what runs in it, also what left its process group', async () => {
    const lab = await Lab.create();
    const a = await lab.host('a', '10.77.0.1/24');
    const child = a.spawn(['sh', '-c', 'setsid sleep 300 & echo $!; wait']);
    const { text } = await child.line(/^\d+$/, 15_000);
    lab.close();
    equal(existsSync(`/run/netns/${a.netns}`), false);
    equal(existsSync(lab.directory), false);
    await eventually(() => !isRunning(text), { withinMs: 15_000, what: `process ${text} to end` });
  });

  for (const [how, end] of [
    ['an uncaught exception', 'setTimeout(() => { throw new Error("on purpose"); }, 0)'],
    ['process.exit', 'process.exit(1)'],
    ['SIGINT', 'process.kill(process.pid, "SIGINT"); setTimeout(() => {}, 60_000)'],
    ['SIGTERM', 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 60_000)'],
  ] as const) {
    test(`nothing is left after ${how}`, async () => {
      const child = labProcess(end);
      await child.line(/^made$/, START_MS);
      await child.ended(START_MS);
      deepEqual(leftoversOf(child), []);
    });
  }

  test('what a killed process left is swept by the next one', async () => {
    const child = labProcess('setTimeout(() => {}, 60_000)');
    await child.line(/^made$/, START_MS);
    sweepStaleBut(child);
    await child.stop('SIGKILL');
    ok(leftoversOf(child).length > 0, 'a killed process can not clean up');
    sweepStale();
    deepEqual(leftoversOf(child), []);
  });
});

async function pair(
  t: Parameters<typeof Lab.create>[0],
): Promise<{ readonly lab: Lab; readonly a: Host; readonly b: Host }> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/24');
  return { lab, a, b: await lab.host('b', '10.77.0.2/24') };
}

/** Whether one ping is answered, asked with an empty neighbour table: its retries are slow. */
async function reaches(from: Host, to: Host, size = 56): Promise<boolean> {
  await from.ip('neigh', 'flush', 'dev', 'eth0');
  const argv = ['ping', '-n', '-c', '1', '-W', '0.5', '-s', String(size), to.address];
  return from.exec(argv).then(
    () => true,
    () => false,
  );
}

/** A process that makes a lab with a running process in it, says "made" and runs `end`. */
function labProcess(end: string): Child {
  const program = `
    import { Lab } from ${JSON.stringify(LAB_MODULE)};
    const lab = await Lab.create();
    const a = await lab.host('a', '10.77.0.1/24');
    a.spawn(['sleep', '300']);
    console.log('made');
    ${end};`;
  const argv = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', program];
  return new Child(argv, { label: 'a process with a lab' });
}

/** A sweep must leave the labs of running processes alone. */
function sweepStaleBut(running: Child): void {
  const before = leftoversOf(running);
  sweepStale();
  deepEqual(leftoversOf(running), before);
}

function leftoversOf(child: Child): string[] {
  const mine = (name: string): boolean => name.startsWith(`carpd-${child.pid}-`);
  return [...readdirSync('/run/netns'), ...readdirSync(tmpdir())].filter(mine);
}

function isRunning(pid: string): boolean {
  return existsSync(`/proc/${pid}/exe`);
}
