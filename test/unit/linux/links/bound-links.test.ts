// Which interface a configured name means, as interfaces are renamed, deleted and made anew.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundLinks } from '../../../../src/linux/links/bound-links.ts';
import { LinkTable } from '../../../../src/linux/links/link-table.ts';
import type { LinkMessage } from '../../../../src/linux/links/netlink.ts';
import { linkMessage } from '../../../support/link-message.ts';

const message = (ifindex: number, name: string, altNames: readonly string[] = []): LinkMessage =>
  linkMessage({ ifindex, name, altNames });

function scene(): { table: LinkTable; bound: () => BoundLinks } {
  const table = new LinkTable();
  table.setLink(message(2, 'eth0', ['enp6s18']));
  const ignored = {
    ask: () => undefined,
    askVlans: () => undefined,
    drain: () => undefined,
    close: () => undefined,
  };
  const watch = {
    version: 0,
    find: (name: string) => table.find(name),
    byIndex: (ifindex: number) => table.byIndex(ifindex),
    all: () => table.all(),
    ...ignored,
  };
  return { table, bound: () => new BoundLinks(watch) };
}

test('a name stays with its interface when that is renamed, and another takes the name', () => {
  const { table, bound } = scene();
  const links = bound();
  assert.equal(links.find('eth0')?.ifindex, 2);
  table.setLink(message(2, 'wan0'));
  assert.equal(links.find('eth0')?.name, 'wan0');
  table.setLink(message(3, 'eth0'));
  assert.deepEqual([links.find('eth0')?.ifindex, links.find('wan0')?.ifindex], [2, 2]);
  assert.equal(bound().find('eth0')?.ifindex, 3, 'who comes later means who has the name now');
});

test('when the interface is gone, the name means who has it', () => {
  const { table, bound } = scene();
  const links = bound();
  links.find('eth0');
  table.removeLink(2);
  assert.equal(links.find('eth0'), undefined);
  table.setLink(message(4, 'eth0'));
  assert.equal(links.find('eth0')?.ifindex, 4);
});

test('an alternative name means its interface, and stays with it when it is taken away', () => {
  const { table, bound } = scene();
  const links = bound();
  assert.equal(links.find('enp6s18')?.name, 'eth0');
  table.setLink(message(2, 'eth0'));
  assert.equal(table.find('enp6s18'), undefined);
  assert.equal(links.find('enp6s18')?.ifindex, 2);
});
