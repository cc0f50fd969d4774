// `carpd reload` and its order on the control socket: what it says of a file that is applied, of
// one that is only looked at, and of one that is refused.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fail, ok } from '../../src/base/result.ts';
import { reload } from '../../src/cli/reload.ts';
import { running } from '../support/control.ts';

describe('carpd reload', () => {
  test('prints what it changes, and asks for no more than that with --dry-run', async (t) => {
    const asked: boolean[] = [];
    const { path: socketPath } = await running(t, {
      reload: (dryRun) => {
        asked.push(dryRun);
        return Promise.resolve(ok(['db: advskew 0 -> 5 (applied in place)', 'no master\u0007']));
      },
    });
    for (const dryRun of [false, true]) {
      const { stdout, stderr, exitCode } = await reload({ socketPath, dryRun });
      assert.equal(stdout, 'db: advskew 0 -> 5 (applied in place)\nno master?\n');
      assert.deepEqual([stderr, exitCode], ['', 0]);
    }
    assert.deepEqual(asked, [false, true]);
  });

  test('ends with 1 and every reason where the file is refused', async (t) => {
    const { path: socketPath } = await running(t, {
      reload: () => Promise.resolve(fail(['/etc/c.yaml: a: is wrong', '/etc/c.yaml: b: is not'])),
    });
    const { stdout, stderr, exitCode } = await reload({ socketPath, dryRun: false });
    assert.deepEqual([stdout, exitCode], ['', 1]);
    assert.match(stderr, /^carpd: \/etc\/c\.yaml: a: is wrong\ncarpd: .*b: is not\n/);
    assert.match(stderr, /nothing was changed: the old configuration stays in force\n$/);
  });

  test('ends with 1 where no daemon answers', async () => {
    const { exitCode, stderr } = await reload({ socketPath: '/nonexistent/x', dryRun: false });
    assert.equal(exitCode, 1);
    assert.match(stderr, /no daemon answers/);
  });
});
