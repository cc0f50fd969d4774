// The incident of the demo in words and as a picture, from a run that is made up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isKept, type Bar, type Incident } from '../../../demo/incident.ts';
import { incidentSvg } from '../../../demo/incident-svg.ts';
import { incidentText } from '../../../demo/incident-text.ts';
import { painter } from '../../../demo/timeline.ts';

const END_MS = 16_000;

function bar(node: Bar['node'], state: Bar['state'], fromMs: number, toMs = END_MS): Bar {
  return { node, state, fromMs, toMs };
}

const STOLEN: Incident = {
  program: 'ucarp',
  events: [
    { atMs: -1, text: 'B boots', tone: 'step' },
    { atMs: 3_100, text: 'B MASTER', tone: 'bad' },
    { atMs: 10_700, text: 'A BACKUP', tone: 'bad' },
  ],
  bars: [
    bar('a', 'MASTER', -3_000, 10_700),
    bar('a', 'BACKUP', 10_700),
    bar('b', 'BACKUP', 0, 3_100),
    bar('b', 'MASTER', 3_100),
  ],
  forwardsMs: 10_000,
  endMs: END_MS,
  holder: 'b',
};

const KEPT: Incident = {
  program: 'carpd',
  events: [{ atMs: 10_300, text: `B BACKUP ${'because it hears A '.repeat(3)}`, tone: 'good' }],
  bars: [bar('a', 'MASTER', -3_000), bar('b', 'HELD', 0, 10_300), bar('b', 'BACKUP', 10_300)],
  forwardsMs: 10_000,
  endMs: END_MS,
  holder: 'a',
};

describe('the incident of the demo', () => {
  test('is kept only where the healthy master alone had the address all along', () => {
    assert.deepEqual([isKept(STOLEN), isKept(KEPT)], [false, true]);
    assert.equal(isKept({ ...KEPT, holder: 'a and b' }), false);
    assert.equal(isKept({ ...KEPT, bars: STOLEN.bars }), false);
  });

  test('as text: both runs beside each other, in the order of time, within 100 columns', () => {
    const lines = incidentText([STOLEN, KEPT], painter(false));
    assert.deepEqual(
      lines.map((line) => line.replaceAll(/ +/g, ' ')),
      [
        ' | B runs stock ucarp | B runs carpd',
        `${'-'.repeat(7)}-+-${'-'.repeat(43)}-+-${'-'.repeat(43)}`,
        ' 0.00 s | B boots |',
        ' 3.10 s | B MASTER |',
        '10.30 s | | B BACKUP because it hears A because it',
        ' | | hears A because it hears A',
        '10.70 s | A BACKUP |',
      ],
    );
    assert.deepEqual(
      lines.filter((line) => line.length > 100),
      [],
    );
  });

  test('as a picture: says in words what it shows, and marks the second master', () => {
    const svg = incidentSvg([STOLEN, KEPT]);
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*role="img"/);
    assert.match(svg, /aria-label="B runs stock ucarp: B takes the address; B runs carpd: A keeps/);
    // The bar and the verdict above it.
    assert.equal(svg.match(/fill="#cf222e"/g)?.length, 2);
    assert.doesNotMatch(incidentSvg([KEPT]), /#cf222e/);
    assert.equal(svg.match(/<text/g)?.length, svg.match(/<\/text>/g)?.length);
  });

  test('as a picture: what a program says can not break out of the text', () => {
    const svg = incidentSvg([{ ...KEPT, holder: '<script>"&' }]);
    assert.doesNotMatch(svg, /<script>/);
  });
});
