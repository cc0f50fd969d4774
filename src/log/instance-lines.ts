// What the events of an instance come to in the log: in words an operator understands, with the
// facts as fields. Pure.
import { unreachable } from '../base/assert.ts';
import { sysctlKey } from '../base/command.ts';
import { fromSeconds } from '../base/time.ts';
import { CLAIM_FORMS } from '../carp/claim.ts';
import { CAUSES } from '../election/effects.ts';
import { DOUBT_CAUSES } from '../readiness/doubt.ts';
import type { GateKey } from '../readiness/gate.ts';
import { REASONS, WARNINGS } from '../readiness/reasons.ts';
import type { EventOf, HeldReason, InstanceEvent, InstanceIdentity } from '../events/events.ts';
import { lineOf, type LogLine } from './log-line.ts';
import { elsewhereAdvice, explainReasons } from '../report/words.ts';

const REPEAT_PERIOD = fromSeconds(10);
const CLAIM_PERIOD = fromSeconds(60);

const OPEN = {
  proof: 'promotion is possible: the link has proved that it passes frames',
  'promote-after': 'promotion is possible: the link has not proved itself, but its time is up',
  off: 'promotion is possible: the gate is off, and there is carrier',
} as const satisfies Record<GateKey, string>;

/** The line for an event; undefined: it is not for the log. */
export function instanceLine(event: InstanceEvent): LogLine | undefined {
  switch (event.event) {
    case 'transition':
      return transitionLine(event);
    case 'state':
      return stateLine(event);
    case 'conflict':
      return conflictLine(event);
    case 'demotion':
      return demotionLine(event);
    case 'doubt':
      return doubtLine(event);
    case 'promotion-held': {
      const why = heldMeaning(event.reason);
      const text = `no master is heard, and this node may not take over: ${why}`;
      return lineOf(heldLevel(event.reason), 'promotion-held', text, { reason: event.reason });
    }
    case 'takeover': {
      const { cause, term } = event;
      const durationMs = Math.round(event.durationMs);
      const text = `told the neighbours ${durationMs} ms after the master was due to be replaced`;
      return lineOf('info', 'takeover', text, { durationMs, cause, term });
    }
    case 'advert-sent':
    case 'advert-received':
      return undefined;
    case 'send-failed':
      return sendFailedLine(event);
    case 'gate-opened':
      return lineOf('info', 'gate-opened', OPEN[event.by], { by: event.by });
    case 'gate-closed':
      return closedLine('info', event);
    case 'gate-still-closed':
      return closedLine('warn', event);
    case 'gate-warning': {
      const { meaning, remedy } = WARNINGS[event.warning];
      const fields = { warning: event.warning };
      const line = lineOf('warn', 'gate-warning', `${meaning}; ${remedy}`, fields);
      return { ...line, kind: event.warning };
    }
    case 'vip-in-use':
      // The gate tells of it, as a reason or a warning, with what to do.
      return undefined;
    case 'handover':
    case 'maintenance':
      return orderLine(event);
    case 'vip-contested':
      return contestedLine(event);
    case 'announced':
      return lineOf('debug', 'announced', `sent a gratuitous ARP for ${event.vip}`, {
        vip: event.vip,
      });
    case 'announce-failed': {
      const text = `could not announce ${event.vip}: ${event.detail}`;
      return limited(event, `announce ${event.detail}`, lineOf('error', 'announce-failed', text));
    }
    case 'hook-finished':
      return hookLine(event);
    case 'hook-output': {
      const { hook, line } = event;
      return lineOf('info', 'hook-output', `${hook} hook: ${line}`, { hook });
    }
    default:
      return placeLine(event);
  }
}

type PlaceEvent = VipEvent | EventOf<'interface-usable' | 'interface-unusable' | 'vip-off-network'>;

/** The lines of the interface and of the address on it. */
function placeLine(event: PlaceEvent): LogLine {
  switch (event.event) {
    case 'interface-usable': {
      const { source, carrier } = event;
      const text = `${event.interface} is usable ${carrier ? 'with' : 'without'} carrier`;
      const fields = { interface: event.interface, source, carrier };
      return lineOf('info', 'interface-usable', `${text}, source ${source}`, fields);
    }
    case 'interface-unusable': {
      const { fault, remedy } = event;
      const text = `${event.interface}: ${CAUSES[fault]}. ${remedy}`;
      return lineOf('warn', 'interface-unusable', text, { interface: event.interface, fault });
    }
    case 'vip-off-network': {
      const text =
        `${event.vip} is in no network of ${event.interface} (${event.networks.join(', ')}), so ` +
        'its neighbours find it only by a route; correct `address` if that is not what you want';
      return lineOf('warn', 'configuration-warning', text, vipFields(event));
    }
    default:
      return vipLine(event);
  }
}

const STUCK = 'the virtual IP could not be taken off';

function restoredText({ vip, interface: on, replaced }: EventOf<'vip-restored'>): string {
  return replaced
    ? `${on} was replaced, and ${vip} went with it; it is on the new ${on}`
    : `${vip} on ${on} was removed by someone; it is back`;
}

type VipEvent = EventOf<
  | 'vip-added'
  | 'vip-restored'
  | 'vip-removed'
  | 'vip-failed'
  | 'step-down-stuck'
  | 'vip-left-behind'
  | 'vip-stale'
  | 'vip-unwanted'
  | 'vip-elsewhere'
  | 'addresses-taken-along'
  | 'secondaries-promoted'
>;

function vipLine(event: VipEvent): LogLine {
  const { vip } = event;
  const on = event.interface;
  const fields = vipFields(event);
  switch (event.event) {
    case 'vip-added':
      return lineOf('info', 'vip-added', `${vip} is on ${on}`, fields);
    case 'vip-restored':
      return lineOf('warn', 'vip-added', restoredText(event));
    case 'vip-removed': {
      const text = event.late ? `${vip} on ${on} is off after all` : `${vip} is off ${on}`;
      return lineOf('info', 'vip-removed', text, fields);
    }
    case 'vip-failed': {
      const text = vipFailure(event);
      return lineOf('error', 'vip-failed', text, { ...fields, reason: event.reason });
    }
    case 'step-down-stuck': {
      const what = event.stays
        ? `stays MASTER and does not step down (${event.cause}): ${STUCK}. Mend that and try again`
        : `steps down (${event.cause}) although ${vip} is still on ${on}, so that two hosts may ` +
          `answer for it. ${STUCK}; it is tried again`;
      return lineOf('error', 'vip-failed', `${what}: ${event.detail}`, { cause: event.cause });
    }
    case 'vip-left-behind': {
      const text = `the virtual IP could not be removed and stays. Do it now: ${event.command}`;
      return { ...lineOf('error', 'vip-failed', text), unlimited: true };
    }
    case 'vip-stale': {
      const text = event.removed
        ? `${vip} was on ${on} without being held here, as an earlier run may have left it; it ` +
          'was removed'
        : `${vip} on ${on} is there already with prefix length ${event.prefixLength ?? '?'}; ` +
          'left as it is';
      return lineOf('warn', 'vip-stale', text);
    }
    case 'vip-unwanted': {
      const text =
        `${vip} was put on ${on} by someone while this node is not master; it was removed. Find ` +
        'out who else manages the addresses of this interface';
      return limited(event, 'vip-unwanted', lineOf('warn', 'vip-stale', text));
    }
    case 'vip-elsewhere':
      return limited(event, 'vip-elsewhere', elsewhereLine(event));
    case 'addresses-taken-along': {
      const text =
        `removing ${vip} on ${on} made the kernel remove ${event.addresses.join(', ')}; ` +
        `${putBackText(event)}. ` +
        `Set the sysctl ${sysctlKey(on, 'promote_secondaries')} to 1`;
      return lineOf('warn', 'vip-removed', text);
    }
    case 'secondaries-promoted': {
      const text =
        `addresses of this host hang on ${vip}, the first of its prefix on ${on}: ` +
        'promote_secondaries is set while it is removed, and put back then';
      return lineOf('info', 'vip-removed', text);
    }
    default:
      return unreachable(event);
  }
}

function elsewhereLine({ vip, interface: on, interfaces }: EventOf<'vip-elsewhere'>): LogLine {
  const fields = { vip, interface: on, interfaces: interfaces.join(' ') };
  if (interfaces.length === 0) {
    return lineOf('info', 'vip-elsewhere', `no other interface of this host has ${vip}`, fields);
  }
  const { meaning, remedy } = elsewhereAdvice(vip, on, interfaces);
  return lineOf('warn', 'vip-elsewhere', `${meaning}. ${remedy}`, fields);
}

/** What became of what the kernel removed together with a virtual IP. */
export function putBackText({ unsaved }: { readonly unsaved: readonly string[] }): string {
  if (unsaved.length === 0) return 'they were put back';
  return `not everything could be put back. Do it now: ${unsaved.join('; ')}`;
}

function vipFailure({ vip, interface: on, action, detail }: EventOf<'vip-failed'>): string {
  switch (action) {
    case 'add':
      return `${vip} could not be added to ${on}: ${detail}`;
    case 'keep':
      return `${vip} on ${on} was removed: ${detail}`;
    case 'remove':
      return `${vip} could not be removed from ${on}: ${detail}`;
    case 'remove-stale':
      return `${vip} was on ${on} without being held here and could not be removed: ${detail}`;
    default:
      return unreachable(action);
  }
}

function transitionLine(event: EventOf<'transition'>): LogLine {
  const { from, to, cause, peer, vip, term, masterDownInMs, advertiseInMs, advskew } = event;
  return lineOf('info', 'transition', `${from} -> ${to}: ${CAUSES[cause]}`, {
    from,
    to,
    cause,
    peer: peer ?? undefined,
    vip,
    term,
    masterDownInMs: masterDownInMs ?? undefined,
    advertiseInMs: advertiseInMs ?? undefined,
    advskew,
  });
}

function stateLine(event: EventOf<'state'>): LogLine {
  const { state, forMs, vhid, vip, master, term, inDoubt, why } = event;
  const seconds = Math.round(forMs / 1_000);
  const text = `${state} on ${event.interface} id ${vhid} for ${seconds} s: ${why}`;
  return lineOf('info', 'state', text, { state, vip, master: master ?? undefined, term, inDoubt });
}

function conflictLine(event: EventOf<'conflict'>): LogLine {
  const { peer, equal, vip } = event;
  const rank = equal ? 'an equal master that loses the tie' : 'a worse master';
  const text = `heard ${rank}, ${peer}; staying master and announcing ${vip} again`;
  return limited(event, `conflict ${peer}`, lineOf('warn', 'conflict', text, { peer, equal }));
}

/** A probe is no harm, and other nodes of the group send them; who claims the address does harm. */
function contestedLine(event: EventOf<'vip-contested'>): LogLine {
  const { name, vip, mac, form, answered, by, peer } = event;
  const fields = { vip, mac, form, answered, by, peer: peer ?? undefined };
  const limit = { key: `${name} ${form} ${mac} ${by}`, period: CLAIM_PERIOD };
  if (form === 'probe') {
    const text = `${mac} asks whether ${vip} is free: a node of the group, or a host that wants it`;
    return { ...lineOf('info', 'vip-contested', text, fields), kind: form, limit };
  }
  const what = `${mac} says that ${vip} is its own (${CLAIM_FORMS[form]})`;
  const reaction = answered ? 'announcing it again' : 'not answered while this node is in doubt';
  const level = by === 'rival' ? 'info' : 'warn';
  const text = `${what}; ${reaction}. ${claimMeaning(event)}`;
  return { ...lineOf(level, 'vip-contested', text, fields), kind: by, limit };
}

function claimMeaning({ vip, by, peer }: EventOf<'vip-contested'>): string {
  switch (by) {
    case 'rival':
      return `${peer ?? 'It'} is heard as master of this group as well: the election decides`;
    case 'peer':
      return (
        `That is ${peer ?? 'a node'} of this group, which is not heard advertising and has the ` +
        `address all the same. Take ${vip} off it, or start carpd there`
      );
    case 'stranger':
      return `Find the host with that MAC address and take ${vip} off it`;
    default:
      return unreachable(by);
  }
}

function demotionLine({ demoted }: EventOf<'demotion'>): LogLine {
  if (!demoted) {
    return lineOf('info', 'demotion', 'bidding with the configured advskew again', { demoted });
  }
  const text = 'three adverts in a row could not be sent; bidding with advskew 240 until it works';
  return lineOf('warn', 'demotion', text, { demoted });
}

function doubtLine({ cause }: EventOf<'doubt'>): LogLine {
  if (cause === null) {
    return lineOf('info', 'doubt', 'in doubt no more: bidding and announcing as configured');
  }
  const text = `in doubt: ${DOUBT_CAUSES[cause]}; bidding low and announcing nothing meanwhile`;
  return lineOf('warn', 'doubt', text, { cause });
}

function sendFailedLine(event: EventOf<'send-failed'>): LogLine {
  const { advert, detail } = event;
  const level = advert === 'regular' ? 'error' : 'warn';
  const text = `could not send the ${advert} advert: ${detail}`;
  return limited(event, `send ${detail}`, lineOf(level, 'send-failed', text, { advert }));
}

function closedLine(
  level: 'info' | 'warn',
  { reasons, opensInMs }: EventOf<'gate-closed' | 'gate-still-closed'>,
): LogLine {
  const anyway = opensInMs === null ? '' : `; possible in ${opensInMs} ms all the same`;
  const text = `no promotion: ${explainReasons(reasons)}${anyway}`;
  const fields = { reasons: reasons.join(' '), opensInMs: opensInMs ?? undefined };
  return lineOf(level, 'gate-closed', text, fields);
}

function orderLine(event: EventOf<'handover' | 'maintenance'>): LogLine {
  const { outcome, reason, detail, afterMs, force } = event;
  if (outcome === 'begun') return lineOf('info', event.event, detail, { force });
  const level = outcome === 'done' ? 'info' : 'warn';
  const fields = { outcome, reason, ...(afterMs === null ? {} : { afterMs }) };
  return lineOf(level, event.event, detail, fields);
}

function hookLine({ hook, result, durationMs, detail }: EventOf<'hook-finished'>): LogLine {
  const fields = { hook, result, durationMs };
  switch (result) {
    case 'ok': {
      const text = `${hook} hook ended well after ${durationMs} ms`;
      return lineOf('info', 'hook-finished', text, fields);
    }
    case 'failed':
      return lineOf('error', 'hook-finished', `${hook} hook failed: ${detail ?? ''}`, fields);
    case 'timeout': {
      const limit = 'it must end within hooks.timeout';
      const text = `${hook} hook was killed after ${durationMs} ms; ${limit}`;
      return lineOf('error', 'hook-finished', text, fields);
    }
    case 'missing':
      return lineOf('error', 'hook-finished', `${hook} hook: ${detail ?? ''}`, fields);
    case 'skipped':
      return lineOf('warn', 'hook-finished', `${hook} hook was not run`, fields);
    default:
      return unreachable(result);
  }
}

/** What was meant, or was complained of already, is no reason for alarm. */
function heldLevel(reason: HeldReason): 'info' | 'warn' {
  return reason === 'maintenance' || reason === 'vip-failed' || reason === 'no-carrier'
    ? 'info'
    : 'warn';
}

function heldMeaning(reason: HeldReason): string {
  if (reason === 'maintenance' || reason === 'vip-failed') return CAUSES[reason];
  return REASONS[reason].meaning;
}

function vipFields({ vip, interface: on }: InstanceIdentity): { vip: string; interface: string } {
  return { vip, interface: on };
}

/** One line for each instance and key in a period. */
function limited({ name }: InstanceIdentity, key: string, line: LogLine): LogLine {
  return { ...line, limit: { key: `${name} ${key}`, period: REPEAT_PERIOD } };
}
