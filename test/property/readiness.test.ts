// Readiness under arbitrary histories: its rules, and comparisons of two links that differ in one
// thing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromSeconds, micros, plus } from '../../src/base/time.ts';
import type { ReadinessEffect } from '../../src/readiness/effects.ts';
import { EPOCH_END_CAUSES } from '../../src/readiness/epoch.ts';
import type { BondFacts, LinkFacts } from '../../src/readiness/facts.ts';
import { classifyFrame } from '../../src/carp/frame.ts';
import { judgeGate } from '../../src/readiness/gate.ts';
import type { InstanceSettings, ReadinessInput } from '../../src/readiness/inputs.ts';
import { MET, type Condition, type Conditions } from '../../src/readiness/judge.ts';
import { judgeBond } from '../../src/readiness/lacp.ts';
import { LinkReadiness } from '../../src/readiness/link.ts';
import { REASONS } from '../../src/readiness/reasons.ts';
import type { ReadinessSnapshot } from '../../src/readiness/snapshot.ts';
import { CheckedLink } from '../support/readiness-rules.ts';
import { OWN_MAC, PEER_MAC, PLAIN } from '../support/readiness-rig.ts';
import {
  bonds,
  boolean,
  gates,
  histories,
  maybe,
  pairs,
  settings,
  type Event,
} from '../support/readiness-histories.ts';

/** Plays events on one link; returns what it did, and how it looked after each event. */
class Player {
  readonly link = new CheckedLink(new LinkReadiness(micros(0)));
  readonly effects: ReadinessEffect[] = [];
  #now = micros(0);

  constructor(instances: readonly InstanceSettings[]) {
    this.give({ kind: 'instances-changed', instances });
  }

  give(input: ReadinessInput): void {
    this.effects.push(...this.link.step(input, this.#now));
  }

  play(event: Event): void {
    if (event.kind === 'wake') {
      const deadline = this.link.deadline() ?? this.#now;
      this.#now = plus(micros(Math.max(this.#now, deadline)), micros(event.lateUs));
      return this.give({ kind: 'woken' });
    }
    this.#now = plus(this.#now, micros(event.afterUs));
    const { input, lag } = event;
    this.give('epoch' in input ? { ...input, epoch: this.link.epoch - lag } : input);
  }

  /** Lets the same time pass and looks at the clock, without what came in. */
  pass(event: Extract<Event, { kind: 'input' }>): void {
    this.#now = plus(this.#now, micros(event.afterUs));
    this.give({ kind: 'woken' });
  }
}

const openNames = ({ instances }: ReadinessSnapshot): readonly string[] =>
  instances.filter(({ gate }) => gate.open).map(({ name }) => name);

/** Makes both instances masters over a link that is proved. */
const SERVING: readonly ReadinessInput[] = [
  { kind: 'facts-read', facts: PLAIN },
  { kind: 'frame-heard', from: PEER_MAC, epoch: 1 },
  { kind: 'role-changed', name: 'db', role: 'master' },
  { kind: 'role-changed', name: 'web', role: 'master' },
];

/** What an instance hears of the link. */
const NEWS = new Set<ReadinessEffect['kind']>(['gate-changed', 'doubt-changed', 'path-changed']);

describe('any history', () => {
  it('breaks no rule', () => {
    fc.assert(
      fc.property(pairs, histories, (instances, history) => {
        const player = new Player(instances);
        for (const event of history) player.play(event);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves nobody out: to look at all instances again after each step is no news', () => {
    fc.assert(
      fc.property(pairs, histories, (instances, history) => {
        const player = new Player(instances);
        let facts: LinkFacts | undefined = PLAIN;
        player.give({ kind: 'facts-read', facts });
        for (const event of history) {
          player.play(event);
          if (event.kind === 'input' && event.input.kind === 'facts-read')
            facts = event.input.facts;
          const told = player.effects.length;
          player.give({ kind: 'facts-read', facts });
          const more = player.effects.slice(told).map(({ kind }) => kind);
          assert.deepEqual(
            more.filter((kind) => NEWS.has(kind)),
            [],
          );
        }
      }),
    );
  });

  it('gives the same effects when it is played again', () => {
    fc.assert(
      fc.property(pairs, histories, (instances, history) => {
        const [first, second] = [new Player(instances), new Player(instances)].map((player) => {
          for (const event of history) player.play(event);
          return player.effects;
        });
        assert.deepEqual(first, second);
      }),
      { numRuns: 50 },
    );
  });

  it('is the same without frames and answers of earlier epochs', () => {
    fc.assert(
      fc.property(pairs, histories, (instances, history) => {
        const [whole, cleaned] = [new Player(instances), new Player(instances)];
        for (const event of history) {
          whole.play(event);
          const stale =
            event.kind === 'input' &&
            event.lag !== 0 &&
            (event.input.kind === 'frame-heard' || event.input.kind === 'probe-answered');
          if (stale) cleaned.pass(event);
          else cleaned.play(event);
          assert.deepEqual(whole.link.snapshot(), cleaned.link.snapshot());
        }
        assert.deepEqual(whole.effects, cleaned.effects);
      }),
      { numRuns: 300 },
    );
  });

  it('is never ready nor proved by adverts of earlier epochs', () => {
    fc.assert(
      fc.property(pairs, histories, (instances, history) => {
        const player = new Player(instances);
        for (const event of history) {
          const stale = event.kind === 'input' && 'epoch' in event.input;
          player.play(stale ? { ...event, lag: 1 + Math.abs(event.lag) } : event);
          assert.notEqual(player.link.snapshot().verdict.state, 'ready');
          for (const { gate } of player.link.snapshot().instances) {
            assert.notEqual(gate.by, 'proof');
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('opens nothing more where more is asked for', () => {
    const stricter: readonly ((one: InstanceSettings) => InstanceSettings)[] = [
      (one) => ({ ...one, gate: { ...one.gate, requireProbe: true } }),
      (one) => ({ ...one, gate: { ...one.gate, ignoreLinkState: false } }),
      (one) => ({ ...one, vipInUse: 'always' }),
      (one) => ({ ...one, gate: { ...one.gate, promoteAfter: fromSeconds(600) } }),
    ];
    fc.assert(
      fc.property(settings, fc.constantFrom(...stricter), histories, (one, demand, history) => {
        const [lax, strict] = [new Player([one]), new Player([demand(one)])];
        for (const event of history) {
          if (event.kind === 'wake') continue;
          for (const player of [lax, strict]) {
            player.play({ ...event, afterUs: 0 });
            // Both look at the clock at the same moments, whatever they wait for.
            player.pass(event);
          }
          const more = openNames(strict.link.snapshot());
          const less = openNames(lax.link.snapshot());
          assert.deepEqual(
            more.filter((name) => !less.includes(name)),
            [],
          );
        }
      }),
      { numRuns: 400 },
    );
  });

  it('reaches every cause and every reason, so that the rules were put to the test', () => {
    const seen = new Set<string>();
    const sample = fc.sample(fc.tuple(pairs, histories), { numRuns: 400, seed: 1 });
    for (const [index, [instances, history]] of sample.entries()) {
      const player = new Player(instances);
      if (index % 2 === 0) for (const input of SERVING) player.give(input);
      for (const event of history) player.play(event);
      for (const effect of player.effects) {
        if (effect.kind === 'epoch-began') seen.add(String(effect.epoch.cause));
        if (effect.kind === 'gate-changed') for (const text of effect.gate.reasons) seen.add(text);
        if (effect.kind === 'doubt-changed') seen.add(String(effect.cause));
        seen.add(effect.kind);
      }
    }
    const wanted = [...Object.keys(EPOCH_END_CAUSES), ...Object.keys(REASONS), 'rival-unanswered'];
    assert.deepEqual(
      wanted.filter((text) => !seen.has(text)),
      [],
    );
  });
});

describe('unknown never opens', () => {
  it('a gate, whatever its policy but those that override it', () => {
    const conditions: fc.Arbitrary<Condition> = fc.constantFrom<Condition>(
      MET,
      { status: 'not-met', reasons: ['no-frames'] },
      { status: 'unknown', reasons: ['ports-unknown'] },
    );
    const unknown: Condition = { status: 'unknown', reasons: ['ports-unknown'] };
    const whole: fc.Arbitrary<Conditions> = fc.record({
      carrier: conditions,
      lacp: conditions,
      frames: conditions,
    });
    const condition = fc.constantFrom('carrier' as const, 'lacp' as const, 'frames' as const);
    fc.assert(
      fc.property(gates, whole, condition, boolean, (gate, all, name, vipInUse) => {
        const view = { carrierUpAt: micros(0), epochSince: micros(0), vipInUse };
        const open = (some: Conditions) =>
          judgeGate(gate, { ...view, conditions: some }, fromSeconds(60)).open;
        const unread = { ...all, [name]: unknown };
        if (open(unread)) assert.ok(open({ ...all, [name]: MET }) && open(all));
        if (gate.policy === 'hold' && !(gate.ignoreLinkState && name === 'carrier')) {
          assert.equal(open(unread), false);
        }
      }),
    );
  });

  it('a bond: reading less of it never makes it ready', () => {
    const fields = ['mode', 'activeAggregatorId', 'partnerMac'] as const;
    const portFields = ['linkUp', 'aggregatorId', 'actorState', 'partnerState'] as const;
    fc.assert(
      fc.property(bonds, maybe(fields), maybe(portFields), (bond, field, portField) => {
        const less: BondFacts = {
          ...bond,
          ...(field === undefined ? {} : { [field]: undefined }),
          ports: bond.ports.map((port) =>
            portField === undefined ? port : { ...port, [portField]: undefined },
          ),
        };
        const verdict = judgeBond(less);
        if (verdict.status === 'met') assert.equal(judgeBond(bond).status, 'met');
        assert.equal(verdict.status === 'met', verdict.reasons.length === 0);
        for (const port of verdict.ports) {
          assert.equal(port.status === 'met', port.faults.length === 0);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('any frame', () => {
  const bytes = fc.uint8Array({ maxLength: 90, size: 'max' });
  const types = fc.constantFrom(0x0806, 0x0800, 0x86dd, 0x8809, 0x88cc, 0x9000, 0x0026, 0x8100);
  const view = { ownMacs: new Set([OWN_MAC]), ownVlans: [] };

  it('counts or has a reason, and counts only with a type of the list', () => {
    let counted = 0;
    fc.assert(
      fc.property(bytes, types, (random, type) => {
        const frame = Uint8Array.from(random);
        if (frame.length >= 14) frame.set([2, 0, 0, 0, 0, 2, type >> 8, type & 0xff], 6);
        const verdict = classifyFrame({ bytes: frame, vlan: undefined, outgoing: false }, view);
        if (!verdict.ok) return;
        counted += 1;
        const named = { arp: 0x0806, ipv4: 0x0800, ipv6: 0x86dd }[verdict.value.protocol];
        assert.ok(type === named || type === 0x8100);
        assert.equal(verdict.value.from, PEER_MAC);
        // Sent by us, from a group, to the next bridge, or in another VLAN, the same never counts.
        const own = Uint8Array.from(frame);
        own.set([2, 0, 0, 0, 0, 1], 6);
        const group = Uint8Array.from(frame);
        group[6] = 3;
        const bridge = Uint8Array.from(frame);
        bridge.set([1, 0x80, 0xc2, 0, 0, 14]);
        for (const changed of [own, group, bridge]) {
          const again = { bytes: changed, vlan: undefined, outgoing: false };
          assert.equal(classifyFrame(again, view).ok, false);
        }
        assert.equal(classifyFrame({ bytes: frame, vlan: 5, outgoing: false }, view).ok, false);
        assert.equal(
          classifyFrame({ bytes: frame, vlan: undefined, outgoing: true }, view).ok,
          false,
        );
      }),
      { numRuns: 3_000 },
    );
    assert.ok(counted > 100, `only ${counted} frames counted`);
  });
});
