// Who takes part in a world: two to four nodes with settings of their own, and perhaps a client.
import { fromMillis, type Micros } from '../../src/base/time.ts';
import { ipv4, type Ipv4 } from '../../src/base/addresses.ts';
import { advertInterval, masterDownInterval } from '../../src/election/cadence.ts';
import type { ElectionSettings } from '../../src/election/settings.ts';
import type { InstanceSettings } from '../../src/readiness/inputs.ts';
import type { Bus } from './bus.ts';
import { CarpdNode, PROMOTE_AFTER } from './carpd-node.ts';
import type { Flaw } from './carpd-daemon.ts';
import { VIP } from './frame-bytes.ts';
import { Client } from './client.ts';
import type { Surroundings } from './node.ts';
import type { Prng } from './prng.ts';
import { Station } from './station.ts';
import { UcarpNode } from './ucarp-node.ts';
import type { UplinkKind } from './uplink.ts';

const NETWORK = 0x0a4d0000;
const CLIENT = ipv4(NETWORK + 0x8002);
const NODES_MAX = 4;
const TAME_ADVSKEW_MAX = 100;

export interface CastOptions {
  readonly flaw?: Flaw;
  /** Every gate is off, as if there were none. */
  readonly ungated?: boolean;
  /**
   * What is usual and recommended: nobody preempts, all nodes have the same pace but for a skew
   * that no demotion exceeds, and every gate holds until there is proof.
   */
  readonly tame?: boolean;
  /** Half of the hosts drop IP protocol 112 before the CARP socket sees it. */
  readonly firewalls?: boolean;
  readonly uplink?: UplinkKind;
  /** There are only nodes of carpd: nobody else ever says a word. */
  readonly silent?: boolean;
  /**
   * Two nodes alone: carpd with this uplink and the lower address, which wins between equals, and
   * beside it one on a plain cable that runs the other program or the same.
   */
  readonly beside?: 'carpd' | 'ucarp';
  /** The stock ucarp bids worse than every node of carpd, or as they do. */
  readonly modest?: boolean;
  /** There is a client, and it speaks. */
  readonly talkative?: boolean;
}

export interface Cast {
  readonly carpdNodes: readonly CarpdNode[];
  readonly ucarpNodes: readonly UcarpNode[];
  readonly client: Client | undefined;
}

/** Everything follows from the numbers that `surroundings.prng` gives. */
export function createCast(surroundings: Surroundings, bus: Bus, options: CastOptions): Cast {
  const { clock, prng } = surroundings;
  const station = (name: string, address: Ipv4, uplink: UplinkKind) =>
    new Station(clock, bus, { name, address, vip: VIP, uplink });
  const { silent = false, beside, talkative = false } = options;
  const addresses = pickAddresses(prng, beside === undefined ? prng.between(2, NODES_MAX) : 2);
  if (beside !== undefined) addresses.sort((one, other) => one - other);
  const withUcarp = beside === undefined ? prng.chance(0.4) && !silent : beside === 'ucarp';
  const carpdCount = addresses.length - (withUcarp ? 1 : 0);
  const client =
    talkative || (prng.chance(0.5) && !silent)
      ? new Client(clock, prng, station('client', CLIENT, 'plain'), talkative || prng.chance(0.8))
      : undefined;
  const askable = client === undefined ? addresses : [...addresses, CLIENT];
  const carpdNodes = addresses.slice(0, carpdCount).map((address, index) => {
    const isPeer = beside !== undefined && index > 0;
    const uplink = isPeer ? 'plain' : (options.uplink ?? prng.pick(UPLINKS));
    const election = options.tame === true ? tameElection(prng) : wildElection(prng);
    const readiness = readinessOf(prng, election, address, askable, options);
    return new CarpdNode(surroundings, {
      station: station(`carpd${String(index)}`, address, uplink),
      election,
      readiness,
      firewalled: options.firewalls === true && prng.chance(0.5),
      flaw: isPeer ? undefined : options.flaw,
    });
  });
  const ucarpNodes = addresses.slice(carpdCount).map((address) => {
    const drawn = prng.pick([0, 0, 10, 100]);
    const advskew = options.modest === true ? TAME_ADVSKEW_MAX : drawn;
    const preempt = prng.chance(0.3) && options.tame !== true;
    const cadence = { advbase: 1, advskew, deadRatio: 3, preempt };
    return new UcarpNode(surroundings, station('ucarp', address, 'plain'), cadence);
  });
  return { carpdNodes, ucarpNodes, client };
}

const UPLINKS: readonly UplinkKind[] = ['plain', 'plain', 'lacp', 'active-backup'];

function pickAddresses(prng: Prng, count: number): Ipv4[] {
  const hosts = new Set<number>();
  while (hosts.size < count) hosts.add(prng.between(1, 0x7fff));
  return [...hosts].map((host) => ipv4(NETWORK + host));
}

function wildElection(prng: Prng): ElectionSettings {
  const manageAddress = prng.chance(0.7);
  return {
    advbase: prng.chance(0.1) ? 4 : 1,
    advskew: prng.pick([0, 0, 0, 1, 10, 50, 100, 240, 254]),
    deadRatio: prng.chance(0.2) ? 2 : 3,
    preempt: prng.chance(0.3),
    // Where hooks manage the address, the one at the start clears up after a crash.
    neutral: manageAddress && prng.chance(0.3),
    manageAddress,
    announceRefresh: undefined,
    initialCounter: 0n,
  };
}

function tameElection(prng: Prng): ElectionSettings {
  return {
    advbase: 1,
    advskew: prng.pick([0, 0, 1, 10, 50, TAME_ADVSKEW_MAX]),
    deadRatio: 3,
    preempt: false,
    neutral: false,
    manageAddress: prng.chance(0.7),
    announceRefresh: undefined,
    initialCounter: 0n,
  };
}

function readinessOf(
  prng: Prng,
  election: ElectionSettings,
  own: Ipv4,
  askable: readonly Ipv4[],
  { tame = false, ungated = false }: CastOptions,
): InstanceSettings {
  const policy = prng.pick(['hold', 'hold', 'hold', 'hold', 'promote-after', 'off'] as const);
  const strict = prng.chance(0.15) && !tame;
  const others = askable.filter((address) => address !== own);
  const vipInUse = prng.pick(['unheard', 'unheard', 'unheard', 'always', 'off'] as const);
  return {
    name: 'db',
    vip: VIP,
    source: undefined,
    deadInterval: masterDownInterval(election),
    advertInterval: advertInterval(election),
    gate: {
      policy: ungated ? 'off' : tame ? 'hold' : policy,
      promoteAfter: PROMOTE_AFTER,
      requireProbe: strict,
      ignoreLinkState: false,
    },
    vipInUse: tame ? 'unheard' : vipInUse,
    targets: strict || prng.chance(0.5) ? others : [],
    probeInterval: PROBE_INTERVAL,
    preempt: election.preempt,
  };
}

const PROBE_INTERVAL: Micros = fromMillis(500);
