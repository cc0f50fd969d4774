// An advert leaves as a frame whatever the IP layer says, and by the raw socket where no frame can.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseMac } from '../../../src/base/addresses.ts';
import { writeCarpPacket } from '../../../src/carp/ipv4.ts';
import { AdvertWay } from '../../../src/traffic/advert-way.ts';
import type { PacketSocket } from '../../../src/linux/sockets/packet-socket.ts';
import { SocketError } from '../../../src/linux/sockets/socket-error.ts';
import { FakeSegment } from '../../fakes/carp-socket.ts';
import { address } from '../../support/packets.ts';

const GROUP = address('224.0.0.18');
const PACKET = writeCarpPacket(
  { source: address('10.77.0.1'), destination: GROUP, identification: 1 },
  new Uint8Array(36),
);
const OWN = parseMac('02:00:00:00:00:01')!;

describe('AdvertWay', () => {
  let segment: FakeSegment;
  let frames: string[];
  let raw: Uint8Array[];
  let blocked: number;
  let frameErrno: string | undefined;
  let way: AdvertWay;

  beforeEach(async () => {
    segment = new FakeSegment();
    [frames, raw, blocked, frameErrno] = [[], [], 0, undefined];
    const on = { interfaceName: 'eth0', ifindex: 1, onError: () => undefined };
    const carp = await segment.open({ ...on, onPacket: () => undefined });
    const peer = await segment.open({ ...on, onPacket: (bytes) => void raw.push(bytes) });
    peer.join('224.0.0.18');
    peer.join('10.77.0.2');
    const packet: Pick<PacketSocket, 'send'> = {
      send: (frame) => {
        if (frameErrno !== undefined) {
          throw new SocketError('CARPD_SOCKET', 'send', 'refused', { errno: frameErrno });
        }
        frames.push(Buffer.from(frame).toString('hex'));
      },
    };
    way = new AdvertWay({ carp, packet, mac: () => OWN, onBlocked: () => (blocked += 1) });
  });

  async function turns(): Promise<void> {
    for (let count = 0; count < 4; count += 1) await nextTurn();
  }

  const frameTo = (mac: string): string =>
    `${mac}0200000000010800${Buffer.from(PACKET).toString('hex')}`;

  test('to a group: as a frame to its MAC address, whatever the IP layer would say', async () => {
    for (const errno of ['ENOBUFS', 'EPERM', 'ENETUNREACH', undefined]) {
      segment.sendErrno = errno;
      await way.send(PACKET, GROUP, false);
    }
    assert.deepEqual(frames, Array<string>(4).fill(frameTo('01005e000012')));
    await turns();
  });

  test('to everybody: as a broadcast frame', async () => {
    await way.send(PACKET, GROUP, true);
    assert.deepEqual(frames, [frameTo('ffffffffffff')]);
  });

  test('to one host: by the raw socket, since only the kernel knows its MAC', async () => {
    await way.send(PACKET, address('10.77.0.2'), false);
    await turns();
    assert.deepEqual([frames, raw], [[], [PACKET]]);
  });

  test('where no frame can leave: by the raw socket, and the first error is told', async () => {
    frameErrno = 'EMSGSIZE';
    await way.send(PACKET, GROUP, false);
    await turns();
    assert.deepEqual([frames, raw], [[], [PACKET]]);
    segment.sendErrno = 'EPERM';
    const isFirst = (error: unknown): boolean =>
      error instanceof SocketError && error.errno === 'EMSGSIZE';
    await assert.rejects(way.send(PACKET, GROUP, false), isFirst);
  });

  test('the firewall is asked behind the second and every sixtieth one, by TTL 0', async () => {
    for (let count = 0; count < 62; count += 1) await way.send(PACKET, GROUP, false);
    await turns();
    assert.deepEqual([frames.length, blocked], [62, 0]);
    assert.deepEqual(
      raw.map((bytes) => [bytes[8], bytes.slice(20).some((byte) => byte !== 0)]),
      [
        [0, false],
        [0, false],
      ],
      'no advert is in them',
    );
    segment.sendErrno = 'ENOBUFS';
    for (let count = 0; count < 60; count += 1) await way.send(PACKET, GROUP, false);
    await turns();
    assert.equal(blocked, 0);
    segment.sendErrno = 'EPERM';
    for (let count = 0; count < 60; count += 1) await way.send(PACKET, GROUP, false);
    await turns();
    assert.equal(blocked, 1);
  });
});
