// Arbitrary histories of a link: facts, evidence, roles and time, in any order.
import fc from 'fast-check';
import { fromMillis, fromSeconds } from '../../src/base/time.ts';
import type { BondFacts, LinkFacts, PortFacts } from '../../src/readiness/facts.ts';
import type { GateSettings } from '../../src/readiness/gate.ts';
import type { InstanceSettings, ReadinessInput } from '../../src/readiness/inputs.ts';
import {
  ACTIVE_BACKUP,
  GATEWAY,
  LACP,
  OWN_MAC,
  PEER,
  PEER_MAC,
  PLAIN,
  VIP,
} from './readiness-rig.ts';
import { address, mac } from './packets.ts';

/** An input whose epoch is told by how far it lags behind, which only the player can resolve. */
export type Event =
  | {
      readonly kind: 'input';
      readonly afterUs: number;
      readonly lag: number;
      readonly input: ReadinessInput;
    }
  | { readonly kind: 'wake'; readonly lateUs: number };

export const boolean = fc.boolean();
export const maybe = <Value>(values: readonly Value[]) => fc.constantFrom(...values, undefined);

const ports: fc.Arbitrary<PortFacts> = fc.record({
  name: fc.constantFrom('eth0', 'eth1'),
  ifindex: fc.constantFrom(10, 11),
  linkUp: fc.constantFrom(true, true, true, false, undefined),
  aggregatorId: fc.constantFrom(1, 1, 1, 2, undefined),
  actorState: fc.constantFrom(63, 63, 61, 13, 7, 77, 191, undefined),
  partnerState: fc.constantFrom(63, 63, 61, 13, 7, 71, undefined),
});

export const bonds: fc.Arbitrary<BondFacts> = fc.record({
  kind: fc.constant('bond' as const),
  name: fc.constantFrom('bond0', 'bond0', 'bond0', 'bond1'),
  ifindex: fc.constantFrom(3, 3, 3, 9),
  mode: fc.constantFrom(
    '802.3ad' as const,
    '802.3ad' as const,
    'active-backup' as const,
    undefined,
  ),
  activeAggregatorId: fc.constantFrom(1, 1, 1, 2, undefined),
  partnerMac: fc.constantFrom(
    LACP.partnerMac,
    LACP.partnerMac,
    mac('00:00:00:00:00:00'),
    undefined,
  ),
  activePort: fc.constantFrom(10, 10, 11, 0, undefined),
  ports: fc.array(ports, { maxLength: 2 }),
});

const lowers: fc.Arbitrary<LinkFacts['lower']> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(LACP, LACP, ACTIVE_BACKUP) },
  { weight: 3, arbitrary: bonds },
  { weight: 2, arbitrary: fc.constant<LinkFacts['lower']>({ kind: 'plain' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<LinkFacts['lower']>(
      { kind: 'unseen' },
      { kind: 'bonds', bonds: [LACP, { ...ACTIVE_BACKUP, ifindex: 4 }] },
      { kind: 'team', name: 't', ifindex: 5 },
    ),
  },
);

export const facts: fc.Arbitrary<LinkFacts> = fc.record({
  ifindex: fc.constantFrom(2, 2, 2, 2, 3),
  mac: fc.constantFrom(OWN_MAC, OWN_MAC, OWN_MAC, mac('02:00:00:00:00:09'), undefined),
  carrier: fc.constantFrom(true, true, true, true, false, undefined),
  uplinkFault: fc.constantFrom(
    undefined,
    undefined,
    'no-uplink' as const,
    'uplink-blocked' as const,
  ),
  carrierLosses: fc.constantFrom(0, 0, 0, 1, undefined),
  uplinks: fc.oneof(
    { weight: 8, arbitrary: fc.constant([{ ifindex: 2, vlans: [] }]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        [],
        [{ ifindex: 4, vlans: [5] }],
        [{ ifindex: 2, vlans: [], above: 9 }],
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constant([
        { ifindex: 2, vlans: [] },
        { ifindex: 4, vlans: [5] },
      ]),
    },
  ),
  lower: lowers,
});

const names = fc.constantFrom('db', 'db', 'web', 'nobody');
const addresses = fc.constantFrom(PEER, GATEWAY, VIP, address('10.9.0.101'), address('10.9.0.30'));

const evidence: fc.Arbitrary<ReadinessInput> = fc.oneof(
  fc.record({
    kind: fc.constant('advert-heard' as const),
    name: names,
    from: fc.constantFrom(PEER, PEER, address('10.9.0.30')),
    interval: fc.constantFrom(fromSeconds(1), fromSeconds(1), fromMillis(10), fromSeconds(9)),
    leaving: fc.constantFrom(false, false, false, true),
    epoch: fc.constant(0),
    heardBy: fc.constantFrom('socket' as const, 'socket' as const, 'witness' as const),
    throughUplink: fc.constantFrom(true, true, true, false),
  }),
  fc.record({
    kind: fc.constant('frame-heard' as const),
    from: fc.constant(PEER_MAC),
    epoch: fc.constant(0),
  }),
  fc.record({
    kind: fc.constant('probe-answered' as const),
    address: addresses,
    mac: fc.constantFrom(PEER_MAC, PEER_MAC, OWN_MAC),
    epoch: fc.constant(0),
  }),
);

const neighbours: fc.Arbitrary<ReadinessInput> = fc.record({
  kind: fc.constant('neighbours-found' as const),
  addresses: fc.array(addresses, { maxLength: 3 }),
});

const roles: fc.Arbitrary<ReadinessInput> = fc.record({
  kind: fc.constant('role-changed' as const),
  name: names,
  role: fc.constantFrom('waiting', 'waiting', 'master', 'master', 'inactive'),
});

const late: fc.Arbitrary<ReadinessInput> = fc.record({
  kind: fc.constant('woken-late' as const),
  lateBy: fc.constantFrom(fromMillis(900), fromSeconds(2), fromSeconds(4)),
});

const reports: fc.Arbitrary<ReadinessInput> = fc.record({
  kind: fc.constant('facts-read' as const),
  facts: fc.oneof(
    { weight: 9, arbitrary: facts },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
});

const good: fc.Arbitrary<ReadinessInput> = fc.constantFrom(
  { kind: 'facts-read', facts: PLAIN },
  { kind: 'facts-read', facts: { ...PLAIN, lower: LACP } },
  { kind: 'facts-read', facts: { ...PLAIN, lower: { ...LACP, ports: LACP.ports.slice(0, 1) } } },
);

const inputs = fc.oneof(
  { weight: 8, arbitrary: evidence },
  { weight: 3, arbitrary: good },
  { weight: 3, arbitrary: reports },
  { weight: 3, arbitrary: roles },
  { weight: 1, arbitrary: neighbours },
  { weight: 1, arbitrary: late },
);

const events: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('input' as const),
      afterUs: fc.oneof(
        fc.constantFrom(0, 1, 500_000, 1_000_000, 3_000_000),
        fc.nat({ max: 8_000_000 }),
      ),
      lag: fc.constantFrom(0, 0, 0, 0, 1, 2, -1),
      input: inputs,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wake' as const),
      lateUs: fc.oneof(fc.constant(0), fc.constant(0), fc.nat({ max: 20_000_000 })),
    }),
  },
);

export const histories = fc.array(events, { maxLength: 80, size: 'max' });

export const gates: fc.Arbitrary<GateSettings> = fc.record({
  policy: fc.constantFrom('hold', 'hold', 'promote-after', 'off'),
  promoteAfter: fc.constantFrom(fromSeconds(0), fromSeconds(5), fromSeconds(60)),
  requireProbe: fc.constantFrom(false, false, true),
  ignoreLinkState: fc.constantFrom(false, false, false, true),
});

export const settings: fc.Arbitrary<InstanceSettings> = fc.record({
  name: fc.constant('db'),
  vip: fc.constant(VIP),
  source: fc.constantFrom(address('10.9.0.10'), undefined),
  deadInterval: fc.constantFrom(fromSeconds(3), fromMillis(1), fromSeconds(30)),
  advertInterval: fc.constantFrom(fromSeconds(1), fromSeconds(1), fromMillis(1)),
  gate: gates,
  vipInUse: fc.constantFrom('unheard', 'always', 'off'),
  targets: fc.subarray([GATEWAY, address('10.9.0.10'), VIP]),
  probeInterval: fc.constantFrom(fromMillis(500), fromMillis(500), fromSeconds(5), fromMillis(10)),
  preempt: boolean,
});

export const pairs = fc
  .tuple(settings, settings)
  .map(([one, other]) => [one, { ...other, name: 'web', vip: address('10.9.0.101') }] as const);
