// The alerting rules stay silent over what is no fault, asked of Debian's promtool. Needs promtool.
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { BACKUP, gone, HAPPENS, MASTER, QUIET, since } from './nodes.ts';
import { checkAlerts, minutes, type Node } from './timeline.ts';

const skip =
  spawnSync('promtool', ['--version']).error === undefined ? false : 'promtool is not installed';

describe('no alert', { skip, concurrency: 2 }, () => {
  test('on a healthy pair', () => checkAlerts([MASTER, BACKUP], QUIET));

  test('on a healthy master beside a stock ucarp that is not scraped', () =>
    checkAlerts([MASTER], QUIET));

  test('on a backup whose master is a stock ucarp that is not scraped', () =>
    checkAlerts([BACKUP], QUIET));

  test('on a planned handover, scraped at its worst moment', async () => {
    const left = HAPPENS + 1;
    await checkAlerts(
      [
        { host: 'a', state: (step) => (step < left ? 'master' : 'backup') },
        // For one scrape both seem to be master, as they are not scraped at the same moment.
        { host: 'b', state: (step) => (step < HAPPENS ? 'backup' : 'master') },
      ],
      QUIET,
    );
  });

  test('on a handover in whose midst nobody seems to be master', async () => {
    await checkAlerts(
      [
        { host: 'a', state: (step) => (step < HAPPENS ? 'master' : 'backup') },
        { host: 'b', state: (step) => (step < HAPPENS + 1 ? 'backup' : 'master') },
      ],
      QUIET,
    );
  });

  test('on hours of maintenance of the only other node', () => {
    const held: Node = {
      host: 'b',
      state: (step) => (since(step) ? 'held' : 'backup'),
      inMaintenance: since,
    };
    return checkAlerts([MASTER, held], QUIET);
  });

  test('on four changes of master within minutes', () => {
    const flipped = (step: number): boolean =>
      Math.min(4, Math.floor(Math.max(0, step - HAPPENS) / minutes(1))) % 2 === 1;
    return checkAlerts(
      [
        { host: 'a', state: (step) => (flipped(step) ? 'backup' : 'master') },
        { host: 'b', state: (step) => (flipped(step) ? 'master' : 'backup') },
      ],
      QUIET,
    );
  });

  test('on a restart of both nodes at once', () => {
    const restarts = (step: number): boolean => since(step) && step < HAPPENS + 2;
    return checkAlerts([gone(MASTER, restarts), gone(BACKUP, restarts)], QUIET);
  });

  test('on a node that is taken out of the scrape configuration for good', () => {
    const leaves: Node = { ...gone(BACKUP, since), isTarget: (step) => !since(step) };
    return checkAlerts([MASTER, leaves], QUIET);
  });

  for (const role of ['master', 'backup'] as const) {
    test(`on a reboot of the ${role}, three minutes and then 90 s behind a dark port`, async () => {
      const back = HAPPENS + minutes(3);
      const lit = back + minutes(1.5);
      const booting = (step: number): boolean => step >= HAPPENS && step < back;
      const held = (step: number): boolean => step >= back && step < lit;
      const other: Node = {
        host: 'b',
        state: (step) => (role === 'backup' || since(step) ? 'master' : 'backup'),
      };
      const rebooted: Node = {
        host: 'a',
        state: (step) => {
          if (booting(step)) return undefined;
          if (held(step)) return 'held';
          return since(step) ? 'backup' : role;
        },
        // Behind a port that passes nothing yet.
        hears: (step) => step >= lit || (step < HAPPENS && role === 'backup'),
        lacp: (step) => !held(step),
        portReady: (step) => !held(step),
      };
      await checkAlerts([rebooted, other], QUIET);
    });
  }
});
