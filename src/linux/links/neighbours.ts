// The IPv4 stations that the kernel has spoken with on an interface, from its neighbour table.
import { parseIpv4, type Ipv4 } from '../../base/addresses.ts';
import { readProcTable } from './proc-table.ts';

const TABLE = '/proc/net/arp';
/** Some hundred stations: one that answers is enough. */
const BYTES_MAX = 32_768;
const NEIGHBOURS_MAX = 16;

/** ATF_COM of linux/if_arp.h: its link address is known. */
const COMPLETE = 0x2;

/**
 * Each once, at most sixteen, in the order of the table. What lies behind
 * the first 32 kB of it is not read. Rejects with a CarpdError.
 */
export async function readNeighbours(interfaceName: string): Promise<readonly Ipv4[]> {
  return findNeighbours(await readProcTable(TABLE, BYTES_MAX), interfaceName);
}

/**
 * The same from the text of /proc/net/arp: IP address, HW type, Flags, HW address, Mask, Device
 * (net/ipv4/arp.c, arp_format_neigh_entry).
 */
export function findNeighbours(table: string, interfaceName: string): readonly Ipv4[] {
  const found = new Set<Ipv4>();
  for (const line of table.split('\n').slice(1)) {
    const [text = '', , flags = '', , , name] = line.trim().split(/\s+/);
    if (name !== interfaceName || (Number.parseInt(flags, 16) & COMPLETE) === 0) continue;
    const address = parseIpv4(text);
    if (address !== undefined && found.size < NEIGHBOURS_MAX) found.add(address);
  }
  return [...found];
}
