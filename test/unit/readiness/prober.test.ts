// Whom to ask, and how often.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIpv4, type Ipv4 } from '../../../src/base/addresses.ts';
import { fromMillis } from '../../../src/base/time.ts';
import { Prober, ProbeWishes, type ProbeForm } from '../../../src/readiness/prober.ts';
import { GATEWAY, PEER, VIP } from '../../support/readiness-rig.ts';

const [peer, gateway] = [formatIpv4(PEER), formatIpv4(GATEWAY)];

type Wish = readonly [address: Ipv4, everyMs: number, form?: ProbeForm];

function wishes(...list: readonly Wish[]): ProbeWishes {
  const result = new ProbeWishes();
  for (const [address, everyMs, form = 'ask'] of list) {
    result.add(address, form, fromMillis(everyMs));
  }
  return result;
}

/** Who is asked at each time, in milliseconds, the wishes being the same throughout. */
function asked(list: readonly Wish[], ...times: readonly number[]): readonly string[] {
  const prober = new Prober();
  return times.map((time) => {
    const { addresses, vips } = prober.update(wishes(...list), fromMillis(time));
    return [...addresses.map(formatIpv4), ...vips.map((vip) => `vip ${formatIpv4(vip)}`)].join(' ');
  });
}

describe('a prober', () => {
  it('asks at once, and then once per interval', () => {
    assert.deepEqual(asked([[PEER, 500]], 0, 1, 499, 500, 999, 1_000), [
      peer,
      '',
      '',
      peer,
      '',
      peer,
    ]);
  });

  it('asks each address at its own interval', () => {
    const list: Wish[] = [
      [PEER, 500],
      [GATEWAY, 1_000],
    ];
    assert.deepEqual(asked(list, 0, 500, 1_000), [
      `${peer} ${gateway}`,
      peer,
      `${peer} ${gateway}`,
    ]);
  });

  it('asks once where several want the same, at the shortest interval', () => {
    for (const list of [
      [
        [PEER, 1_000],
        [PEER, 400],
      ],
      [
        [PEER, 400],
        [PEER, 1_000],
      ],
    ] as Wish[][]) {
      assert.deepEqual(asked(list, 0, 400, 799, 800), [peer, peer, '', peer]);
    }
  });

  it('asks for a virtual IP without naming our own address, also if it is a target', () => {
    for (const list of [
      [
        [VIP, 500, 'vip'],
        [VIP, 500],
      ],
      [
        [VIP, 500],
        [VIP, 500, 'vip'],
      ],
    ] as Wish[][]) {
      assert.deepEqual(asked(list, 0), [`vip ${formatIpv4(VIP)}`]);
    }
  });

  it('never asks for what was taken out again', () => {
    const list = wishes([PEER, 500], [GATEWAY, 500]);
    list.remove(GATEWAY);
    assert.deepEqual(new Prober().update(list, fromMillis(0)).addresses, [PEER]);
  });

  it('asks once after a stall', () => {
    assert.deepEqual(asked([[PEER, 500]], 0, 30_000, 30_100, 30_500), [peer, peer, '', peer]);
  });

  it('asks sooner when the interval shrinks', () => {
    const prober = new Prober();
    prober.update(wishes([PEER, 60_000]), fromMillis(0));
    assert.deepEqual(prober.update(wishes([PEER, 500]), fromMillis(100)).addresses, []);
    assert.equal(prober.deadline(), fromMillis(600));
    assert.deepEqual(prober.update(wishes([PEER, 500]), fromMillis(600)).addresses, [PEER]);
  });

  it('does not ask more often because the wish came and went', () => {
    const prober = new Prober();
    prober.update(wishes([PEER, 500]), fromMillis(0));
    prober.update(wishes(), fromMillis(100));
    assert.deepEqual(prober.update(wishes([PEER, 500]), fromMillis(200)).addresses, []);
    assert.deepEqual(prober.update(wishes([PEER, 500]), fromMillis(500)).addresses, [PEER]);
  });

  it('wants to be woken for the next one, and for nothing where nothing is wanted', () => {
    const prober = new Prober();
    assert.equal(prober.deadline(), undefined);
    prober.update(wishes([GATEWAY, 900], [PEER, 500], [VIP, 700, 'vip']), fromMillis(0));
    assert.equal(prober.deadline(), fromMillis(500));
    assert.deepEqual(prober.asking, [GATEWAY, PEER, VIP]);
    prober.update(wishes(), fromMillis(100));
    assert.equal(prober.deadline(), undefined);
    assert.deepEqual(prober.asking, []);
  });

  it('knows whose answer can be one to us', () => {
    const prober = new Prober();
    const was = (ms: number) => prober.wasAsked(PEER, fromMillis(ms));
    assert.equal(was(0), false);
    prober.update(wishes([PEER, 500]), fromMillis(0));
    assert.equal(was(600), true);
    prober.update(wishes(), fromMillis(100));
    assert.equal(was(499), true);
    assert.equal(was(500), false);
    prober.update(wishes(), fromMillis(500));
    assert.equal(was(499), false);
  });
});
