// Asking the kernel again for what it tells nobody of by itself: the fake, and the real watch,
// which runs in a network namespace (needs root).
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  openLinkWatch,
  type LinkChange,
  type LinkWatch,
} from '../../src/linux/links/link-watch.ts';
import { native } from '../../src/linux/sockets/native.ts';
import { readNetlink } from '../../src/linux/links/netlink.ts';
import { requestLinks } from '../../src/linux/links/netlink-requests.ts';
import { FakeLinks } from '../fakes/link-watch.ts';
import { eventually } from '../../lab/wait.ts';
import { inNamespace, shell, shellStandingStill } from './namespace.ts';

const WITHIN_MS = 5_000;
/** Long enough for an answer that nothing shows the arrival of. */
const ANSWER_MS = 300;
const DELETION_MS = 60_000;
const ROUNDS_MAX = 10;
/** Made and deleted under one hold of the lock that all of netlink in all namespaces shares. */
const CROWD = `
i=0
while [ $i -lt 400 ]; do echo "link add x$i group 7 type veth peer name y$i"; i=$((i+1)); done >"$0"
ip -batch "$0"; rm "$0"; echo go; ip link del group 7`;

/** How long the kernel took to answer, and how long the loop stood still, at most, in a crowd. */
async function crowdRound(watch: LinkWatch): Promise<{ answeredMs: number; blockedMs: number }> {
  const socket = native().openNetlink(0);
  const file = join(tmpdir(), `carpd-crowd-${String(process.pid)}`);
  const child = spawn('unshare', ['-n', 'sh', '-euc', CROWD, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(DELETION_MS) });
  await once(child.stdout, 'data');
  const crowd = { running: true };
  void ended.then(() => (crowd.running = false));
  let answeredMs = 0;
  let blockedMs = 0;
  let underWay = false;
  while (crowd.running) {
    const before = performance.now();
    if (!underWay) {
      underWay = true;
      native().request(socket, requestLinks([1], 1), () => {
        underWay = false;
        answeredMs = Math.max(answeredMs, performance.now() - before);
      });
    }
    watch.ask([1]);
    watch.drain();
    blockedMs = Math.max(blockedMs, performance.now() - before);
    await sleep(2);
  }
  native().close(socket);
  return { answeredMs, blockedMs };
}

function fails(error: unknown): never {
  throw error;
}

test('the fake keeps a change to itself until it is asked, or tells of the next one', async () => {
  const fake = new FakeLinks();
  const ifindex = fake.add('e0');
  const told: LinkChange[] = [];
  const watch = await fake.open({ onChange: (change) => void told.push(change), onError: fails });
  fake.setUntold('e0', { slaveKind: 'bond' });
  fake.setUntold('e0', { master: 7 });
  equal(watch.find('e0')?.slaveKind, undefined);
  watch.ask([ifindex + 1]);
  deepEqual(told, []);
  watch.ask([ifindex, ifindex]);
  deepEqual(told, [{ name: 'e0', ifindex }]);
  deepEqual([watch.find('e0')?.slaveKind, watch.find('e0')?.master], ['bond', 7]);
  fake.setUntold('e0', { master: 8 });
  fake.setUp('e0', true);
  deepEqual([watch.find('e0')?.running, watch.find('e0')?.master], [true, 8]);
});

inNamespace(import.meta.url, () => {
  describe('the real one', () => {
    const open = (told: LinkChange[] = []): Promise<LinkWatch> =>
      openLinkWatch({ onChange: (change) => void told.push(change), onError: fails });

    test('the kernel answers a request at once: a link, and an error for none', async () => {
      await shell('ip link add d0 type veth peer name d0p');
      const watch = await open();
      const ifindex = watch.find('d0')!.ifindex;
      const socket = native().openNetlink(0);
      native().send(socket, requestLinks([ifindex, 9_999, 1], 77));
      const answers = Array.from({ length: 4 }, () => native().receive(socket)).flatMap((answer) =>
        answer === undefined ? [] : readNetlink(answer.bytes),
      );
      native().close(socket);
      watch.close();
      const [first, missing, last] = answers;
      deepEqual(
        answers.map(({ kind, sequence, dumped }) => [kind, sequence, dumped]),
        ['link', 'error', 'link'].map((kind) => [kind, 77, false]),
      );
      ok(first?.kind === 'link' && missing?.kind === 'error' && last?.kind === 'link');
      deepEqual([first.link.name, missing.error, last.link.name], ['d0', -19, 'lo']);
      await shell('ip link del d0');
    });

    test('asked, it soon knows what is, and passes over what is gone meanwhile', async () => {
      await shell('ip link add d0 type veth peer name d0p; ip link add b0 type bridge');
      const told: LinkChange[] = [];
      const watch = await open(told);
      const [d0, b0] = ['d0', 'b0'].map((name) => watch.find(name)!.ifindex);
      shellStandingStill('ip link set b0 address 02:00:00:00:00:09; ip link del d0');
      watch.ask([d0!, b0!]);
      await eventually(() => watch.find('d0') === undefined, {
        withinMs: WITHIN_MS,
        what: 'the end of d0 to be known',
      });
      equal(watch.find('b0')?.mac, '02:00:00:00:00:09');
      ok(told.some(({ name }) => name === 'd0'));
      watch.close();
      await shell('ip link del b0');
    });

    test('a request that could not be sent is told of, and the watch goes on', async () => {
      const errors: string[] = [];
      const watch = await openLinkWatch({
        onChange: () => undefined,
        onError: ({ message }) => void errors.push(message),
      });
      // More than the send buffer of the socket takes at once.
      watch.ask(new Array<number>(100_000).fill(1));
      await eventually(() => errors.length > 0, { withinMs: WITHIN_MS, what: 'the refusal' });
      equal(errors.length, 1);
      match(errors[0] ?? '', /ask for interfaces: the request could not be sent/);
      watch.ask([1]);
      await sleep(ANSWER_MS);
      watch.drain();
      equal(errors.length, 1);
      watch.close();
    });

    test('a kernel that is busy with interfaces holds up the answer and not the loop', async () => {
      const watch = await open();
      const rounds: { answeredMs: number; blockedMs: number }[] = [];
      // A busy machine may stop this process anywhere. A loop that waits does so in each round.
      const wasFree = (): boolean =>
        rounds.some(({ answeredMs, blockedMs }) => answeredMs > 20 && blockedMs < answeredMs / 2);
      while (!wasFree() && rounds.length < ROUNDS_MAX) rounds.push(await crowdRound(watch));
      watch.close();
      ok(wasFree(), JSON.stringify(rounds));
    });

    test('the timers that run in a bridge are no change', async () => {
      await shell(`
        ip link add b0 type bridge; ip link add d0 type veth peer name d0p
        ip link set d0 master b0; ip link set d0p up; ip link set d0 up; ip link set b0 up`);
      const told: LinkChange[] = [];
      const watch = await open(told);
      const asked = ['b0', 'd0', 'd0p'].map((name) => watch.find(name)!.ifindex);
      await eventually(() => watch.find('b0')?.operstate === 'up', {
        withinMs: WITHIN_MS,
        what: 'the bridge to forward',
      });
      const data = async (): Promise<string> =>
        /gc_timer +[0-9.]+/.exec(await shell('ip -d link show b0'))?.[0] ?? '';
      const before = await data();
      ok(before !== '');
      told.length = 0;
      await eventually(async () => (await data()) !== before, {
        withinMs: WITHIN_MS,
        what: 'a timer that runs',
      });
      watch.ask(asked);
      await sleep(ANSWER_MS);
      watch.drain();
      deepEqual(told, []);
      watch.close();
      await shell('ip link del b0; ip link del d0');
    });
  });
});
