// The reconciler against a kernel that lags and refuses, and wishes that overtake each other.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeKernel } from './fake-kernel.ts';
import { EXITED_OK, HeldCommands, ip, refused, settle } from './fakes.ts';
import { ADD, DELETE, EPERM, HOST, THERE, claimedWorld, kinds, world } from './reconciler-world.ts';

describe('claiming', () => {
  it('adds the address, and reports once the interface shows it', async () => {
    const { kernel, reconciler, outcomes } = world(new FakeKernel(HOST));
    kernel.lagging = true;
    reconciler.want({ term: 4, present: true });
    await settle();
    assert.deepEqual(kernel.commands, [ADD]);
    assert.deepEqual(outcomes, [], 'nothing is reported that the interface does not show');
    kernel.show();
    await settle();
    assert.deepEqual(outcomes, [{ kind: 'claimed', term: 4 }]);
  });

  it('never reports from within want, not even what is so already', async () => {
    const { reconciler, outcomes, kernel } = world(new FakeKernel(THERE));
    reconciler.want({ term: 1, present: true });
    assert.deepEqual(outcomes, []);
    await settle();
    assert.deepEqual(outcomes, [{ kind: 'claimed', term: 1 }]);
    assert.deepEqual(kernel.commands, []);
  });

  it('takes "already there" for success after looking', async () => {
    for (const text of [
      'RTNETLINK answers: File exists',
      'Error: ipv4: Address already assigned.',
    ]) {
      const { kernel, reconciler, outcomes } = world(new FakeKernel());
      kernel.addresses = new FakeKernel(THERE).addresses;
      kernel.lagging = true;
      kernel.refuseWith = refused(text);
      reconciler.want({ term: 1, present: true });
      await settle();
      assert.deepEqual(outcomes, []);
      kernel.show();
      await settle();
      assert.deepEqual(outcomes, [{ kind: 'claimed', term: 1 }]);
    }
  });

  it('fails when the interface does not show the address within a second', async () => {
    const { kernel, time, reconciler, outcomes } = world(new FakeKernel());
    kernel.lagging = true;
    reconciler.want({ term: 1, present: true });
    await time.advance(999);
    assert.equal(outcomes.length, 0);
    await time.advance(1);
    const [outcome] = outcomes;
    assert.ok(outcome?.kind === 'claim-failed');
    assert.equal(outcome.fault.reason, 'not-verified');
    assert.equal(time.pending, 0, 'a failed claim is not tried again');
  });

  it('fails at once when the command fails, and does not try again', async () => {
    const { kernel, time, reconciler, outcomes } = world(new FakeKernel());
    kernel.refuseWith = EPERM;
    reconciler.want({ term: 1, present: true });
    await settle();
    const [outcome] = outcomes;
    assert.ok(outcome?.kind === 'claim-failed');
    assert.equal(outcome.fault.reason, 'not-permitted');
    await time.advance(60_000);
    assert.equal(kernel.commands.length, 1);
    assert.equal(outcomes.length, 1);
  });

  it('accepts another prefix length, with a warning', async () => {
    const { kernel, reconciler, outcomes, notices } = world(new FakeKernel('10.9.0.100/32'));
    reconciler.want({ term: 1, present: true });
    await settle();
    assert.deepEqual(outcomes, [{ kind: 'claimed', term: 1 }]);
    assert.deepEqual(kinds(notices), ['other-prefix']);
    assert.deepEqual(kernel.commands, []);
  });

  it('believes the interface, not the command that claims to have failed', async () => {
    const { kernel, reconciler, outcomes } = world(new FakeKernel());
    kernel.addresses = new FakeKernel(THERE).addresses;
    kernel.refuseWith = { kind: 'timeout', ended: true };
    reconciler.want({ term: 1, present: true });
    await settle();
    assert.deepEqual(outcomes, [{ kind: 'claimed', term: 1 }]);
  });
});

describe('releasing', () => {
  it('deletes the address, and reports once the interface does not show it', async () => {
    const { kernel, reconciler, outcomes } = await claimedWorld(HOST);
    kernel.lagging = true;
    reconciler.want({ term: 2, present: false });
    await settle();
    assert.deepEqual(kernel.commands, [DELETE]);
    assert.deepEqual(outcomes, []);
    kernel.show();
    await settle();
    assert.deepEqual(outcomes, [{ kind: 'released', term: 2 }]);
    assert.deepEqual(kernel.texts, [HOST]);
  });

  it('is done at once where there is nothing to delete', async () => {
    const { kernel, reconciler, outcomes } = world(new FakeKernel(HOST));
    reconciler.want({ term: 2, present: false });
    await settle();
    assert.deepEqual(outcomes, [{ kind: 'released', term: 2 }]);
    assert.deepEqual(kernel.commands, []);
  });

  it('takes "not there" for success after looking', async () => {
    const texts = [
      'RTNETLINK answers: Cannot assign requested address',
      'Error: ipv4: Address not found.',
    ];
    for (const text of texts) {
      const { kernel, reconciler, outcomes } = world(new FakeKernel(THERE));
      kernel.addresses = [];
      kernel.lagging = true;
      kernel.refuseWith = refused(text);
      reconciler.want({ term: 1, present: false });
      await settle();
      assert.deepEqual(outcomes, []);
      kernel.show();
      await settle();
      assert.deepEqual(outcomes, [{ kind: 'released', term: 1 }]);
    }
  });

  it('does not take "no such interface" for success while the interface shows it', async () => {
    const { kernel, time, reconciler, outcomes } = await claimedWorld(HOST);
    kernel.refuseWith = refused('Cannot find device "bond0"\nCommand failed -:1\n', 1);
    reconciler.want({ term: 2, present: false });
    await settle();
    assert.deepEqual(kinds(outcomes), ['release-failed']);
    kernel.refuseWith = undefined;
    await time.advance(500);
    assert.deepEqual(kernel.texts, [HOST]);
  });

  it('follows the interface to its new name', async () => {
    const kernel = new FakeKernel(HOST, THERE);
    const { reconciler, outcomes } = world(kernel, (request) => {
      // Between the plan and the command, once.
      if (kernel.batches === 0) kernel.place = { name: 'wan0', ifindex: 7 };
      return kernel.runCommand(request);
    });
    reconciler.want({ term: 1, present: false });
    await settle();
    assert.deepEqual(kernel.commands, [DELETE, 'addr del 10.9.0.100/24 dev wan0']);
    assert.deepEqual(outcomes, [{ kind: 'released', term: 1 }]);
  });

  it('is done where the interface has gone', async () => {
    const { kernel, reconciler, outcomes } = await claimedWorld(HOST);
    kernel.place = undefined;
    reconciler.want({ term: 2, present: false });
    reconciler.want({ term: 3, present: true });
    await settle();
    assert.deepEqual(kernel.commands, []);
    assert.deepEqual(kinds(outcomes), ['superseded', 'claim-failed']);
    reconciler.want({ term: 4, present: false });
    await settle();
    assert.deepEqual(outcomes.at(-1), { kind: 'released', term: 4 });
  });

  it('tries a failed release again, ever more rarely, until it works', async () => {
    const { kernel, time, reconciler, outcomes, notices } = await claimedWorld(HOST);
    kernel.refuseWith = EPERM;
    reconciler.want({ term: 2, present: false });
    await settle();
    assert.deepEqual(kinds(outcomes), ['release-failed']);
    const attemptsAfterMs = [
      [499, 1],
      [1, 2],
      [1_000, 3],
      [2_000, 4],
      [4_000, 5],
      [8_000, 6],
      [10_000, 7],
      [10_000, 8],
    ] as const;
    for (const [ms, attempts] of attemptsAfterMs) {
      await time.advance(ms);
      assert.equal(kernel.commands.length, attempts);
    }
    kernel.refuseWith = undefined;
    await time.advance(10_000);
    assert.deepEqual(kinds(outcomes), ['release-failed'], 'one outcome for one wish');
    assert.deepEqual(notices, [{ kind: 'released-late', term: 2 }]);
    assert.equal(time.pending, 0);
  });

  it('notices that somebody else took the address off after a failed release', async () => {
    const { kernel, time, reconciler, notices } = await claimedWorld();
    kernel.refuseWith = EPERM;
    reconciler.want({ term: 2, present: false });
    await settle();
    kernel.meddle(DELETE);
    await settle();
    assert.deepEqual(notices, [{ kind: 'released-late', term: 2 }]);
    assert.equal(time.pending, 0);
  });

  it('puts back what the kernel deletes along with the address', async () => {
    const { kernel, reconciler, outcomes, notices } = world(new FakeKernel(THERE, HOST));
    reconciler.want({ term: 1, present: false });
    await settle();
    assert.deepEqual(kernel.commands, [DELETE, 'addr add 10.9.0.10/24 dev bond0']);
    assert.deepEqual(kernel.texts, [HOST]);
    assert.deepEqual(notices, [{ kind: 'taken-along', addresses: [ip('10.9.0.10')], unsaved: [] }]);
    assert.deepEqual(outcomes, [{ kind: 'released', term: 1 }]);
  });

  it('says so when it can not put that back', async () => {
    const kernel = new FakeKernel(THERE, HOST);
    const { reconciler, outcomes, notices } = world(kernel, (request) => {
      if (request.input?.includes('addr add') === true) kernel.refuseWith = EPERM;
      return kernel.runCommand(request);
    });
    reconciler.want({ term: 1, present: false });
    await settle();
    assert.deepEqual(notices, [
      {
        kind: 'taken-along',
        addresses: [ip('10.9.0.10')],
        unsaved: ['ip addr add 10.9.0.10/24 dev bond0'],
      },
    ]);
    assert.deepEqual(outcomes, [{ kind: 'released', term: 1 }]);
  });

  it('has the kernel keep it where that may be set, says so once, and puts that back', async () => {
    const kernel = new FakeKernel(THERE, HOST);
    kernel.maySetPromotion = true;
    kernel.routes.set('default', '10.9.0.1');
    const { reconciler, outcomes, notices } = world(kernel);
    for (const term of [1, 2]) {
      kernel.meddle(DELETE);
      kernel.addresses = new FakeKernel(THERE, HOST).addresses;
      kernel.show();
      reconciler.want({ term, present: false });
      await settle();
      assert.deepEqual(kernel.texts, [HOST]);
    }
    assert.deepEqual(kernel.commands, [DELETE, DELETE]);
    assert.deepEqual(kinds(notices), ['promoted']);
    assert.deepEqual(kinds(outcomes), ['released', 'released']);
    assert.equal(kernel.promoteSecondaries, false);
  });

  it('puts back the routes through what the kernel deletes along with it', async () => {
    const kernel = new FakeKernel(THERE, `${HOST} broadcast 10.9.0.255 valid_lft 90`);
    kernel.routes.set('default', '10.9.0.1');
    kernel.routes.set('10.7.0.0/16', '10.9.0.2');
    const { reconciler } = world(kernel);
    reconciler.want({ term: 1, present: false });
    await settle();
    assert.deepEqual(kernel.texts, [HOST]);
    assert.equal(kernel.addresses[0]?.broadcast, ip('10.9.0.255'));
    assert.equal(kernel.addresses[0].validS, 90);
    assert.deepEqual(
      [...kernel.routes],
      [
        ['default', '10.9.0.1'],
        ['10.7.0.0/16', '10.9.0.2'],
      ],
    );
  });

  it('puts nothing back when somebody else has cleared the interface', async () => {
    const { kernel, reconciler, notices } = world(new FakeKernel(THERE, HOST));
    kernel.addresses = [];
    reconciler.want({ term: 1, present: false });
    await settle();
    assert.deepEqual(kernel.commands, [DELETE]);
    assert.deepEqual(notices, []);
  });
});

describe('wishes that overtake each other', () => {
  it('run one command at a time, and the newest wins', async () => {
    const held = new HeldCommands();
    const { kernel, reconciler, outcomes } = world(new FakeKernel(), held.runCommand);
    reconciler.want({ term: 1, present: true });
    await settle();
    reconciler.want({ term: 2, present: false });
    reconciler.want({ term: 3, present: true });
    await settle();
    assert.equal(held.started.length, 1, 'one command at a time');
    kernel.addresses = new FakeKernel(THERE).addresses;
    kernel.show();
    held.last.finish(EXITED_OK);
    await settle();
    assert.deepEqual(outcomes, [
      { kind: 'superseded', term: 1, present: true },
      { kind: 'superseded', term: 2, present: false },
      { kind: 'claimed', term: 3 },
    ]);
    assert.equal(held.started.length, 1, 'what is there is not added again');
  });

  it('do not wait for the interface to show what is not wanted any more', async () => {
    const { kernel, reconciler, outcomes } = world(new FakeKernel());
    kernel.lagging = true;
    reconciler.want({ term: 1, present: true });
    await settle();
    reconciler.want({ term: 2, present: false });
    await settle();
    // The view has shown neither: the deletion must not be spared on its word.
    assert.deepEqual(kernel.commands, [ADD, DELETE]);
    assert.deepEqual(kernel.addresses, []);
    assert.deepEqual(outcomes, [
      { kind: 'superseded', term: 1, present: true },
      { kind: 'released', term: 2 },
    ]);
  });

  it('do not take an old view for the success of a command that failed', async () => {
    const { kernel, reconciler, outcomes } = world(new FakeKernel());
    kernel.lagging = true;
    reconciler.want({ term: 1, present: true });
    await settle();
    kernel.refuseWith = EPERM;
    reconciler.want({ term: 2, present: false });
    await settle();
    // The address is there, though the view has never shown it.
    assert.deepEqual(kernel.texts, [THERE]);
    assert.deepEqual(kinds(outcomes), ['superseded', 'release-failed']);
  });

  it('delete what a killed command may have added, though the view does not show it', async () => {
    const { kernel, reconciler, outcomes } = world(new FakeKernel());
    kernel.addresses = new FakeKernel(THERE).addresses;
    kernel.lagging = true;
    kernel.refuseWith = { kind: 'timeout', ended: false };
    reconciler.want({ term: 1, present: true });
    await settle();
    kernel.refuseWith = undefined;
    reconciler.want({ term: 2, present: false });
    await settle();
    assert.deepEqual(kernel.commands, [ADD, DELETE]);
    assert.deepEqual(kernel.addresses, []);
    assert.deepEqual(kinds(outcomes), ['claim-failed', 'released']);
  });

  it('add again while the view still shows what was deleted', async () => {
    const { kernel, reconciler, outcomes } = await claimedWorld();
    kernel.lagging = true;
    reconciler.want({ term: 2, present: false });
    await settle();
    reconciler.want({ term: 3, present: true });
    await settle();
    assert.deepEqual(kernel.commands, [DELETE, ADD]);
    assert.deepEqual(kernel.texts, [THERE]);
    assert.deepEqual(outcomes, [
      { kind: 'superseded', term: 2, present: false },
      { kind: 'claimed', term: 3 },
    ]);
  });

  it('report an overtaken release as one where the address is really off', async () => {
    const held = new HeldCommands();
    const { kernel, reconciler, outcomes } = world(new FakeKernel(THERE), held.runCommand);
    reconciler.want({ term: 1, present: false });
    await settle();
    reconciler.want({ term: 2, present: true });
    kernel.addresses = [];
    kernel.show();
    held.last.finish(EXITED_OK);
    await settle();
    assert.deepEqual(outcomes, [{ kind: 'released', term: 1 }]);
  });

  it('end a retry that is not wanted any more', async () => {
    const { kernel, time, reconciler, outcomes } = await claimedWorld();
    kernel.refuseWith = EPERM;
    reconciler.want({ term: 2, present: false });
    await settle();
    reconciler.want({ term: 3, present: true });
    await time.advance(60_000);
    assert.deepEqual(kernel.commands, [DELETE], 'the address never went');
    assert.deepEqual(kinds(outcomes), ['release-failed', 'claimed']);
  });
});

describe('the commands', () => {
  it('get a limit and the environment they were given', async () => {
    const held = new HeldCommands();
    const { reconciler } = world(new FakeKernel(), held.runCommand);
    reconciler.want({ term: 1, present: true });
    await settle();
    assert.equal(held.last.request.timeoutMs, 2_000);
    assert.deepEqual(held.last.request.env, { PATH: '/usr/sbin' });
  });
});
