// Holds docs/systemd.md equal to the units, and the two units equal to each other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

const text = readFileSync('docs/systemd.md', 'utf8');
const one = settings('carpd.service');
const many = settings('carpd@.service');

describe('the units', () => {
  test('are the same, but for what an instance has of its own', () => {
    const asOne = many
      .map((line) => line.replace('%i.yaml', 'carpd.yaml').replaceAll(/carpd[-/]%i/g, 'carpd'))
      .filter((line) => !/^Environment=/.test(line));
    const shared = one.filter((line) => !/^ConditionPathExists=/.test(line));
    assert.deepEqual(
      asOne,
      shared.map((line) => (line.startsWith('Description=') ? `${line} of carpd.yaml` : line)),
    );
  });

  test('share no path', () => {
    const own = many.filter((line) => /^(?:Runtime|State)Directory=|^Environment=/.test(line));
    assert.equal(own.length, 3);
    for (const line of own) assert.match(line, /%i/);
  });

  test('have no option that docs/systemd.md does not explain', () => {
    const plain = ['Description', 'Documentation', 'WantedBy'];
    const keys = [...one, ...many].map((line) => line.split('=')[0] ?? '');
    const missing = keys.filter((key) => !plain.includes(key) && !text.includes(`\`${key}=`));
    assert.deepEqual([...new Set(missing)], []);
  });

  test('are not said to have what they have not, or to lack what they have', () => {
    const [said = '', lacking = ''] = text
      .slice(text.indexOf('## Why the units'))
      .split('Left out');
    const keys = [...one, ...many].map((line) => line.split('=')[0] ?? '');
    const tableKeys = (part: string): readonly string[] =>
      part
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([A-Z]\w+)=/g)])
        .map(([, key = '']) => key);
    assert.deepEqual(
      tableKeys(said).filter((key) => !keys.includes(key)),
      [],
    );
    const outside = lacking.slice(0, lacking.indexOf('\n## '));
    assert.ok(tableKeys(outside).length > 3, 'the second table was not found');
    assert.deepEqual(
      tableKeys(outside).filter((key) => keys.includes(key)),
      [],
    );
  });
});

/** The lines of a unit that set something. */
function settings(unit: string): readonly string[] {
  const lines = readFileSync(`systemd/${unit}`, 'utf8').split('\n');
  return lines.filter((line) => /^[A-Z]\w+=/.test(line));
}
