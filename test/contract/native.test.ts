// The native addon and the packet socket on it, in a network namespace (needs root).
import { deepEqual, equal, notEqual, ok, throws } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { native, type Datagram } from '../../src/linux/sockets/native.ts';
import { openPacketSocket } from '../../src/linux/sockets/packet-socket.ts';
import { SocketError } from '../../src/linux/sockets/socket-error.ts';
import { eventually } from '../../lab/wait.ts';
import { collectGarbage, inNamespace, runModule, shell } from './namespace.ts';
import { indexOf, withVeth } from './veth.ts';

const WITHIN_MS = 5_000;
const EXPERIMENTAL = 0x88b5;
const NATIVE = new URL('../../src/linux/sockets/native.ts', import.meta.url).href;
const ADDON = new URL('../../native/build/Release/carpd_sockets.node', import.meta.url).pathname;

/** Of LLDP. */
const GROUP = Uint8Array.of(0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e);

function fails(error: unknown): never {
  throw error;
}

function frame(number: number, etherType = EXPERIMENTAL): Uint8Array {
  const bytes = new Uint8Array(60).fill(number);
  bytes.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 1], 0);
  bytes.set([etherType >> 8, etherType & 0xff], 12);
  return bytes;
}

/** Classic BPF: accept if the byte at 14 is `number`. */
function onlyNumber(number: number): Uint8Array {
  const code = [
    [0x30, 0, 0, 14],
    [0x15, 0, 1, number],
    [0x06, 0, 0, 0xffff],
    [0x06, 0, 0, 0],
  ] as const;
  const bytes = new Uint8Array(code.length * 8);
  const view = new DataView(bytes.buffer);
  code.forEach(([op, whenTrue, whenFalse, operand], index) => {
    view.setUint16(index * 8, op, true);
    view.setUint8(index * 8 + 2, whenTrue);
    view.setUint8(index * 8 + 3, whenFalse);
    view.setUint32(index * 8 + 4, operand, true);
  });
  return bytes;
}

function code(name: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === name;
}

inNamespace(import.meta.url, () => {
  describe('packet sockets', () => {
    test('a frame arrives whole, in bytes of its own, with what is known about it', () =>
      withVeth(async (va, vb) => {
        const heard: Datagram[] = [];
        const receiver = openPacketSocket({
          ifindex: vb,
          protocol: EXPERIMENTAL,
          onFrame: (one) => void heard.push(one),
          onError: fails,
        });
        const sender = openPacketSocket({ ifindex: va });
        sender.send(frame(1));
        sender.send(frame(2));
        await eventually(() => heard.length === 2, { withinMs: WITHIN_MS, what: 'frames' });
        deepEqual([heard[0]?.bytes, heard[1]?.bytes], [frame(1), frame(2)]);
        const { packetType, ifindex, protocol, vlan, truncated } = heard[0]!;
        deepEqual(
          [packetType, ifindex, protocol, vlan, truncated],
          [1, vb, 0x88b5, undefined, false],
        );
        sender.close();
        receiver.close();
      }));

    test('drain reads at once; the filter lets in what it says from the first frame on', () =>
      withVeth((va, vb) => {
        const heard: number[] = [];
        const onFrame = ({ bytes }: Datagram): void => void heard.push(bytes[14] ?? -1);
        const options = { ifindex: vb, protocol: EXPERIMENTAL, filter: onlyNumber(2), onFrame };
        const receiver = openPacketSocket({ ...options, onError: fails });
        const sender = openPacketSocket({ ifindex: va });
        for (const number of [1, 2, 3, 2]) sender.send(frame(number));
        receiver.drain();
        deepEqual(heard, [2, 2]);
        sender.close();
        receiver.close();
        return Promise.resolve();
      }));

    test('a VLAN tag is told of beside the frame, from which the kernel takes it', () =>
      withVeth((va, vb) => {
        const heard: Datagram[] = [];
        const onFrame = (one: Datagram): void => void heard.push(one);
        const receiver = openPacketSocket({ ifindex: vb, protocol: 3, onFrame, onError: fails });
        const sender = openPacketSocket({ ifindex: va });
        const plain = frame(5);
        const tag = [0x81, 0x00, 0x60, 0x07];
        sender.send(Uint8Array.from([...plain.subarray(0, 12), ...tag, ...plain.subarray(12)]));
        receiver.drain();
        deepEqual([heard.length, heard[0]?.vlan, heard[0]?.bytes], [1, 0x6007, plain]);
        sender.close();
        receiver.close();
        return Promise.resolve();
      }));

    test('frames of this host are marked, or left out', () =>
      withVeth((va) => {
        const types = (ignoreOutgoing: boolean): (number | undefined)[] => {
          const heard: (number | undefined)[] = [];
          const onFrame = (one: Datagram): void => void heard.push(one.packetType);
          const listen = { ifindex: va, protocol: 3, ignoreOutgoing, filter: onlyNumber(7) };
          const receiver = openPacketSocket({ ...listen, onFrame, onError: fails });
          const sender = openPacketSocket({ ifindex: va });
          sender.send(frame(7));
          receiver.drain();
          sender.close();
          receiver.close();
          return heard;
        };
        deepEqual([types(false), types(true)], [[4], []]);
        return Promise.resolve();
      }));

    test('frames pass below the firewall, both ways', () =>
      withVeth(async (va, vb) => {
        await shell(`nft 'table inet t {
          chain o { type filter hook output priority 0; drop; }
          chain i { type filter hook input priority 0; drop; }
        }'`);
        let heard = 0;
        const onFrame = (): void => void (heard += 1);
        const receiver = openPacketSocket({ ifindex: vb, protocol: EXPERIMENTAL, onFrame });
        const sender = openPacketSocket({ ifindex: va });
        sender.send(frame(1));
        receiver.drain();
        equal(heard, 1);
        sender.close();
        receiver.close();
      }));

    test('a group of the link layer is taken in by who joined it, until the socket is closed', () =>
      withVeth(async (va) => {
        // A macvlan drops groups as a network card does; a veth takes in everything.
        await shell('ip link add mv link vb type macvlan mode bridge && ip link set mv up');
        const heard: number[] = [];
        const onFrame = ({ bytes }: Datagram): void => void heard.push(bytes[14] ?? -1);
        const listen = {
          ifindex: await indexOf('mv'),
          protocol: EXPERIMENTAL,
          onFrame,
          onError: fails,
        };
        const receiver = openPacketSocket(listen);
        const sender = openPacketSocket({ ifindex: va });
        const toGroup = (number: number): Uint8Array => {
          const bytes = frame(number);
          bytes.set(GROUP);
          return bytes;
        };
        const arrives = (number: number): Promise<boolean> =>
          eventually(() => heard.includes(number), { withinMs: WITHIN_MS, what: 'a frame' });
        sender.send(toGroup(1));
        sender.send(frame(2));
        await arrives(2);
        receiver.takeAddress(GROUP);
        sender.send(toGroup(3));
        await arrives(3);
        deepEqual(heard, [2, 3]);
        throws(() => receiver.takeAddress(GROUP.subarray(1)), /EINVAL/);
        receiver.close();
        throws(() => receiver.takeAddress(GROUP), /is closed/);
        equal(await shell('grep -c 0180c200000e /proc/net/dev_mcast || true'), '0\n');
        sender.close();
      }));

    test('a link that goes down or away is an error with its name, and closing works', () =>
      withVeth(async (va, vb) => {
        const errors: unknown[] = [];
        const onError = (error: unknown): void => void errors.push(error);
        const receiver = openPacketSocket({ ifindex: vb, protocol: 3, onError });
        const sender = openPacketSocket({ ifindex: va });
        await shell('ip link set vb down');
        await eventually(() => errors.length === 1, { withinMs: WITHIN_MS, what: 'ENETDOWN' });
        ok(errors[0] instanceof SocketError && errors[0].errno === 'ENETDOWN');
        await shell('ip link set va down');
        throws(() => sender.send(frame(1)), /ENETDOWN/);
        await shell('ip link del va');
        throws(() => sender.send(frame(1)), /ENODEV|ENXIO/);
        for (let turn = 0; turn < 10; turn += 1) await nextTurn();
        ok(errors.length <= 2, `${errors.length} errors: does it spin?`);
        sender.close();
        sender.close();
        receiver.close();
        throws(() => sender.send(frame(1)), SocketError);
        receiver.drain();
      }));

    test('refusals have names', async () => {
      throws(() => openPacketSocket({ ifindex: 0 }), /ENODEV/);
      throws(() => openPacketSocket({ ifindex: 99_999 }), /ENODEV/);
      throws(() => native().openPacket(1, 70_000, undefined, false), code('EINVAL'));
      throws(() => native().openPacket(1, 3, new Uint8Array(7), false), code('EINVAL'));
      throws(() => native().openPacket(NaN, 3, undefined, false), code('EINVAL'));
      await shell('true');
    });
  });

  describe('the watcher', () => {
    test('a descriptor that is not ours is EBADF everywhere, and nothing is done to it', () => {
      const addon = native();
      const bytes = new Uint8Array(1);
      const calls = [
        () => addon.send(1, bytes),
        () => addon.receive(1),
        () => addon.watch(1, () => undefined),
        () => addon.unwatch(1),
        () => addon.close(1),
        () => addon.attachFilter(1, bytes),
        () => addon.joinLinkGroup(1, GROUP),
        () => addon.setReceiveBuffer(1, 1),
      ];
      for (const call of calls) throws(call, code('EBADF'));
      const fd = addon.openNetlink(0);
      addon.close(fd);
      throws(() => addon.close(fd), code('EBADF'));
    });

    test('a socket that closes itself, or another one, in a callback is not called again', () =>
      withVeth(async (va, vb) => {
        const sender = openPacketSocket({ ifindex: va });
        const addon = native();
        const fds = [0, 1, 2].map(() => addon.openPacket(vb, EXPERIMENTAL, undefined, false));
        const open = new Set(fds);
        const calls: number[] = [];
        for (const fd of fds) {
          addon.watch(fd, () => {
            calls.push(fd);
            ok(open.has(fd), 'called after close');
            for (const other of open) addon.close(other);
            open.clear();
          });
        }
        sender.send(frame(1));
        await eventually(() => calls.length > 0, { withinMs: WITHIN_MS, what: 'a call' });
        await sleep(50);
        equal(calls.length, 1);
        sender.close();
      }));

    test('a number that is used again belongs to the new socket alone', () =>
      withVeth(async (va, vb) => {
        const sender = openPacketSocket({ ifindex: va });
        const addon = native();
        let [oldCalls, newCalls] = [0, 0];
        for (let round = 0; round < 50; round += 1) {
          const first = addon.openPacket(vb, EXPERIMENTAL, undefined, false);
          addon.watch(first, () => void (oldCalls += 1));
          sender.send(frame(1));
          // The wake-up may be under way by now; its socket is not.
          if (round % 2 === 0) for (const end = Date.now() + 2; Date.now() < end;);
          addon.close(first);
          const second = addon.openPacket(vb, EXPERIMENTAL, undefined, false);
          equal(second, first);
          addon.watch(second, () => void (newCalls += 1));
          await nextTurn();
          addon.close(second);
        }
        await sleep(20);
        deepEqual([oldCalls, newCalls], [0, 0]);
        sender.close();
      }));

    test('unwatch and watch again; what waits is told of', () =>
      withVeth(async (va, vb) => {
        const sender = openPacketSocket({ ifindex: va });
        const addon = native();
        const fd = addon.openPacket(vb, EXPERIMENTAL, undefined, false);
        let [first, second] = [0, 0];
        addon.watch(fd, () => void (first += 1));
        throws(() => addon.watch(fd, () => undefined), code('EEXIST'));
        addon.unwatch(fd);
        addon.unwatch(fd);
        sender.send(frame(1));
        await sleep(20);
        addon.watch(fd, () => {
          second += 1;
          while (addon.receive(fd) !== undefined);
        });
        await eventually(() => second === 1, { withinMs: WITHIN_MS, what: 'the call' });
        equal(first, 0);
        addon.close(fd);
        sender.close();
      }));

    test('callbacks survive garbage collection', () =>
      withVeth(async (va, vb) => {
        let heard = 0;
        const addon = native();
        const fd = addon.openPacket(vb, EXPERIMENTAL, undefined, false);
        addon.watch(fd, () => {
          heard += 1;
          addon.close(fd);
        });
        await collectGarbage();
        const sender = openPacketSocket({ ifindex: va });
        sender.send(frame(1));
        await eventually(() => heard === 1, { withinMs: WITHIN_MS, what: 'the frame' });
        sender.close();
      }));

    test('what a callback throws is an uncaught exception, and the watch goes on', async () => {
      const [exitCode, output] = await runModule(`
        const { native } = await import('${NATIVE}');
        const fd = native().openNetlink(0);
        const dump = Uint8Array.of(32,0,0,0, 18,0, 1,3, 1, ...new Array(23).fill(0));
        let calls = 0;
        native().watch(fd, () => {
          calls += 1;
          if (calls === 1) throw new Error('from the callback');
          while (native().receive(fd) !== undefined);
          native().close(fd);
        });
        process.on('uncaughtException', (error) => console.log('caught:', error.message));
        process.on('exit', () => console.log('calls:', calls));
        native().send(fd, dump);
      `);
      equal(exitCode, 0, output);
      ok(/caught: from the callback/.test(output) && /calls: 2/.test(output), output);
    });

    test('without a handler such an exception ends the process', async () => {
      const [exitCode, output] = await runModule(`
        const { native } = await import('${NATIVE}');
        const fd = native().openNetlink(0);
        native().watch(fd, () => { throw new Error('from the callback'); });
        native().send(fd, Uint8Array.of(32,0,0,0, 18,0, 1,3, 1, ...new Array(23).fill(0)));
        setTimeout(() => {}, 3000);
      `);
      notEqual(exitCode, 0, output);
      ok(/from the callback/.test(output), output);
    });

    test('a watched socket keeps the process running, another does not', async () => {
      const program = (end: string): string => `
        const { native } = await import('${NATIVE}');
        const fd = native().openNetlink(0);
        native().watch(fd, () => {});
        ${end}`;
      const [closed] = await runModule(program('native().close(fd);'), 30_000);
      const [unwatched] = await runModule(program('native().unwatch(fd);'), 30_000);
      const [exits] = await runModule(program('setTimeout(() => process.exit(7), 50);'), 30_000);
      const [watched] = await runModule(program(''), 1_500);
      deepEqual([closed, unwatched, exits, watched], [0, 0, 7, null]);
    });

    test('worker threads that end with sockets open and events coming leave nothing', async () => {
      const [exitCode, output] = await runModule(`
        import { Worker } from 'node:worker_threads';
        import { readdirSync } from 'node:fs';
        const addon = ${JSON.stringify(ADDON)};
        const text = \`
          const native = require(\${JSON.stringify(addon)});
          const { parentPort } = require('node:worker_threads');
          const dump = Uint8Array.of(32,0,0,0, 18,0, 1,3, 1, ...new Array(23).fill(0));
          for (let i = 0; i < 8; i += 1) {
            const fd = native.openNetlink(0);
            native.watch(fd, () => {
              while (native.receive(fd));
              try { native.send(fd, dump); } catch {}
            });
            native.send(fd, dump);
          }
          setTimeout(() => parentPort.postMessage('ready'), 20);\`;
        const entries = (name) => readdirSync('/proc/self/' + name).length;
        const count = () => entries('fd') + entries('task');
        const once = async () => {
          const worker = new Worker(text, { eval: true, execArgv: [] });
          await new Promise((resolve) => worker.once('message', resolve));
          await worker.terminate();
        };
        await once();
        const before = count();
        for (let round = 0; round < 10; round += 1) await once();
        console.log('more:', count() - before);
      `);
      equal(exitCode, 0, output);
      const more = Number(/more: (-?\d+)/.exec(output)?.[1] ?? 99);
      ok(more <= 1, output);
    });
  });
});
