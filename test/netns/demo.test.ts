// The demo, run as a user runs it, in network namespaces (needs root): what it shows, how it ends,
// and that nothing of it is left.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, test, type TestContext } from 'node:test';
import { Child } from '../../lab/child.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
const START_MS = 60_000;
const RUN_MS = 120_000;
const COLUMNS_MAX = 100;

const skip = (await labSkipReason()) || ucarpSkipReason();

describe('the demo', { skip, concurrency: true }, () => {
  test('shows every change of the address and ends well', async (t) => {
    const demo = start(t);
    const { code } = await demo.ended(RUN_MS);
    equal(code, 0, demo.tail(200));
    const lines = demo.lines.map(({ text }) => text);
    const shown = lines.join('\n');
    for (const pattern of [
      /^ +\d+\.\d\d s +a carpd +BACKUP -> MASTER: no master was heard for the dead interval$/m,
      /a carpd +gratuitous ARP: 10\.77\.0\.100 is at 02:00:00:00:00:02$/m,
      /^ +\d+\.\d\d s +-- Power cut on the master, a carpd/m,
      /b carpd +takes the address 10\.77\.0\.100$/m,
      /client +answered again, by b carpd: \d+ ms without an answer, \d+ of \d+ pings lost$/m,
      /-- Planned stop of the master, b carpd: SIGTERM/,
      /b carpd +says in an advert that it is leaving \(bow-out\)$/m,
      /c ucarp +MASTER: the master said that it is leaving$/m,
      /-- Power cut on the master, c ucarp/,
      /^ +power cut +\| carpd to carpd( +\d+ ms){2} +\|( +\d+ ms){2}$/m,
      /^ +planned stop +\| carpd to ucarp( +\d+ ms){2} +\|( +\d+ ms){2}$/m,
      /^ +power cut +\| ucarp to carpd( +\d+ ms){2} +\|( +\d+ ms){2}$/m,
      /^ +planned stop +\| carpd to carpd( +\d+ ms){2} +\|( +\d+ ms){2}$/m,
    ]) {
      match(shown, pattern);
    }
    match(lines.at(-1) ?? '', /^PASSED: exactly one master after every fault/);
    deepEqual(
      lines.filter((line) => line.length > COLUMNS_MAX),
      [],
    );
    ok(!shown.includes('\u001b'), 'colours are for terminals');
    deepEqual(leftoversOf(demo), []);
  });

  test('leaves nothing when it is interrupted, also twice in a row', async (t) => {
    const demo = start(t);
    await demo.line(/-- Power cut on the master/, START_MS);
    ok(leftoversOf(demo).length > 0, 'the demo works in namespaces of its own');
    demo.signal('SIGINT');
    await demo.line(/^Interrupted: removing the namespaces\.$/, START_MS);
    demo.signal('SIGINT');
    const { code } = await demo.ended(START_MS);
    equal(code, 130);
    deepEqual(leftoversOf(demo), []);
  });

  test('refuses words that it does not know', async (t) => {
    for (const words of [['--frob'], ['--bond', '--frob'], ['--bond', '--svg']]) {
      const demo = start(t, words);
      const { code } = await demo.ended(START_MS);
      equal(code, 2);
      const said = demo.lines.map(({ text }) => text);
      deepEqual(said, [`demo: unknown option "${words.join(' ')}"; see --help`]);
    }
  });
});

function start(t: TestContext, words: readonly string[] = []): Child {
  const argv = [process.execPath, '--import', 'tsx', DEMO, ...words];
  const demo = new Child(argv, { label: 'the demo' });
  // SIGTERM, so that a demo that goes astray still removes its namespaces.
  t.after(() => demo.stop('SIGTERM'));
  return demo;
}

function leftoversOf(demo: Child): string[] {
  const isIts = (name: string): boolean => name.startsWith(`carpd-${demo.pid}-`);
  return [...readdirSync('/run/netns'), ...readdirSync(tmpdir())].filter(isIts);
}
