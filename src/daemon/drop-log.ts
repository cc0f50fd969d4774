// Tells of packets that were not believed: loudly where two masters may come of it, once a minute
// for each sender and reason, and never a line for every packet.
import { fromSeconds, since, type Micros } from '../base/time.ts';
import { DROP_REASONS, type DropReason } from '../carp/accept.ts';
import type { EventOf } from './events.ts';
import type { Logger } from './log.ts';
import { RateLimit } from './rate-limit.ts';

const REPEAT_PERIOD = fromSeconds(60);
const SENDERS_MAX = 256;
/** Lines in one period, whoever sent: a flood from forged addresses has a new sender every time. */
const LINES_MAX = 32;

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

/** The drops of one interface. */
export class DropLog {
  readonly #interfaceName: string;
  readonly #log: Logger;
  readonly #now: () => Micros;
  readonly #limit = new RateLimit(REPEAT_PERIOD, SENDERS_MAX);
  #periodStart: Micros | undefined;
  #linesInPeriod = 0;

  constructor(interfaceName: string, log: Logger, now: () => Micros) {
    this.#interfaceName = interfaceName;
    this.#log = log;
    this.#now = now;
  }

  /** Takes note of a drop. */
  record({ reason, from, vhid, rivalsMaster }: EventOf<'advert-rejected'>): void {
    const sender = from ?? 'an unknown sender';
    const rivalry = rivalsMaster && !ORDINARY.has(reason);
    // What was told as BACKUP is told again as MASTER, when it has become serious.
    const key = `${reason} ${sender} ${vhid ?? ''} ${rivalry ? 'rivalry' : ''}`;
    const allowed = this.#limit.allow(key, this.#now());
    if (allowed === undefined || !this.#hasRoomForLine()) return;
    const remedy = REMEDIES[reason];
    const parts = [
      `dropped a packet from ${sender}: ${DROP_REASONS[reason]}`,
      ...(rivalry ? ['two masters may serve at once'] : []),
      ...(remedy === undefined ? [] : [remedy]),
    ];
    const level = ORDINARY.has(reason) ? 'info' : 'warn';
    this.#log[level]('packet-dropped', parts.join('; '), {
      interface: this.#interfaceName,
      reason,
      from: from ?? undefined,
      vhid: vhid ?? undefined,
      repeats: allowed.untold > 0 ? allowed.untold : undefined,
    });
  }

  /** Bounds the lines of a period; says once that the rest of it is silent. */
  #hasRoomForLine(): boolean {
    const now = this.#now();
    if (this.#periodStart === undefined || since(now, this.#periodStart) >= REPEAT_PERIOD) {
      this.#periodStart = now;
      this.#linesInPeriod = 0;
    }
    this.#linesInPeriod += 1;
    if (this.#linesInPeriod === LINES_MAX + 1) {
      const text = `${LINES_MAX} senders or reasons of dropped packets were told of within a \
minute; more of them are counted in silence. Look for a flood of IP protocol 112`;
      this.#log.warn('packet-dropped', text, { interface: this.#interfaceName });
    }
    return this.#linesInPeriod <= LINES_MAX;
  }
}
