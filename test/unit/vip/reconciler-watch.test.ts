// The reconciler at the start, at the end, and while somebody meddles with the address between.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeKernel } from './fake-kernel.ts';
import { EXITED_OK, HeldCommands, refused, settle } from './fakes.ts';
import { ADD, DELETE, EPERM, HOST, THERE, claimedWorld, kinds, world } from './reconciler-world.ts';

describe('watching a claimed address', () => {
  it('puts it back when somebody removes it', async () => {
    const { kernel, reconciler, outcomes, notices } = await claimedWorld(HOST);
    kernel.meddle(DELETE);
    await settle();
    assert.deepEqual(kernel.commands, [ADD]);
    assert.deepEqual(notices, [{ kind: 'restored', term: 1, replaced: false }]);
    assert.deepEqual(outcomes, [], 'a wish has one outcome only');
    reconciler.close();
  });

  it('notices a removal that comes with the news of the adding', async () => {
    const { kernel, reconciler, outcomes, notices } = world(new FakeKernel());
    kernel.lagging = true;
    reconciler.want({ term: 1, present: true });
    await settle();
    kernel.lagging = false;
    kernel.show();
    kernel.meddle(DELETE);
    await settle();
    assert.deepEqual(kinds(outcomes), ['claimed']);
    assert.deepEqual(kinds(notices), ['restored']);
    assert.deepEqual(kernel.texts, [THERE]);
  });

  it('slows down against somebody who insists', async () => {
    const { kernel, time, notices } = await claimedWorld();
    kernel.meddle(DELETE);
    await settle();
    kernel.meddle(DELETE);
    await settle();
    assert.equal(kernel.commands.length, 1);
    await time.advance(500);
    assert.equal(kernel.commands.length, 2);
    kernel.meddle(DELETE);
    await time.advance(999);
    assert.equal(kernel.commands.length, 2, 'the delay has grown');
    await time.advance(1);
    assert.deepEqual(kinds(notices), ['restored', 'restored', 'restored']);
    await time.advance(30_000);
    kernel.meddle(DELETE);
    await settle();
    assert.equal(kernel.commands.length, 4, 'after a calm time at once again');
    kernel.meddle(DELETE);
    await time.advance(500);
    assert.equal(kernel.commands.length, 5, 'and with the first delay again');
  });

  it('says once that it is lost, and goes on trying', async () => {
    const { kernel, time, notices } = await claimedWorld();
    kernel.refuseWith = refused('Cannot find device "bond0"', 1);
    kernel.addresses = [];
    kernel.show();
    await time.advance(3_500);
    assert.equal(kernel.commands.length, 4);
    const [lost, ...more] = notices;
    assert.ok(lost?.kind === 'lost');
    assert.equal(lost.fault.reason, 'interface-missing');
    assert.deepEqual(more, []);
    kernel.refuseWith = undefined;
    await time.advance(10_000);
    assert.deepEqual(kinds(notices), ['lost', 'restored']);
    kernel.refuseWith = EPERM;
    kernel.meddle(DELETE);
    await time.advance(60_000);
    assert.deepEqual(kinds(notices), ['lost', 'restored', 'lost'], 'a new loss is told again');
  });

  it('calls it lost when somebody takes it off again and again', async () => {
    const { kernel, time, notices } = await claimedWorld();
    for (const delayMs of [0, 500, 1_000, 2_000]) {
      kernel.meddle(DELETE);
      await time.advance(delayMs);
      await settle();
    }
    assert.deepEqual(kinds(notices.splice(0)), Array(4).fill('restored'));
    kernel.meddle(DELETE);
    await settle();
    const [lost, ...more] = notices;
    assert.ok(lost?.kind === 'lost', 'the fifth time within the calm time');
    assert.equal(lost.fault.reason, 'taken-off');
    assert.match(lost.fault.detail, /taken it off 5 times; find out who else/);
    assert.deepEqual(more, []);
  });

  it('puts it back at once every time where nobody else can serve', async () => {
    const made = await claimedWorld(HOST);
    made.accompanied = false;
    for (let times = 1; times <= 8; times += 1) {
      made.kernel.meddle(DELETE);
      await settle();
      assert.equal(made.kernel.commands.length, times);
      assert.deepEqual(kinds(made.notices.splice(0)), ['restored']);
      await made.time.advance(1_000);
    }
    made.kernel.meddle(DELETE);
    await settle();
    made.kernel.meddle(DELETE);
    await settle();
    assert.equal(made.kernel.commands.length, 9, 'it does not spin against a machine');
    await made.time.advance(100);
    assert.equal(made.kernel.commands.length, 10);
  });

  it('does not try to put it on an interface that is gone', async () => {
    const { kernel, time, notices } = await claimedWorld(HOST);
    kernel.place = undefined;
    kernel.show();
    await time.advance(500);
    assert.deepEqual(kernel.commands, []);
    assert.deepEqual(notices, [], 'nobody has taken it off');
    kernel.place = { name: 'bond0', ifindex: 8 };
    kernel.addresses = [];
    kernel.show();
    await settle();
    assert.deepEqual(kernel.commands, [ADD], 'one that comes back gets it at once');
    assert.deepEqual(notices, [{ kind: 'restored', term: 1, replaced: true }]);
  });

  it('does not blame anybody for an interface that is replaced', async () => {
    const { kernel, notices } = await claimedWorld(HOST);
    for (let ifindex = 8; ifindex < 16; ifindex += 1) {
      kernel.place = { name: 'bond0', ifindex };
      kernel.addresses = [];
      kernel.show();
      await settle();
      assert.deepEqual(kernel.commands.splice(0), [ADD], 'at once every time');
      assert.deepEqual(notices.splice(0), [{ kind: 'restored', term: 1, replaced: true }]);
    }
    kernel.meddle(DELETE);
    await settle();
    assert.deepEqual(notices, [{ kind: 'restored', term: 1, replaced: false }], 'nor counts it');
    assert.deepEqual(kernel.commands, [ADD], 'so that the first loss is put right at once');
  });

  it('does not blame anybody where the address is told of before its interface', async () => {
    const held = new HeldCommands();
    const kernel = new FakeKernel(HOST, THERE);
    const { reconciler, notices, outcomes } = world(kernel, held.runCommand);
    reconciler.want({ term: 1, present: true });
    await settle();
    assert.deepEqual(kinds(outcomes), ['claimed']);
    kernel.addresses = [];
    kernel.show();
    await settle();
    kernel.place = { name: 'bond0', ifindex: 8 };
    held.last.finish(refused('Cannot find device "bond0"\nCommand failed -:1', 1));
    await settle();
    assert.equal(held.started.length, 2, 'and it is put on the new one at once');
    kernel.meddle(ADD);
    held.last.finish(EXITED_OK);
    await settle();
    assert.deepEqual(notices, [{ kind: 'restored', term: 1, replaced: true }]);
  });

  it('says what keeps it off the new interface', async () => {
    const { kernel, notices } = await claimedWorld(HOST);
    kernel.refuseWith = EPERM;
    kernel.place = { name: 'bond0', ifindex: 8 };
    kernel.addresses = [];
    kernel.show();
    await settle();
    assert.deepEqual(kinds(notices), ['lost']);
  });
});

describe('an address that is not wanted', () => {
  it('is confirmed at its time while `ip` is refused, whatever else happens', async () => {
    const { kernel, time, reconciler } = await claimedWorld();
    kernel.lagging = true;
    reconciler.want({ term: 2, present: false });
    await time.advance(1_000);
    // It is gone, but the view never showed that while it counted: only `ip` can confirm it.
    kernel.runsMax = 20;
    kernel.refuseWith = EPERM;
    kernel.lagging = false;
    kernel.show();
    await settle();
    for (let event = 0; event < 10; event += 1) {
      kernel.show();
      await settle();
    }
    assert.deepEqual(kernel.commands, [DELETE, DELETE], 'one for the change, none for an event');
    await time.advance(60_000);
    assert.ok(kernel.commands.length < 15, 'with growing delay');
    kernel.refuseWith = undefined;
    await time.advance(10_000);
    assert.equal(time.pending, 0);
  });

  it('is taken off whoever put it there', async () => {
    const { kernel, time, reconciler, outcomes, notices } = await claimedWorld(HOST);
    reconciler.want({ term: 2, present: false });
    await settle();
    kernel.meddle(ADD);
    await settle();
    assert.deepEqual(kernel.commands, [DELETE, DELETE]);
    assert.deepEqual(kernel.texts, [HOST]);
    assert.equal(outcomes.length, 1);
    assert.deepEqual(notices, [{ kind: 'unwanted', fault: undefined }]);
    kernel.meddle(ADD);
    await settle();
    assert.equal(kernel.commands.length, 2, 'it does not spin against a machine');
    await time.advance(100);
    assert.deepEqual(kernel.texts, [HOST]);
    assert.equal(time.pending, 0);
  });

  it('is tried again, and told once, where it can not be taken off', async () => {
    const { kernel, time, reconciler, notices } = await claimedWorld(HOST);
    reconciler.want({ term: 2, present: false });
    await settle();
    kernel.refuseWith = EPERM;
    kernel.meddle(ADD);
    await time.advance(3_000);
    assert.deepEqual(kinds(notices), ['unwanted']);
    kernel.refuseWith = undefined;
    await time.advance(10_000);
    assert.deepEqual(kernel.texts, [HOST]);
    assert.deepEqual(notices.at(-1), { kind: 'unwanted', fault: undefined });
  });

  it('is left alone until anybody has said that it is not', async () => {
    const { kernel, time } = world(new FakeKernel(HOST));
    kernel.meddle(ADD);
    await time.advance(60_000);
    assert.deepEqual(kernel.commands, []);
  });
});

describe('releaseStale', () => {
  it('removes an address that was left, and says that it was there', async () => {
    const { kernel, reconciler, outcomes } = world(new FakeKernel(HOST, THERE));
    assert.deepEqual(await reconciler.releaseStale(), { kind: 'removed' });
    assert.deepEqual(kernel.texts, [HOST]);
    assert.deepEqual(outcomes, [], 'its result comes by the promise only');
  });

  it('says that there was none', async () => {
    const { kernel, reconciler } = world(new FakeKernel(HOST));
    assert.deepEqual(await reconciler.releaseStale(), { kind: 'absent' });
    assert.deepEqual(kernel.commands, []);
  });

  it('says why it could not, and goes on trying', async () => {
    const { kernel, time, reconciler } = world(new FakeKernel(THERE));
    kernel.refuseWith = { kind: 'missing' };
    const outcome = await reconciler.releaseStale();
    assert.ok(outcome.kind === 'failed');
    assert.equal(outcome.fault.reason, 'command-missing');
    kernel.refuseWith = undefined;
    await time.advance(500);
    assert.deepEqual(kernel.addresses, []);
  });

  it('leaves it to the watch to tell of one that it was taking off already', async () => {
    const held = new HeldCommands();
    const kernel = new FakeKernel(HOST);
    const { reconciler, notices } = world(kernel, held.runCommand);
    reconciler.want({ term: 1, present: false });
    await settle();
    kernel.meddle(ADD);
    await settle();
    const stale = reconciler.releaseStale();
    kernel.meddle(DELETE);
    held.last.finish(EXITED_OK);
    assert.deepEqual(await stale, { kind: 'absent' });
    assert.deepEqual(notices, [{ kind: 'unwanted', fault: undefined }]);
    assert.equal(held.started.length, 1);
  });

  it('gives way to a claim', async () => {
    const held = new HeldCommands();
    const { reconciler } = world(new FakeKernel(THERE), held.runCommand);
    const stale = reconciler.releaseStale();
    reconciler.want({ term: 1, present: true });
    assert.deepEqual(await stale, { kind: 'superseded' });
    assert.equal(held.started.length, 0);
  });
});

describe('close', () => {
  it('ends retries and the watch', async () => {
    const { kernel, time, reconciler, keeper } = await claimedWorld();
    kernel.refuseWith = EPERM;
    reconciler.want({ term: 2, present: false });
    await settle();
    reconciler.close();
    keeper.close();
    assert.equal(time.pending, 0);
    assert.equal(kernel.listeners, 0);
  });

  it('ends what is waiting as superseded', async () => {
    const { kernel, time, reconciler, outcomes } = world(new FakeKernel());
    kernel.lagging = true;
    reconciler.want({ term: 1, present: true });
    await settle();
    reconciler.close();
    await settle();
    assert.deepEqual(outcomes, [{ kind: 'superseded', term: 1, present: true }]);
    assert.equal(time.pending, 0);
  });

  it('starts nothing afterwards', async () => {
    const { kernel, reconciler, outcomes } = world(new FakeKernel());
    reconciler.close();
    reconciler.want({ term: 1, present: true });
    await settle();
    assert.deepEqual(kernel.commands, []);
    assert.deepEqual(kinds(outcomes), ['superseded']);
  });
});
