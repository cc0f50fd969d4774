// Inputs and effects of an election as short lines, for assertions and transcripts.
import { unreachable } from '../../src/base/assert.ts';
import { toMillis } from '../../src/base/time.ts';
import { formatIpv4 } from '../../src/base/addresses.ts';
import type { Effect } from '../../src/election/effects.ts';
import type { Input } from '../../src/election/inputs.ts';

/** One effect in words, without the counter of an advert. */
export function effectText(effect: Effect): string {
  switch (effect.kind) {
    case 'send-advert':
      return `advert ${effect.advert} ${String(effect.advbase)}/${String(effect.advskew)}`;
    case 'state-changed': {
      const peer = effect.peer === undefined ? '' : ` peer ${formatIpv4(effect.peer)}`;
      return `${effect.from} -> ${effect.to} ${effect.cause}${peer}`;
    }
    case 'claim-vip':
    case 'release-vip':
      return `${effect.kind} ${String(effect.term)}`;
    case 'announce':
      return `announce ${effect.reason}${effect.burst ? ' burst' : ''}`;
    case 'run-hook':
      return `hook ${effect.hook} ${String(effect.term)}`;
    case 'step-down-stuck':
      return `stuck ${effect.cause} ${effect.stays ? 'stays' : 'leaves'}`;
    case 'conflict-heard':
      return `conflict ${formatIpv4(effect.peer)}${effect.equal ? ' equal' : ''}`;
    case 'demotion-changed':
      return effect.demoted ? 'demoted' : 'recovered';
    case 'ask-for-vip':
    case 'stop-announcing':
    case 'stopped':
      return effect.kind;
    default:
      return unreachable(effect);
  }
}

/** One input in words; those that say something have it after their name. */
export function inputText(input: Input): string {
  switch (input.kind) {
    case 'interface-ready':
      return `${input.kind} ${formatIpv4(input.source)}`;
    case 'interface-lost':
      return input.cause;
    case 'carrier-changed':
      return `carrier ${input.up ? 'up' : 'down'}`;
    case 'gate-changed':
      return `gate ${input.open ? 'open' : 'closed'}`;
    case 'doubt-changed':
      return `doubt ${input.inDoubt ? 'on' : 'off'}`;
    case 'unheard':
      return `unheard until ${toMillis(input.until)} ms`;
    case 'catching-up':
      return `catching-up ${input.lateBy === undefined ? 'off' : 'on'}`;
    case 'maintenance-changed':
      return `maintenance ${input.on ? 'on' : 'off'}`;
    case 'advert-heard': {
      const { advbase, advskew, demote } = input.advert;
      const demoted = demote > 0 ? ` demote ${String(demote)}` : '';
      const timers = `${String(advbase)}/${String(advskew)}`;
      return `heard ${formatIpv4(input.from)} ${timers}${demoted}`;
    }
    case 'advert-sent':
      return `sent ${input.ok ? 'ok' : 'failed'}`;
    case 'path-changed':
      return `path ${input.trust}`;
    case 'vip-claimed':
      return `vip-claimed ${String(input.term)} ${input.ok ? 'ok' : 'failed'}`;
    case 'vip-released':
    case 'vip-restored':
      return `${input.kind} ${String(input.term)}`;
    case 'vip-stuck':
      return `${input.kind} ${String(input.term)}${input.shown ? '' : ' not shown'}`;
    case 'reconfigured': {
      const { advbase, advskew, deadRatio, preempt } = input.settings;
      const timers = `${String(advbase)}/${String(advskew)} ratio ${String(deadRatio)}`;
      return `reconfigured ${timers}${preempt ? ' preempt' : ''}`;
    }
    case 'hook-finished':
      return `hook-finished ${input.hook} ${String(input.term)}`;
    case 'started':
    case 'vip-contested':
    case 'mac-changed':
    case 'handover-requested':
    case 'stop-requested':
    case 'retire-requested':
    case 'woken':
      return input.kind;
    default:
      return unreachable(input);
  }
}
