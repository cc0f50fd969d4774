// The IPv4 gateways behind an interface, from the kernel's routing table as text; nothing is
// spawned.
import { open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { CarpdError, messageOf } from '../base/errors.ts';

/** The main table of this network namespace. */
const ROUTES = '/proc/net/route';
/** About 8,000 routes; those without a prefix come first. */
const BYTES_MAX = 1_048_576;
const GATEWAYS_MAX = 8;

const COLUMNS = { name: 0, gateway: 2, flags: 3 } as const;
const RTF_UP = 0x1;
const RTF_GATEWAY = 0x2;
const RTF_REJECT = 0x200;

/**
 * The next hops of the routes through the interface, as dotted quads, each once, at most 8, those
 * of the default routes first. Empty where there are none, or no such interface. Rejects with a
 * CarpdError if the table can't be read.
 *
 * Not seen are routes outside the main table (of a VRF or by rules), routes by an IPv6 next hop,
 * and of a route with several next hops all but the first; of a table with more than about 8,000
 * routes only the first megabyte is read.
 */
export async function readGateways(
  interfaceName: string,
  file: string = ROUTES,
): Promise<readonly string[]> {
  try {
    return gatewaysOf(await readStart(file), interfaceName);
  } catch (error) {
    const reason = `${messageOf(error)}; mount /proc, or give addresses in place of "gateway"`;
    throw new CarpdError('CARPD_INTERFACE', `find the gateways of ${interfaceName}`, reason, error);
  }
}

/** The same from the table's text. Total: a line that is not understood is passed over. */
export function gatewaysOf(table: string, interfaceName: string): readonly string[] {
  const gateways = new Set<string>();
  // The first line is the heading, and what follows the last end of a line may be cut short.
  for (const line of table.split('\n').slice(1, -1)) {
    const columns = line.trimEnd().split(/\s+/);
    if (columns[COLUMNS.name] !== interfaceName) continue;
    const flags = readHex(columns[COLUMNS.flags], 4) ?? 0;
    const address = readHex(columns[COLUMNS.gateway], 8) ?? 0;
    const usable = (flags & RTF_UP) !== 0 && (flags & RTF_GATEWAY) !== 0;
    if (!usable || (flags & RTF_REJECT) !== 0 || address === 0) continue;
    gateways.add(dottedQuad(address));
    if (gateways.size === GATEWAYS_MAX) break;
  }
  return [...gateways];
}

/** The text at the beginning of a file, up to the bound. */
async function readStart(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(BYTES_MAX);
    let length = 0;
    while (length < BYTES_MAX) {
      const { bytesRead } = await handle.read(buffer, length, BYTES_MAX - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.toString('latin1', 0, length);
  } finally {
    await handle.close();
  }
}

/** A field of so many hexadecimal digits at most; undefined for everything else. */
function readHex(field: string | undefined, digits: number): number | undefined {
  if (field === undefined || field.length > digits || !/^[0-9a-f]+$/i.test(field)) return undefined;
  return Number.parseInt(field, 16);
}

/** The kernel prints the four bytes of an address as a number of the machine's own byte order. */
function dottedQuad(address: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff);
  return (endianness() === 'LE' ? bytes.reverse() : bytes).join('.');
}
