// The groups of this host, as /etc/group names them.
import { readFileSync } from 'node:fs';

const GROUP_FILE = '/etc/group';

/** The number of a group by its name or, as text, its number; undefined: there is none. */
export function findGroup(group: string): number | undefined {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const number = entries().find(([name]) => name === group)?.[2];
  return number === undefined ? undefined : Number(number);
}

/** The name of a group by its number; undefined where it has none. */
export function groupName(gid: number): string | undefined {
  return entries().find(([, , number]) => number === String(gid))?.[0];
}

/** Fields: name, password, number, members. */
function entries(): readonly (readonly string[])[] {
  return readFileSync(GROUP_FILE, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}
