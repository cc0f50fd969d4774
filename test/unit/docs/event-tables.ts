// The tables of docs/events.md, as the code has them.
import { CLAIM_FORMS } from '../../../src/carp/claim.ts';
import { CLAIMANTS } from '../../../src/election/claimant.ts';
import { EVENTS } from '../../../src/events/catalogue.ts';
import type { EventScope } from '../../../src/events/entry.ts';
import { ORDER_REASONS } from '../../../src/events/order-result.ts';
import { DOUBT_CAUSES } from '../../../src/readiness/doubt.ts';
import { PORT_FAULTS } from '../../../src/readiness/lacp.ts';

export interface EventTable {
  /** The heading that it stands below. */
  readonly heading: string;
  readonly head: readonly string[];
  /** Without the backquotes of the first cell. */
  readonly rows: readonly (readonly string[])[];
}

export const EVENT_TABLES: readonly EventTable[] = [
  ...scopeTables('instance', 'an instance'),
  ...scopeTables('interface', 'an interface'),
  ...scopeTables('daemon', 'the daemon'),
  {
    heading: '## Why a master is in doubt',
    head: ['cause', 'meaning'],
    rows: Object.entries(DOUBT_CAUSES),
  },
  {
    heading: '## Forms of a foreign claim',
    head: ['form', 'meaning'],
    rows: Object.entries(CLAIM_FORMS),
  },
  {
    heading: '## Whose a foreign claim is',
    head: ['by', 'meaning'],
    rows: Object.entries(CLAIMANTS),
  },
  {
    heading: '## What came of an order',
    head: ['reason', 'outcome', 'meaning'],
    rows: Object.entries(ORDER_REASONS).map(([name, { outcome, meaning }]) => [
      name,
      outcome,
      meaning,
    ]),
  },
  {
    heading: '## What is wrong with a port',
    head: ['fault', 'meaning'],
    rows: Object.entries(PORT_FAULTS),
  },
];

function scopeTables(scope: EventScope, of: string): readonly EventTable[] {
  const entries = Object.entries(EVENTS).filter(([, entry]) => entry.scope === scope);
  return [
    {
      heading: `## Events of ${of}`,
      head: ['event', 'tells that', 'watched'],
      rows: entries.map(([name, { tells, frequent }]) => [
        name,
        tells,
        frequent === true ? 'verbose' : 'always',
      ]),
    },
    {
      heading: `## Fields of the events of ${of}`,
      head: ['field', 'holds'],
      rows: entries.flatMap(([name, { fields }]) =>
        Object.entries<string>(fields).map(([field, holds]) => [`${name}.${field}`, holds]),
      ),
    },
  ];
}
