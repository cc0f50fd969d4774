// Debian's Prometheus in a namespace of the lab: it scrapes the nodes every second, applies the
// rules, and answers questions.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Child } from '../../lab/child.ts';
import type { Host } from '../../lab/host.ts';
import { eventually } from '../../lab/wait.ts';

const READY_MS = 30_000;
const API = 'http://127.0.0.1:9090';
/** Prints the body of a page, whatever its status. */
const FETCH =
  'fetch(process.argv[1]).then((page) => page.text()).then((text) => process.stdout.write(text))';

/** One series of an answer. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Of an instant query: time and value. */
  readonly value?: readonly [number, string];
  /** Of a range query. */
  readonly values?: readonly (readonly [number, string])[];
}

/** An alert as Prometheus has it now. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

/** What a Prometheus applies: the rules as shipped, or with waits of a second or so. */
export type Rules = 'shipped' | 'quick';

/** The waits of the rules that are told in their expressions, and what they are in quick rules. */
const WAITS = [
  [/^( +for:) \d+m$/gm, '$1 1s'],
  [/(master_silence:seconds >) 30\b/g, '$1 3'],
  [/(timestamp_seconds\) >) 60\b/g, '$1 3'],
  [/(> 0\) >) 86400\b/g, '$1 2'],
  [/(> 0\) >) 5$/gm, '$1 1'],
] as const;

/** A running Prometheus; it ends with its lab. */
export class Prometheus {
  readonly #host: Host;
  readonly #folder: string;
  #child: Child | undefined;

  private constructor(host: Host) {
    this.#host = host;
    this.#folder = join(host.directory, 'prometheus');
  }

  /**
   * Starts it on `host` and waits until it has scraped all targets (ADDRESS:PORT) once, whether
   * they are up or not.
   */
  static async start(
    host: Host,
    targets: readonly string[],
    rules: Rules = 'quick',
  ): Promise<Prometheus> {
    const server = new Prometheus(host);
    mkdirSync(server.#folder);
    const shipped = readFileSync('prometheus/carpd.rules.yml', 'utf8');
    writeFileSync(server.#file('rules.yml'), rules === 'shipped' ? shipped : quickened(shipped));
    server.#configure(targets);
    const argv = [
      'prometheus',
      `--config.file=${server.#file('prometheus.yml')}`,
      `--storage.tsdb.path=${server.#file('data')}`,
      '--web.listen-address=127.0.0.1:9090',
      '--log.level=warn',
    ];
    server.#child = host.spawn(argv, { label: 'prometheus' });
    await server.#scrapes(targets.length);
    return server;
  }

  /** Scrapes these from now on, as after a change of its configuration. */
  async retarget(targets: readonly string[]): Promise<void> {
    this.#configure(targets);
    this.#child?.signal('SIGHUP');
    await this.#scrapes(targets.length);
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #configure(targets: readonly string[]): void {
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [this.#file('rules.yml')],
      scrape_configs: [{ job_name: 'carpd', static_configs: [{ targets }] }],
    };
    writeFileSync(this.#file('prometheus.yml'), stringify(config));
  }

  async #scrapes(count: number): Promise<void> {
    const scraped = async (): Promise<boolean> => {
      // It does not listen at once.
      const found = await this.query('up{job="carpd"}').catch(() => undefined);
      return found?.length === count;
    };
    await eventually(scraped, {
      withinMs: READY_MS,
      everyMs: 250,
      what: `scrapes of ${count} nodes`,
      detail: () => this.#host.report(),
    });
  }

  /** The page that a node serves. */
  page(url: string): Promise<string> {
    return this.#host.exec([process.execPath, '-e', FETCH, url]);
  }

  /** Asks an instant query; throws where Prometheus can't make sense of it. */
  query(expr: string): Promise<readonly Sample[]> {
    return this.#ask(`query?query=${encodeURIComponent(expr)}`);
  }

  /** Asks for one value a second of the last `seconds`. */
  range(expr: string, seconds: number): Promise<readonly Sample[]> {
    const end = Date.now() / 1000;
    const span = `start=${end - seconds}&end=${end}&step=1`;
    return this.#ask(`query_range?query=${encodeURIComponent(expr)}&${span}`);
  }

  /** Waits until the alert fires. */
  fires(name: string): Promise<unknown> {
    const isFiring = async (): Promise<boolean> => (await this.#statesOf(name)).includes('firing');
    return this.#waits(isFiring, `${name} to fire`);
  }

  /** Waits until the alert neither fires nor is about to. */
  clears(name: string): Promise<unknown> {
    const isOver = async (): Promise<boolean> => (await this.#statesOf(name)).length === 0;
    return this.#waits(isOver, `${name} to be over`);
  }

  async #statesOf(name: string): Promise<readonly string[]> {
    const alerts = await this.alerts();
    return alerts.filter(({ labels }) => labels['alertname'] === name).map(({ state }) => state);
  }

  #waits(probe: () => Promise<boolean>, what: string): Promise<unknown> {
    const detail = (): string => this.#host.report();
    return eventually(probe, { withinMs: READY_MS, everyMs: 250, what, detail });
  }

  async alerts(): Promise<readonly Alert[]> {
    const { data } = JSON.parse(await this.page(`${API}/api/v1/alerts`)) as {
      readonly data: { readonly alerts: readonly Alert[] };
    };
    return data.alerts;
  }

  async #ask(path: string): Promise<readonly Sample[]> {
    const text = await this.page(`${API}/api/v1/${path}`);
    const answer = JSON.parse(text) as {
      readonly status: string;
      readonly data?: { readonly result: readonly Sample[] };
    };
    if (answer.status !== 'success' || answer.data === undefined)
      throw new Error(`${path}: ${text}`);
    return answer.data.result;
  }
}

function quickened(rules: string): string {
  return WAITS.reduce((text, [pattern, wait]) => {
    const quick = text.replaceAll(pattern, wait);
    if (quick === text) throw new Error(`no rule waits as ${String(pattern)} has it`);
    return quick;
  }, rules);
}
