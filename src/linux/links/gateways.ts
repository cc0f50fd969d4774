// The IPv4 next hops that are reached through an interface, from the main routing table.
import { ipv4, type Ipv4 } from '../../base/addresses.ts';
import { readProcTable } from './proc-table.ts';

const TABLE = '/proc/net/route';
/** A host with a full table of the Internet has other means to watch its gateways. */
const BYTES_MAX = 1_048_576;
const GATEWAYS_MAX = 8;

/** RTF_UP and RTF_GATEWAY of linux/route.h. */
const WANTED_FLAGS = 0x3;

/**
 * Each once, at most eight, in the order of the table. Other tables than
 * main are not read, nor what lies behind its first megabyte. Rejects with a CarpdError.
 */
export async function readGateways(interfaceName: string): Promise<readonly Ipv4[]> {
  return findGateways(await readProcTable(TABLE, BYTES_MAX), interfaceName);
}

/**
 * The same from the text of /proc/net/route: Iface, Destination, Gateway, Flags and more, addresses
 * as hexadecimal numbers in this machine's byte order (net/ipv4/fib_trie.c, fib_route_seq_show).
 */
export function findGateways(table: string, interfaceName: string): readonly Ipv4[] {
  const found = new Set<Ipv4>();
  for (const line of table.split('\n').slice(1)) {
    const [name, , gateway = '', flags = ''] = line.trim().split(/\s+/);
    if (name !== interfaceName || !/^[0-9A-F]{8}$/i.test(gateway)) continue;
    if ((Number.parseInt(flags, 16) & WANTED_FLAGS) !== WANTED_FLAGS) continue;
    if (found.size < GATEWAYS_MAX) found.add(addressOf(gateway));
  }
  return [...found];
}

function addressOf(text: string): Ipv4 {
  const inOrderOfMachine = new Uint32Array([Number.parseInt(text, 16)]);
  return ipv4(new DataView(inOrderOfMachine.buffer).getUint32(0));
}
