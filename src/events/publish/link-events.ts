// What is published of an interface: each change once, never each frame.
import { unreachable } from '../../base/assert.ts';
import { fromSeconds, toMillis, type Micros } from '../../base/time.ts';
import type { DroppedPacket } from '../../carp/accept.ts';
import { formatAddress, formatIpv4 } from '../../base/addresses.ts';
import type { StackFault } from '../../linux/links/link-facts.ts';
import type { ReadinessEffect } from '../../readiness/effects.ts';
import type { Epoch } from '../../readiness/epoch.ts';
import type { EvidenceKind, EvidenceRecord } from '../../readiness/evidence.ts';
import type { PortVerdict } from '../../readiness/lacp.ts';
import { sameList, type Warning } from '../../readiness/reasons.ts';
import type { Publish } from '../bus.ts';
import type { LinkEventFields } from '../events.ts';
import { RateLimit } from '../../base/rate-limit.ts';

/** What can't be read is tried again several times a second. */
const REPEAT_PERIOD = fromSeconds(60);

/** Who keeps a record of what was not believed. */
export interface RejectionTaker {
  readonly record: { rejected(dropped: DroppedPacket, at: Micros): void };
}

/** Publishes what changes about one interface. */
export class LinkEvents {
  readonly #publish: Publish<LinkEventFields>;
  readonly #now: () => Micros;
  readonly #repeats = new RateLimit(REPEAT_PERIOD, 16);
  #warned: readonly Warning[] = [];
  #ports: readonly PortVerdict[] = [];
  #evidenceEpoch = 0;
  readonly #reportedEvidence = new Set<EvidenceKind>();

  /** What a flood is made of, most likely. */
  #lastRejected: DroppedPacket | undefined;

  constructor(publish: Publish<LinkEventFields>, now: () => Micros) {
    this.#publish = publish;
    this.#now = now;
  }

  renamed(from: string, to: string): void {
    this.#publish({ event: 'interface-renamed', from, to });
  }

  epochBegan({ number, cause }: Epoch): void {
    if (cause !== undefined) this.#publish({ event: 'link-epoch', epoch: number, cause });
  }

  /** `evidence` is that of the current epoch, best first. */
  verdict(
    { verdict, heldFor }: Extract<ReadinessEffect, { kind: 'verdict-changed' }>,
    evidence: readonly EvidenceRecord[],
  ): void {
    if (heldFor === undefined) {
      this.#publish({ event: 'link-unproved', reasons: verdict.reasons });
      return;
    }
    const [best] = evidence;
    const heldMs = Math.round(toMillis(heldFor));
    const from = best === undefined ? null : formatAddress(best.latest.from);
    this.#publish({ event: 'link-proved', heldMs, by: best?.kind ?? null, from });
  }

  /** Tells of the first piece of each kind in an epoch. */
  evidence(epoch: number, records: readonly EvidenceRecord[]): void {
    if (epoch !== this.#evidenceEpoch) this.#reportedEvidence.clear();
    this.#evidenceEpoch = epoch;
    for (const { kind, first } of records) {
      if (this.#reportedEvidence.has(kind)) continue;
      this.#reportedEvidence.add(kind);
      this.#publish({ event: 'link-evidence', kind, from: formatAddress(first.from), epoch });
    }
  }

  /** The ports of the bond as judged now; those that are as they were are not published again. */
  ports(ports: readonly PortVerdict[]): void {
    for (const { name: port, ifindex, status, faults } of ports) {
      const before = this.#ports.find((one) => one.ifindex === ifindex);
      if (before?.status === status && sameList(before.faults, faults)) continue;
      this.#publish({ event: 'lacp-port', port, status, faults });
    }
    for (const { name: port, ifindex } of this.#ports) {
      if (ports.some((one) => one.ifindex === ifindex)) continue;
      this.#publish({ event: 'lacp-port', port, status: 'gone', faults: [] });
    }
    this.#ports = ports;
  }

  warnings(warnings: readonly Warning[]): void {
    for (const warning of warnings) {
      if (!this.#warned.includes(warning)) this.#publish({ event: 'link-warning', warning });
    }
    this.#warned = warnings;
  }

  /** The socket that sees frames could not be opened, or failed; it is tried again. */
  witnessFailed(reason: string): void {
    this.#unreadable(`${reason}; until it works, adverts alone can prove the link`);
  }

  /** What is wrong with the devices that the interface stands on. */
  stackFaults(faults: readonly StackFault[]): void {
    for (const fault of faults) this.#unreadable(describeStackFault(fault));
  }

  gatewaysUnread(reason: string): void {
    this.#unreadable(`the probe target \`gateway\` is not known: ${reason}`);
  }

  /** What others say of the addresses of this host can't be heard. */
  claimsUnseen(reason: string): void {
    this.#unreadable(`${reason}; until it works, claims of other hosts are not answered`);
  }

  probeFailed(reason: string): void {
    this.#unreadable(`an ARP probe could not be sent: ${reason}`);
  }

  /** A packet was not believed; `rivalsMaster`: an instance with its vhid is master here. */
  rejected(dropped: DroppedPacket, rivalsMaster: boolean): void {
    const { reason, from, vhid } = dropped;
    this.#lastRejected = dropped;
    this.#publish({
      event: 'advert-rejected',
      reason,
      from: from === undefined ? null : formatIpv4(from),
      vhid: vhid ?? null,
      rivalsMaster,
    });
  }

  socketFailed(detail: string, retryInMs: number): void {
    this.#publish({ event: 'socket-failed', detail, retryInMs });
  }

  /** The kernel has dropped so many packets in front of the CARP socket. */
  advertsLost(count: number): void {
    const worst = this.#lastRejected;
    this.#publish({
      event: 'adverts-lost',
      count,
      from: worst?.from === undefined ? null : formatIpv4(worst.from),
      reason: worst?.reason ?? null,
    });
  }

  /** The firewall would refuse adverts, which leave as frames ahead of it. */
  sendBlocked(): void {
    this.#publish({ event: 'send-blocked' });
  }

  #unreadable(detail: string): void {
    const allowed = this.#repeats.allow(detail, this.#now());
    if (allowed === undefined) return;
    this.#publish({ event: 'link-unreadable', detail, repeats: allowed.refused });
  }
}

function describeStackFault(fault: StackFault): string {
  switch (fault.kind) {
    case 'no-uplink':
      return (
        `no port of the bridge ${fault.bridge} leads to other hosts by its kind, so no frame ` +
        'can prove the link; name the right ones in gate.uplinks'
      );
    case 'uplink-missing':
      return `the uplink ${fault.name} does not exist; correct gate.uplinks`;
    case 'uplink-apart':
      return (
        `the uplink ${fault.name} is no port of the bridge ${fault.bridge}, so nothing comes in ` +
        'by it; add it to the bridge, or correct gate.uplinks'
      );
    default:
      return unreachable(fault);
  }
}
