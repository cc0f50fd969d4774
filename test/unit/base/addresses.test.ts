// Addresses: what text is read, what is refused, and what they turn into.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvariantError } from '../../../src/base/assert.ts';
import {
  formatIpv4,
  ipv4,
  isMulticast,
  multicastMac,
  parseIpv4,
  parseMac,
  readMac,
  samePrefix,
  writeMac,
} from '../../../src/base/addresses.ts';
import { address } from '../../support/packets.ts';

describe('IPv4 addresses', () => {
  const good: readonly (readonly [string, number])[] = [
    ['0.0.0.0', 0],
    ['10.0.0.1', 0x0a000001],
    ['255.255.255.255', 0xffffffff],
    ['224.0.0.18', 0xe0000012],
  ];
  for (const [text, value] of good) {
    it(`reads and writes ${text}`, () => {
      assert.equal(parseIpv4(text), value);
      assert.equal(formatIpv4(ipv4(value)), text);
    });
  }

  const bad = ['', '10.1', '010.0.0.1', '10.077.0.1', '10.0.0.1/24', '10.0.0.256', '999.0.0.1'];
  for (const text of [...bad, ' 10.0.0.1', '10.0.0.1\n', '10.0.0.-1', '1.2.3.4.5', '0x0a.0.0.1']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseIpv4(text), undefined));
  }

  it('refuses a number of more or less than 32 bits', () => {
    for (const value of [-1, 0x100000000, 1.5, NaN])
      assert.throws(() => ipv4(value), InvariantError);
  });

  it('knows a multicast group', () => {
    assert.deepEqual(
      ['223.255.255.255', '224.0.0.0', '239.255.255.255', '240.0.0.0'].map((text) =>
        isMulticast(address(text)),
      ),
      [false, true, true, false],
    );
  });

  const prefixes: readonly (readonly [string, string, number, boolean])[] = [
    ['10.0.0.1', '192.168.0.1', 0, true],
    ['10.0.0.1', '10.255.0.1', 8, true],
    ['10.0.0.1', '11.0.0.1', 8, false],
    ['192.168.1.250', '192.168.1.1', 24, true],
    ['192.168.1.250', '192.168.2.250', 24, false],
    ['10.0.0.0', '10.0.0.1', 31, true],
    ['10.0.0.1', '10.0.0.2', 31, false],
    ['10.0.0.1', '10.0.0.1', 32, true],
    ['10.0.0.1', '10.0.0.0', 32, false],
  ];
  for (const [a, b, length, expected] of prefixes) {
    it(`${a} and ${b} are ${expected ? '' : 'not '}in one /${String(length)}`, () => {
      assert.equal(samePrefix(address(a), address(b), length), expected);
    });
  }
});

describe('MAC addresses', () => {
  it('reads either case, and nothing else', () => {
    assert.equal(parseMac('02:AB:cd:00:00:01'), '02:ab:cd:00:00:01');
    for (const text of ['', '02:ab:cd:00:00', '02-ab-cd-00-00-01', '02:ab:cd:00:00:01:02', '2:a']) {
      assert.equal(parseMac(text), undefined);
    }
  });

  it('reads and writes six bytes at an offset', () => {
    const mac = readMac(Uint8Array.of(9, 2, 0xab, 0, 0, 0, 0xff, 9), 1);
    assert.equal(mac, '02:ab:00:00:00:ff');
    const bytes = new Uint8Array(8);
    writeMac(bytes, 1, mac);
    assert.deepEqual([...bytes], [0, 2, 0xab, 0, 0, 0, 0xff, 0]);
  });

  it('refuses to read past the end', () => {
    assert.throws(() => readMac(new Uint8Array(6), 1), InvariantError);
  });

  it('maps a group by its low 23 bits (RFC 1112), as ucarp was captured to', () => {
    assert.equal(multicastMac(address('224.0.0.18')), '01:00:5e:00:00:12');
    assert.equal(multicastMac(address('239.192.200.5')), '01:00:5e:40:c8:05');
    assert.equal(multicastMac(address('239.128.0.1')), '01:00:5e:00:00:01');
  });
});
