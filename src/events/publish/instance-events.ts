// What an instance publishes: what became of its effects, turned into events.
import { unreachable } from '../../base/assert.ts';
import { since, toMillis, type Micros } from '../../base/time.ts';
import { isBowOut } from '../../carp/advert.ts';
import { formatIpv4, samePrefix, type Ipv4 } from '../../base/addresses.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { Effect } from '../../election/effects.ts';
import type { HeardAdvert } from '../../election/inputs.ts';
import type { ElectionSnapshot } from '../../election/snapshot.ts';
import type { DoubtCause } from '../../readiness/doubt.ts';
import { sameList } from '../../readiness/reasons.ts';
import type { HookReport } from '../../vip/hooks.ts';
import type { StaleOutcome, VipNotice, VipOutcome } from '../../vip/vip-outcome.ts';
import { remedyFor, type Usability, type Network } from '../../addressing/usability.ts';
import type { ForeignClaim } from '../../carp/claim.ts';
import type { Claimant } from '../../election/claimant.ts';
import type { Publish } from '../bus.ts';
import type { InstanceEventFields } from '../events.ts';
import { TakeoverWatch } from './takeover-watch.ts';

type Sent = Extract<Effect, { kind: 'send-advert' }>;

/** Publishes what becomes of the effects of one election. */
export class InstanceEvents {
  readonly #config: () => InstanceConfig;
  readonly #publish: Publish<InstanceEventFields>;
  readonly #now: () => Micros;
  readonly #takeover: TakeoverWatch;
  #reportedNetworks: string | undefined;
  #reportedElsewhere: readonly string[] = [];

  constructor(
    config: () => InstanceConfig,
    publish: Publish<InstanceEventFields>,
    now: () => Micros,
  ) {
    this.#config = config;
    this.#publish = publish;
    this.#now = now;
    this.#takeover = new TakeoverWatch(publish);
  }

  /** `masterDownAt`: when the master's time was over, as it stood before this change. */
  transition(
    change: Extract<Effect, { kind: 'state-changed' }>,
    after: ElectionSnapshot,
    masterDownAt: Micros | undefined,
  ): void {
    const { from, to, cause, term } = change;
    const now = this.#now();
    if (to === 'MASTER') this.#takeover.promoted({ cause, term }, earlier(masterDownAt, now));
    else this.#takeover.ended();
    this.#publish({
      event: 'transition',
      from,
      to,
      cause,
      peer: change.peer === undefined ? null : formatIpv4(change.peer),
      term,
      masterDownInMs: this.#inMs(after.masterDownAt),
      advertiseInMs: this.#inMs(after.advertiseAt),
      advskew: after.effectiveAdvskew,
    });
  }

  usability(now: Usability): void {
    if (now.kind === 'fault') {
      const remedy = remedyFor(now, this.#config());
      return this.#publish({ event: 'interface-unusable', fault: now.fault, remedy });
    }
    const source = formatIpv4(now.source);
    this.#publish({ event: 'interface-usable', source, carrier: now.carrier });
  }

  /** Warns, once, where the virtual IP is in none of the networks of its interface. */
  reachability(networks: readonly Network[]): void {
    const { ip } = this.#config().address;
    if (networks.some(({ address, prefixLength }) => samePrefix(address, ip, prefixLength))) return;
    const shown = networks.map(
      ({ address, prefixLength }) => `${formatIpv4(address)}/${prefixLength}`,
    );
    if (shown.join(' ') === this.#reportedNetworks) return;
    this.#reportedNetworks = shown.join(' ');
    this.#publish({ event: 'vip-off-network', networks: shown });
  }

  /** Tells of other interfaces of this host that have the virtual IP, whenever they are others. */
  elsewhere(interfaces: readonly string[]): void {
    if (sameList(interfaces, this.#reportedElsewhere)) return;
    this.#reportedElsewhere = interfaces;
    this.#publish({ event: 'vip-elsewhere', interfaces });
  }

  conflict(peer: Ipv4, equal: boolean, announces: boolean): void {
    this.#publish({ event: 'conflict', peer: formatIpv4(peer), equal, announces });
  }

  demotion(demoted: boolean, advskew: number): void {
    this.#publish({ event: 'demotion', demoted, advskew });
  }

  /** `cause` is undefined when the doubt ends. */
  doubt(cause: DoubtCause | undefined): void {
    this.#publish({ event: 'doubt', inDoubt: cause !== undefined, cause: cause ?? null });
  }

  advertSent({ advert, advbase, advskew }: Sent): void {
    this.#publish({ event: 'advert-sent', advert, advbase, advskew });
  }

  sendFailed({ advert }: Sent, detail: string): void {
    this.#publish({ event: 'send-failed', advert, detail });
  }

  advertHeard(from: Ipv4, advert: HeardAdvert, by: 'socket' | 'witness'): void {
    const { advbase, advskew, demote } = advert;
    this.#publish({
      event: 'advert-received',
      from: formatIpv4(from),
      advbase,
      advskew,
      demote,
      bowOut: isBowOut(advert),
      heardBy: by,
    });
  }

  contested(claim: ForeignClaim, claimant: Claimant, answered: boolean): void {
    const peer = claimant.kind === 'stranger' ? null : formatIpv4(claimant.address);
    this.#publish({ event: 'vip-contested', ...claim, answered, by: claimant.kind, peer });
  }

  announced(): void {
    this.#publish({ event: 'announced' });
    this.#takeover.announced(this.#now());
  }

  announceFailed(detail: string): void {
    this.#publish({ event: 'announce-failed', detail });
  }

  vipOutcome(outcome: VipOutcome): void {
    switch (outcome.kind) {
      case 'claimed':
        return this.#publish({ event: 'vip-added' });
      case 'released':
        return this.#publish({ event: 'vip-removed', late: false });
      case 'claim-failed':
        return this.#publish({ event: 'vip-failed', action: 'add', ...outcome.fault });
      case 'release-failed':
        return this.#publish({ event: 'vip-failed', action: 'remove', ...outcome.fault });
      case 'superseded':
        return;
      default:
        return unreachable(outcome);
    }
  }

  vipNotice(notice: VipNotice): void {
    switch (notice.kind) {
      case 'restored':
        return this.#publish({ event: 'vip-restored', replaced: notice.replaced });
      case 'lost':
        return this.#publish({ event: 'vip-failed', action: 'keep', ...notice.fault });
      case 'released-late':
        return this.#publish({ event: 'vip-removed', late: true });
      case 'taken-along': {
        const addresses = notice.addresses.map(formatIpv4);
        const { unsaved } = notice;
        const restored = unsaved.length === 0;
        return this.#publish({ event: 'addresses-taken-along', addresses, restored, unsaved });
      }
      case 'promoted':
        return this.#publish({ event: 'secondaries-promoted' });
      case 'other-prefix': {
        const { prefixLength } = notice;
        return this.#publish({ event: 'vip-stale', removed: false, prefixLength });
      }
      case 'unwanted':
        if (notice.fault === undefined) return this.#publish({ event: 'vip-unwanted' });
        return this.#publish({ event: 'vip-failed', action: 'remove-stale', ...notice.fault });
      default:
        return unreachable(notice);
    }
  }

  staleVip(outcome: StaleOutcome): void {
    if (outcome.kind === 'removed') {
      this.#publish({ event: 'vip-stale', removed: true, prefixLength: null });
    } else if (outcome.kind === 'failed') {
      this.#publish({ event: 'vip-failed', action: 'remove-stale', ...outcome.fault });
    }
  }

  /** `detail`: why the address could not be removed. */
  stuck({ cause, stays }: Extract<Effect, { kind: 'step-down-stuck' }>, detail: string): void {
    this.#publish({ event: 'step-down-stuck', cause, stays, detail });
  }

  vipLeftBehind(command: string): void {
    this.#publish({ event: 'vip-left-behind', command });
  }

  hookLine(line: string, hook: 'up' | 'down'): void {
    this.#publish({ event: 'hook-output', hook, line });
  }

  hookFinished({ hook, result, durationMs }: HookReport): void {
    if (result.kind === 'none') return;
    this.#publish({
      event: 'hook-finished',
      hook,
      result: result.kind,
      durationMs: Math.round(durationMs),
      detail: hookDetail(result),
    });
  }

  #inMs(at: Micros | undefined): number | null {
    return at === undefined ? null : Math.round(toMillis(since(at, this.#now())));
  }
}

function hookDetail(result: HookReport['result']): string | null {
  if (result.kind === 'failed') return result.detail;
  return result.kind === 'missing' ? result.remedy : null;
}

function earlier(at: Micros | undefined, now: Micros): Micros {
  return at !== undefined && at < now ? at : now;
}
