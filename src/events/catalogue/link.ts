// Every event of an interface: its link, its sockets, and the packets that were not believed.
import { fromSeconds } from '../../base/time.ts';
import { DROP_REASONS, type DropReason } from '../../carp/accept.ts';
import { EPOCH_END_CAUSES, type EpochEndCause } from '../../readiness/epoch.ts';
import type { EvidenceKind, Status } from '../../readiness/evidence.ts';
import { PORT_FAULTS, type PortFault } from '../../readiness/lacp.ts';
import { explainReasons, WARNINGS, type Reason, type Warning } from '../../readiness/reasons.ts';
import {
  boolean,
  linkEvent,
  number,
  sentence,
  text,
  texts,
  type Identities,
  type ValuesOf,
} from './define.ts';

const REPEAT_PERIOD = fromSeconds(60);
const MS_PER_SECOND = 1_000;

const REJECTED_FIELDS = {
  reason: text<DropReason>('a reason for which a packet is dropped (logging.md)'),
  from: text<string | null>('its sender, or null'),
  vhid: number<number | null>('its group, or null'),
  rivalsMaster: boolean('an instance with that vhid is master here'),
} as const;

const LOST_FIELDS = {
  count: number('how many since the last such event'),
  from: text<string | null>('the sender of the last packet that was dropped, or null'),
  reason: text<DropReason | null>('why it was dropped (logging.md), or null'),
} as const;

const PORT_FIELDS = {
  port: text('its name'),
  status: text<Status | 'gone'>('`met`, `not-met`, `unknown`, or `gone`: taken out of the bond'),
  faults: texts<PortFault>('what is wrong with it, as below'),
} as const;

type Rejected = ValuesOf<typeof REJECTED_FIELDS>;
type Lost = Identities['interface'] & ValuesOf<typeof LOST_FIELDS>;
type Port = ValuesOf<typeof PORT_FIELDS>;

/** What an interface tells. */
export const LINK_EVENTS = {
  'interface-renamed': linkEvent({
    meaning: 'somebody has given the interface a new name; carpd goes on with it',
    fields: { from: text('the name it had'), to: text('the name it has now') },
    level: 'warn',
    text: ({ interface: on, from, to }) =>
      `${from} is called ${to} now; carpd goes on with it, and runs hooks with the new name. ` +
      `A restart looks for ${on}: give carpd the new name (\`interface\`, or \`-i\`)`,
  }),
  'vip-leftover': linkEvent({
    meaning: 'an earlier run left a virtual IP on an interface where no instance serves it now',
    fields: {
      vip: text('the virtual IP'),
      removed: boolean('whether it was removed'),
      detail: sentence<string | null>('why not, or null'),
      command: sentence('what removes it'),
    },
    level: 'warn',
    text: ({ interface: on, vip, removed, detail, command }) => {
      const what = `an earlier run of carpd left ${vip} on ${on}, where no instance serves it now`;
      if (removed) return `${what}; it was removed`;
      const remedy = `If it should not be there, remove it: ${command}`;
      return `${what}. It was not removed: ${detail ?? ''}. ${remedy}`;
    },
  }),
  'link-epoch': linkEvent({
    meaning: 'the path may have changed: earlier proof no longer counts',
    fields: {
      epoch: number('counts from 1'),
      cause: text<EpochEndCause>('what ended the one before (explain.md)'),
    },
    level: 'info',
    text: ({ interface: on, cause }) =>
      `${on}: ${EPOCH_END_CAUSES[cause]}; the link must prove itself again`,
    counts: { carpd_link_epochs_total: ({ cause }) => ({ labels: { cause } }) },
  }),
  'link-evidence': linkEvent({
    meaning: 'the first evidence of its kind in an epoch',
    fields: {
      kind: text<EvidenceKind>('`advert`, `probe` or `frame`'),
      from: text('an IPv4 or MAC address'),
      epoch: number('the epoch of the evidence'),
    },
    level: 'unlogged',
    text: ({ interface: on, kind, from }) => `${on}: the first evidence by ${kind}, of ${from}`,
  }),
  'link-proved': linkEvent({
    meaning: 'the link has proved that it passes frames',
    fields: {
      heldMs: number('how long it had not'),
      by: text<EvidenceKind | null>(
        'the best kind of evidence there is: `advert`, `probe`, `frame` or null',
      ),
      from: text<string | null>('whose, or null'),
    },
    level: 'info',
    text: ({ interface: on, heldMs }) =>
      `${on} has proved that it passes frames, after ${heldMs} ms`,
    counts: {
      carpd_link_hold_seconds: ({ heldMs }) => ({ labels: {}, amount: heldMs / MS_PER_SECOND }),
    },
  }),
  'link-unproved': linkEvent({
    meaning: 'the link has not proved itself, or the reasons have changed',
    fields: { reasons: texts<Reason>('what is missing (explain.md)') },
    level: 'debug',
    text: ({ interface: on, reasons }) => `${on} has not proved itself: ${explainReasons(reasons)}`,
  }),
  'lacp-port': linkEvent({
    meaning: 'a port of the bond became ready or not ready, or the reasons have changed',
    fields: PORT_FIELDS,
    level: 'info',
    text: (event) => `${event.interface}: ${event.port} ${portText(event)}`,
    kind: ({ port }) => port,
  }),
  'link-warning': linkEvent({
    meaning: 'the link works, but not as it should',
    fields: { warning: text<Warning>('a warning (explain.md)') },
    level: 'warn',
    text: ({ interface: on, warning }) =>
      `${on}: ${WARNINGS[warning].meaning}; ${WARNINGS[warning].remedy}`,
    kind: ({ warning }) => warning,
  }),
  'link-unreadable': linkEvent({
    meaning: 'carpd cannot watch frames or ask for them as it should; it tries again',
    fields: {
      detail: sentence('why'),
      repeats: number('how often this happened since without a line'),
    },
    level: 'warn',
    text: ({ interface: on, detail }) => `${on}: ${detail}`,
  }),
  'socket-failed': linkEvent({
    meaning: 'a socket failed, and carpd opens it again',
    fields: { detail: sentence('why'), retryInMs: number('when') },
    level: 'error',
    text: ({ detail, retryInMs: retryMs }) =>
      `${detail}; trying again ${retryMs === 0 ? 'at once' : `in ${retryMs / MS_PER_SECOND} s`}`,
    once: { period: REPEAT_PERIOD, key: ({ detail }) => detail },
  }),
  'send-blocked': linkEvent({
    meaning: 'the firewall would refuse adverts on the way out; they leave as frames past it',
    fields: {},
    frequent: true,
    level: 'warn',
    text: ({ interface: on }) =>
      `the firewall of this host refuses adverts on ${on}; they leave as frames past it. Allow ` +
      'outgoing IP protocol 112, and incoming as well',
    once: { period: REPEAT_PERIOD, key: () => '' },
  }),
  'adverts-lost': linkEvent({
    meaning: 'the kernel dropped packets of protocol 112: more come in than can be read',
    fields: LOST_FIELDS,
    frequent: true,
    level: 'warn',
    text: lostText,
    once: { period: REPEAT_PERIOD, key: () => '' },
  }),
  'advert-rejected': linkEvent({
    meaning: 'carpd dropped a packet of protocol 112',
    fields: REJECTED_FIELDS,
    frequent: true,
    level: {
      among: ['info', 'warn'],
      of: ({ reason }) => (ORDINARY.has(reason) ? 'info' : 'warn'),
    },
    text: rejectedText,
    // Each reason has a quota of its own, so that noise does not hide a wrong passphrase.
    kind: rejectedKind,
    quota: { burst: 3, refill: fromSeconds(20) },
    once: {
      period: { of: ({ reason }) => (ORDINARY.has(reason) ? ORDINARY_PERIOD : REPEAT_PERIOD) },
      // Who it is that speaks for another group makes no difference.
      key: (event) =>
        ORDINARY.has(event.reason)
          ? `${event.reason} ${event.vhid ?? ''}`
          : `${rejectedKind(event)} ${event.from ?? ''} ${event.vhid ?? ''}`,
    },
    counts: { carpd_adverts_rejected_total: ({ reason }) => ({ labels: { reason } }) },
  }),
};

/** Other groups advertise all the time: they are told of once, and then counted for a day. */
const ORDINARY_PERIOD = fromSeconds(24 * 60 * 60);

/** What to do about a drop, where something can be done. */
const REMEDIES: Partial<Record<DropReason, string>> = {
  'bad-digest': 'compare passphrase and virtual IP on both hosts',
  'own-packet': 'look for a loop in the network, or a second host with this address',
  'bad-ttl': 'look for a router or tunnel between the hosts, or a forged packet',
  'other-group': 'give both hosts the same multicast group',
  'unknown-vhid': 'fine if it is another group; a peer of ours needs the same vhid',
};

/** Drops that a healthy segment with other CARP or VRRP groups shows all the time. */
const ORDINARY: ReadonlySet<DropReason> = new Set(['unknown-vhid', 'vrrp', 'other-protocol']);

function rejectedText(event: Rejected): string {
  const { reason, from } = event;
  const remedy = REMEDIES[reason];
  return [
    `dropped a packet from ${from ?? 'an unknown sender'}: ${DROP_REASONS[reason]}`,
    ...(isRivalry(event) ? ['two masters may serve at once'] : []),
    ...(remedy === undefined ? [] : [remedy]),
  ].join('; ');
}

/** What was told as BACKUP is told again as MASTER, when it has become serious. */
function rejectedKind(event: Rejected): string {
  return isRivalry(event) ? `${event.reason} rivalry` : event.reason;
}

function isRivalry({ rivalsMaster, reason }: Rejected): boolean {
  return rivalsMaster && !ORDINARY.has(reason);
}

function lostText({ interface: on, count, from, reason }: Lost): string {
  const suspect = from === null ? '' : ` from ${from}`;
  const why = reason === null ? '' : ` (${DROP_REASONS[reason]})`;
  return (
    `${on}: the kernel dropped ${count} packets of protocol 112: more come in than carpd can ` +
    `read. Meanwhile the silence of a master proves nothing. Look for a flood${suspect}${why}`
  );
}

function portText({ status, faults }: Port): string {
  if (status === 'gone') return 'left the bond';
  if (status === 'met') return 'is ready';
  return `is not ready: ${faults.map((fault) => PORT_FAULTS[fault]).join('; ')}`;
}
