// A control socket as tests need it: opened in a directory of its own, for a daemon that is made
// up.
import { startTimer, wallMs } from '../../src/linux/system/clock.ts';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { micros } from '../../src/base/time.ts';
import { askDaemon } from '../../src/cli/control-client.ts';
import { openControl, type ControlOptions } from '../../src/control/server.ts';
import { EventBus } from '../../src/events/bus.ts';
import { EventLog } from '../../src/log/event-log.ts';
import { Watchers } from '../../src/control/watchers.ts';
import { recordingLogger, type LoggedLine } from '../fakes/logger.ts';
import { eventually } from '../../lab/wait.ts';
import { LinkRig } from './readiness-rig.ts';
import { report } from './reports.ts';

export const WITHIN_MS = 15_000;
export const DB = report(LinkRig.waiting(), { state: 'HELD' });

export interface Opened {
  readonly path: string;
  readonly lines: LoggedLine[];
  close(): void;
}

const noTimer = (): (() => void) => () => undefined;

export function newPath(t: TestContext, name = 'control.sock'): string {
  const directory = mkdtempSync(join(tmpdir(), 'carpd-control-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, name);
}

export function opened(
  t: TestContext,
  path: string,
  changes: Partial<ControlOptions> = {},
): Opened {
  const { logger, lines } = recordingLogger();
  const log = new EventLog(logger, () => micros(0), noTimer);
  const control = openControl({
    path,
    unixGroup: undefined,
    events: { publish: (event) => log.log(event) },
    status: () => ({ pid: 1, config: null, reload: null, instances: [DB] }),
    explain: (name) => (name === 'db' ? DB : undefined),
    names: () => ['db', 'web'],
    watchers: new Watchers({
      wallMs,
      startTimer,
      bus: new EventBus(assert.ifError),
      states: () => [],
    }),
    reload: () => Promise.resolve({ outcome: 'applied', lines: [], undone: [] }),
    order: () => Promise.resolve([]),
    ...changes,
  });
  t.after(() => control.close());
  return { path, lines, close: () => control.close() };
}

export async function running(t: TestContext, changes?: Partial<ControlOptions>): Promise<Opened> {
  const control = opened(t, newPath(t), changes);
  await told(control, 'control-opened');
  return control;
}

export function told({ lines }: Opened, event: LoggedLine['event']): Promise<LoggedLine> {
  return eventually(() => lines.find((line) => line.event === event), {
    withinMs: WITHIN_MS,
    what: event,
    detail: () => JSON.stringify(lines),
  });
}

export async function answers(path: string): Promise<void> {
  const answer = await askDaemon(path, '/v1/explain/db');
  assert.ok(answer.ok, JSON.stringify(answer));
  assert.deepEqual(JSON.parse(answer.value.text), JSON.parse(JSON.stringify(DB)));
}

/** A file that nobody may touch. */
export function fileAt(path: string): string {
  writeFileSync(path, 'precious');
  return path;
}
