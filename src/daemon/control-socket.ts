// Claims the path of a Unix socket to listen at: never one at which a living process answers, never
// a file that is no socket; and gives it back only as long as it is ours.
import {
  chmodSync,
  existsSync,
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

/** Read and write for the owner and the group, which is that of the process or the directory. */
const SOCKET_MODE = 0o660;
const DIRECTORY_MODE = 0o755;
/** Until it has its mode, nobody else may connect. */
const UMASK_MEANWHILE = 0o177;

/** What a socket is for, in messages and in the name that it bears until it is ready. */
export interface SocketPurpose {
  /** Such as "the control socket". */
  readonly what: string;
  /** The key of the configuration that says where it is. */
  readonly setting: string;
  /** Tells the sockets of one process apart. */
  readonly mark: string;
}

/** A path that is ours. */
export interface ClaimedPath {
  /** Removes the socket file, unless another one stands in its place by now. */
  release(): void;
}

/**
 * Lets `server` listen at `path`; its directory is made if that is missing, the socket of a process
 * that died is replaced. Rejects with a CarpdError that says what to do.
 */
export async function listenAt(
  server: Server,
  path: string,
  purpose: SocketPurpose,
): Promise<ClaimedPath> {
  // libuv removes on closing whatever stands at the path that it was given, also where that is
  // another daemon's by now. So it gets a name of its own, which then becomes the real one.
  const birthPath = join(dirname(path), `.${process.pid.toString(36)}${purpose.mark}`);
  checkLength(path, birthPath, purpose);
  try {
    makeDirectory(dirname(path));
    await checkFree(path, purpose);
    rmSync(birthPath, { force: true });
    await listen(server, birthPath);
    try {
      chmodSync(birthPath, SOCKET_MODE);
      renameSync(birthPath, path);
    } catch (error) {
      server.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof CarpdError) throw error;
    const remedy = `choose another path for ${purpose.setting}`;
    throw refused(path, purpose, `${messageOf(error)}; ${remedy}`, error);
  }
  return claimed(path);
}

function claimed(path: string): ClaimedPath {
  const ours = statOf(path);
  return {
    release: () => {
      const there = statOf(path);
      if (ours === undefined || there?.ino !== ours.ino || there.dev !== ours.dev) return;
      rmSync(path, { force: true });
    },
  };
}

function checkLength(path: string, birthPath: string, purpose: SocketPurpose): void {
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(birthPath));
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  const limit = `the ${SOCKET_PATH_BYTES_MAX} bytes of a Unix socket's path`;
  const remedy = `choose a shorter one for ${purpose.setting}`;
  throw refused(path, purpose, `it is longer than ${limit}; ${remedy}`);
}

function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  // Not recursive: where mkdir(2) says ENOENT for what can't be made, as below /proc, Node tries
  // for ever.
  mkdirSync(path, DIRECTORY_MODE);
  // What the umask of the process took away.
  chmodSync(path, DIRECTORY_MODE);
}

async function checkFree(path: string, purpose: SocketPurpose): Promise<void> {
  const there = statOf(path);
  if (there === undefined) return;
  if (!there.isSocket()) {
    const reason = 'there is a file that is no socket; remove it, or choose another path';
    throw refused(path, purpose, reason);
  }
  const code = await connectionCode(path);
  // Somebody refuses for want of a process; every other answer may come from a living one.
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return;
  if (code === undefined || code === 'EAGAIN') {
    const reason = `another process answers there; give each its own ${purpose.setting}`;
    throw refused(path, purpose, reason);
  }
  throw refused(
    path,
    purpose,
    `who answers there can't be found out (${code}); choose another path`,
  );
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

function refused(
  path: string,
  { what }: SocketPurpose,
  reason: string,
  cause?: unknown,
): CarpdError {
  return new CarpdError('CARPD_CONTROL', `open ${what} ${path}`, reason, cause);
}
