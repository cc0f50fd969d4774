// The setting promote_secondaries of an interface: whether the kernel keeps the other addresses of
// a prefix when the first of them is deleted. It is set by rtnetlink, for which CAP_NET_ADMIN is
// enough: under the systemd unit /proc/sys can only be read.
import { readFileSync } from 'node:fs';
import { native } from '../sockets/native.ts';
import { readNetlink } from './netlink.ts';
import { setLinkConf } from './netlink-requests.ts';

/** IPV4_DEVCONF_PROMOTE_SECONDARIES of linux/ip.h. */
const PROMOTE_SECONDARIES = 20;

export const secondaryPromotion = {
  /** Undefined: it can't be read. */
  inForce: ({ name }: { readonly name: string }): boolean | undefined => {
    // Either of the two is enough (IN_DEV_ORCONF).
    const values = ['all', name].map(readSetting);
    if (values.includes('1')) return true;
    return values.includes(undefined) ? undefined : false;
  },
  /** Resolves to whether it is set so now. */
  set: ({ ifindex }: { readonly ifindex: number }, on: boolean): Promise<boolean> =>
    new Promise((resolve) => {
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
    }),
};

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
