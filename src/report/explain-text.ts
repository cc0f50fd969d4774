// `carpd explain` as one screen of text: the answer in a sentence, the evidence for it, and what is
// missing with what would help. Pure; 80 columns.
import { unreachable } from '../base/assert.ts';
import type { Advice, BondReport, LinkReport, PortReport } from './link-report.ts';
import { endOfMaintenance } from './next-text.ts';
import type { InstanceReport, MaintenanceReport } from './report.ts';
import {
  addressAdvice,
  ALONE_ADVICE,
  hasAddressUnasked,
  isAlone,
  standbyLine,
} from './standby-text.ts';
import { elsewhereAdvice } from '../vip/words.ts';
import { bitWords, clockText, STATUS_WORDS, strangerAdvice, timeText } from './words.ts';
import { plainText, wrap } from '../base/text.ts';

const LABEL_COLUMNS = 9;

/** How a time in ISO 8601 is shown. */
export type ClockText = (iso: string) => string;

/** One screen on an instance; ends with a line feed. */
export function explainText(report: InstanceReport, clock: ClockText = clockText): string {
  const answer = wrap(`${report.name} is ${report.state}: ${whyText(report, clock)}`, '', '  ');
  const { link } = report;
  const facts = [
    ...row('group', `vhid ${report.vhid} on ${report.interface}, virtual IP ${report.vip}`),
    ...row('state', stateText(report)),
    ...row('master', masterText(report)),
    ...peerRows(report),
    ...standbyRows(report),
    ...strangerRows(report),
    ...(takesPart(report) ? row('bids', bidText(report)) : []),
    ...(link === null ? [] : linkRows(link)),
  ];
  const advice = adviceRows(report);
  const blocks = [answer, facts, advice].filter((block) => block.length > 0);
  return `${blocks.map((block) => block.join('\n')).join('\n\n')}\n`;
}

/** The answer in one line for the log, with what would help where it is held. */
export function explainLine(report: InstanceReport): string {
  const [first] = report.state === 'HELD' ? (report.link?.gate.reasons ?? []) : [];
  const why = plainText(whyText(report, clockText));
  return first === undefined ? why : `${why}; ${first.remedy}`;
}

/** Why it is in its state, as the end of the sentence "db is HELD: ...". */
function whyText(report: InstanceReport, clock: ClockText): string {
  switch (report.state) {
    case 'INIT':
      return report.fault ?? 'it has just started and checks its interface';
    case 'HELD':
      return heldText(report, clock);
    case 'BACKUP':
      return backupText(report);
    case 'MASTER':
      return masterWhy(report);
    default:
      return unreachable(report.state);
  }
}

function heldText(report: InstanceReport, clock: ClockText): string {
  const { name, maintenance, holdReasons, link, stateForMs, stranger } = report;
  if (maintenance !== null && holdReasons.some((hold) => hold.name === 'maintenance')) {
    return `maintenance ${sinceText(maintenance, clock)}; ${endOfMaintenance(name)} ends it`;
  }
  const other = holdReasons.find(({ name }) => name !== 'gate-closed' && name !== 'carrier-lost');
  if (other !== undefined) return `${other.meaning} (for ${timeText(stateForMs)})`;
  const [first, ...more] = link?.gate.reasons ?? [];
  // The host that answers is the one whose adverts are dropped: that is the fault, and not its ARP.
  if (stranger !== null && first?.name === 'vip-in-use') {
    return `${stranger.address} advertises with another passphrase or virtual IP`;
  }
  if (link === null || first === undefined) {
    const meanings = holdReasons.map(({ meaning }) => meaning).join('; ');
    return meanings === '' ? 'carpd is still judging its link' : meanings;
  }
  const others = more.length === 0 ? '' : ` (also: ${more.map(({ name }) => name).join(', ')})`;
  return `${first.meaning}${agoText(first.name, link)}${others}`;
}

function sinceText({ since, cause }: MaintenanceReport, clock: ClockText): string {
  const text = `since ${clock(since)}`;
  return cause === 'operator' ? text : `${text}, because its record could not be read`;
}

/** Completes "since the link last changed", which two of the reasons end with or hold. */
function agoText(reason: string, { epoch }: LinkReport): string {
  return reason === 'no-frames' ? `, ${timeText(epoch.forMs)} ago` : '';
}

function backupText({ master, masterDownInMs, link }: InstanceReport): string {
  const takesOver = masterDownInMs === null ? '' : `; promotion in ${timeText(masterDownInMs)}`;
  const unproved = isUnproved(link) ? `; ${UNPROVED}` : '';
  if (master === null) return `no master is heard${takesOver}${unproved}`;
  const ago = timeText(master.heardAgoMs);
  if (link?.silent !== true) return `${master.address} is master, heard ${ago} ago${unproved}`;
  return `its master ${master.address} fell silent ${ago} ago${takesOver}${unproved}`;
}

function masterWhy(report: InstanceReport): string {
  const { link, lastTransition, leaving, stateForMs } = report;
  if (leaving !== null) return `it is stepping down: ${leaving.meaning}`;
  const doubt = link?.doubt ?? null;
  if (doubt !== null) {
    const { forMs, endsInMs, meaning } = doubt;
    const end = endsInMs === null ? 'meanwhile' : `for another ${timeText(endsInMs)}`;
    const effect = `it bids low and announces nothing ${end}`;
    return `in doubt for ${timeText(forMs)}: ${meaning}; ${effect}`;
  }
  const cause = lastTransition?.to === 'MASTER' ? lastTransition.cause.meaning : 'it was elected';
  const unproved = isUnproved(link) ? `; ${UNPROVED}` : '';
  return `${cause}, ${timeText(stateForMs)} ago${unproved}`;
}

const UNPROVED = 'its link has NOT proved itself, but the policy allows it';

/** The gate stands open though something is missing. */
function isUnproved(link: LinkReport | null): boolean {
  return link !== null && link.gate.open && link.gate.reasons.length > 0;
}

function stateText({ state, stateForMs, lastTransition, link }: InstanceReport): string {
  const now = `${state} for ${timeText(stateForMs)}`;
  if (lastTransition === null) return now;
  const { from, cause, peer } = lastTransition;
  const by = peer === null ? '' : ` (${peer})`;
  const [reason] = link?.gate.reasons ?? [];
  // The gate closes for a link that is not proved, and for a virtual IP that is in use.
  const isInUse = cause.name === 'gate-closed' && reason?.name === 'vip-in-use';
  return `${now}, after ${from}: ${isInUse ? reason.meaning : cause.meaning}${by}`;
}

function masterText({ master, link }: InstanceReport): string {
  if (master !== null) {
    const pace = `every ${master.advbase} s + ${master.advskew}/256`;
    return `${master.address}, heard ${timeText(master.heardAgoMs)} ago, adverts ${pace}`;
  }
  const last = link?.lastAdvert ?? null;
  if (last === null) return 'no advert of another node was heard';
  return `none; the last advert came from ${last.from}, ${timeText(last.agoMs)} ago`;
}

/** The nodes that were heard, but for the master, which has a row of its own. */
function peerRows({ peers, master }: InstanceReport): readonly string[] {
  const others = peers.filter(({ address }) => address !== master?.address);
  return others.flatMap(({ address, role, heardAgoMs }, index) =>
    row(index === 0 ? 'peers' : '', `${address}, ${role}, heard ${timeText(heardAgoMs)} ago`),
  );
}

function standbyRows(report: InstanceReport): readonly string[] {
  const line = standbyLine(report);
  // Its doubt is the matter there.
  if (report.standby.length === 0 && (report.link?.doubt ?? null) !== null) return [];
  return line === undefined ? [] : row('standby', line);
}

/** Who advertises the group and is not believed. */
function strangerRows({ stranger, vhid }: InstanceReport): readonly string[] {
  if (stranger === null) return [];
  const { address, heardAgoMs } = stranger;
  const what = `adverts of vhid ${vhid} with another digest, ${timeText(heardAgoMs)} ago`;
  return row('dropped', `${address}: ${what}`);
}

function takesPart({ state }: InstanceReport): boolean {
  return state === 'BACKUP' || state === 'MASTER';
}

function bidText(report: InstanceReport): string {
  const { advbase, advskew, effectiveAdvskew, demoted, masterDownInMs, nextAdvertInMs } = report;
  const lowered = effectiveAdvskew === advskew ? '' : ` (configured: ${advskew})`;
  const parts = [`advbase ${advbase}, advskew ${effectiveAdvskew}${lowered}`];
  if (demoted) parts.push('lowered because adverts could not be sent');
  if (masterDownInMs !== null)
    parts.push(`promotion in ${timeText(masterDownInMs)} if no advert comes`);
  if (nextAdvertInMs !== null) parts.push(`next advert in ${timeText(nextAdvertInMs)}`);
  return parts.join('; ');
}

function linkRows(link: LinkReport): readonly string[] {
  const { bond, vipHolder, probing, witnessOpen } = link;
  const asking = probing.length === 0 ? 'nobody' : probing.join(' ');
  return [
    ...row('gate', gateText(link)),
    ...(bond === null ? [] : bondRows(bond)),
    ...row('epoch', epochText(link)),
    ...evidenceRows(link),
    ...(witnessOpen || probing.length > 0
      ? row('asking', `${asking}; ${witnessOpen ? 'watching' : 'not watching'} single frames`)
      : []),
    ...(vipHolder === null
      ? []
      : row('VIP held', `by ${vipHolder.mac}, which answered ${timeText(vipHolder.agoMs)} ago`)),
  ];
}

const OPENED_BY = {
  proof: 'by proof',
  'promote-after': 'by its time limit, WITHOUT proof,',
  off: 'because it is off',
} as const;

function gateText({ gate, conditions }: LinkReport): string {
  const { open, by, openForMs, opensInMs, policy } = gate;
  const verdict =
    open && by !== null ? `open ${OPENED_BY[by]} for ${timeText(openForMs ?? 0)}` : 'closed';
  const limit = opensInMs === null ? '' : `, opens without proof in ${timeText(opensInMs)}`;
  const all = conditions.map(({ name, status }) => `${name} ${STATUS_WORDS[status]}`).join(', ');
  return `${verdict}: ${all} (policy ${policy}${limit})`;
}

function bondRows({ name, mode, partnerMac, ports, fallback }: BondReport): readonly string[] {
  const partner = mode === '802.3ad' ? `, LACP partner ${partnerMac ?? 'unknown'}` : '';
  const stands =
    fallback.answeredForMs === null || ports.some(({ status }) => status === 'met')
      ? ''
      : `; its master has answered for ${timeText(fallback.answeredForMs)}`;
  return [
    ...row('bond', `${name}, mode ${mode ?? 'unknown'}${partner}${stands}`),
    ...ports.flatMap(portRows),
  ];
}

function portRows({ name, status, faults, actor, partner }: PortReport): readonly string[] {
  const verdict =
    status === 'met' ? 'ready' : faults.map(({ meaning }) => meaning).join(', ') || status;
  const bits = (who: string, set: PortReport['actor']): readonly string[] =>
    set === null ? [] : wrap(bitWords(set), `    ${who} `, ' '.repeat(13));
  return [...row(`${name}:`, verdict), ...bits('actor:  ', actor), ...bits('partner:', partner)];
}

function epochText({ epoch }: LinkReport): string {
  const { number, forMs, meaning, carrierForMs } = epoch;
  const begun = meaning === null ? 'the first since the start' : `since ${meaning}`;
  const text = `${number}, for ${timeText(forMs)}: ${begun}`;
  if (carrierForMs === null) return `${text}; no carrier`;
  const carrier = timeText(carrierForMs);
  return carrier === timeText(forMs) ? text : `${text}; carrier for ${carrier}`;
}

function evidenceRows({ evidence }: LinkReport): readonly string[] {
  if (evidence.length === 0) return row('evidence', 'none in this epoch');
  return evidence.flatMap(({ kind, from, agoMs, count }, index) =>
    row(
      index === 0 ? 'evidence' : '',
      `${kind} from ${from}, ${timeText(agoMs)} ago, ${count} in all`,
    ),
  );
}

function adviceRows(report: InstanceReport): readonly string[] {
  const { link, state, elsewhere, stranger } = report;
  const [vip = report.vip] = report.vip.split('/');
  const advice = [
    ...(elsewhere.length > 0 ? [elsewhereAdvice(vip, report.interface, elsewhere)] : []),
    ...(hasAddressUnasked(report) ? [addressAdvice(report)] : []),
    ...(isAlone(report) ? [ALONE_ADVICE] : []),
    ...(stranger === null ? [] : [strangerAdvice(stranger, report.vhid)]),
  ];
  const here = advice.flatMap(adviceItem);
  if (link === null || state === 'INIT') return here.length === 0 ? [] : ['Warnings:', ...here];
  const { reasons, open } = link.gate;
  const missing = reasons.length === 0 ? [] : [open ? 'Missing, but overridden:' : 'Missing:'];
  const warned = link.warnings.length + here.length === 0 ? [] : ['Warnings:'];
  return [
    ...missing,
    ...reasons.flatMap(adviceItem),
    ...warned,
    ...link.warnings.flatMap(adviceItem),
    ...here,
  ];
}

function adviceItem({ meaning, remedy }: Omit<Advice<string>, 'name'>): readonly string[] {
  return [...wrap(meaning, '- ', '  '), ...wrap(remedy, '  > ', '    ')];
}

/** A label and a text that goes on below itself. */
function row(label: string, text: string): readonly string[] {
  const indent = ' '.repeat(2 + LABEL_COLUMNS);
  const head = `  ${plainText(label)}`.padEnd(indent.length - 1);
  return wrap(text, `${head} `, indent);
}
