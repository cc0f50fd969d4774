// The keys of the gate: what they become, what is refused, and what is doubtful.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIpv4 } from '../../../src/carp/addresses.ts';
import { GATE_DEFAULTS, type InstanceConfig } from '../../../src/config/config.ts';
import { effectiveConfig } from '../../../src/config/effective.ts';
import { db, faultLines, good, load } from './sample.ts';

const AT = 'instances.db.';
const PEER = parseIpv4('10.9.0.20');

function read(changes: object): InstanceConfig {
  const [instance] = good(db(changes)).instances;
  assert.ok(instance, 'there is one instance');
  return instance;
}

function warnings(changes: object): string[] {
  return load(db(changes)).warnings.map(({ path, message }) => `${path}: ${message}`);
}

describe('the gate', () => {
  it('holds, where nothing is said of it', () => {
    const { gate, peers } = read({});
    assert.deepEqual(gate, GATE_DEFAULTS);
    assert.deepEqual(peers, []);
  });

  it('takes all its keys', () => {
    const gate = {
      policy: 'promote-after',
      promoteAfter: '90s',
      probe: { targets: ['gateway', '10.9.0.20'], interval: '250ms' },
      requireProbe: true,
      vipInUse: 'always',
      uplinks: ['bond0', 'eth2'],
    };
    const instance = read({ gate, peers: ['10.9.0.20'] });
    assert.deepEqual(instance.peers, [PEER]);
    assert.deepEqual(instance.gate, {
      policy: 'promote-after',
      promoteAfterMs: 90_000,
      probe: { targets: ['gateway', PEER], intervalMs: 250 },
      requireProbe: true,
      vipInUse: 'always',
      uplinks: ['bond0', 'eth2'],
    });
  });

  it('reads back what it shows', () => {
    const gate = { probe: { targets: ['10.9.0.20'] }, uplinks: ['bond0'], requireProbe: true };
    const config = good(db({ gate, peers: ['10.9.0.20'] }));
    const shown = JSON.parse(JSON.stringify(effectiveConfig(config))) as {
      instances: { db: { gate: object; peers: object } };
    };
    const { gate: again, peers } = shown.instances.db;
    assert.deepEqual(read({ gate: again, peers }).gate, config.instances[0]?.gate);
  });

  it('is off with ignoreLinkState, unless it is configured too', () => {
    assert.equal(read({ ignoreLinkState: true }).gate.policy, 'off');
    assert.equal(read({ ignoreLinkState: true, gate: { requireProbe: true } }).gate.policy, 'hold');
    assert.equal(read({ ignoreLinkState: true, gate: { policy: 'hold' } }).gate.policy, 'hold');
  });

  it('may have sections whose keys are all commented out', () => {
    assert.deepEqual(read({ gate: null }).gate, GATE_DEFAULTS);
    assert.deepEqual(read({ gate: { probe: null } }).gate, GATE_DEFAULTS);
  });
});

describe('faults of the gate', () => {
  const ROWS: readonly [object, string][] = [
    [{ gate: { policy: 'maybe' } }, 'gate.policy: "maybe" is none of hold, promote-after, off'],
    [
      { gate: { promoteAfter: '10ms' } },
      'gate.promoteAfter: "10ms" is out of range 1s to 24 hours',
    ],
    [
      { gate: { probe: { interval: 0 } } },
      'gate.probe.interval: 0 is out of range 100ms to 24 hours',
    ],
    [
      { gate: { probe: { target: [] } } },
      'gate.probe.target: unknown key (did you mean "targets"?)',
    ],
    [
      { gate: { probe: 3 } },
      'gate.probe: a number is not a mapping; its keys are targets, interval',
    ],
    [{ gate: { probe: { targets: 'gateway' } } }, 'gate.probe.targets: "gateway" is not a list; '],
    [{ gate: { probe: { targets: ['gw'] } } }, 'gate.probe.targets: "gw" is not an IPv4 address; '],
    [{ gate: { uplinks: [] } }, 'gate.uplinks: is empty, so that nothing could prove the link; '],
    [{ gate: { uplinks: ['a b'] } }, 'gate.uplinks: "a b" is not an interface name: '],
    [{ gate: 'hold' }, 'gate: a string is not a mapping; its keys are policy, '],
    [{ peers: ['224.0.0.1'] }, 'peers: "224.0.0.1" is a multicast address; '],
    [{ peers: ['10.9.0.2', '10.9.0.2'] }, 'peers: "10.9.0.2" is there twice; take one out'],
    [
      { peers: ['10.9.0.100'] },
      'peers: 10.9.0.100 is the virtual IP; give addresses of other hosts',
    ],
    [
      { gate: { probe: { targets: ['10.9.0.1'] } }, source: '10.9.0.1' },
      'gate.probe.targets: 10.9.0.1 is source; give addresses of other hosts',
    ],
    [
      { peers: Array.from({ length: 33 }, (_, index) => `10.9.1.${String(index)}`) },
      'peers: has more than 32 entries; leave some out',
    ],
  ];
  for (const [changes, expected] of ROWS) {
    it(expected, () => {
      const lines = faultLines(load(db(changes)));
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.ok(lines[0]?.startsWith(AT + expected), lines[0]);
    });
  }
});

describe('doubts about the gate', () => {
  it('a time limit without the policy that reads it', () => {
    const [warning = ''] = warnings({ gate: { promoteAfter: '30s' } });
    assert.match(warning, /^instances\.db\.gate\.promoteAfter: has no effect; it needs policy/);
    assert.deepEqual(warnings({ gate: { policy: 'promote-after', promoteAfter: '30s' } }), []);
  });

  it('answers that are required of nobody', () => {
    const gate = { requireProbe: true, probe: { targets: [] } };
    const [warning = ''] = warnings({ gate });
    assert.match(warning, /^instances\.db\.gate\.requireProbe: .*name peers or probe\.targets$/);
    assert.deepEqual(warnings({ gate, peers: ['10.9.0.20'] }), []);
  });
});
