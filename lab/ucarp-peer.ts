// The stock ucarp as a peer: the reference that carpd has to get along with.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { OutputLine } from './child.ts';
import { fromWallMs } from './clock.ts';
import { makeHooks } from './hooks.ts';
import type { Host } from './host.ts';
import { LoggedPeer, type Peer, type Transition } from './peer.ts';
import { ucarpArgv, type UcarpOptions } from './ucarp-argv.ts';

const UCARP = '/usr/sbin/ucarp';

/** Why stock ucarp can't take part, for the `skip` option of node:test; false if it can. */
export function ucarpSkipReason(): string | false {
  return existsSync(UCARP) ? false : `${UCARP} is not installed`;
}

/** Starts stock ucarp on the host. It is BACKUP at once, and MASTER after its master-down time. */
export function startUcarp(host: Host, options: UcarpOptions): Peer {
  const hooks = makeHooks(host.directory, options.hooksMoveAddress ?? true);
  // stdbuf: ucarp writes INFO (the answer to SIGUSR1) through stdio and leaves without a flush.
  const argv = ['stdbuf', '-oL', UCARP, ...ucarpArgv(host, options, hooks)];
  const label = `ucarp on ${host.name}`;
  const child = host.spawn(argv, { label, env: { TZ: 'UTC' }, cwd: tmpdir() });
  const { vip } = options;
  return new LoggedPeer({ host, kind: 'ucarp', child, vip, hookFile: hooks.eventFile }, readUcarp);
}

/** Reads "2026-11-23T02:20:32.746990: [WARNING] Switching to state: BACKUP", in UTC. */
function readUcarp({ text }: OutputLine): Transition | undefined {
  const found = /^(\S+)\.(\d{6}): \[\w+\] Switching to state: (BACKUP|MASTER)$/.exec(text);
  if (found === null) return undefined;
  const [, second = '', fraction = '', state] = found;
  const wallMs = Date.parse(`${second}Z`) + Number(fraction) / 1000;
  return { atMs: fromWallMs(wallMs), to: state === 'MASTER' ? 'MASTER' : 'BACKUP' };
}
