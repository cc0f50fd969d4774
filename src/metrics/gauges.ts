// Which gauge shows what of a sample.
import { toSeconds, type Micros } from '../base/time.ts';
import type { State } from '../election/effects.ts';
import { EVIDENCE_KINDS } from '../readiness/evidence.ts';
import { CONDITIONS } from '../readiness/judge.ts';
import type { GaugeName, LabelsOf } from './catalogue/metrics.ts';
import { STATE_LABELS } from './catalogue/label-values.ts';
import type { InstanceSample, LinkSample, Sample } from './sample.ts';
import type { WallClock } from './wall-clock.ts';

/** Sets one series of a gauge. */
export type SetGauge = <Name extends GaugeName>(
  name: Name,
  labels: LabelsOf<Name>,
  value: number,
) => void;

const MS_PER_SECOND = 1_000;
const STATES: readonly State[] = ['INIT', 'HELD', 'BACKUP', 'MASTER'];

/** Instances that are shown before others get their turn: some milliseconds. */
const SLICE = 20;

/**
 * Sets all series of all gauges that a sample has something to say about; `pause` resolves in a
 * later turn of the loop.
 */
export async function showSample(
  sample: Sample,
  wallClock: WallClock,
  set: SetGauge,
  pause: () => Promise<void>,
): Promise<void> {
  wallClock.turn();
  set('carpd_config_last_reload_successful', {}, flag(sample.isReloadGood));
  for (const [index, instance] of sample.instances.entries()) {
    if (index % SLICE === SLICE - 1) await pause();
    showInstance(instance, set);
    showTimes(instance, sample.now, wallClock, set);
  }
  for (const link of sample.links) showLink(link, sample.now, wallClock, set);
}

function showInstance(instance: InstanceSample, set: SetGauge): void {
  const { labels, vip, source = '', state: current, peers } = instance;
  set('carpd_instance_info', { ...labels, vip, source }, 1);
  for (const state of STATES) {
    const shown = { ...labels, vip, state: STATE_LABELS[state] };
    set('carpd_instance_state', shown, flag(state === current));
  }
  set('carpd_in_doubt', labels, flag(instance.inDoubt));
  set('carpd_maintenance', labels, flag(instance.maintenanceSinceMs !== undefined));
  const maintenanceSince = (instance.maintenanceSinceMs ?? 0) / MS_PER_SECOND;
  set('carpd_maintenance_since_timestamp_seconds', labels, maintenanceSince);
  set('carpd_gate_open', labels, flag(instance.gateOpen));
  set('carpd_vip_present', labels, flag(instance.vipPresent));
  set('carpd_effective_advskew', labels, instance.effectiveAdvskew);
  for (const { address, answers } of instance.standbys) {
    set('carpd_standby_answers', { ...labels, peer: address }, flag(answers));
  }
  for (const { address, interval } of peers) {
    const peer = { ...labels, peer: address };
    set('carpd_peer_info', peer, 1);
    if (interval === undefined) continue;
    set('carpd_peer_advert_interval_seconds', peer, toSeconds(interval));
  }
}

function showTimes(
  { labels, lastTransitionAt, lastAdvertAt }: InstanceSample,
  now: Micros,
  wallClock: WallClock,
  set: SetGauge,
): void {
  const unix = (what: string, at: Micros | undefined): number =>
    wallClock.unixSeconds(`${what} ${labels.name}`, at, now);
  const transition = unix('transition', lastTransitionAt);
  set('carpd_last_transition_timestamp_seconds', labels, transition);
  const advert = unix('advert', lastAdvertAt);
  set('carpd_last_advert_received_timestamp_seconds', labels, advert);
}

function showLink(link: LinkSample, now: Micros, wallClock: WallClock, set: SetGauge): void {
  const labels = { interface: link.interface };
  set('carpd_link_ready', labels, flag(link.ready));
  for (const condition of CONDITIONS) {
    set('carpd_link_condition', { ...labels, condition }, flag(link.conditions[condition]));
  }
  for (const kind of EVIDENCE_KINDS) {
    const at = link.evidenceAt.get(kind);
    const seconds = wallClock.unixSeconds(`${kind} ${link.interface}`, at, now);
    set('carpd_link_evidence_timestamp_seconds', { ...labels, kind }, seconds);
  }
  for (const { name, ready } of link.ports) {
    set('carpd_lacp_port_ready', { ...labels, port: name }, flag(ready));
  }
}

function flag(on: boolean): number {
  return on ? 1 : 0;
}
