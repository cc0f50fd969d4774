// The sockets of one interface when opening them and closing them cross each other.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CarpdError } from '../../../src/base/errors.ts';
import { micros } from '../../../src/base/time.ts';
import { parseIpv4 } from '../../../src/base/addresses.ts';
import type { LinkEventFields } from '../../../src/events/events.ts';
import { InterfaceSockets } from '../../../src/traffic/interface-sockets.ts';
import { LinkEvents } from '../../../src/events/publish/link-events.ts';
import type { CarpSocket, CarpSocketOptions } from '../../../src/linux/sockets/carp-socket.ts';
import type { PacketSocket } from '../../../src/linux/sockets/packet-socket.ts';
import { FakeSegment } from '../../fakes/carp-socket.ts';
import { linkOf } from '../../support/links.ts';

const GROUP = parseIpv4('224.0.0.18')!;
const LINK = linkOf();

describe('InterfaceSockets', () => {
  test('a receive error while the sockets are being opened fails the opening', async () => {
    const host = new World();
    host.beforeOpened = ({ onError }) => onError(fault('it broke'));
    await host.sockets.ensure();
    assert.equal(host.sockets.hears(GROUP), false);
    assert.deepEqual(host.open, { carp: 0, packet: 0 });
    assert.deepEqual(
      host.news.map((one) => one.event),
      ['socket-failed'],
    );
    host.sockets.close();
  });

  test('closed while the sockets are being opened: none is left', async () => {
    const host = new World();
    host.beforeOpened = () => host.sockets.close();
    await host.sockets.ensure();
    assert.deepEqual(host.open, { carp: 0, packet: 0 });
    await host.sockets.ensure();
    assert.deepEqual(host.open, { carp: 0, packet: 0 });
  });

  test('closed while the sockets fail to open: nothing is said', async () => {
    const host = new World();
    host.beforeOpened = () => {
      host.sockets.close();
      throw fault('not now');
    };
    await host.sockets.ensure();
    assert.deepEqual(host.news, []);
  });

  test('a packet socket that can not be opened takes the CARP socket with it', async () => {
    const host = new World();
    host.packetFails = true;
    await host.sockets.ensure();
    assert.deepEqual(host.open, { carp: 0, packet: 0 });
    assert.equal(host.sockets.hears(GROUP), false);
    host.sockets.close();
  });

  test('a receive error closes both, and they are opened again when asked', async () => {
    const host = new World();
    await host.sockets.ensure();
    assert.deepEqual(host.open, { carp: 1, packet: 1 });
    host.last?.onError(fault('it broke'));
    assert.deepEqual(host.open, { carp: 0, packet: 0 });
    await host.sockets.ensure();
    assert.deepEqual(host.open, { carp: 1, packet: 1 });
    host.sockets.close();
    host.last?.onError(fault('late'));
    assert.deepEqual(host.open, { carp: 0, packet: 0 });
  });
});

describe('sockets that break again and again', () => {
  const delays = (host: World): readonly unknown[] =>
    host.news.flatMap((one) => (one.event === 'socket-failed' ? [one.retryInMs] : []));

  test('are opened later and later, the first times within the patience of a peer', async () => {
    const host = new World();
    for (let times = 0; times < 5; times += 1) {
      await host.sockets.ensure();
      host.last?.onError(fault('it broke'));
    }
    assert.deepEqual(delays(host), [0, 100, 400, 1_000, 1_000]);
    host.sockets.close();
  });

  test('are opened at once when the last break is long ago', async () => {
    const host = new World();
    for (let times = 0; times < 2; times += 1) {
      await host.sockets.ensure();
      host.last?.onError(fault('it broke'));
      host.pass(10_000);
    }
    assert.deepEqual(delays(host), [0, 0]);
    host.sockets.close();
  });
});

describe('a late receive error of sockets that were replaced', () => {
  test('concerns nobody: those in their place stay open, and nothing is said', async () => {
    const host = new World();
    await host.sockets.ensure();
    const replaced = host.last;
    replaced?.onError(fault('it broke'));
    await host.sockets.ensure();
    host.news.splice(0);
    replaced?.onError(fault('late'));
    assert.deepEqual(host.open, { carp: 1, packet: 1 });
    assert.deepEqual(host.news, []);
    host.sockets.close();
  });
});

/** Sockets that are counted while they are open. */
class World {
  readonly news: LinkEventFields[] = [];
  readonly open = { carp: 0, packet: 0 };
  readonly sockets: InterfaceSockets;
  readonly #segment = new FakeSegment();
  /** Runs when the kernel has made the socket and before anybody else knows it. */
  beforeOpened: (options: CarpSocketOptions) => void = () => undefined;
  packetFails = false;
  readonly #timers = new Set<{ readonly delayMs: number; readonly run: () => void }>();
  last: CarpSocketOptions | undefined;

  constructor() {
    const linkEvents = new LinkEvents(
      (one) => void this.news.push(one),
      () => micros(0),
    );
    this.sockets = new InterfaceSockets({
      interfaceName: 'eth0',
      linkEvents,
      link: () => LINK,
      destinations: () => [GROUP],
      onPacket: () => undefined,
      onTrouble: () => undefined,
      startTimer: (delayMs, run) => {
        const timer = { delayMs, run };
        this.#timers.add(timer);
        return () => void this.#timers.delete(timer);
      },
      openCarpSocket: (options) => this.#openCarp(options),
      openPacketSocket: () => this.#openPacket(),
    });
  }

  /** So long passes, and what is due by then runs. */
  pass(ms: number): void {
    for (const timer of [...this.#timers]) {
      if (timer.delayMs > ms || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }

  async #openCarp(options: CarpSocketOptions): Promise<CarpSocket> {
    this.last = options;
    await nextTurn();
    this.beforeOpened(options);
    const socket = await this.#segment.open(options);
    this.open.carp += 1;
    const close = socket.close.bind(socket);
    socket.close = () => {
      if (socket.alive) this.open.carp -= 1;
      close();
    };
    return socket;
  }

  #openPacket(): PacketSocket {
    if (this.packetFails) throw fault('no packet socket');
    this.open.packet += 1;
    let open = true;
    return {
      send: () => undefined,
      setFilter: () => undefined,
      takeAddress: () => undefined,
      drain: () => true,
      close: () => {
        if (open) this.open.packet -= 1;
        open = false;
      },
    };
  }
}

function fault(reason: string): CarpdError {
  return new CarpdError('CARPD_SOCKET', 'open', reason);
}
