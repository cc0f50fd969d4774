// Holds the pages that tell what came of each scenario to the test files that play them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

const LIVE = /from '\.\/(?:scene|duo|trunk)\.ts'/;
/** What it plays is no question of who serves. */
const OTHER_QUESTIONS = ['doctor.test.ts'];

describe('the outcomes on bonds', () => {
  const page = readFileSync('docs/gate-outcomes-bond.md', 'utf8');
  const files = testsIn('test/bond');

  test('name every file that plays nodes on bonds, and no other', () => {
    const players = files.filter((name) => LIVE.test(readFileSync(`test/bond/${name}`, 'utf8')));
    assert.ok(players.length > 5, 'the scenarios were not found');
    const wanted = players.filter((name) => !OTHER_QUESTIONS.includes(name));
    assert.deepEqual(namedIn(page), wanted);
  });

  test('come of tests that the page of the lab lists', () => {
    const listed = namedIn(readFileSync('test/bond/README.md', 'utf8'));
    assert.deepEqual(listed, files);
  });
});

describe('the other outcomes', () => {
  test('come of tests that exist', () => {
    const page = readFileSync('docs/gate-outcomes.md', 'utf8');
    const files = testsIn('test/gate');
    assert.deepEqual(
      namedIn(page).filter((name) => !files.includes(name)),
      [],
    );
  });
});

function testsIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
}

/** The test files that a text names, each once. */
function namedIn(text: string): readonly string[] {
  return [
    ...new Set([...text.matchAll(/`([a-z-]+\.test\.ts)`/g)].map(([, name = '']) => name)),
  ].sort();
}
