// Gratuitous ARP: one at once, a burst after it, and silence after stop.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BROADCAST_MAC, parseMac, type Mac } from '../../../src/base/addresses.ts';
import { gratuitousArp } from '../../../src/carp/arp.ts';
import { Announcer } from '../../../src/vip/announcer.ts';
import { FakeTime, ip } from './fakes.ts';

const VIP = ip('10.9.0.100');
const MAC = parseMac('02:00:00:00:00:0a') ?? BROADCAST_MAC;
const OTHER_MAC = parseMac('02:00:00:00:00:0b') ?? BROADCAST_MAC;

function setUp(burst: number) {
  const time = new FakeTime();
  const sentAtMs: number[] = [];
  const frames: Uint8Array[] = [];
  const errors: string[] = [];
  const state: { broken: boolean; mac: Mac; counted: number } = {
    broken: false,
    mac: MAC,
    counted: 0,
  };
  const announcer = new Announcer({
    vip: VIP,
    mac: () => state.mac,
    pace: () => ({ burst, intervalMs: 200 }),
    sender: {
      send: (frame) => {
        if (state.broken) throw new Error('sendto: Network is down');
        sentAtMs.push(time.clock() / 1_000);
        frames.push(frame);
      },
    },
    startTimer: time.startTimer,
    now: time.clock,
    onSent: () => {
      state.counted += 1;
    },
    onSendError: (reason) => errors.push(reason),
  });
  return { time, announcer, sentAtMs, frames, errors, state };
}

describe('announcing', () => {
  it('sends one frame before it returns, and the burst at the interval', async () => {
    const { time, announcer, sentAtMs, frames, state } = setUp(3);
    announcer.announce({ burst: true });
    assert.deepEqual(sentAtMs, [0]);
    await time.advance(10_000);
    assert.deepEqual(sentAtMs, [0, 200, 400, 600]);
    assert.equal(state.counted, 4);
    for (const frame of frames) assert.deepEqual(frame, gratuitousArp(MAC, VIP));
  });

  it('sends one frame only where no burst is asked for, or none is configured', async () => {
    const one = setUp(3);
    one.announcer.announce({ burst: false });
    const none = setUp(0);
    none.announcer.announce({ burst: true });
    for (const { time, sentAtMs } of [one, none]) {
      await time.advance(10_000);
      assert.deepEqual(sentAtMs, [0]);
    }
  });

  it('begins the burst anew, and does not run two', async () => {
    const { time, announcer, sentAtMs } = setUp(2);
    announcer.announce({ burst: true });
    await time.advance(300);
    announcer.announce({ burst: true });
    await time.advance(10_000);
    assert.deepEqual(sentAtMs, [0, 200, 300, 500, 700]);
  });

  it('lets a burst go on beside a single announcement', async () => {
    const { time, announcer, sentAtMs } = setUp(2);
    announcer.announce({ burst: true });
    await time.advance(300);
    announcer.announce({ burst: false });
    await time.advance(10_000);
    assert.deepEqual(sentAtMs, [0, 200, 300, 400]);
  });

  it('bears the MAC that the interface has at that moment', async () => {
    const { time, announcer, frames, state } = setUp(1);
    announcer.announce({ burst: true });
    state.mac = OTHER_MAC;
    await time.advance(200);
    assert.deepEqual(frames, [gratuitousArp(MAC, VIP), gratuitousArp(OTHER_MAC, VIP)]);
  });

  it('reports what could not be sent, and goes on', async () => {
    const { time, announcer, sentAtMs, errors, state } = setUp(2);
    state.broken = true;
    announcer.announce({ burst: true });
    assert.deepEqual(errors, ['sendto: Network is down']);
    assert.equal(state.counted, 0);
    await time.advance(100);
    state.broken = false;
    await time.advance(10_000);
    assert.deepEqual(sentAtMs, [200, 400]);
    assert.equal(errors.length, 1);
  });
});

describe('what other hosts can have announced', () => {
  it('leaves at once, and then once a second, however often it is asked for', async () => {
    const { time, announcer, sentAtMs } = setUp(2);
    for (let claim = 0; claim < 1_000; claim += 1) {
      announcer.announce({ burst: false, defends: true });
      await time.advance(10);
    }
    await time.advance(5_000);
    assert.deepEqual(
      sentAtMs,
      [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000],
    );
  });

  it('is said by a frame that leaves for another reason', async () => {
    const { time, announcer, sentAtMs } = setUp(0);
    announcer.announce({ burst: false });
    await time.advance(400);
    announcer.announce({ burst: false, defends: true });
    await time.advance(300);
    announcer.announce({ burst: false });
    await time.advance(5_000);
    assert.deepEqual(sentAtMs, [0, 700]);
  });

  it('stays unsaid after stop', async () => {
    const { time, announcer, sentAtMs } = setUp(0);
    announcer.announce({ burst: false });
    announcer.announce({ burst: false, defends: true });
    announcer.stop();
    assert.equal(time.pending, 0);
    await time.advance(5_000);
    assert.deepEqual(sentAtMs, [0]);
  });

  it('is bounded for all reasons together: 200 promotions within 20 s', async () => {
    const { time, announcer, sentAtMs } = setUp(2);
    for (let flap = 0; flap < 200; flap += 1) {
      announcer.announce({ burst: true });
      await time.advance(50);
      announcer.announce({ burst: false, defends: true });
      await time.advance(50);
    }
    assert.ok(sentAtMs.length <= 16 + 40, `${sentAtMs.length} frames`);
    announcer.stop();
    await time.advance(60_000);
    announcer.announce({ burst: true });
    assert.equal(sentAtMs.at(-1), 80_000, 'after a pause at once');
  });
});

describe('stop', () => {
  it('lets no frame leave afterwards, whenever it comes', async () => {
    const property = fc.asyncProperty(fc.nat(1_000), fc.nat(5), async (stopAtMs, burst) => {
      const { time, announcer, sentAtMs } = setUp(burst);
      announcer.announce({ burst: true });
      await time.advance(stopAtMs);
      announcer.stop();
      const sent = sentAtMs.length;
      assert.equal(time.pending, 0);
      await time.advance(5_000);
      assert.equal(sentAtMs.length, sent);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  for (const stopAfter of [1, 2]) {
    it(`holds when it is called because frame ${stopAfter} was sent`, async () => {
      const time = new FakeTime();
      let sent = 0;
      const announcer = new Announcer({
        vip: VIP,
        mac: () => MAC,
        pace: () => ({ burst: 5, intervalMs: 200 }),
        sender: { send: () => undefined },
        startTimer: time.startTimer,
        now: time.clock,
        onSent: () => {
          sent += 1;
          if (sent === stopAfter) announcer.stop();
        },
        onSendError: () => undefined,
      });
      announcer.announce({ burst: true });
      await time.advance(5_000);
      assert.equal(sent, stopAfter);
    });
  }

  it('does not hold back a later announcement', async () => {
    const { time, announcer, sentAtMs } = setUp(1);
    announcer.stop();
    announcer.announce({ burst: true });
    await time.advance(5_000);
    assert.deepEqual(sentAtMs, [0, 200]);
  });
});
