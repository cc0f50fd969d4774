// What is known of an instance beside its election: the peers it heard, whether it is in
// maintenance, and who waits for its next step.
import { fromSeconds, since, type Micros } from '../../base/time.ts';
import { masterDownInterval } from '../../election/cadence.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { DroppedPacket } from '../../carp/accept.ts';
import type { Ipv4, Mac } from '../../base/addresses.ts';
import { judgeClaimant, type Claimant } from '../../election/claimant.ts';
import type { Maintenance } from '../../control/maintenance.ts';
import { PeersHeard } from '../../election/peers-heard.ts';
import type { MaintenanceEntry, ReportSources, StrangerHeard } from '../../report/report.ts';

/** So long a sender whose digest was wrong is remembered. */
const STRANGER_MEMORY = fromSeconds(60);
/** Another node that has said nothing for so many dead intervals is not counted on. */
const PEER_MEMORY_INTERVALS = 3;

/** What one running instance remembers beside its election. */
export class InstanceRecord {
  readonly peers: PeersHeard;
  #config: InstanceConfig;
  readonly #maintenance: Pick<Maintenance, 'of'>;
  readonly #startedAt: Micros;
  readonly #listeners = new Set<() => void>();
  #stranger: StrangerHeard | undefined;

  constructor(config: InstanceConfig, maintenance: Pick<Maintenance, 'of'>, startedAt: Micros) {
    this.#config = config;
    this.#startedAt = startedAt;
    this.#maintenance = maintenance;
    this.peers = new PeersHeard(() => this.#deadInterval);
  }

  /** It goes on with this configuration. */
  reconfigured(config: InstanceConfig): void {
    this.#config = config;
  }

  get #deadInterval(): Micros {
    return masterDownInterval(this.#config);
  }

  /** Whether another node is known that can take the virtual IP over: it was heard of late. */
  mayAnotherServe(now: Micros): boolean {
    const patience = PEER_MEMORY_INTERVALS * this.#deadInterval;
    return this.peers.all(now).some(({ lastAdvertAt }) => since(now, lastAdvertAt) < patience);
  }

  /** An advert that bears the vhid of the instance was not believed. */
  rejected({ reason, from }: DroppedPacket, at: Micros): void {
    if (reason === 'bad-digest' && from !== undefined) this.#stranger = { address: from, at };
  }

  /** Whose claim of the virtual IP it is; `macOf` as in the view of `judgeClaimant`. */
  claimant(mac: Mac, macOf: (host: Ipv4) => Mac | undefined, now: Micros): Claimant {
    const view = { heard: this.peers.all(now), configured: this.#config.peers };
    return judgeClaimant(mac, { ...view, macOf, deadInterval: this.#deadInterval, now });
  }

  /** Undefined: maintenance is off. */
  get maintenance(): MaintenanceEntry | undefined {
    return this.#maintenance.of(this.#config.name);
  }

  /** What of it a report shows. */
  report(now: Micros): Pick<ReportSources, 'peers' | 'maintenance' | 'startedAt' | 'stranger'> {
    const startedAt = this.#startedAt;
    const last = this.#stranger;
    const stranger = last && since(now, last.at) < STRANGER_MEMORY ? last : undefined;
    return { peers: this.peers.all(now), maintenance: this.maintenance, startedAt, stranger };
  }

  /** Calls the listener after every step of the election; returns how to stop that. */
  onStep(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The election has taken a step. */
  stepped(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
