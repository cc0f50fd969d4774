// Comparing digests: all 20 bytes count, and other lengths never match.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { advertDigest, digestMatches } from '../../../src/carp/digest.ts';
import { changed, COUNTER, KEY } from '../../support/packets.ts';

describe('digestMatches', () => {
  const digest = advertDigest(KEY, COUNTER);

  it('takes the same 20 bytes', () => {
    assert.ok(
      digestMatches(digest, Uint8Array.from(digest)),
      'digestMatches(digest, Uint8Array.from(digest))',
    );
  });

  it('refuses a difference in any one byte', () => {
    for (const [index, byte] of digest.entries()) {
      assert.ok(!digestMatches(digest, changed(digest, { [index]: byte ^ 1 })), String(index));
    }
  });

  it('refuses other lengths on either side, without throwing', () => {
    assert.ok(
      !digestMatches(digest, digest.subarray(0, 19)),
      '!digestMatches(digest, digest.subarray(0, 19))',
    );
    assert.ok(
      !digestMatches(digest.subarray(0, 19), digest.subarray(0, 19)),
      '!digestMatches(digest.subarray(0, 19), digest.subarray(0,...',
    );
    assert.ok(
      !digestMatches(new Uint8Array(0), new Uint8Array(0)),
      '!digestMatches(new Uint8Array(0), new Uint8Array(0))',
    );
  });
});
