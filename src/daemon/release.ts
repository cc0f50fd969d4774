// Takes off what a daemon that was killed has left: the virtual IPs on their interfaces, and what
// the up hooks began. The way of a step down, without the adverts.
import { unreachable } from '../base/assert.ts';
import { formatIpv4 } from '../carp/addresses.ts';
import { now } from '../linux/clock.ts';
import { runCommand } from '../linux/command.ts';
import { openLinkWatch, type LinkWatch } from '../linux/link-watch.ts';
import { AddressWriter } from '../vip/address-writer.ts';
import { hookEnvironment, HookLane, type HookReport } from '../vip/hooks.ts';
import { isPresent, type Vip } from '../vip/plan.ts';
import type { AddressView } from '../vip/ports.ts';
import type { Duty } from './duties.ts';
import { addressesOn } from './observed-addresses.ts';
import { startTimer } from './start-timer.ts';

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
  readonly duties: readonly Duty[];
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
  const listeners = new Set<() => void>();
  const links = await openLinkWatch({
    onChange: () => listeners.forEach((listener) => void listener()),
    onError: () => undefined,
  });
  try {
    const each = options.duties.map((duty) => new Releaser(duty, links, listeners, options).run());
    return await Promise.all(each);
  } finally {
    links.close();
  }
}

class Releaser {
  readonly #duty: Duty;
  readonly #vip: Vip;
  readonly #view: AddressView;
  readonly #options: ReleaseOptions;
  readonly #env: Readonly<Record<string, string>>;

  constructor(duty: Duty, links: LinkWatch, listeners: Set<() => void>, options: ReleaseOptions) {
    const { address, interfaceName } = duty;
    this.#duty = duty;
    this.#options = options;
    this.#env = hookEnvironment(options.env);
    this.#vip = { interfaceName, address: address.ip, prefixLength: address.prefixLength };
    this.#view = {
      observe: () => addressesOn(links, interfaceName),
      onChanged: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  }

  async run(): Promise<Release> {
    const { name, manageAddress, interfaceName } = this.#duty;
    const where = `${formatIpv4(this.#vip.address)} on ${interfaceName}`;
    if (!this.#isThere()) return { name, outcome: 'absent', message: `no ${where}` };
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

  #isThere(): boolean {
    return isPresent(this.#vip, this.#view.observe());
  }

  /** Resolves to why it could not be removed. */
  async #removeAddress(): Promise<string | undefined> {
    const { name } = this.#duty;
    const writer = new AddressWriter({
      vip: this.#vip,
      runCommand,
      addresses: this.#view,
      startTimer,
      env: this.#env,
      onNotice: (notice) => {
        if (notice.kind !== 'taken-along') return;
        const others = notice.addresses.map(({ address }) => formatIpv4(address)).join(', ');
        const end = notice.restored ? 'they were put back' : 'they could NOT be put back';
        this.#options.onLine(name, `the kernel removed ${others} with it; ${end}`);
      },
    });
    const unsubscribe = this.#view.onChanged(() => writer.wake());
    const attempt = await writer.attempt(false, () => true);
    unsubscribe();
    return attempt.kind === 'fault' ? attempt.fault.detail : undefined;
  }

  /** Resolves to what went wrong; a hook that is not configured does not. */
  async #runDownHook(): Promise<string | undefined> {
    const { interfaceName, address, hooks, name } = this.#duty;
    const { result } = await new Promise<HookReport>((resolve) => {
      const lane = new HookLane({
        interfaceName,
        address: address.ip,
        xparam: hooks.xparam,
        up: undefined,
        down: hooks.down,
        timeoutMs: hooks.timeoutMs,
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
      const unsubscribe = this.#view.onChanged(look);
      look();
    });
  }
}
