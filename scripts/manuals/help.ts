// Reads a help text of ours as blocks of a manual page: "Usage: ..." lines, paragraphs, and lists
// of terms under a heading that ends with a colon.
import type { Block } from './roff.ts';

/** A help text in its parts. */
export interface Help {
  /** The command lines after "Usage:". */
  readonly usage: readonly string[];
  readonly blocks: readonly Block[];
}

export function readHelp(text: string): Help {
  const usage: string[] = [];
  const blocks: Block[] = [];
  for (const part of text.trimEnd().split('\n\n')) {
    const lines = part.split('\n');
    const [first = ''] = lines;
    if (first.startsWith('Usage: ')) {
      usage.push(...lines.map((line) => line.replace(/^Usage: /, '').trim()));
    } else if (/^[A-Z][\w .]*:$/.test(first)) {
      blocks.push({ kind: 'paragraph', text: first }, ...readTerms(lines.slice(1)));
    } else if (lines.every((line) => line.startsWith('  '))) {
      blocks.push(...readTerms(lines));
    } else {
      blocks.push({ kind: 'paragraph', text: lines.join(' ') });
    }
  }
  return { usage, blocks };
}

/** "  TERM   what it is": further lines of an entry are indented deeper. */
function readTerms(lines: readonly string[]): readonly Block[] {
  const entries: { kind: 'entry'; term: string; text: string }[] = [];
  const column = Math.min(...lines.map((line) => line.search(/\S/)));
  for (const line of lines) {
    const indent = line.search(/\S/);
    const last = entries.at(-1);
    if (last !== undefined && indent > column + 4) {
      last.text = `${last.text} ${line.trim()}`.trim();
      continue;
    }
    const [term = '', ...rest] = line.trim().split(/ {2,}/);
    entries.push({ kind: 'entry', term, text: rest.join(' ') });
  }
  return entries;
}
