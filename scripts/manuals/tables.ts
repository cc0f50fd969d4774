// The tables of the documents that are made from the code: of the events, of what the log makes of
// them and of what is counted of them. `npm run manuals` writes them, and tests hold them equal.
import { toSeconds } from '../../src/base/time.ts';
import { CLAIM_FORMS } from '../../src/carp/claim.ts';
import { CLAIMANTS } from '../../src/election/claimant.ts';
import { EVENTS } from '../../src/events/events.ts';
import type { EventDefinition, EventScope, FieldType } from '../../src/events/catalogue/define.ts';
import { ORDER_REASONS } from '../../src/events/catalogue/order-result.ts';
import { DEFAULT_QUOTA } from '../../src/log/log-line.ts';
import { DOUBT_CAUSES } from '../../src/readiness/doubt.ts';
import { PORT_FAULTS } from '../../src/readiness/lacp.ts';

export interface Table {
  /** The heading that it stands below. */
  readonly heading: string;
  readonly head: readonly string[];
  /** Without the backquotes of the first cell. */
  readonly rows: readonly (readonly string[])[];
}

const RECORDS: readonly (readonly [string, EventDefinition<never>])[] = Object.entries(EVENTS);

const FIELD_TYPES: Readonly<Record<FieldType, string>> = {
  text: 'text',
  number: 'number',
  boolean: 'boolean',
  texts: 'list',
  sentence: 'sentence',
  sentences: 'list of sentences',
};

const EVENT_TABLES: readonly Table[] = [
  ...scopeTables('instance', 'an instance'),
  ...scopeTables('interface', 'an interface'),
  ...scopeTables('daemon', 'the daemon'),
  meanings('## Why a master is in doubt', 'cause', DOUBT_CAUSES),
  meanings('## Forms of a foreign claim', 'form', CLAIM_FORMS),
  meanings('## Whose a foreign claim is', 'by', CLAIMANTS),
  {
    heading: '## What came of an order',
    head: ['reason', 'outcome', 'meaning'],
    rows: Object.entries(ORDER_REASONS).map(([name, { outcome, meaning }]) => [
      name,
      outcome,
      meaning,
    ]),
  },
  meanings('## What is wrong with a port', 'fault', PORT_FAULTS),
];

const QUOTA_TABLE: Table = {
  heading: '## How often',
  head: ['event', 'lines at once', 'then one in each'],
  rows: [
    ...RECORDS.flatMap(([name, { quota }]) => (quota === undefined ? [] : [quotaRow(name, quota)])),
    quotaRow('any other', DEFAULT_QUOTA),
  ],
};

const COUNTED_TABLE: Table = {
  heading: '## Events that are counted',
  head: ['event', 'metrics'],
  rows: RECORDS.flatMap(([name, { counts }]) =>
    counts === undefined
      ? []
      : [
          [
            name,
            Object.keys(counts)
              .map((metric) => `\`${metric}\``)
              .join(', '),
          ],
        ],
  ),
};

/** The tables by the document that has them. */
export const TABLES: ReadonlyMap<string, readonly Table[]> = new Map([
  ['docs/events.md', EVENT_TABLES],
  ['docs/logging.md', [QUOTA_TABLE]],
  ['docs/metrics.md', [COUNTED_TABLE]],
]);

/** The document with each of these tables in place of the one that it has below the heading. */
export function withTables(text: string, tables: readonly Table[]): string {
  return tables.reduce((before, table) => {
    const [head, section] = split(before, `\n${table.heading}\n`);
    if (section === undefined) throw new Error(`there is no heading ${table.heading}`);
    const [own, rest = ''] = split(section, '\n## ');
    const lines = own.split('\n');
    const first = lines.findIndex((line) => line.startsWith('|'));
    if (first === -1) throw new Error(`there is no table below ${table.heading}`);
    const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
    lines.splice(first, end - first, ...written(table));
    return `${head}\n${table.heading}\n${lines.join('\n')}${rest === '' ? '' : `\n## ${rest}`}`;
  }, text);
}

function scopeTables(scope: EventScope, of: string): readonly Table[] {
  const records = RECORDS.filter(([, record]) => record.scope === scope);
  return [
    {
      heading: `## Events of ${of}`,
      head: ['event', 'tells that', 'watched', 'logged'],
      rows: records.map(([name, { meaning, frequent, level }]) => [
        name,
        meaning,
        frequent === true ? 'verbose' : 'always',
        level === 'unlogged' ? 'no' : typeof level === 'string' ? level : level.among.join(', '),
      ]),
    },
    {
      heading: `## Fields of the events of ${of}`,
      head: ['field', 'type', 'holds'],
      rows: records.flatMap(([name, { fields }]) =>
        Object.entries(fields).map(([field, { type, holds }]) => [
          `${name}.${field}`,
          FIELD_TYPES[type],
          holds,
        ]),
      ),
    },
  ];
}

function meanings(heading: string, what: string, list: Readonly<Record<string, string>>): Table {
  return { heading, head: [what, 'meaning'], rows: Object.entries(list) };
}

function quotaRow(name: string, { burst, refill }: typeof DEFAULT_QUOTA): readonly string[] {
  return [name, String(burst), `${toSeconds(refill)} s`];
}

/** As prettier pads them. */
function written({ head, rows }: Table): readonly string[] {
  const quoted = rows.map(([name = '', ...cells]) => [`\`${name}\``, ...cells]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...quoted].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...quoted.map(line)];
}

/** At the first place where the mark stands. */
function split(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}
