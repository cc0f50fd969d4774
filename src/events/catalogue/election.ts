// What happens to the election of an instance.
import { CAUSES, type Cause, type State } from '../../election/effects.ts';
import { STATE_LABELS } from '../../metrics/catalogue/label-values.ts';
import { fromSeconds } from '../../base/time.ts';
import { DOUBT_CAUSES, type DoubtCause } from '../../readiness/doubt.ts';
import { REASONS, type Reason } from '../../readiness/reasons.ts';
import {
  boolean,
  instanceEvent,
  number,
  oneMore,
  sentence,
  text,
  texts,
  type ValuesOf,
} from './define.ts';
import type { OrderReason, Outcome } from './order-result.ts';

const MS_PER_SECOND = 1_000;

/** Why a promotion was held off: what the gate lacks, or what else keeps the node in HELD. */
export type HeldReason = Reason | 'maintenance' | 'vip-failed';

const ORDER_FIELDS = {
  force: boolean('asked to do it even if nobody can take over'),
  outcome: text<Outcome | 'begun'>('`begun`, `done`, `refused` or `failed`'),
  reason: text<OrderReason | null>('as below, or null when it is begun'),
  detail: sentence('what is done, or what came of it'),
  afterMs: number<number | null>('from the order until another master was heard, or null'),
} as const;

const ORDER = {
  fields: ORDER_FIELDS,
  level: {
    among: ['info', 'warn'],
    of: ({ outcome }: ValuesOf<typeof ORDER_FIELDS>) =>
      outcome === 'begun' || outcome === 'done' ? 'info' : 'warn',
  },
  text: ({ detail }: ValuesOf<typeof ORDER_FIELDS>) => detail,
} as const;

export const ELECTION_EVENTS = {
  state: instanceEvent({
    meaning: 'the state of the instance now: the first line for each instance, and after SIGUSR1',
    fields: {
      state: text<State>('`INIT`, `HELD`, `BACKUP` or `MASTER`'),
      forMs: number('how long it has been in this state'),
      term: number('how often this node has become master'),
      source: text<string | null>('the sender of our adverts, or null'),
      master: text<string | null>('the master it follows, or null'),
      gateOpen: boolean<boolean | null>(
        'whether the link lets it promote itself, or null where it is not known yet',
      ),
      reasons: texts<Reason>('what is missing (explain.md); also where the policy overrides it'),
      inDoubt: boolean('a master that doubts its own path'),
      maintenance: boolean('whether it is in maintenance'),
      advskew: number('what it bids with now'),
      why: sentence('why it is in this state'),
    },
    level: 'info',
    text: ({ state, interface: on, vhid, forMs, why }) =>
      `${state} on ${on} id ${vhid} for ${Math.round(forMs / MS_PER_SECOND)} s: ${why}`,
    // Somebody asked for it.
    quota: { burst: 60, refill: fromSeconds(1) },
  }),
  transition: instanceEvent({
    meaning: 'the instance changed its state',
    fields: {
      from: text<State>('the state before'),
      to: text<State>('the state now'),
      cause: text<Cause>('a cause of a transition (logging.md)'),
      peer: text<string | null>('whose advert decided, or the master last heard, or null'),
      term: number('how often this node has become master'),
      masterDownInMs: number<number | null>('when it takes over if it hears nobody, or null'),
      advertiseInMs: number<number | null>('when its next advert is due, or null'),
      advskew: number('what it bids with now'),
    },
    level: 'info',
    text: ({ from, to, cause }) => `${from} -> ${to}: ${CAUSES[cause]}`,
    counts: {
      carpd_transitions_total: ({ from, to, cause }) => ({
        labels: { from: STATE_LABELS[from], to: STATE_LABELS[to], cause },
      }),
    },
  }),
  takeover: instanceEvent({
    meaning: 'a new master has sent its first gratuitous ARP',
    fields: {
      cause: text<Cause>('the cause of the transition'),
      term: number('the term of the transition'),
      durationMs: number('since the master was due to be replaced; with a fraction'),
    },
    level: 'info',
    text: ({ durationMs }) =>
      `sent the first gratuitous ARP ${Math.round(durationMs)} ms after the master was due to be ` +
      'replaced',
    counts: {
      carpd_takeover_duration_seconds: ({ durationMs }) => ({
        labels: {},
        amount: durationMs / MS_PER_SECOND,
      }),
    },
  }),
  conflict: instanceEvent({
    meaning: 'a second master is heard; this one stays',
    fields: {
      peer: text('its address'),
      equal: boolean('it bids the same and loses the tie by its address'),
      announces: boolean('whether the virtual IP is announced again for it'),
    },
    level: 'warn',
    text: ({ equal, peer, vip, announces }) => {
      const rank = equal ? 'an equal master that loses the tie' : 'a worse master';
      const reaction = announces ? `announcing ${vip} again` : 'announcing nothing for now';
      return `heard ${rank}, ${peer}; staying master and ${reaction}`;
    },
    once: { period: fromSeconds(10), key: ({ peer }) => peer },
    counts: { carpd_master_conflicts_total: oneMore },
  }),
  demotion: instanceEvent({
    meaning: 'adverts cannot be sent, or can be sent again',
    fields: {
      demoted: boolean('true while it bids low because of that'),
      advskew: number('what it bids with now'),
    },
    level: { among: ['info', 'warn'], of: ({ demoted }) => (demoted ? 'warn' : 'info') },
    text: ({ demoted }) =>
      demoted
        ? 'three adverts in a row could not be sent; bidding with advskew 240 until it works'
        : 'bidding with the configured advskew again',
  }),
  doubt: instanceEvent({
    meaning: 'a master doubts its own path and bids low, or no longer doubts it',
    fields: {
      inDoubt: boolean('whether it doubts it'),
      cause: text<DoubtCause | null>('as below, or null'),
    },
    level: { among: ['info', 'warn'], of: ({ inDoubt }) => (inDoubt ? 'warn' : 'info') },
    text: ({ cause }) =>
      cause === null
        ? 'no longer in doubt: bidding and announcing as configured'
        : `in doubt: ${DOUBT_CAUSES[cause]}; bidding low and announcing nothing meanwhile`,
  }),
  handover: instanceEvent({
    meaning: 'an operator asked for a handover, and how it ended',
    ...ORDER,
  }),
  maintenance: instanceEvent({
    meaning: 'an operator turned maintenance on or off, and how it ended',
    ...ORDER,
  }),
  'promotion-held': instanceEvent({
    meaning: 'no master is heard for a dead interval, and the instance may not take over',
    fields: {
      reason: text<HeldReason>(
        'what is missing (explain.md), `maintenance` or `vip-failed`; one event for each',
      ),
    },
    level: { among: ['info', 'warn'], of: ({ reason }) => heldLevel(reason) },
    text: ({ reason }) =>
      `no master is heard, and this node may not take over: ${heldMeaning(reason)}`,
    counts: { carpd_promotions_held_total: ({ reason }) => ({ labels: { reason } }) },
  }),
};

/** What was meant, or was complained of already, is no reason for alarm. */
function heldLevel(reason: HeldReason): 'info' | 'warn' {
  return reason === 'maintenance' || reason === 'vip-failed' || reason === 'no-carrier'
    ? 'info'
    : 'warn';
}

function heldMeaning(reason: HeldReason): string {
  if (reason === 'maintenance' || reason === 'vip-failed') return CAUSES[reason];
  return REASONS[reason].meaning;
}
