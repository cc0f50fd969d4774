// Every event of the daemon as a whole.
import { unreachable } from '../../base/assert.ts';
import { counted } from '../../base/text.ts';
import { fromSeconds } from '../../base/time.ts';
import {
  boolean,
  daemonEvent,
  number,
  oneMore,
  sentence,
  text,
  texts,
  type LogLevel,
  type ValuesOf,
} from './define.ts';

const REPEAT_PERIOD = fromSeconds(10);

const CONTROL_FIELDS = {
  during: text<'opening' | 'serving' | 'answering'>('`opening`, `serving` or `answering`'),
  detail: sentence('why'),
} as const;

type ControlFailed = ValuesOf<typeof CONTROL_FIELDS>;

/** What concerns the daemon as a whole. */
export const DAEMON_EVENTS = {
  'daemon-started': daemonEvent({
    meaning: 'all instances take part, or wait for their interface',
    fields: { instances: number('how many') },
    level: 'info',
    text: ({ instances }) => `running ${instances} ${instances === 1 ? 'instance' : 'instances'}`,
  }),
  'daemon-stopping': daemonEvent({
    meaning: 'carpd is stopping and releases everything',
    fields: { why: sentence('a signal, or a sentence') },
    level: 'info',
    text: ({ why }) => `${why}: releasing everything that this host holds`,
  }),
  'daemon-stopped': daemonEvent({
    meaning: 'carpd has released everything and exits; no client sees this event',
    fields: { exitCode: number('of the process') },
    level: 'info',
    text: () => 'stopped',
  }),
  'daemon-failed': daemonEvent({
    meaning: 'carpd found a fault in itself or could not be set up',
    fields: { detail: sentence('which'), fatal: boolean('the process ends at once') },
    level: { among: ['error', 'fatal'], of: ({ fatal }) => (fatal ? 'fatal' : 'error') },
    text: ({ detail }) => detail,
  }),
  'signal-received': daemonEvent({
    meaning: 'a signal was received that does not end carpd',
    fields: { signal: text('its name'), meaning: sentence('what it makes carpd do') },
    level: 'info',
    text: ({ signal, meaning }) => `${signal}: ${meaning}`,
  }),
  'configuration-warning': daemonEvent({
    meaning: 'the configuration is valid but may not be what was meant',
    fields: { detail: sentence('why') },
    level: 'warn',
    text: ({ detail }) => detail,
    // One for each fault of a configuration that may name a thousand instances.
    quota: { burst: 1_000, refill: fromSeconds(1) },
  }),
  'configuration-rejected': daemonEvent({
    meaning: 'a new configuration is faulty; the old one stays in force',
    fields: { detail: sentence('where and why') },
    level: 'error',
    text: ({ detail }) => detail,
  }),
  'configuration-change': daemonEvent({
    meaning: 'a reload is about to change something',
    fields: {
      handsOver: boolean('a master steps down for it'),
      detail: sentence('which keys of what, from which value to which, and what that takes'),
    },
    level: { among: ['info', 'warn'], of: ({ handsOver }) => (handsOver ? 'warn' : 'info') },
    text: ({ detail }) => detail,
    // As many as instances, all at once.
    quota: { burst: 1_000, refill: fromSeconds(1) },
  }),
  'configuration-reloaded': daemonEvent({
    meaning: 'a new configuration is in force, but for the refused instances',
    fields: {
      added: texts('instances'),
      changed: texts('instances, in place or by a restart'),
      restarted: texts('those of the changed instances that began anew'),
      removed: texts('instances'),
      unchanged: texts('instances'),
      refused: texts('instances whose new form could not be put in force'),
    },
    level: {
      among: ['info', 'warn'],
      of: ({ refused }) => (refused.length === 0 ? 'info' : 'warn'),
    },
    text: ({ refused }) =>
      refused.length === 0
        ? 'the new configuration is in force'
        : `the new configuration is in force, but not that of ${refused.join(', ')}`,
  }),
  'links-unreadable': daemonEvent({
    meaning: 'carpd cannot read what the kernel reports of the interfaces; it tries again',
    fields: { detail: sentence('why') },
    level: 'error',
    text: ({ detail }) => detail,
  }),
  'maintenance-unreadable': daemonEvent({
    meaning: 'which instances are in maintenance is not known, so all of them are',
    fields: { detail: sentence('why, and what to do') },
    level: 'error',
    text: ({ detail }) => detail,
  }),
  'late-wake': daemonEvent({
    meaning: 'the process was stalled; what arrived meanwhile was read first',
    fields: { lateMs: number('how much too late it woke') },
    level: 'warn',
    text: ({ lateMs }) =>
      `woke ${lateMs} ms late: the process or the machine stood still; reading what came in`,
    once: { period: REPEAT_PERIOD, key: () => '' },
    counts: { carpd_late_wakes_total: oneMore },
  }),
  'queue-overflow': daemonEvent({
    meaning: 'packets came in faster than they could be judged, and some were dropped',
    fields: { dropped: number('how many') },
    frequent: true,
    level: 'warn',
    text: () => 'more packets of protocol 112 come in than carpd can judge; it drops the oldest',
    once: { period: REPEAT_PERIOD, key: () => '' },
  }),
  'log-gap': daemonEvent({
    meaning: 'lines of the log were dropped, because the reader was too slow',
    fields: { lostLines: number('how many') },
    level: 'warn',
    placed: true,
    text: ({ lostLines }) =>
      `the reader of the log was too slow: ${counted(lostLines, 'line')} lost here`,
  }),
  'listener-failed': daemonEvent({
    meaning: 'a part of carpd failed on an event; the election goes on',
    fields: {
      of: text('the event'),
      detail: sentence('why'),
      repeats: number('how often this happened since without a line'),
    },
    level: 'error',
    text: ({ of, detail }) => `a part of carpd failed on the event ${of}: ${detail}`,
  }),
  'control-opened': daemonEvent({
    meaning: 'the control socket answers',
    fields: { path: text('where') },
    level: 'info',
    text: ({ path }) => `${path} answers the commands of carpd`,
  }),
  'control-failed': daemonEvent({
    meaning: 'the control socket cannot be opened, or failed',
    fields: CONTROL_FIELDS,
    level: { among: ['warn', 'error'], of: controlLevel },
    text: controlText,
  }),
  'metrics-opened': daemonEvent({
    meaning: 'the metrics are served',
    fields: { address: text('where') },
    level: 'info',
    text: ({ address }) => `${address} serves metrics to Prometheus`,
  }),
  'metrics-failed': daemonEvent({
    meaning: 'the metrics cannot be served, or a client could not be served',
    fields: {
      during: text<'opening' | 'serving'>('`opening` or `serving`'),
      detail: sentence('why'),
    },
    level: 'warn',
    text: ({ during, detail }) =>
      during === 'serving'
        ? detail
        : `${detail}. carpd tries again every 10 s, and the election goes on without it`,
    once: {
      period: REPEAT_PERIOD,
      key: ({ during, detail }) => (during === 'serving' ? detail : undefined),
    },
  }),
};

function controlLevel({ during }: ControlFailed): LogLevel {
  return during === 'answering' ? 'error' : 'warn';
}

function controlText({ during, detail }: ControlFailed): string {
  switch (during) {
    case 'opening':
      return `${detail}. The election goes on without it`;
    case 'serving':
      return detail;
    case 'answering':
      return `a request could not be answered: ${detail}`;
    default:
      return unreachable(during);
  }
}
