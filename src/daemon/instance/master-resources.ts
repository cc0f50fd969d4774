// What a master holds besides its adverts: the address and the hooks. Each begins when the adverts
// before it have left. Knows at any time what this host may still hold, so that nothing is left
// behind however the process ends.
import type { Holding } from '../../release/holding.ts';
import type { HookRequest } from '../../vip/hooks.ts';
import { MasterAddress, type MasterAddressOptions } from './master-address.ts';
import { MasterHooks, type MasterHooksOptions } from './master-hooks.ts';

export interface MasterResourcesOptions extends MasterAddressOptions, MasterHooksOptions {
  /** The index of the interface, now or when it was there last. */
  readonly ifindex: () => number | undefined;
  /** Settled when every advert so far has left. */
  readonly advertsOut: () => Promise<void>;
}

/** What one instance holds as master: the address and the hooks that run. */
export class MasterResources {
  readonly #options: MasterResourcesOptions;
  readonly #address: MasterAddress;
  readonly #hooks: MasterHooks;

  constructor(options: MasterResourcesOptions) {
    this.#options = options;
    this.#address = new MasterAddress(options);
    this.#hooks = new MasterHooks(options);
  }

  /** Something is under way whose end has to be waited for. */
  get busy(): boolean {
    return this.#address.busy || this.#hooks.busy;
  }

  /** Why the address could not be removed; undefined: nothing is known of that. */
  get releaseFault(): string | undefined {
    return this.#address.releaseFault;
  }

  /** What has to be undone by hand, as a command; undefined: nothing. */
  get leftBehind(): string | undefined {
    return this.#address.leftBehind;
  }

  /**
   * Claims the address when the advert that goes before it has left: to start `ip` takes time, in
   * which a node that promotes itself at the same moment has to hear of this one.
   */
  claim(term: number): void {
    this.#address.claimDue(term);
    void this.#options.advertsOut().then(() => this.#address.claim(term));
  }

  release(term: number): void {
    this.#address.release(term);
  }

  /** Runs a hook when the adverts before it have left: the bow-out must not wait for a process. */
  runHook(request: HookRequest): void {
    this.#hooks.due();
    void this.#options.advertsOut().then(() => this.#hooks.run(request));
  }

  /** Takes off an address that an earlier run left. */
  removeStale(): Promise<void> {
    return this.#address.removeStale();
  }

  /** From now on a release that fails is waited for, a while; `staying` ends that. */
  stopping(): void {
    this.#address.stopping();
  }

  /** It is not to stop after all. */
  staying(): void {
    this.#address.staying();
  }

  /** Ends the hooks and says what has to be undone at once where carpd itself fails. */
  abandon(): Holding {
    const downHook = this.#hooks.abandon();
    const config = { ...this.#options.config(), interfaceName: this.#options.interfaceName() };
    const ifindex = this.#options.ifindex();
    return { config, ifindex, address: this.#address.held, downHook };
  }

  close(): void {
    this.#address.close();
  }
}
