// Whether the hosts that may take over answer, in a time that is made up.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { fromMillis, type Micros } from '../../../src/base/time.ts';
import { StandbyWatch } from '../../../src/traffic/standby-watch.ts';
import { ip } from '../../support/reports.ts';

const [A, B] = [ip('10.9.0.20'), ip('10.9.0.30')];
const at = (milliseconds: number): Micros => fromMillis(milliseconds);

test('asks at once, then every few seconds, and anew where somebody is new', () => {
  const watch = new StandbyWatch();
  deepEqual(watch.round([A, A], at(0)), [A]);
  deepEqual(watch.round([A], at(2_900)), []);
  deepEqual(watch.round([A], at(3_000)), [A]);
  deepEqual(watch.round([A, B], at(3_100)), [A, B]);
  deepEqual(watch.round([], at(9_000)), []);
  equal(watch.of(A, at(9_000)), undefined, 'nobody wants to know of it');
});

test('knows who answers, who does not yet, and since when one is silent', () => {
  const watch = new StandbyWatch();
  watch.round([A, B], at(0));
  watch.answered(A, at(2));
  watch.answered(ip('10.9.0.99'), at(2));
  const shown = (host: typeof A, ms: number) => watch.of(host, at(ms));
  deepEqual(shown(A, 100), { address: A, answers: true, since: at(2) });
  deepEqual(shown(B, 100), { address: B, answers: undefined, since: at(0) });
  deepEqual(shown(A, 8_002), { address: A, answers: true, since: at(2) });
  deepEqual(shown(A, 12_002), { address: A, answers: false, since: at(2) });
  deepEqual(shown(B, 12_000), { address: B, answers: false, since: at(0) });
  watch.answered(B, at(13_000));
  equal(shown(B, 13_001)?.answers, true);
});
