// The lines of `carpd sniff`: for people, within 80 columns where addresses are short, and as JSON.
// The JSON is a contract (docs/sniff.md): keys are added, never renamed. Pure.
import { counted } from '../base/text.ts';
import { DROP_REASONS } from '../carp/accept.ts';
import type { Observation, Refusal } from './observe.ts';
import { intervalMs, type Conflict, type Speaker, type Summary } from './speakers.ts';

const ADDRESS_COLUMNS = 15;

/** One line without its end; `time` is the time of day, or whatever the caller shows for it. */
export function observationLine(seen: Observation, time: string): string {
  const from = seen.source.padEnd(ADDRESS_COLUMNS);
  const vlans = seen.vlanIds.filter((id) => id !== 0);
  const tagged = vlans.length === 0 ? '' : ` (VLAN ${vlans.join(' in ')})`;
  return `${time} ${from} ${what(seen)}${tagged}`;
}

function what(seen: Observation): string {
  switch (seen.kind) {
    case 'vrrp': {
      const { version, vrid, priority } = seen;
      return `VRRP version ${version}, id ${vrid}, priority ${priority}: not CARP`;
    }
    case 'refused':
      return `refused: ${refusal(seen.reason)}`;
    case 'advert': {
      const { vhid, advbase, advskew, demote, bowOut } = seen;
      const pace = bowOut
        ? 'steps down'
        : `every ${formatMs(intervalMs(seen))} (base ${advbase}, skew ${advskew})`;
      const demoted = demote === 0 ? '' : `, demoted by ${demote}`;
      return `vhid ${vhid} ${pace}${demoted}; ${digest(seen)}`;
    }
  }
}

function digest({ verdict }: Extract<Observation, { kind: 'advert' }>): string {
  switch (verdict.digest) {
    case 'good':
      return `digest good (${verdict.instance})`;
    case 'other-group':
      return `digest good (${verdict.instance}), but sent to another group`;
    case 'bad':
      return 'digest BAD: passphrase or virtual IP differ';
    case 'unknown-vhid':
      return 'no instance has this vhid';
    case 'not-checked':
      return 'digest not checked';
  }
}

function refusal(reason: Refusal): string {
  if (reason === 'cut') return 'the capture kept too little of it (tcpdump -s 0)';
  return DROP_REASONS[reason];
}

/** What the capture tells as a whole, in lines with their ends. */
export function summaryText({ speakers, conflicts, vrrp, refused, uncounted }: Summary): string {
  const lines = [
    ...speakers.map(speakerLine),
    ...conflicts.map(conflictLine),
    ...(vrrp > 0 ? [`${counted(vrrp, 'packet')} of VRRP`] : []),
    ...(refused > 0 ? [`${counted(refused, 'packet')} that no receiver would take`] : []),
    ...(uncounted > 0 ? [`${counted(uncounted, 'advert')} of too many other speakers`] : []),
  ];
  return `${(lines.length === 0 ? ['no packet of protocol 112'] : lines).join('\n')}\n`;
}

function speakerLine(speaker: Speaker): string {
  const { source, vhid, adverts, bowOuts, badDigests, expectedMs, meanMs, jitterMs } = speaker;
  const parts = [
    `${source.padEnd(ADDRESS_COLUMNS)} vhid ${vhid}: ${counted(adverts, 'advert')}`,
    ...(meanMs === undefined || jitterMs === undefined ? [] : [pace(expectedMs, meanMs, jitterMs)]),
    ...(speaker.pauses > 0 ? [counted(speaker.pauses, 'pause')] : []),
    ...(bowOuts > 0 ? [counted(bowOuts, 'bow-out')] : []),
    ...(badDigests > 0 ? [counted(badDigests, 'BAD digest')] : []),
  ];
  return parts.join(', ');
}

function pace(expectedMs: number, meanMs: number, jitterMs: number): string {
  const offBy = `off by ${formatMs(jitterMs)} at most`;
  return `every ${formatMs(meanMs)} of ${formatMs(expectedMs)}, ${offBy}`;
}

function conflictLine({ vhid, sources }: Conflict): string {
  return `TWO MASTERS of vhid ${vhid}: ${sources.join(' and ')}`;
}

function formatMs(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`;
}

/** A line of JSON, without its end; `time` in ISO 8601. */
export function observationJson(seen: Observation, time: string): string {
  const { timeUs, source, destination, mac = null, vlanIds, kind } = seen;
  const head = { event: kind, time, timeUs, source, destination, mac, vlans: vlanIds };
  switch (seen.kind) {
    case 'vrrp': {
      const { version, vrid, priority } = seen;
      return JSON.stringify({ ...head, version, vrid, priority });
    }
    case 'refused':
      return JSON.stringify({ ...head, reason: seen.reason });
    case 'advert': {
      const { vhid, advbase, advskew, demote, bowOut, verdict } = seen;
      const counter = seen.counter.toString(16).padStart(16, '0');
      const instance = 'instance' in verdict ? verdict.instance : null;
      const advert = {
        vhid,
        advbase,
        advskew,
        intervalMs: intervalMs(seen),
        demote,
        counter,
        bowOut,
      };
      return JSON.stringify({ ...head, ...advert, digest: verdict.digest, instance });
    }
  }
}

/** The last line of JSON, without its end. */
export function summaryJson({ speakers, ...rest }: Summary): string {
  const shown = speakers.map(({ meanMs, jitterMs, ...speaker }) => ({
    ...speaker,
    meanMs: rounded(meanMs),
    jitterMs: rounded(jitterMs),
    expectedMs: rounded(speaker.expectedMs),
  }));
  return JSON.stringify({ event: 'summary', speakers: shown, ...rest });
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 1_000) / 1_000;
}
