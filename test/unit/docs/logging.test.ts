// Holds docs/logging.md equal to the closed lists in the code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ERROR_CODES } from '../../../src/base/errors.ts';
import { toSeconds } from '../../../src/base/time.ts';
import { DROP_REASONS } from '../../../src/carp/accept.ts';
import { DEFAULT_QUOTA, QUOTAS } from '../../../src/log/line-limits.ts';
import { LOG_EVENTS } from '../../../src/log/line-names.ts';
import { CAUSES } from '../../../src/election/effects.ts';
import { VIP_FAULTS } from '../../../src/vip/ip-outcome.ts';
import { tableBelow } from './tables.ts';

const LISTS: readonly [string, Readonly<Record<string, string>>][] = [
  ['## Events', LOG_EVENTS],
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

  test('lists the limits that the code has', () => {
    const quotas = [...Object.entries(QUOTAS), ['any other', DEFAULT_QUOTA] as const];
    const rows = quotas.map(([event, { burst, refill }]) => [
      event,
      String(burst),
      `${toSeconds(refill)} s`,
    ]);
    assert.deepEqual(tableBelow(text, '## How often'), rows);
  });
});
