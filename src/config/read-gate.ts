// The gate of one instance, and what is doubtful about it.
import { formatIpv4, type Ipv4 } from '../carp/addresses.ts';
import type { GateConfig, InstanceConfig } from './config.ts';
import { instanceFields, type Field, type Raw, type Report } from './schema.ts';

type Take = <Value>(field: Field<Value>) => Value | undefined;

/** Undefined: a fault of one of its keys was reported. */
export function readGate(raw: Raw, take: Take): GateConfig | undefined {
  const f = instanceFields;
  const policy = take(f.gatePolicy);
  const promoteAfterMs = take(f.gatePromoteAfter);
  const targets = take(f.gateProbeTargets);
  const intervalMs = take(f.gateProbeInterval);
  const requireProbe = take(f.gateRequireProbe);
  const vipInUse = take(f.gateVipInUse);
  const uplinks = take(f.gateUplinks);
  if (policy === undefined || promoteAfterMs === undefined || targets === undefined) return;
  if (intervalMs === undefined || requireProbe === undefined) return;
  if (vipInUse === undefined || uplinks === undefined) return;
  // Who ignores the link's own word has no use for a gate that nobody asked for.
  const unasked = take(f.ignoreLinkState) === true && !('gate' in raw);
  const probe = { targets, intervalMs };
  return {
    policy: unasked ? 'off' : policy,
    promoteAfterMs,
    probe,
    requireProbe,
    vipInUse,
    uplinks,
  };
}

type Judged = 'address' | 'source' | 'peers' | 'gate';

/** Reports addresses that can't answer for another node, and settings without effect. */
export function reportGate(
  draft: { readonly [Key in Judged]: InstanceConfig[Key] | undefined },
  raw: Raw,
  { fault, warn }: { readonly fault: Report; readonly warn: Report },
): void {
  const { address, source, peers, gate } = draft;
  const report = (path: string, list: readonly unknown[]): void => {
    for (const own of [address?.ip, source]) {
      if (own === undefined || !list.includes(own)) continue;
      fault(
        path,
        `${formatIpv4(own)} is ${own === source ? 'source' : 'the virtual IP'}; \
give addresses of other hosts`,
      );
    }
  };
  report('peers', peers ?? []);
  report('gate.probe.targets', gate?.probe.targets ?? []);
  if (gate === undefined || peers === undefined) return;
  if (gate.policy !== 'promote-after' && isGiven(raw, 'promoteAfter')) {
    warn('gate.promoteAfter', 'has no effect; it needs policy: promote-after');
  }
  if (gate.requireProbe && gate.policy !== 'off' && isAskedOfNobody(gate, peers)) {
    warn(
      'gate.requireProbe',
      'is on with nobody to ask but masters that are heard: once they are gone, nothing opens ' +
        'the gate; name peers or probe.targets',
    );
  }
}

function isGiven(raw: Raw, key: string): boolean {
  const { gate } = raw;
  return typeof gate === 'object' && gate !== null && key in gate;
}

function isAskedOfNobody(gate: GateConfig, peers: readonly Ipv4[]): boolean {
  return peers.length === 0 && gate.probe.targets.length === 0;
}
