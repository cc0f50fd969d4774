// The frame witness on real interfaces, in a network namespace (needs root): what the kernel hands
// it, what it keeps back, and what happens when the interface or the filter fails.
import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { CarpdError } from '../../src/base/errors.ts';
import {
  openFrameWitness,
  type FrameWitnessOptions,
} from '../../src/linux/sockets/frame-witness.ts';
import type {
  FrameWitness,
  WitnessMode,
  WitnessUplink,
} from '../../src/linux/sockets/frame-witness.ts';
import { openPacketSocket, type PacketSocket } from '../../src/linux/sockets/packet-socket.ts';
import { SocketError } from '../../src/linux/sockets/socket-error.ts';
import { WITNESSED_BYTES_MAX, witnessFilter } from '../../src/linux/sockets/frame-filter.ts';
import type { WitnessedFrame } from '../../src/carp/frame.ts';
import { runFilter } from '../support/bpf.ts';
import { EVIDENCE, NOISE, arpOf, asReceived, frameOf } from '../support/shaped-frames.ts';
import { padTagged, shapedFrames, type FrameParts } from '../support/shaped-frames.ts';
import { eventually } from '../../lab/wait.ts';
import { inNamespace, shell } from './namespace.ts';
import { indexOf, running, withVeth } from './veth.ts';

const WITHIN_MS = 5_000;
/** What a socket reads in a turn of the event loop. */
const BATCH_MAX = 256;

/** A witness and what it told. */
interface Heard {
  readonly witness: FrameWitness;
  /** The uplink's name and the errno. */
  readonly errors: readonly string[];
  /** Reads what waits and takes what was heard since the last time. */
  take(): WitnessedFrame[];
}

function listen(
  uplinks: readonly WitnessUplink[],
  mode: WitnessMode,
  handlers: Partial<FrameWitnessOptions> = {},
): Heard {
  const frames: WitnessedFrame[] = [];
  const errors: string[] = [];
  const witness = openFrameWitness({
    uplinks,
    mode,
    onFrame: (frame) => void frames.push(frame),
    onError: (error, { name }) => {
      const errno = error instanceof SocketError ? error.errno : error.message;
      errors.push(`${name} ${errno ?? ''}`);
    },
    ...handlers,
  });
  const take = (): WitnessedFrame[] => {
    witness.drain();
    return frames.splice(0);
  };
  return { witness, errors, take };
}

function uplink(ifindex: number, vlans: readonly number[] = [], name = 'vb'): WitnessUplink {
  return { ifindex, name, vlans };
}

/** An ARP reply that bears a number. */
function reply(number: number, parts: Partial<FrameParts> = {}): Uint8Array {
  const payload = arpOf({ operation: 2, senderIp: `10.9.${number >> 8}.${number & 0xff}` });
  return frameOf({ type: 0x0806, payload, ...parts });
}

const request = (): Uint8Array => frameOf(EVIDENCE['ARP request']);

async function withSender(
  body: (send: PacketSocket['send'], vb: number, va: number) => Promise<void> | void,
): Promise<void> {
  await withVeth(async (va, vb) => {
    const sender = openPacketSocket({ ifindex: va });
    try {
      await body((frame) => sender.send(frame), vb, va);
    } finally {
      sender.close();
    }
  });
}

inNamespace(import.meta.url, () => {
  describe('what a witness sees', () => {
    test('of each kind of frame, what its mode lets through, byte by byte', () =>
      withSender((send, vb) => {
        for (const mode of ['any-frame', 'adverts', 'arp-replies'] as const) {
          const heard = listen([uplink(vb)], mode);
          for (const parts of Object.values(NOISE)) send(frameOf(parts));
          deepEqual(heard.take(), [], `noise, ${mode}`);
          for (const [what, parts] of Object.entries(EVIDENCE)) {
            const bytes = frameOf(parts);
            send(bytes);
            const wanted =
              mode === 'any-frame' ||
              what === 'ARP reply' ||
              (what === 'advert' && mode === 'adverts');
            const frame = { bytes, vlan: undefined, outgoing: false };
            deepEqual(heard.take(), wanted ? [frame] : [], `${what}, ${mode}`);
          }
          heard.witness.close();
        }
      }));

    test('nothing that this host sends through the uplink', () =>
      withSender((send, vb) => {
        const heard = listen([uplink(vb)], 'any-frame');
        const own = openPacketSocket({ ifindex: vb });
        own.send(request());
        own.send(reply(1));
        deepEqual(heard.take(), []);
        send(reply(2));
        equal(heard.take().length, 1);
        heard.witness.close();
        // Older kernels can't leave them out; there the filter does.
        let count = 0;
        const filter = witnessFilter('any-frame', []);
        const onFrame = (): void => void (count += 1);
        const older = openPacketSocket({ ifindex: vb, protocol: 3, filter, onFrame });
        own.send(request());
        older.drain();
        equal(count, 0);
        send(request());
        older.drain();
        equal(count, 1);
        older.close();
        own.close();
      }));

    test('what the host drops in its firewall, as early as it may', () =>
      withSender(async (send, vb) => {
        await shell(`nft '
          table netdev t { chain c { type filter hook ingress device vb priority -500; drop; }; }
          table inet u { chain c { type filter hook input priority -500; drop; }; }'`);
        const heard = listen([uplink(vb)], 'any-frame');
        send(frameOf(EVIDENCE.advert));
        equal(heard.take().length, 1);
        heard.witness.close();
      }));

    test('the beginning of a long frame', () =>
      withSender(async (send, vb) => {
        await shell('ip link set va mtu 9000; ip link set vb mtu 9000');
        const heard = listen([uplink(vb)], 'any-frame');
        const bytes = new Uint8Array(8_000);
        bytes.set(frameOf(EVIDENCE.TCP));
        send(bytes);
        deepEqual(
          heard.take().map((frame) => frame.bytes),
          [bytes.subarray(0, WITNESSED_BYTES_MAX)],
        );
        heard.witness.close();
      }));

    test('exactly what an independent reading of its filter says, for frames at random', () =>
      withSender((send, vb) => {
        const frames = fc.sample(shapedFrames, 1_500).filter(({ length }) => length >= 14);
        for (const vlans of [[], [100], [7, 100]]) {
          const heard = listen([uplink(vb, vlans)], 'any-frame');
          const filter = witnessFilter('any-frame', vlans);
          for (const drawn of frames) {
            const sent = padTagged(drawn);
            const { bytes, vlanTag } = asReceived(sent);
            send(sent);
            const taken = runFilter(filter, { bytes, vlanTag, packetType: 1 });
            const vlan = vlanTag === undefined ? undefined : vlanTag & 0xfff;
            const expected = taken === 0 ? [] : [{ bytes, vlan, outgoing: false }];
            deepEqual(heard.take(), expected, Buffer.from(sent).toString('hex'));
          }
          heard.witness.close();
        }
      }));
  });

  describe('VLANs and bridges', () => {
    test('the tag that the kernel took out, the one in the bytes, and no other VLAN', () =>
      withSender((send, vb) => {
        const heard = listen([uplink(vb, [7, 100])], 'any-frame');
        const inner = reply(3, { tags: [[0x8100, 100]] });
        send(
          reply(3, {
            tags: [
              [0x88a8, 0xe007],
              [0x8100, 100],
            ],
          }),
        );
        deepEqual(heard.take(), [{ bytes: inner, vlan: 7, outgoing: false }]);
        send(reply(4));
        send(reply(5, { tags: [[0x8100, 7]] }));
        send(
          reply(6, {
            tags: [
              [0x88a8, 7],
              [0x8100, 101],
            ],
          }),
        );
        deepEqual(heard.take(), []);
        heard.witness.close();
      }));

    test('one interface may be the uplink of several VLANs', () =>
      withSender((send, vb) => {
        const seen: string[] = [];
        const onFrame = (frame: WitnessedFrame, { vlans }: WitnessUplink): void => {
          seen.push(`${vlans.join()} ${frame.vlan}`);
        };
        const heard = listen([uplink(vb, [7]), uplink(vb, [8])], 'any-frame', { onFrame });
        for (const id of [8, 7, 9]) send(reply(id, { tags: [[0x8100, id]] }));
        heard.witness.drain();
        deepEqual(seen.sort(), ['7 7', '8 8']);
        heard.witness.close();
      }));

    test('the uplink of a bridge does not see what local machines say, the bridge does', () =>
      withSender(async (send, vb) => {
        await shell(`
          ip link add name br0 type bridge forward_delay 0; ip link set br0 up
          ip link set vb master br0
          ip link add name vm type veth peer name tap; ip link set vm up; ip link set tap up
          ip link set tap master br0`);
        await running('br0', 'vm', 'tap');
        const atUplink = listen([uplink(vb)], 'any-frame');
        const onBridge = listen([uplink(await indexOf('br0'), [], 'br0')], 'any-frame');
        const machine = openPacketSocket({ ifindex: await indexOf('vm') });
        machine.send(request());
        deepEqual([atUplink.take().length, onBridge.take().length], [0, 1]);
        send(request());
        deepEqual([atUplink.take().length, onBridge.take().length], [1, 1]);
        for (const { witness } of [atUplink, onBridge]) witness.close();
        machine.close();
        await shell('ip link del br0; ip link del vm');
      }));
  });

  describe('a change of mode', () => {
    test('takes effect at once, in place; what was queued before still comes', () =>
      withSender((send, vb) => {
        const heard = listen([uplink(vb)], 'any-frame');
        send(request());
        heard.witness.setMode('arp-replies');
        send(request());
        send(frameOf(EVIDENCE.advert));
        send(reply(1));
        deepEqual(
          heard.take().map(({ bytes }) => bytes),
          [request(), reply(1)],
        );
        heard.witness.setMode('adverts');
        heard.witness.setMode('adverts');
        for (const bytes of [request(), frameOf(EVIDENCE.advert)]) send(bytes);
        equal(heard.take().length, 1);
        heard.witness.setMode('any-frame');
        send(request());
        equal(heard.take().length, 1);
        heard.witness.close();
      }));

    test('may come from within, as may the end', () =>
      withSender(async (send, vb, va) => {
        let count = 0;
        const onFrame = (): void => {
          count += 1;
          if (count === 1) heard.witness.setMode('arp-replies');
          else heard.witness.close();
        };
        const heard = listen([uplink(vb), uplink(va, [], 'va')], 'any-frame', { onFrame });
        send(request());
        await eventually(() => count === 1, { withinMs: WITHIN_MS, what: 'the request' });
        send(request());
        for (let number = 0; number < 5; number += 1) send(reply(number));
        heard.witness.drain();
        equal(count, 2);
        heard.witness.setMode('any-frame');
        heard.witness.drain();
        heard.witness.close();
      }));
  });

  describe('when something fails', () => {
    test('an uplink that goes down is told of once, and heard again when it is up', () =>
      withSender(async (send, vb) => {
        const heard = listen([uplink(vb)], 'arp-replies');
        await shell('ip link set vb down');
        await eventually(() => heard.errors.length > 0, { withinMs: WITHIN_MS, what: 'an error' });
        for (let turn = 0; turn < 10; turn += 1) await nextTurn();
        deepEqual(heard.errors, ['vb ENETDOWN']);
        await shell('ip link set vb up');
        await running('va', 'vb');
        send(reply(1));
        equal(heard.take().length, 1);
        heard.witness.close();
      }));

    test('one that vanishes is told of, and everything still may be called', () =>
      withSender(async (_send, vb) => {
        const heard = listen([uplink(vb)], 'any-frame');
        await shell('ip link del vb');
        await eventually(() => heard.errors.length > 0, { withinMs: WITHIN_MS, what: 'an error' });
        heard.witness.setMode('adverts');
        deepEqual(heard.take(), []);
        deepEqual(new Set(heard.errors), new Set(['vb ENETDOWN']));
        heard.witness.close();
        heard.witness.close();
        heard.witness.setMode('any-frame');
        heard.witness.drain();
      }));

    test('one that is missing is refused with its index, and the others are closed again', () =>
      withSender((_send, vb) => {
        const open = (): number => readdirSync('/proc/self/fd').length;
        listen([uplink(vb)], 'any-frame').witness.close();
        const before = open();
        const uplinks = [uplink(vb), uplink(9_999, [], 'gone')];
        throws(
          () => listen(uplinks, 'any-frame'),
          (error) =>
            error instanceof CarpdError &&
            error.code === 'CARPD_INTERFACE' &&
            /interface 9999: the interface is gone/.test(error.message),
        );
        equal(open(), before);
      }));

    test('a filter that the kernel refuses is told of with what to do', () =>
      withSender((_send, vb) => {
        const refused =
          (text: RegExp) =>
          (error: unknown): boolean =>
            error instanceof SocketError &&
            error.code === 'CARPD_SOCKET' &&
            error.message.startsWith(`attach a packet filter on interface ${vb}: `) &&
            text.test(error.message);
        const unknown = Uint8Array.from([0xff, 0xff, 0, 0, 0, 0, 0, 0]);
        throws(() => openPacketSocket({ ifindex: vb, filter: unknown }), refused(/EINVAL.*Linux/));
        const socket = openPacketSocket({ ifindex: vb });
        throws(() => socket.setFilter(unknown), refused(/EINVAL.*Linux/));
        socket.close();
        throws(() => socket.setFilter(unknown), refused(/the socket is closed/));
        const heard = listen([uplink(vb)], 'any-frame');
        if (!limitFilters(64)) return;
        throws(() => heard.witness.setMode('adverts'), refused(/ENOMEM.*optmem_max/));
        throws(() => listen([uplink(vb)], 'any-frame'), refused(/ENOMEM.*optmem_max/));
        limitFilters(131_072);
        heard.witness.setMode('adverts');
        heard.witness.close();
      }));
  });

  test('a flood without end is read in portions, between which others have their turn', () =>
    withSender(async (send, vb) => {
      let [count, inThisTurn, mostInATurn, ticks] = [0, 0, 0, 0];
      let flooding = true;
      const onFrame = (): void => {
        count += 1;
        inThisTurn += 1;
        mostInATurn = Math.max(mostInATurn, inThisTurn);
        // The queue never gets empty.
        if (flooding) for (let number = 0; number < 2; number += 1) send(reply(number));
      };
      const heard = listen([uplink(vb)], 'any-frame', { onFrame });
      const turn = (): void => {
        inThisTurn = 0;
        ticks += 1;
        if (flooding) setImmediate(turn);
      };
      setImmediate(turn);
      send(reply(1));
      const enough = (): boolean => count > 20_000;
      await eventually(enough, { withinMs: 60_000, what: 'a flood' });
      flooding = false;
      heard.witness.close();
      const seen = `${count} frames in ${ticks} turns, at most ${mostInATurn} in one`;
      ok(mostInATurn <= BATCH_MAX && ticks >= count / BATCH_MAX, seen);
    }));
});

/** Limits a socket's memory for options; false where the namespace has no limit of its own. */
function limitFilters(bytes: number): boolean {
  try {
    writeFileSync('/proc/sys/net/core/optmem_max', String(bytes));
    return true;
  } catch {
    return false;
  }
}
