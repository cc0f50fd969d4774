// The floors of src/: which folder may import which. A folder imports itself and what stands on a
// lower floor; folders of one floor do not know each other. CONTRIBUTING.md prints this table.
import { dirname, relative, resolve, sep } from 'node:path';

/** From the ground up. The lower half is pure: facts and the time go in, effects come out. */
export const FLOORS = [
  ['base'],
  ['carp', 'readiness', 'doctor/firewall'],
  ['election', 'vip', 'config'],
  ['config/ucarp', 'metrics/catalogue', 'segment'],
  ['events/catalogue'],
  ['events'],
  ['report'],
  ['linux/sockets'],
  ['linux/links', 'linux/system', 'serving', 'state'],
  ['sniff', 'control', 'log', 'metrics'],
  ['doctor/checks'],
  ['doctor/facts', 'ports'],
  ['doctor', 'addressing', 'groups'],
  ['events/publish'],
  ['traffic'],
  ['daemon/interface'],
  ['release'],
  ['daemon/instance'],
  ['daemon'],
  ['process'],
  ['cli'],
  ['.'],
];

/**
 * Why a file of one folder must not import a file of another; undefined: it may.
 * `from` and `to` are folders below src/, such as `linux/links`; `.` is src/ itself.
 */
export function floorFault(from, to) {
  if (from === to) return undefined;
  const own = floorOf(from);
  const other = floorOf(to);
  if (own === undefined) return `src/${from} stands on no floor: add it to scripts/floors.mjs`;
  if (other === undefined) return `src/${to} stands on no floor: add it to scripts/floors.mjs`;
  if (other < own) return undefined;
  const where = other === own ? 'the same floor' : 'a higher floor';
  return `src/${from} must not import src/${to}, which stands on ${where}; see CONTRIBUTING.md`;
}

/** 0 is the ground; undefined: the folder is not in the table. */
function floorOf(folder) {
  const index = FLOORS.findIndex((folders) => folders.includes(folder));
  return index === -1 ? undefined : index;
}

/** The ESLint rule: every import of a file in src/ goes down the floors. */
export const floorsRule = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const source = resolve(context.cwd, 'src');
    const folderOf = (path) => relative(source, dirname(path)).split(sep).join('/') || '.';
    const check = (node) => {
      const name = node.source?.value;
      if (typeof name !== 'string' || !name.startsWith('.')) return;
      const target = resolve(dirname(context.filename), name);
      const message = floorFault(folderOf(context.filename), folderOf(target));
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
    };
  },
};
