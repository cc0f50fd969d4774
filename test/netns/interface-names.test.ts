// Interfaces that get a new name, go by an alternative one, or send with an address of another one.
// Needs root and namespaces.
import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntry } from '../../lab/carpd-log.ts';
import { runCarpd } from '../../lab/carpd-command.ts';
import { startCarpd, startCarpdInstances, startCarpdUcarp } from '../../lab/carpd-peer.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIPS = ['10.77.0.101', '10.77.0.102'] as const;
const ELECTION_MS = 30_000;
const WITHIN_MS = 30_000;
const skip = await labSkipReason();

describe('an interface that gets a new name', { skip, concurrency: true }, () => {
  for (const count of [1, 2] as const) {
    test(`keeps ${count} virtual IP(s), and nobody else takes over`, async (t) => {
      const lab = await Lab.create(t);
      const a = await lab.host('a', '10.77.0.1/24');
      const b = await lab.host('b', '10.77.0.2/24');
      const vips = VIPS.slice(0, count);
      const instances = (advskew: number) =>
        Object.fromEntries(
          vips.map((vip, index) => {
            const config = { address: `${vip}/24` };
            return [`vip${index}`, { vhid: index + 1, vip, password: 'a secret', advskew, config }];
          }),
        );
      const masters = startCarpdInstances(a, instances(0));
      for (const peer of masters) await peer.waitFor('MASTER', ELECTION_MS);
      for (const peer of masters) await logEntry(peer, { event: 'vip-added' }, WITHIN_MS);
      const backups = startCarpdInstances(b, instances(100));
      for (const peer of backups) await peer.waitFor('BACKUP', ELECTION_MS);
      const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
      const [first] = masters;
      ok(first !== undefined, 'an instance');
      await a.ip('link', 'set', 'dev', a.interface, 'name', 'wan0');
      const renamed = await logEntry(first, { event: 'interface-renamed' }, WITHIN_MS);
      match(renamed.message, new RegExp(`${a.interface} is called wan0 now`));
      await seen.advert(6 * count, { source: a.address }, WITHIN_MS);
      deepEqual(
        seen.adverts().filter(({ advert }) => advert.advbase === 255),
        [],
      );
      deepEqual(
        [...masters, ...backups].map((peer) => peer.state()),
        [...vips.map(() => 'MASTER'), ...vips.map(() => 'BACKUP')],
      );
      const lists = await Promise.all(vips.map((vip) => holds(a, vip)));
      ok(lists.every(Boolean), 'the addresses are still there');
      first.signal('SIGTERM');
      const ended = await first.child.ended(WITHIN_MS);
      equal(ended.code, 0, first.child.tail());
      for (const peer of backups) await peer.waitFor('MASTER', ELECTION_MS);
      for (const vip of vips) equal(await holds(a, vip), false, vip);
      for (const peer of masters) {
        deepEqual(
          peer.hookLog().map(({ hook, args }) => [hook, args[0]]),
          [
            ['down', a.interface],
            ['up', a.interface],
            ['down', 'wan0'],
          ],
        );
      }
    });
  }
});

describe('an interface that is replaced under a master', { skip, concurrency: true }, () => {
  test('took the virtual IP along; nobody is blamed, and the new one has it', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const [vip] = VIPS;
    const config = { address: `${vip}/24`, source: undefined, gate: { policy: 'off' } };
    const peer = startCarpd(a, { vhid: 1, vip, password: 'a secret', deadRatio: 1, config });
    await logEntry(peer, { event: 'vip-added' }, ELECTION_MS);
    // The news of all of it come at once, as to a process that was busy for a moment.
    peer.signal('SIGSTOP');
    await a.ip('link', 'del', a.interface);
    await a.ip('link', 'add', a.interface, 'type', 'veth', 'peer', 'name', 'far');
    await a.ip('addr', 'add', '10.77.0.1/24', 'dev', a.interface);
    for (const name of ['far', a.interface]) await a.ip('link', 'set', name, 'up');
    peer.signal('SIGCONT');
    await eventually(() => holds(a, vip), { withinMs: WITHIN_MS, what: 'the VIP on the new one' });
    await peer.waitFor('MASTER', ELECTION_MS);
    await logEntry(peer, { event: 'link-epoch' }, WITHIN_MS);
    const said = peer.child.tail(1_000);
    match(said, /the interface was replaced by another one with the same name/);
    doesNotMatch(said, /someone|somebody|socket-failed/);
    equal((await peer.stop()).code, 0, said);
    equal(await holds(a, vip), false);
  });
});

describe('an interface with an alternative name', { skip, concurrency: true }, () => {
  test('is found by it, and shared with who calls it by its name', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const long = 'enx02000000000a-the-second-port';
    await a.ip('link', 'property', 'add', 'dev', a.interface, 'altname', long);
    const [one, two] = VIPS;
    const common = { password: 'a secret', deadRatio: 1 };
    const peers = startCarpdInstances(a, {
      one: { ...common, vhid: 1, vip: one, config: { address: `${one}/24`, interface: long } },
      two: { ...common, vhid: 2, vip: two, config: { address: `${two}/24` } },
    });
    for (const peer of peers) await peer.waitFor('MASTER', ELECTION_MS);
    for (const vip of VIPS) {
      await eventually(() => holds(a, vip), { withinMs: WITHIN_MS, what: `${vip} on a` });
    }
    const sockets = await a.exec(['ss', '-H', '-w', '-a', '-n']);
    equal(sockets.split('\n').filter((line) => /:112\b|\bcarp\b/.test(line)).length, 1, sockets);
  });
});

describe('a command that is given an alternative name', { skip, concurrency: true }, () => {
  test('means the interface: doctor, sniff and init', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const b = await lab.host('b', '10.77.0.2/24');
    await a.ip('link', 'property', 'add', 'dev', a.interface, 'altname', 'enp6s18');
    const [vip] = VIPS;
    const peer = startCarpd(b, { vhid: 1, vip, password: 'a secret', deadRatio: 1 });
    await peer.waitFor('MASTER', ELECTION_MS);
    const heard = await runCarpd(a, ['sniff', '-i', 'enp6s18', '--count', '1']);
    match(heard.stdout, /10\.77\.0\.2/, heard.stderr);
    await lab.dropInFirewall(a, 'input', 'iifname "eth0" ip protocol 112');
    const file = join(a.directory, 'made.yaml');
    const answers = ['--interface', 'enp6s18', '--address', vip, '--peers', '10.77.0.2'];
    const made = await runCarpd(a, ['init', '--config', file, ...answers, '--no-doctor']);
    equal(made.code, 0, made.stderr);
    match(made.stdout, /--interface enp6s18 .* --peers 10\.77\.0\.1 --config \S+\/made\.yaml$/m);
    match((await runCarpd(a, ['check', '--config', file])).stdout, /address: 10\.77\.0\.101\/24/);
    const found = await runCarpd(a, ['doctor', '--config', file, '--seconds', '0', '--json']);
    match(found.stdout, /"firewall-drops"/);
    match(found.stdout, /iifname eth0 ip protocol 112 accept/);
  });
});

describe('an interface that appears later', { skip, concurrency: true }, () => {
  test('under two names is one for the instances that wait for either', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const vips = ['10.78.0.101', '10.78.0.102'] as const;
    const common = { password: 'a secret', deadRatio: 1, source: '10.78.0.1' };
    const instance = (vhid: number, vip: string, name: string) => {
      const config = { address: `${vip}/24`, interface: name, hooks: {} };
      return { ...common, vhid, vip, config };
    };
    const peers = startCarpdInstances(a, {
      one: instance(1, vips[0], 'wan0'),
      two: instance(2, vips[1], 'the-second-port'),
    });
    const [first] = peers;
    ok(first !== undefined);
    await logEntry(first, { event: 'daemon-started' }, WITHIN_MS);
    await a.ip('link', 'add', 'wan0', 'type', 'veth', 'peer', 'name', 'wan1');
    await a.ip('addr', 'add', '10.78.0.1/24', 'dev', 'wan0');
    await a.ip('link', 'set', 'wan1', 'up');
    await a.ip('link', 'set', 'wan0', 'up');
    await first.waitFor('MASTER', ELECTION_MS);
    await a.ip('link', 'property', 'add', 'dev', 'wan0', 'altname', 'the-second-port');
    for (const peer of peers) await peer.waitFor('MASTER', ELECTION_MS);
    for (const vip of vips) {
      await eventually(() => holds(a, vip), { withinMs: WITHIN_MS, what: `${vip} on a` });
    }
    const sockets = await a.exec(['ss', '-H', '-w', '-a', '-n']);
    equal(sockets.split('\n').filter((line) => /:112\b|\bcarp\b/.test(line)).length, 1, sockets);
    equal(first.transitions.filter(({ to }) => to === 'MASTER').length, 1, first.child.tail());
    equal((await first.stop()).code, 0, first.child.tail());
    for (const vip of vips) equal(await holds(a, vip), false, vip);
  });
});

describe('an interface of two names that is made anew', { skip, concurrency: true }, () => {
  test('as two interfaces serves each instance on the one that it names', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    await a.ip('link', 'property', 'add', 'dev', 'eth0', 'altname', 'enp6s18');
    const instance = (vhid: number, name: string) => {
      const vip = `10.77.0.10${vhid}`;
      const config = { address: `${vip}/24`, interface: name, source: undefined, hooks: {} };
      return { password: 'a secret', deadRatio: 1, vhid, vip, config };
    };
    const names = ['eth0', 'enp6s18'] as const;
    const instances = { one: instance(1, names[0]), two: instance(2, names[1]) };
    const [first, second] = startCarpdInstances(a, instances);
    ok(first !== undefined && second !== undefined);
    for (const peer of [first, second]) await peer.waitFor('MASTER', ELECTION_MS);
    await a.ip('link', 'del', 'eth0');
    for (const peer of [first, second]) await peer.waitFor('INIT', ELECTION_MS);
    // The second name comes first, and the first one as that of another interface.
    for (const [name, peer] of [
      [names[1], second],
      [names[0], first],
    ] as const) {
      await a.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
      await a.ip('addr', 'add', `10.77.0.${name.length}/24`, 'dev', name);
      await a.ip('link', 'set', `${name}p`, 'up');
      await a.ip('link', 'set', name, 'up');
      await peer.waitFor('MASTER', ELECTION_MS);
      const isThere = async (): Promise<boolean> =>
        (await a.ip('-o', 'addr', 'show', 'dev', name)).includes(` ${peer.vip}/`);
      await eventually(isThere, { withinMs: WITHIN_MS, what: `${peer.vip} on ${name}` });
    }
    equal((await first.stop()).code, 0, first.child.tail());
    for (const peer of [first, second]) equal(await holds(a, peer.vip), false);
  });
});

describe('a source address on another interface', { skip, concurrency: true }, () => {
  test('carries carpd and its ucarp, on an interface without any; it is waited for', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const b = await lab.host('b', '10.77.0.2/24');
    await a.ip('addr', 'del', '10.77.0.1/24', 'dev', a.interface);
    const [vip] = VIPS;
    const group = { vhid: 1, vip, password: 'a secret', deadRatio: 1, source: '10.66.0.1' };
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    const peer = startCarpd(a, group);
    await logEntry(peer, { event: 'interface-unusable' }, WITHIN_MS);
    match(peer.child.tail(), /No interface of this host has 10\.66\.0\.1/);
    await a.ip('addr', 'add', '10.66.0.1/32', 'dev', 'lo');
    await peer.waitFor('MASTER', ELECTION_MS);
    await seen.advert(1, { source: '10.66.0.1' }, WITHIN_MS);
    await b.ip('addr', 'add', '10.66.0.2/32', 'dev', 'lo');
    const stock = startCarpdUcarp(b, { ...group, advskew: 50, source: '10.66.0.2' });
    await stock.waitFor('BACKUP', ELECTION_MS);
    equal((await peer.stop()).code, 0, peer.child.tail());
    await stock.waitFor('MASTER', ELECTION_MS);
    await seen.advert(1, { source: '10.66.0.2' }, WITHIN_MS);
  });

  test('goes with broadcast frames (ucarp -M), of carpd and of its ucarp', async (t) => {
    const lab = await Lab.create(t);
    const a = await lab.host('a', '10.77.0.1/24');
    const b = await lab.host('b', '10.77.0.2/24');
    await a.ip('addr', 'del', '10.77.0.1/24', 'dev', a.interface);
    await a.ip('addr', 'add', '10.66.0.1/32', 'dev', 'lo');
    await b.ip('addr', 'add', '10.66.0.2/32', 'dev', 'lo');
    const [vip] = VIPS;
    const group = { vhid: 1, vip, password: 'a secret', deadRatio: 1, broadcast: true };
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    const front = startCarpdUcarp(a, { ...group, source: '10.66.0.1' });
    await front.waitFor('MASTER', ELECTION_MS);
    const other = startCarpd(b, { ...group, advskew: 50, source: '10.66.0.2' });
    await other.waitFor('BACKUP', ELECTION_MS);
    equal((await front.stop()).code, 0, front.child.tail());
    await other.waitFor('MASTER', ELECTION_MS);
    for (const source of ['10.66.0.1', '10.66.0.2']) {
      const { advert } = await seen.advert(1, { source }, WITHIN_MS);
      equal(advert.ethernetDestination, 'ff:ff:ff:ff:ff:ff', source);
    }
  });
});
