// What a capture tells of each speaker of a group: how often it advertises, how regularly, and
// whether two of them speak at once. Pure.
import type { Observation } from './observe.ts';

export type AdvertObservation = Extract<Observation, { kind: 'advert' }>;

/** A node that advertises for a group; intervals in milliseconds. */
export interface Speaker {
  readonly source: string;
  readonly vhid: number;
  readonly destination: string;
  readonly adverts: number;
  readonly bowOuts: number;
  readonly badDigests: number;
  /** Of its last advert. */
  readonly advbase: number;
  readonly advskew: number;
  /** What its last regular advert promises. */
  readonly expectedMs: number;
  /** Undefined until two adverts came in a row. */
  readonly meanMs: number | undefined;
  /** The furthest that an interval was from the one promised, pauses left out. */
  readonly jitterMs: number | undefined;
  /** Times that it fell silent for three intervals or more. */
  readonly pauses: number;
}

/** Several that were master of one group at the same time, each one alternating with another. */
export interface Conflict {
  readonly vhid: number;
  readonly destination: string;
  readonly sources: readonly string[];
}

export interface Summary {
  readonly speakers: readonly Speaker[];
  readonly conflicts: readonly Conflict[];
  readonly vrrp: number;
  readonly refused: number;
  /** Speakers beyond the ones that are counted one by one. */
  readonly uncounted: number;
}

/** Forged sources must not fill the memory. */
const SPEAKERS_MAX = 1_000;
const PAUSE_INTERVALS = 3;

interface Tally {
  readonly source: string;
  readonly vhid: number;
  readonly destination: string;
  adverts: number;
  bowOuts: number;
  badDigests: number;
  advbase: number;
  advskew: number;
  expectedMs: number;
  lastUs: number;
  sumMs: number;
  intervals: number;
  jitterMs: number | undefined;
  pauses: number;
}

/** Counts observations, in the order of their time. */
export class Speakers {
  readonly #tallies = new Map<string, Tally>();
  /** By group: who spoke last, and who has spoken between two adverts of another. */
  readonly #lastOf = new Map<string, string>();
  readonly #rivals = new Map<string, Set<string>>();
  #vrrp = 0;
  #refused = 0;
  #uncounted = 0;

  add(seen: Observation): void {
    switch (seen.kind) {
      case 'vrrp':
        this.#vrrp += 1;
        return;
      case 'refused':
        this.#refused += 1;
        return;
      case 'advert':
        this.#addAdvert(seen);
    }
  }

  summary(): Summary {
    const conflicts = [...this.#rivals].map(([group, sources]) => {
      const [vhid = '', destination = ''] = group.split(' ');
      return { vhid: Number(vhid), destination, sources: [...sources].sort() };
    });
    return {
      speakers: [...this.#tallies.values()].map(speakerOf),
      conflicts,
      vrrp: this.#vrrp,
      refused: this.#refused,
      uncounted: this.#uncounted,
    };
  }

  #addAdvert(seen: AdvertObservation): void {
    const group = `${seen.vhid} ${seen.destination}`;
    const key = `${group} ${seen.source}`;
    const known = this.#tallies.get(key);
    if (known === undefined && this.#tallies.size >= SPEAKERS_MAX) {
      this.#uncounted += 1;
      return;
    }
    const tally = known ?? begin(seen);
    this.#tallies.set(key, tally);
    if (known !== undefined) this.#noteRivals(group, seen, known);
    if (known !== undefined) addInterval(known, seen.timeUs);
    tally.adverts += 1;
    tally.lastUs = seen.timeUs;
    tally.badDigests += Number(seen.verdict.digest === 'bad');
    if (seen.bowOut) tally.bowOuts += 1;
    else {
      tally.advbase = seen.advbase;
      tally.advskew = seen.advskew;
      tally.expectedMs = intervalMs(seen);
    }
    this.#lastOf.set(group, seen.source);
  }

  /** One that speaks, is followed by another, and speaks again, has not handed over to it. */
  #noteRivals(group: string, seen: AdvertObservation, before: Tally): void {
    const last = this.#lastOf.get(group);
    if (last === undefined || last === seen.source || seen.bowOut) return;
    const silentMs = (seen.timeUs - before.lastUs) / 1_000;
    if (silentMs >= PAUSE_INTERVALS * before.expectedMs) return;
    const rivals = this.#rivals.get(group) ?? new Set();
    this.#rivals.set(group, rivals.add(last).add(seen.source));
  }
}

/** From one advert to the next, in milliseconds: advbase + advskew/256 seconds. */
export function intervalMs({ advbase, advskew }: { advbase: number; advskew: number }): number {
  return advbase * 1_000 + (advskew * 1_000) / 256;
}

function begin(seen: AdvertObservation): Tally {
  const { source, vhid, destination, advbase, advskew } = seen;
  const zero = { adverts: 0, bowOuts: 0, badDigests: 0, sumMs: 0, intervals: 0, pauses: 0 };
  const expectedMs = seen.bowOut ? 0 : intervalMs(seen);
  const jitterMs = undefined;
  const is = { source, vhid, destination, advbase, advskew };
  return { ...is, ...zero, expectedMs, jitterMs, lastUs: seen.timeUs };
}

function addInterval(tally: Tally, nowUs: number): void {
  const ms = (nowUs - tally.lastUs) / 1_000;
  if (tally.expectedMs > 0 && ms >= PAUSE_INTERVALS * tally.expectedMs) {
    tally.pauses += 1;
    return;
  }
  tally.sumMs += ms;
  tally.intervals += 1;
  tally.jitterMs = Math.max(tally.jitterMs ?? 0, Math.abs(ms - tally.expectedMs));
}

function speakerOf(tally: Tally): Speaker {
  const { source, vhid, destination, adverts, bowOuts, badDigests } = tally;
  const { advbase, advskew, expectedMs, jitterMs, pauses, sumMs, intervals } = tally;
  const is = { source, vhid, destination, adverts, bowOuts, badDigests, advbase, advskew };
  const meanMs = intervals === 0 ? undefined : sumMs / intervals;
  return { ...is, expectedMs, meanMs, jitterMs, pauses };
}
