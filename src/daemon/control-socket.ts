// Claims the path of the control socket: never one that a living process answers at, never a file
// that is no socket; and gives it back only as long as it is ours.
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  type BigIntStats,
} from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { CarpdError, messageOf } from '../base/errors.ts';
import { SOCKET_PATH_BYTES_MAX } from '../config/values.ts';
import { findGroup } from './groups.ts';

/** Where to listen, and for whom. */
export interface Place {
  /** Absolute, at most 107 bytes. */
  readonly path: string;
  /** Name or number; undefined: the group of the process or, where it is set-GID, the directory. */
  readonly group: string | undefined;
}

/** Read and write for the owner and the group. */
const SOCKET_MODE = 0o660;
const DIRECTORY_MODE = 0o755;
/** Until it has its mode, nobody else may connect. */
const UMASK_MEANWHILE = 0o177;
/** How often others may take the path, or leave it, while we try. */
const ATTEMPTS_MAX = 5;

/** A path that is ours. */
export interface ClaimedPath {
  /** Whether the socket file at the path is still the one of this claim. */
  isOurs(): boolean;
  /** Removes the socket file, unless another one stands in its place by now. */
  release(): void;
}

let births = 0;

/**
 * Lets `server` listen at the path; its directory is made if that is missing, the socket of a
 * process that died is replaced. Of several that do so at once, one gets the path. Rejects with a
 * CarpdError that says what to do.
 */
export async function listenAt(server: Server, { path, group }: Place): Promise<ClaimedPath> {
  // libuv removes on closing whatever stands at the path that it was given, also where that is
  // another daemon's by now. So it gets a name of its own, and the real one as a second name.
  const birthPath = join(dirname(path), `.${process.pid.toString(36)}${births.toString(36)}`);
  births += 1;
  checkLength(path, birthPath);
  try {
    makeDirectory(dirname(path));
    await findStale(path);
    const gid = group === undefined ? undefined : groupNumber(path, group);
    rmSync(birthPath, { force: true });
    await listen(server, birthPath);
    try {
      if (gid !== undefined) chownSync(birthPath, process.geteuid?.() ?? 0, gid);
      chmodSync(birthPath, SOCKET_MODE);
      await take(path, birthPath);
    } catch (error) {
      server.close();
      throw error;
    } finally {
      rmSync(birthPath, { force: true });
    }
  } catch (error) {
    if (error instanceof CarpdError) throw error;
    throw refused(path, `${messageOf(error)}; choose another path for control.socket`, error);
  }
  return claimed(path);
}

/**
 * Gives the socket its real name, which fails where that is taken: only so do two that find the
 * same stale socket at the same moment not both get the path.
 */
async function take(path: string, birthPath: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const stale = await findStale(path);
    if (stale !== undefined) removeStale(path, stale, `${birthPath}.old`);
    try {
      linkSync(birthPath, path);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
  throw refused(path, 'others take the path again and again; give each its own control.socket');
}

/** Removes the socket that was found stale, and puts back what has come in its place since. */
function removeStale(path: string, stale: BigIntStats, aside: string): void {
  if (!isSame(statOf(path), stale)) return;
  renameSync(path, aside);
  try {
    // Between the look and the renaming another daemon may have replaced it.
    if (!isSame(statOf(aside), stale)) linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  // A number may be given to another file later; that one is younger.
  return one.ino === other.ino && one.dev === other.dev && one.mtimeNs === other.mtimeNs;
}

function claimed(path: string): ClaimedPath {
  const ours = statOf(path);
  const isOurs = (): boolean => {
    try {
      return isSame(statOf(path), ours);
    } catch {
      return false;
    }
  };
  return {
    isOurs,
    release: () => {
      try {
        if (isOurs()) rmSync(path, { force: true });
      } catch {
        // A directory that may not be written any more keeps it; the next daemon replaces it.
      }
    },
  };
}

function groupNumber(path: string, group: string): number {
  const gid = findGroup(group);
  if (gid !== undefined) return gid;
  const remedy = `create it (groupadd --system ${group}), or correct control.group`;
  throw refused(path, `there is no group ${group} in /etc/group; ${remedy}`);
}

function checkLength(path: string, birthPath: string): void {
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(birthPath));
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  const limit = `the ${SOCKET_PATH_BYTES_MAX} bytes of a Unix socket's path`;
  throw refused(path, `it is longer than ${limit}; choose a shorter one for control.socket`);
}

function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  // Not recursive: where mkdir(2) says ENOENT for what can't be made, as below /proc, Node tries
  // for ever.
  mkdirSync(path, DIRECTORY_MODE);
  // What the umask of the process took away.
  chmodSync(path, DIRECTORY_MODE);
}

/** The socket of a process that died, if that is what stands there; rejects at anything else. */
async function findStale(path: string): Promise<BigIntStats | undefined> {
  const there = statOf(path);
  if (there === undefined) return undefined;
  if (!there.isSocket()) {
    throw refused(path, 'there is a file that is no socket; remove it, or choose another path');
  }
  const code = await connectionCode(path);
  // Somebody refuses for want of a process; every other answer may come from a living one.
  if (code === 'ECONNREFUSED') return there;
  if (code === 'ENOENT') return undefined;
  if (code === undefined || code === 'EAGAIN') {
    throw refused(path, 'another process answers there; give each its own control.socket');
  }
  throw refused(path, `who answers there can't be found out (${code}); choose another path`);
}

/** How connecting fails; undefined: it does not. */
function connectionCode(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(UMASK_MEANWHILE);
    try {
      // The file is made before this returns, so that no other file gets this umask.
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

function statOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { throwIfNoEntry: false, bigint: true });
}

function refused(path: string, reason: string, cause?: unknown): CarpdError {
  return new CarpdError('CARPD_CONTROL', `open the control socket ${path}`, reason, cause);
}
