// What an instance is at this moment, as an event. Pure.
import type { EventOf } from '../events/events.ts';
import { explainLine } from './explain-text.ts';
import type { InstanceReport } from './report.ts';

/** Made of its report. */
export function stateEvent(report: InstanceReport): EventOf<'state'> {
  const { name, vhid, vip, state, stateForMs, term, master, source, link } = report;
  const [address = vip] = vip.split('/');
  return {
    name,
    interface: report.interface,
    vhid,
    vip: address,
    event: 'state',
    state,
    forMs: stateForMs,
    term,
    source,
    master: master?.address ?? null,
    gateOpen: link?.gate.open ?? null,
    reasons: link?.gate.reasons.map((reason) => reason.name) ?? [],
    inDoubt: (link?.doubt ?? null) !== null,
    maintenance: report.maintenance !== null,
    advskew: report.effectiveAdvskew,
    why: explainLine(report),
  };
}
