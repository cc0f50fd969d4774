// A link's readiness with a clock of its own, and facts and instances to feed it with.
import assert from 'node:assert/strict';
import type { Ipv4 } from '../../src/base/addresses.ts';
import { fromMillis, fromSeconds, micros, plus, toMillis } from '../../src/base/time.ts';
import type { Micros } from '../../src/base/time.ts';
import type { ReadinessEffect } from '../../src/readiness/effects.ts';
import type { BondFacts, LinkFacts, PortFacts } from '../../src/readiness/facts.ts';
import type { GateSettings } from '../../src/readiness/gate.ts';
import type { AdvertHeard, InstanceSettings, ReadinessInput } from '../../src/readiness/inputs.ts';
import { LinkReadiness } from '../../src/readiness/link.ts';
import type { InstanceSnapshot, ReadinessSnapshot } from '../../src/readiness/snapshot.ts';
import { address, mac } from './packets.ts';

export const OWN_MAC = mac('02:00:00:00:00:01');
export const PEER_MAC = mac('02:00:00:00:00:02');
export const PARTNER = mac('02:00:00:00:0a:0a');
export const PEER = address('10.9.0.20');
export const GATEWAY = address('10.9.0.1');
export const VIP = address('10.9.0.100');

export const HOLD: GateSettings = {
  policy: 'hold',
  promoteAfter: fromSeconds(60),
  requireProbe: false,
  ignoreLinkState: false,
};

export const INSTANCE: InstanceSettings = {
  name: 'db',
  vip: VIP,
  source: address('10.9.0.10'),
  deadInterval: fromSeconds(3),
  advertInterval: fromSeconds(1),
  gate: HOLD,
  vipInUse: 'unheard',
  targets: [],
  probeInterval: fromMillis(500),
  preempt: false,
};

export const PLAIN: LinkFacts = {
  ifindex: 2,
  mac: OWN_MAC,
  carrier: true,
  carrierLosses: 0,
  uplinks: [{ ifindex: 2, vlans: [] }],
  lower: { kind: 'plain' },
};

export const NO_CARRIER: LinkFacts = { ...PLAIN, carrier: false };

export const READY_PORT: PortFacts = {
  name: 'eth0',
  ifindex: 10,
  linkUp: true,
  aggregatorId: 1,
  actorState: 63,
  partnerState: 63,
};

export const LACP: BondFacts = {
  kind: 'bond',
  name: 'bond0',
  ifindex: 3,
  mode: '802.3ad',
  activeAggregatorId: 1,
  partnerMac: PARTNER,
  activePort: undefined,
  ports: [READY_PORT, { ...READY_PORT, name: 'eth1', ifindex: 11 }],
};

/** What a bond looks like whose switch does not speak LACP. */
export const LACP_MISSING: BondFacts = {
  ...LACP,
  partnerMac: mac('00:00:00:00:00:00'),
  ports: [{ ...READY_PORT, actorState: 77, partnerState: 1 }],
};

export const ACTIVE_BACKUP: BondFacts = {
  ...LACP,
  mode: 'active-backup',
  activeAggregatorId: undefined,
  partnerMac: undefined,
  activePort: 10,
};

export const on = (lower: BondFacts): LinkFacts => ({ ...PLAIN, lower });

/** One interface under test; times in milliseconds. */
export class LinkRig {
  readonly link = new LinkReadiness(micros(0));
  readonly trace: { readonly at: number; readonly effect: ReadinessEffect }[] = [];
  now: Micros = micros(0);

  /** An instance that waits on the interface with these facts. */
  static waiting(settings: Partial<InstanceSettings> = {}, facts = PLAIN): LinkRig {
    const rig = new LinkRig();
    rig.give({ kind: 'instances-changed', instances: [{ ...INSTANCE, ...settings }] });
    rig.give({ kind: 'facts-read', facts });
    rig.role('waiting');
    return rig;
  }

  /** The same, proved by a frame and promoted. */
  static master(settings: Partial<InstanceSettings> = {}, facts = PLAIN): LinkRig {
    const rig = LinkRig.waiting(settings, facts);
    rig.answer(PEER, PEER_MAC);
    rig.frame();
    rig.role('master');
    return rig;
  }

  get snapshot(): ReadinessSnapshot {
    return this.link.snapshot();
  }

  get instance(): InstanceSnapshot {
    const [first] = this.snapshot.instances;
    if (first === undefined) throw new Error('the rig has no instance');
    return first;
  }

  get open(): boolean {
    return this.instance.gate.open;
  }

  /** What the witness is open for; undefined: it is closed. */
  get wanted(): string | undefined {
    const changes = this.trace.flatMap(({ effect }) =>
      effect.kind === 'open-witness' || effect.kind === 'close-witness' ? [effect] : [],
    );
    const last = changes.at(-1);
    return last?.kind === 'open-witness' ? last.wanted : undefined;
  }

  give(input: ReadinessInput): readonly ReadinessEffect[] {
    const effects = this.link.step(input, this.now);
    for (const effect of effects) this.trace.push({ at: toMillis(this.now), effect });
    return effects;
  }

  facts(facts: LinkFacts | undefined): readonly ReadinessEffect[] {
    return this.give({ kind: 'facts-read', facts });
  }

  role(role: 'inactive' | 'waiting' | 'master', name = 'db'): readonly ReadinessEffect[] {
    return this.give({ kind: 'role-changed', name, role });
  }

  frame(epoch = this.link.epoch, port?: number): readonly ReadinessEffect[] {
    return this.give({ kind: 'frame-heard', from: PEER_MAC, epoch, port });
  }

  answer(from: Ipv4, itsMac = PEER_MAC, port?: number): readonly ReadinessEffect[] {
    return this.give({
      kind: 'probe-answered',
      address: from,
      mac: itsMac,
      epoch: this.link.epoch,
      port,
    });
  }

  advert(changes: Partial<AdvertHeard> = {}): readonly ReadinessEffect[] {
    return this.give({
      kind: 'advert-heard',
      name: 'db',
      from: PEER,
      interval: fromSeconds(1),
      leaving: false,
      epoch: this.link.epoch,
      heardBy: 'socket',
      throughUplink: true,
      ...changes,
    });
  }

  /** Lets time pass, waking the machine whenever it asked for it. */
  pass(milliseconds: number): void {
    const end = plus(this.now, fromMillis(milliseconds));
    for (;;) {
      const deadline = this.link.deadline();
      if (deadline === undefined || deadline > end) break;
      this.now = deadline;
      this.give({ kind: 'woken' });
      const next = this.link.deadline();
      if (next !== undefined && next <= deadline) throw new Error('a deadline was not served');
    }
    this.now = end;
  }

  /** Lets time pass on a segment on which something is heard all the time. */
  passBusy(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 500) {
      this.pass(Math.min(500, milliseconds - passed));
      this.frame();
    }
  }

  /** When effects of a kind came. */
  times(kind: ReadinessEffect['kind']): readonly number[] {
    return this.trace.filter(({ effect }) => effect.kind === kind).map(({ at }) => at);
  }
}

/** The one effect of this kind; fails if there is none or another one. */
export function only<Kind extends ReadinessEffect['kind']>(
  effects: readonly ReadinessEffect[],
  kind: Kind,
): Extract<ReadinessEffect, { kind: Kind }> {
  const found = effects.filter((effect) => effect.kind === kind);
  assert.equal(found.length, 1, `one ${kind} in ${JSON.stringify(effects)}`);
  return found[0] as Extract<ReadinessEffect, { kind: Kind }>;
}
