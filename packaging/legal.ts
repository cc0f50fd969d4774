// The texts that Debian asks of every package: copyright and changelog.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Dependency } from './dependencies.ts';

const CHANGELOG_COLUMNS = 79;

/** Who answers for the packages, in Debian's form. */
export const MAINTAINER = 'The carpd authors <carpd@users.noreply.github.com>';

/** The copyright file: our licence, and that of every npm package, and of Node, word by word. */
export function copyrightFile(
  root: string,
  dependencies: readonly Dependency[],
  nodeLicense: string | undefined,
): string {
  const parts = [
    'This package was made from the source of carpd, whose licence is:',
    readFileSync(join(root, 'LICENSE'), 'utf8'),
  ];
  for (const { name, version, license, folder } of dependencies) {
    const place = `/usr/lib/carpd/${folder}`;
    parts.push(heading(`${place}: ${name} ${version}, under the ${license} licence`));
    parts.push(license === 'Apache-2.0' ? apache(place) : licenseText(join(root, folder), license));
  }
  if (nodeLicense !== undefined) {
    parts.push(heading('/usr/lib/carpd/libexec/node: Node.js'), readFileSync(nodeLicense, 'utf8'));
  }
  return parts.join('\n');
}

/** Debian's form of our changelog, packed: the section of what is built, dated by its source. */
export function debianChangelog(
  root: string,
  name: string,
  version: string,
  epoch: number,
): Buffer {
  const [, newest = ''] = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^## .*$/m);
  const entries = newest
    .trim()
    .split(/\n(?=- )/)
    .map((entry) => wrapped(entry.slice('- '.length)));
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  const head = `${name} (${version}) unstable; urgency=medium`;
  const text = `${head}\n\n${entries.join('\n')}\n\n -- ${MAINTAINER}  ${date}\n`;
  return packed(text);
}

/** gzip at its best, without a name or a time in it. */
export function packed(text: string | Buffer): Buffer {
  return gzipSync(text, { level: 9 });
}

function heading(text: string): string {
  return `${'-'.repeat(79)}\n${text}\n`;
}

function apache(place: string): string {
  const common = '/usr/share/common-licenses/Apache-2.0';
  return `The text is in ${place}/LICENSE, and on Debian systems in ${common}.\n`;
}

function licenseText(folder: string, license: string): string {
  const name = readdirSync(folder).find((file) => /^licen[cs]e(?:\.|$)/i.test(file));
  if (name !== undefined) return readFileSync(join(folder, name), 'utf8');
  return `Its author names the licence (${license}) and gives no text of it.\n`;
}

/** An entry of a Debian changelog: lines of up to 79 columns, a star before the first. */
function wrapped(entry: string): string {
  const lines: string[] = [];
  let line = '  *';
  for (const word of entry.split(/\s+/)) {
    if (line.length + 1 + word.length > CHANGELOG_COLUMNS) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}
