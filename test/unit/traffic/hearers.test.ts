// Whom a packet may be for, and what counts as sent by this host.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { fromMillis, micros, plus } from '../../../src/base/time.ts';
import { ipv4, type Ipv4 } from '../../../src/base/addresses.ts';
import { CARP_MULTICAST, parseVhid } from '../../../src/carp/group.ts';
import { Hearers, type Hearer } from '../../../src/traffic/hearers.ts';

const [OWN, OTHER] = [ipv4(0x0a090001), ipv4(0x0a090002)];

function hearer(vhid: number, ownSources: Ipv4[]): Hearer {
  const known = parseVhid(vhid);
  if (known === undefined) throw new Error('no vhid');
  const key = { passphrase: new Uint8Array(), vhid: known, addresses: [] };
  return { key, destination: CARP_MULTICAST, ownSources };
}

test('members are found by their vhid until they go', () => {
  const hearers = new Hearers(() => micros(0));
  const [a, b, c] = [hearer(1, []), hearer(2, []), hearer(2, [])];
  for (const each of [a, b, c]) hearers.add(each);
  deepEqual(hearers.withVhid(2), [b, c]);
  hearers.remove(b);
  deepEqual(hearers.withVhid(2), [c]);
  hearers.remove(c);
  deepEqual([hearers.withVhid(2), hearers.withVhid(1), hearers.withVhid(undefined)], [[], [a], []]);
});

test('sources are gathered anew when they are said to change, and after a second', () => {
  let now = micros(0);
  let asked = 0;
  const sources = [OWN];
  const member = {
    ...hearer(1, []),
    get ownSources(): readonly Ipv4[] {
      asked += 1;
      return sources;
    },
  };
  const hearers = new Hearers(() => now);
  hearers.add(member);
  for (let packets = 0; packets < 100; packets += 1) equal(hearers.ownSources.has(OWN), true);
  equal(asked, 1, 'not once for each packet');
  sources.push(OTHER);
  hearers.sourcesChanged();
  equal(hearers.ownSources.has(OTHER), true);
  sources.pop();
  now = plus(now, fromMillis(1_000));
  equal(hearers.ownSources.has(OTHER), false);
});
