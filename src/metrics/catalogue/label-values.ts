// The closed lists of what labels may say, made of the lists that the code itself goes by.
import { DROP_REASONS } from '../../carp/accept.ts';
import { CLAIM_FORMS } from '../../carp/claim.ts';
import { CAUSES, type Cause, type State } from '../../election/effects.ts';
import { EPOCH_END_CAUSES } from '../../readiness/epoch.ts';
import { EVIDENCE_KINDS } from '../../readiness/evidence.ts';
import { CONDITIONS } from '../../readiness/judge.ts';
import { REASONS } from '../../readiness/reasons.ts';

/** One combination of values, by label. */
export type LabelValues = Readonly<Record<string, string>>;

/** A state as a label says it. */
export type StateLabel = Lowercase<State>;

export const STATE_LABELS = {
  INIT: 'init',
  HELD: 'held',
  BACKUP: 'backup',
  MASTER: 'master',
} as const satisfies { readonly [Name in State]: Lowercase<Name> };

const STATES: readonly StateLabel[] = Object.values(STATE_LABELS);
const RESTING: readonly State[] = ['INIT', 'HELD', 'BACKUP'];
const TAKING_PART: readonly State[] = ['HELD', 'BACKUP', 'MASTER'];

type Steps = readonly (readonly [from: readonly State[], to: readonly State[]])[];

/** A master that leaves in good order ends where the conditions have it by then. */
const LEAVES: Steps = [[['MASTER'], RESTING]];
const LEAVES_OR_IS_HELD: Steps = [[['BACKUP'], ['HELD']], ...LEAVES];
const FAILS: Steps = [[TAKING_PART, ['INIT']]];
const PROMOTES: Steps = [[['BACKUP'], ['MASTER']]];

/** What each cause can lead from and to. */
const STEPS: Readonly<Record<Cause, Steps>> = {
  'interface-ready': [[['INIT'], ['HELD', 'BACKUP']]],
  'interface-missing': FAILS,
  'not-ethernet': FAILS,
  'interface-down': FAILS,
  'group-held': FAILS,
  'no-socket': FAILS,
  'no-source-address': [...LEAVES, [['HELD', 'BACKUP'], ['INIT']]],
  'gate-opened': [[['HELD'], ['BACKUP']]],
  'gate-closed': [[['BACKUP'], ['HELD']]],
  'carrier-lost': LEAVES_OR_IS_HELD,
  maintenance: LEAVES_OR_IS_HELD,
  'vip-failed': LEAVES,
  'master-down': PROMOTES,
  'bow-out': PROMOTES,
  'peer-slow': PROMOTES,
  'peer-demoted': PROMOTES,
  preempt: PROMOTES,
  'better-advert': LEAVES,
  'path-unconfirmed': LEAVES,
  'tie-lost': LEAVES,
  handover: LEAVES,
  stopped: FAILS,
};

/** Every change of state that there is, with its cause. */
export const TRANSITION_SERIES: readonly LabelValues[] = Object.keys(CAUSES)
  .filter(isCause)
  .flatMap((cause) =>
    STEPS[cause].flatMap(([froms, tos]) =>
      froms.flatMap((from) =>
        tos.map((to) => ({ from: STATE_LABELS[from], to: STATE_LABELS[to], cause })),
      ),
    ),
  );

export const STATE_SERIES = series('state', STATES);
export const DROP_SERIES = series('reason', Object.keys(DROP_REASONS));
export const HELD_SERIES = series('reason', [...Object.keys(REASONS), 'maintenance', 'vip-failed']);
export const EPOCH_SERIES = series('cause', Object.keys(EPOCH_END_CAUSES));
export const CLAIM_SERIES = series('form', Object.keys(CLAIM_FORMS));
export const CONDITION_SERIES = series('condition', CONDITIONS);
export const EVIDENCE_SERIES = series('kind', EVIDENCE_KINDS);

/** How a hook ends that was run; one that was skipped was not. */
export const HOOK_RESULTS = ['ok', 'failed', 'timeout', 'missing'] as const;
export const HOOK_SERIES = series('hook', ['up', 'down']);
export const HOOK_RESULT_SERIES: readonly LabelValues[] = HOOK_SERIES.flatMap((hook) =>
  HOOK_RESULTS.map((result) => ({ ...hook, result })),
);

function series(label: string, values: readonly string[]): readonly LabelValues[] {
  return values.map((value) => ({ [label]: value }));
}

function isCause(name: string): name is Cause {
  return Object.hasOwn(STEPS, name);
}
