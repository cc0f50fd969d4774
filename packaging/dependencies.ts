// The npm packages that run in production, as the lock file has them.
import { join } from 'node:path';
import { members, readJson, text } from './json.ts';

/** One package as it is installed. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** As the registry gave it: "sha512-" and base64. */
  readonly integrity: string;
  /** Where it lies in the checkout: "node_modules/NAME", or deeper. */
  readonly folder: string;
}

/** Header-only C++ helper of raw-socket: wanted to build it, never to run it. */
const BUILD_ONLY = ['node_modules/nan'];

/** Every package that carpd needs at run time, in the order of their folders. */
export function productionDependencies(root: string): readonly Dependency[] {
  const locked = members(readJson(join(root, 'package-lock.json'))['packages'], 'packages');
  return Object.entries(locked)
    .map(([folder, entry]) => ({ folder, entry: members(entry, folder) }))
    .filter(({ folder }) => folder !== '' && !BUILD_ONLY.includes(folder))
    .filter(({ entry }) => entry['dev'] !== true)
    .map(({ folder, entry }) => ({
      folder,
      name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: text(entry['version'], `version of ${folder}`),
      license: text(entry['license'], `license of ${folder}`),
      integrity: text(entry['integrity'], `integrity of ${folder}`),
    }))
    .sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

/** The version of carpd, as package.json has it. */
export function ownVersion(root: string): string {
  return text(readJson(join(root, 'package.json'))['version'], 'version of package.json');
}
