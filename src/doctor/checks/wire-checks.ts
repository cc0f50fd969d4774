// What was heard and asked on the segment of an instance, and what that means. Pure.
import type { Speaker, Summary } from '../../sniff/speakers.ts';
import { finding, type Finding } from './catalogue.ts';
import type { SwitchFrame } from './switch-frames.ts';

/** A group as the configuration has it. */
export interface GroupFacts {
  readonly name: string;
  readonly vhid: number;
  readonly vip: string;
  readonly destination: string;
  /** From one of our adverts to the next. */
  readonly intervalMs: number;
  /** Probe targets and peers, as addresses. */
  readonly targets: readonly string[];
  /** Our own address. */
  readonly source: string | undefined;
  /** The virtual IP is on the interface. */
  readonly holdsVip: boolean;
}

/** What an interface told in the time that it was listened to. */
export interface Heard {
  readonly interfaceName: string;
  readonly seconds: number;
  /** How the interface is bound: only such a bond is meant to speak LACP. */
  readonly bond: 'none' | 'lacp' | 'other';
  /** Each once, with the interface below that it came in by. */
  readonly frames: readonly { readonly by: string; readonly frame: SwitchFrame }[];
  /** Other frames of other hosts. */
  readonly otherFrames: number;
  readonly adverts: Summary;
  /** Packets of protocol 112 at the card, and at a CARP socket; undefined: there was none. */
  readonly atCard: number;
  readonly atSocket: number | undefined;
  /** Who answered ARP for an address: MAC addresses. */
  readonly answers: ReadonlyMap<string, ReadonlySet<string>>;
}

/** One advert may be on its way when the listening begins or ends. */
const BLOCKED_MIN = 2;

/** What the switch said. */
export function switchFindings({ interfaceName, bond, frames }: Heard): readonly Finding[] {
  const found = frames.flatMap(({ by, frame }) => switchFinding(by, frame, bond));
  const systems = new Set(frames.flatMap(({ frame }) => ('port' in frame ? nameOf(frame) : [])));
  const portsHeard = new Set(frames.map(({ by }) => by)).size;
  if (bond !== 'none' && systems.size > 1 && portsHeard > 1) {
    const text = `its ports lead to ${[...systems].join(' and ')}`;
    const remedy = 'make sure that the switches are one to LACP (MLAG, stack, virtual chassis)';
    found.push(finding('two-switches', interfaceName, text, remedy));
  }
  return found;
}

function nameOf(frame: SwitchFrame): readonly string[] {
  return frame.kind === 'lldp' || frame.kind === 'cdp' ? [frame.system] : [];
}

function switchFinding(by: string, frame: SwitchFrame, bond: Heard['bond']): Finding[] {
  switch (frame.kind) {
    case 'lldp': {
      const vlan = frame.vlan === undefined ? '' : `, VLAN ${String(frame.vlan)}`;
      const text = `LLDP: port ${frame.port} of ${frame.system}${vlan}`;
      const found = [finding('switch', by, text)];
      if (bond === 'lacp' && frame.aggregated === false) {
        const missing = `LLDP: port ${frame.port} is in no port channel, and the bond speaks LACP`;
        const remedy = 'make the ports of the bond one port channel with LACP on the switch';
        found.push(finding('channel-missing', by, missing, remedy));
      }
      return found;
    }
    case 'cdp':
      return [finding('switch', by, `CDP: port ${frame.port} of ${frame.system}`)];
    case 'bpdu':
      return [spanningTree(by, frame)];
    case 'lacp': {
      if (bond === 'lacp') return [];
      const text = `the switch (${frame.system}) speaks LACP here`;
      const remedy = 'make the interface a port of an 802.3ad bond, or take it out of the channel';
      return [finding('lacp-unwanted', by, text, remedy)];
    }
  }
}

function spanningTree(by: string, frame: Extract<SwitchFrame, { kind: 'bpdu' }>): Finding {
  const { bridge, port, forwardDelayS, forwarding } = frame;
  const where = `spanning tree of bridge ${bridge}, port ${port}`;
  const edge = 'make it an edge port (PortFast), with BPDU guard';
  if (forwarding === false) {
    const text = `${where}: not forwarding; frames pass after up to ${String(2 * forwardDelayS)} s`;
    return finding('spanning-tree-waits', by, text, `${edge}; the gate waits for it`);
  }
  const text = `${where}: a port that comes up may wait for ${String(2 * forwardDelayS)} s`;
  return finding('spanning-tree', by, text, `${edge}, unless it is one`);
}

/** Whether the segment lives, and whether adverts get where they should. */
export function segmentFindings(heard: Heard): readonly Finding[] {
  const { interfaceName, otherFrames, answers, atCard, atSocket, seconds } = heard;
  const answered = [...answers.values()].some((macs) => macs.size > 0);
  if (otherFrames + atCard === 0 && !answered) {
    const text = `not a single frame of another host in ${String(seconds)} s`;
    const remedy =
      'check the switch port (spanning tree, VLAN, port channel); where nobody else is there, ' +
      'give gate.probe.targets or peers that answer, or the gate stays closed';
    return [finding('segment-silent', interfaceName, text, remedy)];
  }
  if (atSocket !== 0 || atCard < BLOCKED_MIN) return [];
  const text = `${String(atCard)} adverts came in at the card, and none at a CARP socket`;
  const remedy =
    'let the firewall accept IP protocol 112 on the interface: ' +
    `nft insert rule inet filter input iifname ${interfaceName} ip protocol 112 accept`;
  return [finding('adverts-blocked', interfaceName, text, remedy)];
}

/** Who advertises the group of an instance. */
export function advertFindings(own: GroupFacts, heard: Heard): readonly Finding[] {
  const { speakers, vrrp, refused } = heard.adverts;
  const { name, vhid } = own;
  const ours = speakers.filter((one) => one.vhid === vhid && one.source !== own.source);
  const believed = ours.filter((one) => one.badDigests < one.adverts);
  const found = ours.flatMap((one) => speakerFindings(own, one));
  const masters = believed.filter((one) => one.adverts > one.bowOuts);
  const conflict = heard.adverts.conflicts.find((one) => one.vhid === vhid);
  if (conflict !== undefined) {
    const text = `${conflict.sources.join(' and ')} advertise vhid ${String(vhid)} side by side`;
    const remedy = 'see carpd explain on both: one does not hear the other, or they disagree';
    found.push(finding('two-masters', name, text, remedy));
  } else if (masters.length > 0) {
    const { source, expectedMs } = masters[0] ?? { source: '', expectedMs: 0 };
    const text = `${source} is master, with an advert every ${expectedMs.toFixed(0)} ms`;
    found.push(finding('adverts-good', name, text));
  } else if (ours.length === 0 && !own.holdsVip) {
    const [to, seconds] = [own.destination, String(heard.seconds)];
    const others = elseHeard(own, heard);
    const text = `no advert of vhid ${String(vhid)} to ${to} in ${seconds} s${others}`;
    const remedy = 'where a master should be: check that it runs, and that it is on this segment';
    found.push(finding('no-adverts', name, text, remedy));
  }
  if (vrrp > 0) {
    const text = `${String(vrrp)} VRRP packets: another protocol under the number 112`;
    const remedy = 'harmless; give VRRP routers other numbers than the vhids all the same';
    found.push(finding('vrrp-beside', heard.interfaceName, text, remedy));
  }
  if (refused > 0) {
    const text = `${String(refused)} packets of protocol 112 that no receiver would believe`;
    const remedy = `carpd sniff -i ${heard.interfaceName} says from whom, and why`;
    found.push(finding('adverts-refused', heard.interfaceName, text, remedy));
  }
  return found;
}

function speakerFindings(own: GroupFacts, one: Speaker): Finding[] {
  const { name, vhid } = own;
  if (one.badDigests > 0) {
    const text = `${one.source} signs vhid ${String(vhid)} with another passphrase or virtual IP`;
    const remedy =
      `give both the same passphrase and address (here: ${own.vip}), ` +
      'or the other group another vhid';
    return [finding('peer-disagrees', name, text, remedy)];
  }
  if (one.destination !== own.destination) {
    const { source, destination } = one;
    const text = `${source} sends to ${destination}, and this instance to ${own.destination}`;
    return [finding('peer-disagrees', name, text, 'give both the same group (--mcast)')];
  }
  const ratio = one.expectedMs / own.intervalMs;
  // A skew is a part of a second and meant; another base is another pace.
  if (Math.abs(one.expectedMs - own.intervalMs) < 1_000 && ratio > 0) return [];
  const text =
    `${one.source} advertises every ${one.expectedMs.toFixed(0)} ms, ` +
    `this instance would every ${own.intervalMs.toFixed(0)} ms`;
  const remedy = 'give both the same advbase: the faster one always wins';
  return [finding('peer-interval', name, text, remedy)];
}

/** Which other vhids are heard from others, as the end of a sentence: a peer may have another. */
function elseHeard({ vhid, source }: GroupFacts, { adverts }: Heard): string {
  const others = adverts.speakers.filter((one) => one.vhid !== vhid && one.source !== source);
  if (others.length === 0) return '';
  return `; heard were ${others.map((one) => `vhid ${one.vhid} of ${one.source}`).join(', ')}`;
}

/** Who has the addresses that matter to an instance. */
export function addressFindings(own: GroupFacts, heard: Heard): readonly Finding[] {
  const { name, vip, source, targets } = own;
  const found: Finding[] = [];
  const macsOf = (address: string): readonly string[] => [...(heard.answers.get(address) ?? [])];
  const holders = macsOf(vip);
  // Whose digest is another one is a fault of its own, and the same host.
  const isAdvertised = heard.adverts.speakers.some(
    (one) => one.vhid === own.vhid && one.source !== source,
  );
  if (holders.length > 1 || (holders.length === 1 && own.holdsVip)) {
    const here = own.holdsVip ? ', and it is on this host' : '';
    const text = `${vip} is answered for by ${holders.join(' and ')}${here}`;
    const remedy = 'find the host by its MAC address, and take the address off it';
    found.push(finding('vip-twice', name, text, remedy));
  } else if (holders.length === 1 && !isAdvertised) {
    const others = elseHeard(own, heard);
    const text =
      `${vip} is answered for by ${holders.join()}, ` +
      `and nobody advertises vhid ${String(own.vhid)}`;
    const remedy =
      others === ''
        ? 'find the host by its MAC address; this instance would be held (vip-in-use)'
        : 'if that is the peer, give both the same vhid; this instance would be held (vip-in-use)';
    found.push(finding('vip-in-use', name, text + others, remedy));
  }
  if (source !== undefined && macsOf(source).length > 0) {
    const text = `${source} is the address of ${macsOf(source).join(' and ')} as well`;
    found.push(finding('source-twice', name, text, 'give each host an address of its own'));
  }
  for (const target of targets) {
    const answers = macsOf(target).length > 0;
    const remedy = 'check that it is on this segment, or name another one in gate.probe.targets';
    found.push(
      answers
        ? finding('target-answers', name, `${target} answers ARP`)
        : finding('target-silent', name, `${target} does not answer ARP`, remedy),
    );
  }
  return found;
}
