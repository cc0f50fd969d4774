// What a hook is told in its environment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromSeconds, micros } from '../../../../src/base/time.ts';
import { hookSituation, type HookView } from '../../../../src/daemon/instance/hook-situation.ts';
import { electionSnapshot, ip } from '../../../support/reports.ts';

const TAKEN: HookView = {
  name: 'db',
  election: electionSnapshot({ state: 'MASTER' }),
  lastTransition: {
    ...{ from: 'BACKUP', to: 'MASTER', cause: 'master-down' },
    ...{ peer: undefined, at: fromSeconds(1) },
  },
  source: ip('10.9.0.10'),
};

test('a master is told why it became one, and is the master itself', () => {
  assert.deepEqual(hookSituation(TAKEN), {
    ...{ INSTANCE: 'db', STATE: 'MASTER', PREVIOUS: 'BACKUP', CAUSE: 'master-down' },
    MASTER: '10.9.0.10',
  });
});

test('one that leaves is told why, before its state has changed', () => {
  const election = electionSnapshot({ state: 'MASTER', leaving: 'handover' });
  assert.equal(hookSituation({ ...TAKEN, election })['CAUSE'], 'handover');
});

test('a backup names the master that it heard', () => {
  const master = { address: ip('10.9.0.20'), advbase: 1, advskew: 0, heardAt: micros(0) };
  const election = electionSnapshot({ state: 'BACKUP', master });
  assert.equal(hookSituation({ ...TAKEN, election })['MASTER'], '10.9.0.20');
});

test('at the start nothing is known, and each variable is set all the same', () => {
  const start = { ...TAKEN, election: electionSnapshot(), lastTransition: undefined };
  assert.deepEqual(hookSituation({ ...start, source: undefined }), {
    ...{ INSTANCE: 'db', STATE: 'INIT', PREVIOUS: '', CAUSE: '', MASTER: '' },
  });
});
