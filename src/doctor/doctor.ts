// The doctor's round: the host, each interface and what it stands on, the firewall, and then what
// is to be heard on each segment. It changes nothing.
import { toMillis } from '../base/time.ts';
import { messageOf } from '../base/errors.ts';
import { formatIpv4 } from '../base/addresses.ts';
import { CARP_MULTICAST } from '../carp/group.ts';
import type { Config, InstanceConfig } from '../config/config.ts';
import { finding, type Finding } from './checks/catalogue.ts';
import { firewallFindings, type FirewallFacts } from './checks/firewall-checks.ts';
import { hostFindings, rivalFindings, type OtherDaemon } from './checks/host-checks.ts';
import { linkFindings, placeFindings, type PlacedGroup } from './checks/link-checks.ts';
import {
  fileFindings,
  hookFindings,
  instanceFindings,
  placeFaults,
  type RunningDaemon,
} from './checks/place-checks.ts';
import {
  addressFindings,
  advertFindings,
  segmentFindings,
  switchFindings,
  type GroupFacts,
} from './checks/wire-checks.ts';
import { advertInterval } from '../election/cadence.ts';
import { readGateways } from '../linux/links/gateways.ts';
import { openLinkWatch, type LinkWatch } from '../linux/links/link-watch.ts';
import { readPrivileges } from '../linux/system/privileges.ts';
import { readFirewall, readHostFacts } from './facts/host.ts';
import { readInterface } from './facts/links.ts';
import { readHook, readPlaces } from './facts/places.ts';
import { hearSegment } from './facts/wire.ts';
import { knownGroups } from '../sniff/known-groups.ts';

const HOST = 'host';

export interface ExamineTarget {
  readonly configPath: string;
  /** Undefined: only interfaces are looked at. */
  readonly config: Config | undefined;
  /** Whether the passphrases are those of the daemon, so that digests can be checked. */
  readonly hasPassphrases: boolean;
  readonly interfaceNames: readonly string[];
  /** The daemon of this configuration, if it answers. */
  readonly running: RunningDaemon | undefined;
}

export interface ExamineOptions {
  /** How long each segment is listened to; 0: not at all. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** All findings, in the order of the round. */
export async function examine(
  target: ExamineTarget,
  options: ExamineOptions,
): Promise<readonly Finding[]> {
  const { config, running, configPath } = target;
  const host = await readHostFacts(running?.pid);
  const instances = config?.instances ?? [];
  const links = await openLinks();
  const keyOf = (name: string): number | string => {
    return links instanceof Error ? name : (links.find(name)?.ifindex ?? name);
  };
  const rivals = rivalFindings(host.otherDaemons, instances, keyOf);
  // What the doctor may do says nothing of a daemon that runs.
  const own = hostFindings(host).filter(
    ({ code }) => running === undefined || code !== 'privileges-missing',
  );
  const found: Finding[] = [...own, ...rivals];
  if (config !== undefined) {
    const places = await readPlaces(config, running !== undefined);
    const names = instances.map(({ name }) => name);
    found.push(...placeFaults(places, running, configPath));
    found.push(...fileFindings(names, running), ...instanceFindings(names, running));
  }
  for (const { name, hooks } of instances) {
    const paths = [hooks.up[0], hooks.down[0]].filter((path) => path !== undefined);
    found.push(...hookFindings(name, [...new Set(paths)].map(readHook)));
  }
  if (links instanceof Error) {
    // As where the addon is broken; what was found of the host still says so.
    const [reason = ''] = messageOf(links).split('\n');
    return [...found, finding('not-looked', HOST, `the interfaces: ${reason}`)];
  }
  const round = { ...target, otherDaemons: host.otherDaemons };
  return [...found, ...(await examineInterfaces(round, options, links))];
}

/** Or why they can't be read. */
async function openLinks(): Promise<LinkWatch | Error> {
  try {
    return await openLinkWatch({ onChange: () => undefined, onError: () => undefined });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What is known of the whole host when an interface is looked at. */
interface RoundTarget extends ExamineTarget {
  readonly otherDaemons: readonly OtherDaemon[];
}

async function examineInterfaces(
  target: RoundTarget,
  options: ExamineOptions,
  links: LinkWatch,
): Promise<readonly Finding[]> {
  try {
    const firewall = await readFirewall();
    const rounds = target.interfaceNames.map((name) =>
      new InterfaceRound(target, links, name).examine(firewall, options),
    );
    return (await Promise.all(rounds)).flat();
  } finally {
    links.close();
  }
}

class InterfaceRound {
  readonly #target: RoundTarget;
  readonly #links: LinkWatch;
  readonly #name: string;
  readonly #instances: readonly InstanceConfig[];

  constructor(target: RoundTarget, links: LinkWatch, name: string) {
    this.#target = target;
    this.#links = links;
    this.#name = name;
    const all = target.config?.instances ?? [];
    this.#instances = all.filter(({ interfaceName }) => interfaceName === name);
  }

  async examine(firewall: FirewallFacts, options: ExamineOptions): Promise<readonly Finding[]> {
    const link = this.#links.find(this.#name);
    if (link === undefined) {
      const names = [...this.#links.all()].map(({ name }) => name).join(', ');
      const remedy = `correct its name, or create it; there are: ${names}`;
      return [finding('interface-missing', this.#name, `there is no ${this.#name}`, remedy)];
    }
    const uplinks = this.#instances[0]?.gate.uplinks;
    const known = this.#instances.flatMap((instance) => instance.peers);
    const facts = readInterface(link, this.#links, uplinks, known);
    const others = [...this.#links.all()].map((other) => readInterface(other, this.#links));
    const destinations = this.#instances.map(({ destination }) => formatIpv4(destination));
    const peers = this.#instances.flatMap((instance) => instance.peers.map(formatIpv4));
    const found = [
      ...linkFindings(facts, destinations),
      ...[
        ...new Set(destinations.length > 0 ? destinations : [formatIpv4(CARP_MULTICAST)]),
      ].flatMap((destination) =>
        // Rules of a firewall know an interface by its own name alone.
        firewallFindings(firewall, link.name, destination, peers),
      ),
    ];
    for (const instance of this.#instances) {
      found.push(...placeFindings(this.#placed(instance), facts, others));
    }
    return facts.up && options.seconds > 0 ? [...found, ...(await this.#listen(options))] : found;
  }

  #placed({ name, address, source }: InstanceConfig): PlacedGroup {
    const same = this.#target.config?.instances.filter((one) => one.address.ip === address.ip);
    const state = this.#target.running?.states.find((one) => one.name === name)?.state;
    return {
      name,
      vip: formatIpv4(address.ip),
      prefixLength: address.prefixLength,
      isKept: state === 'MASTER',
      rivals: this.#target.otherDaemons.flatMap((one) => mayKeep(one, formatIpv4(address.ip))),
      alsoServedOn: same?.flatMap((one) => this.#links.find(one.interfaceName)?.name ?? []) ?? [],
      source: source === undefined ? undefined : formatIpv4(source),
    };
  }

  async #listen({ seconds, signal }: ExamineOptions): Promise<readonly Finding[]> {
    const name = this.#name;
    if (readPrivileges().missing.includes('CAP_NET_RAW')) {
      const text = 'nobody listened: that needs root, or CAP_NET_RAW';
      return [finding('not-looked', name, text, 'run the doctor as root')];
    }
    const groups = await Promise.all(this.#instances.map((instance) => this.#groupOf(instance)));
    const known = this.#target.hasPassphrases ? knownGroups(this.#instances) : undefined;
    try {
      const links = this.#links;
      const options = { interfaceName: name, links, groups, known, seconds, signal };
      const heard = await hearSegment(options);
      return [
        ...switchFindings(heard),
        ...segmentFindings(heard),
        ...groups.flatMap((group) => [
          ...advertFindings(group, heard),
          ...addressFindings(group, heard),
        ]),
      ];
    } catch (error) {
      return [finding('not-looked', name, `nobody listened: ${messageOf(error)}`)];
    }
  }

  async #groupOf(instance: InstanceConfig): Promise<GroupFacts> {
    const { name, vhid, address, destination, gate, peers, source } = instance;
    const link = this.#links.find(this.#name);
    const vip = formatIpv4(address.ip);
    const own = link?.addresses.map((one) => one.address) ?? [];
    const gateways = gate.probe.targets.includes('gateway')
      ? await readGateways(link?.name ?? this.#name).catch(() => [])
      : [];
    const named = gate.probe.targets.filter((target) => target !== 'gateway');
    const targets = [...gateways, ...named, ...peers].map(formatIpv4);
    return {
      name,
      vhid,
      vip,
      destination: formatIpv4(destination),
      intervalMs: toMillis(advertInterval(instance)),
      targets: [...new Set(targets)],
      source: source === undefined ? own.find((one) => one !== vip) : formatIpv4(source),
      holdsVip: own.includes(vip),
    };
  }
}

/** What it is called where it may keep this address; nothing where its options name another. */
function mayKeep({ name, pid, vip: kept = '' }: OtherDaemon, vip: string): readonly string[] {
  return kept === '' || kept === vip ? [`${name}, process ${String(pid)}`] : [];
}
