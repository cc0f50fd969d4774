// What an instance tells the log: in words an operator understands, with the facts as fields.
import { unreachable } from '../base/assert.ts';
import { fromSeconds, since, toMillis, toSeconds, type Micros } from '../base/time.ts';
import { formatIpv4, samePrefix, type Ipv4 } from '../carp/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import { CAUSES, type AdvertKind, type Effect } from '../election/effects.ts';
import type { ElectionSnapshot } from '../election/snapshot.ts';
import type { HookReport } from '../vip/hooks.ts';
import type { StaleOutcome, VipNotice, VipOutcome } from '../vip/reconciler.ts';
import type { Conditions, Network } from './conditions.ts';
import type { Logger } from './log.ts';
import { RateLimit } from './rate-limit.ts';

const REPEAT_PERIOD = fromSeconds(10);
const KEYS_MAX = 64;

/** The log of one instance. */
export class InstanceLog {
  readonly #config: InstanceConfig;
  readonly #log: Logger;
  readonly #now: () => Micros;
  readonly #limit = new RateLimit(REPEAT_PERIOD, KEYS_MAX);
  readonly #vip: string;
  #networksTold: string | undefined;

  constructor(config: InstanceConfig, log: Logger, now: () => Micros) {
    this.#config = config;
    this.#log = log.forInstance(config.name);
    this.#now = now;
    this.#vip = formatIpv4(config.address.ip);
  }

  transition(change: Extract<Effect, { kind: 'state-changed' }>, after: ElectionSnapshot): void {
    const { from, to, cause, term } = change;
    const peer = change.peer === undefined ? undefined : formatIpv4(change.peer);
    this.#log.info('transition', `${from} -> ${to}: ${CAUSES[cause]}`, {
      from,
      to,
      cause,
      peer,
      vip: this.#vip,
      term,
      masterDownInMs: this.#inMs(after.masterDownAt),
      advertiseInMs: this.#inMs(after.advertiseAt),
      advskew: after.effectiveAdvskew,
    });
  }

  /** `why` is explainLine() of the moment. */
  state(now: ElectionSnapshot, why: string): void {
    const { state, stateSince, term, inDoubt } = now;
    const { vhid, interfaceName } = this.#config;
    const forSeconds = Math.round(toSeconds(since(this.#now(), stateSince)));
    const master = now.master === undefined ? undefined : formatIpv4(now.master.address);
    const text = `${state} on ${interfaceName} id ${vhid} for ${forSeconds} s: ${why}`;
    this.#log.info('state', text, { state, vip: this.#vip, master, term, inDoubt });
  }

  conditions(before: Conditions | undefined, now: Conditions): void {
    const { interfaceName } = this.#config;
    if (now.kind === 'fault') {
      const remedy = remedyFor(now, this.#config);
      const text = `${interfaceName}: ${CAUSES[now.fault]}. ${remedy}`;
      this.#log.warn('interface-unusable', text, { interface: interfaceName, fault: now.fault });
      return;
    }
    const source = formatIpv4(now.source);
    const carrier = now.carrier ? 'with carrier' : 'without carrier';
    const again = before?.kind === 'ready' ? 'now' : 'usable';
    this.#log.info(
      'interface-usable',
      `${interfaceName} is ${again} ${carrier}, source ${source}`,
      {
        interface: interfaceName,
        source,
        carrier: now.carrier,
      },
    );
  }

  /** Warns, once, where the virtual IP is in none of the networks of its interface. */
  reachability(networks: readonly Network[]): void {
    const { address, interfaceName } = this.#config;
    const attached = networks.some((network) =>
      samePrefix(network.address, address.ip, network.prefixLength),
    );
    const shown = networks
      .map((network) => `${formatIpv4(network.address)}/${network.prefixLength}`)
      .join(', ');
    if (attached || shown === this.#networksTold) return;
    this.#networksTold = shown;
    const text =
      `${this.#vip} is in no network of ${interfaceName} (${shown}), so its neighbours find it ` +
      'only by a route; correct `address` if that is not what you want';
    this.#log.warn('configuration-warning', text, { vip: this.#vip, interface: interfaceName });
  }

  conflict(peer: Ipv4, equal: boolean): void {
    const from = formatIpv4(peer);
    const allowed = this.#limit.allow(`conflict ${from}`, this.#now());
    if (allowed === undefined) return;
    const rank = equal ? 'an equal master that loses the tie' : 'a worse master';
    const text = `heard ${rank}, ${from}; staying master and announcing ${this.#vip} again`;
    this.#log.warn('conflict', text, { peer: from, equal, repeats: allowed.untold });
  }

  demotion(demoted: boolean): void {
    if (demoted) {
      const text =
        'three adverts in a row could not be sent; bidding with advskew 240 until it works';
      this.#log.warn('demotion', text, { demoted });
    } else {
      this.#log.info('demotion', 'bidding with the configured advskew again', { demoted });
    }
  }

  sendFailed(advert: AdvertKind, reason: string): void {
    const allowed = this.#limit.allow(`send ${reason}`, this.#now());
    if (allowed === undefined) return;
    const level = advert === 'regular' ? 'error' : 'warn';
    const text = `could not send the ${advert} advert: ${reason}`;
    this.#log[level]('send-failed', text, { advert, repeats: allowed.untold });
  }

  announced(): void {
    this.#log.debug('announced', `sent a gratuitous ARP for ${this.#vip}`, { vip: this.#vip });
  }

  announceFailed(reason: string): void {
    if (this.#limit.allow(`announce ${reason}`, this.#now()) === undefined) return;
    this.#log.error('announce-failed', `could not announce ${this.#vip}: ${reason}`);
  }

  vipOutcome(outcome: VipOutcome): void {
    const fields = { vip: this.#vip, interface: this.#config.interfaceName };
    switch (outcome.kind) {
      case 'claimed':
        return this.#log.info('vip-added', `${this.#vip} is on ${fields.interface}`, fields);
      case 'released':
        return this.#log.info('vip-removed', `${this.#vip} is off ${fields.interface}`, fields);
      case 'claim-failed':
      case 'release-failed': {
        const action = outcome.kind === 'claim-failed' ? 'added to' : 'removed from';
        const { reason, detail } = outcome.fault;
        const text = `${this.#vip} could not be ${action} ${fields.interface}: ${detail}`;
        return this.#log.error('vip-failed', text, { ...fields, reason });
      }
      case 'superseded':
        return;
      default:
        return unreachable(outcome);
    }
  }

  vipNotice(notice: VipNotice): void {
    const where = `${this.#vip} on ${this.#config.interfaceName}`;
    switch (notice.kind) {
      case 'restored':
        return this.#log.warn('vip-added', `${where} was removed by someone; it is back`);
      case 'lost':
        return this.#log.error('vip-failed', `${where} was removed: ${notice.fault.detail}`);
      case 'released-late':
        return this.#log.info('vip-removed', `${where} is off after all`);
      case 'taken-along': {
        const others = notice.addresses.map(({ address }) => formatIpv4(address)).join(', ');
        const end = notice.restored ? 'they were put back' : 'they could NOT be put back';
        const text = `removing ${where} made the kernel remove ${others}; ${end}. Set the sysctl \
net.ipv4.conf.${this.#config.interfaceName}.promote_secondaries to 1`;
        return this.#log.warn('vip-removed', text);
      }
      case 'warning': {
        const { prefixLength } = notice.warning.observed;
        const text = `${where} is there already with prefix length ${prefixLength}; left as it is`;
        return this.#log.warn('vip-stale', text);
      }
      default:
        return unreachable(notice);
    }
  }

  staleVip(outcome: StaleOutcome): void {
    const where = `${this.#vip} was on ${this.#config.interfaceName} without being held here`;
    if (outcome.kind === 'removed') {
      this.#log.warn('vip-stale', `${where}, as an earlier run may have left it; it was removed`);
    } else if (outcome.kind === 'failed') {
      this.#log.error('vip-failed', `${where} and could not be removed: ${outcome.fault.detail}`);
    }
  }

  hookLine(line: string, hook: 'up' | 'down'): void {
    this.#log.info('hook-output', `${hook} hook: ${line}`, { hook });
  }

  hookFinished({ hook, result, durationMs }: HookReport): void {
    const ms = Math.round(durationMs);
    const fields = { hook, result: result.kind, durationMs: ms };
    switch (result.kind) {
      case 'ok':
        return this.#log.info('hook-finished', `${hook} hook ended well after ${ms} ms`, fields);
      case 'failed':
        return this.#log.error('hook-finished', `${hook} hook failed: ${result.detail}`, fields);
      case 'timeout': {
        const text = `${hook} hook was killed after ${ms} ms; it must end within hooks.timeout`;
        return this.#log.error('hook-finished', text, fields);
      }
      case 'missing':
        return this.#log.error('hook-finished', `${hook} hook: ${result.remedy}`, fields);
      case 'none':
        return;
      case 'skipped':
        return this.#log.warn('hook-finished', `${hook} hook was not run`, fields);
      default:
        return unreachable(result);
    }
  }

  #inMs(at: Micros | undefined): number | undefined {
    return at === undefined ? undefined : Math.round(toMillis(since(at, this.#now())));
  }
}

/** What an operator can do about a fault of the interface. */
export function remedyFor(
  conditions: Extract<Conditions, { kind: 'fault' }>,
  config: InstanceConfig,
): string {
  const { interfaceName, source } = config;
  switch (conditions.fault) {
    case 'interface-missing':
      return `Create ${interfaceName}, or correct the name in the configuration`;
    case 'not-ethernet':
      return 'Name an Ethernet, bond, bridge or VLAN device';
    case 'no-socket':
      return 'The log tells why; it is tried again every 5 s';
    case 'interface-down':
      return `Set it up: ip link set ${interfaceName} up`;
    case 'no-source-address': {
      const { onlyAddress } = conditions;
      if (onlyAddress !== undefined) {
        return (
          `${onlyAddress}, its only address, is configured as a virtual IP and is left alone. ` +
          `Correct \`address\`, or add an address of this host to ${interfaceName}`
        );
      }
      const wanted = source === undefined ? 'an IPv4 address' : formatIpv4(source);
      return `Add ${wanted} to ${interfaceName}, or correct \`source\``;
    }
    default:
      return unreachable(conditions.fault);
  }
}
