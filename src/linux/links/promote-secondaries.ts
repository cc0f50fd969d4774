// The setting promote_secondaries of an interface: whether the kernel keeps the other addresses of
// a prefix when the first of them is deleted. It is set by rtnetlink, for which CAP_NET_ADMIN is
// enough: under the systemd unit /proc/sys can only be read.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTurnTaken, takeTurn } from '../sockets/group-lock.ts';
import { native } from '../sockets/native.ts';
import { readNetlink } from './netlink.ts';
import { setLinkConf } from './netlink-requests.ts';

/** IPV4_DEVCONF_PROMOTE_SECONDARIES of linux/ip.h. */
const PROMOTE_SECONDARIES = 20;

/** So long another daemon may have an address to delete. */
const TURN_MS_MAX = 3_000;
const LOOK_MS = 10;

/** The turns that this process has, by the index of the interface. */
const turns = new Map<number, { release(): void }>();

/**
 * Two daemons may have it set on one interface for a moment: each in its turn, or the one that is
 * done first would take it from the other.
 */
export const secondaryPromotion = {
  /** Undefined: it can't be read. What another daemon has set for a moment does not count. */
  inForce: ({ name, ifindex }: Setting): boolean | undefined => {
    if (isTurnTaken(turnOf(ifindex))) return false;
    // Either of the two is enough (IN_DEV_ORCONF).
    const values = ['all', name].map(readSetting);
    if (values.includes('1')) return true;
    return values.includes(undefined) ? undefined : false;
  },
  /** Resolves to whether it is set so now. */
  set: async ({ ifindex }: Pick<Setting, 'ifindex'>, on: boolean): Promise<boolean> => {
    if (on) await waitForTurn(ifindex);
    const done = await write(ifindex, on);
    if (!on || !done) endTurn(ifindex);
    return done;
  },
};

interface Setting {
  readonly name: string;
  readonly ifindex: number;
}

function turnOf(ifindex: number): string {
  return `carpd/${ifindex}/promoting`;
}

async function waitForTurn(ifindex: number): Promise<void> {
  if (turns.has(ifindex)) return;
  for (let waitedMs = 0; waitedMs < TURN_MS_MAX; waitedMs += LOOK_MS) {
    const turn = takeTurn(turnOf(ifindex));
    if (turn !== undefined) {
      turns.set(ifindex, turn);
      return;
    }
    await sleep(LOOK_MS);
  }
}

function endTurn(ifindex: number): void {
  turns.get(ifindex)?.release();
  turns.delete(ifindex);
}

function write(ifindex: number, on: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    let fd: number;
    try {
      fd = native().openNetlink(0);
    } catch {
      resolve(false);
      return;
    }
    const finish = (sent: boolean): void => {
      const done = sent && wasAccepted(fd);
      native().close(fd);
      resolve(done);
    };
    try {
      const request = setLinkConf(ifindex, PROMOTE_SECONDARIES, on ? 1 : 0);
      native().request(fd, request, (error) => finish(error === undefined));
    } catch {
      finish(false);
    }
  });
}

function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/net/ipv4/conf/${name}/promote_secondaries`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The kernel has answered by the time a request is sent. */
function wasAccepted(fd: number): boolean {
  try {
    const answer = native().receive(fd);
    return answer !== undefined && !readNetlink(answer.bytes).some(({ kind }) => kind === 'error');
  } catch {
    return false;
  }
}
