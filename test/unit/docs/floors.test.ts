// The floors of src/: the table in CONTRIBUTING.md is the one that ESLint holds, every folder has
// its floor, and an import that goes up is found.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { RuleTester } from 'eslint';
import { floorFault, FLOORS, floorsRule } from '../../../scripts/floors.mjs';

const ROW = /^\| (\d+) +\| `src(?:\/([^`]+))?` +\| \S/;

describe('floors', () => {
  test('CONTRIBUTING.md prints the table that ESLint holds, from the top down', () => {
    const printed = readFileSync('CONTRIBUTING.md', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const row = ROW.exec(line);
        return row === null ? [] : [`${row[1]} ${row[2] ?? '.'}`];
      });
    const held = FLOORS.map((folders, floor) => folders.map((folder) => `${floor} ${folder}`));
    assert.deepEqual(printed, held.reverse().flat());
  });

  test('every folder of src with a file in it has a floor, and no floor is empty', () => {
    const folders = new Set(
      readdirSync('src', { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => name.split('/').slice(0, -1).join('/') || '.'),
    );
    assert.deepEqual([...folders].sort(), FLOORS.flat().sort());
  });

  test('an import goes down, never up and never across', () => {
    assert.equal(floorFault('daemon', 'base'), undefined);
    assert.equal(floorFault('linux/links', 'linux/links'), undefined);
    assert.match(floorFault('base', 'daemon') ?? '', /src\/daemon, which stands on a higher floor/);
    assert.match(floorFault('carp', 'readiness') ?? '', /the same floor/);
    assert.match(floorFault('cellar', 'base') ?? '', /src\/cellar stands on no floor: add it/);
    assert.match(floorFault('base', 'cellar') ?? '', /src\/cellar stands on no floor: add it/);
  });

  test('the rule finds an import that goes up, however it is written', () => {
    const filename = `${process.cwd()}/src/vip/keeper.ts`;
    const errors = [{ message: floorFault('vip', 'linux/links') ?? '' }];
    const link = "'../linux/links/netlink.ts'";
    new RuleTester().run('floors', floorsRule, {
      valid: [
        { filename, code: "import { micros } from '../base/time.ts';" },
        { filename, code: "import { readFileSync } from 'node:fs';" },
        { filename, code: "export const name = 'keeper';" },
      ],
      invalid: [
        { filename, errors, code: `import { parse } from ${link};` },
        { filename, errors, code: `const { parse } = await import(${link});` },
        { filename, errors, code: `export { parse } from ${link};` },
      ],
    });
  });
});
