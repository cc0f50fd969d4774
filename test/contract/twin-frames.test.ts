// The frame witness where the tags at an uplink are not known: what it catches there and once more
// on the bridge above (needs root).
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { openFrameWitness } from '../../src/linux/sockets/frame-witness.ts';
import type { FrameWitness, WitnessMode } from '../../src/linux/sockets/frame-witness.ts';
import { openPacketSocket, type PacketSocket } from '../../src/linux/sockets/packet-socket.ts';
import { EVIDENCE, arpOf, frameOf, type FrameParts } from '../support/shaped-frames.ts';
import { inNamespace, shell } from './namespace.ts';
import { indexOf, running, withVeth } from './veth.ts';

/** An ARP reply that bears a number. */
function reply(number: number, parts: Partial<FrameParts> = {}): Uint8Array {
  const payload = arpOf({ operation: 2, senderIp: `10.9.0.${number}` });
  return frameOf({ type: 0x0806, payload, ...parts });
}

const request = (): Uint8Array => frameOf(EVIDENCE['ARP request']);

function withSender(body: (send: PacketSocket['send']) => Promise<void>): Promise<void> {
  return withVeth(async (va) => {
    const sender = openPacketSocket({ ifindex: va });
    try {
      await body((frame) => sender.send(frame));
    } finally {
      sender.close();
    }
  });
}

/** With vb and a guest's end as ports of a bridge; the guest has the other end. */
async function overBridge(
  body: (way: { port: number; above: number; guest: PacketSocket['send'] }) => Promise<void> | void,
): Promise<void> {
  await shell(`
    ip link add over type bridge mcast_snooping 0; ip link add vg type veth peer name guest
    for port in vb vg; do ip link set $port master over; done
    for name in over vg guest; do ip link set $name up; done`);
  try {
    await running('over', 'vb', 'guest');
    const guest = openPacketSocket({ ifindex: await indexOf('guest') });
    const [port, above] = [await indexOf('vb'), await indexOf('over')];
    await body({ port, above, guest: (frame) => guest.send(frame) });
    guest.close();
  } finally {
    await shell('ip link del over; ip link del vg');
  }
}

inNamespace(import.meta.url, () => {
  test('on a bridge: what came in by its uplink, whatever tags that bore there', () =>
    withSender((send) =>
      overBridge(({ port, above, guest }) => {
        const heard: unknown[] = [];
        const way = { name: 'vb', ifindex: port, above: { name: 'over', ifindex: above } };
        const open = (vlans: readonly number[], mode: WitnessMode = 'any-frame'): FrameWitness =>
          openFrameWitness({
            uplinks: [{ ...way, vlans }],
            mode,
            onFrame: ({ bytes }, { vlans: told }, cameBy) => {
              heard.push([bytes.join(), told, cameBy]);
            },
            onError: (error) => {
              throw error;
            },
          });
        const witness = open([]);
        guest(reply(1));
        witness.drain();
        deepEqual(heard, [], 'of a guest');
        send(reply(2, { tags: [[0x8100, 100]] }));
        witness.drain();
        deepEqual(heard, [], 'of a VLAN that the bridge does not give the host without its tag');
        send(reply(3));
        guest(reply(4));
        send(reply(5));
        witness.drain();
        deepEqual(
          heard.splice(0),
          [3, 5].map((n) => [reply(n).join(), [], port]),
        );
        witness.setMode('arp-replies');
        send(request());
        send(reply(6));
        witness.drain();
        equal(heard.splice(0).length, 1, 'in the narrower mode as well');
        witness.close();
        const tagged = open([100]);
        send(reply(7));
        send(reply(8, { tags: [[0x8100, 100]] }));
        tagged.drain();
        equal(heard.length, 1, 'on the interface for a VLAN of the bridge');
        tagged.close();
      }),
    ));
});
