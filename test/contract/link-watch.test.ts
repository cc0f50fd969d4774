// The link watch: one suite for the fake and for the real one, which runs in a network namespace
// (needs root), and what can go wrong with the real one only.
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  Link,
  LinkChange,
  LinkWatch,
  LinkWatchOptions,
} from '../../src/linux/links/link-watch.ts';
import { openLinkWatch } from '../../src/linux/links/link-watch.ts';
import { FakeLinks } from '../fakes/link-watch.ts';
import { eventually } from '../../lab/wait.ts';
import { MemoryLinks } from './host-in-memory.ts';
import { inNamespace, shell, shellStandingStill } from './namespace.ts';

const WITHIN_MS = 5_000;
/** Long enough for an answer that nothing shows the arrival of. */
const ANSWER_MS = 300;

/** Interfaces that a test can change. */
interface Links {
  open(options: LinkWatchOptions): Promise<LinkWatch>;
  add(name: string): Promise<void>;
  setUp(name: string, up: boolean): Promise<void>;
  rename(name: string, newName: string): Promise<void>;
  addAddress(name: string, address: string, prefixLength: number): Promise<void>;
  removeAddress(name: string, address: string, prefixLength: number): Promise<void>;
  remove(name: string): Promise<void>;
}

function fails(error: unknown): never {
  throw error;
}

function contract(name: string, make: () => Links): void {
  describe(name, () => {
    const watched = async (
      body: (links: Links, watch: LinkWatch, told: LinkChange[]) => Promise<void>,
    ): Promise<void> => {
      const links = make();
      await links.add('e0');
      const told: LinkChange[] = [];
      const onChange = (change: LinkChange): void => void told.push(change);
      const watch = await links.open({ onChange, onError: fails });
      try {
        await body(links, watch, told);
      } finally {
        watch.close();
        for (const left of ['e0', 'e1']) {
          if (watch.find(left) !== undefined) await links.remove(left).catch(() => undefined);
        }
      }
    };
    const until = (what: string, probe: () => boolean): Promise<boolean> =>
      eventually(probe, { withinMs: WITHIN_MS, what });
    const addresses = (link: Link | undefined): string[] =>
      (link?.addresses ?? []).map((one) => `${one.address}/${one.prefixLength} ${one.secondary}`);

    test('knows what is there from the start, and tells of nothing', () =>
      watched((_links, watch, told) => {
        const link = watch.find('e0');
        ok(link !== undefined);
        equal(watch.byIndex(link.ifindex), link);
        equal(link.type, 1);
        ok(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(link.mac ?? ''));
        equal(link.administrativelyUp, false);
        equal(watch.find('nothere'), undefined);
        equal(watch.byIndex(9_999), undefined);
        deepEqual(told, []);
        return Promise.resolve();
      }));

    test('up and down', () =>
      watched(async (links, watch, told) => {
        await links.setUp('e0', true);
        await until('up', () => watch.find('e0')?.operstate === 'up');
        const { administrativelyUp, running, lowerUp } = watch.find('e0')!;
        deepEqual([administrativelyUp, running, lowerUp], [true, true, true]);
        await links.setUp('e0', false);
        await until('down', () => watch.find('e0')?.administrativelyUp === false);
        const { ifindex } = watch.find('e0')!;
        const ofE0 = told.filter((change) => change.name === 'e0');
        ok(ofE0.length >= 2 && ofE0.every((change) => change.ifindex === ifindex));
      }));

    test('addresses come and go in the order of the kernel', () =>
      watched(async (links, watch, told) => {
        await links.addAddress('e0', '10.1.0.2', 24);
        await links.addAddress('e0', '10.1.0.1', 24);
        await until('addresses', () => watch.find('e0')?.addresses.length === 2);
        deepEqual(addresses(watch.find('e0')), ['10.1.0.2/24 false', '10.1.0.1/24 true']);
        equal(watch.find('e0')?.addresses[0]?.label, 'e0');
        await links.removeAddress('e0', '10.1.0.1', 24);
        await until('one address', () => watch.find('e0')?.addresses.length === 1);
        deepEqual(addresses(watch.find('e0')), ['10.1.0.2/24 false']);
        ok(told.length >= 3);
      }));

    test('a rename is told of under both names', () =>
      watched(async (links, watch, told) => {
        const ifindex = watch.find('e0')!.ifindex;
        await links.rename('e0', 'e1');
        await until('the new name', () => watch.find('e1') !== undefined);
        equal(watch.find('e0'), undefined);
        equal(watch.byIndex(ifindex)?.name, 'e1');
        const names = told.filter((change) => change.ifindex === ifindex).map(({ name }) => name);
        deepEqual(new Set(names), new Set(['e0', 'e1']));
      }));

    test('deleted, and made anew under the same name with another index', () =>
      watched(async (links, watch, told) => {
        const { ifindex } = watch.find('e0')!;
        await links.remove('e0');
        await until('gone', () => watch.find('e0') === undefined);
        equal(watch.byIndex(ifindex), undefined);
        deepEqual(told.filter(({ name }) => name === 'e0').at(-1), { name: 'e0', ifindex });
        await links.add('e0');
        await until('back', () => watch.find('e0') !== undefined);
        notEqual(watch.find('e0')?.ifindex, ifindex);
        deepEqual(watch.find('e0')?.addresses, []);
      }));

    test('lists what is there', () =>
      watched(async (links, watch) => {
        ok([...watch.all()].includes(watch.find('e0')!), 'e0 is listed');
        await links.remove('e0');
        await until('gone', () => watch.find('e0') === undefined);
        deepEqual(
          [...watch.all()].filter(({ name }) => name === 'e0'),
          [],
        );
      }));

    test('asked, it tells of nothing that it has told before, and of nothing that is not', () =>
      watched(async (_links, watch, told) => {
        watch.ask([watch.find('e0')!.ifindex, 9_999, 0, -1]);
        watch.ask([]);
        await sleep(ANSWER_MS);
        watch.drain();
        deepEqual(told, []);
        watch.close();
        watch.ask([1]);
      }));

    test('after close nothing is told of', () =>
      watched(async (links, watch, told) => {
        watch.close();
        watch.close();
        const before = told.length;
        await links.setUp('e0', true);
        equal(told.length, before);
        await links.remove('e0');
      }));
  });
}

contract('the fake', () => {
  const fake = new FakeLinks();
  const done = (change: () => void): Promise<void> => {
    change();
    return Promise.resolve();
  };
  return {
    open: (options) => fake.open(options),
    add: (name) => done(() => void fake.add(name)),
    setUp: (name, up) => done(() => fake.setUp(name, up)),
    rename: (name, newName) => done(() => fake.set(name, { name: newName })),
    addAddress: (name, address, length) => done(() => fake.addAddress(name, address, length)),
    removeAddress: (name, address) => done(() => fake.removeAddress(name, address)),
    remove: (name) => done(() => fake.remove(name)),
  };
});

contract('those of a host in memory', () => new MemoryLinks());

async function ip(words: string): Promise<void> {
  await shell(`ip ${words}`);
}

const realLinks: Links = {
  open: openLinkWatch,
  add: (name) => ip(`link add ${name} type veth peer name ${name}p; ip link set ${name}p up`),
  setUp: (name, up) => ip(`link set ${name} ${up ? 'up' : 'down'}`),
  rename: (name, newName) => ip(`link set ${name} name ${newName}`),
  addAddress: (name, address, length) => ip(`addr add ${address}/${length} dev ${name}`),
  removeAddress: (name, address, length) => ip(`addr del ${address}/${length} dev ${name}`),
  remove: (name) => ip(`link del ${name}`),
};

/** Names, states and addresses as `ip` knows them, for comparison with the watch. */
async function fromIp(): Promise<unknown> {
  interface Row {
    ifindex: number;
    ifname: string;
    flags: string[];
    master?: string;
    addr_info: { local: string; prefixlen: number; family: string }[];
  }
  const rows = JSON.parse(await shell('ip -4 -j addr show; true')) as Row[];
  const all = JSON.parse(await shell('ip -j link show')) as Row[];
  return all.map((row) => {
    const infos = rows.find(({ ifindex }) => ifindex === row.ifindex)?.addr_info ?? [];
    const texts = infos.map((info) => `${info.local}/${info.prefixlen}`);
    return [row.ifindex, row.ifname, row.flags.includes('UP'), row.master !== undefined, texts];
  });
}

function fromWatch(watch: LinkWatch, indexes: readonly number[]): unknown {
  return indexes.map((ifindex) => {
    const link = watch.byIndex(ifindex);
    const texts = (link?.addresses ?? []).map((one) => `${one.address}/${one.prefixLength}`);
    const hasMaster = link?.master !== undefined;
    return [ifindex, link?.name, link?.administrativelyUp, hasMaster, texts];
  });
}

async function agrees(watch: LinkWatch): Promise<boolean> {
  const expected = (await fromIp()) as [number][];
  const seen = fromWatch(
    watch,
    expected.map(([ifindex]) => ifindex),
  );
  return JSON.stringify(seen) === JSON.stringify(expected);
}

inNamespace(import.meta.url, () => {
  contract('the real one', () => realLinks);

  describe('the real one, and what a kernel does', () => {
    const open = (
      told: LinkChange[] = [],
      options: Partial<LinkWatchOptions> = {},
    ): Promise<LinkWatch> =>
      openLinkWatch({ onChange: (change) => void told.push(change), onError: fails, ...options });

    test('drain takes in, at once, what happened while the process stood still', async () => {
      const watch = await open();
      shellStandingStill('ip link add d0 type veth peer name d0p; ip link set d0 up');
      equal(watch.find('d0'), undefined);
      watch.drain();
      equal(watch.find('d0')?.administrativelyUp, true);
      watch.close();
      await shell('ip link del d0');
    });

    test('a dump that is read while it is asked for is no fault', async () => {
      let gaps = 0;
      const onAddress = ({ kind }: { kind: string }): void => void (kind === 'gap' && gaps++);
      const watch = await open([], { onAddress });
      for (let round = 0; round < 300; round += 1) {
        watch.askVlans();
        const untilMs = performance.now() + 1;
        while (performance.now() < untilMs) watch.drain();
        await sleep(0);
      }
      equal(gaps, 0);
      watch.close();
    });

    test('a carrier that was lost and back before anybody looked leaves a trace', async () => {
      await shell('ip link add d0 type veth peer name d0p; ip link set d0 up; ip link set d0p up');
      const watch = await open();
      await eventually(() => watch.find('d0')?.operstate === 'up', {
        withinMs: WITHIN_MS,
        what: 'carrier',
      });
      const before = watch.find('d0')?.carrierDownCount ?? 0;
      const flap = 'ip link set d0p down; sleep 0.3; ip link set d0p up; sleep 0.3';
      shellStandingStill(flap);
      watch.drain();
      equal(watch.find('d0')?.operstate, 'up');
      equal(watch.find('d0')?.carrierDownCount, before + 1);
      watch.close();
      await shell('ip link del d0');
    });

    test('a port that joins and leaves a bridge has a master, and then none', async () => {
      await shell('ip link add d0 type veth peer name d0p; ip link add b0 type bridge');
      const watch = await open();
      const bridge = watch.find('b0');
      ok(bridge?.kind === 'bridge');
      await shell('ip link set d0 master b0');
      watch.drain();
      equal(watch.find('d0')?.master, bridge.ifindex);
      equal(watch.find('d0')?.slaveKind, 'bridge');
      await shell('ip link set d0 nomaster');
      watch.drain();
      ok(watch.find('d0') !== undefined, 'the bridge said goodbye to its port');
      equal(watch.find('d0')?.master, undefined);
      watch.close();
      await shell('ip link del d0; ip link del b0');
    });

    test('addresses of every scope stand in the order of the kernel', async () => {
      await shell('ip link add d0 type veth peer name d0p; ip link set d0 up');
      const watch = await open();
      await shell(`
        ip addr add 10.1.0.1/24 dev d0; ip addr add 169.254.0.1/16 scope link dev d0
        ip addr add 10.2.0.1/24 dev d0; ip addr add 10.1.0.2/24 dev d0
        ip addr add 10.3.0.1/32 scope host dev d0; ip addr add 10.1.0.3/24 dev d0
        ip addr add 10.4.0.1 peer 10.4.0.2 dev d0; ip addr add 10.4.0.1 peer 10.4.0.3 dev d0
        ip addr add 10.4.0.1 peer 10.4.0.4 dev d0; ip addr del 10.4.0.1 peer 10.4.0.3 dev d0
        ip addr add 169.254.1.1/24 scope link dev d0
        sysctl -qw net.ipv4.conf.d0.promote_secondaries=1; ip addr del 10.1.0.1/24 dev d0`);
      watch.drain();
      const index = watch.find('d0')?.ifindex ?? 0;
      const expected = ((await fromIp()) as [number][]).find(([ifindex]) => ifindex === index);
      deepEqual(fromWatch(watch, [index]), [expected]);
      watch.close();
      await shell('ip link del d0');
    });

    test('events that were lost for want of buffer are made good by asking again', async () => {
      await shell('ip link add b0 type bridge; ip link add gone type veth peer name gonep');
      const told: LinkChange[] = [];
      const watch = await open(told, { receiveBufferBytes: 4_096 });
      shellStandingStill(`
        ip link del gone
        for i in $(seq 1 40); do
          echo "link add v$i type veth peer name w$i"; echo "link set v$i master b0 up"
          echo "addr add 10.7.$i.1/24 dev v$i"
        done | ip -batch -`);
      // Requests of which some fail, beside the dumps that put the picture right.
      const everyone = Array.from({ length: 100 }, (_, index) => index + 1);
      for (let round = 0; round < 5; round += 1) {
        watch.ask(everyone);
        watch.drain();
      }
      await eventually(() => agrees(watch), { withinMs: WITHIN_MS, what: 'the same picture' });
      equal(watch.find('gone'), undefined);
      ok(told.some(({ name }) => name === 'gone'));
      ok(told.some(({ name }) => name === 'v40'));
      watch.close();
      await shell('for i in $(seq 1 40); do echo "link del v$i"; done | ip -batch -');
      await shell('ip link del b0');
    });

    test('a watch that is opened while everything changes sees everything in the end', async () => {
      const churn = shell(`
        for i in $(seq 1 60); do
          echo "link add v$i type veth peer name w$i"; echo "addr add 10.7.$i.1/24 dev v$i"
          [ $((i % 3)) = 0 ] || echo "link del v$i"
        done | ip -batch -`);
      const watch = await open();
      await churn;
      await eventually(() => agrees(watch), { withinMs: WITHIN_MS, what: 'the same picture' });
      watch.close();
    });
  });
});
