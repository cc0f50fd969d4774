// What Prometheus would have scraped from a group of nodes, made up step by step, and the question
// to promtool which alerts that sets off.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** From one scrape to the next. */
export const STEP_SECONDS = 15;
const STEPS = 160;
const RULES = resolve('prometheus/carpd.rules.yml');

export type State = 'init' | 'held' | 'backup' | 'master';

/** The value of something at a step; undefined: the node can't be scraped then. */
export type At<Value> = (step: number) => Value;

/** A node as its metrics show it; what is left out is as on a healthy node. */
export interface Node {
  readonly host: string;
  readonly state: At<State | undefined>;
  /** Of another group; default: that of all. */
  readonly vip?: string;
  /** Whether a valid advert came in since the step before; default: unless it is master. */
  readonly hears?: At<boolean>;
  /** Default: while it is master. */
  readonly vipPresent?: At<boolean>;
  readonly inDoubt?: At<boolean>;
  readonly inMaintenance?: At<boolean>;
  /** Its target is in the scrape configuration; default: always. */
  readonly isTarget?: At<boolean>;
  /** Whether the host that may take over from this master answers it; absent: none is asked. */
  readonly standbyAnswers?: At<boolean>;
  readonly carrier?: At<boolean>;
  readonly lacp?: At<boolean>;
  /** Of the second port of the bond. */
  readonly portReady?: At<boolean>;
  /** Counters that have moved at a step by so much, by their series without the node's labels. */
  readonly counts?: Readonly<Record<string, At<number>>>;
}

/** The step at which so many minutes are over. */
export function minutes(count: number): number {
  return (count * 60) / STEP_SECONDS;
}

/** The names of the alerts that fire at each of these steps, as promtool works them out. */
export interface Expected {
  readonly step: number;
  readonly firing: readonly string[];
}

/** A series as promtool takes it. */
export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

/**
 * Throws with promtool's words where the alerts that fire differ from the ones expected.
 */
export function checkAlerts(nodes: readonly Node[], expected: readonly Expected[]): Promise<void> {
  return checkSeries(nodes.flatMap(seriesOf), expected);
}

/** The same of series as promtool takes them. */
export async function checkSeries(
  series: readonly InputSeries[],
  expected: readonly Expected[],
  stepSeconds = STEP_SECONDS,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'carpd-rules-'));
  try {
    const file = join(folder, 'test.json');
    const tests = {
      rule_files: [RULES],
      evaluation_interval: `${stepSeconds}s`,
      tests: [
        {
          interval: `${stepSeconds}s`,
          input_series: series,
          promql_expr_test: expected.map(({ step, firing }) => ({
            expr: 'max by (alertname) (ALERTS{alertstate="firing"})',
            eval_time: `${step * stepSeconds}s`,
            exp_samples: firing.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
          })),
        },
      ],
    };
    writeFileSync(file, JSON.stringify(tests));
    await run('promtool', ['test', 'rules', file]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function seriesOf(node: Node): readonly InputSeries[] {
  const { host, state } = node;
  const isUp = (step: number): boolean => state(step) !== undefined;
  const isMaster = (step: number): boolean => state(step) === 'master';
  const always = (): boolean => true;
  const isTarget = node.isTarget ?? always;
  const never = (): boolean => false;
  const process = `job="carpd",instance="${host}:9112"`;
  const link = `${process},interface="bond0"`;
  const own = `${link},name="db",vhid="7"`;
  const vip = `vip="${node.vip ?? '10.9.0.100'}"`;
  const series = (name: string, value: At<number>): InputSeries => ({
    series: name,
    values: render((step) => (isUp(step) ? value(step) : undefined)),
  });
  const flag = (name: string, value: At<boolean>): InputSeries =>
    series(name, (step) => Number(value(step)));
  const states = ['init', 'held', 'backup', 'master'] as const;
  return [
    {
      series: `up{${process}}`,
      values: render((step) => (isTarget(step) ? Number(isUp(step)) : undefined)),
    },
    ...states.map((name) =>
      flag(`carpd_instance_state{${own},${vip},state="${name}"}`, (step) => state(step) === name),
    ),
    series(`carpd_instance_info{${own},${vip},source="10.9.0.10"}`, () => 1),
    series(
      `carpd_last_advert_received_timestamp_seconds{${own}}`,
      lastTime(node.hears ?? ((step) => !isMaster(step)), isUp),
    ),
    ...(node.standbyAnswers === undefined
      ? []
      : [flag(`carpd_standby_answers{${own},peer="10.9.0.20"}`, node.standbyAnswers)]),
    flag(`carpd_vip_present{${own}}`, node.vipPresent ?? isMaster),
    flag(`carpd_in_doubt{${own}}`, node.inDoubt ?? never),
    flag(`carpd_maintenance{${own}}`, node.inMaintenance ?? never),
    flag(`carpd_link_condition{${link},condition="carrier"}`, node.carrier ?? always),
    flag(`carpd_link_condition{${link},condition="lacp"}`, node.lacp ?? always),
    flag(`carpd_lacp_port_ready{${link},port="eth1"}`, node.portReady ?? always),
    series(
      `carpd_transitions_total{${own},from="backup",to="master",cause="master-down"}`,
      total((step) => Number(isMaster(step) && step > 0 && !isMaster(step - 1)), isUp),
    ),
    ...Object.entries(node.counts ?? {}).map(([name, moved]) =>
      series(
        name.replace('OWN', own).replace('LINK', link).replace('PROCESS', process),
        total(moved, isUp),
      ),
    ),
  ];
}

/** A counter, which a process that starts anew begins at 0. */
function total(moved: At<number>, isUp: At<boolean>): At<number> {
  return (step) => {
    let sum = 0;
    for (let at = 0; at <= step; at += 1) sum = isUp(at) ? sum + moved(at) : 0;
    return sum;
  };
}

/** Unix time at which it was so last, 0 if it never was since the process started. */
function lastTime(is: At<boolean>, isUp: At<boolean>): At<number> {
  return (step) => {
    for (let at = step; at >= 0 && isUp(at); at -= 1) if (is(at)) return at * STEP_SECONDS;
    return 0;
  };
}

/** As promtool reads it: a series that ends is marked stale at its first missing scrape. */
function render(value: At<number | undefined>): string {
  return Array.from({ length: STEPS }, (_, step) => {
    const now = value(step);
    if (now !== undefined) return String(now);
    return step > 0 && value(step - 1) !== undefined ? 'stale' : '_';
  }).join(' ');
}
