// The loop: one timer, reading before deciding, bounded queue.
import assert from 'node:assert/strict';
import { beforeEach, describe, mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fromMillis, micros, plus, type Micros } from '../../../../src/base/time.ts';
import { nextTurn, startTimer } from '../../../../src/linux/system/clock.ts';
import { Driver, type Member } from '../../../../src/daemon/interface/driver.ts';

class FakeMember implements Member {
  due: Micros | undefined;
  master = false;
  wakes = 0;

  deadline(): Micros | undefined {
    return this.due;
  }

  awaitsSilence(dueBy: Micros): boolean {
    return !this.master && (this.due ?? Infinity) <= dueBy;
  }

  catchingUp: Micros | undefined;

  wake: (dueBy: Micros) => void = () => {
    this.wakes += 1;
    this.due = undefined;
  };

  stoodStill(lateBy: Micros): void {
    this.catchingUp = lateBy;
  }

  caughtUp(): void {
    this.catchingUp = undefined;
  }
}

describe('driver', () => {
  let now: Micros;
  let lateBy: number[];
  let drops: number;
  let lags: number[];
  let onDrain: () => void;
  let driver: Driver;

  /** Lets virtual time pass, and the loop take its turns. */
  async function pass(milliseconds: number): Promise<void> {
    now = plus(now, fromMillis(milliseconds));
    mock.timers.tick(milliseconds);
    await turns();
  }

  async function turns(): Promise<void> {
    for (let count = 0; count < 4; count += 1) await turn();
  }

  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ['setTimeout'] });
    now = micros(0);
    lateBy = [];
    drops = 0;
    lags = [];
    onDrain = () => undefined;
    driver = new Driver({
      ...{ startTimer, nextTurn },
      now: () => now,
      drain: () => {
        onDrain();
        return Promise.resolve();
      },
      onLateWake: (by) => lateBy.push(by),
      onWake: (by) => lags.push(by),
      onOverflow: () => (drops += 1),
    });
  });

  test('wakes a member at its deadline and not before', async () => {
    const member = new FakeMember();
    member.due = fromMillis(100);
    driver.add(member);
    await pass(99);
    assert.equal(member.wakes, 0);
    await pass(1);
    assert.equal(member.wakes, 1);
    assert.deepEqual(lateBy, []);
  });

  test('tells how late it comes round to each deadline', async () => {
    const member = new FakeMember();
    member.due = micros(100_500);
    driver.add(member);
    await pass(101);
    member.due = fromMillis(200);
    driver.arm();
    now = fromMillis(203);
    mock.timers.tick(100);
    await turns();
    assert.deepEqual(lags, [500, 3_000]);
  });

  test('hundreds that are due at once are no stall, and others have turns', async () => {
    const member = new FakeMember();
    let left = 100;
    let drained = 0;
    const order: string[] = [];
    member.due = fromMillis(100);
    member.wake = () => {
      now = plus(now, fromMillis(2));
      left -= 1;
      order.push('due');
      if (left === 98) driver.post(() => order.push('posted'));
      if (left === 0) member.due = undefined;
    };
    onDrain = () => (drained += 1);
    driver.add(member);
    await pass(100);
    for (let count = 0; count < 60; count += 1) await pass(1);
    assert.equal(left, 0);
    assert.deepEqual(lateBy, [], 'the process was at work all the time');
    assert.ok(order.indexOf('posted') < 10, 'what came in meanwhile has waited for a slice only');
    assert.ok(drained > 10, 'the sockets are read before each slice');
  });

  test('a stall in the middle of such work is one', async () => {
    const member = new FakeMember();
    let left = 10;
    member.due = fromMillis(100);
    member.wake = () => {
      left -= 1;
      if (left === 5) now = plus(now, fromMillis(200));
      if (left === 0) member.due = undefined;
    };
    driver.add(member);
    await pass(100);
    await pass(1);
    assert.deepEqual(lateBy, [fromMillis(200)]);
    assert.equal(left, 0);
  });

  test('an advert that is read while draining comes before the deadline', async () => {
    const member = new FakeMember();
    member.due = fromMillis(100);
    driver.add(member);
    onDrain = () => driver.post(() => (member.due = fromMillis(3_100)), 'droppable');
    await pass(100);
    assert.equal(member.wakes, 0, 'the deadline had moved before it was acted upon');
  });

  test('who becomes due after the sockets were read has them read again', async () => {
    const [first, second] = [new FakeMember(), new FakeMember()];
    first.due = fromMillis(100);
    second.due = fromMillis(150);
    driver.add(first);
    driver.add(second);
    let drained = 0;
    onDrain = () => {
      drained += 1;
      // Right after the last read the process gets no turn for a while.
      if (drained === 1) now = fromMillis(200);
      // The advert came in meanwhile.
      else driver.post(() => (second.due = fromMillis(3_140)));
    };
    await pass(100);
    assert.deepEqual([first.wakes, second.wakes], [1, 0]);
    await pass(1);
    assert.deepEqual([second.wakes, drained], [0, 2]);
  });

  test('a flood that takes long to read does not keep anybody from being woken', async () => {
    const member = new FakeMember();
    member.due = fromMillis(100);
    driver.add(member);
    onDrain = () => (now = plus(now, fromMillis(400)));
    await pass(100);
    assert.equal(member.wakes, 1);
  });

  test('a member knows what waited while the process stood still', async () => {
    const member = new FakeMember();
    member.due = fromMillis(100);
    driver.add(member);
    const seen: (Micros | undefined)[] = [];
    onDrain = () => driver.post(() => seen.push(member.catchingUp), 'droppable');
    now = fromMillis(2_000);
    await pass(100);
    driver.post(() => seen.push(member.catchingUp));
    await turns();
    assert.deepEqual(seen, [fromMillis(2_000), undefined]);

    member.due = fromMillis(2_200);
    driver.arm();
    await pass(100);
    assert.deepEqual(seen.slice(2), [undefined], 'a wake-up in time reads nothing old');
  });

  test('a turn proves that sockets were read, work was done, no deadline passed over', async () => {
    const done: string[] = [];
    onDrain = () => driver.post(() => done.push('what was read'), 'droppable');
    driver.post(() => done.push('what was queued'));
    let overdue: Micros | undefined;
    const turned = driver.turn().then((by) => (overdue = by));
    await turns();
    await turned;
    assert.deepEqual([done, overdue], [['what was queued', 'what was read'], 0]);

    const stuck = new FakeMember();
    stuck.wake = () => undefined;
    stuck.due = micros(0);
    driver.add(stuck);
    now = fromMillis(5_000);
    assert.ok((await driver.turn()) >= fromMillis(4_000), 'a deadline was passed over unseen');
    driver.close();
    await turns();
  });

  test('a master that is on time does not wait for its sockets', async () => {
    const member = new FakeMember();
    member.master = true;
    member.due = fromMillis(100);
    let drained = 0;
    onDrain = () => (drained += 1);
    driver.add(member);
    await pass(100);
    assert.deepEqual([member.wakes, drained], [1, 0]);
  });

  test('a late wake is told, and drains for a master as well', async () => {
    const member = new FakeMember();
    member.master = true;
    member.due = fromMillis(100);
    let drained = 0;
    onDrain = () => (drained += 1);
    driver.add(member);
    now = fromMillis(5_000);
    mock.timers.tick(100);
    await turns();
    assert.deepEqual([member.wakes, drained, lateBy], [1, 1, [fromMillis(4_900)]]);
  });

  test('a stall is noticed though an advert is read before the timer fires', async () => {
    const member = new FakeMember();
    member.due = fromMillis(100);
    driver.add(member);
    now = fromMillis(5_000);
    const order: string[] = [];
    onDrain = () => order.push('drained');
    driver.post(() => {
      order.push('heard');
      member.due = fromMillis(8_000);
    }, 'droppable');
    await turns();
    assert.deepEqual(order, ['drained', 'heard']);
    assert.deepEqual([member.wakes, lateBy], [0, [fromMillis(4_900)]]);
  });

  test('all that is due of a member is done in one turn, and nothing else', async () => {
    const member = new FakeMember();
    const dueBy: Micros[] = [];
    member.due = fromMillis(98);
    member.wake = (by) => {
      dueBy.push(by);
      now = fromMillis(103);
      member.due = plus(fromMillis(98), fromMillis(dueBy.length));
    };
    driver.add(member);
    await pass(100);
    assert.deepEqual(dueBy, [100, 100, 100].map(fromMillis));
    driver.remove(member);
    member.due = fromMillis(300);
    await pass(200);
    assert.equal(dueBy.length, 3, 'removed, it is not woken any more');
  });

  describe('a stall in the middle of a wake-up', () => {
    let member: FakeMember;
    let first: FakeMember;
    let drained: number;

    beforeEach(() => {
      member = new FakeMember();
      first = new FakeMember();
      first.master = true;
      first.due = fromMillis(100);
      first.wake = () => {
        first.wakes += 1;
        first.due = undefined;
        now = fromMillis(10_000);
      };
      drained = 0;
      // The master was heard all the time.
      onDrain = () => {
        drained += 1;
        if (now >= fromMillis(10_000)) driver.post(() => (member.due = fromMillis(13_000)));
      };
      driver.add(first);
      driver.add(member);
    });

    test('makes nobody due who was not when it began', async () => {
      member.due = fromMillis(3_000);
      await pass(100);
      await pass(0);
      assert.deepEqual([first.wakes, member.wakes, drained], [1, 0, 1]);
      assert.deepEqual(lateBy, [fromMillis(7_000)]);
    });

    test('makes it read the sockets again for who was due', async () => {
      member.due = fromMillis(100);
      await pass(100);
      await pass(0);
      assert.deepEqual([first.wakes, member.wakes, drained], [1, 0, 2]);
      assert.deepEqual(lateBy, [fromMillis(9_900)]);
    });
  });

  test('posted work never runs at once, and runs in order', async () => {
    const order: number[] = [];
    driver.post(() => order.push(1));
    driver.post(() => order.push(2), 'droppable');
    driver.post(() => order.push(3));
    assert.deepEqual(order, []);
    await turns();
    assert.deepEqual(order, [1, 2, 3]);
  });

  test('many steps together ask a member for its deadline once', async () => {
    let asked = 0;
    const member = new FakeMember();
    member.deadline = () => {
      asked += 1;
      return member.due;
    };
    driver.add(member);
    for (let step = 0; step < 100; step += 1) driver.post(() => driver.arm());
    asked = 0;
    await turns();
    assert.ok(asked < 10, `asked ${asked} times in a row of 100 steps`);
    driver.post(() => (member.due = plus(now, fromMillis(100))));
    await turns();
    await pass(100);
    assert.equal(member.wakes, 1, 'the deadline behind the last step is the one that counts');
  });

  test('a flood drops the oldest packets and nothing that must run', async () => {
    const seen: number[] = [];
    let ran = 0;
    driver.post(() => (ran += 1));
    for (let packet = 0; packet < 1_030; packet += 1)
      driver.post(() => seen.push(packet), 'droppable');
    for (let turn = 0; turn < 3; turn += 1) await turns();
    assert.equal(ran, 1);
    assert.equal(drops, 6);
    assert.deepEqual([seen[0], seen.length], [6, 1_024]);
  });

  test('a member that was removed is not woken, nor is anything after close', async () => {
    const removed = new FakeMember();
    const kept = new FakeMember();
    removed.due = fromMillis(100);
    kept.due = fromMillis(200);
    driver.add(removed);
    driver.add(kept);
    driver.remove(removed);
    await pass(100);
    driver.close();
    let ran = 0;
    driver.post(() => (ran += 1));
    await pass(200);
    assert.deepEqual([removed.wakes, kept.wakes, ran], [0, 0, 0]);
  });
});
