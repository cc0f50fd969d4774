// What an instance sends, hears and runs; a busy segment has many of them.
import { unreachable } from '../../base/assert.ts';
import { fromSeconds } from '../../base/time.ts';
import type { AdvertKind } from '../../election/effects.ts';
import type { HookName } from '../../election/inputs.ts';
import { HOOK_RESULTS } from '../../metrics/catalogue/label-values.ts';
import type { HookResult } from '../../vip/hooks.ts';
import {
  boolean,
  instanceEvent,
  number,
  oneMore,
  sentence,
  text,
  type LogLevel,
  type ValuesOf,
} from './define.ts';

const REPEAT_PERIOD = fromSeconds(10);
const MS_PER_SECOND = 1_000;
const ADVERT = '`regular`, `farewell` or `bow-out`';

const HOOK_FIELDS = {
  hook: text<HookName>('`up` or `down`'),
  result: text<Exclude<HookResult['kind'], 'none'>>(
    '`ok`, `failed`, `timeout`, `missing` or `skipped`',
  ),
  durationMs: number('from its start to its end'),
  detail: sentence<string | null>('why, or what to do, or null'),
} as const;

type HookFinished = ValuesOf<typeof HOOK_FIELDS>;

export const TRAFFIC_EVENTS = {
  announced: instanceEvent({
    meaning: 'a gratuitous ARP was sent',
    fields: {},
    level: 'debug',
    text: ({ vip }) => `sent a gratuitous ARP for ${vip}`,
    counts: { carpd_gratuitous_arps_sent_total: oneMore },
  }),
  'announce-failed': instanceEvent({
    meaning: 'a gratuitous ARP could not be sent',
    fields: { detail: sentence('why') },
    level: 'error',
    text: ({ vip, detail }) => `could not announce ${vip}: ${detail}`,
    once: { period: REPEAT_PERIOD, key: ({ detail }) => detail },
  }),
  'hook-finished': instanceEvent({
    meaning: 'a hook ended',
    fields: HOOK_FIELDS,
    level: { among: ['info', 'warn', 'error'], of: hookLevel },
    text: hookText,
    counts: {
      carpd_hook_runs_total: ({ hook, result }) => {
        const ended = ranTo(result);
        return ended && { labels: { hook, result: ended } };
      },
      carpd_hook_duration_seconds: ({ hook, result, durationMs }) =>
        ranTo(result) && { labels: { hook }, amount: durationMs / MS_PER_SECOND },
    },
  }),
  'send-failed': instanceEvent({
    meaning: 'an advert could not be sent',
    fields: { advert: text<AdvertKind>(ADVERT), detail: sentence('why') },
    level: {
      among: ['warn', 'error'],
      of: ({ advert }) => (advert === 'regular' ? 'error' : 'warn'),
    },
    text: ({ advert, detail }) => `could not send the ${advert} advert: ${detail}`,
    once: { period: REPEAT_PERIOD, key: ({ detail }) => detail },
  }),
  'hook-output': instanceEvent({
    meaning: 'a line that a hook printed',
    fields: { hook: text<HookName>('`up` or `down`'), line: sentence('the line') },
    frequent: true,
    level: 'info',
    text: ({ hook, line }) => `${hook} hook: ${line}`,
    // A reader of hooks wants all that one run says, which is 200 lines at most.
    quota: { burst: 250, refill: fromSeconds(1) },
  }),
  'advert-sent': instanceEvent({
    meaning: 'an advert has left',
    fields: {
      advert: text<AdvertKind>(ADVERT),
      advbase: number('as sent'),
      advskew: number('as sent'),
    },
    frequent: true,
    level: 'unlogged',
    text: ({ advert, advbase, advskew }) =>
      `sent a ${advert} advert, advbase ${advbase}, advskew ${advskew}`,
    counts: { carpd_adverts_sent_total: oneMore },
  }),
  'advert-received': instanceEvent({
    meaning: 'a valid advert came in',
    fields: {
      from: text('its sender'),
      advbase: number('as received'),
      advskew: number('as received'),
      demote: number('as received'),
      bowOut: boolean('the sender leaves'),
      heardBy: text<'socket' | 'witness'>(
        '`socket`, or `witness` where a firewall kept it from the socket',
      ),
    },
    frequent: true,
    level: 'unlogged',
    text: ({ from, advbase, advskew, demote, bowOut, heardBy }) =>
      `heard an advert of ${from}, advbase ${advbase}, advskew ${advskew}, demote ${demote}` +
      `${bowOut ? ', which leaves' : ''}${heardBy === 'witness' ? ', only by the witness' : ''}`,
    counts: { carpd_adverts_received_total: oneMore },
  }),
};

/** How a hook ended that was run; one that was skipped never ran. */
function ranTo(result: HookFinished['result']): (typeof HOOK_RESULTS)[number] | undefined {
  return HOOK_RESULTS.find((known) => known === result);
}

function hookLevel({ result }: HookFinished): LogLevel {
  if (result === 'ok') return 'info';
  return result === 'skipped' ? 'warn' : 'error';
}

function hookText({ hook, result, durationMs, detail }: HookFinished): string {
  switch (result) {
    case 'ok':
      return `${hook} hook ended well after ${durationMs} ms`;
    case 'failed':
      return `${hook} hook failed: ${detail ?? ''}`;
    case 'timeout':
      return (
        `${hook} hook was killed after ${durationMs} ms; ` + 'it must end within hooks.timeout'
      );
    case 'missing':
      return `${hook} hook: ${detail ?? ''}`;
    case 'skipped':
      return `${hook} hook was not run`;
    default:
      return unreachable(result);
  }
}
