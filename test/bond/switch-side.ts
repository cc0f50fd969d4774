// The switch's end of a bonded host: two ports, the channel they form or don't, and every way in
// which a link can be up and pass nothing.
import type { Netns } from '../../lab/host.ts';
import { run } from '../../lab/command.ts';

/** How the switch treats the two cables. */
export type Channel =
  /** A port channel by LACP, at the rate at which the switch wants to hear from the host. */
  | { readonly kind: 'lacp'; readonly rate: 'fast' | 'slow' }
  /** A port channel without LACP, for balance-xor and its like. */
  | { readonly kind: 'static' }
  /** Two ports that know nothing of each other, for active-backup. */
  | { readonly kind: 'separate' };

/** A cable of the host, numbered as the slaves of its bond. */
export type Cable = 0 | 1;

export const CABLES: readonly Cable[] = [0, 1];

/** Which way frames are lost, seen from the host. */
export type Direction = 'to-host' | 'from-host';

/** What can be dropped, as the words of a tc filter. */
export const FILTERS = {
  everything: 'protocol all matchall',
  lacp: 'protocol 0x8809 matchall',
  arp: 'protocol arp matchall',
  carp: 'protocol ip flower ip_proto 112',
  ipv4: 'protocol ip matchall',
  outerTag: 'protocol 802.1ad matchall',
  innerTag: 'protocol 802.1ad flower vlan_ethtype 802.1q cvlan_id 7',
} as const;

/** A fault that lasts until it is taken away. */
export interface Fault {
  remove(): Promise<void>;
}

/**
 * Everything here is done when the promise resolves; what follows from it (LACP) takes its time.
 */
export class SwitchSide {
  readonly channel: Channel;
  readonly #switch: Netns;
  readonly #host: Netns;
  readonly #label: string;
  #faults = 0;
  #priority = 1_000;
  #filtering = false;

  constructor(is: { switch: Netns; host: Netns; label: string; channel: Channel }) {
    this.#switch = is.switch;
    this.#host = is.host;
    this.#label = is.label;
    this.channel = is.channel;
  }

  /** The switch's device at the end of a cable. */
  port(cable: Cable): string {
    return `${cable === 0 ? 'p' : 'q'}-${this.#label}`;
  }

  /** The switch's devices that are ports of its bridge: the channel, or each cable by itself. */
  get uplinks(): readonly string[] {
    return this.channel.kind === 'separate'
      ? CABLES.map((cable) => this.port(cable))
      : [this.#channelName];
  }

  /**
   * Makes the port channel: LACP starts, or a static channel begins to take frames; not forwarding.
   */
  async form(): Promise<void> {
    if (this.channel.kind === 'separate') return;
    const mode =
      this.channel.kind === 'lacp' ? `802.3ad lacp_rate ${this.channel.rate}` : 'balance-xor';
    await this.#batch(
      `link add ${this.#channelName} type bond miimon 100 mode ${mode}`,
      // A device must be down to join a bond.
      ...CABLES.flatMap((cable) => [
        `link set ${this.port(cable)} nomaster down`,
        `link set ${this.port(cable)} master ${this.#channelName}`,
      ]),
      `link set ${this.#channelName} up`,
    );
  }

  /**
   * Takes the port channel away and leaves the ports with link, going nowhere. The host sees its
   * carriers blink, since a port leaves a bond by going down.
   */
  async dissolve(): Promise<void> {
    if (this.channel.kind === 'separate') return;
    await this.#batch(
      `link del ${this.#channelName}`,
      ...CABLES.map((cable) => `link set ${this.port(cable)} up`),
    );
  }

  /**
   * LACP fallback, where there is no channel (yet, or any more): each port forwards by itself. The
   * host uses one of its cables then, and its kernel chooses which.
   */
  async fallBack(): Promise<void> {
    await this.#batch(...CABLES.map((cable) => `link set ${this.port(cable)} master br0`));
  }

  /**
   * Stops forwarding with link and LACP untouched. The port leaves the bridge: a bridge port that
   * is only set to "disabled" is set forwarding again by the kernel when its carrier comes back.
   */
  async block(uplinks: readonly string[] = this.uplinks): Promise<void> {
    await this.#batch(...uplinks.map((device) => `link set ${device} nomaster`));
  }

  /** Forwards (from now on, or with spanning tree after its listening and learning). */
  async unblock(uplinks: readonly string[] = this.uplinks): Promise<void> {
    await this.#batch(...uplinks.map((device) => `link set ${device} master br0`));
  }

  /** Takes the carrier of a cable away. */
  async cableDown(cable: Cable): Promise<void> {
    await this.#batch(`link set ${this.port(cable)} down`);
  }

  /** Gives it back. */
  async cableUp(cable: Cable): Promise<void> {
    await this.#batch(`link set ${this.port(cable)} up`);
  }

  /** Takes the carriers of both cables away for so long; yields the ms that it really took. */
  blip(forMs: number): Promise<number> {
    const set = (state: string): readonly string[] =>
      CABLES.map((cable) => `link set ${this.port(cable)} ${state}`);
    return this.#brief(set('down'), forMs, set('up'));
  }

  /** The first cable loses its carrier; the second one, blocked, forwards only after so long. */
  lateFailover(forMs: number): Promise<number> {
    const second = this.port(1);
    return this.#brief([`link set ${this.port(0)} down`], forMs, [`link set ${second} master br0`]);
  }

  /**
   * Loses frames of all kinds, LACPDUs too, carrier untouched. From the host it is lost in the
   * host's own queue, whose senders may hear of it (ENOBUFS).
   */
  async lose(directions: readonly Direction[], percent = 100): Promise<Fault> {
    const ends = directions.flatMap((direction) =>
      CABLES.map((cable) =>
        direction === 'to-host'
          ? { netns: this.#switch.netns, device: this.port(cable) }
          : { netns: this.#host.netns, device: slaveName(cable) },
      ),
    );
    const tc = async (words: (device: string) => string): Promise<void> => {
      for (const { netns } of [this.#switch, this.#host]) {
        const lines = ends.filter((end) => end.netns === netns).map(({ device }) => words(device));
        if (lines.length > 0) await run(['tc', '-n', netns, '-batch', '-'], batch(lines));
      }
    };
    await tc((device) => `qdisc replace dev ${device} root netem loss ${percent}%`);
    return { remove: () => tc((device) => `qdisc del dev ${device} root`) };
  }

  /** Drops some kind of frames at the switch's ports, with nothing to be seen on the host. */
  async drop(
    direction: Direction,
    what: keyof typeof FILTERS = 'everything',
    cables = CABLES,
  ): Promise<Fault> {
    // Not nft: on the way out a kernel before 5.16 has no hook for it.
    this.#faults += 1;
    const preference = String(this.#faults);
    const hook = direction === 'from-host' ? 'ingress' : 'egress';
    const at = cables.map((cable) => `dev ${this.port(cable)} ${hook} pref ${preference}`);
    await this.#prepareFilters();
    await this.#tc(at.map((place) => `filter add ${place} ${FILTERS[what]} action drop`));
    return { remove: () => this.#tc(at.map((place) => `filter del ${place}`)) };
  }

  /** Drops everything but LACPDUs at some ports, both ways: both sides see a healthy leg. */
  async dropData(cables: readonly Cable[]): Promise<Fault> {
    await this.#prepareFilters();
    const at = cables.flatMap((cable) =>
      ['ingress', 'egress'].map((hook) => `dev ${this.port(cable)} ${hook}`),
    );
    this.#faults += 2;
    const [first, second] = [String(this.#faults - 1), String(this.#faults)];
    await this.#tc(
      at.flatMap((place) => [
        `filter add ${place} pref ${first} ${FILTERS.lacp} action ok`,
        `filter add ${place} pref ${second} ${FILTERS.everything} action drop`,
      ]),
    );
    const filters = at.flatMap((place) => [`${place} pref ${second}`, `${place} pref ${first}`]);
    return { remove: () => this.#tc(filters.map((filter) => `filter del ${filter}`)) };
  }

  /**
   * Drops the switch's LACPDUs and lets everything else pass: the host sees its partner go silent.
   */
  muteLacp(): Promise<Fault> {
    return this.drop('to-host', 'lacp');
  }

  /**
   * The path goes dark: every frame is lost at the switch's ports, both ways, LACPDUs too, and the
   * host sees nothing of it but silence.
   */
  async dark(): Promise<Fault> {
    const ways = [await this.drop('to-host'), await this.drop('from-host')];
    return { remove: () => removeAll(ways) };
  }

  /** Frames of one kind pass neither way, and the host sees nothing of it. */
  async lacks(what: keyof typeof FILTERS): Promise<Fault> {
    const ways = [await this.drop('to-host', what), await this.drop('from-host', what)];
    return { remove: () => removeAll(ways) };
  }

  /** No LACPDU passes, either way, and everything else does: both sides believe to be alone. */
  async withoutLacp(): Promise<Fault> {
    const ways = [await this.muteLacp(), await this.drop('from-host', 'lacp')];
    return { remove: () => removeAll(ways) };
  }

  /**
   * Makes the switch send LACPDUs now: a port that has lost its partner speaks only every 30 s. Its
   * priority changes by it, which is a change of partner to a host that has not lost it.
   */
  async speakLacp(): Promise<void> {
    this.#priority += 1;
    const priority = `ad_actor_sys_prio ${this.#priority}`;
    await this.#batch(`link set ${this.#channelName} type bond ${priority}`);
  }

  async #prepareFilters(): Promise<void> {
    if (this.#filtering) return;
    this.#filtering = true;
    await this.#tc(CABLES.map((cable) => `qdisc add dev ${this.port(cable)} clsact`));
  }

  get #channelName(): string {
    return `c-${this.#label}`;
  }

  async #tc(lines: readonly string[]): Promise<void> {
    await run(['tc', '-n', this.#switch.netns, '-batch', '-'], batch(lines));
  }

  /** Makes a fault that a busy machine makes but little longer; yields the ms that it took. */
  async #brief(begin: readonly string[], forMs: number, end: readonly string[]): Promise<number> {
    const words = [batch(begin), String(forMs / 1_000), batch(end)];
    const argv = ['ip', 'netns', 'exec', this.#switch.netns, 'sh', '-euc', BRIEF, 'sh', ...words];
    const [from, to] = (await run(argv)).trim().split('\n').map(Number);
    return Math.round((Number(to) - Number(from)) * 1_000);
  }

  async #batch(...lines: readonly string[]): Promise<void> {
    await run(['ip', '-n', this.#switch.netns, '-batch', '-'], batch(lines));
  }
}

/**
 * Prints the seconds of the machine's clock before and after. The one `ip` that does it all runs
 * already when the fault begins: on a busy machine the start of a process takes longer than a blip.
 */
const BRIEF = `
exec 3>&1
{
  sleep 0.5
  read from rest </proc/uptime
  echo "$from" >&3
  printf %s "$1"
  sleep "$2"
  printf %s "$3"
} | ip -batch -
read to rest </proc/uptime
echo "$to"`;

/** The host's device at its end of a cable. */
export function slaveName(cable: Cable): string {
  return `cable${cable}`;
}

async function removeAll(faults: readonly Fault[]): Promise<void> {
  for (const fault of faults) await fault.remove();
}

function batch(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
