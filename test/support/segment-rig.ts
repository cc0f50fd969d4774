// A segment with a clock of its own, every step of its machines checked, and what it did as text.
import { fromMillis, micros, plus, toMillis, type Micros } from '../../src/base/time.ts';
import type { Ipv4 } from '../../src/base/addresses.ts';
import type { HeardAdvert } from '../../src/election/inputs.ts';
import { Election } from '../../src/election/machine.ts';
import type { ElectionSettings } from '../../src/election/settings.ts';
import type { LinkFacts } from '../../src/readiness/facts.ts';
import type { InstanceSettings } from '../../src/readiness/inputs.ts';
import { LinkReadiness } from '../../src/readiness/link.ts';
import type { SegmentEffect } from '../../src/segment/effects.ts';
import type { InstanceInput, SegmentInput } from '../../src/segment/inputs.ts';
import { Segment } from '../../src/segment/segment.ts';
import { CheckedElection } from './election-rules.ts';
import { effectText } from './effect-text.ts';
import { INSTANCE, PEER_MAC, PLAIN } from './readiness-rig.ts';
import { CheckedLink } from './readiness-rules.ts';
import { DEFAULTS, HIGHER, OWN } from './rig.ts';

/** One interface under test; times in milliseconds. */
export class SegmentRig {
  readonly segment = new Segment(micros(0), {
    link: (now) => new CheckedLink(new LinkReadiness(now)),
    election: (settings) => new CheckedElection(new Election(settings), settings),
  });
  readonly trace: { readonly at: number; readonly effect: SegmentEffect }[] = [];
  now: Micros = micros(0);
  #instances: readonly InstanceSettings[] = [];

  /** With an instance that waits for its gate. */
  static waiting(
    settings: Partial<InstanceSettings> = {},
    { facts = PLAIN, election }: { facts?: LinkFacts; election?: Partial<ElectionSettings> } = {},
  ): SegmentRig {
    const rig = new SegmentRig();
    rig.give({ kind: 'facts-read', facts, hasGuests: false });
    rig.add('db', settings, election);
    return rig;
  }

  /** With an instance that is master, and has told everybody. */
  static master(settings: Partial<InstanceSettings> = {}): SegmentRig {
    const rig = SegmentRig.waiting(settings);
    rig.frame();
    rig.pass(3_000);
    rig.tell({ kind: 'vip-claimed', term: 1, ok: true });
    rig.pass(500);
    return rig;
  }

  add(
    name: string,
    settings: Partial<InstanceSettings> = {},
    election: Partial<ElectionSettings> = {},
  ): void {
    const added = { ...DEFAULTS, neutral: true, ...election };
    this.give({ kind: 'instance-added', name, settings: added });
    this.tell({ kind: 'started' }, name);
    this.configure([...this.#instances, { ...INSTANCE, ...settings, name }]);
    this.tell({ kind: 'carrier-changed', up: true }, name);
    this.tell({ kind: 'interface-ready', source: OWN }, name);
  }

  configure(instances: readonly InstanceSettings[]): void {
    this.#instances = instances;
    this.give({ kind: 'instances-changed', instances });
  }

  state(name = 'db'): string | undefined {
    return this.segment.election(name)?.state;
  }

  /** How the witness is wanted now. */
  get watch(): string {
    const all = this.trace.map(({ effect }) => effect);
    const last = all.findLast((effect) => effect.kind === 'watch-frames');
    return last === undefined ? 'watch nothing' : segmentText(last);
  }

  give(input: SegmentInput): readonly string[] {
    const effects = this.segment.step(input, this.now);
    for (const effect of effects) this.trace.push({ at: toMillis(this.now), effect });
    return effects.map(segmentText);
  }

  tell(input: InstanceInput, name = 'db'): readonly string[] {
    return this.give({ kind: 'instance-input', name, input });
  }

  frame(epoch = this.segment.link.epoch): readonly string[] {
    return this.give({ kind: 'frame-heard', from: PEER_MAC, epoch });
  }

  /** An advert comes in by the CARP socket. */
  hear(
    changes: Partial<HeardAdvert> = {},
    { from = HIGHER, witnessRead = true }: { from?: Ipv4; witnessRead?: boolean } = {},
  ): readonly string[] {
    return this.give({ kind: 'socket-copy', witnessRead, ...copyOf(changes, from) });
  }

  /** The same by the frame witness. */
  witness(changes: Partial<HeardAdvert> = {}, from = HIGHER): readonly string[] {
    const { epoch } = this.segment.link;
    return this.give({ kind: 'witness-copy', epoch, ...copyOf(changes, from) });
  }

  /** Gives wake-ups while the deadline has come; returns what came of each. */
  wake(): readonly (readonly string[])[] {
    const all: (readonly string[])[] = [];
    while ((this.segment.deadline() ?? Infinity) <= this.now) {
      all.push(this.give({ kind: 'woken' }));
      if (all.length > 100) throw new Error('a deadline was not served');
    }
    return all;
  }

  /** Lets time pass, waking the segment whenever it asked for it. */
  pass(milliseconds: number): void {
    const end = plus(this.now, fromMillis(milliseconds));
    for (;;) {
      const deadline = this.segment.deadline();
      if (deadline === undefined || deadline > end) break;
      this.now = micros(Math.max(this.now, deadline));
      this.wake();
    }
    this.now = end;
  }

  /** The times at which effects of this kind came. */
  times(kind: SegmentEffect['kind']): readonly number[] {
    return this.trace.filter(({ effect }) => effect.kind === kind).map(({ at }) => at);
  }
}

function copyOf(changes: Partial<HeardAdvert>, from: Ipv4) {
  const advert = { advbase: 1, advskew: 0, demote: 0, counter: 1n, ...changes };
  return { name: 'db', from, advert };
}

/** An effect in a few words. */
export function segmentText(effect: SegmentEffect): string {
  switch (effect.kind) {
    case 'elected':
      return `${effect.name}: ${effectText(effect.effect)}`;
    case 'gate-changed':
      return `${effect.name}: gate ${effect.gate.open ? 'open' : 'closed'}`;
    case 'doubt-changed':
      return `${effect.name}: doubt ${effect.cause ?? 'ends'}`;
    case 'advert-heard':
      return `${effect.name}: heard by ${[effect.by, effect.keptBy].filter(Boolean).join(', ')}`;
    case 'watch-frames': {
      const { mode = 'nothing', once, then, onlyMasters } = effect.wish ?? {};
      const how = [once && 'once', then && `then ${then}`, onlyMasters && 'masters'];
      return ['watch', mode, ...how].filter(Boolean).join(' ');
    }
    case 'evidence-changed':
      return `evidence ${effect.evidence.map(({ kind }) => kind).join(' ')}`;
    case 'epoch-began':
      return `epoch ${String(effect.epoch.number)}`;
    case 'probe':
      return `ask ${[...effect.addresses, ...effect.vips].join(' ')}`;
    case 'packet-refused':
      return `refused ${effect.dropped.reason}`;
    default:
      return effect.kind;
  }
}
