// The Node releases that packages bring or are built for: pinned, fetched from the npm registry.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { members, readJson, text } from './json.ts';
import { run } from './shell.ts';

/** A processor as Node names it. */
export type Arch = 'x64' | 'arm64';

/** Every major version that carpd supports; node-releases.json pins a release of each. */
export const NODE_MAJORS = [20, 22, 24, 26] as const;

export type NodeMajor = (typeof NODE_MAJORS)[number];

/** What packages that bring their Node bring. */
export const BUNDLED_MAJOR: NodeMajor = 24;

/** The release that is pinned for a major version: "24.21.0". */
export function nodeVersion(major: NodeMajor): string {
  return text(pinned(major)['version'], `version of Node ${major}`);
}

/** Name and integrity of the npm package that holds a release. */
export function nodePackage(major: NodeMajor, arch: Arch): { name: string; integrity: string } {
  const integrity = text(pinned(major)[arch], `integrity of Node ${major} for ${arch}`);
  return { name: `node-linux-${arch}`, integrity };
}

/**
 * The folder of a release, with bin/node, include/node and LICENSE. It is downloaded once, checked
 * against its pinned integrity, and kept in $XDG_CACHE_HOME/carpd-build.
 */
export function fetchNode(major: NodeMajor, arch: Arch): string {
  const version = nodeVersion(major);
  const { name, integrity } = nodePackage(major, arch);
  const cache = cacheFolder();
  const folder = join(cache, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'fetch-'));
  try {
    run(['npm', 'pack', '--silent', `--pack-destination=${work}`, `${name}@${version}`]);
    const archive = join(work, `${name}-${version}.tgz`);
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (found !== integrity) throw new Error(`${name}@${version} is ${found}, not ${integrity}`);
    const wanted = ['package/bin/node', 'package/include', 'package/LICENSE'];
    run(['tar', '-xzf', archive, '-C', work, '--no-same-owner', ...wanted]);
    renameSync(join(work, 'package'), folder);
  } catch (error) {
    // Another build may have been quicker; what it fetched passed the same check.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

function pinned(major: NodeMajor): Readonly<Record<string, unknown>> {
  const path = fileURLToPath(new URL('node-releases.json', import.meta.url));
  return members(readJson(path)[String(major)], `Node ${major} in node-releases.json`);
}

function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? '';
  return join(base === '' ? join(homedir(), '.cache') : base, 'carpd-build');
}
