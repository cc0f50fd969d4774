// The witness of an interface that is left: what comes late opens nothing any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WitnessController } from '../../../src/traffic/witness-controller.ts';
import type { LinkStack } from '../../../src/linux/links/link-facts.ts';
import { openFrameWitness } from '../../../src/linux/sockets/frame-witness.ts';

/** An uplink that no host has: to open it fails, so that each attempt shows. */
const STACK: LinkStack = {
  facts: undefined,
  uplinks: [{ ifindex: 2_000_000_000, name: 'none', vlans: [] }],
  macs: new Set(),
  ownMacs: new Set(),
  polled: [],
  faults: [],
  filtersVlans: false,
  hasBridge: false,
  hasGuests: false,
  isWhole: true,
};

test('a witness that was closed opens no socket again', () => {
  const errors: unknown[] = [];
  const witness = new WitnessController({
    openFrameWitness,
    post: (run) => run(),
    onFrame: () => undefined,
    onAdvert: () => undefined,
    onWatch: () => undefined,
    onError: (error) => void errors.push(error),
  });
  witness.want('adverts', STACK, 1);
  assert.equal(errors.length, 1, 'it is tried while the witness is wanted');
  witness.close();
  witness.want('adverts', STACK, 1);
  assert.equal(errors.length, 1);
});
