// The frame witness on real devices, in a network namespace (needs root).
import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readGateways } from '../../src/linux/gateways.ts';
import type { WitnessMode } from '../../src/linux/frame-filter.ts';
import { openFrameWitness, type FrameWitness } from '../../src/linux/frame-witness.ts';
import { openLinkWatch } from '../../src/linux/link-watch.ts';
import { openPacketSocket } from '../../src/linux/packet-socket.ts';
import { SocketError } from '../../src/linux/socket-error.ts';
import type { WitnessedFrame } from '../../src/readiness/frame.ts';
import { eventually } from '../lab/wait.ts';
import { arpBody, frame, ipv4 } from '../support/frames.ts';
import { OWN_MAC } from '../support/readiness-rig.ts';
import { inNamespace, shell } from './namespace.ts';

const WITHIN_MS = 5_000;

const REQUEST = frame({ type: 0x0806 }, arpBody(1));
const REPLY = frame({ type: 0x0806, to: OWN_MAC }, arpBody(2));
const ADVERT = frame({ type: 0x0800, to: '01:00:5e:00:00:12' }, [
  ...ipv4(112),
  ...Array<number>(60).fill(1),
]);
const TCP = frame({ type: 0x0800 }, [...ipv4(6), ...Array<number>(60).fill(2)]);
const LLDP = frame({ to: '01:80:c2:00:00:0e', type: 0x88cc }, Array<number>(50).fill(2));

interface Bench {
  /** Sends on the far end. */
  readonly send: (...frames: readonly Uint8Array[]) => void;
  /** Opens the witness on the near end. */
  readonly open: (mode: WitnessMode, on?: string) => FrameWitness;
  readonly seen: WitnessedFrame[];
  readonly errors: Error[];
  /** Types of the frames seen, after one that all modes let through has come behind them. */
  readonly settled: () => Promise<number[]>;
}

/** A veth pair, va and vb; the witness sits on va. */
async function withVeth(body: (bench: Bench) => Promise<void>): Promise<void> {
  await shell(`
    echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
    ip link add va type veth peer name vb; ip link set va up; ip link set vb up`);
  const errors: Error[] = [];
  const links = await openLinkWatch({ onChange: () => undefined, onError: (e) => errors.push(e) });
  const up = (name: string): boolean => links.find(name)?.operstate === 'up';
  await eventually(() => up('va') && up('vb'), { withinMs: WITHIN_MS, what: 'links up' });
  const sender = openPacketSocket({ ifindex: links.find('vb')!.ifindex });
  const seen: WitnessedFrame[] = [];
  const opened: FrameWitness[] = [];
  const open = (mode: WitnessMode, on = 'va'): FrameWitness => {
    const witness = openFrameWitness({
      uplinks: [{ name: on, ifindex: links.find(on)?.ifindex ?? 9_999 }],
      mode,
      onFrame: (one) => seen.push(one),
      onError: (error) => errors.push(error),
    });
    opened.push(witness);
    return witness;
  };
  const send = (...frames: readonly Uint8Array[]): void =>
    frames.forEach((one) => sender.send(one));
  const settled = async (): Promise<number[]> => {
    const marker = Uint8Array.from(REPLY);
    marker[marker.length - 1] = 0x77;
    send(marker);
    const at = (): number => seen.findIndex(({ bytes }) => bytes[REPLY.length - 1] === 0x77);
    await eventually(() => at() >= 0, { withinMs: WITHIN_MS, what: 'the marker' });
    return seen
      .splice(0, at() + 1)
      .slice(0, -1)
      .map(typeOf);
  };
  try {
    await body({ send, open, seen, errors, settled });
  } finally {
    for (const witness of opened) witness.close();
    sender.close();
    links.close();
    await shell('ip link del va 2>/dev/null || true');
  }
}

function typeOf({ bytes }: WitnessedFrame): number {
  return ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
}

inNamespace(import.meta.url, () => {
  describe('the frame witness', () => {
    test('sees what its mode lets through', async () => {
      await withVeth(async ({ send, open, settled }) => {
        const witness = open('any-frame');
        send(LLDP, REQUEST, TCP, ADVERT);
        deepEqual(await settled(), [0x0806, 0x0800, 0x0800]);
        witness.setMode('adverts');
        send(LLDP, REQUEST, TCP, ADVERT, REPLY);
        deepEqual(await settled(), [0x0800, 0x0806]);
        witness.setMode('arp-replies');
        send(LLDP, REQUEST, TCP, ADVERT, REPLY);
        deepEqual(await settled(), [0x0806]);
      });
    });

    test('hands out at once what waits, when it is drained', async () => {
      await withVeth(async ({ send, open, seen }) => {
        const witness = open('any-frame');
        send(REQUEST, TCP);
        await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
        witness.drain();
        equal(seen.length, 2);
      });
    });

    test('does not see what this host sends through the interface itself', async () => {
      await withVeth(async ({ open, settled }) => {
        open('any-frame');
        const links = await openLinkWatch({ onChange: () => undefined, onError: () => undefined });
        const own = openPacketSocket({ ifindex: links.find('va')!.ifindex });
        own.send(REQUEST);
        deepEqual(await settled(), []);
        own.close();
        links.close();
      });
    });

    test('tells the VLAN of a frame, and leaves the inner tag in it', async () => {
      await withVeth(async ({ send, open, seen, settled }) => {
        open('any-frame');
        send(frame({ type: 0x0806, tags: [0x8100, 0x2007] }, arpBody(1)));
        send(frame({ type: 0x0806, tags: [0x88a8, 5, 0x8100, 7] }, arpBody(1)));
        await eventually(() => seen.length === 2, { withinMs: WITHIN_MS, what: 'both frames' });
        deepEqual(
          seen.map(({ vlan }) => vlan),
          [7, 5],
        );
        deepEqual(await settled(), [0x0806, 0x8100]);
      });
    });

    test('cuts long frames behind their headers', async () => {
      await withVeth(async ({ send, open, seen }) => {
        open('any-frame');
        send(frame({ type: 0x0800 }, [...ipv4(6), ...Array<number>(1_000).fill(3)]));
        await eventually(() => seen.length === 1, { withinMs: WITHIN_MS, what: 'the frame' });
        equal(seen[0]?.bytes.length, 256);
      });
    });

    test('goes on after the interface went down and came back', async () => {
      await withVeth(async ({ send, open, errors, settled }) => {
        open('any-frame');
        await shell('ip link set va down');
        await eventually(() => errors.length > 0, { withinMs: WITHIN_MS, what: 'the error' });
        ok(errors[0] instanceof SocketError && errors[0].errno === 'ENETDOWN', String(errors[0]));
        await shell('ip link set va up');
        await eventually(
          async () => {
            send(REQUEST);
            return (await settled()).includes(0x0806);
          },
          { withinMs: WITHIN_MS, what: 'a frame' },
        );
      });
    });

    test('is silent once closed, also twice, and when its interface is gone', async () => {
      await withVeth(async ({ send, open, seen }) => {
        const witness = open('any-frame');
        witness.close();
        witness.close();
        witness.setMode('adverts');
        witness.drain();
        send(REQUEST);
        await shell('ip link del va');
        equal(seen.length, 0);
      });
    });

    test('an uplink that does not exist is an error that names it', async () => {
      await withVeth(async ({ open }) => {
        throws(() => open('any-frame', 'nowhere'), /packet socket on interface 9999/);
        await Promise.resolve();
      });
    });
  });

  test('gateways are read from the routing table of this namespace', async () => {
    await shell(`
      ip link add va type veth peer name vb; ip link set va up; ip link set vb up
      ip addr add 10.77.0.1/24 dev va; ip addr add 10.78.0.1/24 dev vb
      ip route add default via 10.77.0.254; ip route add 10.99.0.0/16 via 10.77.0.253
      ip route add 10.98.0.0/16 via 10.78.0.254`);
    deepEqual(await readGateways('va'), ['10.77.0.254', '10.77.0.253']);
    deepEqual(await readGateways('vb'), ['10.78.0.254']);
    deepEqual(await readGateways('nowhere'), []);
    await shell('ip link del va');
  });
});
