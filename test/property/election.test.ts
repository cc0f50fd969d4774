// The election against anything that can happen to it, in any order, as time goes on. The rules
// themselves are in support/election-rules.ts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromMillis, micros, plus, type Micros } from '../../src/base/time.ts';
import { CAUSES, type Effect } from '../../src/election/effects.ts';
import type { Input } from '../../src/election/inputs.ts';
import { Election } from '../../src/election/machine.ts';
import type { ChangeableSettings, ElectionSettings } from '../../src/election/settings.ts';
import { CheckedElection } from '../support/election-rules.ts';
import { INTERFACE_FAULTS } from '../support/interface-faults.ts';
import { HIGHER, LOWER, OWN } from '../support/rig.ts';

/** What happens next: an input after a while, the next deadline, or the answer to an effect. */
type Event =
  | { readonly kind: 'input'; readonly afterUs: number; readonly input: Input }
  | { readonly kind: 'wake'; readonly lateUs: number }
  | { readonly kind: 'answer'; readonly ok: boolean; readonly termsAgo: number };

const boolean = fc.boolean();
const terms = fc.nat({ max: 3 });
const skews = fc.oneof(fc.constantFrom(0, 1, 9, 10, 11, 240, 255), fc.nat({ max: 255 }));
const bases = fc.oneof(fc.constantFrom(0, 1, 1, 2, 3, 4, 255), fc.nat({ max: 255 }));

const changeable: fc.Arbitrary<ChangeableSettings> = fc
  .record({
    advbase: fc.constantFrom(0, 1, 1, 1, 2, 255),
    advskew: fc.constantFrom(0, 1, 10, 240, 255),
    deadRatio: fc.constantFrom(1, 2, 3, 3, 3),
    preempt: boolean,
    announceRefresh: fc.constantFrom(undefined, fromMillis(1_000), fromMillis(7_000)),
  })
  // Both zero is refused by the configuration, as by ucarp.
  .map((record) => (record.advbase + record.advskew > 0 ? record : { ...record, advskew: 1 }));

const heard: fc.Arbitrary<Input> = fc.record({
  kind: fc.constant('advert-heard' as const),
  from: fc.constantFrom(LOWER, HIGHER),
  proved: boolean,
  advert: fc.oneof(
    fc.record({
      advbase: bases,
      advskew: skews,
      demote: fc.constantFrom(0, 0, 0, 1, 255),
      counter: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
    }),
    fc.constant({ advbase: 255, advskew: 255, demote: 0, counter: 5n }),
  ),
});

const conditions: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ kind: fc.constant('interface-ready' as const), source: fc.constant(OWN) }),
  fc.record({
    kind: fc.constant('interface-lost' as const),
    cause: fc.constantFrom(...INTERFACE_FAULTS),
  }),
  fc.record({ kind: fc.constant('carrier-changed' as const), up: boolean }),
  fc.record({ kind: fc.constant('gate-changed' as const), open: boolean }),
  fc.record({ kind: fc.constant('doubt-changed' as const), inDoubt: boolean }),
  fc.record({
    kind: fc.constant('path-changed' as const),
    trust: fc.constantFrom('trusted', 'trusted', 'unconfirmed', 'unheard', 'dark'),
  }),
  fc.record({ kind: fc.constant('maintenance-changed' as const), on: boolean }),
  fc.record({ kind: fc.constant('reconfigured' as const), settings: changeable }),
  fc.record({
    kind: fc.constant('catching-up' as const),
    lateBy: fc.constantFrom(undefined, undefined, fromMillis(60), fromMillis(5_000)),
  }),
);

const reports: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ kind: fc.constant('advert-sent' as const), ok: boolean }),
  fc.record({ kind: fc.constant('vip-claimed' as const), term: terms, ok: boolean }),
  fc.record({ kind: fc.constant('vip-released' as const), term: terms }),
  fc.record({ kind: fc.constant('vip-restored' as const), term: terms }),
  fc.record({ kind: fc.constant('vip-stuck' as const), term: terms, shown: boolean }),
  fc.record({ kind: fc.constantFrom('vip-contested' as const, 'mac-changed' as const) }),
  fc.record({
    kind: fc.constant('hook-finished' as const),
    hook: fc.constantFrom('up', 'down'),
    term: terms,
  }),
);

const orders: fc.Arbitrary<Input> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Input>({ kind: 'handover-requested' }) },
  { weight: 1, arbitrary: fc.constant<Input>({ kind: 'stop-requested' }) },
  { weight: 1, arbitrary: fc.constant<Input>({ kind: 'retire-requested' }) },
  { weight: 1, arbitrary: fc.constant<Input>({ kind: 'woken' }) },
);

const inputs = fc.oneof(
  { weight: 4, arbitrary: heard },
  { weight: 3, arbitrary: conditions },
  { weight: 2, arbitrary: reports },
  { weight: 1, arbitrary: orders },
);

const waits = fc.oneof(
  fc.constantFrom(0, 1, 50_000, 1_000_000, 3_000_000),
  fc.nat({ max: 12_000_000 }),
);

const events: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('input' as const), afterUs: waits, input: inputs }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('wake' as const),
      lateUs: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.nat({ max: 30_000_000 }) },
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      ok: fc.constantFrom(true, true, true, false),
      termsAgo: fc.constantFrom(0, 0, 0, 1),
    }),
  },
);

const settings: fc.Arbitrary<ElectionSettings> = fc
  .tuple(
    changeable,
    fc.record({
      neutral: boolean,
      manageAddress: boolean,
      initialCounter: fc.constantFrom(0n, 0xffffffffffffffffn),
    }),
  )
  .map(([some, rest]) => ({ ...some, ...rest }));

const READY: readonly Input[] = [
  { kind: 'started' },
  { kind: 'interface-ready', source: OWN },
  { kind: 'carrier-changed', up: true },
  { kind: 'gate-changed', open: true },
];

/** Plays events on one election and keeps what it was asked to do. */
class Player {
  readonly effects: Effect[] = [];
  readonly #election: CheckedElection;
  #now = micros(1_000);
  #unanswered: Input[] = [];

  constructor(config: ElectionSettings) {
    this.#election = new CheckedElection(new Election(config), config);
  }

  get now(): Micros {
    return this.#now;
  }

  give(input: Input): void {
    for (const effect of this.#election.step(input, this.#now)) {
      this.effects.push(effect);
      this.#expectAnswer(effect);
    }
  }

  play(event: Event): void {
    switch (event.kind) {
      case 'input':
        this.#now = plus(this.#now, micros(event.afterUs));
        return this.give(event.input);
      case 'wake': {
        const deadline = this.#election.deadline() ?? this.#now;
        this.#now = plus(micros(Math.max(this.#now, deadline)), micros(event.lateUs));
        return this.give({ kind: 'woken' });
      }
      case 'answer':
        return this.#answer(event.ok, event.termsAgo);
      default:
    }
  }

  #answer(ok: boolean, termsAgo: number): void {
    const answer = this.#unanswered.shift();
    if (answer === undefined) return;
    if (answer.kind === 'vip-released' && !ok) {
      this.#unanswered.push(answer);
      return this.give({ kind: 'vip-stuck', term: answer.term - termsAgo, shown: true });
    }
    if ('ok' in answer) return this.give({ ...answer, ok });
    if ('term' in answer) return this.give({ ...answer, term: answer.term - termsAgo });
    this.give(answer);
  }

  #expectAnswer(effect: Effect): void {
    if (effect.kind === 'send-advert') this.#unanswered.push({ kind: 'advert-sent', ok: true });
    if (effect.kind === 'claim-vip') {
      this.#unanswered.push({ kind: 'vip-claimed', term: effect.term, ok: true });
    }
    if (effect.kind === 'release-vip') {
      this.#unanswered.push({ kind: 'vip-released', term: effect.term });
    }
    if (effect.kind === 'run-hook') {
      const { hook, term } = effect;
      this.#unanswered.push({ kind: 'hook-finished', hook, term });
    }
  }
}

const histories = fc.array(events, { maxLength: 120, size: 'max' });

describe('any history', () => {
  it('of a node that has everything it needs breaks no rule', () => {
    fc.assert(
      fc.property(settings, histories, (config, history) => {
        const player = new Player(config);
        for (const input of READY) player.give(input);
        for (const event of history) player.play(event);
      }),
      { numRuns: 1_500 },
    );
  });

  it('of a node that has nothing yet breaks no rule', () => {
    fc.assert(
      fc.property(settings, histories, (config, history) => {
        const player = new Player(config);
        for (const event of history) player.play(event);
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same effects when it is played again', () => {
    fc.assert(
      fc.property(settings, histories, (config, history) => {
        const [first, second] = [new Player(config), new Player(config)].map((player) => {
          for (const input of READY) player.give(input);
          for (const event of history) player.play(event);
          return player.effects;
        });
        assert.deepEqual(first, second);
      }),
      { numRuns: 100 },
    );
  });

  it('taken together, they reach every cause, so that the rules were put to the test', () => {
    const causes = new Set<string>();
    const sample = fc.sample(fc.tuple(settings, histories), { numRuns: 800, seed: 1 });
    for (const [config, history] of sample) {
      const player = new Player(config);
      for (const input of READY) player.give(input);
      for (const event of history) player.play(event);
      for (const effect of player.effects) {
        if (effect.kind === 'state-changed') causes.add(effect.cause);
      }
    }
    assert.deepEqual([...causes].sort(), Object.keys(CAUSES).sort());
  });
});
