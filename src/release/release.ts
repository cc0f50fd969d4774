// Takes off what a daemon that was killed has left: the virtual IPs on their interfaces, and what
// the up hooks began. The way of a step down, without the adverts.
import { unreachable } from '../base/assert.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import { now, startTimer } from '../linux/system/clock.ts';
import { runCommand } from '../linux/system/command.ts';
import {
  describeHolder,
  groupHolder,
  isServedElsewhere,
  type GroupHolder,
} from '../linux/sockets/group-lock.ts';
import { openLinkWatch } from '../linux/links/link-watch.ts';
import { HookSlots } from '../vip/hook-slots.ts';
import { hookEnvironment, HookLane, type HookReport } from '../vip/hooks.ts';
import { secondaryPromotion } from '../linux/links/promote-secondaries.ts';
import { AddressKeeper } from '../vip/keeper.ts';
import { isPresent, type Vip } from '../vip/plan.ts';
import { VipReconciler } from '../vip/reconciler.ts';
import type { ReleaseRecord } from '../state/release-records.ts';
import { placeOf } from '../groups/group-claim.ts';
import { InterfaceAddresses } from '../addressing/interface-addresses.ts';
import { ownAddresses } from '../addressing/own-addresses.ts';
import { putBackText } from '../vip/words.ts';

/**
 * What became of one virtual IP. `absent`: it was not there. `failed`: it still is, or its down
 * hook failed.
 */
export interface Release {
  readonly name: string;
  readonly outcome: 'absent' | 'released' | 'failed';
  /** A sentence, without the name. */
  readonly message: string;
}

export interface ReleaseOptions {
  readonly records: readonly ReleaseRecord[];
  /** For `ip` and the hooks. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the hooks say, and what is to be told beside the outcomes. */
  readonly onLine: (name: string, line: string) => void;
}

/** How long an address that a hook should remove may still be seen. */
const GONE_MS_MAX = 1_000;

/**
 * Removes the virtual IPs of all these that are on their interfaces, and runs the down hooks of
 * those, all at once. Rejects with a CarpdError where the interfaces can't be read.
 */
export async function release(options: ReleaseOptions): Promise<readonly Release[]> {
  const env = hookEnvironment(options.env);
  const kept = new Map<number | string, Kept>();
  const links = await openLinkWatch({
    onChange: () => kept.forEach(({ addresses }) => void addresses.changed()),
    onAddress: (event) => kept.forEach(({ addresses }) => void addresses.addressChanged(event)),
    onError: () => undefined,
  });
  // An interface of several names has one keeper: two would put back what the other takes off.
  const keyOf = (name: string): number | string => links.find(name)?.ifindex ?? name;
  // What is on record and what is configured may be the same, under two names of the interface.
  const records = options.records
    .map((record) => ({ record, key: keyOf(record.interfaceName) }))
    .filter(({ record, key }, index, all) => {
      const isSame = (other: (typeof all)[number]): boolean =>
        other.key === key && other.record.address.ip === record.address.ip;
      return all.findIndex(isSame) === index;
    });
  const virtualIps = new Set(records.map(({ record }) => record.address.ip));
  for (const { record, key } of records) {
    if (kept.has(key)) continue;
    const { interfaceName } = record;
    const addresses = new InterfaceAddresses({ links, link: () => links.find(interfaceName) });
    const keeper = new AddressKeeper({
      ...{ runCommand, addresses, startTimer, env },
      promotion: secondaryPromotion,
      isServedElsewhere,
    });
    kept.set(key, { addresses, keeper });
  }
  try {
    const each = records.flatMap(({ record, key }) => {
      const on = kept.get(key);
      return on === undefined ? [] : [new Releaser(record, on, virtualIps, options, env).run()];
    });
    return await Promise.all(each);
  } finally {
    links.close();
  }
}

/** One interface, and who changes its addresses for all records on it. */
interface Kept {
  readonly addresses: InterfaceAddresses;
  readonly keeper: AddressKeeper;
}

class Releaser {
  readonly #record: ReleaseRecord;
  readonly #vip: Vip;
  readonly #on: Kept;
  readonly #virtualIps: ReadonlySet<Ipv4>;
  readonly #options: ReleaseOptions;
  readonly #env: Readonly<Record<string, string>>;

  constructor(
    record: ReleaseRecord,
    on: Kept,
    virtualIps: ReadonlySet<Ipv4>,
    options: ReleaseOptions,
    env: Readonly<Record<string, string>>,
  ) {
    const { address } = record;
    this.#record = record;
    this.#on = on;
    this.#virtualIps = virtualIps;
    this.#options = options;
    this.#env = env;
    this.#vip = { address: address.ip, prefixLength: address.prefixLength };
  }

  async run(): Promise<Release> {
    const { name, manageAddress, interfaceName } = this.#record;
    const where = `${formatIpv4(this.#vip.address)} on ${interfaceName}`;
    if (!this.#isThere()) return { name, outcome: 'absent', message: `no ${where}` };
    const holder = this.#holder();
    if (holder !== undefined) {
      const remedy = 'it is left alone; stop that process, or let it hand over: carpd handover';
      const message = `${where} belongs to ${describeHolder(holder)}, which runs: ${remedy}`;
      return { name, outcome: 'failed', message };
    }
    if (manageAddress && this.#isAlone()) {
      const remedy =
        `if it is the host's own, correct the address of the instance; if carpd left it, give ` +
        `${interfaceName} an address of its own first`;
      const message = `${where} is the only address there, and is left alone: ${remedy}`;
      return { name, outcome: 'failed', message };
    }
    const fault = manageAddress ? await this.#removeAddress() : undefined;
    const hookFault = await this.#runDownHook();
    if (!manageAddress) await this.#waitUntilGone();
    if (this.#isThere()) {
      const why = fault ?? (manageAddress ? 'somebody put it back' : 'the down hook left it');
      return { name, outcome: 'failed', message: `still ${where}: ${why}` };
    }
    const message = `removed ${where}`;
    if (hookFault === undefined) return { name, outcome: 'released', message };
    return { name, outcome: 'failed', message: `${message}, but its down hook: ${hookFault}` };
  }

  /** The daemon of this host that serves the group. */
  #holder(): GroupHolder | undefined {
    const ifindex = this.#on.addresses.current()?.ifindex;
    return ifindex === undefined ? undefined : groupHolder(placeOf(this.#record, ifindex));
  }

  /** Without it the host may be cut off: it may be the host's own, configured by mistake. */
  #isAlone(): boolean {
    const link = this.#on.addresses.current();
    if (link === undefined || this.#record.source !== undefined) return false;
    return ownAddresses(link, this.#virtualIps).length === 0;
  }

  #isThere(): boolean {
    return isPresent(this.#vip, this.#on.addresses.observe());
  }

  /** Resolves to why it could not be removed. */
  async #removeAddress(): Promise<string | undefined> {
    const { name } = this.#record;
    const reconciler = new VipReconciler({
      vip: this.#vip,
      keeper: this.#on.keeper,
      startTimer,
      clock: now,
      mayAnotherServe: () => true,
      onOutcome: () => undefined,
      onNotice: (notice) => {
        if (notice.kind !== 'taken-along') return;
        const others = notice.addresses.map(formatIpv4).join(', ');
        this.#options.onLine(name, `the kernel removed ${others} with it; ${putBackText(notice)}`);
      },
    });
    const outcome = await reconciler.releaseStale();
    reconciler.close();
    return outcome.kind === 'failed' ? outcome.fault.detail : undefined;
  }

  /** Resolves to what went wrong; a hook that is not configured does not. */
  async #runDownHook(): Promise<string | undefined> {
    const { interfaceName, address, hooks, name, manageAddress } = this.#record;
    const { result } = await new Promise<HookReport>((resolve) => {
      const lane = new HookLane({
        hookSlots: new HookSlots(),
        movesAddress: () => !manageAddress,
        interfaceName,
        address: address.ip,
        hooks: () => ({ ...hooks, up: undefined }),
        env: this.#env,
        runCommand,
        clock: now,
        startTimer,
        onLine: (line) => this.#options.onLine(name, `down: ${line}`),
        onFinished: resolve,
      });
      lane.run({ hook: 'down', term: 0 });
    });
    switch (result.kind) {
      case 'failed':
        return result.detail;
      case 'missing':
        return result.remedy;
      case 'timeout':
        return `killed after ${hooks.timeoutMs} ms`;
      case 'ok':
      case 'none':
      case 'skipped':
        return undefined;
      default:
        return unreachable(result);
    }
  }

  #waitUntilGone(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#isThere()) return;
        end();
      };
      const end = (): void => {
        cancel();
        unsubscribe();
        resolve();
      };
      const cancel = startTimer(GONE_MS_MAX, end);
      const unsubscribe = this.#on.addresses.onChanged(look);
      look();
    });
  }
}
