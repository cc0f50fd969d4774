// Whether the path of one instance may have gone dark without a word of the kernel, as when a VLAN
// leaves the trunk with LACP still up: nothing at all has come in by it for too long.
import { micros, plus, since, type Micros } from '../base/time.ts';

/**
 * trusted: frames come in. unconfirmed: nothing has come in for a dead interval, so that a master
 * that is heard may have served meanwhile; a silent segment looks the same. unheard: it took over
 * from a silent master and has heard nobody since. dark: nobody answers any more who did so in this
 * term. In both the node bids low as well.
 */
export type Trust = 'trusted' | 'unconfirmed' | 'unheard' | 'dark';

/** What a master knows of its path now. */
export interface PathView {
  /** When anything that counts came in last, in whichever epoch. */
  readonly heardAt: Micros | undefined;
  /** Somebody has answered our ARP in this epoch, and so would do so again. */
  readonly hadAnswer: boolean;
  readonly deadInterval: Micros;
  readonly advertInterval: Micros;
}

/** What a node that waits for a silent master knows of its path now. */
export interface SilenceView {
  /** When anything that counts came in last, in whichever epoch. */
  readonly heardAt: Micros | undefined;
  /** Since when an advert of the master is missing. */
  readonly missedAt: Micros;
  /** Somebody is asked once in this time, so that what was heard before says nothing of now. */
  readonly freshFor: Micros;
}

interface Distrust {
  readonly since: Micros;
  readonly trust: Exclude<Trust, 'trusted'>;
  provedAt: Micros | undefined;
  otherMasterAt: Micros | undefined;
}

/**
 * The trust of a master in its path. It comes back one dead interval after something has come in,
 * if no other master was heard in that time.
 */
export class PathTrust {
  #distrust: Distrust | undefined;
  /** What came before does not count: the node was no master, or had other worries. */
  #from = micros(0);
  /** It waits for a silent master, or is the master that took over from it. */
  #afterSilence = false;
  /** Something has come in since it became master. */
  #heardInTerm = false;
  /** When it is to look again. */
  #deadline: Micros | undefined;
  #samples = false;

  get trust(): Trust {
    if (this.#distrust === undefined) return 'trusted';
    return this.#distrust.trust;
  }

  /** Nothing has come in for an advertisement interval: a frame is wanted. */
  get samples(): boolean {
    return this.#samples;
  }

  get deadline(): Micros | undefined {
    return this.#deadline;
  }

  /** It becomes master now, and takes along what it knows of its path. */
  begin(now: Micros): void {
    this.#heardInTerm = false;
    this.#restart(this.trust, now);
  }

  /** It is no master, or in doubt anyhow, which only a proof of the link ends. */
  pause(now: Micros): void {
    this.#afterSilence = false;
    this.#restart('trusted', now);
    this.#samples = false;
    this.#deadline = undefined;
  }

  /**
   * It waits for a silent master: it has to hear anybody at all once an advert is missing, not
   * before, and of late. Otherwise it is perhaps its own path that went dark.
   */
  waitInSilence({ heardAt, missedAt, freshFor }: SilenceView, now: Micros): void {
    const staleAt = heardAt !== undefined && heardAt >= missedAt ? plus(heardAt, freshFor) : now;
    const hears = staleAt > now;
    this.#afterSilence = true;
    this.#restart(hears ? 'trusted' : 'unheard', now);
    this.#deadline = hears ? staleAt : undefined;
  }

  otherMasterHeard(now: Micros): void {
    if (this.#distrust !== undefined) this.#distrust.otherMasterAt = now;
  }

  /** Puts everything where it belongs at this moment. */
  update(view: PathView, now: Micros): void {
    const { deadInterval, advertInterval } = view;
    const heardAt = micros(Math.max(view.heardAt ?? 0, this.#from));
    if (heardAt > this.#from) this.#heardInTerm = true;
    const silence = since(now, heardAt);
    const last = this.#distrust;
    if (last === undefined) {
      if (silence >= deadInterval) this.#distrust = distrust(this.#silenceMeans(view), now);
    } else if (heardAt > last.since) {
      last.provedAt ??= heardAt;
      if (endOf(last, last.provedAt, deadInterval) <= now) this.#restart('trusted', now);
    }
    this.#samples = since(now, micros(Math.max(heardAt, this.#from))) >= advertInterval;
    this.#deadline = this.#next(heardAt, view, now);
  }

  #restart(trust: Trust, now: Micros): void {
    this.#from = now;
    this.#distrust = trust === 'trusted' ? undefined : distrust(trust, now);
  }

  /**
   * Two masters that hear nobody tell each other apart by their terms: the one that took over has
   * heard nobody in its own, the one that served before has. Either path may be the dark one.
   */
  #silenceMeans({ hadAnswer }: PathView): Distrust['trust'] {
    if (this.#afterSilence && !this.#heardInTerm) return 'unheard';
    return hadAnswer ? 'dark' : 'unconfirmed';
  }

  #next(heardAt: Micros, view: PathView, now: Micros): Micros | undefined {
    const { deadInterval, advertInterval } = view;
    const last = this.#distrust;
    const all = [plus(heardAt, advertInterval), plus(this.#from, advertInterval)];
    if (last === undefined) all.push(plus(heardAt, deadInterval), plus(this.#from, deadInterval));
    else if (last.provedAt !== undefined) all.push(endOf(last, last.provedAt, deadInterval));
    const coming = all.filter((at) => at > now);
    return coming.length === 0 ? undefined : micros(Math.min(...coming));
  }
}

function distrust(trust: Distrust['trust'], now: Micros): Distrust {
  return { since: now, trust, provedAt: undefined, otherMasterAt: undefined };
}

function endOf({ otherMasterAt }: Distrust, provedAt: Micros, deadInterval: Micros): Micros {
  const from = otherMasterAt === undefined ? provedAt : Math.max(otherMasterAt, provedAt);
  return plus(micros(from), deadInterval);
}
