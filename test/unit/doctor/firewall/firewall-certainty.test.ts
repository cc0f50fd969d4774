// Only what is certain is called dropped, or passed: rules that leave it open, and rules that do
// not concern adverts at all.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firewallFindings } from '../../../../src/doctor/checks/firewall-checks.ts';
import { iptablesFate } from '../../../../src/doctor/firewall/iptables-rules.ts';
import { nftFate } from '../../../../src/doctor/firewall/nft-ruleset.ts';
import type { AdvertPath, Fate } from '../../../../src/doctor/firewall/ruleset.ts';

type Json = Readonly<Record<string, unknown>>;

const PATH: AdvertPath = { direction: 'input', interfaceName: 'eth0', destination: '224.0.0.18' };
const DROP = { drop: null };
const ACCEPT = { accept: null };
const RETURN = { return: null };
const JUMP = { jump: { target: 'other' } };
const GOTO = { goto: { target: 'other' } };

const match = (left: Json, right: unknown, op = '=='): Json => ({ match: { op, left, right } });
const header = (protocol: string, field: string): Json => ({ payload: { protocol, field } });
const CARP = match(header('ip', 'protocol'), 'vrrp');
/** Nobody knows beforehand whether it holds. */
const MARKED = match({ meta: { key: 'mark' } }, 1);
const PORT = header('tcp', 'dport');

interface Given {
  readonly policy?: string;
  readonly chain?: Json;
  readonly rules: readonly (readonly Json[])[];
  /** Of the chain to jump to. */
  readonly other?: readonly (readonly Json[])[];
}

function ruleset({ policy = 'accept', chain = {}, rules, other = [] }: Given): string {
  const base = { family: 'inet', table: 'f', name: 'in', type: 'filter', hook: 'input', policy };
  const called = { ...base, ...chain };
  const place = { family: called.family, table: 'f' };
  const of = (name: string) => (expr: readonly Json[]) => ({
    rule: { ...place, chain: name, expr },
  });
  const chains = [{ chain: called }, { chain: { ...place, name: 'other' } }];
  return JSON.stringify({
    nftables: [...chains, ...rules.map(of('in')), ...other.map(of('other'))],
  });
}

const INGRESS = { family: 'netdev', hook: 'ingress' };

const ROWS: readonly (readonly [what: string, given: Given, fate: Fate])[] = [
  ['all ports but one', { rules: [[match(PORT, 22, '!='), DROP]] }, 'accepted'],
  ['all ports but some', { rules: [[match(PORT, { set: [22, 80] }, '!='), DROP]] }, 'accepted'],
  ['ports above one', { rules: [[match(PORT, 1024, '>'), DROP]] }, 'accepted'],
  [
    'perhaps a return, then a drop',
    { rules: [[JUMP]], other: [[MARKED, RETURN], [DROP]] },
    'may be dropped',
  ],
  ['the same in the first chain', { rules: [[MARKED, RETURN], [DROP]] }, 'may be dropped'],
  [
    'perhaps a return to a policy that drops',
    { policy: 'drop', rules: [[MARKED, RETURN], [ACCEPT]] },
    'may be dropped',
  ],
  [
    'perhaps a goto to a chain without a verdict',
    { policy: 'drop', rules: [[MARKED, GOTO], [ACCEPT]] },
    'may be dropped',
  ],
  ['a sure return', { policy: 'drop', rules: [[CARP, RETURN], [ACCEPT]] }, 'dropped'],
  [
    'perhaps a jump to a drop, then accepted',
    { rules: [[MARKED, JUMP], [ACCEPT]], other: [[DROP]] },
    'may be dropped',
  ],
  ['the device is not told', { chain: INGRESS, rules: [[CARP, DROP]] }, 'may be dropped'],
  [
    'the device is another',
    { chain: { ...INGRESS, dev: 'eth1' }, rules: [[CARP, DROP]] },
    'accepted',
  ],
  ['the device is this', { chain: { ...INGRESS, dev: 'eth0' }, rules: [[CARP, DROP]] }, 'dropped'],
];

describe('what is certain of rules', () => {
  for (const [what, given, fate] of ROWS) {
    test(`nft, ${what}: ${fate}`, () => assert.equal(nftFate(ruleset(given), PATH), fate));
  }

  test('iptables, perhaps a return, then a drop: may be dropped', () => {
    const lines = ['*filter', ':INPUT ACCEPT [0:0]', ':own - [0:0]', '-A INPUT -j own'];
    lines.push('-A own -m limit --limit 5/sec -j RETURN', '-A own -j DROP');
    assert.equal(iptablesFate(lines.join('\n'), PATH), 'may be dropped');
  });

  test('the old tables are mended by their own command', () => {
    const iptables = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p vrrp -j DROP';
    const facts = { nft: '{"nftables":[]}', iptables, managers: [] };
    const [finding] = firewallFindings(facts, 'eth0', PATH.destination);
    assert.match(finding?.remedy ?? '', /^iptables-legacy -I INPUT -i eth0 -p 112 -j ACCEPT$/);
  });
});
