// How often each kind of line may stand in the log. Every kind has a limit, for each instance,
// interface or the daemon on its own; none can be got round from the network, whatever addresses
// its packets bear.
import { fromSeconds } from '../base/time.ts';
import type { LogEventName } from './line-names.ts';
import type { LogLine } from './log-line.ts';
import type { Quota } from './line-quota.ts';

/** For every kind that is not named below, those of later versions included. */
export const DEFAULT_QUOTA: Quota = { burst: 10, refill: fromSeconds(20) };

/** Kinds that come in numbers when all is well, or that the network can cause at will. */
export const QUOTAS: Readonly<Partial<Record<LogEventName, Quota>>> = {
  // Each reason has its own, so that noise does not hide a wrong passphrase.
  'packet-dropped': { burst: 3, refill: fromSeconds(20) },
  // A reader of hooks wants all that one run says, which is 200 lines at most.
  'hook-output': { burst: 250, refill: fromSeconds(1) },
  // Somebody asked for it.
  state: { burst: 60, refill: fromSeconds(1) },
  // One for each fault of a configuration that may name a thousand instances.
  'configuration-warning': { burst: 1_000, refill: fromSeconds(1) },
};

/** The quota of a line; undefined: it is always told. */
export function quotaOf({ level, event, unlimited }: LogLine): Quota | undefined {
  if (level === 'fatal' || unlimited === true) return undefined;
  return QUOTAS[event] ?? DEFAULT_QUOTA;
}

/** What shares a quota: the kind of the line, and whose it is. */
export function quotaKey({ event, kind = '' }: LogLine, owner: string): string {
  return `${event} ${kind} ${owner}`;
}
