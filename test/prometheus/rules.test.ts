// The alerting rules, asked of Debian's promtool: each fires when it should, and not before. Needs
// promtool.
import { execFileSync, spawnSync } from 'node:child_process';
import { deepEqual, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { parse } from 'yaml';
import { BACKUP, DAY, gone, HAPPENS, MASTER, once, since } from './nodes.ts';
import { checkAlerts, checkSeries, minutes, STEP_SECONDS, type Node } from './timeline.ts';

const RULES = 'prometheus/carpd.rules.yml';
const skip =
  spawnSync('promtool', ['--version']).error === undefined ? false : 'promtool is not installed';

interface Case {
  readonly alert: string;
  readonly when: string;
  readonly nodes: readonly Node[];
  /** How long it has to last until the alert fires; 0: at once. */
  readonly afterMinutes: number;
  /** Others that must fire at the same time. */
  readonly also?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    alert: 'CarpdTwoMasters',
    when: 'a second node becomes master',
    nodes: [MASTER, { host: 'b', state: (step) => (since(step) ? 'master' : 'backup') }],
    afterMinutes: 1,
  },
  {
    alert: 'CarpdNoMaster',
    when: 'the master leaves, the other one is not to be had, and nobody is heard',
    nodes: [
      { host: 'a', state: (step) => (since(step) ? 'init' : 'master'), hears: () => false },
      { host: 'b', state: () => 'init', hears: () => false },
    ],
    afterMinutes: 1.75,
  },
  {
    alert: 'CarpdHeldWhileNoMaster',
    when: 'the master dies while the other node is held',
    nodes: [
      { host: 'a', state: (step) => (since(step) ? undefined : 'master') },
      { host: 'b', state: () => 'held', hears: (step) => !since(step) },
    ],
    afterMinutes: 2.75,
    also: ['CarpdNoMaster'],
  },
  {
    alert: 'CarpdAllDown',
    when: 'carpd is stopped on all nodes of a group',
    nodes: [gone(MASTER, since), gone(BACKUP, (step) => step > HAPPENS)],
    afterMinutes: 1.25,
  },
  {
    alert: 'CarpdAllDown',
    when: 'all nodes of a group are down, and another group of the job is well',
    nodes: [
      gone(MASTER, since),
      gone(BACKUP, since),
      { host: 'c', vip: '10.9.0.200', state: () => 'master' },
    ],
    afterMinutes: 1,
  },
  {
    alert: 'CarpdAllDown',
    when: 'nothing was up since Prometheus began to scrape',
    nodes: [MASTER, BACKUP].map((node) => ({ ...gone(node, () => true), isTarget: since })),
    afterMinutes: 1,
  },
  {
    alert: 'CarpdNotScraped',
    when: 'the job is lost',
    nodes: [MASTER, BACKUP].map((node) => ({
      ...gone(node, since),
      isTarget: (step) => !since(step),
    })),
    afterMinutes: 5,
  },
  {
    alert: 'CarpdFlapping',
    when: 'the master changes every minute',
    nodes: [
      { host: 'a', state: (step) => (flips(step) ? 'backup' : 'master') },
      { host: 'b', state: (step) => (flips(step) ? 'master' : 'backup') },
    ],
    afterMinutes: 7,
  },
  {
    alert: 'CarpdNoStandby',
    when: 'the only other node is held, hearing the master',
    nodes: [MASTER, { host: 'b', state: (step) => (since(step) ? 'held' : 'backup') }],
    afterMinutes: 10,
  },
  {
    alert: 'CarpdNoStandby',
    when: 'of two others one is in maintenance, and one is held for its link',
    nodes: [
      MASTER,
      { host: 'b', state: (step) => (since(step) ? 'held' : 'backup') },
      { host: 'c', state: () => 'held', inMaintenance: () => true },
    ],
    afterMinutes: 10,
  },
  {
    alert: 'CarpdNoStandby',
    when: 'the only host that may take over answers the master no more',
    nodes: [{ ...MASTER, standbyAnswers: (step) => !since(step) }],
    afterMinutes: 10,
  },
  {
    alert: 'CarpdDigestFailures',
    when: 'adverts with another passphrase keep coming',
    nodes: [
      MASTER,
      counting(BACKUP, 'carpd_adverts_rejected_total{LINK,reason="bad-digest"}', (step) =>
        since(step) ? 15 : 0,
      ),
    ],
    afterMinutes: 2,
  },
  {
    alert: 'CarpdBackupDeaf',
    when: 'a backup hears the master no more, and is held',
    nodes: [
      MASTER,
      {
        host: 'b',
        state: (step) => (since(step) ? 'held' : 'backup'),
        hears: (step) => !since(step),
      },
    ],
    afterMinutes: 3,
  },
  {
    alert: 'CarpdVipPresentWhileNotMaster',
    when: 'the address stays on a backup',
    nodes: [MASTER, { ...BACKUP, vipPresent: since }],
    afterMinutes: 1,
  },
  {
    alert: 'CarpdMasterWithoutVip',
    when: 'the address is not on the master',
    nodes: [{ ...MASTER, vipPresent: (step) => !since(step) }, BACKUP],
    afterMinutes: 1,
  },
  {
    alert: 'CarpdMasterInDoubt',
    when: 'a master doubts its link and nothing dispels it',
    nodes: [{ ...MASTER, inDoubt: since }, BACKUP],
    afterMinutes: 2,
  },
  {
    alert: 'CarpdVipInUse',
    when: 'a foreign host answers for the address',
    nodes: [MASTER, counting(BACKUP, 'carpd_vip_in_use_total{OWN}', once)],
    afterMinutes: 0,
  },
  ...(['failed', 'timeout', 'missing'] as const).map((result) => ({
    alert: 'CarpdHookFailing',
    when: `an up hook ends as ${result}`,
    nodes: [
      counting(MASTER, `carpd_hook_runs_total{OWN,hook="up",result="${result}"}`, once),
      BACKUP,
    ],
    afterMinutes: 0,
  })),
  {
    alert: 'CarpdHookSlow',
    when: 'an up hook takes eight seconds',
    nodes: [
      counting(
        counting(
          MASTER,
          'carpd_hook_duration_seconds_sum{OWN,hook="up"}',
          (step) => 8 * once(step),
        ),
        'carpd_hook_duration_seconds_count{OWN,hook="up"}',
        once,
      ),
      BACKUP,
    ],
    afterMinutes: 0,
  },
  {
    alert: 'CarpdLacpPartnerLost',
    when: 'LACP is lost on a backup that still has carrier',
    nodes: [MASTER, { ...BACKUP, lacp: (step) => !since(step) }],
    afterMinutes: 2,
  },
  {
    alert: 'CarpdLacpPortNotReady',
    when: 'one port of a bond takes no part',
    nodes: [{ ...MASTER, portReady: (step) => !since(step) }, BACKUP],
    afterMinutes: 5,
  },
  {
    alert: 'CarpdLateWakes',
    when: 'the process stood still',
    nodes: [MASTER, counting(BACKUP, 'carpd_late_wakes_total{PROCESS}', once)],
    afterMinutes: 0,
  },
  {
    alert: 'CarpdLogLinesDropped',
    when: 'nobody takes the log',
    nodes: [MASTER, counting(BACKUP, 'carpd_log_lines_dropped_total{PROCESS}', once)],
    afterMinutes: 0,
  },
  {
    alert: 'CarpdDown',
    when: 'a backup is gone for good',
    nodes: [MASTER, { host: 'b', state: (step) => (since(step) ? undefined : 'backup') }],
    afterMinutes: 5,
  },
];

describe('an alert', { skip, concurrency: 2 }, () => {
  const seen = new Set<string>();
  for (const { alert, when, nodes, afterMinutes, also = [] } of CASES) {
    seen.add(alert);
    test(`${alert} fires where ${when}, and not before`, async () => {
      const due = HAPPENS + minutes(afterMinutes);
      await checkAlerts(nodes, [
        { step: HAPPENS - 1, firing: [] },
        // A for of N minutes has run out at the evaluation after it.
        { step: due + 2, firing: [...also, alert] },
      ]);
    });
    if (afterMinutes === 0) continue;
    test(`${alert} waits where ${when}`, async () => {
      const early = HAPPENS + Math.floor(minutes(afterMinutes) / 2);
      await checkAlerts(nodes, [{ step: early, firing: [] }]);
    });
  }

  test('CarpdMaintenanceForgotten fires a day after maintenance was turned on', async () => {
    seen.add('CarpdMaintenanceForgotten');
    const of = 'job="carpd",instance="b:9112",interface="bond0",name="db",vhid="7"';
    const on = (series: string, value: number) => ({ series, values: `${value}x${DAY + 20}` });
    const series = [
      on('up{job="carpd",instance="b:9112"}', 1),
      on(`carpd_maintenance_since_timestamp_seconds{${of}}`, 600),
    ];
    const expected = [
      { step: DAY + 9, firing: [] },
      { step: DAY + 11, firing: ['CarpdMaintenanceForgotten'] },
    ];
    await checkSeries(series, expected, 60);
  });

  after(() => {
    const names = alertNames();
    ok(names.length > 10, 'the rules were read');
    for (const name of names) ok(seen.has(name), `${name} has a case`);
  });
});

describe('the rules', { skip }, () => {
  test('are what promtool takes, and so is the example of a scrape configuration', () => {
    execFileSync('promtool', ['check', 'rules', RULES], { stdio: 'pipe' });
    execFileSync('promtool', ['check', 'config', 'prometheus/scrape.example.yml'], {
      stdio: 'pipe',
    });
  });

  test('hold for the interval that the timelines have', () => {
    const example = parse(readFileSync('prometheus/scrape.example.yml', 'utf8')) as {
      readonly global: Readonly<Record<string, string>>;
    };
    deepEqual(example.global, {
      scrape_interval: `${STEP_SECONDS}s`,
      evaluation_interval: `${STEP_SECONDS}s`,
    });
  });
});

function counting(node: Node, series: string, moved: (step: number) => number): Node {
  return { ...node, counts: { ...node.counts, [series]: moved } };
}

function flips(step: number): boolean {
  return since(step) && Math.floor((step - HAPPENS) / minutes(1)) % 2 === 0;
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly alert?: string }[] }[];
}

function alertNames(): readonly string[] {
  const { groups } = parse(readFileSync(RULES, 'utf8')) as RuleFile;
  return groups.flatMap(({ rules }) => rules).flatMap(({ alert }) => alert ?? []);
}
