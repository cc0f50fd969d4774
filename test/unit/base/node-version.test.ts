// Checks which Nodes are refused, and that both commands refuse before they load anything new.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { nodeComplaint } from '../../../src/base/node-version.ts';
import { run } from '../../../lab/command.ts';

describe('an old Node', () => {
  for (const version of ['12.22.12', '18.20.4', '20.0.0', '20.19.9']) {
    test(`${version} is refused, with what is wanted`, () => {
      assert.match(nodeComplaint(version) ?? '', new RegExp(`^Node.js ${version} is too old, 20`));
    });
  }

  for (const version of ['20.20.0', '22.0.0', '24.21.0', '100.1.0']) {
    test(`${version} is none`, () => assert.equal(nodeComplaint(version), undefined));
  }

  test('is what package.json says', () => {
    const text = readFileSync('package.json', 'utf8');
    const [, major, minor] = /"node": ">=(\d+)\.(\d+)"/.exec(text) ?? [];
    assert.equal(nodeComplaint(`${major}.${minor}.0`), undefined);
    assert.notEqual(nodeComplaint(`${major}.${Number(minor) - 1}.99`), undefined);
  });

  for (const [command, file] of [
    ['carpd', 'src/main.ts'],
    ['ucarp', 'src/ucarp.ts'],
  ] as const) {
    test(`${command} ends with 2 on it, and says why`, async () => {
      // An old one refuses words that it does not know, so there must be none in what it loads.
      const modern = /\?\.|\?\?|^\s*await |^export \{|#\w+\(|node:/m;
      for (const loaded of [file, 'src/base/node-version.ts', 'src/process/early-signals.ts']) {
        const code = readFileSync(loaded, 'utf8').replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
        assert.doesNotMatch(code, modern, loaded);
      }
      const pretend = `data:text/javascript,Object.defineProperty(process, 'versions', {
        value: { ...process.versions, node: '18.20.4' } })`;
      const argv = [process.execPath, '--import=tsx', `--import=${encodeURI(pretend)}`, file];
      const script = '"$@" 2>&1; echo "exit $?"';
      const said = await run(['sh', '-c', script, 'sh', ...argv, '--help']);
      assert.match(said, new RegExp(`^${command}: Node.js 18.20.4 is too old.*\\nexit 2\\n$`));
    });
  }
});
