// What a swarm consists of, drawn from its seed: hosts, the segments that they are on, the
// instances that they share, and which faults there are at all.
import type { Prng } from '../prng.ts';

const HOSTS = { min: 2, max: 4 };
const SEGMENTS_MAX = 3;
const INSTANCES_MAX = 8;
const FIRST_VIP = 100;
const FAULTS = { min: 1, max: 16 };
/** Each kind of fault exists in so many of the worlds. */
const PROMOTION = ['on', 'off', 'fixed off'] as const;
const KIND_CHANCE = 0.35;

/** One instance, as all hosts have it. */
export interface PlannedInstance {
  readonly name: string;
  readonly segment: number;
  readonly vhid: number;
  /** With its prefix, as `ip` shows it. */
  readonly cidr: string;
  readonly ip: string;
  readonly hooks: boolean;
}

export interface Plan {
  readonly hosts: number;
  readonly segments: number;
  readonly instances: readonly PlannedInstance[];
  /** The settings of each instance at each host, beyond what all have. */
  readonly settings: readonly (readonly object[])[];
  /** Whether the kernel of each host promotes secondaries, or can be made to. */
  readonly promotion: readonly (typeof PROMOTION)[number][];
  /** Each kind that there is, as often as it is likely. */
  readonly kinds: readonly string[];
  /** How many begin. */
  readonly faults: number;
}

/** Everything follows from the numbers that `prng` gives. */
export function drawPlan(prng: Prng, kinds: readonly string[]): Plan {
  const hosts = prng.between(HOSTS.min, HOSTS.max);
  const segments = prng.between(1, SEGMENTS_MAX);
  const count = prng.between(1, INSTANCES_MAX);
  const instances = Array.from({ length: count }, (_, index) =>
    drawInstance(prng, index, segments),
  );
  const settings = Array.from({ length: hosts }, () => instances.map(() => drawSettings(prng)));
  const promotion = Array.from({ length: hosts }, () => prng.pick(PROMOTION));
  const drawn = kinds.filter(() => prng.chance(KIND_CHANCE));
  const present = drawn.length === 0 ? [prng.pick(kinds)] : drawn;
  const weighed = present.flatMap((kind) => {
    return Array.from({ length: prng.between(1, 4) }, () => kind);
  });
  const faults = prng.between(FAULTS.min, FAULTS.max);
  return { hosts, segments, instances, settings, promotion, kinds: weighed, faults };
}

/** "10.9.2.11/24": the own address of a host on a segment. */
export function ownAddress(segment: number, host: number): string {
  return `10.9.${segment}.${11 + host}/24`;
}

export function gatewayOf(segment: number): string {
  return `10.9.${segment}.1`;
}

export function interfaceOf(segment: number): string {
  return `eth${segment}`;
}

function drawInstance(prng: Prng, index: number, segments: number): PlannedInstance {
  const segment = prng.between(0, segments - 1);
  const ip = `10.9.${segment}.${FIRST_VIP + index}`;
  const vhid = index + 1;
  // Most share the prefix of the own address; of some the prefix is another one, or none.
  const cidr = `${ip}/${prng.pick([24, 24, 24, 32, 25])}`;
  return { name: `vip${index}`, segment, vhid, cidr, ip, hooks: prng.chance(0.3) };
}

function drawSettings(prng: Prng): object {
  return {
    advskew: prng.pick([0, 0, 10, 100, 200]),
    preempt: prng.chance(0.15),
    ...(prng.chance(0.1) ? { deadRatio: 2 } : {}),
    ...(prng.chance(0.15) ? { gate: { requireProbe: true } } : {}),
  };
}
