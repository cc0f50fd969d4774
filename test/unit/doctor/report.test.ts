// The findings as people and scripts read them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { finding } from '../../../src/doctor/checks/catalogue.ts';
import { isFit, reportJson, reportText } from '../../../src/doctor/report.ts';

const GOOD = finding('privileges-good', 'host', 'all there');
const NOTE = finding('clock-adrift', 'host', 'adrift', 'run chrony');
const WARN = finding('lacp-slow', 'bond0', `slow ${'and long '.repeat(12)}`, 'lacp_rate fast');
const FAIL = finding('no-carrier', 'bond0', 'no carrier');

describe('the text', () => {
  test('is by whom it concerns, the worst first, within 80 columns', () => {
    const text = reportText([GOOD, NOTE, WARN, FAIL], false);
    assert.match(text, /^host\n {2}note adrift \[clock-adrift\]\n {7}-> run chrony\n {3}ok {2}all/);
    assert.match(text, /\n\nbond0\n {2}FAIL no carrier \[no-carrier\]\n {2}WARN slow and long/);
    assert.match(text, /\n\n1 failure, 1 warning\.\n$/);
    for (const line of text.split('\n')) assert.ok(line.length < 80, line);
  });

  test('says so where nothing is in the way', () => {
    assert.match(reportText([GOOD, NOTE], false), /\nNothing is in the way\.\n$/);
  });

  test('has colours on a terminal only', () => {
    assert.doesNotMatch(reportText([FAIL], false), /\u001b/);
    assert.match(reportText([FAIL], true), /\u001b\[31mFAIL\u001b\[0m/);
  });
});

test('the JSON has every finding, and whether a script should look', () => {
  const parsed: unknown = JSON.parse(reportJson([GOOD, NOTE]));
  assert.deepEqual(parsed, { fit: true, findings: [{ ...GOOD, remedy: null }, { ...NOTE }] });
  assert.equal(isFit([GOOD, WARN]), false);
  assert.equal(isFit([FAIL]), false);
});
