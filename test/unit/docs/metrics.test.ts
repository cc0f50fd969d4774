// Holds docs/metrics.md equal to the catalogue in the code, and to what is really served.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { labelNames, METRICS, type MetricSpec } from '../../../src/metrics/catalogue/metrics.ts';
import { families, metricsOf } from '../../support/exposition.ts';
import { tableBelow } from './tables.ts';

const catalogue: readonly [string, MetricSpec][] = Object.entries(METRICS);
const code = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');

describe('docs/metrics.md', () => {
  const text = readFileSync('docs/metrics.md', 'utf8');

  test('lists every metric with its type, labels and meaning', () => {
    const rows = catalogue.map(([name, spec]) => [
      name,
      spec.type,
      code(labelNames(spec)),
      spec.help,
    ]);
    assert.deepEqual(tableBelow(text, '## Metrics'), rows);
  });

  test('lists every value of the labels that have a closed list of them', () => {
    const rows = catalogue.flatMap(([name, { labels, series }]) => {
      if (series === 'open') return [];
      return labels.flatMap((label) => {
        const values = [...new Set(series.flatMap((one) => one[label] ?? []))];
        return values.length === 0 ? [] : [[name, code([label]), code(values)]];
      });
    });
    assert.deepEqual(tableBelow(text, '## Values of labels'), rows);
  });

  test('lists what else is served', async () => {
    const others = families(await metricsOf().render())
      .filter(({ name }) => !name.startsWith('carpd_'))
      .map(({ name, type }) => [name, type]);
    assert.ok(others.length > 20, 'there are metrics of the process');
    assert.deepEqual(tableBelow(text, '## Of the process'), others);
  });
});
