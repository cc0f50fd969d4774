// The manual pages, made from what carpd itself goes by: its help texts, and the documents that
// tests hold equal to the code.
import { readFileSync } from 'node:fs';
import { COMMAND_NAMES } from '../../src/cli/commands.ts';
import { carpdHelp, ucarpHelp } from '../../src/cli/help.ts';
import { examplesOf } from './examples.ts';
import { readHelp } from './help.ts';
import { readMarkdown } from './markdown.ts';
import { renderPage, type Block, type Page } from './roff.ts';

interface Documented {
  /** The document that the page is made from. */
  readonly path: string;
  readonly name: string;
  readonly section: Page['section'];
  readonly summary: string;
}

const DOCUMENTS: readonly Documented[] = [
  {
    path: 'docs/configuration.md',
    name: 'carpd.yaml',
    section: 5,
    summary: 'configuration of carpd',
  },
  {
    path: 'docs/control.md',
    name: 'carpd-control',
    section: 7,
    summary: 'control socket of carpd, and its answers',
  },
  {
    path: 'docs/doctor.md',
    name: 'carpd-doctor',
    section: 7,
    summary: 'findings of carpd doctor, with their codes',
  },
  { path: 'docs/events.md', name: 'carpd-events', section: 7, summary: 'events of carpd watch' },
  {
    path: 'docs/metrics.md',
    name: 'carpd-metrics',
    section: 7,
    summary: 'metrics of carpd for Prometheus',
  },
];

/** All pages by their file names, such as "carpd.8". */
export function manualPages(): ReadonlyMap<string, string> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const pages = [
    daemon(version),
    ...DOCUMENTS.map((one) => document(one, version)),
    ucarp(version),
  ];
  return new Map(pages.map((page) => [`${page.name}.${page.section}`, renderPage(page)]));
}

function daemon(version: string): Page {
  const commands = COMMAND_NAMES.map((name) => ({ name, ...readHelp(carpdHelp(name)) }));
  return {
    name: 'carpd',
    section: 8,
    summary: 'keeps a virtual IP on exactly one of several hosts (CARP)',
    version,
    blocks: [
      { kind: 'section', title: 'Synopsis' },
      ...commands.flatMap(({ usage }) => usage.map(verbatim)),
      { kind: 'section', title: 'Description' },
      ...DESCRIPTION.map((text): Block => ({ kind: 'paragraph', text })),
      { kind: 'section', title: 'Commands' },
      ...commands.flatMap(({ name, usage, blocks }): readonly Block[] => [
        { kind: 'subsection', title: `carpd ${name}` },
        ...usage.map(verbatim),
        ...blocks,
      ]),
      ...examplesOf('carpd'),
      { kind: 'section', title: 'Exit status' },
      { kind: 'paragraph', text: EXIT_STATUS },
      { kind: 'section', title: 'Files' },
      ...entries(FILES),
      { kind: 'section', title: 'See also' },
      { kind: 'paragraph', text: SEE_ALSO },
    ],
  };
}

function document({ path, name, section, summary }: Documented, version: string): Page {
  return {
    name,
    section,
    summary,
    version,
    blocks: [
      { kind: 'section', title: 'Description' },
      ...readMarkdown(readFileSync(path, 'utf8')),
      { kind: 'section', title: 'See also' },
      { kind: 'paragraph', text: SEE_ALSO },
    ],
  };
}

function ucarp(version: string): Page {
  const { usage, blocks } = readHelp(ucarpHelp(version));
  return {
    name: 'ucarp',
    section: 8,
    summary: 'keeps a virtual IP on one of several hosts, as UCARP (by carpd)',
    version,
    blocks: [
      { kind: 'section', title: 'Synopsis' },
      ...usage.map(verbatim),
      { kind: 'section', title: 'Options' },
      ...blocks.slice(1),
      ...examplesOf('ucarp'),
      { kind: 'section', title: 'Compatibility' },
      ...readMarkdown(readFileSync('docs/ucarp-compatibility.md', 'utf8')).map(lowered),
      { kind: 'section', title: 'See also' },
      { kind: 'paragraph', text: SEE_ALSO },
    ],
  };
}

const DESCRIPTION = [
  'carpd speaks CARP, the protocol of UCARP and the BSDs. The carpd and ucarp of several hosts elect \
one master. The master adds the virtual IP to its interface and announces it. When the master is \
silent for the dead interval, or hands over, another node takes the address.',
  'An instance is in one of four states. **INIT**: its interface is missing, down or without an \
address. **HELD**: its link has not proved that it passes frames, or maintenance is on; it hears \
the other nodes and never becomes master. **BACKUP**: it hears the master, and takes over when the \
master falls silent. **MASTER**: it has the address and sends adverts.',
  'Carrier is no proof that a link passes frames: a port channel may still be forming, or spanning \
tree may still be listening. So carpd does not become master until a data frame of another station \
has come in since the link last changed. **carpd explain** says what is missing.',
];

const FILES: Readonly<Record<string, string>> = {
  '/etc/carpd/carpd.yaml': 'The configuration: see **carpd.yaml**(5).',
  '/run/carpd/control.sock':
    'The control socket, which **carpd status** and the other commands use; see **carpd-control**(7).',
  '/var/lib/carpd':
    'What carpd keeps over a restart: which instances are in maintenance, and the addresses it serves.',
};

const EXIT_STATUS =
  '0: done. 1: failed while running. 2: wrong usage or configuration; carpd has done nothing.';

const SEE_ALSO =
  '**carpd**(8), **carpd.yaml**(5), **carpd-control**(7), **carpd-doctor**(7), **carpd-events**(7), \
**carpd-metrics**(7), **ucarp**(8), **ip**(8)';

function verbatim(text: string): Block {
  return { kind: 'verbatim', text };
}

function entries(list: Readonly<Record<string, string>>): readonly Block[] {
  return Object.entries(list).map(([term, text]) => ({ kind: 'entry', term, text }));
}

/** A section of a document that is only a part of the page. */
function lowered(block: Block): Block {
  return block.kind === 'section' ? { ...block, kind: 'subsection' } : block;
}
