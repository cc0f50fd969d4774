// What the events of an interface and of the daemon as a whole come to in the log. Pure.
import { unreachable } from '../base/assert.ts';
import { fromSeconds } from '../base/time.ts';
import { DROP_REASONS } from '../carp/accept.ts';
import { EPOCH_END_CAUSES } from '../readiness/epoch.ts';
import { PORT_FAULTS, type PortFault } from '../readiness/lacp.ts';
import { WARNINGS } from '../readiness/reasons.ts';
import type { DaemonNews, EventOf, LinkEvent } from '../events/events.ts';
import { lineOf, type LogLine } from './log-line.ts';
import { explainReasons } from '../report/words.ts';

const LINK_REPEAT_PERIOD = fromSeconds(60);
const DAEMON_REPEAT_PERIOD = fromSeconds(10);

/** Packets that were not believed are told by drop-lines.ts. */
type LinkEventLogged = Exclude<LinkEvent, EventOf<'advert-rejected'>>;

/** The line for an event; undefined: it is not for the log. */
export function linkLine(event: LinkEventLogged): LogLine | undefined {
  const on = event.interface;
  switch (event.event) {
    case 'interface-renamed': {
      const { from, to } = event;
      const text =
        `${from} is called ${to} now; carpd goes on with it, and runs hooks with the new name. ` +
        `A restart looks for ${on}: correct \`interface\` in the configuration`;
      return lineOf('warn', 'configuration-warning', text, { interface: on, from, to });
    }
    case 'vip-leftover':
      return leftoverLine(event);
    case 'link-epoch': {
      const { epoch, cause } = event;
      const text = `${on}: ${EPOCH_END_CAUSES[cause]}; it has to prove itself anew`;
      return lineOf('info', 'link-epoch', text, { interface: on, epoch, cause });
    }
    case 'link-proved': {
      const text = `${on} has proved that it passes frames, after ${event.heldMs} ms`;
      return lineOf('info', 'link-proved', text, { interface: on, heldMs: event.heldMs });
    }
    case 'link-unproved': {
      const text = `${on} has not proved itself: ${explainReasons(event.reasons)}`;
      const fields = { interface: on, reasons: event.reasons.join(' ') };
      return lineOf('debug', 'link-unproved', text, fields);
    }
    case 'link-evidence':
      return undefined;
    case 'lacp-port':
      return portLine(event);
    case 'link-warning': {
      const { meaning, remedy } = WARNINGS[event.warning];
      const fields = { interface: on, warning: event.warning };
      const line = lineOf('warn', 'link-warning', `${on}: ${meaning}; ${remedy}`, fields);
      return { ...line, kind: event.warning };
    }
    case 'link-unreadable': {
      const fields = { interface: on, repeats: event.repeats };
      return lineOf('warn', 'link-unreadable', `${on}: ${event.detail}`, fields);
    }
    case 'socket-failed': {
      const text = `${event.detail}; trying again in ${event.retryInMs / 1_000} s`;
      const line = lineOf('error', 'socket-failed', text, { interface: on });
      return {
        ...line,
        limit: { key: `${on} socket ${event.detail}`, period: LINK_REPEAT_PERIOD },
      };
    }
    case 'adverts-lost': {
      const { count, from, reason } = event;
      const suspect = from === null ? '' : ` from ${from}`;
      const why = reason === null ? '' : ` (${DROP_REASONS[reason]})`;
      const text =
        `${on}: the kernel dropped ${count} packets of protocol 112, more come in than can be ` +
        'read; the silence of a master proves nothing meanwhile. Look for a flood' +
        `${suspect}${why}`;
      const line = lineOf('warn', 'adverts-lost', text, { interface: on, count, from, reason });
      return { ...line, limit: { key: `${on} lost`, period: LINK_REPEAT_PERIOD } };
    }
    case 'send-blocked': {
      const text =
        `the firewall of this host refuses adverts on ${on}; they leave as frames past it. Allow ` +
        'outgoing IP protocol 112, and incoming as well';
      const line = lineOf('warn', 'send-blocked', text, { interface: on });
      return { ...line, limit: { key: `${on} firewall`, period: LINK_REPEAT_PERIOD } };
    }
    default:
      return unreachable(event);
  }
}

/** The line for an event of the daemon; a gap of the log tells of itself, at its place. */
export function daemonLine(event: DaemonNews): LogLine | undefined {
  switch (event.event) {
    case 'daemon-started': {
      const { instances } = event;
      const text = `running ${instances} ${instances === 1 ? 'instance' : 'instances'}`;
      return lineOf('info', 'daemon-started', text);
    }
    case 'daemon-stopping':
      return lineOf('info', 'daemon-stopping', `${event.why}: releasing what this host holds`);
    case 'daemon-stopped':
      return lineOf('info', 'daemon-stopped', 'stopped', { exitCode: event.exitCode });
    case 'daemon-failed':
      return lineOf(event.fatal ? 'fatal' : 'error', 'daemon-failed', event.detail);
    case 'signal-received':
      return lineOf('info', 'signal-received', `${event.signal}: ${event.meaning}`);
    case 'configuration-warning':
      return lineOf('warn', 'configuration-warning', event.detail);
    case 'configuration-rejected':
      return lineOf('error', 'configuration-rejected', event.detail);
    case 'configuration-reloaded':
      return lineOf('info', 'configuration-reloaded', 'the new configuration is in force', {
        added: event.added.join(' '),
        changed: event.changed.join(' '),
        removed: event.removed.join(' '),
        unchanged: event.unchanged.join(' '),
      });
    case 'links-unreadable':
      return lineOf('error', 'socket-failed', event.detail);
    case 'maintenance-unreadable':
      return lineOf('error', 'maintenance', event.detail);
    case 'late-wake': {
      const { lateMs } = event;
      const text = `woke ${lateMs} ms late: the process or the machine stood still; reading what \
came in`;
      return limited('late-wake', lineOf('warn', 'late-wake', text, { lateMs }));
    }
    case 'queue-overflow': {
      const text =
        'more packets of protocol 112 come in than can be judged; the oldest are dropped';
      return limited('queue-overflow', lineOf('warn', 'queue-overflow', text));
    }
    case 'log-gap':
      return undefined;
    case 'control-opened': {
      const text = `${event.path} answers the commands of carpd`;
      return lineOf('info', 'control-opened', text);
    }
    case 'control-failed':
      return controlLine(event);
    case 'metrics-opened':
      return lineOf('info', 'metrics-opened', `${event.address} serves metrics to Prometheus`);
    case 'metrics-failed':
      return metricsLine(event);
    default:
      return unreachable(event);
  }
}

function leftoverLine(event: EventOf<'vip-leftover'>): LogLine {
  const { interface: on, vip, removed, detail, command } = event;
  const what = `an earlier run of carpd has left ${vip} on ${on}, where it is served no more`;
  const text = removed
    ? `${what}; it was removed`
    : `${what}. It was not removed: ${detail ?? ''}. Take it off if that is right: ${command}`;
  return lineOf('warn', 'vip-stale', text, { vip, interface: on });
}

function portLine({ interface: on, port, status, faults }: EventOf<'lacp-port'>): LogLine {
  const fields = { interface: on, port, status, faults: faults.join(' ') };
  const text = portText(status, faults);
  return { ...lineOf('info', 'lacp-port', `${on}: ${port} ${text}`, fields), kind: port };
}

function portText(status: EventOf<'lacp-port'>['status'], faults: readonly PortFault[]): string {
  if (status === 'gone') return 'left the bond';
  if (status === 'met') return 'is ready';
  return `is not ready: ${faults.map((fault) => PORT_FAULTS[fault]).join('; ')}`;
}

function controlLine({ during, detail }: EventOf<'control-failed'>): LogLine {
  switch (during) {
    case 'opening':
      return lineOf('warn', 'control-failed', `${detail}. The election goes on without it`);
    case 'serving':
      return lineOf('warn', 'control-failed', detail);
    case 'answering':
      return lineOf('error', 'control-failed', `a request could not be answered: ${detail}`);
    default:
      return unreachable(during);
  }
}

function metricsLine({ during, detail }: EventOf<'metrics-failed'>): LogLine {
  if (during === 'serving') return limited(detail, lineOf('warn', 'metrics-failed', detail));
  const text = `${detail}. It is tried every 10 s, and the election goes on without it`;
  return lineOf('warn', 'metrics-failed', text);
}

function limited(key: string, line: LogLine): LogLine {
  return { ...line, limit: { key, period: DAEMON_REPEAT_PERIOD } };
}
