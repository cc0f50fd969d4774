// What a service manager says in the environment of where things are: directories of the service's
// own, and credentials (systemd.exec(5), RuntimeDirectory= and LoadCredential=).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { credentialName, FileRefusal } from './passphrase.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What stands for a key that the file does not give, by the path of the key. */
export type Fallbacks = Readonly<Record<string, string>>;

/**
 * Defaults of a service with directories of its own, so that several daemons on a host do not meet.
 * A port can't be derived like that; units name a place for the metrics by CARPD_METRICS_LISTEN.
 */
export function serviceFallbacks(env: Environment): Fallbacks {
  const runtime = runtimeDirectory(env);
  const state = firstDirectory(env['STATE_DIRECTORY']);
  const metrics = env['CARPD_METRICS_LISTEN'] ?? '';
  return {
    ...(runtime === undefined ? {} : { 'control.socket': join(runtime, 'control.sock') }),
    ...(state === undefined ? {} : { 'state.directory': state }),
    ...(metrics === '' ? {} : { 'metrics.listen': metrics }),
  };
}

/** Where a service keeps what ends with it; undefined: it has no such directory of its own. */
export function runtimeDirectory(env: Environment): string | undefined {
  return firstDirectory(env['RUNTIME_DIRECTORY']);
}

/** The file behind a path of the configuration: "credential:NAME" is one that systemd provides. */
export function fileBehind(path: string, env: Environment): string {
  const name = credentialName(path);
  if (name === undefined) return path;
  const directory = env['CREDENTIALS_DIRECTORY'] ?? '';
  const remedy = 'give it by LoadCredential=NAME:FILE in its unit';
  if (directory === '') {
    throw new FileRefusal(`systemd provides no credentials to this process; ${remedy}`);
  }
  const file = join(directory, name);
  if (!existsSync(file)) throw new FileRefusal(`systemd provides no such credential; ${remedy}`);
  return file;
}

/** systemd names several in one variable, with colons between them. */
function firstDirectory(paths = ''): string | undefined {
  const [first = ''] = paths.split(':');
  return first.startsWith('/') ? first : undefined;
}
