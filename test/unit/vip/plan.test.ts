// The planner: from what is wanted and seen to `ip` commands.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatIpv4 } from '../../../src/carp/addresses.ts';
import { isPresent, planVip, takenAlong, type Vip } from '../../../src/vip/plan.ts';
import type { ObservedAddress } from '../../../src/vip/ports.ts';
import { FakeKernel, ip, on, settle } from './fakes.ts';

const VIP: Vip = { interfaceName: 'bond0', address: ip('10.9.0.100'), prefixLength: 24 };
const ADD = 'ip addr add 10.9.0.100/24 dev bond0';
const DELETE = 'ip addr del 10.9.0.100/24 dev bond0';

describe('planVip', () => {
  const table: readonly {
    desc: string;
    present: boolean;
    observed: readonly string[];
    commands: readonly string[];
    warned?: string;
  }[] = [
    { desc: 'adds to an empty interface', present: true, observed: [], commands: [ADD] },
    {
      desc: 'adds beside another address of the prefix',
      present: true,
      observed: ['10.9.0.10/24 bond0'],
      commands: [ADD],
    },
    {
      desc: 'adds although another interface has the address',
      present: true,
      observed: ['10.9.0.100/24 eth1'],
      commands: [ADD],
    },
    {
      desc: 'leaves an address that is there',
      present: true,
      observed: ['10.9.0.100/24 bond0'],
      commands: [],
    },
    {
      desc: 'leaves an address with another prefix length, and says so',
      present: true,
      observed: ['10.9.0.10/24 bond0', '10.9.0.100/32 bond0'],
      commands: [],
      warned: '10.9.0.100/32 bond0',
    },
    {
      desc: 'does not complain of a second prefix length beside the right one',
      present: true,
      observed: ['10.9.0.100/32 bond0', '10.9.0.100/24 bond0'],
      commands: [],
    },
    {
      desc: 'deletes what is there',
      present: false,
      observed: ['10.9.0.10/24 bond0', '10.9.0.100/24 bond0'],
      commands: [DELETE],
    },
    {
      desc: 'deletes with the prefix length that is there, every occurrence once',
      present: false,
      observed: ['10.9.0.100/32 bond0', '10.9.0.100/16 bond0', '10.9.0.100/32 bond0'],
      commands: ['ip addr del 10.9.0.100/32 dev bond0', 'ip addr del 10.9.0.100/16 dev bond0'],
    },
    {
      desc: 'touches no other interface',
      present: false,
      observed: ['10.9.0.100/24 eth1'],
      commands: [],
    },
    { desc: 'has nothing to delete', present: false, observed: [], commands: [] },
  ];
  for (const { desc, present, observed, commands, warned } of table) {
    it(desc, () => {
      const plan = planVip(VIP, present, observed.map(on));
      assert.deepEqual(
        plan.commands.map((argv) => argv.join(' ')),
        commands,
      );
      const warnings = warned === undefined ? [] : [{ kind: 'other-prefix', observed: on(warned) }];
      assert.deepEqual(plan.warnings, warnings);
    });
  }

  it('passes one word per argument', () => {
    assert.deepEqual(planVip(VIP, true, []).commands, [
      ['ip', 'addr', 'add', '10.9.0.100/24', 'dev', 'bond0'],
    ]);
  });
});

const observations: fc.Arbitrary<readonly ObservedAddress[]> = fc.uniqueArray(
  fc.record(
    {
      interfaceName: fc.constantFrom('bond0', 'eth1'),
      address: fc.constantFrom(...['10.9.0.100', '10.9.0.10', '10.9.0.11', '10.8.0.1'].map(ip)),
      prefixLength: fc.constantFrom(16, 24, 32),
    },
    { noNullPrototype: true },
  ),
  { selector: textOf, maxLength: 8 },
);

function textOf(address: ObservedAddress): string {
  const { prefixLength, interfaceName } = address;
  return `${formatIpv4(address.address)}/${String(prefixLength)} ${interfaceName}`;
}

describe('a plan that is carried out', () => {
  it('reaches what is wanted, leaves nothing to do, and costs no other address', async () => {
    const property = fc.asyncProperty(
      observations,
      fc.boolean(),
      fc.boolean(),
      async (observed, present, promoteSecondaries) => {
        const kernel = new FakeKernel(...observed.map(textOf));
        kernel.promoteSecondaries = promoteSecondaries;
        await carryOut(kernel, planVip(VIP, present, kernel.observe()).commands);
        const taken = takenAlong(VIP, observed, kernel.observe());
        assert.ok(!promoteSecondaries || taken.length === 0, 'nothing was taken along');
        assert.equal(isPresent(VIP, kernel.observe()), present);
        assert.deepEqual(planVip(VIP, present, kernel.observe()).commands, []);
        const left = [...kernel.observe(), ...taken].map(textOf).sort();
        const others = observed.map(textOf).filter((text) => !isVip(text));
        assert.deepEqual(
          left.filter((text) => !isVip(text)),
          others.sort(),
        );
      },
    );
    await fc.assert(property);
  });
});

function isVip(text: string): boolean {
  return text.startsWith('10.9.0.100/') && text.endsWith(' bond0');
}

async function carryOut(
  kernel: FakeKernel,
  commands: readonly (readonly string[])[],
): Promise<void> {
  for (const argv of commands) {
    kernel.runCommand({ argv, timeoutMs: 1 });
    await settle();
  }
}

describe('takenAlong', () => {
  const before = [
    '10.9.0.100/24 bond0',
    '10.9.0.10/24 bond0',
    '10.9.0.11/25 bond0',
    '10.8.0.1/24 bond0',
    '10.9.0.12/24 eth1',
  ].map(on);

  it('names the others of the prefix that are gone', () => {
    assert.deepEqual(takenAlong(VIP, before, []), [on('10.9.0.10/24 bond0')]);
  });

  it('does not name what is left', () => {
    assert.deepEqual(takenAlong(VIP, before, [on('10.9.0.10/24 bond0')]), []);
  });

  it('names none where the address was not there before', () => {
    assert.deepEqual(takenAlong(VIP, before.slice(1), []), []);
  });
});
