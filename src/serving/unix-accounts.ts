// The groups and users of this host, as /etc/group and /etc/passwd name them.
import { readFileSync } from 'node:fs';

const GROUP_FILE = '/etc/group';
const USER_FILE = '/etc/passwd';

/** What a file of a user gets. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The number of a group by its name or, as text, its number; undefined: there is none. */
export function findUnixGroup(group: string): number | undefined {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const number = entries(GROUP_FILE).find(([name]) => name === group)?.[2];
  return number === undefined ? undefined : Number(number);
}

/** The name of a group by its number; undefined where it has none. */
export function unixGroupName(gid: number): string | undefined {
  return entries(GROUP_FILE).find(([, , number]) => number === String(gid))?.[0];
}

/** A user and its group by the user's name; undefined: there is none. */
export function findUser(user: string): Owner | undefined {
  const entry = entries(USER_FILE).find(([name]) => name === user);
  return entry && { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** Fields: name, password, number, then the members of a group or the group of a user. */
function entries(path: string): readonly (readonly string[])[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}
