// A segment under arbitrary histories: its machines break none of their rules, each knows what the
// other says, and what went in can be written down and played again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromMillis, fromSeconds, micros, plus, type Micros } from '../../src/base/time.ts';
import { LinkReadiness } from '../../src/readiness/link.ts';
import { Election } from '../../src/election/machine.ts';
import type { SegmentEffect } from '../../src/segment/effects.ts';
import type { InstanceInput, SegmentInput } from '../../src/segment/inputs.ts';
import { ROLES } from '../../src/segment/roles.ts';
import { Segment, type SegmentMachines } from '../../src/segment/segment.ts';
import { CheckedElection } from '../support/election-rules.ts';
import { INTERFACE_FAULTS } from '../support/interface-faults.ts';
import { facts, pairs } from '../support/readiness-histories.ts';
import { INSTANCE, PEER, PEER_MAC, PLAIN, VIP } from '../support/readiness-rig.ts';
import { CheckedLink } from '../support/readiness-rules.ts';
import { DEFAULTS, HIGHER, LOWER, OWN } from '../support/rig.ts';
import { address } from '../support/packets.ts';

/** An input after a while, or the wake-up that the segment asked for. */
type Event =
  | { readonly kind: 'input'; readonly afterUs: number; readonly input: SegmentInput }
  | { readonly kind: 'wake'; readonly lateUs: number };

const boolean = fc.boolean();
/** One pace for all: the rules ask who is asked too often by the pace of the moment. */
const instances = pairs.map((all) =>
  all.map((one) => ({ ...one, probeInterval: INSTANCE.probeInterval })),
);
const names = fc.constantFrom('db', 'db', 'db', 'web', 'nobody');
const epochs = fc.constantFrom(1, 1, 2, 3);
const latenesses = fc.constantFrom(fromMillis(60), fromSeconds(2), fromSeconds(5));
const adverts = fc.oneof(
  fc.record({
    advbase: fc.constantFrom(1, 1, 1, 3),
    advskew: fc.constantFrom(0, 0, 100, 239, 240),
    demote: fc.constantFrom(0, 0, 0, 1),
    counter: fc.bigInt({ min: 0n, max: 3n }),
  }),
  fc.constant({ advbase: 255, advskew: 255, demote: 0, counter: 5n }),
);
const copies = { name: names, from: fc.constantFrom(LOWER, HIGHER), advert: adverts };
const factsRead = { facts: fc.constantFrom(PLAIN, PLAIN, undefined), hasGuests: boolean };

const told: fc.Arbitrary<InstanceInput> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'interface-ready' as const, source: OWN }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'carrier-changed' as const, up: true }) },
  fc.constant({ kind: 'carrier-changed' as const, up: false }),
  fc.record({
    kind: fc.constant('interface-lost' as const),
    cause: fc.constantFrom(...INTERFACE_FAULTS),
  }),
  fc.record({ kind: fc.constant('maintenance-changed' as const), on: boolean }),
  fc.record({ kind: fc.constant('advert-sent' as const), ok: boolean }),
  fc.record({
    kind: fc.constant('vip-claimed' as const),
    term: fc.constantFrom(1, 1, 2),
    ok: boolean,
  }),
  fc.record({ kind: fc.constant('vip-released' as const), term: fc.constantFrom(1, 1, 2) }),
  fc.constant({ kind: 'vip-contested' as const }),
  fc.record({
    kind: fc.constant('reconfigured' as const),
    settings: fc.constantFrom(DEFAULTS, { ...DEFAULTS, preempt: true, advskew: 50, deadRatio: 5 }),
  }),
  fc.constant({ kind: 'handover-requested' as const }),
);

const heard: fc.Arbitrary<SegmentInput> = fc.oneof(
  fc.record({ kind: fc.constant('socket-copy' as const), witnessRead: boolean, ...copies }),
  fc.record({ kind: fc.constant('witness-copy' as const), epoch: epochs, ...copies }),
  fc.record({
    kind: fc.constant('packet-refused' as const),
    heardBy: fc.constantFrom('socket' as const, 'witness' as const),
    dropped: fc.constant({ reason: 'bad-digest' as const, from: undefined, vhid: 7 }),
  }),
  fc.record({ kind: fc.constant('socket-emptied' as const), epoch: epochs }),
  fc.record({ kind: fc.constant('witness-covers' as const), covers: boolean }),
  fc.constant({ kind: 'sockets-read' as const }),
  fc.record({ kind: fc.constant('flood-changed' as const), flooded: boolean }),
  fc.constant({ kind: 'obstacle-found' as const, obstacle: 'unknown' as const }),
);

const seen: fc.Arbitrary<SegmentInput> = fc.oneof(
  fc.record({
    kind: fc.constant('frame-heard' as const),
    from: fc.constant(PEER_MAC),
    epoch: epochs,
  }),
  fc.record({
    kind: fc.constant('probe-answered' as const),
    address: fc.constantFrom(PEER, VIP, address('10.77.0.1')),
    mac: fc.constant(PEER_MAC),
    epoch: epochs,
  }),
  fc.constant({ kind: 'neighbours-found' as const, addresses: [PEER] }),
  fc.constant({ kind: 'hosts-asked' as const, addresses: [PEER] }),
);

const rest: fc.Arbitrary<SegmentInput> = fc.oneof(
  fc.record({ kind: fc.constant('facts-read' as const), facts, hasGuests: boolean }),
  fc.constant({ kind: 'facts-read' as const, facts: PLAIN, hasGuests: false }),
  fc.record({ kind: fc.constant('instances-changed' as const), instances }),
  fc.record({
    kind: fc.constant('instance-added' as const),
    name: fc.constantFrom('web', 'nobody'),
    settings: fc.constantFrom(DEFAULTS, { ...DEFAULTS, preempt: true, advskew: 50 }),
  }),
  fc.record({ kind: fc.constant('instance-removed' as const), name: fc.constantFrom('web') }),
  fc.record({ kind: fc.constant('stood-still' as const), lateBy: latenesses }),
  fc.record({ kind: fc.constant('caught-up' as const), lateBy: latenesses, ...factsRead }),
  fc.record({
    kind: fc.constant('woken' as const),
    unheardUntil: fc.constantFrom(undefined, fromSeconds(9)),
  }),
);

const inputs: fc.Arbitrary<SegmentInput> = fc.oneof(
  { weight: 5, arbitrary: heard },
  { weight: 4, arbitrary: seen },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('instance-input' as const),
      name: names,
      input: told,
    }),
  },
  { weight: 2, arbitrary: rest },
);

const events: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant('input' as const),
    afterUs: fc.constantFrom(0, 1, 40_000, 60_000, 500_000, 1_000_000, 4_000_000),
    input: inputs,
  }),
  fc.record({
    kind: fc.constant('wake' as const),
    lateUs: fc.constantFrom(0, 0, 0, 5_000, 20_000_000),
  }),
);
const histories = fc.array(events, { maxLength: 120, size: 'max' });

/** An instance on a link that is there, before anything happens. */
const READY: readonly SegmentInput[] = [
  { kind: 'instance-added', name: 'db', settings: DEFAULTS },
  { kind: 'facts-read', facts: PLAIN, hasGuests: false },
  { kind: 'instances-changed', instances: [INSTANCE] },
  { kind: 'instance-input', name: 'db', input: { kind: 'carrier-changed', up: true } },
  { kind: 'instance-input', name: 'db', input: { kind: 'interface-ready', source: OWN } },
];

const CHECKED: SegmentMachines = {
  link: (now) => new CheckedLink(new LinkReadiness(now)),
  election: (settings) => new CheckedElection(new Election(settings), settings),
};

/** What goes into a recording: each input as text, with its time. */
interface Line {
  readonly at: number;
  readonly text: string;
}

class Player {
  readonly segment = new Segment(micros(0), CHECKED);
  readonly recording: Line[] = [];
  readonly effects: SegmentEffect[] = [];
  readonly kinds = new Set<string>();
  #now: Micros = micros(0);

  play(history: readonly Event[]): this {
    for (const input of READY) this.#give(input);
    for (const event of history) this.#happen(event);
    return this;
  }

  #happen(event: Event): void {
    if (event.kind === 'input') {
      this.#now = plus(this.#now, micros(event.afterUs));
      return this.#give(event.input);
    }
    const deadline = this.segment.deadline() ?? this.#now;
    this.#now = plus(micros(Math.max(this.#now, deadline)), micros(event.lateUs));
    for (let count = 0; (this.segment.deadline() ?? Infinity) <= this.#now; count += 1) {
      assert.ok(count < 20, 'what was due is done with');
      this.#give({ kind: 'woken' });
    }
  }

  #give(input: SegmentInput): void {
    const { segment } = this;
    const tooEarly = (segment.deadline() ?? Infinity) > this.#now && input.kind === 'woken';
    this.recording.push({ at: this.#now, text: write(input) });
    const effects = segment.step(input, this.#now);
    if (tooEarly)
      assert.deepEqual(
        effects.filter(({ kind }) => kind !== 'watch-frames'),
        [],
      );
    this.effects.push(...effects);
    for (const effect of effects) {
      const known = !('name' in effect) || segment.election(effect.name) !== undefined;
      assert.ok(known, 'nobody is told of who has gone');
      this.kinds.add(effect.kind === 'elected' ? effect.effect.kind : effect.kind);
    }
    this.#compare();
  }

  /** Each machine knows what the other says. */
  #compare(): void {
    for (const { name, role, gate, doubt, trust } of this.segment.link.snapshot().instances) {
      const election = this.segment.election(name);
      if (election === undefined) continue;
      assert.equal(role, ROLES[election.state]);
      assert.equal(election.holdReasons.includes('gate-closed'), !gate.open);
      assert.equal(election.inDoubt, doubt !== undefined);
      if (election.state === 'MASTER' && trust === 'dark') assert.ok(election.effectiveAdvskew > 0);
    }
  }
}

/** As a recording has it: text, in which a counter is a number with a mark. */
function write(value: SegmentInput | readonly SegmentEffect[]): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? `${String(part)}n` : part,
  );
}

function read(text: string): SegmentInput {
  const value: unknown = JSON.parse(text, (_, part: unknown) =>
    typeof part === 'string' && /^\d+n$/.test(part) ? BigInt(part.slice(0, -1)) : part,
  );
  return value as SegmentInput;
}

describe('any history of a segment', () => {
  it('breaks no rule of its machines, and leaves neither in the dark about the other', () => {
    fc.assert(
      fc.property(histories, (history) => void new Player().play(history)),
      { numRuns: 500 },
    );
  });

  it('written down and read again gives the same effects', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { recording, effects } = new Player().play(history);
        const segment = new Segment(micros(0));
        const again = recording.flatMap(({ at, text }) => segment.step(read(text), micros(at)));
        assert.equal(write(again), write(effects));
      }),
      { numRuns: 100 },
    );
  });

  it('reaches what matters, so that the rules were put to the test', () => {
    const kinds = new Set<string>();
    for (const history of fc.sample(histories, { numRuns: 200, seed: 1 })) {
      for (const kind of new Player().play(history).kinds) kinds.add(kind);
    }
    const wanted = [
      ...['epoch-began', 'gate-changed', 'doubt-changed', 'watch-frames', 'look-again', 'probe'],
      ...['evidence-changed', 'advert-heard', 'packet-refused', 'state-changed', 'claim-vip'],
      ...['release-vip', 'announce', 'conflict-heard', 'find-neighbours'],
    ];
    assert.deepEqual(
      wanted.filter((kind) => !kinds.has(kind)),
      [],
    );
  });
});
