// Holds every document to what can be checked of it: its configurations are valid, its links lead
// somewhere, and its commands are ones that carpd takes.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { examplesOf } from '../../../scripts/manuals/examples.ts';
import { parseArgs } from '../../../src/cli/args.ts';
import { parseUcarp } from '../../../src/config/ucarp/ucarp.ts';
import { describeFault, loadConfig } from '../../../src/config/load.ts';
import type { FileContent } from '../../../src/config/passphrase.ts';

const PASSPHRASE = new TextEncoder().encode('a-long-secret\n');
const FOLDERS = ['docs', 'grafana', 'native-notes'];
const documents = [
  ...readdirSync('.').filter(isDocument),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder, { encoding: 'utf8', recursive: true })
      .filter(isDocument)
      .map((name) => join(folder, name)),
  ),
];

/** What readers stumbled over; each was said again in plain words. */
const STIFF = [
  'our frames do not pass',
  'namespaces of their own, which they remove',
  'ask the doctor, who hears',
  'looks at frames only while proof is wanting',
  'takes nothing for a minute',
  'says what counts and not what does not',
  'ends with 2 and says',
  'is no illness',
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

    test(`${name}: its commands are ones that carpd takes`, () => {
      for (const line of shellLines(text)) assertTaken(line);
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

describe('the examples of the manual pages', () => {
  for (const command of ['carpd', 'ucarp'] as const) {
    test(`${command}: are command lines that it takes`, () => {
      const lines = examplesOf(command).flatMap((block) =>
        block.kind === 'verbatim' ? block.text.split('\n') : [],
      );
      assert.ok(lines.some((line) => line.startsWith(`${command} `)));
      for (const line of lines) assertTaken(line);
    });
  }

  test('an option that there is not is found', () => {
    assert.throws(() => assertTaken('carpd status --wach'), /carpd status --wach/);
    assert.throws(() => assertTaken('sudo carpd check --jsn   # all of it'), /carpd check/);
    assert.throws(() => assertTaken('ucarp --interfase=eth0'), /--interfase/);
  });
});

describe('the words of the documents', () => {
  const texts = [...documents, 'Dockerfile', ...readdirSync('man').map((name) => `man/${name}`)];

  for (const stiff of STIFF) {
    test(`"${stiff}" stands nowhere: it was hard to read`, () => {
      const found = texts.filter((name) =>
        readFileSync(name, 'utf8').replaceAll(/\s+/g, ' ').includes(stiff),
      );
      assert.deepEqual(found, []);
    });
  }
});

/** Fails if the line runs carpd or ucarp with words that it does not take. */
function assertTaken(line: string): void {
  const [, program, rest = ''] = /^(?:sudo )?(carpd|ucarp) +(.*)$/.exec(line.trim()) ?? [];
  if (program === undefined) return;
  const words = (rest.split(/ (?:[|>;#]|&&)/)[0] ?? '').split(' ').filter((word) => word !== '');
  const command = program === 'carpd' ? parseArgs(words) : parseUcarp(words);
  assert.ok(command.kind !== 'error', `${line}: ${JSON.stringify(command)}`);
}

/** The lines of the shell commands of a document. */
function shellLines(text: string): readonly string[] {
  return [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = '']) =>
    block.replaceAll(/\\\n/g, '').split('\n'),
  );
}

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
