// Asking for the tables of VLANs that bridges have: one suite for the fake and for the real watch,
// which runs in a network namespace (needs root).
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLinkWatch } from '../../src/linux/links/link-watch.ts';
import type { LinkChange, LinkWatch, LinkWatchOptions } from '../../src/linux/links/link-watch.ts';
import { dumpVlans } from '../../src/linux/links/netlink-requests.ts';
import { FakeLinks } from '../fakes/link-watch.ts';
import { eventually } from '../../lab/wait.ts';
import { inNamespace, shell } from './namespace.ts';

const WITHIN_MS = 5_000;
/** Long enough for an answer that nothing shows the arrival of. */
const ANSWER_MS = 300;
/** A type of message that no kernel has (RTM_MAX of linux/rtnetlink.h is far below). */
const NO_TYPE = 0xff;

/** Interfaces that a test can change. */
interface Links {
  open(options: LinkWatchOptions): Promise<LinkWatch>;
  /** A bridge b0 with the port p0; it filters VLANs if the kernel can. */
  addBridge(): Promise<void>;
  removeBridge(): Promise<void>;
}

function fails(error: unknown): never {
  throw error;
}

/** What asks for the tables, in a form that the kernel refuses; counts how often. */
function refused(): { ask: (sequence: number) => Uint8Array; count: () => number } {
  let count = 0;
  return {
    ask: (sequence) => {
      count += 1;
      const bytes = dumpVlans(sequence);
      bytes.fill(NO_TYPE, 4, 6);
      return bytes;
    },
    count: () => count,
  };
}

function contract(name: string, make: () => Links): void {
  describe(name, () => {
    const watched = async (
      body: (links: Links, watch: LinkWatch, told: LinkChange[]) => Promise<void>,
      options: Partial<LinkWatchOptions> = {},
    ): Promise<void> => {
      const links = make();
      const told: LinkChange[] = [];
      const onChange = (change: LinkChange): void => void told.push(change);
      const watch = await links.open({ onChange, onError: fails, ...options });
      try {
        await body(links, watch, told);
      } finally {
        watch.close();
        await links.removeBridge();
      }
    };
    const until = (what: string, probe: () => boolean): Promise<boolean> =>
      eventually(probe, { withinMs: WITHIN_MS, what });
    const tables = (watch: LinkWatch): unknown[] =>
      ['b0', 'p0'].map((each) => watch.find(each)?.bridgeVlans);

    test('asked, it soon knows the tables of a bridge, and then tells of nothing', () =>
      watched(async (links, watch, told) => {
        await links.addBridge();
        await until('a port of a bridge', () => watch.find('p0')?.master !== undefined);
        watch.askVlans();
        await until('the tables', () => tables(watch).every(Array.isArray));
        const bridge = watch.find('b0');
        // A table of a kernel that can filter is never empty at first: VLAN 1, untagged.
        const first = [{ first: 1, last: 1, pvid: true, untagged: true }];
        const expected = bridge?.tagProtocol === undefined ? [[], first] : [first];
        for (const table of tables(watch)) {
          ok(expected.some((one) => JSON.stringify(one) === JSON.stringify(table)));
        }
        ok(told.some(({ ifindex }) => ifindex === bridge?.ifindex));
        await sleep(ANSWER_MS);
        watch.drain();
        told.length = 0;
        for (let round = 0; round < 3; round += 1) watch.askVlans();
        await sleep(ANSWER_MS);
        watch.drain();
        deepEqual(told, []);
      }));

    test('a kernel that refuses leaves unread what was not known', async () => {
      const { ask, count } = refused();
      await watched(
        async (links, watch) => {
          await links.addBridge();
          await until('a port of a bridge', () => watch.find('p0')?.master !== undefined);
          const before = count();
          watch.askVlans();
          await sleep(ANSWER_MS);
          watch.drain();
          ok(name === 'the fake' || count() > before, 'it was asked again');
          const { tagProtocol, bridgeVlans } = watch.find('b0') ?? {};
          // What does not filter has no table that could be missed.
          if (tagProtocol === undefined) equal(bridgeVlans, undefined);
          else ok(bridgeVlans === 'unread' || Array.isArray(bridgeVlans));
        },
        { dumpVlans: ask },
      );
    });

    test('after close it asks for nothing', () =>
      watched(async (_links, watch, told) => {
        watch.close();
        watch.askVlans();
        await sleep(ANSWER_MS);
        deepEqual(told, []);
      }));
  });
}

class Fake implements Links {
  readonly #links = new FakeLinks();

  open(options: LinkWatchOptions): Promise<LinkWatch> {
    return this.#links.open(options);
  }

  addBridge(): Promise<void> {
    const bridge = this.#links.add('b0', { kind: 'bridge', tagProtocol: 0x8100 });
    this.#links.add('p0', { master: bridge, slaveKind: 'bridge', forwards: true });
    const table = [{ first: 1, last: 1, pvid: true, untagged: true }];
    for (const name of ['b0', 'p0']) this.#links.setVlans(name, table);
    return Promise.resolve();
  }

  removeBridge(): Promise<void> {
    return Promise.resolve();
  }
}

contract('the fake', () => new Fake());

const real: Links = {
  open: openLinkWatch,
  addBridge: async () => {
    await shell(`
      ip link add b0 type bridge vlan_filtering 1 2>/dev/null || ip link add b0 type bridge
      ip link add p0 type veth peer name p1; ip link set p0 master b0`);
  },
  removeBridge: async () => {
    await shell('ip link del b0 2>/dev/null || true; ip link del p0 2>/dev/null || true');
  },
};

inNamespace(import.meta.url, () => {
  contract('the real one', () => real);

  test('the real one opens where the kernel refuses, and knows all but the tables', async () => {
    const { ask, count } = refused();
    const options = { onChange: () => undefined, onError: fails, dumpVlans: ask };
    await real.addBridge();
    const watch = await openLinkWatch(options);
    equal(count(), 1);
    equal(watch.find('p0')?.slaveKind, 'bridge');
    await shell('ip addr add 10.1.0.1/24 dev b0');
    watch.drain();
    equal(watch.find('b0')?.addresses.length, 1);
    watch.close();
    await real.removeBridge();
  });
});
