// A real daemon that is master on a host in memory knows whether the other host is there.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { noteText } from '../../../src/report/status-text.ts';
import { configOf, Scene } from '../../support/daemon-scene.ts';

test('a master asks its peers and those it heard, and a backup asks nobody', async () => {
  const scene = new Scene();
  const a = await scene.boot(configOf({ db: { peers: ['10.9.0.11', '10.9.0.12', '10.9.0.77'] } }));
  const b = await scene.boot(configOf({ db: { advskew: 100 } }));
  await a.becomes('MASTER');
  await b.becomes('BACKUP');
  const answers = (node: typeof a): readonly (readonly [string, boolean | null])[] =>
    node.report().standby.map((one) => [one.address, one.answers]);
  await scene.time.pass(9_500);
  deepEqual(answers(a), [
    ['10.9.0.12', true],
    ['10.9.0.77', false],
  ]);
  deepEqual([answers(b), noteText(a.report())], [[], '']);
  const [first] = a.report().standby;
  equal((first?.forMs ?? Infinity) < 4_500, true, 'it is asked again and again');

  scene.wire.passes = () => false;
  await scene.time.pass(12_000);
  deepEqual(answers(a)[0], ['10.9.0.12', false]);
  equal(noteText(a.report()).endsWith('no standby answers'), true);
  scene.wire.passes = () => true;
  await a.becomes('MASTER');
  await scene.time.until('it answers again', () => answers(a)[0]?.[1] === true, 10_000);
});

test('a host that was heard is asked though no configuration names it', async () => {
  const scene = new Scene();
  const a = await scene.boot();
  await a.becomes('MASTER');
  deepEqual(a.report().standby, []);
  const b = await scene.boot(configOf({ db: { advskew: 1, preempt: false } }));
  await b.becomes('BACKUP');
  a.daemon.handover();
  await b.becomes('MASTER');
  await scene.time.until(
    'it knows its standby',
    () => b.report().standby.some(({ address, answers }) => address === '10.9.0.11' && answers),
    10_000,
  );
});
