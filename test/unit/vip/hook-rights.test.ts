// A hook that was refused what only root may do: told with its remedy, once, and not to root.
import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HookRights } from '../../../src/vip/hook-rights.ts';
import type { HookReport, HookResult } from '../../../src/vip/hooks.ts';

const FAILED: HookResult = { kind: 'failed', detail: 'exit code 1' };
const report = (result: HookResult): HookReport => ({
  hook: 'up',
  term: 1,
  durationMs: 5,
  result,
});
const detail = ({ result }: HookReport): string => (result.kind === 'failed' ? result.detail : '');

describe('the rights of hooks', () => {
  for (const line of [
    'mount: /srv: must be superuser to use mount.',
    'RTNETLINK answers: Operation not permitted',
    'Failed to start x.service: Interactive authentication required.',
    '/etc/hooks/up: 3: cannot create /etc/x: Read-only file system',
    'cat: /srv/x: Permission denied',
  ]) {
    test(line, () => {
      const rights = new HookRights(false);
      rights.line(line);
      rights.line('the end');
      match(detail(rights.explain(report(FAILED))), /^exit code 1: .* root\.conf .*systemd\.md/);
      rights.line(line);
      equal(detail(rights.explain(report(FAILED))), 'exit code 1', 'it was told twice');
    });
  }

  test('are not the matter with root, with success, or with another fault', () => {
    const root = new HookRights(true);
    root.line('Permission denied');
    deepEqual(root.explain(report(FAILED)), report(FAILED));
    const rights = new HookRights(false);
    rights.line('Permission denied');
    deepEqual(rights.explain(report({ kind: 'ok' })), report({ kind: 'ok' }));
    rights.line('no such service');
    deepEqual(rights.explain(report(FAILED)), report(FAILED), 'what an earlier hook said counts');
  });
});
