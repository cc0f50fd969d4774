// What the kernel filters of the frame witness let through, each kind of frame in each mode.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { witnessFilter, type WitnessMode } from '../../../src/linux/frame-filter.ts';
import { runFilter } from '../../support/bpf.ts';
import { arpBody, frame, hopByHop, icmp, ipv4, ipv6, STP } from '../../support/frames.ts';
import { OWN_MAC } from '../../support/readiness-rig.ts';

const MODES: readonly WitnessMode[] = ['any-frame', 'adverts', 'arp-replies'];
const ADVERT = ipv4(112);

const passes = (bytes: Uint8Array): readonly WitnessMode[] =>
  MODES.filter((mode) => runFilter(witnessFilter(mode), bytes) > 0);

describe('the filter lets through', () => {
  const table: readonly (readonly [string, Uint8Array, readonly WitnessMode[]])[] = [
    ['an ARP request', frame({ type: 0x0806 }, arpBody(1)), ['any-frame']],
    ['an ARP reply', frame({ type: 0x0806, to: OWN_MAC }, arpBody(2)), MODES],
    ['TCP', frame({ type: 0x0800 }, ipv4(6)), ['any-frame']],
    ['an advert', frame({ type: 0x0800 }, ADVERT), ['any-frame', 'adverts']],
    ['an advert behind a tag', tagged(0x8100, 0x0800, ADVERT), ['any-frame', 'adverts']],
    ['a reply behind a service tag', tagged(0x88a8, 0x0806, arpBody(2)), MODES],
    [
      'an advert behind two tags',
      frame({ type: 0x0800, tags: [0x88a8, 5, 0x8100, 7] }, ADVERT),
      ['any-frame', 'adverts'],
    ],
    ['TCP behind a tag', tagged(0x8100, 0x0800, ipv4(6)), ['any-frame']],
    ['an advert behind three tags', tags3(ADVERT), ['any-frame']],
    ['UDP over IPv6', frame({ type: 0x86dd }, ipv6(17, icmp(0))), ['any-frame']],
  ];
  for (const [what, bytes, modes] of table) {
    it(`${what}: ${modes.join(', ')}`, () => assert.deepEqual(passes(bytes), modes));
  }
});

describe('the filter drops', () => {
  const table: readonly (readonly [string, Uint8Array])[] = [
    ['LACPDU', frame({ to: '01:80:c2:00:00:02', type: 0x8809 }, [1, 1])],
    ['LLDP', frame({ to: '01:80:c2:00:00:0e', type: 0x88cc }, [2, 7])],
    ['STP BPDU', frame({ to: STP, type: 38 }, [0x42, 0x42, 3])],
    ['PVST+', frame({ to: '01:00:0c:cc:cc:cd', type: 50 }, [0xaa, 0xaa, 3])],
    ['CDP', frame({ to: '01:00:0c:cc:cc:cc', type: 60 }, [0xaa, 0xaa, 3])],
    ['802.3x pause', frame({ to: '01:80:c2:00:00:01', type: 0x8808 }, [0, 1])],
    ['a loopback keepalive', frame({ type: 0x9000 }, [0, 0])],
    ['an IGMP report', frame({ type: 0x0800, to: '01:00:5e:00:00:16' }, ipv4(2))],
    ['IP to a link-local group', frame({ to: '01:80:c2:00:00:0f', type: 0x0800 }, ipv4(6))],
    ['ARP from a group address', frame({ from: '01:00:00:00:00:01', type: 0x0806 }, arpBody())],
    ['a frame of one byte', Uint8Array.of(0)],
    ['a header without a body', frame({ type: 0x0800 }, [])],
  ];
  for (const [what, bytes] of table) {
    it(what, () => assert.deepEqual(passes(bytes), []));
  }

  it('not a station that is like a link-local group', () => {
    assert.deepEqual(passes(frame({ to: '01:80:c2:00:00:10', type: 0x0800 }, ipv4(6))), [
      'any-frame',
    ]);
  });

  it('multicast reports of IPv6 are left to the reader of the frame', () => {
    const report = frame({ type: 0x86dd }, ipv6(0, [...hopByHop(58), ...icmp(143)]));
    assert.deepEqual(passes(report), ['any-frame']);
  });
});

function tagged(tag: number, type: number, body: readonly number[]): Uint8Array {
  return frame({ type, tags: [tag, 7] }, body);
}

function tags3(body: readonly number[]): Uint8Array {
  return frame({ type: 0x0800, tags: [0x8100, 1, 0x8100, 2, 0x8100, 3] }, body);
}
