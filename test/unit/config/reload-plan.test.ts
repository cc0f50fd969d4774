// What a reload changes and what that costs, key by key: every key of the schema has its row, sees
// its change, and no other row does.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sameInstance, type Config, type InstanceConfig } from '../../../src/config/config.ts';
import { diffDaemon, diffInstances } from '../../../src/config/instance-diff.ts';
import { loadConfig } from '../../../src/config/load.ts';
import {
  costsService,
  isEmptyPlan,
  planLines,
  planReload,
} from '../../../src/config/reload-plan.ts';
import {
  DAEMON_ROWS,
  INSTANCE_ROWS,
  rowsOf,
  type ReloadCost,
} from '../../../src/config/reload-table.ts';

const BASE = { interface: 'eth0', vhid: 7, address: '10.9.0.100/24', passphrase: 'secret' };

const HOOKS = { up: ['/up'], down: ['/down'] };

/** A change of every key, as it stands in the file, and what the key costs. */
const CHANGES: readonly (readonly [string, object, ReloadCost])[] = [
  ['interface', { interface: 'eth1' }, 'restart'],
  ['vhid', { vhid: 8 }, 'restart'],
  ['address', { address: '10.9.0.100/25' }, 'restart'],
  ['source', { source: '10.9.0.10' }, 'needs-address'],
  ['passphrase', { passphrase: 'another' }, 'restart'],
  ['advbase', { advbase: 2 }, 'needs-peers'],
  ['advskew', { advskew: 9 }, 'in-place'],
  ['deadRatio', { deadRatio: 5 }, 'in-place'],
  ['preempt', { preempt: true }, 'in-place'],
  ['neutral', { neutral: true }, 'next-start'],
  ['ignoreLinkState', { ignoreLinkState: true, gate: { policy: 'hold' } }, 'in-place'],
  ['multicastGroup', { multicastGroup: '224.0.0.19' }, 'restart'],
  ['broadcast', { broadcast: true }, 'in-place'],
  ['manageAddress', { manageAddress: false, hooks: HOOKS }, 'restart'],
  ['hooks.up', { hooks: { up: ['/up'] } }, 'in-place'],
  ['hooks.down', { hooks: { down: ['/down'] } }, 'in-place'],
  ['hooks.timeout', { hooks: { timeout: '3s' } }, 'in-place'],
  ['hooks.xparam', { hooks: { xparam: 'x' } }, 'in-place'],
  ['announce.burst', { announce: { burst: 9 } }, 'in-place'],
  ['announce.interval', { announce: { interval: '90ms' } }, 'in-place'],
  ['announce.refresh', { announce: { refresh: '60s' } }, 'in-place'],
  ['peers', { peers: ['10.9.0.20'] }, 'in-place'],
  ['gate.policy', { gate: { policy: 'off' } }, 'in-place'],
  ['gate.promoteAfter', { gate: { promoteAfter: '9s' } }, 'in-place'],
  ['gate.probe.targets', { gate: { probe: { targets: ['10.9.0.1'] } } }, 'in-place'],
  ['gate.probe.interval', { gate: { probe: { interval: '1s' } } }, 'in-place'],
  ['gate.requireProbe', { gate: { requireProbe: true } }, 'in-place'],
  ['gate.vipInUse', { gate: { vipInUse: 'off' } }, 'in-place'],
  ['gate.uplinks', { gate: { uplinks: ['eth1'] } }, 'proves-anew'],
];

const DAEMON_CHANGES: readonly (readonly [string, object, ReloadCost])[] = [
  ['log.level', { log: { level: 'debug' } }, 'in-place'],
  ['log.format', { log: { format: 'text' } }, 'in-place'],
  ['metrics.listen', { metrics: { listen: '127.0.0.1:9113' } }, 'in-place'],
  ['control.socket', { control: { socket: '/run/other.sock' } }, 'in-place'],
  ['control.group', { control: { group: 'adm' } }, 'in-place'],
  ['state.directory', { state: { directory: '/var/lib/other' } }, 'next-start'],
];

function load(file: object): Config {
  const loaded = loadConfig(JSON.stringify(file), {
    readFile: () => ({ bytes: new TextEncoder().encode('secret\n'), mode: 0o600 }),
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.config;
}

function one(changes: object): InstanceConfig {
  const [only] = load({ instances: { db: { ...BASE, ...changes } } }).instances;
  assert.ok(only);
  return only;
}

function changesOf(before: object, after: object): readonly (readonly [string, ReloadCost])[] {
  const { inPlace, restarted } = diffInstances([one(before)], [one(after)]);
  const [changed] = [...inPlace, ...restarted];
  return (changed?.changes ?? []).map(({ key, cost }) => [key, cost] as const);
}

describe('a change of an instance', () => {
  for (const [key, change, cost] of CHANGES) {
    test(`${key}: ${cost}`, () => {
      // Hooks are needed where they manage the address.
      const base = key === 'manageAddress' ? { hooks: HOOKS } : {};
      assert.deepEqual(changesOf(base, change), [[key, cost]]);
      assert.deepEqual(changesOf(change, change), []);
      assert.ok(!sameInstance(one(base), one(change)), 'a comparison of the whole sees it too');
      const { restarted } = diffInstances([one(base)], [one(change)]);
      assert.equal(restarted.length, cost === 'restart' ? 1 : 0);
    });
  }

  test('is looked for in every key that there is', () => {
    const rows = rowsOf(INSTANCE_ROWS).map(({ key }) => key);
    const tried = [...CHANGES.map(([key]) => key), 'passphraseFile'];
    assert.deepEqual([...rows].sort(), tried.sort());
  });

  test('of the passphrase file alone is in place where it holds the same passphrase', () => {
    const file = (passphraseFile: string): object => ({ passphrase: undefined, passphraseFile });
    assert.deepEqual(changesOf(file('/a'), file('/b')), [['passphraseFile', 'in-place']]);
    assert.deepEqual(changesOf({}, file('/b')), [['passphraseFile', 'in-place']]);
  });

  test('of ignoreLinkState costs something where carrier counts again', () => {
    const on = { ignoreLinkState: true, gate: { policy: 'hold' } };
    assert.deepEqual(changesOf(on, {}), [['ignoreLinkState', 'needs-carrier']]);
  });

  test('in several keys restarts it if one of them does', () => {
    const { restarted, inPlace } = diffInstances([one({})], [one({ advskew: 3, vhid: 9 })]);
    assert.deepEqual([restarted.length, inPlace.length], [1, 0]);
  });
});

describe('a change beside the instances', () => {
  for (const [key, change, cost] of DAEMON_CHANGES) {
    test(`${key}: ${cost}`, () => {
      const file = { instances: { db: BASE } };
      const changes = diffDaemon(load(file), load({ ...file, ...change }));
      assert.deepEqual(
        changes.map((one) => [one.key, one.cost]),
        [[key, cost]],
      );
    });
  }

  test('is looked for in every key that there is', () => {
    const rows = rowsOf(DAEMON_ROWS).map(({ key }) => key);
    assert.deepEqual([...rows].sort(), DAEMON_CHANGES.map(([key]) => key).sort());
  });
});

describe('the plan of a reload', () => {
  const web = { ...BASE, vhid: 8, address: '10.9.0.101/24' };
  const old = { ...BASE, vhid: 9, address: '10.9.0.102/24' };
  const before = load({ instances: { db: BASE, web, old } });

  test('says what it changes, what that costs, and who hands over', () => {
    const after = load({
      log: { level: 'debug' },
      instances: {
        db: { ...BASE, passphrase: 'hush hush', advskew: 5 },
        web: { ...web, hooks: { timeout: '3s' } },
        fresh: { ...BASE, vhid: 10, address: '10.9.0.103/24' },
      },
    });
    const plan = planReload(before, after, (name) => name !== 'old');
    assert.deepEqual(planLines(plan), [
      'carpd: log.level info -> debug (applied in place)',
      'old: ends; it is not master, so no client notices',
      'db: passphrase has changed (needs a restart of the instance)',
      'db: advskew 0 -> 5 (applied in place)',
      'db: restarts; it is MASTER and hands over first',
      'web: hooks.timeout 10s -> 3s (applied in place)',
      'fresh: begins',
      '1 master hands over: without another node that takes over, the virtual IP is away until ' +
        'this node is master again',
    ]);
    assert.ok(costsService(plan));
    assert.ok(!JSON.stringify(plan).includes('hush'), 'no passphrase');
  });

  test('counts the masters that hand over', () => {
    const after = load({ instances: { db: { ...BASE, vhid: 20 }, web: { ...web, vhid: 21 } } });
    const lines = planLines(planReload(before, after, () => true));
    assert.match(lines.at(-1) ?? '', /^3 masters hand over/);
  });

  test('says that nothing changes, and that no master is restarted', () => {
    const same = planReload(before, before, () => true);
    assert.ok(isEmptyPlan(same));
    assert.match(planLines(same).join(), /nothing changes/);
    const after = load({ instances: { db: { ...BASE, advskew: 1 }, web, old } });
    const plan = planReload(before, after, () => true);
    assert.ok(!costsService(plan));
    assert.equal(planLines(plan).at(-1), 'no master is restarted');
  });
});
