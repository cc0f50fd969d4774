// Prints the folder of a pinned Node release, downloading it first where it is not there yet.
//
//   node --import tsx packaging/fetch-node.ts MAJOR [x64|arm64]
import { fetchNode, NODE_MAJORS, type Arch } from './node-releases.ts';

const ARCHES: readonly Arch[] = ['x64', 'arm64'];

const [majorText = '', archText = process.arch] = process.argv.slice(2);
const major = NODE_MAJORS.find((known) => String(known) === majorText);
const arch = ARCHES.find((known) => known === archText);
if (major === undefined || arch === undefined) {
  console.error(`usage: fetch-node.ts ${NODE_MAJORS.join('|')} [${ARCHES.join('|')}]`);
  process.exitCode = 2;
} else {
  console.log(fetchNode(major, arch));
}
