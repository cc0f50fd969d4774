// Which interface the kernel would answer a host through, from the main routing table: where that
// is another one, strict reverse path filtering (rp_filter 1) drops what the host sends here.
import { readFileSync } from 'node:fs';

/** Of /proc/net/route; a full table of the Internet is not read to its end. */
const BYTES_MAX = 1_048_576;
const RTF_UP = 0x1;

/** Whether rp_filter 1 is in force on an interface; undefined: it can't be read. */
export function filtersStrictly(interfaceName: string): boolean | undefined {
  const values = ['all', interfaceName].map((place) => {
    const text = readText(`/proc/sys/net/ipv4/conf/${place}/rp_filter`);
    return text === undefined ? undefined : Number.parseInt(text, 10);
  });
  const known = values.filter((value) => value !== undefined);
  // The kernel takes the higher one (ip-sysctl): 2 is the loose kind.
  return known.length === 0 ? undefined : Math.max(...known) === 1;
}

/** The interface on the way to an IPv4 address, by the main table as it is now. */
export function wayBackTo(address: number): string | undefined {
  const table = readText('/proc/net/route');
  return table === undefined ? undefined : findWay(table.slice(0, BYTES_MAX), address);
}

/** The same from the text of /proc/net/route; of equal prefixes the lowest metric wins. */
export function findWay(table: string, address: number): string | undefined {
  let best: { readonly name: string; readonly mask: number; readonly metric: number } | undefined;
  for (const line of table.split('\n').slice(1)) {
    const [name = '', target = '', , flags = '', , , metricText = '', maskText = ''] = line
      .trim()
      .split(/\s+/);
    const mask = fromHex(maskText);
    if (name === '' || (Number.parseInt(flags, 16) & RTF_UP) === 0) continue;
    if ((address & mask) >>> 0 !== fromHex(target)) continue;
    const metric = Number.parseInt(metricText, 10);
    const isBetter =
      best === undefined || mask > best.mask || (mask === best.mask && metric < best.metric);
    if (isBetter) best = { name, mask, metric };
  }
  return best?.name;
}

/** A hexadecimal number in this machine's byte order, as an IPv4 address. */
function fromHex(text: string): number {
  const bytes = new Uint8Array(new Uint32Array([Number.parseInt(text, 16)]).buffer);
  return new DataView(bytes.buffer).getUint32(0);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
