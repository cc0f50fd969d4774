// The table of interfaces: addresses that come and go one by one, in whatever order.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LinkTable } from '../../../../src/linux/links/link-table.ts';
import type { AddressMessage } from '../../../../src/linux/links/netlink.ts';
import { linkMessage } from '../../../support/link-message.ts';

const ETH0 = linkMessage();

function message(address: string, secondary = false): AddressMessage {
  const none = { label: undefined, broadcast: undefined, metric: undefined };
  const lifetimes = { validS: undefined, preferredS: undefined };
  const flags = secondary ? 1 : 0;
  return {
    ifindex: 2,
    address,
    peer: address,
    prefixLength: 24,
    scope: 0,
    flags,
    ...none,
    ...lifetimes,
  };
}

function filled(): LinkTable {
  const table = new LinkTable();
  table.setLink(ETH0);
  return table;
}

const texts = (table: LinkTable): readonly string[] =>
  (table.byIndex(2)?.addresses ?? []).map(({ address, secondary }) =>
    secondary ? `${address} secondary` : address,
  );

const CHANGES = fc.array(
  fc.record({
    kind: fc.constantFrom('set', 'remove', 'dump'),
    last: fc.integer({ min: 1, max: 6 }),
    secondary: fc.boolean(),
  }),
  { maxLength: 40 },
);

test('after any changes it holds what was set last, primary addresses first', () => {
  fc.assert(
    fc.property(CHANGES, (changes) => {
      const table = filled();
      const model = new Map<string, boolean>();
      for (const { kind, last, secondary } of changes) {
        const address = `10.9.0.${last}`;
        if (kind === 'dump') {
          table.beginAddressDump();
          for (const [one, second] of model) table.setAddress(message(one, second), true);
          table.endAddressDump(true);
        } else if (kind === 'set') {
          const isNews = model.get(address) !== secondary;
          equal(table.setAddress(message(address, secondary), false).length > 0, isNews);
          model.set(address, secondary);
        } else {
          equal(table.removeAddress(message(address)).length > 0, model.delete(address));
        }
        const expected = [...model].map(([one, second]) => (second ? `${one} secondary` : one));
        deepEqual([...texts(table)].sort(), expected.sort());
      }
    }),
  );
});

test('a list that somebody holds stays as it was', () => {
  const table = filled();
  table.setAddress(message('10.9.0.1'), false);
  const held = table.byIndex(2)?.addresses;
  table.setAddress(message('10.9.0.2', true), false);
  table.removeAddress(message('10.9.0.1'));
  deepEqual(
    held?.map(({ address }) => address),
    ['10.9.0.1'],
  );
  deepEqual(texts(table), ['10.9.0.2 secondary']);
});

test('its version is another one after each change, and the same when nothing is new', () => {
  const table = filled();
  const moves = (change: () => unknown): boolean => {
    const before = table.version;
    change();
    return table.version !== before;
  };
  const bridge = { ...ETH0, ifindex: 3, name: 'br0', kind: 'bridge', tagProtocol: 0x8100 };
  equal(
    moves(() => table.setLink(ETH0)),
    false,
  );
  equal(
    moves(() => table.setLink({ ...ETH0, operstate: 2 })),
    true,
  );
  equal(
    moves(() => table.setLink({ ...ETH0, name: 'eth1' })),
    true,
  );
  equal(
    moves(() => table.setAddress(message('10.9.0.1'), false)),
    true,
  );
  equal(
    moves(() => table.setAddress(message('10.9.0.1'), false)),
    false,
  );
  equal(
    moves(() => table.removeAddress(message('10.9.0.1'))),
    true,
  );
  equal(
    moves(() => table.setLink(bridge)),
    true,
  );
  equal(
    moves(() => table.endVlanDump()),
    true,
  );
  equal(
    moves(() => table.endVlanDump()),
    false,
  );
  equal(
    moves(() => table.removeLink(3)),
    true,
  );
  equal(
    moves(() => table.removeLink(3)),
    false,
  );
});
