// `carpd sniff` on a real segment: a ucarp and a carpd heard on an interface and from a capture of
// tcpdump, with and without a configuration. Needs root, namespaces, tcpdump and the stock ucarp.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Child } from '../../lab/child.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';

const CARPD = [process.execPath, fileURLToPath(new URL('../../dist/main.js', import.meta.url))];
const GROUP = { vhid: 7, vip: '10.77.0.100', password: 'a secret' };
const WITHIN_MS = 30_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('carpd sniff', { skip, concurrency: true }, () => {
  test('tells the digests of ucarps that have the passphrase or not', async (t) => {
    const lab = await Lab.create(t);
    const right = startUcarp(await lab.host('a', '10.77.0.1/24'), GROUP);
    await right.waitFor('MASTER', WITHIN_MS);
    const forged = { ...GROUP, password: 'another' };
    await startUcarp(await lab.host('b', '10.77.0.2/24'), forged).waitFor('MASTER', WITHIN_MS);
    const host = await lab.host('c', '10.77.0.3/24');
    const listening = sniff(host, '-i', 'eth0', '--config', config(host), '--count', '6');
    equal((await listening.ended(WITHIN_MS)).code, 0, listening.tail());
    const text = listening.tail();
    match(text, /10\.77\.0\.1 +vhid 7 every 1\.000 s \(base 1, skew 0\); digest good \(db\)/);
    match(text, /10\.77\.0\.2 +vhid 7 .*digest BAD: passphrase or virtual IP differ/);
    match(text, /TWO MASTERS of vhid 7: 10\.77\.0\.1 and 10\.77\.0\.2/);
    ok(!text.includes('a secret'), 'the passphrase is not told');
  });

  test('hears its own host ahead of a firewall, and a bow-out, as JSON', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await lab.dropInFirewall(host, 'input', 'ip protocol 112');
    const listening = sniff(host, '-i', 'eth0', '--json');
    const peer = startCarpd(host, GROUP);
    await peer.waitFor('MASTER', WITHIN_MS);
    await listening.line(/"bowOut":false/, WITHIN_MS);
    await peer.stop();
    await listening.line(/"bowOut":true.*"digest":"not-checked"/, WITHIN_MS);
    equal((await listening.stop('SIGINT')).code, 0, listening.tail());
    const summary = JSON.parse(listening.lines.at(-1)?.text ?? '{}') as Record<string, unknown>;
    equal(summary['event'], 'summary');
    deepEqual(summary['conflicts'], []);
  });

  test('reads what tcpdump has saved, and says where it was cut', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const file = join(lab.directory, 'capture.pcap');
    const words = ['-i', 'eth0', '-c', '3', '-w', file, 'ip proto 112'];
    const tcpdump = host.spawn(['tcpdump', '-U', '-Z', 'root', ...words], { label: 'tcpdump' });
    await startUcarp(host, GROUP).waitFor('MASTER', WITHIN_MS);
    equal((await tcpdump.ended(WITHIN_MS)).code, 0, tcpdump.tail());
    const whole = sniff(host, '-r', file, '--config', config(host));
    equal((await whole.ended(WITHIN_MS)).code, 0, whole.tail());
    match(whole.tail(), /10\.77\.0\.1 +vhid 7: 3 adverts, every [01]\.\d{3} s of 1\.000 s/);
    truncateSync(file, 24 + 2 * (16 + 70) + 20);
    const cut = sniff(host, '-r', file);
    equal((await cut.ended(WITHIN_MS)).code, 1);
    match(cut.tail(), /vhid 7: 2 adverts/);
    match(cut.tail(), /capture\.pcap is cut short: it ends at byte 216/);
  });

  test('says what it can not do', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['-i', 'eth7'], 1, /there is no interface eth7; there are: .*eth0/],
      [['-r', '/nowhere.pcap'], 1, /\/nowhere\.pcap can't be read: there is no such file/],
      [['-r', '/proc/self/status'], 1, /is no capture file/],
      [['-i', 'eth0', '-r', 'x'], 2, /give -i INTERFACE or -r FILE/],
      [['-i', 'eth0', '--count', '0'], 2, /--count "0" is not a whole number/],
      [['-i', 'eth0', '--config', '/nowhere'], 2, /\/nowhere: can't be read/],
    ];
    for (const [words, code, says] of cases) {
      const child = sniff(host, ...words);
      equal((await child.ended(WITHIN_MS)).code, code, child.tail());
      match(child.tail(), says);
      // Nothing was seen, so there is no summary either.
      deepEqual(
        child.lines.filter(({ stream }) => stream === 'stdout'),
        [],
      );
    }
    const unprivileged = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const child = host.spawn([...unprivileged, ...CARPD, 'sniff', '-i', 'eth0'], {
      label: 'carpd sniff as nobody',
    });
    equal((await child.ended(WITHIN_MS)).code, 1);
    match(child.tail(), /needs root, or CAP_NET_RAW/);
  });
});

function sniff(host: Host, ...words: readonly string[]): Child {
  return host.spawn([...CARPD, 'sniff', ...words], { label: 'carpd sniff' });
}

/** A configuration of the group, for its digests. */
function config(host: Host): string {
  const file = join(host.directory, 'sniff.yaml');
  const { vhid, vip, password } = GROUP;
  const db = { interface: 'eth0', vhid, address: vip, passphrase: password };
  writeFileSync(file, stringify({ instances: { db } }), { mode: 0o600 });
  return file;
}
