// The words in which reports speak of evidence, conditions, LACP bits and lengths of time. Pure.
import type { EvidenceKind } from '../readiness/evidence.ts';
import type { Condition, ConditionName } from '../readiness/judge.ts';
import type { StateBit } from '../readiness/lacp.ts';

/** What each kind of evidence is, best first. */
export const EVIDENCE_MEANINGS = {
  advert: 'a valid advert of another node',
  probe: 'an answer to our own ARP, which proves both directions',
  frame: 'any other data frame of another station',
} as const satisfies Record<EvidenceKind, string>;

/** What each condition of a link asks for. */
export const CONDITION_MEANINGS = {
  carrier:
    'the interface is up and running, and so is everything below it, a bridge port that forwards ' +
    'included',
  lacp: 'a port of the bond passes frames, as far as LACP or its link shows',
  frames: 'a data frame of another station has come in during this link epoch',
} as const satisfies Record<ConditionName, string>;

/** What is said of a condition: loud where it holds something off. */
export const STATUS_WORDS = {
  met: 'proved',
  'not-met': 'MISSING',
  unknown: 'UNKNOWN',
  'not-applicable': 'not needed',
} as const satisfies Record<Condition['status'], string>;

/** What a bit says where it is set; an unset one is told only where its absence has a name. */
const BIT_WORDS = {
  activity: 'active',
  'short-timeout': 'fast',
  aggregation: 'aggregated',
  sync: 'in sync',
  collecting: 'collecting',
  distributing: 'distributing',
  defaulted: 'defaulted',
  expired: 'expired',
} as const satisfies Record<StateBit, string>;

/** LACP bits as an operator reads them: "active, aggregated, in sync"; no bit is "none". */
export function bitWords(bits: readonly StateBit[]): string {
  return bits.length === 0 ? 'none' : bits.map((bit) => BIT_WORDS[bit]).join(', ');
}

/** What it means that a node advertises our vhid with another digest, and what would help. */
export function strangerAdvice(
  { address }: { readonly address: string },
  vhid: number,
): { readonly meaning: string; readonly remedy: string } {
  return {
    meaning:
      `adverts of ${address} with vhid ${vhid} are dropped: its passphrase or its virtual IP ` +
      'differs from ours',
    remedy:
      'give both nodes the same passphrase and virtual IP, or give this group another vhid: now ' +
      'neither node hears the other',
  };
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The units of long times, each with the next smaller one that is told beside it. */
const UNITS = [
  { ms: DAY_MS, name: 'd', rest: { ms: HOUR_MS, name: 'h' } },
  { ms: HOUR_MS, name: 'h', rest: { ms: MINUTE_MS, name: 'min' } },
  { ms: MINUTE_MS, name: 'min', rest: { ms: SECOND_MS, name: 's' } },
] as const;

/** "300 ms", "2.7 s", "12 s", "5 min 3 s", "2 h 10 min", "3 d 4 h"; never negative. */
export function timeText(milliseconds: number): string {
  const ms = Math.max(0, Math.floor(milliseconds));
  for (const { ms: unitMs, name, rest } of UNITS) {
    if (ms < unitMs) continue;
    const smaller = Math.floor((ms % unitMs) / rest.ms);
    const whole = `${Math.floor(ms / unitMs)} ${name}`;
    return smaller === 0 ? whole : `${whole} ${smaller} ${rest.name}`;
  }
  if (ms < SECOND_MS) return `${ms} ms`;
  // Down to the tenth, so that a deadline is never shown as already past.
  const tenths = Math.floor(ms / 100) / 10;
  return ms < 10 * SECOND_MS ? `${tenths.toFixed(1)} s` : `${Math.floor(ms / SECOND_MS)} s`;
}

/** "300ms", "3s", "12m", "2h", "4d": the same in its largest unit alone, for a table. */
export function ageText(milliseconds: number): string {
  const ms = Math.max(0, Math.floor(milliseconds));
  for (const { ms: unitMs, name } of UNITS) {
    if (ms >= unitMs) return `${Math.floor(ms / unitMs)}${name === 'min' ? 'm' : name}`;
  }
  return ms < SECOND_MS ? `${ms}ms` : `${Math.floor(ms / SECOND_MS)}s`;
}

/** "2026-11-23 09:41:07 UTC" of a time in ISO 8601. */
export function clockText(iso: string): string {
  return iso.replace('T', ' ').replace(/(?:\.\d+)?Z$/, ' UTC');
}
