// The record of where virtual IPs are served, by which the next run knows what is its own.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  realmNow,
  recordServed,
  servedPlaces,
  type ServedPlace,
} from '../../../src/state/served-record.ts';
import { CARP_MULTICAST } from '../../../src/carp/group.ts';
import { ip } from '../../support/reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'carpd-served-'));
const directory = join(folder, 'state');
const path = join(directory, 'served.json');
after(() => rmSync(folder, { recursive: true }));

const HERE = { boot: 'b1', namespace: '4:1' };
const PLACE: ServedPlace = {
  interfaceName: 'eth0',
  ifindex: 2,
  address: ip('10.9.0.100'),
  prefixLength: 24,
  vhid: 7,
  destination: CARP_MULTICAST,
};

describe('the places on record', () => {
  test('are those that were written last, in a directory that is made', () => {
    recordServed(directory, HERE, [PLACE, { ...PLACE, vhid: 8 }]);
    recordServed(directory, HERE, [PLACE]);
    deepEqual(servedPlaces(directory, HERE), [PLACE]);
    equal(statSync(path).mode & 0o777, 0o600);
  });

  test('are those of this boot and this network namespace, which leave each other alone', () => {
    const there = { ...HERE, namespace: '4:2' };
    const place = { ...PLACE, ifindex: 3 };
    recordServed(directory, HERE, [PLACE]);
    recordServed(directory, there, [place]);
    deepEqual([servedPlaces(directory, HERE), servedPlaces(directory, there)], [[PLACE], [place]]);
    const later = { ...HERE, boot: 'b2' };
    deepEqual(servedPlaces(directory, later), []);
    recordServed(directory, later, [place]);
    deepEqual(servedPlaces(directory, HERE), [], 'of an earlier boot nothing is kept');
    recordServed(directory, later, []);
    equal(existsSync(path), false, 'nothing is left on the disk');
  });

  test('are none where there is no record, or none that can be read', () => {
    deepEqual(servedPlaces(join(folder, 'none'), HERE), []);
    const realm = (places: unknown): string =>
      JSON.stringify({ format: 1, realms: [{ ...HERE, places }] });
    const good = { ...PLACE, address: '10.9.0.100', group: '224.0.0.18' };
    const faulty = [
      { ...good, ifindex: '2' },
      { ...good, address: '10.9.0' },
      { ...good, interfaceName: 1 },
    ];
    const texts = ['', '{', 'null', '{"format":2,"realms":[]}', realm(null), realm(faulty)];
    for (const text of texts) {
      writeFileSync(path, text);
      deepEqual(servedPlaces(directory, HERE), [], text);
    }
    writeFileSync(path, realm([good]));
    deepEqual(servedPlaces(directory, HERE), [PLACE]);
  });

  test('are of a realm that the kernel names', () => {
    const realm = realmNow();
    ok(realm !== undefined);
    deepEqual(realm, realmNow());
    ok(/^[0-9a-f-]{36}$/.test(realm.boot), realm.boot);
  });
});
