// Reads configuration values that are lists: each entry by its own reader, all faults in one
// sentence. Pure.
import { fail, ok } from '../base/result.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { ProbeTarget } from './config.ts';
import { hostAddress, interfaceName, show, type Read, type Reader } from './values.ts';

/**
 * More would be no failover group, and each address is asked by ARP on its own, several times a
 * second.
 */
const ENTRIES_MAX = 32;

/** A list of host addresses, each once. */
export function addresses(value: unknown): Read<readonly Ipv4[]> {
  return listOf(hostAddress, 'write it such as [10.9.0.20]')(value);
}

/** A list of host addresses and the word "gateway", each once. */
export function probeTargets(value: unknown): Read<readonly ProbeTarget[]> {
  return listOf(probeTarget, 'write it such as [gateway, 10.9.0.20]')(value);
}

/** "auto" or a list of at least one interface name. */
export function uplinks(value: unknown): Read<'auto' | readonly string[]> {
  if (value === 'auto') return ok(value);
  const names = listOf(interfaceName, 'write auto, or names such as [bond0]')(value);
  if (names.ok && names.value.length === 0) {
    return fail('is empty, so that nothing could prove the link; write auto, or [bond0]');
  }
  return names;
}

function probeTarget(value: unknown): Read<ProbeTarget> {
  if (value === 'gateway') return ok(value);
  const address = hostAddress(value);
  return address.ok ? address : fail(`${address.reason}, or the word gateway`);
}

/** A list of at most 32 values, no two of them the same. */
function listOf<Value>(read: Reader<Value>, remedy: string): Reader<readonly Value[]> {
  return (value) => {
    if (!Array.isArray(value)) return fail(`${show(value)} is not a list; ${remedy}`);
    if (value.length > ENTRIES_MAX) {
      return fail(`has more than ${String(ENTRIES_MAX)} entries; leave some out`);
    }
    const list: Value[] = [];
    const problems = new Set<string>();
    for (const raw of value as readonly unknown[]) {
      const one = read(raw);
      if (!one.ok) problems.add(one.reason);
      else if (list.includes(one.value)) problems.add(`${show(raw)} is there twice; take one out`);
      else list.push(one.value);
    }
    return problems.size === 0 ? ok(list) : fail([...problems].join('; '));
  };
}
