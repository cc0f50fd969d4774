// The election of one instance: the only place where its state changes. Pure: inputs and the time
// go in, effects come out, and nothing is read from anywhere else, so that "why did it become
// master?" is answered by replaying what went in.
import { invariant, unreachable } from '../base/assert.ts';
import { fromSeconds, micros, plus, since, type Micros } from '../base/time.ts';
import type { Ipv4 } from '../base/addresses.ts';
import { isBowOut } from '../carp/advert.ts';
import * as rules from './advert-rules.ts';
import { Bid } from './bid.ts';
import { advertInterval, masterDownInterval } from './cadence.ts';
import { CatchingUp } from './catching-up.ts';
import { Confidence } from './confidence.ts';
import { Deadlines } from './deadlines.ts';
import type { Cause, Effect, HoldReason, State } from './effects.ts';
import { Following } from './following.ts';
import type { HeardAdvert, Input, InterfaceFault } from './inputs.ts';
import { Participation } from './participation.ts';
import { Preemption } from './preemption.ts';
import { reconfigure, type Reconfigurable } from './reconfigure.ts';
import type { ElectionSettings } from './settings.ts';
import type { ElectionSnapshot } from './snapshot.ts';
import { StepDown } from './step-down.ts';
import { MasterTerm } from './master-term.ts';

const VIP_RETRY_DELAY = fromSeconds(10);

type AdvertHeard = Extract<Input, { kind: 'advert-heard' }>;

/**
 * The election of one instance. This class holds the state and every change of it; the rules of
 * each concern are in the class that the field names.
 */
export class Election {
  readonly #settings: ElectionSettings;
  readonly #deadlines = new Deadlines();
  #state: State = 'INIT';
  #stateSince = micros(0);
  readonly #participation = new Participation();
  readonly #following = new Following();
  readonly #catchingUp = new CatchingUp(this.#deadlines);
  readonly #preemption: Preemption;
  readonly #bid: Bid;
  readonly #masterTerm: MasterTerm;
  readonly #stepDown: StepDown;
  readonly #confidence: Confidence;
  #effects: Effect[] = [];

  constructor(given: ElectionSettings) {
    // A copy, which all parts read: `reconfigured` changes it.
    const settings = { ...given };
    this.#settings = settings;
    const emit = (effect: Effect): void => void this.#effects.push(effect);
    this.#bid = new Bid(settings, this.#deadlines, emit);
    this.#masterTerm = new MasterTerm(settings, this.#deadlines, emit);
    this.#stepDown = new StepDown(settings, this.#deadlines);
    this.#preemption = new Preemption(settings);
    this.#confidence = new Confidence({
      bid: this.#bid,
      catchingUp: this.#catchingUp,
      masterTerm: this.#masterTerm,
      holdsVip: () => this.#holdsVip(),
    });
  }

  /**
   * Takes one input and returns what is to be done, in order. `now` never goes back. Total: no
   * input from the network throws. A `woken` before its deadline returns nothing and changes
   * nothing.
   */
  step(input: Input, now: Micros): readonly Effect[] {
    this.#effects = [];
    const heldVip = this.#holdsVip();
    this.#handle(input, now);
    // Derived from the state before and after, so that no transition can forget the address.
    if (heldVip && !this.#holdsVip() && !this.#masterTerm.end()) this.#left(now);
    if (!heldVip && this.#holdsVip()) this.#masterTerm.begin(now);
    return this.#effects;
  }

  /** When the machine wants to be woken, if at all. */
  deadline(): Micros | undefined {
    return this.#deadlines.earliest();
  }

  /** What of the snapshot is asked for at every step. */
  get brief(): Pick<ElectionSnapshot, 'state' | 'masterDownAt'> {
    return { state: this.#state, masterDownAt: this.#deadlines.get('masterDown') };
  }

  snapshot(): ElectionSnapshot {
    return {
      state: this.#state,
      stateSince: this.#stateSince,
      term: this.#masterTerm.term,
      master: this.#following.master,
      holdReasons: this.#participation.holdReasons,
      inDoubt: this.#bid.inDoubt,
      demoted: this.#bid.demoted,
      effectiveAdvskew: this.#bid.advskew,
      leaving: this.#stepDown.cause,
      masterDownAt: this.#deadlines.get('masterDown'),
      advertiseAt: this.#deadlines.get('advertise'),
    };
  }

  #handle(input: Input, now: Micros): void {
    switch (input.kind) {
      case 'started':
        if (this.#settings.neutral) return;
        return void this.#effects.push({ kind: 'run-hook', hook: 'down', term: 0 });
      case 'vip-released':
        if (input.term === this.#masterTerm.term) this.#left(now);
        return this.#masterTerm.released(input.term);
      case 'vip-stuck':
        return this.#vipStuck(input.term, input.shown, now);
      case 'hook-finished':
        if (this.#masterTerm.hookFinished(input, this.#bid.inDoubt, now)) this.#left(now);
        return;
      default:
        // A master that is stopping still advertises and still yields.
        if (!this.#stepDown.stopping || this.#state === 'MASTER') this.#handleLive(input, now);
    }
  }

  #handleLive(
    input: Exclude<Input, { kind: 'started' | 'vip-released' | 'vip-stuck' | 'hook-finished' }>,
    now: Micros,
  ): void {
    switch (input.kind) {
      case 'interface-ready':
        this.#participation.interfaceReady(input.source);
        this.#stepDown.back('source');
        return this.#settle('interface-ready', now);
      case 'interface-lost':
        return this.#interfaceLost(input.cause, now);
      case 'carrier-changed':
        return this.#carrierChanged(input.up, now);
      case 'gate-changed':
        return this.#hold('gate-closed', !input.open, now);
      case 'maintenance-changed':
        return this.#hold('maintenance', input.on, now);
      case 'doubt-changed':
        return this.#confidence.doubtChanged(input.inDoubt, now);
      case 'path-changed':
        return this.#confidence.pathChanged(input.trust, now);
      case 'catching-up':
        return this.#catchingUp.update(input.lateBy, plus(now, advertInterval(this.#settings)));
      case 'unheard':
        return this.#catchingUp.unheard(plus(input.until, masterDownInterval(this.#settings)));
      case 'advert-heard':
        return this.#advertHeard(input, now);
      case 'advert-sent':
        return this.#advertSent(input.ok, now);
      case 'vip-claimed':
        return this.#vipClaimed(input.term, input.ok, now);
      case 'vip-restored':
        if (this.#holdsVip()) this.#masterTerm.restored(input.term, this.#bid.inDoubt);
        return;
      case 'vip-contested':
        return this.#holdsVip()
          ? this.#masterTerm.contested(this.#confidence.isMute, now)
          : undefined;
      case 'mac-changed':
        return this.#holdsVip() ? this.#masterTerm.moved(this.#confidence.isMute) : undefined;
      case 'handover-requested':
        return this.#leave('handover', now);
      case 'reconfigured':
        return reconfigure(this.#parts, input.settings, now);
      case 'stop-requested':
        return this.#stop(false, now);
      case 'retire-requested':
        return this.#stop(true, now);
      case 'woken':
        return this.#woken(input.along === true, now);
      default:
        return unreachable(input);
    }
  }

  #interfaceLost(cause: InterfaceFault, now: Micros): void {
    this.#participation.interfaceLost();
    this.#following.forget();
    // Only the address is gone: frames still pass, so the peers can be told not to wait.
    if (cause === 'no-source-address' && this.#state === 'MASTER') {
      // A virtual IP that was flushed along is put back by carpd, and by hooks only anew.
      if (!this.#settings.manageAddress) return this.#leave(cause, now);
      return this.#stepDown.lost('source', now);
    }
    this.#participation.silenced();
    this.#settle(cause, now);
  }

  #advertHeard({ from, advert, proved }: AdvertHeard, now: Micros): void {
    if (this.#state === 'INIT') return;
    this.#bid.follow(advert.counter);
    if (!isBowOut(advert)) this.#following.advertised(from);
    if (this.#state === 'MASTER') return this.#heardAsMaster(from, advert, now);
    const fromMaster = this.#following.isOfMaster(from, advert);
    if (!isBowOut(advert)) this.#following.follow(from, advert, now);
    else if (fromMaster) this.#following.forget();
    if (this.#state !== 'BACKUP') return;
    const sendsWell = !this.#bid.demoted;
    const mayPreempt = proved && sendsWell && this.#preemption.isAllowed(this.#stateSince, now);
    const view = { fromMaster, isAlone: this.#isAlone(now), mayPreempt, sendsWell };
    this.#heardAsBackup(from, rules.judgeAsBackup(this.#self(), view, advert), now);
  }

  #heardAsBackup(from: Ipv4, verdict: rules.BackupVerdict, now: Micros): void {
    if (verdict === 'ignore') return;
    const follows = verdict === 'follow' || this.#catchingUp.on;
    if (!follows) return this.#promote(rules.PROMOTION_CAUSES[verdict], from, now);
    // A bow-out makes the master due at once, unless another one is heard behind it.
    const left = verdict === 'promote-bow-out' ? from : undefined;
    this.#catchingUp.waitFor(left, left ? now : plus(now, masterDownInterval(this.#settings)));
  }

  #heardAsMaster(from: Ipv4, advert: HeardAdvert, now: Micros): void {
    const verdict = rules.judgeAsMaster(this.#self(), from, advert);
    if (verdict === 'yield-to-better') {
      // The better master announces the address again when it hears a worse one (ucarp does, and
      // so do we): that is what the farewell is for. On a tie it would make a BSD peer yield too.
      if (this.#stepDown.cause === undefined) this.#bid.send('farewell');
      return this.#yield(this.#bid.yieldCause, from, advert, now);
    }
    if (verdict === 'yield-to-equal') return this.#yield('tie-lost', from, advert, now);
    if (verdict === 'yield-unconfirmed') return this.#yield('path-unconfirmed', from, advert, now);
    const equal = (verdict satisfies 'conflict' | 'conflict-equal') === 'conflict-equal';
    const announces = this.#holdsVip() && !this.#confidence.isMute;
    this.#effects.push({ kind: 'conflict-heard', peer: from, equal, announces });
    if (this.#holdsVip()) this.#masterTerm.conflict(this.#confidence.isMute);
  }

  #yield(cause: Cause, to: Ipv4, advert: HeardAdvert, now: Micros): void {
    this.#following.follow(to, advert, now);
    this.#enter(this.#restingState(), cause, now);
  }

  /** It has listened for a dead interval, in which every healthy master is heard: there is one. */
  #isAlone(now: Micros): boolean {
    const listenedSince = micros(Math.max(this.#following.aloneSince, this.#stateSince));
    return since(now, listenedSince) >= masterDownInterval(this.#settings);
  }

  #advertise(dueAt: Micros, now: Micros): void {
    this.#bid.advertise(dueAt, now);
    if (this.#holdsVip()) this.#masterTerm.advertised(this.#bid.inDoubt);
  }

  #advertSent(sent: boolean, now: Micros): void {
    if (this.#state !== 'MASTER') return;
    const verdict = this.#bid.sent(sent);
    // ucarp tries once more at once, now with the high skew.
    if (verdict === 'demoted') this.#advertise(now, now);
    if (verdict === 'recovered') this.#confidence.sendsRecovered(now);
  }

  #promote(cause: Cause, peer: Ipv4 | undefined, now: Micros): void {
    invariant(this.#restingState() === 'BACKUP', 'nothing holds off a promotion');
    this.#masterTerm.next();
    this.#bid.send('regular');
    this.#enter('MASTER', cause, now, peer);
    this.#following.forget();
    this.#deadlines.set('advertise', plus(now, this.#bid.interval));
  }

  #holdsVip(): boolean {
    return this.#state === 'MASTER' && this.#stepDown.cause === undefined;
  }

  #vipClaimed(term: number, claimed: boolean, now: Micros): void {
    if (term !== this.#masterTerm.term || !this.#holdsVip()) return;
    this.#preemption.claimed(claimed);
    if (claimed) return this.#masterTerm.claimed(now, this.#bid.inDoubt);
    this.#participation.hold('vip-failed', true);
    this.#deadlines.set('vipRetry', plus(now, VIP_RETRY_DELAY));
    this.#leave('vip-failed', now);
  }

  /** Steps down in good order: address off, then the bow-out, then the new state (see #left). */
  #leave(cause: Cause, now: Micros): void {
    if (this.#state === 'MASTER') this.#stepDown.begin(cause, now);
  }

  /** The address is off: ends the step down, if one is under way. */
  #left(now: Micros): void {
    const { cause } = this.#stepDown;
    if (cause === undefined) return;
    this.#bid.send('bow-out');
    this.#enter(this.#restingState(), cause, now);
  }

  /** A bow-out with the address still on would make two holders: it waits, as long as it may. */
  #vipStuck(term: number, shown: boolean, now: Micros): void {
    if (!this.#settings.manageAddress) return;
    const leaving = term === this.#masterTerm.term && this.#stepDown.cause !== undefined;
    if (leaving && !this.#stepDown.stuck(shown)) return;
    if (leaving) this.#left(now);
    this.#masterTerm.released(term);
  }

  #stepDownEnds(now: Micros): void {
    const { cause } = this.#stepDown;
    invariant(cause !== undefined, 'only who steps down waits for its address');
    const stays = this.#stepDown.giveUp() === 'stay';
    this.#effects.push({ kind: 'step-down-stuck', cause, stays });
    if (stays) return;
    this.#left(now);
    this.#masterTerm.released(this.#masterTerm.term);
  }

  #stop(mayStay: boolean, now: Micros): void {
    this.#stepDown.stop(this.#state === 'MASTER', mayStay, now);
    if (this.#state !== 'MASTER') this.#enter('INIT', 'stopped', now);
  }

  #restingState(): State {
    return this.#stepDown.stopping ? 'INIT' : this.#participation.restingState;
  }

  /** Goes where the conditions say; a MASTER only leaves for a reason of its own. */
  #settle(cause: Cause, now: Micros): void {
    if (this.#state === 'MASTER' && this.#participation.source !== undefined) return;
    const rest = this.#restingState();
    if (rest !== this.#state) this.#enter(rest, cause, now);
  }

  #hold(reason: HoldReason, held: boolean, now: Micros): void {
    this.#participation.hold(reason, held);
    if (held && reason === 'maintenance') this.#leave(reason, now);
    this.#settle(held ? reason : 'gate-opened', now);
  }

  #carrierChanged(up: boolean, now: Micros): void {
    this.#hold('carrier-lost', !up, now);
    if (up) this.#stepDown.back('carrier');
    else if (this.#state === 'MASTER') this.#stepDown.lost('carrier', now);
  }

  #enter(to: State, cause: Cause, now: Micros, peer = this.#following.master?.address): void {
    const from = this.#state;
    this.#state = to;
    this.#stateSince = now;
    if (this.#stepDown.ended() === 'handover') this.#preemption.handedOver();
    this.#deadlines.clear('advertise', 'masterDown', 'upHook');
    if (to === 'BACKUP') {
      this.#catchingUp.waitFor(undefined, plus(now, masterDownInterval(this.#settings)));
    }
    if (from === 'MASTER') this.#bid.ended(now);
    if (from !== to) {
      const { term } = this.#masterTerm;
      this.#effects.push({ kind: 'state-changed', from, to, cause, peer, term });
    }
    if (!this.#stepDown.stopping) return;
    this.#deadlines.clearAll();
    this.#effects.push({ kind: 'stopped' });
  }

  #woken(along: boolean, now: Micros): void {
    const loss = this.#stepDown.takeLoss(now);
    if (loss !== undefined) this.#leave(loss, now);
    const forgiven = this.#deadlines.take('demotionEnd', now) !== undefined;
    if (forgiven && this.#state !== 'MASTER') this.#bid.forgive();
    if (this.#deadlines.take('vipRetry', now) !== undefined) this.#hold('vip-failed', false, now);
    if (this.#deadlines.take('masterDown', now) !== undefined) {
      this.#preemption.masterDown();
      const { left } = this.#catchingUp;
      const cause = left === undefined ? 'master-down' : 'bow-out';
      this.#promote(cause, left ?? this.#following.master?.address, now);
    }
    const upHookDue = this.#deadlines.take('upHook', now) !== undefined;
    if (upHookDue && this.#holdsVip()) this.#masterTerm.upHookDue();
    if (this.#holdsVip()) this.#masterTerm.woken(this.#confidence.isMute, now);
    const advertiseAt = this.#deadlines.take('advertise', along ? this.#bid.along(now) : now);
    if (advertiseAt !== undefined) this.#advertise(advertiseAt, now);
    if (this.#deadlines.take('stepDownEnd', now) !== undefined) this.#stepDownEnds(now);
  }

  get #parts(): Reconfigurable {
    const [settings, bid, catchingUp] = [this.#settings, this.#bid, this.#catchingUp];
    return { settings, bid, catchingUp, masterTerm: this.#masterTerm };
  }

  #self(): rules.Self {
    const { source } = this.#participation;
    invariant(source !== undefined, 'BACKUP and MASTER have a source address');
    return {
      source,
      cadence: this.#settings,
      effectiveAdvskew: this.#bid.advskew,
      unconfirmed: this.#bid.trust === 'unconfirmed',
    };
  }
}
