// All pictures of the documents that are drawn from the code or from recorded runs.
import { readFileSync } from 'node:fs';
import { explainSvg } from './explain.ts';
import { statesSvg } from './states.ts';
import { takeoverSvg, type Takeover } from './takeover.ts';
import { readQuickStart, topologySvg } from './topology.ts';

/** Where the real runs are kept, from which two of the pictures are drawn. */
export const RECORDS = {
  explain: 'docs/img/explain.txt',
  takeover: 'docs/img/takeover.json',
} as const;

/** The documents by their paths. */
export function pictures(): ReadonlyMap<string, string> {
  const run = JSON.parse(readFileSync(RECORDS.takeover, 'utf8')) as Takeover;
  return new Map([
    ['docs/img/states.svg', statesSvg()],
    ['docs/img/topology.svg', topologySvg(readQuickStart(readFileSync('README.md', 'utf8')))],
    ['docs/img/explain.svg', explainSvg(readFileSync(RECORDS.explain, 'utf8'))],
    ['docs/img/takeover.svg', takeoverSvg(run)],
  ]);
}
