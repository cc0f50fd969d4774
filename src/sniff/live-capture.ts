// A live capture of protocol 112 on an interface, as packets like those of a capture file.
import { messageOf } from '../base/errors.ts';
import { openLinkWatch } from '../linux/links/link-watch.ts';
import { readPrivileges } from '../linux/system/privileges.ts';
import { openAdvertCapture } from '../linux/sockets/advert-capture.ts';
import type { CapturedPacket } from './pcap.ts';

export interface LiveCaptureOptions {
  readonly interfaceName: string;
  readonly onPacket: (packet: CapturedPacket) => void;
  /** Reading failed, as where the interface went down; it goes on when that is over. */
  readonly onError: (reason: string) => void;
}

const MAC_BYTES = 12;
const TAG_TYPE = [0x81, 0x00] as const;

/** Listens until it is closed by what it resolves to; rejects with what to do about it. */
export async function openLiveCapture(options: LiveCaptureOptions): Promise<() => void> {
  const { interfaceName, onPacket, onError } = options;
  if (readPrivileges().missing.includes('CAP_NET_RAW')) {
    throw new Error('listening on an interface needs root, or CAP_NET_RAW');
  }
  const ifindex = await indexOf(interfaceName);
  return openAdvertCapture({
    ifindex,
    onFrame: ({ bytes, vlan, truncated }) => {
      onPacket({
        timeUs: Date.now() * 1_000,
        linkType: 'ethernet',
        bytes: vlan === undefined ? bytes : tagged(bytes, vlan),
        isCut: truncated,
      });
    },
    onError: (error) => onError(messageOf(error)),
  });
}

async function indexOf(interfaceName: string): Promise<number> {
  const links = await openLinkWatch({ onChange: () => undefined, onError: () => undefined });
  const link = links.find(interfaceName);
  const names = [...links.all()].map(({ name }) => name).join(', ');
  links.close();
  if (link !== undefined) return link.ifindex;
  throw new Error(`there is no interface ${interfaceName}; there are: ${names}`);
}

/** Puts back the tag that the kernel took out of the bytes. */
export function tagged(bytes: Uint8Array, vlan: number): Uint8Array {
  const tag = [...TAG_TYPE, vlan >>> 8, vlan & 0xff];
  return Uint8Array.from([...bytes.subarray(0, MAC_BYTES), ...tag, ...bytes.subarray(MAC_BYTES)]);
}
