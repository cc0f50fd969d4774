// What holds of every record of the catalogues: its event is published somewhere, and every counter
// is the effect of one.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import ts from 'typescript';
import { definitionOf, EVENT_NAMES } from '../../../src/events/events.ts';
import { isCounted, METRICS } from '../../../src/metrics/catalogue/metrics.ts';

/** These read events of every name and publish none of their own making. */
const READERS = /^src\/(?:events\/(?!publish\/)|log\/(?:log-line|watch-text)\.ts)/;
/** A publisher chooses between two names at most: more is an event that is passed on. */
const NAMES_MAX = 2;

describe('every event', () => {
  test('is published by some part of carpd', () => {
    const published = publishedNames();
    assert.deepEqual(
      EVENT_NAMES.filter((name) => !published.has(name)),
      [],
    );
  });

  test('has fields for machines that bear the names of no field of a line', () => {
    const taken = ['level', 'time', 'pid', 'msg', 'event', 'instance', 'toldAfterMs'];
    for (const name of EVENT_NAMES) {
      const fields = Object.keys(definitionOf(name).fields);
      assert.deepEqual(
        fields.filter((field) => taken.includes(field)),
        [],
        name,
      );
    }
  });
});

test('every counter and histogram is the effect of an event, but for those of log and loop', () => {
  const counted = EVENT_NAMES.flatMap((name) => Object.keys(definitionOf(name).counts ?? {}));
  const wanted = Object.keys(METRICS)
    .filter(isCounted)
    .filter((name) => name !== 'carpd_log_lines_dropped_total')
    .filter((name) => name !== 'carpd_loop_lag_seconds');
  assert.deepEqual(counted.sort(), wanted.sort(), 'each by one event');
});

/** The names that the objects of the sources may bear as their `event`, by their types. */
function publishedNames(): ReadonlySet<string> {
  const read: { config?: unknown } = ts.readConfigFile('tsconfig.json', (path) =>
    ts.sys.readFile(path),
  );
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, '.');
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((name) => join('src', name))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const names = new Set<string>();
  for (const path of files) {
    const source = program.getSourceFile(path);
    if (source === undefined || READERS.test(path)) continue;
    const visit = (node: ts.Node): void => {
      if (isEventOfObject(node)) {
        for (const name of literalsOf(checker.getTypeAtLocation(node.name))) names.add(name);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return names;
}

function isEventOfObject(
  node: ts.Node,
): node is ts.PropertyAssignment | ts.ShorthandPropertyAssignment {
  const isProperty = ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node);
  return isProperty && ts.isIdentifier(node.name) && node.name.text === 'event';
}

function literalsOf(type: ts.Type): readonly string[] {
  const all = type.isUnion() ? type.types : [type];
  const names = all.flatMap((one) => (one.isStringLiteral() ? [one.value] : []));
  return names.length > NAMES_MAX ? [] : names;
}
