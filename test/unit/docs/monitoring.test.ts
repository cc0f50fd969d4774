// Holds docs/monitoring.md equal to the rules that are shipped.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { tableBelow } from './tables.ts';

interface Rule {
  readonly alert?: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

test('docs/monitoring.md lists every alert', () => {
  const { groups } = parse(readFileSync('prometheus/carpd.rules.yml', 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined);
  assert.ok(rules.length > 10, 'the rules were read');
  const told = tableBelow(readFileSync('docs/monitoring.md', 'utf8'), '## Alerts');
  assert.deepEqual(
    told.map(([alert, severity, after]) => ({ alert, severity, after })),
    rules.map((rule) => ({
      alert: rule.alert,
      severity: rule.labels?.['severity'],
      after: rule.for ?? 'at once',
    })),
  );
});
