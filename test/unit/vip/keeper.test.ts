// The keeper of an interface with several virtual IPs in one prefix: what one of them takes along.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandResult } from '../../../src/base/command.ts';
import { FakeKernel, on } from './fake-kernel.ts';
import { EXITED_OK, HeldCommands, settle } from './fakes.ts';
import { EPERM, HOST, kinds, world } from './reconciler-world.ts';

const [FIRST, SECOND] = ['10.9.0.100/24', '10.9.0.101/24'] as const;

/** Both are claimed, and the first one is the primary address, with the host's own behind. */
async function bothClaimed() {
  const made = world(new FakeKernel(FIRST, HOST));
  const second = made.keep(on(SECOND));
  made.reconciler.want({ term: 1, present: true });
  second.reconciler.want({ term: 1, present: true });
  await settle();
  assert.deepEqual(made.kernel.texts, [FIRST, HOST, SECOND]);
  return { ...made, second };
}

describe('a virtual IP that goes with another', () => {
  it('is put back where it is wanted, and nobody is blamed', async () => {
    const { kernel, time, reconciler, second } = await bothClaimed();
    for (let term = 2; term < 20; term += 2) {
      reconciler.want({ term, present: false });
      await settle();
      assert.deepEqual([...kernel.texts].sort(), [HOST, SECOND]);
      kernel.addresses = new FakeKernel(FIRST, HOST, SECOND).addresses;
      kernel.show();
      reconciler.want({ term: term + 1, present: true });
      await settle();
    }
    assert.deepEqual(kinds(second.outcomes), ['claimed']);
    assert.deepEqual(second.notices, []);
    assert.equal(time.pending, 0);
  });

  it('is not put back where it is not wanted', async () => {
    const { kernel, time, reconciler, second } = await bothClaimed();
    kernel.refuseWith = EPERM;
    second.reconciler.want({ term: 2, present: false });
    await settle();
    kernel.refuseWith = undefined;
    kernel.commands.splice(0);
    reconciler.want({ term: 2, present: false });
    await settle();
    const deletion = `addr del ${FIRST} dev bond0`;
    assert.deepEqual(kernel.commands, [deletion, `addr add ${HOST} dev bond0`]);
    assert.deepEqual(kernel.texts, [HOST]);
    assert.deepEqual(second.notices, [{ kind: 'released-late', term: 2 }]);
    assert.equal(time.pending, 0);
  });
});

describe('a virtual IP of another daemon that goes with one of this', () => {
  it('is left to the other one, also where that lets go of it meanwhile', async () => {
    for (const leavesToo of [false, true]) {
      const made = world(new FakeKernel(FIRST, HOST, SECOND));
      const { foreign } = made.kernel;
      foreign.add(on(SECOND).address);
      made.kernel.onRun = () => {
        if (leavesToo) foreign.clear();
      };
      await made.reconciler.releaseStale();
      const taken = [`addr del ${FIRST} dev bond0`, `addr add ${HOST} dev bond0`];
      assert.deepEqual(made.kernel.commands, taken);
      assert.deepEqual(made.kernel.texts, [HOST]);
    }
  });
});

describe('a batch of which the kernel could not tell everything', () => {
  const OWN = `${HOST} broadcast 10.9.0.255`;

  async function released(change: (kernel: FakeKernel) => void) {
    const made = world(new FakeKernel(FIRST, OWN));
    made.kernel.routes.set('default', '10.9.0.1');
    made.kernel.deaf = true;
    change(made.kernel);
    await made.reconciler.releaseStale();
    return { ...made, commands: made.kernel.commands.slice(1) };
  }

  it('puts back what went, by the picture from before', async () => {
    const { kernel, commands, notices } = await released(() => undefined);
    assert.deepEqual(commands, [
      `addr add ${HOST} dev bond0 broadcast 10.9.0.255`,
      'route add default via 10.9.0.1 dev bond0',
    ]);
    assert.deepEqual(kernel.texts, [HOST]);
    assert.deepEqual(notices, [
      { kind: 'taken-along', addresses: [on(HOST).address], unsaved: [] },
    ]);
  });

  it('puts back the bare address where there is no picture', async () => {
    const { commands, notices } = await released((kernel) => {
      kernel.hidden = true;
    });
    assert.equal(commands[0], `addr add ${HOST} dev bond0`);
    assert.deepEqual(kinds(notices), ['taken-along']);
  });

  it('puts nothing back where the kernel has kept it', async () => {
    const { commands, notices } = await released((kernel) => {
      kernel.promoteSecondaries = true;
    });
    assert.deepEqual(commands, []);
    assert.deepEqual(notices, []);
  });
});

describe('an `ip` that fails while what went is put back', () => {
  const KILLED = { kind: 'exited', code: undefined, signal: 'SIGKILL', output: '' } as const;

  /** The batches with these numbers are killed: the second makes addresses, then routes. */
  async function killedAt(...batches: readonly number[]) {
    const made = world(new FakeKernel(FIRST, HOST));
    const { kernel, time } = made;
    kernel.routes.set('default', '10.9.0.1');
    let begun = 0;
    kernel.onRun = () => {
      begun += 1;
      kernel.refuseWith = batches.includes(begun) ? { ...KILLED, truncated: false } : undefined;
    };
    const released = made.reconciler.releaseStale();
    for (let pause = 0; pause < 5; pause += 1) {
      await settle();
      await time.advance(250);
    }
    await released;
    return made;
  }

  it('is tried again, so that the host keeps its address and its routes', async () => {
    for (const batches of [[2], [2, 3], [3], [3, 4], [2, 4]]) {
      const { kernel, notices, time } = await killedAt(...batches);
      assert.deepEqual(kernel.texts, [HOST], String(batches));
      assert.deepEqual([...kernel.routes], [['default', '10.9.0.1']], String(batches));
      const addresses = [on(HOST).address];
      assert.deepEqual(notices, [{ kind: 'taken-along', addresses, unsaved: [] }]);
      assert.equal(time.pending, 0);
    }
  });

  it('is not tried for ever, and what is left is told', async () => {
    const { notices, kernel } = await killedAt(2, 3, 4);
    assert.equal(kernel.batches, 5);
    const unsaved = [`ip addr add ${HOST} dev bond0`];
    assert.deepEqual(notices, [{ kind: 'taken-along', addresses: [on(HOST).address], unsaved }]);
  });
});

describe('an interface that is renamed while what went is put back', () => {
  const OWN = `${HOST} label bond0:x`;

  /** It gets a new name when these batches begin: the second makes addresses, the third routes. */
  async function renamedAt(...batches: readonly number[]) {
    const made = world(new FakeKernel(FIRST, OWN));
    const { kernel } = made;
    kernel.routes.set('default', '10.9.0.1');
    let begun = 0;
    kernel.onRun = () => {
      begun += 1;
      if (batches.includes(begun)) kernel.place = { name: `wan${String(begun)}`, ifindex: 7 };
    };
    await made.reconciler.releaseStale();
    return { ...made, commands: kernel.commands.slice(1) };
  }

  it('has it all the same, under the name that it has now', async () => {
    const byName = (name: string): readonly string[] => [
      `addr add ${HOST} dev ${name} label ${name}:x`,
      `route add default via 10.9.0.1 dev ${name}`,
    ];
    const first = byName('bond0');
    const before = await renamedAt(2);
    assert.deepEqual(before.commands, [first[0], ...byName('wan2')]);
    const between = await renamedAt(3);
    assert.deepEqual(between.commands, [...first, byName('wan3')[1]]);
    for (const { kernel, notices } of [before, between]) {
      assert.deepEqual(kernel.texts, [HOST]);
      assert.deepEqual([...kernel.routes], [['default', '10.9.0.1']]);
      assert.deepEqual(notices, [
        { kind: 'taken-along', addresses: [on(HOST).address], unsaved: [] },
      ]);
    }
  });

  it('is not followed for ever, and what is left is told by its last name', async () => {
    const { notices, commands } = await renamedAt(2, 3, 4, 5, 6, 7);
    assert.equal(commands.length, 6);
    const unsaved = [
      `ip addr add ${HOST} dev wan7 label wan7:x`,
      'ip route add default via 10.9.0.1 dev wan6',
    ];
    assert.deepEqual(notices, [{ kind: 'taken-along', addresses: [on(HOST).address], unsaved }]);
  });
});

describe('a batch', () => {
  it('has everything in it that came due while another was under way', async () => {
    const held = new HeldCommands();
    const { reconciler, keep } = world(new FakeKernel(HOST), held.runCommand);
    reconciler.want({ term: 1, present: true });
    await settle();
    for (let last = 101; last <= 108; last += 1) {
      keep(on(`10.9.0.${String(last)}/24`)).reconciler.want({ term: 1, present: true });
    }
    await settle();
    assert.equal(held.started.length, 1, 'one batch at a time');
    held.last.finish(EXITED_OK);
    reconciler.want({ term: 2, present: false });
    await settle();
    assert.equal(held.started.length, 2);
    assert.equal(held.last.request.input?.trim().split('\n').length, 9);
  });

  it('does not add what is not wanted any more when all is prepared', async () => {
    const kernel = new FakeKernel('10.9.0.101/24', HOST);
    const held = new HeldCommands();
    const { reconciler, outcomes, keep } = world(kernel, held.runCommand);
    const first = keep(on('10.9.0.101/24')).reconciler;
    first.want({ term: 1, present: false });
    reconciler.want({ term: 1, present: true });
    await settle();
    assert.ok(held.last.request.argv.includes('route'), 'a picture is taken first');
    reconciler.want({ term: 2, present: false });
    held.last.finish(EXITED_OK);
    await settle();
    held.last.finish(EXITED_OK);
    await settle();
    assert.equal(held.last.request.input, 'addr del 10.9.0.101/24 dev bond0\n');
    kernel.meddle('addr del 10.9.0.101/24 dev bond0');
    // What went with it is put back, before anybody is told.
    for (let commands = 0; commands < 4; commands += 1) {
      held.last.finish(EXITED_OK);
      await settle();
    }
    assert.deepEqual(kinds(outcomes), ['superseded', 'released']);
    const lines = held.started.map(({ request }) => request.input ?? '').join('');
    assert.ok(!lines.includes('addr add 10.9.0.100'), lines);
  });

  it('that hangs is killed where somebody has no time, and not before it hangs', async () => {
    const held = new HeldCommands();
    const { time, keeper, reconciler } = world(new FakeKernel(HOST), held.runCommand);
    reconciler.want({ term: 1, present: true });
    await settle();
    keeper.hurry();
    await time.advance(249);
    assert.equal(held.last.killed, false);
    await time.advance(1);
    assert.equal(held.last.killed, true);
    reconciler.want({ term: 2, present: false });
    await settle();
    // Nobody hurries this one.
    reconciler.want({ term: 3, present: true });
    await time.advance(1_000);
    assert.equal(held.last.killed, false);
    keeper.hurry();
    assert.equal(held.last.killed, true);
  });

  it('gets more time after one that was killed for want of it, up to a bound', async () => {
    const held = new HeldCommands();
    const { time, reconciler } = world(new FakeKernel(HOST), held.runCommand);
    reconciler.want({ term: 1, present: true });
    await settle();
    const given: number[] = [];
    const end = async (result: CommandResult): Promise<void> => {
      given.push(held.last.request.timeoutMs);
      held.last.finish(result);
      reconciler.want({ term: 2, present: false });
      await time.advance(1_000);
      reconciler.want({ term: 3, present: true });
      await time.advance(1_000);
    };
    for (let times = 0; times < 4; times += 1) await end({ kind: 'timeout', ended: true });
    await end(EXITED_OK);
    await end(EXITED_OK);
    assert.deepEqual(given, [2_000, 4_000, 8_000, 8_000, 8_000, 2_000]);
  });
});

describe('an `ip` that has done its work and does not end', () => {
  const deletion = `addr del ${FIRST} dev bond0`;

  async function releasing() {
    const held = new HeldCommands();
    const made = world(new FakeKernel(HOST, FIRST), held.runCommand);
    made.reconciler.want({ term: 1, present: false });
    await settle();
    return { ...made, held };
  }

  it('is not waited for once the kernel has told of the work', async () => {
    const { kernel, time, held, outcomes } = await releasing();
    kernel.meddle(deletion);
    await time.advance(249);
    assert.deepEqual(outcomes, [], 'one that is as quick as usual says how it went');
    await time.advance(1);
    assert.deepEqual([held.last.killed, kinds(outcomes)], [true, ['released']]);
    assert.equal(held.started.length, 1);
    assert.equal(time.pending, 0);
  });

  it('is not waited for from the moment in which that is told', async () => {
    const { kernel, time, held, outcomes } = await releasing();
    await time.advance(600);
    assert.equal(held.last.killed, false, 'it may yet work');
    kernel.meddle(deletion);
    await settle();
    assert.deepEqual([held.last.killed, kinds(outcomes)], [true, ['released']]);
  });

  it('is waited for while a part of the work is open', async () => {
    const held = new HeldCommands();
    const made = world(new FakeKernel(HOST, FIRST, SECOND), held.runCommand);
    const second = made.keep(on(SECOND));
    made.reconciler.want({ term: 1, present: false });
    second.reconciler.want({ term: 1, present: false });
    await settle();
    made.kernel.meddle(deletion);
    await made.time.advance(1_000);
    assert.equal(held.last.killed, false);
    made.kernel.meddle(`addr del ${SECOND} dev bond0`);
    await settle();
    assert.deepEqual(kinds([...made.outcomes, ...second.outcomes]), ['released', 'released']);
  });
});
