// Debian's Prometheus in a namespace of the lab: it scrapes the nodes every second, applies the
// rules as they are shipped but for their waiting times, and answers questions.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
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

/** A running Prometheus; it ends with its lab. */
export class Prometheus {
  readonly #host: Host;

  private constructor(host: Host) {
    this.#host = host;
  }

  /** Starts it on `host` and waits until it has scraped all targets (ADDRESS:PORT) once. */
  static async start(host: Host, targets: readonly string[]): Promise<Prometheus> {
    const folder = join(host.directory, 'prometheus');
    mkdirSync(folder);
    const rules = join(folder, 'rules.yml');
    const shipped = readFileSync('prometheus/carpd.rules.yml', 'utf8');
    writeFileSync(rules, shipped.replaceAll(/^( +for:) \d+m$/gm, '$1 1s'));
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [rules],
      scrape_configs: [{ job_name: 'carpd', static_configs: [{ targets }] }],
    };
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, stringify(config));
    host.spawn(
      [
        'prometheus',
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        '--web.listen-address=127.0.0.1:9090',
        '--log.level=warn',
      ],
      { label: 'prometheus' },
    );
    const server = new Prometheus(host);
    const scraped = async (): Promise<boolean> =>
      (await server.query('up{job="carpd"} == 1')).length === targets.length;
    const detail = (): string => host.report();
    await eventually(scraped, {
      withinMs: READY_MS,
      everyMs: 250,
      what: 'the first scrapes',
      detail,
    });
    return server;
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
