// The little of man(7) that the manual pages need.

/** Something that stands in a page. */
export type Block =
  | { readonly kind: 'section' | 'subsection'; readonly title: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  /** A term in bold, with what is to be said of it. */
  | { readonly kind: 'entry'; readonly term: string; readonly text: string }
  | { readonly kind: 'item'; readonly text: string }
  /** Lines as they are. */
  | { readonly kind: 'verbatim'; readonly text: string };

export interface Page {
  readonly name: string;
  readonly section: 5 | 7 | 8;
  /** One line, for whatis(1). */
  readonly summary: string;
  readonly version: string;
  readonly blocks: readonly Block[];
}

/** The source of a page; texts may have **bold** and `code` in them. */
export function renderPage({ name, section, summary, version, blocks }: Page): string {
  const head = `.TH ${name.toUpperCase()} ${section} "" "carpd ${version}" "carpd"`;
  const intro = ['.nh', '.ad l', '.SH NAME', `${escape(name)} \\- ${inline(summary)}`];
  return [...[head], ...intro, ...blocks.flatMap(renderBlock), ''].join('\n');
}

function renderBlock(block: Block): readonly string[] {
  switch (block.kind) {
    case 'section':
      return [`.SH "${inline(block.title.toUpperCase())}"`];
    case 'subsection':
      return [`.SS "${inline(block.title)}"`];
    case 'paragraph':
      return ['.PP', inline(block.text)];
    case 'entry':
      return ['.TP', `\\fB${escape(plain(block.term))}\\fR`, inline(block.text)];
    case 'item':
      return ['.IP \\(bu 2', inline(block.text)];
    case 'verbatim':
      return ['.PP', '.RS 4', '.nf', ...block.text.split('\n').map(escape), '.fi', '.RE'];
  }
}

/** Code and emphasis in bold; a line that begins like a request is made harmless. */
function inline(text: string): string {
  return text
    .split(/(\*\*[^*]+\*\*|`[^`]+`)/)
    .map((part) => {
      const strong = /^(?:\*\*([^*]+)\*\*|`([^`]+)`)$/.exec(part);
      if (strong === null) return escape(part);
      return `\\fB${escape(strong[1] ?? strong[2] ?? '')}\\fR`;
    })
    .join('')
    .replace(/^([.'])/, '\\&$1');
}

function plain(text: string): string {
  return text.replaceAll(/\*\*|`/g, '');
}

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  '~': '\\(ti',
  '^': '\\(ha',
  '`': '\\(ga',
};

function escape(text: string): string {
  const safe = text.replaceAll(/[\\^`~-]/g, (found) => SPECIAL[found] ?? found);
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}
