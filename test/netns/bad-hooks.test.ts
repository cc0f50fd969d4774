// carpd with hooks that are missing, broken, endless or too talkative: each is told of in one line,
// and the adverts go on. Needs root and namespaces.
import { equal, match, ok } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry, type LogEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 2 };
const MASTER_MS = 15_000;
/** Below the dead interval of two seconds, so that no backup would have taken over. */
const GAP_MS = 1_900;
/** The time limit of the hooks; longer than the gap that must not be. */
const HOOK_LIMIT_MS = 3_000;
const skip = await labSkipReason();

describe('adverts go on beside an up hook', { skip, concurrency: true }, () => {
  test('that does not exist', async (t) => {
    const { told, ends } = await withUpHook(t, () => '/nowhere/hook');
    equal(told.fields['result'], 'missing');
    match(told.message, /\/nowhere\/hook does not exist; correct the path/);
    await ends();
  });

  test('that is not executable', async (t) => {
    const { told, ends } = await withUpHook(t, (host) => script(host, '#!/bin/sh\n', 0o644));
    equal(told.fields['result'], 'missing');
    match(told.message, /is not executable; run chmod \+x/);
    await ends();
  });

  test('that lacks its first line', async (t) => {
    const { told, ends } = await withUpHook(t, (host) => script(host, 'echo hello\n', 0o755));
    equal(told.fields['result'], 'missing');
    match(told.message, /#!/);
    await ends();
  });

  test('that fails', async (t) => {
    const text = '#!/bin/sh\necho "to stdout"\necho "to stderr" >&2\nexit 3\n';
    const { told, peer, ends } = await withUpHook(t, (host) => script(host, text, 0o755));
    equal(told.fields['result'], 'failed');
    match(told.message, /exit code 3/);
    for (const stream of ['stdout', 'stderr']) {
      const said = logEntries(peer, { event: 'hook-output', fields: { hook: 'up' } });
      ok(said.some(({ message }) => message === `up hook: to ${stream}`));
    }
    await ends();
  });

  test('that hangs: it is killed at its limit, with what it has started', async (t) => {
    const text = '#!/bin/sh\nsleep 3601 &\nsleep 3602\n';
    const { told, host, ends } = await withUpHook(t, (on) => script(on, text, 0o755));
    equal(told.fields['result'], 'timeout');
    const took = Number(told.fields['durationMs']);
    ok(took >= HOOK_LIMIT_MS && took < HOOK_LIMIT_MS + 10_000, `killed after ${took} ms`);
    const sleepers = async (): Promise<string> => {
      const pids = `$(ip netns pids ${host.netns})`;
      return host.exec(['sh', '-c', `for pid in ${pids}; do cat /proc/$pid/comm; done; true`]);
    };
    const none = async (): Promise<boolean> => !(await sleepers()).includes('sleep');
    await eventually(none, { withinMs: 15_000, what: 'the end of the whole group' });
    await ends();
  });

  test('that ignores signals and closes nothing', async (t) => {
    const text = `#!/bin/sh\ntrap '' TERM INT HUP QUIT\nwhile :; do sleep 1; done\n`;
    const { told, ends } = await withUpHook(t, (host) => script(host, text, 0o755));
    equal(told.fields['result'], 'timeout');
    await ends();
  });

  test('that prints ten megabytes', async (t) => {
    const text = '#!/bin/sh\nyes "a line of a hook that has a lot to say" | head -c 10485760\n';
    const { told, peer, ends } = await withUpHook(t, (host) => script(host, text, 0o755));
    equal(told.fields['result'], 'ok');
    const said = logEntries(peer, { event: 'hook-output' });
    ok(said.length <= 201, `${said.length} lines`);
    match(said.at(-1)?.message ?? '', /output cut/);
    await ends();
  });

  test('that prints ten megabytes without an end of line', async (t) => {
    const text = '#!/bin/sh\nhead -c 10485760 /dev/zero | tr "\\0" x\n';
    const { told, peer, ends } = await withUpHook(t, (host) => script(host, text, 0o755));
    equal(told.fields['result'], 'ok');
    const bytes = peer.log().length;
    ok(bytes < 100_000, `${bytes} characters were logged`);
    await ends();
  });
});

/** Runs a carpd with such an up hook until it was told how the hook ended. */
async function withUpHook(
  t: TestContext,
  hook: (host: Host) => string,
): Promise<{
  readonly host: Host;
  readonly peer: Peer;
  readonly told: LogEntry;
  /** Checks what must be so whatever the hook was like, and ends carpd. */
  readonly ends: () => Promise<void>;
}> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const seen = await Capture.start(lab.switch);
  const hooks = { up: [hook(host)], timeout: `${HOOK_LIMIT_MS}ms` };
  const peer = startCarpd(host, { ...GROUP, neutral: true, config: { hooks } });
  await peer.waitFor('MASTER', MASTER_MS);
  const match_ = { event: 'hook-finished', fields: { hook: 'up' } } as const;
  const told = await logEntry(peer, match_, HOOK_LIMIT_MS + 10_000);
  const ends = async (): Promise<void> => {
    await seen.advert(6, { source: host.address }, 10_000);
    equal(peer.state(), 'MASTER');
    equal(await holds(host, VIP), true);
    equal(logEntries(peer, match_).length, 1);
    const times = seen.adverts({ source: host.address }).map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
    const longest = Math.max(...gaps);
    t.diagnostic(`longest time between two adverts: ${longest.toFixed(0)} ms`);
    ok(longest < GAP_MS, `${longest} ms between two adverts\n${peer.child.tail()}`);
    equal((await peer.stop()).code, 0, peer.child.tail());
    equal(await holds(host, VIP), false);
  };
  return { host, peer, told, ends };
}

function script(host: Host, text: string, mode: number): string {
  const path = join(host.directory, 'hook');
  writeFileSync(path, text, { mode });
  return path;
}
