// Two carpd under the eyes of a real Prometheus: it is asked what the dashboard asks, and its
// alerts fire as the nodes split and one of them dies. Needs root, namespaces and Prometheus.
import { equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Host } from '../../lab/host.ts';
import { eventually } from '../../lab/wait.ts';
import { skip, watchedPair, WITHIN_MS } from './pair.ts';
import type { Prometheus, Sample } from './server.ts';

const PORT = 9112;

test('a Prometheus that watches a pair', { skip }, async (t) => {
  const { lab, a, b, prometheus } = await watchedPair(t, (_, hosts) =>
    Promise.resolve(hosts.map(target)),
  );

  await t.test('knows every metric and label value of the rules and panels', async () => {
    const page = await prometheus.page(`http://${target(a.host)}/metrics`);
    const expressions = [...rulesText(), ...panelExpressions()];
    ok(expressions.length > 40, 'rules and panels were read');
    for (const name of metricNames(expressions)) {
      match(page, new RegExp(`^# TYPE ${base(name)} `, 'm'), `${name} is served`);
    }
    for (const { name, label, value } of literalValues(expressions)) {
      match(page, new RegExp(`^${name}\\{.*\\b${label}="${value}"`, 'm'), `${name} ${value}`);
    }
  });

  await t.test('says that the first one is master, and that all is well', async () => {
    const isSo = async (): Promise<boolean> =>
      (await masters(prometheus)).join() === target(a.host);
    await eventually(isSo, { withinMs: WITHIN_MS, everyMs: 250, what: 'the first one as master' });
    const firing = (await prometheus.alerts()).filter(({ state }) => state === 'firing');
    equal(firing.map(({ labels }) => labels['alertname']).join(), '');
  });

  await t.test('alerts when the switch drops adverts and both are master', async () => {
    const dropped = [
      await lab.dropOnPort(b.host, 'to-host', 'ip protocol 112'),
      await lab.dropOnPort(b.host, 'from-host', 'ip protocol 112'),
    ];
    await b.waitFor('MASTER', WITHIN_MS);
    await prometheus.fires('CarpdTwoMasters');
    await prometheus.fires('CarpdVipInUse');
    for (const rule of dropped) await rule.remove();
    await prometheus.clears('CarpdTwoMasters');
    equal((await masters(prometheus)).length, 1);
  });

  await t.test('alerts when the master dies, and knows who was master when', async () => {
    const [first] = await masters(prometheus);
    const [dead, heir] = first === target(a.host) ? [a, b] : [b, a];
    const before = await total(prometheus, target(heir.host), TAKEOVERS);
    await dead.kill();
    await heir.waitFor('MASTER', WITHIN_MS);
    await prometheus.fires('CarpdDown');
    const more = async (): Promise<boolean> =>
      (await total(prometheus, target(heir.host), TAKEOVERS)) > before;
    await eventually(more, { withinMs: WITHIN_MS, everyMs: 250, what: 'the takeover' });
    const seconds = await total(
      prometheus,
      target(heir.host),
      'carpd_takeover_duration_seconds_sum',
    );
    ok(seconds / (before + 1) < 5, `takeovers took ${seconds} s in all`);
    const history = await prometheus.range('carpd_instance_state{state="master"} == 1', 120);
    const times = new Map(history.map(({ metric, values = [] }) => [metric['instance'], values]));
    const lastOfDead = times.get(target(dead.host))?.at(-1)?.[0] ?? Infinity;
    const lastOfHeir = times.get(target(heir.host))?.at(-1)?.[0] ?? 0;
    ok(lastOfHeir > lastOfDead, 'the heir was master after the dead one');
  });

  await t.test('takes every query of the dashboard, and every text of an alert', async () => {
    for (const expr of panelExpressions()) await prometheus.query(withoutVariables(expr));
    const texts = (await prometheus.alerts()).flatMap(({ annotations }) =>
      Object.values(annotations),
    );
    ok(texts.length > 0, 'there are alerts');
    for (const text of texts) ok(!/<error|\{\{|no value/.test(text), text);
  });
});

const TAKEOVERS = 'carpd_takeover_duration_seconds_count';

function target({ address }: Host): string {
  return `${address}:${PORT}`;
}

/** The nodes that are master now, as Prometheus has it. */
async function masters(prometheus: Prometheus): Promise<readonly string[]> {
  const found = await prometheus.query('carpd_instance_state{state="master"} == 1');
  return found.flatMap(({ metric }) => metric['instance'] ?? []);
}

async function total(prometheus: Prometheus, node: string, metric: string): Promise<number> {
  return numberOf((await prometheus.query(`${metric}{instance="${node}"}`))[0]);
}

function numberOf(sample: Sample | undefined): number {
  return Number(sample?.value?.[1] ?? 0);
}

// ---- what rules and panels name ----

function rulesText(): readonly string[] {
  const lines = readFileSync('prometheus/carpd.rules.yml', 'utf8').split('\n');
  return lines.filter((line) => !/^\s*(#|summary:|runbook_url:|-? ?(alert|record):)/.test(line));
}

interface Panel {
  readonly targets?: readonly { readonly expr: string }[];
}

function panelExpressions(): readonly string[] {
  const { panels } = JSON.parse(readFileSync('grafana/carpd.json', 'utf8')) as {
    readonly panels: readonly Panel[];
  };
  return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

/** Recorded series have a colon in their names. */
function metricNames(expressions: readonly string[]): ReadonlySet<string> {
  const found = expressions.flatMap((expr) => [
    ...expr.matchAll(/\b(carpd|nodejs|process)_[a-z0-9_]+\b(?!:)/g),
  ]);
  return new Set(found.map(([name]) => name));
}

/** The name under which a histogram's parts are declared. */
function base(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, '');
}

interface LiteralValue {
  readonly name: string;
  readonly label: string;
  readonly value: string;
}

/** What rules and panels expect a label to say, word for word. */
function literalValues(expressions: readonly string[]): readonly LiteralValue[] {
  const selectors = expressions.flatMap((expr) => [
    ...expr.matchAll(/\b(carpd_[a-z_]+)\{([^}]*)\}/g),
  ]);
  return selectors.flatMap(([, name = '', inside = '']) =>
    [...inside.matchAll(/([a-z_]+)="([^"$]+)"/g)].map(([, label = '', value = '']) => ({
      name,
      label,
      value,
    })),
  );
}

/** As the dashboard fills them in where everything is shown. */
function withoutVariables(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll(/\$__(range|interval)/g, '5m')
    .replaceAll(/\$(job|vip)/g, '.*');
}
