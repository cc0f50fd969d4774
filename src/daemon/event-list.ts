// Every event with its fields, for the documentation and for whoever wants all of them: the types
// in events.ts hold this list complete and its fields right.
import type { EventName, EventOf, InstanceIdentity } from './events.ts';

/** Whose the event is: an instance, an interface, or the daemon as a whole. */
export type EventScope = 'instance' | 'interface' | 'daemon';

type FieldsOf<Name extends EventName> = Exclude<
  keyof EventOf<Name>,
  'event' | ScopeKeys<EventOf<Name>>
>;

/** What every event of the scope bears. */
type ScopeKeys<Event> = Event extends InstanceIdentity ? keyof InstanceIdentity : 'interface';

interface Entry<Name extends EventName> {
  readonly scope: EventScope;
  /** What it tells, as the documentation has it. */
  readonly tells: string;
  /** Its own fields, each with what it holds. */
  readonly fields: Readonly<Record<FieldsOf<Name>, string>>;
  /** So many of them that nobody watches them unasked. */
  readonly frequent?: true;
}

type EventList = { readonly [Name in EventName]: Entry<Name> };

/** What an instance, an interface and the daemon tell. */
export const EVENTS: EventList = {
  // Instances.
  state: {
    scope: 'instance',
    tells: 'what the instance is now: first of all, for each, and when SIGUSR1 asks for it',
    fields: {
      state: '`INIT`, `HELD`, `BACKUP` or `MASTER`',
      forMs: 'how long it has been that',
      term: 'how often this node has become master',
      master: 'the master it follows, or null',
      inDoubt: 'a master that doubts its own path',
      advskew: 'what it bids with now',
      why: 'a sentence for people',
    },
  },
  transition: {
    scope: 'instance',
    tells: 'the instance changed its state',
    fields: {
      from: 'the state before',
      to: 'the state now',
      cause: 'a cause of a transition (logging.md)',
      peer: 'whose advert decided, or the master last heard, or null',
      term: 'how often this node has become master',
      masterDownInMs: 'when it takes over if it hears nobody, or null',
      advertiseInMs: 'when its next advert is due, or null',
      advskew: 'what it bids with now',
    },
  },
  takeover: {
    scope: 'instance',
    tells: 'the first gratuitous ARP of a new master has left',
    fields: {
      cause: 'the cause of the transition',
      term: 'that of the transition',
      durationMs: 'since the master was due to be replaced; with a fraction',
    },
  },
  conflict: {
    scope: 'instance',
    tells: 'a second master is heard; this one stays',
    fields: { peer: 'its address', equal: 'it bids the same and loses the tie by its address' },
  },
  demotion: {
    scope: 'instance',
    tells: 'adverts can not be sent, or can be again',
    fields: { demoted: 'true while it bids low for it', advskew: 'what it bids with now' },
  },
  doubt: {
    scope: 'instance',
    tells: 'a master doubts its own path and bids low, or doubts it no more',
    fields: { inDoubt: 'whether it does', cause: '`epoch-ended`, `rival-unanswered` or null' },
  },
  'promotion-held': {
    scope: 'instance',
    tells: 'no master is heard for a dead interval, and the instance may not take over',
    fields: { reason: 'what is missing, see below; one event for each' },
  },
  'gate-opened': {
    scope: 'instance',
    tells: 'nothing of the link holds off a promotion any more',
    fields: { by: '`proof`, `promote-after` or `off`' },
  },
  'gate-closed': {
    scope: 'instance',
    tells: 'the link holds off a promotion, or for other reasons than before',
    fields: {
      reasons: 'a list of what is missing, see below',
      opensInMs: 'when the time limit opens it, or null',
    },
  },
  'gate-still-closed': {
    scope: 'instance',
    tells: 'a reminder, every 30 s while the instance is held',
    fields: {
      reasons: 'a list of what is missing, see below',
      opensInMs: 'when the time limit opens it, or null',
    },
  },
  'gate-warning': {
    scope: 'instance',
    tells: 'something of the gate is not as it should be',
    fields: { warning: 'a warning, see below' },
  },
  'vip-in-use': {
    scope: 'instance',
    tells: 'another host answers for the virtual IP, and no master is heard',
    fields: {
      mac: 'who answers, or null',
      holdsOff: 'true: this node waits; false: it takes the address over',
    },
  },
  'interface-usable': {
    scope: 'instance',
    tells: 'the interface is there, up and has its source address',
    fields: { source: 'the sender of our adverts', carrier: 'whether there is carrier' },
  },
  'interface-unusable': {
    scope: 'instance',
    tells: 'the instance can not take part on its interface',
    fields: { fault: 'a cause of a transition (logging.md)', remedy: 'what to do' },
  },
  'vip-off-network': {
    scope: 'instance',
    tells: 'the virtual IP is in no network of its interface',
    fields: { networks: 'those there are' },
  },
  'vip-added': { scope: 'instance', tells: 'the virtual IP is on the interface', fields: {} },
  'vip-restored': {
    scope: 'instance',
    tells: 'the virtual IP is back after somebody had removed it',
    fields: {},
  },
  'vip-removed': {
    scope: 'instance',
    tells: 'the virtual IP is off the interface',
    fields: { late: 'it could not be removed at first' },
  },
  'vip-failed': {
    scope: 'instance',
    tells: 'the virtual IP could not be added, kept or removed',
    fields: {
      action: '`add`, `keep`, `remove` or `remove-stale`',
      reason: 'why the virtual IP could not be added or removed (logging.md)',
      detail: 'what was said, for people',
    },
  },
  'vip-left-behind': {
    scope: 'instance',
    tells: 'the instance ended and the virtual IP could not be removed',
    fields: { command: 'what removes it' },
  },
  'vip-stale': {
    scope: 'instance',
    tells: 'the virtual IP was on the interface while this node was not master',
    fields: {
      removed: 'false: it has another prefix length and is left alone',
      prefixLength: 'that prefix length, or null',
    },
  },
  'addresses-taken-along': {
    scope: 'instance',
    tells: 'removing the virtual IP made the kernel remove others',
    fields: { addresses: 'a list of them', restored: 'they were put back' },
  },
  announced: { scope: 'instance', tells: 'a gratuitous ARP was sent', fields: {} },
  'announce-failed': {
    scope: 'instance',
    tells: 'a gratuitous ARP could not be sent',
    fields: { detail: 'why, for people' },
  },
  'hook-finished': {
    scope: 'instance',
    tells: 'a hook ended',
    fields: {
      hook: '`up` or `down`',
      result: '`ok`, `failed`, `timeout`, `missing` or `skipped`',
      durationMs: 'from its start to its end',
      detail: 'why, or what to do, or null',
    },
  },
  'send-failed': {
    scope: 'instance',
    tells: 'an advert could not be sent',
    fields: { advert: '`regular`, `farewell` or `bow-out`', detail: 'why, for people' },
  },
  'hook-output': {
    scope: 'instance',
    tells: 'a line that a hook printed',
    fields: { hook: '`up` or `down`', line: 'the line' },
    frequent: true,
  },
  'advert-sent': {
    scope: 'instance',
    tells: 'an advert has left',
    fields: {
      advert: '`regular`, `farewell` or `bow-out`',
      advbase: 'as sent',
      advskew: 'as sent',
    },
    frequent: true,
  },
  'advert-received': {
    scope: 'instance',
    tells: 'a valid advert came in',
    fields: {
      from: 'its sender',
      advbase: 'as received',
      advskew: 'as received',
      demote: 'as received',
      bowOut: 'the sender leaves',
      heardBy: '`socket`, or `witness` where a firewall kept it from the socket',
    },
    frequent: true,
  },
  // Interfaces.
  'link-epoch': {
    scope: 'interface',
    tells: 'the path may have changed: what the link proved before counts no more',
    fields: { epoch: 'counts from 1', cause: 'what ended the one before, see below' },
  },
  'link-evidence': {
    scope: 'interface',
    tells: 'the first evidence of its kind in an epoch',
    fields: {
      kind: '`advert`, `probe` or `frame`',
      from: 'an IPv4 or MAC address',
      epoch: 'that of the evidence',
    },
  },
  'link-proved': {
    scope: 'interface',
    tells: 'the link has proved that it passes frames',
    fields: {
      heldMs: 'how long it had not',
      by: 'the best kind of evidence there is: `advert`, `probe`, `frame` or null',
      from: 'whose, or null',
    },
  },
  'link-unproved': {
    scope: 'interface',
    tells: 'the link has not proved itself, or for other reasons than before',
    fields: { reasons: 'a list of what is missing, see below' },
  },
  'lacp-port': {
    scope: 'interface',
    tells: 'a port of the bond is ready, or not, or for other reasons than before',
    fields: {
      port: 'its name',
      status: '`met`, `not-met`, `unknown`, or `gone`: taken out of the bond',
      faults: 'a list of what is wrong with it, see below',
    },
  },
  'link-warning': {
    scope: 'interface',
    tells: 'the link works, but not as it should',
    fields: { warning: 'a warning, see below' },
  },
  'link-unreadable': {
    scope: 'interface',
    tells: 'frames can not be seen or asked for as they should; it is tried again',
    fields: { detail: 'why, for people', repeats: 'how often this was left untold since' },
  },
  'socket-failed': {
    scope: 'interface',
    tells: 'a socket failed and is opened again',
    fields: { detail: 'why, for people', retryInMs: 'when' },
  },
  'send-blocked': {
    scope: 'interface',
    tells: 'the firewall refused an advert, which left through the packet socket',
    fields: {},
    frequent: true,
  },
  'advert-rejected': {
    scope: 'interface',
    tells: 'a packet of protocol 112 was not believed',
    fields: {
      reason: 'a reason for which a packet is dropped (logging.md)',
      from: 'its sender, or null',
      vhid: 'its group, or null',
      rivalsMaster: 'an instance with that vhid is master here',
    },
    frequent: true,
  },
  // The daemon as a whole.
  'daemon-started': {
    scope: 'daemon',
    tells: 'all instances take part, or wait for their interface',
    fields: { instances: 'how many' },
  },
  'daemon-stopping': {
    scope: 'daemon',
    tells: 'everything is being released',
    fields: { why: 'a signal, or a sentence' },
  },
  'daemon-stopped': {
    scope: 'daemon',
    tells: 'everything was released and the process ends',
    fields: { exitCode: 'of the process' },
  },
  'daemon-failed': {
    scope: 'daemon',
    tells: 'carpd found a fault in itself or could not be set up',
    fields: { detail: 'which, for people', fatal: 'the process ends at once' },
  },
  'signal-received': {
    scope: 'daemon',
    tells: 'a signal was received that does not end carpd',
    fields: { signal: 'its name', meaning: 'what it makes carpd do' },
  },
  'configuration-warning': {
    scope: 'daemon',
    tells: 'the configuration is valid but may not be what was meant',
    fields: { detail: 'why, for people' },
  },
  'configuration-rejected': {
    scope: 'daemon',
    tells: 'a new configuration is faulty; the old one stays in force',
    fields: { detail: 'where and why, for people' },
  },
  'configuration-reloaded': {
    scope: 'daemon',
    tells: 'a new configuration is in force',
    fields: {
      added: 'a list of instances',
      changed: 'a list of instances',
      removed: 'a list of instances',
      unchanged: 'a list of instances',
    },
  },
  'links-unreadable': {
    scope: 'daemon',
    tells: 'what the kernel tells of the interfaces can not be read; it is tried again',
    fields: { detail: 'why, for people' },
  },
  'late-wake': {
    scope: 'daemon',
    tells: 'the process was stalled; what arrived meanwhile was read first',
    fields: { lateMs: 'how much too late it woke' },
  },
  'queue-overflow': {
    scope: 'daemon',
    tells: 'packets came in faster than they could be judged, and some were dropped',
    fields: { dropped: 'how many' },
    frequent: true,
  },
  'log-gap': {
    scope: 'daemon',
    tells: 'lines of the log were dropped, because nobody took them',
    fields: { lostLines: 'how many' },
  },
  'control-opened': {
    scope: 'daemon',
    tells: 'the control socket answers',
    fields: { path: 'where' },
  },
  'control-failed': {
    scope: 'daemon',
    tells: 'the control socket can not be opened, or failed',
    fields: { during: '`opening`, `serving` or `answering`', detail: 'why, for people' },
  },
  'metrics-opened': {
    scope: 'daemon',
    tells: 'the metrics are served',
    fields: { address: 'where' },
  },
  'metrics-failed': {
    scope: 'daemon',
    tells: 'the metrics can not be served, or a client could not',
    fields: { during: '`opening` or `serving`', detail: 'why, for people' },
  },
};

/** The names of all events. */
export const EVENT_NAMES: readonly EventName[] = Object.keys(EVENTS).filter(isEventName);

function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}
