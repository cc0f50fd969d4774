// What load balancers and supervisors are told of a daemon: whether it lives, and whether it takes
// part.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventBus } from '../../../src/events/bus.ts';
import { Liveness } from '../../../src/daemon/health.ts';
import { FakeTime } from '../vip/fakes.ts';

function made(): {
  readonly liveness: Liveness;
  readonly events: EventBus;
  readonly time: FakeTime;
  readonly posted: (() => void)[];
  readonly faults: string[];
} {
  const events = new EventBus((error) => {
    throw error;
  });
  const time = new FakeTime();
  const posted: (() => void)[] = [];
  const faults: string[] = [];
  const driver = { post: (run: () => void) => void posted.push(run) };
  const { startTimer } = time;
  const liveness = new Liveness({ driver, events, startTimer, faults: () => faults });
  return { liveness, events, time, posted, faults };
}

describe('a daemon', () => {
  test('lives where its loop answers, and is sick where that takes two seconds', async () => {
    const { liveness, time, posted } = made();
    const first = liveness.livenessFailure();
    posted.shift()?.();
    equal(await first, undefined);
    equal(time.pending, 0);
    const second = liveness.livenessFailure();
    await time.advance(2_000);
    equal(await second, 'the loop has not answered for 2 s');
  });

  test('is ready while it runs with all it is configured to', () => {
    const { liveness, events, faults } = made();
    deepEqual(liveness.readinessFailures(), ['carpd is starting']);
    events.publish({ event: 'daemon-started', instances: 1 });
    deepEqual(liveness.readinessFailures(), []);
    faults.push('eth0: down');
    deepEqual(liveness.readinessFailures(), ['eth0: down']);
    events.publish({ event: 'configuration-rejected', detail: 'a fault' });
    deepEqual(liveness.readinessFailures(), [
      'the new configuration was rejected, and the old one is in force; see the log',
      'eth0: down',
    ]);
    const none = { added: [], changed: [], restarted: [], refused: [], removed: [], unchanged: [] };
    events.publish({ event: 'configuration-reloaded', ...none });
    deepEqual(liveness.readinessFailures(), ['eth0: down']);
    events.publish({ event: 'daemon-stopping', why: 'SIGTERM' });
    deepEqual(liveness.readinessFailures(), ['carpd is stopping']);
  });
});
