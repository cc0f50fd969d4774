// What holds off a promotion of an instance, or does so no more.
import type { GateKey } from '../../readiness/gate.ts';
import { explainReasons, WARNINGS, type Reason, type Warning } from '../../readiness/reasons.ts';
import { boolean, instanceEvent, number, oneMore, text, texts, type ValuesOf } from './define.ts';

const OPEN = {
  proof: 'can become master: the link has proved that it passes frames',
  'promote-after': 'can become master: the link has not proved itself, but the time limit is over',
  off: 'can become master: the gate is off, and there is carrier',
} as const satisfies Record<GateKey, string>;

const CLOSED_FIELDS = {
  reasons: texts<Reason>('what is missing (explain.md)'),
  opensInMs: number<number | null>('when the time limit opens it, or null'),
} as const;

const CLOSED = {
  fields: CLOSED_FIELDS,
  text: ({ reasons, opensInMs }: ValuesOf<typeof CLOSED_FIELDS>) => {
    const anyway = opensInMs === null ? '' : `; it can without proof in ${opensInMs} ms`;
    return `cannot become master: ${explainReasons(reasons)}${anyway}`;
  },
} as const;

export const GATE_EVENTS = {
  'gate-opened': instanceEvent({
    meaning: 'the link no longer keeps the instance from becoming master',
    fields: { by: text<GateKey>('`proof`, `promote-after` or `off`') },
    level: 'info',
    text: ({ by }) => OPEN[by],
  }),
  'gate-closed': instanceEvent({
    meaning: 'the link keeps the instance from becoming master, or the reasons have changed',
    ...CLOSED,
    level: 'info',
  }),
  'gate-still-closed': instanceEvent({
    meaning: 'a reminder, every 30 s while the instance is held',
    ...CLOSED,
    level: 'warn',
  }),
  'gate-warning': instanceEvent({
    meaning: 'the gate works, but not as it should',
    fields: { warning: text<Warning>('a warning (explain.md)') },
    level: 'warn',
    text: ({ warning }) => `${WARNINGS[warning].meaning}; ${WARNINGS[warning].remedy}`,
    kind: ({ warning }) => warning,
  }),
  'vip-in-use': instanceEvent({
    meaning: 'another host answers for the virtual IP, and no master is heard',
    fields: {
      mac: text<string | null>('who answers, or null'),
      holdsOff: boolean('true: this node waits; false: it takes the address over'),
    },
    // The gate tells of it, as a reason or a warning, with what to do.
    level: 'unlogged',
    text: ({ vip, mac, holdsOff }) => {
      const reaction = holdsOff ? 'this node waits' : 'this node takes it over';
      return `${mac ?? 'another host'} answers for ${vip}; ${reaction}`;
    },
    counts: { carpd_vip_in_use_total: oneMore },
  }),
};
