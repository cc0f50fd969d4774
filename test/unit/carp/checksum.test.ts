// The Internet checksum against the worked example of RFC 1071 and its corners.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { internetChecksum } from '../../../src/carp/checksum.ts';
import { bytesOf } from '../../support/packets.ts';

describe('internetChecksum', () => {
  const table: readonly (readonly [string, string, number])[] = [
    ['the example of RFC 1071, section 3', '0001f203f4f5f6f7', 0x220d],
    ['nothing', '', 0xffff],
    ['an odd last byte, padded with zero', '0102ff', 0xfffc],
    ['three words of ones', 'ffffffffffff', 0],
    ['a carry out of the folded sum', 'ffffffff0001', 0xfffe],
    ['data that includes its sum', '0001f203f4f5f6f7220d', 0],
  ];
  for (const [what, hex, sum] of table) {
    it(what, () => assert.equal(internetChecksum(bytesOf(hex)), sum));
  }
});
