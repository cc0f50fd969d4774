// What switches say of themselves, read from their frames; and anything at all, which is read too.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSwitchFrame } from '../../../../src/doctor/checks/switch-frames.ts';
import { bpdu, cdp, lacpdu, lldp } from '../../../support/switch-frames.ts';

describe('LLDP', () => {
  test('names the switch, the port, its VLAN, and whether it is in a channel', () => {
    const fields = { system: 'sw1', port: 'Eth1/7', portName: 'to db1', vlan: 42, aggregation: 3 };
    assert.deepEqual(readSwitchFrame(lldp(fields)), {
      kind: 'lldp',
      system: 'sw1',
      port: 'Eth1/7 (to db1)',
      vlan: 42,
      aggregated: true,
    });
    const apart = readSwitchFrame(lldp({ port: '7', aggregation: 1 }));
    assert.deepEqual(apart, {
      kind: 'lldp',
      system: '02:00:00:00:ee:01',
      port: '7',
      vlan: undefined,
      aggregated: false,
    });
  });

  test('shows no more of a name than a terminal can', () => {
    const found = readSwitchFrame(lldp({ system: 'a\u001b[2Jb', port: 'p'.repeat(300) }));
    assert.ok(found?.kind === 'lldp', 'LLDP');
    assert.equal(found.system, 'a.[2Jb');
    assert.equal(found.port.length, 64);
  });
});

test('CDP names the device and the port', () => {
  const expected = { kind: 'cdp', system: 'sw2.example', port: 'Gi0/3' };
  assert.deepEqual(readSwitchFrame(cdp('sw2.example', 'Gi0/3')), expected);
});

describe('a BPDU', () => {
  const common = { kind: 'bpdu', bridge: '32769.02:00:00:00:00:02', port: '8007' };

  test('of plain spanning tree says how long a port waits, not what it does', () => {
    const expected = { ...common, forwardDelayS: 15, forwarding: undefined };
    assert.deepEqual(readSwitchFrame(bpdu()), expected);
    assert.deepEqual(readSwitchFrame(bpdu({ pvst: true })), expected);
  });

  test('of the rapid one says whether the port forwards', () => {
    const of = (flags: number) => readSwitchFrame(bpdu({ flags }));
    assert.deepEqual(of(0x3c), { ...common, forwardDelayS: 15, forwarding: true });
    assert.deepEqual(of(0x0e), { ...common, forwardDelayS: 15, forwarding: false });
  });
});

test('an LACPDU names the system, and what it says of its port', () => {
  const expected = { kind: 'lacp', system: '02:00:00:00:ee:01', state: 0x3d };
  assert.deepEqual(readSwitchFrame(lacpdu(0x3d)), expected);
});

describe('other bytes', () => {
  test('of a frame behind a VLAN tag are read as without it', () => {
    const plain = lldp({ port: '7' });
    const tag = [0x81, 0, 0, 9];
    const tagged = Uint8Array.from([...plain.subarray(0, 12), ...tag, ...plain.subarray(12)]);
    assert.deepEqual(readSwitchFrame(tagged), readSwitchFrame(plain));
  });

  test('are read at every length, and with any byte changed', () => {
    const frames = [lldp({ system: 's', port: '7', vlan: 9 }), cdp('d', 'p'), bpdu(), lacpdu(1)];
    for (const frame of frames) {
      for (let length = 0; length <= frame.length; length += 1) {
        readSwitchFrame(frame.subarray(0, length));
      }
      for (let at = 0; at < frame.length; at += 1) {
        for (const byte of [0, 1, 0x7f, 0x80, 0xff]) readSwitchFrame(frame.with(at, byte));
      }
    }
  });

  test('that are no word of a switch are none', () => {
    assert.equal(readSwitchFrame(Uint8Array.of()), undefined);
    assert.equal(readSwitchFrame(new Uint8Array(60).fill(0xff)), undefined);
    assert.equal(readSwitchFrame(new Uint8Array(60)), undefined);
  });
});
