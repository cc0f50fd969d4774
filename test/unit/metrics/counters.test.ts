// Which event is counted by which metric.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBus } from '../../../src/events/bus.ts';
import type { InstanceEventFields, LinkEventFields } from '../../../src/events/events.ts';
import { feedMetrics } from '../../../src/metrics/counters.ts';
import { DB, metricsOf } from '../../support/exposition.ts';

const IDENTITY = { name: 'db', interface: 'eth0', vhid: 7, vip: '10.9.0.100' };
const OF = 'name="db",interface="eth0",vhid="7"';

const OF_INSTANCE: readonly [InstanceEventFields, readonly string[]][] = [
  [
    {
      event: 'transition',
      from: 'BACKUP',
      to: 'MASTER',
      cause: 'master-down',
      peer: null,
      term: 1,
      masterDownInMs: null,
      advertiseInMs: 1_000,
      advskew: 0,
    },
    [`carpd_transitions_total{${OF},from="backup",to="master",cause="master-down"} 1`],
  ],
  [
    { event: 'takeover', cause: 'master-down', term: 1, durationMs: 12_500 },
    [
      `carpd_takeover_duration_seconds_bucket{le="+Inf",${OF}} 1`,
      `carpd_takeover_duration_seconds_sum{${OF}} 12.5`,
      `carpd_takeover_duration_seconds_count{${OF}} 1`,
    ],
  ],
  [
    { event: 'promotion-held', reason: 'vip-failed' },
    [`carpd_promotions_held_total{${OF},reason="vip-failed"} 1`],
  ],
  [
    { event: 'conflict', peer: '10.9.0.20', equal: true, announces: true },
    [`carpd_master_conflicts_total{${OF}} 1`],
  ],
  [
    { event: 'advert-sent', advert: 'bow-out', advbase: 255, advskew: 255 },
    [`carpd_adverts_sent_total{${OF}} 1`],
  ],
  [
    {
      event: 'advert-received',
      from: '10.9.0.20',
      advbase: 1,
      advskew: 0,
      demote: 0,
      bowOut: false,
      heardBy: 'socket',
    },
    [`carpd_adverts_received_total{${OF}} 1`],
  ],
  [{ event: 'announced' }, [`carpd_gratuitous_arps_sent_total{${OF}} 1`]],
  [{ event: 'vip-restored', replaced: false }, [`carpd_vip_restored_total{${OF}} 1`]],
  [{ event: 'vip-restored', replaced: true }, []],
  [{ event: 'vip-unwanted' }, [`carpd_vip_unwanted_total{${OF}} 1`]],
  [{ event: 'vip-in-use', mac: null, holdsOff: true }, [`carpd_vip_in_use_total{${OF}} 1`]],
  [
    {
      event: 'hook-finished',
      hook: 'down',
      result: 'timeout',
      durationMs: 61_000,
      detail: null,
    },
    [
      `carpd_hook_runs_total{${OF},hook="down",result="timeout"} 1`,
      `carpd_hook_duration_seconds_bucket{le="+Inf",${OF},hook="down"} 1`,
      `carpd_hook_duration_seconds_sum{${OF},hook="down"} 61`,
      `carpd_hook_duration_seconds_count{${OF},hook="down"} 1`,
    ],
  ],
  // Not run, so no run; and what is only told, or shown by a gauge.
  [{ event: 'hook-finished', hook: 'up', result: 'skipped', durationMs: 0, detail: null }, []],
  [{ event: 'vip-added' }, []],
  [{ event: 'gate-opened', by: 'proof' }, []],
];

const OF_LINK: readonly [LinkEventFields, readonly string[]][] = [
  [
    { event: 'advert-rejected', reason: 'bad-digest', from: null, vhid: 7, rivalsMaster: false },
    ['carpd_adverts_rejected_total{interface="eth0",reason="bad-digest"} 1'],
  ],
  [
    { event: 'link-epoch', epoch: 2, cause: 'carrier-lost' },
    ['carpd_link_epochs_total{interface="eth0",cause="carrier-lost"} 1'],
  ],
  [
    { event: 'link-proved', heldMs: 901_000, by: 'frame', from: null },
    [
      'carpd_link_hold_seconds_bucket{le="+Inf",interface="eth0"} 1',
      'carpd_link_hold_seconds_sum{interface="eth0"} 901',
      'carpd_link_hold_seconds_count{interface="eth0"} 1',
    ],
  ],
  [{ event: 'link-unproved', reasons: ['no-frames'] }, []],
];

/** What is not 0 after the event, of all counters and histograms. */
async function countedAfter(publish: (bus: EventBus) => void): Promise<readonly string[]> {
  const metrics = metricsOf();
  metrics.addInstance(DB);
  const bus = new EventBus((error) => assert.fail(String(error)));
  feedMetrics(bus, metrics);
  publish(bus);
  const lines = (await metrics.render()).split('\n');
  return lines.filter((line) => /^carpd_(?!build|config).* (?!0$)/.test(line));
}

for (const [event, counted] of OF_INSTANCE) {
  test(`of an instance: ${JSON.stringify(event)}`, async () => {
    const after = await countedAfter((bus) => bus.publish({ ...event, ...IDENTITY }));
    assert.deepEqual(after, counted);
  });
}

for (const [event, counted] of OF_LINK) {
  test(`of a link: ${JSON.stringify(event)}`, async () => {
    const after = await countedAfter((bus) => bus.publish({ ...event, interface: 'eth0' }));
    assert.deepEqual(after, counted);
  });
}

test('of the daemon: a late wake', async () => {
  const after = await countedAfter((bus) => bus.publish({ event: 'late-wake', lateMs: 100 }));
  assert.deepEqual(after, ['carpd_late_wakes_total 1']);
});

test('of an instance that is not there: nothing', async () => {
  const other = { ...IDENTITY, name: 'web' };
  const after = await countedAfter((bus) => bus.publish({ event: 'announced', ...other }));
  assert.deepEqual(after, []);
});
