// Holds the pictures of the documents to what they show: the state machine to the causes of the
// code, the topology to the quick start, the others to the runs that were recorded.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { explainSvg } from '../../../scripts/pictures/explain.ts';
import { pictures, RECORDS } from '../../../scripts/pictures/pictures.ts';
import { ARROWS, causesOf, changeKey, changesOf } from '../../../scripts/pictures/states.ts';
import { takeoverSvg, type Takeover } from '../../../scripts/pictures/takeover.ts';
import { readQuickStart } from '../../../scripts/pictures/topology.ts';
import { CAUSES } from '../../../src/election/effects.ts';
import { TRANSITION_SERIES } from '../../../src/metrics/catalogue/label-values.ts';

const drawn = pictures();

describe('the pictures', () => {
  for (const [path, svg] of drawn) {
    test(`${path} is as npm run pictures draws it`, () => {
      assert.equal(readFileSync(path, 'utf8'), svg);
    });
  }

  test('are all drawn by a script, and each stands in a document', () => {
    const texts = ['README.md', 'docs/gate.md', 'docs/explain.md'].map((path) =>
      readFileSync(path, 'utf8'),
    );
    const files = readdirSync('docs/img').filter((name) => name.endsWith('.svg'));
    // That of the incident is drawn by the demo, from the run that it plays.
    const known = [...drawn.keys(), 'docs/img/incident.svg'].map((path) => path.slice(9));
    assert.deepEqual(files.sort(), known.sort());
    for (const name of files) {
      assert.ok(
        texts.some((text) => text.includes(`img/${name})`)),
        `${name} is shown`,
      );
    }
  });
});

describe('the picture of the states', () => {
  test('has exactly the transitions and causes of the code', () => {
    const shown = ARROWS.flatMap((arrow) =>
      causesOf(arrow).flatMap((cause) => changesOf(arrow, cause)),
    );
    const counted = TRANSITION_SERIES.map(({ from, to, cause }) => `${from} -> ${to}: ${cause}`);
    assert.deepEqual([...new Set(shown)].sort(), [...new Set(counted)].sort());
    assert.ok(counted.includes(changeKey('held', 'backup', 'gate-opened')));
    const causes = new Set(ARROWS.flatMap((arrow) => causesOf(arrow)));
    assert.deepEqual([...causes].sort(), Object.keys(CAUSES).sort());
  });

  test('names every cause with its meaning', () => {
    const svg = drawn.get('docs/img/states.svg') ?? '';
    for (const [cause, meaning] of Object.entries(CAUSES)) {
      assert.ok(svg.includes(`>${cause}</text>`), cause);
      assert.ok(svg.includes(`>${meaning}</text>`), meaning);
    }
  });
});

describe('the picture of the quick start', () => {
  test('has the addresses of the README, and a README that contradicts itself is found', () => {
    const readme = readFileSync('README.md', 'utf8');
    const start = readQuickStart(readme);
    const svg = drawn.get('docs/img/topology.svg') ?? '';
    for (const address of [...start.hosts, start.vip]) assert.ok(svg.includes(`>${address}<`));
    const other = readme.replace(/--peers \S+/, '--peers 10.9.0.99');
    assert.throws(
      () => readQuickStart(other),
      /10\.9\.0\.99 is the peer, and 10\.9\.0\.20 the host/,
    );
    assert.throws(() => readQuickStart(''), /no `carpd init` in the README/);
  });
});

describe('the recorded runs', () => {
  test('are there', () => {
    for (const path of Object.values(RECORDS)) assert.ok(existsSync(path), path);
  });

  test('show a takeover after the dead interval, which the clients notice for that long', () => {
    const run = JSON.parse(readFileSync(RECORDS.takeover, 'utf8')) as Takeover;
    const [first] = run.adverts.filter(({ node }) => node === 'b');
    assert.ok(first !== undefined && first.atMs > 2_980 && first.atMs < 3_200, 'in time');
    assert.ok(
      run.announcements.every((atMs) => atMs > first.atMs),
      'advert first, then ARP',
    );
    assert.ok(run.announcements.length >= 2, 'a burst');
    assert.ok(run.silence.fromMs < first.atMs && run.silence.toMs > first.atMs);
    const bars = [...takeoverSvg(run).matchAll(/fill="#1a7f37"/g)].length;
    assert.equal(bars, run.adverts.length + 2, 'a tick for each advert, and two bars of answers');
  });

  test('a screen without a row that has a note is refused', () => {
    assert.throws(
      () => explainSvg('vip is HELD\n'),
      /no line of the screen begins with " {2}state /,
    );
  });
});
