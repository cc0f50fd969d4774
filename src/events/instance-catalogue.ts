// Every event of an instance, with its fields.
import type { EventList } from './entry.ts';
import type { InstanceEvent } from './events.ts';

const ORDER_FIELDS = {
  force: 'asked to do it even if nobody can take over',
  outcome: '`begun`, `done`, `refused` or `failed`',
  reason: 'as below, or null when it is begun',
  detail: 'a sentence for people',
  afterMs: 'from the order until another master was heard, or null',
} as const;

/** What an instance tells. */
export const INSTANCE_EVENTS: EventList<InstanceEvent['event']> = {
  state: {
    scope: 'instance',
    tells: 'what the instance is now: first of all, for each, and when SIGUSR1 asks for it',
    fields: {
      state: '`INIT`, `HELD`, `BACKUP` or `MASTER`',
      forMs: 'how long it has been that',
      term: 'how often this node has become master',
      source: 'the sender of our adverts, or null',
      master: 'the master it follows, or null',
      gateOpen: 'whether the link lets it promote itself, or null where it is not known yet',
      reasons: 'a list of what is missing (explain.md); also where the policy overrides it',
      inDoubt: 'a master that doubts its own path',
      maintenance: 'whether it is in maintenance',
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
    fields: { inDoubt: 'whether it does', cause: 'as below, or null' },
  },
  handover: {
    scope: 'instance',
    tells: 'an operator asked for a handover, and what came of it',
    fields: ORDER_FIELDS,
  },
  maintenance: {
    scope: 'instance',
    tells: 'an operator turned maintenance on or off, and what came of it',
    fields: ORDER_FIELDS,
  },
  'promotion-held': {
    scope: 'instance',
    tells: 'no master is heard for a dead interval, and the instance may not take over',
    fields: {
      reason: 'what is missing (explain.md), `maintenance` or `vip-failed`; one event for each',
    },
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
      reasons: 'a list of what is missing (explain.md)',
      opensInMs: 'when the time limit opens it, or null',
    },
  },
  'gate-still-closed': {
    scope: 'instance',
    tells: 'a reminder, every 30 s while the instance is held',
    fields: {
      reasons: 'a list of what is missing (explain.md)',
      opensInMs: 'when the time limit opens it, or null',
    },
  },
  'gate-warning': {
    scope: 'instance',
    tells: 'something of the gate is not as it should be',
    fields: { warning: 'a warning (explain.md)' },
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
    tells: 'the virtual IP is back after somebody had removed it, or its interface was replaced',
    fields: { replaced: 'true: the virtual IP had gone with its interface; nobody removed it' },
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
  'step-down-stuck': {
    scope: 'instance',
    tells: 'a step down was not possible in time with the virtual IP off',
    fields: {
      cause: 'why it should step down (logging.md)',
      stays: 'true: it stays master; false: it leaves with the virtual IP still on',
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
  'vip-unwanted': {
    scope: 'instance',
    tells: 'somebody put the virtual IP on this node, which is not master; it was removed',
    fields: {},
  },
  'vip-elsewhere': {
    scope: 'instance',
    tells: 'another interface of this host has the virtual IP, or none has it any more',
    fields: { interfaces: 'a list of those where no instance serves it; empty: none any more' },
  },
  'addresses-taken-along': {
    scope: 'instance',
    tells: 'removing the virtual IP made the kernel remove others',
    fields: {
      addresses: 'a list of them',
      restored: 'they were put back, with their routes',
      unsaved: 'a list of commands that make what could not be put back',
    },
  },
  'secondaries-promoted': {
    scope: 'instance',
    tells: 'promote_secondaries was set while the virtual IP was removed; told once',
    fields: {},
  },
  'vip-contested': {
    scope: 'instance',
    tells: 'another host claims the virtual IP of this master by ARP, or asks whether it is free',
    fields: {
      form: 'as below',
      mac: 'who claims it, by its MAC address',
      frames: 'how often it did so in this moment',
      answered: 'whether the virtual IP is announced again for it',
      by: 'as below',
      peer: 'the address of that node of the group, or null',
    },
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
};
