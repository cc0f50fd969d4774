// What being master brings with it besides adverts: the address, its announcements and the hooks,
// in the order that keeps two nodes which promote themselves at the same moment from hurting
// anybody: advert, address, gratuitous ARP, and the up hook last.
import { fromMillis, fromSeconds, plus, type Micros } from '../base/time.ts';
import type { Deadlines } from './deadlines.ts';
import type { AnnounceReason, Effect } from './effects.ts';
import type { HookName } from './inputs.ts';

/** Two nodes with equal timers settle it by adverts in this time, before either runs a hook. */
const UP_HOOK_DELAY = fromMillis(50);

/** ucarp's delayed ARP (`sc_delayed_arp`): announce again after this many further adverts. */
const ADVERTS_TO_DELAYED_ANNOUNCE = 2;

/** The announcements of a promotion are over by then; who answers still has not believed them. */
const ASK_AFTER_UP = fromSeconds(3);
/** A host that has claimed the address is asked for again so much later, until none answers. */
const ASK_AGAIN = fromSeconds(10);

/** What of an instance's configuration a master's term needs. */
interface MasterTermSettings {
  /** False: the hooks add and remove the address, and are waited for. */
  readonly manageAddress: boolean;
  readonly announceRefresh: Micros | undefined;
}

/** A hook that ended. */
interface EndedHook {
  readonly hook: HookName;
  readonly term: number;
}

/**
 * The address, announcements and hooks of one instance, over all its terms as master. `mute` is set
 * while the node doubts its own path: it then claims the address to nobody.
 */
export class MasterTerm {
  readonly #settings: MasterTermSettings;
  readonly #deadlines: Deadlines;
  readonly #emit: (effect: Effect) => void;
  #term = 0;
  #running = false;
  /** The address is on the interface, as far as anybody reported. */
  #vipUp = false;
  #advertsToAnnounce: number | undefined;
  /** The term whose up hook was begun and whose down hook was not. */
  #downHookOwed: number | undefined;

  constructor(settings: MasterTermSettings, deadlines: Deadlines, emit: (effect: Effect) => void) {
    this.#settings = settings;
    this.#deadlines = deadlines;
    this.#emit = emit;
  }

  /** The term under way or last ended; 0 before the first. */
  get term(): number {
    return this.#term;
  }

  /** Counts a new term; the address is claimed at its `begin`. */
  next(): void {
    this.#term += 1;
  }

  /** The node holds the address from now on. */
  begin(now: Micros): void {
    this.#running = true;
    if (this.#settings.manageAddress) this.#emit({ kind: 'claim-vip', term: this.#term });
    else this.#deadlines.set('upHook', plus(now, UP_HOOK_DELAY));
  }

  /** The node gives the address up. Says whether there is a release to wait for. */
  end(): boolean {
    this.#running = false;
    this.#vipUp = false;
    this.#advertsToAnnounce = undefined;
    this.#deadlines.clear('upHook', 'askForVip', 'refresh');
    this.#emit({ kind: 'stop-announcing' });
    if (this.#settings.manageAddress) {
      this.#emit({ kind: 'release-vip', term: this.#term });
      return true;
    }
    const owed = this.#downHookOwed;
    if (owed !== undefined) this.#runDownHook(owed);
    return owed !== undefined;
  }

  /** The address was added and verified: announce it, and have the up hook run soon. */
  claimed(now: Micros, mute: boolean): void {
    // A master that could not step down after all has run its up hook in this term.
    if (this.#downHookOwed !== this.#term) {
      this.#deadlines.set('upHook', plus(now, UP_HOOK_DELAY));
    }
    this.#addressIsUp(mute, now);
  }

  /** The address of `term` is off: now its down hook may run, if its up hook ever did. */
  released(term: number): void {
    // News of a release that a later claim of the same term has overtaken.
    if (this.#running && term === this.#term) return;
    if (this.#downHookOwed === term) this.#runDownHook(term);
  }

  /** The time for the up hook has come. */
  upHookDue(): void {
    if (this.#downHookOwed !== undefined) this.#runDownHook(this.#downHookOwed);
    this.#downHookOwed = this.#term;
    this.#emit({ kind: 'run-hook', hook: 'up', term: this.#term });
  }

  /** Says whether this was the hook that took the address off. */
  hookFinished({ hook, term }: EndedHook, mute: boolean, now: Micros): boolean {
    if (this.#settings.manageAddress || term !== this.#term) return false;
    if (hook === 'up' && this.#running) this.#addressIsUp(mute, now);
    return hook === 'down';
  }

  /** A regular advert left; every so often the next announcement is due after it. */
  advertised(mute: boolean): void {
    if (this.#advertsToAnnounce === undefined) return;
    this.#advertsToAnnounce -= 1;
    if (this.#advertsToAnnounce > 0) return;
    this.#advertsToAnnounce = undefined;
    if (!mute) this.#announce('delayed', false);
  }

  /** A second master was heard: caches may point at it. */
  conflict(mute: boolean): void {
    this.#advertsToAnnounce = ADVERTS_TO_DELAYED_ANNOUNCE;
    if (!mute) this.#announce('conflict', false);
  }

  /** The address was missing for a while: neighbours may have forgotten it. */
  restored(term: number, mute: boolean): void {
    if (term === this.#term && !mute) this.#announce('restored', true);
  }

  /** The address is at another MAC address: all neighbours have the old one. */
  moved(mute: boolean): void {
    if (!mute) this.#announce('mac-changed', true);
  }

  /** Another host says that the address is its own: caches may point at it. */
  contested(mute: boolean, now: Micros): void {
    if (!this.#vipUp) return;
    this.#advertsToAnnounce = ADVERTS_TO_DELAYED_ANNOUNCE;
    if (this.#deadlines.get('askForVip') === undefined) {
      this.#deadlines.set('askForVip', plus(now, ASK_AGAIN));
    }
    if (!mute) this.#announce('contested', false);
  }

  /** The path may be dead: what was to be announced stays unsaid. */
  doubtBegan(): void {
    this.#emit({ kind: 'stop-announcing' });
  }

  /** Nobody may have heard what was announced so far, or another one may have served since. */
  announceAnew(reason: AnnounceReason, now: Micros): void {
    if (!this.#vipUp) return;
    this.#announce(reason, true);
    this.#deadlines.set('askForVip', plus(now, ASK_AFTER_UP));
  }

  /** It may be announced again and again more often, or less, than so far. */
  refreshChanged(now: Micros): void {
    const { announceRefresh } = this.#settings;
    const at = this.#deadlines.get('refresh');
    if (announceRefresh === undefined) return this.#deadlines.clear('refresh');
    const isSooner = at === undefined || at > plus(now, announceRefresh);
    if (this.#vipUp && isSooner) this.#planRefresh(now);
  }

  /** A deadline may have come. */
  woken(mute: boolean, now: Micros): void {
    const asks = this.#deadlines.take('askForVip', now) !== undefined;
    if (asks && !mute) this.#emit({ kind: 'ask-for-vip' });
    if (this.#deadlines.take('refresh', now) === undefined) return;
    this.#planRefresh(now);
    if (!mute) this.#announce('refresh', false);
  }

  /**
   * Announces it now and two adverts later, counted from here: putting it up may have been slow.
   */
  #addressIsUp(mute: boolean, now: Micros): void {
    this.#vipUp = true;
    this.#advertsToAnnounce = ADVERTS_TO_DELAYED_ANNOUNCE;
    this.#deadlines.set('askForVip', plus(now, ASK_AFTER_UP));
    this.#planRefresh(now);
    if (!mute) this.#announce('promotion', true);
  }

  #planRefresh(now: Micros): void {
    const { announceRefresh } = this.#settings;
    if (announceRefresh !== undefined) this.#deadlines.set('refresh', plus(now, announceRefresh));
  }

  #announce(reason: AnnounceReason, burst: boolean): void {
    if (this.#vipUp) this.#emit({ kind: 'announce', reason, burst });
  }

  #runDownHook(term: number): void {
    this.#downHookOwed = undefined;
    this.#emit({ kind: 'run-hook', hook: 'down', term });
  }
}
