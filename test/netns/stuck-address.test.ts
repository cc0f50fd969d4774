// An address that the kernel will not give up: a master that need not leave stays one, and who must
// leave does so late and loudly. Needs root and namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { askCarpd } from '../../lab/carpd-command.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { carpdConfigFile, startCarpdInstances } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIPS = ['10.77.0.101/24', '10.77.0.102/24'] as const;
const COUNTS = [1, 2] as const;
const ELECTION_MS = 30_000;
const LOG_MS = 30_000;
const ORDER_MS = 60_000;
const skip = await labSkipReason();

/** `ip` as it is, but for deletions while the file `busy` is there; alone and in batches. */
const FAKE_IP = `#!/bin/sh
here=$(dirname "$0")
real() { PATH=\${PATH#*:} exec ip "$@"; }
[ -e "$here/busy" ] || real "$@"
case " $* " in
  *' -batch '*) ;;
  *' del '*) echo 'RTNETLINK answers: Device or resource busy' >&2; exit 2 ;;
  *) real "$@" ;;
esac
lines=$(cat)
echo "$lines" | sed 's/^ *[a-z]* del .*$//' | (real -force -batch -) || failed=1
echo "$lines" | grep -n ' del ' | while IFS=: read -r line _; do
  echo 'RTNETLINK answers: Device or resource busy' >&2
  echo "Command failed -:$line" >&2
done
exit 1
`;

interface Stage {
  readonly lab: Lab;
  readonly a: Host;
  readonly b: Host;
  /** The instances of a, which is master of all, and those of b. */
  readonly masters: readonly Peer[];
  readonly backups: readonly Peer[];
  readonly setBusy: (busy: boolean) => void;
}

async function stage(t: TestContext, count: number): Promise<Stage> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/24');
  const b = await lab.host('b', '10.77.0.2/24');
  const folder = join(a.directory, 'bin');
  mkdirSync(folder);
  writeFileSync(join(folder, 'ip'), FAKE_IP);
  chmodSync(join(folder, 'ip'), 0o755);
  const busy = join(folder, 'busy');
  const instances = (advskew: number, peer: Host) =>
    Object.fromEntries(
      VIPS.slice(0, count).map((vip, index) => {
        const config = { address: vip, peers: [peer.address], hooks: {} };
        const vhid = index + 1;
        return [`vip${vhid}`, { vhid, vip, password: 'a secret', advskew, config }];
      }),
    );
  const wrapper = ['env', `PATH=${folder}:${process.env['PATH'] ?? ''}`];
  const masters = startCarpdInstances(a, instances(0, b), {}, { wrapper });
  for (const peer of masters) await peer.waitFor('MASTER', ELECTION_MS);
  const backups = startCarpdInstances(b, instances(100, a));
  for (const peer of backups) await peer.waitFor('BACKUP', ELECTION_MS);
  await eventually(async () => (await held(a, count)) === count, {
    withinMs: LOG_MS,
    what: 'the addresses on a',
  });
  return {
    lab,
    a,
    b,
    masters,
    backups,
    setBusy: (on) => (on ? writeFileSync(busy, '') : rmSync(busy)),
  };
}

/** How many of the virtual IPs are on the host. */
async function held(host: Host, count: number): Promise<number> {
  const each = VIPS.slice(0, count).map((vip) => holds(host, vip.split('/')[0] ?? vip));
  return (await Promise.all(each)).filter(Boolean).length;
}

for (const count of COUNTS) {
  describe(`${count} address(es) that can't be taken off`, { skip, concurrency: true }, () => {
    test('for a while: adverts go on, and the bow-out comes when it is off', async (t) => {
      const { lab, a, b, masters, backups, setBusy } = await stage(t, count);
      const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
      setBusy(true);
      const order = askCarpd(a, ['handover', '--all'], ORDER_MS);
      for (const peer of masters) await logEntry(peer, { event: 'vip-failed' }, LOG_MS);
      const before = seen.adverts().length;
      await seen.advert(before + 4 * count, { source: a.address }, LOG_MS);
      deepEqual(
        seen.adverts().filter(({ advert }) => advert.advbase === 255),
        [],
      );
      deepEqual([await held(a, count), await held(b, count)], [count, 0]);
      setBusy(false);
      const { code, stdout, stderr } = await order;
      equal(code, 0, stderr);
      match(stdout, /vip1: 10\.77\.0\.2 took over after/);
      for (const peer of backups) await peer.waitFor('MASTER', ELECTION_MS);
      deepEqual(
        backups.map((peer) => peer.transitions.at(-1)?.cause),
        backups.map(() => 'bow-out'),
      );
      equal(await held(a, count), 0);
    });

    test('for ever: it stays MASTER and says what the kernel said', async (t) => {
      const { lab, a, b, masters, backups, setBusy } = await stage(t, count);
      const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
      setBusy(true);
      for (const order of [
        ['handover', '--all', '--force'],
        ['maintenance', 'on', '--all'],
      ]) {
        const { code, stderr } = await askCarpd(a, order, ORDER_MS);
        equal(code, 1, stderr);
        match(stderr, /vip1: .*stays MASTER, .*Device or resource busy/);
      }
      equal((await askCarpd(a, ['maintenance', 'off', '--all'], ORDER_MS)).code, 0);
      const [first] = masters;
      ok(first !== undefined, 'an instance');
      const file = carpdConfigFile(a);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(passphrase: .*)/g, '$1x'));
      first.signal('SIGHUP');
      const reloaded = await logEntry(first, { event: 'configuration-reloaded' }, ORDER_MS);
      deepEqual([reloaded.fields['changed'], reloaded.fields['added']], ['', '']);
      const warned = logEntries(first, { event: 'configuration-warning' });
      ok(
        warned.some(({ message }) => /vip1 keeps its old configuration/.test(message)),
        first.child.tail(),
      );
      deepEqual(
        seen.adverts().filter(({ advert }) => advert.advbase === 255),
        [],
      );
      deepEqual(
        masters.map((peer) => peer.state()),
        masters.map(() => 'MASTER'),
      );
      deepEqual([await held(a, count), await held(b, count)], [count, 0]);
      // A stop insists: it bows out in the end, and what is left is said.
      first.signal('SIGTERM');
      const ended = await first.child.ended(ORDER_MS);
      equal(ended.code, 1, first.child.tail());
      const leftBehind = ['step-down-stuck', 'vip-left-behind'] as const;
      const said = logEntries(first, { event: leftBehind, level: 'error' });
      ok(
        said.some(({ message }) => /steps down \(stopped\) although .* is still on/.test(message)),
        first.child.tail(),
      );
      ok(
        said.some(({ message }) => /Do it now: ip addr del/.test(message)),
        first.child.tail(),
      );
      for (const peer of backups) await peer.waitFor('MASTER', ELECTION_MS);
    });
  });
}
