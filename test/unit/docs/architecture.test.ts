// The architecture as docs/architecture.md shows it: the folders of its picture are there, and its
// walks go through files that are there and know each other, with no room entered twice.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { FLOORS } from '../../../scripts/floors.mjs';

const TEXT = readFileSync('docs/architecture.md', 'utf8');
const STEP = /^\d+\. `(src\/[^`]+\.ts)` \S/;

describe('the picture', () => {
  const [, picture = ''] = /```text\n(.*?)```/s.exec(TEXT) ?? [];

  test('names folders that are there', () => {
    const named = [...picture.matchAll(/src\/([a-z]+(?:\/[a-z]+)?)/g)].map(([, name = '']) => name);
    const folders = FLOORS.flat().flatMap((folder) => [folder, dirname(folder)]);
    assert.ok(named.length > 10, 'it is there');
    assert.deepEqual(
      named.filter((name) => !folders.includes(name)),
      [],
    );
  });

  test('has every room of the daemon and of the pure core', () => {
    const rooms = ['traffic', 'daemon/interface', 'daemon/instance', 'segment', 'readiness'];
    for (const room of [...rooms, 'election', 'vip', 'events', 'process', 'control']) {
      assert.ok(picture.includes(`src/${room}`), room);
    }
  });
});

describe('a walk', () => {
  const [, section = ''] = /^## Four walks\n(.*?)^## /ms.exec(TEXT) ?? [];
  const walks = section.split(/^### /m).slice(1);

  test('is there for each of the four', () => {
    assert.equal(walks.length, 4);
  });

  for (const walk of walks) {
    const [title = ''] = walk.split('\n');
    const files = walk.split('\n').flatMap((line) => STEP.exec(line)?.[1] ?? []);

    test(`names files that are there: ${title}`, () => {
      assert.ok(files.length > 8);
      assert.deepEqual(
        files.filter((file) => !existsSync(file)),
        [],
      );
    });

    test(`enters no room twice: ${title}`, () => {
      const rooms = files.map((file) => dirname(file));
      const entered = rooms.filter((room, at) => room !== rooms[at - 1]);
      assert.deepEqual(entered, [...new Set(entered)]);
    });

    test(`goes from file to file by imports: ${title}`, () => {
      const imports = new Map(files.map((file) => [file, importsOf(file)]));
      const reached = new Set(files.slice(0, 1));
      for (const from of reached) {
        for (const to of files) {
          if (imports.get(from)?.has(to) === true || imports.get(to)?.has(from) === true) {
            reached.add(to);
          }
        }
      }
      assert.deepEqual(
        files.filter((file) => !reached.has(file)),
        [],
      );
    });
  }
});

function importsOf(file: string): ReadonlySet<string> {
  const names = [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)];
  return new Set(names.map(([, name = '']) => normalize(join(dirname(file), name))));
}
