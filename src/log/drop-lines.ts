// What a packet that was not believed comes to in the log: loudly where two masters may come of it.
// Pure.
import { fromSeconds } from '../base/time.ts';
import { DROP_REASONS, type DropReason } from '../carp/accept.ts';
import type { EventOf } from '../events/events.ts';
import { lineOf, type LogLine } from './log-line.ts';

const REPEAT_PERIOD = fromSeconds(60);

/** What to do about a drop, where something can be done. */
const REMEDIES: Partial<Record<DropReason, string>> = {
  'bad-digest': 'compare vhid, passphrase and virtual IP on both hosts',
  'own-packet': 'look for a loop in the network, or a second host with this address',
  'bad-ttl': 'look for a router or tunnel between the hosts, or a forged packet',
  'other-group': 'give both hosts the same multicast group',
  'unknown-vhid': 'fine if it is another group; a peer of ours needs the same vhid',
};

/** Drops that a healthy segment with other CARP or VRRP groups shows all the time. */
const ORDINARY: ReadonlySet<DropReason> = new Set(['unknown-vhid', 'vrrp', 'other-protocol']);

/** The line for a drop: one a minute for each sender, and few for each reason. */
export function dropLine(event: EventOf<'advert-rejected'>): LogLine {
  const { reason, from, vhid } = event;
  const sender = from ?? 'an unknown sender';
  const rivalry = event.rivalsMaster && !ORDINARY.has(reason);
  const remedy = REMEDIES[reason];
  const parts = [
    `dropped a packet from ${sender}: ${DROP_REASONS[reason]}`,
    ...(rivalry ? ['two masters may serve at once'] : []),
    ...(remedy === undefined ? [] : [remedy]),
  ];
  const line = lineOf(ORDINARY.has(reason) ? 'info' : 'warn', 'packet-dropped', parts.join('; '), {
    interface: event.interface,
    reason,
    from: from ?? undefined,
    vhid: vhid ?? undefined,
  });
  // What was told as BACKUP is told again as MASTER, when it has become serious.
  const kind = rivalry ? `${reason} rivalry` : reason;
  const key = `${event.interface} ${kind} ${sender} ${vhid ?? ''}`;
  return { ...line, kind, limit: { key, period: REPEAT_PERIOD } };
}
