// The demo as a user runs it: it ends well, says what it should, and leaves nothing behind.
import { doesNotMatch, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Child } from '../lab/child.ts';
import { run } from '../lab/command.ts';
import { labSkipReason } from '../lab/namespaces.ts';
import { ucarpSkipReason } from '../lab/ucarp-peer.ts';

const RUN_MS_MAX = 120_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('the demo', { skip }, () => {
  test('shows an election, a loss and a planned stop, and removes its namespaces', async () => {
    const demo = startDemo();
    const { code } = await demo.ended(RUN_MS_MAX);
    const output = demo.lines.map(({ text }) => text).join('\n');
    equal(code, 0, output);
    match(output, /a: BACKUP -> MASTER \(master-down\)/);
    match(output, /a: POWER CUT/);
    match(output, /b: BACKUP -> MASTER \(bow-out\)/);
    match(output, /power cut: last advert to next master\s+\d+ ms\s+\d+ ms/);
    match(output, /exactly one living host had the address/);
    doesNotMatch(output, /\u001b/, 'no colours in a pipe');
    equal(await namespacesOf(demo), '');
  });

  test('leaves nothing when it is interrupted', async () => {
    const demo = startDemo();
    await demo.line(/a: carpd starts/, RUN_MS_MAX);
    demo.signal('SIGINT');
    const { code } = await demo.ended(10_000);
    equal(code, 130);
    equal(await namespacesOf(demo), '');
  });

  test('refuses what it does not know', async () => {
    const demo = startDemo('--bnod');
    const { code } = await demo.ended(RUN_MS_MAX);
    equal(code, 2);
    match(demo.tail(), /unknown option "--bnod"/);
  });
});

function startDemo(...options: readonly string[]): Child {
  const argv = [process.execPath, '--import', 'tsx', 'demo/main.ts', ...options];
  return new Child(argv, { label: 'the demo' });
}

/** Namespaces bear the number of the process that made them. */
async function namespacesOf({ pid }: Child): Promise<string> {
  const all = await run(['ip', 'netns', 'list']);
  return all
    .split('\n')
    .filter((name) => name.startsWith(`carpd-${String(pid)}-`))
    .join('\n');
}
