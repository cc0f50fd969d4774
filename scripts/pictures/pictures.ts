// All pictures of the documents that are drawn from the code and from the documents themselves.
import { readFileSync } from 'node:fs';
import { statesSvg } from './states.ts';
import { readQuickStart, topologySvg } from './topology.ts';

/** The documents by their paths. */
export function pictures(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/img/states.svg', statesSvg()],
    ['docs/img/topology.svg', topologySvg(readQuickStart(readFileSync('README.md', 'utf8')))],
  ]);
}
