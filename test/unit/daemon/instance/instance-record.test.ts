// Who was dropped for a digest that is not ours, as an instance remembers it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromSeconds, micros, plus } from '../../../../src/base/time.ts';
import { InstanceRecord } from '../../../../src/daemon/instance/instance-record.ts';
import { dbConfig, ip } from '../../../support/reports.ts';

const T = micros(7);

function record(): InstanceRecord {
  return new InstanceRecord(dbConfig(), { of: () => undefined }, T);
}

test('the last one is known for a minute', () => {
  const one = record();
  assert.equal(one.report(T).stranger, undefined);
  one.rejected({ reason: 'bad-digest', from: ip('10.9.0.12'), vhid: 7 }, T);
  one.rejected({ reason: 'bad-digest', from: ip('10.9.0.13'), vhid: 7 }, T);
  const stranger = { address: ip('10.9.0.13'), at: T };
  assert.deepEqual(one.report(plus(T, fromSeconds(59))).stranger, stranger);
  assert.equal(one.report(plus(T, fromSeconds(60))).stranger, undefined);
});

test('other faults of a packet say nothing of a passphrase', () => {
  const one = record();
  one.rejected({ reason: 'bad-ttl', from: ip('10.9.0.12'), vhid: 7 }, T);
  one.rejected({ reason: 'vrrp', from: ip('10.9.0.12'), vhid: 7 }, T);
  assert.equal(one.report(T).stranger, undefined);
});
