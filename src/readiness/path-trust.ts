// Whether the path of one instance may have gone dark without a word of the kernel, as when a VLAN
// leaves the trunk with LACP still up: nothing at all has come in by it for too long.
import { micros, plus, since, type Micros } from '../base/time.ts';

/**
 * trusted: frames come in. unconfirmed: nothing has come in for a dead interval, so that a master
 * that is heard may have served meanwhile; a silent segment looks the same. unheard: it became
 * master without having heard anybody since the last advert. dark: nobody answers who did before.
 * In both the node bids low as well.
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

  /** It becomes master now, with so much trust. */
  begin(trust: Trust, now: Micros): void {
    this.#from = now;
    this.#distrust = trust === 'trusted' ? undefined : distrust(trust, now);
  }

  /** It is no master, or in doubt anyhow. */
  pause(now: Micros): void {
    this.begin('trusted', now);
    this.#samples = false;
    this.#deadline = undefined;
  }

  otherMasterHeard(now: Micros): void {
    if (this.#distrust !== undefined) this.#distrust.otherMasterAt = now;
  }

  /** Puts everything where it belongs at this moment. */
  update(view: PathView, now: Micros): void {
    const { deadInterval, advertInterval, hadAnswer } = view;
    const heardAt = micros(Math.max(view.heardAt ?? 0, this.#from));
    const silence = since(now, heardAt);
    const last = this.#distrust;
    if (last === undefined) {
      if (silence >= deadInterval)
        this.#distrust = distrust(hadAnswer ? 'dark' : 'unconfirmed', now);
    } else if (heardAt > last.since) {
      last.provedAt ??= heardAt;
      if (endOf(last, last.provedAt, deadInterval) <= now) this.begin('trusted', now);
    }
    this.#samples = since(now, micros(Math.max(heardAt, this.#from))) >= advertInterval;
    this.#deadline = this.#next(heardAt, view, now);
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
