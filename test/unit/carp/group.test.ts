// What tells CARP groups apart: which numbers are a virtual host id.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseVhid } from '../../../src/carp/group.ts';

describe('virtual host ids', () => {
  it('are 1 to 255', () => {
    assert.deepEqual([1, 42, 255].map(parseVhid), [1, 42, 255]);
    for (const value of [0, 256, -1, 1.5, NaN]) assert.equal(parseVhid(value), undefined);
  });
});
