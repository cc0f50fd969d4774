// Holds docs/runbook.md equal to the alerts that are shipped: each has a section of one screen. Its
// rule links to the section, and the commands there are commands of carpd.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { parseArgs } from '../../../src/cli/args.ts';

interface Rule {
  readonly alert?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const LINES_MAX = 35;
const PARTS = [
  '**What it means.**',
  '**Is service affected?**',
  '**What to type',
  '**What not to do.**',
] as const;

const sections = readSections();

describe('docs/runbook.md', () => {
  test('has a section for every alert, in the order of the rules', () => {
    assert.ok(rules().length > 10, 'the rules were read');
    assert.deepEqual(
      sections.map(({ title }) => title),
      rules().map(({ alert }) => alert),
    );
  });

  test('is what every alert links to', () => {
    for (const { alert = '', annotations = {} } of rules()) {
      const base = '{{ with $externalLabels.carpd_docs }}{{ . }}{{ else }}docs{{ end }}';
      assert.equal(annotations['runbook_url'], `${base}/runbook.md#${alert.toLowerCase()}`);
    }
  });

  for (const { title, text } of sections) {
    test(`${title}: has its four parts in order, on one screen`, () => {
      const at = PARTS.map((part) => text.indexOf(part));
      assert.ok(!at.includes(-1), `all of ${PARTS.join(' ')}`);
      assert.deepEqual(at, [...at].sort(ascending));
      assert.ok(text.split('\n').length <= LINES_MAX, `${text.split('\n').length} lines`);
    });

    test(`${title}: its commands are commands of carpd`, () => {
      for (const command of commandsOf(text)) {
        const read = parseArgs(command.split(/\s+/).slice(1));
        assert.notEqual(read.kind, 'error', `${command}: ${JSON.stringify(read)}`);
      }
    });
  }
});

function rules(): readonly Rule[] {
  const { groups } = parse(readFileSync('prometheus/carpd.rules.yml', 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  };
  return groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined);
}

function readSections(): readonly { readonly title: string; readonly text: string }[] {
  const [, ...parts] = readFileSync('docs/runbook.md', 'utf8').split(/^## /m);
  return parts.map((part) => {
    const end = part.indexOf('\n');
    return { title: part.slice(0, end), text: part.slice(end + 1) };
  });
}

/** Lines of code blocks that begin with carpd, and code in sentences that does. */
function commandsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^(carpd .*?)(?:\s+#.*)?$/gm)];
  const inline = [...text.matchAll(/`(carpd [^`]+)`/g)];
  return [...blocks, ...inline].map(([, command = '']) => command);
}

function ascending(a: number, b: number): number {
  return a - b;
}
