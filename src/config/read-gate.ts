// The gate of one instance, and what is doubtful about it.
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import { GATE_DEFAULTS, type GateConfig, type InstanceConfig } from './config.ts';
import { instanceFields, isMapping, valueAt, type Field, type Raw, type Report } from './schema.ts';

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
  const unasked = take(f.ignoreLinkState) === true && !isConfigured(raw);
  return {
    policy: unasked ? 'off' : policy,
    promoteAfterMs,
    probe: { targets, intervalMs },
    requireProbe,
    vipInUse,
    uplinks,
  };
}

type Judged = 'address' | 'source' | 'peers' | 'gate';

/** The keys of an instance that `reportGate` looks at; undefined where they could not be read. */
export type GateDraft = { readonly [Key in Judged]: InstanceConfig[Key] | undefined };

/** Reports addresses that can't answer for another node, and settings without effect. */
export function reportGate(
  draft: GateDraft,
  raw: Raw,
  { fault, warn }: { readonly fault: Report; readonly warn: Report },
): void {
  const { address, source, peers, gate } = draft;
  reportAsked(draft, source, 'the source of this instance', fault);
  if (address?.ip !== source) reportAsked(draft, address?.ip, 'the virtual IP', fault);
  if (gate === undefined) return;
  if (gate.policy !== 'promote-after' && limitIsMeant(raw, gate)) {
    warn('gate.promoteAfter', 'has no effect; it needs policy: promote-after');
  }
  if (
    peers !== undefined &&
    gate.requireProbe &&
    gate.policy !== 'off' &&
    asksNobody(gate, peers)
  ) {
    warn(
      'gate.requireProbe',
      'is on with nobody to ask but masters that are heard: once they are gone, nothing opens ' +
        'the gate; name peers or probe.targets',
    );
  }
}

/** Reports the address, if it is among those asked as other hosts; `what` says whose it is. */
export function reportAsked(
  { peers, gate }: Pick<GateDraft, 'peers' | 'gate'>,
  address: Ipv4 | undefined,
  what: string,
  fault: Report,
): void {
  if (address === undefined) return;
  const message = `${formatIpv4(address)} is ${what}; give addresses of other hosts`;
  if (peers?.includes(address) === true) fault('peers', message);
  if (gate?.probe.targets.includes(address) === true) fault('gate.probe.targets', message);
}

/** A section whose keys are all commented out says nothing. */
function isConfigured({ gate }: Raw): boolean {
  return isMapping(gate) && Object.keys(gate).length > 0;
}

/** False for a limit that merely repeats the default beside another policy, as in what we print. */
function limitIsMeant(raw: Raw, { promoteAfterMs }: GateConfig): boolean {
  if (valueAt(raw, instanceFields.gatePromoteAfter.path) === undefined) return false;
  const policyIsGiven = valueAt(raw, instanceFields.gatePolicy.path) !== undefined;
  return !policyIsGiven || promoteAfterMs !== GATE_DEFAULTS.promoteAfterMs;
}

function asksNobody(gate: GateConfig, peers: readonly Ipv4[]): boolean {
  return peers.length === 0 && gate.probe.targets.length === 0;
}
