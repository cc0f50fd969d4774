// What a port that forwards nothing emits all the same, and a way to put it on a host's link.
import { fileURLToPath } from 'node:url';
import type { Host } from '../../lab/host.ts';
import type { Lab } from '../../lab/namespaces.ts';
import { arpBody, frame, hopByHop, icmp, ipv4, ipv6, NO_IPV6 } from '../support/frames.ts';

const NOISE = fileURLToPath(new URL('../../lab/noise.py', import.meta.url));
const SWITCH_MAC = '02:00:00:00:ee:01';

const from = SWITCH_MAC;
const padded = (bytes: readonly number[]): number[] => [...bytes, ...Array<number>(46).fill(0)];
/** Frames that prove nothing, by the name of their kind; `own` is the MAC of the host. */
export const NOISE_KINDS: Readonly<Record<string, (own: string) => Uint8Array>> = {
  lacpdu: () => frame({ from, to: '01:80:c2:00:00:02', type: 0x8809 }, padded([1, 1])),
  lldp: () => frame({ from, to: '01:80:c2:00:00:0e', type: 0x88cc }, padded([2, 7])),
  bpdu: () => frame({ from, to: '01:80:c2:00:00:00', type: 38 }, padded([0x42, 0x42, 3])),
  pvst: () => frame({ from, to: '01:00:0c:cc:cc:cd', type: 50 }, padded([0xaa, 0xaa, 3])),
  cdp: () => frame({ from, to: '01:00:0c:cc:cc:cc', type: 50 }, padded([0xaa, 0xaa, 3])),
  pause: () => frame({ from, to: '01:80:c2:00:00:01', type: 0x8808 }, padded([0, 1])),
  keepalive: () => frame({ from, to: from, type: 0x9000 }, padded([0, 0])),
  igmp: () => frame({ from, to: '01:00:5e:00:00:16', type: 0x0800 }, padded(ipv4(2))),
  mld: () =>
    frame(
      { from, to: '33:33:00:00:00:16', type: 0x86dd },
      ipv6(0, [...hopByHop(58), ...icmp(143)]),
    ),
  solicitation: () => frame({ from, type: 0x86dd }, ipv6(58, icmp(133))),
  nobody: () => frame({ from, type: 0x86dd }, ipv6(58, icmp(135), NO_IPV6)),
  reflected: (own) => frame({ from: own, type: 0x0806 }, padded(arpBody(1, own))),
  vlan: () => frame({ from, tags: [0x8100, 9], type: 0x0806 }, padded(arpBody())),
};

/** The ARP request of a station: the one frame here that proves the link. */
export const STATION_ASKS = frame({ from, type: 0x0806 }, padded(arpBody()));

/** Every kind named, again and again, until the lab is closed. */
export function makeNoise(lab: Lab, host: Host, kinds: readonly string[]): void {
  send(
    lab,
    host,
    kinds.flatMap((kind) => NOISE_KINDS[kind]?.(host.mac) ?? []),
  );
}

/** Out of the switch's port, again and again, past the bridge that forwards nothing to it. */
export function send(lab: Lab, host: Host, frames: readonly Uint8Array[]): void {
  const words = frames.map((bytes) => Buffer.from(bytes).toString('hex'));
  lab.switch.spawn(['python3', NOISE, `p-${host.name}`, ...words], { label: 'noise' });
}
