// The passphrase is in nothing that carpd says, whatever it is asked and however much it logs.
// Needs root and namespaces.
import { equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { logEntry } from '../../lab/carpd-log.ts';
import { carpdConfigFile, controlSocket, startCarpd } from '../../lab/carpd-peer.ts';
import type { Child } from '../../lab/child.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const WITHIN_MS = 20_000;
const PASSPHRASE = 'Xq7"not-for-you';
const skip = await labSkipReason();

/** As it is, and as it would look inside of something else. */
const FORMS: readonly string[] = [
  PASSPHRASE,
  JSON.stringify(PASSPHRASE).slice(1, -1),
  encodeURIComponent(PASSPHRASE),
  ...(['hex', 'base64'] as const).map((form) => Buffer.from(PASSPHRASE).toString(form)),
  // A part will do, too.
  'not-for-you',
];

function start(host: Host, ...words: readonly string[]): Child {
  return host.spawn([process.execPath, MAIN, ...words], { label: `carpd ${words[0] ?? ''}` });
}

async function ask(host: Host, ...words: readonly string[]): Promise<Child> {
  const child = start(host, ...words);
  await child.ended(WITHIN_MS);
  return child;
}

function textOf(child: Child): string {
  return child.lines.map(({ text }) => text).join('\n');
}

describe('the passphrase', { skip }, () => {
  test('is in no line of the log, no event, no report and no order', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const stranger = await lab.host('b', '10.77.0.2/24');
    const group = { vhid: 7, vip: '10.77.0.100' };
    const show = ['/bin/sh', '-c', 'env; cat /proc/$PPID/cmdline'];
    const hooks = { up: show, down: show };
    const peer = startCarpd(host, { ...group, password: PASSPHRASE, config: { hooks } });
    await peer.waitFor('MASTER', WITHIN_MS);
    const socket = ['--socket', controlSocket(host)];
    const watch = start(host, 'watch', '--verbose', ...socket);
    await watch.line(/"event":"state"/, WITHIN_MS);
    // Somebody with another passphrase, so that digests are spoken of.
    const other = startCarpd(stranger, { ...group, password: 'another' });
    await logEntry(peer, { event: 'advert-rejected' }, WITHIN_MS);
    await watch.line(/"event":"advert-rejected"/, WITHIN_MS);
    const answers: Child[] = [
      await ask(host, 'status', '--json', ...socket),
      await ask(host, 'explain', 'vip', '--json', ...socket),
      await ask(host, 'handover', 'vip', '--force', '--json', ...socket),
      await ask(host, 'check', '--config', carpdConfigFile(host)),
      await ask(host, 'check', '--json', '--config', carpdConfigFile(host)),
    ];
    peer.signal('SIGUSR1');
    await logEntry(peer, { event: 'state' }, WITHIN_MS);
    peer.signal('SIGHUP');
    await logEntry(peer, { event: 'configuration-reloaded' }, WITHIN_MS);
    equal((await peer.stop()).code, 0);
    await other.stop();
    await watch.ended(WITHIN_MS);
    const said = [peer.child, other.child, watch, ...answers];
    for (const child of said) {
      const text = textOf(child);
      ok(text.length > 200, `${child.label} has said something`);
      for (const form of FORMS) ok(!text.includes(form), `${child.label} says ${form}`);
    }
    ok(textOf(peer.child).includes('"level":20'), 'it was logged at its most detailed');
    ok(/hook-output.*PATH=/.test(textOf(peer.child)), 'the hooks printed their environment');
  });
});
