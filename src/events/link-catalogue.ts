// Every event of an interface and of the daemon as a whole, with its fields.
import type { EventList } from './entry.ts';
import type { DaemonNews, LinkEvent } from './events.ts';

/** What an interface tells. */
export const LINK_EVENTS: EventList<LinkEvent['event']> = {
  'interface-renamed': {
    scope: 'interface',
    tells: 'somebody has given the interface a new name; carpd goes on with it',
    fields: { from: 'the name it had', to: 'the name it has now' },
  },
  'vip-leftover': {
    scope: 'interface',
    tells: 'an earlier run has left a virtual IP there, and no instance serves it there now',
    fields: {
      vip: 'the virtual IP',
      removed: 'whether it was taken off',
      detail: 'why not, for people, or null',
      command: 'what removes it',
    },
  },
  'link-epoch': {
    scope: 'interface',
    tells: 'the path may have changed: what the link proved before counts no more',
    fields: { epoch: 'counts from 1', cause: 'what ended the one before (explain.md)' },
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
    fields: { reasons: 'a list of what is missing (explain.md)' },
  },
  'lacp-port': {
    scope: 'interface',
    tells: 'a port of the bond is ready, or not, or for other reasons than before',
    fields: {
      port: 'its name',
      status: '`met`, `not-met`, `unknown`, or `gone`: taken out of the bond',
      faults: 'a list of what is wrong with it, as below',
    },
  },
  'link-warning': {
    scope: 'interface',
    tells: 'the link works, but not as it should',
    fields: { warning: 'a warning (explain.md)' },
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
    tells: 'the firewall would refuse adverts on the way out; they leave as frames past it',
    fields: {},
    frequent: true,
  },
  'adverts-lost': {
    scope: 'interface',
    tells: 'the kernel dropped packets of protocol 112: more come in than can be read',
    fields: {
      count: 'how many since it was told last',
      from: 'the sender of the last packet that was not believed, or null',
      reason: 'why that was not (logging.md), or null',
    },
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
};

/** What concerns the daemon as a whole. */
export const DAEMON_EVENTS: EventList<DaemonNews['event']> = {
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
    tells: 'everything was released and the process ends; nobody watches any more',
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
  'maintenance-unreadable': {
    scope: 'daemon',
    tells: 'which instances are in maintenance is not known, so all of them are',
    fields: { detail: 'why, and what to do, for people' },
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
