// The planner: from what is wanted and seen to one batch of commands, and back from what the kernel
// told to what has to be made anew.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  commandLine,
  deviceWord,
  isPresent,
  planBatch,
  type VipGoal,
} from '../../../src/vip/plan.ts';
import { lossesOf, restoreCommand } from '../../../src/vip/plan-losses.ts';
import type { AddressNotice, AddressRecord } from '../../../src/vip/ports.ts';
import { on } from './fake-kernel.ts';
import { ip } from './fakes.ts';

/** "+10.9.0.100/24" wants it present, "-" absent; a "?" before says that it is uncertain. */
function goal(text: string): VipGoal {
  const [, doubt, sign, cidr = ''] = /^(\??)([+-])(.*)$/.exec(text) ?? [];
  const { address, prefixLength } = on(cidr);
  return { vip: { address, prefixLength }, present: sign === '+', uncertain: doubt === '?' };
}

describe('planBatch', () => {
  const table: readonly {
    desc: string;
    goals: readonly string[];
    observed: readonly string[];
    lines: readonly string[];
    otherPrefix?: number;
    endangered?: readonly string[];
  }[] = [
    {
      desc: 'adds to an empty interface',
      goals: ['+10.9.0.100/24'],
      observed: [],
      lines: ['add 10.9.0.100/24'],
    },
    {
      desc: 'leaves an address that is there',
      goals: ['+10.9.0.100/24'],
      observed: ['10.9.0.10/24', '10.9.0.100/24 second'],
      lines: [],
    },
    {
      desc: 'leaves an address with another prefix length, and says so',
      goals: ['+10.9.0.100/24'],
      observed: ['10.9.0.10/24', '10.9.0.100/32'],
      lines: [],
      otherPrefix: 32,
    },
    {
      desc: 'does not complain of a second prefix length beside the right one',
      goals: ['+10.9.0.100/24'],
      observed: ['10.9.0.100/32', '10.9.0.100/24'],
      lines: [],
    },
    {
      desc: 'deletes with the prefix length that is there, every occurrence',
      goals: ['-10.9.0.100/24'],
      observed: ['10.9.0.100/32', '10.9.0.100/16'],
      lines: ['del 10.9.0.100/32', 'del 10.9.0.100/16'],
    },
    {
      desc: 'deletes what has a far end by that, each of several',
      goals: ['-10.9.0.100/24'],
      observed: ['10.9.0.100/32 peer 10.8.0.1', '10.9.0.100/32 peer 10.8.0.2', '10.9.0.100/32'],
      lines: [
        'del 10.9.0.100/32 peer 10.8.0.1/32',
        'del 10.9.0.100/32 peer 10.8.0.2/32',
        'del 10.9.0.100/32',
      ],
    },
    {
      desc: 'knows that what has a far end is of the prefix of that',
      goals: ['-10.9.0.100/24'],
      observed: ['10.9.0.100/24 peer 10.8.0.1', '10.9.0.10/24 second', '10.8.0.5/24 second'],
      lines: ['del 10.9.0.100/24 peer 10.8.0.1/24'],
      endangered: ['10.8.0.5/24 second'],
    },
    { desc: 'has nothing to delete', goals: ['-10.9.0.100/24'], observed: [], lines: [] },
    {
      desc: 'repeats what may have been undone, or not done',
      goals: ['?-10.9.0.100/24', '?+10.9.0.101/24', '?-10.9.0.102/24'],
      observed: ['10.9.0.101/24', '10.9.0.102/32'],
      lines: ['del 10.9.0.100/24', 'del 10.9.0.102/32', 'del 10.9.0.102/24', 'add 10.9.0.101/24'],
    },
    {
      desc: 'deletes secondaries first and adds last',
      goals: ['+10.9.0.103/24', '-10.9.0.101/24', '-10.9.0.102/24'],
      observed: ['10.9.0.101/24', '10.9.0.102/24 second'],
      lines: ['del 10.9.0.102/24', 'del 10.9.0.101/24', 'add 10.9.0.103/24'],
    },
    {
      desc: 'knows what hangs on a primary address that goes',
      goals: ['-10.9.0.101/24', '-10.9.0.102/24'],
      observed: [
        '10.9.0.101/24',
        '10.8.0.1/24',
        '10.9.0.102/24 second',
        '10.9.0.10/24 second',
        '10.8.0.2/24 second',
      ],
      lines: ['del 10.9.0.102/24', 'del 10.9.0.101/24'],
      endangered: ['10.9.0.10/24 second'],
    },
    {
      desc: 'knows that nothing hangs on a secondary',
      goals: ['-10.9.0.101/24'],
      observed: ['10.9.0.10/24', '10.9.0.101/24 second', '10.9.0.11/24 second'],
      lines: ['del 10.9.0.101/24'],
    },
  ];
  for (const { desc, goals, observed, lines, otherPrefix, endangered = [] } of table) {
    it(desc, () => {
      const plan = planBatch(goals.map(goal), observed.map(on));
      const planned = plan.steps.map(({ command }) => commandLine(command, 'bond0'));
      assert.deepEqual(
        planned,
        lines.map((line) => `addr ${line.replace(/^\S+ \S+/, '$& dev bond0')}`),
      );
      assert.deepEqual(
        plan.otherPrefix.map(({ prefixLength }) => prefixLength),
        otherPrefix === undefined ? [] : [otherPrefix],
      );
      assert.deepEqual(plan.endangered, endangered.map(on));
    });
  }

  it('says for which goal a command is', () => {
    const plan = planBatch(['+10.9.0.103/24', '-10.9.0.101/24'].map(goal), [on('10.9.0.101/24')]);
    assert.deepEqual(
      plan.steps.map((step) => step.goal),
      [1, 0],
    );
  });

  it('takes a thousand addresses in its stride: none costs more than one of a hundred', () => {
    const [few, many] = [100, 1_000].map((count) => looksAtEach(count));
    assert.ok(few !== undefined && few > 0);
    assert.equal(many, few);
  });
});

/** How often the plan that takes off so many addresses looks at each of them. */
function looksAtEach(count: number): number {
  const texts = Array.from({ length: count }, (_, n) => `10.9.${n >> 8}.${n & 255}/16`);
  let looks = 0;
  const observed = texts.map((text, n) => {
    const { address, ...rest } = on(n === 0 ? text : `${text} second`);
    return {
      ...rest,
      get address() {
        looks += 1;
        return address;
      },
    };
  });
  const { steps } = planBatch(
    texts.map((text) => goal(`-${text}`)),
    observed,
  );
  assert.equal(steps.length, count);
  return Math.floor(looks / count);
}

describe('the name of an interface in a batch', () => {
  it('is its name, or its number where the name means something there', () => {
    assert.equal(deviceWord({ name: 'eth0.100', ifindex: 3 }), 'eth0.100');
    assert.equal(
      deviceWord({ name: 'e#h0', ifindex: undefined }),
      'e#h0',
      'nothing better is known',
    );
    assert.equal(deviceWord({ name: '\u00e9th0', ifindex: 3 }), 'if3');
    for (const name of ['a#b', 'a"b', "a'b", 'a\\b']) {
      assert.equal(deviceWord({ name, ifindex: 3 }), 'if3');
    }
  });
});

describe('lossesOf', () => {
  const record = (text: string): AddressRecord => {
    const { address, prefixLength } = on(text);
    return { address, prefixLength, peer: address, scope: 0, noPrefixRoute: false };
  };
  const removed = (request: string, text: string): AddressNotice => ({
    kind: 'removed',
    request,
    address: record(text),
  });
  const VIPS = new Set([ip('10.9.0.101'), ip('10.9.0.102')]);
  const [own, vip, second] = ['10.9.0.10/24', '10.9.0.101/24', '10.9.0.102/24'] as const;

  it('names what one request removed together with a virtual IP', () => {
    const notices = [removed('a', second), removed('a', own), removed('a', vip)];
    assert.deepEqual(lossesOf(notices, VIPS), [{ culprit: ip('10.9.0.101'), lost: record(own) }]);
  });

  it('does not name what somebody else removes meanwhile', () => {
    assert.deepEqual(lossesOf([removed('a', vip), removed('b', own)], VIPS), []);
  });

  it('does not name what somebody has made anew since, nor what is missed', () => {
    const added: AddressNotice = { kind: 'added', request: 'b', address: record(own) };
    const notices = [removed('a', own), removed('a', vip), added, { kind: 'gap' } as const];
    assert.deepEqual(lossesOf(notices, VIPS), []);
    assert.equal(lossesOf([added, removed('a', own), removed('a', vip)], VIPS).length, 1);
  });

  it('makes an address anew with everything that it had', () => {
    const line = (more: Partial<AddressRecord>): string =>
      commandLine(restoreCommand({ ...record(own), ...more }, 'bond0'), 'bond0');
    assert.equal(line({ label: 'bond0' }), 'addr add 10.9.0.10/24 dev bond0');
    assert.equal(line({ label: 'eth0:x' }), 'addr add 10.9.0.10/24 dev bond0');
    const much = line({
      peer: ip('10.9.0.1'),
      broadcast: ip('10.9.0.255'),
      label: 'bond0:x',
      scope: 253,
      metric: 50,
      noPrefixRoute: true,
      validS: 0,
      preferredS: 0,
    });
    assert.equal(
      much,
      'addr add 10.9.0.10/24 dev bond0 peer 10.9.0.1/24 broadcast 10.9.0.255 label bond0:x ' +
        'scope 253 metric 50 noprefixroute valid_lft 1 preferred_lft 0',
    );
  });
});

describe('isPresent', () => {
  it('looks for the address, with whatever prefix length', () => {
    const { vip } = goal('+10.9.0.100/24');
    assert.equal(isPresent(vip, [on('10.9.0.10/24'), on('10.9.0.100/32')]), true);
    assert.equal(isPresent(vip, [on('10.9.0.10/24')]), false);
  });
});
