// What the LACP state bytes of a bond say: whether one of its ports passes frames in both
// directions as far as LACP can tell, and if not, why, in words.
import { ZERO_MAC } from '../base/addresses.ts';
import type { BondFacts, PortFacts } from './facts.ts';
import type { Status } from './evidence.ts';
import type { Reason } from './reasons.ts';

/** The bits of a port state (IEEE 802.1AX, 6.4.2.3), lowest first, as the kernel numbers them. */
export const STATE_BITS = {
  activity: 0x01,
  'short-timeout': 0x02,
  aggregation: 0x04,
  sync: 0x08,
  collecting: 0x10,
  distributing: 0x20,
  defaulted: 0x40,
  expired: 0x80,
} as const;

export type StateBit = keyof typeof STATE_BITS;

const STATE_BIT_NAMES = [
  'activity',
  'short-timeout',
  'aggregation',
  'sync',
  'collecting',
  'distributing',
  'defaulted',
  'expired',
] as const satisfies readonly StateBit[];

/** The names of the bits that are set. */
export function stateBits(state: number): readonly StateBit[] {
  return STATE_BIT_NAMES.filter((bit) => has(state, bit));
}

/** Why a port does not count as ready, in the words an operator gets. */
export const PORT_FAULTS = {
  'no-link': 'no link',
  'link-unknown': 'link state could not be read',
  'aggregator-unknown': 'in no aggregator yet',
  'other-aggregator': 'not in the active aggregator',
  'actor-unknown': 'our LACP state could not be read',
  'partner-unknown': 'the LACP state of the partner could not be read',
  defaulted: 'defaulted: no LACPDU heard',
  expired: 'expired: LACPDUs no longer heard',
  'not-in-sync': 'not in sync',
  'not-collecting': 'not collecting',
  'not-distributing': 'not distributing',
  'partner-defaulted': 'partner defaulted: it does not hear our LACPDUs',
  'partner-expired': 'partner expired: it no longer hears our LACPDUs',
  'partner-not-in-sync': 'partner not in sync',
  'partner-not-collecting': 'partner not collecting',
} as const;

export type PortFault = keyof typeof PORT_FAULTS;

const UNKNOWN_FAULTS: ReadonlySet<PortFault> = new Set([
  'link-unknown',
  'aggregator-unknown',
  'actor-unknown',
  'partner-unknown',
]);

/** One port, judged. */
export interface PortVerdict {
  readonly name: string;
  readonly ifindex: number;
  readonly status: Status;
  /** Empty if and only if the port is ready. */
  readonly faults: readonly PortFault[];
  /** Undefined where there is no LACP, or nothing could be read. */
  readonly actorBits: readonly StateBit[] | undefined;
  readonly partnerBits: readonly StateBit[] | undefined;
}

/** A bond, judged. */
export interface BondVerdict {
  readonly status: Status;
  /** Empty if and only if the status is met. */
  readonly reasons: readonly Reason[];
  readonly ports: readonly PortVerdict[];
  /** Whether any port is ready, whatever is said of the bond as a whole. */
  readonly portReady: Status;
  /** The mode of the bond is 802.3ad. */
  readonly lacp: boolean;
}

/**
 * 802.3ad: at least one port of the active aggregator is ready and there is a partner. Every other
 * mode: one port has link. What could not be read makes unknown what it would have decided.
 */
export function judgeBond(bond: BondFacts): BondVerdict {
  const lacp = bond.mode === '802.3ad';
  const ports = bond.ports.map((port) =>
    lacp ? judgeLacpPort(port, bond.activeAggregatorId) : judgePlainPort(port),
  );
  if (bond.mode === undefined) {
    return { status: 'unknown', reasons: ['mode-unknown'], ports, portReady: 'unknown', lacp };
  }
  const portReady = any(ports.map(({ status }) => status));
  const faults = lacp ? lacpFaults(bond, portReady) : plainFaults(bond, portReady);
  const unknown = faults.every(({ status }) => status === 'unknown');
  const status = faults.length === 0 ? 'met' : unknown ? 'unknown' : 'not-met';
  return { status, reasons: faults.map(({ reason }) => reason), ports, portReady, lacp };
}

/**
 * Of bonds side by side one is enough, since they are ways of one interface; what they lack is
 * named once, and their ports are listed one after the other. Undefined: there is none.
 */
export function judgeBonds(bonds: readonly BondFacts[]): BondVerdict | undefined {
  const all = bonds.map(judgeBond);
  const [first] = all;
  if (first === undefined || all.length === 1) return first;
  const status = any(all.map((verdict) => verdict.status));
  const portReady = any(all.map((verdict) => verdict.portReady));
  const reasons = status === 'met' ? [] : all.flatMap((verdict) => verdict.reasons);
  return {
    status,
    reasons: [...new Set(reasons)],
    ports: all.flatMap(({ ports }) => ports),
    portReady,
    lacp: all.every(({ lacp }) => lacp),
  };
}

interface BondFault {
  readonly reason: Reason;
  readonly status: 'not-met' | 'unknown';
}

function lacpFaults(bond: BondFacts, portReady: Status): readonly BondFault[] {
  if (bond.ports.length === 0) return [{ reason: 'no-ports', status: 'not-met' }];
  const faults: BondFault[] = [];
  if (bond.activeAggregatorId === undefined) {
    faults.push({ reason: 'aggregator-unknown', status: 'unknown' });
  }
  if (bond.partnerMac === undefined) faults.push({ reason: 'partner-unknown', status: 'unknown' });
  if (bond.partnerMac === ZERO_MAC) faults.push({ reason: 'no-partner', status: 'not-met' });
  if (portReady === 'not-met') faults.push({ reason: 'no-ready-port', status: 'not-met' });
  if (portReady === 'unknown') faults.push({ reason: 'ports-unknown', status: 'unknown' });
  return faults;
}

function plainFaults(bond: BondFacts, portReady: Status): readonly BondFault[] {
  if (bond.ports.length === 0) return [{ reason: 'no-ports', status: 'not-met' }];
  if (portReady === 'not-met') return [{ reason: 'no-port-with-link', status: 'not-met' }];
  return portReady === 'unknown' ? [{ reason: 'ports-unknown', status: 'unknown' }] : [];
}

function judgePlainPort(port: PortFacts): PortVerdict {
  return verdictOf(port, linkFaults(port.linkUp), undefined, undefined);
}

function linkFaults(linkUp: boolean | undefined): readonly PortFault[] {
  if (linkUp === undefined) return ['link-unknown'];
  return linkUp ? [] : ['no-link'];
}

function judgeLacpPort(port: PortFacts, activeAggregatorId: number | undefined): PortVerdict {
  const { linkUp, aggregatorId, actorState, partnerState } = port;
  const faults: PortFault[] = [];
  // The bits lag behind a link that was lost just now.
  faults.push(...linkFaults(linkUp));
  if (aggregatorId === undefined || activeAggregatorId === undefined) {
    faults.push('aggregator-unknown');
  } else if (aggregatorId !== activeAggregatorId) {
    faults.push('other-aggregator');
  }
  faults.push(...(actorState === undefined ? ['actor-unknown' as const] : actorFaults(actorState)));
  if (partnerState === undefined) faults.push('partner-unknown');
  // What the driver keeps of a partner never heard is its own default, and says nothing.
  else if (!faults.includes('defaulted')) faults.push(...partnerFaults(partnerState));
  return verdictOf(port, faults, actorState, partnerState);
}

function actorFaults(state: number): readonly PortFault[] {
  const faults: PortFault[] = [];
  if (has(state, 'defaulted')) faults.push('defaulted');
  if (has(state, 'expired')) faults.push('expired');
  if (!has(state, 'sync')) faults.push('not-in-sync');
  if (!has(state, 'collecting')) faults.push('not-collecting');
  if (!has(state, 'distributing')) faults.push('not-distributing');
  return faults;
}

function partnerFaults(state: number): readonly PortFault[] {
  const faults: PortFault[] = [];
  if (has(state, 'defaulted')) faults.push('partner-defaulted');
  if (has(state, 'expired')) faults.push('partner-expired');
  if (!has(state, 'sync')) faults.push('partner-not-in-sync');
  if (!has(state, 'collecting')) faults.push('partner-not-collecting');
  return faults;
}

function verdictOf(
  { name, ifindex }: PortFacts,
  faults: readonly PortFault[],
  actorState: number | undefined,
  partnerState: number | undefined,
): PortVerdict {
  const unknown = faults.every((fault) => UNKNOWN_FAULTS.has(fault));
  return {
    name,
    ifindex,
    status: faults.length === 0 ? 'met' : unknown ? 'unknown' : 'not-met',
    faults,
    actorBits: actorState === undefined ? undefined : stateBits(actorState),
    partnerBits: partnerState === undefined ? undefined : stateBits(partnerState),
  };
}

/** One is enough; without one, a single unknown leaves it open. */
function any(statuses: readonly Status[]): Status {
  if (statuses.includes('met')) return 'met';
  return statuses.includes('unknown') ? 'unknown' : 'not-met';
}

function has(state: number, bit: StateBit): boolean {
  return (state & STATE_BITS[bit]) !== 0;
}
