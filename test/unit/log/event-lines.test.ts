// What each event comes to in the log and for the reader of `carpd watch --text`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromSeconds, micros, plus, type Micros } from '../../../src/base/time.ts';
import { EVENT_NAMES, EVENTS } from '../../../src/events/catalogue.ts';
import { EventLog } from '../../../src/log/event-log.ts';
import type { DomainEvent, EventName } from '../../../src/events/events.ts';
import { watchText } from '../../../src/log/watch-text.ts';
import { recordingLogger, type LoggedLine } from '../../fakes/logger.ts';
import { DB, EVENT_SAMPLES } from '../../support/events.ts';

/** Level, event and the beginning of the message; undefined: it is not for the log. */
const LINES: Readonly<Record<EventName, string | undefined>> = {
  state: 'info state MASTER on bond0 id 7 for 61 s: no master was heard',
  transition: 'info transition BACKUP -> MASTER: no master was heard for the dead interval',
  takeover: 'info takeover told the neighbours 13 ms after the master was due',
  conflict: 'warn conflict heard a worse master, 10.9.0.11; staying master and announcing',
  demotion: 'warn demotion three adverts in a row could not be sent',
  doubt: 'warn doubt in doubt: its path may have changed',
  handover: 'info handover 10.9.0.11 took over after 300 ms',
  maintenance: 'info maintenance 10.9.0.11 took over',
  'promotion-held':
    'warn promotion-held no master is heard, and this node may not take over: no data',
  'gate-opened': 'info gate-opened promotion is possible: the link has proved',
  'gate-closed': 'info gate-closed no promotion: no LACP partner',
  'gate-still-closed': 'warn gate-closed no promotion: no data frame',
  'gate-warning': 'warn gate-warning adverts come in but do not reach the CARP socket',
  'vip-in-use': undefined,
  'interface-usable': 'info interface-usable bond0 is usable without carrier, source 10.9.0.10',
  'interface-unusable':
    'warn interface-unusable bond0: the interface is administratively down. Set',
  'vip-off-network':
    'warn configuration-warning 10.9.0.100 is in no network of bond0 (10.1.0.1/24)',
  'vip-added': 'info vip-added 10.9.0.100 is on bond0',
  'vip-restored': 'warn vip-added 10.9.0.100 on bond0 was removed by someone; it is back',
  'vip-removed': 'info vip-removed 10.9.0.100 is off bond0',
  'vip-failed': 'error vip-failed 10.9.0.100 could not be added to bond0: give it CAP_NET_ADMIN',
  'step-down-stuck': 'error vip-failed stays MASTER and does not step down (handover): the',
  'vip-left-behind':
    'error vip-failed the virtual IP could not be removed and stays. Do it now: ip a',
  'vip-stale': 'warn vip-stale 10.9.0.100 was on bond0 without being held here',
  'vip-unwanted': 'warn vip-stale 10.9.0.100 was put on bond0 by someone',
  'vip-elsewhere': 'warn vip-elsewhere eth2 of this host has 10.9.0.100 too, and carpd keeps it',
  'vip-leftover': 'warn vip-stale an earlier run of carpd has left 10.9.0.100 on bond0, where it',
  'addresses-taken-along': 'warn vip-removed removing 10.9.0.100 on bond0 made the kernel remove',
  'vip-contested': 'warn vip-contested 02:00:00:00:00:66 says that 10.9.0.100 is its own',
  'secondaries-promoted': 'info vip-removed addresses of this host hang on 10.9.0.100, the first',
  announced: 'debug announced sent a gratuitous ARP for 10.9.0.100',
  'announce-failed': 'error announce-failed could not announce 10.9.0.100: ENETDOWN',
  'hook-finished': 'info hook-finished up hook ended well after 12 ms',
  'send-failed': 'error send-failed could not send the regular advert: ENOBUFS',
  'hook-output': 'info hook-output up hook: mounted',
  'advert-sent': undefined,
  'advert-received': undefined,
  'link-epoch': 'info link-epoch bond0: the carrier was lost; it has to prove itself anew',
  'link-evidence': undefined,
  'link-proved': 'info link-proved bond0 has proved that it passes frames, after 900 ms',
  'link-unproved': 'debug link-unproved bond0 has not proved itself: no data frame',
  'lacp-port': 'info lacp-port bond0: eth1 is not ready: defaulted: no LACPDU heard; not in sync',
  'link-warning': 'warn link-warning bond0: LACP has not formed',
  'link-unreadable': 'warn link-unreadable bond0: no uplink',
  'socket-failed': 'error socket-failed ENODEV; trying again in 5 s',
  'interface-renamed': 'warn configuration-warning bond0 is called wan0 now; carpd goes on with it',
  'adverts-lost': 'warn adverts-lost bond0: the kernel dropped 4711 packets of protocol 112',
  'send-blocked': 'warn send-blocked the firewall of this host refuses adverts on bond0',
  'advert-rejected': 'warn packet-dropped dropped a packet from 10.9.0.66: vhid, passphrase',
  'daemon-started': 'info daemon-started running 2 instances',
  'daemon-stopping': 'info daemon-stopping SIGTERM: releasing what this host holds',
  'daemon-stopped': 'info daemon-stopped stopped',
  'daemon-failed': 'fatal daemon-failed a fault',
  'signal-received': 'info signal-received SIGHUP: reading anew',
  'configuration-warning': 'warn configuration-warning a doubt',
  'configuration-rejected': 'error configuration-rejected a fault',
  'configuration-reloaded': 'info configuration-reloaded the new configuration is in force',
  'links-unreadable': 'error socket-failed ENOBUFS',
  'maintenance-unreadable': 'error maintenance EIO',
  'late-wake': 'warn late-wake woke 700 ms late',
  'queue-overflow': 'warn queue-overflow more packets of protocol 112 come in than can be judged',
  'log-gap': undefined,
  'control-opened': 'info control-opened /run/carpd/control.sock answers the commands of carpd',
  'control-failed': 'warn control-failed in use. The election goes on without it',
  'metrics-opened': 'info metrics-opened 127.0.0.1:9112 serves metrics to Prometheus',
  'metrics-failed': 'warn metrics-failed in use. It is tried every 10 s, and the election goes on',
};

const SHARED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  instance: ['name', 'interface', 'vhid', 'vip'],
  interface: ['interface'],
  daemon: [],
};

const noTimer = (): (() => void) => () => undefined;

function logged(event: DomainEvent): readonly LoggedLine[] {
  const { logger, lines } = recordingLogger();
  new EventLog(logger, () => micros(0), noTimer).tell(event);
  return lines;
}

for (const name of EVENT_NAMES) {
  const event = EVENT_SAMPLES[name];

  test(`${name} has the fields that are documented`, () => {
    const { scope, fields } = EVENTS[name];
    const wanted = ['event', ...(SHARED_FIELDS[scope] ?? []), ...Object.keys(fields)];
    assert.deepEqual(Object.keys(event).sort(), wanted.sort());
    assert.deepEqual(JSON.parse(JSON.stringify(event)), event, 'it is its own JSON');
  });

  test(`${name} is logged as it should be`, () => {
    const [line, ...more] = logged(event);
    assert.deepEqual(more, []);
    const wanted = LINES[name];
    if (wanted === undefined) return assert.equal(line, undefined);
    assert.ok(line, 'there is a line');
    const text = `${line.level} ${line.event} ${line.message}`;
    assert.equal(text.slice(0, wanted.length), wanted);
    assert.equal(line.instance, 'name' in event ? event.name : undefined);
  });

  test(`${name} can be read by people who watch`, () => {
    const text = watchText({ schema: 1, time: '2026-01-02T03:04:05.678Z', ...event });
    assert.match(text, /^2026-01-02T03:04:05\.678Z (db|bond0|carpd): \S+/);
    assert.ok(!text.includes('undefined') && !text.includes('\n'), text);
  });
}

describe('the fields of a line', () => {
  test('are those of a transition, without what there is not', () => {
    const [line] = logged(EVENT_SAMPLES.transition);
    assert.deepEqual(withoutUndefined(line?.fields), {
      from: 'BACKUP',
      to: 'MASTER',
      cause: 'master-down',
      peer: '10.9.0.11',
      vip: '10.9.0.100',
      term: 2,
      advertiseInMs: 1_000,
      advskew: 0,
    });
  });

  test('hold lists as words', () => {
    const [line] = logged(EVENT_SAMPLES['configuration-reloaded']);
    assert.deepEqual(line?.fields, {
      added: 'web mail',
      changed: '',
      removed: 'old',
      unchanged: 'db',
    });
  });
});

test('a virtual IP that went with its interface is laid to nobody', () => {
  const [line] = logged({ ...EVENT_SAMPLES['vip-restored'], replaced: true });
  const text = 'bond0 was replaced, and 10.9.0.100 went with it; it is on the new bond0';
  assert.equal(line?.message, text);
});

describe('lines that could come again and again', () => {
  const REPEATED = ['conflict', 'send-failed', 'announce-failed', 'late-wake', 'queue-overflow'];
  const SELDOM = ['socket-failed', 'send-blocked'];
  let now: Micros = micros(0);

  for (const name of EVENT_NAMES.filter((one) => [...REPEATED, ...SELDOM].includes(one))) {
    test(`are written once in a while, with the number left out: ${name}`, () => {
      const { logger, lines } = recordingLogger();
      const log = new EventLog(logger, () => now, noTimer);
      for (let count = 0; count < 3; count += 1) log.tell(EVENT_SAMPLES[name]);
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.fields['repeats'], undefined);
      now = plus(now, fromSeconds(SELDOM.includes(name) ? 60 : 10));
      log.tell(EVENT_SAMPLES[name]);
      assert.equal(lines[1]?.fields['repeats'], 2);
    });
  }

  test('are kept apart by instance and by what they say', () => {
    const { logger, lines } = recordingLogger();
    const log = new EventLog(logger, () => now, noTimer);
    const conflict = EVENT_SAMPLES.conflict;
    log.tell(conflict);
    log.tell({ ...conflict, name: 'web' });
    log.tell({ ...conflict, peer: '10.9.0.12' });
    log.tell(conflict);
    assert.deepEqual(
      lines.map(({ instance, fields }) => `${instance ?? ''} ${String(fields['peer'])}`),
      ['db 10.9.0.11', 'web 10.9.0.11', 'db 10.9.0.12'],
    );
  });
});

describe('watched text', () => {
  const time = '2026-01-02T03:04:05.678Z';

  test('tells of a gap', () => {
    const text = watchText({ schema: 1, time, event: 'gap', lost: 12 });
    assert.equal(text, `${time} carpd: 12 event(s) are missing here: they were not taken in time`);
  });

  test('shows an event that this version does not know by its fields', () => {
    const line = JSON.stringify({ schema: 1, time, ...DB, event: 'new-one', answer: [42] });
    const event = JSON.parse(line) as Parameters<typeof watchText>[0];
    assert.equal(watchText(event), `${time} db: new-one answer=[42]`);
  });

  test('carries no control character of a hook', () => {
    const event = { ...EVENT_SAMPLES['hook-output'], line: 'a\u001b[2Jb\nc' };
    assert.equal(watchText({ schema: 1, time, ...event }), `${time} db: up hook: a?[2Jb?c`);
  });
});

function withoutUndefined(fields: object = {}): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
