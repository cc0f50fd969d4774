// The help texts: width, and that they name every command and option.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMAND_NAMES } from '../../../src/cli/commands.ts';
import { carpdHelp, ucarpHelp } from '../../../src/cli/help.ts';
import { COMMANDS } from '../../../src/cli/table.ts';
import { UCARP_OPTIONS } from '../../../src/config/ucarp/ucarp-options.ts';

const WIDTH = 80;
const TEXTS: readonly { desc: string; text: string }[] = [
  { desc: 'carpd', text: carpdHelp(undefined) },
  ...COMMAND_NAMES.map((name) => ({ desc: `carpd ${name}`, text: carpdHelp(name) })),
  { desc: 'ucarp', text: ucarpHelp('100.200.300') },
];

for (const { desc, text } of TEXTS) {
  test(`${desc} fits ${String(WIDTH)} columns and ends with one line feed`, () => {
    const wide = text.split('\n').filter((line) => line.length > WIDTH);
    assert.deepEqual(wide, []);
    assert.match(text, /[^\n]\n$/);
    assert.match(text, /Usage: /);
  });
}

test('carpd names every command', () => {
  for (const name of COMMAND_NAMES)
    assert.match(carpdHelp(undefined), new RegExp(`^  ${name} `, 'm'));
});

test('ucarp names every option with its letter', () => {
  const text = ucarpHelp('1');
  for (const { long, short } of UCARP_OPTIONS) {
    const letter = short === '' ? ' {6}' : `  -${short}, `;
    assert.match(text, new RegExp(`^${letter}--${long[0]!}[= ]`, 'm'));
  }
});

for (const name of COMMAND_NAMES) {
  test(`carpd ${name}: its usage and its list of options name the same ones`, () => {
    const { usage, options } = COMMANDS[name];
    const used = usage.join(' ').match(/(?<![\w-])--?[a-z-]+/g) ?? [];
    assert.deepEqual([...new Set(used)].sort(), Object.keys(options).sort());
  });
}
