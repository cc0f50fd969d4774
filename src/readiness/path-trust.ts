// Whether the path of one instance may have gone dark without a word of the kernel, as when a VLAN
// leaves the trunk with LACP still up: nothing has come in by it for too long, or for too short.
import { micros, plus, since, type Micros } from '../base/time.ts';

/**
 * trusted: frames come in. unconfirmed: nothing has come in for a dead interval, so that a master
 * that is heard may have served meanwhile; a silent segment looks the same. unheard: it waits for a
 * silent master or took over from it, and has heard nobody, or not for long enough. dark: nobody
 * answers any more who did so in this term. In the last two the node bids low as well.
 */
export type Trust = 'trusted' | 'unconfirmed' | 'unheard' | 'dark';

/** So many frames are looked at while one of them is fresh: a busy segment costs nothing. */
const SAMPLES = 4;

/** Answers to questions that are asked at an interval come a little more or less apart. */
const HEARD_SHARE_MIN = 7 / 8;

/** A master asks when nothing has come in for one of them, and the answer takes its time. */
const PAUSE_MAX_PACES = 2;

/** What a master knows of its path now. */
export interface PathView {
  /** When anything that counts came in last, in whichever epoch. */
  readonly heardAt: Micros | undefined;
  /** Somebody has answered our ARP in this epoch, and so would do so again. */
  readonly hadAnswer: boolean;
  readonly deadInterval: Micros;
  /** Somebody is asked once in this time where nothing comes in. */
  readonly pace: Micros;
}

/** What a node that waits for a silent master knows of its path now. */
export interface SilenceView {
  /** When anything that counts came in last, in whichever epoch. */
  readonly heardAt: Micros | undefined;
  /** Since when an advert of the master is missing. */
  readonly missedAt: Micros;
  /** From one advert of the master to the next: once the path is back, one comes in this time. */
  readonly masterInterval: Micros;
  /** What was heard says something of now for so long: somebody answers in this time. */
  readonly freshFor: Micros;
}

/** Frames that came one after the other, without a long pause. */
interface Heard {
  readonly since: Micros;
  readonly at: Micros;
}

interface Distrust {
  readonly since: Micros;
  readonly trust: Exclude<Trust, 'trusted'>;
  heard: Heard | undefined;
  otherMasterAt: Micros | undefined;
}

/**
 * The trust of a master in its path. It comes back when frames have come in for a dead interval in
 * which no other master was heard.
 */
export class PathTrust {
  #distrust: Distrust | undefined;
  /** What came before does not count: the node was no master, or had other worries. */
  #from = micros(0);
  /** It waits for a silent master, or is the master that took over from it. */
  #afterSilence = false;
  /** What comes in while it waits: since when without a long pause, and when it was last. */
  #heard: Heard | undefined;
  /** Something has come in since it became master. */
  #heardInTerm = false;
  /** When it is to look again. */
  #deadline: Micros | undefined;
  #samples = false;

  get trust(): Trust {
    if (this.#distrust === undefined) return 'trusted';
    return this.#distrust.trust;
  }

  /** Nothing has come in of late: a frame is wanted. */
  get samples(): boolean {
    return this.#samples;
  }

  /** It waits for a silent master, or took over from one and has not been in doubt since. */
  get afterSilence(): boolean {
    return this.#afterSilence;
  }

  get deadline(): Micros | undefined {
    return this.#deadline;
  }

  /** It becomes master now, and takes along what it knows of its path. */
  begin(now: Micros): void {
    this.#heardInTerm = false;
    this.#heard = undefined;
    this.#restart(this.trust, now);
  }

  /** It is no master, or in doubt anyhow, which only a proof of the link ends. */
  pause(now: Micros): void {
    this.#afterSilence = false;
    this.#heard = undefined;
    this.#restart('trusted', now);
    this.#samples = false;
    this.#deadline = undefined;
  }

  /**
   * It waits for a silent master. Its path is good while frames come in, and have come in over the
   * time of one advert of that master. A path that was dark may be back only just: then a frame of
   * somebody else comes before the advert of a master that never left.
   */
  waitInSilence({ heardAt, missedAt, masterInterval, freshFor }: SilenceView, now: Micros): void {
    if (now < missedAt) {
      this.pause(now);
      this.#deadline = missedAt;
      return;
    }
    const sampleTime = micros(freshFor / SAMPLES);
    const before = this.#heard;
    // What comes in before a frame is wanted again is not looked at.
    const wantedAt = before === undefined ? missedAt : plus(before.at, sampleTime);
    const counts = heardAt !== undefined && heardAt >= wantedAt;
    const heard = counts ? goOn(before, heardAt, freshFor) : before;
    const staleAt = heard === undefined ? now : plus(heard.at, freshFor);
    const sampleAt = heard === undefined ? now : plus(heard.at, sampleTime);
    const isGood = heard !== undefined && staleAt > now && lasted(heard, masterInterval);
    this.#heard = heard;
    this.#afterSilence = true;
    this.#restart(isGood ? 'trusted' : 'unheard', now);
    this.#samples = sampleAt <= now;
    const coming = [staleAt, sampleAt].filter((at) => at > now);
    this.#deadline = coming.length === 0 ? undefined : micros(Math.min(...coming));
  }

  otherMasterHeard(now: Micros): void {
    if (this.#distrust !== undefined) this.#distrust.otherMasterAt = now;
  }

  /** Puts everything where it belongs at this moment. */
  update(view: PathView, now: Micros): void {
    const { deadInterval, pace } = view;
    const heardAt = micros(Math.max(view.heardAt ?? 0, this.#from));
    if (heardAt > this.#from) this.#heardInTerm = true;
    const silence = since(now, heardAt);
    const last = this.#distrust;
    if (last === undefined) {
      if (silence >= deadInterval) this.#distrust = distrust(this.#silenceMeans(view), now);
    } else if (heardAt > last.since) {
      const heard = goOn(last.heard, heardAt, micros(pace * PAUSE_MAX_PACES));
      last.heard = heard;
      if (endOf(heard, last, deadInterval) <= heardAt) this.#restart('trusted', now);
    }
    const quietFrom = micros(Math.max(heardAt, this.#from));
    const isDue = (this.#endsAt(deadInterval) ?? Infinity) <= now;
    this.#samples = isDue || since(now, quietFrom) >= pace;
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
    const { deadInterval, pace } = view;
    const all = [plus(heardAt, pace), plus(this.#from, pace)];
    if (this.#distrust === undefined) {
      all.push(plus(heardAt, deadInterval), plus(this.#from, deadInterval));
    }
    const coming = [...all, this.#endsAt(deadInterval) ?? now].filter((at) => at > now);
    return coming.length === 0 ? undefined : micros(Math.min(...coming));
  }

  /** From then on a frame ends the distrust; undefined: there is none, or nothing came in. */
  #endsAt(deadInterval: Micros): Micros | undefined {
    const last = this.#distrust;
    return last?.heard && endOf(last.heard, last, deadInterval);
  }
}

function goOn(before: Heard | undefined, heardAt: Micros, pauseMax: Micros): Heard {
  const goesOn = before !== undefined && since(heardAt, before.at) < pauseMax;
  return { since: goesOn ? before.since : heardAt, at: heardAt };
}

/** Whether an advert of the master would have come in this time. */
function lasted({ since: from, at }: Heard, masterInterval: Micros): boolean {
  return since(at, from) >= masterInterval * HEARD_SHARE_MIN;
}

function distrust(trust: Distrust['trust'], now: Micros): Distrust {
  return { since: now, trust, heard: undefined, otherMasterAt: undefined };
}

function endOf(
  heard: Heard,
  { otherMasterAt = micros(0) }: Distrust,
  deadInterval: Micros,
): Micros {
  return plus(micros(Math.max(otherMasterAt, heard.since)), deadInterval);
}
