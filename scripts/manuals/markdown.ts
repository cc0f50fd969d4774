// Reads the Markdown that our documents are written in, as blocks of a manual page: headings,
// paragraphs, lists, fenced code and tables. Anything else would be a paragraph.
import type { Block } from './roff.ts';

/** The blocks of a document, without its first heading. */
export function readMarkdown(text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length;) {
    const end = endOfBlock(lines, at);
    blocks.push(...readBlock(lines.slice(at, end)));
    at = Math.max(end, at + 1);
  }
  return blocks;
}

/** Index after the last line of the block that begins at `start`. */
function endOfBlock(lines: readonly string[], start: number): number {
  const first = lines[start] ?? '';
  if (isFence(first)) return indexAfter(lines, start + 1, isFence) + 1;
  if (first === '' || first.startsWith('#')) return start + 1;
  if (first.startsWith('|')) return indexAfter(lines, start, (line) => !line.startsWith('|'));
  const ends = (line: string): boolean => line === '' || isFence(line) || isItem(line);
  return indexAfter(lines, start + 1, ends);
}

function readBlock(lines: readonly string[]): readonly Block[] {
  const [first = ''] = lines;
  if (first === '' || first.startsWith('# ')) return [];
  if (isFence(first)) return [{ kind: 'verbatim', text: undent(lines.slice(1, -1)).join('\n') }];
  if (first.startsWith('## ')) return [{ kind: 'section', title: first.slice(3) }];
  if (first.startsWith('### ')) return [{ kind: 'subsection', title: first.slice(4) }];
  if (first.startsWith('|')) return readTable(lines);
  const text = withoutLinks(lines.map((line) => line.trim()).join(' '));
  if (!isItem(first)) return [{ kind: 'paragraph', text }];
  return [{ kind: 'item', text: text.replace(/^(-|\d+\.) /, '') }];
}

/** A row becomes an entry: its first cell is the term; the meaning comes before the other cells. */
function readTable(lines: readonly string[]): readonly Block[] {
  const [head = [], , ...rows] = lines.map(cellsOf);
  return rows.map(([term = '', ...rest]) => {
    const told = rest.map((cell, index) => ({ cell, heading: head[index + 1] ?? '' }));
    const isMeaning = (heading: string): boolean =>
      told.length === 1 || /^$|meaning/i.test(heading);
    const shown = told
      .filter(({ cell }) => cell !== '')
      .sort((a, b) => Number(isMeaning(b.heading)) - Number(isMeaning(a.heading)));
    const text = shown.map(({ cell, heading }) =>
      isMeaning(heading) ? sentence(cell) : `**${heading}:** ${sentence(cell)}`,
    );
    return { kind: 'entry', term: withoutLinks(term), text: withoutLinks(text.join(' ')) };
  });
}

function cellsOf(line: string): readonly string[] {
  return line
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function sentence(cell: string): string {
  return /[.!?:]$/.test(cell) ? cell : `${cell}.`;
}

/** A link leaves its text; one that leads out of the repository leaves its address too. */
function withoutLinks(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\((https?:[^)]*)\)/g, '$1 ($2)')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}

function isFence(line: string): boolean {
  return line.trimStart().startsWith('```');
}

function isItem(line: string): boolean {
  return /^(-|\d+\.) /.test(line);
}

function undent(lines: readonly string[]): readonly string[] {
  const indents = lines.filter((line) => line !== '').map((line) => line.search(/\S/));
  const least = Math.min(...indents);
  return lines.map((line) => line.slice(least));
}

function indexAfter(
  lines: readonly string[],
  from: number,
  stops: (line: string) => boolean,
): number {
  const found = lines.findIndex((line, index) => index >= from && stops(line));
  return found === -1 ? lines.length : found;
}
