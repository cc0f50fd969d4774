// What must hold of every election, whatever it is given: checked after each step.
import assert from 'node:assert/strict';
import type { Micros } from '../../src/base/time.ts';
import type { Effect, State } from '../../src/election/effects.ts';
import type { Input } from '../../src/election/inputs.ts';
import type { Election } from '../../src/election/machine.ts';
import type { ElectionSettings } from '../../src/election/settings.ts';
import type { ElectionSnapshot } from '../../src/election/snapshot.ts';
import { STATE_LABELS, TRANSITION_SERIES } from '../../src/metrics/catalogue/label-values.ts';
import { isAlike } from './alike.ts';
import { INTERFACE_FAULTS } from './interface-faults.ts';

const YIELDING: readonly string[] = ['better-advert', 'path-unconfirmed', 'tie-lost'];
/** Nothing can be sent over an interface that is not there. */
/** Without its source address alone, a master can still send with the one it had. */
const SPEECHLESS: readonly string[] = INTERFACE_FAULTS.filter(
  (fault) => fault !== 'no-source-address',
);

/** What the metrics expect to happen. */
const COUNTED = new Set(
  TRANSITION_SERIES.map(({ from, to, cause }) => `${from} -> ${to}: ${cause}`),
);

const changeKey = ({ from, to, cause }: StateChanged): string =>
  `${STATE_LABELS[from]} -> ${STATE_LABELS[to]}: ${cause}`;

type StateChanged = Extract<Effect, { kind: 'state-changed' }>;

/** Drives one election and fails as soon as it breaks a rule. */
export class CheckedElection {
  readonly #election: Election;
  readonly #settings: ElectionSettings;
  #state: State = 'INIT';
  #claimed = false;
  #mayAnnounce = false;
  #bowedOut = false;
  /** The address of this term was reported to be up. */
  #addressUp = false;
  #term = 0;
  #upHookOf: number | undefined;
  #stopped = false;
  #maintenance = false;
  /** In this term: the address could not be removed, so that it stayed master. */
  #stayed = false;
  /** In this term: something happened that lets it no choice but to leave. */
  #mustLeave = false;

  constructor(election: Election, settings: ElectionSettings) {
    this.#election = election;
    this.#settings = settings;
  }

  deadline(): Micros | undefined {
    return this.#election.deadline();
  }

  get brief(): Election['brief'] {
    return this.#election.brief;
  }

  snapshot(): ElectionSnapshot {
    return this.#election.snapshot();
  }

  /** One step, checked, with a wake-up before its time in front of it. */
  step(input: Input, now: Micros): readonly Effect[] {
    this.#wakeTooEarly(now);
    const before = this.#election.snapshot();
    if (this.#reportsAddress(input)) this.#addressUp = true;
    const effects = this.#election.step(input, now);
    const after = this.#election.snapshot();
    const changes = effects.filter((effect) => effect.kind === 'state-changed');
    assert.ok(changes.length <= 1, 'a step changes the state once at most');
    for (const effect of effects) this.#check(effect, before, after, changes[0]);
    assert.equal(this.#state, after.state, 'the chain of changes leads to the state');
    assert.equal(this.#term, after.term);
    this.#checkLeaving(effects, changes[0]);
    this.#checkVoluntary(input, changes[0]);
    if (input.kind === 'maintenance-changed') this.#maintenance = input.on;
    this.#checkMaintenance(after);
    if (input.kind === 'woken') this.#checkDeadline(now);
    return effects;
  }

  #checkMaintenance({ state, leaving }: ElectionSnapshot): void {
    if (!this.#maintenance) return;
    const leaves = state === 'MASTER' && (leaving !== undefined || this.#stayed);
    const held = state === 'HELD' || state === 'INIT';
    assert.ok(held || leaves, `${state} while maintenance is on`);
  }

  #reportsAddress(input: Input): boolean {
    if (input.kind === 'vip-claimed') return input.ok && input.term === this.#term;
    const up = input.kind === 'hook-finished' && input.hook === 'up';
    return up && !this.#settings.manageAddress && input.term === this.#term;
  }

  #wakeTooEarly(now: Micros): void {
    const deadline = this.#election.deadline();
    if (deadline !== undefined && deadline <= now) return;
    const before = this.#election.snapshot();
    assert.deepEqual(this.#election.step({ kind: 'woken' }, now), []);
    const after = this.#election.snapshot();
    if (!isAlike(after, before)) assert.deepEqual(after, before);
    assert.equal(this.#election.deadline(), deadline);
  }

  #checkDeadline(now: Micros): void {
    const deadline = this.#election.deadline();
    assert.ok(deadline === undefined || deadline > now, 'what was due is done with');
  }

  #check(
    effect: Effect,
    before: ElectionSnapshot,
    after: ElectionSnapshot,
    change: StateChanged | undefined,
  ): void {
    assert.ok(!this.#stopped || effect.kind === 'run-hook', `${effect.kind} after the end`);
    switch (effect.kind) {
      case 'send-advert':
        return this.#checkAdvert(effect, before, change);
      case 'state-changed':
        return this.#checkChange(effect, before);
      case 'claim-vip':
        assert.ok(this.#settings.manageAddress && !this.#claimed, 'claims and releases alternate');
        assert.deepEqual([after.state, after.leaving], ['MASTER', undefined]);
        assert.equal(effect.term, this.#term);
        this.#claimed = true;
        this.#mayAnnounce = true;
        return;
      case 'step-down-stuck':
        assert.equal(before.leaving, effect.cause);
        assert.equal(after.state === 'MASTER', effect.stays);
        if (effect.stays) this.#stayed = true;
        return;
      case 'release-vip':
        assert.ok(this.#settings.manageAddress && this.#claimed, 'claims and releases alternate');
        assert.equal(effect.term, this.#term);
        this.#claimed = false;
        return;
      case 'announce':
        assert.ok(this.#mayAnnounce, 'nothing is announced once stepping down has begun');
        assert.ok(this.#addressUp, 'only an address that is up is announced');
        assert.equal(after.inDoubt, false);
        return;
      case 'ask-for-vip':
        assert.ok(this.#mayAnnounce && this.#addressUp, 'only a holder asks who else has it');
        assert.equal(after.inDoubt, false);
        return;
      case 'stop-announcing': {
        assert.ok(this.#mayAnnounce, 'each term ends once');
        const doubtBegins = !before.inDoubt && after.inDoubt;
        this.#mayAnnounce = doubtBegins && after.state === 'MASTER' && after.leaving === undefined;
        return;
      }
      case 'run-hook':
        return this.#checkHook(effect.hook, effect.term, after);
      case 'conflict-heard':
        assert.equal(after.state, 'MASTER');
        return;
      case 'demotion-changed':
        assert.notEqual(before.demoted, after.demoted);
        assert.equal(effect.demoted, after.demoted);
        return;
      case 'stopped':
        assert.equal(after.state, 'INIT');
        assert.equal(this.#election.deadline(), undefined);
        this.#stopped = true;
        return;
      default:
    }
  }

  #checkAdvert(
    effect: Extract<Effect, { kind: 'send-advert' }>,
    before: ElectionSnapshot,
    change: StateChanged | undefined,
  ): void {
    if (effect.advert === 'regular') {
      const promoted = change?.to === 'MASTER';
      assert.ok(this.#state === 'MASTER' || promoted, 'only a master sends regular adverts');
      assert.ok(!this.#bowedOut || promoted, 'the bow-out is the last advert of a term');
      this.#bowedOut = false;
      return;
    }
    this.#bowedOut = true;
    assert.equal(before.state, 'MASTER');
    assert.equal(change?.from, 'MASTER', `${effect.advert} only when leaving`);
    const yielding = YIELDING.includes(change.cause);
    assert.equal(yielding, effect.advert === 'farewell');
  }

  #checkChange(effect: StateChanged, before: ElectionSnapshot): void {
    assert.equal(effect.from, this.#state, 'each change begins where the last one ended');
    assert.notEqual(effect.from, effect.to);
    assert.ok(COUNTED.has(changeKey(effect)), `${changeKey(effect)} has a series to be counted by`);
    this.#state = effect.to;
    this.#stayed = false;
    if (effect.to === 'MASTER') {
      assert.deepEqual([before.state, before.holdReasons], ['BACKUP', []]);
      assert.equal(effect.term, this.#term + 1);
      this.#term = effect.term;
      this.#mayAnnounce = true;
      this.#addressUp = false;
    }
  }

  #checkHook(hook: 'up' | 'down', term: number, after: ElectionSnapshot): void {
    if (hook === 'up') {
      assert.equal(this.#upHookOf, undefined, 'a down hook comes between two up hooks');
      assert.deepEqual([after.state, term], ['MASTER', this.#term]);
      this.#upHookOf = term;
      return;
    }
    if (term === 0) return;
    assert.equal(term, this.#upHookOf, 'a down hook answers an up hook');
    this.#upHookOf = undefined;
  }

  /** Who was only asked to leave does so without its address, or not at all. */
  #checkVoluntary(input: Input, change: StateChanged | undefined): void {
    const lost = input.kind === 'interface-lost' || input.kind === 'stop-requested';
    if (lost || (input.kind === 'carrier-changed' && !input.up)) this.#mustLeave = true;
    if (change === undefined) return;
    const voluntary = change.cause === 'handover' || change.cause === 'maintenance';
    if (change.from === 'MASTER' && voluntary && this.#settings.manageAddress) {
      assert.ok(input.kind === 'vip-released' || this.#mustLeave, 'bows out with its address on');
    }
    this.#mustLeave = false;
  }

  #checkLeaving(effects: readonly Effect[], change: StateChanged | undefined): void {
    const bowOuts = effects.filter(
      (effect) => effect.kind === 'send-advert' && effect.advert === 'bow-out',
    );
    const inGoodOrder =
      change?.from === 'MASTER' &&
      !YIELDING.includes(change.cause) &&
      !SPEECHLESS.includes(change.cause);
    assert.equal(bowOuts.length, inGoodOrder ? 1 : 0, 'each step down but yielding bows out once');
    if (change?.from === 'MASTER') {
      assert.ok(!this.#claimed && !this.#mayAnnounce, 'who is no master holds no address');
    }
  }
}
