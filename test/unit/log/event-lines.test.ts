// What each event comes to in the log and for the reader of `carpd watch --text`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromSeconds, micros, plus, type Micros } from '../../../src/base/time.ts';
import {
  definitionOf,
  EVENT_NAMES,
  EVENTS,
  type DomainEvent,
  type EventName,
} from '../../../src/events/events.ts';
import { EventLog, openLoggedBus } from '../../../src/log/event-log.ts';
import { watchText } from '../../../src/log/watch-text.ts';
import { recordingLogger, type LoggedLine } from '../../fakes/logger.ts';
import { DB, EVENT_SAMPLES } from '../../support/events.ts';

/** Level and the beginning of the message; undefined: it is not for the log. */
const LINES: Readonly<Record<EventName, string | undefined>> = {
  state: 'info MASTER on bond0 id 7 for 61 s: no master was heard',
  transition: 'info BACKUP -> MASTER: no master was heard for the dead interval',
  takeover: 'info sent the first gratuitous ARP 13 ms after the master was due',
  conflict: 'warn heard a worse master, 10.9.0.11; staying master and announcing',
  demotion: 'warn three adverts in a row could not be sent',
  doubt: 'warn in doubt: its path may have changed',
  handover: 'info 10.9.0.11 took over after 300 ms',
  maintenance: 'info 10.9.0.11 took over',
  'promotion-held': 'warn no master is heard, and this node may not take over: no data',
  'gate-opened': 'info can become master: the link has proved',
  'gate-closed': 'info cannot become master: no LACP partner',
  'gate-still-closed': 'warn cannot become master: no data frame',
  'gate-warning': 'warn adverts come in but do not reach the CARP socket',
  'vip-in-use': undefined,
  'interface-usable': 'info bond0 is usable without carrier, source 10.9.0.10',
  'interface-unusable': 'warn bond0: the interface is administratively down. Set',
  'vip-off-network': 'warn 10.9.0.100 is in no network of bond0 (10.1.0.1/24)',
  'vip-added': 'info 10.9.0.100 is on bond0',
  'vip-restored': 'warn 10.9.0.100 on bond0 was removed by someone; it is back',
  'vip-removed': 'info 10.9.0.100 is off bond0',
  'vip-failed': 'error 10.9.0.100 could not be added to bond0: give it CAP_NET_ADMIN',
  'step-down-stuck': 'error stays MASTER and does not step down (handover): the',
  'vip-left-behind': 'error the virtual IP could not be removed and stays. Do it now: ip a',
  'vip-stale': 'warn 10.9.0.100 was on bond0, where this node does not serve it',
  'vip-unwanted': 'warn 10.9.0.100 was put on bond0 by someone',
  'vip-elsewhere': 'warn eth2 of this host has 10.9.0.100 too, and carpd keeps it',
  'vip-leftover': 'warn an earlier run of carpd left 10.9.0.100 on bond0, where no',
  'addresses-taken-along': 'warn removing 10.9.0.100 on bond0 made the kernel remove',
  'vip-contested': 'warn 02:00:00:00:00:66 says that 10.9.0.100 is its own',
  'secondaries-promoted': 'info 10.9.0.100 is the first address of its prefix on bond0',
  announced: 'debug sent a gratuitous ARP for 10.9.0.100',
  'announce-failed': 'error could not announce 10.9.0.100: ENETDOWN',
  'hook-finished': 'info up hook ended well after 12 ms',
  'send-failed': 'error could not send the regular advert: ENOBUFS',
  'hook-output': 'info up hook: mounted',
  'advert-sent': undefined,
  'advert-received': undefined,
  'link-epoch': 'info bond0: the carrier was lost; the link must prove itself again',
  'link-evidence': undefined,
  'link-proved': 'info bond0 has proved that it passes frames, after 900 ms',
  'link-unproved': 'debug bond0 has not proved itself: no data frame',
  'lacp-port': 'info bond0: eth1 is not ready: defaulted: no LACPDU heard; not in sync',
  'link-warning': 'warn bond0: LACP has not formed',
  'link-unreadable': 'warn bond0: no uplink',
  'socket-failed': 'error ENODEV; trying again in 5 s',
  'interface-renamed': 'warn bond0 is called wan0 now; carpd goes on with it',
  'adverts-lost': 'warn bond0: the kernel dropped 4711 packets of protocol 112',
  'send-blocked': 'warn the firewall of this host refuses adverts on bond0',
  'advert-rejected': 'warn dropped a packet from 10.9.0.66: passphrase',
  'daemon-started': 'info running 2 instances',
  'daemon-stopping': 'info SIGTERM: releasing everything that this host holds',
  'daemon-stopped': 'info stopped',
  'daemon-failed': 'fatal a fault',
  'signal-received': 'info SIGHUP: reading anew',
  'configuration-warning': 'warn a doubt',
  'configuration-rejected': 'error a fault',
  'configuration-change': 'warn db: restarts',
  'configuration-reloaded': 'info the new configuration is in force',
  'links-unreadable': 'error ENOBUFS',
  'maintenance-unreadable': 'error EIO',
  'late-wake': 'warn woke 700 ms late',
  'queue-overflow': 'warn more packets of protocol 112 come in than carpd can judge',
  'log-gap': undefined,
  'listener-failed': 'error a part of carpd failed on the event late-wake: a fault',
  'control-opened': 'info /run/carpd/control.sock answers the commands of carpd',
  'control-failed': 'warn in use. The election goes on without it',
  'metrics-opened': 'info 127.0.0.1:9112 serves metrics to Prometheus',
  'metrics-failed': 'warn in use. carpd tries again every 10 s, and the election goes on',
};

const SHARED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  instance: ['name', 'interface', 'vhid', 'vip'],
  interface: ['interface'],
  daemon: [],
};

const noTimer = (): (() => void) => () => undefined;

function logged(event: DomainEvent): readonly LoggedLine[] {
  const { logger, lines } = recordingLogger();
  new EventLog(logger, () => micros(0), noTimer).log(event);
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
    assert.equal(line.event, name);
    const text = `${line.level} ${line.message}`;
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
      interface: 'bond0',
      vhid: 7,
      vip: '10.9.0.100',
      from: 'BACKUP',
      to: 'MASTER',
      cause: 'master-down',
      peer: '10.9.0.11',
      term: 2,
      advertiseInMs: 1_000,
      advskew: 0,
    });
  });

  test('are not the sentences, which the message says', () => {
    const [line] = logged(EVENT_SAMPLES['vip-left-behind']);
    assert.match(line?.message ?? '', /ip addr del 10\.9\.0\.100\/24 dev bond0$/);
    assert.deepEqual(line?.fields, { interface: 'bond0', vhid: 7, vip: '10.9.0.100' });
    const [taken] = logged({
      ...EVENT_SAMPLES['addresses-taken-along'],
      restored: false,
      unsaved: ['ip addr add 10.9.0.101/24 dev bond0'],
    });
    assert.match(taken?.message ?? '', /Do it now: ip addr add 10\.9\.0\.101\/24 dev bond0/);
    assert.deepEqual(
      [taken?.fields['addresses'], taken?.fields['unsaved']],
      ['10.9.0.101', undefined],
    );
  });

  test('hold lists as words', () => {
    const [line] = logged(EVENT_SAMPLES['configuration-reloaded']);
    assert.deepEqual(line?.fields, {
      added: 'web mail',
      changed: '',
      restarted: '',
      refused: '',
      removed: 'old',
      unchanged: 'db',
    });
  });
});

describe('a level that depends on the fields', () => {
  const samples = EVENT_SAMPLES;
  const louder: readonly (readonly [DomainEvent, string])[] = [
    [samples.demotion, 'warn'],
    [{ ...samples.demotion, demoted: false }, 'info'],
    [{ ...samples.doubt, inDoubt: false, cause: null }, 'info'],
    [{ ...samples.handover, outcome: 'begun', reason: null }, 'info'],
    [{ ...samples.maintenance, outcome: 'refused', reason: 'no-peer' }, 'warn'],
    [{ ...samples['promotion-held'], reason: 'no-carrier' }, 'info'],
    [{ ...samples['vip-elsewhere'], interfaces: [] }, 'info'],
    [{ ...samples['vip-contested'], form: 'probe' }, 'info'],
    [{ ...samples['hook-finished'], result: 'skipped' }, 'warn'],
    [{ ...samples['hook-finished'], result: 'timeout' }, 'error'],
    [{ ...samples['send-failed'], advert: 'bow-out' }, 'warn'],
    [{ ...samples['advert-rejected'], reason: 'vrrp' }, 'info'],
    [{ ...samples['daemon-failed'], fatal: false }, 'error'],
    [{ ...samples['control-failed'], during: 'answering' }, 'error'],
  ];

  for (const [event, wanted] of louder) {
    test(`${event.event} is told as ${wanted}, as documented`, () => {
      assert.equal(logged(event)[0]?.level, wanted);
      const { level } = definitionOf(event.event);
      assert.ok(typeof level !== 'string', 'it depends');
      assert.ok(level.among.some((one) => one === wanted));
    });
  }
});

describe('a listener that fails', () => {
  test('is named once in a while, also where it fails at the news of itself', () => {
    const { logger, lines } = recordingLogger();
    const bus = openLoggedBus(logger, () => micros(0), noTimer);
    bus.subscribe(EVENT_NAMES, () => {
      throw new Error('broken');
    });
    for (let count = 0; count < 3; count += 1) bus.publish(EVENT_SAMPLES['daemon-started']);
    bus.publish(EVENT_SAMPLES['signal-received']);
    const failed = lines.filter(({ event }) => event === 'listener-failed');
    assert.deepEqual(
      failed.map(({ level, message }) => `${level} ${message}`),
      ['daemon-started', 'signal-received'].map(
        (name) => `error a part of carpd failed on the event ${name}: broken`,
      ),
    );
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
      for (let count = 0; count < 3; count += 1) log.log(EVENT_SAMPLES[name]);
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.fields['repeats'], undefined);
      now = plus(now, fromSeconds(SELDOM.includes(name) ? 60 : 10));
      log.log(EVENT_SAMPLES[name]);
      assert.equal(lines[1]?.fields['repeats'], 2);
    });
  }

  test('are kept apart by instance and by what they say', () => {
    const { logger, lines } = recordingLogger();
    const log = new EventLog(logger, () => now, noTimer);
    const conflict = EVENT_SAMPLES.conflict;
    log.log(conflict);
    log.log({ ...conflict, name: 'web' });
    log.log({ ...conflict, peer: '10.9.0.12' });
    log.log(conflict);
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
    assert.equal(text, `${time} carpd: this reader was too slow: 12 events lost here`);
  });

  test('shows an event that this version does not know by its fields', () => {
    const line = JSON.stringify({ schema: 1, time, ...DB, event: 'new-one', answer: [42] });
    const event = JSON.parse(line) as Parameters<typeof watchText>[0];
    assert.equal(watchText(event), `${time} db: new-one answer=[42]`);
    const evidence = { ...EVENT_SAMPLES['link-evidence'], schema: 1 as const, time };
    assert.match(watchText(evidence), / bond0: (?!bond0: )/, 'an interface is named once');
  });

  test('carries no control character of a hook', () => {
    const event = { ...EVENT_SAMPLES['hook-output'], line: 'a\u001b[2Jb\nc' };
    assert.equal(watchText({ schema: 1, time, ...event }), `${time} db: up hook: a?[2Jb?c`);
  });
});

function withoutUndefined(fields: object = {}): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
