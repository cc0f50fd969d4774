// Holds every document to what can be checked of it: its configurations are valid, and its links
// lead somewhere.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { describeFault, loadConfig } from '../../../src/config/load.ts';
import type { FileContent } from '../../../src/config/passphrase.ts';

const PASSPHRASE = new TextEncoder().encode('a-long-secret\n');
const FOLDERS = ['docs', 'native-notes'];
const documents = [
  ...readdirSync('.').filter(isDocument),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder, { encoding: 'utf8', recursive: true })
      .filter(isDocument)
      .map((name) => join(folder, name)),
  ),
];

describe('the documents', () => {
  test('are there', () => {
    assert.ok(documents.length > 15, documents.join(' '));
  });

  for (const name of documents) {
    const text = readFileSync(name, 'utf8');

    test(`${name}: its configurations are valid`, () => {
      for (const example of configurations(text)) {
        const readFile = (): FileContent => ({ bytes: PASSPHRASE, mode: 0o600 });
        const result = loadConfig(example, { readFile });
        assert.ok(result.ok, result.ok ? '' : result.faults.map(describeFault).join('\n'));
      }
    });

    test(`${name}: its links lead somewhere`, () => {
      for (const { file, heading } of links(text)) {
        const path = file === '' ? name : normalize(join(dirname(name), file));
        assert.ok(existsSync(path), `${path} exists`);
        if (heading === '' || !path.endsWith('.md')) continue;
        const anchors = headings(readFileSync(path, 'utf8'));
        assert.ok(anchors.includes(heading), `${path} has #${heading} among ${anchors.join(' ')}`);
      }
    });
  }
});

function isDocument(name: string): boolean {
  return name.endsWith('.md');
}

/** Whole configurations, as those that name instances are. */
function configurations(text: string): readonly string[] {
  return [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)]
    .map(([, indent = '', block = '']) => block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    .filter((block) => /^instances:/m.test(block));
}

/** Links to other files of the repository, or to headings. */
function links(text: string): readonly { readonly file: string; readonly heading: string }[] {
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)#\s]*)(?:#([^)\s]*))?\)/g)]
    .map(([, file = '', heading = '']) => ({ file, heading }))
    .filter(({ file }) => !/^(https?|mailto):/.test(file));
}

/** The anchors that a page has for its headings. */
function headings(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
