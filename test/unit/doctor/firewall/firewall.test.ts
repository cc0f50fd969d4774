// What firewalls do to adverts, as the tools print their rules.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firewallFindings } from '../../../../src/doctor/checks/firewall-checks.ts';
import { iptablesFate } from '../../../../src/doctor/firewall/iptables-rules.ts';
import { nftFate } from '../../../../src/doctor/firewall/nft-ruleset.ts';
import type { AdvertPath } from '../../../../src/doctor/firewall/ruleset.ts';

const INPUT: AdvertPath = { direction: 'input', interfaceName: 'eth0', destination: '224.0.0.18' };
const OUTPUT: AdvertPath = { ...INPUT, direction: 'output' };

const PROTOCOL = { payload: { protocol: 'ip', field: 'protocol' } };
const match = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } });
const carp = match(PROTOCOL, 112);
const drop = { drop: null };
const accept = { accept: null };

/** The list of a filter table with a policy and rules of its input chain, and of another chain. */
function ruleset(policy: string, rules: readonly object[][], other: readonly object[][] = []) {
  const table = { family: 'inet', table: 'filter' };
  const base = { ...table, name: 'input', type: 'filter', hook: 'input', prio: 0, policy };
  const rule = (chain: string) => (expr: object[]) => ({ rule: { ...table, chain, expr } });
  return JSON.stringify({
    nftables: [
      { metainfo: { json_schema_version: 1 } },
      { table: { family: 'inet', name: 'filter' } },
      { chain: base },
      { chain: { ...table, name: 'other' } },
      ...rules.map(rule('input')),
      ...other.map(rule('other')),
    ],
  });
}

describe('rules of nftables', () => {
  const lo = match({ meta: { key: 'iifname' } }, 'lo');
  const states = match({ ct: { key: 'state' } }, ['established', 'related'], 'in');
  const ssh = match({ payload: { protocol: 'tcp', field: 'dport' } }, 22);
  const from = match(
    { payload: { protocol: 'ip', field: 'saddr' } },
    { prefix: { addr: '10.9.0.0', len: 24 } },
  );
  const l4 = match({ meta: { key: 'l4proto' } }, { set: [89, 'vrrp'] });
  const ROWS: readonly [string, string, string][] = [
    ['no table at all', JSON.stringify({ nftables: [] }), 'accepted'],
    ['a policy', ruleset('drop', []), 'dropped'],
    [
      'rules for others',
      ruleset('drop', [
        [lo, accept],
        [states, accept],
        [ssh, accept],
      ]),
      'dropped',
    ],
    [
      'a rule for it',
      ruleset('drop', [
        [states, accept],
        [carp, { counter: {} }, accept],
      ]),
      'accepted',
    ],
    ['by its name, in a set', ruleset('drop', [[l4, accept]]), 'accepted'],
    ['from a network', ruleset('drop', [[from, carp, accept]]), 'may be dropped'],
    ['dropped by name', ruleset('accept', [[carp, drop]]), 'dropped'],
    ['rejected', ruleset('accept', [[carp, { reject: { type: 'icmp' } }]]), 'dropped'],
    ['all but it dropped', ruleset('accept', [[match(PROTOCOL, 112, '!='), drop]]), 'accepted'],
    ['accepted before', ruleset('accept', [[carp, accept], [drop]]), 'accepted'],
    ['a limit', ruleset('drop', [[carp, { limit: { rate: 1 } }, accept]]), 'may be dropped'],
    [
      'in another chain',
      ruleset('drop', [[{ jump: { target: 'other' } }]], [[carp, accept]]),
      'accepted',
    ],
    [
      'back from another chain',
      ruleset(
        'drop',
        [[{ jump: { target: 'other' } }], [carp, accept]],
        [[{ return: null }], [drop]],
      ),
      'accepted',
    ],
    [
      'on another interface',
      ruleset('accept', [[match({ meta: { key: 'iifname' } }, 'eth1'), drop]]),
      'accepted',
    ],
    [
      'to its group',
      ruleset('accept', [
        [
          match(
            { payload: { protocol: 'ip', field: 'daddr' } },
            { prefix: { addr: '224.0.0.0', len: 4 } },
          ),
          drop,
        ],
      ]),
      'dropped',
    ],
  ];
  for (const [name, text, fate] of ROWS) {
    test(`${name}: ${fate}`, () => assert.equal(nftFate(text, INPUT), fate));
  }

  test('a chain of the other direction is none of its business', () => {
    assert.equal(nftFate(ruleset('drop', []), OUTPUT), 'accepted');
  });

  test('what is no list of rules is no answer', () => {
    for (const text of ['', 'null', '[]', '{}', '{"nftables":3}']) {
      assert.equal(nftFate(text, INPUT), undefined, text);
    }
    assert.equal(
      nftFate('{"nftables":[3,null,{"chain":null},{"rule":{"expr":7}}]}', INPUT),
      'accepted',
    );
  });

  test('chains that call each other in a circle end', () => {
    const circle = [[{ jump: { target: 'other' } }]];
    assert.equal(nftFate(ruleset('drop', circle, circle), INPUT), 'dropped');
  });
});

describe('rules of iptables', () => {
  const table = (policy: string, ...rules: readonly string[]): string =>
    ['*filter', `:INPUT ${policy} [0:0]`, ':OUTPUT ACCEPT [0:0]', ':own - [0:0]', ...rules].join(
      '\n',
    );
  const ROWS: readonly [string, string][] = [
    [table('ACCEPT'), 'accepted'],
    [table('DROP'), 'dropped'],
    [table('DROP', '-A INPUT -p vrrp -j ACCEPT'), 'accepted'],
    [
      table('DROP', '-A INPUT -i eth+ -p 112 -m comment --comment "CARP it is" -j ACCEPT'),
      'accepted',
    ],
    [table('DROP', '-A INPUT -i eth1 -p 112 -j ACCEPT'), 'dropped'],
    [table('DROP', '-A INPUT -s 10.9.0.0/24 -p 112 -j ACCEPT'), 'may be dropped'],
    [table('ACCEPT', '-A INPUT ! -p tcp -j DROP'), 'dropped'],
    [table('ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j DROP'), 'accepted'],
    [table('ACCEPT', '-A INPUT -d 224.0.0.18/32 -j REJECT --reject-with icmp-x'), 'dropped'],
    [table('DROP', '-A INPUT -j own', '-A own -p 112 -j ACCEPT'), 'accepted'],
    [
      table('DROP', '-A INPUT -j LOG --log-prefix "x "', '-A INPUT -g own', '-A own -j RETURN'),
      'dropped',
    ],
    ['*nat\n:INPUT DROP [0:0]', 'accepted'],
    ['', 'accepted'],
  ];
  for (const [text, fate] of ROWS) {
    test(`${text.split('\n').slice(4).join('; ') || text.slice(0, 22)}: ${fate}`, () => {
      assert.equal(iptablesFate(text, INPUT), fate);
    });
  }
});

describe('the finding', () => {
  const none = { nft: undefined, iptables: undefined, managers: [] };
  const blocked = ruleset('drop', []);

  test('names the tool that makes the rules', () => {
    const remedy = (facts: object): string | undefined =>
      firewallFindings({ ...none, nft: blocked, ...facts }, 'eth0', '224.0.0.18')[0]?.remedy;
    assert.match(
      remedy({}) ?? '',
      /^nft insert rule inet filter input iifname eth0 ip protocol 112/,
    );
    assert.match(remedy({ managers: ['firewalld'] }) ?? '', /^firewall-cmd/);
    assert.match(
      remedy({ managers: ['ufw'] }) ?? '',
      /^-A ufw-before-input .* in \/etc\/ufw\/before\.rules, before its COMMIT; then ufw reload$/,
    );
    const old = '*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT';
    assert.match(
      remedy({ nft: undefined, iptables: old }) ?? '',
      /^iptables -I INPUT -i eth0 -p 112/,
    );
  });

  test('is that nobody could look where no tool is', () => {
    const codes = firewallFindings(none, 'eth0', '224.0.0.18').map(({ code }) => code);
    assert.deepEqual(codes, ['not-looked']);
  });

  test('is good where everything passes', () => {
    const codes = firewallFindings({ ...none, nft: '{"nftables":[]}' }, 'eth0', '224.0.0.18');
    assert.deepEqual(
      codes.map(({ code }) => code),
      ['firewall-good'],
    );
  });
});
