// Claims the path of a Unix socket to listen at: never one at which a living process answers, never
// a file that is no socket; and gives it back only as long as it is ours.
import { randomBytes } from 'node:crypto';
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
import { findUnixGroup } from './unix-accounts.ts';

/** What a socket is for, in messages. */
export interface SocketPurpose {
  /** Such as "the control socket". */
  readonly what: string;
  /** The key of the configuration that says where it is. */
  readonly setting: string;
}

/** Where to listen, and for whom. */
export interface Place {
  /** Absolute, at most 107 bytes. */
  readonly path: string;
  /** Name or number; undefined: that of the process or, where it is set-GID, the directory. */
  readonly unixGroup: string | undefined;
}

/** A place, and what is said of it. */
interface Target extends Place {
  readonly purpose: SocketPurpose;
}

/** Read and write for the owner and the Unix group. */
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

/**
 * Lets `server` listen at the path; its directory is made if that is missing, the socket of a
 * process that died is replaced. Of several that do so at once, one gets the path. Rejects with a
 * CarpdError that says what to do.
 */
export async function listenAt(
  server: Server,
  { path, unixGroup }: Place,
  purpose: SocketPurpose,
): Promise<ClaimedPath> {
  const target = { path, unixGroup, purpose };
  // libuv removes on closing whatever stands at the path that it was given, also where that is
  // another daemon's by now. So it gets a name of its own, and the real one as a second name.
  const birthPath = join(dirname(path), `.${randomBytes(3).toString('base64url')}`);
  checkLength(target, birthPath);
  try {
    makeDirectory(dirname(path));
    await findStale(target);
    const gid = unixGroup === undefined ? undefined : groupNumber(target, unixGroup);
    await listen(server, birthPath);
    try {
      if (gid !== undefined) giveTo(birthPath, gid, target);
      chmodSync(birthPath, SOCKET_MODE);
      await take(target, birthPath);
    } catch (error) {
      server.close();
      throw error;
    } finally {
      rmSync(birthPath, { force: true });
    }
  } catch (error) {
    if (error instanceof CarpdError) throw error;
    const reason = `${messageOf(error)}; choose another path for ${purpose.setting}`;
    throw refused(target, reason, error);
  }
  return claimed(path);
}

/**
 * Gives the socket its real name, which fails where that is taken: only so do two that find the
 * same stale socket at the same moment not both get the path.
 */
async function take(target: Target, birthPath: string): Promise<void> {
  const { path, purpose } = target;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const stale = await findStale(target);
    if (stale !== undefined) removeStale(path, stale, `${birthPath}.old`);
    try {
      linkSync(birthPath, path);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
  const remedy = `give each its own ${purpose.setting}`;
  throw refused(target, `others take the path again and again; ${remedy}`);
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

function groupNumber(target: Target, unixGroup: string): number {
  const gid = findUnixGroup(unixGroup);
  if (gid !== undefined) return gid;
  const remedy = `create it (groupadd --system ${unixGroup}), or correct control.group`;
  throw refused(target, `there is no group ${unixGroup} in /etc/group; ${remedy}`);
}

function giveTo(birthPath: string, gid: number, target: Target): void {
  try {
    chownSync(birthPath, process.geteuid?.() ?? 0, gid);
  } catch (error) {
    const remedy = 'make the user that carpd runs as a member of it, or leave control.group out';
    const failed = `it can't be given to the group ${target.unixGroup ?? ''} (${messageOf(error)})`;
    throw refused(target, `${failed}; ${remedy}`, error);
  }
}

function checkLength(target: Target, birthPath: string): void {
  const bytes = Math.max(Buffer.byteLength(target.path), Buffer.byteLength(birthPath));
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  const limit = `the ${SOCKET_PATH_BYTES_MAX} bytes of a Unix socket's path`;
  const remedy = `choose a shorter one for ${target.purpose.setting}`;
  throw refused(target, `it is longer than ${limit}; ${remedy}`);
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
async function findStale(target: Target): Promise<BigIntStats | undefined> {
  const { path, purpose } = target;
  const there = statOf(path);
  if (there === undefined) return undefined;
  if (!there.isSocket()) {
    const reason = 'there is a file that is no socket; remove it, or choose another path';
    throw refused(target, reason);
  }
  const code = await connectionCode(path);
  // Somebody refuses for want of a process; every other answer may come from a living one.
  if (code === 'ECONNREFUSED') return there;
  if (code === 'ENOENT') return undefined;
  if (code === undefined || code === 'EAGAIN') {
    const reason = `another process answers there; give each its own ${purpose.setting}`;
    throw refused(target, reason);
  }
  throw refused(target, `who answers there can't be found out (${code}); choose another path`);
}

/** How connecting fails; undefined: it does not. */
function connectionCode(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? messageOf(error)));
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

function refused({ path, purpose }: Target, reason: string, cause?: unknown): CarpdError {
  return new CarpdError('CARPD_CONTROL', `open ${purpose.what} ${path}`, reason, cause);
}
