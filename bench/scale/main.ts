// Hundreds of virtual IPs: carpd beside keepalived and ucarp on the same work in one run.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors.ts';
import { median, table } from '../report.ts';
import { measureScale, type ScaleFound } from './measure.ts';
import { SCALE_PROGRAMS, type ScaleProgram } from './programs.ts';

const UCARP_MAX = 250;
const TOOLS: Readonly<Record<ScaleProgram, string | undefined>> = {
  carpd: undefined,
  keepalived: '/usr/sbin/keepalived',
  ucarp: '/usr/sbin/ucarp',
};

/** All measurements of one program with one number of groups. */
export interface ScaleRow {
  readonly program: ScaleProgram;
  readonly count: number;
  readonly found: readonly ScaleFound[];
}

/** Runs `npm run bench -- scale` with the words behind that; yields the exit code. */
export async function benchScale(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      sizes: { type: 'string', default: '1,16,64,250,1000' },
      programs: { type: 'string', default: SCALE_PROGRAMS.join(',') },
      runs: { type: 'string', default: '5' },
      quiet: { type: 'string', default: '20' },
    },
  });
  const programs = SCALE_PROGRAMS.filter((one) => values.programs.split(',').includes(one));
  const missing = programs.find((one) => !existsSync(TOOLS[one] ?? '/'));
  if (missing !== undefined) {
    process.stderr.write(`bench: ${missing} is not installed\n`);
    return 1;
  }
  const rows: ScaleRow[] = [];
  const quietSeconds = Number(values.quiet);
  for (const count of values.sizes.split(',').map(Number)) {
    const able = programs.filter((one) => one !== 'ucarp' || count <= UCARP_MAX);
    const found = new Map<ScaleProgram, ScaleFound[]>(able.map((one) => [one, []]));
    // In turn, so that what else the machine does meanwhile befalls all of them alike.
    for (let run = 0; run < Number(values.runs); run += 1) {
      for (const program of able) {
        try {
          const one = await measureScale({ program, count, quietSeconds });
          found.get(program)?.push(one);
          process.stderr.write(`${program} ${count}: ${JSON.stringify(one)}\n`);
        } catch (error) {
          process.stderr.write(`bench: ${program} ${count}: ${messageOf(error)}\n`);
        }
      }
    }
    for (const [program, all] of found) rows.push({ program, count, found: all });
  }
  process.stdout.write(`${scaleTable(rows)}\n`);
  return 0;
}

/** The medians. */
export function scaleTable(rows: readonly ScaleRow[]): string {
  const header = [
    '',
    'groups',
    'runs',
    'start ms',
    'master CPU s',
    'backup CPU s',
    'PSS MB',
    'kill ms',
    'late ms',
    'stop ms',
    'takeover CPU s',
    'scrape kB',
    'scrape ms',
  ];
  const body = rows.map(({ program, count, found }) => {
    const of = (key: keyof ScaleFound, scale: number, digits: number): string => {
      const value = median(found.map((one) => one[key])) / scale;
      return Number.isNaN(value) ? '' : value.toFixed(digits);
    };
    return [
      program,
      `${count}`,
      `${found.length}`,
      of('startMs', 1, 0),
      of('masterCpuSeconds', 1, 3),
      of('backupCpuSeconds', 1, 3),
      of('pssBytes', 1e6, 1),
      of('killMs', 1, 0),
      of('lateMs', 1, 0),
      of('stopMs', 1, 0),
      of('takeoverCpuSeconds', 1, 3),
      of('scrapeBytes', 1e3, 0),
      of('scrapeMs', 1, 1),
    ];
  });
  return table(header, body);
}
