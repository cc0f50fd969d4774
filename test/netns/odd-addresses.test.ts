// A virtual IP among addresses that are not the plain ones: it is served, goes when carpd does, and
// everything else stays. Needs root and namespaces.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const WITHIN_MS = 20_000;
const skip = await labSkipReason();

describe('a virtual IP', { skip, concurrency: true }, () => {
  for (const [what, prefixLength, addresses] of [
    ['beside labels and a point-to-point address', 24, ['10.77.0.1/24 label eth0:own', 'ppp']],
    ['of 32 bits beside an own address of 32 bits', 32, ['10.77.0.1/32']],
    ['in the second of two prefixes', 24, ['10.66.0.1/16', '10.77.0.1/24']],
    ['with another prefix length than its neighbours', 16, ['10.77.0.1/24', '10.77.0.2/24']],
    ['beside IPv6 addresses', 24, ['10.77.0.1/24', 'fd00:77::1/64', 'fd00:77::100/64']],
  ] as const) {
    test(`${what} comes and goes alone`, async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('a', '10.77.0.1/24', { ipv6: true });
      await host.ip('addr', 'flush', 'dev', 'eth0');
      for (const each of addresses) {
        const words = each === 'ppp' ? '10.78.0.1 peer 10.78.0.2/32' : each;
        const nodad = words.includes('::') ? ['nodad'] : [];
        await host.ip('addr', 'add', ...words.split(' '), 'dev', 'eth0', ...nodad);
      }
      const before = await everything(host);
      const peer = await master(host, prefixLength);
      deepEqual(without(await everything(host)), before);
      equal((await peer.stop()).code, 0, peer.child.tail());
      deepEqual(await everything(host), before);
    });
  }

  test('that somebody sets again with `ip addr replace` is no loss to anybody', async (t) => {
    const { host, peer } = await plain(t);
    for (let times = 0; times < 6; times += 1) {
      await host.ip(
        'addr',
        'replace',
        `${VIP}/24`,
        'valid_lft',
        '900',
        'preferred_lft',
        '900',
        'dev',
        'eth0',
      );
    }
    equal(await holds(host, VIP), true);
    deepEqual(logEntries(peer, { event: ['vip-failed', 'step-down-stuck'] }), []);
    equal((await peer.stop()).code, 0, peer.child.tail());
    equal(await holds(host, VIP), false);
  });

  test('that is there twice, with two prefix lengths, goes wholly', async (t) => {
    const { host, peer } = await plain(t);
    await host.ip('addr', 'add', `${VIP}/32`, 'dev', 'eth0');
    equal((await peer.stop()).code, 0, peer.child.tail());
    equal(await holds(host, VIP), false);
    equal(await holds(host, '10.77.0.1'), true);
  });

  test('that somebody puts there with a far end, twice, goes at once and at the end', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const before = await everything(host);
    const peer = await master(host, 24);
    const add = async (farEnd: string): Promise<void> => {
      await host.ip('addr', 'add', VIP, 'peer', `${farEnd}/32`, 'dev', 'eth0');
    };
    await add('10.66.0.1');
    await add('10.66.0.2');
    equal((await peer.stop()).code, 0, peer.child.tail());
    deepEqual(await everything(host), before);
    await add('10.66.0.3');
    const next = await master(host, 24);
    deepEqual(without(await everything(host)), before);
    equal((await next.stop()).code, 0, next.child.tail());
    deepEqual(await everything(host), before);
  });

  test('comes back on an interface that is replaced in one go under a MASTER', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const make = ['link add late0 link eth0 type macvlan mode bridge'];
    make.push('addr add 10.77.0.3/24 dev late0', 'link set late0 up');
    const batch = async (lines: readonly string[]): Promise<void> => {
      await host.exec(['sh', '-ec', `printf '${lines.join('\\n')}\\n' | ip -batch -`]);
    };
    await batch(make);
    const peer = await master(host, 24, { interface: 'late0', source: '10.77.0.3' });
    await batch(['link del late0', ...make]);
    const isThere = async (): Promise<boolean> =>
      (await host.ip('-o', 'addr', 'show', 'dev', 'late0')).includes(` ${VIP}/`);
    await eventually(isThere, {
      withinMs: WITHIN_MS,
      what: 'the virtual IP on the new interface',
      detail: () => peer.child.tail(),
    });
    await peer.waitFor('MASTER', WITHIN_MS);
    deepEqual(logEntries(peer, { event: ['vip-failed', 'step-down-stuck'] }), []);
    equal((await peer.stop()).code, 0, peer.child.tail());
    equal(await holds(host, VIP), false);
  });
});

async function plain(t: TestContext): Promise<{ readonly host: Host; readonly peer: Peer }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  return { host, peer: await master(host, 24) };
}

async function master(
  host: Host,
  prefixLength: number,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Peer> {
  const config = { address: `${VIP}/${prefixLength}`, source: undefined, ...more };
  const peer = startCarpd(host, { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 2, config });
  await peer.waitFor('MASTER', WITHIN_MS);
  await eventually(() => holds(host, VIP), { withinMs: WITHIN_MS, what: 'the virtual IP' });
  return peer;
}

/** The addresses of eth0, in their order. */
async function everything(host: Host): Promise<readonly string[]> {
  const addresses = await host.ip('-o', 'addr', 'show', 'dev', 'eth0');
  return addresses.split('\n').map((line) => line.trim());
}

function without(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !line.includes(` ${VIP}/`));
}
