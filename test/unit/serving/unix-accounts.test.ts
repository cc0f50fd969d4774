// Groups and users of this host by their names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUnixGroup, findUser, unixGroupName } from '../../../src/serving/unix-accounts.ts';

test('root has the number 0 everywhere, as user and as group', () => {
  assert.deepEqual(findUser('root'), { uid: 0, gid: 0 });
  assert.equal(findUnixGroup('root'), 0);
  assert.equal(unixGroupName(0), 'root');
});

test('a group may be given by its number, a user may not', () => {
  assert.equal(findUnixGroup('12345'), 12_345);
  assert.equal(findUser('0'), undefined);
});

test('nobody has a name that is not there', () => {
  assert.equal(findUser('no-such-user'), undefined);
  assert.equal(findUnixGroup('no-such-group'), undefined);
});
