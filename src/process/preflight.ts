// What must be so before it is worth starting: the privileges, and the `ip` command.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { readPrivileges } from '../linux/system/privileges.ts';

/** Why the daemon can't start, in one line that names the remedy; undefined if it can. */
export function findObstacle(): string | undefined {
  const { missing } = readPrivileges();
  if (missing.length === 0) return undefined;
  return (
    `needs ${missing.join(' and ')} to open raw sockets and change addresses; ` +
    'run it as root, or by the systemd unit that grants them'
  );
}

/** What will go wrong later although the daemon starts; one line each. */
export function findDoubts(manageAddress: boolean): string[] {
  const { missingInChildren } = readPrivileges();
  const doubts: string[] = [];
  if (missingInChildren.length > 0) {
    const lacking = missingInChildren.join(' and ');
    doubts.push(
      `child processes will lack ${lacking}, so that ip and the hooks can't change addresses; ` +
        'grant ambient capabilities (AmbientCapabilities= in a systemd unit)',
    );
  }
  if (manageAddress && !isInPath('ip')) {
    doubts.push('the ip command is not in PATH, so no address can be added; install iproute2');
  }
  return doubts;
}

function isInPath(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
