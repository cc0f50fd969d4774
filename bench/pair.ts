// Two nodes of one group, carpd or stock ucarp each, whose master is ended again and again: who is
// master, when both have settled, and the next life of the one that was ended.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Capture } from '../lab/capture.ts';
import { startCarpd } from '../lab/carpd-peer.ts';
import { fromWallMs } from '../lab/clock.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/namespaces.ts';
import { soleMaster, type Peer, type PeerOptions } from '../lab/peer.ts';
import { startUcarp } from '../lab/ucarp-peer.ts';

export type Program = 'carpd' | 'ucarp';

/** The gate's policy, of carpd only. */
export type Gate = 'hold' | 'off';

/**
 * The group every bench runs, with ucarp's default timers (advbase 1, advskew 0, dead ratio 3), and
 * carpd as it is by default: with its gate.
 */
export const GROUP = { vhid: 7, vip: '10.77.0.100', password: 'bench', gate: 'hold' } as const;

/** As carpd is deployed: the lab's own default would log every packet. */
export const CARPD_SETTINGS = { log: { level: 'info', format: 'json' } } as const;

/** Milliseconds between two adverts of a master with advskew 0. */
const INTERVAL_MS = 1_000;
const WAIT_MS = 15_000;

/** A host and the program that plays the node on it now. */
export interface Member {
  readonly program: Program;
  readonly host: Host;
  readonly peer: Peer;
}

/** A lab with a group of two and a client; closed with `lab.close()`. */
export class Pair {
  readonly lab: Lab;
  readonly client: Host;
  readonly #gate: Gate;
  #master: Member;
  #backup: Member;

  private constructor(lab: Lab, client: Host, master: Member, backup: Member, gate: Gate) {
    this.#gate = gate;
    this.lab = lab;
    this.client = client;
    this.#master = master;
    this.#backup = backup;
  }

  /** Starts both programs at once, and yields when one of them is the only master. */
  static async start(programs: readonly [Program, Program], gate: Gate = 'hold'): Promise<Pair> {
    const lab = await Lab.create();
    try {
      const client = await lab.host('client', '10.77.0.9/24');
      const hostA = await lab.host('a', '10.77.0.1/24');
      const hostB = await lab.host('b', '10.77.0.2/24');
      const a = startMember(programs[0], hostA, gate);
      const b = startMember(programs[1], hostB, gate);
      const peer = await soleMaster([a.peer, b.peer], WAIT_MS);
      const [master, backup] = peer === a.peer ? [a, b] : [b, a];
      return new Pair(lab, client, master, backup, gate);
    } catch (error) {
      lab.close();
      throw error;
    }
  }

  get master(): Member {
    return this.#master;
  }

  get backup(): Member {
    return this.#backup;
  }

  /**
   * Waits until the backup listens and has had two adverts to hear (stock ucarp hears each up to a
   * second late), and then for a random part of an advertisement interval.
   */
  async settle(capture: Capture): Promise<void> {
    await this.#backup.peer.waitFor('BACKUP', WAIT_MS);
    const { address } = this.#master.host;
    await capture.advert(2, { source: address, afterMs: wallNowMs() }, WAIT_MS);
    await sleep(Math.random() * INTERVAL_MS);
    const states = [this.#master.peer.state(), this.#backup.peer.state()];
    if (states[0] !== 'MASTER' || states[1] !== 'BACKUP') {
      throw new Error(`the pair is ${states.join(' and ')}, not MASTER and BACKUP`);
    }
  }

  /** After the end of the master: the backup takes its part, and it starts anew as the backup. */
  async swap(): Promise<void> {
    await this.#backup.peer.waitFor('MASTER', WAIT_MS);
    const ended = this.#master;
    this.#master = this.#backup;
    this.#backup = startMember(ended.program, ended.host, this.#gate);
  }
}

/** Starts `program` on the host with the group's settings and what `options` adds to them. */
export function startProgram(
  program: Program,
  host: Host,
  options: Partial<PeerOptions> = {},
): Peer {
  const all = { ...GROUP, ...options };
  return program === 'carpd' ? startCarpd(host, all, CARPD_SETTINGS) : startUcarp(host, all);
}

/**
 * Now, on the time line of captured frames and logs, whole milliseconds. Read from the wall clock:
 * the monotonic clock of the lab drifts away from it over minutes where the wall clock is slewed.
 */
export function wallNowMs(): number {
  return fromWallMs(Date.now());
}

function startMember(program: Program, host: Host, gate: Gate): Member {
  return { program, host, peer: startProgram(program, host, { gate }) };
}
