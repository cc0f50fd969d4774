// What a master holds besides its adverts, for real: the address and the hooks. Knows at any time
// what this host may still hold, so that nothing is left behind however the process ends.
import { unreachable } from '../../base/assert.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { InstanceInput } from '../../segment/inputs.ts';
import { HookLane, type HookReport, type HookRequest } from '../../vip/hooks.ts';
import type { AddressKeeper } from '../../vip/keeper.ts';
import { VipReconciler, type VipNotice, type VipOutcome } from '../../vip/reconciler.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Holding } from '../../release/holding.ts';
import { AddressHold } from './address-hold.ts';
import { HookRights } from './hook-rights.ts';
import type { InstanceEvents } from '../../events/publish/instance-events.ts';

export interface MasterResourcesOptions extends Pick<
  Ports,
  'now' | 'startTimer' | 'runCommand' | 'env' | 'isRoot'
> {
  readonly config: InstanceConfig;
  readonly keeper: AddressKeeper;
  /** Whether another node may take the address over if this one gives it up. */
  readonly mayAnotherServe: () => boolean;
  /** The name of the interface now. */
  readonly interfaceName: () => string;
  /** Its index, now or when it was there last. */
  readonly ifindex: () => number | undefined;
  readonly instanceEvents: InstanceEvents;
  /** Queues work for the loop. */
  readonly post: (run: () => void) => void;
  /** Settled when every advert so far has left. */
  readonly advertsOut: () => Promise<void>;
  readonly feed: (input: InstanceInput) => void;
  /** Something that was under way has ended without news for the election. */
  readonly onChanged: () => void;
}

/**
 * An address that can't be removed at the stop is tried so long, then left with a word: no shorter
 * than the election goes on as master for it, and a little longer, so that its bow-out is first.
 */
const RELEASE_PATIENCE_MS = 10_500;

/** What one instance holds as master: the address and the hooks that run. */
export class MasterResources {
  readonly #options: MasterResourcesOptions;
  readonly #hooks: HookLane;
  readonly #reconciler: VipReconciler | undefined;
  readonly #hold = new AddressHold();
  #vipPending = 0;
  #hooksPending = 0;
  #cancelPatience: (() => void) | undefined;
  #stopping = false;
  #leftBehind: string | undefined;

  constructor(options: MasterResourcesOptions) {
    this.#options = options;
    this.#hooks = this.#createHooks();
    this.#reconciler = options.config.manageAddress ? this.#createReconciler() : undefined;
  }

  /** Something is under way whose end has to be waited for. */
  get busy(): boolean {
    const releasing = this.#stopping && this.#hold.stuckTerm !== undefined;
    return this.#vipPending > 0 || this.#hooksPending > 0 || releasing;
  }

  /** Why the address could not be taken off; undefined: nothing is known of that. */
  get releaseFault(): string | undefined {
    return this.#hold.fault;
  }

  /** What has to be undone by hand, as a command; undefined: nothing. */
  get leftBehind(): string | undefined {
    return this.#leftBehind;
  }

  /**
   * Claims the address when the advert that goes before it has left: to start `ip` takes time, in
   * which a node that promotes itself at the same moment has to hear of this one.
   */
  claim(term: number): void {
    this.#hold.due(term);
    this.#vipPending += 1;
    void this.#options.advertsOut().then(() => {
      if (this.#hold.claim(term)) this.#reconciler?.want({ term, present: true });
    });
  }

  release(term: number): void {
    // The outcome of a claim that was never made is that of the release.
    if (!this.#hold.giveUp()) this.#vipPending += 1;
    this.#reconciler?.want({ term, present: false });
  }

  /** Runs a hook when the adverts before it have left: the bow-out must not wait for a process. */
  runHook(request: HookRequest): void {
    this.#hooksPending += 1;
    void this.#options.advertsOut().then(() => this.#hooks.run(request));
  }

  /** Takes off an address that an earlier run left. */
  async removeStale(): Promise<void> {
    const outcome = await this.#reconciler?.releaseStale();
    if (outcome === undefined) return;
    this.#options.instanceEvents.staleVip(outcome);
    if (outcome.kind !== 'removed' && outcome.kind !== 'absent') return;
    // It took the place of a release that had failed, whose end nobody tells any more.
    this.#options.post(() => {
      const { stuckTerm } = this.#hold;
      if (stuckTerm !== undefined) this.#released(stuckTerm);
    });
  }

  /** From now on a release that fails is waited for, a while; `staying` ends that. */
  stopping(): void {
    this.#stopping = true;
    this.#options.keeper.hurry();
    if (this.#hold.stuckTerm !== undefined) this.#losePatienceLater();
  }

  /** It is not to stop after all. */
  staying(): void {
    this.#stopping = false;
    this.#cancelPatience?.();
  }

  /**
   * What has to be undone at once where carpd itself fails. Ends the hooks, but for a down hook
   * that runs: it does what is wanted.
   */
  abandon(): Holding {
    const downHook = this.#hooks.abandon();
    const config = { ...this.#options.config, interfaceName: this.#options.interfaceName() };
    const ifindex = this.#options.ifindex();
    return { config, ifindex, address: this.#hold.held, downHook };
  }

  close(): void {
    this.#cancelPatience?.();
    this.#reconciler?.close();
  }

  #vipSettled(outcome: VipOutcome): void {
    this.#vipPending -= 1;
    const { feed, instanceEvents, onChanged } = this.#options;
    const { term } = outcome;
    instanceEvents.vipOutcome(outcome);
    switch (outcome.kind) {
      case 'claimed':
        return feed({ kind: 'vip-claimed', term, ok: true });
      case 'claim-failed':
        return feed({ kind: 'vip-claimed', term, ok: false });
      case 'released':
        return this.#released(term);
      case 'release-failed':
        this.#hold.releaseFailed(term, outcome.fault.detail);
        if (this.#stopping) this.#losePatienceLater();
        return feed({ kind: 'vip-stuck', term, shown: this.#isShown() });
      case 'superseded':
        // A release that a later claim made pointless is over; a claim that was given up is not
        // news.
        if (!outcome.present) return feed({ kind: 'vip-released', term });
        return onChanged();
      default:
        return unreachable(outcome);
    }
  }

  #vipNotice(notice: VipNotice): void {
    const { feed, instanceEvents } = this.#options;
    instanceEvents.vipNotice(notice);
    // A master without its address serves nobody: it makes way as if it could not be added.
    if (notice.kind === 'lost') feed({ kind: 'vip-claimed', term: notice.term, ok: false });
    if (notice.kind === 'restored') feed({ kind: 'vip-restored', term: notice.term });
    if (notice.kind === 'released-late') this.#released(notice.term);
  }

  #released(term: number): void {
    const owed = this.#hold.released(term);
    this.#cancelPatience?.();
    this.#options.feed({ kind: 'vip-released', term: owed });
  }

  #isShown(): boolean {
    return this.#reconciler?.isShown === true;
  }

  #losePatienceLater(): void {
    this.#cancelPatience?.();
    this.#cancelPatience = this.#options.startTimer(RELEASE_PATIENCE_MS, () => {
      this.#options.post(() => this.#losePatience());
    });
  }

  #losePatience(): void {
    const term = this.#hold.stuckTerm;
    if (term === undefined) return;
    if (this.#isShown()) {
      const { config, keeper } = this.#options;
      const { ip: address, prefixLength } = config.address;
      this.#leftBehind = keeper.handRemoval({ address, prefixLength }).join('; ');
    }
    this.#released(term);
  }

  #hookFinished(report: HookReport): void {
    this.#hooksPending -= 1;
    this.#options.instanceEvents.hookFinished(report);
    this.#options.feed({ kind: 'hook-finished', hook: report.hook, term: report.term });
  }

  #createHooks(): HookLane {
    const { config, post, instanceEvents, runCommand, startTimer, env, now } = this.#options;
    const rights = new HookRights(this.#options.isRoot);
    return new HookLane({
      interfaceName: config.interfaceName,
      currentName: this.#options.interfaceName,
      address: config.address.ip,
      xparam: config.hooks.xparam,
      up: config.hooks.up,
      down: config.hooks.down,
      timeoutMs: config.hooks.timeoutMs,
      env,
      runCommand,
      clock: now,
      startTimer,
      onLine: (line, hook) => {
        rights.line(line);
        instanceEvents.hookLine(line, hook);
      },
      onFinished: (report) => {
        const explained = rights.explain(report);
        post(() => this.#hookFinished(explained));
      },
    });
  }

  #createReconciler(): VipReconciler {
    const { config, keeper, mayAnotherServe, post, startTimer, now } = this.#options;
    const { address } = config;
    return new VipReconciler({
      vip: { address: address.ip, prefixLength: address.prefixLength },
      keeper,
      mayAnotherServe,
      startTimer,
      clock: now,
      onOutcome: (outcome) => post(() => this.#vipSettled(outcome)),
      onNotice: (notice) => post(() => this.#vipNotice(notice)),
    });
  }
}
