// Two carpd and a stock ucarp on one segment: whichever dies, leaves or comes back, one of the
// living serves, and after every change the address is on one host only. Needs root, namespaces and
// /usr/sbin/ucarp.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { soleMaster, type Peer, type PeerOptions } from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually, sparsely, throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
/** ucarp polls once a second and hears a second late; elections may need two rounds of that. */
const ELECTION_MS = 20_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('two carpd and a ucarp', { skip, concurrency: true }, () => {
  test('have one master, whichever of them is killed, until none is left', async (t) => {
    const three = await Three.start(t, [0, 50, 100]);
    for (const left of [2, 1, 0]) {
      const master = await three.settle();
      await master.kill();
      three.forget(master);
      equal(three.living().length, left);
    }
    await three.startAll();
    await three.settle();
  });

  test('have one master, whichever of them is killed and comes back', async (t) => {
    const three = await Three.start(t, [0, 50, 100]);
    for (const which of ['first', 'second', 'third']) {
      const master = await three.settle();
      await master.kill();
      three.forget(master);
      const heir = await three.settle();
      await three.startOn(master.host);
      equal(await three.settle(), heir, `the ${which} that came back leaves the master alone`);
    }
  });

  test('have one master, whichever of them leaves in good order', async (t) => {
    const three = await Three.start(t, [0, 50, 100]);
    const served = new Set<Host>();
    for (const which of ['first', 'second', 'third']) {
      const master = await three.settle();
      served.add(master.host);
      equal((await master.stop()).code, 0);
      three.forget(master);
      deepEqual(await whoHolds([master.host], VIP), [], 'nothing is left on the host it left');
      const heir = await three.settle();
      await three.startOn(master.host);
      equal(await three.settle(), heir, `the ${which} that came back leaves the master alone`);
    }
    ok(served.size >= 2);
  });

  test('agree on one of them with equal settings', async (t) => {
    const three = await Three.start(t, [0, 0, 0]);
    const master = await three.settle();
    await master.kill();
    three.forget(master);
    await three.settle();
  });
});

/** The three hosts and who is alive on them. */
class Three {
  readonly #lab: Lab;
  readonly #starts: Map<Host, () => Peer>;
  readonly #living = new Map<Host, Peer>();

  private constructor(lab: Lab, starts: Map<Host, () => Peer>) {
    this.#lab = lab;
    this.#starts = starts;
  }

  /** The last of the three is ucarp. */
  static async start(t: TestContext, skews: readonly [number, number, number]): Promise<Three> {
    const lab = await Lab.create(t);
    const [a, b, c] = await Promise.all([
      lab.host('a', '10.77.0.1/24', { mac: '02:00:00:00:00:0a' }),
      lab.host('b', '10.77.0.2/24', { mac: '02:00:00:00:00:0b' }),
      lab.host('c', '10.77.0.3/24', { mac: '02:00:00:00:00:0c' }),
    ]);
    const with_ = (advskew: number): PeerOptions => ({ ...GROUP, advskew });
    const three = new Three(
      lab,
      new Map([
        [a, () => startCarpd(a, with_(skews[0]))],
        [b, () => startCarpd(b, with_(skews[1]))],
        [c, () => startUcarp(c, with_(skews[2]))],
      ]),
    );
    await three.startAll();
    return three;
  }

  living(): readonly Peer[] {
    return [...this.#living.values()];
  }

  async startAll(): Promise<void> {
    for (const host of this.#starts.keys()) await this.startOn(host);
  }

  async startOn(host: Host): Promise<void> {
    const peer = this.#starts.get(host)?.();
    if (peer === undefined) throw new Error(`${host.name} is none of the three`);
    this.#living.set(host, peer);
    await peer.child.until(() => peer.state() !== undefined || undefined, 'a state', 15_000);
  }

  forget(peer: Peer): void {
    this.#living.delete(peer.host);
  }

  /**
   * Waits for one master that stays the only one, whose host alone among those of the living has
   * the address, for a second. (On the host of a killed node the kernel keeps it.)
   */
  async settle(): Promise<Peer> {
    const peers = this.living();
    const hosts = peers.map(({ host }) => host);
    const master = await soleMaster(peers, ELECTION_MS, 2_000);
    const detail = (): string => this.#lab.report();
    const alone = async (): Promise<boolean> => {
      const holders = await whoHolds(hosts, VIP);
      return holders.length === 1 && holders[0] === master.host;
    };
    const what = `only ${master.kind} on ${master.host.name} has the address`;
    await eventually(alone, { withinMs: 15_000, what, detail });
    await throughout(sparsely(250, alone), { forMs: 1_000, what, detail });
    return master;
  }
}
