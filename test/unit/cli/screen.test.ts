// What a terminal gets: times of the place with their offset, lines that fit, colour that adds no
// width.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { fitted, hasColour, localTime, localTimeOfDay } from '../../../src/cli/screen.ts';
import { inColour } from '../../../src/report/colour.ts';
import { observationLine, summaryText } from '../../../src/sniff/text.ts';
import type { Observation } from '../../../src/sniff/observe.ts';

const COLUMNS = 80;
const TERMINAL = { isTTY: true };

function inZone(t: TestContext, zone: string): void {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  t.after(() => {
    if (before === undefined) Reflect.deleteProperty(process.env, 'TZ');
    else process.env['TZ'] = before;
  });
}

describe('a time', () => {
  for (const [zone, whole, ofDay] of [
    ['UTC', '2026-01-02 03:04:05+00:00', '03:04:05.006+00:00'],
    ['Europe/Berlin', '2026-01-02 04:04:05+01:00', '04:04:05.006+01:00'],
    ['Asia/Kolkata', '2026-01-02 08:34:05+05:30', '08:34:05.006+05:30'],
    ['America/St_Johns', '2026-01-01 23:34:05-03:30', '23:34:05.006-03:30'],
  ] as const) {
    test(`is local in ${zone}, with its offset`, (t) => {
      inZone(t, zone);
      assert.equal(localTime('2026-01-02T03:04:05.006Z'), whole);
      assert.equal(localTimeOfDay(Date.UTC(2026, 0, 2, 3, 4, 5, 6)), ofDay);
    });
  }

  test('that is none is shown as it came', () => {
    assert.equal(localTime('soon'), 'soon');
  });
});

describe('a line', () => {
  const advert: Observation = {
    ...{ kind: 'advert', timeUs: 0, source: '192.168.100.200', destination: '224.0.0.18' },
    ...{
      vlanIds: [100],
      mac: undefined,
      vhid: 255,
      advbase: 255,
      advskew: 240,
      demote: 240,
      counter: 1n,
    },
    ...{ bowOut: false, verdict: { digest: 'other-group', instance: 'a-long-name-of-a-service' } },
  };

  test('of sniff fits a terminal, wrapped at words, and stays whole in a pipe', () => {
    const line = observationLine(advert, localTimeOfDay(0));
    assert.ok(line.length > COLUMNS, 'it is a long one');
    assert.equal(fitted(line, {}), line);
    const lines = fitted(line, TERMINAL).split('\n');
    assert.ok(lines.length > 1 && lines.every((one) => one.length <= COLUMNS), lines.join('\n'));
    assert.deepEqual(words(lines.join(' ')), words(line));
  });
});

describe('colour', () => {
  test('is for words that tell how things stand, and adds no width', () => {
    const text = 'db is MASTER: carrier proved, lacp MISSING; digest BAD; TWO MASTERS\n';
    const shown = inColour(text);
    assert.equal(shown.replaceAll(/\u001b\[\d+m/g, ''), text);
    assert.match(shown, /\u001b\[32mMASTER\u001b\[0m: .*\u001b\[31mMISSING\u001b\[0m/);
    assert.match(shown, /\u001b\[31mTWO MASTERS\u001b\[0m/);
    assert.equal(inColour('db-MASTER REMASTERED'), 'db-MASTER REMASTERED');
  });

  test('is not for a pipe', () => {
    assert.equal(hasColour({}), false);
    assert.equal(hasColour({ isTTY: false }), false);
  });
});

test('one of a thing is not said to be several', () => {
  const nothing = { speakers: [], conflicts: [], vrrp: 0, refused: 0, uncounted: 0 };
  assert.equal(summaryText({ ...nothing, vrrp: 1 }), '1 packet of VRRP\n');
  assert.equal(summaryText({ ...nothing, vrrp: 2 }), '2 packets of VRRP\n');
});

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
