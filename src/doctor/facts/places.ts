// What the doctor reads of files and sockets.
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import type { Config, ListenAddress } from '../../config/config.ts';
import type { FileFacts, PlaceFacts } from '../checks/place-checks.ts';

/** A hook. */
export function readHook(path: string): FileFacts {
  try {
    const { mode, uid } = statSync(path);
    return { path, mode, uid, isFile: statSync(path).isFile(), executable: may(path, 'X_OK') };
  } catch {
    return { path, mode: undefined, uid: 0, isFile: false, executable: false };
  }
}

/** Where a configuration has the daemon listen; `isRunning`: then it has these places already. */
export async function readPlaces(config: Config, isRunning: boolean): Promise<PlaceFacts> {
  const { listen } = config.metrics;
  const { socket } = config.control;
  const { directory } = config.state;
  return {
    controlSocket: socket,
    controlFault: isRunning || socket === undefined ? undefined : socketFault(socket),
    metrics: listen?.text,
    metricsFault: isRunning || listen === undefined ? undefined : await listenFault(listen),
    stateDirectory: directory,
    stateFault: directory === undefined ? undefined : directoryFault(directory),
  };
}

/** Undefined: a daemon could listen there, or one that died has left its socket. */
function socketFault(path: string): string | undefined {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSocket()) return `${path} is no socket`;
  const folder = dirname(path);
  const exists = lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
  const needed = exists ? folder : dirname(folder);
  return may(needed, 'W_OK') ? undefined : `${path}: ${needed} can't be written`;
}

async function listenFault(address: ListenAddress): Promise<string | undefined> {
  if (address.kind === 'unix') return socketFault(address.path);
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address.host, port: address.port, exclusive: true }, resolve);
    });
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    server.close();
  }
}

function directoryFault(path: string): string | undefined {
  const there = statSync(path, { throwIfNoEntry: false });
  // It is made at the start.
  if (there === undefined) return undefined;
  if (!there.isDirectory()) return 'it is no directory';
  return may(path, 'W_OK') ? undefined : "it can't be written";
}

function may(path: string, how: 'W_OK' | 'X_OK'): boolean {
  try {
    accessSync(path, constants[how]);
    return true;
  } catch {
    return false;
  }
}
