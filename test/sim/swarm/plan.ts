// What a swarm consists of, drawn from its seed: hosts, the segments that they are on, the
// instances that they share, and which faults there are at all.
import type { Cadence } from '../../../src/election/cadence.ts';
import type { Prng } from '../prng.ts';

const HOSTS = { min: 2, max: 4 };
const SEGMENTS_MAX = 3;
const INSTANCES_MAX = 8;
const FIRST_VIP = 100;
const FAULTS = { min: 1, max: 16 };
const FAULT_MS = { min: 50, max: 9_000 };
const SEED_MAX = 0xffffffff;
/** How fast the clocks of hosts run: quartz, and guests of busy machines. */
const RATES = [1, 1, 1.0005, 0.9995, 1.02, 0.98];
const STOCK_CHANCE = 0.3;
/** When everything has begun, and how long faults begin from then on. */
export const START_MS_MAX = 3_000;
export const TROUBLE_MS = 60_000;
/** When the last fault is over by itself. */
export const TROUBLE_END_MS = START_MS_MAX + TROUBLE_MS + FAULT_MS.max + 1;
/** Each kind of fault exists in so many of the worlds. */
const PROMOTION = ['on', 'off', 'fixed off'] as const;
const KIND_CHANCE = 0.35;

/** Of an instance at one host, as its file has them. */
interface Settings {
  readonly advskew: number;
  readonly preempt: boolean;
  readonly deadRatio?: number;
  readonly gate?: { readonly requireProbe: boolean };
}

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
  readonly settings: readonly (readonly Settings[])[];
  /** Whether the kernel of each host promotes secondaries, or can be made to. */
  readonly promotion: readonly (typeof PROMOTION)[number][];
  /** How fast the clock of each host runs. */
  readonly rates: readonly number[];
  /** The settings of the host with stock ucarp; undefined: there is none. */
  readonly stock: { readonly advskew: number; readonly preempt: boolean } | undefined;
  /** What goes wrong, by its number. */
  readonly troubles: readonly Trouble[];
}

/** One fault: it strikes in the same way, whichever of the others are left out. */
export interface Trouble {
  readonly number: number;
  readonly kind: string;
  readonly atMs: number;
  readonly lastsMs: number;
  /** The index of the host. */
  readonly host: number;
  readonly segment: number;
  readonly instance: PlannedInstance;
  /** Of all that it draws. */
  readonly seed: number;
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
  const rates = Array.from({ length: hosts }, () => prng.pick(RATES));
  const stock = prng.chance(STOCK_CHANCE)
    ? { advskew: prng.pick([0, 10, 100]), preempt: prng.chance(0.3) }
    : undefined;
  const troubleCount = prng.between(FAULTS.min, FAULTS.max);
  const troubles = Array.from({ length: troubleCount }, (_, number) => {
    return drawTrouble(prng, { number, kinds: weighed, hosts, instances });
  });
  return { hosts, segments, instances, settings, promotion, rates, stock, troubles };
}

function drawTrouble(
  prng: Prng,
  {
    number,
    kinds,
    hosts,
    instances,
  }: {
    readonly number: number;
    readonly kinds: readonly string[];
    readonly hosts: number;
    readonly instances: readonly PlannedInstance[];
  },
): Trouble {
  const instance = prng.pick(instances);
  return {
    number,
    kind: prng.pick(kinds),
    atMs: START_MS_MAX + prng.between(0, TROUBLE_MS),
    lastsMs: prng.between(FAULT_MS.min, FAULT_MS.max),
    host: prng.between(0, hosts - 1),
    segment: (prng.chance(0.8) ? instance : prng.pick(instances)).segment,
    instance,
    seed: prng.between(0, SEED_MAX),
  };
}

/** In words. */
export function describePlan(plan: Plan): readonly string[] {
  const { hosts, segments, instances, settings, promotion, rates, stock, troubles } = plan;
  const all = instances.map(({ name, cidr, hooks }) => {
    return `${name}: ${cidr}${hooks ? ' with hooks' : ''}`;
  });
  return [
    `${hosts} hosts (secondaries are promoted: ${promotion.join()}) on ${segments} segments`,
    `their clocks run at ${rates.join(', ')}`,
    ...(stock === undefined ? [] : [`and one with stock ucarp: ${JSON.stringify(stock)}`]),
    all.join(', '),
    ...settings.map((own, index) => `node${index}: ${JSON.stringify(own)}`),
    `faults: ${[...new Set(troubles.map(({ kind }) => kind))].join(', ')}`,
  ];
}

/** The timers of everybody, stock ucarp among them. */
export function configuredCadences({
  settings,
  stock,
}: Plan): readonly (Cadence & { readonly preempt: boolean })[] {
  const usual = { advbase: 1, deadRatio: 3 };
  return [...settings.flat(), ...(stock === undefined ? [] : [stock])].map((one) => ({
    ...usual,
    ...one,
  }));
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

function drawSettings(prng: Prng): Settings {
  return {
    advskew: prng.pick([0, 0, 10, 100, 200]),
    preempt: prng.chance(0.15),
    ...(prng.chance(0.1) ? { deadRatio: 2 } : {}),
    ...(prng.chance(0.15) ? { gate: { requireProbe: true } } : {}),
  };
}
