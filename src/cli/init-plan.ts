// What `carpd init` makes of its answers: defaults that come out alike on all nodes without their
// talking to each other, the configuration, and what to do on the other nodes. Pure.
import { fail, ok, type Result } from '../base/result.ts';
import { formatIpv4, parseIpv4, samePrefix, type Ipv4 } from '../base/addresses.ts';
import { parseVhid } from '../carp/group.ts';
import { interfaceName, prefixedAddress, show } from '../config/values.ts';
import { CONFIG_PATH_DEFAULT } from './config-path.ts';

/** An interface of this host with its first IPv4 address. */
export interface Attachment {
  readonly name: string;
  readonly address: Ipv4;
  readonly prefixLength: number;
  /** The default route goes through it. */
  readonly isDefault: boolean;
}

export const QUESTIONS = ['interface', 'address', 'peers'] as const;
export type Question = (typeof QUESTIONS)[number];

/** What was given by options or typed: text, not yet believed. */
export type GivenAnswers = Readonly<
  Partial<Record<Question | 'name' | 'vhid' | 'advskew', string>>
>;

/** A node of a group, complete. */
export interface Plan {
  readonly name: string;
  readonly interface: string;
  readonly source: Ipv4 | undefined;
  readonly address: Ipv4;
  readonly prefixLength: number;
  readonly vhid: number;
  readonly advskew: number;
  readonly peers: readonly Ipv4[];
}

const NAME = 'vip';
const ADVSKEW_STEP = 10;
const ADVSKEW_MAX = 255;

/** What is asked where it is not given, and the answer that an empty line means. */
export function ask(
  question: Question,
  attached: readonly Attachment[],
): readonly [string, string] {
  switch (question) {
    case 'interface': {
      const names = attached.map((one) => one.name).join(', ');
      const usual = attached.find(({ isDefault }) => isDefault) ?? attached[0];
      return [`Interface of the segment (there are: ${names || 'none'})`, usual?.name ?? ''];
    }
    case 'address':
      return ['Virtual IP, such as 10.9.0.100/24', ''];
    case 'peers':
      return ['Real addresses of the other nodes, with commas between; none: empty', ''];
  }
}

/** Checks one answer; the reason says what would be right. */
export function check(
  question: Question,
  text: string,
  attached: readonly Attachment[],
): Result<string, string> {
  switch (question) {
    case 'interface': {
      const read = interfaceName(text);
      return read.ok ? read : fail(`interface: ${read.reason}`);
    }
    case 'address': {
      const read = prefixedAddress(text);
      if (!read.ok) return fail(`address: ${read.reason}`);
      const own = attached.find(({ address }) => address === read.value.ip);
      if (own === undefined) return ok(text);
      return fail(
        `address: ${text} is the address of ${own.name} itself; the virtual IP is another`,
      );
    }
    case 'peers': {
      const read = peersOf(text);
      return read.ok ? ok(text) : read;
    }
  }
}

/** Puts all together; the reason names the option that is wrong. */
export function plan(given: GivenAnswers, attached: readonly Attachment[]): Result<Plan, string> {
  for (const question of QUESTIONS) {
    const text = given[question];
    if (text === undefined) {
      if (question === 'peers') continue;
      return fail(`--${question} is needed where nobody can be asked`);
    }
    const checked = check(question, text, attached);
    if (!checked.ok) return checked;
  }
  const address = prefixedAddress(given.address);
  const peers = peersOf(given.peers ?? '');
  if (!address.ok) return fail(`address: ${address.reason}`);
  if (!peers.ok) return peers;
  const { ip } = address.value;
  const on = attached.find(({ name }) => name === given.interface);
  const hasPrefix = (given.address ?? '').includes('/');
  const isNear = on !== undefined && samePrefix(on.address, ip, on.prefixLength);
  const others = peers.value.filter((peer) => peer !== on?.address);
  const vhid = wholeNumber(given.vhid, 1, ADVSKEW_MAX, lastOctet(ip), '--vhid');
  const advskew = wholeNumber(given.advskew, 0, ADVSKEW_MAX, rank(on, others), '--advskew');
  if (!vhid.ok) return vhid;
  if (!advskew.ok) return advskew;
  return ok({
    name: given.name ?? NAME,
    interface: given.interface ?? '',
    source: on?.address,
    address: ip,
    prefixLength: hasPrefix || !isNear ? address.value.prefixLength : on.prefixLength,
    vhid: vhid.value,
    advskew: advskew.value,
    peers: others,
  });
}

/** The file, with what has to be the same on all nodes said beside it. */
export function configurationText(
  { name, interface: device, address, prefixLength, vhid, advskew, peers }: Plan,
  passphraseFile: string,
): string {
  const known = peers.map(formatIpv4).join(', ');
  return `# Made by carpd init. All keys: docs/configuration.md, carpd.yaml(5).
instances:
  ${name}:
    interface: ${device}
    vhid: ${vhid} # the same on all nodes
    address: ${formatIpv4(address)}/${prefixLength} # the same on all nodes
    passphraseFile: ${JSON.stringify(passphraseFile)} # the same content on all nodes
    advskew: ${advskew} # another one on each node; the lowest is preferred
    peers: [${known}] # the real addresses of the other nodes
`;
}

/** Where `carpd init` has written. */
export interface Paths {
  readonly configPath: string;
  readonly passphrasePath: string;
}

/** The passphrase file that belongs to a configuration if nothing else is said. */
export function passphraseBeside(configPath: string, name: string): string {
  return `${configPath.slice(0, configPath.lastIndexOf('/'))}/${name}.pass`;
}

/** The command that makes the same of another node, in the same places. */
export function commandForPeer(
  made: Plan,
  peer: Ipv4,
  { configPath, passphrasePath }: Paths,
): string {
  const { source, peers } = made;
  const others = [
    ...(source === undefined ? [] : [source]),
    ...peers.filter((one) => one !== peer),
  ];
  return [
    'carpd init',
    `--interface ${made.interface}`,
    `--address ${formatIpv4(made.address)}/${made.prefixLength}`,
    // Whoever knows no address to name is asked for it there.
    ...(others.length === 0 ? [] : [`--peers ${others.map(formatIpv4).join(',')}`]),
    ...(made.name === NAME ? [] : [`--name ${made.name}`]),
    ...(made.vhid === lastOctet(made.address) ? [] : [`--vhid ${made.vhid}`]),
    ...(configPath === CONFIG_PATH_DEFAULT ? [] : [`--config ${configPath}`]),
    ...(passphrasePath === passphraseBeside(configPath, made.name)
      ? []
      : [`--passphrase-file ${passphrasePath}`]),
  ].join(' ');
}

function peersOf(text: string): Result<readonly Ipv4[], string> {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const peers: Ipv4[] = [];
  for (const word of words) {
    const peer = parseIpv4(word);
    if (peer === undefined) {
      return fail(`peers: ${show(word)} is no IPv4 address; give such as 10.9.0.20,10.9.0.21`);
    }
    peers.push(peer);
  }
  return ok(peers);
}

/** Addresses that end in 0 leave no vhid to derive. */
function lastOctet(address: Ipv4): number {
  return parseVhid(address & 0xff) ?? 1;
}

/** All nodes know all addresses, so their order gives each an advskew of its own. */
function rank(on: Attachment | undefined, peers: readonly Ipv4[]): number {
  if (on === undefined) return 0;
  const before = peers.filter((peer) => peer < on.address).length;
  return Math.min(before * ADVSKEW_STEP, ADVSKEW_MAX);
}

function wholeNumber(
  text: string | undefined,
  min: number,
  max: number,
  fallback: number,
  option: string,
): Result<number, string> {
  if (text === undefined) return ok(fallback);
  const value = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return ok(value);
  return fail(`${option}: ${show(text)} is not a whole number ${min}-${max}`);
}
