// The witness of an interface on a real link in a network namespace (needs root): wanted for one
// frame, it narrows by itself, so that a busy link does not bring one after the other.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { Mac } from '../../src/base/addresses.ts';
import { WitnessController } from '../../src/traffic/witness-controller.ts';
import type { LinkStack } from '../../src/linux/links/link-facts.ts';
import { openFrameWitness } from '../../src/linux/sockets/frame-witness.ts';
import { openPacketSocket } from '../../src/linux/sockets/packet-socket.ts';
import { eventually } from '../../lab/wait.ts';
import { arpBody, frame, ipv4 } from '../support/frames.ts';
import { inNamespace } from './namespace.ts';
import { withVeth } from './veth.ts';

const WITHIN_MS = 5_000;
const FROM = '02:00:00:00:00:01';
const PADDING = Array<number>(40).fill(0);
const DATA = frame({ from: FROM, type: 0x0800 }, [...ipv4(17), ...PADDING]);

inNamespace(import.meta.url, () => {
  test('a witness that is wanted for one frame narrows at the first', () =>
    withVeth(async (va, vb) => {
      const seen: string[] = [];
      const watched: boolean[] = [];
      const witness = new WitnessController({
        openFrameWitness,
        // The loop that would ask for less gets no turn in this test.
        post: (run) => run(),
        onFrame: ({ kind }) => void seen.push(kind),
        onAdvert: () => undefined,
        onWatch: (watches) => void watched.push(watches),
        onError: (error) => {
          throw error;
        },
      });
      const sender = openPacketSocket({ ifindex: va });
      const receives = async (bytes: Uint8Array, count: number): Promise<void> => {
        sender.send(bytes);
        await eventually(() => seen.length >= count, { withinMs: WITHIN_MS, what: 'a frame' });
      };
      witness.want('any-frame', stackOf(vb), 1, { then: 'arp-replies' });
      await receives(DATA, 1);
      deepEqual([seen, watched], [['frame'], [true, false]]);
      for (let count = 0; count < 20; count += 1) sender.send(DATA);
      // What it is narrowed to still passes, and comes behind the others.
      await receives(frame({ from: FROM, type: 0x0806 }, [...arpBody(2, FROM), ...PADDING]), 2);
      equal(seen.length, 2);
      witness.want('any-frame', stackOf(vb), 1);
      await receives(DATA, 3);
      await receives(DATA, 4);
      sender.close();
      witness.close();
    }));
});

function stackOf(ifindex: number): LinkStack {
  return {
    ...{ facts: undefined, macs: new Set<Mac>(), ownMacs: new Set<Mac>() },
    uplinks: [{ ifindex, name: 'vb', vlans: [] }],
    ...{ polled: [], faults: [], filtersVlans: false, hasBridge: false, hasGuests: false },
    isWhole: true,
  };
}
