// An interface whose addresses are changed by `ip -force -batch -`, seen through an AddressView,
// which may lag behind.
import { invariant } from '../../../src/base/assert.ts';
import type { CommandRequest, CommandResult, RunningCommand } from '../../../src/base/command.ts';
import { formatIpv4, type Ipv4 } from '../../../src/base/addresses.ts';
import type {
  AddressNotice,
  AddressRecord,
  AddressView,
  ObservedAddress,
  Place,
  SecondaryPromotion,
} from '../../../src/vip/ports.ts';
import { AddressTable, on, sameNetwork, type KernelAddress } from '../../fakes/address-table.ts';
import { EXITED_OK, refused } from './fakes.ts';

export { on, type KernelAddress } from '../../fakes/address-table.ts';

/** One interface whose addresses change as Linux changes them. */
export class FakeKernel implements AddressView, SecondaryPromotion {
  readonly #table = new AddressTable((...told) => this.#tell(...told));
  /** What the view shows; behind `addresses` while `lagging`. */
  #shown: readonly ObservedAddress[] = [];
  lagging = false;
  /** Whether promote_secondaries may be changed. */
  maySetPromotion = false;
  /** By their destination, the gateway of each; they go with the address that reaches it. */
  readonly routes = new Map<string, string>();
  place: Place | undefined = { name: 'bond0', ifindex: 7 };
  /** Events are lost: whoever listens is told that there is a gap, and no more. */
  deaf = false;
  /** Called when a batch begins. */
  onRun = (): void => undefined;
  /** Virtual IPs of other daemons. */
  readonly foreign = new Set<Ipv4>();
  readonly isServedElsewhere = (address: Ipv4): boolean => this.foreign.has(address);
  /** `ip -j addr show` fails. */
  hidden = false;
  /** Where set, what commands end with instead of being carried out. */
  refuseWith: CommandResult | undefined;
  /** So many batches at most: a test of a hot loop must fail, not hang. */
  runsMax = Infinity;
  /** The lines of all batches. */
  readonly commands: string[] = [];
  batches = 0;
  readonly #changeListeners = new Set<() => void>();
  readonly #noticeListeners = new Set<(news: AddressNotice) => void>();
  #requests = 0;

  constructor(...addresses: readonly string[]) {
    for (const text of addresses) this.#add(text.split(' '));
    this.#shown = this.addresses;
  }

  get addresses(): readonly KernelAddress[] {
    return this.#table.all;
  }

  set addresses(all: readonly KernelAddress[]) {
    this.#table.all = all;
  }

  get promoteSecondaries(): boolean {
    return this.#table.promoteSecondaries;
  }

  set promoteSecondaries(on: boolean) {
    this.#table.promoteSecondaries = on;
  }

  /** "10.9.0.100/24", in the order of the kernel. */
  get texts(): readonly string[] {
    return this.#table.texts;
  }

  current(): Place | undefined {
    return this.place;
  }

  drain(): void {
    if (!this.lagging) this.#shown = this.addresses;
  }

  observe(): readonly ObservedAddress[] {
    return this.place === undefined ? [] : this.#shown;
  }

  inForce(): boolean {
    return this.promoteSecondaries;
  }

  set(_place: Place, on: boolean): Promise<boolean> {
    if (this.maySetPromotion) this.promoteSecondaries = on;
    return Promise.resolve(this.maySetPromotion);
  }

  onChanged(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  onNotice(listener: (news: AddressNotice) => void): () => void {
    this.#noticeListeners.add(listener);
    return () => this.#noticeListeners.delete(listener);
  }

  get listeners(): number {
    return this.#changeListeners.size + this.#noticeListeners.size;
  }

  /** The view catches up and says so. */
  show(): void {
    this.#shown = this.addresses;
    for (const listener of [...this.#changeListeners]) listener();
  }

  /** Somebody else runs a command: "addr add 10.9.0.100/24 dev bond0". */
  meddle(line: string): void {
    this.#carryOut(line);
    this.show();
  }

  readonly runCommand = (request: CommandRequest): RunningCommand => {
    if (request.argv.includes('route')) {
      const output = JSON.stringify(
        [...this.routes].map(([dst, gateway]) => ({ dst, gateway, dev: this.place?.name })),
      );
      return { result: Promise.resolve({ ...EXITED_OK, output }), kill: () => undefined };
    }
    if (request.argv.includes('show')) {
      const result = this.hidden
        ? refused('EPERM')
        : { ...EXITED_OK, output: this.#showAddresses() };
      return { result: Promise.resolve(result), kill: () => undefined };
    }
    invariant(request.argv.join(' ') === 'ip -force -batch -', 'a batch');
    this.onRun();
    const lines = (request.input ?? '').split('\n').filter((line) => line !== '');
    this.commands.push(...lines);
    this.batches += 1;
    invariant(this.batches <= this.runsMax, 'no command without a reason');
    const result = Promise.resolve().then(() => {
      const ended = this.refuseWith ?? this.#runBatch(lines);
      if (!this.lagging) this.show();
      return ended;
    });
    return { result, kill: () => undefined };
  };

  #runBatch(lines: readonly string[]): CommandResult {
    const said = lines.flatMap((line, index) => {
      const refusal = this.#carryOut(line);
      return refusal === undefined ? [] : [refusal, `Command failed -:${String(index + 1)}`];
    });
    return said.length === 0 ? EXITED_OK : refused(`${said.join('\n')}\n`, 1);
  }

  /** What `ip` says, where it fails. */
  #carryOut(line: string): string | undefined {
    const [object, verb, cidr = '', dev, name = '', ...attributes] = line.split(' ');
    if (object === 'route') {
      const device = line.split(' ').at(-1) ?? '';
      if (device !== this.place?.name) return `Cannot find device "${device}"`;
      this.routes.set(cidr, name);
      return undefined;
    }
    invariant(object === 'addr' && dev === 'dev', `an address command: ${line}`);
    if (name !== this.place?.name) return `Cannot find device "${name}"`;
    this.#requests += 1;
    return verb === 'add' ? this.#add([cidr, ...attributes]) : this.#delete(cidr);
  }

  #add([cidr = '', ...attributes]: readonly string[]): string | undefined {
    return this.#table.add(cidr, attributes);
  }

  #delete(cidr: string): string | undefined {
    const before = this.addresses;
    const refusal = this.#table.delete(cidr);
    const left = new Set(this.addresses.map(({ address }) => address));
    const gone = before.filter(({ address }) => !left.has(address));
    if (gone.length < 2) return refusal;
    for (const [dst, gateway] of [...this.routes]) {
      if (gone.some((a) => sameNetwork(on(`${gateway}/${a.prefixLength}`), a))) {
        this.routes.delete(dst);
      }
    }
    return refusal;
  }

  #showAddresses(): string {
    const infos = this.addresses.map(({ address, prefixLength, broadcast, label }) => ({
      local: formatIpv4(address),
      prefixlen: prefixLength,
      scope: 'global',
      ...(broadcast === undefined ? {} : { broadcast: formatIpv4(broadcast) }),
      ...(label === undefined ? {} : { label }),
    }));
    return JSON.stringify([
      { ifindex: this.place?.ifindex, ifname: this.place?.name, addr_info: infos },
    ]);
  }

  #tell(kind: 'added' | 'removed', address: AddressRecord): void {
    const request = `1 ${String(this.#requests)}`;
    const news: AddressNotice = this.deaf ? { kind: 'gap' } : { kind, request, address };
    for (const listener of [...this.#noticeListeners]) listener(news);
  }
}
