// The host of a carpd node: a host in memory whose interfaces are those of its uplink, and whose
// frames go out into the world and come in from there.
import { formatIpv4, type Mac } from '../../src/base/addresses.ts';
import { micros, toMillis } from '../../src/base/time.ts';
import type { InterfaceFault } from '../../src/election/inputs.ts';
import type { Link } from '../../src/linux/links/link-watch.ts';
import { FakeHost, type Behaviour } from '../fakes/host.ts';
import { namesOf } from '../fakes/host-process.ts';
import { VirtualTime } from '../fakes/time.ts';
import type { Medium } from '../fakes/wire.ts';
import { bytesOf, frameOf, VHID, VIP } from './frame-bytes.ts';
import type { Frame } from './frame.ts';
import type { Surroundings } from './node.ts';
import { TOP_NAME } from './stack.ts';
import type { Kernel, Station } from './station.ts';

/** How long a command may take in microseconds, and what `ip` refuses. */
export interface Performance {
  readonly commandMaxUs: number;
  readonly hookMaxUs: number;
  readonly claimFails: boolean;
  readonly releaseFails: boolean;
}

export const USUAL: Performance = {
  commandMaxUs: 40_000,
  hookMaxUs: 400_000,
  claimFails: false,
  releaseFails: false,
};

export const PREFIX_LENGTH = 16;
export const VIP_CIDR = `${formatIpv4(VIP)}/${String(PREFIX_LENGTH)}`;
const REFUSED = 'RTNETLINK answers: Operation not permitted';
const GROUP = '224.0.0.18';
const ARPHRD_ETHER = 1;
const ARPHRD_NONE = 0xfffe;
const SOMEBODY_ELSE = 1;

export interface CarpdHostOptions {
  readonly station: Station;
  readonly firewalled: boolean;
  /** The hooks put the address on and take it off. */
  readonly hooksManageAddress: boolean;
  /** Frames of other VLANs come in as if they were of its own. */
  readonly mixesTags: boolean;
}

export class CarpdHost implements Kernel {
  readonly host: FakeHost;
  performance: Performance = USUAL;
  /** Why no process of it gets a socket: an errno. */
  socketErrno: string | undefined;
  readonly #world: Surroundings;
  readonly #options: CarpdHostOptions;
  readonly #own: string;
  #isPlugged = false;
  #type = ARPHRD_ETHER;
  /** What the processes can see of it. */
  #shown: readonly Link[] | undefined;
  #shownType = ARPHRD_ETHER;

  constructor(world: Surroundings, options: CarpdHostOptions) {
    const { station, firewalled } = options;
    this.#world = world;
    this.#options = options;
    this.#own = `${formatIpv4(station.address)}/${String(PREFIX_LENGTH)}`;
    this.host = new FakeHost(station.name, new VirtualTime(world.clock));
    this.host.neighbours = () => station.neighbours;
    this.host.asked = () => this.sync();
    this.host.blocks = firewalled ? 'in' : 'nothing';
    this.host.ip = () => this.#takes(this.performance.commandMaxUs);
    this.host.refuses = (line) => this.#refusal(line);
    this.host.hook = ([path = '']) => ({
      ...this.#takes(this.performance.hookMaxUs),
      done: () => this.#hookRan(path),
    });
    this.sync();
  }

  get holdsVip(): boolean {
    return this.#has(VIP_CIDR);
  }

  set sendFails(sendFails: boolean) {
    this.host.rawErrno = sendFails ? 'ENOBUFS' : undefined;
    this.host.packetErrno = this.host.rawErrno;
  }

  /** Takes over how the interfaces are now; tells processes of what has changed. */
  sync(): void {
    const links = this.#options.station.uplink.links();
    if (links === this.#shown && this.#type === this.#shownType) return;
    this.#shown = links;
    this.#shownType = this.#type;
    const [top, ...below] = links ?? [];
    if (top === undefined) {
      if (this.#isPlugged) this.host.unplug(TOP_NAME);
      this.#isPlugged = false;
      return this.host.setBelow([]);
    }
    if (!this.#isPlugged) {
      this.host.plug(TOP_NAME, this.#wire, this.#own);
      this.#isPlugged = true;
    }
    const { addresses } = this.host.linkOf(TOP_NAME);
    this.host.update(TOP_NAME, { ...top, addresses, type: this.#type });
    this.host.setBelow(below);
  }

  /** A frame comes in; returns whether any socket of the host gets it. */
  frameCame(frame: Frame, tags: readonly number[]): boolean {
    const { station, mixesTags } = this.#options;
    const { uplink } = station;
    const isForeign = tags.join() !== uplink.tags.join();
    const [first] = uplink.waysOf(uplink.tags);
    const ways = isForeign && mixesTags && first !== undefined ? [first] : uplink.waysOf(tags);
    return this.host.frameCame(bytesOf(frame), uplink.cameBy, ways);
  }

  /** The host is off: it will boot with its own address alone, whatever it had. */
  reset(): void {
    const hadOwn = this.#has(this.#own);
    this.#drop(VIP_CIDR);
    if (hadOwn) this.#put(this.#own);
  }

  /** Something of the interface begins to be wrong. */
  begin(fault: InterfaceFault): void {
    const { uplink } = this.#options.station;
    switch (fault) {
      case 'interface-missing':
        return uplink.setPresent(false);
      case 'interface-down':
        return uplink.setAdminUp(false);
      case 'not-ethernet':
        this.#type = ARPHRD_NONE;
        return this.sync();
      case 'no-source-address':
        return this.#drop(this.#own);
      case 'no-socket':
        this.socketErrno = 'EPERM';
        return;
      case 'group-held':
        // Another interface of the name comes, and somebody else has the group there already.
        uplink.setPresent(false);
        for (const { name } of this.#namesOfNext()) this.host.names.set(name, SOMEBODY_ELSE);
        return uplink.setPresent(true);
    }
  }

  /** It is right again. */
  end(fault: InterfaceFault): void {
    const { uplink } = this.#options.station;
    switch (fault) {
      case 'interface-missing':
        return uplink.setPresent(true);
      case 'interface-down':
        return uplink.setAdminUp(true);
      case 'not-ethernet':
        this.#type = ARPHRD_ETHER;
        return this.sync();
      case 'no-source-address':
        return this.#put(this.#own);
      case 'no-socket':
        this.socketErrno = undefined;
        return;
      case 'group-held':
        for (const [name, pid] of this.host.names) {
          if (pid === SOMEBODY_ELSE) this.host.names.delete(name);
        }
        return;
    }
  }

  #namesOfNext(): ReturnType<typeof namesOf> {
    const ifindex = this.#options.station.uplink.nextIndex;
    return namesOf({ ifindex, vhid: VHID, destination: GROUP, virtualIp: formatIpv4(VIP) });
  }

  #hookRan(path: string): void {
    if (!this.#options.hooksManageAddress) return;
    if (path === '/up') this.#put(VIP_CIDR);
    else this.#drop(VIP_CIDR);
  }

  #has(cidr: string): boolean {
    return this.#isPlugged && this.host.addresses(TOP_NAME).includes(cidr);
  }

  #put(cidr: string): void {
    if (!this.#isPlugged || this.#has(cidr)) return;
    this.host.meddle(`addr add ${cidr} dev ${TOP_NAME}`);
  }

  #drop(cidr: string): void {
    if (!this.#has(cidr)) return;
    this.host.meddle(`addr del ${cidr} dev ${TOP_NAME}`);
  }

  #refusal(line: string): string | undefined {
    const { claimFails, releaseFails } = this.performance;
    if (!line.includes(VIP_CIDR)) return undefined;
    const fails = line.startsWith('addr add') ? claimFails : releaseFails;
    return fails ? REFUSED : undefined;
  }

  #takes(maxUs: number): Exclude<Behaviour, 'hangs'> {
    return { ms: toMillis(micros(this.#world.prng.between(1, maxUs))) };
  }

  get #wire(): Medium {
    const { station } = this.#options;
    return {
      plugs: 0,
      plug: () => undefined,
      unplug: () => undefined,
      macOf: () => undefined,
      send: (_from: Mac, bytes) => {
        const frame = frameOf(bytes);
        if (frame !== undefined) station.send(frame);
      },
    };
  }
}
