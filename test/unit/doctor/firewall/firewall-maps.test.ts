// What rules with maps of verdicts, named sets, extensions of iptables and known senders do to an
// advert.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firewallFindings } from '../../../../src/doctor/checks/firewall-checks.ts';
import { iptablesFate, tablesIn } from '../../../../src/doctor/firewall/iptables-rules.ts';
import { judgeNft, nftFate } from '../../../../src/doctor/firewall/nft-ruleset.ts';
import type { AdvertPath, Fate } from '../../../../src/doctor/firewall/ruleset.ts';

type Json = Readonly<Record<string, unknown>>;

const PATH = { direction: 'input', interfaceName: 'eth0', destination: '224.0.0.18' } as const;
const CHAIN = { family: 'inet', table: 'f', name: 'in', type: 'filter', hook: 'input' };
const ACCEPT = { accept: null };
const DROP = { drop: null };

/** A chain that the kernel calls, and what else there is. */
function ruleset(
  policy: string,
  rules: readonly (readonly Json[])[],
  ...more: readonly Json[]
): string {
  const place = { family: 'inet', table: 'f', chain: 'in' };
  const list = rules.map((expr) => ({ rule: { ...place, expr } }));
  return JSON.stringify({ nftables: [{ chain: { ...CHAIN, policy } }, ...more, ...list] });
}

function match(left: Json, right: unknown, op = '=='): Json {
  return { match: { op, left, right } };
}

function vmap(key: Json, data: unknown): Json {
  return { vmap: { key, data } };
}

const PROTOCOL = { payload: { protocol: 'ip', field: 'protocol' } };
const SOURCE = { payload: { protocol: 'ip', field: 'saddr' } };
const TTL = { payload: { protocol: 'ip', field: 'ttl' } };
const STATE = { ct: { key: 'state' } };
const NAME = { meta: { key: 'iifname' } };
const OTHER = { chain: { family: 'inet', table: 'f', name: 'other' } };
const inOther = (expr: readonly Json[]): Json => {
  return { rule: { family: 'inet', table: 'f', chain: 'other', expr } };
};
const set = (elem: unknown): Json => ({ set: { family: 'inet', table: 'f', name: 's', elem } });
const map = (elem: unknown): Json => ({ map: { family: 'inet', table: 'f', name: 'm', elem } });

describe('a map of verdicts', () => {
  const states = {
    set: [
      ['established', ACCEPT],
      ['invalid', DROP],
    ],
  };
  const byName = (verdict: Json): unknown => ({
    set: [
      ['lo', ACCEPT],
      ['eth*', verdict],
    ],
  });
  const jump = { jump: { target: 'other' } };
  const ROWS: readonly [string, string, Fate][] = [
    ['passes what it does not name', ruleset('accept', [[vmap(STATE, states)]]), 'accepted'],
    ['leaves the rest to the policy', ruleset('drop', [[vmap(STATE, states)]]), 'dropped'],
    ['may drop', ruleset('accept', [[vmap(PROTOCOL, { set: [[112, DROP]] })]]), 'dropped'],
    ['may accept', ruleset('drop', [[vmap(NAME, byName(ACCEPT))]]), 'accepted'],
    [
      'may jump',
      ruleset(
        'accept',
        [[vmap(NAME, byName(jump))]],
        OTHER,
        inOther([match(PROTOCOL, 'vrrp'), DROP]),
      ),
      'dropped',
    ],
    [
      'counts under the conditions before it only',
      ruleset('accept', [[match(NAME, 'eth1'), vmap(PROTOCOL, { set: [[112, DROP]] })]]),
      'accepted',
    ],
    ['has a name', ruleset('accept', [[vmap(PROTOCOL, '@m')]], map([['vrrp', DROP]])), 'dropped'],
    ['is not at hand', ruleset('accept', [[vmap(PROTOCOL, '@m')]]), 'may be dropped'],
    [
      'has what is not known as its key',
      ruleset('accept', [[vmap(TTL, { set: [[{ range: [1, 2] }, DROP]] })]]),
      'may be dropped',
    ],
  ];
  for (const [name, text, fate] of ROWS) {
    test(`${name}: ${fate}`, () => assert.equal(nftFate(text, PATH), fate));
  }
});

describe('a named set', () => {
  const rules = [[match(PROTOCOL, '@s'), DROP]];
  const ROWS: readonly [string, string, Fate][] = [
    ['has it', ruleset('accept', rules, set(['tcp', 'vrrp'])), 'dropped'],
    ['has it with a comment', ruleset('accept', rules, set([{ elem: { val: 112 } }])), 'dropped'],
    ['does not have it', ruleset('accept', rules, set(['tcp'])), 'accepted'],
    ['is empty', ruleset('accept', rules, set(undefined)), 'accepted'],
    ['is not at hand', ruleset('accept', rules), 'may be dropped'],
    ['has ranges', ruleset('accept', rules, set([{ range: [100, 120] }])), 'may be dropped'],
  ];
  for (const [name, text, fate] of ROWS) {
    test(`${name}: ${fate}`, () => assert.equal(nftFate(text, PATH), fate));
  }
});

describe('who sends, and how', () => {
  const from = (sources: readonly string[]): AdvertPath => ({ ...PATH, sources });
  const known = ['10.9.0.10', '10.9.0.20'];
  const both = ruleset('drop', [[match(SOURCE, { set: known }), match(TTL, 255), ACCEPT]]);
  const one = ruleset('drop', [[match(SOURCE, '10.9.0.10'), ACCEPT]]);

  test('known peers are let in, or are not', () => {
    assert.equal(nftFate(both, from(known)), 'accepted');
    assert.equal(nftFate(both, from(['10.9.0.30'])), 'dropped');
    assert.equal(nftFate(one, from(known)), 'may be dropped');
    assert.equal(nftFate(both, PATH), 'may be dropped');
  });

  test('the same in the words of iptables', () => {
    const text = '*filter\n:INPUT DROP [0:0]\n-A INPUT -s 10.9.0.0/24 -p 112 -j ACCEPT';
    assert.equal(iptablesFate(text, from(known)), 'accepted');
    assert.equal(iptablesFate(text, from(['10.8.0.1'])), 'dropped');
    assert.equal(iptablesFate(text, PATH), 'may be dropped');
  });

  test('another TTL is no advert, and a comparison is not known', () => {
    assert.equal(nftFate(ruleset('accept', [[match(TTL, 1), DROP]]), PATH), 'accepted');
    const below = ruleset('accept', [[match(TTL, 255, '<'), DROP]]);
    assert.equal(nftFate(below, PATH), 'may be dropped');
  });

  test('the group is a multicast address', () => {
    const fib = { fib: { result: 'type', flags: ['daddr'] } };
    assert.equal(nftFate(ruleset('drop', [[match(fib, 'multicast'), ACCEPT]]), PATH), 'accepted');
    assert.equal(nftFate(ruleset('accept', [[match(fib, 'local'), DROP]]), PATH), 'accepted');
    const back = { fib: { result: 'oif', flags: ['saddr', 'iif'] } };
    const check = ruleset('accept', [[match(back, false), DROP]]);
    assert.equal(nftFate(check, PATH), 'may be dropped');
  });
});

describe('the way of an advert', () => {
  const chain = (of: Json): string =>
    JSON.stringify({
      nftables: [
        { chain: { family: 'inet', table: 'f', name: 'c', type: 'filter', policy: 'drop', ...of } },
      ],
    });
  const OUT: AdvertPath = { ...PATH, direction: 'output' };

  test('leads through the hooks before and behind the socket', () => {
    assert.equal(nftFate(chain({ hook: 'prerouting' }), PATH), 'dropped');
    assert.equal(nftFate(chain({ hook: 'prerouting' }), OUT), 'accepted');
    assert.equal(nftFate(chain({ hook: 'postrouting' }), OUT), 'dropped');
    assert.equal(nftFate(chain({ hook: 'forward' }), PATH), 'accepted');
    assert.equal(nftFate(chain({ hook: 'output', type: 'route' }), OUT), 'dropped');
    assert.equal(nftFate(chain({ hook: 'prerouting', type: 'nat' }), PATH), 'accepted');
  });

  test('leads through the chain of its own device', () => {
    const at = (dev: unknown): string => chain({ family: 'netdev', hook: 'ingress', dev });
    assert.equal(nftFate(at('eth0'), PATH), 'dropped');
    assert.equal(nftFate(at(['eth1', 'eth0']), PATH), 'dropped');
    assert.equal(nftFate(at('eth1'), PATH), 'accepted');
  });

  test('leads through raw and mangle of iptables', () => {
    const rules = ':PREROUTING ACCEPT [0:0]\n-A PREROUTING -p vrrp -j DROP';
    assert.equal(iptablesFate(`*raw\n${rules}\n*filter\n:INPUT ACCEPT [0:0]`, PATH), 'dropped');
    assert.equal(iptablesFate(`*nat\n${rules}`, PATH), 'accepted');
    const types = '*filter\n:INPUT DROP [0:0]\n-A INPUT -m addrtype --dst-type MULTICAST -j ACCEPT';
    assert.equal(iptablesFate(types, PATH), 'accepted');
  });

  test('ends at a chain that is named', () => {
    assert.deepEqual(judgeNft(chain({ hook: 'input' }), PATH), {
      fate: 'dropped',
      chain: 'inet f c',
    });
    assert.deepEqual(judgeNft(ruleset('accept', []), PATH), { fate: 'accepted', chain: undefined });
  });
});

describe('rules that iptables keeps in nft', () => {
  const xt = (type: string, name: string): Json => ({ xt: { type, name } });

  test('a target that rejects drops, one that logs does not', () => {
    assert.equal(nftFate(ruleset('accept', [[xt('target', 'REJECT')]]), PATH), 'dropped');
    assert.equal(nftFate(ruleset('accept', [[xt('target', 'LOG')]]), PATH), 'accepted');
  });

  test('a comment is no condition, another match may be one', () => {
    const carp = match(PROTOCOL, 'vrrp');
    const noted = ruleset('drop', [[xt('match', 'comment'), carp, ACCEPT]]);
    assert.equal(nftFate(noted, PATH), 'accepted');
    const tracked = ruleset('drop', [[xt('match', 'conntrack'), ACCEPT]]);
    assert.equal(nftFate(tracked, PATH), 'may be dropped');
  });

  test('iptables-save is believed where it tells more', () => {
    const iptablesOverNft =
      '*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate NEW -j ACCEPT';
    assert.deepEqual(tablesIn(iptablesOverNft), ['filter']);
    const vague = JSON.stringify({
      nftables: [
        { chain: { ...CHAIN, family: 'ip', table: 'filter', name: 'INPUT', policy: 'drop' } },
      ],
    });
    const facts = { nft: vague, iptables: undefined, managers: [] };
    const codes = (given: object): readonly string[] =>
      firewallFindings({ ...facts, ...given }, 'eth0', PATH.destination).map(({ code }) => code);
    assert.deepEqual(codes({}), ['firewall-drops']);
    assert.deepEqual(codes({ iptablesOverNft }), ['firewall-good']);
  });

  test('the remedy is for the tool and the chain that stop it', () => {
    const remedy = (nft: string, iptablesOverNft?: string): string | undefined =>
      firewallFindings(
        { nft, iptables: undefined, iptablesOverNft, managers: [] },
        'eth0',
        PATH.destination,
      )[0]?.remedy;
    const nft = 'nft insert rule inet f in iifname eth0 ip protocol 112 accept';
    assert.equal(remedy(ruleset('drop', [])), nft);
    const text = '*filter\n:INPUT DROP [0:0]';
    assert.match(remedy(ruleset('accept', []), text) ?? '', /^iptables -I INPUT -i eth0 -p 112/);
    const raw = '*raw\n:PREROUTING DROP [0:0]';
    const early = 'iptables -I PREROUTING -t raw -i eth0 -p 112 -j ACCEPT';
    assert.equal(remedy(ruleset('accept', []), raw), early);
  });
});
