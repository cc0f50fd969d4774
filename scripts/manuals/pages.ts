// The manual pages, made from what carpd itself goes by: its help texts, and the documents that
// tests hold equal to the code.
import { readFileSync } from 'node:fs';
import { COMMAND_NAMES } from '../../src/cli/commands.ts';
import { carpdHelp, ucarpHelp } from '../../src/cli/help.ts';
import { readHelp } from './help.ts';
import { readMarkdown } from './markdown.ts';
import { renderPage, type Block, type Page } from './roff.ts';

/** All pages by their file names, such as "carpd.8". */
export function manualPages(): ReadonlyMap<string, string> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const pages = [daemon(version), configuration(version), metrics(version), ucarp(version)];
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
      { kind: 'section', title: 'Exit status' },
      { kind: 'paragraph', text: EXIT_STATUS },
      { kind: 'section', title: 'Files' },
      ...entries(FILES),
      { kind: 'section', title: 'See also' },
      { kind: 'paragraph', text: SEE_ALSO },
    ],
  };
}

function configuration(version: string): Page {
  return {
    name: 'carpd.yaml',
    section: 5,
    summary: 'configuration of carpd',
    version,
    blocks: [
      { kind: 'section', title: 'Description' },
      ...readMarkdown(readFileSync('docs/configuration.md', 'utf8')),
      { kind: 'section', title: 'See also' },
      { kind: 'paragraph', text: SEE_ALSO },
    ],
  };
}

function metrics(version: string): Page {
  return {
    name: 'carpd-metrics',
    section: 7,
    summary: 'what carpd tells Prometheus',
    version,
    blocks: [
      { kind: 'section', title: 'Description' },
      ...readMarkdown(readFileSync('docs/metrics.md', 'utf8')),
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
      { kind: 'section', title: 'Compatibility' },
      ...readMarkdown(readFileSync('docs/ucarp-compatibility.md', 'utf8')).map(lowered),
      { kind: 'section', title: 'See also' },
      { kind: 'paragraph', text: SEE_ALSO },
    ],
  };
}

const DESCRIPTION = [
  'carpd speaks CARP, the protocol of UCARP and the BSDs, with the carpd and ucarp of other hosts. \
They elect one of them, which adds the virtual IP to its interface and announces it. When it falls \
silent for the dead interval, or hands over, another one takes the address.',
  'A node is in one of four states. **INIT**: its interface is missing, down or without an address. \
**HELD**: its link has not proved that it passes frames, or maintenance is on; it hears the others \
and is never elected. **BACKUP**: it listens for a master and takes its place when it falls silent. \
**MASTER**: it has the address and advertises.',
  'Carrier is no proof that a link passes frames: the port channel of a switch may still be forming, \
or spanning tree listening. So carpd holds off its promotion until a data frame of another station \
has come in since the link last changed. **carpd explain** tells what is missing.',
];

const FILES: Readonly<Record<string, string>> = {
  '/etc/carpd/carpd.yaml': 'The configuration: see **carpd.yaml**(5).',
  '/run/carpd/control.sock':
    'Where **carpd status** and the like ask the daemon: HTTP with JSON, for root and the group of \
`control.group`.',
  '/var/lib/carpd': 'What survives a restart: maintenance.',
};

const EXIT_STATUS =
  '0: done. 1: failed while running. 2: wrong usage or configuration; nothing was begun.';

const SEE_ALSO = '**carpd**(8), **carpd.yaml**(5), **carpd-metrics**(7), **ucarp**(8), **ip**(8)';

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
