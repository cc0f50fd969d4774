// Thousands of addresses that come and go at once, as where a proxy puts all of its services on one
// interface: the loop must not stand still for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkTable } from '../../../../src/linux/links/link-table.ts';
import type { AddressMessage } from '../../../../src/linux/links/netlink.ts';
import { linkMessage } from '../../../support/link-message.ts';

const LOOPBACK = linkMessage({ ifindex: 1, type: 772, flags: 0x10049, name: 'lo', operstate: 0 });

function address(index: number): AddressMessage {
  const text = `10.51.${index >> 8}.${index & 0xff}`;
  const times = { validS: undefined, preferredS: undefined };
  const rest = { flags: 0, label: 'lo', broadcast: undefined, metric: undefined, scope: 0 };
  return { ...rest, ...times, ifindex: 1, address: text, peer: text, prefixLength: 32 };
}

/** Processor time in microseconds, at best, for so many that come, are dumped, and go. */
function costOf(count: number): number {
  const all = Array.from({ length: count }, (_, index) => address(index));
  const runs = [1, 2, 3].map(() => {
    const table = new LinkTable();
    table.setLink(LOOPBACK);
    const before = process.cpuUsage();
    for (const one of all) table.setAddress(one, false);
    assert.equal(table.byIndex(1)?.addresses.length, count);
    table.beginAddressDump();
    for (const one of all) table.setAddress(one, true);
    table.endAddressDump(true);
    for (const one of all) table.removeAddress(one);
    assert.deepEqual(table.byIndex(1)?.addresses, []);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...runs);
}

test('eight times the addresses cost far less than 64 times as much', () => {
  costOf(500);
  const [few, many] = [costOf(1_000), costOf(8_000)];
  assert.ok(many < 25 * few, `${few} us for 1,000 and ${many} us for 8,000`);
});
