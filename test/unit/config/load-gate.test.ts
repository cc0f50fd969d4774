// The keys of the gate: what they become, what is refused, and what is doubtful.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIpv4 } from '../../../src/base/addresses.ts';
import { GATE_DEFAULTS, sameInstance, type InstanceConfig } from '../../../src/config/config.ts';
import { effectiveConfig } from '../../../src/config/effective.ts';
import { db, faultLines, good, instance, load } from './sample.ts';

const AT = 'instances.db.';
const PEER = parseIpv4('10.9.0.20');

function read(changes: object): InstanceConfig {
  const [first] = good(db(changes)).instances;
  assert.ok(first, 'there is one instance');
  return first;
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
    const taken = read({ gate, peers: ['10.9.0.20'] });
    assert.deepEqual(taken.peers, [PEER]);
    assert.deepEqual(taken.gate, {
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
    assert.equal(read({ ignoreLinkState: true, gate: null }).gate.policy, 'off');
    assert.equal(read({ ignoreLinkState: true, gate: {} }).gate.policy, 'off');
  });
});

describe('faults of the gate', () => {
  const ROWS: readonly [object, string][] = [
    [{ gate: { policy: 'maybe' } }, 'gate.policy: "maybe" is not one of hold, promote-after, off'],
    [{ gate: { promoteAfter: '10ms' } }, 'gate.promoteAfter: "10ms" is out of range 1s to 3600s'],
    [{ gate: { probe: { interval: 0 } } }, 'gate.probe.interval: 0 is out of range 100ms to 60s'],
    [
      { gate: { probe: { target: [] } } },
      'gate.probe.target: unknown key (did you mean "targets"?)',
    ],
    [
      { gate: { probe: 3 } },
      'gate.probe: a number is not a mapping; its keys are targets, interval',
    ],
    [{ gate: { probe: { targets: 'gateway' } } }, 'gate.probe.targets: "gateway" is not a list; '],
    [
      { gate: { probe: { targets: ['gw'] } } },
      'gate.probe.targets: "gw" is not an IPv4 address; write four numbers such as 10.9.0.10, ' +
        'or the word gateway',
    ],
    [
      { gate: { probe: { targets: ['gateway', 'gateway'] } } },
      'gate.probe.targets: "gateway" is there twice; take one out',
    ],
    [{ gate: { probe: { targets: ['127.0.0.1'] } } }, 'gate.probe.targets: "127.0.0.1" is a loop'],
    [{ gate: { policy: true } }, 'gate.policy: true is not one of hold, promote-after, off'],
    [{ gate: { polciy: 'off' } }, 'gate.polciy: unknown key (did you mean "policy"?)'],
    [{ gate: { promoteAfter: '61m' } }, 'gate.promoteAfter: "61m" is out of range 1s to 3600s'],
    [{ gate: { probe: { interval: 61 } } }, 'gate.probe.interval: 61 is out of range 100ms to 60s'],
    [{ gate: { requireProbe: 'yes' } }, 'gate.requireProbe: "yes" is not true or false'],
    [{ gate: { vipInUse: false } }, 'gate.vipInUse: false is not one of unheard, always, off'],
    [{ gate: { uplinks: 'bond0' } }, 'gate.uplinks: "bond0" is not a list; write auto, or names'],
    [{ gate: { uplinks: ['eth0', 'eth0'] } }, 'gate.uplinks: "eth0" is there twice'],
    [{ gate: null, peers: null }, 'peers: has no value'],
    [{ peers: '10.9.0.20' }, 'peers: "10.9.0.20" is not a list; write it such as [10.9.0.20]'],
    [{ peers: ['gateway'] }, 'peers: "gateway" is not an IPv4 address'],
    [{ peers: ['0.0.0.0'] }, 'peers: "0.0.0.0" is not an address'],
    [{ peers: ['255.255.255.255'] }, 'peers: "255.255.255.255" is the broadcast address'],
    [
      { peers: [5, '10.9.0.2', '10.9.0.2', '10.9.0.300'] },
      'peers: 5 is not an IPv4 address; write four numbers such as 10.9.0.10; "10.9.0.2" is ' +
        'there twice; take one out; "10.9.0.300" is not',
    ],
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
      'gate.probe.targets: 10.9.0.1 is the source of this instance; give addresses of other hosts',
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

describe('instances on one interface', () => {
  const faults = (changes: object, web: object): string[] =>
    faultLines(
      load({
        instances: {
          db: instance(changes),
          web: instance({ vhid: 8, address: '10.9.0.101/24', source: '10.9.0.11', ...web }),
        },
      }),
    );

  it('ask neither for what the other one holds nor for its source', () => {
    const targets = ['10.9.0.11'];
    assert.deepEqual(faults({ peers: ['10.9.0.101'], gate: { probe: { targets } } }, {}), [
      'instances.db.gate.probe.targets: 10.9.0.11 is the source of instances.web; give addresses ' +
        'of other hosts',
      'instances.db.peers: 10.9.0.101 is the virtual IP of instances.web; give addresses of ' +
        'other hosts',
    ]);
    const [line = ''] = faults({}, { peers: ['10.9.0.100'] });
    assert.match(line, /^instances\.web\.peers: 10\.9\.0\.100 is the virtual IP of instances\.db;/);
  });

  it('report what both have in common once', () => {
    const lines = faults({ source: '10.9.0.11', peers: ['10.9.0.11'] }, {});
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', /is the source of this instance/);
  });

  it('may ask on another interface, where the address is another host', () => {
    assert.deepEqual(faults({ peers: ['10.9.0.101'] }, { interface: 'eth9' }), []);
  });
});

describe('a reload', () => {
  it('sees every change of the gate and of the peers', () => {
    const plain = read({ gate: { policy: 'hold' } });
    assert.ok(sameInstance(plain, read({})), 'defaults are the same written out or not');
    const changes: readonly object[] = [
      { peers: ['10.9.0.20'] },
      { gate: { policy: 'off' } },
      { gate: { promoteAfter: '30s' } },
      { gate: { probe: { targets: [] } } },
      { gate: { probe: { targets: ['10.9.0.20'] } } },
      { gate: { probe: { interval: '1s' } } },
      { gate: { requireProbe: true } },
      { gate: { vipInUse: 'off' } },
      { gate: { uplinks: ['bond0'] } },
    ];
    for (const change of changes) {
      assert.ok(!sameInstance(plain, read(change)), JSON.stringify(change));
    }
  });
});

describe('doubts about the gate', () => {
  it('a time limit without the policy that reads it', () => {
    const [warning = ''] = warnings({ gate: { promoteAfter: '30s' } });
    assert.match(warning, /^instances\.db\.gate\.promoteAfter: has no effect; it needs policy/);
    assert.deepEqual(warnings({ gate: { policy: 'promote-after', promoteAfter: '30s' } }), []);
    assert.equal(warnings({ gate: { policy: 'hold', promoteAfter: '30s' } }).length, 1);
    assert.equal(warnings({ gate: { promoteAfter: '60s' } }).length, 1);
  });

  it('but not in a configuration that was printed with all its defaults', () => {
    assert.deepEqual(warnings({ gate: { policy: 'hold', promoteAfter: '60s' } }), []);
    assert.deepEqual(warnings({ gate: { policy: 'off', promoteAfter: '60s' } }), []);
  });

  it('answers that are required of nobody', () => {
    const gate = { requireProbe: true, probe: { targets: [] } };
    const [warning = ''] = warnings({ gate });
    assert.match(warning, /^instances\.db\.gate\.requireProbe: .*name peers or probe\.targets$/);
    assert.deepEqual(warnings({ gate, peers: ['10.9.0.20'] }), []);
  });
});
