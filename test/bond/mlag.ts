// Two switches that a host takes for one (MLAG): each has one leg of its bond, and a cable joins
// them. What is meant for all comes to the host by one of them, and never by way of both.
import { run } from '../../lab/command.ts';
import type { Netns } from '../../lab/host.ts';
import { eventually } from '../../lab/wait.ts';
import type { BondHost } from './bond-host.ts';
import { isFormed } from './bond-host.ts';
import type { Cable } from './switch-side.ts';

/** By which two switches pass for one, and the one that the second has otherwise. */
const SYSTEMS = { same: '02:aa:00:00:00:01', other: '02:aa:00:00:00:02' } as const;
const FORM_MS = 60_000;
const GROUPS = 'protocol all flower dst_mac 01:00:00:00:00:00/01:00:00:00:00:00';

export interface Mlag {
  /** The first switch is gone, and the second passes nothing but LACP as yet. */
  loseFirst(): Promise<void>;
  /** The second one has its tables, and passes all. */
  secondIsReady(): Promise<void>;
}

/**
 * Joins the cables of a host, whose bond the switch has formed no channel for, to two switches;
 * resolves when LACP has formed on what the host can use of them.
 */
export async function mlag(host: BondHost, at: Netns, system: keyof typeof SYSTEMS): Promise<Mlag> {
  const { switchSide } = host;
  const { netns } = at;
  const batch = async (
    tool: 'ip' | 'bridge' | 'tc',
    ...lines: readonly string[]
  ): Promise<void> => {
    const input = lines.map((line) => `${line}\n`).join('');
    await run([tool, '-n', netns, '-batch', '-'], input);
  };
  const channel = (name: string, cable: Cable, id: string): readonly string[] => [
    `link add ${name} type bond miimon 100 mode 802.3ad lacp_rate fast ad_actor_system ${id}`,
    `link set ${switchSide.port(cable)} nomaster down`,
    `link set ${switchSide.port(cable)} master ${name}`,
    `link set ${name} up`,
  ];
  await batch(
    'ip',
    'link add br1 up type bridge stp_state 0 mcast_snooping 0',
    'link add pl0 type veth peer name pl1',
    'link set pl0 master br0 up',
    'link set pl1 master br1 up',
    ...channel('leg0', 0, SYSTEMS.same),
    'link set leg0 master br0',
  );
  // What came by the other switch, it has given to the host itself.
  await batch('bridge', 'link set dev leg0 isolated on', 'link set dev pl0 isolated on');
  await formed(host, 1);
  await batch('ip', ...channel('leg1', 1, SYSTEMS[system]));
  await batch(
    'tc',
    'qdisc add dev leg1 clsact',
    `filter add dev leg1 egress pref 1 ${GROUPS} action drop`,
  );
  await batch('ip', 'link set leg1 master br1');
  if (system === 'same') await formed(host, 2);
  const everything = ['ingress', 'egress'].map((hook) => `dev leg1 ${hook} pref 2`);
  return {
    loseFirst: async () => {
      await batch(
        'tc',
        ...everything.map((place) => `filter add ${place} protocol all matchall action drop`),
      );
      await batch('ip', `link set ${switchSide.port(0)} down`);
    },
    secondIsReady: async () => {
      await batch(
        'tc',
        ...everything.map((place) => `filter del ${place}`),
        'filter del dev leg1 egress pref 1',
      );
    },
  };
}

async function formed(host: BondHost, legs: number): Promise<void> {
  const probe = async (): Promise<boolean> => (await host.slaves()).filter(isFormed).length >= legs;
  await eventually(probe, { withinMs: FORM_MS, everyMs: 100, what: `LACP on ${legs} legs` });
}
