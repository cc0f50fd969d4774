// What one instance puts on the wire: its adverts, and the announcements of its address; and what
// it tells of those who claim the address as well.
import type { Ipv4 } from '../../carp/addresses.ts';
import type { GroupKey } from '../../carp/digest.ts';
import type { InstanceConfig } from '../../config/config.ts';
import { advertInterval } from '../../election/cadence.ts';
import type { AnnounceReason, Effect } from '../../election/effects.ts';
import { Announcer, type Announcement } from '../../vip/announcer.ts';
import { AdvertSender } from './advert-sender.ts';
import { ClaimTeller } from '../../events/publish/claim-teller.ts';
import type { InstanceEvents } from '../../events/publish/instance-events.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { SharedInterface } from '../interface/shared-interface.ts';
import type { Ports } from '../../ports/ports.ts';

export interface WireOptions extends Pick<Ports, 'now' | 'startTimer' | 'randomIdentification'> {
  readonly config: InstanceConfig;
  readonly key: GroupKey;
  readonly shared: SharedInterface;
  readonly instanceEvents: InstanceEvents;
  readonly record: InstanceRecord;
  /** The address that the next advert comes from; undefined: none can be sent. */
  readonly source: () => Ipv4 | undefined;
  /** A regular advert has left, or could not. */
  readonly onRegularDone: (ok: boolean) => void;
  /** The same of the last one of a term. */
  readonly onLastDone: () => void;
}

/** Sends the adverts of an instance, and tells the world of each. */
export function createSender(options: WireOptions): AdvertSender {
  const { config, key, shared, instanceEvents, source, onRegularDone, onLastDone } = options;
  return new AdvertSender({
    randomIdentification: options.randomIdentification,
    config,
    key,
    shared,
    source,
    onDone: (sent, ok) => {
      if (ok) instanceEvents.advertSent(sent);
      if (sent.advert === 'regular') onRegularDone(ok);
      else onLastDone();
    },
    onFailed: (unsent, reason) => instanceEvents.sendFailed(unsent, reason),
  });
}

/** Announces the address of an instance, and tells the world of each announcement. */
export function createAnnouncer(options: WireOptions): Announcer {
  const { config, shared, instanceEvents, startTimer, now } = options;
  return new Announcer({
    vip: config.address.ip,
    mac: () => shared.mac(),
    burst: config.announce.burst,
    intervalMs: config.announce.intervalMs,
    sender: { send: (frame) => shared.sendFrame(frame) },
    now,
    startTimer,
    onSent: () => instanceEvents.announced(),
    onSendError: (reason) => instanceEvents.announceFailed(reason),
  });
}

/** Tells of the claims of others for the address of an instance. */
export function createClaimTeller({
  config,
  shared,
  instanceEvents,
  record,
  startTimer,
  now,
}: WireOptions): ClaimTeller {
  return new ClaimTeller({
    startTimer,
    interval: advertInterval(config),
    judge: (mac) => record.claimant(mac, shared.gate.macOf, now()),
    tell: (claim, claimant, answered) => instanceEvents.contested(claim, claimant, answered),
  });
}

/** They answer what another host has said, who may say it as often as it likes. */
const DEFENCES: ReadonlySet<AnnounceReason> = new Set(['conflict', 'contested']);

/** What the announcer is to do for an effect of the election. */
export function announcementOf({
  reason,
  burst,
}: Extract<Effect, { kind: 'announce' }>): Announcement {
  return { burst, defends: DEFENCES.has(reason) };
}
