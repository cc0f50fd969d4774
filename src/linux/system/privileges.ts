// Whether this process may do what carpd does: raw and packet sockets, and `ip` as a child.
import { readFileSync } from 'node:fs';

/** The two capabilities carpd needs (linux/capability.h). */
const NEEDED = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 } as const;

export type CapabilityName = keyof typeof NEEDED;

/** What is missing, for this process and for its children. */
export interface Privileges {
  /** Not effective in this process: sockets can't be opened. */
  readonly missing: readonly CapabilityName[];
  /** Not passed on to a child that is no root process: `ip` and the hooks can't act. */
  readonly missingInChildren: readonly CapabilityName[];
}

/** Judges /proc/self/status. */
export function readPrivileges(): Privileges {
  return judgePrivileges(readFileSync('/proc/self/status', 'utf8'));
}

/** Judges the text of /proc/PID/status; a field that is absent counts as no capability. */
export function judgePrivileges(status: string): Privileges {
  const effective = readSet(status, 'CapEff');
  const ambient = readSet(status, 'CapAmb');
  const bounding = readSet(status, 'CapBnd');
  // A child of root gets the bounding set, another child only what is ambient.
  const isRoot = /^Uid:\s+\d+\s+0\s/m.test(status);
  const names = Object.keys(NEEDED).filter(isCapability);
  const lacks = (set: bigint) => (name: CapabilityName) =>
    ((set >> BigInt(NEEDED[name])) & 1n) === 0n;
  return {
    missing: names.filter(lacks(effective)),
    missingInChildren: names.filter(lacks(isRoot ? bounding : ambient)),
  };
}

function readSet(status: string, field: string): bigint {
  const digits = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
  return digits === undefined ? 0n : BigInt(`0x${digits}`);
}

function isCapability(name: string): name is CapabilityName {
  return name in NEEDED;
}
