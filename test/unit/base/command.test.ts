// Words that people paste into a shell.
import { equal } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord } from '../../../src/base/command.ts';

for (const name of ['bond0.100', 'e"t#0', "it's", 'a b', '$(id)', '*', '\\', '']) {
  test(`${JSON.stringify(name)} comes through a shell as it is`, () => {
    const script = `printf %s ${shellWord(name)}`;
    equal(execFileSync('sh', ['-c', script], { encoding: 'utf8' }), name);
  });
}

test('an ordinary name bears no quotes', () => {
  equal(shellWord('bond0.100'), 'bond0.100');
});
