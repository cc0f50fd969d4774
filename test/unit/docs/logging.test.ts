// Holds docs/logging.md equal to the closed lists in the code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ERROR_CODES } from '../../../src/base/errors.ts';
import { DROP_REASONS } from '../../../src/carp/accept.ts';
import { CAUSES } from '../../../src/election/effects.ts';
import { VIP_FAULTS } from '../../../src/vip/ip-outcome.ts';
import { tableBelow } from './tables.ts';

const LISTS: readonly [string, Readonly<Record<string, string>>][] = [
  ['## Causes of a transition', CAUSES],
  ['## Reasons for which a packet is dropped', DROP_REASONS],
  ['## Why the virtual IP could not be added or removed', VIP_FAULTS],
  ['## Error codes', ERROR_CODES],
];

describe('docs/logging.md', () => {
  const text = readFileSync('docs/logging.md', 'utf8');
  for (const [heading, list] of LISTS) {
    test(`lists what the code has: ${heading}`, () => {
      assert.deepEqual(tableBelow(text, heading), Object.entries(list));
    });
  }
});
