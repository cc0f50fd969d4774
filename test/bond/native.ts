// Whether this machine has bonding of its own, and what else the bond lab needs.
import { run } from '../../lab/command.ts';
import { labSkipReason } from '../../lab/namespaces.ts';

const TRY = `
modprobe -q bonding 2>/dev/null || :
exec unshare --net sh -c 'ip link add carpdprobe0 type bond mode 802.3ad'`;

/**
 * Whether the kernel makes bonds; tried in a network namespace of its own, which leaves nothing.
 */
export async function hasBonding(): Promise<boolean> {
  try {
    await run(['sh', '-c', TRY]);
    return true;
  } catch {
    return false;
  }
}

/** Why a bond test can't run here, for the `skip` option of node:test; false if it can. */
export async function bondSkipReason(): Promise<string | false> {
  const reason = await labSkipReason();
  if (reason !== false) return reason;
  if (await hasBonding()) return false;
  return 'the kernel has no bonding: run it with "npm run test:bond", which boots one that has';
}
