// The virtual IP of one instance, for real: claimed and released as its election wants it, with
// what becomes of that reported to the election.
import { unreachable } from '../../base/assert.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { InstanceEvents } from '../../events/publish/instance-events.ts';
import type { Ports } from '../../ports/ports.ts';
import type { InstanceInput } from '../../segment/inputs.ts';
import type { AddressKeeper } from '../../vip/keeper.ts';
import { VipReconciler } from '../../vip/reconciler.ts';
import type { VipNotice, VipOutcome } from '../../vip/vip-outcome.ts';
import { AddressHold } from '../../vip/address-hold.ts';

export interface MasterAddressOptions extends Pick<Ports, 'now' | 'startTimer'> {
  /** As it is in force now: a reload may change it in place. */
  readonly config: () => InstanceConfig;
  readonly keeper: AddressKeeper;
  /** Whether another node may take the address over if this one gives it up. */
  readonly mayAnotherServe: () => boolean;
  readonly instanceEvents: InstanceEvents;
  /** Queues work for the loop. */
  readonly post: (run: () => void) => void;
  readonly feed: (input: InstanceInput) => void;
  /** Something that was under way has ended without news for the election. */
  readonly onChanged: () => void;
}

/**
 * An address that can't be removed at the stop is tried so long, then left with a word: no shorter
 * than the election goes on as master for it, and a little longer, so that its bow-out is first.
 */
const RELEASE_PATIENCE_MS = 10_500;

/** Adds and removes one virtual IP; without effect where the hooks do that. */
export class MasterAddress {
  readonly #options: MasterAddressOptions;
  readonly #reconciler: VipReconciler | undefined;
  readonly #hold = new AddressHold();
  /** Claims and releases whose outcome is not known yet. */
  #pending = 0;
  #cancelPatience: (() => void) | undefined;
  #stopping = false;
  #leftBehind: string | undefined;

  constructor(options: MasterAddressOptions) {
    this.#options = options;
    this.#reconciler = options.config().manageAddress ? this.#createReconciler() : undefined;
  }

  /** Something is under way whose end has to be waited for. */
  get busy(): boolean {
    return this.#pending > 0 || (this.#stopping && this.#hold.stuckTerm !== undefined);
  }

  /** The address may be on the interface. */
  get held(): boolean {
    return this.#hold.held;
  }

  /** Why it could not be taken off; undefined: nothing is known of that. */
  get releaseFault(): string | undefined {
    return this.#hold.fault;
  }

  /** The command that removes what could not be removed; undefined: nothing is left. */
  get leftBehind(): string | undefined {
    return this.#leftBehind;
  }

  /** Is to be claimed in this term, at the call of `claim`. */
  claimDue(term: number): void {
    this.#hold.due(term);
    this.#pending += 1;
  }

  claim(term: number): void {
    if (this.#hold.claim(term)) this.#reconciler?.want({ term, present: true });
  }

  release(term: number): void {
    // The outcome of a claim that was never made is that of the release.
    if (!this.#hold.giveUp()) this.#pending += 1;
    this.#reconciler?.want({ term, present: false });
  }

  /** Takes off an address that an earlier run left. */
  async removeStale(): Promise<void> {
    const outcome = await this.#reconciler?.releaseStale();
    if (outcome === undefined) return;
    this.#options.instanceEvents.staleVip(outcome);
    if (outcome.kind !== 'removed' && outcome.kind !== 'absent') return;
    // It took the place of a release that had failed, whose end nobody reports any more.
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

  close(): void {
    this.#cancelPatience?.();
    this.#reconciler?.close();
  }

  #settled(outcome: VipOutcome): void {
    this.#pending -= 1;
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

  #noticed(notice: VipNotice): void {
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
      const { ip: address, prefixLength } = config().address;
      this.#leftBehind = keeper.handRemoval({ address, prefixLength }).join('; ');
    }
    this.#released(term);
  }

  #createReconciler(): VipReconciler {
    const { config, post, now } = this.#options;
    const { ip: address, prefixLength } = config().address;
    return new VipReconciler({
      ...this.#options,
      vip: { address, prefixLength },
      clock: now,
      onOutcome: (outcome) => post(() => this.#settled(outcome)),
      onNotice: (notice) => post(() => this.#noticed(notice)),
    });
  }
}
