// The CARP socket: one suite for the fake and for the real one, which runs in a network namespace
// (needs root), and what only a kernel can do to a socket.
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Ipv4 } from '../../src/base/addresses.ts';
import { writeCarpPacket } from '../../src/carp/ipv4.ts';
import type { CarpSocket, CarpSocketOptions } from '../../src/linux/sockets/carp-socket.ts';
import { openCarpSocket } from '../../src/linux/sockets/carp-socket.ts';
import { openLinkWatch } from '../../src/linux/links/link-watch.ts';
import { openPacketSocket } from '../../src/linux/sockets/packet-socket.ts';
import { SocketError } from '../../src/linux/sockets/socket-error.ts';
import { FakeSegment, type FakeCarpSocket } from '../fakes/carp-socket.ts';
import { eventually } from '../../lab/wait.ts';
import { MemorySegment } from './host-in-memory.ts';
import { collectGarbage, inNamespace, runModule, shell } from './namespace.ts';

const GROUP = '224.0.0.18';
/** Of a host that is not there, or the kernel takes the packet for a forgery of its own address. */
const SOURCE = 0x0a630002 as Ipv4;
const WITHIN_MS = 5_000;

/** A segment with two ends, "va" and "vb". */
interface Segment {
  open(end: 'va' | 'vb', handlers?: Partial<CarpSocketOptions>): Promise<CarpSocket>;
  /** Sends from end va, at once, behind the back of its sockets. */
  inject(packet: Uint8Array): void;
  close(): Promise<void>;
}

function packet(identification: number, size = 36): Uint8Array {
  const destination = 0xe0000012 as Ipv4;
  const payload = new Uint8Array(size).fill(identification);
  return writeCarpPacket({ source: SOURCE, destination, identification }, payload);
}

function fails(error: unknown): never {
  throw error;
}

function contract(name: string, make: () => Promise<Segment>): void {
  describe(name, () => {
    const withPair = async (
      body: (a: CarpSocket, b: CarpSocket, heard: Uint8Array[], segment: Segment) => Promise<void>,
    ): Promise<void> => {
      const segment = await make();
      const heard: Uint8Array[] = [];
      const a = await segment.open('va', { onPacket: () => fails(new Error('heard itself')) });
      const b = await segment.open('vb', { onPacket: (bytes) => void heard.push(bytes) });
      try {
        a.join(GROUP);
        b.join(GROUP);
        await body(a, b, heard, segment);
      } finally {
        a.close();
        b.close();
        await segment.close();
      }
    };
    const arrived = (heard: readonly Uint8Array[], count: number): Promise<boolean> =>
      eventually(() => heard.length >= count, { withinMs: WITHIN_MS, what: `${count} packets` });

    test('a packet arrives once and byte by byte as it was given', () =>
      withPair(async (a, b, heard) => {
        await a.send(packet(0x1234), GROUP);
        await arrived(heard, 1);
        b.drain();
        deepEqual(heard, [packet(0x1234)]);
      }));

    test('every packet is in bytes of its own', () =>
      withPair(async (a, _b, heard) => {
        await a.send(packet(1), GROUP);
        await a.send(packet(2), GROUP);
        await arrived(heard, 2);
        deepEqual(heard, [packet(1), packet(2)]);
      }));

    test('what was given to send may be changed at once', () =>
      withPair(async (a, _b, heard) => {
        const bytes = packet(1);
        const sent = a.send(bytes, GROUP);
        bytes.fill(0xff);
        await sent;
        await arrived(heard, 1);
        deepEqual(heard, [packet(1)]);
      }));

    test('only joined groups are heard; joining twice and leaving twice is no fault', () =>
      withPair(async (a, b, heard) => {
        b.leave(GROUP);
        b.leave(GROUP);
        await a.send(packet(1), GROUP);
        b.drain();
        b.join(GROUP);
        b.join(GROUP);
        await a.send(packet(2), GROUP);
        await arrived(heard, 1);
        deepEqual(heard, [packet(2)]);
      }));

    test('drain hands out all that waits', () =>
      withPair(async (_a, b, heard, segment) => {
        for (let id = 1; id <= 20; id += 1) segment.inject(packet(id));
        await eventually(() => b.drain() && heard.length === 20, {
          withinMs: WITHIN_MS,
          what: '20 packets',
        });
        equal(b.drain(), true);
        equal(heard.length, 20);
        equal(b.lost ?? 0, 0);
      }));

    test('after close: no packet, no send, no join, not alive, and close again is no fault', () =>
      withPair(async (a, b, heard, segment) => {
        ok(b.alive);
        segment.inject(packet(1));
        b.close();
        b.close();
        equal(b.alive, false);
        await rejects(b.send(packet(1), GROUP), SocketError);
        await a.send(packet(1), GROUP);
        equal(b.drain(), true);
        equal(heard.length, 0);
      }));

    test('close rejects the sends under way', () =>
      withPair(async (a) => {
        const sends = [a.send(packet(1), GROUP), a.send(packet(2), GROUP)];
        a.close();
        for (const send of sends) await rejects(send, SocketError);
      }));
  });
}

contract('the fake', () => {
  const segment = new FakeSegment();
  const near: FakeCarpSocket[] = [];
  return Promise.resolve({
    open: async (end, handlers) => {
      const interfaceOf = { interfaceName: end, ifindex: 1, onPacket: fails, onError: fails };
      const socket = await segment.open({ ...interfaceOf, ...handlers });
      if (end === 'va') near.push(socket);
      return socket;
    },
    inject: (bytes) => segment.transmit(bytes, GROUP, near[0]),
    close: () => Promise.resolve(),
  } satisfies Segment);
});

contract('the one of a host in memory', () => Promise.resolve(new MemorySegment()));

const VETH = `
  echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
  echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter
  echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
  ip link add va type veth peer name vb
  ip addr add 10.99.0.1/24 dev va
  ip addr add 10.99.0.9/24 dev vb
  ip link set va up
  ip link set vb up`;

/** Until then the queues of a new interface drop everything, without a word. */
async function bothUp(): Promise<void> {
  const links = await openLinkWatch({ onChange: () => undefined, onError: fails });
  const up = (name: string): boolean => links.find(name)?.operstate === 'up';
  await eventually(() => up('va') && up('vb'), { withinMs: WITHIN_MS, what: 'links up' });
  links.close();
}

async function indexOf(name: string): Promise<number> {
  const links = await openLinkWatch({ onChange: () => undefined, onError: fails });
  const link = links.find(name);
  links.close();
  if (link === undefined) throw new Error(`no interface ${name}`);
  return link.ifindex;
}

async function makeVeth(): Promise<Segment> {
  await shell(VETH);
  await bothUp();
  const tap = openPacketSocket({ ifindex: await indexOf('va') });
  const head = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0x02, 0, 0, 0, 0, 0x99, 0x08, 0x00];
  return {
    open: async (end, handlers) =>
      openCarpSocket({
        interfaceName: end,
        ifindex: await indexOf(end),
        onPacket: () => undefined,
        onError: fails,
        ...handlers,
      }),
    inject: (bytes) => tap.send(Uint8Array.from([...head, ...bytes])),
    close: async () => {
      tap.close();
      await shell('ip link del va 2>/dev/null || true; nft flush ruleset');
    },
  };
}

function errno(name: string): (error: unknown) => boolean {
  return (error) => error instanceof SocketError && error.errno === name;
}

inNamespace(import.meta.url, () => {
  contract('the real one', makeVeth);

  describe('the real one, and what a kernel does', () => {
    const withSegment = async (body: (segment: Segment) => Promise<void>): Promise<void> => {
      const segment = await makeVeth();
      try {
        await body(segment);
      } finally {
        await segment.close();
      }
    };

    test('sockets that nobody refers to are not collected', () =>
      withSegment(async (segment) => {
        let heard = 0;
        const forgotten = await (async () => {
          const socket = await segment.open('vb', { onPacket: () => void (heard += 1) });
          socket.join(GROUP);
          return new WeakRef(socket);
        })();
        await collectGarbage();
        segment.inject(packet(1));
        await eventually(() => heard === 1, { withinMs: WITHIN_MS, what: 'the packet' });
        forgotten.deref()?.close();
      }));

    test('a flood does not keep a packet from going out', () =>
      withSegment(async (segment) => {
        let heard = 0;
        const socket = await segment.open('vb', { onPacket: () => void (heard += 1) });
        socket.join(GROUP);
        for (let count = 0; count < 3_000; count += 1) segment.inject(packet(count & 0xff));
        await socket.send(packet(1), GROUP);
        const heardBefore = heard;
        ok(socket.drain());
        // A batch is read in a turn of the event loop: with one socket, all of them come first.
        ok(heardBefore < 2_000, `${heardBefore} packets were read before the one was sent`);
        ok(heard >= 2_500, `the flood was but ${heard} packets`);
        socket.close();
      }));

    test('a flood is read many packets at a time', () =>
      withSegment(async (segment) => {
        let heard = 0;
        const socket = await segment.open('vb', { onPacket: () => void (heard += 1) });
        socket.join(GROUP);
        for (let count = 0; count < 2_000; count += 1) segment.inject(packet(count & 0xff));
        let turns = 0;
        for (; heard < 2_000 && turns < 100; turns += 1) await nextTurn();
        equal(heard, 2_000, `after ${turns} turns of the event loop`);
        socket.close();
      }));

    test('what the kernel dropped since the socket was full is counted', () =>
      withSegment(async (segment) => {
        const socket = await segment.open('vb');
        socket.join(GROUP);
        const before = socket.lost;
        // More than the receive buffer holds, while this process does not read.
        for (let count = 0; count < 60_000; count += 1) segment.inject(packet(count & 0xff));
        const after = socket.lost;
        ok(before === 0 && after !== undefined && after > 0, `${before}, then ${after}`);
        socket.close();
      }));

    test('packets longer than an Ethernet frame come whole', () =>
      withSegment(async (segment) => {
        await shell('ip link set va mtu 9000; ip link set vb mtu 9000');
        const heard: Uint8Array[] = [];
        const socket = await segment.open('vb', { onPacket: (bytes) => void heard.push(bytes) });
        socket.join(GROUP);
        segment.inject(packet(1, 8_000));
        socket.drain();
        deepEqual(heard, [packet(1, 8_000)]);
        socket.close();
      }));

    test('another interface is not heard, whatever the destination', () =>
      withSegment(async (segment) => {
        const [onA, onB]: [Uint8Array[], Uint8Array[]] = [[], []];
        const a = await segment.open('va', { onPacket: (bytes) => void onA.push(bytes) });
        const b = await segment.open('vb', { onPacket: (bytes) => void onB.push(bytes) });
        a.join(GROUP);
        b.join(GROUP);
        const unicast = packet(2);
        unicast.set([10, 99, 0, 9], 16);
        unicast.set([0, 0], 10);
        const sum = checksum(unicast.slice(0, 20));
        unicast.set([sum >> 8, sum & 0xff], 10);
        segment.inject(packet(1));
        segment.inject(unicast);
        b.drain();
        a.drain();
        deepEqual([onA, onB], [[], [packet(1), unicast]]);
        a.close();
        b.close();
      }));

    test('a firewall that refuses is told from a queue that is full and a link that is gone', () =>
      withSegment(async (segment) => {
        const socket = await segment.open('va');
        const send = (): Promise<void> => socket.send(packet(1), GROUP);
        const rule = 'type filter hook output priority 0; ip protocol 112 drop;';
        await shell(`nft 'table ip t { chain c { ${rule} }; }'`);
        await rejects(send(), errno('EPERM'));
        await shell('nft flush ruleset');
        await send();
        await shell('tc qdisc add dev va root pfifo limit 0');
        await rejects(send(), errno('ENOBUFS'));
        await shell('tc qdisc del dev va root; ip link set va down');
        await rejects(send(), errno('ENETUNREACH'));
        await shell('ip link set va up');
        await send();
        await shell('ip link del va');
        await rejects(send(), errno('ENODEV'));
        ok(socket.alive);
        socket.leave(GROUP);
        socket.close();
      }));

    test('an error in the queue of the sending socket does not silence it', () =>
      withSegment(async (segment) => {
        const heard: Uint8Array[] = [];
        const listener = await segment.open('vb', { onPacket: (bytes) => void heard.push(bytes) });
        listener.join(GROUP);
        const socket = await segment.open('va');
        for (const id of [1, 2]) {
          // The kernel queues an error of its own here, as it does for an ICMP error from outside.
          const tooLong = socket.send(packet(9, 8_000), GROUP);
          const next = socket.send(packet(id), GROUP);
          await rejects(tooLong, errno('EMSGSIZE'));
          await next;
        }
        listener.drain();
        deepEqual(heard, [packet(1), packet(2)]);
        socket.close();
        listener.close();
      }));

    test('an interface that is not there is refused, by name', async () => {
      const options = { interfaceName: 'no0', ifindex: 999, onPacket: fails, onError: fails };
      await rejects(openCarpSocket(options), /no0/);
    });

    test('what onPacket throws ends the process and is no error of the socket', async () => {
      const segment = await makeVeth();
      const [exitCode, output] = await runModule(`
        const { openCarpSocket } = await import('${moduleUrl('sockets/carp-socket')}');
        const socket = await openCarpSocket({ interfaceName: 'vb', ifindex: ${await indexOf('vb')},
          onPacket: () => { throw new Error('broken invariant'); },
          onError: () => console.log('came back as an error of the socket') });
        socket.join('${GROUP}');
        const other = await openCarpSocket({ interfaceName: 'va', ifindex: ${await indexOf('va')},
          onPacket: () => {}, onError: () => {} });
        await other.send(Uint8Array.from([${packet(1).join()}]), '${GROUP}');
        setTimeout(() => process.exit(0), 3000);
      `);
      await segment.close();
      equal(exitCode, 1, output);
      ok(/broken invariant/.test(output) && !/came back/.test(output), output);
    });
  });
});

function moduleUrl(name: string): string {
  return new URL(`../../src/linux/${name}.ts`, import.meta.url).href;
}

function checksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return ~sum & 0xffff;
}
