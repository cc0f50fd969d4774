// By which interface a frame reached the host, where the socket listens on one on top of it (needs
// root).
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import type { Datagram } from '../../src/linux/sockets/native.ts';
import { openPacketSocket } from '../../src/linux/sockets/packet-socket.ts';
import { eventually } from '../../lab/wait.ts';
import { inNamespace, shell } from './namespace.ts';
import { indexOf, running, withVeth } from './veth.ts';

const WITHIN_MS = 5_000;
/** IEEE 802 local experimental EtherType 1. */
const EXPERIMENTAL = 0x88b5;
const UPPER_MAC = [0x02, 0, 0, 0, 0, 0x77];
const OTHER_MAC = [0x02, 0, 0, 0, 0, 0x01];

inNamespace(import.meta.url, () => {
  test('a frame for a bridge names the bridge, not its port', () =>
    withVeth(async (va) => {
      await shell('ip link add over type bridge; ip link set vb master over; ip link set over up');
      try {
        await running('over');
        const over = await indexOf('over');
        const heard: (number | undefined)[] = [];
        const receiver = openPacketSocket({
          ifindex: over,
          protocol: EXPERIMENTAL,
          onFrame: ({ ifindex }: Datagram): void => void heard.push(ifindex),
        });
        const sender = openPacketSocket({ ifindex: va });
        const bytes = new Uint8Array(60).fill(0xff, 0, 6);
        bytes.set([...OTHER_MAC, EXPERIMENTAL >> 8, EXPERIMENTAL & 0xff], 6);
        sender.send(bytes);
        await eventually(() => heard.length > 0, { withinMs: WITHIN_MS, what: 'a frame' });
        deepEqual(heard, [over]);
        sender.close();
        receiver.close();
      } finally {
        await shell('ip link del over');
      }
    }));

  test('a frame for a macvlan names the interface below it', () =>
    withVeth(async (va, vb) => {
      await shell(`
        ip link add mv link vb address 02:00:00:00:00:77 type macvlan mode bridge
        ip link set mv up`);
      await running('mv');
      const heard: (number | undefined)[] = [];
      const receiver = openPacketSocket({
        ifindex: await indexOf('mv'),
        protocol: EXPERIMENTAL,
        onFrame: ({ ifindex }: Datagram): void => void heard.push(ifindex),
        onError: (error) => {
          throw error;
        },
      });
      const sender = openPacketSocket({ ifindex: va });
      const bytes = new Uint8Array(60);
      bytes.set([...UPPER_MAC, ...OTHER_MAC, EXPERIMENTAL >> 8, EXPERIMENTAL & 0xff]);
      sender.send(bytes);
      await eventually(() => heard.length > 0, { withinMs: WITHIN_MS, what: 'a frame' });
      deepEqual(heard, [vb]);
      sender.close();
      receiver.close();
    }));
});
