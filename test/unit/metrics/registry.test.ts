// The registry: every series from the start, counted, shown, and gone with its instance.
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { fromMillis, fromSeconds, micros } from '../../../src/base/time.ts';
import { labelNames, METRICS, type MetricSpec } from '../../../src/metrics/catalogue/metrics.ts';
import {
  DB,
  families,
  instanceSample,
  linkSample,
  metricsOf,
  valueOf,
} from '../../support/exposition.ts';

const OF_DB = 'name="db",interface="eth0",vhid="7"';
const catalogue: readonly [string, MetricSpec][] = Object.entries(METRICS);

/** All there is to show of an instance, its peers and a bond. */
function full(): ReturnType<typeof metricsOf> {
  const metrics = metricsOf(() => ({
    instances: [
      instanceSample({
        source: '10.9.0.10',
        peers: [{ address: '10.9.0.20', interval: fromSeconds(1) }],
        standbys: [{ address: '10.9.0.20', answers: true }],
      }),
    ],
    links: [linkSample({ ports: [{ name: 'eth1', ready: true }] })],
  }));
  metrics.addInstance(DB);
  return metrics;
}

describe('the catalogue', () => {
  for (const [name, spec] of catalogue) {
    test(`${name} is named, labelled and explained as it should be`, () => {
      assert.match(name, /^carpd_[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith('_total'), spec.type === 'counter', 'counters end with _total');
      if (spec.type === 'histogram') assert.match(name, /_seconds$/);
      const labels = labelNames(spec);
      assert.equal(new Set(labels).size, labels.length, 'no label twice');
      for (const taken of ['instance', 'job', 'le']) assert.ok(!labels.includes(taken), taken);
      assert.match(spec.help, /^(?:[A-Z]|[01] |240).*\.$/, 'a sentence');
      if (spec.series === 'open') return;
      for (const series of spec.series)
        assert.deepEqual(Object.keys(series), [...spec.labels.filter((label) => label in series)]);
    });
  }

  test('every series of a closed list is there once', () => {
    for (const [name, { series }] of catalogue) {
      if (series === 'open') continue;
      const keys = series.map((one) => JSON.stringify(one));
      assert.equal(new Set(keys).size, keys.length, name);
    }
  });
});

describe('what is served', () => {
  test('has every metric, with exactly its labels, type and meaning', async () => {
    const served = families(await full().render());
    for (const [name, spec] of catalogue) {
      const family = served.find((one) => one.name === name);
      assert.ok(family, `${name} is served`);
      assert.deepEqual([family.type, family.help], [spec.type, spec.help], name);
      if (name === 'carpd_check_up') {
        assert.deepEqual(family.samples, [], 'there are no checks yet');
        continue;
      }
      const hasNone = spec.atZero?.length === 0;
      assert.equal(family.samples.length > 0, !hasNone, `${name} has a series`);
      for (const sample of family.samples) {
        const labels = [...sample.matchAll(/([a-z]+)="[^"]*"/g)].map((match) => match[1]!);
        const expected = [...labelNames(spec)];
        assert.deepEqual(labels.filter((label) => label !== 'le').sort(), expected.sort(), sample);
      }
    }
  });

  test('has the series at 0 from the start that have to be, and no others', async () => {
    const served = families(await full().render());
    for (const [name, spec] of catalogue) {
      const { type, buckets = [] } = spec;
      if (type === 'gauge' || spec.series === 'open') continue;
      const series = spec.atZero ?? spec.series;
      const { samples } = served.find((one) => one.name === name)!;
      // A bucket for each bound and for infinity, the sum and the count.
      const each = type === 'histogram' ? buckets.length + 3 : 1;
      assert.equal(samples.length, series.length * each, name);
      for (const sample of samples) assert.match(sample, / 0$/);
    }
  });

  test('an instance without hooks and with a peer has 40 series and 4 kB', async () => {
    const peers = [{ address: '10.9.0.20', interval: fromSeconds(1) }];
    const metrics = metricsOf(() => ({ instances: [instanceSample({ peers })] }));
    metrics.addInstance(DB, []);
    const lines = (await metrics.render()).split('\n').filter((line) => line.includes('name="db"'));
    assert.ok(lines.length <= 40, String(lines.length));
    assert.ok(lines.join('\n').length <= 4_096, String(lines.join('\n').length));
  });

  test('is written in slices, with turns of the loop for others between them', async () => {
    const turnsOf = async (count: number): Promise<number> => {
      const instances = Array.from({ length: count }, (_, index) =>
        instanceSample({ labels: { ...DB, name: `db-${index}` } }),
      );
      const rendered = metricsOf(() => ({ instances })).render();
      let turns = 0;
      const state = { isDone: false };
      void rendered.then(() => (state.isDone = true));
      for (; !state.isDone; turns += 1) await nextTurn();
      return turns;
    };
    const [few, many] = [await turnsOf(10), await turnsOf(210)];
    assert.ok(many - few >= 8, `${few} turns for 10 instances, ${many} for 210`);
  });

  test('hooks that an instance does not have have no series', async () => {
    const metrics = metricsOf();
    metrics.addInstance(DB, ['up']);
    const text = await metrics.render();
    assert.match(text, /hook="up"/);
    assert.doesNotMatch(text, /hook="down"/);
  });

  test('ends with a line feed, and has no gauge with the name of a counter', async () => {
    const text = await full().render();
    assert.match(text, /[^\n]\n$/);
    assert.doesNotMatch(text, /nodejs_active_\w+_total/);
    assert.match(text, /^process_start_time_seconds \d/m);
    assert.match(text, /^nodejs_eventloop_lag_seconds \d/m);
    assert.doesNotMatch(text, /nodejs_eventloop_lag_p99_seconds/, 'its monitor never rests');
  });

  test('the build', async () => {
    const series = `carpd_build_info{version="1.2.3",node="${process.version}"}`;
    assert.equal(valueOf(await metricsOf().render(), series), 1);
  });
});

describe('counting', () => {
  test('how late the loop was', async () => {
    const metrics = full();
    metrics.loopLag(0.0008);
    metrics.loopLag(0.02);
    const text = await metrics.render();
    const counts = ['0.001', '0.01', '0.025', '+Inf'].map((bound) =>
      valueOf(text, `carpd_loop_lag_seconds_bucket{le="${bound}"}`),
    );
    assert.deepEqual(counts, [1, 1, 2, 2]);
  });

  test('counts what is named, and nothing else', async () => {
    const metrics = full();
    const labels = { ...DB, from: 'backup', to: 'master', cause: 'master-down' };
    metrics.add('carpd_transitions_total', labels, 1);
    metrics.add('carpd_transitions_total', labels, 1);
    metrics.add('carpd_adverts_rejected_total', { interface: 'eth0', reason: 'bad-digest' }, 1);
    metrics.add('carpd_late_wakes_total', {}, 1);
    const text = await metrics.render();
    const counted = text.split('\n').filter((line) => /^carpd_\w+_total.* [1-9]/.test(line));
    assert.deepEqual(counted, [
      `carpd_transitions_total{${OF_DB},from="backup",to="master",cause="master-down"} 2`,
      'carpd_adverts_rejected_total{interface="eth0",reason="bad-digest"} 1',
      'carpd_late_wakes_total 1',
    ]);
  });

  test('puts durations into their buckets', async () => {
    const metrics = full();
    metrics.add('carpd_takeover_duration_seconds', DB, 0.03);
    const text = await metrics.render();
    const bucket = (le: string): number | undefined =>
      valueOf(text, `carpd_takeover_duration_seconds_bucket{le="${le}",${OF_DB}}`);
    assert.deepEqual([bucket('0.025'), bucket('0.05'), bucket('+Inf')], [0, 1, 1]);
    assert.equal(valueOf(text, `carpd_takeover_duration_seconds_sum{${OF_DB}}`), 0.03);
  });

  test('the lines of the log that were dropped', async () => {
    let logLinesDropped = 3;
    const metrics = metricsOf(() => ({ logLinesDropped }));
    assert.equal(valueOf(await metrics.render(), 'carpd_log_lines_dropped_total'), 3);
    logLinesDropped = 10;
    await metrics.render();
    assert.equal(valueOf(await metrics.render(), 'carpd_log_lines_dropped_total'), 10);
  });
});

test('a reload that was refused shows until one is not', async () => {
  let isReloadGood = false;
  const metrics = metricsOf(() => ({ isReloadGood }));
  const shown = async (): Promise<number | undefined> =>
    valueOf(await metrics.render(), 'carpd_config_last_reload_successful');
  assert.equal(await shown(), 0);
  isReloadGood = true;
  assert.equal(await shown(), 1);
});

describe('an instance that goes', () => {
  const WEB = { name: 'web', interface: 'eth1', vhid: '8' };

  test('takes its series along, and those of an interface that nobody uses', async () => {
    let instances = [instanceSample(), instanceSample({ labels: WEB })];
    let links = [linkSample(), linkSample({ interface: 'eth1' })];
    const metrics = metricsOf(() => ({ instances, links }));
    metrics.addInstance(DB);
    const alone = await metrics.render();
    metrics.addInstance(WEB);
    assert.match(await metrics.render(), /name="web"/);
    instances = instances.slice(0, 1);
    links = links.slice(0, 1);
    metrics.removeInstance('web');
    const after = await metrics.render();
    assert.doesNotMatch(after, /"web"|"eth1"/);
    const carpd = (text: string): string[] =>
      text.split('\n').filter((line) => line.startsWith('carpd_') && !line.includes('eth1'));
    assert.deepEqual(
      carpd(after),
      carpd(alone).filter((line) => !line.includes('web')),
    );
    metrics.removeInstance('web');
  });

  test('leaves the interface to another one on it', async () => {
    const metrics = metricsOf();
    metrics.addInstance(DB);
    metrics.addInstance({ ...WEB, interface: 'eth0' });
    metrics.add('carpd_link_epochs_total', { interface: 'eth0', cause: 'carrier-lost' }, 1);
    metrics.removeInstance('db');
    const series = 'carpd_link_epochs_total{interface="eth0",cause="carrier-lost"}';
    assert.equal(valueOf(await metrics.render(), series), 1);
  });

  test('is not brought back by what is heard of it late', async () => {
    const metrics = metricsOf();
    metrics.addInstance(DB);
    metrics.removeInstance('db');
    metrics.addInstance({ ...DB, vhid: '9' });
    metrics.add('carpd_master_conflicts_total', DB, 1);
    metrics.add('carpd_hook_duration_seconds', { ...DB, hook: 'up' }, 1);
    metrics.add('carpd_link_epochs_total', { interface: 'eth9', cause: 'carrier-lost' }, 1);
    const text = await metrics.render();
    assert.doesNotMatch(text, /vhid="7"|eth9/);
    assert.match(text, /vhid="9"/);
  });
});

describe('gauges', () => {
  test('show the moment of the scrape', async () => {
    const wallMs = Date.now();
    const metrics = metricsOf(() => ({
      now: fromSeconds(100),
      instances: [
        instanceSample({
          state: 'MASTER',
          source: '10.9.0.10',
          inDoubt: true,
          maintenanceSinceMs: 1_777_636_800_250,
          gateOpen: true,
          vipPresent: true,
          effectiveAdvskew: 240,
          lastTransitionAt: fromSeconds(90),
          peers: [
            { address: '10.9.0.20', interval: fromMillis(1_250) },
            { address: '10.9.0.30', interval: undefined },
          ],
          standbys: [
            { address: '10.9.0.20', answers: true },
            { address: '10.9.0.30', answers: false },
          ],
        }),
      ],
      links: [
        linkSample({
          ready: true,
          conditions: { carrier: true, lacp: true, frames: false },
          evidenceAt: new Map([['probe', fromSeconds(99)]]),
          ports: [
            { name: 'eth1', ready: true },
            { name: 'eth2', ready: false },
          ],
        }),
      ],
    }));
    const text = await metrics.render();
    const shows = (series: string, value: number | undefined): void =>
      assert.equal(valueOf(text, series), value, series);
    shows(`carpd_instance_info{${OF_DB},vip="10.9.0.100",source="10.9.0.10"}`, 1);
    for (const state of ['init', 'held', 'backup', 'master']) {
      const series = `carpd_instance_state{${OF_DB},vip="10.9.0.100",state="${state}"}`;
      shows(series, state === 'master' ? 1 : 0);
    }
    for (const name of ['in_doubt', 'gate_open', 'vip_present', 'maintenance'])
      shows(`carpd_${name}{${OF_DB}}`, 1);
    shows(`carpd_maintenance_since_timestamp_seconds{${OF_DB}}`, 1_777_636_800.25);
    shows(`carpd_effective_advskew{${OF_DB}}`, 240);
    shows(`carpd_standby_answers{${OF_DB},peer="10.9.0.20"}`, 1);
    shows(`carpd_standby_answers{${OF_DB},peer="10.9.0.30"}`, 0);
    shows(`carpd_peer_info{${OF_DB},peer="10.9.0.20"}`, 1);
    shows(`carpd_peer_info{${OF_DB},peer="10.9.0.30"}`, 1);
    shows(`carpd_peer_advert_interval_seconds{${OF_DB},peer="10.9.0.20"}`, 1.25);
    shows(`carpd_peer_advert_interval_seconds{${OF_DB},peer="10.9.0.30"}`, undefined);
    shows(`carpd_last_advert_received_timestamp_seconds{${OF_DB}}`, 0);
    shows('carpd_link_ready{interface="eth0"}', 1);
    shows('carpd_link_condition{interface="eth0",condition="lacp"}', 1);
    shows('carpd_link_condition{interface="eth0",condition="frames"}', 0);
    shows('carpd_link_evidence_timestamp_seconds{interface="eth0",kind="frame"}', 0);
    shows('carpd_lacp_port_ready{interface="eth0",port="eth1"}', 1);
    shows('carpd_lacp_port_ready{interface="eth0",port="eth2"}', 0);
    const changed = valueOf(text, `carpd_last_transition_timestamp_seconds{${OF_DB}}`) ?? 0;
    const tenSecondsAgo = wallMs / 1_000 - 10;
    assert.ok(Math.abs(changed - tenSecondsAgo) < 60, `${changed} is about ${tenSecondsAgo}`);
  });

  test('forget what is no longer there', async () => {
    let peers = [{ address: '10.9.0.20', interval: micros(1) }];
    const metrics = metricsOf(() => ({ instances: [instanceSample({ peers })] }));
    assert.match(await metrics.render(), /peer="10.9.0.20"/);
    peers = [];
    assert.doesNotMatch(await metrics.render(), /peer="10.9.0.20"/);
  });
});
