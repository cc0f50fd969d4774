// Whose claim of the virtual IP it is.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromMillis, fromSeconds } from '../../../src/base/time.ts';
import { parseMac, type Ipv4, type Mac } from '../../../src/base/addresses.ts';
import { judgeClaimant, type Claimant } from '../../../src/election/claimant.ts';
import { lineOf } from '../../../src/log/log-line.ts';
import { PeersHeard } from '../../../src/election/peers-heard.ts';
import { EVENT_SAMPLES } from '../../support/events.ts';
import { ip } from '../../support/reports.ts';

const DEAD = fromSeconds(3);
const A = ip('10.9.0.20');
const B = ip('10.9.0.30');
const NAMED = ip('10.9.0.40');
const MAC_A = mac('02:00:00:00:00:20');
const MAC_B = mac('02:00:00:00:00:30');
const MAC_OTHER = mac('02:00:00:00:00:66');
const PACE = { advbase: 1, advskew: 0 };
const BOW_OUT = { advbase: 255, advskew: 255 };
const ASKED: Readonly<Record<string, Mac>> = { A: MAC_A, B: MAC_B, NAMED: MAC_OTHER };

function mac(text: string): Mac {
  const parsed = parseMac(text);
  assert.ok(parsed);
  return parsed;
}

/** Heard are A at 0 s and B at 10 s, which bows out there if it `leaves`. */
function judge(
  claim: Mac,
  atMs: number,
  given: { readonly asked?: readonly ('A' | 'B' | 'NAMED')[]; readonly leaves?: boolean } = {},
): Claimant {
  const { asked = [], leaves = false } = given;
  const peers = new PeersHeard(() => DEAD);
  peers.heard(A, PACE, fromSeconds(0));
  if (atMs >= 10_000) peers.heard(B, leaves ? BOW_OUT : PACE, fromSeconds(10));
  const hosts: Readonly<Record<string, Ipv4>> = { A, B, NAMED };
  const macs = new Map(asked.map((name) => [hosts[name], ASKED[name]]));
  const now = fromMillis(atMs);
  return judgeClaimant(claim, {
    heard: peers.all(now),
    configured: [NAMED],
    macOf: (host) => macs.get(host),
    deadInterval: DEAD,
    now,
  });
}

describe('a claim of the virtual IP', () => {
  test('is that of a master heard just now, whose MAC address is known or not', () => {
    assert.deepEqual(judge(MAC_B, 10_500, { asked: ['B'] }), { kind: 'rival', address: B });
    assert.deepEqual(judge(MAC_B, 10_500), { kind: 'rival', address: B });
    assert.deepEqual(judge(MAC_B, 12_999), { kind: 'rival', address: B });
    assert.deepEqual(judge(MAC_B, 10_500, { leaves: true }), { kind: 'rival', address: B });
  });

  test('is that of a node that is silent, or only named, where it is known to be', () => {
    assert.deepEqual(judge(MAC_A, 10_500, { asked: ['A', 'B'] }), { kind: 'peer', address: A });
    assert.deepEqual(judge(MAC_B, 13_000, { asked: ['B'] }), { kind: 'peer', address: B });
    const named = judge(MAC_OTHER, 10_500, { asked: ['NAMED'] });
    assert.deepEqual(named, { kind: 'peer', address: NAMED });
  });

  test("is a stranger's where nobody is heard, or who is heard has another MAC address", () => {
    assert.deepEqual(judge(MAC_OTHER, 13_000), { kind: 'stranger' });
    assert.deepEqual(judge(MAC_B, 13_000), { kind: 'stranger' });
    assert.deepEqual(judge(MAC_OTHER, 10_500, { asked: ['B'] }), { kind: 'stranger' });
  });
});

describe('the line of a claim', () => {
  const sample = EVENT_SAMPLES['vip-contested'];
  const line = (by: Claimant['kind'], peer: string | null): string => {
    const made = lineOf({ ...sample, by, peer });
    assert.ok(made);
    assert.equal(made.quotaKey, `vip-contested ${by} instance db`, 'each has a quota of its own');
    return `${made.level} ${made.message}`;
  };

  test('alarms of a stranger and of a silent node, and tells of a second master', () => {
    assert.match(line('stranger', null), /^warn .*Find the host with that MAC address/);
    assert.match(
      line('peer', '10.9.0.20'),
      /^warn .*That is 10\.9\.0\.20 of this group\. It is not heard.*Remove 10\.9\.0\.100 there/,
    );
    const rival = line('rival', '10.9.0.20');
    assert.match(rival, /^info .*10\.9\.0\.20 is heard as master of this group as well: the elec/);
    assert.doesNotMatch(rival, /Find|Remove|remove/);
  });
});
