// Holds the manual pages equal to what they are made from: the help texts and the documents.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readHelp } from '../../../scripts/manuals/help.ts';
import { readMarkdown } from '../../../scripts/manuals/markdown.ts';
import { manualPages } from '../../../scripts/manuals/pages.ts';
import { renderPage } from '../../../scripts/manuals/roff.ts';

describe('the manual pages', () => {
  const pages = manualPages();

  test('are the ones in man/', () => {
    assert.deepEqual(readdirSync('man').sort(), [...pages.keys()].sort());
  });

  for (const [name, source] of pages) {
    test(`${name} has examples`, () => assert.match(source, /^\.SH "EXAMPLES"$/m));

    test(`${name} is up to date; npm run manuals makes it so`, () => {
      assert.equal(readFileSync(join('man', name), 'utf8'), source);
    });
  }
});

describe('a manual page', () => {
  test('shows a table as entries, the meaning first', () => {
    const table =
      '| Key | Type | Meaning |\n| --- | --- | --- |\n| `a` | x\\|y | what [it](z.md) is |';
    assert.deepEqual(readMarkdown(table), [
      { kind: 'entry', term: '`a`', text: 'what it is. **Type:** x|y.' },
    ]);
  });

  test('reads paragraphs, lists and code of a document', () => {
    const text = '# Top\n\nOne\ntwo.\n\n- item\n  goes on\n- next\n\n```sh\n  ls\n```\n\n## End\n';
    assert.deepEqual(readMarkdown(text), [
      { kind: 'paragraph', text: 'One two.' },
      { kind: 'item', text: 'item goes on' },
      { kind: 'item', text: 'next' },
      { kind: 'verbatim', text: 'ls' },
      { kind: 'section', title: 'End' },
    ]);
  });

  test('reads options of a help text, with what goes on below', () => {
    const options = 'Options:\n  -a, --all    all\n               of it\n';
    const help = `Usage: x [-a]\n       x -b\n\nDoes it.\n\n${options}`;
    assert.deepEqual(readHelp(help), {
      usage: ['x [-a]', 'x -b'],
      blocks: [
        { kind: 'paragraph', text: 'Does it.' },
        { kind: 'paragraph', text: 'Options:' },
        { kind: 'entry', term: '-a, --all', text: 'all of it' },
      ],
    });
  });

  test('keeps text from being taken for requests', () => {
    const page = renderPage({
      name: 'x',
      section: 7,
      summary: 'y',
      version: '1',
      blocks: [
        { kind: 'verbatim', text: ".so x\n'a\\n" },
        { kind: 'paragraph', text: '.TH of `--x`' },
      ],
    });
    assert.match(page, /\n\\&\.so x\n\\&'a\\en\n/);
    assert.match(page, /\n\\&\.TH of \\fB\\-\\-x\\fR\n/);
  });
});
