// Single attempts, where the reconciler above them hides a difference.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressWriter } from '../../../src/vip/address-writer.ts';
import { FakeKernel, FakeTime, settle } from './fakes.ts';
import { VIP } from './reconciler-world.ts';

function writerOn(kernel: FakeKernel): AddressWriter {
  return new AddressWriter({
    vip: VIP,
    runCommand: kernel.runCommand,
    addresses: kernel,
    startTimer: new FakeTime().startTimer,
    env: {},
    onNotice: () => undefined,
  });
}

describe('an attempt that is not wanted any more', () => {
  it('ends as interrupted while it waits for the interface', async () => {
    const kernel = new FakeKernel();
    kernel.lagging = true;
    const writer = writerOn(kernel);
    let wanted = true;
    const attempt = writer.attempt(true, () => wanted);
    await settle();
    wanted = false;
    writer.wake();
    assert.deepEqual(await attempt, { kind: 'interrupted' });
  });

  it('runs no command', async () => {
    const kernel = new FakeKernel();
    assert.deepEqual(await writerOn(kernel).attempt(true, () => false), { kind: 'interrupted' });
    assert.deepEqual(kernel.commands, []);
  });
});
